"""Agents: what home agents and routers (foreign agents) do with control messages and layer-2 events."""

from __future__ import annotations

from collections.abc import Iterable

from engine import Context, Event
from handoff.machine.program import CODES, SIZES, TUNNEL_HEADER, UP, Fields, Program

SECOND = 10**12


class Agent:
    """The controller of one node, whatever roles it plays in a handoff.

    It passes messages on along their path, applies the effect of those that end here and starts their answers. As a
    router it keeps visitor entries: a mobile node that is registered but not attached yet has a buffer of its own until
    it attaches (decisions, 13); a forwarding entry ends with its lifetime, with the marker, or when the mobile node is
    back (decisions, 12 and 25).
    """

    def __init__(self, program: Program, node: int, home_agent: int, attached: Iterable[int] = ()) -> None:
        self.program = program
        self.node = node
        self.home_agent = home_agent
        self.attached: set[int] = set(attached)
        self.visitors: dict[int, int] = {}  # until when, of those that registered through this router
        self.forwarding: set[int] = set()
        self.leaving: set[int] = set()  # the marker has passed: the visitor entry goes with the link
        self.last_request: dict[int, int] = {}
        self.last_passed: dict[int, int] = {}  # identification of the last request that came through this router

    def on_event(self, ctx: Context, event: Event) -> None:
        """One event: a link up or down, or a message."""
        if event.kind == 0:
            self._link(ctx, event)
            return
        fields = Fields(*event.args)
        step = self.program.steps[fields.step]
        if fields.hop < len(step.path) - 1:
            self._pass_on(ctx, event, fields)
        else:
            self._finish(ctx, fields, event.mobile)

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def _link(self, ctx: Context, event: Event) -> None:
        mobile = event.mobile
        if event.code == UP:
            self.attached.add(mobile)
            self.leaving.discard(mobile)
            if mobile in self.visitors:
                ctx.local(until_ps=self.visitors[mobile])
            elif mobile in self.forwarding:
                ctx.local()
            self.forwarding.discard(mobile)
            return
        self.attached.discard(mobile)
        if mobile in self.leaving:
            self.leaving.discard(mobile)
            self._end_visit(ctx, mobile)

    def _end_visit(self, ctx: Context, mobile: int) -> None:
        self.visitors.pop(mobile, None)
        ctx.unbind()

    def _expect(self, ctx: Context, mobile: int, lifetime_ps: int) -> None:
        """A visitor entry for a mobile node that registers through this router."""
        until = ctx.time_ps + lifetime_ps
        options = self.program.options
        self.forwarding.discard(mobile)
        self.leaving.discard(mobile)
        self.visitors[mobile] = until
        if mobile in self.attached:
            ctx.local(until_ps=until)
        else:
            ctx.hold(packets=options.new_buffer_packets, bytes=options.new_buffer_bytes, until_ps=until)

    # -- messages -------------------------------------------------------------------------------------------------------
    def _node(self, role: str, fields: Fields) -> int:
        return {"oAR": fields.old, "nAR": fields.new, "HA": self.home_agent}[role]

    def _pass_on(self, ctx: Context, event: Event, fields: Fields) -> None:
        step = self.program.steps[fields.step]
        if step.message == "RQ" and self.node == fields.new:
            self.last_passed[event.mobile] = fields.identification
            self._expect(ctx, event.mobile, fields.lifetime_s * SECOND)
        if step.message == "RR" and event.mobile in self.visitors:  # the lifetime runs from the reply (RFC 5944, 3.7.3)
            self.visitors[event.mobile] = until = ctx.time_ps + fields.lifetime_s * SECOND
            if event.mobile in self.attached:
                ctx.local(until_ps=until)
        if step.message == "BA" and event.mobile not in self.visitors:  # the request was lost or never sent (decisions, 24)
            self._expect(ctx, event.mobile, self.program.options.forwarding_lifetime_ps)
        if step.message == self.program.row.marker and self.node == fields.old:
            if fields.identification < self.last_passed.get(event.mobile, -1):
                return  # of an earlier leave: the mobile node has asked through this router again
            if event.mobile in self.forwarding:  # it has nothing left to mark (decisions, 11 and 12)
                self.forwarding.discard(event.mobile)
                self._end_visit(ctx, event.mobile)
                return
            if event.mobile not in self.attached:
                self._end_visit(ctx, event.mobile)
                return
            self.leaving.add(event.mobile)
        self._send(ctx, event.code, fields._replace(hop=fields.hop + 1))

    def _send(self, ctx: Context, code: int, fields: Fields) -> None:
        """To the next node of the path; to the mobile node through this node's own table, like data."""
        step = self.program.steps[fields.step]
        role = step.path[fields.hop]
        to = self.node if role == "MN" else self._node(role, fields)
        ctx.send(code, to, size_bytes=SIZES[step.message], args=fields, for_mobile=role == "MN")

    def _finish(self, ctx: Context, fields: Fields, mobile: int) -> None:
        step = self.program.steps[fields.step]
        if step.message == "RQ":
            if fields.identification <= self.last_request.get(mobile, -1):
                return  # overtaken by a newer one of this mobile node
            self.last_request[mobile] = fields.identification
        getattr(self, "_" + (step.effect or "nothing"))(ctx, fields, mobile)
        for number in self.program.answers[fields.step]:
            answer = self.program.steps[number]
            if "oAR" in answer.path[1:] and (fields.old < 0 or fields.old == fields.new):
                continue  # no old path to mark
            lifetime = 0 if answer.message == "DRR" else fields.lifetime_s
            self._send(ctx, CODES[answer.message], fields._replace(step=number, hop=1, lifetime_s=lifetime))

    # -- effects --------------------------------------------------------------------------------------------------------
    def _nothing(self, ctx: Context, fields: Fields, mobile: int) -> None:
        """A message without an effect."""

    def _replace(self, ctx: Context, fields: Fields, mobile: int) -> None:
        ctx.bind(fields.new, header_bytes=TUNNEL_HEADER, until_ps=ctx.time_ps + fields.lifetime_s * SECOND)

    def _simultaneous(self, ctx: Context, fields: Fields, mobile: int) -> None:
        until = ctx.time_ps + self.program.options.bicast_ps
        if fields.old >= 0 and fields.old != fields.new:
            ctx.bind(fields.old, header_bytes=TUNNEL_HEADER, until_ps=until)
        ctx.bind(
            fields.new, header_bytes=TUNNEL_HEADER, until_ps=ctx.time_ps + fields.lifetime_s * SECOND, simultaneous=True
        )

    def _forward(self, ctx: Context, fields: Fields, mobile: int) -> None:
        self.forwarding.add(mobile)
        self.leaving.discard(mobile)
        self.visitors.pop(mobile, None)
        ctx.bind(
            fields.new, header_bytes=TUNNEL_HEADER, until_ps=ctx.time_ps + self.program.options.forwarding_lifetime_ps
        )
