"""Declarations of the rows of intervals, which the engine class fills."""

from libc.stdint cimport int64_t

from engine.kernel.world cimport World

cdef class ElementRows:
    cdef int64_t[:, ::1] counters  # of each element now, and at the begin of the interval
    cdef int64_t[:, ::1] previous
    cdef int64_t[:, ::1] rows  # begin, end, element and the columns of a sample; those from ``count`` on are free
    cdef Py_ssize_t count
    cdef list parts  # full blocks of rows
    cdef int state_columns  # one bit for each
    cdef int busy_column  # low word of the busy time, or -1

    cdef int end_interval(self, int64_t begin, int64_t end) except -1
    cdef int keep_rows(self) except -1
    cdef list take(self)

cdef class IntervalRows:
    cdef ElementRows links, nodes, flows
    cdef int64_t begin

    cdef int start(self, World* w, int64_t reached) except -1
    cdef int end_interval(self, World* w, int64_t reached) except -1
    cdef object take(self)
