# distutils: language = c++
# cython: language_level=3
"""The state of an engine between two slices, in a stream of bytes (docs/runs.md).

One walk over everything that a run changes both writes it and reads it: what is saved and what is restored cannot drift apart.
What an engine is made from (network, seed, options) is in no stream: it is built again, and its digest has to be the same.
Pointers are written as what they point to: a row, or for a downlink or uplink its cell and mobile.
"""

import numpy as np

from engine.checkpoint import CheckpointError, identity
from engine.hops import HOP, MESSAGE
from engine.hops import Hops as TakenHops

from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy
from libcpp.pair cimport pair
from libcpp.vector cimport vector

from engine._core cimport Engine
from engine.kernel.next_event cimport mark
from engine.kernel.arena cimport zeroed
from engine.kernel.copy_ledger cimport Copies
from engine.kernel.events cimport Message, Pending
from engine.kernel.fifo cimport Fifo, Line, NO_RING, Tally, new_fifo, oldest
from engine.kernel.link_trace cimport Hop, Hops, Identity, Nest, Said
from engine.kernel.packet cimport Record
from engine.kernel.sources cimport Rotation, Source
from engine.kernel.world_init cimport free_table
from engine.kernel.binding_table cimport HOLD, LOCAL, QUEUE, TUNNEL, Entry, Held, Several, Table, find, new_held
from engine.kernel.world cimport BUCKETS, Cell, Ended, Flow, Mobile, Span, Unit, World

cdef extern from "Python.h":
    int PyBUF_READ

cdef enum:
    BUFFER = 1 << 20  # bytes that go to the file, or come from it, at once

ctypedef pair[uint64_t, Copies] Copied
ctypedef pair[Identity, Nest] Nested

ctypedef fused Item:
    Copied
    Nested
    Pending
    Source
    Message
    Span
    Ended
    Hop
    Said
    Record


cdef class Stream:
    """Fields one behind another, written to a file or read from it."""

    cdef bint reading
    cdef object file
    cdef bytearray buffer
    cdef char* bytes  # of the buffer
    cdef size_t at, filled
    cdef uint64_t left  # of the file, while reading

    def __cinit__(self, file, bint reading):
        self.file, self.reading = file, reading
        self.buffer = bytearray(BUFFER)
        self.bytes = self.buffer
        if reading:
            here = file.tell()
            self.left = file.seek(0, 2) - here
            file.seek(here)

    cdef int transfer(self, void* field, size_t size) except -1:
        """One field, to the file or from it."""
        cdef char* place = <char*>field
        cdef size_t n
        if self.reading:
            if size > self.left:
                raise CheckpointError("the state of an engine ends too early")
            self.left -= size
        while size:
            if self.reading and self.at == self.filled:
                self.refill()
            elif not self.reading and self.at == BUFFER:
                self.flush()
            n = (self.filled if self.reading else <size_t>BUFFER) - self.at
            n = size if size < n else n
            if self.reading:
                memcpy(place, self.bytes + self.at, n)
            else:
                memcpy(self.bytes + self.at, place, n)
            self.at += n
            place += n
            size -= n
        return 0

    cdef int flush(self) except -1:
        self.file.write(PyMemoryView_FromMemory(self.bytes, self.at, PyBUF_READ))
        self.at = 0
        return 0

    cdef int refill(self) except -1:
        self.filled = self.file.readinto(self.buffer)
        self.at = 0
        if self.filled == 0:
            raise CheckpointError("the state of an engine ends too early")
        return 0

    cdef int finish(self) except -1:
        """Leave the file right behind the last field."""
        if self.reading:
            self.file.seek(<int64_t>self.at - <int64_t>self.filled, 1)
        else:
            self.flush()
        return 0

    cdef int64_t number(self, int64_t value) except? -1:
        """An integer: the given one on its way out, the one of the file on its way in."""
        self.transfer(&value, sizeof(value))
        return value

    cdef uint64_t count(self, uint64_t items, size_t size) except? 0:
        """How many items of a size follow, which is no more than the file has bytes for."""
        cdef uint64_t n = <uint64_t>self.number(<int64_t>items)
        if self.reading and n > self.left // size:
            raise CheckpointError("the state of an engine ends too early")
        return n

    cdef object array(self, object values, object dtype):
        """A numpy array of one dimension."""
        cdef uint64_t n = self.count(len(values), np.dtype(dtype).itemsize)
        held = np.zeros(n, dtype) if self.reading else np.ascontiguousarray(values, dtype)
        self.transfer(<void*><size_t>held.ctypes.data, held.nbytes)
        return held


