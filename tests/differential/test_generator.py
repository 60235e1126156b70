"""Coverage of the random scenarios: every event occurs in them, and every mutant of the oracle changes a result."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from engine.results import Fate, Result
from tests.differential.compare import differences
from tests.differential.generate import generate
from tests.differential.oracle import Oracle
from tests.differential.table import Hold, Local, Tunnel
from tests.mutation.mutant import Mutant, apply_mutant
from tests.mutation.oracle_mutants import ORACLE_MUTANTS

HERE = Path(__file__).parent
SCENARIOS = 300
PLAIN_MUTANTS = 6  # mutants of a run without --deep
MUTANT_SCENARIOS = 100  # every mutant must change the result of one of them
CONTROL_ONLY = {Fate.REGISTRATION_OVERLOAD, Fate.AUTHENTICATION_FAILED, Fate.REPLAYED}
ENTRY_KINDS = ("NoneType", "Tunnel", "Local", "Hold")


class CountingOracle(Oracle):
    """An oracle that counts changes of its tables and rare events."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.seen: Counter[str] = Counter()

    def change(self, node: int, mobile: int, new: Any, t: int, copy_in_flight: bool = False) -> None:
        old = self.tables[node].get(mobile)
        self.seen[f"{type(old).__name__} to {type(new).__name__}"] += t > 0
        if isinstance(old, Hold) and not isinstance(new, Hold):
            self.seen["released packets"] += len(old.waiting)
        if isinstance(old, Local) and not old.valid(t) and isinstance(new, Tunnel | Hold):
            self.seen["rescue from an expired entry"] += 1
        super().change(node, mobile, new, t, copy_in_flight)

    def register(self, node: int, packet: Any, t: int) -> None:
        before = self.refused
        super().register(node, packet, t)
        self.seen["refused message reported"] += self.refused - before

    def bind(self, node: int, mobile: int, new: Any, simultaneous: bool, t: int, copy_in_flight: bool) -> None:
        super().bind(node, mobile, new, simultaneous, t, copy_in_flight)
        entry = self.tables[node][mobile]
        assert isinstance(entry, Tunnel)
        self.seen[f"{len(entry.care_of)} care-of nodes"] += 1

    def copies_in_air(self, fifo: Any, mobile: int, t: int) -> Any:
        copies = super().copies_in_air(fifo, mobile, t)
        self.seen["copied in the air"] += len(copies)
        return copies

    def send_down(self, node: int, packet: Any, t: int) -> None:
        self.seen["sent by radio"] += packet.is_control and not isinstance(self.tables[node].get(packet.mobile), Local)
        super().send_down(node, packet, t)

    def reach_mobile(self, cell: int, fifo: Any, slot: Any) -> None:
        self.seen["moved forward by a rescue"] += slot.version > 0
        super().reach_mobile(cell, fifo, slot)

    def route(self, t: int, node: int, packet: Any) -> None:
        self.seen["between mobiles"] += packet.kind == 1 and packet.sender >= 0 and packet.to == node
        super().route(t, node, packet)

    def choose_up(self, mobile: int, route: Any, t: int) -> None:
        old = self.upstream[mobile]
        self.seen["released packets upstream"] += len(old.waiting) if isinstance(old, Hold) and isinstance(route, int) else 0
        super().choose_up(mobile, route, t)


@pytest.fixture(scope="module")
def occurrences() -> Counter[str]:
    """Count the scenarios, out of 300, in which each event occurs."""
    count: Counter[str] = Counter()
    for number in range(SCENARIOS):
        scenario = generate(number)
        network = scenario.network()
        oracle = scenario.ready(CountingOracle, network)
        result = oracle.run(scenario.until)
        count.update(thing for thing, n in oracle.seen.items() if n)
        for kind in (0, 1):
            count.update(f"{('data', 'control')[kind]} {fate.label}" for fate in Fate if result.fates[kind][fate])
        count.update(c for c in ("copies", "reordered") if result.flows[c].any())
        count.update(["after marker"] if result.spans["after_marker"].any() else [])
        count.update(["rescued"] if result.links["rescued"].any() else [])
        count.update(["span ended"] if ((result.spans["close_ps"] >= 0) & (result.spans["end_ps"] >= 0)).any() else [])
    return count


@pytest.mark.deep
@pytest.mark.parametrize("fate", Fate, ids=[fate.label for fate in Fate])
def test_every_fate_occurs_for_data_and_control(occurrences: Counter[str], fate: Fate) -> None:
    if fate not in CONTROL_ONLY:
        assert occurrences[f"data {fate.label}"] >= 5
    if fate != Fate.DUPLICATE:
        assert occurrences[f"control {fate.label}"] >= 5


@pytest.mark.deep
@pytest.mark.parametrize("old", ENTRY_KINDS)
@pytest.mark.parametrize("new", ENTRY_KINDS)
def test_every_kind_of_entry_replaces_every_other(occurrences: Counter[str], old: str, new: str) -> None:
    if (old, new) != ("NoneType", "NoneType"):
        assert occurrences[f"{old} to {new}"] >= 5


@pytest.mark.deep
@pytest.mark.parametrize(
    ("event", "minimum"),
    [
        ("copies", 30),
        ("2 care-of nodes", 30),
        ("3 care-of nodes", 10),
        ("4 care-of nodes", 3),
        ("reordered", 30),
        ("rescued", 20),
        ("copied in the air", 20),
        ("sent by radio", 20),
        ("rescue from an expired entry", 3),
        ("moved forward by a rescue", 5),
        ("released packets", 30),
        ("released packets upstream", 30),
        ("after marker", 30),
        ("span ended", 30),
        ("refused message reported", 100),
        ("between mobiles", 80),
    ],
)
def test_rare_events_occur_often_enough(occurrences: Counter[str], event: str, minimum: int) -> None:
    assert occurrences[event] >= minimum


@lru_cache(maxsize=MUTANT_SCENARIOS)
def reference_result(number: int) -> Result:
    result: Result = generate(number).run(Oracle)[1]
    return result


@pytest.fixture
def mutated_oracle(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[type[Oracle]]:
    """Yield the Oracle of a copy of this package that contains the mutant."""
    mutant: Mutant = request.param
    name = f"mutant_{ORACLE_MUTANTS.index(mutant)}"
    shutil.copytree(HERE, tmp_path / name, ignore=lambda _, names: [n for n in names if not n.endswith(".py")])
    apply_mutant(mutant, tmp_path / name)
    sys.path.insert(0, str(tmp_path))
    try:
        yield importlib.import_module(f"{name}.oracle").Oracle
    finally:
        sys.path.remove(str(tmp_path))
        for module in [m for m in sys.modules if m.split(".")[0] == name]:
            del sys.modules[module]


@pytest.mark.parametrize(
    "mutated_oracle",
    [pytest.param(m, id=m.name, marks=[] if i < PLAIN_MUTANTS else pytest.mark.deep) for i, m in enumerate(ORACLE_MUTANTS)],
    indirect=True,
)
def test_every_oracle_mutant_changes_a_result(mutated_oracle: type[Oracle]) -> None:
    noticed = any(_differs(mutated_oracle, number) for number in range(MUTANT_SCENARIOS))
    assert noticed, f"not noticed in {MUTANT_SCENARIOS} scenarios"


def _differs(mutated: type[Oracle], number: int) -> bool:
    try:
        _, result = generate(number).run(mutated)
    except (AssertionError, KeyError):
        return True  # the mutant breaks an invariant
    return bool(differences(reference_result(number), result))
