"""First arrivals of packets in the order of their arrival."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Int
from handoff.metrics.grouped import Bool


@dataclass(frozen=True)
class Arrivals:
    """First arrivals (no duplicates), sorted by flow, then by time; equal times by sequence number.

    Attributes
    ----------
    packet : ndarray of int64
        Row of the packet in the packet table. Rows rise with the flow, so a running maximum over all arrivals never mixes two
        flows.
    time_ps, delay_ps : ndarray of int64
        Time of the arrival, and its one-way delay.
    first : ndarray of bool
        True at the first arrival of each flow.
    """

    packet: Int
    time_ps: Int
    delay_ps: Int
    first: Bool


def changes(values: Int) -> Bool:
    """Return True at each element that differs from the one before it, and at the first."""
    change = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=change[1:])
    return change


def sort_arrivals(flow: Int, packet: Int, time_ps: Int, delay_ps: Int) -> Arrivals:
    """Sort first arrivals by flow and time.

    Parameters
    ----------
    flow, packet, time_ps, delay_ps : ndarray of int64
        One element for each delivered packet, sorted by flow and sequence number.
    """
    first = changes(flow)
    overtaken = np.flatnonzero((time_ps[1:] < time_ps[:-1]) & ~first[1:])
    if len(overtaken):  # only flows in which a packet overtakes another need sorting
        flow_number = np.cumsum(first) - 1
        unsorted = np.zeros(flow_number[-1] + 1, np.bool_)
        unsorted[flow_number[overtaken]] = True
        rows = np.flatnonzero(unsorted[flow_number])
        order = rows[np.lexsort((time_ps[rows], flow_number[rows]))]  # stable: equal times stay in sending order
        packet, time_ps, delay_ps = packet.copy(), time_ps.copy(), delay_ps.copy()
        for column in (packet, time_ps, delay_ps):
            column[rows] = column[order]
    return Arrivals(packet, time_ps, delay_ps, first)
