"""A study on the compiled engine, or on the oracle in its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import handoff.study
from engine import Engine, Result
from handoff.ideal import NOTHING
from handoff.procedures import PROCEDURES
from handoff.setup import Setup
from handoff.study import Run, run_procedure
from tests.conformance.town import Town
from tests.oracle.compare import differences
from tests.oracle.oracle import Oracle


class OracleInSlices:
    """The oracle as a study runs an engine; it runs when the result is asked for."""

    def __init__(self, network: Any, **options: Any) -> None:
        self.oracle, self.reached, self.profile = Oracle(network, **options), 0, {"controller_ns": 0, "events": 0}
        self.attach, self.attach_mobiles = self.oracle.attach, self.oracle.attach_mobiles

    def advance(self, to: int) -> int:
        self.reached = to
        return to

    def result(self) -> Result:
        return self.oracle.run(self.reached)


def study(setup: Setup, procedure: str, seed: int, make: Any = Engine) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handoff.study, "Engine", make)
        return run_procedure(setup, procedure, seed=seed, reference=NOTHING)


def procedures_agree(number: int) -> list[str]:
    """What differs between engine and oracle in wild town ``number``, under one of the procedures."""
    procedure = list(PROCEDURES)[number % len(PROCEDURES)]
    setup = Town(wild=True, mobiles=4, moving_ms=2_500, until_ms=3_000).setup(number)
    told = f"scenario {number}, {procedure}, {setup.options}"
    ours, theirs = (study(setup, procedure, number, make) for make in (OracleInSlices, Engine))
    found = differences(ours.result, theirs.result)
    found += [name for name, column in ours.handoffs.items() if not np.array_equal(column, theirs.handoffs[name])]
    return [told, *found] if found else []
