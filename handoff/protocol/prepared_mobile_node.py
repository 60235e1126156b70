"""Mobile nodes of prepared procedures, which leave at the command of their router (TS 38.300 9.2.3.2, RFC 5568 3.2)."""

from __future__ import annotations

from engine import Context
from handoff.protocol.constants import SECOND
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.message_routing import MessageHop
from handoff.protocol.messages import NEW, OLD, PEER_BITS, PEER_LIFETIME
from handoff.protocol.mobile_node import MobileNodeController, without_attachment
from handoff.protocol.mobile_node_state import MobileNodeState
from handoff.protocol.program import GOING_DOWN, HOME, PREDICT, REFRESH, SETTLED, Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Attachments

COMMANDED, COMMAND_LOST, WITHOUT_COMMAND = 1, 2, 3
"""Scenarios of a prepared handoff: I the command was heard, II it was sent but not heard, III none was sent."""


class PreparedMobileNode(MobileNodeController):
    """Controller of all mobile nodes of a prepared procedure.

    A mobile node reports its target when it can leave at the command (option ``request``; decision 37). After the command it
    sends the steps of ``attach`` on the new link. Without one it re-establishes itself there by the steps of ``move``.

    Parameters
    ----------
    program, roles, message_hops, attachments, records
        As for ``MobileNodeController``.
    """

    def __init__(
        self, program: Program, roles: RoleResolver, message_hops: dict[int, MessageHop], attachments: Attachments,
        records: HandoffRecords,
    ) -> None:  # fmt: skip
        super().__init__(program, roles, message_hops, attachments, records)
        self.handoffs = records
        self.conditional = program.procedure.conditional
        self.has_commands = any(step.step.effect == "command" for step in program.steps)
        self.anchored_at_router = program.procedure.anchor == "oAR"
        self.event_handlers |= {PREDICT: self._on_prediction, GOING_DOWN: self._on_going_down}

    def _initial_state(self, mobile: int) -> MobileNodeState:
        state = super()._initial_state(mobile)
        if self.anchored_at_router:
            state.gateway = state.router
        return state

    # -- before the move --------------------------------------------------------------------------------------------------
    def begin_handoff(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Begin the handoff that leaves an attachment, and its measurement."""
        super().begin_handoff(ctx, state, attachment)
        state.commanded_attachment = -1
        self.handoffs.current[ctx.mobile] = self.row_of[attachment]

    def _on_prediction(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        if self.begun[attachment]:
            return
        self.begin_handoff(ctx, state, attachment)
        row = self.row_of[attachment]
        self.records["known_ps"][row] = ctx.time_ps
        if not self._waits_for_warning(row) and not self._waits_for_link(row, state, attachment):
            self._report(ctx, state, attachment)

    def _waits_for_warning(self, row: int) -> bool:
        """Return whether the report waits for the warning: a command long before the link ends interrupts (decision 37)."""
        if self.records["going_down_ps"][row] < 0 or self.options.request == "predict":
            return False
        return self.options.request == "going-down" or (self.records["access"][row] == 1 and not self.conditional)

    def _waits_for_link(self, row: int, state: MobileNodeState, attachment: int) -> bool:
        """Return whether the report waits for the new link, which comes up while the old one works (decision 37)."""
        is_dual = self.records["access"][row] == 0 and attachment + 1 not in state.links
        return self.options.request == "auto" and is_dual and not self.conditional

    def _on_going_down(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        row = self.row_of[attachment]
        if state.handoff_attachment == attachment and self.records["known_ps"][row] >= 0:
            self._report(ctx, state, attachment)
            self._ask_to_leave(ctx, state, attachment)

    def _ask_to_leave(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Send the steps of ``going-down``, by which a mobile node with a prepared target asks for the command (LTM)."""
        old, new = self.router[attachment], self.router[attachment + 1]
        if state.router == old and state.commanded_attachment < 0:
            for number in self.program.steps_on(HOME, "going-down"):
                self.client.send_request(ctx, state, number, -1, old, new)

    def _report(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Report the new router to the old one."""
        old, new = self.router[attachment], self.router[attachment + 1]
        row = self.row_of[attachment]
        if state.router != old or old == new or attachment not in state.links or self.records["request_ps"][row] >= 0:
            return
        state.target_attachment, state.target_router = attachment + 1, new
        state.drop_requests()
        self.records["request_ps"][row] = ctx.time_ps
        for number in self.program.steps_on(HOME, "predict"):
            self.client.send_request(ctx, state, number, -1, old, new)

    def on_command(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], via: int) -> None:
        """Leave for the new link: at once if it is up, otherwise when it comes up."""
        self.client.match_reply(state, args)
        attachment = state.handoff_attachment
        row = self._row_of_message(state, args)
        if row < 0 or state.router != args[OLD] or state.commanded_attachment >= 0:
            return  # of an earlier handoff, or the second copy
        state.commanded_attachment = attachment + 1
        self.records["reply_ps"][row] = ctx.time_ps
        if attachment + 1 in state.links:
            self._attach(ctx, state, attachment + 1)

    # -- the move ---------------------------------------------------------------------------------------------------------
    def _on_link_up(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        state.links = (*state.links, attachment)
        if state.router == self.router[attachment]:
            ctx.set_upstream_route(state.router)
        elif state.commanded_attachment == attachment:
            self._attach(ctx, state, attachment)
        elif not self.has_commands:
            self._reestablish(ctx, state, attachment)
        elif state.handoff_attachment == attachment - 1 and self.client.has_link(state, state.router):
            left = attachment - 1
            if self.records["known_ps"][self.row_of[left]] >= 0 and not self._waits_for_warning(self.row_of[left]):
                self._report(ctx, state, left)
                self._ask_to_leave(ctx, state, left)
        elif not self.client.has_link(state, state.router):
            self._reestablish(ctx, state, attachment)

    def _on_link_down(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        state.links = without_attachment(state.links, attachment)
        row = self.row_of[attachment]
        if not self.begun[attachment] and row >= 0 and self.records["predict_ps"][row] < 0:
            self.begin_handoff(ctx, state, attachment)
        if state.router == self.router[attachment] and not self.client.has_link(state, state.router):
            if self.options.upstream_hold:
                ctx.buffer_upstream(packets=self.options.upstream_packets)
            else:
                ctx.clear_upstream_route()
            if state.links:
                self._reestablish(ctx, state, state.links[-1])
        self._schedule_measurement_end(ctx, state)

    def _attach(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Arrive at the commanded router."""
        self._arrive(ctx, state, attachment, "attach", COMMANDED)

    def _reestablish(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Arrive at a router without a command."""
        left = attachment - 1
        if self.row_of[left] >= 0 and not self.begun[left]:
            self.begin_handoff(ctx, state, left)
        row = self.row_of[state.handoff_attachment]
        sent = row >= 0 and self.records["rescue_ps"][row] >= 0
        state.drop_requests()
        self._arrive(ctx, state, attachment, "move", COMMAND_LOST if sent else WITHOUT_COMMAND)

    def _arrive(self, ctx: Context, state: MobileNodeState, attachment: int, event: str, scenario: int) -> None:
        old, new = state.router, self.router[attachment]
        row = self.row_of[state.handoff_attachment]
        if row >= 0 and self.records["new_router"][row] == new:
            self.records["scenario"][row] = scenario
            if self.records["request_ps"][row] < 0:
                self.records["request_ps"][row] = ctx.time_ps
        if self.anchored_at_router:  # RFC 8885: the anchor of the prefix is the first router
            old = state.gateway = new if state.gateway < 0 else state.gateway
        state.router = state.target_router = new
        state.target_attachment, state.commanded_attachment = attachment, -1
        ctx.set_upstream_route(new)
        state.identification = self.client.next_identification(ctx, state)
        for number in self.program.steps_on(HOME, event):
            hop = self.message_hops[number]
            if not hop.is_conditional or self.roles.applies(hop.program_step, old, new):
                self.client.send_request(ctx, state, number, -1, old, new)
        self._schedule_measurement_end(ctx, state)

    # -- after the move ---------------------------------------------------------------------------------------------------
    def _on_registered(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], _: int) -> None:
        if self.client.match_reply(state, args):
            state.registration_request = 0
            row = self._row_of_message(state, args)
            if row >= 0:
                self.handoffs.note(ctx.mobile, args[NEW], "bound_ps", ctx.time_ps)
                self.handoffs.note(ctx.mobile, args[NEW], "reply_ps", ctx.time_ps)
                self.records["completed"][row] = 1
            state.refresh_timer += 1
            ctx.timer(ctx.time_ps + self.program.refresh_ps(args[PEER_LIFETIME] >> PEER_BITS), REFRESH, state.refresh_timer)

    def _on_refresh_due(self, ctx: Context, state: MobileNodeState, timer: int) -> None:
        if timer != state.refresh_timer:
            return
        if not state.registration_request and self.client.has_link(state, state.router):
            for number in self.program.steps_on(HOME, "refresh"):
                self.client.send_request(ctx, state, number, -1, state.router, state.router)
        else:
            ctx.timer(ctx.time_ps + SECOND, REFRESH, timer)

    def _schedule_measurement_end(self, ctx: Context, state: MobileNodeState) -> None:
        """End the measurement ``settle_ps`` after a completed handoff whose old link is down.

        Routers complete a handoff in which the mobile node gets no reply: it asks again after each such time.
        """
        attachment = state.handoff_attachment
        if self.row_of[attachment] >= 0 and attachment not in state.links and state.router != self.router[attachment]:
            ctx.timer(ctx.time_ps + self.options.settle_ps, SETTLED, attachment)

    def _on_settled(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        if state.handoff_attachment != attachment:
            return
        row = self.row_of[attachment]
        settled_ps = max(self.records["bound_ps"][row], self.records["marker_ps"][row]) + self.options.settle_ps
        if self.records["completed"][row] and settled_ps <= ctx.time_ps:
            ctx.end_measurement()
            state.handoff_attachment = -1
        else:  # twice as long each time
            wait_ps = max(self.options.settle_ps, ctx.time_ps - self.records["up_ps"][row])
            ctx.timer(ctx.time_ps + wait_ps, SETTLED, attachment)
