"""Forwarding at a node: shortest path, binding table, cell; and the actions that change its binding table."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from engine.kernel.binding_table cimport (
    BESIDE_CELL, BUFFER, EMPTY, ENDS_AT_MOBILE, HOSTILE_TUNNEL, LOCAL, MAX_CAREOF, NO_GATE, QUEUE, RELAYED_PACKETS, TUNNEL,
    BindingTable, CareOf, CareOfList, Entry, PacketBuffer, buffer_packet, careof_at, find_entry, find_or_insert, free_entry,
    new_buffer, remove_entry,
)
from engine.kernel.copy_ledger cimport CopyCount, packet_id
from engine.kernel.events cimport ADD_BINDING, BIND, DELIVER_LOCALLY, SEND, SET_BUFFER, UNBIND, UNBIND_ALL, Action
from engine.kernel.fates cimport BINDING_EXPIRED, BUFFER_TIMEOUT, NO_BINDING, NO_VISITOR, QUEUE_FULL, TUNNEL_LIMIT, drop
from engine.kernel.fifo cimport (
    ACCEPTED, IN_CONTROL_LIST, ORPHAN, Fifo, FifoParameters, append_relayed, delete_fifo, extract_waiting, new_fifo,
    packet_bytes, transmission_time,
)
from engine.kernel.occupancy cimport EntryCount, count_bytes, count_entry, uncount_entry
from engine.kernel.packet cimport (
    CONTROL, CONTROL_NODE, COPIED, DECAPSULATE, FANOUT_SHIFT, LOST, MAX_FANOUTS, TRACED, TUNNEL_COUNT_MASK, Packet, unlikely,
)
from engine.kernel.rng cimport combine
from engine.kernel.sources cimport Source, emit
from engine.kernel.shortage cimport require
from engine.kernel.thread_pool cimport ScopedLock
from engine.kernel.vector cimport vector
from engine.kernel.world cimport (
    Cell, Unit, World, add_to_fingerprint, announce, copy_to_slot, find_group, mobile_key, next_packet, offer_packet,
    packet_kind, packet_mobile, trace_hop,
)

cdef inline void enqueue(World* w, int n, Fifo* f, Packet* p) noexcept nogil:
    """Offer a packet from the next slot of a link of n; drop it if the queue is full."""
    if unlikely(offer_packet(w, f, p) != ACCEPTED):
        if w.failure == 0:
            drop(w, p, QUEUE_FULL, p.t, n)
    else:
        add_to_fingerprint(w, f.key, p)
        if unlikely(f.params.trace_row >= 0):
            trace_hop(w, f, p)
        announce(w, f, p)

cdef inline void forward_packet(World* w, int n, const Packet* p) noexcept nogil:
    """Send a packet on the link towards its destination, which is not n."""
    cdef Fifo* f = w.next_hop[n][p.destination]
    enqueue(w, n, f, copy_to_slot(w, f, p))

cdef inline Fifo* get_mobile_fifo(
    World* w, BindingTable* table, FifoParameters* params, uint64_t key, uint32_t mobile
) noexcept nogil:
    """Return a mobile node's own FIFO in a cell; create it on first use."""
    cdef Entry* e = find_or_insert(table, mobile)
    cdef Fifo* f
    if e.mode != EMPTY:
        return <Fifo*>e.target.extension
    f = new_fifo(w.fifo_pool, params, combine(key, mobile_key(w, mobile)))
    f.mobile = mobile
    e.mode = QUEUE
    e.target.extension = f
    return f

cdef inline void decapsulate(World* w, Packet* p) noexcept nogil:
    """Remove the header of the tunnel that ends at this router, if the packet came through one."""
    if p.flags & DECAPSULATE:
        p.extra = 0
        p.flags &= <uint8_t>~DECAPSULATE
        if unlikely(w.trace != NULL):
            w.trace.clear_tunnels(w.trace, p[0])

cdef inline void enqueue_downlink(World* w, int n, Fifo* f, const Packet* p) noexcept nogil:
    cdef Packet* slot
    append_relayed(f, p.t, w.retired_rings)
    slot = copy_to_slot(w, f, p)
    decapsulate(w, slot)
    if unlikely(offer_packet(w, f, slot) != ACCEPTED):
        if w.failure == 0:
            drop(w, p, QUEUE_FULL, p.t, n)
        return
    announce(w, f, slot)
    if not f.state.is_active:
        f.state.is_active = 1
        w.active_downlinks.push_back(f)
    if unlikely(p.flags & CONTROL and not f.state.flags & IN_CONTROL_LIST):
        f.state.flags |= IN_CONTROL_LIST
        w.control_downlinks.push_back(f)

