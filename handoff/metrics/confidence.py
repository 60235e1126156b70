"""Confidence intervals of means and of probabilities, from independent values and trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

STUDENT = "Student's t"
CLOPPER_PEARSON = "Clopper-Pearson"
EXACT = "exact"
"""Method of a value that no seed changes."""
NO_SPREAD = "equal in all runs"
"""Method of equal values that are no counts of events: nothing bounds their mean."""


@dataclass(frozen=True)
class Interval:
    """A mean with an interval that contains the true mean with the stated confidence.

    Attributes
    ----------
    mean : float
        NaN if there are no values.
    low, high : float
        -inf and inf if there are too few values.
    n : int
        Number of values: replications, batches or trials.
    method : str
        Name of the method behind the interval, such as ``STUDENT``; empty if there is no interval.
    """

    mean: float
    low: float
    high: float
    n: int
    method: str = ""

    @property
    def known(self) -> bool:
        """True if the interval is bounded; otherwise there are too few values."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def is_symmetric(self) -> bool:
        """True if both ends are at the same distance from the mean, up to rounding."""
        return math.isclose(self.high - self.mean, self.mean - self.low, abs_tol=1e-12 * abs(self.mean))

    def within(self, low: float, high: float) -> Interval:
        """Return the interval limited to the possible values, such as 0 to 1 for a ratio.

        An unbounded end stays unbounded, because it stands for too few values. The mean stays in the interval: the utilisation of
        pooled queues is a sum, which may be above 1.
        """
        return replace(
            self, low=max(self.low, min(low, self.mean)) if math.isfinite(self.low) else self.low,
            high=min(self.high, max(high, self.mean)) if math.isfinite(self.high) else self.high,
        )  # fmt: skip


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return Student's two-sided t interval of the mean of independent values.

    It is exact for normal values; means of many packets or handoffs are nearly normal. The interval of a single value is
    unbounded, because one value has no spread.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1, or a value is not finite.
    """
    alpha = error_probability(confidence)
    if not all(map(math.isfinite, values)):
        raise ValueError("an interval needs finite values: leave out the replications that measured nothing")
    n = len(values)
    if n < 2:
        return unbounded_interval(values)
    from scipy.special import stdtrit

    mean = math.fsum(values) / n
    variance = math.fsum((v - mean) ** 2 for v in values) / (n - 1)
    half = float(stdtrit(n - 1, 1 - alpha / 2)) * math.sqrt(variance / n)
    return Interval(mean, mean - half, mean + half, n, STUDENT)


def ratio_interval(events: float, trials: float, confidence: float = 0.95) -> Interval:
    """Return Clopper and Pearson's two-sided interval of a probability from independent trials.

    Wilson's interval would be narrower, but near 0, where loss ratios are, it contains the true value less often than stated.
    Clopper and Pearson's never does. No event in n trials gives an upper end of about 3.7 / n at 95 %. Both numbers may be
    effective sample sizes, which are not whole.

    Raises
    ------
    ValueError
        If there are more events than trials, or a negative number.
    """
    alpha = error_probability(confidence)
    if not 0 <= events <= trials:
        raise ValueError(f"{events} events in {trials} trials: there are 0 to {trials}")
    if trials == 0:
        return Interval(math.nan, -math.inf, math.inf, 0)
    from scipy.special import betaincinv

    low = float(betaincinv(events, trials - events + 1, alpha / 2)) if events else 0.0
    high = float(betaincinv(events + 1, trials - events, 1 - alpha / 2)) if events < trials else 1.0
    return Interval(events / trials, low, high, round(trials), CLOPPER_PEARSON)


def unbounded_interval(values: Sequence[float]) -> Interval:
    """Return the mean of values that allow no interval."""
    return Interval(math.fsum(values) / len(values) if values else math.nan, -math.inf, math.inf, len(values))


def error_probability(confidence: float) -> float:
    """Return ``1 - confidence``.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    return 1 - confidence
