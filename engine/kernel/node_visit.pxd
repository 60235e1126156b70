"""Visit of a node or server: process all its events before a time, controllers first (pass 1), then data (pass 2)."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector

from engine.kernel.arrival_merge cimport MergeHead, advance_head, fill_heads, find_run_end
from engine.kernel.binding_table cimport LOCAL, BindingTable, Entry, find_entry, home_slot, prefetch_entry, remove_entry
from engine.kernel.events cimport (
    EVENT_MESSAGE, EVENT_REFUSED, EVENT_SCHEDULED, ControllerEvent, Message, action_before, push_event,
)
from engine.kernel.fates cimport DETACHED, FORWARDING_OVERLOAD, LINK_LOSS, REGISTRATION_OVERLOAD, deliver, drop
from engine.kernel.fifo cimport (
    FULL, UNLIMITED, Fifo, FifoCursor, close_cursor, consume, delete_fifo, offer, open_cursor, packet_bytes, prefetch,
)
from engine.kernel.forwarding cimport (
    apply_action, forward_packet, is_local, is_usable_tunnel, look_up, originate, send_through_tunnel,
)
from engine.kernel.next_event cimport NEVER, atomic_min
from engine.kernel.packet cimport CONTROL, CONTROL_NODE, DATA_DOWN, DATA_UP, LIKE_DATA, LOST, SENT_DETACHED, Packet, unlikely
from engine.kernel.reception cimport receive_ahead
from engine.kernel.sources cimport (
    CbrRing, Source, advance_front, is_steady, pop_top, ring_front, rotate_front, sift_down_top, source_before, step_source,
)
from engine.kernel.world cimport (
    PHASE_ARRIVAL, PHASE_CONTROL, UNIT_NODE, UNIT_SERVER, Cell, DeferredItem, Unit, World, add_to_fingerprint, copy_to_slot,
    mobile_key, next_ready_fifo, notify_or_fail, packet_kind, packet_mobile,
)

cdef enum:
    BLOCK_PACKETS = 16  # packets whose table entries are looked up together
    PREFETCH_MIN_ENTRIES = 2048  # entries above which a table no longer fits the first cache levels

cdef inline bint deferred_before(const DeferredItem& x, const DeferredItem& y) noexcept nogil:
    if x.t != y.t:
        return x.t < y.t
    if x.phase != y.phase:
        return x.phase < y.phase
    if x.key != y.key:
        return x.key < y.key
    return x.order < y.order

# -- pass 1 -------------------------------------------------------------------------------------------------------------

cdef inline void push_due_events(World* w, Unit* u, int64_t end) noexcept nogil:
    cdef ControllerEvent e
    while u.schedule_next < u.schedule_count and u.schedule_t[u.schedule_next] < end:
        e.t = u.schedule_t[u.schedule_next]
        e.mobile = u.schedule_mobile[u.schedule_next]
        e.mobile_key = mobile_key(w, e.mobile)
        e.kind = EVENT_SCHEDULED
        e.link_key = 0
        e.order = u.schedule_next
        e.arg = u.schedule_arg[u.schedule_next]
        e.code = u.schedule_code[u.schedule_next]
        e.message = -1
        e.via = -1
        push_event(u.pending_events, &e)
        u.schedule_next += 1

cdef inline void collect_uplink_arrivals(World* w, Unit* u, int64_t end) noexcept nogil:
    """Collect the arrivals on the cell's uplinks before ``end`` in u.deferred, in order."""
    cdef Cell* c = &w.cell[u.cell]
    cdef size_t i, remaining = 0
    cdef uint32_t h
    cdef int64_t consumed_bytes
    cdef Fifo* f
    cdef Packet* p
    cdef DeferredItem x
    u.deferred.clear()
    for i in range(c.active_uplinks.size()):
        f = c.active_uplinks[0][i]
        h = f.head
        consumed_bytes = 0
        while h != f.tail and f.ring[h & f.mask].t < end:
            p = &f.ring[h & f.mask]
            consumed_bytes += packet_bytes(p)
            if packet_kind(p) >= CONTROL_NODE:
                f.control_count -= 1
            if p.flags & (LOST | SENT_DETACHED):
                if p.flags & SENT_DETACHED:
                    f.params.counters.detached += 1
                else:
                    f.params.counters.lost += 1
                drop(w, p, DETACHED if p.flags & SENT_DETACHED else LINK_LOSS, p.t, -1)
            else:
                add_to_fingerprint(w, f, p)
                x.t, x.phase, x.key, x.order, x.cell_or_mobile, x.packet = p.t, PHASE_ARRIVAL, f.key, h, 0, p[0]
                u.deferred.push_back(x)
            h += 1
        consume(f, h, consumed_bytes)
        if f.head != f.tail:
            c.active_uplinks[0][remaining] = f
            remaining += 1
        else:  # empty and idle: a new uplink would start in the same state
            remove_entry(&c.uplinks, f.mobile)
            delete_fifo(w.fifo_pool, f)
    c.active_uplinks.resize(remaining)
    if u.deferred.size() > 1:
        sort(u.deferred.begin(), u.deferred.end(), &deferred_before)

