"""The locked-down database."""

import random
import subprocess
import sys

import duckdb
import pytest

from handoff.experiments.sweep.sandbox import error_message, sandboxed_connection, select_problem

ODD_ARGUMENTS = (
    "NULL", "0", "-1", "9223372036854775807", "1::ubigint", "'x'", "''", "'\\x00'::blob", "1.5", "'nan'::double", "[1, 2]", "[]",
    "{'a': 1}", "true", "NULL::pointer", "140000000000000::pointer", "*", "map {1: 2}", "date '2020-01-01'", "interval 1 day",
    "'select 1'", "'select * from pandas_scan(NULL)'", "x -> x", "'1'::bit", "repeat('a', 100)",
)  # fmt: skip
RANDOM_CALLS = 2


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/passwd')",
        "copy (select 1) to 'written.csv'",
        "attach 'written.db'",
        "install httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "select * from secret",
    ],
)
def test_sql_has_no_access_to_files_settings_or_variables(sql, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    secret = duckdb.sql("select 42 as answer")
    assert secret.fetchall() == [(42,)]
    with sandboxed_connection() as database, pytest.raises(duckdb.Error) as caught:
        database.execute(sql)
    assert "\n" not in error_message(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_sql_computes():
    with sandboxed_connection() as database:
        assert database.execute("select 6 * 7").fetchall() == [(42,)]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "from runs select count(*)",
        "with recursive t as (select 1 x union all select x + 1 from t where x < 3) select [y + 1 for y in [x]] from t",
        "describe runs",
        "summarize runs",
        "select columns('a.*') from runs qualify row_number() over (order by lost) = 1",
        "select 'pandas_scan(NULL)', pandas_scan from runs -- from pandas_scan(NULL)",
        "select * from range(3) r, generate_series(1, 2) s, unnest([1]) u",
        "select " + "+".join(["1"] * 900),
    ],
)
def test_a_select_is_allowed(sql):
    with sandboxed_connection() as database:
        assert select_problem(database, sql) == ""


@pytest.mark.parametrize(
    "sql",
    [
        "from pandas_scan(NULL)",
        "from PANDAS_SCAN(NULL)",
        "from system.main.pandas_scan(NULL)",
        "select (select (select 1 from pandas_scan(NULL)))",
        "with t as materialized (from pandas_scan(NULL)) select 1",
        "select 1 limit (select 1 from pandas_scan(NULL))",
        "select list(1 order by (select 1 from pandas_scan(NULL)))",
        "select sum(1) over (order by (select 1 from pandas_scan(NULL)))",
        "select * replace ((select 1 from pandas_scan(NULL)) as x) from runs",
        "select 1 union (select 2 from pandas_scan(NULL))",
        "from runs join (from range(3), pandas_scan(NULL)) using (x)",
        "from runs where x = any (select 1 from pandas_scan(NULL))",
        "unpivot (from pandas_scan(NULL)) on x into name n value v",
        "describe (from pandas_scan(NULL))",
    ],
)
def test_a_table_function_is_found_anywhere(sql):
    with sandboxed_connection() as database:
        problem = select_problem(database, sql).lower()
    assert problem.startswith("no table function 'pandas_scan'; there are generate_series, json_each, json_tree, range, unnest")


@pytest.mark.parametrize(
    "sql",
    [
        "select json_serialize_plan('select * from pandas_scan(NULL)')",
        "select ('select * from pandas_scan(NULL)').JSON_serialize_plan()",
        "select [system.main.json_serialize_plan(x) for x in ['from pandas_scan(NULL)']]",
        "from range(3) where json_serialize_plan('from pandas_scan(NULL)') is null",
    ],
)
def test_no_function_reads_sql_from_a_text(sql):
    with sandboxed_connection() as database:
        assert select_problem(database, sql).lower() == "no function 'json_serialize_plan': it reads sql from a text"


CALLS_IN_A_CHILD = """
import sys
import duckdb
from handoff.experiments.sweep.sandbox import sandboxed_connection, select_problem
executed = 0
for sql in sys.stdin.read().splitlines():
    database = sandboxed_connection() if not executed % 1000 else database
    try:
        if not select_problem(database, sql):
            executed += 1
            database.execute(sql).fetchmany(10)
    except (duckdb.Error, ValueError, OverflowError):
        pass
print(executed)
"""


def calls_of(kinds: tuple[str, ...], form: str, repeats: tuple[int, ...]) -> list[str]:
    """Return calls of every function of a kind with odd arguments."""
    draws = random.Random(1)
    with sandboxed_connection() as database:
        names = database.execute(
            "select distinct function_name from duckdb_functions() where list_contains($kinds, function_type) order by all",
            {"kinds": list(kinds)},
        ).fetchall()
    argument_lists = [(), *((argument,) * n for n in repeats for argument in ODD_ARGUMENTS)]
    argument_lists += [tuple(draws.choices(ODD_ARGUMENTS, k=draws.randint(2, 5))) for _ in range(RANDOM_CALLS)]
    return [form.format(name=f'"{name}"', arguments=", ".join(a)) for (name,) in names for a in argument_lists]


@pytest.mark.long
@pytest.mark.parametrize(
    ("kinds", "form", "repeats", "at_least"),
    [
        (("table", "table_macro"), "select * from {name}({arguments}) limit 5", (1, 2, 3), 100),
        (("scalar", "aggregate", "macro"), "select {name}({arguments})", (1,), 10_000),
    ],
)
def test_no_function_with_odd_arguments_ends_the_process(kinds, form, repeats, at_least):
    calls = calls_of(kinds, form, repeats)
    done = subprocess.run([sys.executable, "-c", CALLS_IN_A_CHILD], input="\n".join(calls), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1000:]
    assert int(done.stdout) > at_least


@pytest.mark.long
def test_no_view_of_the_database_ends_the_process():
    with sandboxed_connection() as database:
        views = database.execute("select schema_name, view_name from duckdb_views()").fetchall()
    selects = [f'select * from "{schema}"."{view}"' for schema, view in views]
    done = subprocess.run([sys.executable, "-c", CALLS_IN_A_CHILD], input="\n".join(selects), capture_output=True, text=True)
    assert (done.returncode, int(done.stdout)) == (0, len(selects)), done.stderr[-1000:]
