"""Log-linear histograms: 32 buckets an octave, so any quantile is known within 3.2 %."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SUB_BITS = 5
BUCKETS = 60 << SUB_BITS


def bucket(value: int) -> int:
    """Bucket of a non-negative integer: itself below 32, then 32 buckets for each doubling."""
    if value < 1 << SUB_BITS:
        return value
    exponent = value.bit_length() - 1 - SUB_BITS
    return ((exponent + 1) << SUB_BITS) + ((value >> exponent) - (1 << SUB_BITS))


def lower_edge(index: int) -> int:
    """Smallest integer of a bucket."""
    octave, rest = divmod(index, 1 << SUB_BITS)
    return rest if octave == 0 else ((1 << SUB_BITS) + rest) << (octave - 1)


def quantile(counts: npt.NDArray[np.int64], q: float) -> float:
    """Quantile ``q`` (0 to 1) of a histogram, the middle of its bucket; nan if it is empty."""
    total = int(counts.sum())
    if total == 0:
        return float("nan")
    index = int(np.searchsorted(np.cumsum(counts), q * total, side="left"))
    index = min(index, int(np.flatnonzero(counts)[-1]))
    return (lower_edge(index) + lower_edge(index + 1) - 1) / 2
