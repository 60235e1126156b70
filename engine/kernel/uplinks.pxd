"""Uplinks: sending by mobile nodes, and collection of what arrives at a router (docs/model.md, 7).

Only a backlogged uplink has a FIFO. It is made when a packet finds the transmission of the one before unfinished, and deleted
when its last packet has arrived: a new one would start in the same state.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libcpp.algorithm cimport stable_sort

from engine.kernel.binding_table cimport find_entry, remove_entry
from engine.kernel.fates cimport DETACHED, LINK_LOSS, QUEUE_FULL, drop
from engine.kernel.fifo cimport (
    ACCEPTED, BROKEN_FRONTIER, Fifo, FifoParameters, append_relayed, consume, count_control_packet, count_into_empty,
    delete_fifo, packet_bytes, transmission_time, uncount_control,
)
from engine.kernel.forwarding cimport get_mobile_fifo
from engine.kernel.inbox cimport next_run_packet
from engine.kernel.next_event cimport atomic_min
from engine.kernel.packet cimport CONTROL, LOST, SENT_DETACHED, Packet, unlikely
from engine.kernel.reception cimport is_attached
from engine.kernel.rng cimport combine
from engine.kernel.uplink_arrivals cimport (
    ArrivalQueue, UplinkArrival, UplinkState, arrival_before, insert_arrival, sort_arrivals,
)
from engine.kernel.world cimport (
    Cell, Unit, World, add_to_fingerprint, announce, copy_to_slot, draw_loss, enter_inbox, fail, mobile_key, offer_packet,
    trace_hop,
)

# -- sending ------------------------------------------------------------------------------------------------------------

cdef inline void send_upstream(World* w, const Packet* p, uint32_t m, int cell) noexcept nogil:
    """Send a packet of mobile node m at p.t on its uplink in a cell."""
    cdef Cell* c = &w.cell[cell]
    cdef bint has_fifo = c.uplinks.entry_count != 0 and find_entry(&c.uplinks, m) != NULL
    if has_fifo or w.uplink[m].idle_at > p.t or unlikely(c.uplink_params.trace_row >= 0):
        send_on_fifo(w, p, m, cell)
    else:
        send_on_idle_uplink(w, p, m, cell)

cdef inline void send_on_idle_uplink(World* w, const Packet* p, uint32_t m, int cell) noexcept nogil:
    """Send a packet on an idle uplink: its transmission begins at once."""
    cdef Cell* c = &w.cell[cell]
    cdef FifoParameters* params = c.uplink_params
    cdef UplinkState* state = &w.uplink[m]
    cdef UplinkArrival arrival
    cdef Packet* x
    cdef int64_t size = packet_bytes(p)
    cdef uint64_t finish, key
    if unlikely(size > params.limit_bytes):
        params.counters.dropped += 1
        drop(w, p, QUEUE_FULL, p.t, -1)
        return
    finish = <uint64_t>p.t + transmission_time(params, size)
    if unlikely(finish >= params.finish_limit):
        send_on_fifo(w, p, m, cell)  # it ends the run and names the uplink
        return
    key = state.key if state.cell == cell and state.key != 0 else combine(c.uplink_key, mobile_key(w, m))
    x = &arrival.packet if params.run == NULL else next_run_packet(params.run)
    x[0] = p[0]
    draw_loss(w, params, key, x)
    if unlikely(not is_attached(w, m, cell, p.t, finish)):
        x.flags |= SENT_DETACHED
    x.t = finish + params.delay
    count_into_empty(params.counters, p.extra, size)
    if unlikely(p.flags & CONTROL):
        count_control_packet(params.counters, size)
    w.packet_hops += 1
    state.idle_at, state.key, state.cell, state.bytes = finish, key, cell, <int>size
    if params.run != NULL:
        enter_inbox(w, params, key, x)
        return
    arrival.key = key
    if unlikely(arrival.packet.t < params.frontier[0] or arrival.packet.t < params.group_frontier[0]):
        fail(w, BROKEN_FRONTIER, NULL, arrival.packet.t)
    if insert_arrival(&c.arrivals, &arrival):
        atomic_min(params.next_event, arrival.packet.t)
        atomic_min(params.group_bound, arrival.packet.t)

cdef inline void send_on_fifo(World* w, const Packet* p, uint32_t m, int cell) noexcept nogil:
    """Send a packet on an uplink that has a FIFO or gets one."""
    cdef Cell* c = &w.cell[cell]
    cdef Fifo* f = get_mobile_fifo(w, &c.uplinks, c.uplink_params, c.uplink_key, m)
    cdef Packet* slot
    cdef int64_t start
    if not f.state.is_active:  # a new FIFO
        f.state.is_active = 1
        (w.backlogged_uplinks if w.by_level else c.active_uplinks).push_back(f)
        if w.uplink[m].cell == cell:
            f.idle_at, f.state.bytes = w.uplink[m].idle_at, w.uplink[m].bytes
            append_relayed(f, p.t, w.retired_rings)
    slot = copy_to_slot(w, f, p)
    start = f.idle_at if f.idle_at > p.t else p.t
    if not is_attached(w, m, cell, start, start + transmission_time(f.params, packet_bytes(p))):
        slot.flags |= SENT_DETACHED
    if offer_packet(w, f, slot) == ACCEPTED:
        if unlikely(f.params.trace_row >= 0):
            trace_hop(w, f, slot)
        announce(w, f, slot)
    elif w.failure == 0:
        drop(w, p, QUEUE_FULL, p.t, -1)

# -- arrival ------------------------------------------------------------------------------------------------------------

cdef inline void collect_uplink_arrivals(World* w, Unit* u, int64_t end) noexcept nogil:
    """Let ``next_uplink`` and ``last_uplink`` delimit the arrivals on the cell's uplinks before ``end``, in order."""
    cdef Cell* c = &w.cell[u.cell]
    cdef ArrivalQueue* q = &c.arrivals
    cdef UplinkArrival* a
    cdef size_t i = q.head, n = q.items.size()
    cdef int64_t out_bytes = 0
    sort_arrivals(q)
    a = q.items.data()
    u.uplinks_have_control = q.control_count != 0
    while i != n and a[i].packet.t < end:
        out_bytes += packet_bytes(&a[i].packet)
        q.control_count -= (a[i].packet.flags & CONTROL) != 0
        i += 1
    c.uplink_params.counters.out_packets += i - q.head
    c.uplink_params.counters.out_bytes += out_bytes
    u.next_uplink, u.last_uplink = a + q.head, a + i
    if unlikely(c.active_uplinks.size() != 0):
        collect_backlogged_arrivals(w, u, end)
    q.head = i

