"""Options of the test run: how many random cases, and whether the slow ones run."""

import gc
import os
from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options here, so that every run knows them."""
    group = parser.getgroup("handoff")
    group.addoption("--deep", action="store_true", help="run the slow and repeated cases too")
    group.addoption("--scenarios", type=int, default=None, help="random scenarios to compare (25, with --deep 100)")
    group.addoption("--seed", type=int, default=0, help="which scenarios: each seed has a million of its own (0)")
    group.addoption("--program-seconds", type=int, default=20, help="time for random programs of engine calls (20; deep)")
    group.addoption("--mutants", action="store_true", help="build and judge every mutant of the engine (a minute each)")
    group.addoption("--kills", type=int, default=None, help="how often a sweep is killed (1, with --deep 4)")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the number of kills unless the option gives it, and let commands run what they are to test."""
    os.environ["HANDOFF_NO_CACHE"] = "1"
    if config.option.kills is None:
        config.option.kills = 4 if config.getoption("deep") else 1


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Pause the cycle collector, and leave modules and items, which stay until the end, out of its searches."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests marked ``deep`` or ``long`` unless they are wanted."""
    if not config.getoption("deep"):
        slow = [item for item in items if item.get_closest_marker("deep") or item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=slow)
        left_out = set(slow)
        items[:] = [item for item in items if item not in left_out]
