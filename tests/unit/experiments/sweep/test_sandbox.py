"""The locked-down database."""

import duckdb
import pytest

from handoff.experiments.sweep.sandbox import error_message, sandboxed_connection


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
