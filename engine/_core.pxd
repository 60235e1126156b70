"""Declarations of the engine class, shared with the module that saves and restores it."""

from libc.stdint cimport int64_t

from engine._interval_rows cimport IntervalRows
from engine._loop cimport EventLoop

cdef enum:  # Engine.use
    IDLE = 0
    IN_USE = 1  # a call is in progress
    BROKEN = 2  # an exception has interrupted the run

cdef class Engine(EventLoop):
    cdef object network
    cdef int64_t reached_ps
    cdef int64_t numbered_until  # up to here no flow sends more packets than its counters hold
    cdef int use  # IDLE, IN_USE or BROKEN
    cdef object memory_limit
    cdef int64_t memory_checked_until  # a run up to here takes no more than the limit
    cdef object seed
    cdef object traced_links  # names
    cdef object pending_trace  # traced hops that start at or after the time up to which the trace was taken
    cdef object requested_window_ps
    cdef int tunnel_limit
    cdef int record_level
    cdef bint controllers_released
    cdef IntervalRows intervals  # None unless recorded

    cdef int begin_use(self) except -1
    cdef int end_use(self) except -1
    cdef int build_world(self) except -1
    cdef int fill_world(self) except -1
    cdef int discard_world(self) except -1
    cdef int advance_to(self, int64_t stop, int64_t interval_ps) except -1
    cdef int require_memory(self, int64_t until) except -1
    cdef object collect_result(self)
    cdef int put_controller(self, int node, object controller) except -1
