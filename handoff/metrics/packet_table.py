"""Table of packets, built once from the records of packet copies and then grouped in any number of ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.columns import Int
from engine.results import Fate
from handoff.metrics._packet_loops import find_packets, join_copies, vary_delays
from handoff.metrics.arrivals import Arrivals, sort_arrivals
from handoff.metrics.grouped import Bool
from handoff.metrics.reordering import ReorderedArrivals, find_reordered

_RECORDS = ("flow", "seq", "copy", "fate", "time_ps", "delay_ps")


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
    ipdv_abs_ps : ndarray of int64
        Absolute difference from the delay of the packet that was sent just before (RFC 3393); -1 unless both were delivered.
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
    ipdv_abs_ps: Int
    arrivals: Arrivals

    @cached_property
    def has_predecessor(self) -> Bool:
        """True for each delivered packet that was sent just after a delivered one of its flow."""
        return self.ipdv_abs_ps >= 0

    @cached_property
    def reordered(self) -> ReorderedArrivals:
        """The reordered arrivals (RFC 4737), found at the first access."""
        return find_reordered(self.arrivals)

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
        own = np.ascontiguousarray(self.of_packets(group))
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
    flow, seq, copy, fate, time_ps, delay_ps = (np.ascontiguousarray(records[name], np.int64) for name in _RECORDS)
    first_record, packet_of_record = find_packets(flow, seq, copy)
    packets = len(first_record)
    delivered, lost, unfinished, copies, packet_delay_ps = join_copies(packet_of_record, fate, delay_ps, packets)
    record = np.flatnonzero(fate == Fate.DELIVERED)
    arrivals = sort_arrivals(flow[record], packet_of_record[record], time_ps[record], delay_ps[record])
    if packets < len(flow):
        flow, seq = flow[first_record], seq[first_record]
    variations = vary_delays(flow, seq, packet_delay_ps, delivered)
    return PacketTable(
        first_record, packet_of_record, flow, seq, delivered, lost, unfinished, copies, packet_delay_ps, *variations, arrivals
    )
