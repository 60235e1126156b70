"""The first guess of a plan's answer."""

import pytest

from handoff.experiments.planning import closed_form as module
from handoff.experiments.planning.first_guess import guess_answer
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.value_search import SearchRange
from handoff.experiments.planning.verdict import TargetResult
from handoff.metrics.confidence import Interval
from handoff.theory.estimate import Estimate

LOSS = Target("loss_ratio", "<=", 1e-4, "ratio")
LOAD = Target("ha.registration_utilisation", "<=", 0.5, "ratio")
DELAY = Target("registration_delay_mean", "<=", 3.0, "ps")


class Problem:
    range = SearchRange(10, 10_000, precision=0.001)


def guess(monkeypatch, target, low_mean, full_at=1000):
    """Guess for a server with a service time of 1 ps and a load of 1 at the value ``full_at``."""
    monkeypatch.setattr(
        module, "estimate", lambda x, name: [Estimate("ha registration", 1.0, 1.0, x / full_at, "M/D/1", 0.0, 0.0)]
    )
    low = [TargetResult(target, "met", Interval(low_mean, low_mean, low_mean, 3))]
    return guess_answer(Problem, "mipv4", lambda x: x, low)


def test_an_overloaded_server_misses_any_target(monkeypatch):
    assert guess(monkeypatch, LOSS, 0.0) == pytest.approx(1000, rel=0.05)


def test_a_closed_form_is_used_as_it_is(monkeypatch):
    assert guess(monkeypatch, LOAD, 0.01) == pytest.approx(500, rel=0.05)


def test_a_delay_is_that_at_the_low_end_and_a_wait(monkeypatch):
    """1 ps at the low end leaves 2 ps for the wait of M/D/1, r / (2 (1 - r)) = 2 at r = 0.8."""
    assert guess(monkeypatch, DELAY, 1.0) == pytest.approx(800, rel=0.05)


def test_without_an_end_in_the_range_there_is_no_guess(monkeypatch):
    assert guess(monkeypatch, LOSS, 0.0, full_at=10**9) is None
    assert guess(monkeypatch, LOAD, 0.0, full_at=1) is None


def test_a_scenario_that_cannot_be_built_has_no_guess():
    def refuse(x):
        raise ValueError("too much memory")

    assert guess_answer(Problem, "mipv4", refuse, []) is None
    assert guess_answer(Problem, "mixture", refuse, []) is None
