"""Packet reordering (RFC 4737)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Int
from handoff.metrics._packet_loops import find_late
from handoff.metrics.arrivals import Arrivals
from handoff.metrics.grouped import Bool


@dataclass(frozen=True)
class ReorderedArrivals:
    """Reordered arrivals, in order of arrival.

    Attributes
    ----------
    packet : ndarray of int64
        Row of the packet in the packet table.
    extent : ndarray of int64
        Reordering extent (RFC 4737, 4.2): number of arrivals since the earliest one with a larger sequence number.
    late_ps : ndarray of int64
        Late time offset (4.3): time since that arrival.
    n : ndarray of int64
        Largest n for which the packet is n-reordered (5.3): the n arrivals right before it all have larger sequence numbers.
        0 if the packet is reordered but follows a smaller number.
    free_run : ndarray of int64
        Length of the reordering-free run that the packet ends (4.6): arrivals in order since the previous reordered one.
    """

    packet: Int
    extent: Int
    late_ps: Int
    n: Int
    free_run: Int


def find_reordered(arrivals: Arrivals) -> ReorderedArrivals:
    """Find the arrivals with a sequence number below the next expected one of their flow (RFC 4737, 3.3)."""
    packet = arrivals.packet
    late = find_late(packet)
    if not len(late):
        return ReorderedArrivals(*[late] * 5)
    highest = np.maximum.accumulate(packet)
    # Rows of other flows before this one are smaller and those after it larger, so one search serves all flows.
    overtaker = np.searchsorted(highest, packet[late], side="right")
    previous = np.append(np.int64(-1), late[:-1])
    first = np.flatnonzero(arrivals.first)
    flow_start = first[np.searchsorted(first, late, side="right") - 1]
    return ReorderedArrivals(
        packet=packet[late],
        extent=late - overtaker,
        late_ps=arrivals.time_ps[late] - arrivals.time_ps[overtaker],
        n=late - 1 - _previous_smaller(packet, late),
        free_run=late - np.maximum(previous + 1, flow_start),
    )


def _previous_smaller(value: Int, at: Int) -> Int:
    """For each position in ``at``, find the last earlier position with a smaller value; -1 if there is none.

    The search uses a tree of minima: up while the node to the left has no smaller value, then down into the one that has.
    """
    levels = [np.concatenate((np.array([-1], np.int64), value))]  # a sentinel at 0: every search ends
    x, node, level = value[at], np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    unresolved, end = np.arange(len(at)), at + 1
    while len(unresolved):
        minima = levels[-1]
        odd = (end & 1) == 1
        left = np.where(odd, end - 1, 0)
        smaller: Bool = odd & (minima[left] < x[unresolved])
        node[unresolved[smaller]], level[unresolved[smaller]] = left[smaller], len(levels) - 1
        unresolved, end = unresolved[~smaller], end[~smaller] >> 1
        if len(unresolved):
            pairs = minima if len(minima) % 2 == 0 else np.append(minima, np.iinfo(np.int64).max)
            levels.append(np.minimum(pairs[0::2], pairs[1::2]))
    for depth in range(len(levels) - 2, -1, -1):
        down = np.flatnonzero(level > depth)
        right = 2 * node[down] + 1
        minima = levels[depth]
        inside = right < len(minima)
        hit = inside & (minima[np.where(inside, right, 0)] < x[down])
        node[down] = right - ~hit
    return node - 1
