"""Mobile nodes of prepared procedures, which leave at the command of their router (TS 38.300 9.2.3.2, RFC 5568 3.2)."""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from engine import Context
from handoff.protocol.constants import SECOND
from handoff.protocol.handoff_records import WITHOUT_COMMAND, HandoffRecords
from handoff.protocol.message_routing import MessageHop
from handoff.protocol.messages import NEW, OLD, PEER_BITS, PEER_LIFETIME
from handoff.protocol.mobile_node import MobileNodeController, without_attachment
from handoff.protocol.mobile_node_state import MobileNodeState
from handoff.protocol.program import GOING_DOWN, HOME, PREDICT, REFRESH, SETTLED, Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Attachments

COMMANDED = 1
"""Scenario of a prepared handoff whose command was heard. ``WITHOUT_COMMAND`` stands for scenarios II and III until the end."""


@mypyc_attr(allow_interpreted_subclasses=True)
class PreparedMobileNode(MobileNodeController):
    """Controller of all mobile nodes of a prepared procedure.

    A mobile node reports its target when it can leave at the command (option ``request``; decision 37). After the command it
    sends the steps of ``attach`` on the new link. Without one it re-establishes itself there by the steps of ``move``.

    Parameters
    ----------
    program, roles, message_hops, attachments, records
        As for ``MobileNodeController``.

    Attributes
    ----------
    visible_after_ps : int
        Time after which what a router has noted is visible here in every schedule of the engine. The mobile nodes are ahead of a
        router by at most the delay of its downlink, since a packet that it has yet to send arrives no earlier.
    poll_ps : int
        Interval at which a mobile node looks whether routers have completed its handoff.
    """

    def __init__(
        self, program: Program, roles: RoleResolver, message_hops: dict[int, MessageHop], attachments: Attachments,
        records: HandoffRecords,
    ) -> None:  # fmt: skip
        super().__init__(program, roles, message_hops, attachments, records)
        self.handoffs = records
        self.waits_for_warning = program.waits_for_warning(single=False), program.waits_for_warning(single=True)
        self.waits_for_link, self.has_commands = program.waits_for_link, program.has_commands
        self.message_handlers |= {"command": self.on_command}
        self.visible_after_ps = max((cell.down.delay_ps for cell in roles.network.cells), default=0)
        self.poll_ps = max(self.options.settle_ps, self.visible_after_ps, SECOND // 1000)
        self.completes_at_router = any("complete" in step.step.effect for step in program.steps)
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

    def _on_prediction(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        if self.begun[attachment]:
            return
        self.begin_handoff(ctx, state, attachment)
        self.records["known_ps"][self.row_of[attachment]] = ctx.time_ps
        self._report_prediction(ctx, state, attachment)

    def _report_prediction(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        row = self.row_of[attachment]
        if not self._waits_for_warning(row) and not self._waits_for_link(row, state, attachment):
            self._report(ctx, state, attachment)

    def _waits_for_warning(self, row: int) -> bool:
        """Return whether the report waits for the warning: a command long before the link ends interrupts (decision 37)."""
        return self.records["going_down_ps"][row] >= 0 and self.waits_for_warning[self.records["access"][row]]

    def _waits_for_link(self, row: int, state: MobileNodeState, attachment: int) -> bool:
        """Return whether the report waits for the new link, which comes up while the old one works (decision 37)."""
        return self.waits_for_link and self.records["access"][row] == 0 and attachment + 1 not in state.links

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
        to_target = (state.router, state.target_router) == (args[OLD], args[NEW])
        if not to_target or state.commanded_attachment >= 0:
            return  # of an earlier handoff, or the second copy
        state.commanded_attachment = attachment = state.target_attachment
        self.records["reply_ps"][self.row_of[attachment - 1]] = ctx.time_ps
        if attachment in state.links:
            self._attach(ctx, state, attachment)

    # -- the move ---------------------------------------------------------------------------------------------------------
    def _on_link_up(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        state.links = (*state.links, attachment)
        if state.router == self.router[attachment] and state.target_router in (-1, state.router):
            ctx.set_upstream_route(state.router)
        elif state.router == self.router[attachment]:  # it may have forwarded to the reported router since
            self._reestablish(ctx, state, attachment, state.target_router)
        elif state.commanded_attachment == attachment:
            self._attach(ctx, state, attachment)
        elif not self.has_commands:
            self._reestablish(ctx, state, attachment, state.router)
        elif state.handoff_attachment == attachment - 1 and self.client.has_link(state, state.router):
            left = attachment - 1
            if self.records["known_ps"][self.row_of[left]] >= 0 and not self._waits_for_warning(self.row_of[left]):
                self._report(ctx, state, left)
                self._ask_to_leave(ctx, state, left)
        elif not self.client.has_link(state, state.router):
            self._reestablish(ctx, state, attachment, state.router)

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
                self._reestablish(ctx, state, state.links[-1], state.router)
        self._schedule_measurement_end(ctx, state)

    def _attach(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Arrive at the commanded router."""
        self._arrive(ctx, state, attachment, "attach", COMMANDED, state.router)
        self._schedule_measurement_end(ctx, state)

    def _reestablish(self, ctx: Context, state: MobileNodeState, attachment: int, old: int) -> None:
        """Arrive at a router without a command. It fetches the context from ``old``."""
        left = attachment - 1
        if self.row_of[left] >= 0 and not self.begun[left]:
            self.begin_handoff(ctx, state, left)
        state.drop_requests()
        self._arrive(ctx, state, attachment, "move", WITHOUT_COMMAND, old)
        if old < 0 and self.completes_at_router:
            ctx.timer(ctx.time_ps + self.options.retransmit_ps, SETTLED, -1 - attachment)
        self._schedule_measurement_end(ctx, state)

    def _arrive(self, ctx: Context, state: MobileNodeState, attachment: int, event: str, scenario: int, old: int) -> None:
        new, row = self.router[attachment], self.row_of[attachment - 1]
        if row >= 0 and self.begun[attachment - 1] and not self.records["scenario"][row]:
            self.records["scenario"][row] = scenario
            if self.records["request_ps"][row] < 0:
                self.records["request_ps"][row] = ctx.time_ps
        if self.anchored_at_router:  # RFC 8885: the anchor of the prefix is the first router
            old = state.gateway = new if state.gateway < 0 else state.gateway
        state.router = state.target_router = new
        state.target_attachment, state.commanded_attachment = attachment, -1
        ctx.set_upstream_route(new)
        state.identification, state.last_move_request_ps = self.client.next_identification(ctx, state), ctx.time_ps
        for number in self.program.steps_on(HOME, event):
            hop = self.message_hops[number]
            if not hop.is_conditional or self.roles.applies(hop.program_step, old, new):
                self.client.send_request(ctx, state, number, -1, old, new)
        if attachment == state.handoff_attachment and self.records["known_ps"][self.row_of[attachment]] >= 0:
            self._report_prediction(ctx, state, attachment)  # the next move was predicted before this one

    # -- after the move ---------------------------------------------------------------------------------------------------
    def _on_registered(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], _: int) -> None:
        if self.client.match_reply(state, args):
            state.registration_request = 0
            row = self._row_of_message(state, args)
            if row >= 0:
                self.handoffs.note(ctx.mobile, args[NEW], ctx.time_ps, "bound_ps", "reply_ps", completes=True)
            state.refresh_timer += 1
            ctx.timer(ctx.time_ps + self.program.refresh_ps(args[PEER_LIFETIME] >> PEER_BITS), REFRESH, state.refresh_timer)

    def _on_acknowledgement(self, ctx: Context, state: MobileNodeState, args: tuple[int, ...], _: int) -> None:
        """End the repetition of a request. No answer of a router tells that the anchor has bound the mobile node.

        A registration or the new router completes the handoff.
        """
        self.client.match_reply(state, args)

    def _on_refresh_due(self, ctx: Context, state: MobileNodeState, timer: int) -> None:
        if timer != state.refresh_timer:
            return
        if not state.registration_request and self.client.has_link(state, state.router):
            for number in self.program.steps_on(HOME, "refresh"):
                self.client.send_request(ctx, state, number, -1, state.router, state.router)
        else:
            ctx.timer(ctx.time_ps + SECOND, REFRESH, timer)

    def _schedule_measurement_end(self, ctx: Context, state: MobileNodeState) -> None:
        """End the measurement ``settle_ps`` after the last message of a completed handoff whose old link is down.

        Routers complete a handoff in which the mobile node gets no reply. It looks again each ``poll_ps``, so that the end may
        come that much later, and goes through re-establishment again if a message must have been lost.
        """
        attachment = state.handoff_attachment
        if self.row_of[attachment] >= 0 and attachment not in state.links and state.router != self.router[attachment]:
            ctx.timer(ctx.time_ps + self.options.settle_ps, SETTLED, attachment)

    def _on_settled(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        if attachment < 0:
            self._check_first_arrival(ctx, state, -1 - attachment)
        elif state.handoff_attachment == attachment:
            due_ps = self._measurement_end(ctx.time_ps, self.row_of[attachment])
            if due_ps < 0:
                due_ps = ctx.time_ps + self._retry(ctx, state, attachment)
            if due_ps > ctx.time_ps:
                ctx.timer(due_ps, SETTLED, attachment)
            else:
                ctx.end_measurement()
                state.handoff_attachment = -1

    def _measurement_end(self, now_ps: int, row: int) -> int:
        """Return the time at which the measurement of a handoff ends; -1 if it is not complete, or its marker may still come."""
        bound_ps, marker_ps = self.records["bound_ps"][row], self.records["marker_ps"][row]
        if not self._is_complete(now_ps, row):
            return -1
        if 0 <= marker_ps <= now_ps - self.visible_after_ps:
            return max(bound_ps, marker_ps) + self.options.settle_ps
        may_come = self.program.procedure.marker and now_ps < bound_ps + self.options.gate_timer_ps
        return -1 if may_come else bound_ps + self.options.settle_ps

    def _is_complete(self, now_ps: int, row: int) -> bool:
        """Return whether a handoff is complete. What a router has just noted may be visible or not, and does not count."""
        return bool(self.records["completed"][row]) and self.records["bound_ps"][row] <= now_ps - self.visible_after_ps

    def _retry(self, ctx: Context, state: MobileNodeState, attachment: int) -> int:
        """Arrive once more if a message must have been lost, after twice the time each time. Return when to look again (ps)."""
        row, waited_ps = self.row_of[attachment], ctx.time_ps - state.last_move_request_ps
        limit_ps = max(self.options.retransmit_ps, state.last_move_request_ps - self.records["up_ps"][row])
        stays = state.router == self.router[attachment + 1] and attachment + 1 in state.links
        if not self._is_complete(ctx.time_ps, row) and waited_ps >= limit_ps and stays:
            scenario, old = self.records["scenario"][row], self.records["old_router"][row]
            self._arrive(ctx, state, attachment + 1, "move", scenario, old)
            waited_ps = 0
        return self.poll_ps if waited_ps < self.options.retransmit_ps else max(self.poll_ps, waited_ps // 4)

    def _check_first_arrival(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Arrive once more at the first router if a message of the first arrival must have been lost."""
        completed_ps = self.handoffs.first_completed_ps.get(ctx.mobile, ctx.time_ps)
        if completed_ps > ctx.time_ps - self.visible_after_ps and attachment in state.links and self._stays(state, attachment):
            waited_ps = ctx.time_ps - state.last_move_request_ps
            self._arrive(ctx, state, attachment, "move", WITHOUT_COMMAND, -1)
            ctx.timer(ctx.time_ps + 2 * waited_ps, SETTLED, -1 - attachment)

    def _stays(self, state: MobileNodeState, attachment: int) -> bool:
        """Return whether a mobile node has not been commanded away since an arrival."""
        return state.target_attachment == attachment and state.router == self.router[attachment]

    def send_following(
        self, ctx: Context, state: MobileNodeState, numbers: tuple[int, ...], args: tuple[int, ...]
    ) -> None:
        """Send the steps that follow a message, unless it is of an earlier handoff."""
        if state.target_router == args[NEW]:
            super().send_following(ctx, state, numbers, args)