cdef inline void collect_backlogged_arrivals(World* w, Unit* u, int64_t end) noexcept nogil:
    """Merge the arrivals on uplinks with FIFOs into the others, and delete the FIFOs that are empty then."""
    cdef Cell* c = &w.cell[u.cell]
    cdef UplinkArrival arrival
    cdef size_t i, remaining = 0
    cdef uint32_t h
    cdef int64_t out_bytes
    cdef Fifo* f
    u.uplink_arrivals.assign(u.next_uplink, u.last_uplink)
    for i in range(c.active_uplinks.size()):
        f = c.active_uplinks.data()[i]
        h = f.head
        out_bytes = 0
        arrival.key = f.key
        while h != f.tail and f.ring[h & f.mask].t < end:
            arrival.packet = f.ring[h & f.mask]
            out_bytes += packet_bytes(&arrival.packet)
            if arrival.packet.flags & CONTROL:
                uncount_control(f, 1)
                u.uplinks_have_control = True
            u.uplink_arrivals.push_back(arrival)
            h += 1
        consume(f, h, out_bytes)
        if f.head != f.tail:
            c.active_uplinks.data()[remaining] = f
            remaining += 1
        else:
            remove_entry(&c.uplinks, f.mobile)
            delete_fifo(w.fifo_pool, f)
    c.active_uplinks.resize(remaining)
    stable_sort(u.uplink_arrivals.begin(), u.uplink_arrivals.end(), &arrival_before)
    u.next_uplink = u.uplink_arrivals.data()
    u.last_uplink = u.next_uplink + u.uplink_arrivals.size()

cdef inline bint check_uplink_arrival(World* w, FifoParameters* params, uint64_t key, const Packet* p) noexcept nogil:
    """Add an arrival to the fingerprint. Return False if it was lost or sent without an attachment, and drop it."""
    if unlikely(p.flags & (LOST | SENT_DETACHED)):
        if p.flags & SENT_DETACHED:
            params.counters.detached += 1
        else:
            params.counters.lost += 1
        drop(w, p, DETACHED if p.flags & SENT_DETACHED else LINK_LOSS, p.t, -1)
        return False
    add_to_fingerprint(w, key, p)
    return True

cdef inline void delete_idle_uplinks(World* w, int64_t t) noexcept nogil:
    """Delete the FIFOs of uplinks whose backlog has ended by ``t``, while units run by level."""
    cdef size_t i, remaining = 0
    cdef Fifo* f
    for i in range(w.backlogged_uplinks.size()):
        f = w.backlogged_uplinks.data()[i]
        if f.idle_at > t:
            w.backlogged_uplinks.data()[remaining] = f
            remaining += 1
        else:
            remove_entry(&w.cell[f.params.cell].uplinks, f.mobile)
            delete_fifo(w.fifo_pool, f)
    w.backlogged_uplinks.resize(remaining)
