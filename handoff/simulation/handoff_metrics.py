"""Columns of handoffs, flows and the whole study: the protocol's records joined with the engine's spans and packet records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import Fate, Network, Result
from engine.columns import Columns, Int, distinct
from handoff.metrics import CODECS
from handoff.metrics._group_loops import count_elements
from handoff.metrics.packet_metrics import FLOAT_METRICS, GROUP_METRICS, measure_groups
from handoff.metrics.packet_table import PacketTable, build_packet_table
from handoff.metrics.resequencing import resequence
from handoff.metrics.voice import measure_voice
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.setup import ProcedureGroups
from handoff.simulation.arrival_spans import find_arrivals

VOICE = ("r_factor", "mos")
"""Metrics of voice quality: each flow is judged as a G.711 call with packet loss concealment."""
METRICS = {name: name not in FLOAT_METRICS for name in GROUP_METRICS}
"""Names of all metrics of a group of packets; true for integers."""
_IE, _BPL = CODECS["G.711"]


@dataclass(frozen=True)
class PacketMetrics:
    """Metrics by their standard names (see ``handoff.metrics.group_metrics``), from the record of every packet of a run.

    Attributes
    ----------
    flows : dict of str to ndarray
        One element for each flow; ``r_factor`` and ``mos`` as if it were a G.711 call with packet loss concealment.
    study : dict of str to ndarray
        One element: all flows together.
    groups : dict of str to ndarray
        The columns of ``study`` with one element for each group of a mixture; empty without one.
    """

    flows: Columns
    study: Columns
    groups: Columns


@dataclass(frozen=True, eq=False)
class FlowMobiles:
    """Mobile nodes of each flow: they decide to whose handoff a packet belongs.

    A packet between mobile nodes belongs to its receiver from the receiver's home node on. If it ends before, it belongs to its
    sender.

    Attributes
    ----------
    mobile : ndarray of int64
        Mobile node of each flow; of a flow between mobile nodes, the receiver.
    sender : ndarray of int64 or None
        Sender of each flow between mobile nodes, -1 for the others; None without any such flow.
    home : ndarray of int64
        Home node of the receiver of each flow between mobile nodes.
    """

    mobile: Int
    sender: Int | None
    home: Int

    @classmethod
    def of(cls, network: Network) -> FlowMobiles:
        """Take the columns of the flows of a network."""
        mobile, home = network.flow_column("mobile"), network.flow_column("node")
        is_between = network.flow_column("peer", np.int32) >= 0
        if not is_between.any():
            return cls(mobile, None, home)
        sender, receiver = network.flow_mobiles()
        return cls(np.where(is_between, receiver, mobile), np.where(is_between, sender, -1).astype(np.int64), home)

    def of_dropped(self, records: Columns, rows: Int) -> Int:
        """Return the mobile node to whose handoff each dropped copy in ``rows`` belongs."""
        flow = records["flow"][rows]
        if self.sender is None:
            return self.mobile[flow]
        is_before_home = (records["tunnels"][rows] == 0) & (records["node"][rows] != self.home[flow])
        return np.where((self.sender[flow] >= 0) & is_before_home, self.sender[flow], self.mobile[flow])


@dataclass(frozen=True)
class PacketRecords:
    """Records of every packet copy of a whole run, with the packet table that all windows of the run share.

    Attributes
    ----------
    records : dict of str to ndarray
        Records of the copies, behind the resequencing buffer of the receiver if there is one.
    table : PacketTable
        Table of the packets.
    mobiles : FlowMobiles
        Mobile nodes of each flow.
    reached_ps : int
        End of the run.
    resequenced : bool
        True if the receivers put packets back in order.
    """

    records: Columns
    table: PacketTable
    mobiles: FlowMobiles
    reached_ps: int
    resequenced: bool

    @classmethod
    def from_result(cls, result: Result, mobiles: FlowMobiles, resequence_ps: int) -> PacketRecords:
        """Take the records of a run that kept all of them, and build the packet table."""
        records = result.packets
        assert records is not None, "packet metrics need the record of every packet"
        if resequence_ps:
            records = resequence(records, resequence_ps)
        return cls(records, build_packet_table(records), mobiles, result.until_ps, bool(resequence_ps))


def registration_delays(columns: Columns) -> Int:
    """Return the time from the first request to the reply of each handoff; -1 without a request or reply."""
    request, reply = columns["request_ps"], columns["reply_ps"]
    return np.where((request >= 0) & (reply >= 0), reply - request, -1)


def latencies(columns: Columns) -> Int:
    """Return the time from the end of the old link until the reply has come and the new link is up; -1 without a reply."""
    ready = np.maximum(columns["reply_ps"], columns["up_ps"])
    return np.where(columns["reply_ps"] >= 0, np.maximum(0, ready - columns["down_ps"]), -1)


def handoff_columns(records: HandoffRecords, result: Result, mobiles: FlowMobiles, reached_ps: int) -> Columns:
    """Join the protocol's record of each handoff with its span and its dropped packets, sorted by mobile node and index."""
    spans = result.spans
    columns: Columns = {c: v[spans["id"]] for c, v in records.columns.items()}
    columns["open_ps"] = spans["open_ps"]
    columns["end_ps"] = spans["end_ps"]
    columns["duplicate"], columns["reordered"] = spans["duplicate"], spans["reordered"]
    columns["after_marker"], columns["delivered"] = spans["after_marker"], spans["delivered"]
    columns["disruption_ps"] = spans["gap_max_ps"]
    columns["latency_ps"] = latencies(columns)
    columns["dropped"] = _count_dropped(spans, result.packets, mobiles, reached_ps)
    order = np.lexsort((columns["index"], columns["mobile"]))
    return {c: v[order] for c, v in columns.items()}


