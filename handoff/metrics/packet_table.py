"""Table of packets, built once from the records of packet copies and then grouped in any number of ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.columns import Int
from engine.results import Fate
from handoff.metrics.arrivals import Arrivals, changes, interarrival_jitter, sort_arrivals
from handoff.metrics.grouped import Bool, Float
from handoff.metrics.reordering import ReorderedArrivals, find_reordered


@dataclass(frozen=True)
class Successors:
    """Delivered packets that were sent just after another delivered packet of their flow.

    Attributes
    ----------
    packet : ndarray of int64
        Row of the packet in the packet table.
    ipdv_abs_ps : ndarray of int64
        Absolute difference of the delays of both packets (RFC 3393).
    """

    packet: Int
    ipdv_abs_ps: Int


@dataclass(frozen=True)
class PacketTable:
    """One row for each packet, sorted by flow and sequence number.

    Attributes
    ----------
    first_record : ndarray of int64
        Row of the packet's first copy in the records.
    packet_of_record : ndarray of int64
        Row of the packet in this table, for each record.
    flow, seq : ndarray of int64
        Flow, and sequence number within it.
    delivered, lost, unfinished : ndarray of bool
        Exactly one of the three is true.
    copies : ndarray of int64
        Number of further copies delivered (``Fate.DUPLICATE``).
    delay_ps, pdv_ps : ndarray of int64
        Delay of the first arrival, and its excess over the smallest delay of the flow; -1 if the packet was not delivered.
    arrivals : Arrivals
        First arrivals of the delivered packets.
    """

    first_record: Int
    packet_of_record: Int
    flow: Int
    seq: Int
    delivered: Bool
    lost: Bool
    unfinished: Bool
    copies: Int
    delay_ps: Int
    pdv_ps: Int
    arrivals: Arrivals

    @cached_property
    def delivered_rows(self) -> Int:
        """Rows of the delivered packets."""
        return np.flatnonzero(self.delivered)

    @cached_property
    def delivered_delay_ps(self) -> Int:
        """Delays of the delivered packets."""
        return self.delay_ps[self.delivered_rows]

    @cached_property
    def delivered_pdv_ps(self) -> Int:
        """Excess delays of the delivered packets."""
        return self.pdv_ps[self.delivered_rows]

    @cached_property
    def reordered(self) -> ReorderedArrivals:
        """The reordered arrivals (RFC 4737), found at the first access."""
        return find_reordered(self.arrivals)

    @cached_property
    def jitter(self) -> Float:
        """Interarrival jitter after each arrival (RFC 3550), computed at the first access."""
        return interarrival_jitter(self.arrivals)

    @cached_property
    def successors(self) -> Successors:
        """The delivered packets that were sent just after a delivered one, found at the first access."""
        follows = (self.flow[1:] == self.flow[:-1]) & (self.seq[1:] == self.seq[:-1] + 1)
        packet = np.flatnonzero(follows & self.delivered[1:] & self.delivered[:-1]) + 1
        return Successors(packet, np.abs(self.delay_ps[packet] - self.delay_ps[packet - 1]))

    def of_packets(self, column: Int) -> Int:
        """Return a column of the records for each packet: the value of its first copy."""
        return column if len(column) == len(self.first_record) else column[self.first_record]

    def packet_groups(self, group: Int, groups: int) -> Int:
        """Return the group of each packet.

        Parameters
        ----------
        group : ndarray of int64
            Group of each record, the same for all copies of a packet; below 0 for no group.
        groups : int
            Number of groups.

        Raises
        ------
        ValueError
            If the length is not the number of records, a group is too large, or copies of one packet are in two groups.
        """
        group = np.asarray(group, np.int64)
        if len(group) != len(self.packet_of_record) or (len(group) and group.max() >= groups):
            raise ValueError(f"group needs one element a record, each below {groups}")
        own = self.of_packets(group)
        if np.any(group != own[self.packet_of_record]):
            raise ValueError("copies of one packet are in different groups")
        return own


def build_packet_table(records: Mapping[str, Int]) -> PacketTable:
    """Build the table of packets from records of packet copies.

    Parameters
    ----------
    records : mapping of str to ndarray of int64
        As for :func:`handoff.metrics.group_metrics`.

    Raises
    ------
    ValueError
        If the records are not sorted, or a packet has several first deliveries or duplicates without one.
    """
    flow, seq, copy, fate = (np.asarray(records[name], np.int64) for name in ("flow", "seq", "copy", "fate"))
    start = _packet_starts(flow, seq, copy)
    first_record = np.flatnonzero(start)
    is_single = len(first_record) == len(flow)  # no packet has a second copy
    packet_of_record = first_record if is_single else np.cumsum(start) - 1

    def count_records(where: Bool) -> Int | Bool:
        if is_single:
            return where
        return np.bincount(packet_of_record[where], minlength=len(first_record)).astype(np.int64, copy=False)

    is_delivered = fate == Fate.DELIVERED
    deliveries, duplicates = count_records(is_delivered), count_records(fate == Fate.DUPLICATE)
    delivered, is_flying = deliveries > 0, count_records(fate == Fate.IN_FLIGHT) > 0
    if np.any(deliveries > 1) or np.any((duplicates > 0) & ~delivered):
        raise ValueError("a packet has several first deliveries, or duplicates without one")
    record = np.flatnonzero(is_delivered)
    flow_of_delivered, delay_ps = flow[record], records["delay_ps"][record]
    delay, pdv = np.full(len(first_record), -1, np.int64), np.full(len(first_record), -1, np.int64)
    delay[delivered] = delay_ps
    if len(record):
        first = np.flatnonzero(changes(flow_of_delivered))
        smallest = np.minimum.reduceat(delay_ps, first)
        pdv[delivered] = delay_ps - np.repeat(smallest, np.diff(first, append=len(record)))
    time_ps = np.asarray(records["time_ps"][record], np.int64)
    flow_of_packet, seq_of_packet = (flow, seq) if is_single else (flow[first_record], seq[first_record])
    return PacketTable(
        first_record, packet_of_record, flow_of_packet, seq_of_packet, delivered, ~(delivered | is_flying),
        is_flying & ~delivered, duplicates.astype(np.int64, copy=False), delay, pdv,
        sort_arrivals(flow_of_delivered, packet_of_record[record], time_ps, delay_ps),
    )  # fmt: skip


def _packet_starts(flow: Int, seq: Int, copy: Int) -> Bool:
    start = np.ones(len(flow), np.bool_)
    same_flow, same_seq = flow[1:] == flow[:-1], seq[1:] == seq[:-1]
    start[1:] = ~(same_flow & same_seq)
    rising = (flow[1:] > flow[:-1]) | (same_flow & ((seq[1:] > seq[:-1]) | (same_seq & (copy[1:] > copy[:-1]))))
    if not rising.all():
        raise ValueError("records are not sorted by flow, seq and copy")
    return start
