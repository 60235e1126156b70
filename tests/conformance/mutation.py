"""Break one rule of the procedure machine in a copy of handoff/, and run the conformance tests on it until one fails.

``python -m tests.conformance.mutation [NAME]`` runs all of them, or one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance.machine_mutants import MACHINE_MUTANTS
from tests.oracle.oracle_mutants import Mutant

ROOT = Path(__file__).parents[2]
SECONDS = 300


def survives(mutant: Mutant | None, place: Path) -> str:
    """Empty if a test failed, else what pytest said; without a mutant the tests must all pass."""
    shutil.copytree(ROOT / "handoff", place / "handoff", ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("conformance", "oracle"):
        shutil.copytree(ROOT / "tests" / part, place / "tests" / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "tests/__init__.py", "tests/conftest.py"):
        shutil.copy(ROOT / file, place / file)
    if mutant is not None:
        file = place / "handoff" / mutant.file
        text = file.read_text()
        if text.count(mutant.old) != 1:
            raise ValueError(f"mutant {mutant.name!r}: {mutant.old!r} stands in {mutant.file} {text.count(mutant.old)} times")
        file.write_text(text.replace(mutant.old, mutant.new))
    check = f"import handoff; assert handoff.__file__.startswith({str(place)!r}), handoff.__file__\n"
    (place / "tests" / "conformance" / "conftest.py").write_text(check)
    files = sorted((place / "tests" / "conformance").glob("test_*.py"), key=lambda p: (p.stem != "test_rows", p))
    tests = [str(p) for p in files if p.stem not in ("test_towns", "test_mutants")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
        cwd=place, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1) or " error" in done.stdout.splitlines()[-1]:
        raise RuntimeError(f"the tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout[-2000:] if done.returncode == 0 else ""


def main(names: list[str]) -> int:
    """Run mutants by name, all of them if none is named; returns how many survive."""
    alive = 0
    for mutant in MACHINE_MUTANTS:
        if not names or mutant.name in names:
            with tempfile.TemporaryDirectory() as folder:
                said = survives(mutant, Path(folder))
            alive += bool(said)
            print(f"{'SURVIVES' if said else 'killed'}: {mutant.name}", flush=True)
    return alive


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
