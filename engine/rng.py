"""Name keys and counter-based random draws. Both depend on names, never on declaration order (docs/model.md, 2 and 9)."""

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
"""Purposes of users of the engine start here; smaller ones belong to the engine."""
LN2 = 762_123_384_786
"""2**40 ln 2, rounded."""
MAX_EXPONENTIAL_MEAN = 2**56
"""Largest mean of an exponential draw: the largest draw is 62 ln 2 times the mean and fits into int64."""
_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)


def name_key(name: str) -> int:
    """Return the 64-bit key of a name: BLAKE2b with an 8-byte digest, little-endian."""
    import hashlib  # loads OpenSSL, which slows the import of the engine

    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def splitmix64(x: int) -> int:
    """Apply the SplitMix64 finaliser to a 64-bit word."""
    x &= MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def combine(a: int, b: int) -> int:
    """Combine two words into one; the order matters."""
    return splitmix64(splitmix64(a + 0x9E3779B97F4A7C15) ^ b)


def splitmix64_array(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Apply :func:`splitmix64` to each word."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def combine_array(a: int | np.uint64 | npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Apply :func:`combine` to one word or an array and each element of ``b``."""
    first = np.atleast_1d(np.asarray(a, np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    return splitmix64_array(splitmix64_array(first) ^ b)


def random_word(seed: int, purpose: int, entity: int, index: int) -> int:
    """Return 64-bit draw number ``index`` of ``entity`` for ``purpose``; a pure function of its arguments."""
    return combine(combine(combine(seed, purpose), entity), index)


@cache
def log_table() -> npt.NDArray[np.int64]:
    """Return round(2**40 ln(1 + i / 4096)) for i = 0 … 4096, computed with integers (series of 2 atanh at 2**-80)."""
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
    column = np.array(table, np.int64)
    column.flags.writeable = False  # shared by all runs
    return column


def log_fixed_point(value: Int) -> Int:
    """Return 2**40 times the natural logarithm of positive integers.

    The conversion to float only normalises: it rounds to 53 bits in a unique way, and its bits are used as integers.
    """
    bits = value.astype(np.float64).view(np.int64)
    exponent = (bits >> 52) - 1023
    i, fraction = (bits >> 40) & 4095, bits & ((1 << 40) - 1)
    table = log_table()
    step = table[i + 1] - table[i]
    logarithm: Int = exponent * LN2 + table[i] + ((step >> 8) * (fraction >> 16) >> 16)
    return logarithm


def name_keys(names: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return the keys of names."""
    return np.fromiter(map(name_key, names), np.uint64, len(names))


class RandomStreams:
    """Random draws of mobile nodes, by their keys, for one purpose. A result has the shape of ``index``."""

    def __init__(self, seed: int, purpose: int, keys: npt.NDArray[np.uint64]) -> None:
        self._entities = combine_array(np.uint64(combine(seed, purpose)), keys)

    def random_words(self, mobile: Int, index: Int) -> npt.NDArray[np.uint64]:
        """Return 64-bit draw number ``index`` of each mobile node in ``mobile``."""
        return combine_array(self._entities[mobile], index.astype(np.uint64))

    def uniform_small(self, mobile: Int, index: Int, limit: Int | int) -> Int:
        """Return uniform integers in [0, ``limit``) for a limit of at most 2**31."""
        high = (self.random_words(mobile, index) >> np.uint64(32)).astype(np.int64)
        return high * limit >> 32

    def uniform(self, mobile: Int, index: Int, limit: int) -> Int:
        """Return uniform integers in [0, ``limit``) for a limit of at most 2**63."""
        return _high(self.random_words(mobile, index), limit)

    def uniform_all(self, limit: int) -> Int:
        """Return the first draw of each mobile node as an integer in [0, ``limit``)."""
        mobile = np.arange(len(self._entities))
        return self.uniform(mobile, np.zeros_like(mobile), limit)

    def exponential(self, mobile: Int, index: Int, mean: int) -> Int:
        """Return exponential integers, rounded down, for a ``mean`` of at most ``MAX_EXPONENTIAL_MEAN``."""
        uniform = (self.random_words(mobile, index) >> np.uint64(2)).astype(np.int64) + 1
        depth = np.maximum(62 * LN2 - log_fixed_point(uniform), 0)  # 2**40 times -ln of a number in (0, 1]
        whole, part = depth >> 40, depth & (2**40 - 1)
        return whole * mean + _high(part.astype(np.uint64) << np.uint64(24), mean)


def _high(words: npt.NDArray[np.uint64], factor: int) -> Int:
    """Return ``words * factor >> 64`` for a factor of at most 2**63, from products of halves."""
    above, below = np.uint64(factor >> 32), np.uint64(factor & (2**32 - 1))
    high, low = words >> _HALF, words & _LOW
    middle = high * below + (low * below >> _HALF)
    product: npt.NDArray[np.uint64] = high * above + (middle >> _HALF) + (low * above + (middle & _LOW) >> _HALF)
    return product.view(np.int64)
