"""Checks of one random scenario: engine against oracle, or engine against itself. Each returns the differences as text."""

from __future__ import annotations

import io
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from engine import Engine, rng
from engine._checkpoint import restore, save
from engine.link_trace import empty_trace
from engine.results import Result, TimeLimitError

from . import draws
from .compare import by_name, differences, hop_differences, rows_that_differ
from .controllers import Actor
from .crowded_cells import crowded_cells
from .feedforward_networks import feedforward_network
from .generate import generate
from .many_lengths import many_lengths
from .oracle import Oracle
from .overlapping_cells import overlapping_cells
from .scenarios import UNCHANGED, Change, Scenario

SCHEDULING = ("auto", "window", "level", "heap")
MONTHS_PS = 4 * 10**18
"""Length of a run of which the last packets still arrive before the end of the clock."""


def engine_options(scenario: Scenario) -> dict[str, Any]:
    """Return scheduling, window and threads for a scenario.

    Consecutive seeds cycle through all 36 combinations, and 24 of them through all pairs of two of the three.
    """
    turn = scenario.seed // 2
    largest = Engine(scenario.network()).window_ps
    windows = (None, max(1, largest // 2), min(largest, largest // 7 + 13))
    return {
        "scheduling": SCHEDULING[turn % 4],
        "window_ps": windows[turn // 4 % 3],
        "threads": 1 + (turn // 4 + turn + turn // 12) % 3,
    }


def oracle_and_engine(number: int) -> list[str]:
    """Compare engine and oracle packet by packet, in some seeds also on overlapping or crowded cells or a feed-forward network.

    One scenario in eight also runs so slowly that it lasts for months, and its sums of times pass 2**63 and 2**64 ps. In one of
    ten, controllers count their events, so that the order of events at one instant changes what they do.
    """
    scenario = generate(number)
    if number % 10 == 7:
        scenario = replace(scenario, script=replace(scenario.script, counts=True))
    problems = _agree(number, scenario)
    if number % 8 == 3:
        problems += _agree(number, scenario, Change(scale=MONTHS_PS // scenario.until))
    if number % 3 == 0:
        problems += _agree(number, overlapping_cells(number))
    if number % 7 == 5:
        problems += _agree(number, crowded_cells(number))
    if number % 3 == 1:
        problems += _agree(number, feedforward_network(number), threads=1 + number // 3 % 3, scheduling="window")
    return problems


def oracle_and_levels(number: int) -> list[str]:
    """Compare engine and oracle on the same scenarios, with all units of a level visited together; once also in slices."""
    options = {"scheduling": "level", "threads": 1}
    problems = _agree(number, generate(number), **options)
    problems += _agree(number, overlapping_cells(number), **options)
    problems += _agree(number, feedforward_network(number), **options)
    problems += _agree(number, many_lengths(number), **options)
    if number % 7 == 5:
        problems += _agree(number, crowded_cells(number), **options)
    return problems + _in_slices(number, generate(number), **options)


def _agree(number: int, scenario: Scenario, change: Change = UNCHANGED, **overrides: Any) -> list[str]:
    options = engine_options(scenario) | overrides
    if options["window_ps"] is not None:
        options["window_ps"] *= change.scale
    until = change.moment(scenario.until)
    _, ours = scenario.made(Oracle, change)
    _, theirs = scenario.made(Engine, change, **options)
    expected, result = _run(ours, until), _run(theirs, until)
    if expected is None or result is None:
        return [] if expected is result else [f"scenario {number} {options}: only one of the two passes the end of the clock"]
    problems = differences(expected, result) + hop_differences(ours.take_trace(), theirs.take_trace())
    return [f"scenario {number} {options}: {text}" for text in problems]


def _run(simulator: Any, until: int) -> Result | None:
    """Return the result, or None if a queue passes the end of the clock."""
    try:
        return simulator.run(until)  # type: ignore[no-any-return]
    except TimeLimitError:
        return None


# -- engine against itself: a run against a transformed one, transformed back ------------------------------------------------


def repeated(number: int) -> list[str]:
    """Run the same scenario again."""
    scenario = generate(number)
    return differences(scenario.run(Engine)[1], scenario.run(Engine)[1])


def in_slices(number: int) -> list[str]:
    """Advance in slices of random length, some of them empty, also on a network in which units run ahead."""
    return _in_slices(number, generate(number)) + _in_slices(number, feedforward_network(number), threads=2, scheduling="window")


def _in_slices(number: int, scenario: Scenario, **overrides: Any) -> list[str]:
    sliced = scenario.ready(Engine, scenario.network(), **overrides)
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
    """Restore a checkpoint into a new engine with other scheduling and threads, three times."""
    crowd = _saved_and_restored(number, crowded_cells(number)) if number % 7 == 5 else []
    return _saved_and_restored(number, generate(number)) + crowd


def _saved_and_restored(number: int, scenario: Scenario) -> list[str]:
    network, whole = scenario.made(Engine)
    expected = whole.run(scenario.until)
    dice, taken, fleet = Random(number), empty_trace(), Actor(scenario.script, network, None)
    engine, file = None, io.BytesIO()
    for turn, cut in enumerate([*sorted(dice.randrange(scenario.until) for _ in range(3)), scenario.until]):
        way = engine_options(scenario) if turn == 0 else {"scheduling": SCHEDULING[(number + turn) % 4], "threads": 1 + turn % 3}
        engine = scenario.ready(Engine, scenario.network(), fleet=fleet, **way)
        if turn:
            file.seek(0)
            restore(engine, file)
            if file.read() != b"behind":
                return [f"cut {turn}: the state read and the state written differ in length"]
        if engine.advance(cut) != cut or engine.time_ps != cut:
            return [f"cut {turn}: the engine is at {engine.time_ps}, not at {cut}"]
        if cut == scenario.until or dice.random() < 0.7:  # a trace that was not taken is part of the state
            taken = taken.concat(engine.take_trace())
        file = io.BytesIO()
        save(engine, file)
        file.write(b"behind")
    return differences(expected, engine.result()) + hop_differences(whole.take_trace(), taken)


def shifted(number: int) -> list[str]:
    """Add c to every input time: every output time increases by c."""
    return _changed(generate(number), Change(shift=123_456_789_012 if number % 2 else 1))


def scaled(number: int) -> list[str]:
    """Multiply delays, gaps and time limits by k and divide rates by k: every output time is multiplied by k."""
    k = (2, 5)[number // 2 % 2]
    return _changed(generate(number).scalable(k), Change(scale=k))


def shuffled(number: int) -> list[str]:
    """Declare everything in another order."""
    return _changed(generate(number), Change(shuffle=number), same_fingerprint=True)


def with_idle(number: int) -> list[str]:
    """Add a node, links, a cell and a mobile that nothing uses."""
    return _changed(generate(number), Change(idle=True), same_fingerprint=True)


def random_draws(number: int) -> list[str]:
    """Compare the keys and draws of ``engine.rng`` with their second implementation."""
    dice = Random(number)
    a, b, c, d = (dice.getrandbits(64) for _ in range(4))
    name = f"node {a}"
    pairs = {
        "combine": (rng.combine(a, b), draws.mix2(a, b)),
        "combine_array": (int(rng.combine_array(a, np.array([b], np.uint64))[0]), draws.mix2(a, b)),
        "random_word": (rng.random_word(a, b, c, d), draws.draw(a, b, c, d)),
        "name_key": (rng.name_key(name), draws.key(name)),
        "log_table": (int(rng.log_table()[a % 4097]), draws.logarithms()[a % 4097]),
    }
    return [f"{what}, case {number}: {ours}, not {expected}" for what, (ours, expected) in pairs.items() if ours != expected]


AGAINST_ITSELF = (repeated, in_slices, saved_and_restored, shifted, scaled, shuffled, with_idle)


def _changed(scenario: Scenario, change: Change, same_fingerprint: bool = False) -> list[str]:
    network, plain = scenario.run(Engine, UNCHANGED)
    other, changed = scenario.run(Engine, change)
    problems = rows_that_differ(by_name(network, plain), by_name(other, changed, change.shift, change.scale))
    if same_fingerprint and plain.fingerprint != changed.fingerprint:
        problems.append(f"fingerprint {plain.fingerprint} became {changed.fingerprint}")
    return [f"{change}: {text}" for text in problems]
