"""Gauss-Markov mobility model (Liang and Haas 1999) in a rectangle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

import numpy as np

import handoff_traces
from engine.columns import Int
from engine.rng import PURPOSE_USER, RandomStreams, name_keys
from handoff.mobility.tracks import assemble_tracks

PURPOSE_GAUSS_MARKOV = PURPOSE_USER + 24

UNIT = 20
"""Fraction bits of memory and noise."""
_POSITION_BITS = 16
"""Fraction bits of positions in millimetres during the process, so that slow nodes move too."""
_SQRT_2_PI = 3_426_951_157
"""sqrt(2 / pi) times 2**32: standard deviation on an axis for a mean speed of 1."""
_NORMAL_DEVIATION = 37_837
"""Standard deviation of the sum of four uniform numbers from 0 to 65,535: sqrt((2**32 - 1) / 3)."""


@dataclass(frozen=True)
class GaussMarkov:
    """Mobility in which the velocity on each axis is a first-order autoregressive process with mean 0.

    A step changes the velocity v to memory v + sqrt(1 - memory²) sigma w, where w is normal. Paths are reflected at the sides of
    the rectangle. The free process has no drift and is symmetric, so the reflected one is stationary from the start on: uniform
    over the rectangle, with no preferred direction.

    Attributes
    ----------
    width_mm, height_mm : int
    speed : int
        Mean speed in millimetres per second, sigma sqrt(pi / 2).
    memory : int
        Correlation of the velocities of consecutive steps, times 2**20. At 0 each velocity is drawn independently; at 2**20 it
        never changes.
    step_ps : int
        Duration of a step.
    """

    width_mm: int
    height_mm: int
    speed: int
    memory: int = 943_718  # 0.9
    step_ps: int = 10**12

    def tracks(self, names: Sequence[str], *, seed: int, until_ps: int) -> handoff_traces.Tracks:
        """Return the position of each of ``names`` at every step from 0 to at least ``until_ps`` (picoseconds, millimetres)."""
        streams = RandomStreams(seed, PURPOSE_GAUSS_MARKOV, name_keys(names))
        mobiles = np.arange(len(names), dtype=np.int64)
        steps = -(-until_ps // self.step_ps)
        x, y = (self._positions(streams, mobiles, axis, size, steps) for axis, size in enumerate((self.width_mm, self.height_mm)))
        times = [np.full(len(mobiles), step * self.step_ps, np.int64) for step in range(steps + 1)]
        return assemble_tracks("gauss-markov", names, [mobiles] * (steps + 1), times, x, y)

    def _positions(self, streams: RandomStreams, mobiles: Int, axis: int, size_mm: int, steps: int) -> list[Int]:
        """Return the coordinates on one axis at the start and after each step."""
        sigma = self.speed * _SQRT_2_PI >> 32
        noise = isqrt((1 << 2 * UNIT) - self.memory**2)
        index = np.full(len(mobiles), axis, np.int64)
        position = streams.uniform_small(mobiles, index, size_mm + 1) << _POSITION_BITS
        velocity = _draw_normal(streams, mobiles, index + 2) * sigma // _NORMAL_DEVIATION
        positions = [position >> _POSITION_BITS]
        for step in range(steps):
            position = position + velocity * (self.step_ps // 10**9) // 1000
            positions.append(_reflect(position, size_mm << _POSITION_BITS) >> _POSITION_BITS)
            innovation = _draw_normal(streams, mobiles, index + 2 * (step + 2)) * sigma // _NORMAL_DEVIATION
            velocity = (velocity * self.memory + innovation * noise) >> UNIT
        return positions


def _draw_normal(streams: RandomStreams, mobiles: Int, index: Int) -> Int:
    """Draw numbers with mean 0 and deviation ``_NORMAL_DEVIATION`` * 2**16: sums of four uniform ones (excess kurtosis -0.3)."""
    words = streams.random_words(mobiles, index)
    sums = words.view(np.uint16).reshape(-1, 4).astype(np.int64).sum(axis=1) - 2 * 65_535
    normal: Int = sums << _POSITION_BITS
    return normal


def _reflect(position: Int, size: int) -> Int:
    folded = position % (2 * size)
    return np.minimum(folded, 2 * size - folded)


__all__ = ["GaussMarkov"]
