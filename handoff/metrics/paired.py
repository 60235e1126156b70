"""Confidence intervals of the difference of two samples, paired or not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from handoff.metrics.confidence import EXACT, STUDENT, Interval, error_probability, mean_interval, unbounded_interval

WELCH = "Welch's t"
BOOTSTRAP = "studentized bootstrap"
MIN_UNITS = 10
"""Fewest units of a bootstrap: with less the resamples are too alike."""
RESAMPLES = 2000
BOOTSTRAP_SEED = 1
"""Seed of the resamples, so that a comparison prints the same interval each time."""

Floats = npt.NDArray[np.float64]


def paired_difference(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the interval of the mean of ``second - first``, where values at one position belong together.

    Two replications with the same seed have the same packets and movement, so that most of the chance cancels. Equal
    differences say nothing about their spread, unless all are 0: then nothing has changed.
    """
    differences = [b - a for a, b in zip(first, second, strict=True)]
    if differences and not any(differences):
        return Interval(0.0, 0.0, 0.0, len(differences), EXACT)
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


def ratio_difference(
    first: tuple[Floats, Floats], second: tuple[Floats, Floats], confidence: float = 0.95
) -> Interval:
    """Return the interval of the difference of two ratios of sums over the same units, by a bootstrap of the units.

    Units are mobile nodes, for instance: what happens to one packet depends on the others of its node, so that nodes are drawn,
    and each drawn node brings its part of both numerators and denominators. The studentized bootstrap (Efron and Tibshirani,
    1993, 12.5) is used, whose ends follow the skewness of losses; the deviation is that of the jackknife's linear form.

    Parameters
    ----------
    first, second : (ndarray, ndarray)
        Numerator and denominator of each unit.
    confidence : float
        Probability that the interval contains the true difference.

    Returns
    -------
    Interval
        Unbounded if there are fewer than ``MIN_UNITS`` units; exact if no unit differs.
    """
    alpha = error_probability(confidence)
    columns = np.array([*first, *second], np.float64)
    units = columns.shape[1]
    sums = columns.sum(axis=1)
    if not (sums[1] and sums[3]):
        return Interval(math.nan, -math.inf, math.inf, units)
    difference = float(sums[2] / sums[3] - sums[0] / sums[1])
    if np.array_equal(columns[:2], columns[2:]):
        return Interval(0.0, 0.0, 0.0, units, EXACT)
    if units < MIN_UNITS:
        return Interval(difference, -math.inf, math.inf, units)
    spread = _deviation(columns[:, None, :], sums[:, None])[0]
    if not spread:
        return Interval(difference, -math.inf, math.inf, units)
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    deviations = []
    for _ in range(RESAMPLES // 100):
        drawn = columns[:, rng.integers(0, units, (100, units))]
        totals = drawn.sum(axis=2)
        with np.errstate(divide="ignore", invalid="ignore"):
            offset = totals[2] / totals[3] - totals[0] / totals[1] - difference
            deviations.append(offset / _deviation(drawn, totals))
    t = np.concatenate(deviations)
    t = t[np.isfinite(t)]
    low, high = np.quantile(t, [alpha / 2, 1 - alpha / 2])
    return Interval(difference, difference - float(high) * spread, difference - float(low) * spread, units, BOOTSTRAP)


def _deviation(columns: Floats, sums: Floats) -> Floats:
    """Return the standard deviation of the difference of ratios: columns (4, resamples, units), sums (4, resamples)."""
    units = columns.shape[2]
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = (columns[2] - (sums[2] / sums[3])[:, None] * columns[3]) / sums[3][:, None]
        residual -= (columns[0] - (sums[0] / sums[1])[:, None] * columns[1]) / sums[1][:, None]
        return np.asarray(np.sqrt((residual**2).sum(axis=1) * units / (units - 1)), np.float64)


__all__ = ["BOOTSTRAP", "EXACT", "STUDENT", "WELCH", "paired_difference", "ratio_difference", "unpaired_difference"]
