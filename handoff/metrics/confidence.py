"""Confidence intervals of means and ratios, and sequential tests of a target with a stated error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

Decision = Literal["met", "missed", "open"]
FIRST_LOOK = 3
"""Replications before the first look."""
MIN_EVENTS = 10
"""Smallest number of events of a ratio for which its replications are near enough to normal for Student's t."""
MIN_BATCHES = 8
"""Smallest number of batches that a merge of correlated batches may leave."""
_NORMAL_95 = 1.6448536269514722
"""95 % quantile of the standard normal distribution."""


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
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def known(self) -> bool:
        """True if the interval is bounded; otherwise there are too few values."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def within(self, low: float, high: float) -> Interval:
        """Return the interval limited to the possible values, such as 0 to 1 for a ratio."""
        return Interval(self.mean, max(self.low, low), min(self.high, high), self.n)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return Student's two-sided t interval of the mean of independent values.

    It is exact for normal values; means of many packets or handoffs are nearly normal. The interval of a single value is
    unbounded, because one value has no spread.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1, or a value is not finite.
    """
    alpha = _alpha(confidence)
    if not all(map(math.isfinite, values)):
        raise ValueError("an interval needs finite values: leave out the replications that measured nothing")
    n = len(values)
    if n < 2:
        return Interval(values[0] if n else math.nan, -math.inf, math.inf, n)
    from scipy.special import stdtrit

    mean = math.fsum(values) / n
    variance = math.fsum((v - mean) ** 2 for v in values) / (n - 1)
    half = float(stdtrit(n - 1, 1 - alpha / 2)) * math.sqrt(variance / n)
    return Interval(mean, mean - half, mean + half, n)


def batch_means(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Return the interval of the mean from consecutive batches of one run.

    Neighbours are merged in pairs as long as they are correlated (lag-1 correlation above the 95 % quantile of independent
    values). If they still are when fewer than ``2 MIN_BATCHES`` are left, the run is too short and the interval is unbounded.

    Parameters
    ----------
    values : sequence of float
        Values of batches of equal length, in order, after the warm-up.
    confidence : float
        Confidence of the interval.
    """
    means = list(values)
    while len(means) > 2 and _correlation(means) > _NORMAL_95 / math.sqrt(len(means)):
        if len(means) < 2 * MIN_BATCHES:
            return Interval(math.fsum(means) / len(means), -math.inf, math.inf, len(means))
        means = [(a + b) / 2 for a, b in zip(means[::2], means[1::2], strict=False)]
    return mean_interval(means, confidence)


def _correlation(values: Sequence[float]) -> float:
    """Return the lag-1 correlation; 0 if all values are equal."""
    mean = math.fsum(values) / len(values)
    spread = math.fsum((v - mean) ** 2 for v in values)
    if spread == 0:
        return 0.0
    return math.fsum((a - mean) * (b - mean) for a, b in pairwise(values)) / spread


def ratio_interval(events: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return Clopper and Pearson's two-sided interval of a probability from independent trials.

    Wilson's interval would be narrower, but near 0, where loss ratios are, it contains the true value less often than stated.
    Clopper and Pearson's never does. No event in n trials gives an upper end of about 3.7 / n at 95 %.

    Raises
    ------
    ValueError
        If there are more events than trials, or a negative number.
    """
    alpha = _alpha(confidence)
    if not 0 <= events <= trials:
        raise ValueError(f"{events} events in {trials} trials: there are 0 to {trials}")
    if trials == 0:
        return Interval(math.nan, -math.inf, math.inf, 0)
    from scipy.special import betaincinv

    low = float(betaincinv(events, trials - events + 1, alpha / 2)) if events else 0.0
    high = float(betaincinv(events + 1, trials - events, 1 - alpha / 2)) if events < trials else 1.0
    return Interval(events / trials, low, high, trials)


def look_schedule(most: int) -> tuple[int, ...]:
    """Return the numbers of replications at which a test looks: ``FIRST_LOOK``, then 1.5 times the last each, up to ``most``."""
    looks = []
    n = min(FIRST_LOOK, most)
    while n < most:
        looks.append(n)
        n += -(-n // 2)
    return (*looks, most)


@dataclass(frozen=True)
class SequentialTest:
    """Sequential test of a target for the mean of a measure, which ends as soon as the replications decide it.

    At each of the ``looks``, and only there, the two-sided interval of the replications so far is compared with the target. The
    error ``1 - confidence`` is divided equally among the looks (Bonferroni). With at least the stated confidence, every interval
    of the whole sequence contains the true mean. The probability of a wrong decision, however early, is therefore at most that
    error, under the assumptions of the intervals. If ``most`` replications do not decide, the result is open: the target lies in
    the interval.

    The first look that decides counts, whatever values come later. The result therefore does not depend on the number of values
    that arrive at once from several workers.

    Parameters
    ----------
    target : float
    sense : {"<=", ">="}
        The target is met if the mean is at most, or at least, ``target``.
    confidence : float
        Confidence of the decision, over all looks together.
    most : int
        Largest number of replications; at least 2.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    target: float
    sense: Literal["<=", ">="]
    confidence: float = 0.95
    most: int = 30
    looks: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        if self.sense not in ("<=", ">="):
            raise ValueError(f"a target is '<=' or '>=', not {self.sense!r}")
        if self.most < 2:
            raise ValueError(f"two replications are the fewest that show a spread, not {self.most}")
        _alpha(self.confidence)
        object.__setattr__(self, "looks", look_schedule(self.most))

    def interval(self, values: Sequence[float], trials: Sequence[int] | None = None) -> Interval:
        """Return the interval that a look at these values compares with the target.

        Parameters
        ----------
        values : sequence of float
            One value for each replication.
        trials : sequence of int or None
            For a ratio: the number of trials of each replication. With fewer than ``MIN_EVENTS`` events in all, the interval is
            Clopper and Pearson's of all trials together: Student's would have no width if no replication has an event.
        """
        confidence = 1 - _alpha(self.confidence) / len(self.looks)
        if trials is not None:
            events = round(math.fsum(v * n for v, n in zip(values, trials, strict=True)))
            if min(events, sum(trials) - events) < MIN_EVENTS:
                return ratio_interval(events, sum(trials), confidence)
        return mean_interval(values, confidence)

    def decide(self, values: Sequence[float], trials: Sequence[int] | None = None) -> Decision:
        """Decide from the replications so far, in the order of their numbers."""
        for n in self.looks:
            if n > len(values):
                break
            interval = self.interval(values[:n], None if trials is None else trials[:n])
            high, low = interval.high - self.target, interval.low - self.target
            if self.sense == "<=" and (high <= 0 or low > 0):
                return "met" if high <= 0 else "missed"
            if self.sense == ">=" and (low >= 0 or high < 0):
                return "met" if low >= 0 else "missed"
        return "open"


def _alpha(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    return 1 - confidence
