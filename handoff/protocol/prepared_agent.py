"""Agents of prepared procedures: routers with contexts, and anchors that relay (``PreparedMobileNode`` is their counterpart)."""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from engine import Context
from handoff.protocol.agent import Agent
from handoff.protocol.context_table import CONTEXT_EFFECTS, ContextTable
from handoff.protocol.message_routing import MessageHop
from handoff.protocol.messages import STEP_HOP_MASK
from handoff.protocol.program import GATE, Program
from handoff.protocol.roles import RoleResolver


@mypyc_attr(allow_interpreted_subclasses=True)
class PreparedAgent(Agent):
    """Controller of one node in a prepared procedure.

    Parameters
    ----------
    program, roles, message_hops, node
        As for ``Agent``.
    """

    def __init__(self, program: Program, roles: RoleResolver, message_hops: dict[int, MessageHop], node: int) -> None:
        super().__init__(program, roles, message_hops, node)
        self.visitor_list = self.contexts = ContextTable(program, roles, node)

    def _apply_effect(self, ctx: Context, effect: str, args: tuple[int, ...]) -> None:
        if effect == "relay":
            self.binding_cache.relay_forwarded(ctx, args)
        elif effect in CONTEXT_EFFECTS:
            self.contexts.apply(ctx, effect, args)
        else:
            super()._apply_effect(ctx, effect, args)

    def _act_first(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        self.contexts.before_sending(ctx, hop.first, hop.effect == "command", args)

    def _reply(self, ctx: Context, hop: MessageHop, args: tuple[int, ...]) -> None:
        """Reply, and relay a marker that came before this router began to forward."""
        super()._reply(ctx, hop, args)
        marker = self.contexts.pop_waiting_marker(ctx.mobile) if self.is_router else None
        if marker is not None:
            self._relay(ctx, self.message_hops[marker[0] & STEP_HOP_MASK], marker)

    def _on_gate_timer(self, ctx: Context, identification: int) -> None:
        self.contexts.on_gate_timer(ctx, identification)


PreparedAgent.event_handlers = Agent.event_handlers | {GATE: PreparedAgent._on_gate_timer}
