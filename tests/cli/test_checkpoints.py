"""A killed command that resumes writes the same files as one that was never killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from handoff.output.parquet import SCHEMAS

ROOT = Path(__file__).parents[2]
COMMUTE = str(ROOT / "examples" / "commute.toml")
HANDOFF = [sys.executable, "-c", "from handoff.cli.main import main; main()"]
RUN = ["run", COMMUTE, "--set", "duration=8s", "--procedure", "sync-mipv4", "--pcap", "links.pcapng", "-o", "out"]
COMPARE = ["compare", COMMUTE, "--set", "duration=5s", "--procedures", "sync-mipv4,sync-mipv6", "-o", "out", "--no-detail"]
EVERY_SLICE = ["--checkpoint-every", "0s"]


def handoff(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*HANDOFF, *args], capture_output=True, text=True, timeout=120, cwd=folder)


def handoff_in_process(*args: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the current folder without a new process, which would take a second to start."""
    done = CliRunner().invoke(main, args)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return subprocess.CompletedProcess(args, done.exit_code, done.stdout, done.stderr)


def run_and_kill(folder: Path, rng: Random, *args: str) -> bool:
    """Start a command and kill it after a few renewals of its checkpoint; return False if it ended before."""
    path, renewals = folder / "out" / "handoff.checkpoint", rng.randint(3, 12)
    with subprocess.Popen([*HANDOFF, *args], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        seen = path.stat().st_mtime_ns if path.exists() else 0
        while renewals and process.poll() is None:
            now = path.stat().st_mtime_ns if path.exists() else seen
            renewals -= now != seen
            seen = now
            time.sleep(0.002)
        time.sleep(rng.random() * 0.05)  # the kill hits a slice, or the writing of a checkpoint
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def read_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", [pytest.param(RUN, id="run"), pytest.param(COMPARE, id="compare", marks=pytest.mark.deep)])
def test_a_killed_study_ends_with_the_same_files(command: list[str], tmp_path: Path) -> None:
    """Tables and capture are equal to the byte: their provenance has the command without its checkpoint options."""
    uninterrupted, killed, rng = tmp_path / "uninterrupted", tmp_path / "killed", Random(5)
    uninterrupted.mkdir()
    killed.mkdir()
    expected = handoff(uninterrupted, *command, "--json")
    assert expected.returncode == 0, expected.stderr
    attempts = [[], ["--resume"], ["--resume"]]
    kills = sum(run_and_kill(killed, rng, *command, "--json", *EVERY_SLICE, *more) for more in attempts)
    assert kills >= 2
    assert (killed / "out" / "handoff.checkpoint").exists()
    assert not list((killed / "out").glob("*.parquet"))
    done = handoff(killed, *command, "--json", *EVERY_SLICE, "--resume")
    assert done.returncode == 0, done.stderr
    assert "the next one resumes at" in done.stderr
    assert without_times(done.stdout) == without_times(expected.stdout)
    expected_files, files = read_files(uninterrupted), read_files(killed)
    assert files.keys() == expected_files.keys()
    assert [name for name in files if files[name] != expected_files[name]] == []
    assert len(files) == len(SCHEMAS) + (command is RUN)


def without_times(text: str) -> Any:
    data = json.loads(text)
    for run in data["runs"]:
        assert run.pop("wall_seconds") > 0
        assert run.pop("controller_seconds") > 0
    return data


def test_an_interrupted_study_resumes(tmp_path: Path) -> None:
    """Ctrl-C writes a checkpoint at the end of the slice, and the tables of the runs so far."""
    code = (
        "import handoff.cli.run as c, os, signal\n"
        "original = c.Progress.__call__\n"
        "def interrupt_half_way(self, at):\n"
        "    if 2 * at.time_ps > at.until_ps and not self.interruption.requested:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "    return original(self, at)\n"
        "c.Progress.__call__ = interrupt_half_way\n"
        "from handoff.cli.main import main\n"
        "main()\n"
    )
    stopped = subprocess.run(
        [sys.executable, "-c", code, *RUN, "--checkpoint-every", "1h"], capture_output=True, text=True, timeout=100, cwd=tmp_path
    )
    assert stopped.returncode == 130
    assert stopped.stderr.splitlines()[-1] == (
        "handoff: out/handoff.checkpoint: repeat the command with --resume to continue"
    )
    reached = pq.read_table(tmp_path / "out" / "runs.parquet")["interrupted_s"].to_pylist()[0]
    again = handoff(tmp_path, *RUN, "--resume", "--json")
    assert again.returncode == 0, again.stderr
    assert again.stderr == f"handoff: out/handoff.checkpoint: 0 runs complete, the next one resumes at {reached:g} s\n"
    assert json.loads(again.stdout)["runs"][0]["interrupted_s"] is None
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    assert handoff(fresh, *RUN).returncode == 0
    assert (fresh / "links.pcapng").read_bytes() == (tmp_path / "links.pcapng").read_bytes()
    assert not (tmp_path / "out" / "handoff.checkpoint").exists()


def test_a_checkpoint_that_cannot_be_resumed_is_one_line_and_exit_code_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    short = ["run", COMMUTE, "--set", "duration=3s", "--procedure", "mipv4", "--checkpoint", "here"]
    assert kill_at_first_checkpoint(tmp_path, *short, *EVERY_SLICE)
    path = tmp_path / "here"
    good = path.read_bytes()

    def error_of(*args: str) -> str:
        done = handoff_in_process(*args)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        return done.stderr.strip()

    assert error_of(*short, *EVERY_SLICE) == "here: a checkpoint exists: resume it with --resume, or remove it"
    assert error_of(*short, "--seed", "2", "--resume") == "here: of another study or program: --seed differs"
    assert error_of(*short, "--set", "options.bicast=1s", "--resume") == "here: of another study or program: --set differs"
    path.write_bytes(good[:-100])
    assert error_of(*short, "--resume") == "here: damaged: its content does not match its digest; remove it"
    path.write_bytes(b"something else")
    assert error_of(*short, "--resume") == "here: not a checkpoint of this version"
    path.write_bytes(good)
    assert handoff_in_process(*short, "--resume").returncode == 0
    assert not path.exists()
    again = handoff_in_process(*short, "--resume")
    assert again.returncode == 0
    assert again.stderr == "handoff: here: no checkpoint: the study starts from the beginning\n"
    wrong = handoff_in_process(*short, "--checkpoint-every", "10")
    assert wrong.returncode == 2
    assert "'10' is not a duration" in wrong.stderr


def kill_at_first_checkpoint(folder: Path, *args: str) -> bool:
    """Start a command and kill it as soon as it has a checkpoint; return False if it ended before."""
    with subprocess.Popen([*HANDOFF, *args], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (folder / "here").exists() and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def test_progress_off_a_terminal_is_shown_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handoff.cli.progress.Progress.LOG_SECONDS", 0)
    command = ["run", COMMUTE, "--set", "duration=3s", "--procedure", "mipv4", "--no-detail"]
    for more, shown in ([], False), (["--no-progress"], False), (["--progress"], True):
        done = handoff_in_process(*command, *more)
        assert done.returncode == 0
        assert bool(done.stderr) == shown
    lines = done.stderr.splitlines()
    assert len(lines) > 10
    assert all(line.startswith("mipv4: ") and line.endswith(" s to go") and "M packet-hops/s" in line for line in lines)
