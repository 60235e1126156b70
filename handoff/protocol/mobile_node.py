"""Mobile nodes: their reaction to layer-2 events, messages and timers."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final

import numpy as np
from mypy_extensions import mypyc_attr

from engine import Context, Event, EventKind, PerMobileState
from handoff.protocol.constants import SECOND, Status
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.layer2_triggers import Layer2Triggers
from handoff.protocol.message_routing import MessageHop, arrival_action
from handoff.protocol.messages import NEW, OLD, PEER_BITS, PEER_LIFETIME, PEER_MASK, STATUS_FIELD, STEP_MASK, MessageFields
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
)  # fmt: skip
from handoff.protocol.registration import RegistrationClient
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Attachments

_MESSAGE: Final = int(EventKind.MESSAGE)  # a plain integer, since every event is compared with it

_NO_PEER = (-1,)  # one message that is about no correspondent
_EXPIRED_NONCES = (Status.EXPIRED_HOME_NONCE, Status.EXPIRED_CARE_OF_NONCE)
_NOT_NEWER = (Status.IDENTIFICATION_MISMATCH, Status.SEQUENCE_OUT_OF_WINDOW)
_RETRY_AT_ONCE = (*_NOT_NEWER, *_EXPIRED_NONCES)
"""Refusals that a message with a new identification overcomes. After another refusal the retransmission comes as scheduled."""


def without_attachment(attachments: tuple[int, ...], attachment: int) -> tuple[int, ...]:
    """Return attachments without one of them."""
    if attachment not in attachments:
        return attachments
    index = attachments.index(attachment)
    return attachments[:index] + attachments[index + 1 :]


@mypyc_attr(allow_interpreted_subclasses=True)
class MobileNodeController:
    """Controller of all mobile nodes.

    Parameters
    ----------
    program : Program
        Program of the run.
    roles : RoleResolver
        Roles of the run.
    message_hops : dict of int to MessageHop
        Hops of the program (``message_routing.build_message_hops``).
    attachments : Attachments
        Attachments of the mobile nodes. The argument of a layer-2 event is the index of an attachment.
    records : HandoffRecords
        Records that the controller fills in.

    Attributes
    ----------
    router, down_ps : array
        Router and end of each attachment.
    begun : bytearray
        1 for each attachment whose handoff has begun: no handoff begins twice.
    first : array
        First attachment of each mobile node, with one element more for the end.
    states : PerMobileState
        State of each mobile node that has had an event.
    client : RegistrationClient
        Sender of messages.
    detector : MovementDetector
        Discovery of routers.
    triggers : Layer2Triggers
        Reaction to prediction and warning.
    event_handlers : dict of int to callable
        Method for each code of a layer-2 event or timer. It gets context, state and the argument of the event.
    message_handlers : dict of str to callable
        Method for each arrival action. It gets context, state, the arguments of the message and the node that it came through.
    arrival_actions : list of str
        Action on the message of each step (``message_routing.arrival_action``).
    registration_steps : dict
        Steps by (variant, event, keeps gateway) as of ``Program.registration_steps``.
    steps_after : list of tuple
        Steps that a mobile node starts after the message of each step.
    """

    def __init__(
        self, program: Program, roles: RoleResolver, message_hops: dict[int, MessageHop], attachments: Attachments,
        records: HandoffRecords,
    ) -> None:  # fmt: skip
        self.program, self.roles, self.options = program, roles, program.options
        self.hierarchical = program.procedure.hierarchical
        self.records, self.row_of = records.arrays, records.row_of
        mobiles = np.arange(roles.network.mobile_count + 1)
        self.router = array("i", attachments.router.astype(np.int32).tobytes())  # indexed like a list, at four bytes per element
        self.down_ps = array("q", attachments.down_ps.tobytes())
        self.first = array("i", np.searchsorted(attachments.mobile, mobiles).astype(np.int32).tobytes())
        self.begun = bytearray(len(self.router))
        self.message_hops = message_hops
        self.states = PerMobileState(self._initial_state)
        self.client = RegistrationClient(program, roles, message_hops, self.router)
        self.detector = MovementDetector(program, roles, self)
        self.triggers = Layer2Triggers(program, self)
        self.event_handlers: dict[int, Callable[[Context, MobileNodeState, int], None]] = {
            PREDICT: self.triggers.on_prediction, UP: self._on_link_up, GOING_DOWN: self.triggers.on_going_down,
            DOWN: self._on_link_down, DISCOVERED: self.on_router_discovered, RETRANSMIT: self._on_retransmission_due,
            REFRESH: self._on_refresh_due, SETTLED: self._on_settled, SOLICIT: self.detector.solicit,
        }  # fmt: skip
        self.message_handlers: dict[str, Callable[[Context, MobileNodeState, tuple[int, ...], int], None]] = {
            "marker": self._on_marker, "registered": self._on_registered,
            "advertisement": self._on_advertisement, "token": self._on_token,
            "forwarding acknowledged": self._on_forwarding_acknowledged, "acknowledgement": self._on_acknowledgement,
        }  # fmt: skip
        self.arrival_actions = [arrival_action(step, program.procedure.marker) for step in program.steps]
        self.registration_steps = {
            (variant, event, keeps_gateway): program.registration_steps(variant, event, keeps_gateway)
            for variant in (HOME, REGIONAL) for event in ("known", "move") for keeps_gateway in (False, True)
        }  # fmt: skip
        self.steps_after = [program.steps_on(step.variant, step.step.message) for step in program.steps]

    def on_event(self, ctx: Context, event: Event) -> None:
        """Handle a layer-2 event, timer or message of one mobile node."""
        state, args = self.states[event.mobile], event.args
        if event.kind != _MESSAGE:
            self.event_handlers[event.code](ctx, state, args[0])
            return
        position, number = args[0], args[0] & STEP_MASK
        action = self.arrival_actions[number]
        if position & STATUS_FIELD and action != "advertisement":
            self._on_refusal(ctx, state, MessageFields.unpack(args))
            return
        self.message_handlers[action](ctx, state, args, event.via)
        following = self.steps_after[number]
        if following:
            self.send_following(ctx, state, following, args)

    def send_following(
        self, ctx: Context, state: MobileNodeState, numbers: tuple[int, ...], args: tuple[int, ...]
    ) -> None:
        """Send the steps that follow a message."""
        for number in numbers:
            self.client.send_request(ctx, state, number, (args[PEER_LIFETIME] & PEER_MASK) - 1, args[OLD], args[NEW])

    def _initial_state(self, mobile: int) -> MobileNodeState:
        """Return the state at time 0. A mobile node whose link is up then has been registered before."""
        state = MobileNodeState()
        router = self.roles.first_router[mobile]
        if router >= 0:
            state.router = router
            state.gateway = self.roles.gateways.get(router, -1)
            state.links = state.known_attachments = (self.first[mobile],)
        return state

    # -- layer 2 --------------------------------------------------------------------------------------------------------
    def begin_handoff(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Begin the handoff that leaves an attachment, and its measurement."""
        ctx.begin_measurement(self.row_of[attachment])
        state.handoff_attachment = attachment
        state.markers = ()
        self.begun[attachment] = True

    def _on_link_up(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        state.links = (*state.links, attachment)
        router = self.router[attachment]
        early = self.options.upstream_early and state.handoff_attachment == attachment - 1
        if state.router == router or early:
            ctx.set_upstream_route(router)
        if state.is_registering_or_registered(router):
            state.learn_router(attachment)
            self.triggers.forward_after_move(ctx, state)
        else:
            self.detector.on_link_up(ctx, state, attachment)

    def on_router_discovered(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Register through a discovered router, unless that has been done or the link is down (RFC 5944 3.6.1)."""
        state.detecting = -1
        state.learn_router(attachment)
        router = self.router[attachment]
        if attachment not in state.links or attachment < state.target_attachment or state.is_registering_or_registered(router):
            return
        if state.router < 0 and router == self.roles.home_agent:  # it has never registered, so that it is simply at home
            state.router = router
            ctx.set_upstream_route(router)
            return
        if state.router == router:  # it returned before the reply to its request for another router
            state.target_attachment = attachment
            old = state.target_router if state.registration_request else router
            self.start_registration(ctx, state, "move", old, router)
            return
        if state.router >= 0 and self.client.has_link(state, state.router):
            if not self.detector.eager:
                return  # on_other_link_lost comes back to this attachment when the current link goes down
            if self.program.procedure.predictive:
                self.triggers.on_discovery(ctx, state, attachment)
                return
        state.target_attachment = attachment
        if self.row_of[attachment - 1] >= 0 and not self.begun[attachment - 1]:
            self.begin_handoff(ctx, state, attachment - 1)
        self.start_registration(ctx, state, "move", state.router, router)

    def _on_link_down(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        state.links = without_attachment(state.links, attachment)
        if state.target_attachment == attachment:
            state.target_attachment = -1
        row = self.row_of[attachment]
        if not self.begun[attachment] and row >= 0 and self.records["predict_ps"][row] < 0:
            self.begin_handoff(ctx, state, attachment)
        if state.router == self.router[attachment]:
            early = self.options.upstream_early and attachment + 1 in state.links
            if early:
                ctx.set_upstream_route(self.router[attachment + 1])
            elif self.options.upstream_hold:
                ctx.buffer_upstream(packets=self.options.upstream_packets)
            else:
                ctx.clear_upstream_route()
        elif self.client.has_link(state, state.router):
            ctx.set_upstream_route(state.router)
        state.known_attachments = without_attachment(state.known_attachments, attachment)
        self.triggers.forward_after_move(ctx, state)
        for other in state.links:
            self.detector.on_other_link_lost(ctx, state, other)
        self._schedule_measurement_end(ctx, state)

    # -- registration ---------------------------------------------------------------------------------------------------
    def start_registration(self, ctx: Context, state: MobileNodeState, event: str, old: int, new: int) -> None:
        """Start the steps of a handoff or refresh, and drop older requests.

        Parameters
        ----------
        ctx : Context
            Context of the event.
        state : MobileNodeState
            State of the mobile node.
        event : str
            ``"known"`` before a move, ``"move"`` after it.
        old, new : int
            Routers; equal in a refresh.
        """
        variant = self._variant(state, old, new) if self.hierarchical else HOME
        state.target_router = new
        if event == "move":
            state.last_move_request_ps = ctx.time_ps
        state.drop_requests()
        row, records = self.row_of[state.handoff_attachment], self.records
        if row >= 0 and records["new_router"][row] == new:
            if records["request_ps"][row] < 0:
                records["request_ps"][row] = ctx.time_ps
            records["between"][row] = self.hierarchical and variant == HOME
        keeps_gateway = self.hierarchical and old != new and self.roles.share_gateway(old, new)
        for number in self.registration_steps[variant, event, keeps_gateway]:
            hop = self.message_hops[number]
            if hop.is_conditional and not self.roles.applies(hop.program_step, old, new):
                continue
            for peer in self.roles.peers[ctx.mobile] if hop.per_peer else _NO_PEER:
                self.client.send_request(ctx, state, number, peer, old, new)

    def _variant(self, state: MobileNodeState, old: int, new: int) -> int:
        """Return ``REGIONAL`` if registration with the region's gateway suffices, in a hierarchical procedure.

        It does not suffice after a move between regions without a reply.
        """
        gateway = self.roles.gateways.get(new, -1)
        if old != new and state.gateway == gateway and self.roles.share_gateway(old, new):
            return REGIONAL
        if state.gateway != gateway:
            state.gateway = -1
        return HOME

    def _on_retransmission_due(self, ctx: Context, state: MobileNodeState, identification: int) -> None:
        request = state.requests.get(identification)
        if request is None:
            return  # the reply has arrived
        registers = identification == state.registration_request
        retransmitted = self.client.retransmit(ctx, state, identification)
        if retransmitted and registers and not request.rate_limited:
            row = self.row_of[state.handoff_attachment]
            if row >= 0 and self.records["new_router"][row] == request.new:
                self.records["retransmissions"][row] += 1

    def _on_refresh_due(self, ctx: Context, state: MobileNodeState, timer: int) -> None:
        """Register again before the lifetime is over (RFC 5944 3.6.1)."""
        if timer != state.refresh_timer:
            return
        if not state.registration_request and self.client.has_link(state, state.router):
            self.start_registration(ctx, state, "move", state.router, state.router)
            if not self.program.procedure.hierarchical:
                return
        # try again in 1 s: there is no link, a request is pending, or a regional handoff may replace the refresh
        ctx.timer(ctx.time_ps + SECOND, REFRESH, timer)

    # -- messages -------------------------------------------------------------------------------------------------------
    def _row_of_message(self, state: MobileNodeState, args: tuple[int, ...]) -> int:
        """Return the record of the current handoff if a message belongs to it, else -1."""
        row = self.row_of[state.handoff_attachment]
        if row < 0 or self.records["old_router"][row] != args[OLD] or self.records["new_router"][row] != args[NEW]:
            return -1
        return row

    def _on_advertisement(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], via: int) -> None:
        if args[0] & STEP_MASK == self.program.advertisement:
            self.detector.advertisement_received(ctx, state, via, MessageFields.unpack(args).status)
            return
        row = self._row_of_message(state, args)
        if row >= 0 and self.records["known_ps"][row] < 0:
            self.triggers.on_target_known(ctx, state, state.handoff_attachment)

    def _on_marker(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], via: int) -> None:
        """Record the last packet of an old path. With several correspondents each path has its own marker (decision 4)."""
        if self.program.procedure.marker == "DBA":  # a DRR, in contrast, answers no request: the registration reply does
            self.client.match_reply(state, args)
        row = self._row_of_message(state, args)
        if row < 0 or self.records["marker_ps"][row] >= 0 or state.target_router != args[NEW]:
            return  # after a request for another router, packets through this one are no longer the old path
        peer = (args[PEER_LIFETIME] & PEER_MASK) - 1
        markers = {*state.markers, peer}
        self.records["markers"][row] = len(markers)
        due = len(self.roles.peers[ctx.mobile]) if peer >= 0 else 1
        if len(markers) < due:
            state.markers = tuple(markers)
            return
        self.records["marker_ps"][row] = ctx.time_ps
        if via == args[OLD]:
            ctx.count_after_marker(via)
            if self.records["scenario"][row] == 0 and self.records["access"][row] == 0:
                self.records["scenario"][row] = 1

    def _on_registered(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], _: int) -> None:
        position, _, new, peer_lifetime, identification, _ = args
        if identification != state.registration_request:
            return  # the reply to an older request
        state.registration_request = 0
        state.pop_request(identification)
        row = self._row_of_message(state, args)
        now_ps = ctx.time_ps
        if row >= 0:
            self.records["reply_ps"][row] = now_ps
        state.router = new
        if state.forwarding_router == new:
            state.forwarding_router = -1
        if self.client.has_link(state, new):
            ctx.set_upstream_route(new)
        if new == self.roles.home_agent:
            state.refresh_timer += 1  # there is no binding to refresh
        elif self.program.steps[position & STEP_MASK].variant == HOME:  # a regional one does not refresh the home agent's binding
            state.refresh_timer += 1
            ctx.timer(now_ps + self.program.refresh_ps(peer_lifetime >> PEER_BITS), REFRESH, state.refresh_timer)
        if state.updates_without_tokens:
            self.client.retry_waiting(ctx, state)
        self._check_completion(ctx, state, row)

    def _on_forwarding_acknowledged(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], _: int) -> None:
        matched, row = self.client.match_reply(state, args), self._row_of_message(state, args)
        if row >= 0:
            self.records["acknowledged_ps"][row] = ctx.time_ps
        if matched:
            self._check_completion(ctx, state, row)

    def _on_acknowledgement(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], _: int) -> None:
        """Process the acknowledgement of a gateway or correspondent."""
        if self.client.match_reply(state, args):
            row = self._row_of_message(state, args)
            if row >= 0:
                self.records["bound_ps"][row] = ctx.time_ps
            self._check_completion(ctx, state, row)

    def _check_completion(self, ctx: Context, state: MobileNodeState, row: int) -> None:
        """Record a handoff as completed if every request except deregistrations has its reply."""
        requests, unanswered = state.requests, bool(state.updates_without_tokens)
        if requests:  # mostly there is none, and even a loop over nothing takes time
            for request in requests.values():
                unanswered = unanswered or self.message_hops[request.step].kind != "DBU"
        if not unanswered and not state.registration_request:  # every anchor above the gateway knows the gateway
            state.gateway = self.roles.gateways.get(state.router, -1)
        if row >= 0 and not unanswered and state.router == self.records["new_router"][row]:
            self.records["completed"][row] = 1
        self._schedule_measurement_end(ctx, state)

    def _on_refusal(self, ctx: Context, state: MobileNodeState, fields: MessageFields) -> None:
        """Process a refusal. The request stays pending; it is retransmitted at once if a new identification can help."""
        request = state.requests.get(fields.identification)
        if request is None:
            return
        self.roles.attack_counts["legitimate_refused"] += 1
        row = self.row_of[state.handoff_attachment]
        if row >= 0 and self.records["new_router"][row] == request.new:
            self.records["denied"][row] += 1
        if fields.status in _NOT_NEWER:
            state.identification = max(state.identification, fields.proof)  # RFC 5944 5.7, RFC 6275 11.7.3
        if fields.status in _RETRY_AT_ONCE:
            if fields.status in _EXPIRED_NONCES:
                state.tokens = {key: token for key, token in state.tokens.items() if key[0] != request.peer}
            self.client.retransmit(ctx, state, fields.identification, now=True)

    def _schedule_measurement_end(self, ctx: Context, state: MobileNodeState) -> None:
        """End the measurement ``settle_ps`` after a completed handoff whose old link is down, so that packets can arrive."""
        row = self.row_of[state.handoff_attachment]
        if row >= 0 and self.records["completed"][row] and state.handoff_attachment not in state.links:
            ctx.timer(ctx.time_ps + self.options.settle_ps, SETTLED, state.handoff_attachment)

    def _on_settled(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        if state.handoff_attachment == attachment:
            ctx.end_measurement()

    def _on_token(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], _: int) -> None:
        self.client.on_token(ctx, state, MessageFields.unpack(args))
