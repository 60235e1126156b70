"""``--report`` and ``handoff report``: files, errors, and the same page from a run and from its folder."""

from __future__ import annotations

import csv
import html
import json
import tomllib

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from handoff.cli.main import main

SCENARIO = """
name = "walk"
duration = "8s"
correspondent = [{name = "cn"}]
home_agent = {name = "ha"}
link = [{between = ["cn", "ha"], delay = "5ms"}]
traffic = [{interval = "10ms", size_bytes = 200, phase = "10ms"}]
movement = {associations = "walk.csv"}
[routers]
names = ["ar0", "ar1"]
wired_to = "ha"
wired = {delay = "5ms"}
neighbours = {delay = "5ms"}
cell = {delay = "5ms"}
"""
LOG = "mobile,router,up_s,down_s,predict_s,going_down_s\na,ar0,0,1.5,,\na,ar1,1.6,,,\nb,ar1,0,2,,\nb,ar0,2.1,,,\n"


@pytest.fixture
def walk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.toml").write_text(SCENARIO)
    (tmp_path / "walk.csv").write_text(LOG)
    return tmp_path


def invoke(*words):
    done = CliRunner().invoke(main, list(map(str, words)))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def compare(*words):
    return invoke("compare", "walk.toml", "--procedures", "mipv4,mipv4-smooth", "--jobs", 1, *words)


def test_the_report_of_a_comparison_is_that_of_its_folder(walk):
    assert compare("-o", "out", "--report", "now.html").exit_code == 0
    assert invoke("report", "out").exit_code == 0
    assert (walk / "out" / "report.html").read_bytes() == (walk / "now.html").read_bytes()
    assert invoke("report", "out", "-o", "then.html").exit_code == 0
    assert (walk / "then.html").read_bytes() == (walk / "now.html").read_bytes()


def test_a_report_changes_no_table(walk):
    assert compare("-o", "plain").exit_code == 0
    assert compare("-o", "plain2", "--report", "r.html", "--ladders", 1, "-q", "--wide", "--threads", 2).exit_code == 0
    for path in sorted((walk / "plain").glob("*.parquet")):
        a, b = pq.read_table(path), pq.read_table(walk / "plain2" / path.name)
        assert repr(a.to_pylist()) == repr(b.to_pylist()), path.name
    commands = [pq.read_schema(walk / name / "runs.parquet").metadata[b"handoff"] for name in ("plain", "plain2")]
    assert commands[0] == commands[1]


def test_the_page_has_the_figures_of_the_table(walk):
    done = invoke("run", "walk.toml", "--procedure", "mipv4", "--set", "routers.cell.loss=0.1", "-o", "out", "--report", "r.html")
    assert done.exit_code == 0, done.output
    page = (walk / "r.html").read_text()
    (row,) = pq.read_table(walk / "out" / "runs.parquet").to_pylist()
    assert row["handoffs"] == 2
    assert row["lost"] > 0
    assert f"mipv4 loses {row['lost']} of {row['sent']:,} packets" in page
    assert html.escape(tomllib.loads(SCENARIO)["name"]) in page.partition("Make it again</h2>")[2]


def test_ladders_are_images_with_their_text(walk):
    assert compare("--report", "r.html", "--ladders", 2).exit_code == 0
    page = (walk / "r.html").read_text()
    assert page.count('<img src="data:image/svg+xml;base64,') == 2
    assert page.count("mipv4: handoff 0 of ") >= 2
    assert "old link down" in page


def test_a_time_series_is_drawn_with_and_without_its_table(walk):
    assert compare("--series", "500ms", "-o", "out", "--report", "now.html").exit_code == 0
    assert invoke("report", "out").exit_code == 0
    page = (walk / "now.html").read_text()
    assert (walk / "out" / "report.html").read_text() == page
    assert "The time series has 16 intervals of 0.5 s; a point stands for 0.5 s." in page
    assert compare("--series", "500ms", "--report", "alone.html").exit_code == 0
    assert page.count("<figure") == (walk / "alone.html").read_text().count("<figure")


