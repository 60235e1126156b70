"""``handoff sweep`` and ``handoff query`` as whole commands: results, resumption, progress and mistakes."""

from __future__ import annotations

import csv
import io
import json
import math
import signal
import statistics
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from scipy.stats import t as student

from handoff.experiments.sweep.dataset import read_contents
from handoff.experiments.sweep.summary import TOO_SHORT
from tests.unit.experiments.sweep.small_sweep import (
    HANDOFF,
    SCENARIO,
    SWEEP,
    dataset_hash,
    run_command,
    run_process,
    write_scenario,
)


def run_sweep(*args: object) -> tuple[int, Any, str]:
    """Run ``handoff sweep`` with one job; return the exit code, the JSON document and stderr."""
    code, out, err = run_command("sweep", *args, "--jobs", 1, "--json")
    return code, json.loads(out) if out else None, err


def test_a_sweep_does_the_missing_runs_and_no_run_twice(tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path), tmp_path / "out"
    code, first, err = run_sweep(scenario, "-o", out, "--runs", 1)
    assert (code, err, first["runs"], first["missing"]) == (0, "", 12, 0)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    assert run_sweep(scenario, "-o", out, "--runs", 1)[1] == first
    code, more, _ = run_sweep(scenario, "-o", out)  # two runs each: the second of each is missing
    assert (code, more["runs"], more["missing"]) == (0, 24, 0)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    pool = run_process("sweep", scenario, "-o", tmp_path / "pool", "--jobs", 2, "--json")
    assert (pool.returncode, pool.stderr) == (0, "")
    in_pool = json.loads(pool.stdout)
    assert in_pool["dataset_hash"] == more["dataset_hash"] == dataset_hash(out) != first["dataset_hash"]
    assert [p["values"] | {"procedure": p["procedure"]} for p in in_pool["points"]] == [
        {"mobile_nodes": str(m), "coverage.lead": lead, "procedure": p}
        for m in (2, 3, 4) for lead in ("50ms", "200ms") for p in ("mipv4", "sync-mipv4")
    ]  # fmt: skip


def test_a_run_of_a_sweep_equals_the_same_run_of_handoff_run(tmp_path: Path) -> None:
    """The values are given with ``--set``, and the seed of the replication with ``--seed``."""
    scenario, out = write_scenario(tmp_path), tmp_path / "out"
    run_sweep(scenario, "-o", out, "--seed", 5)
    _, single, _ = run_command(
        "run", scenario, "--procedure", "sync-mipv4", "--seed", 6, "--set", "mobile_nodes=3", "--set",
        "coverage.lead=200ms", "--json",
    )  # fmt: skip
    sql = (
        "select printf('%x', fingerprint) as f from runs join points p using (point) where seed = 6 "
        "and p.procedure = 'sync-mipv4' "
        'and "mobile_nodes" = 3 and "coverage.lead_s" = 0.2'
    )
    _, rows, _ = run_command("query", sql, out, "--json")
    assert int(json.loads(rows)["rows"][0]["f"], 16) == int(json.loads(single)["runs"][0]["fingerprint"], 16)


def test_intervals_are_students_over_the_replications(tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path, SCENARIO), tmp_path / "out"
    measures = [x for name in ("signalling_messages", "latency_p50", "ha.registration_utilisation") for x in ("--metric", name)]
    args = (scenario, "-o", out, "--procedures", "mipv4", "--runs", 8, "--set", "duration=30s", *measures)
    code, document, _ = run_sweep(*args)
    assert code == 0
    (point,) = document["points"]
    values = [run.row["signalling_messages"][0] for run in read_contents(out).runs.values()]
    half = student.ppf(0.975, 7) * statistics.stdev(values) / math.sqrt(8)
    estimate = point["measures"]["signalling_messages"]
    assert (estimate["n"], estimate["unit"]) == (8, "packets")
    assert estimate["mean"] == pytest.approx(statistics.mean(values))
    assert (estimate["low"], estimate["high"]) == (pytest.approx(estimate["mean"] - half), pytest.approx(estimate["mean"] + half))
    assert point["measures"]["latency_p50"]["note"] == "too few samples"  # a median needs 20 handoffs in each run
    assert point["measures"]["latency_p50"]["mean"] is None
    assert 0 < point["measures"]["ha.registration_utilisation"]["mean"] < 0.01
    table = run_command("sweep", *args, "--jobs", 1)[1]
    assert "too few samples" in table
    assert f"{statistics.mean(values):.3g} ± {half:.3g}" in table