cdef inline Fifo* entry_downlink(const Entry* e) noexcept nogil:
    """Return the downlink that an entry names, as local delivery or behind a gate; else NULL."""
    if e != NULL and e.mode == LOCAL:
        return <Fifo*>e.target.extension
    if e != NULL and e.mode == BUFFER:
        return <Fifo*>(<PacketBuffer*>e.target.extension).downlink
    return NULL

cdef inline Fifo* visitor_downlink(World* w, int n, uint32_t mobile) noexcept nogil:
    """Return the downlink of n's cell for an entry that names it."""
    cdef Cell* c = &w.cell[w.cell_of_node[n]]
    cdef Fifo* f = c.shared_downlink
    if f == NULL:
        f = get_mobile_fifo(w, &c.downlinks, c.downlink_params, c.downlink_key, mobile)
        f.state.flags &= ~<uint64_t>ORPHAN
    return f

cdef inline Fifo* radio_downlink(World* w, int n, uint32_t mobile) noexcept nogil:
    """Return the downlink of n's cell for one packet, whether the entry of the mobile node names it or not."""
    cdef Cell* c = &w.cell[w.cell_of_node[n]]
    cdef Fifo* f = c.shared_downlink
    if f == NULL:
        f = get_mobile_fifo(w, &c.downlinks, c.downlink_params, c.downlink_key, mobile)
        if entry_downlink(find_entry(&w.tables[n], mobile)) == NULL:
            f.state.flags |= ORPHAN
    return f

cdef inline void count_diverted(Unit* u, const Packet* p) noexcept nogil:
    """Count a data packet that an attacker's binding sends elsewhere."""
    if packet_kind(p) < CONTROL_NODE:
        u.diverted_packets += 1
        u.diverted_bytes += p.size

cdef inline void send_through_tunnel(World* w, int n, const Packet* p, CareOf* c) noexcept nogil:
    cdef Fifo* f = w.next_hop[n][c.node]
    cdef Packet* slot = copy_to_slot(w, f, p)
    decapsulate(w, slot)
    if unlikely(w.trace != NULL):
        w.trace.push_tunnel(w.trace, slot[0], n, c)
    slot.tunnels += 1
    if c.tunnel_flags & ENDS_AT_MOBILE:
        slot.extra += c.header_bytes
    else:
        slot.extra = c.header_bytes
        slot.flags |= DECAPSULATE
    slot.destination = c.node
    if unlikely(c.tunnel_flags & HOSTILE_TUNNEL):
        count_diverted(&w.unit[w.unit_of_node[n]], slot)
    enqueue(w, n, f, slot)

cdef inline void share_copy_count(World* w, Packet* p, int k) noexcept nogil:
    """Count one packet as k copies. The copies have one more fan-out, and the ledger decides the packet's fate."""
    cdef CopyCount* c
    cdef ScopedLock lock
    lock.acquire(w.ledger_lock)
    if packet_kind(p) < CONTROL_NODE:
        c = &w.ledger[0][packet_id(p.flow, p.seq)]
        if not p.flags & COPIED:
            c.in_flight = 1
            c.delivered = False
            p.flags |= COPIED
        c.in_flight += k - 1
        w.flow[p.flow].copies += k - 1
    else:
        w.messages.data()[p.seq].reference_count += k - 1
    lock.release()
    p.tunnels += 1 << FANOUT_SHIFT

cdef inline int select_targets(Entry* e, const Packet* p, CareOf** targets) noexcept nogil:
    """Write the valid care-of nodes of an entry that take a packet, and return their number.

    Those for relayed packets and the others share the packets only while both kinds are valid.
    """
    cdef bint relayed = (p.tunnels & TUNNEL_COUNT_MASK) > 0
    cdef int i, k = 0, kinds = 0
    cdef CareOf* c
    for i in range(e.careof_count):
        c = careof_at(e, i)
        if p.t < c.expiry:
            kinds |= 2 if c.tunnel_flags & RELAYED_PACKETS else 1
    for i in range(e.careof_count):
        c = careof_at(e, i)
        if p.t < c.expiry and (kinds != 3 or relayed == ((c.tunnel_flags & RELAYED_PACKETS) != 0)):
            targets[k] = c
            k += 1
    return k

