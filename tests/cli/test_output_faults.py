"""Every system call that changes the results of a command fails, or is the last of its process: older results stay whole.

``strace`` counts the calls of a command, and then lets one call of each further command fail or kill the process. Without
``--kills`` above 10 a sample of the calls is tried.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import pytest

from handoff.experiments.sweep.dataset import read_contents
from handoff.output.parquet import SCHEMAS
from tests.unit.experiments.sweep.small_sweep import HANDOFF, SCENARIO, dataset_hash, write_scenario

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]
NAME_CALLS = ("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat")
REMOVAL_CALLS = ("unlink", "unlinkat", "rmdir")
CONTENT_CALLS = ("write", "pwrite64", "fsync")
SAMPLE = 5
MANY_KILLS = 10
TABLES = sorted(f"{name}.parquet" for name in SCHEMAS)
KILLED = -signal.SIGKILL
FAILED = 1


class Fault(NamedTuple):
    """Fault of the call number ``number`` of a kind, counted in the threads of the process one by one."""

    call: str
    number: int
    effect: str


def strace(words: list[str], log: Path, files: list[Path], *inject: str) -> subprocess.CompletedProcess[str]:
    """Run a command under strace, which traces the calls on some files and folders."""
    paths = [word for file in files for word in ("-P", str(file))]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    trace = ",".join((*NAME_CALLS, *REMOVAL_CALLS, *CONTENT_CALLS))
    command = ["strace", "-f", "--seccomp-bpf", "-q", "-o", str(log), "-e", f"trace={trace}", *paths, *inject, *HANDOFF, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)


def list_faults(log: Path) -> list[Fault]:
    """Return a failure and a kill for each call in a log of strace."""
    counts: dict[tuple[str, str], int] = {}
    for line in log.read_text().splitlines():
        thread, call = line.split("(")[0].split()[:2] if "(" in line else ("", "")
        if call in (*NAME_CALLS, *REMOVAL_CALLS, *CONTENT_CALLS):
            counts[thread, call] = counts.get((thread, call), 0) + 1
    most: dict[str, int] = {}
    for (_, call), count in counts.items():
        most[call] = max(most.get(call, 0), count)
    number = "ENOSPC", "EIO"
    effects = {call: [f"error={number[call not in CONTENT_CALLS]}", "signal=KILL"] for call in most}
    return [Fault(call, i, effect) for call, count in most.items() for i in range(1, count + 1) for effect in effects[call]]


def chosen(faults: list[Fault], request: pytest.FixtureRequest) -> list[Fault]:
    if request.config.getoption("kills") > MANY_KILLS:
        return faults
    return random.Random(len(faults)).sample(faults, min(SAMPLE, len(faults)))


def seeds(folder: Path) -> set[int]:
    metadata = [pq.read_schema(folder / name).metadata[b"handoff"] for name in TABLES]
    return {json.loads(facts)["seed"] for facts in metadata}


def check_end(done: subprocess.CompletedProcess[str], fault: Fault) -> None:
    assert done.returncode in (0, FAILED, 2, KILLED), (fault, done)
    assert "Traceback" not in done.stderr, (fault, done.stderr)
    assert (done.returncode == KILLED) <= (fault.effect == "signal=KILL"), (fault, done)


def test_tables_of_a_run_are_of_one_study(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    scenario, out, log = write_scenario(tmp_path, SCENARIO), tmp_path / "out", tmp_path / "log"
    capture = tmp_path / "x.pcapng"
    words = ["run", str(scenario), "--procedure", "mipv4", "-o", str(out), "--pcap", str(capture), "--seed"]
    inside = [out / place / name for place in ("", ".tables.new", ".tables.old") for name in TABLES]
    folders = [out, *(out / name for name in (".tables", ".tables.new", ".tables.old", ".tables.link", ".lock"))]
    files = [*folders, *inside, capture, tmp_path / ".x.pcapng.handoff-partial", tmp_path / ".x.pcapng.handoff-lock", tmp_path]
    assert strace([*words, "1"], log, files).returncode == 0
    older = {path: path.read_bytes() for path in (*sorted(out.iterdir()), capture)}
    assert strace([*words, "2"], log, files).returncode == 0
    faults = list_faults(log)
    assert {"fsync", "write", "rename"} <= {fault.call for fault in faults}
    assert len(faults) > 60
    for fault in chosen(faults, request):
        shutil.rmtree(out)
        out.mkdir()
        for path, data in older.items():
            path.write_bytes(data)
        done = strace([*words, "2"], log, files, "-e", f"inject={fault.call}:{fault.effect}:when={fault.number}")
        check_end(done, fault)
        assert len(seeds(out)) == 1, fault
        assert seeds(out) == {1} or done.returncode != 0 or "capture" not in done.stderr, fault
        text = capture.read_bytes()
        assert text == older[capture] or b'"seed": 2' in text, fault
        assert strace([*words, "3"], log, files).returncode == 0, fault
        assert seeds(out) == {3}
        assert sorted(path.name for path in out.iterdir()) == TABLES, fault
        assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "out", "small.toml", "x.pcapng"], fault


@pytest.mark.parametrize(
    "command",
    [
        ["sweep", "--procedures", "mipv4"],
        ["plan", "--procedures", "mipv4", "--vary", "mobile_nodes=1:4", "--slo", "lost<=1000000"],
    ],
)
def test_older_runs_of_a_dataset_stay(tmp_path: Path, request: pytest.FixtureRequest, command: list[str]) -> None:
    scenario, out, log = write_scenario(tmp_path, SCENARIO), tmp_path / "out", tmp_path / "log"
    older, reference = tmp_path / "older", tmp_path / "reference"
    words = ["--jobs", "1", "-o"]
    first = ["sweep", str(scenario), "--procedures", "mipv4", "--runs", "1", *words, str(older)]
    assert subprocess.run([*HANDOFF, *first], capture_output=True).returncode == 0
    shutil.copytree(older, reference)
    second = [command[0], str(scenario), *command[1:], *(["--runs", "2"] if command[0] == "sweep" else []), *words]
    clean = subprocess.run([*HANDOFF, *second, str(reference)], capture_output=True, text=True)
    assert clean.returncode == 0, clean.stderr
    stored = {run: kept.content for run, kept in read_contents(older).runs.items()}
    places = [out, *(out / path.relative_to(reference) for path in reference.rglob("*"))]
    files = [*places, out / ".lock", *(out / ".parts" / str(i) for i in range(8)), out / ".parts"]
    shutil.copytree(older, out)
    assert strace([*second, str(out)], log, files).returncode == 0
    faults = list_faults(log)
    assert {"fsync", "write", "rename"} <= {fault.call for fault in faults}
    for fault in chosen(faults, request):
        shutil.rmtree(out)
        shutil.copytree(older, out)
        inject = f"inject={fault.call}:{fault.effect}:when={fault.number}"
        check_end(strace([*second, str(out)], log, files, "-e", inject), fault)
        contents = read_contents(out)
        assert contents.damaged == [], fault
        assert stored.items() <= {run: kept.content for run, kept in contents.runs.items()}.items(), fault
        done = subprocess.run([*HANDOFF, *second, str(out)], capture_output=True, text=True)
        assert done.returncode == 0, (fault, done.stderr)
        assert dataset_hash(out) == dataset_hash(reference), fault
        assert sorted(path.relative_to(out) for path in out.rglob("*")) == sorted(
            path.relative_to(reference) for path in reference.rglob("*")
        ), fault
