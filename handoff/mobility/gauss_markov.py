"""Gauss-Markov mobility (Liang and Haas 1999) in a rectangle."""

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

PURPOSE_GAUSS_MARKOV = PURPOSE_USER + 24

UNIT = 20
"""Fraction bits of memory and noise."""
_NORMAL = 37_837
"""Standard deviation of the sum of four uniform numbers of 0 to 65,535: sqrt((2**32 - 1) / 3)."""


@dataclass(frozen=True)
class GaussMarkov:
    """Velocity on each axis is a first-order autoregressive process with mean 0: v' = memory v + sqrt(1 - memory²) sigma w.

    A way that would leave the rectangle is reflected at its side. Without a drift the free process looks the same in a mirror, so
    the reflected one is uniform over the rectangle, moves in all directions alike, and is stationary from the start on.

    Attributes
    ----------
    width_mm, height_mm : int
    speed : int
        Mean speed in millimetres per second: sigma sqrt(pi / 2).
    memory : int
        Correlation of one step's velocity with the next one's, times 2**20: 0 draws it anew, 2**20 never changes it.
    step_ps : int
    """

    width_mm: int
    height_mm: int
    speed: int
    memory: int = 943_718  # 0.9
    step_ps: int = 10**12

    def tracks(self, names: Sequence[str], *, seed: int, until_ps: int) -> handoff_traces.Tracks:
        """Where each of ``names`` is from 0 to at least ``until_ps``: int64 picoseconds and millimetres, at every step."""
        draws = Draws(seed, PURPOSE_GAUSS_MARKOV, keys_of(names))
        who = np.arange(len(names), dtype=np.int64)
        steps = -(-until_ps // self.step_ps)
        x, y = (self._axis(draws, who, axis, size, steps) for axis, size in enumerate((self.width_mm, self.height_mm)))
        times = [np.full(len(who), step * self.step_ps, np.int64) for step in range(steps + 1)]
        return tracks_of("gauss-markov", names, [who] * (steps + 1), times, x, y)

    def _axis(self, draws: Draws, who: Int, axis: int, size: int, steps: int) -> list[Int]:
        """Positions after each step; kept in 2**-16 mm so that slow nodes move too."""
        sigma = self.speed * 3_426_951_157 >> 32  # sqrt(2 / pi)
        noise = isqrt((1 << 2 * UNIT) - self.memory**2)
        index = np.full(len(who), axis, np.int64)
        place = draws.below(who, index, size + 1) << 16
        velocity = self._normal(draws, who, index + 2) * sigma // _NORMAL
        found = [place >> 16]
        for step in range(steps):
            place = place + velocity * (self.step_ps // 10**9) // 1000
            found.append(_folded(place, size << 16) >> 16)
            fresh = self._normal(draws, who, index + 2 * (step + 2)) * sigma // _NORMAL
            velocity = (velocity * self.memory + fresh * noise) >> UNIT
        return found

    @staticmethod
    def _normal(draws: Draws, who: Int, index: Int) -> Int:
        """Nearly normal, of mean 0 and deviation ``_NORMAL`` * 2**16: the sum of four uniform numbers (excess kurtosis -0.3)."""
        words = draws.words(who, index)
        halves = words.view(np.uint16).reshape(-1, 4).astype(np.int64).sum(axis=1) - 2 * 65_535
        normal: Int = halves << 16
        return normal


def _folded(place: Int, size: int) -> Int:
    """Reflected at 0 and ``size``, as often as need be."""
    turned = place % (2 * size)
    return np.minimum(turned, 2 * size - turned)


__all__ = ["GaussMarkov"]
