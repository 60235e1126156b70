"""The early end of a run: a measure of its handoffs is certain to reach a value, whatever the rest of the run brings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.columns import Columns, Int
from handoff.protocol.handoff_records import HandoffRecords
from handoff.simulation.handoff_metrics import latencies, registration_delays

CHECKS = 60
"""Number of times in a run at which it may end early. They are instants of simulated time, so that no result depends on speed."""
_QUANTILES = {"p50": 0.5, "p99": 0.99}


@dataclass(frozen=True)
class EarlyEnd:
    """Condition for the early end of a run.

    A reply only adds a value to the measure, or makes one larger, and there is at most one value for each handoff. The values so
    far therefore bound the mean and the quantiles of the whole run from below.

    Attributes
    ----------
    measure : str
        ``registration_delay`` or ``latency`` with ``_mean``, ``_p50`` or ``_p99``.
    at_least : float
        The run ends when the measure of the whole run is certain to be at least this much, in ps.
    """

    measure: str
    at_least: float

    def is_certain(self, records: HandoffRecords) -> bool:
        """Return whether the handoffs so far make the measure of the whole run at least ``at_least``."""
        name, _, statistic = self.measure.rpartition("_")
        return lower_bound(_VALUES[name](records.columns), statistic) >= self.at_least


def can_end_early(measure: str) -> bool:
    """Return whether the handoffs so far bound a measure from below."""
    name, _, statistic = measure.rpartition("_")
    return name in _VALUES and (statistic == "mean" or statistic in _QUANTILES)


def lower_bound(values: Int, statistic: str) -> float:
    """Return a lower bound of the mean or a quantile of the values of all handoffs.

    Parameters
    ----------
    values : ndarray of int64
        One for each handoff of the run; -1 if it is not measured yet, and perhaps never will be.
    statistic : {"mean", "p50", "p99"}
        The mean, or which quantile.

    Returns
    -------
    float
        -inf if the values are too few for a bound.
    """
    measured, handoffs = values[values >= 0], len(values)
    if statistic == "mean":
        return float(measured.sum(dtype=np.float64)) / handoffs if handoffs else -math.inf
    # The quantile of n <= handoffs values is at least their (n - floor((n - 1) q))-th largest, and this rank does not fall as n
    # rises. One more place allows for the rounding of the product.
    rank = handoffs - math.floor((handoffs - 1) * _QUANTILES[statistic]) + 1
    return float(np.partition(measured, len(measured) - rank)[len(measured) - rank]) if rank <= len(measured) else -math.inf


_VALUES: dict[str, Callable[[Columns], Int]] = {"registration_delay": registration_delays, "latency": latencies}

__all__ = ["EarlyEnd", "can_end_early", "lower_bound"]
