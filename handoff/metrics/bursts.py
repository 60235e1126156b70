"""Bursts of events within handoffs: the columns of a run that the intervals of rare events need, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.columns import Columns
from handoff.metrics.event_interval import EventCount

BURST_KINDS = ("dropped", "duplicate", "reordered", "after_marker")
"""Events that are counted for each handoff. Dropped copies stand for lost packets, of which there are never more."""
BURST_COLUMNS = {
    "handoff_packets_max": True,
    **{f"handoff_{kind}{part}": is_integer for kind in BURST_KINDS for part, is_integer in (("", True), ("_squares", False))},
}
"""Names of the columns; true for integers."""


def burst_columns(handoffs: Columns) -> dict[str, int | float]:
    """Return the values of ``BURST_COLUMNS`` for the handoffs of a run.

    ``handoff_packets_max`` is the largest number of packets of one handoff, delivered or dropped. For each kind of event the
    columns are the number of events within handoffs and the sum of the squares of the number in each handoff. The sums are exact
    up to 2**53.
    """
    columns: dict[str, int | float] = {"handoff_packets_max": int((handoffs["delivered"] + handoffs["dropped"]).max(initial=0))}
    for kind in BURST_KINDS:
        columns[f"handoff_{kind}"] = int(handoffs[kind].sum())
        columns[f"handoff_{kind}_squares"] = float((handoffs[kind].astype(np.float64) ** 2).sum())
    return columns


def count_events(row: Mapping[str, Any], events: str, trials: float, kind: str, is_share: bool = False) -> EventCount | None:
    """Return the events of a run with their bursts.

    Parameters
    ----------
    row : mapping of str to value
        Row of the table ``runs``.
    events : str
        Column with the number of events.
    trials : float
        What they are counted against.
    kind : str
        One of ``BURST_KINDS``.
    is_share : bool
        True if each event is one of the trials.

    Returns
    -------
    EventCount or None
        None if another version of the code wrote the row, without ``BURST_COLUMNS``.
    """
    if row.get("handoff_packets_max") is None or row[events] is None:
        return None
    return EventCount(
        row[events], trials, is_share, clusters=row["handoffs"],
        clustered=row[f"handoff_{kind}"], squares=row[f"handoff_{kind}_squares"], largest=row["handoff_packets_max"],
    )  # fmt: skip
