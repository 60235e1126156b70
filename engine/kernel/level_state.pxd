"""Moves of packets between the rings of links and the inboxes of levels, at the beginning and the end of a slice.

Between two slices all packets are in rings and in the cells' queues of arrivals, so that a checkpoint, a result and the other
schedules do not know of levels.
"""

from libc.stdint cimport int64_t, uint64_t
from libcpp.algorithm cimport make_heap, sort, stable_sort

from engine.kernel.fifo cimport CONTROL_COUNT_MAX, Fifo, FifoParameters, next_slot, packet_bytes
from engine.kernel.inbox cimport Arrival, ArrivalRun, LateArrival, arrival_precedes, late_after, next_run_packet
from engine.kernel.levels cimport next_control_time, sends_after
from engine.kernel.next_event cimport NEVER, atomic_min, atomic_set_bits
from engine.kernel.node_visit cimport compute_next_event
from engine.kernel.own_packets cimport next_source_time
from engine.kernel.packet cimport CONTROL, Packet
from engine.kernel.uplink_arrivals cimport ArrivalQueue, UplinkArrival, sort_arrivals
from engine.kernel.vector cimport vector
from engine.kernel.world cimport UNIT_MOBILES, Cell, Level, Unit, UnitSource, World, note_control_arrival

cdef inline bint arrival_before_in_run(const Arrival& x, const Arrival& y) noexcept nogil:
    return arrival_precedes(&x, &y)

cdef inline bint late_before(const LateArrival& x, const LateArrival& y) noexcept nogil:
    return late_after(y, x)

# -- into inboxes -------------------------------------------------------------------------------------------------------

cdef inline void put_into_inbox(World* w, FifoParameters* params, uint64_t key, const Packet* p) noexcept nogil:
    """Append a packet to its run, which is sorted later."""
    cdef ArrivalRun* r = params.run
    next_run_packet(r)[0] = p[0]
    r.slots[r.tail & r.mask].key, r.slots[r.tail & r.mask].params = key, params
    r.tail += 1
    params.last_arrival = p.t
    if p.flags & CONTROL:
        note_control_arrival(w, &w.unit[params.destination], key, p)

cdef inline void empty_ring(World* w, Fifo* f) noexcept nogil:
    """Put the packets of a ring into the inbox. The ring still records those in the system."""
    f.params.run = f.params.first_run
    f.params.last_arrival = -1
    while f.head != f.tail:
        put_into_inbox(w, f.params, f.key, &f.ring[f.head & f.mask])
        f.head += 1
    f.state.control_count = 0

cdef inline void empty_cell(World* w, Cell* c) noexcept nogil:
    cdef ArrivalQueue* q = &c.arrivals
    cdef size_t i
    c.uplink_params.run = c.uplink_params.first_run
    c.uplink_params.last_arrival = -1
    sort_arrivals(q)
    for i in range(q.head, q.items.size()):
        put_into_inbox(w, c.uplink_params, q.items.data()[i].key, &q.items.data()[i].packet)
    q.items.clear()
    q.head = 0
    q.control_count = 0
    for i in range(c.active_uplinks.size()):
        empty_ring(w, c.active_uplinks.data()[i])
        w.backlogged_uplinks.push_back(c.active_uplinks.data()[i])
    c.active_uplinks.clear()

cdef inline void enter_level_schedule(World* w) noexcept nogil:
    """Put all packets that are on their way to a node into the inboxes of the levels."""
    cdef Level* v
    cdef Unit* u
    cdef UnitSource x
    cdef ArrivalRun* r
    cdef int i, k
    cdef size_t j
    w.by_level = True
    for i in range(w.units):
        u = &w.unit[i]
        u.control_arrivals.clear()
        for j in range(u.inbound_fifos.size()):
            empty_ring(w, u.inbound_fifos.data()[j])
        for j in range(u.ready_word_count):
            u.ready_words[j] = 0
    for i in range(w.cells):
        empty_cell(w, &w.cell[i])
    for i in range(w.levels):
        v = &w.level[i]
        v.inbox.next_event = NEVER
        v.inbox.run_count = v.first_runs
        v.sources.clear()
        for k in range(v.unit_count):
            u = &v.units[k]
            if u.kind == UNIT_MOBILES:
                continue
            x.t, x.unit = next_source_time(u), u
            u.sends_own_packets = x.t < NEVER
            if x.t < NEVER:
                v.sources.push_back(x)
                v.inbox.next_event = min(v.inbox.next_event, x.t)
            u.next_event[0] = next_control_time(u)
            u.group_bound[0] = 0  # a lower bound, which the next lookup makes exact
        make_heap(v.sources.begin(), v.sources.end(), &sends_after)
        for k in range(v.inbox.run_count):
            r = &v.inbox.runs[k]
            if r.tail:
                stable_sort(r.slots, r.slots + r.tail, &arrival_before_in_run)  # the head is at slot 0
                v.inbox.next_event = min(v.inbox.next_event, r.slots[0].packet.t)
                r.latest_time = r.slots[r.tail - 1].packet.t

