"""Arrivals within the spans of handoffs: a search for each span and flow instead of one for each packet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Columns, Int
from handoff.metrics.packet_table import PacketTable


@dataclass(frozen=True)
class ArrivalSpans:
    """Slices of the first arrivals of a packet table: one for each pair of a span and a flow of its mobile node.

    Attributes
    ----------
    span : ndarray of int64
        Span of each slice.
    begin, end : ndarray of int64
        First row of the slice in the arrivals, and the row after the last one. The arrivals of the slice are those whose latest
        begun span is this one and still open.
    flow_end : ndarray of int64
        Row after the last arrival of the flow.
    """

    span: Int
    begin: Int
    end: Int
    flow_end: Int

    def span_of_arrivals(self, arrivals: int) -> Int:
        """Return the span of each arrival; -1 if there is none."""
        count = np.maximum(self.end - self.begin, 0)
        spans = np.full(arrivals, -1)
        spans[_expand_ranges(self.begin, count)] = np.repeat(self.span, count)
        return spans

    def first_arrivals(self) -> Int:
        """Return the first arrival of a flow after the begin of each span, where there is one."""
        return self.begin[self.begin < self.flow_end]


def find_arrivals(spans: Columns, mobile_of_flow: Int, table: PacketTable, reached_ps: int) -> ArrivalSpans:
    """Find the arrivals in the spans of the mobile nodes that their flows belong to.

    Parameters
    ----------
    spans : dict of str to ndarray
        ``mobile``, ``open_ps`` and ``end_ps``; -1 if the span was still open at the end of the run. The spans of a mobile node do
        not overlap.
    mobile_of_flow : ndarray of int64
        Mobile node of each flow.
    table : PacketTable
        Table of the packets.
    reached_ps : int
        End of the run.
    """
    arrivals = table.arrivals
    first = np.flatnonzero(arrivals.first)
    flow_begin, flow_end = np.zeros((2, len(mobile_of_flow)), np.int64)
    flow = table.flow[arrivals.packet[first]]
    flow_begin[flow], flow_end[flow] = first, np.append(first[1:], len(arrivals.packet))
    order = np.lexsort((spans["open_ps"], spans["mobile"]))
    mobile, open_ps = spans["mobile"][order], spans["open_ps"][order]
    end_ps = np.where(spans["end_ps"] >= 0, spans["end_ps"], reached_ps)[order]
    flows = np.argsort(mobile_of_flow, kind="stable")
    low, high = (np.searchsorted(mobile_of_flow[flows], mobile, side=side) for side in ("left", "right"))
    row, flow = np.repeat(np.arange(len(order)), high - low), flows[_expand_ranges(low, high - low)]
    begin = _search_slices(arrivals.time_ps, flow_begin[flow], flow_end[flow], open_ps[row])
    end = _search_slices(arrivals.time_ps, flow_begin[flow], flow_end[flow], end_ps[row] + 1)
    following = np.minimum(row + 1, len(order) - 1)
    has_following = (row + 1 < len(order)) & (mobile[following] == mobile[row])
    following_begin = _search_slices(arrivals.time_ps, flow_begin[flow], flow_end[flow], open_ps[following])
    return ArrivalSpans(order[row], begin, np.where(has_following, np.minimum(end, following_begin), end), flow_end[flow])


def _expand_ranges(begin: Int, count: Int) -> Int:
    """Return the integers of all ranges, one range after the other."""
    before = np.cumsum(count) - count
    return np.repeat(begin - before, count) + np.arange(int(count.sum()))


def _search_slices(values: Int, begin: Int, end: Int, target: Int) -> Int:
    """Return, for each slice of ``values``, the row of its first value that is at least the target. Each slice is sorted."""
    low, high = begin.copy(), end.copy()
    while (unresolved := low < high).any():
        middle = (low + high) // 2
        smaller = unresolved & (values[np.minimum(middle, len(values) - 1)] < target)
        low = np.where(smaller, middle + 1, low)
        high = np.where(unresolved & ~smaller, middle, high)
    return low
