"""Intervals of means and ratios, and decisions about a target whose error is stated although one looks again and again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

Decision = Literal["met", "missed", "open"]
LEAST = 3
"""Replications before the first look."""
FEW = 10
"""Events of a ratio below which its replications are not near enough to normal for Student's t."""
FEWEST_BATCHES = 8
"""Below which batch means that depend on each other are not merged further."""
_NORMAL_95 = 1.6448536269514722


@dataclass(frozen=True)
class Interval:
    """A mean, and an interval that holds the true one with the stated confidence.

    Attributes
    ----------
    mean : float
        NaN if there is no value at all.
    low, high : float
        -inf and inf where too few values say nothing.
    n : int
        Values that it rests on: replications, batches or trials.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def known(self) -> bool:
        """Whether there is an interval: else there are too few samples."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def within(self, low: float, high: float) -> Interval:
        """Cut to where the figure can be (a ratio: 0 to 1)."""
        return Interval(self.mean, max(self.low, low), min(self.high, high), self.n)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Student's t interval of the mean of independent values, two-sided.

    Exact for normal values; means of many packets or handoffs are near it. One value says nothing of the spread: its interval
    is unbounded.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1, or a value is not finite.
    """
    alpha = _alpha(confidence)
    if not all(map(math.isfinite, values)):
        raise ValueError("an interval wants finite values: leave out the replications that measured nothing")
    n = len(values)
    if n < 2:
        return Interval(values[0] if n else math.nan, -math.inf, math.inf, n)
    from scipy.special import stdtrit

    mean = math.fsum(values) / n
    variance = math.fsum((v - mean) ** 2 for v in values) / (n - 1)
    half = float(stdtrit(n - 1, 1 - alpha / 2)) * math.sqrt(variance / n)
    return Interval(mean, mean - half, mean + half, n)


def batch_means(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Interval from the means of consecutive batches of one run.

    Neighbours are merged in pairs as long as they depend on each other (lag-1 correlation beyond what independent ones show in
    5 % of all cases). If they still do when fewer than ``2 FEWEST_BATCHES`` are left, the run is too short to say anything: the
    interval is unbounded.

    Parameters
    ----------
    values : sequence of float
        Figures of batches of equal length, in order, after the warm-up.
    confidence : float
        Of the interval.
    """
    means = list(values)
    while len(means) > 2 and _correlation(means) > _NORMAL_95 / math.sqrt(len(means)):
        if len(means) < 2 * FEWEST_BATCHES:
            return Interval(math.fsum(means) / len(means), -math.inf, math.inf, len(means))
        means = [(a + b) / 2 for a, b in zip(means[::2], means[1::2], strict=False)]
    return mean_interval(means, confidence)


def _correlation(values: Sequence[float]) -> float:
    """Of neighbours; 0 if all are equal."""
    mean = math.fsum(values) / len(values)
    spread = math.fsum((v - mean) ** 2 for v in values)
    if spread == 0:
        return 0.0
    return math.fsum((a - mean) * (b - mean) for a, b in pairwise(values)) / spread


def ratio_interval(events: int, trials: int, confidence: float = 0.95) -> Interval:
    """Clopper and Pearson's interval of a probability from independent trials, two-sided.

    Not Wilson's: near 0, where loss ratios are, that one holds the true value less often than it says; this one never does. No
    event in n trials gives an upper end of about 3.7 / n at 95 %.

    Raises
    ------
    ValueError
        If there are more events than trials, or fewer than none.
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
    """After how many replications one looks: from ``LEAST`` on, each time half as many more, ``most`` at last."""
    found = []
    n = min(LEAST, most)
    while n < most:
        found.append(n)
        n += -(-n // 2)
    return (*found, most)


@dataclass(frozen=True)
class SequentialTest:
    """Whether the mean of a figure meets a target, decided as soon as replications are clear about it.

    At each of the ``looks``, and only there, the two-sided interval of the replications so far is compared with the target. The
    error ``1 - confidence`` is shared equally among the looks (Bonferroni), so with at least the stated confidence every interval
    of the whole sequence holds the true mean: a wrong decision, however early, has at most that error, under the assumptions of
    the intervals. ``most`` replications without a decision leave it open: the target is within the interval.

    The first look that decides counts, whatever values come after it: how many came at once, from how many workers, does not
    matter.

    Parameters
    ----------
    target : float
    sense : {"<=", ">="}
        The target is met if the mean is at most, or at least, ``target``.
    confidence : float
        Of the decision, over all looks together.
    most : int
        Replications at which one stops; at least 2.

    Raises
    ------
    ValueError
        If a parameter makes no sense.
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
        """The interval that a look at these values judges by.

        Parameters
        ----------
        values : sequence of float
            One a replication.
        trials : sequence of int or None
            For a ratio: of how many trials each is. With fewer than ``FEW`` events in all Clopper and Pearson's interval of all
            trials together stands in: Student's would have no width where no replication has an event.
        """
        confidence = 1 - _alpha(self.confidence) / len(self.looks)
        if trials is not None:
            events = round(math.fsum(v * n for v, n in zip(values, trials, strict=True)))
            if min(events, sum(trials) - events) < FEW:
                return ratio_interval(events, sum(trials), confidence)
        return mean_interval(values, confidence)

    def decide(self, values: Sequence[float], trials: Sequence[int] | None = None) -> Decision:
        """What the replications so far, in the order of their numbers, say of the target."""
        for n in self.looks:
            if n > len(values):
                break
            found = self.interval(values[:n], None if trials is None else trials[:n])
            below, above = found.high - self.target, found.low - self.target
            if self.sense == "<=" and (below <= 0 or above > 0):
                return "met" if below <= 0 else "missed"
            if self.sense == ">=" and (above >= 0 or below < 0):
                return "met" if above >= 0 else "missed"
        return "open"


def _alpha(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    return 1 - confidence
