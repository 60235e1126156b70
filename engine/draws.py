"""Draws of many mobile nodes at once, as ``engine.rng.draw`` gives them one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.logarithm import LN2, ln
from engine.rng import key, mix2, mix2_each
from handoff.protocol.setup import Int

MOST_MEAN = 2**56
"""Greatest mean of an exponential draw: 62 ln 2 times as much is the greatest draw, and fits int64."""
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)


def keys_of(names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Keys of names."""
    return np.fromiter(map(key, names), np.uint64, len(names))


class Draws:
    """The 64-bit draws of mobile nodes, by their keys, for one purpose; shapes are those of the indices."""

    def __init__(self, seed: int, purpose: int, keys: npt.NDArray[np.uint64]) -> None:
        self._entities = mix2_each(np.uint64(mix2(seed, purpose)), keys)

    def words(self, who: Int, index: Int) -> npt.NDArray[np.uint64]:
        """Draw number ``index`` of each of the mobile nodes ``who``."""
        return mix2_each(self._entities[who], index.astype(np.uint64))

    def below(self, who: Int, index: Int, limit: Int | int) -> Int:
        """Uniform integers from 0 to below ``limit``, which is at most 2**31."""
        high = (self.words(who, index) >> np.uint64(32)).astype(np.int64)
        return high * limit >> 32

    def within(self, who: Int, index: Int, limit: int) -> Int:
        """Uniform integers from 0 to below ``limit``, which is at most 2**63."""
        return _high(self.words(who, index), limit)

    def each_within(self, limit: int) -> Int:
        """The first draw of everybody, as an integer from 0 to below ``limit``."""
        everybody = np.arange(len(self._entities))
        return self.within(everybody, np.zeros_like(everybody), limit)

    def exponential(self, who: Int, index: Int, mean: int) -> Int:
        """Exponential integers, rounded down, of a ``mean`` of at most ``MOST_MEAN``."""
        uniform = (self.words(who, index) >> np.uint64(2)).astype(np.int64) + 1
        depth = np.maximum(62 * LN2 - ln(uniform), 0)  # 2**40 times -ln of a number above 0 and up to 1
        whole, part = depth >> 40, depth & (2**40 - 1)
        return whole * mean + _high(part.astype(np.uint64) << np.uint64(24), mean)


def _high(words: npt.NDArray[np.uint64], factor: int) -> Int:
    """``words * factor >> 64`` for a factor of at most 2**63, from products of halves."""
    above, below = np.uint64(factor >> 32), np.uint64(factor & (2**32 - 1))
    high, low = words >> _HALF, words & _LOW
    middle = high * below + (low * below >> _HALF)
    product: npt.NDArray[np.uint64] = high * above + (middle >> _HALF) + (low * above + (middle & _LOW) >> _HALF)
    return product.view(np.int64)
