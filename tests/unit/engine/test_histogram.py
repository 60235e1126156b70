"""Quantiles of a log-linear histogram."""

import numpy as np
import pytest

from engine.histogram import RESOLUTION, SUB_BITS, lower_edge, quantile


def histogram_of(values):
    """Count values by bucket, each found from the edges alone."""
    counts = np.zeros(64 << SUB_BITS, np.int64)
    edges = [lower_edge(i) for i in range(60 << SUB_BITS)]
    np.add.at(counts, np.searchsorted(edges, values, side="right") - 1, 1)
    return counts


def test_equal_values_have_all_quantiles_exact():
    """The middle of the bucket of 17.000 ms is 17.046 ms: no value is that large (RFC 7679, 5.1)."""
    counts = histogram_of([17 * 10**9] * 600)
    assert [quantile(counts, percent, 17 * 10**9) for percent in (1, 50, 99, 100)] == [17e9] * 4


@pytest.mark.parametrize("percent", [1, 50, 95, 99, 100])
def test_a_quantile_is_near_that_of_the_values_and_not_above_the_largest(percent):
    """By nearest rank, the quantile of n values is the ceil(n p / 100)-th smallest one."""
    values = np.sort(np.random.default_rng(1).lognormal(23, 1, 1300).astype(np.int64))
    true = values[-(-percent * len(values) // 100) - 1]
    value = quantile(histogram_of(values), percent, int(values[-1]))
    assert abs(true - value) <= RESOLUTION * value
    assert value <= values[-1]


def test_a_largest_value_of_another_time_does_not_raise_a_quantile():
    """A window's maximum is not known if the maximum of the run lies outside: the edge of its last bucket is a lower bound."""
    assert quantile(histogram_of([1000] * 10), 99, 10**6) == 992  # buckets of 512 to 1023 are 16 wide


def test_nothing_has_no_quantile():
    assert quantile(histogram_of([]), 99, 0) is None
