"""Mobile nodes: what they do on layer-2 events, on replies, and when no reply comes."""

from __future__ import annotations

from engine import Context, Event
from handoff.machine.program import (
    CODES,
    DISCOVERED,
    DOWN,
    GOING_DOWN,
    MESSAGES,
    PREDICT,
    REFRESH,
    RETRANSMIT,
    SETTLED,
    SIZES,
    UP,
    Fields,
    Program,
)  # fmt: skip
from handoff.machine.records import Records
from handoff.setup import Movement

SECOND = 10**12
UPSTREAM_PACKETS = 50


class State:
    """One mobile node.

    ``router`` is where it is registered, ``links`` the attachments that are up; ``request`` the identification it waits
    for (0: none), ``leaving`` the attachment whose handoff is under way (-1: none), ``aimed`` the attachment that the last
    request was for: what is heard on older ones is no reason to ask again.
    """

    __slots__ = (
        "aimed", "identification", "leaving", "links", "refresh", "request", "request_step", "router", "target", "wait_ps",
    )  # fmt: skip

    def __init__(self) -> None:
        self.router = -1
        self.links: list[int] = []
        self.identification = 0
        self.request = 0
        self.request_step = -1
        self.target = -1
        self.leaving = -1
        self.aimed = -1
        self.wait_ps = 0
        self.refresh = 0