def test_a_run_in_batches_has_an_interval_and_is_another_point(tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path, SCENARIO), tmp_path / "out"
    args = (scenario, "-o", out, "--procedures", "mipv4", "--runs", 1, "--metric", "sent", "--set", "duration=41s")
    _, plain, _ = run_sweep(*args)
    _, cut, _ = run_sweep(*args, "--warmup", "1s", "--batches", 80)
    (before,), (after,) = plain["points"], cut["points"]
    assert before["measures"]["sent"] | {"mean": 0} == {
        "unit": "packets", "mean": 0, "low": None, "high": None, "n": 1, "method": None, "note": "", "resolution": 0,
        "samples": before["measures"]["sent"]["samples"],
    }  # fmt: skip
    assert before["point"] != after["point"]
    # four nodes with a packet each 50 ms: 40 in each of eighty batches of 0.5 s
    assert after["measures"]["sent"]["mean"] == pytest.approx(40, abs=1)
    assert (after["measures"]["sent"]["n"], after["measures"]["sent"]["method"]) == (80, "batch means")
    _, short, _ = run_sweep(*args, "--warmup", "1s", "--batches", 10)
    assert (short["points"][0]["measures"]["sent"]["low"], short["points"][0]["measures"]["sent"]["note"]) == (None, TOO_SHORT)


def test_a_dry_run_shows_the_missing_runs_and_does_nothing(tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path), tmp_path / "out"
    code, document, err = run_sweep(scenario, "-o", out, "--dry-run")
    assert (code, err, document["runs"], document["missing"]) == (0, "", 24, 24)
    assert not out.exists()
    without_dataset = run_sweep(scenario, "--dry-run")[:2]
    assert without_dataset == (0, document | {"seconds_on_one_processor": ANY, "points": ANY})
    # a packet each 50 ms for 10 s, and one for the phase
    assert [p["packets"] for p in document["points"]] == [m * 200 for m in (2, 3, 4) for _ in range(4)]
    assert {tuple(p["missing"]) for p in document["points"]} == {(1, 2)}
    assert document["seconds_on_one_processor"] > 0
    assert document["largest_memory_bytes"] > 0
    run_sweep(scenario, "-o", out, "--where", "procedure = 'mipv4'", "--runs", 1)
    _, document, _ = run_sweep(scenario, "-o", out, "--dry-run")
    assert document["missing"] == 18
    assert [p["done"] for p in document["points"]] == [[1], []] * 6
    table = run_command("sweep", scenario, "-o", out, "--dry-run")[1].splitlines()
    assert table[1].split() == ["2", "50ms", "mipv4", "1..2", "1", "of", "2", "400", "1", "MB"]
    assert table[-3] == "24 runs, 18 of them missing"
    assert table[-2].endswith("by 6 runs that are there")


def test_a_point_that_fails_is_reported_and_the_others_run(tmp_path: Path) -> None:
    """Failures by a wrong value in the middle of a range, a procedure that the network cannot run, and too little memory."""
    scenario, out = write_scenario(tmp_path, SCENARIO), tmp_path / "out"
    args = (scenario, "-o", out, "--runs", 2, "--procedures", "mipv4,sync-hmipv4", "--vary", "routers.cell.loss=0,0.5,1.5")
    code, document, err = run_sweep(*args)
    assert code == 1
    assert [(p["values"]["routers.cell.loss"], p["procedure"], p["runs"]) for p in document["points"]] == [
        ("0", "mipv4", 2), ("0.5", "mipv4", 2)
    ]  # fmt: skip
    lines = err.splitlines()
    assert len(lines) == 3
    assert lines[0] == (
        "handoff: left out: routers.cell.loss=1.5 mipv4: routers.cell.loss: 1.5 is not a probability: give a number from 0 to "
        "below 1, or a percentage as in '0.1%' (and 1 more points)"
    )
    assert sum("sync-hmipv4 is hierarchical: give each router a region" in line for line in lines) == 2
    assert len(document["failures"]) == 4
    code, document, err = run_sweep(
        scenario, "-o", tmp_path / "m", "--runs", 1, "--procedures", "mipv4", "--memory-limit", "150kB",
        "--vary", "duration=1s,1h",
    )
    assert code == 1
    assert [p["values"]["duration"] for p in document["points"]] == ["1s"]
    assert "duration=1h mipv4: " in err
    assert "the limit is 150,000" in err


