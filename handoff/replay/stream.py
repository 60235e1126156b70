"""One or several captures as one stream of packets, and the mobile side's flows in it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

import handoff_traces

Int = npt.NDArray[np.int64]
Prefixes = tuple[IPv4Network | IPv6Network, ...]
SMALL_BYTES = 8 << 20
"""A capture up to this size is compiled once in a process; of a larger one the columns stay in the cache on disk."""
MOST_GROWTH = 100
"""How much a compressed capture may grow (``traces`` refuses more)."""
BLOCK_ROWS = 1 << 18
_PROTOCOLS = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp6"}
_MAGIC = (b"\x1f\x8b", b"\x28\xb5")  # gzip, Zstandard


def open_capture(path: Path) -> handoff_traces.CompiledCapture:
    """The columns of a capture, mapped.

    Raises
    ------
    handoff_traces.TraceError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            growth = MOST_GROWTH if file.read(2) in _MAGIC else 1
        facts = path.stat()
    except OSError:
        return handoff_traces.compile_capture(path)  # traces says what is wrong with it
    if facts.st_size * growth > SMALL_BYTES:
        return handoff_traces.compile_capture(path)
    return _small(path, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=8)
def _small(path: Path, *_: int) -> handoff_traces.CompiledCapture:
    """Compiled once in a process as long as the file is the same: of the many runs of a batch each uses it again."""
    with tempfile.TemporaryDirectory(prefix="handoff.") as folder:
        return handoff_traces.compile_capture(path, folder)  # what is mapped stays when its folder goes


class End(NamedTuple):
    """One side of a flow; port 0 where there is none."""

    address: IPv4Address | IPv6Address
    port: int

    def __str__(self) -> str:
        text = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{text}:{self.port}" if self.port else text


@dataclass(frozen=True, eq=False)
class Piece:
    """Packets of one flow, direction and capture, in order of time.

    Attributes
    ----------
    times : ndarray of int64
        ns by the capture's clock.
    sizes : ndarray of uint32
        IP lengths in bytes.
    clock_ns : int
        Time 0 of the stream by that clock.
    """

    times: Int
    sizes: npt.NDArray[np.uint32]
    clock_ns: int

    def __len__(self) -> int:
        return len(self.times)

    @property
    def first_ns(self) -> int:
        """In the stream's time."""
        return int(self.times[0]) - self.clock_ns

    @property
    def last_ns(self) -> int:
        """In the stream's time."""
        return int(self.times[-1]) - self.clock_ns

    def between(self, begin_ns: int, end_ns: int | None) -> Piece:
        """Packets from ``begin_ns`` of the stream's time until before ``end_ns``."""
        begin = self._earlier(begin_ns)
        end = len(self) if end_ns is None else max(begin, self._earlier(end_ns))
        return replace(self, times=self.times[begin:end], sizes=self.sizes[begin:end])

    def _earlier(self, time_ns: int) -> int:
        by_clock = time_ns + self.clock_ns
        return len(self) if by_clock >= 2**63 else int(np.searchsorted(self.times, by_clock))


@dataclass(frozen=True, eq=False)
class Flow:
    """Packets of one protocol between the mobile side and a correspondent.

    Attributes
    ----------
    protocol : int
        Of IP.
    mobile, correspondent : End
    from_mobile : bool
        Whether the mobile side sent the flow's first packet in the captures.
    down, up : list of Piece
        Packets to and from the mobile side, one piece a capture; none of them is empty.
    """

    protocol: int
    mobile: End
    correspondent: End
    from_mobile: bool
    down: list[Piece] = field(default_factory=list)
    up: list[Piece] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Protocol, correspondent's side, mobile side."""
        return f"{_PROTOCOLS.get(self.protocol, self.protocol)} {self.correspondent} {self.mobile}"

    @property
    def source(self) -> End:
        """Who sent the first packet."""
        return self.mobile if self.from_mobile else self.correspondent

    @property
    def destination(self) -> End:
        """To whom."""
        return self.correspondent if self.from_mobile else self.mobile

    @property
    def pieces(self) -> list[Piece]:
        """Of both directions."""
        return self.down + self.up

    @property
    def packets(self) -> int:
        """In both directions."""
        return sum(map(len, self.pieces))

    @property
    def first_ns(self) -> int:
        """First packet, in the stream's time."""
        return min(piece.first_ns for piece in self.pieces)

    @property
    def last_ns(self) -> int:
        """Last packet, in the stream's time."""
        return max(piece.last_ns for piece in self.pieces)

    def has_bytes(self, least: int) -> bool:
        """Whether the IP lengths add up to so much."""
        for piece in self.pieces:
            for start in range(0, len(piece), BLOCK_ROWS):
                if least <= 0:
                    break
                least -= int(piece.sizes[start : start + BLOCK_ROWS].sum(dtype=np.int64))
        return least <= 0

    def between(self, begin_ns: int, end_ns: int | None) -> Flow:
        """Packets from ``begin_ns`` of the stream's time until before ``end_ns``."""
        down, up = ([c for piece in way if len(c := piece.between(begin_ns, end_ns))] for way in (self.down, self.up))
        return replace(self, down=down, up=up)


