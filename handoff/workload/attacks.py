"""Attacks of a scenario with nodes and mobile nodes as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine import Network
from handoff.protocol.attacks import Attack
from handoff.scenario.scenario import Scenario
from handoff.workload.name_patterns import match_names


def build_attacks(
    scenario: Scenario, network: Network, mobile_names: Sequence[str], problems: list[str], path: Path
) -> tuple[Attack, ...]:
    """Return the attacks of a scenario, or add to ``problems`` if a pattern matches no mobile node."""
    attacks = []
    for i, table in enumerate(scenario.attack):
        is_target = np.full(len(mobile_names), table.mobiles is None)
        for pattern in table.mobiles or ():
            is_target |= match_names(pattern, mobile_names, f"{path}: attack.{i}.mobiles", problems)
        attacks.append(
            Attack(
                table.kind,
                network.node_index(table.node),
                -1 if table.to is None else network.node_index(table.to),
                network.node_index(table.care_of or table.node),
                tuple(np.flatnonzero(is_target).tolist()),
                table.start,
                scenario.duration if table.stop is None else min(table.stop, scenario.duration),
                table.interval_ps,
                table.poisson,
                table.delay or 0,
            )
        )
    return tuple(attacks)
