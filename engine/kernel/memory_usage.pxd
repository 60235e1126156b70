"""How many bytes a world holds, and for what (docs/model.md, 15)."""

from libc.stdint cimport int32_t, int64_t, uint32_t

from engine.kernel.fifo cimport NO_RING, Fifo
from engine.kernel.packet cimport Record
from engine.kernel.sources cimport Law, Source
from engine.kernel.binding_table cimport HOLD, QUEUE, TUNNEL, Entry, Held, Several, Table
from engine.kernel.world cimport Family, Flow, Mobile, Unit, World

cdef inline int64_t ring_bytes(const Fifo* f) noexcept nogil:
    return 0 if f == NULL or f.mask == NO_RING else (f.mask + <int64_t>1) * <int64_t>sizeof(Record)

cdef inline int64_t table_bytes(const Table* table) noexcept nogil:
    """Of the slots and of what their entries own, rings of queues included."""
    cdef int64_t total = table.slots * <int64_t>sizeof(Entry)
    cdef uint32_t i
    cdef const Entry* e
    for i in range(table.slots):
        e = &table.slot[i]
        if e.mode == QUEUE:
            total += ring_bytes(<Fifo*>e.one.more)
        elif e.mode == HOLD:
            total += sizeof(Held) + (<Held*>e.one.more).records.capacity() * sizeof(Record)
        elif e.mode == TUNNEL and e.count > 1:
            total += sizeof(Several)
    return total

cdef inline dict holdings(World* w, object built):
    """``built`` has the columns that the world reads where they lie."""
    cdef int64_t bindings = table_bytes(&w.up_holds), visitors = 0, queues = 0, sources = 0, due = 0, i
    cdef size_t j
    cdef Unit* u
    for i in range(w.nodes):
        if w.cell_of_node[i] < 0:
            bindings += table_bytes(&w.tables[i])
        else:
            visitors += table_bytes(&w.tables[i])
    for i in range(w.cells):
        queues += table_bytes(&w.cell[i].downs) + table_bytes(&w.cell[i].ups) + ring_bytes(w.cell[i].shared)
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.arrivals.size()):
            queues += ring_bytes(u.arrivals[0][j])
        queues += ring_bytes(u.registration)
        for j in range(u.rotations.size()):
            sources += (u.rotations[0][j].capacity + u.rotations[0][j].coming.size()) * sizeof(Source)
        sources += u.sources.capacity() * sizeof(Source)
        due += u.scheduled_count * <int64_t>(2 * sizeof(int64_t) + 2 * sizeof(int32_t))
    queues += w.fifos.made * <int64_t>w.fifos.bytes
    return {
        "mobiles": w.mobiles * <int64_t>(sizeof(Mobile) + sizeof(uint32_t)) + w.families * <int64_t>sizeof(Family),
        "bindings": bindings,
        "visitors": visitors,
        "queues": queues,
        "movement": built.movement_bytes + due,
        "flows": w.flows * <int64_t>(sizeof(Flow) + 2 * sizeof(uint32_t)) + sources + built.flow_bytes
        + built.laws * <int64_t>sizeof(Law),
    }  # fmt: skip