class Stream:
    """The packets of captures in one time, in ns from its begin.

    Parameters
    ----------
    captures : sequence of handoff_traces.CompiledCapture
    absolute : bool
        Whether the captures have one clock; else each begins at time 0.

    Attributes
    ----------
    clock_ns : list of int
        Time 0 by the clock of each capture: the earliest packet of any kind, in all of them or in each.
    length_ns : int
        From time 0 to the last packet of any kind.
    packets : int
        All that have a time, of any kind.
    """

    def __init__(self, captures: Sequence[handoff_traces.CompiledCapture], absolute: bool = True) -> None:
        self.captures = [c for c in captures if c.facts.times_ns is not None]
        times = [c.facts.times_ns or (0, 0) for c in self.captures]
        earliest = min((begin for begin, _ in times), default=0)
        self.clock_ns = [earliest if absolute else begin for begin, _ in times]
        self.length_ns = max((end - clock for (_, end), clock in zip(times, self.clock_ns, strict=True)), default=0)
        self.packets = sum(c.facts.packets - c.facts.untimed for c in self.captures)

    def release(self) -> None:
        """Give back the memory of what has been read."""
        for capture in self.captures:
            capture.drop_pages()

    def flows(self, mobile: Prefixes) -> list[Flow]:
        """Flows with the mobile side at just one end, in the order in which the captures have them."""
        found: dict[tuple[int, End, End], list[tuple[int, int, int, bool]]] = {}
        for number, (capture, clock_ns) in enumerate(zip(self.captures, self.clock_ns, strict=True)):
            table = capture.flows
            from_mobile, to_mobile = (_within(table.version, side, mobile) for side in (table.src, table.dst))
            for row in np.flatnonzero(from_mobile ^ to_mobile).tolist():
                sides = _end(table, row, table.src, table.sport), _end(table, row, table.dst, table.dport)
                key = int(table.protocol[row]), *(sides if from_mobile[row] else sides[::-1])
                began = int(table.first_time_ns[row]) - clock_ns
                found.setdefault(key, []).append((began, number, row, bool(from_mobile[row])))
        flows = [Flow(*key, min(parts)[3], *self._pieces(parts)) for key, parts in found.items()]
        self.release()
        return [flow for flow in flows if flow.pieces]

    def _pieces(self, parts: list[tuple[int, int, int, bool]]) -> tuple[list[Piece], list[Piece]]:
        """Down and up, of a flow that is in so many captures."""
        ways: tuple[list[Piece], list[Piece]] = ([], [])
        for _, number, row, from_mobile in parts:
            capture = self.captures[number]
            for direction in (0, 1):
                rows = capture.flows.rows(row, direction)
                if rows.start < rows.stop:
                    piece = Piece(capture.time_ns[rows], capture.ip_length[rows], self.clock_ns[number])
                    ways[from_mobile == (direction == 0)].append(piece)
        return ways


def _within(version: npt.NDArray[np.uint8], address: npt.NDArray[np.uint8], prefixes: Prefixes) -> npt.NDArray[np.bool_]:
    """Which of the addresses, shape (n, 16), are in one of the prefixes."""
    inside = np.zeros(len(version), bool)
    for prefix in prefixes:
        mask, wanted = (np.frombuffer(a.packed, np.uint8) for a in (prefix.netmask, prefix.network_address))
        inside |= (version == prefix.version) & ((address[:, : len(mask)] & mask) == wanted).all(axis=1)
    return inside


def _end(table: handoff_traces.Flows, row: int, address: npt.NDArray[np.uint8], port: npt.NDArray[np.uint16]) -> End:
    raw = address[row].tobytes()
    return End(ip_address(raw[:4] if table.version[row] == 4 else raw), int(port[row]))
