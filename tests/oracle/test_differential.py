"""Engine against oracle on random scenarios, and the engine against itself; see check.py for what is compared."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.engine_or_oracle import file_study_differences, procedure_differences
from tests.oracle.check import AGAINST_ITSELF, oracle_and_engine


def test_engine_and_oracle_agree_to_the_last_packet(block: range, each: Any) -> None:
    _assert_nothing(each(oracle_and_engine, list(block)))


def test_every_procedure_runs_alike_on_both(block: range, each: Any) -> None:
    """All rows, options and profiles in turn, on random towns."""
    _assert_nothing(each(procedure_differences, list(block)))


def test_captures_and_movement_files_run_alike_on_both(block: range, each: Any) -> None:
    """One in eight is a study made of files instead of generators; its packets are sent when the files say."""
    _assert_nothing(each(file_study_differences, [n // 8 for n in block if n % 8 == 0]))


@pytest.mark.parametrize("which", range(len(AGAINST_ITSELF)), ids=[check.__name__ for check in AGAINST_ITSELF])
def test_engine_agrees_with_itself(which: int, block: range, each: Any) -> None:
    numbers = [n for n in block if n // 2 % len(AGAINST_ITSELF) == which]
    _assert_nothing(each(AGAINST_ITSELF[which], numbers))


def _assert_nothing(found: list[list[str]]) -> None:
    wrong = [texts for texts in found if texts]
    told = "\n".join("\n   ".join(text[:1000] for text in texts[:6]) for texts in wrong[:5])
    assert not wrong, f"{len(wrong)} of {len(found)} scenarios differ\n{told}"