cdef inline void count_wait(Unit* u, int64_t wait) noexcept nogil:
    """Count the wait of one packet that the server has accepted."""
    u.total_wait = u.total_wait + wait if wait <= UNLIMITED - u.total_wait else UNLIMITED
    if wait > u.max_wait:
        u.max_wait = wait

cdef inline bint serve_message(World* w, Unit* u, const Packet* p, int64_t* finish) noexcept nogil:
    """Put a control message for this node into its registration queue. Return False if it is full."""
    cdef Fifo* f = u.registration_fifo
    cdef Packet* slot
    # Messages in the ring count as in the system; remove the messages already served.
    while f.head != f.tail and f.ring[f.head & f.mask].t <= p.t:
        consume(f, f.head + 1, packet_bytes(&f.ring[f.head & f.mask]))
    slot = copy_to_slot(w, f, p)
    if offer(f, slot) == FULL:
        return False
    count_wait(u, slot.t - p.t - f.params.service_time)
    finish[0] = slot.t
    return True

cdef inline void register_message(World* w, Unit* u, const Packet* p) noexcept nogil:
    """Serve a control message for this node, or refuse it. A message like data passes the registration server at once."""
    cdef ControllerEvent e
    cdef Message* m = &w.messages.data()[p.seq]
    cdef bint accepted, notify
    e.t = p.t
    if p.flags & LIKE_DATA:
        accepted = True
    else:
        accepted = serve_message(w, u, p, &e.t)
        if m.hostile and accepted:
            u.hostile_messages += 1
        elif m.hostile:
            u.hostile_drops += 1
    if not accepted:
        notify = u.reports_refusals and u.has_controller
        m.reference_count += notify  # one for the event: the packet ends here, but the controller still reads the message
        drop(w, p, REGISTRATION_OVERLOAD, p.t, u.node)
        if not notify:
            return
    e.mobile = p.flow
    e.mobile_key = mobile_key(w, p.flow)
    e.kind = EVENT_MESSAGE if accepted else EVENT_REFUSED
    e.link_key = 0
    e.order = u.event_counter
    e.code = m.code
    e.message = p.seq
    e.arg = 0
    e.via = -1
    u.event_counter += 1
    push_event(u.pending_events, &e)

cdef inline void register_control_arrivals(World* w, Unit* u, int64_t end) noexcept nogil:
    """Register the control messages for this node that arrive before ``end``, in order."""
    cdef vector[DeferredItem] messages
    cdef size_t i, at = 0
    cdef uint32_t h
    cdef Fifo* f
    cdef Packet* p
    cdef DeferredItem x
    f = next_ready_fifo(u, &at)
    while f != NULL:
        h = f.head if f.control_count else f.tail
        while h != f.tail and f.ring[h & f.mask].t < end:
            p = &f.ring[h & f.mask]
            if packet_kind(p) == CONTROL_NODE and p.destination == u.node and not p.flags & LOST:
                x.t, x.phase, x.key, x.order, x.cell_or_mobile, x.packet = p.t, PHASE_CONTROL, f.key, h - f.head, 0, p[0]
                messages.push_back(x)
            h += 1
        f = next_ready_fifo(u, &at)
    for i in range(u.deferred.size()):
        p = &u.deferred.data()[i].packet
        if packet_kind(p) == CONTROL_NODE and p.destination == u.node:
            x = u.deferred.data()[i]
            messages.push_back(x)
    if messages.size() > 1:
        for i in range(messages.size()):
            messages.data()[i].phase = PHASE_CONTROL
        sort(messages.begin(), messages.end(), &deferred_before)
    for i in range(messages.size()):
        register_message(w, u, &messages.data()[i].packet)

