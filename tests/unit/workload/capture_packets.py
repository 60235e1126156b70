"""Artificial packets, written as capture files or converted to the columns of a compiled capture."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

Side = tuple[str, int]


@dataclass(frozen=True)
class Packet:
    """IPv4 packet: time in ns since 1970, source, destination, protocol, IP total length."""

    time_ns: int
    source: Side
    destination: Side
    protocol: int
    length: int

    @property
    def ends(self) -> tuple[int, frozenset[Side]]:
        """Key of the packet's flow."""
        return self.protocol, frozenset({self.source, self.destination})

    def captured(self) -> bytes:
        """Return the captured bytes: IP header and ports."""
        addresses = b"".join(ipaddress.ip_address(side[0]).packed for side in (self.source, self.destination))
        ip = struct.pack(">BBHHHBBH", 0x45, 0, self.length, 0, 0, 64, self.protocol, 0) + addresses
        return ip + struct.pack(">HHI", self.source[1], self.destination[1], 0)


@dataclass(frozen=True)
class Registration:
    """Registration request of Mobile IPv4, with a reply ``answer_ns`` later or without one (None); RFC 5944, 3.3 and 3.4."""

    time_ns: int
    home: str
    care_of: str
    lifetime_s: int
    answer_ns: int | None
    code: int = 0
    agent: str = "10.0.0.254"

    def packets(self) -> list[Message]:
        """Return the request and its reply."""
        home, agent, care_of = (ipaddress.ip_address(a).packed for a in (self.home, self.agent, self.care_of))
        identification = struct.pack(">Q", self.time_ns)
        request = struct.pack(">BBH", 1, 0, self.lifetime_s) + home + agent + care_of + identification
        messages = [Message(self.time_ns, (self.care_of, 434), (self.agent, 434), 17, 28 + len(request), request)]
        if self.answer_ns is not None:
            reply = struct.pack(">BBH", 3, self.code, self.lifetime_s) + home + agent + identification
            messages.append(
                Message(self.time_ns + self.answer_ns, (self.agent, 434), (self.care_of, 434), 17, 28 + len(reply), reply)
            )
        return messages


@dataclass(frozen=True)
class Message(Packet):
    """A packet with its payload."""

    payload: bytes = b""

    def captured(self) -> bytes:
        """Return the captured bytes: the whole packet."""
        return super().captured()[:24] + struct.pack(">HH", 8 + len(self.payload), 0) + self.payload


def pcap(packets: Sequence[Packet]) -> bytes:
    """Encode packets as a nanosecond pcap file of raw IP, truncated to the headers."""
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101)]
    for p in packets:
        seconds, ns = divmod(p.time_ns, 10**9)
        frame = p.captured()
        out.append(struct.pack("<IIII", seconds, ns, len(frame), p.length) + frame)
    return b"".join(out)


def pcapng(packets: Sequence[Packet]) -> bytes:
    """Encode packets as a big-endian pcapng file with one section and interface and nanosecond times (if_tsresol 9)."""
    resolution = struct.pack(">HHB3xHH", 9, 1, 9, 0, 0)
    out = [_block(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1)), _block(1, struct.pack(">HHI", 101, 0, 0) + resolution)]
    for p in packets:
        high, low = divmod(p.time_ns, 1 << 32)
        frame = p.captured()
        out.append(_block(6, struct.pack(">IIIII", 0, high, low, len(frame), p.length) + frame + bytes(-len(frame) % 4)))
    return b"".join(out)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack(">I", len(body) + 12)
    return struct.pack(">I", kind) + size + body + size


def compiled_capture(packets: list[Packet]) -> Any:
    """Return the attributes of ``handoff_traces.CompiledCapture`` that a replay uses, for a capture of these packets."""
    flows: dict[Any, tuple[list[int], list[int]]] = {}
    for i, p in enumerate(packets):
        along, against = flows.setdefault(p.ends, ([], []))
        first = packets[min(along)] if along else p
        (along if p.source == first.source else against).append(i)
    order, starts = [], []
    for directions in flows.values():
        starts.append(len(order))
        order += [i for direction in directions for i in sorted(direction, key=lambda i: packets[i].time_ns)]
    first = [packets[directions[0][0]] for directions in flows.values()]
    sides = {"src": [p.source for p in first], "dst": [p.destination for p in first]}

    def rows(flow: int, direction: int) -> slice:
        along, against = list(flows.values())[flow]
        middle = starts[flow] + len(along)
        return slice(starts[flow], middle) if direction == 0 else slice(middle, middle + len(against))

    table: dict[str, Any] = {
        "version": np.full(len(flows), 4, np.uint8),
        "protocol": np.array([p.protocol for p in first], np.uint8),
        "first_time_ns": np.array([p.time_ns for p in first], np.int64),
        "rows": rows,
    }
    for name, ends in sides.items():
        raw = [ipaddress.ip_address(address).packed.ljust(16, b"\0") for address, _ in ends]
        table[name] = np.frombuffer(b"".join(raw), np.uint8).reshape(-1, 16)
        table[name[0] + "port"] = np.array([port for _, port in ends], np.uint16)
    times = [p.time_ns for p in packets]
    return SimpleNamespace(
        facts=SimpleNamespace(times_ns=(min(times), max(times)) if times else None, packets=len(packets), untimed=0),
        flows=SimpleNamespace(**table),
        time_ns=np.array([packets[i].time_ns for i in order], np.int64),
        ip_length=np.array([packets[i].length for i in order], np.uint32),
        drop_pages=lambda: None,
    )
