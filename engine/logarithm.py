"""Natural logarithms in integers, from the table of docs/model.md, section 9."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.lookahead import logarithms
from handoff.protocol.setup import Int

LN2 = 762_123_384_786
"""2**40 ln 2, rounded."""


def ln(value: Int) -> Int:
    """Logarithm of positive integers, times 2**40.

    The float is a normaliser: converting an int64 rounds to 53 bits in one way only, and its bits are taken apart as integers.
    """
    bits = value.astype(np.float64).view(np.int64)
    exponent = (bits >> 52) - 1023
    i, fraction = (bits >> 40) & 4095, bits & ((1 << 40) - 1)
    table = _table()
    step = table[i + 1] - table[i]
    found: Int = exponent * LN2 + table[i] + ((step >> 8) * (fraction >> 16) >> 16)
    return found


@cache
def _table() -> Int:
    return logarithms()
