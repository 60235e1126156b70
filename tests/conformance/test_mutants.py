"""The procedure machine with one rule broken is caught by these tests; unbroken it is not."""

from pathlib import Path

import pytest

from tests.conformance.machine_mutants import MACHINE_MUTANTS
from tests.conformance.mutation import survives

IN_EVERY_RUN = 8


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "mutant" in metafunc.fixturenames:
        chosen = MACHINE_MUTANTS if metafunc.config.getoption("mutants") else MACHINE_MUTANTS[:IN_EVERY_RUN]
        metafunc.parametrize("mutant", chosen, ids=[m.name for m in chosen])


def test_the_unchanged_code_passes(tmp_path: Path) -> None:
    assert survives(None, tmp_path)


def test_a_mutant_is_detected(mutant, tmp_path: Path) -> None:
    assert survives(mutant, tmp_path) == ""
