"""Draws of many mobile nodes at once, and tracks from what they give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

import traces
from engine.keys import key, mix2, mix2_each
from handoff.setup import Int


class Draws:
    """The 64-bit draws of mobile nodes for one purpose; shapes are those of the indices."""

    def __init__(self, seed: int, purpose: int, names: Sequence[str]) -> None:
        keys = np.array([key(name) for name in names], np.uint64)
        self._entities = mix2_each(np.uint64(mix2(seed, purpose)), keys)

    def words(self, who: Int, index: Int) -> npt.NDArray[np.uint64]:
        """Draw number ``index`` of each of the mobile nodes ``who``."""
        return mix2_each(self._entities[who], index.astype(np.uint64))

    def below(self, who: Int, index: Int, limit: Int | int) -> Int:
        """Uniform integers from 0 to below ``limit``, which is at most 2**31."""
        high = (self.words(who, index) >> np.uint64(32)).astype(np.int64)
        return high * limit >> 32


def tracks_of(
    name: str, names: Sequence[str], mobile: list[Int], time_ps: list[Int], x: list[Int], y: list[Int]
) -> traces.Tracks:
    """Tracks of parts that come in order of time, each with samples of some mobile nodes; the same instant twice is one."""
    who, when, east, north = (np.concatenate(parts) for parts in (mobile, time_ps, x, y))
    order = np.lexsort((when, who))
    who, when, east, north = who[order], when[order], east[order], north[order]
    new = np.append(True, (np.diff(who) != 0) | (np.diff(when) != 0))
    return traces.Tracks(name, who[new], when[new], east[new], north[new], list(names))
