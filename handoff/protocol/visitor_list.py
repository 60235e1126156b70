"""Visitor list of a router: the mobile nodes on its link, those it expects, and those it forwards for (RFC 5944 3.7.1)."""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from engine import FOREVER, Context, PerMobileState
from handoff.protocol.constants import ADVERTISEMENTS_IN_LIFETIME, SECOND
from handoff.protocol.messages import ATTACK_MARK, IDENTIFICATION, NEW, PEER_BITS, PEER_LIFETIME
from handoff.protocol.program import LINGER, Program
from handoff.protocol.roles import RoleResolver


@mypyc_attr(allow_interpreted_subclasses=True)
class VisitorEntry:
    """State of one mobile node at a router.

    Attributes
    ----------
    attached : bool
        The mobile node's link to this router is up.
    until_ps : int
        End of the registration through this router (RFC 5944 3.7.1, remaining lifetime); -1 for none.
    registered_at_start : bool
        The mobile node has been registered through this router since before time 0, with no known end.
    forwarding : bool
        Packets are tunnelled to the new care-of address (RFC 6275 10.4; seed, phases II-4 and III-3).
    buffering_old_link : bool
        Packets that the old link cannot carry any longer are buffered here (option ``old_buffer_packets``).
    marker_passed, waits_for_marker : bool
        The marker of the mobile node's last move away has passed; it has not, and forwarding waits for it.
    ends_with_link : bool
        The marker has passed, so that the entry is removed when the link goes down (decision 10).
    advertisements_left : int
        Advertisements still to be sent to the mobile node, which has not registered since its link came up (RFC 5944 2.3.1).
    last_identification : int
        Identification of the last request of the mobile node that this router relayed (RFC 5944 3.7.1); -1 for none.
    """

    __slots__ = (
        "advertisements_left",
        "attached",
        "buffering_old_link",
        "ends_with_link",
        "forwarding",
        "last_identification",
        "marker_passed",
        "registered_at_start",
        "until_ps",
        "waits_for_marker",
    )

    def __init__(self, registered_at_start: bool) -> None:
        self.attached = self.registered_at_start = registered_at_start
        self.forwarding = self.buffering_old_link = self.ends_with_link = False
        self.marker_passed = self.waits_for_marker = False
        self.until_ps = self.last_identification = -1
        self.advertisements_left = 0


