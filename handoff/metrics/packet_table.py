"""Packets and arrivals made of the records of packet copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.columns import Int
from engine.results import Fate
from handoff.metrics.grouped import Bool, Float


@dataclass(frozen=True)
class Arrivals:
    """First arrivals of packets (no duplicates), by flow and, within one, by time; equal times by sequence number.

    Attributes
    ----------
    packet : ndarray of int64
        Row of the packet. Rows rise with the flow, so a running maximum over all arrivals never mixes two flows.
    time_ps, delay_ps : ndarray of int64
        When, and how long after sending.
    first : ndarray of bool
        The flow's first arrival.
    group : ndarray of int64
        The packet's group.
    """

    packet: Int
    time_ps: Int
    delay_ps: Int
    first: Bool
    group: Int


@dataclass(frozen=True)
class Packets:
    """One row a packet, by flow and sequence number.

    Attributes
    ----------
    flow, seq, group : ndarray of int64
        Which; a group below 0 is none.
    delivered, lost, unfinished : ndarray of bool
        Exactly one is true.
    copies : ndarray of int64
        Further copies delivered (``Fate.DUPLICATE``).
    delay_ps, pdv_ps : ndarray of int64
        Of the first arrival, and its excess over the smallest of the flow; -1 if not delivered.
    arrivals : Arrivals
        The delivered ones in order of arrival.
    """

    flow: Int
    seq: Int
    group: Int
    delivered: Bool
    lost: Bool
    unfinished: Bool
    copies: Int
    delay_ps: Int
    pdv_ps: Int
    arrivals: Arrivals


def build_packet_table(columns: Mapping[str, Int], group: Int, groups: int) -> Packets:
    """Packets of the records ``columns`` (see :func:`handoff.metrics.group_metrics`).

    Raises
    ------
    ValueError
        The records are not sorted, a packet is in two groups, a group is too large, or a packet has several first
        deliveries or duplicates without one.
    """
    flow, seq, copy, fate = (np.asarray(columns[name], np.int64) for name in ("flow", "seq", "copy", "fate"))
    group = np.asarray(group, np.int64)
    start = _starts(flow, seq, copy)
    if len(group) != len(flow) or (len(group) and group.max() >= groups):
        raise ValueError(f"group needs one element a record, each below {groups}")
    if np.any((group[1:] != group[:-1]) & ~start[1:]):
        raise ValueError("copies of one packet are in different groups")
    head = np.flatnonzero(start)
    row = np.cumsum(start) - 1

    def each(where: Bool) -> Int:
        return np.bincount(row[where], minlength=len(head)).astype(np.int64, copy=False)

    arrived, copies, flying = each(fate == Fate.DELIVERED), each(fate == Fate.DUPLICATE), each(fate == Fate.IN_FLIGHT)
    if np.any(arrived > 1) or np.any((copies > 0) & (arrived == 0)):
        raise ValueError("a packet has several first deliveries, or duplicates without one")
    delivered = arrived == 1
    record = np.flatnonzero(fate == Fate.DELIVERED)
    delay, pdv = np.full(len(head), -1, np.int64), np.full(len(head), -1, np.int64)
    delay[delivered] = columns["delay_ps"][record]
    if len(record):
        first = _changes(flow[record])
        least = np.minimum.reduceat(delay[delivered], np.flatnonzero(first))
        pdv[delivered] = delay[delivered] - least[np.cumsum(first) - 1]
    return Packets(
        flow[head], seq[head], group[head], delivered, ~delivered & (flying == 0), ~delivered & (flying > 0), copies, delay, pdv,
        _arrivals(flow[record], row[record], np.asarray(columns["time_ps"][record], np.int64), delay[delivered], group[record]),
    )  # fmt: skip


def _starts(flow: Int, seq: Int, copy: Int) -> Bool:
    start = np.ones(len(flow), np.bool_)
    same_flow, same_seq = flow[1:] == flow[:-1], seq[1:] == seq[:-1]
    start[1:] = ~(same_flow & same_seq)
    rising = (flow[1:] > flow[:-1]) | (same_flow & ((seq[1:] > seq[:-1]) | (same_seq & (copy[1:] > copy[:-1]))))
    if not rising.all():
        raise ValueError("records are not sorted by flow, seq and copy")
    return start


def _changes(value: Int) -> Bool:
    change = np.ones(len(value), np.bool_)
    change[1:] = value[1:] != value[:-1]
    return change


def _arrivals(flow: Int, packet: Int, time: Int, delay: Int, group: Int) -> Arrivals:
    first = _changes(flow)
    overtaken = np.flatnonzero((time[1:] < time[:-1]) & ~first[1:])
    if len(overtaken):  # only flows that have one need sorting
        nth = np.cumsum(first) - 1
        mixed = np.zeros(nth[-1] + 1, np.bool_)
        mixed[nth[overtaken]] = True
        rows = np.flatnonzero(mixed[nth])
        order = rows[np.lexsort((time[rows], nth[rows]))]  # stable: equal times stay in sending order
        packet, time, delay, group = packet.copy(), time.copy(), delay.copy(), group.copy()
        for column in (packet, time, delay, group):
            column[rows] = column[order]
    return Arrivals(packet, time, delay, first, group)


def jitter(arrivals: Arrivals) -> Float:
    """Interarrival jitter after each arrival (RFC 3550, 6.4.1), ps: ``J += (|D| - J) / 16`` from 0 on in each flow.

    The recurrence is the sum of ``(15/16)**k |D|/16`` over the arrivals before, computed by doubling; what lies 1024
    arrivals back weighs 2e-29 and is left out.
    """
    total = np.zeros(len(arrivals.delay_ps))
    total[1:] = np.abs(np.diff(arrivals.delay_ps)) / 16
    total[arrivals.first] = 0
    place = np.arange(len(total)) - np.maximum.accumulate(np.where(arrivals.first, np.arange(len(total)), 0))
    longest = int(place.max(initial=0))
    step = 1
    while step <= min(longest, 512):
        total[step:] += np.where(place[step:] >= step, total[:-step] * (15 / 16) ** step, 0)
        step *= 2
    return total