cdef inline bint begin_visit(World* w, Unit* u, int64_t end) noexcept nogil:
    """Run pass 1 up to the controllers. Return whether there is an event for them."""
    cdef size_t at = 0
    cdef bint any_control = False
    cdef Fifo* f
    u.actions.clear()
    push_due_events(w, u, end)
    if u.cell >= 0 and w.cell[u.cell].active_uplinks.size():
        collect_uplink_arrivals(w, u, end)
    if u.kind != UNIT_SERVER:
        f = next_ready_fifo(u, &at)
        while f != NULL:
            any_control |= f.control_count != 0
            f = next_ready_fifo(u, &at)
        if any_control or u.deferred.size():
            register_control_arrivals(w, u, end)
    return u.pending_events.size() > 0 and u.pending_events.data()[0].t < end

# -- sources ------------------------------------------------------------------------------------------------------------

cdef inline int64_t next_source_time(Unit* u) noexcept nogil:
    cdef int64_t t = NEVER
    cdef size_t i
    cdef Source* s
    for i in range(u.cbr_rings.size()):
        s = ring_front(u.cbr_rings[0][i])
        if s != NULL and s.t < t:
            t = s.t
    if u.sources.size() and u.sources.data()[0].t < t:
        t = u.sources.data()[0].t
    return t

cdef inline Source* earliest_source(Unit* u, CbrRing** ring) noexcept nogil:
    """Return the source of the unit's next own packet and set ``ring`` to its CBR ring or NULL. Return NULL without a source."""
    cdef Source* best = u.sources.data() if u.sources.size() else NULL
    cdef Source* s
    cdef size_t i
    ring[0] = NULL
    for i in range(u.cbr_rings.size()):
        s = ring_front(u.cbr_rings[0][i])
        if s != NULL and (best == NULL or source_before(s, best)):
            best = s
            ring[0] = u.cbr_rings[0][i]
    return best

cdef inline void advance_source(World* w, Unit* u, Source* s, CbrRing* ring) noexcept nogil:
    """Move the earliest source on after it has sent."""
    if ring != NULL:
        rotate_front(ring, w.schedules, w.flow_schedule, w.sent_packets)
        return
    w.non_cbr_packets += 1
    if step_source(s, &w.schedules[w.flow_schedule[s.flow]], w.log_table):
        sift_down_top(u.sources)
    else:
        w.sent_packets[s.flow] = s.seq
        pop_top(u.sources)

cdef inline void originate_until(World* w, Unit* u, int64_t end) noexcept nogil:
    """Send the unit's own packets before ``end``; the caller ensures that nothing else happens in between."""
    cdef CbrRing* g = u.cbr_rings.data()[0] if u.cbr_rings.size() == 1 and u.sources.size() == 0 else NULL
    cdef bint has_entries = w.tables[u.node].entry_count != 0
    cdef Source* s
    if g != NULL and is_steady(g):
        while g.ring[g.head].t < end:
            originate(w, u.node, &g.ring[g.head], has_entries)
            advance_front(g)
        return
    s = earliest_source(u, &g)
    while s != NULL and s.t < end:
        originate(w, u.node, s, has_entries)
        advance_source(w, u, s, g)
        s = earliest_source(u, &g)

# -- pass 2 -------------------------------------------------------------------------------------------------------------

cdef inline void handle_packet(World* w, Unit* u, const Packet* p, Entry* e) noexcept nogil:
    """Process a packet at a node (phase 3); e is its mobile node's entry. Messages for the node were registered in pass 1."""
    if p.destination != u.node:
        forward_packet(w, u.node, p)
    elif packet_kind(p) == DATA_UP:
        if w.flow[p.flow].ends_at_node:
            deliver(w, p, u.node, -1)
        else:
            turn_downstream(w, u, p, e)
    elif packet_kind(p) != CONTROL_NODE:
        look_up(w, u.node, p, e)

cdef inline void turn_downstream(World* w, Unit* u, const Packet* p, Entry* e) noexcept nogil:
    """Look up an upstream packet at the home node of the mobile node that it is for (docs/model.md, 5)."""
    cdef Packet down = p[0]
    down.flags &= <uint8_t>~DATA_UP
    look_up(w, u.node, &down, e)

cdef inline void enqueue_at_server(World* w, Unit* u, const Packet* p) noexcept nogil:
    """Put a packet into the queue of a forwarding server."""
    cdef Packet* slot = copy_to_slot(w, u.server_fifo, p)
    if offer(u.server_fifo, slot) == FULL:
        drop(w, p, FORWARDING_OVERLOAD, p.t, u.node)
    else:
        if slot.t - u.server_fifo.params.service_time != p.t:
            count_wait(u, slot.t - u.server_fifo.params.service_time - p.t)
        notify_or_fail(w, u.server_fifo, slot.t)

