"""FIFO of docs/model.md, section 3, with the retraction of packets by a rescue (section 6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.elements import Channel
from engine.quantities import FOREVER
from engine.results import TimeLimitError

from .draws import key


@dataclass(eq=False)
class Packet:
    """One copy of a packet in the network (section 5)."""

    kind: int  # 0 data down, 1 data up, 2 control for a node, 3 control for a mobile
    key: int
    mobile: int
    own_size: int
    born: int
    to: int
    flow: int = -1
    seq: int = -1
    source: int = -1
    code: int = 0
    args: tuple[int, ...] = ()
    like_data: bool = False  # passes the registration server
    hostile: bool = False  # an attacker caused this message
    extra: int = 0
    tunnels: int = 0
    ends_at_router: bool = False  # of the last tunnel it entered
    copy: int = 0
    level: int = 0
    copy_slot: int = -1  # row of Record.control
    sender: int = -1  # mobile that sends it to ``mobile``, if two take part
    tunnels_on: tuple[tuple[int, int, int, int], ...] = ()  # of each, innermost first: source, target, bytes, end

    @property
    def size(self) -> int:
        return self.own_size + self.extra

    @property
    def radio_sender(self) -> int:
        """Mobile whose uplink it takes."""
        return self.mobile if self.sender < 0 else self.sender

    @property
    def is_control(self) -> bool:
        return self.kind >= 2


@dataclass(eq=False)
class Slot:
    """Position of a packet in a FIFO."""

    packet: Packet
    size: int
    sequence: int
    arrival: int
    start: int
    finish: int
    version: int = 0  # counts how often a rescue moved it, or took it out
    taken_out: bool = False


@dataclass
class Tally:
    """One row of ``Result.links``: a link, or all downlinks or all uplinks of a cell."""

    name: str
    packets: int = 0
    bytes: int = 0
    control_packets: int = 0
    control_bytes: int = 0
    tunnel_bytes: int = 0
    dropped: int = 0
    lost: int = 0
    detached: int = 0
    rescued: int = 0
    rescued_bytes: int = 0
    queued: int = 0
    queued_bytes: int = 0
    peak_packets: int = 0
    peak_bytes: int = 0
    busy_ps: int = 0
    under_way: set[Slot] = field(default_factory=set)
    arrived: int = 0

    def close(self) -> None:
        """Count packets that have not reached the far end as queued, then check the law of section 13."""
        self.queued = len(self.under_way)
        self.queued_bytes = sum(slot.size for slot in self.under_way)
        assert self.packets == self.arrived + self.lost + self.detached + self.rescued + self.queued, self.name


class Fifo:
    """Drop-tail, store-and-forward queue with a rate or a fixed service time."""

    def __init__(self, name_key: int, channel: Channel, tally: Tally, service_ps: int | None = None) -> None:
        self.key = name_key
        self.channel = channel
        self.tally = tally
        self.service_ps = service_ps
        self.free = 0
        self.sequence = 0
        self.slots: list[Slot] = []

    def time_for(self, size: int) -> int:
        if self.service_ps is not None:
            return self.service_ps
        rate = self.channel.rate_bps
        return 0 if rate is None else -(-8 * size * 10**12 // rate)

    def is_full(self, packets: int, size_with_new: int) -> bool:
        limits = self.channel
        return (limits.buffer_packets is not None and packets >= limits.buffer_packets) or (
            limits.buffer_bytes is not None and size_with_new > limits.buffer_bytes
        )

    def accept(self, packet: Packet, t: int) -> Slot | None:
        """Return the slot of an accepted packet, or None if the FIFO is full."""
        self.slots = [slot for slot in self.slots if slot.finish > t]
        packets, size = len(self.slots), sum(slot.size for slot in self.slots) + packet.size
        if self.is_full(packets, size):
            self.tally.dropped += 1
            return None
        start = max(t, self.free)
        slot = Slot(packet, packet.size, self.sequence, t, start, start + self.time_for(packet.size))
        if slot.finish + self.channel.delay_ps >= FOREVER:
            raise TimeLimitError(f"{self.tally.name}: a packet would end past the end of the clock")
        self.sequence += 1
        self.free = slot.finish
        self.slots.append(slot)
        self._count(slot, packets + 1, size)
        return slot

    def _count(self, slot: Slot, packets: int, size: int) -> None:
        tally = self.tally
        tally.packets += 1
        tally.bytes += slot.size
        if slot.packet.is_control:
            tally.control_packets += 1
            tally.control_bytes += slot.size
        tally.tunnel_bytes += slot.packet.extra
        tally.peak_packets = max(tally.peak_packets, packets)
        tally.peak_bytes = max(tally.peak_bytes, size)
        tally.busy_ps += slot.finish - slot.start
        tally.under_way.add(slot)

    def take_out(self, mobile: int, t: int) -> tuple[list[Slot], list[Slot]]:
        """Rescue: retract the mobile's slots with start > t and move those behind forward; return (retracted, moved)."""
        taken = [slot for slot in self.slots if slot.packet.mobile == mobile and slot.start > t]
        if not taken:
            return [], []
        kept = [slot for slot in self.slots if slot not in taken]
        moved, free = [], 0
        for slot in kept:
            if slot.start > t and free < slot.start:
                slot.start, slot.finish = free, free + self.time_for(slot.size)
                slot.version += 1
                moved.append(slot)
            free = slot.finish
        self.slots, self.free = kept, free
        for slot in taken:
            slot.version += 1
            slot.taken_out = True
            self.tally.rescued += 1
            self.tally.rescued_bytes += slot.size
            self.tally.busy_ps -= slot.finish - slot.start
            self.tally.under_way.discard(slot)
        return taken, moved


def link_fifo(name: str, channel: Channel, tally: Tally) -> Fifo:
    return Fifo(key(name), channel, tally)


def server_fifo(name: str, service_ps: int, queue: int | None) -> Fifo:
    return Fifo(key(name + "|"), Channel(None, 0, queue, None, 0), Tally(name), service_ps)
