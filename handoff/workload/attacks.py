"""Attacks of a scenario with nodes and mobile nodes as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from engine import Network
from handoff.protocol.attacks import Attack
from handoff.scenario.models import Scenario


def build_attacks(
    scenario: Scenario, network: Network, mobile_names: Sequence[str], problems: list[str], path: Path
) -> tuple[Attack, ...]:
    """Return the attacks of a scenario, or add to ``problems`` if a pattern matches no mobile node."""
    attacks = []
    for i, table in enumerate(scenario.attack):
        chosen: set[int] = set()
        for pattern in table.mobiles or ():
            matches = {m for m, name in enumerate(mobile_names) if fnmatchcase(name, pattern)}
            if not matches:
                names = f"{mobile_names[0]} to {mobile_names[-1]}"
                problems.append(f"{path}: attack.{i}.mobiles: no mobile node matches {pattern!r}; there are {names}")
            chosen |= matches
        attacks.append(
            Attack(
                table.kind,
                network.node_index(table.node),
                -1 if table.to is None else network.node_index(table.to),
                network.node_index(table.care_of or table.node),
                tuple(range(len(mobile_names))) if table.mobiles is None else tuple(sorted(chosen)),
                table.start,
                scenario.duration if table.stop is None else min(table.stop, scenario.duration),
                table.interval_ps,
                table.poisson,
                table.delay or 0,
            )
        )
    return tuple(attacks)
