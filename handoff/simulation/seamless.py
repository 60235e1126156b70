"""Seamless handoffs: none of their packets is lost, out of order or late (docs/measures.md)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine import Network
from engine.columns import Columns, Int
from handoff.metrics._packet_loops import find_sudden_delays
from handoff.metrics.grouped import Bool
from handoff.simulation.arrival_spans import find_arrivals
from handoff.simulation.handoff_metrics import PacketRecords
from handoff.simulation.path_delays import PathDelays

PathDifference = Callable[[int, int, int, int], int]
"""Difference (ps) of the delays of the old and the new path, from flow, sequence number, old router and new router."""


def judge_handoffs(packets: PacketRecords, handoffs: Columns, handoff: Int, path_difference: PathDifference) -> Int:
    """Return 1 for each handoff that is seamless, 0 for each other one, and -1 for a handoff without packets.

    A packet of the handoff is late if its delay exceeds the delay of the packet that arrived before it in its flow by more than
    the flow's largest such excess outside all handoffs, plus the difference of the delays of the two paths.

    Parameters
    ----------
    packets : PacketRecords
        Packets of the whole run, both directions.
    handoffs : dict of str to ndarray
        All handoffs of the run (:func:`handoff.simulation.handoff_metrics.handoff_columns`).
    handoff : ndarray of int64
        Handoff of each packet (:func:`handoff.simulation.handoff_metrics.handoff_of_packets`).
    path_difference : callable
        See ``PathDifference``.
    """
    table, count = packets.table, len(handoffs["mobile"])
    reordered = np.zeros(len(handoff), np.bool_)
    reordered[table.reordered.packet] = True
    rows = np.flatnonzero(handoff >= 0)
    disturbed = np.zeros(count, np.bool_)
    disturbed[handoff[rows[table.lost[rows] | reordered[rows]]]] = True
    disturbed[handoff[_late_packets(packets, handoffs, handoff, reordered, path_difference)]] = True
    has_packets = np.zeros(count, np.bool_)
    has_packets[handoff[rows]] = True
    return np.where(has_packets, 1 - disturbed, -1)


def _late_packets(
    packets: PacketRecords, handoffs: Columns, handoff: Int, reordered: Bool, path_difference: PathDifference
) -> Int:
    """Return the rows, in the packet table, of the packets of handoffs that are late."""
    table, arrivals = packets.table, packets.table.arrivals
    interrupted = arrivals.first.copy()  # a handoff has begun since the arrival before
    interrupted[find_arrivals(handoffs, packets.mobiles.mobile, table, packets.reached_ps).first_arrivals()] = True
    rows, beyond_ps = find_sudden_delays(
        arrivals.packet, arrivals.delay_ps, interrupted, table.flow, handoff, reordered, len(packets.mobiles.mobile)
    )
    packet = arrivals.packet[rows]
    old, new = handoffs["old_router"][handoff[packet]], handoffs["new_router"][handoff[packet]]
    difference = map(path_difference, table.flow[packet].tolist(), table.seq[packet].tolist(), old.tolist(), new.tolist())
    return packet[beyond_ps > np.fromiter(difference, np.int64, len(rows))]


def path_differences(network: Network, delays: PathDelays) -> PathDifference:
    """Return the difference of the delays of the two paths of a handoff for the packets of a network's flows."""
    flows = network.flows()
    node, source, size = (flows[name].tolist() for name in ("node", "source", "size"))
    from_home = network.flow_column("peer", np.int32) >= 0  # a handoff of the receiver changes the path from its home node
    up = (flows["up"].astype(bool) & ~from_home).tolist()

    def difference(flow: int, seq: int, old_router: int, new_router: int) -> int:
        size_bytes = size[flow]
        if source[flow] >= 2:  # a replay, whose packets differ in size
            sizes = network.replays[source[flow] - 2].sizes
            size_bytes = int(sizes[seq % len(sizes)])
        return delays.difference(node[flow], up[flow], old_router, new_router, size_bytes)

    return difference
