"""Runs and comparisons of the Python interface."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import handoff
from handoff.protocol.mobile_node import MobileNodeController

EXAMPLES = Path(__file__).parents[3] / "examples"


class CountingMobileNode(MobileNodeController):
    """Mobile nodes that count their events."""

    events = 0

    def on_event(self, ctx, event):
        """Count an event, then handle it."""
        type(self).events += 1
        super().on_event(ctx, event)


def test_tables_are_those_of_the_command_line(walk, tmp_path):
    result = handoff.compare(walk, "mipv4,sync-mipv4", seed=5)
    assert (len(result), result.runs["procedure"].to_pylist()) == (2, ["mipv4", "sync-mipv4"])
    assert result.handoffs.num_rows == 2 * 2  # two procedures, two moves
    result.write(tmp_path / "out")
    for name in ("runs", "handoffs", "flows", "links", "nodes"):
        assert repr(pq.read_table(tmp_path / "out" / f"{name}.parquet").to_pylist()) == repr(getattr(result, name).to_pylist())
    again = handoff.read(tmp_path / "out")
    assert again.runs["fingerprint"].equals(result.runs["fingerprint"])
    assert again.title == "walk.toml, seed 5"
    with pytest.raises(handoff.HandoffError, match="in a folder already"):
        again.write(tmp_path / "other")


def test_one_run_is_one_row_of_a_comparison(walk):
    alone, beside = handoff.run(walk, "sync-mipv4"), handoff.compare(walk, ["mipv4", "sync-mipv4"], jobs=2)
    assert alone.runs["fingerprint"][0] == beside.runs["fingerprint"][1]
    assert alone.runs["lost"][0].as_py() == 0


def test_time_series_are_those_of_the_command_line(walk, tmp_path):
    result, plain = handoff.compare(walk, ["mipv4", "sync-mipv4"], series="500ms", jobs=2), handoff.run(walk, "mipv4")
    assert result.runs["fingerprint"][0] == plain.runs["fingerprint"][0]
    series = result.series
    sent = duckdb.sql("select procedure, list(sent order by end_s) from series where kind = 'run' group by all order by all")
    assert sent.fetchall() == [("mipv4", [50] * 6), ("sync-mipv4", [50] * 6)]  # a packet every 10 ms
    bound = duckdb.sql("select sum(bindings) from series where element = 'ha' and procedure = 'mipv4' and end_s = 3")
    assert bound.fetchall() == [(1,)]  # the one mobile node
    result.write(tmp_path / "out")
    assert handoff.read(tmp_path / "out").series.equals(series)
    plain.write(tmp_path / "out")
    assert not (tmp_path / "out" / "series.parquet").exists()
    assert plain.series.num_rows == 0
    with pytest.raises(handoff.HandoffError, match="series: '5' is not a duration"):
        handoff.run(walk, "mipv4", series="5")


def test_libraries_take_the_result_as_a_table(walk):
    result = handoff.compare(walk, ["mipv4", "sync-mipv4"])
    assert pa.table(result).equals(result.runs)
    assert duckdb.sql("select count(*), sum(sent) from result").fetchall() == [(2, 2 * 300)]  # a packet every 10 ms, for 3 s


def test_a_result_shows_itself_in_a_few_lines(walk):
    result = handoff.compare(walk, ["mipv4", "sync-mipv4"])
    assert len(repr(result).splitlines()) == 4
    result.title = "<b>&"
    assert "<caption>&lt;b&gt;&amp;</caption>" in result._repr_html_()


def test_own_rows_run_beside_shipped_ones(walk):
    own = replace(handoff.PROCEDURES["sync-mipv4"], name="own")
    fingerprints = handoff.compare(walk, ["sync-mipv4", own, "mipv4"]).runs["fingerprint"].to_pylist()
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
    with pytest.raises(handoff.HandoffError, match="'sync-mipv4' is listed twice"):
        handoff.compare(walk, ["sync-mipv4", replace(own, name="sync-mipv4")])


def test_own_controllers_handle_the_events(walk):
    CountingMobileNode.events = 0
    counted = replace(handoff.PROCEDURES["mipv4"], name="counted", mobile_node=CountingMobileNode)
    result = handoff.compare(walk, ["mipv4", counted])
    assert CountingMobileNode.events > 2 * 2  # at least a link and a reply for each move
    assert result.runs["fingerprint"][0] == result.runs["fingerprint"][1]


def test_the_example_of_own_procedures_runs():
    names = {"__name__": "example", "__file__": str(EXAMPLES / "python" / "own_procedure.py")}
    exec(compile((EXAMPLES / "python" / "own_procedure.py").read_text(), "own_procedure.py", "exec"), names)
    scenario = handoff.load(EXAMPLES / "commute.toml", duration="3s")
    result = handoff.compare(scenario, [names["early"], names["deaf"]])
    assert result.runs["procedure"].to_pylist() == ["mipv4-early", "sync-mipv4-deaf"]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.deep)])
def test_ctrl_c_returns_what_is_complete(walk, jobs):
    shares = []

    def interrupt(text, share):
        shares.append(share)
        if len(shares) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    walk["duration"], walk["traffic"][0]["interval"], walk["traffic"][0]["phase"] = "300s", "1ms", "1ms"  # seconds of work
    before = signal.getsignal(signal.SIGINT)
    try:
        result = handoff.compare(walk, ["mipv4", "sync-mipv4", "mipv6"], progress=interrupt, jobs=jobs)
    except KeyboardInterrupt:
        pytest.fail("the second signal came before the result")
    assert result.interrupted
    assert "interrupted" in repr(result)
    assert 0 < len(result) <= 3
    assert signal.getsignal(signal.SIGINT) is before


def test_a_script_needs_no_guard(walk, tmp_path):
    script = "import handoff\nprint(len(handoff.compare('walk.toml', ['mipv4', 'sync-mipv4'], jobs=2)))\n"
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "walk.toml").write_text(
        'name = "walk"\nduration = "1s"\n[[correspondent]]\nname = "cn"\n[home_agent]\nname = "ha"\n'
        '[[link]]\nbetween = ["cn", "ha"]\nrate = "1Gbit/s"\ndelay = "1ms"\n'
        '[routers]\nnames = ["ar0", "ar1"]\nwired_to = "ha"\nwired = {rate = "1Gbit/s", delay = "1ms"}\n'
        'cell = {rate = "10Mbit/s", delay = "1ms"}\n[[traffic]]\ninterval = "10ms"\nsize_bytes = 100\n'
        '[movement]\nassociations = "walk.csv"\n'
    )
    run = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, timeout=60, check=False)
    assert (run.stdout, run.stderr) == ("2\n", "")


def test_mistakes_of_arguments_come_at_once(walk):
    with pytest.raises(handoff.HandoffError) as failure:
        handoff.compare(walk, ["mipv9"], threads=0, jobs=-1, seed=-1, memory_limit="7 apples")
    problems = "\n".join(failure.value.problems)
    for part in ("'mipv9'", "memory_limit: '7 apples'", "threads is 0: give 1", "jobs is -1: give 1", "seed is -1: give 0"):
        assert problems.count(part) == 1
    with pytest.raises(handoff.HandoffError, match="procedures is empty"):
        handoff.compare(walk, [])