def test_damaged_runs_are_repeated(tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path), tmp_path / "out"
    _, before, _ = run_sweep(scenario, "-o", out)
    damaged = sorted(out.rglob("seed=2.parquet"))[3]
    damaged.write_bytes(damaged.read_bytes()[:-9])
    code, again, err = run_sweep(scenario, "-o", out)
    assert (code, again) == (0, before)
    assert err.count("\n") == 1
    assert "done again if it is part of this sweep" in err


def test_runs_of_another_version_are_flagged_and_repeated_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario, out = write_scenario(tmp_path), tmp_path / "out"
    _, before, _ = run_sweep(scenario, "-o", out, "--runs", 1)
    for module in ("handoff.experiments.sweep.runner", "handoff.experiments.sweep.query"):
        monkeypatch.setattr(f"{module}.code_version", lambda: "another")
    _, found, _ = run_sweep(scenario, "-o", out)
    assert found["runs_of_another_version"] == 12
    assert {(p["runs"], p["runs_of_another_version"]) for p in found["points"]} == {(2, 1)}
    assert "12 runs were made by another version of the code" in run_command("sweep", scenario, "-o", out, "--jobs", 1)[1]
    _, stale, _ = run_command("query", "select count(*) as n from runs where stale", out)
    assert stale.split() == ["n", "12"]
    _, anew, _ = run_sweep(scenario, "-o", out, "--rerun-stale")
    assert anew["runs_of_another_version"] == 0
    assert anew["dataset_hash"] == found["dataset_hash"] != before["dataset_hash"]


