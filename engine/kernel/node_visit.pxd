"""Visit of a node or server: process all its events before a time, controllers first (pass 1), then data (pass 2)."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libcpp.algorithm cimport sort

from engine.kernel.arrival_merge cimport MergeHead, advance_head, fill_heads, find_run_end
from engine.kernel.binding_table cimport LOCAL, BindingTable, Entry, find_entry, home_slot, prefetch_entry
from engine.kernel.events cimport (
    EVENT_MESSAGE, EVENT_REFUSED, EVENT_SCHEDULED, ControllerEvent, Message, action_before, push_event,
)
from engine.kernel.exact_sum cimport add_product
from engine.kernel.fates cimport FORWARDING_OVERLOAD, LINK_LOSS, REGISTRATION_OVERLOAD, deliver, drop
from engine.kernel.fifo cimport (
    ACCEPTED, FULL, PAST_LAST_TIME, Fifo, FifoCursor, close_cursor, consume, offer, offer_from_run, open_cursor, packet_bytes,
    prefetch,
)
from engine.kernel.forwarding cimport forward_packet, is_local, is_usable_tunnel, look_up, send_through_tunnel
from engine.kernel.next_event cimport NEVER, atomic_min
from engine.kernel.own_packets cimport next_source_time, originate_until
from engine.kernel.packet cimport CONTROL, CONTROL_NODE, DATA_DOWN, DATA_UP, LIKE_DATA, LOST, SENT_DETACHED, Packet, unlikely
from engine.kernel.reception cimport receive_ahead
from engine.kernel.table_changes cimport apply_action
from engine.kernel.uplink_arrivals cimport UplinkArrival, sort_arrivals
from engine.kernel.uplinks cimport check_uplink_arrival, collect_uplink_arrivals
from engine.kernel.vector cimport vector
from engine.kernel.world cimport (
    PHASE_CONTROL, UNIT_NODE, UNIT_SERVER, Cell, DeferredItem, Unit, World, announce, copy_to_slot, fail, mobile_key,
    next_ready_fifo, packet_kind, packet_mobile,
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

cdef inline void count_wait(Unit* u, int64_t wait) noexcept nogil:
    """Count the wait of one packet that the server has accepted."""
    add_product(&u.total_wait, 1, wait)
    if wait > u.max_wait:
        u.max_wait = wait

cdef inline bint serve_message(World* w, Unit* u, const Packet* p, int64_t* finish) noexcept nogil:
    """Put a control message for this node into its registration queue. Return False if it is full."""
    cdef Fifo* f = u.registration_fifo
    cdef Packet* slot
    cdef int outcome
    # Messages in the ring count as in the system; remove the messages already served.
    while f.head != f.tail and f.ring[f.head & f.mask].t <= p.t:
        consume(f, f.head + 1, packet_bytes(&f.ring[f.head & f.mask]))
    slot = copy_to_slot(w, f, p)
    outcome = offer(f, slot)
    if outcome != ACCEPTED:
        if outcome == PAST_LAST_TIME:
            fail(w, PAST_LAST_TIME, f, p.t)
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
    cdef size_t at = 0
    cdef uint32_t h
    cdef Fifo* f
    cdef const Packet* p
    cdef const UplinkArrival* arrival
    cdef DeferredItem x
    f = next_ready_fifo(u, &at)
    while f != NULL:
        h = f.head if f.state.control_count else f.tail
        while h != f.tail and f.ring[h & f.mask].t < end:
            p = &f.ring[h & f.mask]
            if packet_kind(p) == CONTROL_NODE and p.destination == u.node and not p.flags & LOST:
                x.t, x.phase, x.key, x.order, x.cell_or_mobile, x.packet = p.t, PHASE_CONTROL, f.key, h - f.head, 0, p[0]
                messages.push_back(x)
            h += 1
        f = next_ready_fifo(u, &at)
    if u.uplinks_have_control:
        arrival = u.next_uplink
        while arrival != u.last_uplink:
            p = &arrival.packet
            if packet_kind(p) == CONTROL_NODE and p.destination == u.node and not p.flags & (LOST | SENT_DETACHED):
                x.t, x.phase, x.key, x.order, x.packet = p.t, PHASE_CONTROL, arrival.key, arrival - u.next_uplink, p[0]
                messages.push_back(x)
            arrival += 1
    register_in_order(w, u, &messages)

cdef inline void register_in_order(World* w, Unit* u, vector[DeferredItem]* messages) noexcept nogil:
    cdef size_t i
    if messages.size() > 1:
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
    if u.cell >= 0:
        collect_uplink_arrivals(w, u, end)
    if u.kind != UNIT_SERVER:
        f = next_ready_fifo(u, &at)
        while f != NULL:
            any_control |= f.state.control_count != 0
            f = next_ready_fifo(u, &at)
        if any_control or u.uplinks_have_control:
            register_control_arrivals(w, u, end)
    return u.pending_events.size() > 0 and u.pending_events.data()[0].t < end

# -- pass 2 -------------------------------------------------------------------------------------------------------------

cdef inline void handle_packet(World* w, Unit* u, const Packet* p, Entry* e) noexcept nogil:
    """Process a packet at a node (phase 3); e is its mobile node's entry. Messages for the node were registered in pass 1."""
    if p.destination != u.node:
        forward_packet(w, u.node, p)
    elif packet_kind(p) == DATA_UP:
        if w.flow[p.flow].bits.ends_at_node:
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
    cdef Fifo* f = u.server_fifo
    cdef Packet* slot = copy_to_slot(w, f, p)
    cdef int outcome = offer(f, slot) if f.params.run == NULL else offer_from_run(f, slot, w.retired_rings)
    if outcome == PAST_LAST_TIME:
        fail(w, PAST_LAST_TIME, f, p.t)
    elif outcome == FULL:
        drop(w, p, FORWARDING_OVERLOAD, p.t, u.node)
    else:
        if slot.t - f.params.service_time != p.t:
            count_wait(u, slot.t - f.params.service_time - p.t)
        announce(w, f, slot)

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
    cdef const Packet* ring = x.ring
    cdef const Packet* p
    cdef uint32_t h = x.head, block_end = look_up_entries(w, u, x, h, end, entries), mask = x.mask
    cdef int64_t consumed_bytes = 0
    while h != block_end:
        p = &ring[h & mask]
        consumed_bytes += packet_bytes(p)
        if not unlikely(p.flags & (CONTROL | LOST)) or check_arrival(w, x, p):
            handle_looked_up_packet(w, u, p, entries[h % BLOCK_PACKETS])
        h += 1
        if h == block_end:
            block_end = look_up_entries(w, u, x, h, end, entries)
    x.head = h
    x.bytes += consumed_bytes

