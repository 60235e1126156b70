"""Options of the test run."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of tests/oracle and tests/sweep; they have to stand here to be known in every run."""
    group = parser.getgroup("handoff", "engine against oracle (tests/oracle)")
    group.addoption("--scenarios", type=int, default=300, help="random scenarios to compare (300)")
    group.addoption("--seed", type=int, default=0, help="which scenarios: each seed has a million of its own (0)")
    group.addoption("--mutants", action="store_true", help="build and judge every mutant of the engine (a minute each)")
    group = parser.getgroup("handoff sweep", "killed sweeps (tests/sweep)")
    group.addoption("--kills", type=int, default=4, help="how often a sweep is killed; more than ten: one of 600 points (4)")
