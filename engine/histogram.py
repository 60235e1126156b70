"""Log-linear histograms with 32 buckets an octave; a quantile is exact within 3.2 %."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SUB_BITS = 5


def lower_edge(index: int) -> int:
    """Return the smallest integer of a bucket."""
    octave, rest = divmod(index, 1 << SUB_BITS)
    return rest if octave == 0 else ((1 << SUB_BITS) + rest) << (octave - 1)


def quantile(counts: npt.NDArray[np.int64], q: float) -> float:
    """Return quantile ``q`` (0 to 1) of a histogram as the middle of its bucket; nan if the histogram is empty."""
    total = int(counts.sum())
    if total == 0:
        return float("nan")
    index = int(np.searchsorted(np.cumsum(counts), q * total, side="left"))
    index = min(index, int(np.flatnonzero(counts)[-1]))
    return (lower_edge(index) + lower_edge(index + 1) - 1) / 2
