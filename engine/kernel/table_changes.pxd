"""Changes of a node's binding table, and the packets that they move."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from engine.kernel.binding_table cimport (
    BUFFER, EMPTY, LOCAL, MAX_CAREOF, NO_GATE, TUNNEL, CareOf, CareOfList, Entry, PacketBuffer, careof_at,
    find_entry, find_or_insert, free_entry, new_buffer, remove_entry,
)
from engine.kernel.events cimport (
    ADD_BINDING, BIND, BIND_BESIDE_CELL, DELIVER_LOCALLY, SEND, SET_BUFFER, UNBIND, UNBIND_ALL, Action,
)
from engine.kernel.fifo cimport ORPHAN, Fifo, delete_fifo, extract_waiting, packet_bytes, transmission_time
from engine.kernel.forwarding cimport (
    cell_downlink, enqueue_downlink, entry_downlink, expire_buffer, forward_packet, look_up, share_copy_count, unnamed_downlink,
)
from engine.kernel.occupancy cimport EntryCount, count_bytes, count_entry, uncount_entry
from engine.kernel.packet cimport CONTROL_NODE, FANOUT_SHIFT, LOST, MAX_FANOUTS, TRACED, Packet, unlikely
from engine.kernel.shortage cimport require
from engine.kernel.vector cimport vector
from engine.kernel.world cimport Cell, Unit, World, packet_kind

cdef inline Fifo* visitor_downlink(World* w, int n, uint32_t mobile) noexcept nogil:
    """Return the downlink of n's cell for an entry that names it."""
    cdef Fifo* f = cell_downlink(w, n, mobile)
    if f.mobile >= 0:
        f.state.flags &= ~<uint64_t>ORPHAN
    return f

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
    cdef Fifo* f = entry_downlink(find_entry(&w.tables[n], a.mobile))
    enqueue_downlink(w, n, f if f != NULL else unnamed_downlink(w, n, a.mobile), &a.packet)

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
    elif a.op == BIND or a.op == ADD_BINDING or a.op == BIND_BESIDE_CELL:
        c.expiry, c.tunnel_flags = a.expiry, <uint8_t>a.tunnel_flags
        c.node, c.header_bytes = <uint16_t>a.arg0, <uint8_t>a.arg1
        if a.op == BIND_BESIDE_CELL:
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
