"""Random programs of calls crash no engine: each call ends with a result or a named exception."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TRIES = 2


@pytest.mark.deep
@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of the process as Linux does")
@pytest.mark.parametrize("number", range(TRIES))
def test_random_programs_end_with_named_exceptions(pytestconfig, tmp_path, number):
    log = tmp_path / "program"
    seconds = pytestconfig.option.program_seconds / TRIES
    seed = str(pytestconfig.option.seed + number)
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.engine.random_programs", str(seconds), seed, str(log)],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )  # fmt: skip
    program = log.read_text().rpartition("-- a program\n")[2] if log.exists() else ""
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stderr[-10_000:]}\nthe program:\n{program}"
    assert "Exception ignored" not in done.stderr
