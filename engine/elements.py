"""Elements of a network as plain data: nodes, links, cells, groups of mobiles and the parameters of their FIFOs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from engine.arguments import INT64_MAX, check_integer
from engine.quantities import (
    NO_PLACE,
    is_unlimited,
    loss_threshold,
    parse_byte_limit,
    parse_duration,
    parse_rate,
    refuse_zero,
)

Limit = int | str | None
"""A limit: a number, text with a unit, or None, ``"unlimited"`` or ``"infinite"`` for no limit. 0 is refused."""


def parse_places(name: str, value: Limit) -> int | None:
    """Return the largest number of packets in a system, the one in service included; None: no limit."""
    return None if is_unlimited(value) else refuse_zero(check_integer(name, value, 0, INT64_MAX), f"{name}: {NO_PLACE}")


@dataclass(frozen=True)
class Channel:
    """Parameters of one FIFO: rate, delay, largest number of packets and bytes in the system, loss threshold. None: no limit."""

    rate_bps: int | None
    delay_ps: int
    buffer_packets: int | None
    buffer_bytes: int | None
    loss: int

    @classmethod
    def of(
        cls,
        rate: Limit,
        delay: int | str,
        buffer_packets: Limit = None,
        buffer_bytes: Limit = None,
        loss: float | str = 0,
    ) -> Channel:
        """Parse texts with units into exact integers."""
        limits = parse_places("buffer_packets", buffer_packets), parse_byte_limit(buffer_bytes)
        return cls(parse_rate(rate), parse_duration(delay), *limits, loss_threshold(loss))

    def crossing_ps(self, size_bytes: int) -> int:
        """Return the time from the first bit of a packet at an idle FIFO to its last bit at the far end."""
        return self.delay_ps + (0 if self.rate_bps is None else -(-8 * size_bytes * 10**12 // self.rate_bps))


@dataclass(frozen=True)
class Node:
    """A fixed node with its forwarding server and its registration server (docs/model.md, 1)."""

    name: str
    service_ps: int
    service_queue: int | None
    registration_ps: int
    registration_queue: int | None
    registration_answers: bool = False


@dataclass(frozen=True)
class Link:
    """A directed link between two nodes."""

    name: str
    src: int
    dst: int
    channel: Channel


@dataclass(frozen=True)
class Cell:
    """The radio of a node. If ``shared``, one downlink FIFO serves all its mobiles; else each mobile has its own."""

    node: int
    down: Channel
    up: Channel
    shared: bool


class MobileGroup(NamedTuple):
    """Mobiles added in one call: one mobile with a name, or several with a prefix and a number."""

    name: str
    key: int
    first: int
    mobiles: int
    numbered: bool
    home: int

    def find(self, name: str) -> int | None:
        """Return the index of the mobile with a name, None if it is not in this group."""
        if not self.numbered:
            return self.first if name == self.name else None
        digits = name[len(self.name) :]
        if not name.startswith(self.name) or not digits.isdecimal():
            return None
        number = int(digits)
        return self.first + number if number < self.mobiles and digits == str(number) else None
