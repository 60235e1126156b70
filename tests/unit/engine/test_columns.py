"""Sorting of columns: one key where it fits 64 bits, else one key for each column."""

import numpy as np
import pytest

from engine.columns import distinct, sort_columns, sort_order

ROWS = 500


@pytest.mark.parametrize("largest", [0, 1, 9, 2**20, 2**40, 2**62])
@pytest.mark.parametrize("smallest", [0, -3])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint64])
def test_rows_are_sorted_by_all_columns_and_equal_rows_keep_their_order(largest, smallest, dtype):
    rng = np.random.default_rng(1)
    low, high = max(smallest, np.iinfo(dtype).min), min(largest, np.iinfo(dtype).max)
    columns = {name: rng.integers(low, high, ROWS, endpoint=True).astype(dtype) for name in "abc"}
    columns["a"] %= dtype(3)
    rows = list(zip(*(columns[name].tolist() for name in "abc"), strict=True))
    expected = sorted(range(ROWS), key=rows.__getitem__)
    assert sort_order(*columns.values()).tolist() == expected
    ordered = sort_columns(columns | {"row": np.arange(ROWS)}, "abc")
    assert ordered["row"].tolist() == expected
    assert list(zip(*(ordered[name].tolist() for name in "abc"), strict=True)) == sorted(rows)


def test_no_rows():
    assert sort_order(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []


@pytest.mark.parametrize(("values", "expected"), [([], []), ([7], [7]), ([3, -1, 3, 2, -1, 3], [-1, 2, 3])])
@pytest.mark.parametrize("dtype", [np.int64, np.int16])
def test_distinct_values_ascend(values, expected, dtype):
    result = distinct(np.array(values, dtype))
    assert result.tolist() == expected
    assert result.dtype == dtype