def _count_dropped(spans: Columns, packets: Columns | None, mobiles: FlowMobiles, reached_ps: int) -> Int:
    """Count, for each span, the copies of data packets of its mobile node that were dropped in it."""
    dropped = np.zeros(len(spans["mobile"]), np.int64)
    if packets is not None:
        rows = np.flatnonzero((packets["fate"] > Fate.DUPLICATE) & (packets["fate"] != Fate.IN_FLIGHT))
        mobile, sent_ps, time_ps = mobiles.of_dropped(packets, rows), packets["sent_ps"][rows], packets["time_ps"][rows]
        span = first_open_span(spans, mobile, sent_ps, time_ps, reached_ps)
        np.add.at(dropped, span[span >= 0], 1)
    return dropped


def first_open_span(spans: Columns, mobile: Int, from_ps: Int, until_ps: Int, reached_ps: int) -> Int:
    """Return the index of the first span that is open at any time from one instant to another, or -1.

    A lost packet belongs to that span: it may have waited in the buffer of a router until long after its handoff.

    Parameters
    ----------
    spans : dict of str to ndarray
        ``mobile``, ``open_ps`` and ``end_ps``; -1 if the span was still open at the end of the run. The spans of a mobile node do
        not overlap.
    mobile, from_ps, until_ps : ndarray of int64
        Mobile node, and both instants.
    reached_ps : int
        End of the run.
    """
    order, following = _following_spans(spans, mobile, from_ps)
    if not len(order):
        return np.full(len(mobile), -1)
    last, after = order[np.maximum(following - 1, 0)], order[np.minimum(following, len(order) - 1)]
    end = np.where(spans["end_ps"] >= 0, spans["end_ps"], reached_ps)
    is_open = (following > 0) & (spans["mobile"][last] == mobile) & (from_ps <= end[last])
    opens = (following < len(order)) & (spans["mobile"][after] == mobile) & (spans["open_ps"][after] <= until_ps)
    return np.where(is_open, last, np.where(opens, after, -1))


def _following_spans(spans: Columns, mobile: Int, time_ps: Int) -> tuple[Int, Int]:
    """Return the spans in order of (mobile node, begin), and the position of the first one that begins after each instant."""
    times = distinct(spans["open_ps"])  # ranks instead of times: the keys stay small
    opening_key = spans["mobile"] * len(times) + np.searchsorted(times, spans["open_ps"])
    key = mobile * len(times) + np.searchsorted(times, time_ps, side="right") - 1
    order = np.argsort(opening_key)
    return order, np.searchsorted(opening_key[order], key, side="right")


