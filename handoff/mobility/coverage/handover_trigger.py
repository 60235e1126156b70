"""When a level crosses another: which router takes a mobile node over, and when a link is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Int

_WINDOW = 256


@dataclass(frozen=True)
class ReceivedLevels:
    """Received levels of one mobile node at instants, linear in between.

    Attributes
    ----------
    time_ps : ndarray of int64, shape (instants,)
        Strictly rising.
    level : ndarray of int64, shape (routers, instants)
        Thousandths of a decibel over 1 mW; routers in the order of their keys.
    """

    time_ps: Int
    level: Int

    def at(self, time_ps: int) -> Int:
        """Level of each router at an instant within the measured time."""
        k = int(np.searchsorted(self.time_ps, time_ps))
        if self.time_ps[k] == time_ps:
            return self.level[:, k]
        before, after = self.level[:, k - 1], self.level[:, k]
        whole = int(self.time_ps[k] - self.time_ps[k - 1])
        return before + (after - before) * int(time_ps - self.time_ps[k - 1]) // whole

    def window(self, time_ps: int, size: int) -> tuple[Int, Int]:
        """Times and levels from an instant on: it and the next ``size`` instants."""
        k = int(np.searchsorted(self.time_ps, time_ps, "right"))
        times = np.concatenate([[time_ps], self.time_ps[k : k + size]])
        return times, np.concatenate([self.at(time_ps)[:, None], self.level[:, k : k + size]], axis=1)


@dataclass(frozen=True)
class HandoverDecision:
    """The end of being served: a move to router ``to`` (row of the levels), or -1 for a lost link."""

    time_ps: int
    to: int


def next_handover(levels: ReceivedLevels, serving: int, from_ps: int, minimum: int, hysteresis: int, trigger_ps: int) -> HandoverDecision | None:
    """How being served by a router from an instant on ends; None if it does not within the measured time.

    Another router takes over when its level has been more than ``hysteresis`` above the serving one's for ``trigger_ps``
    without a break; of several at one instant, the strongest, then the first by key. The link is lost when the serving level
    falls below ``minimum``.
    """
    size = _WINDOW
    while True:
        times, level = levels.window(from_ps, size)
        change = _first(times, level, serving, minimum, hysteresis, trigger_ps)
        if change is not None or times[-1] == levels.time_ps[-1]:
            return change
        size *= 2


def _first(times: Int, level: Int, serving: int, minimum: int, hysteresis: int, trigger_ps: int) -> HandoverDecision | None:
    lost = crossing(times, minimum - level[serving])
    above = level - level[serving] - hysteresis
    positive = above > 0
    first, final = positive.copy(), positive.copy()
    first[:, 1:] &= ~positive[:, :-1]
    final[:, :-1] &= ~positive[:, 1:]
    router, start = np.nonzero(first)  # each run of instants at which a router is above
    _, end = np.nonzero(final)
    if len(router):
        due = _crossings(times, above, router, start) + trigger_ps
        last = len(times) - 1
        until = np.where(end == last, times[last], _crossings(times, above, router, np.minimum(end + 1, last)) - 1)
        held = due <= until
        router, due = router[held], due[held]
    if not len(router) or (lost is not None and lost < int(due.min())):
        return None if lost is None else HandoverDecision(lost, -1)
    at = int(due.min())
    ready = router[due == at]
    strength = ReceivedLevels(times, level).at(at)
    return HandoverDecision(at, int(ready[np.argmax(strength[ready])]))


def _crossings(times: Int, value: Int, row: Int, column: Int) -> Int:
    """When ``value`` is 0 between ``column - 1`` and ``column``, where its sign is another; at column 0, the first instant."""
    before = np.maximum(column - 1, 0)
    a, b = value[row, before], value[row, column]
    whole = times[column] - times[before]
    return times[before] + np.where(column > 0, whole * np.abs(a) // np.maximum(np.abs(a) + np.abs(b), 1), 0)


def crossing(times: Int, value: Int) -> int | None:
    """When ``value``, linear between ``times``, first is above 0."""
    positive = value > 0
    if not positive.any():
        return None
    k = np.array([int(np.argmax(positive))])
    return int(_crossings(times, value[None, :], np.zeros(1, np.int64), k)[0])


def next_router(levels: ReceivedLevels, from_ps: int, least: int) -> HandoverDecision | None:
    """Which router a mobile node without a link attaches to, and when: the strongest one whose level is at ``least`` or above."""
    size = _WINDOW
    while True:
        times, level = levels.window(from_ps, size)
        enough = level >= least
        column = int(np.argmax(enough.any(axis=0)))
        if enough[:, column].any():
            rows = np.flatnonzero(enough[:, column])
            if column == 0:
                return HandoverDecision(from_ps, int(rows[np.argmax(level[rows, 0])]))
            when = _crossings(times, level - least, rows, np.full(len(rows), column))
            first = rows[when == when.min()]
            return HandoverDecision(int(when.min()), int(first[np.argmax(level[first, column])]))
        if times[-1] == levels.time_ps[-1]:
            return None
        size *= 2


def level_above_since(levels: ReceivedLevels, router: int, level: int, from_ps: int, to_ps: int) -> int:
    """From when on, between two instants, a router's level has been at ``level`` or above until the second."""
    times, row = _between(levels, router, from_ps, to_ps)
    below = np.flatnonzero(row < level)
    if not len(below):
        return from_ps
    if below[-1] == len(row) - 1:
        return to_ps
    after = below[-1:] + 1
    return int(_crossings(times, (row - level)[None, :], np.zeros(1, np.int64), after)[0])


def level_below_since(levels: ReceivedLevels, router: int, level: int, from_ps: int, to_ps: int) -> int:
    """From when on, between two instants, a router's level has been below ``level`` until the second."""
    mirrored = ReceivedLevels(levels.time_ps, -levels.level)
    return level_above_since(mirrored, router, -level, from_ps, to_ps)


def _between(levels: ReceivedLevels, router: int, from_ps: int, to_ps: int) -> tuple[Int, Int]:
    inner = slice(*np.searchsorted(levels.time_ps, [from_ps + 1, to_ps]).tolist())
    times = np.concatenate([[from_ps], levels.time_ps[inner], [to_ps]])
    ends = [levels.at(from_ps)[router]], [levels.at(to_ps)[router]]
    return times, np.concatenate([ends[0], levels.level[router, inner], ends[1]])


__all__ = ["HandoverDecision", "ReceivedLevels", "crossing", "level_above_since", "level_below_since", "next_handover", "next_router"]
