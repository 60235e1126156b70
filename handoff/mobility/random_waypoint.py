"""Random waypoint, from its stationary distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np

import handoff_traces
from engine.keys import PURPOSE_USER
from handoff.draws import Draws, keys_of
from handoff.mobility.tracks import tracks_of
from handoff.setup import Int

PURPOSE_WAYPOINT = PURPOSE_USER + 23

_STRIDE = 8
"""Draws set aside for one leg: start or end x and y, speed, pause, acceptance, phase."""


@dataclass(frozen=True)
class RandomWaypoint:
    """Go to a point drawn uniformly from a rectangle, at a speed drawn uniformly, pause for a time drawn uniformly, again.

    A simulation that starts with everybody at a uniform point and at the beginning of a leg is not yet what it becomes: nodes
    gather in the middle and the mean speed falls for a long time (to nothing, with a least speed of 0). So the first leg is
    drawn as an inspector finds it who comes at a random time: legs (with the pause behind them) by how long they last,
    and the instant uniformly within (Le Boudec, Palm calculus).

    Attributes
    ----------
    width_mm, height_mm : int
    slowest, fastest : int
        Millimetres per second; the slowest is above 0.
    pause_ps : int
        Longest pause.
    """

    width_mm: int
    height_mm: int
    slowest: int
    fastest: int
    pause_ps: int = 0

    def tracks(self, names: Sequence[str], *, seed: int, until_ps: int) -> handoff_traces.Tracks:
        """Where each of ``names`` is from 0 to at least ``until_ps``: int64 picoseconds and millimetres, at its waypoints."""
        draws = Draws(seed, PURPOSE_WAYPOINT, keys_of(names))
        who = np.arange(len(names), dtype=np.int64)
        start, end, speed, pause, late, index = self._first_legs(draws, who)
        mobile: list[Int] = []
        times: list[Int] = []
        places: tuple[list[Int], list[Int]] = ([], [])

        def add(at: Int, place: Int) -> None:
            seen = at >= 0
            mobile.append(who[seen])
            times.append(at[seen])
            for axis in (0, 1):
                places[axis].append(place[axis][seen])

        begun = -late
        arrived = begun + _leg_ps(start, end, speed)
        under_way = (begun < 0) & (arrived > 0)
        at_start = np.where(under_way, start + _part(end - start, -begun, arrived - begun), np.where(arrived <= 0, end, start))
        add(np.zeros_like(begun), at_start)
        while True:
            add(arrived, end)
            begun = arrived + pause
            add(np.maximum(begun, 0), end)
            left = begun < until_ps
            if not left.any():
                break
            who, index, start, begun = who[left], index[left], end[:, left], begun[left]
            end, speed, pause = self._leg(draws, who, index)
            index = index + _STRIDE
            arrived = begun + _leg_ps(start, end, speed)
        return tracks_of("random waypoint", names, mobile, times, *places)

    def _leg(self, draws: Draws, who: Int, index: Int) -> tuple[Int, Int, Int]:
        """End (of shape (2, n)), speed and pause behind it."""
        end = np.stack([draws.below(who, index, self.width_mm + 1), draws.below(who, index + 1, self.height_mm + 1)])
        speed = self.slowest + draws.below(who, index + 2, self.fastest - self.slowest + 1)
        return end, speed, self.pause_ps // 2**31 * draws.below(who, index + 3, 2**31)

    def _first_legs(self, draws: Draws, who: Int) -> tuple[Int, Int, Int, Int, Int, Int]:
        """The leg at time 0 of each, how long it has lasted by then, and the index of the draws that follow."""
        shape = len(who)
        longest = isqrt(self.width_mm**2 + self.height_mm**2) * 10**9 // self.slowest * 1000 + self.pause_ps + 10**4
        if longest >= 2**62:
            raise ValueError("random waypoint: the longest leg takes more than 53 days: a smaller area or a greater speed")
        start, end, others = np.zeros((2, shape), np.int64), np.zeros((2, shape), np.int64), np.zeros((4, shape), np.int64)
        index, open_ = np.zeros(shape, np.int64), who
        while len(open_):
            at = index[open_]
            a, _, _ = self._leg(draws, open_, at)
            b, speed, pause = self._leg(draws, open_, at + _STRIDE)
            whole = _leg_ps(a, b, speed) + pause
            # accepted with probability whole / longest, both in units that fit 31 bits
            unit = (longest >> 31) + 1
            found = draws.below(open_, at + 4, longest // unit) < whole // unit
            late = whole // 2**31 * draws.below(open_, at + 5, 2**31)
            index[open_] += 2 * _STRIDE
            hit = open_[found]
            start[:, hit], end[:, hit] = a[:, found], b[:, found]
            others[:, hit] = np.stack([speed, pause, late, index[open_]])[:, found]
            open_ = open_[~found]
        speed, pause, late, index = others
        return start, end, speed, pause, late, index


def _leg_ps(start: Int, end: Int, speed: Int) -> Int:
    """How long a leg lasts, to a nanosecond; 1 ns at least, so that time goes on."""
    way = (end - start).astype(np.float64)  # below 2**31: the squares are exact or correctly rounded, and so is the root
    length = np.rint(np.sqrt(way[0] * way[0] + way[1] * way[1])).astype(np.int64)
    lasts: Int = np.maximum(length * 10**9 // speed, 1) * 1000
    return lasts


def _part(way: Int, part: Int, whole: Int) -> Int:
    """``way * part / whole`` for 0 <= part <= whole."""
    unit = (whole >> 31) + 1
    return way * (part // unit) // np.maximum(whole // unit, 1)


__all__ = ["RandomWaypoint"]
