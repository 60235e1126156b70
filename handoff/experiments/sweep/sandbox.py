"""A DuckDB database in memory without access to files, network, extensions, Python or memory addresses."""

from __future__ import annotations

import re

import duckdb

_LOCKED_DOWN: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,  # no file is read or written, no database attached
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "temp_directory": "",
}
TABLE_FUNCTIONS = ("generate_series", "json_each", "json_tree", "range", "unnest")
"""Table functions that SQL may call. Others read files, run SQL from a text, or follow a pointer (``pandas_scan(NULL)``)."""
SQL_FUNCTIONS = ("json_deserialize_sql", "json_serialize_plan", "json_serialize_sql")
"""Functions that read SQL from a text, which :func:`select_problem` does not see; SQL may not call them."""
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_NOT_ONE_SELECT = "a single SELECT statement is expected"
_PARSE = "select json_serialize_sql($sql::varchar)"
_READ_PARSED = """
    select json_extract($parsed, '$.error') = 'true', json_extract_string($parsed, '$..function.function_name'),
    json_extract_string($parsed, '$..function_name')
"""


def sandboxed_connection() -> duckdb.DuckDBPyConnection:
    """Open an empty database. SQL sees only the tables that are registered with it, and cannot lift the restrictions.

    Ask :func:`select_problem` about SQL before it is executed.
    """
    database = duckdb.connect(config=_LOCKED_DOWN)
    database.execute("set python_enable_replacements = false")  # a name in SQL is never a variable of this program
    database.execute("set lock_configuration = true")
    return database


def select_problem(database: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return why a text may not be executed, without executing it; empty if it may.

    It may if it is one SELECT that calls no table function but ``TABLE_FUNCTIONS``, and none of ``SQL_FUNCTIONS``. DuckDB's
    parser reads the text, so that quotes, comments, subqueries and schema names hide nothing.

    Raises
    ------
    duckdb.Error
        If it is not SQL.
    """
    if _NOT_UTF8.search(sql):
        return "it is not UTF-8"
    statements = database.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return _NOT_ONE_SELECT
    parsed = database.execute(_PARSE, {"sql": sql}).fetchone()
    assert parsed is not None
    failed, table_functions, functions = database.execute(_READ_PARSED, {"parsed": parsed[0]}).fetchone() or (True, [], [])
    if failed:  # DuckDB counts a PRAGMA as SELECT
        return _NOT_ONE_SELECT
    forbidden = [name for name in table_functions if name.lower() not in TABLE_FUNCTIONS]
    if forbidden:
        return f"no table function {forbidden[0]!r}; there are {', '.join(TABLE_FUNCTIONS)}"
    forbidden = [name for name in functions if name.lower() in SQL_FUNCTIONS]
    return f"no function {forbidden[0]!r}: it reads SQL from a text" if forbidden else ""


def error_message(error: Exception) -> str:
    """Return DuckDB's message in one line."""
    return " ".join(str(error).split("\n\nLINE")[0].split())
