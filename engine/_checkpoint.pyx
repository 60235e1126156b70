# distutils: language = c++
# cython: language_level=3
"""Saving and restoring the state of an engine between two slices, as a byte stream (docs/runs.md).

One traversal of everything that a run changes both writes and reads it, so that the two directions cannot diverge. The inputs
of an engine (network, seed, options) are not in the stream: the engine is built again, and their digest must match. A pointer
is written as what identifies its target: a row, or the cell and mobile node of a downlink or uplink.
"""

import numpy as np

from engine.checkpoint_file import CheckpointError, build_digest
from engine.link_trace import HOP, MESSAGE, LinkTrace as TraceColumns
from engine.results import EngineStateError

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy
from libcpp.pair cimport pair

from engine._core cimport BROKEN, Engine
from engine._loop cimport AUTO
from engine.kernel.arena cimport allocate_zeroed
from engine.kernel.binding_table cimport (
    BUFFER, LOCAL, NO_GATE, QUEUE, TUNNEL, BindingTable, CareOfList, Entry, PacketBuffer, find_entry, new_buffer,
)
from engine.kernel.copy_ledger cimport CopyCount
from engine.kernel.events cimport ControllerEvent, Message
from engine.kernel.fifo cimport NO_RING, Fifo, FifoParameters, LinkCounters, first_needed, new_fifo
from engine.kernel.link_trace cimport CopyId, LinkTrace, TracedHop, TracedMessage, TunnelStack
from engine.kernel.next_event cimport atomic_set_bits
from engine.kernel.occupancy cimport EntryCount
from engine.kernel.packet cimport Packet
from engine.kernel.source_calendar cimport build_calendar, fill_calendar
from engine.kernel.sources cimport CbrRing, Source
from engine.kernel.shortage cimport OUT_OF_MEMORY, require
from engine.kernel.uplink_arrivals cimport UplinkArrival, UplinkState, sort_arrivals
from engine.kernel.vector cimport vector
from engine.kernel.world cimport HISTOGRAM_BUCKETS, Cell, Flow, MobileNode, PacketRecord, Span, Unit, World
from engine.kernel.world_init cimport free_table

cdef enum:
    IO_BUFFER_BYTES = 1 << 20  # bytes per read or write of the file

ctypedef pair[uint64_t, CopyCount] LedgerItem
ctypedef pair[CopyId, TunnelStack] TunnelItem

ctypedef fused Item:
    LedgerItem
    TunnelItem
    ControllerEvent
    Source
    Message
    Span
    PacketRecord
    TracedHop
    TracedMessage
    Packet
    UplinkArrival


cdef class StateStream:
    """Sequence of fields that are written to a file or read from it."""

    cdef bint reading
    cdef object file
    cdef bytearray buffer
    cdef char* bytes  # the content of buffer
    cdef size_t buffer_position, buffer_end
    cdef uint64_t remaining  # bytes that remain in the file, while reading

    def __cinit__(self, file, bint reading):
        self.file, self.reading = file, reading
        self.buffer = bytearray(IO_BUFFER_BYTES)
        self.bytes = self.buffer
        if reading:
            start = file.tell()
            self.remaining = file.seek(0, 2) - start
            file.seek(start)

    cdef int serialize(self, void* field, size_t size) except -1:
        """Write one field to the file, or read it."""
        cdef char* position = <char*>field
        cdef size_t n
        if self.reading:
            if size > self.remaining:
                raise CheckpointError("the state of an engine ends too early")
            self.remaining -= size
        while size:
            if self.reading and self.buffer_position == self.buffer_end:
                self.refill()
            elif not self.reading and self.buffer_position == IO_BUFFER_BYTES:
                self.flush()
            n = (self.buffer_end if self.reading else <size_t>IO_BUFFER_BYTES) - self.buffer_position
            n = size if size < n else n
            if self.reading:
                memcpy(position, self.bytes + self.buffer_position, n)
            else:
                memcpy(self.bytes + self.buffer_position, position, n)
            self.buffer_position += n
            position += n
            size -= n
        return 0

    cdef int flush(self) except -1:
        self.file.write(memoryview(self.buffer)[: self.buffer_position].toreadonly())
        self.buffer_position = 0
        return 0

    cdef int refill(self) except -1:
        count = self.file.readinto(self.buffer)
        if not isinstance(count, int) or not 0 < count <= IO_BUFFER_BYTES:
            raise CheckpointError("the state of an engine ends too early")
        self.buffer_end = count
        self.buffer_position = 0
        return 0

    cdef int finish(self) except -1:
        """Leave the file position directly after the last field."""
        if self.reading:
            self.file.seek(<int64_t>self.buffer_position - <int64_t>self.buffer_end, 1)
        else:
            self.flush()
        return 0

    cdef int64_t serialize_int(self, int64_t value) except? -1:
        """Write an integer and return it, or return the one that was read."""
        self.serialize(&value, sizeof(value))
        return value

    cdef uint64_t serialize_count(self, uint64_t items, size_t size) except? 0:
        """Write or read the number of items that follow; while reading, check it against the bytes that remain."""
        cdef uint64_t n = <uint64_t>self.serialize_int(<int64_t>items)
        if self.reading and n > self.remaining // size:
            raise CheckpointError("the state of an engine ends too early")
        return n

    cdef object serialize_array(self, object values, object dtype):
        """Write or read a one-dimensional numpy array."""
        cdef uint64_t n = self.serialize_count(len(values), np.dtype(dtype).itemsize)
        array = np.zeros(n, dtype) if self.reading else np.ascontiguousarray(values, dtype)
        self.serialize(<void*><size_t>array.ctypes.data, array.nbytes)
        return array


