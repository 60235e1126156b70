"""Packet reordering (RFC 4737)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Int
from handoff.metrics.grouped import Bool
from handoff.metrics.packet_table import Arrivals


@dataclass(frozen=True)
class Reordered:
    """Reordered arrivals, in order of arrival.

    Attributes
    ----------
    group : ndarray of int64
        The packet's group.
    extent : ndarray of int64
        How many arrivals ago the first packet with a larger sequence number came (RFC 4737, 4.2).
    late_ps : ndarray of int64
        How long ago that was (4.3).
    n : ndarray of int64
        Largest n for which the packet is n-reordered (5.3): so many arrivals right before it all have larger
        sequence numbers. 0: it is reordered, but follows a smaller one.
    run : ndarray of int64
        Length of the reordering-free run that it ends: arrivals in order since the previous reordered one (4.6).
    """

    group: Int
    extent: Int
    late_ps: Int
    n: Int
    run: Int


def find_reordered(arrivals: Arrivals) -> Reordered:
    """Arrivals with a sequence number below the next expected one of their flow (RFC 4737, 3.3)."""
    packet = arrivals.packet
    highest = np.maximum.accumulate(packet)
    late = np.flatnonzero(packet < highest)
    # Rows of other flows before this one are smaller and those after it larger, so one search serves all flows.
    overtaker = np.searchsorted(highest, packet[late], side="right")
    begin = np.maximum.accumulate(np.where(arrivals.first, np.arange(len(packet)), 0))[late]
    previous = np.empty_like(late)
    previous[:1] = -1
    previous[1:] = late[:-1]
    return Reordered(
        group=arrivals.group[late],
        extent=late - overtaker,
        late_ps=arrivals.time_ps[late] - arrivals.time_ps[overtaker],
        n=late - 1 - _previous_smaller(packet, late),
        run=late - np.maximum(previous + 1, begin),
    )


def _previous_smaller(value: Int, at: Int) -> Int:
    """For each position of ``at`` the last one before it with a smaller value; -1 if there is none.

    A tree of minima: up while the node to the left has no smaller value, then down into the one that has.
    """
    levels = [np.concatenate((np.array([-1], np.int64), value))]  # a sentinel at 0: every search ends
    x, node, level = value[at], np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    open_, end = np.arange(len(at)), at + 1
    while len(open_):
        minima = levels[-1]
        odd = (end & 1) == 1
        left = np.where(odd, end - 1, 0)
        found: Bool = odd & (minima[left] < x[open_])
        node[open_[found]], level[open_[found]] = left[found], len(levels) - 1
        open_, end = open_[~found], end[~found] >> 1
        if len(open_):
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
