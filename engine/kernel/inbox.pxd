"""Inbox of a level: packets on their way to its units, in a few runs that are sorted by arrival (engine/kernel/levels.pxd).

Units work in the order of time, so that the packets of links with the same delay mostly arrive in the order in which they are
sent: a packet belongs at the end of a run, or a few places before it. A link stays with one run as long as this holds, and then
moves to another one. A packet that fits nowhere goes into a heap of late arrivals.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libcpp.algorithm cimport pop_heap, push_heap

from engine.kernel.packet cimport Packet, unlikely
from engine.kernel.shortage cimport require
from engine.kernel.vector cimport vector

cdef enum:
    MAX_RUNS = 16
    FIRST_SLOTS = 16
    MAX_MOVES = 12  # arrivals that may move up in a run for a new one

cdef struct Arrival:
    uint64_t key  # of the link or uplink
    void* params  # FifoParameters of the link, or of the cell's uplinks
    Packet packet  # packet.t: arrival at the far end

cdef struct ArrivalRun:
    Arrival* slots
    uint64_t mask
    uint64_t head
    uint64_t tail
    uint64_t tail_limit  # up to this tail, a new arrival overwrites none that is still there
    int64_t latest_time  # no arrival in the run is later; of an empty run, it may be later than its next arrival
    uint64_t due  # arrivals from the head on that have been looked up in this window (look_up_run)
    Inbox* inbox

cdef struct LateArrival:
    uint64_t order  # of entry into the heap
    Arrival arrival

cdef struct Inbox:
    ArrivalRun[16] runs
    int32_t run_count  # runs that have been used
    int64_t frontier  # of the level: no arrival may be earlier
    int64_t next_event  # earliest arrival or own packet of the level; control events are in NextEventIndex
    vector[LateArrival]* late  # heap
    uint64_t late_counter

cdef inline bint arrival_precedes(const Arrival* x, const Arrival* y) noexcept nogil:
    return x.packet.t < y.packet.t or (x.packet.t == y.packet.t and x.key < y.key)

cdef inline bint late_after(const LateArrival& x, const LateArrival& y) noexcept nogil:
    """Order the heap: the earliest arrival is at the front, of equal ones the one that entered first."""
    if arrival_precedes(&y.arrival, &x.arrival):
        return True
    return not arrival_precedes(&x.arrival, &y.arrival) and y.order < x.order

cdef inline void push_late(Inbox* inbox, const Arrival* x) noexcept nogil:
    cdef LateArrival item
    item.order, item.arrival = inbox.late_counter, x[0]
    inbox.late_counter += 1
    inbox.late.push_back(item)
    push_heap(inbox.late.begin(), inbox.late.end(), &late_after)

cdef inline void pop_late(Inbox* inbox, Arrival* top) noexcept nogil:
    top[0] = inbox.late.data().arrival
    pop_heap(inbox.late.begin(), inbox.late.end(), &late_after)
    inbox.late.pop_back()

cdef inline void grow_run(ArrivalRun* r) noexcept nogil:
    cdef uint64_t capacity = 2 * (r.mask + 1) if r.slots != NULL else FIRST_SLOTS, i = r.head
    cdef Arrival* slots = <Arrival*>require(malloc(capacity * sizeof(Arrival)))
    while i != r.tail:
        slots[i & (capacity - 1)] = r.slots[i & r.mask]
        i += 1
    free(r.slots)
    r.slots, r.mask = slots, capacity - 1

cdef inline void extend_run(ArrivalRun* r) noexcept nogil:
    """Extend ``tail_limit``, or double a full run."""
    if r.slots == NULL or r.tail - r.head > r.mask:
        grow_run(r)
    r.tail_limit = r.head + r.mask + 1

cdef inline Packet* next_run_packet(ArrivalRun* r) noexcept nogil:
    """Return the packet of the next slot, which is written before ``add_arrival`` or left alone."""
    if unlikely(r.tail == r.tail_limit):
        extend_run(r)
    return &r.slots[r.tail & r.mask].packet

cdef inline bint insert_into_run(ArrivalRun* r) noexcept nogil:
    """Move the arrival in the next slot up to its place: behind earlier ones and those of the same instant and key.

    Return False if more than ``MAX_MOVES`` others would have to move.
    """
    cdef Arrival* a = r.slots
    cdef uint64_t mask = r.mask, i = r.tail, last = r.head, place
    cdef Arrival x = a[r.tail & mask]
    if r.tail - r.head > MAX_MOVES:
        last = r.tail - MAX_MOVES
    while i != last and arrival_precedes(&x, &a[(i - 1) & mask]):
        i -= 1
    if i == last and last != r.head and arrival_precedes(&x, &a[(i - 1) & mask]):
        return False
    place = i
    i = r.tail
    while i != place:
        a[i & mask] = a[(i - 1) & mask]
        i -= 1
    a[place & mask] = x
    r.tail += 1
    return True

cdef inline ArrivalRun* find_run(Inbox* inbox, const Arrival* x) noexcept nogil:
    """Return the run that ends last before an arrival, else an empty one; NULL if there is none."""
    cdef ArrivalRun* best = NULL
    cdef ArrivalRun* empty = NULL
    cdef ArrivalRun* r
    cdef const Arrival* end
    cdef int i
    for i in range(inbox.run_count):
        r = &inbox.runs[i]
        if r.head == r.tail:
            empty = r
            continue
        end = &r.slots[(r.tail - 1) & r.mask]
        if not arrival_precedes(x, end) and (best == NULL or arrival_precedes(&best.slots[(best.tail - 1) & best.mask], end)):
            best = r
    if best != NULL or empty != NULL:
        return best if best != NULL else empty
    if inbox.run_count == MAX_RUNS:
        return NULL
    inbox.run_count += 1
    return &inbox.runs[inbox.run_count - 1]

cdef inline void add_arrival(ArrivalRun** run, void* params, uint64_t key, bint may_move) noexcept nogil:
    """Put the packet in the next slot of a link's run in its place, in this run or in another one, which is the link's then.

    ``may_move`` is False if the packet before it on the link arrives at the same instant: both must stay in order.
    """
    cdef ArrivalRun* r = run[0]
    cdef Arrival* x = &r.slots[r.tail & r.mask]
    cdef int64_t t = x.packet.t
    x.key, x.params = key, params
    if t < r.inbox.next_event:
        r.inbox.next_event = t
    if t > r.latest_time:
        r.latest_time = t
        r.tail += 1
    else:
        add_early_arrival(run, may_move)

cdef inline void add_early_arrival(ArrivalRun** run, bint may_move) noexcept nogil:
    """Put the arrival in the next slot, which is not later than the last one that entered the run, in its place."""
    cdef ArrivalRun* r = run[0]
    cdef ArrivalRun* other
    cdef Arrival* x = &r.slots[r.tail & r.mask]
    if insert_into_run(r):
        return
    other = find_run(r.inbox, x) if may_move else NULL
    if other == NULL:
        push_late(r.inbox, x)
        return
    next_run_packet(other)
    other.slots[other.tail & other.mask] = x[0]
    other.tail += 1
    other.latest_time = x.packet.t
    run[0] = other
