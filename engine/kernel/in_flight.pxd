"""Packets in flight, and the state of sources, when a run stops (fate IN_FLIGHT)."""

from libc.stdint cimport int64_t, uint32_t

from engine.kernel.binding_table cimport BUFFER, BindingTable, Entry, PacketBuffer
from engine.kernel.events cimport EVENT_MESSAGE
from engine.kernel.fates cimport IN_FLIGHT, record_fate
from engine.kernel.fifo cimport Fifo, LinkCounters, flush_counters, packet_bytes
from engine.kernel.forwarding cimport expire_buffer
from engine.kernel.packet cimport CONTROL_NODE, Packet
from engine.kernel.shortage cimport OUT_OF_MEMORY
from engine.kernel.world cimport RECORD_PACKETS, Unit, World, packet_kind

cdef extern from *:
    int guard_expiry "handoff_guard"(int (*f)(World*, int64_t) noexcept, World* w, int64_t end) noexcept
    int guard_count "handoff_guard"(
        int (*f)(World*, int64_t[::1], int64_t[:, ::1], int64_t*) noexcept, World* w, int64_t[::1] flow_counts,
        int64_t[:, ::1] queued, int64_t* control,
    ) noexcept

cdef inline void count_packet(World* w, Packet* p, int64_t[::1] flow_counts, int64_t* control) noexcept:
    if packet_kind(p) >= CONTROL_NODE:
        control[0] += 1
    else:
        flow_counts[p.flow] += 1
        if w.record_level == RECORD_PACKETS:
            record_fate(w, p, IN_FLIGHT, -1, -1, -1)

cdef inline void count_ring(
    World* w, Fifo* f, int64_t[::1] flow_counts, int64_t* control, int64_t* packets, int64_t* size
) noexcept:
    cdef uint32_t h = f.head
    while h != f.tail:
        count_packet(w, &f.ring[h & f.mask], flow_counts, control)
        packets[0] += 1
        size[0] += packet_bytes(&f.ring[h & f.mask])
        h += 1

cdef inline int expire_all_buffers(World* w, int64_t end) noexcept:
    cdef int64_t i
    cdef size_t j
    cdef BindingTable* table
    for i in range(w.nodes):
        if w.unit[w.unit_of_node[i]].held.bytes == 0:
            continue
        table = &w.tables[i]
        for j in range(table.slot_count):
            if table.entries[j].mode == BUFFER and table.entries[j].target.expiry < end:
                expire_buffer(w, <int>i, &table.entries[j], end)
    return 0

cdef inline int expire_buffers(World* w, int64_t end) except -1:
    """Drop the packets of expired buffers; during a run, this happens when the next packet arrives."""
    if guard_expiry(expire_all_buffers, w, end) == OUT_OF_MEMORY:
        raise MemoryError("no memory for the result of a run")
    return 0

cdef inline int64_t count_in_flight(World* w, int64_t[::1] flow_counts, int64_t[:, ::1] queued) except -1:
    """Count data copies in flight by flow, and packets by row of the link counters. Return the number of control packets."""
    cdef int64_t control = 0
    cdef size_t records = w.packet_records.size()
    if guard_count(count_all_in_flight, w, flow_counts, queued, &control) == OUT_OF_MEMORY:
        w.packet_records.resize(records)
        raise MemoryError("no memory for the result of a run")
    return control

cdef inline void update_sent_packets(World* w) noexcept:
    """Update the packets sent of the flows whose sources have not ended; those of the others are final."""
    cdef int64_t i, k
    cdef size_t j, n
    cdef Unit* u
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.cbr_rings.size()):
            for k in range(u.cbr_rings[0][j].count):
                n = (u.cbr_rings[0][j].head + k) % u.cbr_rings[0][j].capacity
                w.sent_packets[u.cbr_rings[0][j].ring[n].flow] = u.cbr_rings[0][j].ring[n].seq
        for j in range(u.sources.items.size()):
            w.sent_packets[u.sources.items.data()[j].flow] = u.sources.items.data()[j].seq

cdef inline int count_all_in_flight(World* w, int64_t[::1] flow_counts, int64_t[:, ::1] queued, int64_t* control) noexcept:
    cdef int64_t packets = 0, size = 0, i
    cdef size_t j, n
    cdef Unit* u
    cdef Fifo* f
    cdef BindingTable* table
    cdef Entry* e
    cdef Packet* p
    cdef PacketBuffer* buffer
    cdef int64_t row, rows = queued.shape[0], links = rows - 2 * w.cells
    update_sent_packets(w)
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.inbound_fifos.size()):
            f = u.inbound_fifos[0][j]
            flush_counters(f.params)
            packets = size = 0
            count_ring(w, f, flow_counts, control, &packets, &size)
            row = counters_row(w, f)
            if row >= 0:
                queued[row, 0] += packets
                queued[row, 1] += size
        for j in range(u.pending_events.size()):
            if u.pending_events.data()[j].kind == EVENT_MESSAGE:
                control[0] += 1
    for j in range(w.active_downlinks.size()):
        f = w.active_downlinks[0][j]
        row = links + 2 * f.params.cell
        count_ring(w, f, flow_counts, control, &queued[row, 0], &queued[row, 1])
    for i in range(w.cells):
        flush_counters(w.cell[i].downlink_params)
        flush_counters(w.cell[i].uplink_params)
        row = links + 2 * i + 1
        for j in range(w.cell[i].arrivals.head, w.cell[i].arrivals.items.size()):
            p = &w.cell[i].arrivals.items.data()[j].packet
            count_packet(w, p, flow_counts, control)
            queued[row, 0] += 1
            queued[row, 1] += packet_bytes(p)
        for j in range(w.cell[i].active_uplinks.size()):
            f = w.cell[i].active_uplinks[0][j]
            count_ring(w, f, flow_counts, control, &queued[row, 0], &queued[row, 1])
    for i in range(w.nodes + 1):
        table = &w.tables[i] if i < w.nodes else &w.upstream_buffers
        for j in range(table.slot_count):
            e = &table.entries[j]
            if e.mode != BUFFER:
                continue
            buffer = <PacketBuffer*>e.target.extension
            for n in range(buffer.packets.size()):
                count_packet(w, &buffer.packets.data()[n], flow_counts, control)
    return 0

cdef inline int64_t counters_row(World* w, Fifo* f) noexcept:
    """Return the row of a link's counters; -1 for a server."""
    cdef int64_t offset = <int64_t>f.params.counters - <int64_t>w.link_counters
    if f.params.service_time >= 0:
        return -1
    return offset // <int64_t>sizeof(LinkCounters)
