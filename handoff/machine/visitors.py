"""What a router knows of the mobile nodes on its links: visitors, those expected, those it forwards for."""

from __future__ import annotations

from collections.abc import Iterable

from engine import FOREVER, Context
from handoff.machine.constants import ADVERTISEMENTS_IN_LIFETIME, SECOND
from handoff.machine.messages import Fields
from handoff.machine.places import Places
from handoff.machine.program import LINGER, Program


class Visitors:
    """One router's entries.

    A mobile node that is registered but not attached yet has a buffer of its own until it attaches (decisions, 13); a forwarding
    entry ends with its lifetime, with the marker, or when the mobile node is back (decisions, 12 and 25).
    """

    def __init__(self, program: Program, places: Places, attached: Iterable[int]) -> None:
        self.options, self.row, self.places = program.options, program.row, places
        self.attached: set[int] = set(attached)
        self.until: dict[int, int] = {}  # of those that registered through this router
        self.forwarding: set[int] = set()
        self.resident: set[int] = set(attached)  # registered before time 0
        self.kept: set[int] = set()  # what the old link carries no more waits here
        self.leaving: set[int] = set()  # the marker has passed: the visitor entry goes with the link
        self.unasked: dict[int, int] = {}  # who has not asked here since its link came up: advertisements that it will get
        self.last_passed: dict[int, int] = {}  # identification of the last request that came through this router
        self._forward = places.tunnel("AR")

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def up(self, ctx: Context, mobile: int) -> None:
        """The mobile node's link is usable."""
        self.attached.add(mobile)
        self.leaving.discard(mobile)
        until = self.until.get(mobile, -1)
        self.unasked[mobile] = ADVERTISEMENTS_IN_LIFETIME if until > ctx.time_ps else FOREVER
        kept = mobile in self.kept and mobile in self.resident
        if until > ctx.time_ps or kept or mobile in self.forwarding or self.row.ip == 6:
            self._deliver(ctx, until if until > ctx.time_ps else None)
        self.forwarding.discard(mobile)
        self.kept.discard(mobile)

    def fade(self, ctx: Context, mobile: int) -> None:
        """The last frame that the mobile node's link can carry has left: what comes now is kept (``old_buffer_packets``)."""
        self.attached.discard(mobile)
        entry = FOREVER if self.row.ip == 6 else self.until.get(mobile, FOREVER if mobile in self.resident else -1)
        until = min(entry, ctx.time_ps + self.options.forwarding_lifetime(self.row.ip))
        if until > ctx.time_ps and mobile not in self.forwarding and mobile not in self.leaving:
            self.kept.add(mobile)
            ctx.hold(packets=self.options.old_buffer_packets, until_ps=until)

    def down(self, ctx: Context, mobile: int) -> None:
        """The mobile node's link is gone."""
        self.attached.discard(mobile)
        self.unasked.pop(mobile, None)
        if mobile in self.leaving:
            if self.options.linger_ps:
                ctx.timer(ctx.time_ps + self.options.linger_ps, LINGER)
            else:
                self.left(ctx, mobile)

    def left(self, ctx: Context, mobile: int) -> None:
        """The marker has passed and the link is gone (decisions, 10): a foreign agent forgets its visitor."""
        if mobile in self.leaving and mobile not in self.attached:
            self.leaving.discard(mobile)
            self.end(ctx, mobile)

    # -- entries ----------------------------------------------------------------------------------------------------------
    def end(self, ctx: Context, mobile: int) -> None:
        """No visitor, no forwarding any more; an IPv6 link goes on delivering to nobody."""
        self.until.pop(mobile, None)
        self.resident.discard(mobile)
        if mobile in self.forwarding or mobile in self.kept or self.row.ip == 4:
            self.forwarding.discard(mobile)
            self.kept.discard(mobile)
            ctx.unbind()

    def expect(self, ctx: Context, mobile: int, lifetime_ps: int) -> None:
        """An entry for a mobile node that registers through this router."""
        until = ctx.time_ps + lifetime_ps
        self.forwarding.discard(mobile)
        self.resident.discard(mobile)
        self.kept.discard(mobile)
        self.leaving.discard(mobile)
        self.until[mobile] = until
        if mobile in self.attached:
            self._deliver(ctx, until)
        else:
            ctx.hold(packets=self.options.new_buffer_packets, bytes=self.options.new_buffer_bytes, until_ps=until)

    def replied(self, ctx: Context, mobile: int, lifetime_ps: int) -> None:
        """A reply passes: the lifetime runs from it (RFC 5944, 3.7.3)."""
        if mobile in self.until:
            self.until[mobile] = until = ctx.time_ps + lifetime_ps
            if mobile in self.attached:
                self._deliver(ctx, until)

    def _deliver(self, ctx: Context, until_ps: int | None) -> None:
        """To the mobile node on this link: a foreign agent while its registration lasts, an IPv6 router to whoever is there."""
        ctx.local(until_ps=until_ps if self.row.ip == 4 else None)

    def acknowledged(self, ctx: Context, mobile: int) -> None:
        """The old router's acknowledgement passes: packets follow, though the request was lost or never sent (decisions, 24)."""
        if mobile not in self.until:
            self.expect(ctx, mobile, self.options.forwarding_lifetime(self.row.ip))

    def forward(self, ctx: Context, fields: Fields, mobile: int) -> None:
        """Old care-of address -> new care-of address from now on."""
        if fields.new == ctx.node or fields.identification < self.last_passed.get(mobile, -1):
            return  # a node never forwards to itself, nor for a mobile node that has registered here again since
        self.forwarding.add(mobile)
        self.leaving.discard(mobile)
        self.until.pop(mobile, None)
        self.resident.discard(mobile)
        self.kept.discard(mobile)
        until = ctx.time_ps + self.options.forwarding_lifetime(self.row.ip)
        ctx.bind(fields.new, until_ps=until, again=self.options.forward_unacked, **self._forward)  # type: ignore[arg-type]

    def marker(self, fields: Fields, mobile: int) -> tuple[bool, bool]:
        """The marker has come to the old router: whether it goes on to the mobile node, and whether the entry then ends.

        With route optimization more may follow it (decisions, 3), so it does not end the forwarding there.
        """
        if fields.identification < self.last_passed.get(mobile, -1):
            return False, False  # of an earlier leave: the mobile node has asked through this router again
        if mobile in self.forwarding:  # in IPv4 it is for the foreign agent, and has nothing left to mark (decisions, 11, 12)
            return self.row.ip == 6, self.options.forwarding_end == "marker" and not self.row.route_optimization
        if mobile not in self.attached:  # in IPv6 it is for an address on this link
            return self.row.ip == 6, self.row.ip == 4 and mobile not in self.kept
        self.leaving.add(mobile)
        return True, False

    def restart(self, ctx: Context, mobile: int) -> None:
        """Everything is forgotten."""
        self.leaving.discard(mobile)
        self.end(ctx, mobile)


def lifetime_ps(fields: Fields) -> int:
    """Lifetime in a message, in ps."""
    return fields.lifetime_s * SECOND
