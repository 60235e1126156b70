"""Random attacks on a setup."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from handoff.protocol.attacks import FLOOD, FORGED, KINDS, LOOP, REFLECTION, REGISTRATION, UPDATE, Attack
from handoff.protocol.setup import CorrespondentTable, Setup

MS = 10**9


def with_random_attacks(setup: Setup, number: int) -> Setup:
    """Return the setup with one to three attacks from nodes that are not attacked, and random defences."""
    rng, nodes = Random(number), range(len(setup.network.nodes))
    attackers = rng.sample(nodes, 2)
    others = [node for node in nodes if node not in attackers]
    attacks = tuple(_draw(setup, rng, rng.choice(attackers), others) for _ in range(rng.randint(1, 3)))
    defences = {name: rng.choice((None, True, False)) for name in ("authentication", "return_routability")}
    return replace(setup, attacks=attacks, options=replace(setup.options, **defences))


def _draw(setup: Setup, rng: Random, node: int, others: list[int]) -> Attack:
    kind, mobiles = rng.choice(KINDS), range(setup.network.mobile_count)
    targets = {
        f"{FORGED} {REGISTRATION}": [-1, setup.home_agent, *set(setup.gateways.values())],
        f"{FORGED} {UPDATE}": [-1, *CorrespondentTable(setup.network).nodes],
        FLOOD: others, LOOP: others, REFLECTION: others,
    }.get(kind, [-1])  # fmt: skip
    target = rng.choice([t for t in targets if t < 0 or t in others] or others)
    start = rng.randrange(setup.duration_ps // 2)
    return Attack(
        kind, node, target,
        rng.choice([n for n in others if n != target] if kind == LOOP else [node, *others]),
        tuple(sorted(rng.sample(mobiles, rng.randint(1, len(mobiles))))),
        start, rng.randrange(start, setup.duration_ps) + 1,
        rng.choice((0, rng.randrange(5 * MS, 200 * MS))), rng.random() < 0.5, rng.randrange(MS, 500 * MS),
    )  # fmt: skip
