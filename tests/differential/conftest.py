"""Scenario numbers in blocks; a long run is spread over a pool of processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

SCENARIOS = 100
PLAIN_BLOCKS = 1
"""Blocks of a run without ``--deep`` and without ``--scenarios``."""
BLOCK = 25
LONG_RUN = 1000
"""Number of scenarios from which a block is spread over all processors."""
SCENARIOS_PER_SEED = 1_000_000

Check = Callable[[int], list[str]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise ``block`` with ranges of 25 scenario numbers, or of 250 in a long run."""
    if "block" not in metafunc.fixturenames:
        return
    option = metafunc.config.getoption("scenarios")
    count, first = option or SCENARIOS, metafunc.config.getoption("seed") * SCENARIOS_PER_SEED
    size = BLOCK if count < LONG_RUN else 10 * BLOCK
    blocks = [range(first + i, first + min(i + size, count)) for i in range(0, count, size)]
    plain = len(blocks) if option else PLAIN_BLOCKS
    cases = [
        pytest.param(block, id=f"{block.start}-{block.stop - 1}", marks=[] if i < plain else pytest.mark.deep)
        for i, block in enumerate(blocks)
    ]
    metafunc.parametrize("block", cases)


@pytest.fixture(scope="session")
def each(request: pytest.FixtureRequest) -> Iterator[Callable[[Check, list[int]], list[list[str]]]]:
    """Apply a check to each number; a long run uses all processors."""
    if (request.config.getoption("scenarios") or SCENARIOS) < LONG_RUN:
        yield lambda check, numbers: [check(n) for n in numbers]
        return
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        yield lambda check, numbers: list(pool.map(check, numbers, chunksize=5))
