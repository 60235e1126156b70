"""Flows of captures: their packets in each direction, clipped and filtered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from engine.replay import FileMapping
from handoff.scenario.traffic import Filter, Ranges

Direction = Literal["down", "up"]
Prefixes = tuple[IPv4Network | IPv6Network, ...]
BLOCK_ROWS = 1 << 18
"""Packets whose columns are in memory at once while a capture is searched or merged."""
_PROTOCOL_NAMES = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp6"}


class Endpoint(NamedTuple):
    """Address and port of one side of a flow; the port is 0 for protocols without ports."""

    address: IPv4Address | IPv6Address
    port: int

    def __str__(self) -> str:
        text = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{text}:{self.port}" if self.port else text


@dataclass(frozen=True, eq=False)
class PacketSegment:
    """Packets of one flow in one direction, from one capture or merged from several, in order of time.

    Attributes
    ----------
    times : ndarray of int64, shape (n,)
        Nanoseconds by the capture's clock.
    sizes : ndarray of uint32, shape (n,)
        IP lengths in bytes.
    clock_ns : int
        Reading of the capture's clock at time 0 of the stream.
    mapping : FileMapping
        Owner of the files that the columns are mapped from.
    """

    times: Int
    sizes: npt.NDArray[np.uint32]
    clock_ns: int
    mapping: FileMapping

    def __len__(self) -> int:
        return len(self.times)

    @property
    def first_ns(self) -> int:
        """Time of the first packet in the stream."""
        return int(self.times[0]) - self.clock_ns

    @property
    def last_ns(self) -> int:
        """Time of the last packet in the stream."""
        return int(self.times[-1]) - self.clock_ns

    def clip(self, begin_ns: int, end_ns: int | None) -> PacketSegment:
        """Return the packets from ``begin_ns`` until before ``end_ns`` of the stream's time; None is without an end."""
        begin = self._index_at(begin_ns)
        end = len(self) if end_ns is None else max(begin, self._index_at(end_ns))
        return replace(self, times=self.times[begin:end], sizes=self.sizes[begin:end])

    def _index_at(self, time_ns: int) -> int:
        clock = time_ns + self.clock_ns
        return len(self) if clock >= 2**63 else int(np.searchsorted(self.times, clock))


@dataclass(frozen=True, eq=False)
class Flow:
    """Packets of one protocol between the mobile side and a correspondent.

    Attributes
    ----------
    protocol : int
        Protocol number in the IP header.
    mobile, correspondent : Endpoint
    from_mobile : bool
        True if the mobile side sent the flow's first packet in the captures.
    down, up : list of PacketSegment
        Packets to and from the mobile side: one segment for each capture that has any.
    """

    protocol: int
    mobile: Endpoint
    correspondent: Endpoint
    from_mobile: bool
    down: list[PacketSegment] = field(default_factory=list)
    up: list[PacketSegment] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Protocol, correspondent's endpoint and mobile endpoint, as in ``tcp 10.0.1.2:80 10.0.2.2:4000``."""
        return f"{_PROTOCOL_NAMES.get(self.protocol, self.protocol)} {self.correspondent} {self.mobile}"

    @property
    def source(self) -> Endpoint:
        """Sender of the first packet."""
        return self.mobile if self.from_mobile else self.correspondent

    @property
    def destination(self) -> Endpoint:
        """Receiver of the first packet."""
        return self.correspondent if self.from_mobile else self.mobile

    @property
    def segments(self) -> list[PacketSegment]:
        """Segments of both directions."""
        return self.down + self.up

    @property
    def packets(self) -> int:
        """Number of packets in both directions."""
        return sum(map(len, self.segments))

    @property
    def first_ns(self) -> int:
        """Time of the first packet in the stream."""
        return min(segment.first_ns for segment in self.segments)

    @property
    def last_ns(self) -> int:
        """Time of the last packet in the stream."""
        return max(segment.last_ns for segment in self.segments)

    def has_bytes(self, minimum: int) -> bool:
        """Return true if the IP lengths of all packets add up to ``minimum`` bytes or more."""
        missing = minimum
        for segment in self.segments:
            for start in range(0, len(segment), BLOCK_ROWS):
                if missing <= 0:
                    return True
                missing -= int(segment.sizes[start : start + BLOCK_ROWS].sum(dtype=np.int64))
        return missing <= 0

    def clip(self, begin_ns: int, end_ns: int | None) -> Flow:
        """Return the flow's packets from ``begin_ns`` until before ``end_ns`` of the stream's time; None is without an end."""
        down, up = (
            [clipped for segment in segments if len(clipped := segment.clip(begin_ns, end_ns))]
            for segments in (self.down, self.up)
        )
        return replace(self, down=down, up=up)

    def filter(self, select: Sequence[Filter], exclude: Sequence[Filter]) -> Flow:
        """Return the flow with the directions that match a filter of ``select`` (all if it is empty) and none of ``exclude``."""
        return replace(
            self,
            down=self.down if self._passes("down", select, exclude) else [],
            up=self.up if self._passes("up", select, exclude) else [],
        )

    def _passes(self, direction: Direction, select: Sequence[Filter], exclude: Sequence[Filter]) -> bool:
        selected = not select or any(self.matches(filter_, direction) for filter_ in select)
        return selected and not any(self.matches(filter_, direction) for filter_ in exclude)

    def matches(self, filter_: Filter, direction: Direction) -> bool:
        """Return true if the packets in one direction meet every condition of a filter."""
        endpoints = (self.source, self.destination)
        return (
            filter_.direction in (None, direction)
            and (filter_.protocol is None or self.protocol in filter_.protocol)
            and _has_address(self.source, filter_.source)
            and _has_address(self.destination, filter_.destination)
            and any(_has_address(endpoint, filter_.address) for endpoint in endpoints)
            and _has_port(self.source, filter_.source_port)
            and _has_port(self.destination, filter_.destination_port)
            and any(_has_port(endpoint, filter_.port) for endpoint in endpoints)
            and filter_.begins.holds(self.first_ns)
            and self.packets >= filter_.min_packets
            and (self.last_ns - self.first_ns) * 1000 >= filter_.min_duration
            and self.has_bytes(filter_.min_bytes)
        )


def _has_address(endpoint: Endpoint, prefixes: Prefixes | None) -> bool:
    return prefixes is None or any(endpoint.address in prefix for prefix in prefixes)


def _has_port(endpoint: Endpoint, ports: Ranges | None) -> bool:
    return ports is None or any(low <= endpoint.port <= high for low, high in ports)