cdef inline void fan_out(World* w, int n, const Packet* p, Entry* e) noexcept nogil:
    """Send a copy to every valid care-of node that takes the packet; the caller has checked that one is valid."""
    cdef CareOf* targets[MAX_CAREOF]
    cdef Packet copy = p[0]
    cdef int k = select_targets(e, p, targets), i, fanouts
    fanouts = p.tunnels >> FANOUT_SHIFT
    if (p.tunnels & TUNNEL_COUNT_MASK) >= w.tunnel_limit or (k > 1 and fanouts >= MAX_FANOUTS):
        drop(w, p, TUNNEL_LIMIT, p.t, n)
        return
    if k > 1:
        share_copy_count(w, &copy, k)
        if unlikely(w.trace != NULL):
            for i in range(1, k):
                w.trace.copy_tunnels(w.trace, p[0], <uint8_t>(p.copy | (i << (2 * fanouts))))
    for i in range(k):
        copy.copy = <uint8_t>(p.copy | (i << (2 * fanouts)))
        if unlikely(targets[i].node == n):
            enqueue_downlink(w, n, radio_downlink(w, n, e.mobile), &copy)
        else:
            send_through_tunnel(w, n, &copy, targets[i])

cdef inline bint has_valid_careof(Entry* e, int64_t t) noexcept nogil:
    cdef int i
    if e.mode != TUNNEL or e.careof_count == 1:
        return t < e.target.expiry
    for i in range(e.careof_count):
        if t < careof_at(e, i).expiry:
            return True
    return False

cdef inline bint is_local(const Entry* e, int64_t t) noexcept nogil:
    return e != NULL and e.mode == LOCAL and t < e.target.expiry

cdef inline bint is_usable_tunnel(World* w, const Entry* e, const Packet* p) noexcept nogil:
    """Return whether the entry is one valid tunnel that the packet may enter."""
    return (
        e != NULL and e.mode == TUNNEL and e.careof_count == 1
        and p.t < e.target.expiry and (p.tunnels & TUNNEL_COUNT_MASK) < w.tunnel_limit
    )

cdef inline void look_up(World* w, int n, const Packet* p, Entry* e) noexcept nogil:
    """Forward a packet for a mobile node that is at n now, by the node's table; e is its entry or NULL."""
    cdef bint router
    if unlikely(e == NULL):
        router = w.cell_of_node[n] >= 0 and find_group(w, packet_mobile(w, p)).home != n
        drop(w, p, NO_VISITOR if router else NO_BINDING, p.t, n)
    elif is_local(e, p.t):
        enqueue_downlink(w, n, <Fifo*>e.target.extension, p)
    elif is_usable_tunnel(w, e, p):
        send_through_tunnel(w, n, p, &e.target)
    else:
        look_up_slow_path(w, n, p, e)

cdef inline bint may_pass(const PacketBuffer* buffer, const Packet* p) noexcept nogil:
    """Return whether a packet passes the gate of a buffer."""
    return buffer.gate != NO_GATE and (p.tunnels & TUNNEL_COUNT_MASK) > buffer.gate

cdef inline void look_up_slow_path(World* w, int n, const Packet* p, Entry* e) noexcept nogil:
    """Forward a packet when its entry is neither local nor one usable tunnel."""
    cdef PacketBuffer* buffer
    cdef Packet inner
    if e.mode == BUFFER:
        expire_buffer(w, n, e, p.t)
    if not has_valid_careof(e, p.t):
        drop(w, p, BINDING_EXPIRED, p.t, n)
    elif e.mode == TUNNEL and e.careof_count == 1:
        drop(w, p, TUNNEL_LIMIT, p.t, n)
    elif e.mode == TUNNEL:
        fan_out(w, n, p, e)
    elif may_pass(<PacketBuffer*>e.target.extension, p):
        enqueue_downlink(w, n, entry_downlink(e), p)
    else:
        buffer = <PacketBuffer*>e.target.extension
        inner = p[0]
        decapsulate(w, &inner)
        if not buffer_packet(buffer, &inner):
            drop(w, p, QUEUE_FULL, p.t, n)
            return
        count_bytes(&w.unit[w.unit_of_node[n]].held, packet_bytes(&inner), p.t)
        update_buffer_peaks(&w.unit[w.unit_of_node[n]], buffer)

cdef inline void update_buffer_peaks(Unit* u, PacketBuffer* buffer) noexcept nogil:
    if <int64_t>buffer.packets.size() > u.buffer_peak_packets:
        u.buffer_peak_packets = <int64_t>buffer.packets.size()
    if buffer.bytes > u.buffer_peak_bytes:
        u.buffer_peak_bytes = buffer.bytes

