"""Layer-2 triggers: what a mobile node does at the prediction of a move, and at the warning that its link is about to go down."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

from mypy_extensions import mypyc_attr

from engine import Context
from handoff.protocol.mobile_node_state import MobileNodeState
from handoff.protocol.program import HOME, Program
from handoff.protocol.registration import RegistrationClient


class MobileNodes(Protocol):
    """Interface to the controller of the mobile nodes, which registers."""

    @property
    def router(self) -> Sequence[int]:
        """Router of each attachment."""

    @property
    def begun(self) -> bytearray:
        """1 for each attachment whose handoff has begun."""

    @property
    def records(self) -> dict[str, array[int]]:
        """Columns of the records of handoffs."""

    @property
    def row_of(self) -> Sequence[int]:
        """Row of the handoff that leaves each attachment; -1 for none."""

    @property
    def client(self) -> RegistrationClient:
        """Sender of messages."""

    def begin_handoff(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Begin the handoff that leaves an attachment."""

    def start_registration(self, ctx: Context, state: MobileNodeState, event: str, old: int, new: int) -> None:
        """Start the steps of a handoff or refresh."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Layer2Triggers:
    """Reaction of all mobile nodes to layer-2 triggers.

    Parameters
    ----------
    program : Program
        Program of the run.
    nodes : MobileNodes
        Controller of the mobile nodes.
    """

    def __init__(self, program: Program, nodes: MobileNodes) -> None:
        self.program, self.nodes = program, nodes
        self.records, self.row_of, self.router, self.client = nodes.records, nodes.row_of, nodes.router, nodes.client
        self.predictive, self.steps_at_warning = program.procedure.predictive, program.steps_on(HOME, "going-down")
        self.waits_for_warning = program.waits_for_warning(single=False), program.waits_for_warning(single=True)
        self.rescues = bool(program.procedure.rescue)

    def on_prediction(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Begin the handoff that layer 2 predicts, and request registration if it names the new router."""
        if not self.nodes.begun[attachment]:  # else the new router has been discovered on its link before
            self.nodes.begin_handoff(ctx, state, attachment)
        if not self.program.prelude:
            self.on_target_known(ctx, state, attachment, predicted=True)

    def on_target_known(self, ctx: Context, state: MobileNodeState, attachment: int, predicted: bool = False) -> None:
        """Request registration through the next router, or wait with it for the warning (decision 27).

        At one instant the warning comes after the prediction, but before timers and messages.
        """
        row = self.row_of[attachment]
        if self.records["known_ps"][row] >= 0:
            return
        self.records["known_ps"][row] = ctx.time_ps
        warned = 0 <= self.records["going_down_ps"][row] < ctx.time_ps + (not predicted)
        if warned or not self._requests_at_warning(row):
            self._request_before_move(ctx, state, attachment)
        if warned:
            self._rescue(ctx, state, attachment)

    def _requests_at_warning(self, row: int) -> bool:
        """Return whether the request of a handoff waits for the warning (option ``request``)."""
        return self.records["going_down_ps"][row] >= 0 and self.waits_for_warning[self.records["access"][row]]

    def _request_before_move(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        old, new = self.router[attachment], self.router[attachment + 1]
        if state.router == old and self.predictive:
            state.target_attachment = attachment + 1
            state.learn_router(attachment + 1)
            self.nodes.start_registration(ctx, state, "known", old, new)

    def on_discovery(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Begin a handoff that layer 2 has not announced: the router was discovered on its link while the old one works."""
        old = attachment - 1
        if self.row_of[old] < 0 or self.router[old] != state.router or old not in state.links:
            return
        if not self.nodes.begun[old]:
            self.nodes.begin_handoff(ctx, state, old)
        self.on_target_known(ctx, state, old)

    def on_going_down(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """React to the warning that "the connection will be discarded in a very short time"."""
        row = self.row_of[attachment]
        if state.handoff_attachment == attachment and self.records["known_ps"][row] >= 0:
            if self._requests_at_warning(row):
                self._request_before_move(ctx, state, attachment)
            self._rescue(ctx, state, attachment)

    def _rescue(self, ctx: Context, state: MobileNodeState, attachment: int) -> None:
        """Ask the old router to forward, since the link is about to go down without the marker (decision 24).

        The handoff then follows scenario II; or III with single access, where the update is always sent (phase III-3), or if the
        warning came before the request.
        """
        row = self.row_of[attachment]
        single = self.records["access"][row] == 1
        if not self.steps_at_warning or (self.records["marker_ps"][row] >= 0 and not single):
            return
        requested = 0 <= self.records["request_ps"][row] <= self.records["going_down_ps"][row]
        self.records["scenario"][row] = 2 if requested and not single else 3
        self.records["rescue_ps"][row] = ctx.time_ps
        state.forwarding_router = self.router[attachment]
        for number in self.steps_at_warning:
            self.client.send_request(ctx, state, number, -1, self.router[attachment], self.router[attachment + 1])

    def forward_after_move(self, ctx: Context, state: MobileNodeState) -> None:
        """Ask the old router to forward, over the new link, if no marker and no warning came before the move (decision 30)."""
        old = state.handoff_attachment
        row = self.row_of[old] if self.rescues else -1
        if row < 0 or old in state.links or old + 1 not in state.links or self.records["known_ps"][row] < 0:
            return
        if self.records["marker_ps"][row] >= 0 or self.records["rescue_ps"][row] >= 0 or state.target_attachment != old + 1:
            return
        for number in self.program.steps_on(HOME, "move"):
            step, routers = self.program.steps[number], (self.router[old], self.router[old + 1])
            if step.forwards_after_move and self.client.roles.applies(step, *routers):
                self.client.send_request(ctx, state, number, -1, *routers)
