"""Choice of mutants: none to build in the plain run, a few with ``--deep``, all with ``--mutants``."""

from __future__ import annotations

import pytest

from tests.mutation.engine_mutants import ENGINE_MUTANTS, IN_EVERY_RUN
from tests.mutation.protocol_mutants import PROTOCOL_MUTANTS

PROTOCOL_SAMPLE = 8


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise ``engine_mutant`` and ``protocol_mutant`` with a sample, or with all mutants."""
    samples = {"engine_mutant": (ENGINE_MUTANTS, IN_EVERY_RUN), "protocol_mutant": (PROTOCOL_MUTANTS, PROTOCOL_SAMPLE)}
    for name, (mutants, sample) in samples.items():
        if name in metafunc.fixturenames:
            selected = mutants if metafunc.config.getoption("mutants") else mutants[:sample]
            metafunc.parametrize(name, selected, ids=[mutant.name for mutant in selected])
