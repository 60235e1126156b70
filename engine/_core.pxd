"""What an engine holds beside its loop."""

from libc.stdint cimport int64_t

from engine._loop cimport Loop

cdef class Engine(Loop):
    cdef object network
    cdef int64_t reached
    cdef bint batch
    cdef bint halfway  # while it runs; for good once an exception broke a run off
    cdef object memory_limit
    cdef object seed
    cdef object links  # names of those whose hops are recorded
    cdef object later  # hops that start after what has been handed over
    cdef object asked  # window_ps
    cdef int tunnel_limit
    cdef int record
    cdef bint over  # the controllers have been let go

    cdef int open(self) except -1
    cdef int put_controller(self, int node, object controller) except -1
    cdef int whole(self) except -1
