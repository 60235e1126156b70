"""All mobile nodes as one unit: reception, upstream traffic and measurement (docs/model.md, 7)."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libcpp.algorithm cimport sort

from engine.kernel.binding_table cimport (
    BUFFER, Entry, PacketBuffer, buffer_packet, delete_buffer, find_entry, find_or_insert, new_buffer, remove_entry,
)
from engine.kernel.events cimport (
    BEGIN_MEASUREMENT, BUFFER_UPSTREAM, CLEAR_UPSTREAM_ROUTE, END_MEASUREMENT, EVENT_MESSAGE, SEND, SET_UPSTREAM_ROUTE, Action,
    ControllerEvent, action_before, push_event,
)
from engine.kernel.fates cimport DETACHED, QUEUE_FULL, drop
from engine.kernel.fifo cimport IN_CONTROL_LIST, ORPHAN, Fifo, consume, packet_bytes, prefetch, transmission_time, uncount_control
from engine.kernel.next_event cimport atomic_min
from engine.kernel.node_visit cimport deferred_before, push_due_events
from engine.kernel.own_packets cimport advance_source, earliest_source, next_source_time
from engine.kernel.packet cimport CONTROL_NODE, DATA_UP, Packet, unlikely
from engine.kernel.reception cimport (
    advance_boundaries, advance_known_times, check_reception, end_span, mark_contested, receive_data,
)
from engine.kernel.sources cimport CbrRing, Source, emit
from engine.kernel.table_changes cimport free_unused_downlink
from engine.kernel.uplinks cimport delete_idle_uplinks, send_upstream
from engine.kernel.world cimport (
    CONTESTED, NO_CELL, PHASE_ACTION, PHASE_ARRIVAL, PHASE_SOURCE, ROUTE_BUFFER, UNIT_MOBILES, DeferredItem, MobileNode, Span,
    Unit, World, find_last_delivery, mobile_key, packet_kind, packet_mobile, trace_once,
)

cdef enum:
    PREFETCH_MIN_DOWNLINKS = 512  # active downlinks above which their state no longer fits the first cache levels
    PREFETCH_MIN_SOURCES = 2048  # sources of a ring above which the state of their mobile nodes does not

# -- pass 1 -------------------------------------------------------------------------------------------------------------

cdef inline int64_t time_reached_by_all(World* w, int64_t end) noexcept nogil:
    """Return the time that all units have reached as the mobile nodes advance to ``end``: levels may lag behind them."""
    cdef int i
    if w.by_level:
        for i in range(w.levels):
            if w.level[i].units.kind != UNIT_MOBILES:
                end = min(end, w.level[i].inbox.frontier)
    return end

cdef inline void receive_control_messages(World* w, Unit* u, int64_t end) noexcept nogil:
    cdef size_t i, remaining = 0
    cdef uint32_t h
    cdef Fifo* f
    cdef Packet* p
    cdef ControllerEvent e
    for i in range(w.control_downlinks.size()):
        f = w.control_downlinks[0][i]
        if f.state.control_count == 0:
            f.state.flags &= ~<uint64_t>IN_CONTROL_LIST
            free_unused_downlink(w, f, time_reached_by_all(w, end))
            continue
        w.control_downlinks[0][remaining] = f
        remaining += 1
        h = f.head
        while h != f.tail and f.ring[h & f.mask].t < end:
            p = &f.ring[h & f.mask]
            if unlikely(f.params.trace_row >= 0):
                trace_once(w, f, p)  # data packets, too: the trace keeps the order of the FIFO
            if packet_kind(p) >= CONTROL_NODE and check_reception(w, f, p):
                if unlikely(w.trace != NULL):
                    w.trace.clear_tunnels(w.trace, p[0])
                e.t = p.t
                e.mobile = p.flow
                e.mobile_key = mobile_key(w, p.flow)
                e.kind = EVENT_MESSAGE
                e.link_key = f.key
                e.order = u.event_counter
                e.arg = 0
                e.code = w.messages.data()[p.seq].code
                e.message = p.seq
                e.via = f.params.node
                u.event_counter += 1
                push_event(u.pending_events, &e)
            h += 1
    w.control_downlinks.resize(remaining)

cdef inline bint begin_mobiles_visit(World* w, Unit* u, int64_t end) noexcept nogil:
    u.actions.clear()
    advance_boundaries(w, end)
    push_due_events(w, u, end)
    receive_control_messages(w, u, end)
    return u.pending_events.size() > 0 and u.pending_events.data()[0].t < end

# -- uplink -------------------------------------------------------------------------------------------------------------

cdef inline void route_upstream(World* w, const Packet* p, uint32_t m) noexcept nogil:
    """Route an upstream data packet of the mobile node at p.t."""
    cdef Entry* e
    cdef int route = w.mobile[m].route
    if route < ROUTE_BUFFER:
        send_upstream(w, p, m, route)
    elif route == NO_CELL:
        drop(w, p, DETACHED, p.t, -1)
    else:
        e = find_entry(&w.upstream_buffers, m)
        if not buffer_packet(<PacketBuffer*>e.target.extension, p):
            drop(w, p, QUEUE_FULL, p.t, -1)

cdef inline void set_upstream_route(World* w, Action* a) noexcept nogil:
    cdef uint32_t m = a.mobile
    cdef Entry* e = find_entry(&w.upstream_buffers, m)
    cdef PacketBuffer* buffer
    cdef Packet p
    cdef size_t i
    if a.op == BUFFER_UPSTREAM:
        w.mobile[m].route = ROUTE_BUFFER
        if e == NULL:
            e = find_or_insert(&w.upstream_buffers, m)
            e.target.extension = new_buffer(a.arg0, a.arg1)
            e.mode = BUFFER
        buffer = <PacketBuffer*>e.target.extension
        buffer.limit_packets = a.arg0
        buffer.limit_bytes = a.arg1
        return
    w.mobile[m].route = <uint16_t>a.arg0 if a.op == SET_UPSTREAM_ROUTE else NO_CELL
    if e == NULL:
        return
    buffer = <PacketBuffer*>e.target.extension
    remove_entry(&w.upstream_buffers, m)
    for i in range(buffer.packets.size()):
        p = buffer.packets.data()[i]
        p.t = a.t
        route_upstream(w, &p, m)
    delete_buffer(buffer)

# -- pass 2 -------------------------------------------------------------------------------------------------------------

cdef inline void apply_span_action(World* w, Action* a) noexcept nogil:
    cdef uint32_t m = a.mobile
    cdef MobileNode* x = &w.mobile[m]
    cdef Span s
    if a.op == BEGIN_MEASUREMENT:
        end_span(w, m, a.t)
        s.mobile, s.id, s.open, s.close, s.end = m, a.arg0, a.t, -1, -1
        s.delivered = s.duplicate = s.reordered = s.after_marker = 0
        s.delay_max = 0
        s.gap_max = s.gap_end = s.marker_cell = -1
        s.last_before = find_last_delivery(w, m)
        w.spans.push_back(s)
        x.open_span = <uint32_t>w.spans.size()
    elif x.open_span and a.op == END_MEASUREMENT:
        if w.spans.data()[x.open_span - 1].close < 0:
            w.spans.data()[x.open_span - 1].close = a.t
    elif x.open_span:  # COUNT_AFTER_MARKER
        w.spans.data()[x.open_span - 1].marker_cell = a.arg0

cdef inline void prefetch_receivers(World* w, const Fifo* f, uint32_t h) noexcept nogil:
    """Prefetch in steps what the packets after number h on a downlink change: flow and mobile node, then its known times."""
    cdef const Packet* p = &f.ring[(h + 6) & f.mask]
    if packet_kind(p) < CONTROL_NODE:
        prefetch(&w.mobile_of_flow[p.flow])
        prefetch(&w.flow[p.flow])
    p = &f.ring[(h + 4) & f.mask]
    prefetch(&w.mobile[packet_mobile(w, p)])
    p = &f.ring[(h + 2) & f.mask]
    prefetch(&w.known_times[w.mobile[packet_mobile(w, p)].next_known])

cdef inline void drain_downlink(World* w, Unit* u, Fifo* f, int64_t end) noexcept nogil:
    """Receive what arrives on one downlink before ``end``. Data of contested mobile nodes goes to u.deferred."""
    cdef uint32_t h = f.head, m
    cdef int64_t consumed_bytes = 0
    cdef Packet* p
    cdef DeferredItem x
    while h != f.tail and f.ring[h & f.mask].t < end:
        p = &f.ring[h & f.mask]
        if f.tail - h > 6:
            prefetch_receivers(w, f, h)
        consumed_bytes += packet_bytes(p)
        if unlikely(packet_kind(p) >= CONTROL_NODE):
            uncount_control(f, 1)  # its reception was checked in pass 1
        else:
            m = w.mobile_of_flow[p.flow]
            advance_known_times(w, m)
            if unlikely(f.params.trace_row >= 0):
                trace_once(w, f, p)
            if check_reception(w, f, p):
                if unlikely(w.mobile[m].flags & CONTESTED):
                    x.t, x.phase, x.key, x.order, x.cell_or_mobile, x.packet = p.t, PHASE_ARRIVAL, f.key, h, f.params.cell, p[0]
                    u.deferred.push_back(x)
                else:
                    receive_data(w, m, f.params.cell, p)
        h += 1
    consume(f, h, consumed_bytes)

cdef inline void prefetch_downlinks(World* w, size_t i, size_t count) noexcept nogil:
    """Prefetch the state of later downlinks in three steps: FIFO, packet, then flow and mobile node."""
    cdef Fifo** due = w.due_downlinks.data()
    cdef Packet* p
    if i + 12 < count:
        prefetch(due[i + 12])
        prefetch(&due[i + 8].ring[due[i + 8].head & due[i + 8].mask])
        p = &due[i + 4].ring[due[i + 4].head & due[i + 4].mask]
        if due[i + 4].head != due[i + 4].tail and packet_kind(p) < CONTROL_NODE:
            prefetch(&w.flow[p.flow])
            prefetch(&w.mobile[w.mobile_of_flow[p.flow]])

cdef inline void collect_due_downlinks(World* w, Unit* u, int64_t end) noexcept nogil:
    """Move the downlinks that may have an arrival before ``end`` to due_downlinks.

    Most downlinks have a known bound on their next arrival and stay in active_downlinks.
    """
    cdef size_t i, remaining = 0
    cdef int64_t t
    w.due_downlinks.clear()
    for i in range(w.active_downlinks.size()):
        t = w.downlink_bounds.data()[i] if i < w.downlink_bounds.size() else 0
        if t < end:
            w.due_downlinks.push_back(w.active_downlinks.data()[i])
        else:
            w.active_downlinks.data()[remaining] = w.active_downlinks.data()[i]
            w.downlink_bounds.data()[remaining] = t
            remaining += 1
            atomic_min(u.next_event, t)
    w.active_downlinks.resize(remaining)
    w.downlink_bounds.resize(remaining)

cdef inline int64_t earliest_arrival(Fifo* f) noexcept nogil:
    """Return a time before which nothing arrives on an active downlink.

    The head packet may be rescued and replaced by a shorter one, so its transmission time is subtracted.
    """
    cdef Packet* p = &f.ring[f.head & f.mask]
    return p.t - transmission_time(f.params, packet_bytes(p))

cdef inline void apply_mobile_action(World* w, Action* a) noexcept nogil:
    if a.op == SEND:
        send_upstream(w, &a.packet, a.mobile, <int>a.arg0)
    elif a.op == SET_UPSTREAM_ROUTE or a.op == BUFFER_UPSTREAM or a.op == CLEAR_UPSTREAM_ROUTE:
        set_upstream_route(w, a)
    else:
        apply_span_action(w, a)

cdef inline void prefetch_sender(World* w, const CbrRing* ring) noexcept nogil:
    """Prefetch what the packet of a later source in the ring changes; the ring has more than ``PREFETCH_MIN_SOURCES``."""
    cdef uint32_t at = ring.head + 8
    cdef uint32_t m = ring.ring[at if at < ring.capacity else at - ring.capacity].mobile
    prefetch(&w.mobile[m])
    prefetch(&w.uplink[m])

cdef inline void finish_mobiles_visit(World* w, Unit* u, int64_t end) noexcept nogil:
    cdef size_t i, count
    cdef Fifo* f
    cdef DeferredItem x
    cdef Source* s
    cdef CbrRing* ring
    cdef int64_t reached_by_all = time_reached_by_all(w, end)
    u.deferred.clear()
    if u.actions.size() > 1:
        sort(u.actions.begin(), u.actions.end(), &action_before)
    for i in range(u.actions.size()):
        mark_contested(w, u.actions.data()[i].mobile)
        x.t, x.phase, x.key, x.order, x.cell_or_mobile = u.actions.data()[i].t, PHASE_ACTION, 0, i, 0
        u.deferred.push_back(x)
    s = earliest_source(u, &ring)
    while s != NULL and s.t < end:
        if ring != NULL and ring.count > PREFETCH_MIN_SOURCES:
            prefetch_sender(w, ring)
        emit(s, &x.packet)
        x.packet.flags = DATA_UP
        if w.mobile[s.mobile].flags & CONTESTED:
            x.t, x.phase, x.key, x.order, x.cell_or_mobile = s.t, PHASE_SOURCE, s.key, s.seq, s.mobile
            u.deferred.push_back(x)
        else:
            route_upstream(w, &x.packet, s.mobile)
        advance_source(w, u, s, ring)
        s = earliest_source(u, &ring)
    collect_due_downlinks(w, u, end)
    count = w.due_downlinks.size()
    for i in range(count):
        if count > PREFETCH_MIN_DOWNLINKS:
            prefetch_downlinks(w, i, count)
        f = w.due_downlinks.data()[i]
        drain_downlink(w, u, f, end)
        if f.head != f.tail:
            atomic_min(u.next_event, f.ring[f.head & f.mask].t)
            w.active_downlinks.push_back(f)
            w.downlink_bounds.push_back(earliest_arrival(f))
        elif f.state.flags & ORPHAN and f.idle_at > reached_by_all:
            w.active_downlinks.push_back(f)
            w.downlink_bounds.push_back(end)
        else:
            f.state.is_active = 0
            free_unused_downlink(w, f, reached_by_all)
    if u.deferred.size() > 1:
        sort(u.deferred.begin(), u.deferred.end(), &deferred_before)
    for i in range(u.deferred.size()):
        x = u.deferred.data()[i]
        if x.phase == PHASE_ACTION:
            apply_mobile_action(w, &u.actions.data()[x.order])
        elif x.phase == PHASE_SOURCE:
            route_upstream(w, &x.packet, x.cell_or_mobile)
        else:
            receive_data(w, w.mobile_of_flow[x.packet.flow], x.cell_or_mobile, &x.packet)
    u.deferred.clear()
    for i in range(w.contested_mobiles.size()):
        if w.mobile[w.contested_mobiles[0][i]].attachment_count < 2:
            w.mobile[w.contested_mobiles[0][i]].flags &= <uint8_t>~CONTESTED
    w.contested_mobiles.clear()
    if unlikely(w.backlogged_uplinks.size() != 0):
        delete_idle_uplinks(w, end)

cdef inline void update_mobiles_next_event(Unit* u) noexcept nogil:
    """Lower the unit's next event to its sources, controller events and schedule.

    Downlinks are left out: finish_mobiles_visit has done them.
    """
    cdef int64_t t = next_source_time(u)
    if u.pending_events.size() and u.pending_events.data()[0].t < t:
        t = u.pending_events.data()[0].t
    if u.schedule_next < u.schedule_count and u.schedule_t[u.schedule_next] < t:
        t = u.schedule_t[u.schedule_next]
    atomic_min(u.next_event, t)
    atomic_min(u.group_bound, u.next_event[0])