cdef int serialize_items(StateStream s, vector[Item]* v) except -1:
    """Write or read a vector of plain structs."""
    v.resize(s.serialize_count(v.size(), sizeof(Item)))
    return s.serialize(v.data(), v.size() * sizeof(Item))


# -- FIFOs ----------------------------------------------------------------------------------------------------------------

cdef int serialize_parameters(StateStream s, FifoParameters* params) except -1:
    s.serialize(&params.last_bytes, sizeof(params.last_bytes))
    s.serialize(&params.last_time, sizeof(params.last_time))
    s.serialize(&params.counted_packets, sizeof(params.counted_packets))
    return 0

cdef int serialize_fifo(StateStream s, Fifo* f) except -1:
    """Write or read a FIFO and the packets that are still needed, each at its position in the ring."""
    cdef Fifo x = f[0]
    cdef uint32_t i
    s.serialize(&x, sizeof(Fifo))
    x.params, x.ring = f.params, f.ring
    if s.reading:
        if x.mask & (x.mask + 1) or x.tail - first_needed(&x) > x.mask + 1:
            raise CheckpointError("the state of an engine has an invalid ring")
        x.ring = NULL
        if x.mask != NO_RING:
            x.ring = <Packet*>require(malloc((x.mask + <size_t>1) * sizeof(Packet)))
        free(f.ring)
        f[0] = x
    i = first_needed(&x)
    while i != x.tail:
        s.serialize(&x.ring[i & x.mask], sizeof(Packet))
        i += 1
    return 0

cdef int serialize_server(StateStream s, Fifo* f) except -1:
    s.serialize(f.params.counters, sizeof(LinkCounters))
    serialize_parameters(s, f.params)
    return serialize_fifo(s, f)

cdef Fifo* find_radio_fifo(World* w, int64_t cell, int64_t mobile, bint up) except NULL:
    """Return the downlink or uplink of a mobile node in a cell; mobile -1: the shared downlink."""
    cdef Fifo* f = NULL
    cdef Entry* e
    if 0 <= cell < w.cells:
        if mobile < 0 and not up:
            f = w.cell[cell].shared_downlink
        elif mobile >= 0:
            e = find_entry(&w.cell[cell].uplinks if up else &w.cell[cell].downlinks, <uint32_t>mobile)
            if e != NULL:
                f = <Fifo*>e.target.extension
    if f == NULL:
        raise CheckpointError(f"the state of an engine names a queue that does not exist: cell {cell}, mobile {mobile}")
    return f

cdef int serialize_fifo_list(StateStream s, World* w, vector[Fifo*]* fifos, bint up) except -1:
    """Write or read a list of downlinks or of uplinks."""
    cdef size_t i
    cdef int64_t cell = 0, mobile = 0
    fifos.resize(s.serialize_count(fifos.size(), 2 * sizeof(int64_t)))
    for i in range(fifos.size()):
        if not s.reading:
            cell, mobile = fifos[0][i].params.cell, fifos[0][i].mobile
        cell, mobile = s.serialize_int(cell), s.serialize_int(mobile)
        fifos[0][i] = find_radio_fifo(w, cell, mobile, up)
    return 0


# -- tables ---------------------------------------------------------------------------------------------------------------

