"""Mobile nodes: what they do on layer-2 events, on messages, and when no answer comes."""

from __future__ import annotations

from array import array

import numpy as np

from engine import Context, Event
from handoff.protocol.constants import SECOND, Status
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.lazy_state import PerMobileState
from handoff.protocol.message_routing import MessageHop
from handoff.protocol.messages import MessageFields
from handoff.protocol.mobile_node_state import MobileNodeState
from handoff.protocol.movement_detection import MovementDetector
from handoff.protocol.program import (
    DISCOVERED,
    DOWN,
    GOING_DOWN,
    HOME,
    PREDICT,
    REFRESH,
    REGIONAL,
    RETRANSMIT,
    SETTLED,
    SOLICIT,
    UP,
    Program,
    ProgramStep,
)  # fmt: skip
from handoff.protocol.registration import RegistrationClient
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Attachments

_ASK_AGAIN = (
    Status.IDENTIFICATION_MISMATCH, Status.SEQUENCE_OUT_OF_WINDOW, Status.EXPIRED_HOME_NONCE, Status.EXPIRED_CARE_OF_NONCE,
)  # fmt: skip
"""Refusals that a message with a new number cures at once; after the others the next retransmission comes in its time."""


class MobileNodeController:
    """The controller of the fleet: every mobile node under one program.

    Parameters
    ----------
    program : Program
    places : Places
    laid_out : dict of int to Waypoint
        Of ``waypoints``.
    movement : Movement
        Its attachments number the layer-2 events: argument i of an event is attachment i.
    records : Records
        Gets what happens.
    """

    def __init__(
        self, program: Program, places: RoleResolver, laid_out: dict[int, MessageHop], movement: Attachments, records: HandoffRecords
    ) -> None:
        self.program, self.places = program, places
        self.records, self.row_of = records.arrays, records.row_of
        mobiles = np.arange(places.network.mobile_count + 1)
        self.router = array("i", movement.router.astype(np.int32).tobytes())  # as a list, of four bytes an attachment
        self.down_ps = array("q", movement.down_ps.tobytes())
        self.first = array("i", np.searchsorted(movement.mobile, mobiles).astype(np.int32).tobytes())  # attachment of each mobile
        self.states = PerMobileState(self._at_start)
        self.sender = RegistrationClient(program, places, laid_out, self.router)
        self.detection = MovementDetector(program, places, self)
        self.meanings = [_meaning(numbered, program.row.marker) for numbered in program.steps]
        self.begun = [program.steps_on(numbered.variant, numbered.step.message) for numbered in program.steps]

    def on_event(self, ctx: Context, event: Event) -> None:
        """One layer-2 event, timer or message of one mobile node."""
        state = self.states[event.mobile]
        if event.kind == 2:
            self._message(ctx, state, MessageFields.unpack(event.args), event.via)
        else:
            _HANDLERS[event.code](self, ctx, state, event.args[0])

    def _at_start(self, mobile: int) -> MobileNodeState:
        """A mobile node that is up at time 0 has been registered before."""
        state = MobileNodeState()
        router = self.places.first_router[mobile]
        if router >= 0:
            state.router = router
            state.gateway = self.places.gateways.get(router, -1)
            state.links = state.known_attachments = (self.first[mobile],)
        return state

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def _predict(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        self._open(ctx, state, attachment)
        if not self.program.prelude:
            self._known(ctx, state, attachment)

    def _open(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """A handoff begins."""
        ctx.begin_measurement(self.row_of[attachment])
        state.handoff_attachment = attachment
        state.markers = ()

    def _known(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """The mobile node knows the router that it will move to."""
        row = self.row_of[attachment]
        self.records["known_ps"][row] = ctx.time_ps
        old, new = self.router[attachment], self.router[attachment + 1]
        if state.router == old and self.program.row.predictive:
            state.target_attachment = attachment + 1
            state.learn_router(attachment + 1)
            self.start_registration(ctx, state, "known", old, new)
        if 0 <= self.records["going_down_ps"][row] < ctx.time_ps:
            self._rescue(ctx, state, attachment)

    def _up(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        state.links = (*state.links, attachment)
        router = self.router[attachment]
        early = self.program.options.upstream_early and state.handoff_attachment == attachment - 1
        if state.router == router or early:
            ctx.set_upstream_route(router)
        if self.is_registering_or_registered(state, router):
            state.learn_router(attachment)
        else:
            self.detection.up(ctx, state, attachment)

    def is_registering_or_registered(self, state: MobileNodeState, router: int) -> bool:
        """Whether the last request was for this router; one for another may have moved the binding there, answered or not."""
        return (state.target_router if state.request else state.router if state.router != state.forwarding_router else -1) == router

    def on_router_discovered(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """A new agent: register, unless that was done or the link is gone (RFC 5944, 3.6.1)."""
        state.detecting = -1
        state.learn_router(attachment)
        router = self.router[attachment]
        if attachment not in state.links or attachment < state.target_attachment or self.is_registering_or_registered(state, router):
            return
        if state.router == router:
            state.target_attachment = attachment  # back before the reply from elsewhere
            self.start_registration(ctx, state, "move", state.target_router if state.request else router, router)
            return
        works = state.router >= 0 and self.sender.has_link(state, state.router)
        if works and not self._only_hope(state, attachment) and not self.detection.eager:
            return  # the link in use still works: it is asked again when that one is down
        state.target_attachment = attachment
        if state.handoff_attachment != attachment - 1 and self.row_of[attachment - 1] >= 0:
            self._open(ctx, state, attachment - 1)
        self.start_registration(ctx, state, "move", state.router, router)

    def _only_hope(self, state: MobileNodeState, attachment: int) -> bool:
        """Whether the move to this attachment is under way and nothing has been asked for it."""
        return state.handoff_attachment == attachment - 1 and not self.program.row.predictive

    def _going_down(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        if state.handoff_attachment == attachment and self.records["known_ps"][self.row_of[attachment]] >= 0:
            self._rescue(ctx, state, attachment)

    def _rescue(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Warned without the marker: II, or III if single or if the warning came before the request (decisions, 24)."""
        row = self.row_of[attachment]
        single = self.records["access"][row] == 1  # then the update is always sent (phase III-3)
        steps = self.program.steps_on(HOME, "going-down")
        if not steps or (self.records["marker_ps"][row] >= 0 and not single):
            return
        asked = 0 <= self.records["request_ps"][row] <= self.records["going_down_ps"][row]
        self.records["scenario"][row] = 2 if asked and not single else 3
        self.records["rescue_ps"][row] = ctx.time_ps
        state.forwarding_router = self.router[attachment]
        for number in steps:
            self.sender.send_request(ctx, state, number, -1, self.router[attachment], self.router[attachment + 1])

    def _down(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        state.links = tuple(i for i in state.links if i != attachment)
        if state.target_attachment == attachment:
            state.target_attachment = -1
        row = self.row_of[attachment]
        if row >= 0 and state.handoff_attachment != attachment and self.records["predict_ps"][row] < 0:
            self._open(ctx, state, attachment)
        if state.router == self.router[attachment]:
            early = self.program.options.upstream_early and attachment + 1 in state.links
            if early:
                ctx.set_upstream_route(self.router[attachment + 1])
            elif self.program.row.upstream == "hold":
                ctx.buffer_upstream(packets=self.program.options.upstream_packets)
            else:
                ctx.clear_upstream_route()
        elif self.sender.has_link(state, state.router):
            ctx.set_upstream_route(state.router)
        state.known_attachments = tuple(i for i in state.known_attachments if i != attachment)
        for other in state.links:  # a link that came up before this one went down, and is not in use
            self.detection.on_other_link_lost(ctx, state, other)
        self._settle(ctx, state)

    # -- registration ---------------------------------------------------------------------------------------------------
    def start_registration(self, ctx: Context, state: MobileNodeState, event: str, old: int, new: int) -> None:
        """Start the steps of a handoff (or, with ``old`` equal to ``new``, of a refresh); older requests mean nothing now."""
        variant = self._variant(state, old, new)
        state.target_router = new
        if event == "move":
            state.asked_ps = ctx.time_ps
        state.drop_requests()
        row = self.row_of[state.handoff_attachment]
        if row >= 0 and self.records["new_router"][row] == new:
            if self.records["request_ps"][row] < 0:
                self.records["request_ps"][row] = ctx.time_ps
            self.records["between"][row] = self.program.row.hierarchical and variant == HOME
        for number in self.program.steps_on(variant, event):
            numbered = self.program.steps[number]
            if numbered.wants_old and (old < 0 or old == new):
                continue
            for peer in self.places.peers[ctx.mobile] if numbered.per_peer else (-1,):
                self.sender.send_request(ctx, state, number, peer, old, new)

    def _variant(self, state: MobileNodeState, old: int, new: int) -> int:
        """Whether the gateway of the region is enough; after an unanswered move between regions it is not."""
        if not self.program.row.hierarchical:
            return HOME
        gateway = self.places.gateways[new]
        if 0 <= old != new and state.gateway == gateway == self.places.gateways[old]:
            return REGIONAL
        if state.gateway != gateway:
            state.gateway = -1
        return HOME

    def _retransmit(self, ctx: Context, state: MobileNodeState, identification: int) -> None:
        registers = identification == state.request
        request = state.requests.get(identification)
        if self.sender.retransmit(ctx, state, identification) and registers and request is not None and not request.held:
            row = self.row_of[state.handoff_attachment]
            if row >= 0 and self.records["new_router"][row] == request.new:
                self.records["retransmissions"][row] += 1

    def _refresh(self, ctx: Context, state: MobileNodeState, generation: int) -> None:
        """Register again before the lifetime is over (RFC 5944, 3.6.1)."""
        if generation != state.refresh:
            return
        if not state.request and self.sender.has_link(state, state.router):
            self.start_registration(ctx, state, "move", state.router, state.router)
            if not self.program.row.hierarchical:
                return
        # without a link, or with a request under way, a little later; a regional handoff may take the place of this one
        ctx.timer(ctx.time_ps + SECOND, REFRESH, generation)

    # -- messages -------------------------------------------------------------------------------------------------------
    def _message(self, ctx: Context, state: MobileNodeState, fields: MessageFields, via: int) -> None:
        meaning = self.meanings[fields.step]
        if fields.status > Status.ACCEPTED and meaning != "advertised":
            self._denied(ctx, state, fields)
            return
        _MEANINGS[meaning](self, ctx, state, fields, via)
        for number in self.begun[fields.step]:
            self.sender.send_request(ctx, state, number, fields.peer, fields.old, fields.new)

    def _row(self, state: MobileNodeState, fields: MessageFields) -> int:
        """The handoff that a message is about, if it is the one under way; else -1."""
        row = self.row_of[state.handoff_attachment]
        if row < 0 or self.records["old_router"][row] != fields.old or self.records["new_router"][row] != fields.new:
            return -1
        return row

    def _advertised(self, ctx: Context, state: MobileNodeState, fields: MessageFields, via: int) -> None:
        if fields.step == self.program.advertisement:
            self.detection.advertisement_received(ctx, state, via, fields.status)
            return
        row = self._row(state, fields)
        if row >= 0 and self.records["known_ps"][row] < 0:
            self._known(ctx, state, state.handoff_attachment)

    def _marker(self, ctx: Context, state: MobileNodeState, fields: MessageFields, via: int) -> None:
        """The last packet of an old path; with several correspondents each has its own (decisions, 4)."""
        if self.program.row.marker == "DBA":  # a deregistration reply answers nothing: the registration reply does
            self.sender.match_reply(state, fields)
        row = self._row(state, fields)
        if row < 0 or self.records["marker_ps"][row] >= 0 or state.target_router != fields.new:
            return  # or it has asked for another router since: what comes by this one is no longer the old path
        markers = {*state.markers, fields.peer}
        self.records["markers"][row] = len(markers)
        due = len(self.places.peers[ctx.mobile]) if fields.peer >= 0 else 1
        if len(markers) < due:
            state.markers = tuple(markers)
            return
        self.records["marker_ps"][row] = ctx.time_ps
        if via == fields.old:
            ctx.count_after_marker(fields.old)
            if self.records["scenario"][row] == 0 and self.records["access"][row] == 0:
                self.records["scenario"][row] = 1

    def _registered(self, ctx: Context, state: MobileNodeState, fields: MessageFields, _: int) -> None:
        if fields.identification != state.request:
            return  # an older request's: a newer one is on its way
        state.request = 0
        state.pop_request(fields.identification)
        row = self._row(state, fields)
        if row >= 0:
            self.records["reply_ps"][row] = ctx.time_ps
        state.router = fields.new
        if state.forwarding_router == state.router:
            state.forwarding_router = -1
        if self.sender.has_link(state, fields.new):
            ctx.set_upstream_route(fields.new)
        if self.program.steps[fields.step].variant == HOME:  # the home agent hears nothing of a regional one
            state.refresh += 1
            ctx.timer(ctx.time_ps + self.program.refresh_ps(fields.lifetime_s), REFRESH, state.refresh)
        self.sender.retry_waiting(ctx, state)
        self._completed(ctx, state, row)

    def _forwards(self, ctx: Context, state: MobileNodeState, fields: MessageFields, _: int) -> None:
        """The old router acknowledges the update that makes it forward."""
        awaited, row = self.sender.match_reply(state, fields), self._row(state, fields)
        if row >= 0:
            self.records["acknowledged_ps"][row] = ctx.time_ps
        if awaited:
            self._completed(ctx, state, row)

    def _acknowledged(self, ctx: Context, state: MobileNodeState, fields: MessageFields, _: int) -> None:
        """The answer of a gateway or correspondent to an update."""
        if self.sender.match_reply(state, fields):
            row = self._row(state, fields)
            if row >= 0:
                self.records["bound_ps"][row] = ctx.time_ps
            self._completed(ctx, state, row)

    def _completed(self, ctx: Context, state: MobileNodeState, row: int) -> None:
        """Whether every request but deregistrations has its answer."""
        open_ = state.waiting or [r for r in state.requests.values() if self.program.steps[r.step].kind != "DBU"]
        if not open_ and not state.request:  # every anchor above the gateway knows it
            state.gateway = self.places.gateways.get(state.router, -1)
        if row >= 0 and not open_ and state.router == self.records["new_router"][row]:
            self.records["completed"][row] = 1
        self._settle(ctx, state)

    def _denied(self, ctx: Context, state: MobileNodeState, fields: MessageFields) -> None:
        """A refusal; the request stays, so that it is sent again when its wait is over, or now if that can help."""
        request = state.requests.get(fields.identification)
        if request is None:
            return
        row = self.row_of[state.handoff_attachment]
        if row >= 0 and self.records["new_router"][row] == request.new:
            self.records["denied"][row] += 1
        if fields.status in _ASK_AGAIN:
            if fields.status in (Status.EXPIRED_HOME_NONCE, Status.EXPIRED_CARE_OF_NONCE):
                state.tokens = {which: token for which, token in state.tokens.items() if which[0] != request.peer}
            self.sender.retransmit(ctx, state, fields.identification, now=True)

    def _settle(self, ctx: Context, state: MobileNodeState) -> None:
        """Once the old link is gone and the registration done, what is under way has a while to come in; then the span ends."""
        row = self.row_of[state.handoff_attachment]
        if row >= 0 and self.records["completed"][row] and state.handoff_attachment not in state.links:
            ctx.timer(ctx.time_ps + self.program.options.settle_ps, SETTLED, state.handoff_attachment)

    def _settled(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        if state.handoff_attachment == attachment:
            ctx.end_measurement()

    def _solicit(self, ctx: Context, state: MobileNodeState, arg: int) -> None:
        self.detection.solicit(ctx, state, arg)

    def _tested(self, ctx: Context, state: MobileNodeState, fields: MessageFields, _: int) -> None:
        self.sender.on_token(ctx, state, fields)


def _meaning(numbered: ProgramStep, marker: str) -> str:
    """What a message that comes to the mobile node means to it."""
    if numbered.kind == marker:
        return "marker"
    if numbered.step.effect == "registered":
        return "registered"
    if numbered.kind == "AA":
        return "advertised"
    if numbered.kind in ("HoT", "CoT"):
        return "tested"
    return "forwards" if numbered.step.path[0] == "oAR" and numbered.kind == "BA" else "acknowledged"


_HANDLERS = {
    PREDICT: MobileNodeController._predict,
    UP: MobileNodeController._up,
    GOING_DOWN: MobileNodeController._going_down,
    DOWN: MobileNodeController._down,
    DISCOVERED: MobileNodeController.on_router_discovered,
    RETRANSMIT: MobileNodeController._retransmit,
    REFRESH: MobileNodeController._refresh,
    SETTLED: MobileNodeController._settled,
    SOLICIT: MobileNodeController._solicit,
}
_MEANINGS = {
    "marker": MobileNodeController._marker,
    "registered": MobileNodeController._registered,
    "advertised": MobileNodeController._advertised,
    "tested": MobileNodeController._tested,
    "forwards": MobileNodeController._forwards,
    "acknowledged": MobileNodeController._acknowledged,
}
