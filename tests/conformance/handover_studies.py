"""Small random studies of prepared handovers: complete runs on the engine and on the oracle, compared packet by packet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from engine import Engine
from handoff.protocol.procedures import ALL_PROCEDURES, HANDOVERS, MIXTURE
from handoff.protocol.setup import ProcedureGroups, Setup
from tests.conformance.engine_or_oracle import SlicedOracle, run_on
from tests.conformance.random_attacks import with_random_attacks
from tests.conformance.random_towns import LONGEST_PATH_MS, MS, Town
from tests.differential.compare import differences

SCHEDULING = ("auto", "window", "heap")
CHOICES: dict[str, tuple[Any, ...]] = {
    "settle_ps": (0, 2 * MS, 5 * MS, 100 * MS),
    "new_buffer_packets": (None, 0, 1, 5, 50),
    "old_buffer_packets": (None, 0, 1, 5, 50),
    "new_buffer_bytes": (None, None, 0, 3000),
    "old_buffer_bytes": (None, None, None, 3000),
    "gate_timer_ps": (0, MS, 10 * MS, 50 * MS, 1000 * MS),
    "forwarding_end": ("marker", "lifetime"),
    "forwarding_lifetime_ps": (None, 20 * MS, 200 * MS),
    "request": ("auto", "predict", "going-down"),
    "forward_unacked": (False, False, True),
    "upstream_early": (False, True),
    "resequence_ps": (0, 0, 0, 20 * MS),
}
"""Values of options that matter to a prepared handover; all other options are those of a wild town."""


def handover_study(number: int) -> tuple[Setup, str]:
    """Return setup and procedure of study ``number``.

    Consecutive numbers cycle through all prepared procedures. One study in three has a town in which links lose nothing and every
    move is announced. One in six is a mixture with another procedure, and one in eleven is under attack.
    """
    procedure = list(HANDOVERS)[number % len(HANDOVERS)]
    rng = Random(number)
    through_core = any(step.message == "HRD" for step in HANDOVERS[procedure].signalling)
    setup = _draw_town(rng, through_core).setup(number)
    values = {name: rng.choice(words) for name, words in CHOICES.items()}
    if through_core and rng.random() < 1 / 2:
        values["request"] = "predict"
    setup = replace(setup, options=replace(setup.options, **values))
    if rng.random() < 1 / 2:
        setup = replace(setup, control_nodes=_with_database(setup, rng))
    if rng.random() < 1 / 6:
        groups = (procedure, rng.choice(list(ALL_PROCEDURES)))
        group = np.array([rng.randrange(2) for _ in range(setup.network.mobile_count)], np.int64)
        setup, procedure = replace(setup, groups=ProcedureGroups(groups, group)), MIXTURE
    return with_random_attacks(setup, number) if rng.random() < 1 / 11 else setup, procedure


def _draw_town(rng: Random, through_core: bool) -> Town:
    """Return a kind of town with two or three mobile nodes, which move within 0.8 s, or within 1.4 s if all goes well.

    A preparation ``through_core`` takes longer than one between routers, and so mostly needs an early prediction.
    """
    mobiles, calls = rng.choice((2, 2, 3)), rng.random() < 0.3
    common: dict[str, Any] = {"wild": True, "control": True, "mobiles": mobiles, "calls": calls}
    if rng.random() < 2 / 3:
        stay_ms, lead_ms = (600, rng.choice((80, 500))) if through_core else (rng.choice((120, 300, 600)), rng.choice((80, 200)))
        return Town(**common, longest_stay_ms=stay_ms, longest_lead_ms=lead_ms, moving_ms=800, until_ms=1_000)
    lead_ms = rng.choice((30, 200, 200, 250) if through_core else (0, 30, 100))
    guard_ms, overlap = rng.choice((0, 5, 15)), rng.random() < 1 / 2
    stay_ms = 2 * (lead_ms + guard_ms + LONGEST_PATH_MS) + 150
    return Town(
        **common, rough=False, overlap=overlap, lead_ms=lead_ms, guard_ms=guard_ms, longest_stay_ms=stay_ms, moving_ms=1_400,
        until_ms=1_600,
    )  # fmt: skip


def _with_database(setup: Setup, rng: Random) -> dict[str, int]:
    """Return the control nodes with a database of distributed mobility at the home agent, a gateway or an idle correspondent."""
    names = [node.name for node in setup.network.nodes]
    return {**setup.control_nodes, "CMD": names.index(rng.choice(("ha", "g0", "g1", "peer")))}


def handover_study_differences(number: int) -> list[str]:
    """Return the differences between oracle and engine in study ``number``, packets first."""
    setup, procedure = handover_study(number)
    options = {"threads": 1 + number % 3, "scheduling": SCHEDULING[number // 3 % 3], "detail": True}
    engines: tuple[Callable[..., Any], ...] = (SlicedOracle, Engine)
    oracle_run, engine_run = (run_on(setup, procedure, number, engine, **options) for engine in engines)
    mismatches = differences(oracle_run.result, engine_run.result)
    mismatches += [
        name
        for name, column in oracle_run.handoffs.items()
        if not np.array_equal(column, engine_run.handoffs[name], equal_nan=column.dtype.kind == "f")
    ]
    mismatches += ["attack counts"] if oracle_run.attack_counts != engine_run.attack_counts else []
    return [f"study {number}, {procedure}, {setup.groups}, {setup.options}, {setup.attacks}", *mismatches] if mismatches else []