# -- back into rings ----------------------------------------------------------------------------------------------------

cdef inline void append_to_ring(World* w, Fifo* f, const Packet* p) noexcept nogil:
    next_slot(f, w.retired_rings)[0] = p[0]
    f.tail += 1
    f.state.bytes += packet_bytes(p)
    if p.flags & CONTROL:
        f.state.control_count += f.state.control_count < CONTROL_COUNT_MAX
    atomic_set_bits(f.params.ready_word, f.params.ready_bit)

cdef inline void clear_ring(Fifo* f) noexcept nogil:
    """Remove the records of packets in the system: all of these packets are in the inbox, and return to the ring."""
    f.params.run = NULL
    f.head = f.first_in_system = f.tail
    f.state.bytes = 0
    f.state.control_count = 0

cdef inline bint fifo_key_before(Fifo* const& x, Fifo* const& y) noexcept nogil:
    return x.key < y.key

cdef inline void* find_backlogged_uplink(World* w, uint64_t key) noexcept nogil:
    """Return the FIFO of an uplink, NULL if it has none. ``backlogged_uplinks`` is sorted by key."""
    cdef Fifo** fifos = w.backlogged_uplinks.data()
    cdef size_t low = 0, high = w.backlogged_uplinks.size(), middle
    while low < high:
        middle = (low + high) >> 1
        if fifos[middle].key < key:
            low = middle + 1
        else:
            high = middle
    return fifos[low] if low < w.backlogged_uplinks.size() and fifos[low].key == key else NULL

cdef inline void return_arrival(World* w, const Arrival* a) noexcept nogil:
    cdef FifoParameters* params = <FifoParameters*>a.params
    cdef UplinkArrival arrival
    cdef Cell* c
    cdef void* fifo = params.fifo if params.cell < 0 else find_backlogged_uplink(w, a.key)
    if fifo != NULL:
        append_to_ring(w, <Fifo*>fifo, &a.packet)
        return
    c = &w.cell[params.cell]
    arrival.key, arrival.packet = a.key, a.packet
    c.arrivals.items.push_back(arrival)
    c.arrivals.control_count += (a.packet.flags & CONTROL) != 0

cdef inline void leave_level(World* w, Level* v) noexcept nogil:
    cdef vector[Arrival] arrivals
    cdef ArrivalRun* r
    cdef size_t i
    cdef int k
    for k in range(v.inbox.run_count):
        r = &v.inbox.runs[k]
        while r.head != r.tail:
            arrivals.push_back(r.slots[r.head & r.mask])
            r.head += 1
        r.head = r.tail = 0
        r.latest_time = 0
        r.tail_limit = r.mask + 1 if r.slots != NULL else 0
    sort(v.inbox.late.begin(), v.inbox.late.end(), &late_before)
    for i in range(v.inbox.late.size()):
        arrivals.push_back(v.inbox.late.data()[i].arrival)
    v.inbox.late.clear()
    stable_sort(arrivals.begin(), arrivals.end(), &arrival_before_in_run)
    for i in range(arrivals.size()):
        return_arrival(w, &arrivals[i])

cdef inline void leave_level_schedule(World* w) noexcept nogil:
    """Return all packets from the inboxes to their rings and cells."""
    cdef Unit* u
    cdef Fifo* f
    cdef int i
    cdef size_t j
    w.by_level = False
    for i in range(w.units):
        for j in range(w.unit[i].inbound_fifos.size()):
            clear_ring(w.unit[i].inbound_fifos.data()[j])
    for i in range(w.cells):
        w.cell[i].uplink_params.run = NULL
    for j in range(w.backlogged_uplinks.size()):
        f = w.backlogged_uplinks.data()[j]
        clear_ring(f)
        w.cell[f.params.cell].active_uplinks.push_back(f)
    sort(w.backlogged_uplinks.begin(), w.backlogged_uplinks.end(), &fifo_key_before)
    for i in range(w.levels):
        leave_level(w, &w.level[i])
    w.backlogged_uplinks.clear()
    for i in range(w.units):
        u = &w.unit[i]
        if u.kind != UNIT_MOBILES:
            u.control_arrivals.clear()
            u.next_event[0] = compute_next_event(w, u)
            atomic_min(u.group_bound, u.next_event[0])
