"""What an engine holds, for the modules that are compiled apart from its loop."""

from libc.stdint cimport int64_t

from engine._control cimport Context, Event
from engine.events cimport Pending
from engine.threads cimport Pool
from engine.views cimport Crew
from engine.world cimport Unit, World

cdef class Engine:
    cdef World* w
    cdef object built
    cdef object network
    cdef dict controllers  # by node: whether it takes batches, and what is called
    cdef Context context
    cdef int64_t reached
    cdef int64_t cap  # largest window to use
    cdef int64_t span  # window in use
    cdef int64_t cap_beside  # the same where units are visited side by side
    cdef int threads
    cdef Crew crew
    cdef Pool* pool
    cdef bint beside_now
    cdef int64_t least_beside
    cdef int scheduling
    cdef bint heap_now
    cdef bint batch
    cdef bint halfway  # while it runs; for good once an exception broke a run off
    cdef int64_t most_drawn
    cdef object memory_limit
    cdef object seed
    cdef object links  # names of those whose hops are recorded
    cdef object later  # hops that start after what has been handed over
    cdef object asked  # window_ps
    cdef int tunnel_limit
    cdef int record
    cdef bint over  # the controllers have been let go
    cdef int64_t windows, windows_beside, visits, steps, calls, controller_ns, few_events, few_visits

    cdef int open(self) except -1
    cdef int put_controller(self, int node, object controller) except -1
    cdef Event wrap(self, Pending* e, int node)
    cdef int end_event(self, Pending* e, int64_t fate) except -1
    cdef int control(self, Unit* u, int64_t end) except -1
    cdef int call_controller(self, Unit* u, int64_t end) except -1
    cdef int first_pass(self, Unit* u, int64_t end) except -1 nogil
    cdef int visit(self, Unit* u, int64_t end) except -1 nogil
    cdef int broken(self, Unit* u) except -1 nogil
    cdef int give_back(self) except -1 nogil
    cdef int64_t earliest(self) noexcept nogil
    cdef int by_windows(self, int64_t stop) except -1 nogil
    cdef int end_window(self, int64_t records, int64_t most, int64_t cap) except -1 nogil
    cdef int beside(self, int64_t stop) except -1 nogil
    cdef int by_heap(self, int64_t stop) except -1 nogil
    cdef int go(self, int64_t stop) except -1 nogil
    cdef int whole(self) except -1
