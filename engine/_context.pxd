"""Events and contexts, as the engine fills them."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libcpp.unordered_map cimport unordered_map

from engine.kernel.events cimport Action
from engine.kernel.world cimport Unit, World

cdef class Event:
    cdef readonly int64_t time_ps
    cdef readonly int32_t node
    cdef readonly int32_t mobile
    cdef readonly int32_t kind
    cdef readonly int32_t code
    cdef readonly int32_t source
    cdef readonly int32_t via
    cdef readonly tuple args
    cdef int64_t fate
    cdef int64_t call  # of a controller, which it belongs to

cdef class Context:
    cdef World* w
    cdef Unit* u
    cdef Event event
    cdef int64_t call
    cdef uint64_t order
    cdef unordered_map[int64_t, uint32_t] sent  # mobile << 32 | node + 1 of the sender -> messages so far
    cdef object node_keys
    cdef readonly int64_t time_ps
    cdef readonly int32_t node
    cdef readonly int32_t mobile
    cdef void make_current(self, Event event)
    cdef int acting(self) except -1
    cdef Action blank(self, int op) except *
    cdef int at_node(self) except -1
    cdef int at_fleet(self) except -1
    cdef bint copying(self, bint again) except -1
    cdef int64_t until(self, object until_ps) except -1
