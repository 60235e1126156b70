"""Resequencing at the receiver: what a buffer that puts packets back in order makes of their delays (decisions, 16)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.columns import Int
from engine.results import Fate

_NEVER = np.iinfo(np.int64).max


def resequence(columns: Mapping[str, Int], wait_ps: int) -> dict[str, Int]:
    """Records as the user of each flow sees them behind a resequencing buffer.

    A packet waits for all earlier ones of its flow; a missing one is given up ``wait_ps`` after the first later one came.

    Parameters
    ----------
    columns : mapping of str to ndarray of int64
        As for :func:`handoff.metrics.group_metrics`.
    wait_ps : int
        Longest wait.

    Returns
    -------
    dict of str to ndarray
        The same records, with ``time_ps`` and ``delay_ps`` of delivered packets moved to their release.
    """
    heard = columns["fate"] == Fate.DELIVERED
    first = np.append(True, (np.diff(columns["flow"]) != 0) | (np.diff(columns["seq"]) != 0))[: len(heard)]
    packet = np.cumsum(first) - 1
    flow = columns["flow"][first]
    arrival = np.full(len(flow), _NEVER)
    arrival[packet[heard]] = columns["time_ps"][heard]
    given_up = _later_minimum(arrival, flow)
    given_up = np.where(given_up < _NEVER - wait_ps, given_up + wait_ps, _NEVER)
    settled = np.minimum(arrival, given_up)
    release = np.maximum(arrival, _earlier_maximum(settled, flow))
    moved = {name: values.copy() for name, values in columns.items()}
    later = release[packet[heard]] - arrival[packet[heard]]
    moved["time_ps"][heard] += later
    moved["delay_ps"][heard] += later
    return moved


def _ranks(values: Int, flow: Int) -> tuple[Int, Int]:
    """The values in order, and one number each that grows with (flow, value)."""
    ordered, rank = np.unique(values, return_inverse=True)
    return ordered, flow * len(ordered) + rank


def _later_minimum(values: Int, flow: Int) -> Int:
    """Smallest value of the packets behind each one in its flow; never if there are none."""
    if not len(values):
        return values
    ordered, number = _ranks(values, flow)
    least = np.minimum.accumulate(number[::-1])[::-1]
    behind = np.full(len(values), _NEVER)
    same = flow[1:] == flow[:-1]
    behind[:-1][same] = ordered[least[1:][same] - flow[1:][same] * len(ordered)]
    return behind


def _earlier_maximum(values: Int, flow: Int) -> Int:
    """Largest value of the packets before each one in its flow; 0 if there are none."""
    if not len(values):
        return values
    ordered, number = _ranks(values, flow)
    most = np.maximum.accumulate(number)
    before = np.zeros(len(values), np.int64)
    same = flow[1:] == flow[:-1]
    before[1:][same] = ordered[most[:-1][same] - flow[1:][same] * len(ordered)]
    return before
