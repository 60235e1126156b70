"""Declarations of events and contexts, which the event loop fills."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libcpp.unordered_map cimport unordered_map

from engine.kernel.events cimport Action
from engine.kernel.world cimport Unit, World

cdef class Event:  # the objects are attributes in Python (``publish_attributes`` in _context.pyx)
    cdef int64_t fate
    cdef object time_ps, node, mobile, kind, code, source, via
    cdef tuple args

cdef class Context:
    cdef World* w
    cdef Unit* u  # NULL while no controller is being called
    cdef Event event
    cdef uint64_t order
    cdef unordered_map[int64_t, uint32_t] message_counts  # mobile << 32 | (sending node + 1) -> messages sent
    cdef object node_keys
    cdef int64_t time_ps
    cdef int32_t node
    cdef int32_t mobile
    cdef object time_ps_object, node_object, mobile_object  # the same, as attributes in Python
    cdef void make_current(self, Event event, int64_t time_ps, int32_t node, int32_t mobile)
    cdef int require_active(self) except -1
    cdef Action new_action(self, int op) except *
    cdef int require_node(self) except -1
    cdef int require_mobiles(self) except -1
    cdef int require_cell(self, object node_index) except -1
    cdef bint check_copy_in_flight(self, bint copy_in_flight) except -1
    cdef int64_t to_expiry(self, object until_ps) except -1
