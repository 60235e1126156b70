"""Statistics by group: each function takes values and the group of each value, and returns one element for each group."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.columns import Int

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_MIN_RUN = 4
"""Mean number of successive values of one group from which on they are reduced together."""
_MIN_SLICE = 256
"""Mean number of values of a group from which on each group is sorted by itself."""
_LOW_BITS = np.int64(32)
_LOW_MASK = np.int64(2**32 - 1)


def reduce_into(ufunc: np.ufunc, result: npt.NDArray[Any], group: Int, value: npt.NDArray[Any]) -> None:
    """Apply ``ufunc`` to the elements of ``result`` and the values of their groups.

    Values of one group that follow each other are reduced together: that is several times faster than ``ufunc.at`` for all.
    """
    if not len(group):
        return
    if len(result) == 1:
        result[0] = ufunc(result[0], ufunc.reduce(value))
        return
    start = run_starts(group)
    if len(start) > len(group) // _MIN_RUN:
        ufunc.at(result, group, value)
    else:
        ufunc.at(result, group[start], ufunc.reduceat(value, start))


def run_starts(group: Int) -> Int:
    """Return the index of the first value of each run of values of one group."""
    change = np.ones(len(group), np.bool_)
    np.not_equal(group[1:], group[:-1], out=change[1:])
    return np.flatnonzero(change)


def count(group: Int, groups: int) -> Int:
    """Count the values of each group."""
    if groups == 1:
        return np.array([len(group)], np.int64)
    return np.bincount(group, minlength=groups).astype(np.int64, copy=False)


def extremes(value: Int, group: Int, groups: int) -> tuple[Int, Int]:
    """Return the smallest and the largest value of each group; -1 where it has none."""
    low = np.full(groups, np.iinfo(np.int64).max)
    high = np.full(groups, np.iinfo(np.int64).min)
    reduce_into(np.minimum, low, group, value)
    reduce_into(np.maximum, high, group, value)
    none = count(group, groups) == 0
    low[none] = high[none] = -1
    return low, high


def maximum(value: Int, group: Int, groups: int) -> Int:
    """Return the largest value of each group; -1 where it has none. Values are 0 or more."""
    high = np.full(groups, -1, np.int64)
    reduce_into(np.maximum, high, group, value)
    return high


def mean(value: Int, group: Int, groups: int) -> Int:
    """Return the exact mean of each group, rounded down; -1 where it has no value. Values are 0 or more."""
    number = count(group, groups)
    if int(value.max(initial=0)) * int(number.max(initial=0)) < 2**63:
        total = np.zeros(groups, np.int64)
        reduce_into(np.add, total, group, value)
        return np.where(number > 0, total // np.maximum(number, 1), np.int64(-1))
    high, low = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    reduce_into(np.add, high, group, value >> _LOW_BITS)  # two sums, because the sum itself may pass 2**63
    reduce_into(np.add, low, group, value & _LOW_MASK)
    divisor = np.maximum(number, 1)
    quotient, remainder = np.divmod(high, divisor)
    return np.where(number > 0, (quotient << _LOW_BITS) + ((remainder << _LOW_BITS) + low) // divisor, np.int64(-1))


def ratio(part: Int, whole: Int) -> Float:
    """Return ``part / whole``; NaN where the whole is 0."""
    result: Float = np.full(len(part), np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def sort(value: Int, group: Int, groups: int) -> Int:
    """Return the values sorted by group and, within a group, by size. Values are 0 or more."""
    if not len(value):
        return value
    span = int(value.max()) + 1
    if groups == 1:
        return np.sort(value)
    if len(value) >= _MIN_SLICE * groups and (group[1:] >= group[:-1]).all():
        ordered = value.copy()
        bounds = [*run_starts(group).tolist(), len(value)]
        for begin, end in pairwise(bounds):
            ordered[begin:end].sort()
        return ordered
    if span * groups < 2**63:  # one key sorts several times faster than two
        offset = group * np.int64(span)
        key = value + offset
        key.sort()
        if (offset[1:] < offset[:-1]).any():
            offset.sort()
        key -= offset
        return key
    order: Int = np.lexsort((value, group))
    return value[order]


def quantiles(value: Int, group: Int, groups: int, percents: tuple[int, ...]) -> dict[int, Int]:
    """Return quantiles by nearest rank: the smallest value that at least p percent of the group's values do not exceed.

    Returns
    -------
    dict of int to ndarray
        One array for each percent. -1 where a group has fewer than ``ceil(1 / (1 - q))`` values (2 for the median, 20 for 95 %,
        100 for 99 %): the quantile would be the maximum whatever the distribution.
    """
    number = count(group, groups)
    ordered = sort(value, group, groups)
    start = np.cumsum(number) - number
    result = {}
    for percent in percents:
        enough = number >= -(-100 // (100 - percent))
        rank = -(-percent * number // 100)
        result[percent] = np.full(groups, -1, np.int64)
        result[percent][enough] = ordered[(start + rank - 1)[enough]]
    return result
