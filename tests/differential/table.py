"""Entries of a node's table and their effect on a packet (docs/model.md, section 6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.quantities import FOREVER
from engine.results import Fate

from .fifo import Packet

MOST_CARE_OF_NODES = 4


@dataclass
class CareOf:
    node: int
    header: int
    ends_at_router: bool
    until: int = FOREVER
    hostile: bool = False
    relayed: bool = False  # takes the packets that have been in a tunnel, and the others take the rest


@dataclass
class Tunnel:
    care_of: list[CareOf]

    def valid(self, t: int) -> list[CareOf]:
        return [c for c in self.care_of if t < c.until]

    def targets(self, t: int, tunnels: int) -> list[CareOf]:
        """Return the care-of nodes that take a packet that has been in ``tunnels`` tunnels."""
        valid = self.valid(t)
        same_kind = [c for c in valid if c.relayed == (tunnels > 0)]
        return same_kind if len({c.relayed for c in valid}) == 2 else valid

    def add(self, new: CareOf, t: int) -> None:
        """Add a simultaneous binding."""
        self.care_of = self.valid(t)
        for i, old in enumerate(self.care_of):
            if old.node == new.node:
                self.care_of[i] = new
                return
        if len(self.care_of) == MOST_CARE_OF_NODES:
            del self.care_of[0]
        self.care_of.append(new)


@dataclass
class Local:
    until: int = FOREVER

    def valid(self, t: int) -> bool:
        return t < self.until


@dataclass
class Hold:
    """Buffer of waiting packets; also the upstream buffer of a mobile."""

    packets: int | None = None
    bytes: int | None = None
    until: int = FOREVER
    gate: int | None = None  # packets that have been in more tunnels pass
    waiting: list[Packet] = field(default_factory=list)

    def valid(self, t: int) -> bool:
        return t < self.until

    def passes(self, packet: Packet) -> bool:
        return self.gate is not None and packet.tunnels > self.gate

    def put(self, packet: Packet) -> Fate | None:
        """Buffer a packet; return None, or the reason for a drop."""
        if self.packets is not None and len(self.waiting) + 1 > self.packets:
            return Fate.QUEUE_FULL
        if self.bytes is not None and self.held_bytes() + packet.size > self.bytes:
            return Fate.QUEUE_FULL
        self.waiting.append(packet)
        return None

    def held_bytes(self) -> int:
        return sum(p.size for p in self.waiting)


Entry = Tunnel | Local | Hold
