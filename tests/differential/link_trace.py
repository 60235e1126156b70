"""Link trace (docs/model.md, section 14), collected from accepted packets after the run."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.link_trace import HOP, MESSAGE, TUNNEL, LinkTrace

from .fifo import Fifo, Packet, Slot


class HopLog:
    """Packets accepted by the traced links."""

    def __init__(self, chosen: frozenset[str], names: list[str]) -> None:
        self.chosen, self.row = chosen, {name: i for i, name in enumerate(names)}
        self.seen: list[tuple[Fifo, Slot, tuple[Any, ...]]] = []

    def accepted(self, fifo: Fifo, slot: Slot) -> None:
        if fifo.tally.name in self.chosen:
            p = slot.packet
            self.seen.append((fifo, slot, (p.own_size, p.extra, p.kind, p.copy, len(p.tunnels_on), p.tunnels_on)))

    def before(self, end: int) -> LinkTrace:
        """Return the transmissions that began before ``end``."""
        begun = [hop for hop in self.seen if hop[1].start < end and not hop[1].taken_out]
        begun.sort(key=lambda hop: (hop[1].start, hop[0].key, hop[1].sequence))
        rows, messages = np.zeros(len(begun), HOP), []
        for i, (fifo, slot, (size, extra, kind, copy, depth, tunnels)) in enumerate(begun):
            p = slot.packet
            message = len(messages) if p.is_control else -1
            if p.is_control:
                messages.append((p.code, p.source, _six(p)))
            around = np.array([*tunnels, *[(0, 0, 0, 0)] * (4 - depth)], TUNNEL)
            which = (p.flow, p.seq, p.mobile, self.row[fifo.tally.name], message)
            rows[i] = (slot.start, slot.finish, fifo.key, *which, size, extra, kind, copy, depth, around)
        return LinkTrace(rows, np.array(messages, MESSAGE))


def _six(packet: Packet) -> tuple[int, ...]:
    return (*packet.args, *[0] * 6)[:6]
