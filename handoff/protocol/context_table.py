"""Contexts of mobile nodes at a router of a prepared procedure (TS 38.300 9.2.3.2, RFC 5568 4, RFC 5949 4)."""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from engine import Context, PerMobileState
from handoff.protocol.messages import IDENTIFICATION, NEW, OLD
from handoff.protocol.program import GATE, Program
from handoff.protocol.roles import RoleResolver

ANCHOR_TUNNELS = 1
"""Tunnels of a packet that comes from the anchor directly. One that an old router has forwarded has been in more."""


@mypyc_attr(allow_interpreted_subclasses=True)
class MobileContext:
    """Context of one mobile node at a router.

    Attributes
    ----------
    attached : bool
        The mobile node's link to this router is up, and will still be up when a packet that leaves now has crossed it.
    expected : bool
        The mobile node will come: what arrives for it waits.
    serving : bool
        The mobile node is served here: it has arrived, and no other router has been commanded to take it over.
    forwarding : bool
        Packets are tunnelled to the new router, or copies of them.
    gate_closed : bool
        Packets from the anchor wait for the marker.
    marker_passed : bool
        The marker of the last move to this router has come.
    ended : bool
        The new router has released this context: the entry ends with the marker.
    waiting_marker : tuple of int or None
        Arguments of a marker that came before this router has begun to forward; it goes behind what will be forwarded.
    last_identification : int
        Identification of the last message by which a mobile node was expected or arrived here.
    """

    __slots__ = (
        "attached",
        "ended",
        "expected",
        "forwarding",
        "gate_closed",
        "last_identification",
        "marker_passed",
        "serving",
        "waiting_marker",
    )

    def __init__(self, serving: bool) -> None:
        self.attached = self.serving = serving
        self.expected = self.forwarding = self.gate_closed = self.marker_passed = self.ended = False
        self.waiting_marker: tuple[int, ...] | None = None
        self.last_identification = 0


