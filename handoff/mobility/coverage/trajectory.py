"""Position of a mobile node, and the distance that it has travelled, at any time between its samples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

import handoff_traces
from engine.columns import Int

MAX_LEG_MM = 2**31 - 1
"""Largest distance between two samples on either axis: 2,147 km."""
_MAX_TICKS_BITS = 31
"""A leg is divided into at most 2**31 equal ticks, so that their product with its length stays below 2**63."""


@dataclass(frozen=True)
class Trajectory:
    """Samples of one mobile node, which moves on straight lines at constant speed between them.

    Attributes
    ----------
    time_ps : ndarray of int64, shape (n,)
        Strictly increasing.
    x_mm, y_mm : ndarray of int64, shape (n,)
        Position at each time.
    breaks : ndarray of int64
        Samples before which the mobile node was absent; it does not travel to them.
    """

    time_ps: Int
    x_mm: Int
    y_mm: Int
    breaks: Int = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of_mobile(cls, tracks: handoff_traces.Tracks, mobile: int, begin_ps: int = 0) -> Trajectory:
        """Return the samples of one mobile node of ``tracks``; its times count from ``begin_ps``."""
        start, stop = np.searchsorted(tracks.mobile, (mobile, mobile + 1)).tolist()
        first, after = np.searchsorted(tracks.breaks, (start, stop))
        samples = slice(start, stop)
        return cls(
            tracks.time_ps[samples] - begin_ps, tracks.x_mm[samples], tracks.y_mm[samples], tracks.breaks[first:after] - start
        )

    def at(self, times_ps: Int) -> tuple[Int, Int, Int]:
        """Return x, y and the distance travelled since the first sample, in millimetres, at each of ``times_ps``.

        Before the first sample and after the last one, the mobile node stands still.

        Raises
        ------
        ValueError
            If two samples are farther apart than ``MAX_LEG_MM``.
        """
        last = len(self.time_ps) - 1
        if last == 0:
            zeros = np.zeros(len(times_ps), np.int64)
            return zeros + self.x_mm[0], zeros + self.y_mm[0], zeros
        lengths = self._leg_lengths()
        leg = np.clip(np.searchsorted(self.time_ps, times_ps, "right") - 1, 0, last - 1)
        duration = self.time_ps[leg + 1] - self.time_ps[leg]
        elapsed = np.clip(times_ps - self.time_ps[leg], 0, duration)
        tick = (duration >> _MAX_TICKS_BITS) + 1
        duration, elapsed = duration // tick, elapsed // tick
        completed = elapsed >= duration

        def interpolate(start: Int, way: Int) -> Int:
            return start + np.where(completed, way, (way * elapsed + duration // 2) // duration)

        x = interpolate(self.x_mm[leg], (self.x_mm[1:] - self.x_mm[:-1])[leg])
        y = interpolate(self.y_mm[leg], (self.y_mm[1:] - self.y_mm[:-1])[leg])
        return x, y, interpolate((np.cumsum(lengths) - lengths)[leg], lengths[leg])

    def _leg_lengths(self) -> Int:
        # IEEE 754 requires a correctly rounded square root, so the result is the same on every machine.
        dx, dy = np.diff(self.x_mm), np.diff(self.y_mm)
        dx[self.breaks - 1] = dy[self.breaks - 1] = 0
        if max(np.abs(dx).max(), np.abs(dy).max()) > MAX_LEG_MM:
            raise ValueError("two samples are more than 2,147 km apart")
        lengths: Int = np.rint(np.sqrt((dx * dx + dy * dy).astype(np.float64))).astype(np.int64)
        return lengths
