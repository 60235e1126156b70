"""A sequential test is wrong no more often than stated, and decides clear cases early."""

import numpy as np
import pytest
from scipy import stats

from handoff.metrics.event_interval import EventCount
from handoff.metrics.sequential_test import SequentialTest, look_schedule

TRIES = 4000
FALSE_ALARM = 1e-4
"""Probability of a false alarm of each simulated error rate, by the exact binomial law; the seeds are fixed."""


@pytest.mark.parametrize("sense", ["<=", pytest.param(">=", marks=pytest.mark.deep)])
def test_a_sequential_test_is_wrong_no_more_often_than_stated(sense):
    """The true mean is the target itself, so that every decision is wrong."""
    rng = np.random.default_rng(3)
    plan = SequentialTest(1.0, sense, 0.9, 20)
    decided = 0
    for _ in range(TRIES):
        values = rng.normal(1, 0.3, 20).tolist()
        decided += any(plan.decide(values[:n]) != "open" for n in range(1, 21))
    assert TRIES - decided >= stats.binom.ppf(FALSE_ALARM / 2, TRIES, 0.9)


@pytest.mark.parametrize(("truth", "sense", "decision"), [(0.8, "<=", "met"), (1.2, "<=", "missed"), (1.2, ">=", "met")])
def test_a_clear_case_is_decided_early(truth, sense, decision):
    rng = np.random.default_rng(4)
    plan = SequentialTest(1.0, sense, 0.95, 60)
    values = rng.normal(truth, 0.05, 60).tolist()
    assert plan.decide(values[:8]) == decision


@pytest.mark.parametrize(("sense", "met_side"), [("<=", -1), (">=", 1)])
def test_each_decision_has_its_own_error(sense, met_side):
    """At one look: t(2, 0.9) = 1.886 for a met target, t(2, 0.99) = 6.965 for a missed one, over the root of 3."""
    plan = SequentialTest(0.0, sense, 0.98, 3, met_error=0.1)
    for side, decision, factor in ((met_side, "met", 1.886 / 3**0.5), (-met_side, "missed", 6.965 / 3**0.5)):
        assert plan.student_factor(3, decision) == pytest.approx(factor, rel=1e-3)
        assert plan.decide([side * factor * 0.99 + d for d in (-1, 0, 1)]) == "open"
        assert plan.decide([side * factor * 1.01 + d for d in (-1, 0, 1)]) == decision


def test_the_first_look_that_decides_counts_however_values_come():
    rng = np.random.default_rng(5)
    plan = SequentialTest(1.0, "<=", 0.95, 40)
    for _ in range(200):
        values = rng.normal(0.9, 0.3, 40).tolist()
        one_by_one = next((d for n in range(41) if (d := plan.decide(values[:n])) != "open"), "open")
        assert plan.decide(values) == one_by_one


def test_looks_grow_by_half_and_end_at_the_largest_number():
    assert look_schedule(30) == (3, 5, 8, 12, 18, 27, 30)
    assert look_schedule(3) == (3,)
    assert look_schedule(2) == (2,)


def test_no_loss_in_few_packets_does_not_meet_a_strict_target():
    """Three replications without a loss: of 1,000 packets each they leave 1e-4 open, of 100,000 each they do not."""
    plan = SequentialTest(1e-4, "<=", 0.95, 3)
    assert plan.decide([0.0] * 3, [EventCount(0, 1000)] * 3) == "open"
    assert plan.decide([0.0] * 3, [EventCount(0, 100_000)] * 3) == "met"
    assert plan.decide([1.0, 1.0, 1.0], [EventCount(1000, 1000)] * 3) == "missed"


def test_handoffs_that_may_lose_ten_packets_each_take_ten_times_as_many_packets():
    """No loss in n packets of handoffs with ten each bounds the ratio by ten times 3.7 / n (the rule of three)."""
    plan = SequentialTest(1e-4, "<=", 0.95, 3)

    def lossless(packets):
        return [EventCount(0, packets, clusters=50, largest=10)] * 3

    assert plan.decide([0.0] * 3, lossless(100_000)) == "open"
    assert plan.decide([0.0] * 3, lossless(130_000)) == "met"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SequentialTest(1, "<"), "'<=' or '>=', not '<'"),
        (lambda: SequentialTest(1, "<=", met_error=0), "a probability above 0"),
        (lambda: SequentialTest(1, "<=", most=1), "two replications are the fewest"),
    ],
)
def test_parameters_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