cdef inline void expire_buffer(World* w, int n, Entry* e, int64_t t) noexcept nogil:
    """Drop the packets of a buffer that has expired by ``t``."""
    cdef PacketBuffer* buffer = <PacketBuffer*>e.target.extension
    cdef size_t i
    if t < e.target.expiry:
        return
    for i in range(buffer.packets.size()):
        drop(w, &buffer.packets.data()[i], BUFFER_TIMEOUT, e.target.expiry, n)
    count_bytes(&w.unit[w.unit_of_node[n]].held, -buffer.bytes, e.target.expiry)
    buffer.packets.clear()
    buffer.bytes = 0

cdef inline void originate(World* w, int n, const Source* s, bint has_entries) noexcept nogil:
    """Send a source's next packet from its correspondent n. ``has_entries``: the table of n is not empty."""
    cdef Entry* e = find_entry(&w.tables[n], s.mobile) if has_entries else NULL
    cdef Fifo* f
    cdef Packet* slot
    cdef Packet p
    if unlikely(s.destination == n or (e != NULL and has_valid_careof(e, s.t))):
        emit(s, &p)
        look_up(w, n, &p, e if e != NULL and has_valid_careof(e, s.t) else NULL)
    else:
        f = w.next_hop[n][s.destination]
        slot = next_packet(w, f)
        emit(s, slot)
        enqueue(w, n, f, slot)

cdef inline void redispatch_packets(World* w, int n, vector[Packet]* packets, uint32_t mobile, int64_t t) noexcept nogil:
    cdef size_t i
    cdef Packet p
    for i in range(packets.size()):
        p = packets.data()[i]
        p.t = t
        p.flags &= <uint8_t>~(LOST | TRACED)
        look_up(w, n, &p, find_entry(&w.tables[n], mobile))

cdef inline void copy_packets_on_air(World* w, Fifo* down, int64_t t, uint32_t mobile, vector[Packet]* out) noexcept nogil:
    """Copy the mobile node's data packets that are in transmission or on the air at ``t`` (docs/model.md, 6)."""
    cdef uint32_t i = down.head
    cdef Packet* p
    cdef Packet copy
    cdef int fanouts
    while i != down.tail:
        p = &down.ring[i & down.mask]
        if p.t - down.params.delay - transmission_time(down.params, packet_bytes(p)) > t:
            return
        fanouts = p.tunnels >> FANOUT_SHIFT
        if p.t > t and packet_kind(p) < CONTROL_NODE and w.mobile_of_flow[p.flow] == mobile and fanouts < MAX_FANOUTS:
            share_copy_count(w, p, 2)
            copy = p[0]
            copy.copy = <uint8_t>(p.copy | (1 << (2 * fanouts)))
            if unlikely(w.trace != NULL):
                w.trace.copy_tunnels(w.trace, p[0], copy.copy)
            out.push_back(copy)
        i += 1

cdef inline void count_replacement(Unit* u, Entry* old, Entry* new, int64_t t) noexcept nogil:
    """Count that a whole entry replaces another one; ``old`` may be NULL, and ``new`` may have mode EMPTY."""
    cdef int k
    if old != NULL and old.mode == TUNNEL:
        for k in range(old.careof_count):
            uncount_entry(&u.bindings, careof_at(old, k).expiry, t)
    elif old != NULL:
        uncount_entry(&u.visitors, old.target.expiry, t)
    if new.mode == TUNNEL:
        for k in range(new.careof_count):
            count_entry(&u.bindings, careof_at(new, k).expiry, t)
    elif new.mode != EMPTY:
        count_entry(&u.visitors, new.target.expiry, t)

cdef inline bint keep_buffer(PacketBuffer* old, const PacketBuffer* new) noexcept nogil:
    """Give a buffer the limits of one that replaces it. Return False, without a change, if the gates differ."""
    if old.gate != new.gate:
        return False
    old.limit_packets, old.limit_bytes = new.limit_packets, new.limit_bytes
    return True

