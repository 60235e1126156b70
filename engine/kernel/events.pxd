"""Pending events of a unit's controller in the order of phase 1, and the actions that controllers ask for."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libcpp.vector cimport vector

from engine.kernel.packet cimport Record

cdef enum:
    SCHEDULED = 0
    TIMER = 1
    MESSAGE = 2
    REFUSED = 3  # a message that found the registration queue full

cdef struct Pending:
    int64_t t
    uint64_t mobile_key
    int32_t kind
    int32_t mobile
    uint64_t major  # of messages to mobiles: the link key
    uint64_t minor  # order of arrival here
    int64_t arg
    int32_t code
    int32_t message
    int32_t via

cdef inline bint before(const Pending* a, const Pending* b) noexcept nogil:
    if a.t != b.t:
        return a.t < b.t
    if a.mobile_key != b.mobile_key:
        return a.mobile_key < b.mobile_key
    if a.kind != b.kind:
        return a.kind < b.kind
    if a.major != b.major:
        return a.major < b.major
    return a.minor < b.minor

cdef inline void push_event(vector[Pending]* heap, Pending* e) noexcept nogil:
    cdef size_t i = heap.size(), up
    cdef Pending* a
    heap.push_back(e[0])
    a = heap.data()
    while i > 0:
        up = (i - 1) >> 1
        if not before(e, &a[up]):
            break
        a[i] = a[up]
        i = up
    a[i] = e[0]

cdef inline Pending pop_event(vector[Pending]* heap) noexcept nogil:
    cdef Pending* a = heap.data()
    cdef Pending top = a[0], last = heap.back()
    cdef size_t n, i = 0, child
    heap.pop_back()
    n = heap.size()
    if n:
        while True:
            child = 2 * i + 1
            if child >= n:
                break
            if child + 1 < n and before(&a[child + 1], &a[child]):
                child += 1
            if not before(&a[child], &last):
                break
            a[i] = a[child]
            i = child
        a[i] = last
    return top

cdef enum:
    SEND = 0
    BIND = 1
    BIND_MORE = 2
    SET_LOCAL = 3
    SET_HOLD = 4
    UNBIND = 5
    UNBIND_ALL = 6
    ROUTE_UP = 7
    HOLD_UP = 8
    UNROUTE_UP = 9
    OPEN_SPAN = 10
    CLOSE_SPAN = 11
    MARK = 12

cdef struct Action:
    int64_t t
    uint64_t mobile_key
    uint64_t order
    int32_t op
    int32_t mobile
    int64_t a
    int64_t b
    int64_t until
    int32_t at_mobile
    int32_t again
    Record record

cdef inline bint earlier(const Action& x, const Action& y) noexcept nogil:
    if x.t != y.t:
        return x.t < y.t
    if x.mobile_key != y.mobile_key:
        return x.mobile_key < y.mobile_key
    return x.order < y.order

cdef struct Message:
    int32_t code
    int32_t mobile
    int32_t source
    uint32_t references
    uint64_t packet_key
    int64_t args[6]
