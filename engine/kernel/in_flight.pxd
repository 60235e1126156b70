"""What is left in a world when a run stops: packets under way, sources that would go on."""

from libc.stdint cimport int64_t, uint32_t

from engine.kernel.events cimport MESSAGE
from engine.kernel.fifo cimport Fifo, Tally, record_bytes, settle
from engine.kernel.forwarding cimport time_out
from engine.kernel.packet cimport CONTROL_NODE, Record
from engine.kernel.binding_table cimport HOLD, Entry, Held, Table
from engine.kernel.world cimport IN_FLIGHT, RECORD_PACKETS, Unit, World, kind_of, note

cdef inline void count_record(World* w, Record* r, int64_t[::1] left, int64_t* control) noexcept:
    if kind_of(r) >= CONTROL_NODE:
        control[0] += 1
    else:
        left[r.flow] += 1
        if w.record == RECORD_PACKETS:
            note(w, r, IN_FLIGHT, -1, -1, -1)

cdef inline void count_ring(World* w, Fifo* f, int64_t[::1] left, int64_t* control, int64_t* packets, int64_t* size) noexcept:
    cdef uint32_t h = f.head
    while h != f.tail:
        count_record(w, &f.ring[h & f.mask], left, control)
        packets[0] += 1
        size[0] += record_bytes(&f.ring[h & f.mask])
        h += 1

cdef inline void time_out_holds(World* w, int64_t end) noexcept:
    """Drop what nodes hold beyond its time; it would be done when the next packet comes."""
    cdef int64_t i
    cdef size_t j
    cdef Table* table
    for i in range(w.nodes):
        table = &w.tables[i]
        for j in range(table.slots):
            if table.slot[j].mode == HOLD and table.slot[j].one.until < end:
                time_out(w, <int>i, &table.slot[j], end)

cdef inline int64_t count_left(World* w, int64_t[::1] left, int64_t[:, ::1] queued) except -1:
    """Data copies still under way by flow, and by row of the tallies; and how many control messages."""
    cdef int64_t control = 0, packets = 0, size = 0, i, k
    cdef size_t j, n
    cdef Unit* u
    cdef Fifo* f
    cdef Table* table
    cdef Entry* e
    cdef Held* held
    cdef int64_t row, rows = queued.shape[0], links = rows - 2 * w.cells
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.arrivals.size()):
            f = u.arrivals[0][j]
            settle(f.line)
            packets = size = 0
            count_ring(w, f, left, &control, &packets, &size)
            row = row_of(w, f, queued)
            if row >= 0:
                queued[row, 0] += packets
                queued[row, 1] += size
        for j in range(u.pending.size()):
            if u.pending.data()[j].kind == MESSAGE:
                control += 1
        for j in range(u.rotations.size()):
            for k in range(u.rotations[0][j].count):
                n = (u.rotations[0][j].head + k) % u.rotations[0][j].capacity
                w.sent[u.rotations[0][j].ring[n].flow] = u.rotations[0][j].ring[n].seq
        for j in range(u.sources.size()):
            w.sent[u.sources.data()[j].flow] = u.sources.data()[j].seq
    for j in range(w.busy_downs.size()):
        f = w.busy_downs[0][j]
        row = links + 2 * f.line.cell
        count_ring(w, f, left, &control, &queued[row, 0], &queued[row, 1])
    for i in range(w.cells):
        settle(w.cell[i].down)
        settle(w.cell[i].up)
        for j in range(w.cell[i].busy_ups.size()):
            f = w.cell[i].busy_ups[0][j]
            row = links + 2 * i + 1
            count_ring(w, f, left, &control, &queued[row, 0], &queued[row, 1])
    for i in range(w.nodes + 1):
        table = &w.tables[i] if i < w.nodes else &w.up_holds
        for j in range(table.slots):
            e = &table.slot[j]
            if e.mode != HOLD:
                continue
            held = <Held*>e.one.more
            for n in range(held.records.size()):
                count_record(w, &held.records.data()[n], left, &control)
    return control

cdef inline int64_t row_of(World* w, Fifo* f, int64_t[:, ::1] queued) noexcept:
    """Row of a link's tally; -1 for a server."""
    cdef int64_t offset = <int64_t>f.line.tally - <int64_t>w.tallies
    if f.line.fixed >= 0:
        return -1
    return offset // <int64_t>sizeof(Tally)