cdef inline void drain_cursor(World* w, Unit* u, FifoCursor* x, int64_t end) noexcept nogil:
    """Process all arrivals of one FIFO before ``end``; the caller ensures that nothing else happens in between."""
    if u.kind == UNIT_NODE and w.tables[u.node].entry_count:
        drain_blocks(w, u, x, end)
    else:
        drain_scalar(w, u, x, end)

cdef inline void drain_scalar(World* w, Unit* u, FifoCursor* x, int64_t end) noexcept nogil:
    """Drain a cursor at a server, or at a node without table entries."""
    cdef const Packet* ring = x.ring
    cdef const Packet* p
    cdef uint32_t h = x.head, tail = x.tail, mask = x.mask
    cdef int64_t consumed_bytes = 0
    while h != tail:
        p = &ring[h & mask]
        if p.t >= end:
            break
        consumed_bytes += packet_bytes(p)
        h += 1
        if unlikely(p.flags & (CONTROL | LOST)) and not check_arrival(w, x, p):
            continue
        if u.kind == UNIT_SERVER:
            enqueue_at_server(w, u, p)
        else:
            handle_packet(w, u, p, NULL)
    x.head = h
    x.bytes += consumed_bytes

cdef inline void drain_blocks(World* w, Unit* u, FifoCursor* x, int64_t end) noexcept nogil:
    """Drain a cursor at a node with table entries.

    Entries are looked up for a block of packets at a time: memory latency is long, but many accesses can overlap.
    """
    cdef Entry* entries[BLOCK_PACKETS]
    cdef Entry* e
    cdef const Packet* ring = x.ring
    cdef const Packet* p
    cdef uint32_t h = x.head, block_end = look_up_entries(w, u, x, h, end, entries), mask = x.mask
    cdef int64_t consumed_bytes = 0
    while h != block_end:
        p = &ring[h & mask]
        consumed_bytes += packet_bytes(p)
        if not unlikely(p.flags & (CONTROL | LOST)) or check_arrival(w, x, p):
            e = entries[h % BLOCK_PACKETS]
            if p.destination != u.node:
                forward_packet(w, u.node, p)
            elif is_local(e, p.t):
                if not receive_ahead(w, <Fifo*>e.target.extension, p, e.mobile):
                    handle_packet(w, u, p, e)
            elif packet_kind(p) == DATA_DOWN and is_usable_tunnel(w, e, p):
                send_through_tunnel(w, u.node, p, &e.target)
            else:
                handle_packet(w, u, p, e)
        h += 1
        if h == block_end:
            block_end = look_up_entries(w, u, x, h, end, entries)
    x.head = h
    x.bytes += consumed_bytes

cdef inline uint32_t look_up_entries(
    World* w, Unit* u, const FifoCursor* x, uint32_t h, int64_t end, Entry** entries
) noexcept nogil:
    """Look up the entries of the next packets before ``end`` and prefetch their state. Return the index after the last one.

    The table does not change while a cursor is drained.
    """
    cdef BindingTable* table = &w.tables[u.node]
    cdef const Packet* ring = x.ring
    cdef const Packet* p
    cdef uint32_t m, last = h + BLOCK_PACKETS if x.tail - h > BLOCK_PACKETS else x.tail, mask = x.mask
    cdef bint prefetch_slots = table.entry_count > PREFETCH_MIN_ENTRIES and last != x.tail
    cdef Entry* e
    while h != last:
        p = &ring[h & mask]
        if p.t >= end:
            break
        if p.destination == u.node:
            m = packet_mobile(w, p)
            e = find_entry(table, m)
            entries[h % BLOCK_PACKETS] = e
            if e != NULL and e.mode == LOCAL:
                prefetch(e.target.extension)
                prefetch(&w.mobile[m])
                prefetch(&w.flow[p.flow])
            if prefetch_slots and x.tail - h > BLOCK_PACKETS:  # slots after the tail may be uninitialized
                m = packet_mobile(w, &ring[(h + BLOCK_PACKETS) & mask])
                prefetch_entry(&table.entries[home_slot(m, table.slot_count)])
        h += 1
    return h

cdef inline bint check_arrival(World* w, FifoCursor* x, const Packet* p) noexcept nogil:
    """Count a control or lost packet. Drop a lost one and return False."""
    x.control_count += (p.flags & CONTROL) != 0
    if p.flags & LOST:
        x.lost_count += 1
        drop(w, p, LINK_LOSS, p.t, x.fifo.params.node)
        return False
    return True