cdef int items(Stream s, vector[Item]* v) except -1:
    """A vector of plain structs."""
    v.resize(s.count(v.size(), sizeof(Item)))
    return s.transfer(v.data(), v.size() * sizeof(Item))


# -- FIFOs ----------------------------------------------------------------------------------------------------------------

cdef int walk_line(Stream s, Line* line) except -1:
    s.transfer(&line.last_bytes, sizeof(line.last_bytes))
    s.transfer(&line.last_time, sizeof(line.last_time))
    s.transfer(&line.settled, sizeof(line.settled))
    return 0

cdef int walk_fifo(Stream s, Fifo* f) except -1:
    """Where it stands, and the records that are still needed, each at its place in the ring."""
    cdef Fifo x = f[0]
    cdef uint32_t i
    s.transfer(&x, sizeof(Fifo))
    x.line, x.ring = f.line, f.ring
    if s.reading:
        if x.mask & (x.mask + 1) or x.tail - oldest(&x) > x.mask + 1:
            raise CheckpointError("the state of an engine has a ring that cannot be")
        x.ring = NULL
        if x.mask != NO_RING:
            x.ring = <Record*>malloc((x.mask + <size_t>1) * sizeof(Record))
            if x.ring == NULL:
                raise MemoryError("no memory for the state of an engine")
        free(f.ring)
        f[0] = x
    i = oldest(&x)
    while i != x.tail:
        s.transfer(&x.ring[i & x.mask], sizeof(Record))
        i += 1
    return 0

cdef int walk_server(Stream s, Fifo* f) except -1:
    s.transfer(f.line.tally, sizeof(Tally))
    walk_line(s, f.line)
    return walk_fifo(s, f)

cdef Fifo* named(World* w, int64_t cell, int64_t mobile, bint up) except NULL:
    """The downlink or uplink of a mobile in a cell; mobile -1: the downlink that all share."""
    cdef Fifo* f = NULL
    cdef Entry* e
    if 0 <= cell < w.cells:
        if mobile < 0 and not up:
            f = w.cell[cell].shared
        elif mobile >= 0:
            e = find(&w.cell[cell].ups if up else &w.cell[cell].downs, <uint32_t>mobile)
            if e != NULL:
                f = <Fifo*>e.one.more
    if f == NULL:
        raise CheckpointError(f"the state of an engine names a queue that is not there: cell {cell}, mobile {mobile}")
    return f

cdef int walk_names(Stream s, World* w, vector[Fifo*]* listed, bint up) except -1:
    """A list of downlinks, or of uplinks."""
    cdef size_t i
    cdef int64_t cell = 0, mobile = 0
    listed.resize(s.count(listed.size(), 2 * sizeof(int64_t)))
    for i in range(listed.size()):
        if not s.reading:
            cell, mobile = listed[0][i].line.cell, listed[0][i].mobile
        cell, mobile = s.number(cell), s.number(mobile)
        listed[0][i] = named(w, cell, mobile, up)
    return 0


# -- tables ---------------------------------------------------------------------------------------------------------------

