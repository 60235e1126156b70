"""Fates of packets: deliveries and drops, with the counters and records that they update."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from engine.kernel.copy_ledger cimport CopyCount, packet_id
from engine.kernel.events cimport Message
from engine.kernel.exact_sum cimport add_to_low_word
from engine.kernel.packet cimport CONTROL_NODE, COPIED, TUNNEL_COUNT_MASK, Packet, unlikely
from engine.kernel.rng cimport clz64
from engine.kernel.world cimport CONTROL_FATES, DATA_FATES, RECORD_PACKETS, DeferredDrop, Flow, PacketRecord, World, packet_kind

cdef enum:  # fates of packet copies; the values of engine.results.Fate
    DELIVERED = 0
    DUPLICATE = 1
    QUEUE_FULL = 2
    FORWARDING_OVERLOAD = 3
    REGISTRATION_OVERLOAD = 4
    LINK_LOSS = 5
    NO_BINDING = 6
    NO_VISITOR = 7
    DETACHED = 8
    BINDING_EXPIRED = 9
    BUFFER_TIMEOUT = 10
    TUNNEL_LIMIT = 11
    AUTHENTICATION_FAILED = 12
    REPLAYED = 13
    IN_FLIGHT = 14

cdef inline void record_fate(World* w, const Packet* p, int fate, int64_t t, int node, int via) noexcept nogil:
    cdef PacketRecord e
    e.flow, e.seq, e.copy, e.tunnels, e.creation_time = p.flow, p.seq, p.copy, p.tunnels & TUNNEL_COUNT_MASK, p.creation_time
    e.fate, e.t, e.node, e.via = <uint8_t>fate, t, node, via
    w.packet_records.push_back(e)

cdef inline void end_message(World* w, uint32_t index) noexcept nogil:
    cdef Message* m = &w.messages.data()[index]
    m.reference_count -= 1
    if m.reference_count == 0:
        w.free_messages.push_back(index)

cdef inline void defer_drop(World* w, const Packet* p, int fate, int64_t t, int node) noexcept nogil:
    cdef DeferredDrop d
    d.packet, d.fate, d.t, d.node = p[0], fate, t, node
    w.deferred_drops.push_back(d)

cdef inline void drop(World* w, const Packet* p, int fate, int64_t t, int node) noexcept nogil:
    cdef Flow* f
    cdef CopyCount* c
    if w.deferred_drops != NULL:
        defer_drop(w, p, fate, t, node)
        return
    if unlikely(w.trace != NULL):
        w.trace.clear_tunnels(w.trace, p[0])
    if packet_kind(p) >= CONTROL_NODE:
        w.fates[CONTROL_FATES][fate] += 1
        end_message(w, p.seq)
        return
    w.fates[DATA_FATES][fate] += 1
    f = &w.flow[p.flow]
    f.dropped += 1
    if p.flags & COPIED:
        c = &w.ledger[0][packet_id(p.flow, p.seq)]
        c.in_flight -= 1
        if c.in_flight == 0:
            if not c.delivered:
                f.lost += 1
            w.ledger.erase(packet_id(p.flow, p.seq))
    else:
        f.lost += 1
    if w.record_level:
        record_fate(w, p, fate, t, node, -1)

cdef inline int histogram_bucket(int64_t value) noexcept nogil:
    cdef int exponent
    if value < 32:
        return <int>value
    exponent = 58 - clz64(<uint64_t>value)
    return <int>(((exponent + 1) << 5) + (value >> exponent) - 32)

cdef inline bint deliver(World* w, const Packet* p, int node, int cell) noexcept nogil:
    """Deliver a data packet at p.t to a node, or (node -1) to a mobile node through a cell. Return False for a duplicate."""
    cdef CopyCount* c
    cdef bint is_duplicate = False
    if unlikely(w.trace != NULL):
        w.trace.clear_tunnels(w.trace, p[0])
    if unlikely(p.flags & COPIED):
        c = &w.ledger[0][packet_id(p.flow, p.seq)]
        is_duplicate = c.delivered
        c.delivered = True
        c.in_flight -= 1
        if c.in_flight == 0:
            w.ledger.erase(packet_id(p.flow, p.seq))
    if unlikely(w.record_level == RECORD_PACKETS):
        record_fate(w, p, DUPLICATE if is_duplicate else DELIVERED, p.t, node, w.cell[cell].node if cell >= 0 else -1)
    if unlikely(is_duplicate):
        w.flow[p.flow].duplicate += 1
        w.fates[DATA_FATES][DUPLICATE] += 1
        return False
    count_delivery(w, p.flow, p.seq, p.t, p.t - p.creation_time)
    return True

cdef inline void count_delivery(World* w, uint32_t flow, uint32_t seq, int64_t t, int64_t delay) noexcept nogil:
    """Count the first copy of a packet that is delivered."""
    cdef Flow* f = &w.flow[flow]
    w.fates[DATA_FATES][DELIVERED] += 1
    w.delay_histogram[histogram_bucket(delay)] += 1
    f.delivered += 1
    if unlikely(add_to_low_word(&f.delay_sum_low, delay)):
        f.bits.delay_sum_high += 1
    if delay > f.delay_max:
        f.delay_max = delay
    if t - f.last_time > f.gap_max and f.last_time >= 0:
        f.gap_max = t - f.last_time
    f.last_time = t
    if unlikely(seq < f.next_seq):
        f.reordered += 1
    else:
        f.next_seq = seq + 1
