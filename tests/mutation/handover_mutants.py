"""Mutants of prepared handovers: of the protocol, and of the table entries that they need of the engine."""

from __future__ import annotations

from tests.mutation.mutant import Mutant

_CONTEXT, _AGENT, _MOBILE = "protocol/context_table.py", "protocol/prepared_agent.py", "protocol/prepared_mobile_node.py"
HANDOVER_MUTANTS = (
    Mutant(
        "what a router has noted is visible after the shortest downlink",
        _MOBILE,
        "self.visible_after_ps = max(",
        "self.visible_after_ps = min(",
    ),
    Mutant("no gate", _CONTEXT, "context.gate_closed = self.procedure.gate and", "context.gate_closed = False and"),
    Mutant("a gate although the marker has come", _CONTEXT, "gate and not context.marker_passed and comes", "gate and comes"),
    Mutant("a gate that lets all packets pass", _CONTEXT, "gate=ANCHOR_TUNNELS)", "gate=0)"),
    Mutant(
        "the marker opens no gate",
        _CONTEXT,
        "        self._open_gate(ctx, context)\n\n    def _open_gate",
        "\n    def _open_gate",
    ),
    Mutant(
        "an earlier marker opens the gate",
        _CONTEXT,
        "if args[NEW] != self.node or args[IDENTIFICATION] < context.last_identification:",
        "if args[NEW] != self.node:",
    ),
    Mutant("an earlier timer opens the gate", _CONTEXT, "if identification >= context.last_identification:", "if True:"),
    Mutant(
        "no gate timer",
        _CONTEXT,
        "            ctx.timer(ctx.time_ps + self.options.gate_timer_ps, GATE, args[IDENTIFICATION])\n",
        "",
    ),
    Mutant(
        "a marker goes on before forwarding begins", _CONTEXT, "if context.serving and args[NEW] != self.node:", "if False:"
    ),
    Mutant("a marker that waits forever", _CONTEXT, "context.waiting_marker is None or context.serving", "True"),
    Mutant(
        "the end does not wait for the marker",
        _CONTEXT,
        "if context.marker_passed or not self.procedure.marker:",
        "if True:",
    ),
    Mutant("the marker ends no forwarding", _CONTEXT, "return True, context.ended", "return True, False"),
    Mutant(
        "the marker of the way here ends forwarding from here",
        _CONTEXT,
        "context.gate_closed = context.marker_passed = False",
        "context.gate_closed = False",
    ),
    Mutant("nobody is expected", _CONTEXT, "<= context.last_identification or context.serving:", "<= 2**60:"),
    Mutant("an earlier request is heard", _CONTEXT, "if args[IDENTIFICATION] <= context.last_identification or", "if"),
    Mutant(
        "an earlier arrival opens",
        _CONTEXT,
        "        if args[IDENTIFICATION] < context.last_identification:\n            return  # of",
        "        if False:\n            return  # of",
    ),
    Mutant("packets for a dead link", _CONTEXT, "if not context.attached:  #", "if False:  #"),
    Mutant("a restart takes the link down", _CONTEXT, "        context.attached = attached\n", ""),
    Mutant("no copies beside the cell", _CONTEXT, "self._start_forwarding(ctx, args, beside_cell=True)", "pass"),
    Mutant("copies instead of packets of the cell", _CONTEXT, "args, beside_cell=True)", "args, beside_cell=False)"),
    Mutant(
        "messages of an earlier stay",
        _CONTEXT,
        "return args[NEW] != self.node and args[IDENTIFICATION] > context.last_identification",
        "return args[NEW] != self.node",
    ),
    Mutant("always straight to the new router", _CONTEXT, 'self.procedure.forwarding == "anchor"', "False"),
    Mutant(
        "nothing waits while the link fades",
        _CONTEXT,
        "        if context.serving and not context.forwarding:\n            self._hold(ctx, context)\n",
        "",
    ),
    Mutant("registration does not open", _CONTEXT, "if not self.entries[ctx.mobile].serving:", "if False:"),
    Mutant(
        "the anchor relays nothing",
        _AGENT,
        "            self.binding_cache.relay_forwarded(ctx, args)\n",
        "            pass\n",
    ),
    Mutant(
        "a command without forwarding",
        "protocol/agent.py",
        "            if hop.acts_first:",
        "            if False:",
    ),
    Mutant("a waiting marker is lost", _AGENT, "if marker is not None:", "if False:"),
    Mutant(
        "relays to every new router",
        "protocol/binding_cache.py",
        "if entry.relayed_to not in (NO_BINDING, new):",
        "if False:",
    ),
    Mutant("a command is not for the reported router", _MOBILE, "if not to_target or state", "if state"),
    Mutant(
        "early predictions are forgotten",
        _MOBILE,
        "        if attachment == state.handoff_attachment and",
        "        if False and",
    ),
    Mutant(
        "an answer of the preparation is that of an anchor",
        _MOBILE,
        "        self.client.match_reply(state, args)\n\n    def _on_refresh_due",
        "        super()._on_acknowledgement(ctx, state, args, _)\n\n    def _on_refresh_due",
    ),
    Mutant("no second try", _MOBILE, " and waited_ps >= limit_ps and stays:", " and False:"),
    Mutant("a second try at once", _MOBILE, "limit_ps = max(self.options.retransmit_ps,", "limit_ps = max(0,"),
    Mutant(
        "a return asks nobody",
        _MOBILE,
        "            self._reestablish(ctx, state, attachment, state.target_router)\n",
        "            pass\n",
    ),
    Mutant(
        "an earlier reply starts steps",
        _MOBILE,
        "        if state.target_router == args[NEW]:",
        "        if True:",
    ),
    Mutant("notes by order of events", "protocol/handoff_records.py", "if not 0 <= arrays[column][row] <= now_ps:", "if True:"),
    Mutant(
        "notes of handoffs that have not begun",
        "protocol/handoff_records.py",
        "else begin_ps) <= now_ps",
        "else 0) <= now_ps",
    ),
    Mutant("every command is scenario II", "protocol/handoff_records.py", ' & (columns["rescue_ps"] <= columns["down_ps"])', ""),
    Mutant(
        "the radio of the old router by its table",
        "protocol/message_routing.py",
        '(role == "oAR" or procedure.gate)',
        "procedure.gate",
    ),
)
"""Mutants of handoff/."""