cdef inline void process_data_until(World* w, Unit* u, int64_t end, size_t* next_deferred) noexcept nogil:
    """Run pass 2 between two actions: merge own packets and arrivals before ``end``."""
    cdef vector[MergeHead]* heads = u.merge_heads
    cdef DeferredItem* deferred
    cdef FifoCursor* x
    cdef int64_t t_source = next_source_time(u), t_deferred, t_link, limit
    fill_heads(heads, u.cursors, end)
    while True:
        t_link = heads.data().t if heads.size() else NEVER
        deferred = u.deferred.data() + next_deferred[0] if next_deferred[0] < u.deferred.size() else NULL
        t_deferred = deferred.t if deferred != NULL else NEVER
        if t_source >= end and t_deferred >= end and t_link >= end:
            return
        if t_source <= t_link and t_source <= t_deferred:
            limit = t_link if t_link < t_deferred else t_deferred
            originate_until(w, u, end if limit >= end else limit + 1)
            t_source = next_source_time(u)
        elif t_deferred < t_link or (t_deferred == t_link and deferred.key < heads.data().cursor.fifo.key):
            next_deferred[0] += 1
            if u.kind == UNIT_SERVER:
                enqueue_at_server(w, u, &deferred.packet)
            else:
                handle_packet(w, u, &deferred.packet, find_entry(&w.tables[u.node], packet_mobile(w, &deferred.packet)))
        else:
            x = heads.data().cursor
            limit = t_source if t_source < end else end
            if t_deferred < limit:
                limit = t_deferred + (x.fifo.key < deferred.key)
            drain_cursor(w, u, x, find_run_end(heads, limit))
            advance_head(heads, end)

cdef inline void open_cursors(Unit* u) noexcept nogil:
    """Open a cursor for each ready FIFO. Nothing else may consume from these FIFOs until ``close_cursors``."""
    cdef size_t at = 0
    cdef Fifo* f = next_ready_fifo(u, &at)
    cdef FifoCursor x
    u.cursors.clear()
    while f != NULL:
        x.fifo = f
        open_cursor(&x)
        u.cursors.push_back(x)
        f = next_ready_fifo(u, &at)

cdef inline void close_cursors(World* w, Unit* u) noexcept nogil:
    cdef size_t i
    cdef FifoCursor* x
    for i in range(u.cursors.size()):
        x = &u.cursors.data()[i]
        close_cursor(x)
        if x.fifo.head == x.fifo.tail:
            x.fifo.params.ready_word[0] &= ~x.fifo.params.ready_bit
    u.next_event[0] = compute_next_event(w, u)
    atomic_min(u.group_bound, u.next_event[0])

cdef inline void finish_visit(World* w, Unit* u, int64_t end) noexcept nogil:
    """Run pass 2 of a node or server: data and actions in time order.

    Of other units' state it changes only the FIFOs that it sends into, and mobile nodes that no other unit delivers to meanwhile.
    """
    cdef size_t i, next_deferred = 0
    if u.actions.size() > 1:
        sort(u.actions.begin(), u.actions.end(), &action_before)
    for i in range(u.actions.size()):
        process_data_until(w, u, u.actions.data()[i].t, &next_deferred)
        apply_action(w, u.node, &u.actions.data()[i])
    process_data_until(w, u, end, &next_deferred)
    u.deferred.clear()

cdef inline int64_t compute_next_event(World* w, Unit* u) noexcept nogil:
    """Return the time of the earliest event at a node or server that is known now."""
    cdef int64_t t = next_source_time(u)
    cdef size_t i, at = 0
    cdef Fifo* f = next_ready_fifo(u, &at)
    cdef Cell* c
    while f != NULL:
        if f.head != f.tail and f.ring[f.head & f.mask].t < t:
            t = f.ring[f.head & f.mask].t
        f = next_ready_fifo(u, &at)
    if u.cell >= 0:
        c = &w.cell[u.cell]
        for i in range(c.active_uplinks.size()):
            f = c.active_uplinks[0][i]
            if f.ring[f.head & f.mask].t < t:
                t = f.ring[f.head & f.mask].t
    if u.pending_events.size() and u.pending_events.data()[0].t < t:
        t = u.pending_events.data()[0].t
    if u.schedule_next < u.schedule_count and u.schedule_t[u.schedule_next] < t:
        t = u.schedule_t[u.schedule_next]
    return t
