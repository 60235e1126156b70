"""A sweep that is killed at any moment, again and again, ends with the dataset of one that nobody killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from handoff.experiments.sweep.dataset import dataset_hash, read_contents
from tests.sweep.small import HANDOFF, SCENARIO, handoff, written

POINTS = 600
SWEEP = """
[sweep]
mobile_nodes = "1..3"
coverage.lead = "1ms..100ms step 1ms"
procedures = ["mipv4", "sync-mipv4"]
runs = 1
"""
QUICK = ["--where", '"coverage.lead_ps" <= 10e9', "--jobs", "1"]
"""60 points in one process, which begins sooner."""


def killed(moment: random.Random, out: Path, runs: int, *args: str) -> bool:
    """Begin a sweep, and kill it some time after so many runs more are there; False if it was done before."""
    before = len(list(out.glob("runs/*/*")))
    command = [*HANDOFF, *args]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True) as process:
        while process.poll() is None and len(list(out.glob("runs/*/*"))) < before + runs:
            time.sleep(0.001)
        time.sleep(moment.random() * 0.05)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # with its workers: as a machine that goes down
        assert process.stderr is not None
        assert process.stderr.read() == b""
    return process.returncode == -signal.SIGKILL


def test_nothing_is_lost_and_nothing_half_believed(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    kills = request.config.getoption("kills")
    long = kills > 10
    points, limit = (POINTS, ["--jobs", "2"]) if long else (POINTS // 10, QUICK)
    scenario, out, moment = written(tmp_path, SCENARIO + SWEEP), tmp_path / "out", random.Random(kills)
    command = ["sweep", str(scenario), *limit, "-o"]
    whole = handoff(*command, tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    expected = {run: stored.content for run, stored in read_contents(tmp_path / "whole").runs.items()}
    assert len(expected) == points
    deaths, there = 0, set()
    for _ in range(kills):
        deaths += killed(moment, out, moment.randint(0, 2 * points // (3 * kills)), *command, str(out))
        found = read_contents(out)
        assert found.damaged == []
        assert there <= found.runs.keys()  # what was complete stays so
        assert {run: stored.content for run, stored in found.runs.items()}.items() <= expected.items()
        there = set(found.runs)
    assert deaths == kills
    assert 0 < len(there) < points
    done = handoff(*command, out)
    assert done.returncode == 0, done.stderr
    assert dataset_hash(out) == dataset_hash(tmp_path / "whole")
    assert done.stdout == whole.stdout
    files = [sorted(path.relative_to(folder) for path in folder.rglob("*")) for folder in (out, tmp_path / "whole")]
    assert files[0] == files[1]


def test_a_worker_of_a_cluster_that_is_killed_leaves_no_trace(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    psutil = pytest.importorskip("psutil", reason="comes with distributed")
    pytest.importorskip("distributed")
    points, limit = (POINTS, []) if request.config.getoption("kills") > 10 else (POINTS // 10, QUICK[:2])
    scenario, out = written(tmp_path, SCENARIO + SWEEP), tmp_path / "out"
    command = ["sweep", str(scenario), *limit, "-o"]
    whole = handoff(*command, tmp_path / "whole", "--jobs", "1")
    assert whole.returncode == 0, whole.stderr
    on_dask = [*HANDOFF, *command, str(out), "--cluster", "local", "--jobs", "2"]
    with subprocess.Popen(on_dask, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and len(list(out.glob("runs/*/*"))) < points // 4:
            time.sleep(0.005)
        workers = [p for p in psutil.Process(process.pid).children() if "spawn_main" in " ".join(p.cmdline())]
        workers[0].kill()
        told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert len(workers) == 2
    assert len(read_contents(out).runs) == points
    assert dataset_hash(out) == dataset_hash(tmp_path / "whole")
    assert told[0] == whole.stdout
