"""Handover trigger against a step-by-step search through the measurements, on random levels with many ties."""

import numpy as np
import pytest

from handoff.mobility.coverage.handover_trigger import (
    HandoverDecision,
    ReceivedLevels,
    level_above_since,
    level_below_since,
    next_handover,
    next_router,
)


def crossed(t0, t1, a, b):
    """Return when a line from ``a`` to ``b`` is 0."""
    return t0 + (t1 - t0) * abs(a) // (abs(a) + abs(b))


def steps(levels, from_ps):
    """Yield pairs of consecutive instants with their levels, from an instant on."""
    times, rows = levels.time_ps.tolist(), levels.level.T.tolist()
    for t0, t1, a, b in zip(times, times[1:], rows, rows[1:], strict=False):
        if t1 <= from_ps:
            continue
        if t0 < from_ps:
            a = [x + (y - x) * (from_ps - t0) // (t1 - t0) for x, y in zip(a, b, strict=True)]
            t0 = from_ps
        yield t0, t1, a, b


def search_handover(levels, serving, from_ps, minimum, hysteresis, trigger_ps):
    since = {}
    for t0, t1, a, b in steps(levels, from_ps):
        events = []  # time, moves before losses, weakest last, router
        if a[serving] < minimum:
            return HandoverDecision(t0, -1)
        if b[serving] < minimum:
            events.append((crossed(t0, t1, minimum - a[serving], minimum - b[serving]), 1, 0, -1))
        for router in range(len(a)):
            above = [row[router] - row[serving] - hysteresis for row in (a, b)]
            if above[0] > 0:
                since.setdefault(router, t0)
            elif above[1] > 0:
                since[router] = crossed(t0, t1, *above)
            if router in since:
                due = since[router] + trigger_ps
                end = t1 if above[1] > 0 else crossed(t0, t1, *above) - 1
                if due <= end:
                    at = [x + (y - x) * (due - t0) // (t1 - t0) if due < t1 else y for x, y in zip(a, b, strict=True)]
                    events.append((due, 0, -at[router], router))
                if above[1] <= 0:
                    del since[router]
        if events:
            at, _, _, router = min(events)
            return HandoverDecision(at, router)
    return None


def search_router(levels, from_ps, minimum):
    for t0, t1, a, b in steps(levels, from_ps):
        if max(a) >= minimum:
            return HandoverDecision(t0, min(r for r in range(len(a)) if a[r] == max(a)))
        rising = [(crossed(t0, t1, a[r] - minimum, b[r] - minimum), -b[r], r) for r in range(len(a)) if b[r] >= minimum]
        if rising:
            at, _, router = min(rising)
            return HandoverDecision(at, router)
    return None


def random_levels(rng, coarse):
    n = int(rng.integers(2, 40))
    times = np.cumsum(rng.integers(1, 30, n)) * 100
    level = rng.integers(-12, 1, (int(rng.integers(1, 5)), n)) * (1000 if coarse else 1)
    if not coarse:
        level = level * 1000 + rng.integers(-999, 1000, level.shape)
    return ReceivedLevels(times, level)


@pytest.mark.parametrize("coarse", [True, False])
@pytest.mark.parametrize("cases", [1000, pytest.param(20_000, marks=pytest.mark.deep)])
def test_decisions_agree_with_the_step_by_step_search(cases, coarse):
    rng = np.random.default_rng([3, coarse])
    kinds = {"move": 0, "lost": 0, "none": 0}
    for _ in range(cases):
        levels = random_levels(rng, coarse)
        serving = int(rng.integers(len(levels.level)))
        start = int(rng.integers(levels.time_ps[0], levels.time_ps[-1]))
        options = -int(rng.integers(8, 13)) * 1000, int(rng.integers(4)) * 1000, int(rng.choice([1, 500, 2_000, 5_000]))
        decision = next_handover(levels, serving, start, *options)
        assert decision == search_handover(levels, serving, start, *options)
        kinds["none" if decision is None else "move" if decision.to >= 0 else "lost"] += 1
        minimum = -int(rng.integers(0, 12)) * 1000
        assert next_router(levels, start, minimum) == search_router(levels, start, minimum)
    assert min(kinds.values()) > cases // 15, kinds


def test_a_move_takes_precedence_over_a_loss_at_the_same_instant():
    """At 2000 the serving level falls below -6000; the other level has been more than 1000 above it since 500."""
    level = np.array([[-4000, -5000, -6000, -7000], [-4000, -3000, -3000, -3000]])
    levels = ReceivedLevels(np.array([0, 1000, 2000, 3000]), level)
    assert next_handover(levels, 0, 0, -6000, 1000, 1500) == HandoverDecision(2000, 1)
    assert next_handover(levels, 0, 0, -6000, 1000, 1501) == HandoverDecision(2000, -1)


def test_the_time_since_which_a_level_has_been_above_or_below():
    levels = ReceivedLevels(np.array([0, 10, 20, 30, 40]) * 100, np.array([[0, 4, -4, 4, 8]]) * 1000)
    assert level_above_since(levels, 0, 0, 0, 900) == 0
    assert level_above_since(levels, 0, 0, 0, 4000) == 2500
    assert level_above_since(levels, 0, 0, 2600, 4000) == 2600
    assert level_above_since(levels, 0, 0, 0, 2000) == 2000  # it is below at 2000
    assert level_below_since(levels, 0, 2000, 0, 2200) == 1250
    assert level_below_since(levels, 0, 5000, 100, 3000) == 100


@pytest.mark.parametrize("time_ps", [-1, 4001])
def test_an_instant_outside_the_measurements_is_refused(time_ps):
    levels = ReceivedLevels(np.array([0, 4000]), np.array([[0, 4]]))
    searches = (ReceivedLevels.at, (0, time_ps)), (next_router, (time_ps, 0)), (next_handover, (0, time_ps, 0, 0, 1))
    for search, arguments in searches:
        with pytest.raises(IndexError, match="is not between the first and the last measurement"):
            search(levels, *arguments)


def test_a_router_without_levels_is_refused():
    levels = ReceivedLevels(np.array([0, 4000]), np.array([[0, 4]]))
    with pytest.raises(IndexError, match="there is no router 1"):
        next_handover(levels, 1, 0, 0, 0, 1)
    with pytest.raises(IndexError, match="there is no router -1"):
        levels.at(-1, 0)


def test_each_level_needs_its_instant():
    with pytest.raises(ValueError, match="3 instants for 2 levels"):
        ReceivedLevels(np.array([0, 1, 2]), np.array([[0, 4]]))