class MobileNodes:
    """The controller of the fleet: every mobile node under one program.

    Parameters
    ----------
    program : Program
    movement : Movement
        Its attachments number the layer-2 events: argument i of an event is attachment i.
    records : Records
        Gets what happens.
    """

    def __init__(self, program: Program, movement: Movement, records: Records) -> None:
        self.program = program
        self.records = records.columns
        self.row_of = records.row_of_attachment
        self.router = movement.router.tolist()
        self.mobile = movement.mobile.tolist()
        self.states: dict[int, State] = {}
        starts = {m: i for i, m in reversed(list(enumerate(self.mobile)))}
        self.first = starts
        self.begun = {m for m, i in starts.items() if movement.up_ps[i] == 0}

    def on_event(self, ctx: Context, event: Event) -> None:
        """One layer-2 event, timer or message of one mobile node."""
        state = self.states.get(event.mobile)
        if state is None:
            state = self.states[event.mobile] = self._start(event.mobile)
        if event.kind == 2:
            self._message(ctx, event, state)
            return
        code, arg = event.code, event.args[0]
        if code == PREDICT:
            self._predict(ctx, state, arg)
        elif code == UP:
            self._up(ctx, state, arg)
        elif code == GOING_DOWN:
            self._going_down(ctx, state, arg)
        elif code == DOWN:
            self._down(ctx, state, arg)
        elif code == DISCOVERED:
            self._discovered(ctx, state, arg)
        elif code == RETRANSMIT:
            self._retransmit(ctx, state, arg)
        elif code == SETTLED:
            if state.leaving == arg:
                ctx.close_span()
        else:
            self._refresh(ctx, state, arg)

    def _start(self, mobile: int) -> State:
        """A mobile node that is up at time 0 has been registered before."""
        state = State()
        if mobile in self.begun:
            first = self.first[mobile]
            state.router = self.router[first]
            state.links.append(first)
        return state

    def _has_link(self, state: State, router: int) -> bool:
        return any(self.router[i] == router for i in state.links)

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def _predict(self, ctx: Context, state: State, attachment: int) -> None:
        ctx.open_span(self.row_of[attachment])
        state.leaving = attachment
        old, new = self.router[attachment], self.router[attachment + 1]
        for number in self.program.by_event["predict"]:
            if state.router == old:
                state.aimed = attachment + 1
                self._request(ctx, state, number, old, new, via=old)
        if 0 <= self.records["going_down_ps"][self.row_of[attachment]] < ctx.time_ps:
            self._rescue(ctx, state, attachment)

    def _up(self, ctx: Context, state: State, attachment: int) -> None:
        state.links.append(attachment)
        router = self.router[attachment]
        if state.router == router:
            ctx.route_up(router)
        if not self._asked_or_done(state, router):
            ctx.timer(ctx.time_ps + self.program.options.agent_discovery_ps, DISCOVERED, attachment)

    def _asked_or_done(self, state: State, router: int) -> bool:
        """Whether the last request was for this router; one for another may have moved the binding there, answered or not."""
        return (state.target if state.request else state.router) == router

    def _discovered(self, ctx: Context, state: State, attachment: int) -> None:
        """An advertisement of a new agent: register, unless that was done or the link is gone (RFC 5944, 3.6.1)."""
        router = self.router[attachment]
        if attachment not in state.links or attachment < state.aimed or self._asked_or_done(state, router):
            return
        if state.router == router:
            state.aimed = attachment  # back before the reply from elsewhere
            self._request(ctx, state, self.program.direct, state.target, router, via=router)
            return
        if state.router >= 0 and self._has_link(state, state.router) and not self._only_hope(state, attachment):
            return  # the link in use still works: it is asked again when that one is down
        state.aimed = attachment
        self._request(ctx, state, self.program.direct, state.router, router, via=router)

    def _only_hope(self, state: State, attachment: int) -> bool:
        """Whether the move to this attachment is under way and nothing has been asked for it."""
        return state.leaving == attachment - 1 and not self.program.row.predictive

    def _going_down(self, ctx: Context, state: State, attachment: int) -> None:
        if 0 <= self.records["predict_ps"][self.row_of[attachment]] <= ctx.time_ps:
            self._rescue(ctx, state, attachment)

    def _rescue(self, ctx: Context, state: State, attachment: int) -> None:
        """Warned without the marker: II, or III if single or if the warning came before the request (decisions, 24)."""
        row = self.row_of[attachment]
        single = self.records["access"][row] == 1  # then the update is always sent (phase III-3)
        if not self.program.rescue_steps or (self.records["marker_ps"][row] >= 0 and not single):
            return
        asked = 0 <= self.records["request_ps"][row] <= self.records["going_down_ps"][row]
        self.records["scenario"][row] = 2 if asked and not single else 3
        self.records["rescue_ps"][row] = ctx.time_ps
        old, new = self.router[attachment], self.router[attachment + 1]
        for number in self.program.rescue_steps:
            self._send(ctx, number, old, new, state.identification, via=old)

    def _down(self, ctx: Context, state: State, attachment: int) -> None:
        if attachment in state.links:
            state.links.remove(attachment)
        if state.aimed == attachment:
            state.aimed = -1
        row = self.row_of.get(attachment)
        if row is not None and self.records["predict_ps"][row] < 0:
            ctx.open_span(row)
            state.leaving = attachment
        if state.router == self.router[attachment]:
            if self.program.row.upstream == "hold":
                ctx.hold_up(packets=UPSTREAM_PACKETS)
            else:
                ctx.unroute_up()
        elif self._has_link(state, state.router):
            ctx.route_up(state.router)
        for other in state.links:  # a link that came up before this one went down, and was not asked
            self._discovered(ctx, state, other)
        self._settle(ctx, state)

    # -- registration ---------------------------------------------------------------------------------------------------
    def _request(self, ctx: Context, state: State, number: int, old: int, new: int, via: int) -> None:
        state.identification += 1
        state.request = state.identification
        state.request_step = number
        state.target = new
        state.wait_ps = self.program.options.retransmit_ps
        row = self.row_of.get(state.leaving)
        if row is not None and self.records["request_ps"][row] < 0 and self.records["new_router"][row] == new:
            self.records["request_ps"][row] = ctx.time_ps
        self._send(ctx, number, old, new, state.identification, via)
        ctx.timer(ctx.time_ps + state.wait_ps, RETRANSMIT, state.identification)

    def _retransmit(self, ctx: Context, state: State, identification: int) -> None:
        """No reply yet: ask again with a new identification and twice the wait (RFC 5944, 3.6.3)."""
        if state.request != identification:
            return
        state.identification += 1
        state.request = state.identification
        state.wait_ps = min(2 * state.wait_ps, self.program.options.retransmit_max_ps)
        row = self.row_of.get(state.leaving)
        if row is not None and self.records["new_router"][row] == state.target:
            self.records["retransmissions"][row] += 1
        if self._has_link(state, state.target):
            self._send(ctx, self.program.direct, state.router, state.target, state.identification, state.target)
        elif self._has_link(state, state.router) and state.request_step != self.program.direct:
            self._send(ctx, state.request_step, state.router, state.target, state.identification, state.router)
        ctx.timer(ctx.time_ps + state.wait_ps, RETRANSMIT, state.identification)

    def _refresh(self, ctx: Context, state: State, generation: int) -> None:
        """Register again before the lifetime is over (RFC 5944, 3.6.1)."""
        if generation != state.refresh:
            return
        if not state.request and self._has_link(state, state.router):
            self._request(ctx, state, self.program.direct, state.router, state.router, via=state.router)
        else:  # without a link, or with a request under way, a little later
            ctx.timer(ctx.time_ps + SECOND, REFRESH, generation)

    def _send(self, ctx: Context, number: int, old: int, new: int, identification: int, via: int) -> None:
        step = self.program.steps[number]
        to = {"oAR": old, "nAR": new}[step.path[1]]
        fields = Fields(number, 1, old, new, identification, self.program.options.lifetime_s)
        ctx.send(CODES[step.message], to, size_bytes=SIZES[step.message], args=fields, via=via)

    # -- replies --------------------------------------------------------------------------------------------------------
    def _message(self, ctx: Context, event: Event, state: State) -> None:
        fields = Fields(*event.args)
        name = MESSAGES[event.code]
        if name == self.program.row.marker:
            self._marker(ctx, event, state, fields)
        elif name == "RR":
            self._registered(ctx, state, fields)
        else:
            row = self._row(state, fields)
            if row is not None:
                self.records["acknowledged_ps"][row] = ctx.time_ps

    def _row(self, state: State, fields: Fields) -> int | None:
        """The handoff that a message is about, if it is the one under way."""
        row = self.row_of.get(state.leaving)
        if row is None or self.records["old_router"][row] != fields.old or self.records["new_router"][row] != fields.new:
            return None
        return row

    def _marker(self, ctx: Context, event: Event, state: State, fields: Fields) -> None:
        row = self._row(state, fields)
        if row is None or self.records["marker_ps"][row] >= 0 or state.target != fields.new:
            return  # or it has asked for another router since: what comes by this one is no longer the old path
        self.records["marker_ps"][row] = ctx.time_ps
        if event.via == fields.old:
            ctx.mark(fields.old)
        if self.records["scenario"][row] == 0 and self.records["access"][row] == 0 and event.via == fields.old:
            self.records["scenario"][row] = 1

    def _registered(self, ctx: Context, state: State, fields: Fields) -> None:
        if fields.identification != state.request:
            return  # an older request's: a newer one is on its way
        state.request = 0
        row = self._row(state, fields)
        if row is not None:
            self.records["reply_ps"][row] = ctx.time_ps
            self.records["completed"][row] = 1
        state.router = fields.new
        if self._has_link(state, fields.new):
            ctx.route_up(fields.new)
        state.refresh += 1
        ctx.timer(ctx.time_ps + fields.lifetime_s * SECOND // 2, REFRESH, state.refresh)
        self._settle(ctx, state)

    def _settle(self, ctx: Context, state: State) -> None:
        """Once the old link is gone and the registration done, what is under way has a while to come in; then the span ends."""
        row = self.row_of.get(state.leaving)
        if row is not None and self.records["completed"][row] and state.leaving not in state.links:
            ctx.timer(ctx.time_ps + self.program.options.settle_ps, SETTLED, state.leaving)
