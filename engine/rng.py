"""Keys and counter-based draws: order and randomness come from names, never from declaration order (docs/model.md, 2 and 9)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MASK = 2**64 - 1
PURPOSE_LOSS = 1
PURPOSE_GAP = 2
PURPOSE_USER = 1000
"""Draws of users of the engine start here; smaller purposes are the engine's own."""


def key(name: str) -> int:
    """64-bit key of a name: BLAKE2b with 8 bytes of digest, little-endian."""
    import hashlib  # loads OpenSSL: not for those who only import

    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def mix(x: int) -> int:
    """The SplitMix64 finaliser on a 64-bit word."""
    x &= MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def mix2(a: int, b: int) -> int:
    """Two words into one, order matters."""
    return mix(mix(a + 0x9E3779B97F4A7C15) ^ b)


def mix_each(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """``mix`` of each word."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def mix2_each(a: int | np.uint64 | npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """``mix2`` of one word (or array) with each of ``b``, elementwise."""
    first = np.atleast_1d(np.asarray(a, np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    return mix_each(mix_each(first) ^ b)


def draw(seed: int, purpose: int, entity: int, index: int) -> int:
    """The 64-bit draw number ``index`` of ``entity`` for ``purpose``: a pure function, so nothing else moves it."""
    return mix2(mix2(mix2(seed, purpose), entity), index)