cdef inline void replace_entry(World* w, int n, uint32_t mobile, Entry new, int64_t t, bint copy_in_flight) noexcept nogil:
    """Replace a whole entry (mode EMPTY: remove it).

    Packets that wait in the downlink are rescued, and buffered packets follow the new entry (docs/model.md, 6).
    """
    cdef Entry* e = find_entry(&w.tables[n], mobile)
    cdef vector[Packet] packets
    cdef Fifo* down = entry_downlink(e)
    cdef PacketBuffer* buffer
    cdef Unit* u = &w.unit[w.unit_of_node[n]]
    cdef size_t i
    count_replacement(u, e, &new, t)
    if e != NULL and e.mode == BUFFER:
        expire_buffer(w, n, e, t)
        if new.mode == BUFFER and keep_buffer(<PacketBuffer*>e.target.extension, <PacketBuffer*>new.target.extension):
            e.target.expiry = new.target.expiry
            free_entry(&new)
            return
    if down != NULL and entry_downlink(&new) == NULL:
        if copy_in_flight:
            copy_packets_on_air(w, down, t, mobile, &packets)
        if new.mode != EMPTY:
            extract_waiting(down, t, mobile, w.mobile_of_flow, &packets)
        if down.mobile >= 0:
            down.state.flags |= ORPHAN
            free_unused_downlink(w, down, t)
    if e != NULL and e.mode == BUFFER:
        buffer = <PacketBuffer*>e.target.extension
        count_bytes(&u.held, -buffer.bytes, t)
        for i in range(buffer.packets.size()):
            packets.push_back(buffer.packets.data()[i])
    if e != NULL:
        free_entry(e)
    if new.mode == EMPTY:
        remove_entry(&w.tables[n], mobile)
    else:
        e = find_or_insert(&w.tables[n], mobile)
        e[0] = new
    redispatch_packets(w, n, &packets, mobile, t)

cdef inline void free_unused_downlink(World* w, Fifo* f, int64_t t) noexcept nogil:
    """Free a downlink that no entry names and that is empty: a new one would start in the same state.

    If a relayed packet is still on the air at ``t``, a later visit of the mobile nodes frees it.
    """
    cdef Cell* c
    if f.state.flags != ORPHAN or f.head != f.tail or f.state.is_active:
        return
    if f.idle_at > t:
        f.state.is_active = 1
        w.active_downlinks.push_back(f)
    else:
        c = &w.cell[f.params.cell]
        remove_entry(&c.downlinks, f.mobile)
        delete_fifo(w.fifo_pool, f)

cdef inline void set_local_entry(World* w, int n, uint32_t mobile, int64_t expiry, int64_t t) noexcept nogil:
    cdef Entry e
    e.mobile = mobile
    e.mode = LOCAL
    e.careof_count = 0
    e.target.expiry = expiry
    e.target.extension = visitor_downlink(w, n, mobile)
    replace_entry(w, n, mobile, e, t, False)

cdef inline void send_by_radio(World* w, int n, Action* a) noexcept nogil:
    """Put a message straight into the cell's downlink to the mobile node, whatever the table says."""
    enqueue_downlink(w, n, radio_downlink(w, n, a.mobile), &a.packet)

cdef inline void set_buffer_entry(World* w, int n, const Action* a) noexcept nogil:
    cdef Entry e
    cdef PacketBuffer* buffer = new_buffer(a.arg0, a.arg1)
    e.mobile, e.mode, e.careof_count = a.mobile, BUFFER, 0
    e.target.expiry = a.expiry
    e.target.extension = buffer
    if a.gate != NO_GATE:
        buffer.gate = a.gate
        buffer.downlink = visitor_downlink(w, n, a.mobile)
    replace_entry(w, n, a.mobile, e, a.t, a.copy_in_flight)

cdef inline void set_tunnel_entry(World* w, int n, uint32_t mobile, CareOf c, int64_t t, bint copy_in_flight) noexcept nogil:
    cdef Entry e
    e.mobile = mobile
    e.mode = TUNNEL
    e.careof_count = 1
    e.target = c
    replace_entry(w, n, mobile, e, t, copy_in_flight)

cdef inline void set_tunnel_beside_cell(
    World* w, int n, uint32_t mobile, CareOf c, int64_t t, bint copy_in_flight
) noexcept nogil:
    """Set an entry with two care-of nodes, the first of which is n itself: its own cell."""
    cdef Entry e
    cdef CareOfList* s = <CareOfList*>require(calloc(1, sizeof(CareOfList)))
    s.item[0].expiry = s.item[1].expiry = c.expiry
    s.item[0].node = <uint16_t>n
    s.item[1] = c
    e.mobile = mobile
    e.mode = TUNNEL
    e.careof_count = 2
    e.target.expiry = c.expiry
    e.target.extension = s
    replace_entry(w, n, mobile, e, t, copy_in_flight)

