"""Tables as columns: growable tables, sorting, tests of order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
"""An array of int64."""
Columns = dict[str, npt.NDArray[Any]]
"""Arrays of one length by name: the columns of a table."""


@dataclass
class GrowableTable:
    """Growable table with one array for each column.

    Parts are concatenated when a column is read. A value that all rows of a part share is stored once.
    """

    fields: dict[str, Any]
    parts: list[tuple[npt.NDArray[Any], ...]] = field(default_factory=list)

    def add(self, *values: Any) -> None:
        """Append rows: a scalar or a one-dimensional array for each field. They are broadcast and copied, and read-only then."""
        arrays = [np.array(v, dtype, ndmin=1) for v, dtype in zip(values, self.fields.values(), strict=True)]
        for array in arrays:
            array.flags.writeable = False
        self.parts.append(tuple(np.broadcast_arrays(*arrays)))

    def view(self, name: str) -> npt.NDArray[Any]:
        """Return a column in its own dtype. The array may share memory with the table: do not change it."""
        i = list(self.fields).index(name)
        if len(self.parts) == 1 and self.parts[0][i].flags.c_contiguous and self.parts[0][i].strides[0]:
            return self.parts[0][i]
        return self.column(name, self.fields[name])

    def column(self, name: str, dtype: Any = np.int64) -> npt.NDArray[Any]:
        """Return a column as a new array."""
        i = list(self.fields).index(name)
        if not self.parts:
            return np.zeros(0, dtype)
        return np.concatenate([p[i] for p in self.parts], dtype=dtype, casting="unsafe")


def is_sorted(*columns: npt.NDArray[Any]) -> bool:
    """Return whether the rows are sorted by the columns, the first column first."""
    equal = np.ones(max(len(columns[0]) - 1, 0), bool)
    for column in columns:
        if (equal & (column[1:] < column[:-1])).any():
            return False
        equal &= column[1:] == column[:-1]
    return True


def sort_order(*columns: Int) -> Int:
    """Return the rows in the order of the columns, the first column first. Equal rows keep their order."""
    rows, size = len(columns[0]), 1
    for column in columns:
        size *= int(column.max(initial=0)) + 1
    row_bits = rows.bit_length()
    if size << row_bits > 2**63 or any(column.min(initial=0) < 0 for column in columns):
        return np.lexsort(columns[::-1])
    key = columns[0].astype(np.int64)  # one key that contains the row sorts several times faster than an index does
    for column in columns[1:]:
        key *= int(column.max(initial=0)) + 1
        key += column.astype(np.int64, copy=False)
    key <<= row_bits
    key |= np.arange(rows)
    key.sort()
    key &= (1 << row_bits) - 1
    return key


def sort_columns(columns: Columns, by: Sequence[str]) -> Columns:
    """Return the rows sorted by the columns ``by``, the first one first."""
    order = sort_order(*(columns[f] for f in by))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    # Writing a few rising sequences misses the cache less than reading them does.
    placed = {f: np.empty_like(values) for f, values in columns.items()}
    for f, values in columns.items():
        placed[f][place] = values
    return placed


def unique_rows(columns: Sequence[npt.NDArray[Any]]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Number the distinct rows; return the number of each row, and the index of one row for each number."""
    rows = len(columns[0])
    varying = [c for c in columns if rows and c.min() != c.max()]
    if not varying:
        return np.zeros(rows, np.uint32), np.zeros(min(rows, 1), np.int64)
    order = np.lexsort(varying)
    new = np.zeros(rows, bool)
    for column in varying:
        there = column[order]
        new[1:] |= there[1:] != there[:-1]
    number = np.empty(rows, np.uint32)
    number[order] = np.cumsum(new, dtype=np.uint32)
    new[0] = True
    return number, order[new]


def distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the distinct values of a one-dimensional array in ascending order (``np.unique`` loads ``numpy.ma`` for that)."""
    ordered = np.sort(values)
    new = np.ones(len(ordered), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return ordered[new]


def repeated_pairs(first: Int, second: npt.NDArray[Any]) -> list[tuple[int, int]]:
    """Return pairs of elements at the same index that occur more than once, at most 20. The array ``first`` is changed."""
    factor = int(second.max(initial=0)) + 1
    first *= factor
    first += second
    first.sort()
    twice = distinct(first[1:][first[1:] == first[:-1]])[:20]
    return [divmod(int(pair), factor) for pair in twice]
