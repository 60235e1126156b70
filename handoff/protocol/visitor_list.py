"""What a router knows of the mobile nodes on its links: visitors, those expected, those it forwards for."""

from __future__ import annotations

from engine import FOREVER, Context
from handoff.protocol.constants import ADVERTISEMENTS_IN_LIFETIME, SECOND
from handoff.protocol.lazy_state import PerMobileState
from handoff.protocol.messages import MessageFields
from handoff.protocol.program import LINGER, Program
from handoff.protocol.roles import RoleResolver


class VisitorEntry:
    """What a router knows of one mobile node.

    ``attached``: its link is up; ``until``: end of the registration through this router (-1: none); ``resident``: registered here
    before time 0; ``forwarding``: tunnelled to the new care-of address; ``kept``: what the old link carries no more waits here;
    ``leaving``: the marker has passed, so the entry goes with the link; ``unasked``: how many advertisements it will get, since
    it has not asked here after its link came up; ``last_passed``: identification of its last request that came through here.
    """

    __slots__ = ("advertisements_left", "attached", "buffering_old_link", "forwarding", "last_passed", "leaving", "resident", "until")

    def __init__(self, resident: bool) -> None:
        self.attached = self.resident = resident
        self.forwarding = self.buffering_old_link = self.leaving = False
        self.until = self.last_passed = -1
        self.advertisements_left = 0


