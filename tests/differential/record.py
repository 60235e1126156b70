"""Records of the oracle, and the ``Result`` built from them (columns as in engine/results.py)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.network import Network
from engine.results import (
    EXACT_SUMS,
    FLOW_COLUMNS,
    LINK_COLUMNS,
    NODE_COLUMNS,
    NODE_INTEGRALS,
    PACKET_COLUMNS,
    SPAN_COLUMNS,
    Fate,
    Result,
)  # fmt: skip

from .draws import WORD, scatter
from .fifo import Packet, Tally
from .occupancy import Occupancy, integral, peak

HEARD = (Fate.DELIVERED, Fate.DUPLICATE)


@dataclass
class FlowRow:
    sent: int = 0
    copies: int = 0
    delivered: int = 0
    duplicate: int = 0
    dropped: int = 0
    lost: int = 0
    in_flight: int = 0
    reordered: int = 0
    delay_sum_ps: int = 0
    delay_max_ps: int = 0
    gap_max_ps: int = 0
    last_ps: int = -1
    next_expected: int = 0


@dataclass
class NodeRow:
    forwarded: int = 0
    forwarding_dropped: int = 0
    forwarding_peak: int = 0
    forwarding_wait_ps: int = 0
    forwarding_wait_max_ps: int = 0
    messages: int = 0
    registered: int = 0
    registration_dropped: int = 0
    registration_peak: int = 0
    registration_wait_ps: int = 0
    registration_wait_max_ps: int = 0
    entries_peak: int = 0
    bindings_peak: int = 0
    visitors_peak: int = 0
    held_peak_packets: int = 0
    held_peak_bytes: int = 0
    diverted: int = 0
    diverted_bytes: int = 0
    hostile_registered: int = 0
    hostile_dropped: int = 0
    binding_ps: int = 0
    visitor_ps: int = 0
    held_byte_ps: int = 0
    occupancy: Occupancy = field(default_factory=Occupancy)

    def close(self, end: int) -> None:
        """Compute the peaks and integrals of the entries and bytes at the end of a run."""
        past = self.occupancy
        self.bindings_peak, self.visitors_peak = peak(past.bindings), peak(past.visitors)
        self.binding_ps, self.visitor_ps = integral(past.bindings, end), integral(past.visitors, end)
        self.held_byte_ps = past.held_byte_ps(end)


@dataclass
class Span:
    mobile: int
    id: int
    open_ps: int
    last_before_ps: int
    close_ps: int = -1
    end_ps: int = -1
    delivered: int = 0
    duplicate: int = 0
    reordered: int = 0
    after_marker: int = 0
    gap_max_ps: int = -1
    gap_end_ps: int = -1
    delay_max_ps: int = 0
    marked_node: int = -1


@dataclass
class Ending:
    """End of a copy; a copy without one is in flight."""

    fate: Fate
    time_ps: int
    node: int
    delay_ps: int
    via: int = -1


@dataclass
class Record:
    """All observations, row by row."""

    network: Network
    flows: list[FlowRow] = field(default_factory=list)
    nodes: list[NodeRow] = field(default_factory=list)
    links: list[Tally] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    open_spans: dict[int, Span] = field(default_factory=dict)
    last_delivery: dict[int, int] = field(default_factory=dict)  # mobile -> time
    sent_at: dict[tuple[int, int], int] = field(default_factory=dict)  # (flow, seq) -> time
    copies: dict[tuple[int, int], dict[int, tuple[Packet, Ending | None]]] = field(default_factory=lambda: defaultdict(dict))
    control: list[Fate | None] = field(default_factory=list)  # one element a copy
    histogram: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    fingerprint: int = 0

    def __post_init__(self) -> None:
        self.flows = [FlowRow() for _ in range(self.network.flow_count)]
        self.nodes = [NodeRow() for _ in self.network.nodes]
        cells = [self.network.nodes[c.node].name + side for c in self.network.cells for side in (">*", "<*")]
        self.links = [Tally(name) for name in [link.name for link in self.network.links] + cells]

    # -- copies --------------------------------------------------------------------------------------------------
    def born(self, packet: Packet, original: bool) -> None:
        """Record a new copy."""
        if packet.is_control:
            packet.copy_slot = len(self.control)
            self.control.append(None)
            return
        self.copies[packet.flow, packet.seq][packet.copy] = packet, None
        row = self.flows[packet.flow]
        if original:
            self.sent_at[packet.flow, packet.seq] = packet.born
        row.sent += original
        row.copies += not original

    def end(self, packet: Packet, fate: Fate, t: int, node: int, via: int = -1) -> None:
        """Record the end of a copy; ``via`` is the node through whose cell a mobile received it."""
        if packet.is_control:
            assert self.control[packet.copy_slot] is None
            self.control[packet.copy_slot] = fate
            return
        copies = self.copies[packet.flow, packet.seq]
        assert copies[packet.copy] == (packet, None)
        copies[packet.copy] = packet, Ending(fate, t, node, t - packet.born if fate in HEARD else -1, via)

    def observe(self, packet: Packet, t: int, link_key: int) -> None:
        """Add to the sum of the fingerprint (section 12)."""
        self.fingerprint = (self.fingerprint + scatter(((t + 3 * packet.size + packet.kind) % WORD) ^ link_key)) % WORD

    # -- deliveries ------------------------------------------------------------------------------------------------
    def receive(self, packet: Packet, t: int, node: int, through: int) -> None:
        """Record data at its receiver: a mobile (``node`` -1, through the cell of ``through``) or a node."""
        copies = self.copies[packet.flow, packet.seq].values()
        span = self.open_spans.get(packet.mobile) if node < 0 else None
        row = self.flows[packet.flow]
        if any(end is not None and end.fate == Fate.DELIVERED for _, end in copies):
            self.end(packet, Fate.DUPLICATE, t, node, through)
            row.duplicate += 1
            if span:
                span.duplicate += 1
            return
        self.end(packet, Fate.DELIVERED, t, node, through)
        late = packet.seq < row.next_expected
        interruption = self._interruption(row, packet, t)
        self._count_delivery(row, packet, t, late)
        if node < 0:
            if span:
                self._count_in_span(span, packet, t, late, through, interruption)
            self.last_delivery[packet.mobile] = t

    def _count_delivery(self, row: FlowRow, packet: Packet, t: int, late: bool) -> None:
        delay = t - packet.born
        row.delivered += 1
        row.reordered += late
        if not late:
            row.next_expected = packet.seq + 1
        row.delay_sum_ps += delay
        row.delay_max_ps = max(row.delay_max_ps, delay)
        if row.last_ps >= 0:
            row.gap_max_ps = max(row.gap_max_ps, t - row.last_ps)
        row.last_ps = t
        self.histogram[delay] += 1

    def _interruption(self, row: FlowRow, packet: Packet, t: int) -> int:
        """Return the time by which the gap before this packet exceeds the sender's (section 11); -1 if none ends here."""
        expected = row.next_expected
        if row.last_ps < 0 or expected < 1 or packet.seq < expected:
            return -1
        meant = self.sent_at[packet.flow, expected] - self.sent_at[packet.flow, expected - 1]
        return max(0, t - row.last_ps - meant)

    def _count_in_span(self, span: Span, packet: Packet, t: int, late: bool, through: int, interruption: int) -> None:
        span.delivered += 1
        span.reordered += late
        span.after_marker += through == span.marked_node
        span.delay_max_ps = max(span.delay_max_ps, t - packet.born)
        if interruption > span.gap_max_ps:
            span.gap_max_ps, span.gap_end_ps = interruption, t
        if span.close_ps >= 0:
            span.end_ps = t
            del self.open_spans[packet.mobile]

    def begin_measurement(self, mobile: int, id: int, t: int) -> None:
        if mobile in self.open_spans:
            self.open_spans[mobile].end_ps = t
        self.open_spans[mobile] = Span(mobile, id, t, self.last_delivery.get(mobile, -1))
        self.spans.append(self.open_spans[mobile])

    # -- the result ------------------------------------------------------------------------------------------------
    def result(self, until: int, record: str) -> Result:
        fates = np.zeros((2, len(Fate)), np.int64)
        for fate in self.control:
            fates[1, Fate.IN_FLIGHT if fate is None else fate] += 1
        rows: list[tuple[int, ...]] = []
        for (flow, seq), copies in sorted(self.copies.items()):
            row = self.flows[flow]
            dropped = 0
            for copy, (packet, ending) in sorted(copies.items()):
                end = ending or Ending(Fate.IN_FLIGHT, -1, -1, -1)
                fates[0, end.fate] += 1
                row.in_flight += end.fate == Fate.IN_FLIGHT
                drop = end.fate not in (*HEARD, Fate.IN_FLIGHT)
                dropped += drop
                if record == "packets" or (record == "drops" and drop):
                    ended = (int(end.fate), end.time_ps, end.node, end.delay_ps)
                    rows.append((flow, seq, copy, *ended, packet.born, end.via, packet.tunnels))
            row.dropped += dropped
            row.lost += dropped == len(copies)
        for tally in self.links:
            tally.close()
        for node in self.nodes:
            node.close(until)
        return Result(
            until_ps=until,
            fingerprint=self.fingerprint,
            events=sum(tally.packets for tally in self.links),
            flows=_columns(self.flows, FLOW_COLUMNS),
            links=_columns(self.links, LINK_COLUMNS),
            nodes=_columns(self.nodes, NODE_COLUMNS + NODE_INTEGRALS),
            spans=_columns(self.spans, SPAN_COLUMNS),
            link_names=[tally.name for tally in self.links],
            node_names=[node.name for node in self.network.nodes],
            fates=fates,
            delay_histogram=_histogram(self.histogram),
            packets=None if record == "none" else _table(rows),
        )


def _columns(rows: list[Any], names: tuple[str, ...]) -> dict[str, Any]:
    dtypes = {name: object if name in EXACT_SUMS else np.int64 for name in names}
    return {name: np.array([getattr(row, name) for row in rows], dtype) for name, dtype in dtypes.items()}


def _table(rows: list[tuple[int, ...]]) -> dict[str, Any]:
    array = np.array(rows, np.int64).reshape(-1, len(PACKET_COLUMNS))
    return {name: array[:, i] for i, name in enumerate(PACKET_COLUMNS)}


def _histogram(delays: dict[int, int]) -> Any:
    """Return a histogram with 32 buckets an octave from its definition: keep the leading bits and cut the rest."""
    counts = np.zeros(60 * 32, np.int64)
    for delay, n in delays.items():
        octave, value = 0, delay
        while value >= 64:
            value >>= 1
            octave += 1
        counts[octave * 32 + value] += n
    return counts