@mypyc_attr(allow_interpreted_subclasses=True)
class VisitorList:
    """Visitor entries of one router. An entry is created at the first event that concerns a mobile node.

    A mobile node that has registered but not attached yet has a buffer of its own until it attaches (decision 13). A forwarding
    entry ends with its lifetime, with the marker, or when the mobile node returns (decisions 12 and 25).

    Parameters
    ----------
    program : Program
        Program of the run.
    roles : RoleResolver
        Roles of the run.
    node : int
        Node of the router.
    """

    def __init__(self, program: Program, roles: RoleResolver, node: int) -> None:
        self.options, self.procedure, self.roles, self.node = program.options, program.procedure, roles, node
        self.entries = PerMobileState(self._initial_entry)
        has_foreign_agents, is_home_link = program.options.has_foreign_agents(program.procedure), node == roles.home_agent
        self._is_foreign_agent = has_foreign_agents and not is_home_link
        self._delivers_to_all = not has_foreign_agents and not is_home_link
        self._forwarding_ps = program.options.forwarding_lifetime(program.procedure.ip)
        self._forwarding_tunnel = roles.tunnel_end("AR")

    def _initial_entry(self, mobile: int) -> VisitorEntry:
        return VisitorEntry(self.roles.first_router[mobile] == self.node)

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def on_link_up(self, ctx: Context) -> None:
        """Start delivery to the mobile node if it is registered here, if packets wait for it, or in any case in IPv6."""
        visitor = self.entries[ctx.mobile]
        visitor.attached, visitor.ends_with_link = True, False
        visitor.marker_passed = visitor.waits_for_marker = False
        registered = visitor.until_ps > ctx.time_ps
        visitor.advertisements_left = ADVERTISEMENTS_IN_LIFETIME if registered else FOREVER
        returns = visitor.buffering_old_link and visitor.registered_at_start
        if registered or returns or visitor.forwarding or self._delivers_to_all:
            self._deliver(ctx, visitor.until_ps if registered else None)
        visitor.forwarding = visitor.buffering_old_link = False

    def on_link_draining(self, ctx: Context) -> None:
        """Buffer packets from now on, since the link goes down before it could carry them (``old_buffer_packets``)."""
        visitor = self.entries[ctx.mobile]
        visitor.attached = False
        has_no_end = not self._is_foreign_agent or (visitor.until_ps < 0 and visitor.registered_at_start)
        until = min(FOREVER if has_no_end else visitor.until_ps, ctx.time_ps + self._forwarding_ps)
        if until > ctx.time_ps and not visitor.forwarding and not visitor.ends_with_link:
            visitor.buffering_old_link = True
            ctx.buffer(packets=self.options.old_buffer_packets, bytes=self.options.old_buffer_bytes, until_ps=until)

    def on_link_down(self, ctx: Context) -> None:
        """Record that the link is down. If the marker has passed, remove the entry, at once or after ``linger_ps``."""
        visitor = self.entries[ctx.mobile]
        visitor.attached = False
        visitor.advertisements_left = 0
        if visitor.ends_with_link:
            if self.options.linger_ps:
                ctx.timer(ctx.time_ps + self.options.linger_ps, LINGER)
            else:
                self.remove_after_marker(ctx)

    def remove_after_marker(self, ctx: Context) -> None:
        """Remove the entry if the marker has passed and the mobile node has not returned (decision 10)."""
        visitor = self.entries[ctx.mobile]
        if visitor.ends_with_link and not visitor.attached:
            visitor.ends_with_link = False
            self.remove(ctx)

    def count_advertisement(self, mobile: int, always: bool = False) -> bool:
        """Return whether an advertisement is due for a mobile node, and count it.

        Parameters
        ----------
        mobile : int
            A mobile node.
        always : bool
            If true, send it to every attached mobile node, also to mobile nodes that have registered since their link came up.
        """
        visitor = self.entries[mobile]
        left = visitor.advertisements_left
        send = visitor.attached and (left > 0 or always)
        if send:
            visitor.advertisements_left = max(0, left - 1)
        return send

    # -- entries ----------------------------------------------------------------------------------------------------------
    def remove(self, ctx: Context) -> None:
        """Remove the entry and end forwarding. An IPv6 router continues to deliver to every node on its link."""
        visitor = self.entries[ctx.mobile]
        visitor.until_ps = -1
        visitor.registered_at_start = False
        if visitor.forwarding or visitor.buffering_old_link or self._is_foreign_agent:
            visitor.forwarding = visitor.buffering_old_link = visitor.waits_for_marker = False
            ctx.unbind()

    def on_request(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Enter a mobile node whose request this router relays: deliver to it, or buffer until it attaches."""
        visitor = self.entries[ctx.mobile]
        visitor.advertisements_left = 0
        visitor.last_identification = args[IDENTIFICATION]
        self._expect(ctx, visitor, ctx.time_ps + lifetime_ps(args))

    def _expect(self, ctx: Context, visitor: VisitorEntry, until_ps: int) -> None:
        visitor.forwarding = visitor.registered_at_start = visitor.buffering_old_link = visitor.ends_with_link = False
        visitor.marker_passed = visitor.waits_for_marker = False
        visitor.until_ps = until_ps
        if visitor.attached:
            self._deliver(ctx, until_ps)
        else:
            ctx.buffer(packets=self.options.new_buffer_packets, bytes=self.options.new_buffer_bytes, until_ps=until_ps)

    def on_reply(self, ctx: Context, lifetime_ps: int) -> None:
        """Start the lifetime of a registration whose reply this router relays (RFC 5944 3.7.3)."""
        visitor = self.entries[ctx.mobile]
        if visitor.until_ps >= 0:
            visitor.until_ps = ctx.time_ps + lifetime_ps
            if visitor.attached:
                self._deliver(ctx, visitor.until_ps)

    def _deliver(self, ctx: Context, until_ps: int | None) -> None:
        # a foreign agent delivers while the registration lasts, an IPv6 router as long as the link exists
        ctx.deliver_locally(until_ps=until_ps if self._is_foreign_agent else None)

    def on_acknowledgement(self, ctx: Context) -> None:
        """Expect a mobile node for which the old router forwards, even if no request has passed here (decision 24)."""
        visitor = self.entries[ctx.mobile]
        if visitor.until_ps < 0:
            self._expect(ctx, visitor, ctx.time_ps + self._forwarding_ps)

    def start_forwarding(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Tunnel packets to the new care-of address.

        A router does not forward to itself, nor for a mobile node that has registered here again since it sent the update. If the
        mobile node returns home, the home agent would send the packets back until it has processed the deregistration. The router
        therefore buffers them until a marker has come, if it has a buffer.
        """
        visitor = self.entries[ctx.mobile]
        if not self._becomes_forwarder(visitor, args):
            return
        until = ctx.time_ps + self._forwarding_ps
        in_flight = self.options.forward_unacked
        expects_marker = args[NEW] == self.roles.home_agent and self.procedure.marker and not visitor.marker_passed
        if expects_marker and self.options.buffers_at_old_router:
            visitor.waits_for_marker = True
            packets, size_bytes = self.options.old_buffer_packets, self.options.old_buffer_bytes
            ctx.buffer(packets=packets, bytes=size_bytes, until_ps=until, copy_in_flight=in_flight)
        else:
            header, end = self._forwarding_tunnel
            ctx.bind(
                args[NEW], header_bytes=header, end=end, until_ps=until, copy_in_flight=in_flight,
                hostile=args[0] >= ATTACK_MARK,
            )  # fmt: skip

    def hand_over(self, ctx: Context, args: tuple[int, ...], temporary_home_agent: int) -> None:
        """Pass packets for the old care-of address to the temporary home agent, on the link and without a tunnel header."""
        if temporary_home_agent != self.node and self._becomes_forwarder(self.entries[ctx.mobile], args):
            ctx.bind(
                temporary_home_agent, header_bytes=0, end="mobile", until_ps=ctx.time_ps + self._forwarding_ps,
                copy_in_flight=self.options.forward_unacked,
            )  # fmt: skip

    def _becomes_forwarder(self, visitor: VisitorEntry, args: tuple[int, ...]) -> bool:
        """Return whether this router forwards for a mobile node from now on, and record it."""
        if args[NEW] == self.node or args[IDENTIFICATION] < visitor.last_identification:
            return False
        visitor.forwarding = True
        visitor.ends_with_link = visitor.registered_at_start = visitor.buffering_old_link = False
        visitor.until_ps = -1
        return True

    def on_marker(self, ctx: Context, args: tuple[int, ...]) -> tuple[bool, bool]:
        """Process a marker at the old router.

        The marker is addressed to the old care-of address. A foreign agent relays it to an attached mobile node. An address of
        the mobile node's own makes routers forward and buffer the marker like data (decision 11).

        Returns
        -------
        relay : bool
            The marker goes on to the mobile node.
        remove : bool
            The entry ends. With route optimization packets may follow the marker through the home agent (decision 3), so that the
            marker does not end forwarding there.
        """
        visitor = self.entries[ctx.mobile]
        if args[IDENTIFICATION] < visitor.last_identification:
            return False, False  # of an earlier handoff: the mobile node has registered through this router again since
        visitor.marker_passed = True
        if visitor.waits_for_marker:
            visitor.waits_for_marker = False
            until = ctx.time_ps + self._forwarding_ps
            header, end = self._forwarding_tunnel
            ctx.bind(self.roles.home_agent, header_bytes=header, end=end, until_ps=until)
        if visitor.forwarding:
            return not self._is_foreign_agent, self.options.forwarding_end == "marker" and not self.procedure.route_optimization
        if not visitor.attached:
            return not self._is_foreign_agent, self._is_foreign_agent and not visitor.buffering_old_link
        visitor.ends_with_link = True
        return True, False

    def takes_marker_past_table(self, mobile: int) -> bool:
        """Return whether the marker goes to the radio directly, and not like data through this router's table."""
        return False

    def restart(self, ctx: Context) -> None:
        """Forget everything about a mobile node."""
        self.entries[ctx.mobile].ends_with_link = False
        self.remove(ctx)


def lifetime_ps(args: tuple[int, ...]) -> int:
    """Return the lifetime of a message in ps."""
    return (args[PEER_LIFETIME] >> PEER_BITS) * SECOND
