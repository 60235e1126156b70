"""Sequential tests of a target with a stated error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from handoff.metrics.confidence import Interval, error_probability, mean_interval
from handoff.metrics.event_interval import EventCount, event_interval

Decision = Literal["met", "missed", "open"]
FIRST_LOOK = 3
"""Replications before the first look."""


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

    At each of the ``looks``, and only there, the interval of the replications so far is compared with the target. Each end of the
    interval has an error of its own: under the assumptions of the intervals, the target is declared missed by mistake with a
    probability of at most half of ``1 - confidence``, and met by mistake with at most ``met_error``, however early. Each error is
    divided equally among the looks (Bonferroni). Without ``met_error`` both are equal, and every interval of the whole sequence
    contains the true mean with at least the stated confidence. If ``most`` replications do not decide, the result is open: the
    target lies in the interval.

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
    met_error : float or None
        Probability that the target is declared met by mistake, over all looks. None: half of ``1 - confidence``, as for missed.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    target: float
    sense: Literal["<=", ">="]
    confidence: float = 0.95
    most: int = 30
    met_error: float | None = None
    looks: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        if self.sense not in ("<=", ">="):
            raise ValueError(f"a target is '<=' or '>=', not {self.sense!r}")
        if self.most < 2:
            raise ValueError(f"two replications are the fewest that show a spread, not {self.most}")
        error_probability(self.confidence)
        if self.met_error is not None and not 0 < self.met_error < 0.5:
            raise ValueError(f"met_error is a probability above 0 and below 0.5, not {self.met_error}")
        object.__setattr__(self, "looks", look_schedule(self.most))

    def interval(self, values: Sequence[float], events: Sequence[EventCount] | None = None) -> Interval:
        """Return the interval that a look at these values compares with the target.

        Parameters
        ----------
        values : sequence of float
            One value for each replication.
        events : sequence of EventCount or None
            Counts of each replication, if the measure is a number or a ratio of events (:func:`event_interval`).
        """
        missed = _interval(values, events, 1 - 2 * self._missed_error)
        if self.met_error is None:
            return missed
        met = _interval(values, events, 1 - 2 * self._met_error)
        return replace(missed, high=met.high) if self.sense == "<=" else replace(missed, low=met.low)

    def student_factor(self, n: int, decision: Literal["met", "missed"]) -> float:
        """Return the distance of the mean of n values from the target at which a look decides, in deviations of one value."""
        from scipy.special import stdtrit

        error = self._met_error if decision == "met" else self._missed_error
        return float(stdtrit(n - 1, 1 - error)) / math.sqrt(n)

    @property
    def _missed_error(self) -> float:
        # Error of one end of the interval at one look.
        return error_probability(self.confidence) / len(self.looks) / 2

    @property
    def _met_error(self) -> float:
        return self._missed_error if self.met_error is None else self.met_error / len(self.looks)

    def decide(self, values: Sequence[float], events: Sequence[EventCount] | None = None) -> Decision:
        """Decide from the replications so far, in the order of their numbers."""
        for n in self.looks:
            if n > len(values):
                break
            interval = self.interval(values[:n], None if events is None else events[:n])
            high, low = interval.high - self.target, interval.low - self.target
            if self.sense == "<=" and (high <= 0 or low > 0):
                return "met" if high <= 0 else "missed"
            if self.sense == ">=" and (low >= 0 or high < 0):
                return "met" if low >= 0 else "missed"
        return "open"


def _interval(values: Sequence[float], events: Sequence[EventCount] | None, confidence: float) -> Interval:
    return mean_interval(values, confidence) if events is None else event_interval(events, confidence)
