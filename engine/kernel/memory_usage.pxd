"""Memory that a world uses, by purpose (docs/model.md, 15)."""

from libc.stdint cimport int32_t, int64_t, uint32_t

from engine.kernel.binding_table cimport BUFFER, QUEUE, TUNNEL, BindingTable, CareOfList, Entry, PacketBuffer
from engine.kernel.fifo cimport NO_RING, Fifo
from engine.kernel.inbox cimport MAX_RUNS, Arrival, Inbox, LateArrival
from engine.kernel.occupancy cimport entry_count_bytes
from engine.kernel.packet cimport Packet
from engine.kernel.source_calendar cimport calendar_bytes
from engine.kernel.sources cimport FlowSchedule, Source
from engine.kernel.uplink_arrivals cimport UplinkArrival, UplinkState
from engine.kernel.world cimport Flow, LookedUpArrival, MobileGroup, MobileNode, Unit, World

cdef inline int64_t ring_bytes(const Fifo* f) noexcept nogil:
    return 0 if f == NULL or f.mask == NO_RING else (f.mask + <int64_t>1) * <int64_t>sizeof(Packet)

cdef inline int64_t inbox_bytes(const Inbox* inbox) noexcept nogil:
    cdef int64_t slots = 0
    cdef int i
    for i in range(MAX_RUNS):
        if inbox.runs[i].slots != NULL:
            slots += <int64_t>inbox.runs[i].mask + 1
    return slots * <int64_t>sizeof(Arrival) + inbox.late.capacity() * sizeof(LateArrival)

cdef inline int64_t table_bytes(const BindingTable* table) noexcept nogil:
    """Return the bytes of a table's slots and of what its entries own, including the rings of queues."""
    cdef int64_t total = table.slot_count * <int64_t>sizeof(Entry)
    cdef uint32_t i
    cdef const Entry* e
    for i in range(table.slot_count):
        e = &table.entries[i]
        if e.mode == QUEUE:
            total += ring_bytes(<Fifo*>e.target.extension)
        elif e.mode == BUFFER:
            total += sizeof(PacketBuffer) + (<PacketBuffer*>e.target.extension).packets.capacity() * sizeof(Packet)
        elif e.mode == TUNNEL and e.careof_count > 1:
            total += sizeof(CareOfList)
    return total

cdef inline dict measure_memory(World* w, object built):
    """Return bytes by purpose. ``built`` owns the columns that the world reads in place."""
    cdef int64_t bindings = table_bytes(&w.upstream_buffers), visitors = 0, queues = 0, sources = 0, due = 0, table, i
    cdef size_t j
    cdef Unit* u
    for i in range(w.nodes):
        u = &w.unit[w.unit_of_node[i]]
        table = table_bytes(&w.tables[i]) + entry_count_bytes(&u.bindings) + entry_count_bytes(&u.visitors)
        if w.cell_of_node[i] < 0:
            bindings += table
        else:
            visitors += table
    for i in range(w.cells):
        queues += table_bytes(&w.cell[i].downlinks) + table_bytes(&w.cell[i].uplinks) + ring_bytes(w.cell[i].shared_downlink)
        queues += w.cell[i].arrivals.items.capacity() * sizeof(UplinkArrival)
    for i in range(w.levels):
        queues += inbox_bytes(&w.level[i].inbox) + w.level[i].looked_up.capacity() * sizeof(LookedUpArrival)
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.inbound_fifos.size()):
            queues += ring_bytes(u.inbound_fifos[0][j])
        queues += ring_bytes(u.registration_fifo)
        for j in range(u.cbr_rings.size()):
            sources += (u.cbr_rings[0][j].capacity + u.cbr_rings[0][j].not_started.size()) * sizeof(Source)
        sources += calendar_bytes(&u.sources)
        due += u.schedule_count * <int64_t>(2 * sizeof(int64_t) + 2 * sizeof(int32_t))
    queues += w.fifo_pool.total_blocks * <int64_t>w.fifo_pool.block_bytes
    return {
        "mobiles": w.mobiles * <int64_t>(sizeof(MobileNode) + sizeof(uint32_t) + (0 if w.uplink == NULL else sizeof(UplinkState)))
        + w.mobile_group_count * <int64_t>sizeof(MobileGroup),
        "bindings": bindings,
        "visitors": visitors,
        "queues": queues,
        "movement": built.movement_bytes + due,
        "flows": w.flows * <int64_t>(sizeof(Flow) + 2 * sizeof(uint32_t)) + sources + built.flow_bytes
        + built.schedules * <int64_t>sizeof(FlowSchedule),
    }  # fmt: skip