cdef int walk_table(Stream s, World* w, Table* table, int cell, Line* line) except -1:
    """Entries at their places; ``cell`` is where local ones deliver, ``line`` that of the queues which a cell's own table has."""
    cdef uint32_t i, slots
    cdef Entry e
    if s.reading:
        free_table(w, table)
        table.slot = NULL
        table.slots = 0
    table.used, table.peak = <uint32_t>s.number(table.used), <uint32_t>s.number(table.peak)
    slots = <uint32_t>s.count(table.slots, sizeof(Entry))
    if s.reading and slots:
        if table.used >= slots:
            raise CheckpointError("the state of an engine has a table that cannot be")
        table.slot = <Entry*>zeroed(slots * sizeof(Entry))
        if table.slot == NULL:
            raise MemoryError("no memory for the state of an engine")
        table.slots = slots
    for i in range(slots):
        e = table.slot[i]
        if e.mode != TUNNEL or e.count > 1:
            e.one.more = NULL
        s.transfer(&e, sizeof(Entry))
        if s.reading:
            table.slot[i] = e
        if e.mode == QUEUE:
            if s.reading:
                table.slot[i].one.more = new_fifo(w.fifos, line, 0)
            walk_fifo(s, <Fifo*>table.slot[i].one.more)
        elif e.mode == LOCAL:
            table.slot[i].one.more = named(w, cell, -1 if cell >= 0 and w.cell[cell].shared != NULL else e.mobile, False)
        elif e.mode == HOLD:
            if s.reading:
                table.slot[i].one.more = <void*>new_held(0, 0)
            walk_held(s, <Held*>table.slot[i].one.more)
        elif e.mode == TUNNEL and e.count > 1:
            if s.reading:
                table.slot[i].one.more = calloc(1, sizeof(Several))
            s.transfer(table.slot[i].one.more, sizeof(Several))
    return 0

cdef int walk_held(Stream s, Held* held) except -1:
    held.limit_packets, held.limit_bytes = s.number(held.limit_packets), s.number(held.limit_bytes)
    held.bytes = s.number(held.bytes)
    return items(s, held.records)


# -- the parts of a world -------------------------------------------------------------------------------------------------

cdef int walk_cell(Stream s, World* w, Cell* c) except -1:
    walk_line(s, c.down)
    walk_line(s, c.up)
    if c.shared != NULL:
        walk_fifo(s, c.shared)
    walk_table(s, w, &c.downs, -1, c.down)
    return walk_table(s, w, &c.ups, -1, c.up)

cdef int walk_unit(Stream s, Unit* u) except -1:
    cdef size_t i
    cdef Rotation* g
    u.frontier, u.next[0] = s.number(u.frontier), s.number(u.next[0])
    u.soon[0] = 0  # looked up when it is wanted
    u.scheduled_next, u.counter, u.messages = s.number(u.scheduled_next), s.number(u.counter), s.number(u.messages)
    u.wait, u.wait_max = s.number(u.wait), s.number(u.wait_max)
    u.held_peak_packets, u.held_peak_bytes = s.number(u.held_peak_packets), s.number(u.held_peak_bytes)
    items(s, u.pending)
    items(s, u.sources)
    for i in range(u.rotations.size()):
        g = u.rotations[0][i]
        g.head, g.count, g.begun = <uint32_t>s.number(g.head), <uint32_t>s.number(g.count), s.number(g.begun)
        s.transfer(g.ring, g.capacity * sizeof(Source))
        if g.begun >= g.coming.size():
            g.coming[0] = vector[Source]()
    for i in range(u.arrivals.size()):
        if u.arrivals[0][i].line.fixed < 0:
            walk_line(s, u.arrivals[0][i].line)
            walk_fifo(s, u.arrivals[0][i])
        mark(u.arrivals[0][i].line.busy, u.arrivals[0][i].line.bit)  # which of them have something is seen at the first visit
    if u.server != NULL:
        walk_server(s, u.server)
    if u.registration != NULL:
        walk_server(s, u.registration)
    return 0

cdef int walk_copies(Stream s, World* w) except -1:
    cdef vector[Copied] listed
    cdef Copied item
    for item in w.ledger[0]:
        listed.push_back(item)
    items(s, &listed)
    for item in listed:
        w.ledger[0][item.first] = item.second
    return 0

cdef int walk_hops(Stream s, Hops* h) except -1:
    cdef vector[Nested] listed
    cdef Nested item
    items(s, h.hops)
    items(s, h.said)
    for item in h.nests[0]:
        listed.push_back(item)
    items(s, &listed)
    for item in listed:
        h.nests[0][item.first] = item.second
    return 0

