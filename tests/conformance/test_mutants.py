"""Mutants of the protocol: the conformance tests fail on each, and pass on the unchanged code."""

from pathlib import Path

import pytest

from tests.conformance.machine_mutants import MACHINE_MUTANTS
from tests.conformance.mutation import survives

pytestmark = pytest.mark.deep  # each case runs the conformance tests on a copy of the code

CASES_WITHOUT_OPTION = 8


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "mutant" in metafunc.fixturenames:
        chosen = MACHINE_MUTANTS if metafunc.config.getoption("mutants") else MACHINE_MUTANTS[:CASES_WITHOUT_OPTION]
        metafunc.parametrize("mutant", chosen, ids=[m.name for m in chosen])


def test_the_unchanged_code_passes(tmp_path: Path) -> None:
    assert survives(None, tmp_path)


def test_a_mutant_is_detected(mutant, tmp_path: Path) -> None:
    assert survives(mutant, tmp_path) == ""
