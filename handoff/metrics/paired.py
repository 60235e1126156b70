"""Confidence intervals of the difference of two samples, paired or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from handoff.metrics.confidence import EXACT, STUDENT, Interval, error_probability, mean_interval, unbounded_interval

WELCH = "Welch's t"
BOOTSTRAP = "t and bootstrap"
MIN_DIFFERENT_UNITS = 20
"""Fewest units that have to differ for an interval: with less, the spread is not known."""
MAX_UNITS = 500
"""Units of a bootstrap. More are added up in as many groups, whose sums are as independent as the units."""
TAIL_RESAMPLES, MIN_RESAMPLES, MAX_RESAMPLES = 10, 2000, 50_000
"""Resamples beyond each end of an interval, and the bounds of their number."""
BOOTSTRAP_SEED = 1
"""Seed of the resamples, so that a comparison prints the same interval each time."""
_PAIRS = np.triu_indices(4)

Floats = npt.NDArray[np.float64]


def exact_difference(difference: float, n: int) -> Interval:
    """Return a difference that no seed changes."""
    return Interval(difference, difference, difference, n, EXACT)


def paired_difference(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the interval of the mean of ``second - first``, where values at one position belong together.

    Two replications with the same seed have the same packets and movement, so that most of the chance cancels. Equal
    differences say nothing about their spread, unless all are 0: then nothing has changed.
    """
    differences = [b - a for a, b in zip(first, second, strict=True)]
    if differences and not any(differences):
        return exact_difference(0.0, len(differences))
    interval = mean_interval(differences, confidence)
    return unbounded_interval(differences) if interval.low == interval.high else interval


def unpaired_difference(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return Welch's interval of the difference of the means of two independent samples (Welch, 1947)."""
    alpha = error_probability(confidence)
    difference = math.fsum(second) / len(second) - math.fsum(first) / len(first)
    if min(len(first), len(second)) < 2:
        return Interval(difference, -math.inf, math.inf, len(first) + len(second))
    from scipy.special import stdtrit

    errors = [float(np.var(sample, ddof=1)) / len(sample) for sample in (first, second)]
    if not any(errors):
        return Interval(difference, -math.inf, math.inf, len(first) + len(second))
    freedom = sum(errors) ** 2 / sum(e**2 / (len(s) - 1) for e, s in zip(errors, (first, second), strict=True))
    half = float(stdtrit(freedom, 1 - alpha / 2)) * math.sqrt(sum(errors))
    return Interval(difference, difference - half, difference + half, len(first) + len(second), WELCH)


def ratio_difference(first: tuple[Floats, Floats], second: tuple[Floats, Floats], confidence: float = 0.95) -> Interval:
    """Return an interval of the difference of two ratios of sums over the same units.

    Units are mobile nodes, for instance: what happens to one packet depends on the others of its node, so that nodes are
    independent, and packets are not. The interval contains two others: Student's t with the deviation of the linear form of the
    ratios, which is too short for a difference of skewed values, and the studentized bootstrap of the units (Efron and
    Tibshirani, 1993, 12.5), whose ends follow the skewness, and which is too short where a few units decide.

    Parameters
    ----------
    first, second : (ndarray, ndarray)
        Numerator and denominator of each unit.
    confidence : float
        Probability that the interval contains the true difference.

    Returns
    -------
    Interval
        Unbounded if fewer than ``MIN_DIFFERENT_UNITS`` units differ; exact if none does.
    """
    alpha = error_probability(confidence)
    columns = np.array([*first, *second], np.float64)
    units, sums = columns.shape[1], columns.sum(axis=1)
    if not (sums[1] and sums[3]):
        return Interval(math.nan, -math.inf, math.inf, units)
    difference = float(sums[2] / sums[3] - sums[0] / sums[1])
    different = int((columns[:2] != columns[2:]).any(axis=0).sum())
    if not different:
        return exact_difference(0.0, units)
    if different < MIN_DIFFERENT_UNITS:
        return Interval(difference, -math.inf, math.inf, units)
    from scipy.special import stdtrit

    columns = _group_units(columns)
    products = columns[_PAIRS[0]] * columns[_PAIRS[1]]
    groups = columns.shape[1]
    spread = float(_deviation(sums[None], products.sum(axis=1)[None], groups)[0])
    if not spread:
        return Interval(difference, -math.inf, math.inf, units)
    resamples = min(max(MIN_RESAMPLES, math.ceil(2 * TAIL_RESAMPLES / alpha)), MAX_RESAMPLES)
    counts = _draw_counts(groups, resamples)
    totals = counts @ columns.T
    with np.errstate(divide="ignore", invalid="ignore"):
        offset = totals[:, 2] / totals[:, 3] - totals[:, 0] / totals[:, 1] - difference
        t = offset / _deviation(totals, counts @ products.T, groups)
    t = np.sort(t[~np.isnan(t)])  # a resample without spread is infinitely far away
    cut = math.floor(alpha / 2 * len(t))
    student = float(stdtrit(groups - 1, 1 - alpha / 2))
    low, high = max(float(t[-1 - cut]), student), min(float(t[cut]), -student)
    return Interval(difference, difference - low * spread, difference - high * spread, units, BOOTSTRAP)


def _group_units(columns: Floats) -> Floats:
    """Return the columns (4, units), or their sums over at most ``MAX_UNITS`` groups that are drawn once."""
    units = columns.shape[1]
    if units <= MAX_UNITS:
        return columns
    group = np.random.default_rng(BOOTSTRAP_SEED).permutation(units) % MAX_UNITS
    return np.stack([np.bincount(group, row, MAX_UNITS) for row in columns])


@lru_cache(maxsize=4)
def _draw_counts(units: int, resamples: int) -> Floats:
    """Return how often each unit is in each resample, (resamples, units). All measures of a comparison share the draws."""
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    counts = np.empty((resamples, units), np.float64)
    for i in range(0, resamples, MIN_RESAMPLES):
        rows = min(MIN_RESAMPLES, resamples - i)
        drawn = rng.integers(0, units, (rows, units)) + units * np.arange(rows)[:, None]
        counts[i : i + rows] = np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units)
    return counts


def _deviation(totals: Floats, products: Floats, units: int) -> Floats:
    """Return the standard deviation of the difference of ratios in each resample.

    The linear form of the difference weighs the four sums; the sum of its squares over the units follows from the sums of the
    products of columns.

    Parameters
    ----------
    totals : ndarray (resamples, 4)
        Sums of the columns.
    products : ndarray (resamples, 10)
        Sums of the products of each two columns (``_PAIRS``).
    units : int
        Number of units.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = 1 / totals[:, 1], 1 / totals[:, 3]
        weights = np.stack([-a, totals[:, 0] * a * a, b, -totals[:, 2] * b * b], axis=1)
        pairs = weights[:, _PAIRS[0]] * weights[:, _PAIRS[1]] * np.where(_PAIRS[0] == _PAIRS[1], 1, 2)
        squares = np.maximum((pairs * products).sum(axis=1), 0)
        return np.asarray(np.sqrt(squares * units / (units - 1)), np.float64)


__all__ = [
    "BOOTSTRAP", "EXACT", "STUDENT", "WELCH", "exact_difference", "paired_difference", "ratio_difference", "unpaired_difference",
]  # fmt: skip