@pytest.mark.deep
def test_ctrl_c_keeps_the_complete_runs_and_the_same_command_continues(tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path), tmp_path / "out"
    command = [*HANDOFF, "sweep", str(scenario), "-o", str(out), "--runs", "100", "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not list(out.glob("runs/*/*")) and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
        printed, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("handoff: interrupted: finishing the runs in progress (once more to end at once)")
    assert "Traceback" not in err
    contents = read_contents(out)
    assert contents.damaged == []
    assert 0 < len(contents.runs) < 1200
    assert f"{1200 - len(contents.runs):,} runs are missing: the same command continues with them" in printed
    assert run_sweep(scenario, "-o", out, "--runs", 3)[1]["missing"] == 0


def test_progress_is_shown_on_request_only_off_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handoff.cli.sweep_progress.Progress.LOG_SECONDS", 0)
    scenario = write_scenario(tmp_path)
    for i, (more, shown) in enumerate((([], False), (["--no-progress"], False), (["--progress"], True))):
        _, _, err = run_sweep(scenario, "-o", tmp_path / str(i), "--runs", 1, "--procedures", "mipv4", *more)
        assert bool(err) == shown
    lines = err.splitlines()
    assert [line.split(" runs, ")[0] for line in lines] == [f"{n} of 6" for n in range(1, 7)]
    assert lines[-1] == "6 of 6 runs, 0 s to go"


MISTAKES = [
    (["--vary", "nonsense"], ["--vary 'nonsense': write NAME=VALUES, as in buffer=10..50 step 10"]),
    (["--vary", "seed=3..1"], ["--vary seed: '3..1' goes down: write the smaller end first"]),
    (["--vary", "seed=1..3"], ["--vary seed: cannot vary: replications take consecutive seeds from 'seed' on"]),
    (["--vary", "coverage.led=1ms"], ["--vary coverage.led: unknown key; did you mean 'lead'?"]),
    (["--vary", "duration=1s", "--vary", "duration=2s"], ["--vary duration: listed twice"]),
    (["--procedures", "mipv5"], ["no procedure 'mipv5'; did you mean 'mipv4' or"]),
    (["--where", "x = 1"], ["where 'x = 1': no field 'x' varies; there are "]),
    (["--where", "procedure = 'mipv6'"], ["no point is left: the condition is true for none"]),
    (["--zip", "coverage.lead,duration"], ["zip: no field 'duration' varies; there are "]),
    (["--metric", "los_ratio"], ["--metric: no measure 'los_ratio'; did you mean loss_ratio"]),
    (["--warmup", "1"], ["--warmup: '1' is not a duration: write a number and one of "]),
    (["--warmup", "10s"], ["the warm-up is not shorter than the scenario: nothing would be left to measure"]),
    (["--memory-limit", "2 GBs"], ["--memory-limit: '2 GBs' is not a size: write a number and one of "]),
    (["--seed", str(2**63 - 1)], [f"seed {2**63 - 1} and 2 replications go beyond the largest seed"]),
    (
        ["--vary", "duration=0s,1"],
        ["no point can be run", "duration=0s mipv4: duration: 0 is too short; give a duration above 0 (and 11 more points)\n"],
    ),
    (["--scheduler", "tcp://example.org:1"], ["tcp://example.org:1"]),
]


@pytest.mark.parametrize(("args", "messages"), MISTAKES, ids=[" ".join(args) for args, _ in MISTAKES])
def test_a_mistake_is_reported_before_anything_runs(tmp_path: Path, args: list[str], messages: list[str]) -> None:
    code, out, err = run_command("sweep", write_scenario(tmp_path), "-o", tmp_path / "out", *args)
    assert (code, out) == (2, "")
    for message in messages:
        assert message in err
    assert not (tmp_path / "out").exists()


def test_all_mistakes_are_reported_together(tmp_path: Path) -> None:
    args = [arg for more, _ in MISTAKES[:2] for arg in more]
    args += ["--procedures", "mipv5", "--warmup", "1", "--metric", "x", "--seed", str(2**63 - 1)]
    code, _, err = run_command("sweep", write_scenario(tmp_path), "-o", tmp_path / "out", *args)
    assert code == 2
    assert len(err.splitlines()) == 6


def test_a_scenario_without_a_sweep_is_one_point(tmp_path: Path) -> None:
    scenario = write_scenario(tmp_path, SCENARIO)
    code, _, err = run_sweep(scenario, "-o", tmp_path / "out", "--runs", 1)
    assert (code, err) == (2, "no procedure is named: give --procedures, or procedures = [...] in [sweep]\n")
    _, document, _ = run_sweep(scenario, "-o", tmp_path / "out", "--runs", 1, "--procedures", "mipv4")
    assert [(p["values"], p["procedure"]) for p in document["points"]] == [({}, "mipv4")]
    assert SWEEP not in scenario.read_text()


def test_a_query_prints_a_table_json_or_csv_and_reports_damage(tmp_path: Path) -> None:
    scenario, out = write_scenario(tmp_path), tmp_path / "out"
    run_sweep(scenario, "-o", out, "--runs", 1, "--procedures", "mipv4", "--where", "mobile_nodes = 2")
    sql = "select node, count(*) as n, 1.5::double as x, null as y from nodes group by node order by node limit 1"
    row = {"node": "a", "n": 2, "x": 1.5, "y": None}
    assert run_command("query", sql, out, "--json")[:2] == (0, json.dumps({"version": 1, "rows": [row]}, indent=2) + "\n")
    _, text, _ = run_command("query", sql, out, "--csv")
    assert list(csv.reader(io.StringIO(text))) == [["node", "n", "x", "y"], ["a", "2", "1.5", ""]]
    _, text, _ = run_command("query", sql, out)
    assert [line.split() for line in text.splitlines()] == [["node", "n", "x", "y"], ["a", "2", "1.5", "-"]]
    assert run_command("query", sql, out, "--csv", "--json") == (2, "", "--json and --csv: give one of them\n")
    assert run_command("query", "selct 1", out)[0] == 2
    links = sorted((out / "links").rglob("*.parquet"))[0]
    links.write_bytes(links.read_bytes()[:-1])
    code, text, err = run_command("query", "select count(*) as n from runs", out)
    assert (code, text.split()) == (0, ["n", "1"])
    assert err.endswith(": incomplete: links is not what was written: left out\n")
