"""Confidence intervals of numbers and ratios of events, such as lost packets, that may be rare and may come in bursts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from handoff.metrics.confidence import STUDENT, Interval, error_probability, ratio_interval, unbounded_interval

FAY_FEUER = "Fay-Feuer"
MIN_EVENTS = 20
"""Smallest number of bursts for which the replications are near enough to normal for Student's t."""
MIN_EFFECTIVE_EVENTS = 50
"""Smallest squared total of bursts of different sizes, divided by its variance, for which Student's t is used as well."""


@dataclass(frozen=True)
class EventCount:
    """Events of one replication, such as lost packets, and the bursts in which they came.

    Attributes
    ----------
    events : float
    trials : float
        What the events are counted against: packets, handoffs, or 1 for a plain number of events.
    is_share : bool
        True if each event is one of the trials, so that the ratio is at most 1.
    clusters : int
        Number of handoffs, if the events of one handoff depend on each other; 0 if all events are independent.
    clustered : float
        Events within handoffs. All others are independent.
    squares : float
        Sum over the handoffs of the squared number of their events.
    largest : float
        Largest number of events that one handoff may have.
    """

    events: float
    trials: float
    is_share: bool = True
    clusters: int = 0
    clustered: float = 0.0
    squares: float = 0.0
    largest: float = 1.0

    @property
    def burst_variance(self) -> float:
        """Variance of the number of events, if handoffs are independent and those with events are a Poisson process."""
        return min(self.squares, self.events**2) + self._independent_events

    @property
    def fixed_burst_variance(self) -> float:
        """Variance of the number of events if the number of handoffs does not vary: squares about the mean of a handoff."""
        about_mean = self.squares - self.clustered**2 / self.clusters if self.clusters else self.squares
        return min(max(about_mean, 0.0), self.events**2) + self._independent_events

    @property
    def _independent_events(self) -> float:
        return max(self.events - self.clustered, 0.0)


def event_interval(counts: Sequence[EventCount], confidence: float = 0.95) -> Interval:
    """Return the interval of the ratio of events to trials from independent replications.

    The ratio is that of all replications together. The interval depends on the number of bursts:

    - many: Student's t of the ratio estimator, with the replications as clusters (W. G. Cochran, Sampling Techniques, 1977,
      section 6.5);
    - few, and events come in bursts: Fay and Feuer's gamma interval of a weighted sum of Poisson counts (Statistics in Medicine
      16, 1997), whose weights are the sizes of the bursts. It allows for one more burst of the largest possible size. For events
      without bursts it is Garwood's interval of a Poisson count;
    - few, and each event is one of the independent trials: Clopper and Pearson's interval of the effective sample size (E. Korn
      and B. Graubard, Survey Methodology 24, 1998).

    If the replications differ by more than bursts explain, the variance between them replaces that of the bursts.

    A single replication has an interval if it has few bursts. Otherwise its interval is unbounded.

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1.
    """
    error_probability(confidence)
    n, events, trials = len(counts), math.fsum(c.events for c in counts), math.fsum(c.trials for c in counts)
    if not trials:
        return unbounded_interval([])
    ratio = events / trials
    between = 0.0  # variance of the sum of the residuals
    if n > 1:
        between = math.fsum((c.events - ratio * c.trials) ** 2 for c in counts) * n / (n - 1)
    if any(c.clusters for c in counts) or not all(c.is_share for c in counts):
        interval = _few_bursts(counts, between, confidence)
    else:
        interval = _few_events(events, trials, between, confidence) if n > 1 else None
    if interval is None:
        interval = _student(ratio, trials, n, between, confidence)
    return interval.within(0.0, 1.0 if all(c.is_share for c in counts) else math.inf)


def _student(ratio: float, trials: float, n: int, between: float, confidence: float) -> Interval:
    if n < 2:
        return replace(unbounded_interval([ratio]), n=n)
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * math.sqrt(between) / trials
    return Interval(ratio, ratio - half, ratio + half, n, STUDENT)


def _few_bursts(counts: Sequence[EventCount], between: float, confidence: float) -> Interval | None:
    """Return Fay and Feuer's interval, or None if there are many bursts."""
    from scipy.special import gammaincinv

    events, trials = math.fsum(c.events for c in counts), math.fsum(c.trials for c in counts)
    variance = math.fsum(c.burst_variance for c in counts)
    spread = max(math.fsum(c.fixed_burst_variance for c in counts), between)
    if events and events**2 >= MIN_EVENTS * variance and events**2 >= MIN_EFFECTIVE_EVENTS * spread:
        return None
    variance, largest = max(variance, between), max(1.0, *(c.largest for c in counts))
    tail = error_probability(confidence) / 2
    low = variance / events * float(gammaincinv(events**2 / variance, tail)) if events else 0.0
    mean, variance = events + largest, variance + largest**2
    high = variance / mean * float(gammaincinv(mean**2 / variance, 1 - tail))
    return Interval(events / trials, low / trials, high / trials, len(counts), FAY_FEUER)


def _few_events(events: float, trials: float, between: float, confidence: float) -> Interval | None:
    """Return Korn and Graubard's interval, or None if there are many events, and many trials without one."""
    independent = events * (1 - events / trials)
    design_effect = max(1.0, between / independent) if independent else 1.0
    if min(events, trials - events) >= MIN_EVENTS * design_effect:
        return None
    return ratio_interval(events / design_effect, trials / design_effect, confidence)
