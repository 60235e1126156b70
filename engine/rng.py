"""Keys and counter-based draws: order and randomness come from names, never from declaration order (docs/model.md, 2 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from engine.columns import Int

MASK = 2**64 - 1
PURPOSE_LOSS = 1
PURPOSE_GAP = 2
PURPOSE_USER = 1000
"""Draws of users of the engine start here; smaller purposes are the engine's own."""
LN2 = 762_123_384_786
"""2**40 ln 2, rounded."""
MOST_MEAN = 2**56
"""Greatest mean of an exponential draw: 62 ln 2 times as much is the greatest draw, and fits int64."""
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)



def name_key(name: str) -> int:
    """64-bit key of a name: BLAKE2b with 8 bytes of digest, little-endian."""
    import hashlib  # loads OpenSSL: not for those who only import

    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def splitmix64(x: int) -> int:
    """The SplitMix64 finaliser on a 64-bit word."""
    x &= MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def combine(a: int, b: int) -> int:
    """Two words into one, order matters."""
    return splitmix64(splitmix64(a + 0x9E3779B97F4A7C15) ^ b)


def splitmix64_array(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """``mix`` of each word."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def combine_array(a: int | np.uint64 | npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """``mix2`` of one word (or array) with each of ``b``, elementwise."""
    first = np.atleast_1d(np.asarray(a, np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    return splitmix64_array(splitmix64_array(first) ^ b)


def random_word(seed: int, purpose: int, entity: int, index: int) -> int:
    """The 64-bit draw number ``index`` of ``entity`` for ``purpose``: a pure function, so nothing else moves it."""
    return combine(combine(combine(seed, purpose), entity), index)


@cache
def log_table() -> npt.NDArray[np.int64]:
    """round(2**40 ln(1 + i / 4096)) for i = 0 … 4096, from integers alone (series of 2 atanh at 2**-80)."""
    one = 1 << 80
    total, table = 0, [0]
    for i in range(4096):
        divisor = 2 * (4096 + i) + 1  # ln((4097 + i) / (4096 + i)) = 2 atanh(1 / divisor)
        power, k = one // divisor, 1
        while power:
            total += 2 * power // k
            power //= divisor * divisor
            k += 2
        table.append((total + (1 << 39)) >> 40)
    found = np.array(table, np.int64)
    found.flags.writeable = False  # all runs share it
    return found


def log_fixed_point(value: Int) -> Int:
    """Logarithm of positive integers, times 2**40.

    The float is a normaliser: converting an int64 rounds to 53 bits in one way only, and its bits are taken apart as integers.
    """
    bits = value.astype(np.float64).view(np.int64)
    exponent = (bits >> 52) - 1023
    i, fraction = (bits >> 40) & 4095, bits & ((1 << 40) - 1)
    table = log_table()
    step = table[i + 1] - table[i]
    found: Int = exponent * LN2 + table[i] + ((step >> 8) * (fraction >> 16) >> 16)
    return found


def name_keys(names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Keys of names."""
    return np.fromiter(map(name_key, names), np.uint64, len(names))


class RandomStreams:
    """The 64-bit draws of mobile nodes, by their keys, for one purpose; shapes are those of the indices."""

    def __init__(self, seed: int, purpose: int, keys: npt.NDArray[np.uint64]) -> None:
        self._entities = combine_array(np.uint64(combine(seed, purpose)), keys)

    def random_words(self, who: Int, index: Int) -> npt.NDArray[np.uint64]:
        """Draw number ``index`` of each of the mobile nodes ``who``."""
        return combine_array(self._entities[who], index.astype(np.uint64))

    def uniform_small(self, who: Int, index: Int, limit: Int | int) -> Int:
        """Uniform integers from 0 to below ``limit``, which is at most 2**31."""
        high = (self.random_words(who, index) >> np.uint64(32)).astype(np.int64)
        return high * limit >> 32

    def uniform(self, who: Int, index: Int, limit: int) -> Int:
        """Uniform integers from 0 to below ``limit``, which is at most 2**63."""
        return _high(self.random_words(who, index), limit)

    def uniform_all(self, limit: int) -> Int:
        """The first draw of everybody, as an integer from 0 to below ``limit``."""
        everybody = np.arange(len(self._entities))
        return self.uniform(everybody, np.zeros_like(everybody), limit)

    def exponential(self, who: Int, index: Int, mean: int) -> Int:
        """Exponential integers, rounded down, of a ``mean`` of at most ``MOST_MEAN``."""
        uniform = (self.random_words(who, index) >> np.uint64(2)).astype(np.int64) + 1
        depth = np.maximum(62 * LN2 - log_fixed_point(uniform), 0)  # 2**40 times -ln of a number above 0 and up to 1
        whole, part = depth >> 40, depth & (2**40 - 1)
        return whole * mean + _high(part.astype(np.uint64) << np.uint64(24), mean)


def _high(words: npt.NDArray[np.uint64], factor: int) -> Int:
    """``words * factor >> 64`` for a factor of at most 2**63, from products of halves."""
    above, below = np.uint64(factor >> 32), np.uint64(factor & (2**32 - 1))
    high, low = words >> _HALF, words & _LOW
    middle = high * below + (low * below >> _HALF)
    product: npt.NDArray[np.uint64] = high * above + (middle >> _HALF) + (low * above + (middle & _LOW) >> _HALF)
    return product.view(np.int64)
