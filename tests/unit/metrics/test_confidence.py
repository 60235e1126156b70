"""Intervals of independent values and trials contain the true value as often as stated.

Each simulated coverage is tested at 1 in 10,000 with the exact binomial law. There are 9 of them, and the seeds are fixed.
"""

import math

import numpy as np
import pytest
from scipy import stats

from handoff.metrics.confidence import STUDENT, Interval, mean_interval, ratio_interval, unbounded_interval

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


def test_an_interval_ends_at_the_border_of_the_possible_values():
    interval = Interval(0.4, -0.5, 1.3, 3, STUDENT)
    limited = interval.within(0.0, 1.0)
    assert (limited.mean, limited.low, limited.high) == (0.4, 0.0, 1.0)
    assert (interval.is_symmetric, limited.is_symmetric) == (True, False)
    assert interval.within(-math.inf, math.inf) == interval
    assert Interval(1.2, 0.9, 1.5, 3).within(0.0, 1.0) == Interval(1.2, 0.9, 1.2, 3)
    assert not unbounded_interval([0.4]).within(0.0, 1.0).known


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mean_interval([1, 2], 95), "a confidence lies between 0 and 1, not 95"),
        (lambda: mean_interval([1, math.nan]), "finite"),
        (lambda: ratio_interval(5, 4), "5 events in 4 trials"),
    ],
)
def test_parameters_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_interval_of_too_few_values_is_unbounded():
    assert not mean_interval([5.0]).known
    assert not mean_interval([]).known
