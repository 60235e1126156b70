"""Group *simulation*: complete workloads in the engine and the peers, timed after their results agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import packets

QUICK = [case for case in packets.CASES if case.quick]
SMALLER = [replace(c, mobiles=min(c.mobiles, 10_000), seconds=min(c.seconds, 200 if c.few else 2)) for c in QUICK]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("peers")
    works, missing = packets.programs(folder)
    assert not missing
    return works


@pytest.mark.parametrize("case", SMALLER, ids=lambda c: c.name)
@pytest.mark.parametrize("name", ["engine", "heap", "floor"])
def test_workload(benchmark: Any, programs: dict[str, Any], name: str, case: packets.Case) -> None:
    benchmark.group = f"simulation {case.name}"
    engine = programs["engine"](case)
    assert engine["delivered"] > 0.9 * case.mobiles * case.seconds * (1 if case.few else 50)
    assert packets.disagreement(case, engine, programs[name](case)) is None
    benchmark.pedantic(programs[name], args=(case,), rounds=5)
