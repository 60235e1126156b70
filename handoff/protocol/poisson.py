"""Times of a Poisson process, drawn as whole picoseconds."""

from __future__ import annotations

import numpy as np

from engine.columns import Int
from engine.rng import RandomStreams


def poisson_times(stream: RandomStreams, start_ps: int, stop_ps: int, interval_ps: int) -> Int:
    """Return the times of a Poisson process from ``start_ps`` until before ``stop_ps``.

    Parameters
    ----------
    stream : RandomStreams
        Stream with one entity, whose draws are the intervals.
    start_ps, stop_ps : int
        Begin and end of the process.
    interval_ps : int
        Mean interval.
    """
    block = (stop_ps - start_ps) // interval_ps + 16
    blocks, last, first = [np.zeros(0, np.uint64)], start_ps, 0
    while last < stop_ps:
        index = np.arange(first, first + block)
        gaps = stream.exponential(np.zeros_like(index), index, interval_ps).astype(np.uint64)
        blocks.append(np.uint64(last) + np.cumsum(gaps, dtype=np.uint64))  # the last block may pass the range of int64
        last, first = int(blocks[-1][-1]), first + block
    times = np.concatenate(blocks)
    return times[times < np.uint64(stop_ps)].astype(np.int64)
