"""Log-linear histograms with 32 buckets an octave; a quantile is exact within 1/32, and never above the largest value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SUB_BITS = 5
RESOLUTION = 1 / (1 << SUB_BITS)
"""Largest distance of a quantile from the true one, as a share of it."""


def lower_edge(index: int) -> int:
    """Return the smallest integer of a bucket."""
    octave, rest = divmod(index, 1 << SUB_BITS)
    return rest if octave == 0 else ((1 << SUB_BITS) + rest) << (octave - 1)


def quantile(counts: npt.NDArray[np.int64], percent: int, largest: int) -> float | None:
    """Return a quantile by nearest rank: the middle of its bucket, or the largest value if that is smaller.

    Parameters
    ----------
    counts : ndarray of int64
        Number of values in each bucket.
    percent : int
        Share of the values that do not exceed the quantile, from 1 to 100.
    largest : int
        Largest of the values. If it is not in the last bucket with values, it is one of another time, and the smallest integer
        of this bucket takes its place.

    Returns
    -------
    float or None
        None if the histogram is empty.
    """
    total = int(counts.sum())
    if total == 0:
        return None
    index = int(np.searchsorted(np.cumsum(counts), -(-percent * total // 100), side="left"))
    first, end = lower_edge(index), lower_edge(index + 1)
    last = int(np.flatnonzero(counts)[-1])
    if largest >= lower_edge(last + 1):
        largest = lower_edge(last)
    return float(max(first, min((first + end - 1) / 2, largest)))