cdef int serialize_table(StateStream s, World* w, BindingTable* table, int cell, FifoParameters* params) except -1:
    """Write or read the entries of a table at their slots.

    ``cell`` is where local entries deliver; ``params`` is for the queues in a cell's own table.
    """
    cdef uint32_t i, slot_count
    cdef Entry e
    cdef PacketBuffer* buffer
    cdef bint shared
    if s.reading:
        free_table(w, table)
        table.entries = NULL
        table.slot_count = 0
    table.entry_count, table.peak = <uint32_t>s.serialize_int(table.entry_count), <uint32_t>s.serialize_int(table.peak)
    slot_count = <uint32_t>s.serialize_count(table.slot_count, sizeof(Entry))
    if s.reading and slot_count:
        if table.entry_count >= slot_count:
            raise CheckpointError("the state of an engine has an invalid table")
        table.entries = <Entry*>require(allocate_zeroed(slot_count * sizeof(Entry)))
        table.slot_count = slot_count
    for i in range(slot_count):
        e = table.entries[i]
        if e.mode != TUNNEL or e.careof_count > 1:
            e.target.extension = NULL
        s.serialize(&e, sizeof(Entry))
        if s.reading:
            table.entries[i] = e
        if e.mode == QUEUE:
            if s.reading:
                table.entries[i].target.extension = new_fifo(w.fifo_pool, params, 0)
            serialize_fifo(s, <Fifo*>table.entries[i].target.extension)
        elif e.mode == LOCAL:
            shared = cell >= 0 and w.cell[cell].shared_downlink != NULL
            table.entries[i].target.extension = find_radio_fifo(w, cell, -1 if shared else e.mobile, False)
        elif e.mode == BUFFER:
            if s.reading:
                table.entries[i].target.extension = <void*>new_buffer(0, 0)
            buffer = <PacketBuffer*>table.entries[i].target.extension
            serialize_buffer(s, buffer)
            if buffer.gate != NO_GATE:
                shared = cell >= 0 and w.cell[cell].shared_downlink != NULL
                buffer.downlink = find_radio_fifo(w, cell, -1 if shared else e.mobile, False)
        elif e.mode == TUNNEL and e.careof_count > 1:
            if s.reading:
                table.entries[i].target.extension = require(calloc(1, sizeof(CareOfList)))
            s.serialize(table.entries[i].target.extension, sizeof(CareOfList))
    return 0

cdef int serialize_buffer(StateStream s, PacketBuffer* buffer) except -1:
    buffer.limit_packets, buffer.limit_bytes = s.serialize_int(buffer.limit_packets), s.serialize_int(buffer.limit_bytes)
    buffer.bytes, buffer.gate = s.serialize_int(buffer.bytes), s.serialize_int(buffer.gate)
    return serialize_items(s, buffer.packets)


# -- the parts of a world -------------------------------------------------------------------------------------------------

cdef int serialize_cell(StateStream s, World* w, Cell* c) except -1:
    serialize_parameters(s, c.downlink_params)
    serialize_parameters(s, c.uplink_params)
    if c.shared_downlink != NULL:
        serialize_fifo(s, c.shared_downlink)
    serialize_table(s, w, &c.downlinks, -1, c.downlink_params)
    sort_arrivals(&c.arrivals)
    c.arrivals.head = s.serialize_int(c.arrivals.head)
    c.arrivals.control_count = s.serialize_int(c.arrivals.control_count)
    serialize_items(s, c.arrivals.items)
    if c.arrivals.head > c.arrivals.items.size():
        raise CheckpointError("the state of an engine has an invalid queue of arrivals")
    return serialize_table(s, w, &c.uplinks, -1, c.uplink_params)

cdef int serialize_times(StateStream s, vector[int64_t]* times) except -1:
    times.resize(s.serialize_count(times.size(), sizeof(int64_t)))
    return s.serialize(times.data(), times.size() * sizeof(int64_t))

cdef int serialize_entry_count(StateStream s, EntryCount* c) except -1:
    c.count, c.peak, c.counted_to = s.serialize_int(c.count), s.serialize_int(c.peak), s.serialize_int(c.counted_to)
    s.serialize(&c.integral, sizeof(c.integral))
    serialize_times(s, c.ends)
    return serialize_times(s, c.cancelled)

