"""Mutants of attacks and their defences."""

from __future__ import annotations

from tests.mutation.mutant import Mutant

ATTACK_MUTANTS = (
    Mutant(
        "attacker reads the home token in the tunnel",
        "protocol/attacker.py",
        "if roles.taps.overhears(self.node, peer, end)",
        "if end",
    ),
    Mutant(
        "delayed messages also go on at once",
        "protocol/attacker.py",
        "        if delayed:\n            return\n",
        "",
    ),
    Mutant(
        "refusal without the latest identification",
        "protocol/mobile_node.py",
        "state.identification = max(state.identification, fields.proof)",
        "pass",
    ),
    Mutant(
        "proxy updates are not authenticated",
        "protocol/agent.py",
        "if self.verifier.enabled and hop.is_request and not",
        'if self.verifier.enabled and hop.is_request and hop.program_step.step.path[0] == "MN" and not',
    ),
    Mutant(
        "messages wait at an attacker's registration server",
        "protocol/agent.py",
        "like_data = like_data or stop != node",
        "pass",
    ),
    Mutant(
        "a home agent without a radio expects visitors",
        "protocol/agent.py",
        "        if self.is_router:\n            self.visitor_list.on_acknowledgement(ctx)",
        "        self.visitor_list.on_acknowledgement(ctx)",
    ),
)
