"""Resequencing at the receiver: a buffer puts packets back in order, which delays them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.columns import Int
from engine.results import Fate

_NEVER = np.iinfo(np.int64).max


def resequence(records: Mapping[str, Int], wait_ps: int) -> dict[str, Int]:
    """Return the records as the user of each flow sees them behind a resequencing buffer.

    A packet waits for all earlier ones of its flow. A missing packet is given up ``wait_ps`` after the first later one came.

    Parameters
    ----------
    records : mapping of str to ndarray of int64
        As for :func:`handoff.metrics.group_metrics`.
    wait_ps : int
        Longest wait for a missing packet.

    Returns
    -------
    dict of str to ndarray
        The same records; ``time_ps`` and ``delay_ps`` of delivered packets refer to their release from the buffer.
    """
    delivered = records["fate"] == Fate.DELIVERED
    first = np.append(True, (np.diff(records["flow"]) != 0) | (np.diff(records["seq"]) != 0))[: len(delivered)]
    packet = np.cumsum(first) - 1
    flow = records["flow"][first]
    arrival = np.full(len(flow), _NEVER)
    arrival[packet[delivered]] = records["time_ps"][delivered]
    given_up = _smallest_later(arrival, flow)
    given_up = np.where(given_up < _NEVER - wait_ps, given_up + wait_ps, _NEVER)
    settled = np.minimum(arrival, given_up)
    release = np.maximum(arrival, _largest_earlier(settled, flow))
    released = {name: values.copy() for name, values in records.items()}
    wait = release[packet[delivered]] - arrival[packet[delivered]]
    released["time_ps"][delivered] += wait
    released["delay_ps"][delivered] += wait
    return released


def _rank_in_flow(values: Int, flow: Int) -> tuple[Int, Int]:
    """Return the distinct values in order, and a number for each element that grows with (flow, value)."""
    ordered, rank = np.unique(values, return_inverse=True)
    return ordered, flow * len(ordered) + rank


def _smallest_later(values: Int, flow: Int) -> Int:
    """Return the smallest value of the later packets of the same flow; ``_NEVER`` if there is none."""
    if not len(values):
        return values
    ordered, number = _rank_in_flow(values, flow)
    smallest = np.minimum.accumulate(number[::-1])[::-1]
    later = np.full(len(values), _NEVER)
    same = flow[1:] == flow[:-1]
    later[:-1][same] = ordered[smallest[1:][same] - flow[1:][same] * len(ordered)]
    return later


def _largest_earlier(values: Int, flow: Int) -> Int:
    """Return the largest value of the earlier packets of the same flow; 0 if there is none."""
    if not len(values):
        return values
    ordered, number = _rank_in_flow(values, flow)
    largest = np.maximum.accumulate(number)
    earlier = np.zeros(len(values), np.int64)
    same = flow[1:] == flow[:-1]
    earlier[1:][same] = ordered[largest[:-1][same] - flow[1:][same] * len(ordered)]
    return earlier
