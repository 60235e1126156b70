"""A mutant of the engine differs from the oracle; a mutant of the protocol fails a conformance test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.engine_mutants import ENGINE_MUTANTS
from tests.mutation.mutant import Mutant
from tests.mutation.oracle_mutants import ORACLE_MUTANTS
from tests.mutation.protocol_mutants import PROTOCOL_MUTANTS
from tests.mutation.runner import ROOT, judge_engine_mutant, judge_protocol_mutant

SOURCES = {"engine": ENGINE_MUTANTS, "handoff": PROTOCOL_MUTANTS, "tests/differential": ORACLE_MUTANTS}


@pytest.mark.parametrize(
    ("folder", "mutant"), [pytest.param(folder, m, id=m.name) for folder, mutants in SOURCES.items() for m in mutants]
)
def test_text_of_a_mutant_occurs_once(folder: str, mutant: Mutant) -> None:
    assert (ROOT / folder / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.old != mutant.new


@pytest.mark.deep
def test_engine_mutant_differs_from_the_oracle(engine_mutant: Mutant, tmp_path: Path) -> None:
    verdict = judge_engine_mutant(engine_mutant, tmp_path)
    assert verdict.killed, verdict.reason


@pytest.mark.deep
def test_conformance_tests_pass_without_a_mutant(tmp_path: Path) -> None:
    verdict = judge_protocol_mutant(None, tmp_path)
    assert not verdict.killed, verdict.reason


@pytest.mark.deep
def test_protocol_mutant_fails_a_conformance_test(protocol_mutant: Mutant, tmp_path: Path) -> None:
    verdict = judge_protocol_mutant(protocol_mutant, tmp_path)
    assert verdict.killed, verdict.reason
