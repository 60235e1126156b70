"""Where a mobile node is at given instants, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.columns import Int

MOST_LEG_MM = 2**31 - 1
"""Between two samples, on either axis: 2,147 km."""


@dataclass(frozen=True)
class Trajectory:
    """The samples of one mobile node: straight lines at constant speed in between.

    Attributes
    ----------
    time_ps : ndarray of int64, shape (n,)
        Strictly rising.
    x_mm, y_mm : ndarray of int64, shape (n,)
    """

    time_ps: Int
    x_mm: Int
    y_mm: Int

    def at(self, times_ps: Int) -> tuple[Int, Int, Int]:
        """Position, and distance from the first sample along the path, in millimetres; before and after it, that of its ends.

        A leg is divided into at most 2**31 equal times, so that the product with its length stays below 2**63.
        """
        last = len(self.time_ps) - 1
        if last == 0:
            still = np.zeros(len(times_ps), np.int64)
            return still + self.x_mm[0], still + self.y_mm[0], still
        lengths = self._lengths()
        leg = np.clip(np.searchsorted(self.time_ps, times_ps, "right") - 1, 0, last - 1)
        whole = self.time_ps[leg + 1] - self.time_ps[leg]
        part = np.clip(times_ps - self.time_ps[leg], 0, whole)
        tick = (whole >> 31) + 1
        whole, part = whole // tick, part // tick
        done = part >= whole

        def along(start: Int, way: Int) -> Int:
            return start + np.where(done, way, (way * part + whole // 2) // whole)

        x = along(self.x_mm[leg], (self.x_mm[1:] - self.x_mm[:-1])[leg])
        y = along(self.y_mm[leg], (self.y_mm[1:] - self.y_mm[:-1])[leg])
        return x, y, along((np.cumsum(lengths) - lengths)[leg], lengths[leg])

    def _lengths(self) -> Int:
        """Of the legs; the square root of IEEE 754 is correctly rounded and so the same everywhere."""
        dx, dy = np.diff(self.x_mm), np.diff(self.y_mm)
        if max(np.abs(dx).max(), np.abs(dy).max()) > MOST_LEG_MM:
            raise ValueError("two samples are more than 2,147 km apart")
        lengths: Int = np.rint(np.sqrt((dx * dx + dy * dy).astype(np.float64))).astype(np.int64)
        return lengths