def test_the_report_of_a_diff_says_what_the_table_says(walk):
    """A radio that loses packets is worse or unclear, never better; the report names the field that differs."""
    words = ("sweep", "walk.toml", "--procedures", "mipv4,mipv4-smooth", "--runs", 3, "--jobs", 1)
    assert invoke(*words, "-o", "a").exit_code == 0
    assert invoke(*words, "--set", "routers.cell.loss=0.2", "-o", "b").exit_code == 0
    done = invoke("diff", "a", "b", "--metric", "loss_ratio", "--report", "d.html", "--csv")
    assert done.exit_code == 3, done.output
    rows = list(csv.DictReader(done.stdout.splitlines()))
    worse = [row for row in rows if row["verdict"] == "worse"]
    page = html.unescape((walk / "d.html").read_text())
    assert f"B is worse in {len(worse)} of {len(rows)} comparisons, most of all in loss_ratio of {worse[0]['subject']} (" in page
    assert "A and B differ in routers.cell.loss." in page
    assert invoke("diff", "a", "--procedures", "mipv4,mipv4-smooth", "--report", "p.html").exit_code in (0, 3)
    assert "A: mipv4 in a · B: mipv4-smooth in a" in (walk / "p.html").read_text()
    done = invoke("diff", "a", "b", "--report", "b/points.parquet")
    assert done.exit_code == 2
    assert "--report: b/points.parquet is an input of this command" in done.stderr


def test_a_diff_says_what_set_changed(walk):
    """Two runs of one scenario: the fields of --set, by short names too, in the terminal, JSON, CSV and the report."""
    words = ("run", "walk.toml", "--procedure", "mipv4")
    assert invoke(*words, "-o", "a").exit_code == 0
    done = invoke(*words, "--set", "cell_loss=0.2", "--set", "traffic.0.size_bytes=300", "--set", "duration=8s", "-o", "b")
    assert done.exit_code == 0
    lines = ["traffic.0.size_bytes is 200 in A and 300 in B", "routers.cell.loss is absent in A and 0.2 in B"]
    done = invoke("diff", "a", "b", "--report", "d.html")
    assert done.stdout.splitlines()[1:3] == lines
    assert done.stderr == ""
    assert invoke("diff", "a", "b", "--csv").stderr.splitlines() == [f"handoff: {line}" for line in lines]
    assert json.loads(invoke("diff", "a", "b", "--json").stdout)["fields"] == [
        {"field": "traffic.0.size_bytes", "a": "200", "b": "300"}, {"field": "routers.cell.loss", "a": None, "b": "0.2"},
    ]  # fmt: skip
    page = html.unescape((walk / "d.html").read_text())
    assert "A and B differ in Command, traffic.0.size_bytes and routers.cell.loss." in page
    assert "absent" in page
    assert json.loads(invoke("diff", "a", "a", "--json").stdout)["fields"] == []


def test_ladders_need_a_report(walk):
    done = compare("--ladders", 1)
    assert done.exit_code == 2
    assert "--ladders draws handoffs in a report: give its file with --report" in done.stderr


def test_a_report_is_no_input_and_no_other_output(walk):
    done = compare("--report", "walk.csv")
    assert done.exit_code == 2
    assert "--report: walk.csv is an input of this command" in done.stderr
    assert (walk / "walk.csv").read_text() == LOG


def test_a_folder_without_results_is_refused(walk):
    (walk / "empty").mkdir()
    done = invoke("report", "empty")
    assert done.exit_code == 2
    assert "empty: no results: there is no runs.parquet in it" in done.stderr
    assert list((walk / "empty").iterdir()) == []


def test_a_damaged_table_is_named_and_the_older_report_stays(walk):
    assert compare("-o", "out").exit_code == 0
    (walk / "old.html").write_text("older")
    (walk / "out" / "links.parquet").unlink()
    (walk / "out" / "links.parquet").write_bytes(b"PAR1 no PAR1")
    done = invoke("report", "out", "-o", "old.html")
    assert done.exit_code == 2
    assert "links.parquet: damaged: " in done.stderr
    assert (walk / "old.html").read_text() == "older"
