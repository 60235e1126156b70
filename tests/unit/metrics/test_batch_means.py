"""Batch means: correlated batches are merged, and a run that is too short has no interval."""

import math

import numpy as np
import pytest

from handoff.metrics.batch_means import BATCH_MEANS, MIN_BATCHES, batch_means
from handoff.metrics.confidence import mean_interval


def contains(interval, value):
    return interval.low <= value <= interval.high


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


def test_a_run_that_is_too_short_has_no_interval():
    drifting = [float(i) for i in range(1000)]
    assert not batch_means(drifting).known
    assert batch_means(drifting).mean == pytest.approx(499.5)
    assert not batch_means(np.random.default_rng(1).normal(0, 1, MIN_BATCHES - 1).tolist()).known
    assert not batch_means([]).known


def test_equal_batches_have_an_interval_without_width():
    interval = batch_means([3.0] * MIN_BATCHES)
    assert (interval.low, interval.mean, interval.high, interval.method) == (3, 3, 3, BATCH_MEANS)


def test_skewed_batches_have_a_skewed_interval():
    """With a long upper tail, the sample mean is more often too low than too high."""
    interval = batch_means(np.random.default_rng(1).exponential(1, 512).tolist())
    assert interval.high - interval.mean > interval.mean - interval.low


def test_a_confidence_out_of_range_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        batch_means([1.0] * 100, 95)
