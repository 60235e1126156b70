"""docs/replay.md, read once more and written down as slowly as it stands there: lists and fractions, no column, no search."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .packets import Packet

Row = tuple[int, Packet, bool]  # T' in ns, packet, whether it goes down
NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}


@dataclass(frozen=True)
class Replayed:
    """A flow as it is replayed: when from its start, down or not, and size of each packet; the period, 0: once."""

    name: str
    sent: list[tuple[int, bool, int]]
    period_ps: int

    def until(self, start_ps: int, end_ps: int, down: bool) -> list[tuple[int, int]]:
        """When and how large the packets of one direction leave that are sent before ``end_ps``."""
        found: list[tuple[int, int]] = []
        turn = [(start_ps + t, size) for t, way, size in self.sent if way == down]
        while turn and turn[0][0] < end_ps:
            found += [(t, size) for t, size in turn if t < end_ps]
            turn = [(t + self.period_ps, size) for t, size in turn] if self.period_ps else []
        return found


def replayed(captures: Sequence[Sequence[Packet]], options: dict[str, Any]) -> list[Replayed]:
    """The flows of captures under the keys of a ``[[traffic]]`` table; windows are pairs of ns."""
    earliest = [min(p.time_ns for p in capture) for capture in captures]
    clocks = earliest if options.get("clocks") == "each" else [min(earliest)] * len(captures)
    everything = [(p.time_ns - clock, p) for capture, clock in zip(captures, clocks, strict=True) for p in capture]
    length, packets = max(t for t, _ in everything), len(everything)
    began: dict[Any, tuple[int, Packet]] = {}
    flows: dict[Any, list[Row]] = {}
    for t, p in everything:
        mobile = ipaddress.ip_network(options["mobile_address"])
        near = [ipaddress.ip_address(end[0]) in mobile for end in (p.source, p.destination)]
        if near[0] != near[1]:
            flows.setdefault(p.ends, []).append((t, p, near[1]))
    for ends in flows:  # its first packet: of the capture that has the earliest one to stand first in the file
        firsts = []
        for number, (capture, clock) in enumerate(zip(captures, clocks, strict=True)):
            mine = [p for p in capture if p.ends == ends]
            firsts += [(mine[0].time_ns - clock, number, mine[0])] if mine else []
        time, _, packet = min(firsts, key=lambda first: first[:2])
        began[ends] = time, packet
    begin, end = options.get("clip", (0, None))
    clipped = {k: [r for r in rows if begin <= r[0] and (end is None or r[0] < end)] for k, rows in flows.items()}
    left = []
    for ends, rows in clipped.items():
        rows = [row for row in rows if _kept(row, rows, began[ends][1], options)]
        low, high = options.get("clip_flows", (0, None))
        first = min((t for t, _, _ in rows), default=0)
        rows = [row for row in rows if low <= row[0] - first and (high is None or row[0] - first < high)]
        if rows:
            left.append(sorted(rows, key=lambda row: row[0]))
    left.sort(key=lambda rows: rows[0][0])
    pace = Fraction(options.get("pace", "1"))
    found = []
    for rows in left:
        origin = begin if options.get("origin") == "stream" else rows[0][0]
        sent = [(int((t - origin) * 1000 * pace), down, p.length) for t, p, down in rows]
        if not options.get("loop", True):
            period = 0
        elif options.get("origin") != "stream":
            period = _period(sent[-1][0], len(sent))
        elif end is not None:
            period = int((end - begin) * 1000 * pace)
        else:
            whole = int(length * 1000 * pace)
            period = _period(whole, packets) and int((length - begin) * 1000 * pace) + _period(whole, packets) - whole
        found.append(Replayed(_name(rows[0]), sent, period))
    return found


def _period(length: int, packets: int) -> int:
    return length + max(1, length // (packets - 1)) if length else 0


def _name(row: Row) -> str:
    _, p, down = row
    far, near = (p.source, p.destination) if down else (p.destination, p.source)
    sides = [f"{address}:{port}" if port else address for address, port in (far, near)]
    return " ".join([NAMES.get(p.protocol, str(p.protocol)), *sides])


def _kept(row: Row, flow: list[Row], first: Packet, options: dict[str, Any]) -> bool:
    select, exclude = options.get("select"), options.get("exclude", [])
    if select is not None and not any(_meets(row, flow, first, f) for f in select):
        return False
    return not any(_meets(row, flow, first, f) for f in exclude)


def _meets(row: Row, flow: list[Row], first: Packet, wanted: dict[str, Any]) -> bool:
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
    return all(conditions[name](value) for name, value in wanted.items())
