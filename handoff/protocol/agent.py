"""Agents: what home agents, gateways, routers and correspondents do with control messages and layer-2 events."""

from __future__ import annotations

from engine import Context, Event, Fate
from handoff.protocol.binding_cache import BindingCache
from handoff.protocol.constants import Status
from handoff.protocol.message_routing import REQUESTS, MessageHop
from handoff.protocol.messages import ONE_HOP, STEP_HOP_MASK, MessageFields
from handoff.protocol.program import ADVERTISE, DELAYED, DOWN, FADE, LINGER, PREDICT, RELEASE, RESTART, UP, Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.security import RequestVerifier
from handoff.protocol.visitor_list import VisitorList, lifetime_ps

RESTARTED = 1
"""Status of an advertisement whose sequence number says that the agent has restarted (RFC 5944, 2.3.2)."""


class Agent:
    """The controller of one node, whatever roles it plays in a handoff.

    It passes messages on along their path, applies the effect of those that end here and starts what they start. What it knows as
    a router is in its ``Visitors``, what it knows as an anchor in its ``Cache``.
    """

    def __init__(self, program: Program, places: RoleResolver, waypoints: dict[int, MessageHop], node: int) -> None:
        self.program, self.places, self.waypoints, self.node = program, places, waypoints, node
        self.visitors = VisitorList(program, places, node)
        self.cache = BindingCache(program, places)
        self.guard = RequestVerifier(places, node, program.options.authenticates, bool(program.routability))
        self.dad_ps = program.options.duplicate_address_detection_ps(program.row)
        self.anchors = places.is_anchor(node)
        self.serial = 0
        self.delayed: dict[int, MessageFields] = {}  # messages that wait for the check of an address, by number
        self.checked: dict[int, int] = {}  # until when the new care-of address of a mobile node is being checked

    def on_event(self, ctx: Context, event: Event) -> None:
        """One layer-2 event, timer or message."""
        args = event.args
        kind = event.kind
        if kind < 2:
            _ON_EVENT[event.code](self, ctx, args[0])
        elif kind == 3:
            self._busy(ctx, MessageFields.unpack(args))
        else:
            here = self.waypoints[args[0] & STEP_HOP_MASK]
            _ON_MESSAGE[here.action](self, ctx, here, args)

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def _up(self, ctx: Context, _: int) -> None:
        self.visitors.up(ctx)
        if self.program.options.discovery != "layer2":
            self._next_advertisement(ctx)

    def _down(self, ctx: Context, _: int) -> None:
        self.visitors.down(ctx)

    def _fade(self, ctx: Context, _: int) -> None:
        self.visitors.on_link_draining(ctx)

    def _linger(self, ctx: Context, _: int) -> None:
        self.visitors.remove_after_marker(ctx)

    # -- discovery ------------------------------------------------------------------------------------------------------
    def _predicted(self, ctx: Context, routers: int) -> None:
        """Layer 2 knows the next router of a mobile node: its advertisement is fetched, or carried along."""
        old, new = routers & 0xFFFF, routers >> 16
        for number in self.program.prelude:
            self._send(ctx, self.waypoints[number], MessageFields(number, 0, old, new, -1, 0, 0))

    def _next_advertisement(self, ctx: Context) -> None:
        ctx.timer(self.places.next_advertisement(self.node, ctx.time_ps), ADVERTISE)

    def _advertise(self, ctx: Context, _: int) -> None:
        """The periodic advertisement for a mobile node that may need it: until it asks here, or three if it had asked before."""
        if self.visitors.advertised(ctx.mobile):
            self._advertisement(ctx, Status.ACCEPTED)
            self._next_advertisement(ctx)

    def _advertisement(self, ctx: Context, status: int) -> None:
        number = self.program.advertisement
        self._send(ctx, self.waypoints[number], MessageFields(number, 0, -1, self.node, -1, 0, 0, status))

    def _restart(self, ctx: Context, _: int) -> None:
        """Everything is lost; those on this router's link hear it from the next advertisement (RFC 5944, 2.3.2)."""
        self.delayed.clear()
        self.checked.pop(ctx.mobile, None)
        if self.anchors:
            self.cache.restart(ctx)
        else:
            self.visitors.restart(ctx)
            loses = self.program.row.ip == 4 or self.program.row.network_based  # an IPv6 router has no visitors
            if loses and self.visitors.advertised(ctx.mobile, always=True):
                self._advertisement(ctx, RESTARTED)

    # -- messages -------------------------------------------------------------------------------------------------------
    def _pass_on(self, ctx: Context, here: MessageHop, args: tuple[int, ...]) -> None:
        self._send(ctx, here, args)
        if here.starts:
            self._start(ctx, here.starts, MessageFields.unpack(args))

    def _request_passes(self, ctx: Context, here: MessageHop, args: tuple[int, ...]) -> None:
        """The new router sees a request: it expects the mobile node, and checks its new address for it (decisions, 22)."""
        numbered = here.numbered
        fields = MessageFields.unpack(args)
        if numbered.step.effect != "forward":
            self.visitors.requested(ctx, fields)
        wait = 0
        if self.dad_ps and numbered.over_old:
            ready = self.checked.get(ctx.mobile, -1)
            if ready < ctx.time_ps:
                ready = self.checked[ctx.mobile] = ctx.time_ps + self.dad_ps
            wait = ready - ctx.time_ps
        if wait:
            self._later(ctx, fields, wait)
        else:
            self._pass_on(ctx, here, args)

    def _request_passes_gateway(self, ctx: Context, here: MessageHop, args: tuple[int, ...]) -> None:
        """A request between regions: the gateway of the new one binds."""
        fields = MessageFields.unpack(args)
        if self.cache.is_newer(here.role, fields, ctx.mobile, deletes=False):
            self.cache.bind(ctx, here.role, fields, simultaneous=False)
        self._pass_on(ctx, here, args)

    def _leaves_region(self, ctx: Context, here: MessageHop, args: tuple[int, ...]) -> None:
        """The marker passes the gateway of the old region, whose binding nobody needs after it."""
        self._pass_on(ctx, here, args)
        fields = MessageFields.unpack(args)
        if self.places.gateways[fields.new] != self.node:
            self.cache.end_old_binding(ctx, "GFA", fields)

    def _reply_passes(self, ctx: Context, here: MessageHop, args: tuple[int, ...]) -> None:
        fields = MessageFields.unpack(args)
        if fields.status == Status.ACCEPTED:
            self.visitors.replied(ctx, lifetime_ps(fields))
        self._pass_on(ctx, here, args)

    def _acknowledgement_passes(self, ctx: Context, here: MessageHop, args: tuple[int, ...]) -> None:
        self.visitors.acknowledged(ctx)
        self._pass_on(ctx, here, args)

    def _marker_passes(self, ctx: Context, here: MessageHop, args: tuple[int, ...]) -> None:
        goes_on, ends = self.visitors.marker(ctx, MessageFields.unpack(args))
        if goes_on:
            self._pass_on(ctx, here, args)
        if ends:
            self.visitors.end(ctx)

    def _later(self, ctx: Context, fields: MessageFields, wait_ps: int) -> None:
        """Go on with a message when an address has been checked."""
        self.serial += 1
        self.delayed[self.serial] = fields
        ctx.timer(ctx.time_ps + wait_ps, DELAYED, self.serial)

    def _checked(self, ctx: Context, serial: int) -> None:
        fields = self.delayed.pop(serial, None)
        if fields is None:
            return  # a restart has come between
        here = self.waypoints[fields.step | fields.hop << 16]
        if here.last:
            self._answer(ctx, here, fields)
        else:
            self._pass_on(ctx, here, fields)

    def _send(self, ctx: Context, here: MessageHop, args: tuple[int, ...]) -> None:
        """To the next node of the path; to the mobile node through this node's own table, like data."""
        said = args[0] + ONE_HOP, args[1], args[2], args[3], args[4], args[5]
        if not here.to_mobile:
            ctx.send(here.code, here.next_node(args), size_bytes=here.size_bytes, args=said)
            return
        # an advertisement by broadcast: who asks has no entry here yet
        radio = here.numbered.kind == "AA" and self.node == MessageFields.unpack(args).new
        ctx.send(here.code, self.node, size_bytes=here.size_bytes, args=said, for_mobile=True, radio=radio)

    def _start(self, ctx: Context, numbers: tuple[int, ...], fields: MessageFields) -> None:
        """Steps that a message starts here."""
        for number in numbers:
            begin = self.waypoints[number]
            numbered = begin.numbered
            if numbered.wants_old and (fields.old < 0 or fields.old == fields.new):
                continue  # no old path
            answer = fields.for_new_step(number, 0 if numbered.kind in ("DRR", "DBA") else fields.lifetime_s)
            if numbered.per_peer and fields.peer < 0:
                for peer in self.places.peers[ctx.mobile]:
                    self._send(ctx, begin, answer.replace(peer=peer))
            else:
                self._send(ctx, begin, answer)

    # -- the last node of a path ---------------------------------------------------------------------------------------------
    def _finish(self, ctx: Context, here: MessageHop, args: tuple[int, ...]) -> None:
        fields = MessageFields.unpack(args)
        numbered, role, mobile = here.numbered, here.role, ctx.mobile
        effect = numbered.step.effect
        if self.guard.awake and numbered.kind in REQUESTS and numbered.step.path[0] == "MN":
            refusal = self.guard.verify(role, fields, mobile, ctx.time_ps)
            if refusal:
                ctx.reject(Fate.REPLAYED if refusal == Status.IDENTIFICATION_MISMATCH else Fate.AUTHENTICATION_FAILED)
                if refusal != Status.AUTHENTICATION_FAILED or self.program.row.ip == 4:
                    self._deny(ctx, here, fields, refusal)
                return
        if effect in ("bind", "simultaneous", "delete"):
            if not self.cache.is_newer(role, fields, mobile, deletes=effect == "delete"):
                self._stale(ctx, here, fields)
                return
            if effect == "delete":
                if not self.cache.delete(ctx, role, fields):
                    return
            else:
                first = self.cache.current(role, mobile) < 0
                self.cache.bind(ctx, role, fields, effect == "simultaneous")
                if first and role == "HA" and self.program.options.rfc and self.dad_ps:
                    self._later(ctx, fields, self.dad_ps)  # of the home address (RFC 6275, 10.3.1)
                    return
        elif effect == "forward":
            self.visitors.forward(ctx, fields)
        self._answer(ctx, here, fields)

    def _answer(self, ctx: Context, here: MessageHop, fields: MessageFields) -> None:
        numbered = here.numbered
        if numbered.kind in ("HoTI", "CoTI"):
            care_of = -1 if numbered.kind == "HoTI" else fields.new
            fields = fields.replace(proof=self.guard.tokens.current_token(ctx.mobile, care_of, ctx.time_ps))
        self._start(ctx, here.starts, fields)
        if numbered.step.effect in ("bind", "simultaneous"):
            self._release(ctx)

    def _release(self, ctx: Context, identification: int | None = None) -> None:
        """Answer a deregistration that was waiting: its registration has come, or it has waited long enough."""
        fields = self.cache.pop_deferred(ctx, self.node, identification)
        if fields is not None:
            self._start(ctx, self.program.steps[fields.step].starts[-1], fields)

    # -- refusals ---------------------------------------------------------------------------------------------------------
    def _stale(self, ctx: Context, here: MessageHop, fields: MessageFields) -> None:
        """Overtaken by a newer message of this mobile node."""
        options = self.program.options
        if (options.rfc or options.sequence == "shared") and here.numbered.step.path[0] == "MN":
            ip4 = self.program.row.ip == 4
            ctx.reject(Fate.REPLAYED)
            self._deny(ctx, here, fields, Status.IDENTIFICATION_MISMATCH if ip4 else Status.SEQUENCE_OUT_OF_WINDOW)

    def _busy(self, ctx: Context, fields: MessageFields) -> None:
        """The registration queue is full: say so at once (RFC 5944 3.4, RFC 6275 6.1.8)."""
        here = self.waypoints[fields.step | fields.hop << 16]
        if here.numbered.kind not in REQUESTS or here.numbered.step.path[0] != "MN":
            return
        if self.program.row.ip == 4:
            code = Status.HA_INSUFFICIENT_RESOURCES if here.role in ("HA", "CN") else Status.FA_INSUFFICIENT_RESOURCES
            self._deny(ctx, here, fields, code)
        elif here.last:  # a router that an IPv6 message only passes has nothing to say
            self._deny(ctx, here, fields, Status.BA_INSUFFICIENT_RESOURCES)

    def _deny(self, ctx: Context, here: MessageHop, fields: MessageFields, status: int) -> None:
        """Send the answer with a code; from where the message is, the rest of the way back."""
        for number in here.numbered.starts[-1]:
            path = self.program.steps[number].step.path
            if path[-1] == "MN" and here.role in path:
                hop = path.index(here.role)
                answer = fields.replace(step=number, hop=hop, lifetime_s=0, status=status, proof=0)
                self._send(ctx, self.waypoints[number | hop << 16], answer)
                return


_ON_EVENT = {
    UP: Agent._up,
    DOWN: Agent._down,
    FADE: Agent._fade,
    LINGER: Agent._linger,
    PREDICT: Agent._predicted,
    ADVERTISE: Agent._advertise,
    DELAYED: Agent._checked,
    RELEASE: Agent._release,
    RESTART: Agent._restart,
}
_ON_MESSAGE = {
    "": Agent._pass_on,
    "ends": Agent._finish,
    "request": Agent._request_passes,
    "bind": Agent._request_passes_gateway,
    "leave": Agent._leaves_region,
    "reply": Agent._reply_passes,
    "acknowledgement": Agent._acknowledgement_passes,
    "marker": Agent._marker_passes,
}
