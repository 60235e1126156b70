"""Every mutant of the engine is caught by the comparison with the oracle (``--mutants``: all of them, about a minute each)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.oracle.engine_mutants import ENGINE_MUTANTS
from tests.oracle.mutation import ROOT, judged
from tests.oracle.oracle_mutants import Mutant


@pytest.mark.parametrize("mutant", ENGINE_MUTANTS, ids=[m.name for m in ENGINE_MUTANTS])
def test_the_text_of_a_mutant_stands_in_the_engine_once(mutant: Mutant) -> None:
    """So that the list cannot go stale unseen; needs no build."""
    assert (ROOT / "engine" / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.old != mutant.new


def test_mutant_is_killed(engine_mutant: Mutant, tmp_path: Path) -> None:
    verdict = judged(engine_mutant, tmp_path)
    assert verdict.killed, verdict.how
