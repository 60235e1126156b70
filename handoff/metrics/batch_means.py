"""Confidence intervals from consecutive batches of one long run."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from handoff.metrics.confidence import Interval, error_probability, unbounded_interval

BATCH_MEANS = "batch means"
MIN_BATCHES = 64
"""Smallest number of batches whose correlation can be estimated."""
MAX_CORRELATION = 0.4
"""Largest correlation of neighbours at which batches are no longer merged."""
BATCHES_PER_DEGREE = 8
"""Batches for each degree of freedom: batches of eight times the length have means that are nearly independent and normal."""
_UPPER_QUANTILE = 1.6448536269514722
"""95 % quantile of the standard normal distribution."""
_SMALL_SKEWNESS = 1e-6
"""Skewness below which its correction is left out: the formula divides by it."""


def batch_means(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the interval of the mean from consecutive batches of one run.

    Neighbours are merged in pairs until the lag-1 correlation of the batches is at most ``MAX_CORRELATION`` (A. Law and
    J. Carson, Operations Research 27, 1979). If fewer than ``MIN_BATCHES`` are left, the run is too short and the interval is
    unbounded.
    Otherwise Student's t is corrected for the rest of the correlation and for skewness as in N-Skart (A. Tafazzoli, N. Steiger
    and J. Wilson, IEEE Transactions on Automatic Control 56, 2011). Unlike N-Skart it assumes the upper 95 % limit of the
    correlation instead of its estimate, because runs that happen to look uncorrelated pass the test of the correlation first.

    Parameters
    ----------
    values : sequence of float
        Values of batches of equal length, in order, after the warm-up.
    confidence : float
        Confidence of the interval.
    """
    tail = error_probability(confidence) / 2
    means = np.asarray(values, np.float64)
    while len(means) >= MIN_BATCHES and _correlation(means) > MAX_CORRELATION:
        means = means[len(means) % 2 :].reshape(-1, 2).mean(axis=1)
    if len(means) < MIN_BATCHES:
        return unbounded_interval(values)
    from scipy.special import stdtrit

    n, mean = len(means), float(means.mean())
    correlation = max(0.0, _correlation(means)) + _UPPER_QUANTILE / math.sqrt(n)
    inflation = (1 + correlation) / (1 - correlation)
    error = float(means.std(ddof=1)) * math.sqrt(inflation / n)
    skewness = _skewness(means) / (6 * math.sqrt(n)) * math.sqrt(inflation)
    quantile = float(stdtrit(n // BATCHES_PER_DEGREE - 1, 1 - tail))
    low, high = _correct_for_skewness(quantile, skewness), _correct_for_skewness(-quantile, skewness)
    return Interval(mean, mean - low * error, mean - high * error, n, BATCH_MEANS)


def _correct_for_skewness(quantile: float, skewness: float) -> float:
    """Return the quantile of a t statistic whose values are skewed (R. Willink, Communications in Statistics 34, 2005)."""
    if abs(skewness) < _SMALL_SKEWNESS:
        return quantile
    return (math.cbrt(1 + 6 * skewness * (quantile - skewness)) - 1) / (2 * skewness)


def _correlation(values: npt.NDArray[np.float64]) -> float:
    """Return the lag-1 correlation; 0 if all values are equal."""
    deviations = values - values.mean()
    spread = float(np.sum(deviations**2))
    return float(np.sum(deviations[1:] * deviations[:-1])) / spread if spread else 0.0


def _skewness(values: npt.NDArray[np.float64]) -> float:
    """Return the skewness; 0 if all values are equal."""
    deviations, n = values - values.mean(), len(values)
    spread = float(values.std(ddof=1))
    return n * float(np.sum(deviations**3)) / ((n - 1) * (n - 2) * spread**3) if spread else 0.0
