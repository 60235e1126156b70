"""Random waypoint mobility model, started in its stationary distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np

import handoff_traces
from engine.columns import Int
from engine.rng import PURPOSE_USER, RandomStreams, name_keys
from handoff.mobility.tracks import assemble_tracks

PURPOSE_WAYPOINT = PURPOSE_USER + 23

_STRIDE = 8
"""Numbers of draws for one leg: end x, end y, speed, pause, acceptance, age; two are unused."""
_MAX_LEG_PS = 2**62


@dataclass(frozen=True)
class RandomWaypoint:
    """Mobility in legs: to a uniform point of a rectangle, at a uniform speed, followed by a uniform pause.

    A simulation in which every node starts at a uniform point at the beginning of a leg is not stationary: nodes gather in the
    middle, and the mean speed falls for a long time (to 0 if the slowest speed is 0). Here the first leg is therefore drawn from
    the stationary distribution: legs, with the pause that follows, in proportion to their duration, and their age uniformly
    (Le Boudec and Vojnović 2005, Palm calculus).

    Attributes
    ----------
    width_mm, height_mm : int
    slowest, fastest : int
        Range of speeds in millimetres per second; the slowest is above 0.
    pause_ps : int
        Longest pause.
    """

    width_mm: int
    height_mm: int
    slowest: int
    fastest: int
    pause_ps: int = 0

    def tracks(self, names: Sequence[str], *, seed: int, until_ps: int) -> handoff_traces.Tracks:
        """Return the waypoints of each of ``names`` from 0 to at least ``until_ps`` (int64 picoseconds, millimetres)."""
        streams = RandomStreams(seed, PURPOSE_WAYPOINT, name_keys(names))
        mobiles = np.arange(len(names), dtype=np.int64)
        start, end, speed, pause, age, index = self._draw_first_legs(streams, mobiles)
        mobile: list[Int] = []
        times: list[Int] = []
        positions: tuple[list[Int], list[Int]] = ([], [])

        def add_samples(time: Int, position: Int) -> None:
            in_run = time >= 0
            mobile.append(mobiles[in_run])
            times.append(time[in_run])
            for axis in (0, 1):
                positions[axis].append(position[axis][in_run])

        depart = -age
        arrive = depart + _leg_ps(start, end, speed)
        moving = (depart < 0) & (arrive > 0)
        at_zero = np.where(moving, start + _fraction(end - start, -depart, arrive - depart), np.where(arrive <= 0, end, start))
        add_samples(np.zeros_like(depart), at_zero)
        while True:
            add_samples(arrive, end)
            depart = arrive + pause
            add_samples(np.maximum(depart, 0), end)
            unfinished = depart < until_ps
            if not unfinished.any():
                break
            mobiles, index, start, depart = mobiles[unfinished], index[unfinished], end[:, unfinished], depart[unfinished]
            end, speed, pause = self._draw_leg(streams, mobiles, index)
            index = index + _STRIDE
            arrive = depart + _leg_ps(start, end, speed)
        return assemble_tracks("random waypoint", names, mobile, times, *positions)

    def _draw_leg(self, streams: RandomStreams, mobiles: Int, index: Int) -> tuple[Int, Int, Int]:
        """Draw the end (shape (2, n)), the speed and the pause of a leg."""
        x_mm = streams.uniform_small(mobiles, index, self.width_mm + 1)
        y_mm = streams.uniform_small(mobiles, index + 1, self.height_mm + 1)
        speed = self.slowest + streams.uniform_small(mobiles, index + 2, self.fastest - self.slowest + 1)
        return np.stack([x_mm, y_mm]), speed, self.pause_ps // 2**31 * streams.uniform_small(mobiles, index + 3, 2**31)

    def _draw_first_legs(self, streams: RandomStreams, mobiles: Int) -> tuple[Int, Int, Int, Int, Int, Int]:
        """Draw the leg at time 0 of each mobile node by rejection sampling.

        Returns start and end (shape (2, n)), speed, pause, age of the leg at time 0, and the number of the next draw.
        """
        n = len(mobiles)
        longest = isqrt(self.width_mm**2 + self.height_mm**2) * 10**9 // self.slowest * 1000 + self.pause_ps + 10**4
        if longest >= _MAX_LEG_PS:
            raise ValueError("random waypoint: the longest leg takes more than 53 days: a smaller area or a greater speed")
        start, end, others = np.zeros((2, n), np.int64), np.zeros((2, n), np.int64), np.zeros((4, n), np.int64)
        index, pending = np.zeros(n, np.int64), mobiles
        while len(pending):
            draw = index[pending]
            a, _, _ = self._draw_leg(streams, pending, draw)
            b, speed, pause = self._draw_leg(streams, pending, draw + _STRIDE)
            duration = _leg_ps(a, b, speed) + pause
            # The leg is accepted with probability duration / longest, both in units that fit 31 bits.
            unit = (longest >> 31) + 1
            accepted = streams.uniform_small(pending, draw + 4, longest // unit) < duration // unit
            age = duration // 2**31 * streams.uniform_small(pending, draw + 5, 2**31)
            index[pending] += 2 * _STRIDE
            settled = pending[accepted]
            start[:, settled], end[:, settled] = a[:, accepted], b[:, accepted]
            others[:, settled] = np.stack([speed, pause, age, index[pending]])[:, accepted]
            pending = pending[~accepted]
        speed, pause, age, index = others
        return start, end, speed, pause, age, index


def _leg_ps(start: Int, end: Int, speed: Int) -> Int:
    """Return the durations of legs in whole nanoseconds, at least 1 ns so that time advances."""
    way = (end - start).astype(np.float64)  # below 2**31: the squares are exact or correctly rounded, and so is the root
    length = np.rint(np.sqrt(way[0] * way[0] + way[1] * way[1])).astype(np.int64)
    duration: Int = np.maximum(length * 10**9 // speed, 1) * 1000
    return duration


def _fraction(way: Int, elapsed: Int, duration: Int) -> Int:
    """Return ``way * elapsed / duration`` for 0 <= elapsed <= duration without overflow."""
    unit = (duration >> 31) + 1
    return way * (elapsed // unit) // np.maximum(duration // unit, 1)


__all__ = ["RandomWaypoint"]
