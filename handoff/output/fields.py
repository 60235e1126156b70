"""Fields of the tables of results: names, units and definitions, which every Parquet file carries in its schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from handoff.output.seconds import column_name

UNIT_KEY, ABOUT_KEY = b"unit", b"description"
"""Metadata of a field. The unit of a ratio, a score or a yes (1) or no (0) is ``1``; texts and keys have none."""

_OF_RUN = {
    "procedure": "| Procedure of the run.",
    "seed": "| Seed of all random draws.",
    "begin_s": "s | Simulated time at which the measures begin: the end of the warm-up, or the start of the batch.",
    "until_s": "s | Simulated time of the end of the run.",
    "interrupted_s": "s | Simulated time that an interrupted run reached; null for a complete run.",
    "fingerprint": "| Hash of everything that happened; equal runs have equal ones.",
    "packet_hops": "packets | Packets accepted by links, downlinks and uplinks, counted on each.",
    "handoffs": "handoffs | Handoffs that began.",
    "completed": "handoffs | Handoffs that completed: registered, and every update answered.",
    "unfinished_handoffs": "handoffs | Handoffs that never completed.",
    **{f"scenario_{n}": f"handoffs | Handoffs of scenario {n} of the seed document." for n in (1, 2, 3)},
    "retransmissions": "messages | Requests that mobile nodes sent again in handoffs.",
    "after_marker": "packets | Packets delivered through the old link after its (last) marker.",
    "delay_resolution": "1 | Largest distance of the percentiles of the delay from the true ones, as a share; 0 with a record.",
    "extra_bytes": "bytes | Bytes on all links beyond those under handoffs that cost nothing; negative if packets were dropped.",
    "extra_air_bytes": "bytes | The part of the extra bytes on the radio.",
    "extra_core_bytes": "bytes | The part of the extra bytes in the fixed network.",
    "simultaneous_bindings": "bindings | Bindings that an anchor made beside another one.",
    "signalling_messages": "messages | Messages on all links and cells, counted on each.",
    "signalling_bytes": "bytes | Bytes of these messages.",
    "tunnel_bytes": "bytes | Bytes of tunnel headers on all links and cells.",
    "binding_seconds": "s | Care-of addresses in the binding caches of all anchors, times the time that they were valid.",
    "bindings_peak": "bindings | Most care-of addresses at one anchor at once.",
    "held_byte_seconds": "bytes s | Bytes in the hold buffers of all nodes, times the time that they waited.",
    "held_peak_bytes": "bytes | Most bytes that one hold buffer held.",
    "handoff_packets_max": "packets | Most packets of one handoff, delivered or dropped.",
    "attack_messages": "messages | Messages that attackers sent.",
    "attack_bytes": "bytes | Bytes of these messages.",
    "attack_accepted": "messages | Requests of attackers that agents carried out.",
    "attack_refused": "messages | Requests of attackers that agents refused.",
    "attack_answers": "messages | Messages that agents sent because of attackers.",
    "attack_answer_bytes": "bytes | Bytes of these messages.",
    "attack_dropped": "messages | Messages because of attackers that found a registration queue full.",
    "attack_service_seconds": "s | Time that registration servers spent on messages because of attackers.",
    "legitimate_refused": "messages | Refusals of their own requests that mobile nodes received.",
    "legitimate_served": "messages | Messages of legitimate nodes that registration servers accepted.",
    "legitimate_dropped": "messages | Messages of legitimate nodes that found a registration queue full.",
    "diverted": "packets | Data packets that agents sent into bindings of attackers.",
    "diverted_bytes": "bytes | Bytes of these packets, without tunnel headers.",
    "jitter_max_s": "s | Largest interarrival jitter (RFC 3550, 6.4.1).",
    "mobile_procedure": "| Procedure of the mobile node; it differs from that of the run in a mixture.",
    "mobile_nodes": "mobile nodes | Mobile nodes of the group.",
    "agent_messages": "messages | Messages of the group that routers and anchors received, once a hop.",
    "batch": "| Number of the batch, from 0.",
    "point": "| Key of the point of the sweep.",
}
_SPREAD = {
    "disruption": "the longest interruption of a downstream flow in a handoff",
    "latency": "the time from the end of the old link until the new one is up and registered",
    "registration_delay": "the time from a handoff's registration request to its reply, at the mobile node",
}
_STATISTICS = {"mean": "Mean", "p50": "Median", "p99": "99th percentile"}
_BURSTS = {
    "dropped": "packet copies dropped", "duplicate": "packets delivered again", "reordered": "packets reordered",
    "after_marker": "packets delivered after the marker",
}  # fmt: skip
_OF_PACKETS = {
    "sent": "packets | Data packets sent.",
    "delivered": "packets | Data packets delivered at least once.",
    "lost": "packets | Data packets of which no copy was or can be delivered.",
    "unfinished": "packets | Data packets neither delivered nor lost at the end.",
    "in_flight": "packets | Data packets neither delivered nor lost at the end.",
    "duplicate": "packets | Deliveries, or packets, beyond the first delivery (RFC 5560).",
    "duplicate_copies": "packets | Deliveries beyond the first (RFC 5560).",
    "dropped": "packets | Dropped packet copies of both directions.",
    "loss_ratio": "1 | Share of the packets that were lost: lost / (lost + delivered) (RFC 7680).",
    "loss_periods": "periods | Runs of lost packets with consecutive numbers (RFC 3357).",
    "loss_period_max_packets": "packets | Longest of these runs (RFC 3357).",
    "loss_distance_min_packets": "packets | Smallest difference of the numbers of two successive lost packets (RFC 3357).",
    "delay_min_s": "s | Smallest one-way delay of delivered packets (RFC 7679).",
    "delay_mean_s": "s | Mean one-way delay of delivered packets, rounded down to a picosecond (RFC 7679, 5.2).",
    "delay_p50_s": "s | Median one-way delay of delivered packets (RFC 7679, 5.3).",
    "delay_p95_s": "s | 95th percentile of the one-way delay of delivered packets (RFC 7679, 5.1).",
    "delay_p99_s": "s | 99th percentile of the one-way delay of delivered packets (RFC 7679, 5.1).",
    "delay_max_s": "s | Largest one-way delay of delivered packets (RFC 7679).",
    "delay_sum_s": "s | Sum of the one-way delays of delivered packets.",
    "ipdv_pairs": "pairs | Pairs of successive packets that were both delivered.",
    "ipdv_abs_mean_s": "s | Mean absolute difference of the delays of such a pair (RFC 3393).",
    "ipdv_abs_p99_s": "s | 99th percentile of this difference (RFC 3393).",
    "ipdv_abs_max_s": "s | Largest such difference (RFC 3393).",
    "pdv_p50_s": "s | Median of the delay less the flow's smallest (RFC 5481, 4.2).",
    "pdv_p99_s": "s | 99th percentile of the delay less the flow's smallest (RFC 5481, 4.2).",
    "pdv_max_s": "s | Largest delay less the flow's smallest (RFC 5481, 4.2).",
    "reordered": "packets | Packets delivered with a number below the next expected one (RFC 4737, 3.3).",
    "reordered_ratio": "1 | Share of the delivered packets that were reordered (RFC 4737, 4.1).",
    "reordering_extent_max_packets": "packets | Most arrivals since the earliest of a larger number (RFC 4737, 4.2).",
    "late_time_max_s": "s | Longest time between these two arrivals (RFC 4737, 4.3).",
    "reordered_3": "packets | 3-reordered packets, which make TCP retransmit (RFC 4737, 5.3).",
    "reordering_n_max_packets": "packets | Largest n of n-reordering (RFC 4737, 5.3).",
    "free_runs": "runs | Reordering-free runs (RFC 4737, 4.6).",
    "free_run_mean_packets": "packets | Their mean length (RFC 4737, 4.6).",
    "free_run_max_packets": "packets | Longest of these runs (RFC 4737, 4.6).",
    "jitter_last_s": "s | Interarrival jitter after the last arrival (RFC 3550, 6.4.1).",
    "jitter_max_s": "s | Largest interarrival jitter (RFC 3550, 6.4.1).",
    "gap_max_s": "s | Longest time between two successive deliveries of the flow.",
    "gap_begin_s": "s | Simulated time at which this gap begins.",
    "gap_end_s": "s | Simulated time at which this gap ends.",
    "forwarded": "packets | Packets delivered by way of an old router's tunnel.",
    "r_factor": "1 | Transmission rating R of the flow as a G.711 call (ITU-T G.107).",
    "mos": "1 | Mean opinion score as if each flow were a G.711 call (ITU-T G.107).",
}
_OF_HANDOFF = {
    "mobile": "| Mobile node.",
    "old_router": "| Router of the old link.",
    "new_router": "| Router of the new link.",
    "index": "| Number of the handoff among those of its mobile node, from 0.",
    "access": "1 | 1 if the old link goes down before the new one comes up, 0 if both are up at once.",
    "scenario": "| Scenario 1, 2 or 3 of the seed document; 0 for procedures without a marker.",
    "predict_s": "s | Simulated time at which layer 2 predicted the move.",
    "going_down_s": "s | Simulated time at which layer 2 announced the end of the old link.",
    "down_s": "s | Simulated time at which the old link went down.",
    "up_s": "s | Simulated time at which the new link came up.",
    "known_s": "s | Simulated time at which the mobile node learned the new router before the move.",
    "request_s": "s | Simulated time at which the first request was sent.",
    "reply_s": "s | Simulated time at which the reply to it arrived.",
    "bound_s": "s | Simulated time at which the last acknowledgement of another anchor arrived.",
    "marker_s": "s | Simulated time at which the last marker arrived.",
    "rescue_s": "s | Simulated time at which the mobile node sent the old router the update that makes it forward.",
    "acknowledged_s": "s | Simulated time at which the acknowledgement of that update arrived.",
    "completed": "1 | 1 if the mobile node is registered and every update has been answered.",
    "retransmissions": "messages | Retransmissions of the registering request.",
    "denied": "messages | Refusals received.",
    "between": "1 | 1 if the move led to another region.",
    "markers": "messages | Markers received, one for each correspondent with route optimization.",
    "open_s": "s | Simulated time at which the measurement of the handoff begins.",
    "end_s": "s | Simulated time at which the measurement of the handoff ends.",
    "disruption_s": "s | Longest interruption of a downstream flow: the excess of a gap over the sender's own.",
    "latency_s": "s | Time from the end of the old link until the new one is up and registered.",
    "seamless": "1 | 1 if no packet of the handoff was lost, out of order or late.",
}
_OF_FLOW = {
    "label": "| Label of the traffic in the scenario.",
    "mobile": "| Mobile node of the flow.",
    "correspondent": "| Other end: a node, or a mobile node.",
    "direction": "| Direction: down to the mobile node, or up from it.",
    "copies": "packets | Copies of packets, besides the originals.",
    "last_s": "s | Simulated time of the last delivery.",
}
_OF_LINK = {
    "link": "| Link, or the downlinks (r>*) or uplinks (r<*) of a cell.",
    "pooled": "| True if the row is the sum over a queue for each mobile node.",
    "packets": "packets | Packets accepted.",
    "bytes": "bytes | Bytes accepted, tunnel headers included.",
    "control_packets": "messages | Messages accepted.",
    "control_bytes": "bytes | Bytes of messages accepted.",
    "tunnel_bytes": "bytes | Bytes of tunnel headers accepted.",
    "dropped": "packets | Packets that found the queue full.",
    "lost": "packets | Packets transmitted and lost on the link.",
    "detached": "packets | Packets transmitted when the mobile node was not there.",
    "rescued": "packets | Packets that the router took from the queue to forward them.",
    "rescued_bytes": "bytes | Bytes of these packets.",
    "queued": "packets | Packets that had not reached the far end when the run ended.",
    "queued_bytes": "bytes | Bytes of these packets.",
    "peak_packets": "packets | Most packets in one queue since the run began.",
    "peak_bytes": "bytes | Most bytes in one queue since the run began.",
    "busy_s": "s | Transmission time of accepted packets that were not rescued.",
    "utilisation": "1 | Busy time as a share of all; a sum where the row is pooled.",
}
_OF_SERVER = {
    "dropped": "{0} | {1} that found the {2} queue full.",
    "peak": "{0} | Most {3} in the {2} server and queue since the run began.",
    "wait_s": "s | Sum of the waits of {3} for the {2} server.",
    "wait_max_s": "s | Longest wait of {3} for the {2} server since the run began.",
    "wait_mean_s": "s | Mean wait of {3} for the {2} server.",
    "utilisation": "1 | Share of the time that the {2} server works.",
}
_OF_NODE = {
    "node": "| Node.",
    "forwarded": "packets | Packets that the forwarding server accepted.",
    "registered": "messages | Messages that the registration server accepted.",
    "messages": "messages | Messages that the node received, without refused ones.",
    "registrations_per_s": "1/s | Messages that the registration server served, per second.",
    **{
        f"{server}_{part}": text.format(noun, noun.capitalize(), server, noun)
        for server, noun in (("registration", "messages"), ("forwarding", "packets"))
        for part, text in _OF_SERVER.items()
    },
    "entries_peak": "entries | Most table entries since the run began, one for each mobile node.",
    "bindings_peak": "bindings | Most care-of nodes that were valid at once since the run began.",
    "visitors_peak": "entries | Most local entries and hold buffers at once since the run began.",
    "held_peak_packets": "packets | Most packets that one buffer held since the run began.",
    "held_peak_bytes": "bytes | Most bytes that one buffer held since the run began.",
    "hostile_registered": "messages | Accepted messages that an attacker caused.",
    "hostile_dropped": "messages | Messages that an attacker caused and that found the registration queue full.",
    "binding_seconds": "s | Care-of nodes in the table, times the time that they were valid.",
    "visitor_seconds": "s | Local entries and hold buffers, times the time that they were valid.",
    "held_byte_seconds": "bytes s | Bytes in all hold buffers, times the time that they waited.",
}

_OF_DELAYS = {
    "delay_from_s": "s | Smallest delay of the bin.",
    "delay_until_s": "s | Smallest delay beyond the bin.",
    "packets": "packets | Delivered data packets with a delay in the bin.",
}
_OF_PACKETS_AROUND = {
    "path": "| Way of the packets, or that they were lost (``handoff.simulation.packets_around.PATHS``).",
    "since_s": "s | Begin of the bin of sending times, of 40 ms, counted from the end of the old link.",
    "packets": "packets | Data packets of all handoffs of the run.",
}
_OF_SERIES = {
    "kind": "| Kind of the element: link, node or run.",
    "element": "| Link or node, as in the tables links and nodes; null for a run.",
    "begin_s": "s | Simulated time at which the interval begins.",
    "end_s": "s | Simulated time at which the interval ends; it does not belong to it.",
    "packets": "packets | Packets that the link accepted.",
    "bytes": "bytes | Bytes that the link accepted, tunnel headers included.",
    "dropped": "packets | Packets that found the queue of the link full; of a node, packets and messages, those of its servers.",
    "lost": "packets | Packets lost on the link; of a run, data packets of which no copy was or can be delivered.",
    "detached": "packets | Packets transmitted when the mobile node was not there.",
    "sent": "packets | Data packets that the flows of the run sent.",
    "delivered": "packets | Data packets of the run delivered at least once.",
    "registrations": "messages | Messages that the registration server of the node accepted.",
    "queue_packets": "packets | Packets of the link, or messages at the registration server, that wait or are served at the end.",
    "bindings": "bindings | Care-of nodes in the table of the node that are valid at the end of the interval.",
    "visitors": "entries | Local entries and hold buffers of the node that are valid at the end of the interval.",
    "held_bytes": "bytes | Bytes in the hold buffers of the node at the end of the interval.",
    "utilisation": "1 | Share of the interval in which the link transmits, or the registration server works; a sum where pooled.",
}


def _run_fields() -> Iterator[tuple[str, str]]:
    for name, about in _SPREAD.items():
        for statistic, word in _STATISTICS.items():
            yield f"{name}_{statistic}_s", f"s | {word} of {about}."
        yield f"{name}_samples", f"handoffs | Handoffs in which there was {about}."
    for scenario, of in (("", ""), *((f"_{n}", f" of scenario {n}") for n in (1, 2, 3))):
        yield f"seamless{scenario}_ratio", f"1 | Share of the handoffs with packets{of} without loss, reordering or lateness."
        yield f"seamless{scenario}_samples", f"handoffs | Handoffs with packets{of}."
    for kind, about in _BURSTS.items():
        yield f"handoff_{kind}", f"packets | Within handoffs: {about}."
        yield f"handoff_{kind}_squares", "1 | Sum of the squares of this number in each handoff."


_TABLES = {
    "runs": _OF_PACKETS | _OF_RUN | dict(_run_fields()),
    "handoffs": _OF_RUN | _OF_PACKETS | _OF_HANDOFF,
    "flows": _OF_RUN | _OF_PACKETS | _OF_FLOW,
    "links": _OF_RUN | _OF_LINK,
    "nodes": _OF_RUN | _OF_NODE,
    "delays": _OF_RUN | _OF_DELAYS,
    "packets_around": _OF_RUN | _OF_DELAYS | _OF_PACKETS_AROUND,
    "series": _OF_RUN | _OF_SERIES,
}


def make_schema(table: str, types: Iterable[tuple[str, pa.DataType]]) -> pa.Schema:
    """Return the schema of a table; each field has its unit and its definition as metadata.

    Parameters
    ----------
    table : str
        ``runs``, ``handoffs``, ``flows``, ``links``, ``nodes``, ``delays``, ``packets_around`` or ``series``.
    types : iterable of (str, DataType)
        Name and type of each column. A time in ps (``_ps``) becomes a number of seconds (``_s``).

    Raises
    ------
    KeyError
        If a column is not defined here.
    """
    fields = []
    for name, type_ in types:
        column = column_name(name)
        unit, about = (part.strip() for part in _TABLES[table][column].split("|"))
        fields.append(pa.field(column, pa.float64() if column != name else type_, metadata={UNIT_KEY: unit, ABOUT_KEY: about}))
    return pa.schema(fields)