cdef inline void handle_looked_up_packet(World* w, Unit* u, const Packet* p, Entry* e) noexcept nogil:
    """Process a packet at a node as ``handle_packet`` does, with shorter paths for the most frequent cases."""
    if p.destination != u.node:
        forward_packet(w, u.node, p)
    elif is_local(e, p.t):
        if not receive_ahead(w, <Fifo*>e.target.extension, p, e.mobile):
            handle_packet(w, u, p, e)
    elif packet_kind(p) == DATA_DOWN and is_usable_tunnel(w, e, p):
        send_through_tunnel(w, u.node, p, &e.target)
    else:
        handle_packet(w, u, p, e)

cdef inline void prefetch_receiver(World* w, const Entry* e, uint32_t flow) noexcept nogil:
    """Prefetch what the delivery of a packet to a mobile node in the cell changes; e is its entry or NULL."""
    if e != NULL and e.mode == LOCAL:
        prefetch(e.target.extension)
        prefetch(&w.mobile[e.mobile])
        prefetch(&w.flow[flow])

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
            prefetch_receiver(w, e, p.flow)
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

cdef inline void handle_uplink_arrival(World* w, Unit* u) noexcept nogil:
    """Process the next arrival on the cell's uplinks."""
    cdef const Packet* p = &u.next_uplink.packet
    if check_uplink_arrival(w, w.cell[u.cell].uplink_params, u.next_uplink.key, p):
        if u.kind == UNIT_SERVER:
            enqueue_at_server(w, u, p)
        else:
            handle_packet(w, u, p, find_entry(&w.tables[u.node], packet_mobile(w, p)) if p.destination == u.node else NULL)
    u.next_uplink += 1

cdef inline void handle_uplink_arrivals(World* w, Unit* u, int64_t end) noexcept nogil:
    """Process the arrivals on the cell's uplinks before ``end``; the caller ensures that nothing else happens in between."""
    while u.next_uplink != u.last_uplink and u.next_uplink.packet.t < end:
        handle_uplink_arrival(w, u)

cdef inline void process_data_until(World* w, Unit* u, int64_t end) noexcept nogil:
    """Run pass 2 between two actions: merge own packets and arrivals before ``end``."""
    cdef vector[MergeHead]* heads = u.merge_heads
    cdef FifoCursor* x
    cdef int64_t t_source = next_source_time(u), t_uplink, t_link, limit
    fill_heads(heads, u.cursors, end)
    while True:
        t_link = heads.data().t if heads.size() else NEVER
        t_uplink = u.next_uplink.packet.t if u.next_uplink != u.last_uplink else NEVER
        if t_source >= end and t_uplink >= end and t_link >= end:
            return
        if t_source <= t_link and t_source <= t_uplink:
            limit = t_link if t_link < t_uplink else t_uplink
            originate_until(w, u, end if limit >= end else limit + 1)
            t_source = next_source_time(u)
        elif t_uplink < t_link:
            limit = t_link if t_link < t_source else t_source
            handle_uplink_arrivals(w, u, limit if limit < end else end)
        elif t_uplink == t_link and u.next_uplink.key < heads.data().cursor.fifo.key:
            handle_uplink_arrival(w, u)
        else:
            x = heads.data().cursor
            limit = t_source if t_source < end else end
            if t_uplink < limit:
                limit = t_uplink + (x.fifo.key < u.next_uplink.key)
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
    cdef size_t i
    if u.actions.size() > 1:
        sort(u.actions.begin(), u.actions.end(), &action_before)
    for i in range(u.actions.size()):
        process_data_until(w, u, u.actions.data()[i].t)
        apply_action(w, u.node, &u.actions.data()[i])
    process_data_until(w, u, end)

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
        sort_arrivals(&c.arrivals)
        if c.arrivals.head != c.arrivals.items.size():
            t = min(t, c.arrivals.items.data()[c.arrivals.head].packet.t)
        for i in range(c.active_uplinks.size()):
            f = c.active_uplinks[0][i]
            if f.head != f.tail and f.ring[f.head & f.mask].t < t:
                t = f.ring[f.head & f.mask].t
    if u.pending_events.size() and u.pending_events.data()[0].t < t:
        t = u.pending_events.data()[0].t
    if u.schedule_next < u.schedule_count and u.schedule_t[u.schedule_next] < t:
        t = u.schedule_t[u.schedule_next]
    return t
