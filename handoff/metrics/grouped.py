"""Statistics by group: every function takes values and the group of each, and returns one element a group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.columns import Int

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_HALF = np.int64(32)
_LOW = np.int64(2**32 - 1)


def count(group: Int, groups: int) -> Int:
    """How many values each group has."""
    return np.bincount(group, minlength=groups).astype(np.int64, copy=False)


def extremes(value: Int, group: Int, groups: int) -> tuple[Int, Int]:
    """Smallest and largest value of each group; -1 where it has none."""
    low = np.full(groups, np.iinfo(np.int64).max)
    high = np.full(groups, np.iinfo(np.int64).min)
    np.minimum.at(low, group, value)
    np.maximum.at(high, group, value)
    none = count(group, groups) == 0
    low[none] = high[none] = -1
    return low, high


def maximum(value: Int, group: Int, groups: int) -> Int:
    """Largest value of each group, none of them below 0; -1 where it has none."""
    high = np.full(groups, -1, np.int64)
    np.maximum.at(high, group, value)
    return high


def mean(value: Int, group: Int, groups: int) -> Int:
    """Exact mean of each group's values (0 or more), rounded down; -1 where it has none."""
    number = count(group, groups)
    high, low = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    np.add.at(high, group, value >> _HALF)  # two sums, because the sum itself may pass 2**63
    np.add.at(low, group, value & _LOW)
    whole, rest = np.divmod(high, np.maximum(number, 1))
    return np.where(number > 0, (whole << _HALF) + ((rest << _HALF) + low) // np.maximum(number, 1), np.int64(-1))


def ratio(part: Int, whole: Int) -> Float:
    """``part / whole``; NaN where the whole is 0."""
    result: Float = np.full(len(part), np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def sort(value: Int, group: Int, groups: int) -> Int:
    """The values (0 or more) by group and, within one, by size."""
    if not len(value):
        return value
    span = int(value.max()) + 1
    if span * groups < 2**63:  # one key sorts several times faster than two
        offset = group * np.int64(span)
        key = value + offset
        key.sort()
        offset.sort()
        key -= offset
        return key
    order: Int = np.lexsort((value, group))
    return value[order]


def quantiles(value: Int, group: Int, groups: int, percents: tuple[int, ...]) -> dict[int, Int]:
    """Quantiles by nearest rank: the smallest value that at least so many percent of the group's values do not exceed.

    Returns
    -------
    dict of int to ndarray
        By percent. -1 where a group has fewer than ``ceil(1 / (1 - q))`` values (2 for the median, 20 for 95 %, 100
        for 99 %): the rank would be the maximum's whatever the distribution.
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
