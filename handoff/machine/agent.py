"""Agents: what home agents, gateways, routers and correspondents do with control messages and layer-2 events."""

from __future__ import annotations

from collections.abc import Iterable

from engine import Context, Event, Fate
from handoff.machine.cache import Cache
from handoff.machine.constants import Status
from handoff.machine.messages import CODES, Fields
from handoff.machine.places import Places
from handoff.machine.program import ADVERTISE, DELAYED, DOWN, FADE, LINGER, PREDICT, RELEASE, RESTART, UP, Numbered, Program
from handoff.machine.security import Guard
from handoff.machine.visitors import Visitors, lifetime_ps

RESTARTED = 1
"""Status of an advertisement whose sequence number says that the agent has restarted (RFC 5944, 2.3.2)."""
_REQUESTS = ("RQ", "BU", "DBU")


class Agent:
    """The controller of one node, whatever roles it plays in a handoff.

    It passes messages on along their path, applies the effect of those that end here and starts what they start. What it knows as
    a router is in its ``Visitors``, what it knows as an anchor in its ``Cache``.
    """

    def __init__(self, program: Program, places: Places, node: int, attached: Iterable[int] = ()) -> None:
        self.program, self.places, self.node = program, places, node
        self.visitors = Visitors(program, places, attached)
        self.cache = Cache(program, places)
        self.guard = Guard(places, node, program.options.authenticates, bool(program.routability))
        self.dad_ps = program.options.dad(program.row)
        self.anchors = places.is_anchor(node)
        self.serial = 0
        self.delayed: dict[int, Fields] = {}  # messages that wait for the check of an address, by number
        self.checked: dict[int, int] = {}  # until when the new care-of address of a mobile node is being checked

    def on_event(self, ctx: Context, event: Event) -> None:
        """One layer-2 event, timer or message."""
        if event.kind >= 2:
            fields = Fields.unpack(event.args)
            if event.kind == 3:
                self._busy(ctx, fields, event.mobile)
            else:
                self._message(ctx, event, fields)
        elif event.code == UP:
            self.visitors.up(ctx, event.mobile)
            if self.program.options.discovery != "layer2":
                self._next_advertisement(ctx)
        elif event.code == DOWN:
            self.visitors.down(ctx, event.mobile)
        elif event.code == FADE:
            self.visitors.fade(ctx, event.mobile)
        elif event.code == PREDICT:
            self._predicted(ctx, event.args[0])
        elif event.code == ADVERTISE:
            self._advertise(ctx, event.mobile)
        elif event.code == DELAYED:
            self._checked(ctx, event.mobile, event.args[0])
        elif event.code == RELEASE:
            self._release(ctx, event.mobile, event.args[0])
        elif event.code == LINGER:
            self.visitors.left(ctx, event.mobile)
        elif event.code == RESTART:
            self._restart(ctx, event.mobile)

    # -- discovery ------------------------------------------------------------------------------------------------------
    def _predicted(self, ctx: Context, routers: int) -> None:
        """Layer 2 knows the next router of a mobile node: its advertisement is fetched, or carried along."""
        old, new = routers & 0xFFFF, routers >> 16
        for number in self.program.prelude:
            self._send(ctx, Fields(number, 1, old, new, -1, 0, 0))

    def _next_advertisement(self, ctx: Context) -> None:
        ctx.timer(self.places.next_advertisement(self.node, ctx.time_ps), ADVERTISE)

    def _advertise(self, ctx: Context, mobile: int, status: int = Status.ACCEPTED) -> None:
        """The periodic advertisement for a mobile node that may need it: until it asks here, or three if it had asked before."""
        left = self.visitors.unasked.get(mobile, 0)
        if mobile in self.visitors.attached and (left or status):
            self.visitors.unasked[mobile] = max(0, left - 1)
            number = self.program.advertisement
            fields = Fields(number, 1, -1, self.node, -1, 0, 0, status)
            size = self.program.steps[number].leg_bytes[0]
            ctx.send(CODES["AA"], self.node, size_bytes=size, args=fields.pack(), for_mobile=True, radio=True)
            if not status:
                self._next_advertisement(ctx)

    def _restart(self, ctx: Context, mobile: int) -> None:
        """Everything is lost; those on this router's link hear it from the next advertisement (RFC 5944, 2.3.2)."""
        self.delayed.clear()
        self.checked.pop(mobile, None)
        if self.anchors:
            self.cache.restart(ctx, mobile)
        else:
            self.visitors.restart(ctx, mobile)
            if self.program.row.ip == 4 or self.program.row.network_based:  # an IPv6 router has no visitors to lose
                self._advertise(ctx, mobile, RESTARTED)

    # -- messages -------------------------------------------------------------------------------------------------------
    def _message(self, ctx: Context, event: Event, fields: Fields) -> None:
        numbered = self.program.steps[fields.step]
        if fields.hop == len(numbered.step.path) - 1:
            self._finish(ctx, numbered, fields, event.mobile)
            return
        wait = self._passes(ctx, numbered, fields, event.mobile)
        if wait is None:
            return
        if wait:
            self._later(ctx, fields, wait)
        else:
            self._pass_on(ctx, numbered, fields)

    def _pass_on(self, ctx: Context, numbered: Numbered, fields: Fields) -> None:
        self._send(ctx, fields._replace(hop=fields.hop + 1))
        self._start(ctx, numbered.starts[fields.hop], fields)

    def _passes(self, ctx: Context, numbered: Numbered, fields: Fields, mobile: int) -> int | None:
        """What a message does on its way: None if it ends here, else how long it has to wait before it goes on."""
        path, name = numbered.step.path, numbered.kind
        role = path[fields.hop]
        outward = path[0] == "MN"
        if role == "nAR" and outward and name in _REQUESTS:
            return self._request_passes(ctx, numbered, fields, mobile)
        if role in ("GFA", "oGFA"):
            return self._gateway_passes(ctx, name, role, fields, mobile)
        if role == "nAR" and name == "RR" and fields.status == Status.ACCEPTED:
            self.visitors.replied(ctx, mobile, lifetime_ps(fields))
        elif role == "nAR" and name == "BA" and path[0] == "oAR":
            self.visitors.acknowledged(ctx, mobile)
        elif role == "oAR" and name == self.program.row.marker:
            goes_on, ends = self.visitors.marker(fields, mobile)
            if goes_on:
                self._pass_on(ctx, numbered, fields)
            if ends:
                self.visitors.end(ctx, mobile)
            return None
        elif role == "oMAP":
            self._leaves_region(ctx, numbered, fields, mobile)
            return None
        return 0

    def _request_passes(self, ctx: Context, numbered: Numbered, fields: Fields, mobile: int) -> int:
        """The new router sees a request: it expects the mobile node, and checks its new address for it (decisions, 22)."""
        if numbered.step.effect != "forward":
            self.visitors.unasked.pop(mobile, None)
            self.visitors.last_passed[mobile] = fields.identification
            self.visitors.expect(ctx, mobile, lifetime_ps(fields))
        if not self.dad_ps or not numbered.over_old:
            return 0
        ready = self.checked.get(mobile, -1)
        if ready < ctx.time_ps:
            ready = self.checked[mobile] = ctx.time_ps + self.dad_ps
        return ready - ctx.time_ps

    def _gateway_passes(self, ctx: Context, name: str, role: str, fields: Fields, mobile: int) -> int | None:
        """A request between regions: the gateway of the new one binds; the marker: that of the old one is done."""
        if role == "GFA" and name == "RQ":
            if self.cache.fresh("GFA", fields, mobile, deletes=False):
                self.cache.bind(ctx, "GFA", fields, mobile, simultaneous=False)
        elif role == "oGFA":
            self._leaves_region(ctx, self.program.steps[fields.step], fields, mobile)
            return None
        return 0

    def _leaves_region(self, ctx: Context, numbered: Numbered, fields: Fields, mobile: int) -> None:
        """The marker passes the gateway of the old region, whose binding nobody needs after it."""
        self._pass_on(ctx, numbered, fields)
        if self.places.gateways[fields.new] != self.node:
            self.cache.leave(ctx, "GFA", fields, mobile)

    def _later(self, ctx: Context, fields: Fields, wait_ps: int) -> None:
        """Go on with a message when an address has been checked."""
        self.serial += 1
        self.delayed[self.serial] = fields
        ctx.timer(ctx.time_ps + wait_ps, DELAYED, self.serial)

    def _checked(self, ctx: Context, mobile: int, serial: int) -> None:
        fields = self.delayed.pop(serial, None)
        if fields is None:
            return  # a restart has come between
        numbered = self.program.steps[fields.step]
        if fields.hop == len(numbered.step.path) - 1:
            self._answer(ctx, numbered, fields, mobile)
        else:
            self._pass_on(ctx, numbered, fields)

    def _send(self, ctx: Context, fields: Fields) -> None:
        """To the next node of the path; to the mobile node through this node's own table, like data."""
        numbered = self.program.steps[fields.step]
        role = numbered.step.path[fields.hop]
        to = self.node if role == "MN" else self.places.node(role, fields)
        broadcast = {"radio": True} if numbered.kind == "AA" and to == fields.new else {}  # who asks has no entry here yet
        size = numbered.leg_bytes[fields.hop - 1]
        ctx.send(CODES[numbered.kind], to, size_bytes=size, args=fields.pack(), for_mobile=role == "MN", **broadcast)

    def _start(self, ctx: Context, numbers: tuple[int, ...], fields: Fields) -> None:
        """Steps that a message starts here."""
        for number in numbers:
            numbered = self.program.steps[number]
            if numbered.wants_old and (fields.old < 0 or fields.old == fields.new):
                continue  # no old path
            lifetime = 0 if numbered.kind in ("DRR", "DBA") else fields.lifetime_s
            answer = fields._replace(step=number, hop=1, lifetime_s=lifetime, status=Status.ACCEPTED)
            if numbered.per_peer and fields.peer < 0:
                for peer in self.places.peers[ctx.mobile]:
                    self._send(ctx, answer._replace(peer=peer))
            else:
                self._send(ctx, answer)

    # -- the last node of a path ---------------------------------------------------------------------------------------------
    def _finish(self, ctx: Context, numbered: Numbered, fields: Fields, mobile: int) -> None:
        effect, role = numbered.step.effect, numbered.step.path[-1]
        if numbered.kind in _REQUESTS and numbered.step.path[0] == "MN":
            refusal = self.guard.refuses(role, fields, mobile, ctx.time_ps)
            if refusal:
                ctx.reject(Fate.REPLAYED if refusal == Status.IDENTIFICATION_MISMATCH else Fate.AUTHENTICATION_FAILED)
                if refusal != Status.AUTHENTICATION_FAILED or self.program.row.ip == 4:
                    self._deny(ctx, numbered, fields, refusal)
                return
        if effect in ("bind", "simultaneous", "delete"):
            if not self.cache.fresh(role, fields, mobile, deletes=effect == "delete"):
                self._stale(ctx, numbered, fields)
                return
            first = self.cache.current(role, mobile) is None
            if effect == "delete":
                if not self.cache.delete(ctx, role, fields, mobile):
                    return
            else:
                self.cache.bind(ctx, role, fields, mobile, effect == "simultaneous")
                if first and role == "HA" and self.program.options.rfc and self.dad_ps:
                    self._later(ctx, fields, self.dad_ps)  # of the home address (RFC 6275, 10.3.1)
                    return
        elif effect == "forward":
            self.visitors.forward(ctx, fields, mobile)
        self._answer(ctx, numbered, fields, mobile)

    def _answer(self, ctx: Context, numbered: Numbered, fields: Fields, mobile: int) -> None:
        if numbered.kind in ("HoTI", "CoTI"):
            care_of = -1 if numbered.kind == "HoTI" else fields.new
            fields = fields._replace(proof=self.guard.tokens.now(mobile, care_of, ctx.time_ps))
        self._start(ctx, numbered.starts[-1], fields)
        if numbered.step.effect in ("bind", "simultaneous"):
            self._release(ctx, mobile)

    def _release(self, ctx: Context, mobile: int, identification: int | None = None) -> None:
        """Answer a deregistration that was waiting: its registration has come, or it has waited long enough."""
        fields = self.cache.released(ctx, self.places.role(self.node), mobile, identification)
        if fields is not None:
            self._start(ctx, self.program.steps[fields.step].starts[-1], fields)

    # -- refusals ---------------------------------------------------------------------------------------------------------
    def _stale(self, ctx: Context, numbered: Numbered, fields: Fields) -> None:
        """Overtaken by a newer message of this mobile node."""
        options = self.program.options
        if (options.rfc or options.sequence == "shared") and numbered.step.path[0] == "MN":
            ip4 = self.program.row.ip == 4
            ctx.reject(Fate.REPLAYED)
            self._deny(ctx, numbered, fields, Status.IDENTIFICATION_MISMATCH if ip4 else Status.SEQUENCE_OUT_OF_WINDOW)

    def _busy(self, ctx: Context, fields: Fields, mobile: int) -> None:
        """The registration queue is full: say so at once (RFC 5944 3.4, RFC 6275 6.1.8)."""
        numbered = self.program.steps[fields.step]
        if numbered.kind not in _REQUESTS or numbered.step.path[0] != "MN":
            return
        role = numbered.step.path[fields.hop]
        if self.program.row.ip == 4:
            code = Status.HA_INSUFFICIENT_RESOURCES if role in ("HA", "CN") else Status.FA_INSUFFICIENT_RESOURCES
            self._deny(ctx, numbered, fields, code)
        elif fields.hop == len(numbered.step.path) - 1:  # a router that an IPv6 message only passes has nothing to say
            self._deny(ctx, numbered, fields, Status.BA_INSUFFICIENT_RESOURCES)

    def _deny(self, ctx: Context, numbered: Numbered, fields: Fields, status: int) -> None:
        """Send the answer with a code; from where the message is, the rest of the way back."""
        for number in numbered.starts[-1]:
            path = self.program.steps[number].step.path
            here = numbered.step.path[fields.hop]
            if path[-1] == "MN" and here in path:
                answer = fields._replace(step=number, hop=path.index(here) + 1, lifetime_s=0, status=status, proof=0)
                self._send(ctx, answer)
                return
