"""What the loop holds, for the modules that are compiled apart from it."""

from libc.stdint cimport int64_t

from engine._context cimport Context, Event
from engine.kernel.events cimport Pending
from engine.kernel.thread_pool cimport Pool
from engine.kernel.worker_view cimport Crew
from engine.kernel.world cimport Unit, World

cdef enum:  # scheduling
    AUTO = 0
    WINDOWS = 1
    HEAP = 2

cdef class Loop:
    cdef World* w
    cdef object built
    cdef dict controllers  # by node: whether it takes batches, and what is called
    cdef bint controlled  # whether there are any
    cdef Context context
    cdef int64_t cap  # largest window to use
    cdef int64_t cap_beside  # the same where units are visited side by side
    cdef int64_t span  # window in use
    cdef int64_t most_records  # that one window may move before it is halved
    cdef int threads
    cdef Crew crew
    cdef Pool* pool
    cdef bint beside_now
    cdef int64_t least_beside  # packet-hops in a window that are worth other threads
    cdef int scheduling
    cdef int64_t most_drawn
    cdef int64_t windows, windows_beside, visits, steps, calls, controller_ns

    cdef Event wrap(self, Pending* e, int node)
    cdef int end_event(self, Pending* e, int64_t fate) except -1
    cdef int control(self, Unit* u, int64_t end) except -1
    cdef int call_controller(self, Unit* u, int64_t end) except -1
    cdef int first_pass(self, Unit* u, int64_t end) except -1 nogil
    cdef int visit(self, Unit* u, int64_t end) except -1 nogil
    cdef int after_first(self, Unit* u, int64_t end) except -1 nogil
    cdef int first_passes(self, int64_t end) except -1 nogil
    cdef int64_t go_ahead(self, int64_t begin, int64_t stop) noexcept nogil
    cdef int window(self, int64_t begin, int64_t end) except -1 nogil
    cdef int64_t earliest(self) noexcept nogil
    cdef int broken(self, Unit* u) except -1 nogil
    cdef int give_back(self) except -1 nogil
    cdef int by_windows(self, int64_t stop) except -1 nogil
    cdef int end_window(self, int64_t records, int64_t most, int64_t cap) except -1 nogil
    cdef int beside(self, int64_t stop) except -1 nogil
    cdef int by_heap(self, int64_t stop) except -1 nogil
    cdef int go(self, int64_t stop) except -1 nogil
