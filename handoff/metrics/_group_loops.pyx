# distutils: language = c++
# cython: language_level=3
"""Loops over values and their groups: one pass for all statistics that need no order (grouped.py)."""

import numpy as np

from libc.stdint cimport int64_t, uint8_t
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector

cdef extern from *:
    ctypedef long long int128 "__int128"


def check_lengths(Py_ssize_t length, *columns):
    """Raise ValueError unless all columns have a length."""
    for column in columns:
        if len(column) != length:
            raise ValueError(f"each column needs {length} elements, not {len(column)}")


def refuse_group(int64_t group, int64_t groups):
    """Raise ValueError because a group is too large."""
    raise ValueError(f"each group must be below {groups}, not {group}")


def count_elements(const int64_t[::1] group, int64_t groups):
    """Return the number of elements of each group.

    Parameters
    ----------
    group : ndarray of int64
        Group of each element; below 0 for no group.
    groups : int
        Number of groups.

    Returns
    -------
    ndarray of int64, shape (groups,)
    """
    cdef Py_ssize_t i
    found = np.zeros(groups, np.int64)
    cdef int64_t[::1] number = found
    for i in range(group.shape[0]):
        if group[i] >= groups:
            refuse_group(group[i], groups)
        if group[i] >= 0:
            number[group[i]] += 1
    return found


def summarise_values(const int64_t[::1] group, const int64_t[::1] value, present, int64_t groups):
    """Return number, minimum, mean and maximum of the values of each group.

    Parameters
    ----------
    group : ndarray of int64
        Group of each value; below 0 for no group.
    value : ndarray of int64
        Values.
    present : ndarray of bool
        False for values that do not count.
    groups : int
        Number of groups.

    Returns
    -------
    tuple of ndarray of int64, shape (groups,)
        The mean is exact and rounded down. All but the number are -1 for a group without values.
    """
    cdef Py_ssize_t i
    cdef int64_t g, x
    cdef const uint8_t[::1] is_present = present.view(np.uint8)
    check_lengths(group.shape[0], value, present)
    columns = np.zeros(groups, np.int64), *(np.full(groups, -1, np.int64) for _ in range(3))
    cdef int64_t[::1] number = columns[0], low = columns[1], mean = columns[2], high = columns[3]
    cdef vector[int128] total
    total.resize(groups)
    for i in range(group.shape[0]):
        g, x = group[i], value[i]
        if g < 0 or not is_present[i]:
            continue
        if g >= groups:
            refuse_group(g, groups)
        if number[g] == 0:
            low[g] = high[g] = x
        elif x < low[g]:
            low[g] = x
        elif x > high[g]:
            high[g] = x
        number[g] += 1
        total[g] += <int128>x
    for g in range(groups):
        if number[g]:
            x = <int64_t>(total[g] // <int128>number[g])
            mean[g] = x - (<int128>x * number[g] > total[g])  # C rounds towards 0
    return columns


def sort_values(
    const int64_t[::1] group, const int64_t[::1] value, present, const int64_t[::1] number, int64_t longest
):
    """Return the values of each group after those of the group before it; groups of up to ``longest`` values are sorted.

    Parameters
    ----------
    group, value, present
        As for :func:`summarise_values`.
    number : ndarray of int64, shape (groups,)
        Number of values of each group, as :func:`summarise_values` returns it.
    longest : int
        Length beyond which values keep their order.

    Returns
    -------
    ndarray of int64, shape (number.sum(),)
    """
    cdef Py_ssize_t i, groups = number.shape[0]
    cdef int64_t g, begin = 0
    cdef vector[int64_t] place
    cdef const uint8_t[::1] is_present = present.view(np.uint8)
    check_lengths(group.shape[0], value, present)
    place.resize(groups)
    for g in range(groups):
        if number[g] < 0:
            raise ValueError("the number of a group's values is below 0")
        place[g] = begin
        begin += number[g]
    ordered = np.empty(begin, np.int64)
    cdef int64_t[::1] out = ordered
    for i in range(group.shape[0]):
        g = group[i]
        if g < 0 or not is_present[i]:
            continue
        if g >= groups:
            refuse_group(g, groups)
        if place[g] == out.shape[0]:
            raise ValueError("a group has more values than its number")
        out[place[g]] = value[i]
        place[g] += 1
    begin = 0
    for g in range(groups):
        if place[g] != begin + number[g]:
            raise ValueError("the number of a group's values is wrong")
        if 1 < number[g] <= longest:
            sort(&out[begin], &out[begin] + number[g])
        begin += number[g]
    return ordered


def measure_runs(
    const int64_t[::1] row, const int64_t[::1] group, const int64_t[::1] flow, const int64_t[::1] seq, int64_t groups
):
    """Measure the runs of packets with consecutive numbers in each group; those of lost packets are loss periods (RFC 3357).

    Parameters
    ----------
    row : ndarray of int64
        Rows of the packets in ascending order, which is that of flow and sequence number.
    group, flow, seq : ndarray of int64
        Group, flow and sequence number of all packets. Those with a group below 0 are left out.
    groups : int
        Number of groups.

    Returns
    -------
    tuple of ndarray of int64, shape (groups,)
        Number of runs, length of the longest (0 without runs), and smallest difference of the numbers of two successive packets
        of one flow (-1 if there is none).
    """
    cdef Py_ssize_t i, r, before
    cdef int64_t g, step
    check_lengths(group.shape[0], flow, seq)
    if row.shape[0] and not 0 <= np.min(row) <= np.max(row) < group.shape[0]:
        raise ValueError("a row is outside the packets")
    columns = np.zeros(groups, np.int64), np.zeros(groups, np.int64), np.full(groups, -1, np.int64)
    cdef int64_t[::1] runs = columns[0], longest = columns[1], nearest = columns[2]
    cdef vector[int64_t] last, length
    last.assign(groups, -1)
    length.resize(groups)
    for i in range(row.shape[0]):
        r = row[i]
        g = group[r]
        if g < 0:
            continue
        if g >= groups:
            refuse_group(g, groups)
        before, step = last[g], 0
        if before >= 0 and flow[before] == flow[r]:
            step = seq[r] - seq[before]
            if nearest[g] < 0 or step < nearest[g]:
                nearest[g] = step
        if step == 1:
            length[g] += 1
        else:
            runs[g] += 1
            length[g] = 1
        if length[g] > longest[g]:
            longest[g] = length[g]
        last[g] = r
    return columns
