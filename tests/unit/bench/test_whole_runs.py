"""Whole runs of two checkouts: what counts as their time, and when they may be compared."""

from pathlib import Path

import pytest

from bench import duplex, whole_runs
from bench.rows import DOCUMENT, ROOT

OTHER = Path("other")
RUN = whole_runs.WholeRun("run", lambda folder, quick: [])


def fake_times(monkeypatch, times, results=None):
    """Let runs of each checkout take the listed times, in turn."""
    left = {checkout: list(values) for checkout, values in times.items()}
    results = results or {}
    monkeypatch.setattr(whole_runs, "time_run", lambda arguments, checkout, cache: (left[checkout].pop(0), results.get(checkout)))


def test_the_first_run_of_each_checkout_does_not_count(monkeypatch):
    fake_times(monkeypatch, {ROOT: [90, 1, 5, 2], OTHER: [80, 10, 20, 40]})
    head, row = whole_runs.table([RUN], 3, False, OTHER)
    assert row == ["run", "2.00 s", "20.00 s", "0.10 ×"]
    assert len(head) == len(row)


def test_a_run_without_another_checkout_has_no_ratio(monkeypatch):
    fake_times(monkeypatch, {ROOT: [9, 3]})
    assert list(whole_runs.table([RUN], 1, False, None)) == [["whole run", "this build"], ["run", "3.00 s"]]


def test_other_results_stop_the_comparison(monkeypatch):
    fake_times(monkeypatch, {ROOT: [1], OTHER: [1]}, {ROOT: [{"lost": 1}], OTHER: [{"lost": 2}]})
    with pytest.raises(SystemExit, match="run: the results of other differ from those of this checkout"):
        list(whole_runs.table([RUN], 1, False, OTHER))


def test_a_run_without_its_data_is_left_out(monkeypatch, tmp_path):
    monkeypatch.setattr(whole_runs, "BOLOGNA", tmp_path / "cars.xml.gz")
    _, row = whole_runs.table([whole_runs.WholeRun("bologna", whole_runs.bologna)], 1, False, OTHER)
    assert row == ["bologna", "left out: no cars.xml.gz", "", ""]


def test_a_storm_is_a_quarter_of_the_mobile_nodes_within_100_ms(tmp_path):
    arguments = whole_runs.storm(tmp_path, True)
    rows = [row.split(",") for row in (tmp_path / "moves.csv").read_text().splitlines()[1:]]
    down_s = [float(row[3]) for row in rows if row[3]]
    assert (len({row[0] for row in rows}), len(down_s), len(rows)) == (400, 100, 500)
    assert 1.0 <= min(down_s) <= max(down_s) <= 1.1
    user_s, (result,) = whole_runs.time_run(arguments, ROOT, tmp_path)
    assert result["handoffs"] == 100
    assert user_s > 0
    assert not {"wall_seconds", "controller_seconds"} & set(result)


def test_a_run_that_fails_is_named_with_its_error(tmp_path):
    with pytest.raises(SystemExit, match=r"handoff run none\.toml --procedure mipv4 of .*: exit code 2\n(?s:.*)none\.toml"):
        whole_runs.time_run(["none.toml", "--procedure", "mipv4"], ROOT, tmp_path)


def test_an_unknown_name_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["duplex.py", "metropolis"])
    with pytest.raises(SystemExit) as ended:
        duplex.main()
    assert ended.value.code == 2
    assert "no work is named so; there are 'star both ways, 8 routers'" in capsys.readouterr().err


def test_the_page_has_a_place_for_both_tables():
    page = DOCUMENT.read_text()
    assert [page.count(f"<!-- {name} -->") for name in ("duplex", "whole runs")] == [1, 1]
