"""A sweep that is killed at any moment, repeatedly, ends with the dataset of a sweep that was never killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from handoff.experiments.sweep.dataset import read_contents
from tests.unit.experiments.sweep.small_sweep import HANDOFF, SCENARIO, dataset_hash, run_process, write_scenario

POINTS = 600
SWEEP = """
[sweep]
mobile_nodes = "1..3"
coverage.lead = "1ms..100ms step 1ms"
procedures = ["mipv4", "sync-mipv4"]
runs = 1
"""
QUICK = ["--where", '"coverage.lead_s" <= 0.010', "--jobs", "1"]
QUICK_POINTS = 60
"""Points of a quick test in one process, which starts faster than a pool."""


def start_and_kill(draws: random.Random, out: Path, runs: int, *args: str) -> bool:
    """Start a sweep and kill it some time after a number of further runs is complete; return false if it ended before."""
    before = len(list(out.glob("runs/*/*")))
    command = [*HANDOFF, *args]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True) as process:
        while process.poll() is None and len(list(out.glob("runs/*/*"))) < before + runs:
            time.sleep(0.001)
        time.sleep(draws.random() * 0.01)  # half a run
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # with its workers, as if the machine went down
        assert process.stderr is not None
        assert process.stderr.read() == b""
    return process.returncode == -signal.SIGKILL


def test_a_killed_sweep_resumes_without_loss_or_damage(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    kills = request.config.getoption("kills")
    long = kills > 10
    points, limit = (POINTS, ["--jobs", "2"]) if long else (QUICK_POINTS, QUICK)
    scenario, out, draws = write_scenario(tmp_path, SCENARIO + SWEEP), tmp_path / "out", random.Random(kills)
    command = ["sweep", str(scenario), *limit, "-o"]
    reference = run_process(*command, tmp_path / "reference")
    assert reference.returncode == 0, reference.stderr
    expected = {run: stored.content for run, stored in read_contents(tmp_path / "reference").runs.items()}
    assert len(expected) == points
    deaths, complete = 0, set()
    for _ in range(kills):
        deaths += start_and_kill(draws, out, draws.randint(0, 2 * points // (3 * kills)), *command, str(out))
        contents = read_contents(out)
        assert contents.damaged == []
        assert complete <= contents.runs.keys()  # complete runs stay complete
        assert {run: stored.content for run, stored in contents.runs.items()}.items() <= expected.items()
        complete = set(contents.runs)
    assert deaths == kills
    assert 0 < len(complete) < points
    done = run_process(*command, out)
    assert done.returncode == 0, done.stderr
    assert dataset_hash(out) == dataset_hash(tmp_path / "reference")
    assert done.stdout == reference.stdout
    files = [sorted(path.relative_to(folder) for path in folder.rglob("*")) for folder in (out, tmp_path / "reference")]
    assert files[0] == files[1]


@pytest.mark.deep
def test_a_killed_dask_worker_does_not_change_the_results(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    psutil = pytest.importorskip("psutil", reason="comes with distributed")
    pytest.importorskip("distributed")
    points, limit = (POINTS, []) if request.config.getoption("kills") > 10 else (QUICK_POINTS, QUICK[:2])
    scenario, out = write_scenario(tmp_path, SCENARIO + SWEEP), tmp_path / "out"
    command = ["sweep", str(scenario), *limit, "-o"]
    reference = run_process(*command, tmp_path / "reference", "--jobs", "1")
    assert reference.returncode == 0, reference.stderr
    on_dask = [*HANDOFF, *command, str(out), "--cluster", "local", "--jobs", "2"]
    with subprocess.Popen(on_dask, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and len(list(out.glob("runs/*/*"))) < points // 4:
            time.sleep(0.005)
        workers = [p for p in psutil.Process(process.pid).children() if "spawn_main" in " ".join(p.cmdline())]
        workers[0].kill()
        output = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert len(workers) == 2
    assert len(read_contents(out).runs) == points
    assert dataset_hash(out) == dataset_hash(tmp_path / "reference")
    assert output[0] == reference.stdout
