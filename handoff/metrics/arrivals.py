"""First arrivals of packets in the order of their arrival, and the jitter (RFC 3550) at each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.columns import Int
from handoff.metrics.grouped import Bool, Float

JITTER_GAIN = 16
"""Divisor of the noise reduction in the jitter estimate (RFC 3550, 6.4.1)."""
JITTER_HORIZON = 512
"""Largest step of the doubling: it covers 1024 arrivals. Earlier ones weigh less than 2e-29."""


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

    @cached_property
    def gap_ends(self) -> Int:
        """Rows of the arrivals that end a gap: all but the first of each flow."""
        return np.flatnonzero(~self.first)

    @cached_property
    def gap_ps(self) -> Int:
        """Time between each of these arrivals and the one before it."""
        gaps: Int = np.diff(self.time_ps)[~self.first[1:]]
        return gaps

    def flow_start(self) -> Int:
        """Return, for each arrival, the row of the first arrival of its flow."""
        rows = np.arange(len(self.packet))
        start: Int = np.maximum.accumulate(np.where(self.first, rows, 0))
        return start


def changes(values: Int) -> Bool:
    """Return True at each element that differs from the one before it, and at the first."""
    change = np.ones(len(values), np.bool_)
    change[1:] = values[1:] != values[:-1]
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


def interarrival_jitter(arrivals: Arrivals) -> Float:
    """Return the interarrival jitter after each arrival (RFC 3550, 6.4.1), in ps.

    The recurrence ``J += (|D| - J) / 16``, from 0 in each flow, is the sum of ``(15/16)**k |D| / 16`` over the arrivals before.
    The sum is computed by doubling.
    """
    total = np.zeros(len(arrivals.delay_ps))
    total[1:] = np.abs(np.diff(arrivals.delay_ps)) / JITTER_GAIN
    total[arrivals.first] = 0
    position = np.arange(len(total)) - arrivals.flow_start()
    longest = int(position.max(initial=0))
    early = np.flatnonzero(position < JITTER_HORIZON)  # arrivals whose sum does not reach back by each step
    early_position = position[early]
    step = 1
    while step <= min(longest, JITTER_HORIZON):
        earlier = total[:-step] * ((JITTER_GAIN - 1) / JITTER_GAIN) ** step
        outside = early[early_position < step] - step
        earlier[outside[outside >= 0]] = 0
        total[step:] += earlier
        step *= 2
    return total
