"""Build a mutant in a copy of the sources and run the tests that have to notice it.

``python -m tests.mutation.runner [NAME ...]`` judges the named mutants of engine and protocol, or all of them.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.mutation.engine_mutants import ENGINE_MUTANTS
from tests.mutation.level_mutants import LEVEL_MUTANTS
from tests.mutation.mutant import Mutant, apply_mutant
from tests.mutation.protocol_mutants import PROTOCOL_MUTANTS

ROOT = Path(__file__).parents[2]
SCENARIOS = 300
BUILD_SECONDS, RUN_SECONDS = 600, 3600
SCENARIO_CPU_SECONDS = 120
"""Processor time of one scenario, which needs a few seconds; with more, the mutant loops without end."""
PROTOCOL_CPU_SECONDS = 1200
"""Processor time of the tests of the protocol, which need two minutes."""
SURVIVED, KILLED = 0, 3

CHECKS = {"_checkpoint.pyx": "saved_and_restored", "rng.py": "random_draws"}
"""Source files whose mutants the oracle cannot notice, and the check of tests/differential/check.py that can."""
LEVEL_CHECK = "oracle_and_levels"
"""Check that has to notice the mutants of the schedule by level."""

CHECK_SCENARIOS = f"""
import signal
import sys
import engine
assert engine.__file__.startswith(sys.argv[1]), engine.__file__
from tests.differential import check
differences = getattr(check, sys.argv[2])
for number in range({SCENARIOS}):
    signal.setitimer(signal.ITIMER_PROF, float(sys.argv[3]))  # SIGPROF then ends the process
    try:
        problems = differences(number)
    except Exception as error:
        problems = [f"scenario {{number}}: {{type(error).__name__}}: {{error}}"]
    if problems:
        print(problems[0])
        sys.exit({KILLED})
"""


@dataclass(frozen=True)
class Verdict:
    """Whether a test noticed the mutant, and how."""

    killed: bool
    reason: str


def judge_engine_mutant(mutant: Mutant, folder: Path) -> Verdict:
    """Build the engine with the mutant in ``folder`` and compare it with the oracle."""
    ignore = shutil.ignore_patterns("*.so", "*.pyd", "*.cpp", "__pycache__")
    shutil.copytree(ROOT / "engine", folder / "engine", ignore=ignore)
    setup = (ROOT / "setup.py").read_text()
    (folder / "setup.py").write_text(setup.replace('"-O3"', '"-O1"'))  # builds in half the time
    apply_mutant(mutant, folder / "engine")
    build = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=folder, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False,
    )  # fmt: skip
    if build.returncode:
        raise RuntimeError(f"mutant {mutant.name!r} does not build:\n{build.stderr[-2000:]}")
    check = LEVEL_CHECK if mutant in LEVEL_MUTANTS else CHECKS.get(mutant.file, "oracle_and_engine")
    return compare_scenarios(folder, check)


def compare_scenarios(folder: Path, check: str, cpu_seconds: float = SCENARIO_CPU_SECONDS) -> Verdict:
    """Apply a check to the scenarios with the engine in ``folder``. A crash or an endless loop counts as noticed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    try:
        run = subprocess.run(
            [sys.executable, "-P", "-c", CHECK_SCENARIOS, str(folder), check, str(cpu_seconds)],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Verdict(True, f"does not end within {RUN_SECONDS} s")
    if run.returncode == SURVIVED:
        return Verdict(False, f"not noticed in {SCENARIOS} scenarios")
    if run.returncode == KILLED:
        return Verdict(True, run.stdout.strip()[:300])
    if run.returncode == -signal.SIGPROF:
        return Verdict(True, f"a scenario does not end within {cpu_seconds} s of processor time")
    if run.returncode < 0:
        return Verdict(True, f"crashes with signal {-run.returncode}")
    raise RuntimeError(f"{check} could not be run in {folder}:\n{run.stderr[-2000:]}")


def judge_protocol_mutant(mutant: Mutant | None, folder: Path) -> Verdict:
    """Run the unit tests of the protocol, which are fast, then the conformance tests, on a copy of handoff/ with the mutant.

    Without a mutant all of them have to pass.
    """
    shutil.copytree(ROOT / "handoff", folder / "handoff", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "examples", folder / "examples")
    for part in ("conformance", "differential", "unit"):
        shutil.copytree(ROOT / "tests" / part, folder / "tests" / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "tests/__init__.py", "tests/conftest.py"):
        shutil.copy(ROOT / file, folder / file)
    if mutant is not None:
        apply_mutant(mutant, folder / "handoff")
    conformance = folder / "tests" / "conformance"
    origin = f"import handoff; assert handoff.__file__.startswith({str(folder)!r}), handoff.__file__\n"
    (conformance / "conftest.py").write_text(origin)
    files = sorted(conformance.glob("test_*.py"), key=lambda p: (p.stem != "test_seed_figures", p))
    tests = [str(folder / "tests" / "unit" / "protocol"), *(str(p) for p in files if p.stem != "test_towns")]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--numprocesses=0", "-x", "-q", "-p", "no:cacheprovider", *tests],
        cwd=folder, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])},
        capture_output=True, text=True, timeout=RUN_SECONDS, check=False,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_CPU, (PROTOCOL_CPU_SECONDS, PROTOCOL_CPU_SECONDS)),
    )  # fmt: skip
    if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return Verdict(True, f"the tests do not end within {PROTOCOL_CPU_SECONDS} s of processor time")
    if run.returncode not in (0, 1) or " error" in run.stdout.splitlines()[-1]:
        raise RuntimeError(f"the tests did not run:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return Verdict(run.returncode == 1, run.stdout.strip().splitlines()[-1])


def main(names: list[str]) -> int:
    """Judge the mutants with these names, or all; print each verdict and return the number of survivors."""
    judges: list[tuple[Callable[[Mutant, Path], Verdict], tuple[Mutant, ...]]] = [
        (judge_protocol_mutant, PROTOCOL_MUTANTS), (judge_engine_mutant, ENGINE_MUTANTS),
    ]  # fmt: skip
    survivors = 0
    for judge, mutants in judges:
        for mutant in mutants:
            if names and mutant.name not in names:
                continue
            with tempfile.TemporaryDirectory() as folder:
                verdict = judge(mutant, Path(folder))
            survivors += not verdict.killed
            print(f"{'killed  ' if verdict.killed else 'SURVIVED'} {mutant.name}: {verdict.reason}", flush=True)
    return survivors


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