def compute_packet_metrics(
    anchor_tunnels: Int, window: Result, packets: PacketRecords, handoffs: Columns, begin_ps: int,
    groups: ProcedureGroups | None = None, handoff: Int | None = None,
) -> PacketMetrics:  # fmt: skip
    """Compute the metrics of each flow and of the whole study in a window, and add those of handoffs to ``handoffs``.

    Flows and study contain the packets that were sent in the window, whenever their journey ended in the run. A packet belongs
    to the handoff in whose span it was first delivered; a lost one to the first handoff between its sending and its last drop.

    Parameters
    ----------
    anchor_tunnels : ndarray of int64
        Number of tunnels that a packet of each flow has without forwarding.
    window : engine.Result
        Result of the window. With resequencing its counts of reordered packets are replaced: the engine counted them before
        the buffer.
    packets : PacketRecords
        Packets of the whole run.
    handoffs : dict of str to ndarray
        Handoffs of the window (:func:`handoff_columns`).
    begin_ps : int
        Begin of the window.
    groups : ProcedureGroups or None
        Groups of a mixture, which get metrics of their own.
    handoff : ndarray of int64 or None
        Result of :func:`handoff_of_packets` for the handoffs of the window, if it is known already.
    """
    records, table = packets.records, packets.table
    flows, handoff_count = len(window.flows["sent"]), len(handoffs["mobile"])
    sent_ps = table.of_packets(records["sent_ps"])
    flow = np.where((sent_ps >= begin_ps) & (sent_ps < window.until_ps), table.flow, -1)
    if handoff is None:
        handoff = handoff_of_packets(packets, handoffs)
    per_flow = measure_groups(table, flow, flows)
    voice = measure_voice(table, flow, flows, ie=_IE, bpl=_BPL)
    per_flow |= {name: voice[name] for name in VOICE}
    per_handoff = measure_groups(table, handoff, handoff_count)
    handoffs |= {name: values for name, values in per_handoff.items() if name not in handoffs}
    if packets.resequenced:
        handoffs["reordered"], window.flows["reordered"] = per_handoff["reordered"], per_flow["reordered"]
    forwarded = _forwarded_packets(anchor_tunnels, packets)
    handoffs["forwarded"] = count_elements(handoff[forwarded], handoff_count)

    def measure_flow_groups(group_of_flow: Int, count: int) -> Columns:
        packet_group = np.where(flow >= 0, group_of_flow[flow], -1) if flows else flow
        totals = measure_groups(table, packet_group, count)
        totals["forwarded"] = count_elements(packet_group[forwarded], count)
        for name in VOICE:
            measured = [values[np.isfinite(values)] for i in range(count) for values in [per_flow[name][group_of_flow == i]]]
            totals[name] = np.array([values.mean() if len(values) else np.nan for values in measured])
        return totals

    study = measure_flow_groups(np.zeros(flows, np.int64), 1)
    if groups is None:
        return PacketMetrics(per_flow, study, {})
    return PacketMetrics(per_flow, study, measure_flow_groups(groups.group[packets.mobiles.mobile], len(groups.procedures)))


def handoff_of_packets(packets: PacketRecords, handoffs: Columns) -> Int:
    """Return the handoff of each packet; -1 if there is none.

    A packet belongs to the handoff that was open at its delivery. A lost packet belongs to the first one that was open between
    its sending and the drop of its last copy.
    """
    table, fate, mobiles = packets.table, packets.records["fate"], packets.mobiles
    arrivals = table.arrivals
    handoff = np.full(len(table.flow), -1)
    spans = find_arrivals(handoffs, mobiles.mobile, table, packets.reached_ps)
    handoff[arrivals.packet] = spans.span_of_arrivals(len(arrivals.packet))
    dropped = np.flatnonzero((fate > Fate.DUPLICATE) & (fate != Fate.IN_FLIGHT))
    if not len(dropped):
        return handoff
    # A copy that was dropped before the home node belongs to another mobile node, even if another copy was delivered.
    packet, mobile = table.packet_of_record[dropped], np.full(len(table.flow), -1)
    end_ps = mobile.copy()
    np.maximum.at(end_ps, packet, packets.records["time_ps"][dropped])
    mobile[packet] = mobiles.of_dropped(packets.records, dropped)
    delivered = mobile[arrivals.packet] >= 0
    end_ps[arrivals.packet[delivered]] = arrivals.time_ps[delivered]
    packet = np.flatnonzero((mobile >= 0) & ~table.unfinished)
    from_ps = np.where(table.lost[packet], packets.records["sent_ps"][table.first_record[packet]], end_ps[packet])
    handoff[packet] = first_open_span(handoffs, mobile[packet], from_ps, end_ps[packet], packets.reached_ps)
    return handoff


def _forwarded_packets(anchor_tunnels: Int, packets: PacketRecords) -> Int:
    """Return the delivered downstream packets that an old router encapsulated: once more than the anchors do."""
    records = packets.records
    forwarded = (records["fate"] == Fate.DELIVERED) & (records["via"] >= 0)
    forwarded &= records["tunnels"] > anchor_tunnels[records["flow"]]
    return packets.table.packet_of_record[np.flatnonzero(forwarded)]
