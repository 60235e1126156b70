"""Closed, full and broken standard streams: no traceback, the work is done, and the exit code says that output is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMUTE = ROOT / "examples" / "commute.toml"
RUN = ["run", str(COMMUTE), "--procedure", "mipv4", "--set", "duration=1s", "-o"]
PROGRAM = "from handoff.cli.main import main; main()"


def shell(redirection, *words):
    """Run a command with a redirection of the shell; stdout of the shell is captured."""
    environment = os.environ | {"PYTHON": sys.executable, "PROGRAM": PROGRAM}
    script = f'"$PYTHON" -c "$PROGRAM" "$@" {redirection}'
    return subprocess.run(
        ["sh", "-c", script, "sh", *map(str, words)], capture_output=True, text=True, cwd=ROOT, env=environment, check=False
    )


@pytest.mark.parametrize(
    ("redirection", "reason"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")]
)
@pytest.mark.parametrize("words", [["procedures"], ["--help"]])
def test_lost_output_is_said(redirection, reason, words):
    done = shell(redirection, *words)
    assert (done.returncode, done.stderr) == (1, f"handoff: stdout: {reason}: the output is lost\n")


@pytest.mark.parametrize("redirection", ["2>&-", pytest.param("2>/dev/full", marks=pytest.mark.deep)])
def test_lost_messages_change_nothing(redirection, tmp_path):
    done = shell(redirection, *RUN, tmp_path, "--progress")
    assert done.returncode == 0
    assert done.stdout.startswith("commute, seed")
    assert shell(redirection, "validate").returncode == 2


def test_a_reader_that_is_gone_is_no_message():
    done = shell("| true; echo", "--help")
    assert done.stderr == ""


def test_tables_are_written_although_all_streams_are_closed(tmp_path):
    """No file of the command gets the number of a closed stream."""
    done = shell("<&- >&- 2>&-", *RUN, tmp_path)
    assert done.returncode == 1
    assert (tmp_path / "runs.parquet").read_bytes().startswith(b"PAR1")
