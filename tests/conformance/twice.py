"""A study on the compiled engine, or on the oracle in its place."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import handoff.simulation.run
from engine import Engine, Result
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.setup import Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import RunResult, run_procedure
from tests.conformance.town import Town
from tests.differential.compare import differences
from tests.differential.inputs import Study
from tests.differential.oracle import Oracle


class OracleInSlices:
    """The oracle as a study runs an engine; it runs when the result is asked for."""

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
        """Its controllers are still to run."""

    def result(self) -> Result:
        return self.oracle.run(self.reached)


def study(setup: Setup, procedure: str, seed: int, make: Any = Engine, **options: Any) -> RunResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handoff.simulation.run, "Engine", make)
        return run_procedure(setup, procedure, seed=seed, reference=ZERO_BYTES, **options)


def procedures_agree(number: int) -> list[str]:
    """What differs between engine and oracle in wild town ``number``, under one of the procedures."""
    procedure = list(PROCEDURES)[number % len(PROCEDURES)]
    setup = Town(wild=True, mobiles=4, moving_ms=2_500, until_ms=3_000).setup(number)
    told = f"scenario {number}, {procedure}, {setup.options}"
    options = {"threads": 1 + number % 3, "scheduling": ("auto", "window")[number // 3 % 2]}
    ours, theirs = (study(setup, procedure, number, make, **options) for make in (OracleInSlices, Engine))
    found = differences(ours.result, theirs.result)
    found += [name for name, column in ours.handoffs.items() if not np.array_equal(column, theirs.handoffs[name])]
    return [told, *found] if found else []


def files_agree(number: int) -> list[str]:
    """The same for study ``number``, which is made of files; and each packet is sent when its capture and docs/replay.md say."""
    procedure = list(PROCEDURES)[number // 2 % len(PROCEDURES)]
    with tempfile.TemporaryDirectory() as folder:
        files = Study(Path(folder), number)
        setup = files.setup()
        ours, theirs = (study(setup, procedure, number, make, detail=True) for make in (OracleInSlices, Engine))
    found = differences(ours.result, theirs.result)
    found += [name for name, column in ours.handoffs.items() if not np.array_equal(column, theirs.handoffs[name], equal_nan=True)]
    found += [f"sent: {text}" for text in _sent_otherwise(files.sent(setup), setup, theirs.result)]
    return [f"study {number}, {procedure}, {setup.options}", *found] if found else []


def _sent_otherwise(wanted: dict[tuple[str, str, bool], list[int]], setup: Setup, result: Result) -> list[str]:
    """Flows of which the packet records tell other times of sending than were wanted."""
    network, packets = setup.network, result.packets
    assert packets is not None
    columns = network.flows()
    sent: dict[tuple[str, str, bool], dict[int, int]] = {}
    for label, first, count in network.flow_labels:
        for flow in range(first, first + count):
            rows = packets["flow"] == flow
            name = label, network.mobile_name(int(columns["mobile"][flow])), bool(columns["up"][flow])
            sent[name] = dict(zip(packets["seq"][rows].tolist(), packets["sent_ps"][rows].tolist(), strict=True))
    found = [f"{name}: there is no such flow" for name in wanted.keys() - sent.keys()]
    found += [f"{name}: nobody wanted it" for name in sent.keys() - wanted.keys()]
    return found + [
        f"{name}: {sorted(sent[name].items())[:5]}, wanted {wanted[name][:5]}"
        for name in wanted.keys() & sent.keys()
        if sent[name] != dict(enumerate(wanted[name]))
    ]
