"""Declarations of the event loop for ``_core``, which is compiled as a module of its own."""

from libc.stdint cimport int64_t

from engine._context cimport Context, Event
from engine.kernel.events cimport ControllerEvent
from engine.kernel.thread_pool cimport ThreadPool
from engine.kernel.worker_view cimport ParallelState
from engine.kernel.world cimport Level, Unit, World

cdef enum:  # EventLoop.scheduling
    AUTO = 0
    WINDOWS = 1
    HEAP = 2
    LEVELS = 3

cdef class EventLoop:
    cdef World* w
    cdef object built
    cdef dict controllers  # node, or -1 for the mobile nodes -> on_event of its controller
    cdef bint has_controllers
    cdef Context context
    cdef int64_t max_window_ps
    cdef int64_t max_level_window_ps
    cdef int64_t max_parallel_window_ps
    cdef int64_t current_window_ps
    cdef int64_t max_window_hops  # packet-hops of one window above which the window is halved
    cdef int threads
    cdef ParallelState parallel
    cdef ThreadPool* pool
    cdef bint runs_parallel
    cdef bint runs_by_level
    cdef int64_t min_parallel_hops  # packet-hops of one window below which other threads are not worth waking
    cdef int scheduling
    cdef int64_t release_after_packets
    cdef int64_t windows, parallel_windows, level_windows, visits, heap_steps, controller_calls, controller_ns
    cdef int64_t signals_checked_ns

    cdef Event make_event(self, ControllerEvent* e, int node)
    cdef int end_event(self, ControllerEvent* e, int64_t fate) except -1
    cdef int run_controller(self, Unit* u, int64_t end) except -1
    cdef int deliver_events(self, Unit* u, int64_t end) except -1
    cdef int control_pass(self, Unit* u, int64_t end) except -1 nogil
    cdef int visit(self, Unit* u, int64_t end) except -1 nogil
    cdef int data_pass(self, Unit* u, int64_t end) except -1 nogil
    cdef int control_passes(self, int64_t end) except -1 nogil
    cdef int run_window(self, int64_t begin, int64_t end) except -1 nogil
    cdef int check_signals(self) except -1 nogil
    cdef int64_t earliest_event(self) noexcept nogil
    cdef int advance_level(self, Level* v, int64_t begin, int64_t end) except -1 nogil
    cdef int run_level(self, Level* v, int64_t end) except -1 nogil
    cdef int run_levels(self, int64_t stop) except -1 nogil
    cdef object failed_queue(self)
    cdef int raise_failure(self, Unit* u) except -1 nogil
    cdef int release_mapped_pages(self) except -1 nogil
    cdef int run_windows(self, int64_t stop) except -1 nogil
    cdef bint visits_are_short(self) noexcept nogil
    cdef int adapt_window(self, int64_t packet_hops, int64_t max_hops, int64_t max_window_ps) except -1 nogil
    cdef int run_parallel(self, int64_t stop) except -1 nogil
    cdef int run_in_time_order(self, int64_t stop) except -1 nogil
    cdef int run_guarded(self, int64_t stop) except -1 nogil
    cdef int run_until(self, int64_t stop) except -1 nogil