cdef inline void remove_careof(Entry* e, int k) noexcept nogil:
    """Remove care-of node k from a tunnel entry that has several."""
    cdef CareOfList* s = <CareOfList*>e.target.extension
    cdef int i
    for i in range(k, e.careof_count - 1):
        s.item[i] = s.item[i + 1]
    e.careof_count -= 1
    if e.careof_count == 1:
        e.target = s.item[0]
        free(s)

cdef inline void add_careof(World* w, int n, uint32_t mobile, CareOf c, int64_t t, bint copy_in_flight) noexcept nogil:
    """Add a simultaneous binding."""
    cdef Entry* e = find_entry(&w.tables[n], mobile)
    cdef CareOfList* s
    cdef EntryCount* bindings = &w.unit[w.unit_of_node[n]].bindings
    cdef int k
    if e == NULL or e.mode != TUNNEL:
        set_tunnel_entry(w, n, mobile, c, t, copy_in_flight)
        return
    for k in range(e.careof_count - 1, -1, -1):
        if careof_at(e, k).expiry <= t and e.careof_count > 1:
            remove_careof(e, k)
    if e.careof_count == 1 and e.target.expiry <= t:
        e.target = c
        count_entry(bindings, c.expiry, t)
        return
    for k in range(e.careof_count):
        if careof_at(e, k).node == c.node:
            uncount_entry(bindings, careof_at(e, k).expiry, t)
            careof_at(e, k)[0] = c
            count_entry(bindings, c.expiry, t)
            return
    if e.careof_count == MAX_CAREOF:
        uncount_entry(bindings, careof_at(e, 0).expiry, t)
        remove_careof(e, 0)
    count_entry(bindings, c.expiry, t)
    if e.careof_count == 1:
        s = <CareOfList*>require(calloc(1, sizeof(CareOfList)))
        s.item[0] = e.target
        e.target.extension = s
    s = <CareOfList*>e.target.extension
    s.item[e.careof_count] = c
    e.careof_count += 1

cdef inline void remove_binding(World* w, int n, uint32_t mobile, int64_t careof_node, int64_t t) noexcept nogil:
    """Remove one care-of node, or the whole entry if ``careof_node`` is -1."""
    cdef Entry* e = find_entry(&w.tables[n], mobile)
    cdef Entry empty_entry
    cdef int k
    if e == NULL:
        return
    empty_entry.mode = EMPTY
    if careof_node < 0:
        replace_entry(w, n, mobile, empty_entry, t, False)
        return
    if e.mode != TUNNEL:
        return
    for k in range(e.careof_count):
        if careof_at(e, k).node == careof_node:
            if e.careof_count == 1:
                replace_entry(w, n, mobile, empty_entry, t, False)
            else:
                uncount_entry(&w.unit[w.unit_of_node[n]].bindings, careof_at(e, k).expiry, t)
                remove_careof(e, k)
                if e.careof_count == 1 and e.target.node == n:
                    set_local_entry(w, n, mobile, e.target.expiry, t)
            return

cdef inline void apply_action(World* w, int n, Action* a) noexcept nogil:
    """Apply an action of the controller of node n."""
    cdef CareOf c
    if a.op == SEND:
        if a.arg1:
            send_by_radio(w, n, a)
        elif a.packet.destination == n:
            look_up(w, n, &a.packet, find_entry(&w.tables[n], a.mobile))
        else:
            forward_packet(w, n, &a.packet)
    elif a.op == BIND or a.op == ADD_BINDING:
        c.expiry, c.tunnel_flags = a.expiry, <uint8_t>(a.tunnel_flags & ~BESIDE_CELL)
        c.node, c.header_bytes = <uint16_t>a.arg0, <uint8_t>a.arg1
        if a.tunnel_flags & BESIDE_CELL:
            set_tunnel_beside_cell(w, n, a.mobile, c, a.t, a.copy_in_flight)
        elif a.op == BIND:
            set_tunnel_entry(w, n, a.mobile, c, a.t, a.copy_in_flight)
        else:
            add_careof(w, n, a.mobile, c, a.t, a.copy_in_flight)
    elif a.op == DELIVER_LOCALLY:
        set_local_entry(w, n, a.mobile, a.expiry, a.t)
    elif a.op == SET_BUFFER:
        set_buffer_entry(w, n, a)
    elif a.op == UNBIND or a.op == UNBIND_ALL:
        remove_binding(w, n, a.mobile, a.arg0 if a.op == UNBIND else -1, a.t)
