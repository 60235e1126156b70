"""Runs of a procedure on the compiled engine, or on the oracle in its place."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import handoff.simulation.run
from engine import Engine, Result
from handoff.protocol.procedures import ALL_PROCEDURES, HANDOVERS, MIXTURE
from handoff.protocol.setup import ProcedureGroups, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, run_procedure
from tests.conformance.random_attacks import with_random_attacks
from tests.conformance.random_towns import Town
from tests.differential.compare import differences
from tests.differential.inputs import Study
from tests.differential.oracle import Oracle


class SlicedOracle:
    """Oracle with the interface of an engine. It runs when the result is requested."""

    def __init__(self, network: Any, **options: Any) -> None:
        del options["threads"]
        self.oracle, self.reached, self.profile = Oracle(network, **options), 0, {"controller_ns": 0, "events": 0}
        self.attach, self.attach_mobiles = self.oracle.attach, self.oracle.attach_mobiles

    @property
    def time_ps(self) -> int:
        return self.reached

    def advance(self, to: int) -> int:
        self.reached = to
        return to

    def release_controllers(self) -> None:
        """Keep the controllers, since the oracle has not run yet."""

    def result(self) -> Result:
        return self.oracle.run(self.reached)


def run_on(setup: Setup, procedure: str, seed: int, engine: Any = Engine, **options: Any) -> RunResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handoff.simulation.run, "Engine", engine)
        return run_procedure(setup, procedure, seed=seed, reference=ZERO_BYTES, **options)


def procedure_differences(number: int) -> list[str]:
    """Return the differences between engine and oracle in random town ``number`` under a procedure or, in one of 4, a mixture.

    One town in five is under attack.
    """
    procedure, cycle = list(ALL_PROCEDURES)[number % len(ALL_PROCEDURES)], number // len(ALL_PROCEDURES)
    is_prepared = procedure in HANDOVERS
    home_link = not is_prepared and (number + cycle) % 4 == 3
    town = Town(
        wild=True, mobiles=4, home_link=home_link, moving_ms=2_500, until_ms=3_000, calls=cycle % 2 == 0, control=is_prepared
    )
    setup = town.setup(number)
    if (number // 2 + cycle) % 4 == 2:
        setup, procedure = _draw_mixture(setup, procedure, number), MIXTURE
    if number % 5 == 4:
        setup = with_random_attacks(setup, number)
    description = f"scenario {number}, {procedure}, {setup.groups}, {setup.options}, {setup.attacks}"
    options = {"threads": 1 + number % 3, "scheduling": ("auto", "window")[number // 3 % 2]}
    oracle_run, engine_run = (run_on(setup, procedure, number, engine, **options) for engine in (SlicedOracle, Engine))
    mismatches = differences(oracle_run.result, engine_run.result)
    mismatches += [name for name, column in oracle_run.handoffs.items() if not np.array_equal(column, engine_run.handoffs[name])]
    mismatches += ["attack counts"] if oracle_run.attack_counts != engine_run.attack_counts else []
    return [description, *mismatches] if mismatches else []


def _draw_mixture(setup: Setup, procedure: str, number: int) -> Setup:
    """Return the setup with the groups of a procedure and of one or two random ones, each mobile node in a random group."""
    rng = Random(number)
    has_home_link = setup.home_agent in setup.network.cell_of_node  # which prepared procedures have not
    others = [p for p in ALL_PROCEDURES if not (has_home_link and p in HANDOVERS)]
    procedures = (procedure, *rng.choices(others, k=rng.randint(1, 2)))
    group = [rng.randrange(len(procedures)) for _ in range(setup.network.mobile_count)]
    return replace(setup, groups=ProcedureGroups(procedures, np.array(group, np.int64)))


def file_study_differences(number: int) -> list[str]:
    """Return the differences for study ``number`` made of files, and packets not sent when capture and docs/replay.md say."""
    procedure = list(ALL_PROCEDURES)[number // 2 % len(ALL_PROCEDURES)]
    with tempfile.TemporaryDirectory() as folder:
        files = Study(Path(folder), number)
        setup = files.setup()
        oracle_run, engine_run = (run_on(setup, procedure, number, engine, detail=True) for engine in (SlicedOracle, Engine))
    mismatches = differences(oracle_run.result, engine_run.result)
    mismatches += [
        name
        for name, column in oracle_run.handoffs.items()
        if not np.array_equal(column, engine_run.handoffs[name], equal_nan=True)
    ]
    mismatches += [f"sent: {text}" for text in _send_time_differences(files.sent(setup), setup, engine_run.result)]
    return [f"study {number}, {procedure}, {setup.options}", *mismatches] if mismatches else []


def _send_time_differences(expected: dict[tuple[str, str, bool], list[int]], setup: Setup, result: Result) -> list[str]:
    """Return the flows whose recorded times of sending differ from the expected ones."""
    network, packets = setup.network, result.packets
    assert packets is not None
    columns = network.flows()
    sent: dict[tuple[str, str, bool], dict[int, int]] = {}
    for label, first, count in network.flow_labels:
        for flow in range(first, first + count):
            rows = packets["flow"] == flow
            name = label, network.mobile_name(int(columns["mobile"][flow])), bool(columns["up"][flow])
            sent[name] = dict(zip(packets["seq"][rows].tolist(), packets["sent_ps"][rows].tolist(), strict=True))
    mismatches = [f"{name}: flow is missing" for name in expected.keys() - sent.keys()]
    mismatches += [f"{name}: flow is not expected" for name in sent.keys() - expected.keys()]
    return mismatches + [
        f"{name}: {sorted(sent[name].items())[:5]}; expected {expected[name][:5]}"
        for name in expected.keys() & sent.keys()
        if sent[name] != dict(enumerate(expected[name]))
    ]