cdef int serialize_unit(StateStream s, Unit* u) except -1:
    cdef size_t i
    cdef CbrRing* g
    u.frontier, u.next_event[0] = s.serialize_int(u.frontier), s.serialize_int(u.next_event[0])
    u.group_bound[0] = 0  # a lower bound, which the next lookup makes exact
    u.schedule_next, u.event_counter = s.serialize_int(u.schedule_next), s.serialize_int(u.event_counter)
    u.message_count = s.serialize_int(u.message_count)
    s.serialize(&u.total_wait, sizeof(u.total_wait))
    u.max_wait = s.serialize_int(u.max_wait)
    u.buffer_peak_packets, u.buffer_peak_bytes = s.serialize_int(u.buffer_peak_packets), s.serialize_int(u.buffer_peak_bytes)
    u.diverted_packets, u.diverted_bytes = s.serialize_int(u.diverted_packets), s.serialize_int(u.diverted_bytes)
    u.hostile_messages, u.hostile_drops = s.serialize_int(u.hostile_messages), s.serialize_int(u.hostile_drops)
    serialize_entry_count(s, &u.bindings)
    serialize_entry_count(s, &u.visitors)
    s.serialize(&u.held, sizeof(u.held))
    serialize_items(s, u.pending_events)
    if u.sources.ended:
        fill_calendar(&u.sources, u.sources.day_bits)  # without the ended sources
    serialize_items(s, u.sources.items)
    if s.reading:
        build_calendar(&u.sources)
    for i in range(u.cbr_rings.size()):
        g = u.cbr_rings[0][i]
        g.head, g.count = <uint32_t>s.serialize_int(g.head), <uint32_t>s.serialize_int(g.count)
        g.started_count = s.serialize_int(g.started_count)
        s.serialize(g.ring, g.capacity * sizeof(Source))
        if g.started_count >= g.not_started.size():
            g.not_started[0] = vector[Source]()
    for i in range(u.inbound_fifos.size()):
        if u.inbound_fifos[0][i].params.service_time < 0:
            serialize_parameters(s, u.inbound_fifos[0][i].params)
            serialize_fifo(s, u.inbound_fifos[0][i])
        # Ready bits are not saved: all are set here, and the next visit clears those of empty FIFOs.
        atomic_set_bits(u.inbound_fifos[0][i].params.ready_word, u.inbound_fifos[0][i].params.ready_bit)
    if u.server_fifo != NULL:
        serialize_server(s, u.server_fifo)
    if u.registration_fifo != NULL:
        serialize_server(s, u.registration_fifo)
    return 0

cdef int serialize_ledger(StateStream s, World* w) except -1:
    cdef vector[LedgerItem] entries
    cdef LedgerItem item
    for item in w.ledger[0]:
        entries.push_back(item)
    serialize_items(s, &entries)
    for item in entries:
        w.ledger[0][item.first] = item.second
    return 0

cdef int serialize_link_trace(StateStream s, LinkTrace* trace) except -1:
    cdef vector[TunnelItem] entries
    cdef TunnelItem item
    serialize_items(s, trace.hops)
    serialize_items(s, trace.messages)
    for item in trace.tunnel_stacks[0]:
        entries.push_back(item)
    serialize_items(s, &entries)
    for item in entries:
        trace.tunnel_stacks[0][item.first] = item.second
    return 0

cdef int serialize_world(StateStream s, World* w, size_t rows) except -1:
    """Write or read a world: cells before nodes, whose local entries refer to queues, and both before the lists of queues."""
    cdef int64_t i
    w.window_begin, w.non_cbr_packets = s.serialize_int(w.window_begin), s.serialize_int(w.non_cbr_packets)
    w.boundary_next = s.serialize_int(w.boundary_next)
    w.fingerprint, w.packet_hops = <uint64_t>s.serialize_int(<int64_t>w.fingerprint), s.serialize_int(w.packet_hops)
    s.serialize(w.link_counters, rows * sizeof(LinkCounters))
    s.serialize(w.flow, w.flows * sizeof(Flow))
    s.serialize(w.sent_packets, w.flows * sizeof(uint32_t))
    s.serialize(w.delay_histogram, HISTOGRAM_BUCKETS * sizeof(int64_t))
    s.serialize(w.fates, sizeof(w.fates))
    s.serialize(w.mobile, w.mobiles * sizeof(MobileNode))
    if w.uplink != NULL:
        s.serialize(w.uplink, w.mobiles * sizeof(UplinkState))
    w.contested_mobiles.resize(s.serialize_count(w.contested_mobiles.size(), sizeof(int32_t)))
    s.serialize(w.contested_mobiles.data(), w.contested_mobiles.size() * sizeof(int32_t))
    w.free_messages.resize(s.serialize_count(w.free_messages.size(), sizeof(uint32_t)))
    s.serialize(w.free_messages.data(), w.free_messages.size() * sizeof(uint32_t))
    serialize_items(s, w.messages)
    w.free_messages.reserve(w.messages.capacity())  # a message ends without memory
    serialize_items(s, w.spans)
    serialize_items(s, w.packet_records)
    for i in range(w.units):
        serialize_unit(s, &w.unit[i])
    for i in range(w.cells):
        serialize_cell(s, w, &w.cell[i])
        serialize_fifo_list(s, w, w.cell[i].active_uplinks, True)
    for i in range(w.nodes):
        serialize_table(s, w, &w.tables[i], w.cell_of_node[i], NULL)
    serialize_table(s, w, &w.upstream_buffers, -1, NULL)
    serialize_fifo_list(s, w, w.active_downlinks, False)
    if s.reading:
        w.downlink_bounds.clear()
    serialize_fifo_list(s, w, w.control_downlinks, False)
    serialize_ledger(s, w)
    if w.trace != NULL:
        serialize_link_trace(s, w.trace)
    return 0

