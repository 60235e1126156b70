"""A DuckDB database in memory without access to files, network, extensions or Python."""

from __future__ import annotations

import duckdb

_LOCKED_DOWN: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,  # no file is read or written, no database attached
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "temp_directory": "",
}


def sandboxed_connection() -> duckdb.DuckDBPyConnection:
    """Open an empty database. SQL sees only the tables that are registered with it, and cannot lift the restrictions."""
    database = duckdb.connect(config=_LOCKED_DOWN)
    database.execute("set python_enable_replacements = false")  # a name in SQL is never a variable of this program
    database.execute("set lock_configuration = true")
    return database


def error_message(error: Exception) -> str:
    """Return DuckDB's message in one line."""
    return " ".join(str(error).split("\n\nLINE")[0].split())
