"""Events of controllers in the order of phase 1, and the actions that controllers request."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from engine.kernel.packet cimport Packet
from engine.kernel.vector cimport vector

cdef enum:  # ControllerEvent.kind
    EVENT_SCHEDULED = 0
    EVENT_TIMER = 1
    EVENT_MESSAGE = 2
    EVENT_REFUSED = 3  # a message that found the registration queue full

cdef struct ControllerEvent:
    int64_t t
    uint64_t mobile_key
    int32_t kind
    int32_t mobile
    uint64_t link_key  # of the downlink, for messages to mobile nodes; else 0
    uint64_t order  # of creation at this unit
    int64_t arg
    int32_t code
    int32_t message
    int32_t via

cdef inline bint event_before(const ControllerEvent* a, const ControllerEvent* b) noexcept nogil:
    if a.t != b.t:
        return a.t < b.t
    if a.mobile_key != b.mobile_key:
        return a.mobile_key < b.mobile_key
    if a.kind != b.kind:
        return a.kind < b.kind
    if a.link_key != b.link_key:
        return a.link_key < b.link_key
    return a.order < b.order

cdef inline void push_event(vector[ControllerEvent]* heap, ControllerEvent* e) noexcept nogil:
    cdef size_t i = heap.size(), up
    cdef ControllerEvent* a
    heap.push_back(e[0])
    a = heap.data()
    while i > 0:
        up = (i - 1) >> 1
        if not event_before(e, &a[up]):
            break
        a[i] = a[up]
        i = up
    a[i] = e[0]

cdef inline ControllerEvent pop_event(vector[ControllerEvent]* heap) noexcept nogil:
    cdef ControllerEvent* a = heap.data()
    cdef ControllerEvent top = a[0], last = heap.back()
    cdef size_t n, i = 0, child
    heap.pop_back()
    n = heap.size()
    if n:
        while True:
            child = 2 * i + 1
            if child >= n:
                break
            if child + 1 < n and event_before(&a[child + 1], &a[child]):
                child += 1
            if not event_before(&a[child], &last):
                break
            a[i] = a[child]
            i = child
        a[i] = last
    return top

cdef enum:  # Action.op, named as the methods of Context; arg0 and arg1 are given in parentheses
    SEND = 0  # (cell that a mobile node sends through, 1: straight to the cell's downlink)
    BIND = 1  # (care-of node, header bytes)
    ADD_BINDING = 2  # (care-of node, header bytes)
    DELIVER_LOCALLY = 3
    SET_BUFFER = 4  # (packets, bytes; UNLIMITED: no limit), with Action.gate
    UNBIND = 5  # (care-of node)
    UNBIND_ALL = 6
    SET_UPSTREAM_ROUTE = 7  # (cell)
    BUFFER_UPSTREAM = 8  # (packets, bytes; UNLIMITED: no limit)
    CLEAR_UPSTREAM_ROUTE = 9
    BEGIN_MEASUREMENT = 10  # (id of the span)
    END_MEASUREMENT = 11
    COUNT_AFTER_MARKER = 12  # (cell)
    BIND_BESIDE_CELL = 13  # (care-of node, header bytes); the node's own cell gets a copy too

cdef struct Action:
    int64_t t
    uint64_t mobile_key
    uint64_t order  # of the requests of this run
    int32_t op
    int32_t mobile
    int64_t arg0
    int64_t arg1
    int64_t expiry
    int32_t tunnel_flags  # CareOf.tunnel_flags
    int32_t gate  # PacketBuffer.gate
    int32_t copy_in_flight
    Packet packet

cdef inline bint action_before(const Action& x, const Action& y) noexcept nogil:
    if x.t != y.t:
        return x.t < y.t
    if x.mobile_key != y.mobile_key:
        return x.mobile_key < y.mobile_key
    return x.order < y.order

cdef enum:
    MAX_ARGS = 6  # of a message

cdef struct Message:  # content of a control packet
    int32_t code
    int32_t mobile
    int32_t source
    uint32_t reference_count  # packet copies and events that still need it
    int64_t hostile  # 1 if an attacker caused it: counted apart, treated like any other
    uint64_t packet_key
    int64_t args[6]
