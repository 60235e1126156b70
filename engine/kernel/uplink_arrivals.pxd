"""Packets that idle uplinks of one cell carry, in the order in which they reach the router.

An uplink that is idle needs no queue of its own: its packet goes straight into the order of arrivals, which all uplinks of a cell
share. Mobile nodes send in the order of time, so that a packet mostly belongs at the end or a few places before it. Others wait
behind the sorted ones until the router looks: thousands of mobile nodes may send at one instant.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libcpp.algorithm cimport inplace_merge, stable_sort

from engine.kernel.packet cimport CONTROL, Packet, unlikely
from engine.kernel.vector cimport vector

cdef enum:
    MIN_COMPACTION = 64  # leading slots that may be unused before the others move to the front
    MAX_ARRIVAL_MOVES = 24  # arrivals that may move up for a new one

cdef struct UplinkArrival:
    uint64_t key  # of the uplink
    Packet packet  # packet.t: arrival at the router

cdef struct UplinkState:  # last packet that a mobile node sent on an idle uplink
    int64_t idle_at  # end of its transmission
    uint64_t key  # of the uplink that carried it; 0: none yet
    int32_t cell
    int32_t bytes

cdef struct ArrivalQueue:
    vector[UplinkArrival]* items  # sorted by (arrival, key) from ``head`` on, except for the last ``unsorted`` ones
    size_t head
    size_t unsorted
    int64_t control_count  # control packets from ``head`` on

cdef inline bint arrival_before(const UplinkArrival& x, const UplinkArrival& y) noexcept nogil:
    return x.packet.t < y.packet.t or (x.packet.t == y.packet.t and x.key < y.key)

cdef inline void compact_queue(ArrivalQueue* q) noexcept nogil:
    """Remove the slots before the head once they are as many as the others."""
    if q.head >= MIN_COMPACTION and 2 * q.head >= q.items.size():
        q.items.erase(q.items.begin(), q.items.begin() + q.head)
        q.head = 0

cdef inline bint insert_arrival(ArrivalQueue* q, const UplinkArrival* x) noexcept nogil:
    """Insert an arrival behind all earlier ones and those of the same instant and key. Return whether it may come first now."""
    cdef UplinkArrival* a
    cdef size_t i, place, last
    compact_queue(q)
    q.items.push_back(x[0])
    q.control_count += (x.packet.flags & CONTROL) != 0
    if unlikely(q.unsorted != 0):
        q.unsorted += 1
        return True
    a = q.items.data()
    place = i = q.items.size() - 1
    last = i - MAX_ARRIVAL_MOVES if i - q.head > MAX_ARRIVAL_MOVES else q.head
    while place > last and unlikely(arrival_before(x[0], a[place - 1])):
        place -= 1
    if unlikely(place == last and last != q.head and arrival_before(x[0], a[place - 1])):
        q.unsorted = 1
        return True
    while i > place:
        a[i] = a[i - 1]
        i -= 1
    a[i] = x[0]
    return i == q.head

cdef inline void sort_arrivals(ArrivalQueue* q) noexcept nogil:
    """Bring all arrivals into their order; of the same instant and key, the one that was inserted first stays first."""
    cdef size_t first = q.items.size() - q.unsorted
    if unlikely(q.unsorted != 0):
        stable_sort(q.items.begin() + first, q.items.end(), &arrival_before)
        inplace_merge(q.items.begin() + q.head, q.items.begin() + first, q.items.end(), &arrival_before)
        q.unsorted = 0
