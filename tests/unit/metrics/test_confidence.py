"""Intervals contain the true value as often as stated; a sequential test is wrong no more often than stated.

Each simulated coverage is tested at 1 in 10,000 with the exact binomial law. There are 13 of them, and the seeds are fixed.
"""

import math

import numpy as np
import pytest
from scipy import stats

from handoff.metrics.confidence import (
    MIN_BATCHES,
    SequentialTest,
    batch_means,
    look_schedule,
    mean_interval,
    ratio_interval,
)

TRIES = 4000
FALSE_ALARM = 1e-4


def assert_coverage(inside, confidence, *, exactly=False):
    """Check that ``inside`` of ``TRIES`` intervals fit the confidence: at least as many, or exactly as many."""
    low, high = stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], TRIES, confidence)
    assert inside >= low
    assert not exactly or inside <= high


def contains(interval, value):
    return interval.low <= value <= interval.high


@pytest.mark.parametrize("n", [2, 5, 20])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_students_interval_of_normal_values_is_exact(n, confidence):
    rng = np.random.default_rng(n)
    inside = sum(contains(mean_interval(rng.normal(3, 2, n).tolist(), confidence), 3) for _ in range(TRIES))
    assert_coverage(inside, confidence, exactly=True)


def test_an_interval_by_hand():
    """Student's t of 4 degrees of freedom at 95 % is 2.776 (any table); mean 3, standard deviation sqrt 2.5."""
    interval = mean_interval([1, 2, 3, 4, 5])
    half = 2.7764451052 * math.sqrt(2.5 / 5)
    assert (interval.mean, interval.n) == (3, 5)
    assert (interval.low, interval.high) == pytest.approx((3 - half, 3 + half))


@pytest.mark.parametrize(("probability", "trials"), [(0.5, 40), (0.01, 100), (1e-3, 2000)])
def test_clopper_and_pearsons_interval_holds_at_least_as_often_as_stated(probability, trials):
    events = np.random.default_rng(1).binomial(trials, probability, TRIES)
    assert_coverage(sum(contains(ratio_interval(int(k), trials), probability) for k in events), 0.95)


def test_ratios_by_hand():
    """No event in n trials: the upper end solves (1 - p)^n = alpha / 2; one of one: p = alpha / 2 below."""
    assert ratio_interval(0, 1000).high == pytest.approx(1 - 0.025 ** (1 / 1000))
    assert ratio_interval(0, 1000).low == 0
    assert ratio_interval(1, 1).low == pytest.approx(0.025)
    assert ratio_interval(1, 1).high == 1
    assert not ratio_interval(0, 0).known


def autoregressive(rng, n, weight):
    """Return a first-order autoregressive process of mean 0."""
    noise = rng.normal(0, 1, n)
    noise[0] /= math.sqrt(1 - weight * weight)
    for i in range(1, n):
        noise[i] += weight * noise[i - 1]
    return noise


def test_batches_that_depend_on_each_other_are_merged():
    """The interval of the unmerged values would contain the mean far less often; merged it is near the stated confidence."""
    rng = np.random.default_rng(2)
    series = [autoregressive(rng, 512, 0.5).tolist() for _ in range(400)]
    naive = np.mean([contains(mean_interval(s), 0) for s in series])
    merged = [batch_means(s) for s in series]
    known = [m for m in merged if m.known]
    assert naive < 0.8
    assert len(known) > 350
    assert all(m.n >= MIN_BATCHES for m in known)
    assert np.mean([contains(m, 0) for m in known]) > 0.9


def test_the_interval_of_a_run_that_is_too_short_is_unbounded():
    drifting = [float(i) for i in range(12)]
    assert not batch_means(drifting).known
    assert not mean_interval([5.0]).known
    assert not mean_interval([]).known


@pytest.mark.parametrize("sense", ["<=", pytest.param(">=", marks=pytest.mark.deep)])
def test_a_sequential_test_is_wrong_no_more_often_than_stated(sense):
    """The true mean is the target itself, so that every decision is wrong."""
    rng = np.random.default_rng(3)
    plan = SequentialTest(1.0, sense, 0.9, 20)
    decided = 0
    for _ in range(TRIES):
        values = rng.normal(1, 0.3, 20).tolist()
        decided += any(plan.decide(values[:n]) != "open" for n in range(1, 21))
    assert_coverage(TRIES - decided, 0.9)


@pytest.mark.parametrize(("truth", "sense", "decision"), [(0.8, "<=", "met"), (1.2, "<=", "missed"), (1.2, ">=", "met")])
def test_a_clear_case_is_decided_early(truth, sense, decision):
    rng = np.random.default_rng(4)
    plan = SequentialTest(1.0, sense, 0.95, 60)
    values = rng.normal(truth, 0.05, 60).tolist()
    assert plan.decide(values[:8]) == decision


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
    assert plan.decide([0.0] * 3, [1000] * 3) == "open"
    assert plan.decide([0.0] * 3, [100_000] * 3) == "met"
    assert plan.decide([1.0, 1.0, 1.0], [1000] * 3) == "missed"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mean_interval([1, 2], 95), "a confidence lies between 0 and 1, not 95"),
        (lambda: mean_interval([1, math.nan]), "finite"),
        (lambda: ratio_interval(5, 4), "5 events in 4 trials"),
        (lambda: SequentialTest(1, "<"), "'<=' or '>=', not '<'"),
        (lambda: SequentialTest(1, "<=", most=1), "two replications are the fewest"),
    ],
)
def test_parameters_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