class VisitorList:
    """One router's entries; a mobile node of which it has heard nothing since time 0 has none.

    A mobile node that is registered but not attached yet has a buffer of its own until it attaches (decisions, 13); a forwarding
    entry ends with its lifetime, with the marker, or when the mobile node is back (decisions, 12 and 25).
    """

    def __init__(self, program: Program, places: RoleResolver, node: int) -> None:
        self.options, self.row, self.places, self.node = program.options, program.row, places, node
        self.entries = PerMobileState(self._at_start)
        self._ip4 = program.row.ip == 4
        self._forwarding_ps = program.options.forwarding_lifetime(program.row.ip)
        self._forward = places.tunnel("AR")

    def _at_start(self, mobile: int) -> VisitorEntry:
        return VisitorEntry(self.places.first_router[mobile] == self.node)

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def up(self, ctx: Context) -> None:
        """The mobile node's link is usable."""
        visitor = self.entries[ctx.mobile]
        visitor.attached, visitor.leaving = True, False
        until = visitor.until
        visitor.advertisements_left = ADVERTISEMENTS_IN_LIFETIME if until > ctx.time_ps else FOREVER
        kept = visitor.buffering_old_link and visitor.resident
        if until > ctx.time_ps or kept or visitor.forwarding or self.row.ip == 6:
            self._deliver(ctx, until if until > ctx.time_ps else None)
        visitor.forwarding = visitor.buffering_old_link = False

    def on_link_draining(self, ctx: Context) -> None:
        """The last frame that the mobile node's link can carry has left: what comes now is kept (``old_buffer_packets``)."""
        visitor = self.entries[ctx.mobile]
        visitor.attached = False
        entry = FOREVER if not self._ip4 or (visitor.until < 0 and visitor.resident) else visitor.until
        until = min(entry, ctx.time_ps + self._forwarding_ps)
        if until > ctx.time_ps and not visitor.forwarding and not visitor.leaving:
            visitor.buffering_old_link = True
            ctx.buffer(packets=self.options.old_buffer_packets, until_ps=until)

    def down(self, ctx: Context) -> None:
        """The mobile node's link is gone."""
        visitor = self.entries[ctx.mobile]
        visitor.attached = False
        visitor.advertisements_left = 0
        if visitor.leaving:
            if self.options.linger_ps:
                ctx.timer(ctx.time_ps + self.options.linger_ps, LINGER)
            else:
                self.remove_after_marker(ctx)

    def remove_after_marker(self, ctx: Context) -> None:
        """The marker has passed and the link is gone (decisions, 10): a foreign agent forgets its visitor."""
        visitor = self.entries[ctx.mobile]
        if visitor.leaving and not visitor.attached:
            visitor.leaving = False
            self.end(ctx)

    def advertised(self, mobile: int, always: bool = False) -> bool:
        """Count an advertisement for a mobile node on this link; whether it gets it."""
        visitor = self.entries[mobile]
        left = visitor.advertisements_left
        wanted = visitor.attached and (left > 0 or always)
        if wanted:
            visitor.advertisements_left = max(0, left - 1)
        return wanted

    # -- entries ----------------------------------------------------------------------------------------------------------
    def end(self, ctx: Context) -> None:
        """No visitor, no forwarding any more; an IPv6 link goes on delivering to nobody."""
        visitor = self.entries[ctx.mobile]
        visitor.until = -1
        visitor.resident = False
        if visitor.forwarding or visitor.buffering_old_link or self._ip4:
            visitor.forwarding = visitor.buffering_old_link = False
            ctx.unbind()

    def requested(self, ctx: Context, fields: MessageFields) -> None:
        """A request passes."""
        visitor = self.entries[ctx.mobile]
        visitor.advertisements_left = 0
        visitor.last_passed = fields.identification
        self._expect(ctx, visitor, ctx.time_ps + lifetime_ps(fields))

    def _expect(self, ctx: Context, visitor: VisitorEntry, until_ps: int) -> None:
        """An entry for a mobile node that registers through this router."""
        visitor.forwarding = visitor.resident = visitor.buffering_old_link = visitor.leaving = False
        visitor.until = until_ps
        if visitor.attached:
            self._deliver(ctx, until_ps)
        else:
            ctx.buffer(packets=self.options.new_buffer_packets, bytes=self.options.new_buffer_bytes, until_ps=until_ps)

    def replied(self, ctx: Context, lifetime_ps: int) -> None:
        """A reply passes: the lifetime runs from it (RFC 5944, 3.7.3)."""
        visitor = self.entries[ctx.mobile]
        if visitor.until >= 0:
            visitor.until = ctx.time_ps + lifetime_ps
            if visitor.attached:
                self._deliver(ctx, visitor.until)

    def _deliver(self, ctx: Context, until_ps: int | None) -> None:
        """To the mobile node on this link: a foreign agent while its registration lasts, an IPv6 router to whoever is there."""
        ctx.deliver_locally(until_ps=until_ps if self._ip4 else None)

    def acknowledged(self, ctx: Context) -> None:
        """The old router's acknowledgement passes: packets follow, though the request was lost or never sent (decisions, 24)."""
        visitor = self.entries[ctx.mobile]
        if visitor.until < 0:
            self._expect(ctx, visitor, ctx.time_ps + self._forwarding_ps)

    def forward(self, ctx: Context, fields: MessageFields) -> None:
        """Old care-of address -> new care-of address from now on."""
        visitor = self.entries[ctx.mobile]
        if fields.new == self.node or fields.identification < visitor.last_passed:
            return  # a node never forwards to itself, nor for a mobile node that has registered here again since
        visitor.forwarding = True
        visitor.leaving = visitor.resident = visitor.buffering_old_link = False
        visitor.until = -1
        until = ctx.time_ps + self._forwarding_ps
        ctx.bind(fields.new, until_ps=until, copy_in_flight=self.options.forward_unacked, **self._forward)  # type: ignore[arg-type]

    def marker(self, ctx: Context, fields: MessageFields) -> tuple[bool, bool]:
        """The marker has come to the old router: whether it goes on to the mobile node, and whether the entry then ends.

        With route optimization more may follow it (decisions, 3), so it does not end the forwarding there.
        """
        visitor = self.entries[ctx.mobile]
        if fields.identification < visitor.last_passed:
            return False, False  # of an earlier leave: the mobile node has asked through this router again
        if visitor.forwarding:  # in IPv4 it is for the foreign agent, and has nothing left to mark (decisions, 11, 12)
            return self.row.ip == 6, self.options.forwarding_end == "marker" and not self.row.route_optimization
        if not visitor.attached:  # in IPv6 it is for an address on this link
            return self.row.ip == 6, self._ip4 and not visitor.buffering_old_link
        visitor.leaving = True
        return True, False

    def restart(self, ctx: Context) -> None:
        """Everything is forgotten."""
        self.entries[ctx.mobile].leaving = False
        self.end(ctx)


def lifetime_ps(fields: MessageFields) -> int:
    """Lifetime in a message, in ps."""
    return fields.lifetime_s * SECOND
