"""Mutants of the engine: one text replaced in a copy of its sources, built, and compared with the oracle until it differs.

The engine has no hooks for this: a mutant is a text that must stand exactly once in one file of engine/. Run one by hand:
``python -m tests.oracle.mutation NAME``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.engine_mutants import ENGINE_MUTANTS
from tests.oracle.oracle_mutants import Mutant

ROOT = Path(__file__).parents[2]
SCENARIOS = 300
BUILD_SECONDS, RUN_SECONDS = 600, 600
SURVIVED, KILLED = 0, 3

JUDGES = {"_checkpoint.pyx": "saved_and_restored"}
"""Of files whose mutants the oracle cannot see: the check of ``check.py`` that can."""

JUDGE = f"""
import sys
import engine
assert engine.__file__.startswith(sys.argv[1]), engine.__file__
from tests.oracle import check
judge = getattr(check, sys.argv[2])
for number in range({SCENARIOS}):
    try:
        found = judge(number)
    except Exception as error:
        found = [f"scenario {{number}}: {{type(error).__name__}}: {{error}}"]
    if found:
        print(found[0])
        sys.exit({KILLED})
"""


@dataclass(frozen=True)
class Verdict:
    killed: bool
    how: str


def patched(mutant: Mutant, place: Path) -> None:
    """A copy of what builds the engine, with the mutant's text replaced (None: as it is)."""
    shutil.copytree(ROOT / "engine", place / "engine", ignore=shutil.ignore_patterns("*.so", "*.pyd", "*.cpp", "__pycache__"))
    setup = (ROOT / "setup.py").read_text()
    (place / "setup.py").write_text(setup.replace('"-O3"', '"-O1"'))  # half the time to build, a mutant need not be fast
    file = place / "engine" / mutant.file
    text = file.read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"mutant {mutant.name!r}: {mutant.old!r} stands in engine/{mutant.file} {text.count(mutant.old)} times")
    file.write_text(text.replace(mutant.old, mutant.new))


def judged(mutant: Mutant, place: Path) -> Verdict:
    """Build the mutant in ``place`` and run it beside the oracle until they differ; a crash or a hang is a difference, too."""
    patched(mutant, place)
    build = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if build.returncode:
        raise RuntimeError(f"mutant {mutant.name!r} does not build:\n{build.stderr[-2000:]}")
    paths = os.pathsep.join([str(place), str(ROOT)])
    try:
        run = subprocess.run(
            [sys.executable, "-P", "-c", JUDGE, str(place), JUDGES.get(mutant.file, "oracle_and_engine")],
            cwd=place,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Verdict(True, f"does not end within {RUN_SECONDS} s")
    if run.returncode == SURVIVED:
        return Verdict(False, f"not seen in {SCENARIOS} scenarios")
    if run.returncode == KILLED:
        return Verdict(True, run.stdout.strip()[:300])
    if run.returncode < 0:
        return Verdict(True, f"crashes with signal {-run.returncode}")
    raise RuntimeError(f"mutant {mutant.name!r} could not be judged:\n{run.stderr[-2000:]}")


def main() -> None:
    """Judge the mutants named on the command line, or all."""
    import tempfile

    names = sys.argv[1:] or [m.name for m in ENGINE_MUTANTS]
    for mutant in [m for m in ENGINE_MUTANTS if m.name in names]:
        with tempfile.TemporaryDirectory() as folder:
            verdict = judged(mutant, Path(folder))
        print(f"{'killed  ' if verdict.killed else 'SURVIVED'} {mutant.name}: {verdict.how}", flush=True)


if __name__ == "__main__":
    main()
