"""Home link of the home agent: delivery to mobile nodes at home, which have no binding (RFC 5944 4.1, RFC 6275 11.5.5)."""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from engine import FOREVER, Context
from handoff.protocol.messages import IDENTIFICATION
from handoff.protocol.visitor_list import VisitorEntry, VisitorList


@mypyc_attr(allow_interpreted_subclasses=True)
class HomeLink(VisitorList):
    """Visitor entries of a home agent that has a radio cell.

    The binding cache and the link share the node's table. While a mobile node has a binding (it is *away*), its packets take the
    tunnel, even if its home link is up. Without a binding it is *at home*: the home agent delivers to it like a router, without a
    lifetime. ``until_ps`` of an entry is ``FOREVER`` at home and -1 away. A mobile node is at home from time 0 if its link is up
    then, and also if it has never registered.
    """

    def _initial_entry(self, mobile: int) -> VisitorEntry:
        visitor = super()._initial_entry(mobile)
        visitor.until_ps = FOREVER if self.roles.first_router[mobile] in (-1, self.node) else -1
        return visitor

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def on_link_up(self, ctx: Context) -> None:
        """Start delivery to a mobile node at home. One that is away has to deregister first."""
        visitor = self.entries[ctx.mobile]
        if visitor.forwarding:  # it has come back before its registration arrived
            visitor.until_ps = FOREVER
        super().on_link_up(ctx)

    def on_link_draining(self, ctx: Context) -> None:
        """Buffer packets for a mobile node at home from now on (``old_buffer_packets``)."""
        visitor = self.entries[ctx.mobile]
        if visitor.until_ps < 0:
            visitor.attached = False
        else:
            super().on_link_draining(ctx)

    # -- messages that pass -----------------------------------------------------------------------------------------------
    def on_request(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Note a request. Its effect on the table is that of the binding cache."""
        visitor = self.entries[ctx.mobile]
        visitor.advertisements_left = 0
        visitor.last_identification = args[IDENTIFICATION]

    def on_reply(self, ctx: Context, lifetime_ps: int) -> None:
        """Ignore the lifetime: delivery at home has none."""

    def on_acknowledgement(self, ctx: Context) -> None:
        """Ignore an old router that forwards: the mobile node is expected once it has deregistered."""

    def start_forwarding(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Tunnel packets of a mobile node at home to its new care-of address until its registration arrives."""
        if self.entries[ctx.mobile].until_ps >= 0:
            super().start_forwarding(ctx, args)

    def takes_marker_past_table(self, mobile: int) -> bool:
        """Return whether the marker of the home link takes the radio directly: the table has the new address already."""
        visitor = self.entries[mobile]
        return visitor.attached and visitor.until_ps < 0

    # -- changes of the binding -----------------------------------------------------------------------------------------------
    def on_bound(self, ctx: Context) -> None:
        """Record that a binding directs the packets elsewhere from now on."""
        visitor = self.entries[ctx.mobile]
        visitor.until_ps = -1
        visitor.forwarding = visitor.registered_at_start = visitor.buffering_old_link = False

    def on_deregistered(self, ctx: Context) -> None:
        """Deliver to a mobile node that has deregistered, or buffer until it attaches (decision 13)."""
        self._expect(ctx, self.entries[ctx.mobile], FOREVER)

    def on_unbound(self, ctx: Context) -> None:
        """Deliver to a mobile node on the link whose binding has gone for another reason."""
        visitor = self.entries[ctx.mobile]
        visitor.until_ps = FOREVER
        visitor.forwarding = visitor.buffering_old_link = visitor.ends_with_link = False
        if visitor.attached:
            self._deliver(ctx, None)
        else:
            ctx.unbind()

    def remove(self, ctx: Context) -> None:
        """Leave the table to the binding cache."""
        self.entries[ctx.mobile].ends_with_link = False
