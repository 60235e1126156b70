"""Occupancy of a node's table and buffers (docs/model.md, section 6), from a history of everything that was in them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .fifo import Packet
from .table import Entry, Tunnel

Ends = list[int]


@dataclass
class Occupancy:
    """History of one node: the ends of all entries after each change of the table, and the stays of packets in buffers."""

    bindings: list[tuple[int, Ends]] = field(default_factory=list)
    visitors: list[tuple[int, Ends]] = field(default_factory=list)
    waits: list[tuple[int, int, int]] = field(default_factory=list)  # bytes, time of entering, time of leaving
    waiting: dict[Packet, int] = field(default_factory=dict)  # time of entering

    def changed(self, table: dict[int, Entry], t: int) -> None:
        entries = table.values()
        self.bindings.append((t, [c.until for e in entries if isinstance(e, Tunnel) for c in e.care_of]))
        self.visitors.append((t, [e.until for e in entries if not isinstance(e, Tunnel)]))

    def entered(self, packet: Packet, t: int) -> None:
        self.waiting[packet] = t

    def left(self, packet: Packet, t: int) -> None:
        self.waits.append((packet.size, self.waiting.pop(packet), t))

    def held_byte_ps(self, end: int) -> int:
        still = [(packet.size, since, end) for packet, since in self.waiting.items()]
        return sum(size * (left - entered) for size, entered, left in self.waits + still)


def peak(history: list[tuple[int, Ends]]) -> int:
    """Return the largest number of valid entries after any change."""
    return max((sum(end > t for end in ends) for t, ends in history), default=0)


def integral(history: list[tuple[int, Ends]], end: int) -> int:
    """Return the sum of the times for which entries were valid before ``end``."""
    following = [t for t, _ in history[1:]] + [end]
    return sum(
        max(0, min(until, after) - t) for (t, ends), after in zip(history, following, strict=bool(history)) for until in ends
    )
