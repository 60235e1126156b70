"""What a run's handoffs, flows and packets say: records of the machine joined with spans and packet records of the engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import Fate, Result
from engine.columns import Columns, Int
from handoff.metrics import CODECS, group_metrics, voice_metrics
from handoff.metrics.resequencing import resequence
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.procedures import Procedure

VOICE = ("r_factor", "mos")
_NOTHING = np.zeros(0, np.int64)
_EMPTY = {name: _NOTHING for name in ("flow", "seq", "copy", "fate", "time_ps", "node", "delay_ps", "sent_ps", "via", "tunnels")}
METRICS = {name: bool(values.dtype.kind == "i") for name, values in group_metrics(_EMPTY, _NOTHING, 0).items()}
"""Names of all metrics of a group of packets, and whether they are whole numbers."""
_IE, _BPL = CODECS["G.711"]


@dataclass(frozen=True)
class PacketMetrics:
    """Metrics by their standard names (``handoff.metrics.group_metrics`` lists them), from every packet of a run.

    Attributes
    ----------
    flows : dict of str to ndarray
        One element a flow; ``r_factor`` and ``mos`` as if it were a G.711 call with packet loss concealment.
    study : dict of str to ndarray
        One element: all flows together.
    """

    flows: Columns
    study: Columns


def handoff_columns(records: HandoffRecords, result: Result, mobile_of_flow: Int, reached: int) -> Columns:
    """Join the machine's records with the spans and the dropped packets of each handoff that began."""
    spans = result.spans
    columns: Columns = {c: v[spans["id"]] for c, v in records.columns.items()}
    columns["open_ps"] = spans["open_ps"]
    columns["end_ps"] = spans["end_ps"]
    columns["duplicate"], columns["reordered"] = spans["duplicate"], spans["reordered"]
    columns["after_marker"], columns["delivered"] = spans["after_marker"], spans["delivered"]
    columns["disruption_ps"] = spans["gap_max_ps"]
    ready = np.maximum(columns["reply_ps"], columns["up_ps"])
    columns["latency_ps"] = np.where(columns["reply_ps"] >= 0, np.maximum(0, ready - columns["down_ps"]), -1)
    columns["dropped"] = _dropped_in(spans, result.packets, mobile_of_flow, reached)
    order = np.lexsort((columns["index"], columns["mobile"]))
    return {c: v[order] for c, v in columns.items()}


def _dropped_in(spans: Columns, packets: Columns | None, mobile_of_flow: Int, reached: int) -> Int:
    """Dropped copies of data packets between the opening and the end of their mobile node's span."""
    dropped = np.zeros(len(spans["mobile"]), np.int64)
    if packets is not None:
        rows = np.flatnonzero((packets["fate"] > Fate.DUPLICATE) & (packets["fate"] != Fate.IN_FLIGHT))
        span = find_span(spans, mobile_of_flow[packets["flow"][rows]], packets["time_ps"][rows], reached)
        np.add.at(dropped, span[span >= 0], 1)
    return dropped


def find_span(spans: Columns, mobile: Int, time_ps: Int, reached: int) -> Int:
    """Number of the span of a mobile node that an instant lies in, -1 if in none; the spans of one do not overlap."""
    if not len(spans["mobile"]) or not len(mobile):
        return np.full(len(mobile), -1)
    times = np.unique(spans["open_ps"])  # their ranks: products of them stay small
    opening = spans["mobile"] * len(times) + np.searchsorted(times, spans["open_ps"])
    wanted = mobile * len(times) + np.searchsorted(times, time_ps, side="right") - 1
    order = np.argsort(opening)
    at = np.searchsorted(opening[order], wanted, side="right") - 1
    row = order[np.maximum(at, 0)]
    end = np.where(spans["end_ps"][row] >= 0, spans["end_ps"][row], reached)
    return np.where((at >= 0) & (spans["mobile"][row] == mobile) & (time_ps <= end), row, -1)


def compute_packet_metrics(
    row: Procedure, result: Result, whole: Result, mobile_of_flow: Int, handoffs: Columns, resequence_ps: int, begin_ps: int
) -> PacketMetrics:
    """Metrics of flows and of the whole study in the window of ``result``; those of handoffs are added to ``handoffs``.

    Flows and study have the packets that were sent in the window from ``begin_ps`` on, whenever they ended in the ``whole``
    run. A packet belongs to the handoff in whose span it was first delivered or, if it was lost, its last copy was dropped.
    """
    packets, reached = whole.packets, whole.until_ps
    assert packets is not None, "metrics want the record of every packet"
    if resequence_ps:
        packets = resequence(packets, resequence_ps)
    flows = len(result.flows["sent"])
    flow = np.where((packets["sent_ps"] >= begin_ps) & (packets["sent_ps"] < result.until_ps), packets["flow"], -1)
    per_flow = group_metrics(packets, flow, flows)
    per_flow |= _voice(packets, flow, flows)
    study = group_metrics(packets, np.minimum(flow, 0), 1)
    group = _handoff_of(packets, handoffs, mobile_of_flow, reached)
    count = len(handoffs["mobile"])
    measured = group_metrics(packets, group, count)
    handoffs |= {name: values for name, values in measured.items() if name not in handoffs}
    if resequence_ps:  # the engine counted arrivals
        handoffs["reordered"], result.flows["reordered"] = measured["reordered"], per_flow["reordered"]
    handoffs["forwarded"] = _forwarded(row, packets, group, count)
    study["forwarded"] = np.array([_forwarded(row, packets, np.minimum(flow, 0), 1)[0]])
    for name in VOICE:
        study[name] = np.array([np.nanmean(per_flow[name]) if np.isfinite(per_flow[name]).any() else np.nan])
    return PacketMetrics(per_flow, study)


def _voice(packets: Columns, group: Int, groups: int) -> Columns:
    columns = voice_metrics(packets, group, groups, ie=_IE, bpl=_BPL)
    return {name: columns[name] for name in VOICE}


def _handoff_of(packets: Columns, handoffs: Columns, mobile_of_flow: Int, reached: int) -> Int:
    """Handoff of each record: that of its packet's delivery, or of the last drop of a lost one."""
    fate, time = packets["fate"], packets["time_ps"]
    first = np.append(True, (np.diff(packets["flow"]) != 0) | (np.diff(packets["seq"]) != 0))[: len(fate)]
    packet = np.cumsum(first) - 1
    ended = np.full(int(first.sum()), -1, np.int64)
    dropped = (fate > Fate.DUPLICATE) & (fate != Fate.IN_FLIGHT)
    np.maximum.at(ended, packet[dropped], time[dropped])
    under_way = fate == Fate.IN_FLIGHT
    ended[packet[under_way]] = -1
    delivered = fate == Fate.DELIVERED
    ended[packet[delivered]] = time[delivered]
    known = ended >= 0
    group = np.full(len(ended), -1, np.int64)
    group[known] = find_span(handoffs, mobile_of_flow[packets["flow"][first]][known], ended[known], reached)
    found: Int = group[packet]
    return found


def _forwarded(row: Procedure, packets: Columns, group: Int, groups: int) -> Int:
    """Delivered downstream packets that were encapsulated once more than the anchors do: by an old router."""
    tunnels = 1 + row.hierarchical
    extra = (packets["fate"] == Fate.DELIVERED) & (packets["via"] >= 0) & (packets["tunnels"] > tunnels) & (group >= 0)
    return np.asarray(np.bincount(group[extra], minlength=groups), np.int64)
