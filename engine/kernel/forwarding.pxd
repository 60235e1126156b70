"""Forwarding at a node: shortest path, binding table, cell."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from engine.kernel.binding_table cimport (
    BUFFER, EMPTY, ENDS_AT_MOBILE, HOSTILE_TUNNEL, LOCAL, MAX_CAREOF, NO_GATE, QUEUE, RELAYED_PACKETS, TUNNEL, BindingTable,
    CareOf, Entry, PacketBuffer, buffer_packet, careof_at, find_entry, find_or_insert,
)
from engine.kernel.copy_ledger cimport CopyCount, packet_id
from engine.kernel.fates cimport BINDING_EXPIRED, BUFFER_TIMEOUT, NO_BINDING, NO_VISITOR, QUEUE_FULL, TUNNEL_LIMIT, drop
from engine.kernel.fifo cimport ACCEPTED, IN_CONTROL_LIST, ORPHAN, Fifo, FifoParameters, append_relayed, new_fifo, packet_bytes
from engine.kernel.occupancy cimport count_bytes
from engine.kernel.packet cimport (
    CONTROL, CONTROL_NODE, COPIED, DECAPSULATE, FANOUT_SHIFT, MAX_FANOUTS, TUNNEL_COUNT_MASK, Packet, unlikely,
)
from engine.kernel.rng cimport combine
from engine.kernel.sources cimport Source, emit
from engine.kernel.thread_pool cimport ScopedLock
from engine.kernel.world cimport (
    Cell, Unit, World, add_to_fingerprint, announce, copy_to_slot, find_group, mobile_key, next_packet, offer_packet, packet_kind,
    packet_mobile, trace_hop,
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

cdef inline Fifo* next_link(World* w, int n, int destination) noexcept nogil:
    """Return the link of n towards another node."""
    return w.next_hop[n][destination]

cdef inline void forward_on_link(World* w, int n, Fifo* f, const Packet* p) noexcept nogil:
    enqueue(w, n, f, copy_to_slot(w, f, p))

cdef inline void forward_packet(World* w, int n, const Packet* p) noexcept nogil:
    """Send a packet on the link towards its destination, which is not n."""
    forward_on_link(w, n, next_link(w, n, p.destination), p)

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

cdef inline Fifo* cell_downlink(World* w, int n, uint32_t mobile) noexcept nogil:
    """Return the downlink of n's cell to a mobile node."""
    cdef Cell* c = &w.cell[w.cell_of_node[n]]
    if c.shared_downlink != NULL:
        return c.shared_downlink
    return get_mobile_fifo(w, &c.downlinks, c.downlink_params, c.downlink_key, mobile)

cdef inline Fifo* unnamed_downlink(World* w, int n, uint32_t mobile) noexcept nogil:
    """Return the downlink of n's cell for one packet to a mobile node whose entry does not name it."""
    cdef Fifo* f = cell_downlink(w, n, mobile)
    if f.mobile >= 0:
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
            enqueue_downlink(w, n, unnamed_downlink(w, n, e.mobile), &copy)
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

cdef extern from *:
    """
    /* Calls a function that is seldom needed: in line, it would crowd out of the callers what every packet needs. */
    template <typename F, typename... A> static __attribute__((noinline)) void handoff_out_of_line(F f, A... a) { f(a...); }
    """
    void look_up_out_of_line "handoff_out_of_line"(
        void (*f)(World*, int, const Packet*, Entry*) noexcept nogil, World* w, int n, const Packet* p, Entry* e
    ) noexcept nogil

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
        look_up_out_of_line(look_up_slow_path, w, n, p, e)

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