cdef int walk_world(Stream s, World* w, size_t tallies) except -1:
    """Cells before nodes, whose local entries name their queues, and both before the lists of queues."""
    cdef int64_t i
    w.begin, w.drawn, w.boundary_next = s.number(w.begin), s.number(w.drawn), s.number(w.boundary_next)
    w.fingerprint, w.events = <uint64_t>s.number(<int64_t>w.fingerprint), s.number(w.events)
    s.transfer(w.tallies, tallies * sizeof(Tally))
    s.transfer(w.flow, w.flows * sizeof(Flow))
    s.transfer(w.sent, w.flows * sizeof(uint32_t))
    s.transfer(w.histogram, BUCKETS * sizeof(int64_t))
    s.transfer(w.fates, sizeof(w.fates))
    s.transfer(w.mobile, w.mobiles * sizeof(Mobile))
    w.touched.resize(s.count(w.touched.size(), sizeof(int32_t)))
    s.transfer(w.touched.data(), w.touched.size() * sizeof(int32_t))
    w.free_messages.resize(s.count(w.free_messages.size(), sizeof(uint32_t)))
    s.transfer(w.free_messages.data(), w.free_messages.size() * sizeof(uint32_t))
    items(s, w.messages)
    items(s, w.spans)
    items(s, w.ended)
    for i in range(w.units):
        walk_unit(s, &w.unit[i])
    for i in range(w.cells):
        walk_cell(s, w, &w.cell[i])
        walk_names(s, w, w.cell[i].busy_ups, True)
    for i in range(w.nodes):
        walk_table(s, w, &w.tables[i], w.cell_of_node[i], NULL)
    walk_table(s, w, &w.up_holds, -1, NULL)
    walk_names(s, w, w.busy_downs, False)
    if s.reading:
        w.nothing_before.clear()
    walk_names(s, w, w.control_downs, False)
    walk_copies(s, w)
    if w.hops != NULL:
        walk_hops(s, w.hops)
    return 0

cdef int walk(Stream s, Engine e) except -1:
    """Whose state it is, then everything that a run changes."""
    mine = identity(e.built, e.seed, e.tunnel_limit, e.record, sorted(e.links), sorted(e.controllers))
    if s.array(np.frombuffer(mine, np.uint8), np.uint8).tobytes() != mine:
        raise CheckpointError("the state is one of another network, other options or another version of the engine")
    e.reached, e.span = s.number(e.reached), s.number(e.span)
    e.windows, e.windows_beside = s.number(e.windows), s.number(e.windows_beside)
    e.visits, e.steps = s.number(e.visits), s.number(e.steps)
    e.calls, e.controller_ns = s.number(e.calls), s.number(e.controller_ns)
    e.context.call, e.context.order = s.number(e.context.call), s.number(e.context.order)
    sent = s.array(np.array([*dict(e.context.sent).items()], np.int64).ravel(), np.int64)
    e.context.sent = dict(sent.reshape(-1, 2).tolist())
    e.later = TakenHops(s.array(e.later.rows, HOP), s.array(e.later.messages, MESSAGE))
    return walk_world(s, e.w, len(e.built.tallies))


def save(Engine engine not None, file):
    """Write the state of an engine, as it is between two slices.

    Parameters
    ----------
    engine : Engine
        It can go on afterwards. What its controllers know is not part of it.
    file : binary file
        The state is written where it stands. ``engine.checkpoint`` makes files whose damage is noticed.

    Raises
    ------
    ValueError
        If the engine is running, or an exception broke its run off.
    """
    engine.whole()
    engine.open()
    cdef Stream s = Stream(file, False)
    walk(s, engine)
    s.finish()


def restore(Engine engine not None, file):
    """Put a new engine where another one was; its run from there is the other one's, to the last bit.

    Parameters
    ----------
    engine : Engine
        Made from the same network, with the same seed and options, and with the controllers that it had attached, which know
        what they knew. ``scheduling``, ``window_ps``, ``threads``, ``dispatch`` and
        ``memory_limit_bytes`` may differ.
    file : binary file
        With the state next in it; it stands behind the state afterwards. The state is believed: check the file before.

    Raises
    ------
    CheckpointError
        If the state is not one of such an engine, or ends too early. The engine cannot be used then.
    ValueError
        If the engine is not new.
    """
    engine.whole()
    if engine.reached:
        raise ValueError("a state is put into a new engine")
    engine.open()
    engine.halfway = True
    cdef Stream s = Stream(file, True)
    walk(s, engine)
    s.finish()
    engine.span = min(engine.span, engine.cap)
    engine.halfway = False
