"""Declarations of the engine class, shared with the module that saves and restores it."""

from libc.stdint cimport int64_t

from engine._loop cimport EventLoop

cdef class Engine(EventLoop):
    cdef object network
    cdef int64_t reached_ps
    cdef bint running  # true while a run is in progress, and for good after an exception has interrupted one
    cdef object memory_limit
    cdef object seed
    cdef object traced_links  # names
    cdef object pending_trace  # traced hops that start at or after the time up to which the trace was taken
    cdef object requested_window_ps
    cdef int tunnel_limit
    cdef int record_level
    cdef bint controllers_released

    cdef int build_world(self) except -1
    cdef int put_controller(self, int node, object controller) except -1
    cdef int check_usable(self) except -1