cdef int serialize_engine(StateStream s, Engine e) except -1:
    """Write or read a digest of the engine's inputs, then everything that a run changes."""
    digest = build_digest(e.built, e.seed, e.tunnel_limit, e.record_level, sorted(e.traced_links), sorted(e.controllers))
    if s.serialize_array(np.frombuffer(digest, np.uint8), np.uint8).tobytes() != digest:
        raise CheckpointError("the state is one of another network, other options or another version of the engine")
    e.reached_ps, e.current_window_ps = s.serialize_int(e.reached_ps), s.serialize_int(e.current_window_ps)
    e.windows, e.parallel_windows = s.serialize_int(e.windows), s.serialize_int(e.parallel_windows)
    e.level_windows = s.serialize_int(e.level_windows)
    if s.reading and e.scheduling == AUTO:
        e.runs_by_level = e.level_windows > 0
    e.visits, e.heap_steps = s.serialize_int(e.visits), s.serialize_int(e.heap_steps)
    e.controller_calls, e.controller_ns = s.serialize_int(e.controller_calls), s.serialize_int(e.controller_ns)
    e.context.order = s.serialize_int(e.context.order)
    counts = s.serialize_array(np.array([*dict(e.context.message_counts).items()], np.int64).ravel(), np.int64)
    e.context.message_counts = dict(counts.reshape(-1, 2).tolist())
    hops = s.serialize_array(e.pending_trace.rows, HOP)
    e.pending_trace = TraceColumns(hops, s.serialize_array(e.pending_trace.messages, MESSAGE))
    return serialize_world(s, e.w, len(e.built.tallies))


cdef extern from *:
    int guard_serialization "handoff_guard"(int (*f)(StateStream, Engine) except -1, StateStream s, Engine e) noexcept


cdef int serialize_guarded(StateStream s, Engine e) except -1:
    cdef int status = guard_serialization(serialize_engine, s, e)
    if status == OUT_OF_MEMORY:
        raise MemoryError("no memory for the state of an engine")
    if status == 0:
        s.finish()
    return status


def save(Engine engine not None, file):
    """Write the state of an engine between two slices.

    Parameters
    ----------
    engine : Engine
        It can continue afterwards. The state of its controllers is not included.
    file : binary file
        The state is written at the current position. Files of ``engine.checkpoint_file`` detect damage.

    Raises
    ------
    ValueError
        If the engine is running, or an exception has interrupted its run.
    """
    engine.begin_use()
    try:
        engine.build_world()
        serialize_guarded(StateStream(file, False), engine)
    finally:
        engine.end_use()


def restore(Engine engine not None, file):
    """Restore the state of an engine into a new one, whose run continues bit-identically.

    Parameters
    ----------
    engine : Engine
        A new engine of the same network with the same seed and options, and with the controllers that were attached, in their
        state at the time of saving. ``scheduling``, ``window_ps``, ``threads`` and ``memory_limit_bytes`` may differ.
    file : binary file
        Positioned at the state; afterwards it is positioned behind it. The content is trusted: check the file before.

    Raises
    ------
    CheckpointError
        If the state belongs to a different engine or is truncated. The engine cannot be used then.
    ValueError
        If the engine is not new.
    """
    engine.begin_use()
    try:
        if engine.reached_ps:
            raise EngineStateError("a state is put into a new engine")
        engine.build_world()
        try:
            serialize_guarded(StateStream(file, True), engine)
        except BaseException:
            engine.use = BROKEN
            raise
    finally:
        engine.end_use()
