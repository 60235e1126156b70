"""Benchmarks: they run, agree with the peers on the answer and refuse a wrong one. No time is judged here."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import compare, growth, packets, peers, rows, soak

ROOT = Path(__file__).parents[3]
SMALL = [replace(case, mobiles=min(case.mobiles, 200), seconds=2) for case in packets.CASES if case.quick]


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    works, missing = packets.programs(tmp_path_factory.mktemp("peers"))
    assert not missing
    return works


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_engine_floor_and_heap_agree_on_every_workload(programs, case):
    found = list(packets.compare(case, 1, programs))
    assert {row.beside for row in found} >= ({"heap"} if case.few else {"heap", "floor"})
    assert all(row.figures["ratio"] > 0 for row in found)


@pytest.mark.parametrize("off", [{"delivered": 1}, {"delay_sum_ps": 1}])
def test_a_peer_with_another_answer_stops_the_comparison(programs, off):
    def wrong(case):
        figures = programs["heap"](case)
        return figures | {key: figures[key] + by for key, by in off.items()}

    with pytest.raises(SystemExit, match="W1: engine and heap disagree"):
        list(packets.compare(SMALL[0], 1, programs | {"heap": wrong}))


def test_only_where_mobile_nodes_begin_at_once_may_sums_of_delays_be_apart():
    few, many = packets.Case("few"), packets.Case("many", mobiles=400_000)
    one, other = ({"delivered": 1000, "delay_sum_ps": total} for total in (10**12, 10**12 + 999))
    assert (few.tied, many.tied) == (False, True)
    assert packets.disagreement(few, one, other) is not None
    assert packets.disagreement(many, one, other) is None
    assert packets.disagreement(many, one, other | {"delay_sum_ps": 10**12 + 1000}) is not None


def test_a_slow_program_gets_less_of_a_workload_and_never_more():
    whole = packets.CASES[0]
    given = {name: whole.shorter(name).seconds for name in ("engine", "floor", "heap", "SimPy", "ns-3")}
    assert given["engine"] == given["floor"] == whole.seconds > given["heap"] > given["SimPy"] > given["ns-3"] >= 1


def test_a_peer_that_cannot_be_had_is_named_with_the_reason(tmp_path, monkeypatch):
    def none(folder):
        raise peers.Missing("no network")

    monkeypatch.setitem(packets.PEERS, "ns-3", none)
    works, missing = packets.programs(tmp_path, ["ns-3"])
    assert ("ns-3" in works, missing) == (False, {"ns-3": "no network"})


def test_a_peer_refuses_what_it_does_not_know(tmp_path):
    with pytest.raises(peers.Missing, match="mobile=1000"):
        peers.run(peers.heap(tmp_path), mobile=1000)


def test_the_comparison_runs_by_its_path_and_writes_json(tmp_path):
    file = tmp_path / "figures.json"
    argv = [sys.executable, ROOT / "bench" / "compare.py", "start", "--rounds", "1", "-o", file]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = json.loads(file.read_text())
    assert [row["work"] for row in found["rows"]] == ["import engine", "import numpy", "handoff --help"]
    assert "import engine" in done.stdout
    assert found["given"]["machine"]["cores"] >= 1


def test_an_unknown_work_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compare.py", "W3"])
    with pytest.raises(SystemExit) as ended:
        compare.main()
    assert (ended.value.code, "no such work: W3" in capsys.readouterr().err) == (2, True)


def test_what_is_quick_is_run_unless_all_is_asked_for():
    quick, everything = compare.chosen([], False), compare.chosen([], True)
    assert set(quick) < set(everything) == set(compare.WORKS)
    assert compare.chosen(["start", "W1"], False) == ["W1", "start"]
    assert {"million", "soak"} & set(quick) == set()


@pytest.mark.deep
def test_every_curve_has_a_point_wherever_it_is_measured(monkeypatch):
    monkeypatch.setattr(growth, "WORK_HOPS", 10**5)
    curves = growth.measure(list(growth.CURVES), 1, most=1000)
    points = {curve.name: {name: list(at) for name, at in curve.points.items()} for curve in curves}
    assert points.pop("threads", {"engine": [1, 2]}) == {"engine": [1, 2]}
    assert points == {
        "mobiles-w1": {"engine": [1000], "floor": [1000]},
        "mobiles-w2": {"engine": [1000], "floor": [1000]},
        "packets": {"engine": [10**5], "floor": [10**5]},
        "links": {"engine": [1, 4, 16, 64, 256]},
        "routers": {"engine": [8, 64, 256]},
        "handoffs": {"engine": [0, 1000]},
    }
    assert all(len(row) == 5 for row in curves[0].rows())


def test_a_soak_counts_its_packets_and_its_memory():
    found = soak.soak(10**5, 100)
    assert (found["complete"], found["packets"], found["simulated_s"]) == (True, 10**5, 20)
    assert 0 < found["least_bytes"] <= found["end_bytes"] <= found["most_bytes"]


def test_text_goes_between_its_marks_and_nowhere_else(tmp_path):
    file = tmp_path / "page.md"
    file.write_text("a\n<!-- t -->\nold\n<!-- end of t -->\nb\n")
    for _ in range(2):
        rows.document("t", rows.markdown(["x"], [["1 \\ 2"]]), file)
        assert file.read_text() == "a\n<!-- t -->\n\n| x |\n| --- |\n| 1 \\ 2 |\n\n<!-- end of t -->\nb\n"
    with pytest.raises(SystemExit, match="no place"):
        rows.document("u", "", file)


def test_the_page_has_a_place_for_each_part():
    page = rows.DOCUMENT.read_text()
    assert [page.count(f"<!-- {name} -->") for name in ("machine", "table", "growth")] == [1, 1, 1]
