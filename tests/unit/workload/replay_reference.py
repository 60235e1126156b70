"""Second implementation of docs/replay.md, step by step on lists and fractions, without columns or searches."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .capture_packets import Packet

Row = tuple[int, Packet, bool]  # T' in ns, packet, true if it goes to the mobile side
NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}


@dataclass(frozen=True)
class ReplayedFlow:
    """Flow as it is replayed: time from its start, direction (true: down) and size of each packet; period, None without loop."""

    name: str
    sent: list[tuple[int, bool, int]]
    period_ps: int | None

    def until(self, start_ps: int, end_ps: int, down: bool) -> list[tuple[int, int]]:
        """Return times and sizes of the packets of one direction that are sent before ``end_ps``."""
        packets: list[tuple[int, int]] = []
        repetition = [(start_ps + t, size) for t, is_down, size in self.sent if is_down == down]
        while repetition and repetition[0][0] < end_ps:
            packets += [(t, size) for t, size in repetition if t < end_ps]
            repetition = [(t + self.period_ps, size) for t, size in repetition] if self.period_ps else []
        return packets


def replay_flows(captures: Sequence[Sequence[Packet]], options: dict[str, Any]) -> list[ReplayedFlow]:
    """Return the flows of captures under the keys of a ``[[traffic]]`` table; windows are pairs of ns."""
    earliest = [min(p.time_ns for p in capture) for capture in captures]
    clocks = earliest if options.get("clocks") == "each" else [min(earliest)] * len(captures)
    stream_packets = [(p.time_ns - clock, p) for capture, clock in zip(captures, clocks, strict=True) for p in capture]
    length, packets = max(t for t, _ in stream_packets), len(stream_packets)
    first_packet: dict[Any, Packet] = {}
    flows: dict[Any, list[Row]] = {}
    for t, p in stream_packets:
        mobile = ipaddress.ip_network(options["mobile_address"])
        near = [ipaddress.ip_address(end[0]) in mobile for end in (p.source, p.destination)]
        if near[0] != near[1]:
            flows.setdefault(p.ends, []).append((t, p, near[1]))
    for ends in flows:  # the first packet in the file of the capture in which that one is earliest
        candidates = []
        for number, (capture, clock) in enumerate(zip(captures, clocks, strict=True)):
            in_capture = [p for p in capture if p.ends == ends]
            candidates += [(in_capture[0].time_ns - clock, number, in_capture[0])] if in_capture else []
        first_packet[ends] = min(candidates, key=lambda candidate: candidate[:2])[2]
    begin, end = options.get("clip", (0, None))
    clipped = {k: [r for r in rows if begin <= r[0] and (end is None or r[0] < end)] for k, rows in flows.items()}
    selected = []
    for ends, rows in clipped.items():
        rows = [row for row in rows if _passes(row, rows, first_packet[ends], options)]
        low, high = options.get("clip_flows", (0, None))
        first = min((t for t, _, _ in rows), default=0)
        rows = [row for row in rows if low <= row[0] - first and (high is None or row[0] - first < high)]
        if rows:
            selected.append(sorted(rows, key=lambda row: row[0]))
    selected.sort(key=lambda rows: rows[0][0])
    pace = Fraction(options.get("pace", "1"))
    replayed = []
    for rows in selected:
        origin = begin if options.get("origin") == "stream" else rows[0][0]
        sent = [(int((t - origin) * 1000 * pace), down, p.length) for t, p, down in rows]
        if not options.get("loop", True):
            period = None
        elif options.get("origin") != "stream":
            period = _period(sent[-1][0], len(sent))
        elif end is not None:
            period = int((end - begin) * 1000 * pace)
        else:
            length_ps = int(length * 1000 * pace)
            looped = _period(length_ps, packets)
            period = None if looped is None else int((length - begin) * 1000 * pace) + looped - length_ps
        replayed.append(ReplayedFlow(_name(rows[0]), sent, period))
    return replayed


def _period(length: int, packets: int) -> int | None:
    return length + max(1, length // (packets - 1)) if length else None


def _name(row: Row) -> str:
    _, p, down = row
    far, near = (p.source, p.destination) if down else (p.destination, p.source)
    sides = [f"{address}:{port}" if port else address for address, port in (far, near)]
    return " ".join([NAMES.get(p.protocol, str(p.protocol)), *sides])


def _passes(row: Row, flow: list[Row], first: Packet, options: dict[str, Any]) -> bool:
    select, exclude = options.get("select"), options.get("exclude", [])
    if select is not None and not any(_matches(row, flow, first, f) for f in select):
        return False
    return not any(_matches(row, flow, first, f) for f in exclude)


def _matches(row: Row, flow: list[Row], first: Packet, filter_: dict[str, Any]) -> bool:
    times, sizes = [t for t, _, _ in flow], [p.length for _, p, _ in flow]
    source, destination = first.source, first.destination

    def at(end: tuple[str, int], prefix: str) -> bool:
        return ipaddress.ip_address(end[0]) in ipaddress.ip_network(prefix)

    conditions = {
        "source": lambda x: at(source, x),
        "destination": lambda x: at(destination, x),
        "address": lambda x: at(source, x) or at(destination, x),
        "source_port": lambda x: source[1] == x,
        "destination_port": lambda x: destination[1] == x,
        "port": lambda x: x in (source[1], destination[1]),
        "protocol": lambda x: first.protocol == x,
        "direction": lambda x: row[2] == (x == "down"),
        "min_packets": lambda x: len(flow) >= x,
        "min_bytes": lambda x: sum(sizes) >= x,
        "min_duration": lambda x: (max(times) - min(times)) >= x,
        "begins": lambda x: x[0] <= min(times) and (x[1] is None or min(times) < x[1]),
    }
    return all(conditions[name](value) for name, value in filter_.items())