GATE_MUTANTS = (
    Mutant(
        "a gate lets one tunnel less pass",
        "kernel/forwarding.pxd",
        "TUNNEL_COUNT_MASK) > buffer.gate",
        "TUNNEL_COUNT_MASK) >= buffer.gate",
    ),
    Mutant("packets pass no gate", "kernel/forwarding.pxd", "return buffer.gate != NO_GATE and", "return False and"),
    Mutant(
        "relayed packets to the other care-of nodes",
        "kernel/forwarding.pxd",
        "relayed == ((c.tunnel_flags & RELAYED_PACKETS) != 0)",
        "relayed != ((c.tunnel_flags & RELAYED_PACKETS) != 0)",
    ),
    Mutant(
        "only relayed packets to a lone care-of node",
        "kernel/forwarding.pxd",
        "(kinds != 3 or relayed",
        "(kinds == 0 or relayed",
    ),
    Mutant(
        "the cell is left out beside a tunnel",
        "kernel/table_changes.pxd",
        "        if a.op == BIND_BESIDE_CELL:\n            set_tunnel_beside",
        "        if False:\n            set_tunnel_beside",
    ),
    Mutant(
        "packets behind a gate stay in the downlink",
        "kernel/table_changes.pxd",
        "if down != NULL and entry_downlink(&new) == NULL:",
        "if down != NULL and e.mode != BUFFER and entry_downlink(&new) == NULL:",
    ),
    Mutant(
        "a new gate keeps the packets",
        "kernel/table_changes.pxd",
        "    if old.gate != new.gate:\n        return False\n",
        "",
    ),
    Mutant(
        "the cell alone remains a tunnel",
        "kernel/table_changes.pxd",
        "if e.careof_count == 1 and e.target.node == n:",
        "if False:",
    ),
    Mutant("a checkpoint opens gates", "_checkpoint.pyx", "s.serialize_int(buffer.gate)", "NO_GATE"),
)
"""Mutants of engine/."""
