"""Statistics by group."""

from __future__ import annotations

from functools import cached_property
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


class Grouping:
    """The groups of a sequence of values. What depends on the groups alone is computed once for all values.

    The methods take one value for each element that has a group (:meth:`select`), and return one for each group.

    Parameters
    ----------
    group : ndarray of int64
        Group of each element, from 0 on; below 0 for no group.
    groups : int
        Number of groups.

    Attributes
    ----------
    group : ndarray of int64
        Groups of the elements that have one.
    groups : int
        Number of groups.
    """

    def __init__(self, group: Int, groups: int) -> None:
        used = group >= 0
        self._used = None if used.all() else used
        self.group = group if self._used is None else group[used]
        self.groups = groups

    def select(self, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the values of the elements that have a group, from those of all elements."""
        return value if self._used is None else value[self._used]

    @cached_property
    def number(self) -> Int:
        """Number of elements of each group."""
        if self.groups == 1:
            return np.array([len(self.group)], np.int64)
        return np.bincount(self.group, minlength=self.groups).astype(np.int64, copy=False)

    def reduce_into(self, ufunc: np.ufunc, result: npt.NDArray[Any], value: npt.NDArray[Any]) -> None:
        """Apply ``ufunc`` to the elements of ``result`` and the values of their groups.

        Values of one group that follow each other are reduced together: that is several times faster than ``ufunc.at`` for all.
        """
        if not len(self.group):
            return
        if self.groups == 1:
            result[0] = ufunc(result[0], ufunc.reduce(value))
            return
        start = self._run_starts
        if len(start) > len(self.group) // _MIN_RUN:
            ufunc.at(result, self.group, value)
        else:
            ufunc.at(result, self.group[start], ufunc.reduceat(value, start))

    def extremes(self, value: Int) -> tuple[Int, Int]:
        """Return the smallest and the largest value of each group; -1 where it has none."""
        low = np.full(self.groups, np.iinfo(np.int64).max)
        high = np.full(self.groups, np.iinfo(np.int64).min)
        self.reduce_into(np.minimum, low, value)
        self.reduce_into(np.maximum, high, value)
        none = self.number == 0
        low[none] = high[none] = -1
        return low, high

    def maximum(self, value: Int) -> Int:
        """Return the largest value of each group; -1 where it has none. Values are 0 or more."""
        high = np.full(self.groups, -1, np.int64)
        self.reduce_into(np.maximum, high, value)
        return high

    def mean(self, value: Int) -> Int:
        """Return the exact mean of each group, rounded down; -1 where it has no value. Values are 0 or more."""
        number, divisor = self.number, np.maximum(self.number, 1)
        if int(value.max(initial=0)) * int(number.max(initial=0)) < 2**63:
            total = np.zeros(self.groups, np.int64)
            self.reduce_into(np.add, total, value)
            return np.where(number > 0, total // divisor, np.int64(-1))
        high, low = np.zeros(self.groups, np.int64), np.zeros(self.groups, np.int64)
        self.reduce_into(np.add, high, value >> _LOW_BITS)  # two sums, because the sum itself may pass 2**63
        self.reduce_into(np.add, low, value & _LOW_MASK)
        quotient, remainder = np.divmod(high, divisor)
        return np.where(number > 0, (quotient << _LOW_BITS) + ((remainder << _LOW_BITS) + low) // divisor, np.int64(-1))

    def quantiles(self, value: Int, percents: tuple[int, ...]) -> dict[int, Int]:
        """Return quantiles by nearest rank: the smallest value that at least p percent of the group's values do not exceed.

        Returns
        -------
        dict of int to ndarray
            One array for each percent. -1 where a group has fewer than ``ceil(1 / (1 - q))`` values (2 for the median, 20 for
            95 %, 100 for 99 %): the quantile would be the maximum whatever the distribution.
        """
        number, ordered = self.number, self.sort(value)
        start = np.cumsum(number) - number
        result = {}
        for percent in percents:
            enough = number >= -(-100 // (100 - percent))
            rank = -(-percent * number // 100)
            result[percent] = np.full(self.groups, -1, np.int64)
            result[percent][enough] = ordered[(start + rank - 1)[enough]]
        return result

    def sort(self, value: Int) -> Int:
        """Return the values sorted by group and, within a group, by size. Values are 0 or more."""
        if not len(value):
            return value
        if self.groups == 1:
            return np.sort(value)
        if self._is_sorted and len(value) >= _MIN_SLICE * self.groups:
            ordered = value.copy()
            for begin, end in pairwise([*self._run_starts.tolist(), len(value)]):
                ordered[begin:end].sort()
            return ordered
        span = int(value.max()) + 1
        if span * self.groups < 2**63:  # one key sorts several times faster than two
            offset = self.group * np.int64(span)
            key = value + offset
            key.sort()
            if not self._is_sorted:
                offset.sort()
            key -= offset
            return key
        order: Int = np.lexsort((value, self.group))
        return value[order]

    @cached_property
    def _run_starts(self) -> Int:
        """Index of the first element of each run of elements of one group."""
        change = np.ones(len(self.group), np.bool_)
        np.not_equal(self.group[1:], self.group[:-1], out=change[1:])
        return np.flatnonzero(change)

    @cached_property
    def _is_sorted(self) -> bool:
        start = self._run_starts
        first = self.group[start]
        return bool((first[1:] > first[:-1]).all())


def ratio(part: Int, whole: Int) -> Float:
    """Return ``part / whole``; NaN where the whole is 0."""
    result: Float = np.full(len(part), np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result
