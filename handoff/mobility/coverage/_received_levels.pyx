# distutils: language = c++
# cython: language_level=3
"""Loops over the routers and instants of a path: attenuation, and shadowing between its points (path_loss.py)."""

import numpy as np

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    LOG_TABLE_SIZE = 4097

cdef int64_t LN2 = 762_123_384_786  # engine.rng.LN2

cdef inline int64_t log_fixed_point(int64_t value, const int64_t* log_table) noexcept nogil:
    """Return 2**40 times the natural logarithm of a positive integer, as ``engine.rng.log_fixed_point`` does for an array.

    The conversion to floating point only normalises: it rounds to 53 bits in a unique way, and its bits are used as integers.
    """
    cdef double normalised = <double>value
    cdef uint64_t bits
    memcpy(&bits, &normalised, sizeof(bits))
    cdef int64_t exponent = <int64_t>(bits >> 52) - 1023
    cdef int i = <int>((bits >> 40) & 4095)
    cdef int64_t fraction = <int64_t>(bits & ((<uint64_t>1 << 40) - 1))
    cdef int64_t step = log_table[i + 1] - log_table[i]
    return exponent * LN2 + log_table[i] + ((step >> 8) * (fraction >> 16) >> 16)

cdef inline int64_t clip(int64_t x, int64_t bound) noexcept nogil:
    return bound if x > bound else (-bound if x < -bound else x)


def attenuate(
    const int64_t[::1] dx_mm, const int64_t[::1] dy_mm, int64_t max_offset_mm, const int64_t[::1] log_table,
    int64_t log_reference, int64_t factor, int64_t level,
):
    """Return the level at each offset: ``level`` minus the loss beyond the reference distance.

    Parameters
    ----------
    dx_mm, dy_mm : ndarray of int64, shape (n,)
        Offset from the router.
    max_offset_mm : int
        Offset on an axis beyond which the level no longer falls.
    log_table : ndarray of int64
        ``engine.rng.log_table``.
    log_reference : int
        2**40 times the logarithm of the square of the reference distance.
    factor : int
        2**16 times the thousandths of a decibel for each unit of the logarithm of the squared distance.
    level : int
        Level at the reference distance and nearer, in thousandths of a decibel.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    cdef Py_ssize_t i, n = dx_mm.shape[0]
    if dy_mm.shape[0] != n or log_table.shape[0] != LOG_TABLE_SIZE:
        raise ValueError("offsets of one length and the table of logarithms are required")
    found = np.empty(n, np.int64)
    cdef int64_t[::1] out = found
    cdef int64_t x, y, squared, ratio
    for i in range(n):
        x, y = clip(dx_mm[i], max_offset_mm), clip(dy_mm[i], max_offset_mm)
        squared = x * x + y * y
        ratio = log_fixed_point(squared if squared > 1 else 1, &log_table[0]) - log_reference
        if ratio < 0:
            ratio = 0
        out[i] = level - (((ratio >> 16) * factor + (<int64_t>1 << 39)) >> 40)
    return found


def interpolate(const int64_t[:, ::1] points, const int64_t[::1] point, const int64_t[::1] rest, int64_t step):
    """Return values between points: for each row of ``points`` and each instant, ``rest / step`` beyond a point.

    Parameters
    ----------
    points : ndarray of int64, shape (rows, m)
        Values at points ``step`` apart.
    point : ndarray of int64, shape (n,)
        Point before each instant, from 0 to m - 2.
    rest : ndarray of int64, shape (n,)
        Way from that point, from 0 to ``step`` - 1.
    step : int
        Distance of two points.

    Returns
    -------
    ndarray of int64, shape (rows, n)
        Rounded down from the point before.
    """
    cdef Py_ssize_t row, i, n = point.shape[0]
    if rest.shape[0] != n or (n and not 0 <= np.min(point) <= np.max(point) <= points.shape[1] - 2):
        raise ValueError("each instant needs a point before it and one after it")
    found = np.empty((points.shape[0], n), np.int64)
    cdef int64_t[:, ::1] out = found
    cdef int64_t a, product, quotient
    for row in range(points.shape[0]):
        for i in range(n):
            a = points[row, point[i]]
            product = (points[row, point[i] + 1] - a) * rest[i]
            quotient = product // step  # C rounds towards 0
            out[row, i] = a + quotient - (quotient * step > product)
    return found
