"""Scenario numbers in blocks, and a pool of processes for long runs."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.mutation.engine_mutants import ENGINE_MUTANTS, IN_EVERY_RUN

BLOCK = 25
LONG = 1000  # from so many scenarios on, a block is spread over all processors
SEEDS_APART = 1_000_000

Check = Callable[[int], list[str]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``block``: 25 scenario numbers a test, or 250 in a long run; ``engine_mutant``: a few of them, or all."""
    if "engine_mutant" in metafunc.fixturenames:
        mutants = ENGINE_MUTANTS if metafunc.config.getoption("mutants") else ENGINE_MUTANTS[:IN_EVERY_RUN]
        metafunc.parametrize("engine_mutant", mutants, ids=[m.name for m in mutants])
    if "block" not in metafunc.fixturenames:
        return
    count, first = metafunc.config.getoption("scenarios"), metafunc.config.getoption("seed") * SEEDS_APART
    size = BLOCK if count < LONG else 10 * BLOCK
    blocks = [range(first + i, first + min(i + size, count)) for i in range(0, count, size)]
    metafunc.parametrize("block", blocks, ids=[f"{b.start}-{b.stop - 1}" for b in blocks])


@pytest.fixture(scope="session")
def each(request: pytest.FixtureRequest) -> Iterator[Callable[[Check, list[int]], list[list[str]]]]:
    """Apply a check to each number, on all processors if the run is a long one."""
    if request.config.getoption("scenarios") < LONG:
        yield lambda check, numbers: [check(n) for n in numbers]
        return
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        yield lambda check, numbers: list(pool.map(check, numbers, chunksize=5))
