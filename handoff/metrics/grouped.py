"""Statistics by group. A group below 0 stands for no group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.metrics._group_loops import sort_values, summarise_values

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_MIN_SLICE = 256
"""Number of values of a group from which on selecting a few is faster than sorting all, calls included."""


@dataclass(frozen=True)
class GroupSummary:
    """Number of values, smallest, mean (exact, rounded down) and largest value of each group; -1 for a group without values."""

    number: Int
    low: Int
    mean: Int
    high: Int


def summarise(group: Int, value: Int, present: Bool, groups: int) -> GroupSummary:
    """Summarise the values of each group; values that are not ``present`` are left out."""
    return GroupSummary(*summarise_values(group, value, present, groups))


def quantiles(group: Int, value: Int, present: Bool, number: Int, percents: tuple[int, ...]) -> dict[int, Int]:
    """Return quantiles by nearest rank: the smallest value that at least p percent of the group's values do not exceed.

    Parameters
    ----------
    group, value : ndarray of int64
        Values and their groups.
    present : ndarray of bool
        False for values that do not count.
    number : ndarray of int64
        Number of values of each group (:class:`GroupSummary`).
    percents : tuple of int
        Percents, each below 100.

    Returns
    -------
    dict of int to ndarray
        One array for each percent. -1 where a group has fewer than ``ceil(1 / (1 - q))`` values (2 for the median, 20 for 95 %,
        100 for 99 %): the quantile would be the maximum whatever the distribution.
    """
    ordered = sort_values(group, value, present, number, _MIN_SLICE - 1)
    start = np.cumsum(number) - number
    ranks = {percent: -(-percent * number // 100) for percent in sorted(percents)}
    for g in np.flatnonzero(number >= _MIN_SLICE).tolist():
        select_ranks(ordered[start[g] : start[g] + number[g]], [int(rank[g]) for rank in ranks.values()])
    result = {}
    for percent in percents:
        enough = number >= -(-100 // (100 - percent))
        result[percent] = np.full(len(number), -1, np.int64)
        result[percent][enough] = ordered[(start + ranks[percent] - 1)[enough]]
    return result


def select_ranks(values: Int, ranks: list[int]) -> None:
    """Move values so that those of the ranks are where sorting would put them. Ranks count from 1, and rise."""
    before = 0
    for rank in ranks:
        if rank > before:  # one partition for each rank: NumPy is slow with several ranks in one
            values[before:].partition(rank - before - 1)
            before = rank


def ratio(part: Int, whole: Int) -> Float:
    """Return ``part / whole``; NaN where the whole is 0."""
    result: Float = np.full(len(part), np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result
