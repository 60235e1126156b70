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


@pytest.mark.parametrize("difference", [0.0, pytest.param(0.3, marks=pytest.mark.deep)])
def test_intervals_of_skewed_units_contain_the_truth_as_often_as_stated(difference):
    """Units with exponential values: of 300 intervals at 90 %, at most 46 miss (binomial, error 0.1 %)."""
    rng = np.random.default_rng(11)
    misses = {"ratio": 0, "paired": 0, "unpaired": 0}
    ones = np.ones(40)
    for _ in range(300):
        common = rng.exponential(1, 40)
        a, b = common + rng.exponential(0.5, 40), common + rng.exponential(0.5, 40) + difference
        for name, interval in {
            "ratio": ratio_difference((a, ones), (b, ones), 0.9),
            "paired": paired_difference(list(a), list(b), 0.9),
            "unpaired": unpaired_difference(list(a), list(rng.permutation(b)), 0.9),
        }.items():
            misses[name] += not interval.low <= difference <= interval.high
    assert max(misses.values()) <= 46
    assert misses["ratio"] >= 12  # and they are not needlessly wide
