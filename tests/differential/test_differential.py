"""Engine against oracle, and engine against itself, on random scenarios (check.py does the comparisons)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.engine_or_oracle import file_study_differences, procedure_differences
from tests.conformance.handover_studies import handover_study_differences
from tests.differential.check import AGAINST_ITSELF, oracle_and_engine, oracle_and_levels, random_draws


def test_engine_and_oracle_agree_to_the_last_packet(block: range, each: Any) -> None:
    _assert_no_differences(each(oracle_and_engine, list(block)))


def test_levels_and_oracle_agree_to_the_last_packet(block: range, each: Any) -> None:
    _assert_no_differences(each(oracle_and_levels, [n for n in block if n % 5 == 0]))


def test_keys_and_draws_agree_with_their_second_implementation(block: range) -> None:
    assert [text for number in block for text in random_draws(number)] == []


def test_procedures_agree_on_engine_and_oracle(block: range, each: Any) -> None:
    """Cycle through all procedures, options and profiles on random towns."""
    _assert_no_differences(each(procedure_differences, list(block)))


def test_prepared_handovers_agree_to_the_last_packet(block: range, each: Any) -> None:
    """Cycle through all prepared procedures on small random towns."""
    _assert_no_differences(each(handover_study_differences, list(block)))


def test_studies_from_files_agree_on_engine_and_oracle(block: range, each: Any) -> None:
    """Run one scenario in eight as a study from captures and movement files."""
    _assert_no_differences(each(file_study_differences, [n // 8 for n in block if n % 8 == 0]))


@pytest.mark.parametrize("which", range(len(AGAINST_ITSELF)), ids=[check.__name__ for check in AGAINST_ITSELF])
def test_engine_agrees_with_itself(which: int, block: range, each: Any) -> None:
    numbers = [n for n in block if n // 2 % len(AGAINST_ITSELF) == which]
    _assert_no_differences(each(AGAINST_ITSELF[which], numbers))


def _assert_no_differences(results: list[list[str]]) -> None:
    differing = [texts for texts in results if texts]
    report = "\n".join("\n   ".join(text[:1000] for text in texts[:6]) for texts in differing[:5])
    assert not differing, f"{len(differing)} of {len(results)} scenarios differ\n{report}"
