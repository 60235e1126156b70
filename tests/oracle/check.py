"""One scenario through oracle and engine, or through the engine twice; each check yields what is wrong, as text."""

from __future__ import annotations

import io
from random import Random
from typing import Any

from engine import Engine
from engine._checkpoint import restore, save
from engine.link_trace import empty_trace

from .calm import calm
from .compare import by_name, differences, hop_differences, rows_that_differ
from .controllers import Actor
from .generate import generate
from .oracle import Oracle
from .scenarios import UNCHANGED, Change, Scenario
from .still import still

SCHEDULING = ("auto", "window", "heap")


def variant(scenario: Scenario) -> dict[str, Any]:
    """How the engine runs this scenario: all 27 combinations take turns, with ties and without."""
    turn = scenario.seed // 2
    largest = Engine(scenario.network()).window_ps
    windows = (None, max(1, largest // 2), min(largest, largest // 7 + 13))
    return {
        "scheduling": SCHEDULING[turn % 3],
        "window_ps": windows[turn // 3 % 3],
        "threads": 1 + turn // 9 % 3,
    }


def oracle_and_engine(number: int) -> list[str]:
    """The same to the last packet; also where little happens but data, or everything flows one way, in turn."""
    found = _agree(number, generate(number))
    if number % 3 == 0:
        found += _agree(number, calm(number))
    if number % 3 == 1:
        found += _agree(number, still(number), threads=1 + number // 3 % 3, scheduling="window")
    return found


def _agree(number: int, scenario: Scenario, **wanted: Any) -> list[str]:
    options = variant(scenario) | wanted
    _, ours = scenario.made(Oracle)
    _, theirs = scenario.made(Engine, **options)
    found = differences(ours.run(scenario.until), theirs.run(scenario.until))
    found += hop_differences(ours.take_trace(), theirs.take_trace())
    return [f"scenario {number} {options}: {text}" for text in found]


# -- the engine against itself (each gives what differs between a run and a changed one, brought back) -----------------------


def twice(number: int) -> list[str]:
    scenario = generate(number)
    return differences(scenario.run(Engine)[1], scenario.run(Engine)[1])


def in_slices(number: int) -> list[str]:
    """Advanced in pieces of random length, some of them empty; also where some nodes run ahead of the others."""
    return _in_slices(number, generate(number)) + _in_slices(number, still(number), threads=2, scheduling="window")


def _in_slices(number: int, scenario: Scenario, **wanted: Any) -> list[str]:
    sliced = scenario.ready(Engine, scenario.network(), **wanted)
    cuts = sorted(Random(number).randrange(scenario.until) for _ in range(7))
    taken = empty_trace()
    for cut in [*cuts, scenario.until]:
        reached = sliced.advance(cut)
        if reached != cut or sliced.time_ps != cut:
            return [f"advance({cut}) returned {reached}, time_ps is {sliced.time_ps}"]
        taken = taken.concat(sliced.take_trace())
    _, whole = scenario.made(Engine)
    return differences(whole.run(scenario.until), sliced.result()) + hop_differences(whole.take_trace(), taken)


def saved_and_restored(number: int) -> list[str]:
    """Three times abandoned for an engine that is made anew and gets its state, with an order and threads of its own."""
    scenario = generate(number)
    network, whole = scenario.made(Engine)
    expected = whole.run(scenario.until)
    dice, taken, fleet = Random(number), empty_trace(), Actor(scenario.script, network, None)
    engine, file = None, io.BytesIO()
    for turn, cut in enumerate([*sorted(dice.randrange(scenario.until) for _ in range(3)), scenario.until]):
        way = variant(scenario) if turn == 0 else {"scheduling": SCHEDULING[(number + turn) % 3], "threads": 1 + turn % 3}
        engine = scenario.ready(Engine, scenario.network(), fleet=fleet, **way)
        if turn:
            file.seek(0)
            restore(engine, file)
            if file.read() != b"behind":
                return [f"cut {turn}: another length was read than had been written"]
        if engine.advance(cut) != cut or engine.time_ps != cut:
            return [f"cut {turn}: the engine is at {engine.time_ps}, not at {cut}"]
        if cut == scenario.until or dice.random() < 0.7:  # what is not taken is part of the state
            taken = taken.concat(engine.take_trace())
        file = io.BytesIO()
        save(engine, file)
        file.write(b"behind")
    return differences(expected, engine.result()) + hop_differences(whole.take_trace(), taken)


def shifted(number: int) -> list[str]:
    """Every input time + c: every output time + c."""
    return _changed(generate(number), Change(shift=123_456_789_012 if number % 2 else 1))


def scaled(number: int) -> list[str]:
    """Every delay, gap and limit in time x k, every rate / k: every output time x k."""
    k = (2, 5)[number // 2 % 2]
    return _changed(generate(number).scalable(k), Change(scale=k))


def shuffled(number: int) -> list[str]:
    """Everything declared in another order."""
    return _changed(generate(number), Change(shuffle=number), same_fingerprint=True)


def with_idle(number: int) -> list[str]:
    """A node, links, a cell and a mobile more, which nothing uses."""
    return _changed(generate(number), Change(idle=True), same_fingerprint=True)


AGAINST_ITSELF = (twice, in_slices, saved_and_restored, shifted, scaled, shuffled, with_idle)


def _changed(scenario: Scenario, change: Change, same_fingerprint: bool = False) -> list[str]:
    network, plain = scenario.run(Engine, UNCHANGED)
    other, changed = scenario.run(Engine, change)
    found = rows_that_differ(by_name(network, plain), by_name(other, changed, change.shift, change.scale))
    if same_fingerprint and plain.fingerprint != changed.fingerprint:
        found.append(f"fingerprint {plain.fingerprint} became {changed.fingerprint}")
    return [f"{change}: {text}" for text in found]
