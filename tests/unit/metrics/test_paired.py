"""Intervals of differences."""

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from handoff.metrics.paired import (
    BOOTSTRAP,
    EXACT,
    STUDENT,
    WELCH,
    paired_difference,
    ratio_difference,
    unpaired_difference,
)


def test_pairs_have_students_interval_of_their_differences():
    """Differences 1, 2, 3: mean 2, deviation 1, half width 4.303 / sqrt(3) (t of 2 degrees of freedom)."""
    interval = paired_difference([10, 20, 30], [11, 22, 33])
    assert (interval.mean, interval.method, interval.n) == (2, STUDENT, 3)
    assert interval.high - interval.mean == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)


def test_equal_pairs_are_exact_and_equal_differences_are_not():
    assert paired_difference([1, 2], [1, 2]).method == EXACT
    assert not paired_difference([1, 2], [2, 3]).known
    assert not paired_difference([1], [2]).known


def test_independent_samples_have_welchs_interval():
    """Variances 1 and 4 of 4 values each: error sqrt(1.25), freedom 1.25^2 / ((1/16 + 1) / 3)."""
    a, b = np.array([-1.5, -0.5, 0.5, 1.5]), np.array([-1.5, -0.5, 0.5, 1.5])
    a, b = a / a.std(ddof=1), 10 + 2 * b / b.std(ddof=1)
    interval = unpaired_difference(list(a), list(b))
    assert (interval.mean, interval.method) == (pytest.approx(10), WELCH)
    assert interval.high - 10 == pytest.approx(stdtrit(1.25**2 * 3 / (1 / 16 + 1), 0.975) * math.sqrt(1.25), rel=1e-6)
    assert not unpaired_difference([1.0], [2.0, 3.0]).known
    assert not unpaired_difference([1.0, 1.0], [2.0, 2.0]).known


def test_ratios_of_units():
    rng = np.random.default_rng(7)
    sent = rng.integers(50, 150, 200).astype(float)
    few, many = rng.binomial(sent.astype(int), 0.01).astype(float), rng.binomial(sent.astype(int), 0.05).astype(float)
    interval = ratio_difference((few, sent), (many, sent))
    assert interval.mean == pytest.approx(many.sum() / sent.sum() - few.sum() / sent.sum())
    assert 0.03 < interval.low < 0.04 < interval.high < 0.05
    assert (interval.n, interval.method) == (200, BOOTSTRAP)
    assert interval == ratio_difference((few, sent), (many, sent))  # the same resamples
    assert ratio_difference((few, sent), (few, sent)).method == EXACT
    assert not ratio_difference((few[:5], sent[:5]), (many[:5], sent[:5])).known
    assert math.isnan(ratio_difference((few, sent), (few, np.zeros(200))).mean)


def test_units_that_hardly_differ_give_no_interval():
    """19 units lose packets on one side: too few to know the spread."""
    sent, none = np.full(100, 100.0), np.zeros(100)
    few = np.where(np.arange(100) < 19, 5.0, 0.0)
    assert not ratio_difference((none, sent), (few, sent)).known
    assert ratio_difference((none, sent), (np.where(np.arange(100) < 20, 5.0, 0.0), sent)).known


def test_many_units_are_put_together():
    """One percent of 20,000 units lose five of 100 packets: 0.05 %. Groups of 40 units have the same sums."""
    rng = np.random.default_rng(3)
    sent, none = np.full(20_000, 100.0), np.zeros(20_000)
    lost = (rng.random(20_000) < 0.01) * 5.0
    interval = ratio_difference((none, sent), (lost, sent))
    assert (interval.mean, interval.n) == (pytest.approx(lost.sum() / sent.sum()), 20_000)
    assert interval.low < 0.0005 < interval.high
    assert interval.high - interval.low < 0.0005


EXPONENTIAL, BURSTS = "exponential", "a burst of 10 in each tenth unit"


def draw_units(kind, rng):
    """Return the numerators of 40 or 200 units with the denominator 1, whose mean is 1."""
    if kind == EXPONENTIAL:
        return rng.exponential(1, 40)
    return 10.0 * rng.geometric(0.5, 200) / 2 * (rng.random(200) < 0.1)


@pytest.mark.parametrize(
    ("kind", "confidence", "most"),
    [
        # of 300 intervals; the bounds are exceeded with a probability of 0.1 % by exact intervals
        (EXPONENTIAL, 0.9, 46), (BURSTS, 0.9, 46),
        pytest.param(BURSTS, 0.99, 10, marks=pytest.mark.deep),
        pytest.param(EXPONENTIAL, 0.99, 10, marks=pytest.mark.deep),
        pytest.param(BURSTS, 1 - 0.05 / 140, 2, marks=[pytest.mark.deep, pytest.mark.long]),
    ],
)  # fmt: skip
def test_intervals_contain_the_truth_as_often_as_stated(kind, confidence, most):
    rng = np.random.default_rng(11)
    misses = {"equal": 0, "shifted": 0}
    for _ in range(300):
        a, b = draw_units(kind, rng), draw_units(kind, rng)
        ones = np.ones(len(a))
        for name, first, truth in (("equal", a, 0.0), ("shifted", 0 * a, 1.0)):
            interval = ratio_difference((first, ones), (b, ones), confidence)
            misses[name] += interval.known and not interval.low <= truth <= interval.high
    assert max(misses.values()) <= most


def test_intervals_of_replications_contain_the_truth_as_often_as_stated():
    rng = np.random.default_rng(12)
    misses = {"paired": 0, "unpaired": 0}
    for _ in range(300):
        common = rng.exponential(1, 40)
        a, b = (list(common + rng.exponential(0.5, 40)) for _ in range(2))
        for name, interval in {
            "paired": paired_difference(a, b, 0.9), "unpaired": unpaired_difference(a, list(rng.permutation(b)), 0.9)
        }.items():  # fmt: skip
            misses[name] += not interval.low <= 0 <= interval.high
    assert max(misses.values()) <= 46
    assert misses["paired"] >= 14  # 0.1 %: and they are not needlessly wide
