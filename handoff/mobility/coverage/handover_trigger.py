"""Handover trigger: next move to a stronger router, next loss of the link, next router in range (docs/movement.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Int

_WINDOW = 256
"""Instants that are searched first; the window doubles until there is a decision."""
LINK_LOST = -1


@dataclass(frozen=True)
class ReceivedLevels:
    """Received levels of one mobile node, measured at instants and linear in between.

    Attributes
    ----------
    time_ps : ndarray of int64, shape (instants,)
        Strictly increasing.
    level : ndarray of int64, shape (routers, instants)
        Thousandths of a decibel over 1 mW; routers in the order of their keys.
    """

    time_ps: Int
    level: Int

    def at(self, time_ps: int) -> Int:
        """Return the level of each router at an instant between the first and the last measurement."""
        k = int(np.searchsorted(self.time_ps, time_ps))
        if self.time_ps[k] == time_ps:
            return self.level[:, k]
        before, after = self.level[:, k - 1], self.level[:, k]
        interval = int(self.time_ps[k] - self.time_ps[k - 1])
        return before + (after - before) * int(time_ps - self.time_ps[k - 1]) // interval

    def window(self, time_ps: int, size: int) -> tuple[Int, Int]:
        """Return times and levels at ``time_ps`` and the next ``size`` measurements."""
        k = int(np.searchsorted(self.time_ps, time_ps, "right"))
        times = np.concatenate([[time_ps], self.time_ps[k : k + size]])
        return times, np.concatenate([self.at(time_ps)[:, None], self.level[:, k : k + size]], axis=1)


@dataclass(frozen=True)
class HandoverDecision:
    """Next router of a mobile node: the row ``to`` of the levels, or ``LINK_LOST``."""

    time_ps: int
    to: int


def next_handover(
    levels: ReceivedLevels, serving: int, from_ps: int, minimum: int, hysteresis: int, trigger_ps: int
) -> HandoverDecision | None:
    """Return the decision that ends an attachment to a router; None if the measurements end first.

    The mobile node moves to another router when that router's level has been more than ``hysteresis`` above the serving one's
    for ``trigger_ps`` without a break; if several meet this at one instant, to the strongest, then to the first by key. The link
    is lost when the serving level falls below ``minimum``.

    Parameters
    ----------
    levels : ReceivedLevels
        Measurements.
    serving : int
        Row of the serving router.
    from_ps : int
        Time from which the router serves.
    minimum, hysteresis : int
        Thousandths of a decibel.
    trigger_ps : int
        Time to trigger.
    """
    size = _WINDOW
    while True:
        times, level = levels.window(from_ps, size)
        decision = _first_decision(times, level, serving, minimum, hysteresis, trigger_ps)
        if decision is not None or times[-1] == levels.time_ps[-1]:
            return decision
        size *= 2


def _first_decision(
    times: Int, level: Int, serving: int, minimum: int, hysteresis: int, trigger_ps: int
) -> HandoverDecision | None:
    lost_ps = first_crossing(times, minimum - level[serving])
    margin = level - level[serving] - hysteresis
    above = margin > 0
    begins, ends = above.copy(), above.copy()
    begins[:, 1:] &= ~above[:, :-1]
    ends[:, :-1] &= ~above[:, 1:]
    router, begin = np.nonzero(begins)  # each run of instants at which a router is above
    _, end = np.nonzero(ends)
    if len(router):
        due = _crossing_times(times, margin, router, begin) + trigger_ps
        last = len(times) - 1
        until = np.where(end == last, times[last], _crossing_times(times, margin, router, np.minimum(end + 1, last)) - 1)
        triggered = due <= until
        router, due = router[triggered], due[triggered]
    if not len(router) or (lost_ps is not None and lost_ps < int(due.min())):
        return None if lost_ps is None else HandoverDecision(lost_ps, LINK_LOST)
    time_ps = int(due.min())
    candidates = router[due == time_ps]
    strength = ReceivedLevels(times, level).at(time_ps)
    return HandoverDecision(time_ps, int(candidates[np.argmax(strength[candidates])]))


def _crossing_times(times: Int, value: Int, row: Int, column: Int) -> Int:
    """Return when ``value`` is 0 between ``column - 1`` and ``column``, where its sign changes; at column 0, the first time."""
    before = np.maximum(column - 1, 0)
    a, b = value[row, before], value[row, column]
    interval = times[column] - times[before]
    return times[before] + np.where(column > 0, interval * np.abs(a) // np.maximum(np.abs(a) + np.abs(b), 1), 0)


def first_crossing(times: Int, value: Int) -> int | None:
    """Return when ``value``, linear between ``times``, first rises above 0; None if it does not."""
    positive = value > 0
    if not positive.any():
        return None
    k = np.array([int(np.argmax(positive))])
    return int(_crossing_times(times, value[None, :], np.zeros(1, np.int64), k)[0])


def next_router(levels: ReceivedLevels, from_ps: int, minimum: int) -> HandoverDecision | None:
    """Return the attachment of a mobile node without a link: to the strongest router, once a level is ``minimum`` or above."""
    size = _WINDOW
    while True:
        times, level = levels.window(from_ps, size)
        sufficient = level >= minimum
        column = int(np.argmax(sufficient.any(axis=0)))
        if sufficient[:, column].any():
            routers = np.flatnonzero(sufficient[:, column])
            if column == 0:
                return HandoverDecision(from_ps, int(routers[np.argmax(level[routers, 0])]))
            crossings = _crossing_times(times, level - minimum, routers, np.full(len(routers), column))
            first = routers[crossings == crossings.min()]
            return HandoverDecision(int(crossings.min()), int(first[np.argmax(level[first, column])]))
        if times[-1] == levels.time_ps[-1]:
            return None
        size *= 2


def level_above_since(levels: ReceivedLevels, router: int, level: int, from_ps: int, to_ps: int) -> int:
    """Return the time in [from, to] from which a router's level is at ``level`` or above until ``to_ps``.

    The result is ``to_ps`` if the level is below at ``to_ps``.
    """
    times, values = _levels_between(levels, router, from_ps, to_ps)
    below = np.flatnonzero(values < level)
    if not len(below):
        return from_ps
    if below[-1] == len(values) - 1:
        return to_ps
    after = below[-1:] + 1
    return int(_crossing_times(times, (values - level)[None, :], np.zeros(1, np.int64), after)[0])


def level_below_since(levels: ReceivedLevels, router: int, level: int, from_ps: int, to_ps: int) -> int:
    """Return the time in [from, to] from which a router's level is at ``level`` or below until ``to_ps``."""
    mirrored = ReceivedLevels(levels.time_ps, -levels.level)
    return level_above_since(mirrored, router, -level, from_ps, to_ps)


def _levels_between(levels: ReceivedLevels, router: int, from_ps: int, to_ps: int) -> tuple[Int, Int]:
    inner = slice(*np.searchsorted(levels.time_ps, [from_ps + 1, to_ps]).tolist())
    times = np.concatenate([[from_ps], levels.time_ps[inner], [to_ps]])
    first, last = [levels.at(from_ps)[router]], [levels.at(to_ps)[router]]
    return times, np.concatenate([first, levels.level[router, inner], last])


__all__ = [
    "LINK_LOST", "HandoverDecision", "ReceivedLevels", "first_crossing", "level_above_since", "level_below_since",
    "next_handover", "next_router",
]  # fmt: skip
