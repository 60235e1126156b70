"""A database that can do nothing but answer: DuckDB in memory, shut off from files, network, extensions and Python."""

from __future__ import annotations

import duckdb

_SHUT: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,  # no file is read or written, no database attached
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "temp_directory": "",
}


def sandboxed_connection() -> duckdb.DuckDBPyConnection:
    """A connection to nothing; what is registered with it is all that SQL sees, and no SQL opens it again."""
    database = duckdb.connect(config=_SHUT)
    database.execute("set python_enable_replacements = false")  # a name in SQL is never a variable of this program
    database.execute("set lock_configuration = true")
    return database


def error_message(error: Exception) -> str:
    """What DuckDB says is wrong, in one line."""
    return " ".join(str(error).split("\n\nLINE")[0].split())
