"""The random scenarios are worth something: everything happens in them, and every broken rule shows."""

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
from tests.oracle.compare import differences
from tests.oracle.generate import generate
from tests.oracle.oracle import Oracle
from tests.oracle.oracle_mutants import ORACLE_MUTANTS, Mutant
from tests.oracle.table import Hold, Local, Tunnel

HERE = Path(__file__).parent
SCENARIOS = 300
ENOUGH = 100  # scenarios in which every mutant must show
CONTROL_ONLY = {Fate.REGISTRATION_OVERLOAD, Fate.AUTHENTICATION_FAILED, Fate.REPLAYED}
ENTRY_KINDS = ("NoneType", "Tunnel", "Local", "Hold")


class Watched(Oracle):
    """The oracle that counts what its tables go through."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.seen: Counter[str] = Counter()

    def change(self, node: int, mobile: int, new: Any, t: int, copy_in_flight: bool = False) -> None:
        old = self.tables[node].get(mobile)
        self.seen[f"{type(old).__name__} to {type(new).__name__}"] += t > 0
        if isinstance(old, Hold) and not isinstance(new, Hold):
            self.seen["packets let go"] += len(old.waiting)
        if isinstance(old, Local) and not old.valid(t) and isinstance(new, Tunnel | Hold):
            self.seen["rescue from an expired entry"] += 1
        super().change(node, mobile, new, t, copy_in_flight)

    def register(self, node: int, packet: Any, t: int) -> None:
        before = self.refused
        super().register(node, packet, t)
        self.seen["refused message told"] += self.refused - before

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

    def choose_up(self, mobile: int, route: Any, t: int) -> None:
        old = self.upstream[mobile]
        self.seen["packets let go upstream"] += len(old.waiting) if isinstance(old, Hold) and isinstance(route, int) else 0
        super().choose_up(mobile, route, t)


@pytest.fixture(scope="module")
def happened() -> Counter[str]:
    """In how many of 300 scenarios each thing happens."""
    count: Counter[str] = Counter()
    for number in range(SCENARIOS):
        scenario = generate(number)
        network = scenario.network()
        oracle = scenario.ready(Watched, network)
        result = oracle.run(scenario.until)
        count.update(thing for thing, n in oracle.seen.items() if n)
        for kind in (0, 1):
            count.update(f"{('data', 'control')[kind]} {fate.label}" for fate in Fate if result.fates[kind][fate])
        count.update(c for c in ("copies", "reordered") if result.flows[c].any())
        count.update(["after marker"] if result.spans["after_marker"].any() else [])
        count.update(["rescued"] if result.links["rescued"].any() else [])
        count.update(["span ended"] if ((result.spans["close_ps"] >= 0) & (result.spans["end_ps"] >= 0)).any() else [])
    return count


@pytest.mark.parametrize("fate", Fate, ids=[fate.label for fate in Fate])
def test_every_fate_befalls_data_and_control(happened: Counter[str], fate: Fate) -> None:
    if fate not in CONTROL_ONLY:
        assert happened[f"data {fate.label}"] >= 5
    if fate != Fate.DUPLICATE:
        assert happened[f"control {fate.label}"] >= 5


@pytest.mark.parametrize("old", ENTRY_KINDS)
@pytest.mark.parametrize("new", ENTRY_KINDS)
def test_every_entry_follows_every_other(happened: Counter[str], old: str, new: str) -> None:
    if (old, new) != ("NoneType", "NoneType"):
        assert happened[f"{old} to {new}"] >= 5


@pytest.mark.parametrize(
    ("thing", "least"),
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
        ("packets let go", 30),
        ("packets let go upstream", 30),
        ("after marker", 30),
        ("span ended", 30),
        ("refused message told", 100),
    ],
)
def test_everything_else_happens(happened: Counter[str], thing: str, least: int) -> None:
    assert happened[thing] >= least


@lru_cache(maxsize=ENOUGH)
def truth(number: int) -> Result:
    result: Result = generate(number).run(Oracle)[1]
    return result


@pytest.fixture
def mutated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[type[Oracle]]:
    """The Oracle of a copy of this package in which one text is replaced."""
    mutant: Mutant = request.param
    name = f"mutant_{ORACLE_MUTANTS.index(mutant)}"
    shutil.copytree(HERE, tmp_path / name, ignore=lambda _, names: [n for n in names if not n.endswith(".py")])
    file = tmp_path / name / mutant.file
    text = file.read_text()
    assert text.count(mutant.old) == 1, f"{mutant.old!r} does not stand in {mutant.file} once"
    file.write_text(text.replace(mutant.old, mutant.new))
    sys.path.insert(0, str(tmp_path))
    try:
        yield importlib.import_module(f"{name}.oracle").Oracle
    finally:
        sys.path.remove(str(tmp_path))
        for module in [m for m in sys.modules if m.split(".")[0] == name]:
            del sys.modules[module]


@pytest.mark.parametrize("mutated", ORACLE_MUTANTS, ids=[m.name for m in ORACLE_MUTANTS], indirect=True)
def test_every_broken_rule_shows(mutated: type[Oracle]) -> None:
    assert any(_differs(mutated, number) for number in range(ENOUGH)), f"not seen in {ENOUGH} scenarios"


def _differs(mutated: type[Oracle], number: int) -> bool:
    try:
        _, result = generate(number).run(mutated)
    except (AssertionError, KeyError):
        return True  # broken enough to break a law
    return bool(differences(truth(number), result))