@mypyc_attr(allow_interpreted_subclasses=True)
class ContextTable:
    """Contexts of the mobile nodes at one router. A context is created at the first event that concerns a mobile node.

    The new router buffers for a mobile node that it expects until the mobile node's message arrives on the new link. The old
    router buffers what its link cannot carry any longer until it forwards, at most for the lifetime of a forwarding entry.

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
        self._forwarding_ps = program.options.forwarding_lifetime(program.procedure.ip)
        self._tunnel = roles.tunnel_end("AR")

    def _initial_entry(self, mobile: int) -> MobileContext:
        return MobileContext(self.roles.first_router[mobile] == self.node)

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def on_link_up(self, ctx: Context) -> None:
        """Deliver to a mobile node that returns to the router that serves it."""
        context = self.entries[ctx.mobile]
        context.attached = True
        if context.serving and not context.gate_closed:
            ctx.deliver_locally()

    def on_link_draining(self, ctx: Context) -> None:
        """Buffer packets from now on, since the link goes down before it could carry them (``old_buffer_packets``)."""
        context = self.entries[ctx.mobile]
        context.attached = False
        if context.serving and not context.forwarding:
            self._hold(ctx, context)

    def _hold(self, ctx: Context, context: MobileContext) -> None:
        until_ps = ctx.time_ps + self._forwarding_ps
        ctx.buffer(packets=self.options.old_buffer_packets, bytes=self.options.old_buffer_bytes, until_ps=until_ps)
        context.gate_closed = False

    def on_link_down(self, ctx: Context) -> None:
        """Record that the link is down."""
        self.entries[ctx.mobile].attached = False

    def remove_after_marker(self, ctx: Context) -> None:
        """Do nothing: a context ends with the marker, and not with the link."""

    def count_advertisement(self, mobile: int, always: bool = False) -> bool:
        """Return False: layer 2 carries what an advertisement would say."""
        return False

    # -- the new router ---------------------------------------------------------------------------------------------------
    def apply(self, ctx: Context, effect: str, args: tuple[int, ...]) -> None:
        """Apply an effect at the last node of a message."""
        _EFFECTS[effect](self, ctx, args)

    def _expect(self, ctx: Context, args: tuple[int, ...]) -> None:
        context = self.entries[ctx.mobile]
        if args[IDENTIFICATION] <= context.last_identification or context.serving:
            return  # an earlier request, or one for a mobile node that has arrived meanwhile
        self._begin(context, args)
        context.expected = True
        until_ps = ctx.time_ps + self._forwarding_ps  # for a mobile node that does not come
        ctx.buffer(packets=self.options.new_buffer_packets, bytes=self.options.new_buffer_bytes, until_ps=until_ps)

    def _begin(self, context: MobileContext, args: tuple[int, ...]) -> None:
        context.last_identification = args[IDENTIFICATION]
        context.forwarding = context.marker_passed = context.ended = False
        context.waiting_marker = None

    def _open(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Deliver to a mobile node that has arrived; with a gate, what comes from the anchor waits for the marker.

        Without a marker the gate opens ``gate_timer_ps`` later.
        """
        context = self.entries[ctx.mobile]
        if args[IDENTIFICATION] < context.last_identification:
            return  # of an earlier arrival
        if not context.expected:
            self._begin(context, args)
        context.expected = False
        context.last_identification = max(context.last_identification, args[IDENTIFICATION])
        comes_from_elsewhere = args[OLD] >= 0 and args[OLD] != self.node
        context.serving = True
        if not context.attached:  # the mobile node has left again
            self._hold(ctx, context)
            return
        context.gate_closed = self.procedure.gate and not context.marker_passed and comes_from_elsewhere
        if context.gate_closed:
            packets, size_bytes = self.options.new_buffer_packets, self.options.new_buffer_bytes
            ctx.buffer(packets=packets, bytes=size_bytes, gate=ANCHOR_TUNNELS)
            ctx.timer(ctx.time_ps + self.options.gate_timer_ps, GATE, args[IDENTIFICATION])
        else:
            ctx.deliver_locally()

    def _release(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Open the gate, because the marker says that no forwarded packet will follow."""
        context = self.entries[ctx.mobile]
        if args[NEW] != self.node or args[IDENTIFICATION] < context.last_identification:
            return
        if self.roles.handoffs is not None:
            self.roles.handoffs.note(ctx.mobile, args[NEW], ctx.time_ps, "marker_ps")
        context.marker_passed = True
        self._open_gate(ctx, context)

    def _open_gate(self, ctx: Context, context: MobileContext) -> None:
        if context.gate_closed and context.serving:
            context.gate_closed = False
            ctx.deliver_locally()

    def _complete(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Note the end of a handoff. A mobile node on the link whose message has been lost is served from now on."""
        if args[NEW] == self.node:  # and not a control node
            context = self.entries[ctx.mobile]
            if context.expected and context.attached:
                self._open(ctx, args)
        if self.roles.handoffs is not None:
            self.roles.handoffs.note(ctx.mobile, args[NEW], ctx.time_ps, "reply_ps", "bound_ps", completes=True)

    def _open_and_complete(self, ctx: Context, args: tuple[int, ...]) -> None:
        self._open(ctx, args)
        self._complete(ctx, args)

    def on_gate_timer(self, ctx: Context, identification: int) -> None:
        """Open a gate whose marker has not come, unless a later handoff has closed it."""
        context = self.entries[ctx.mobile]
        if identification >= context.last_identification:
            self._open_gate(ctx, context)

    # -- the old router ---------------------------------------------------------------------------------------------------
    def before_sending(self, ctx: Context, action: str, is_command: bool, args: tuple[int, ...]) -> None:
        """Apply the action of the first node of a message, and note a command that leaves."""
        if is_command and self.roles.handoffs is not None:
            self.roles.handoffs.note(ctx.mobile, args[NEW], ctx.time_ps, "rescue_ps")
        if action == "forward":
            self.start_forwarding(ctx, args)
        elif action == "copy":
            self._start_forwarding(ctx, args, beside_cell=True)
        elif action == "stop":
            context = self.entries[ctx.mobile]
            if self._may_leave(context, args):
                context.serving = context.gate_closed = False
                ctx.unbind()

    def start_forwarding(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Tunnel packets to the new router, or back to the anchor, which relays them."""
        self._start_forwarding(ctx, args, beside_cell=False)

    def _start_forwarding(self, ctx: Context, args: tuple[int, ...], beside_cell: bool) -> None:
        context = self.entries[ctx.mobile]
        if not self._may_leave(context, args):
            return
        context.forwarding = True
        context.serving = beside_cell
        context.gate_closed = context.marker_passed = False
        if self.procedure.forwarding == "none":
            ctx.unbind()
            return
        target = self.roles.home_agent if self.procedure.forwarding == "anchor" else args[NEW]
        header, end = self._tunnel
        until_ps = None if self.procedure.anchor == "oAR" else ctx.time_ps + self._forwarding_ps
        ctx.bind(
            target, header_bytes=header, end=end, until_ps=until_ps, beside_cell=beside_cell,
            copy_in_flight=self.options.forward_unacked,
        )  # fmt: skip

    def _may_leave(self, context: MobileContext, args: tuple[int, ...]) -> bool:
        """Return whether a message is about the mobile node's stay here, and not about an earlier one."""
        return args[NEW] != self.node and args[IDENTIFICATION] > context.last_identification

    def _end(self, ctx: Context, args: tuple[int, ...]) -> None:
        """End forwarding when the marker has passed, or note that the marker shall end it."""
        context = self.entries[ctx.mobile]
        if not self._may_leave(context, args):
            return
        if context.serving:  # the mobile node has gone, and nothing is forwarded
            context.serving = context.gate_closed = context.forwarding = False
            ctx.unbind()
        elif self.options.forwarding_end == "marker":
            if context.marker_passed or not self.procedure.marker:
                self.remove(ctx)
            else:
                context.ended = True

    def on_marker(self, ctx: Context, args: tuple[int, ...]) -> tuple[bool, bool]:
        """Process a marker at the old router: pass it on behind what has been forwarded, or keep it until forwarding begins.

        After a return of the mobile node, this router forwards nothing any longer, and the marker goes on at once.

        Returns
        -------
        relay : bool
            The marker goes on to the new router.
        remove : bool
            The entry ends.
        """
        context = self.entries[ctx.mobile]
        if args[IDENTIFICATION] < context.last_identification:
            return True, False
        if context.forwarding and not context.serving:
            context.marker_passed = True
            return True, context.ended
        if context.serving and args[NEW] != self.node:
            context.waiting_marker = args
            return False, False
        return True, False

    def pop_waiting_marker(self, mobile: int) -> tuple[int, ...] | None:
        """Return the marker that may go now, behind the packets that have been forwarded; None for none."""
        context = self.entries[mobile]
        if context.waiting_marker is None or context.serving:
            return None
        args, context.waiting_marker, context.marker_passed = context.waiting_marker, None, True
        return args

    def remove(self, ctx: Context) -> None:
        """End forwarding."""
        context = self.entries[ctx.mobile]
        if context.forwarding:
            context.forwarding = context.ended = False
            ctx.unbind()

    def takes_marker_past_table(self, mobile: int) -> bool:
        """Return False: the marker does not go to the mobile node."""
        return False

    def restart(self, ctx: Context) -> None:
        """Forget everything about a mobile node but its link."""
        attached = self.entries[ctx.mobile].attached
        self.entries[ctx.mobile] = context = MobileContext(False)
        context.attached = attached
        ctx.unbind()

    # -- messages that pass -----------------------------------------------------------------------------------------------
    def on_request(self, ctx: Context, args: tuple[int, ...]) -> None:
        """Deliver to a mobile node that registers through this router, if the message that announced it was lost."""
        if not self.entries[ctx.mobile].serving:
            self._open(ctx, args)

    def on_reply(self, ctx: Context, lifetime_ps: int) -> None:
        """Do nothing: a context has no lifetime."""

    def on_acknowledgement(self, ctx: Context) -> None:
        """Do nothing: other messages tell this router what it has to know."""

    def hand_over(self, ctx: Context, args: tuple[int, ...], temporary_home_agent: int) -> None:
        """Do nothing: prepared procedures have no temporary home agent."""


_EFFECTS = {
    "expect": ContextTable._expect,
    "open": ContextTable._open,
    "release": ContextTable._release,
    "complete": ContextTable._complete,
    "open complete": ContextTable._open_and_complete,
    "end": ContextTable._end,
}
CONTEXT_EFFECTS = _EFFECTS.keys()
"""Effects of messages that end at a router of a prepared procedure."""
