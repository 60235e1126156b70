"""The record of hops: what chosen links, downlinks and uplinks carry, and the tunnels around it (docs/model.md, 14)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libcpp.map cimport map as ordered_map
from libcpp.pair cimport pair
from libcpp.vector cimport vector

from engine.kernel.copy_ledger cimport packet_id
from engine.kernel.events cimport Message
from engine.kernel.fifo cimport Fifo, record_bytes, transmission
from engine.kernel.packet cimport CONTROL_NODE, KIND, Record
from engine.kernel.binding_table cimport Careof

cdef struct Layer:  # one tunnel header
    uint16_t source
    uint16_t target
    uint8_t bytes
    uint8_t end  # 0 at the router, 1 at the mobile

cdef struct Nest:  # the tunnels that a packet copy is in now, innermost first
    Layer layer[4]
    uint8_t depth

cdef struct Hop:  # engine.hops.HOP
    int64_t start
    int64_t end
    uint64_t key
    int64_t flow
    int64_t seq
    uint32_t mobile
    int32_t link
    int32_t message
    uint16_t size
    uint8_t extra
    uint8_t kind
    uint8_t copy
    uint8_t depth
    Layer layer[4]

cdef struct Said:  # engine.hops.MESSAGE
    int64_t code
    int64_t source
    int64_t args[6]

ctypedef pair[uint64_t, uint64_t] Identity

cdef struct Hops:
    vector[Hop]* hops  # not handed over yet
    vector[Said]* said
    ordered_map[Identity, Nest]* nests
    # through pointers, with records by value: so the compiler cannot pull them into the loops of runs that record nothing, and
    # keeps the records there in registers
    void (*encapsulate)(Hops* h, Record r, int node, const Careof* c) noexcept nogil
    void (*inherit)(Hops* h, Record r, uint8_t copy) noexcept nogil
    void (*leave_tunnels)(Hops* h, Record r) noexcept nogil
    void (*note)(Hops* h, Fifo* f, Record r, uint32_t mobile, const Message* m) noexcept nogil

cdef inline Identity identity(Record r, uint8_t copy) noexcept nogil:
    cdef Identity name
    name.first = r.seq if (r.flags & KIND) >= CONTROL_NODE else packet_id(r.flow, r.seq)
    name.second = <uint64_t>((r.flags & KIND) >= CONTROL_NODE) << 8 | copy
    return name

cdef inline void encapsulate(Hops* h, Record r, int node, const Careof* c) noexcept nogil:
    """A tunnel from ``node`` begins around the packet; one that ends at the router replaces those before."""
    cdef Nest* nest = &h.nests[0][identity(r, r.copy)]
    cdef Layer* layer
    if not c.at_mobile:
        nest.depth = 0
    layer = &nest.layer[nest.depth]
    layer.source, layer.target, layer.bytes, layer.end = <uint16_t>node, c.node, c.header, c.at_mobile
    nest.depth += 1

cdef inline void inherit(Hops* h, Record r, uint8_t copy) noexcept nogil:
    """A copy of the packet is in the same tunnels."""
    cdef Identity mine = identity(r, r.copy)
    if h.nests.count(mine):
        h.nests[0][identity(r, copy)] = h.nests[0][mine]

cdef inline void leave_tunnels(Hops* h, Record r) noexcept nogil:
    """The packet's tunnels end, or it does."""
    h.nests.erase(identity(r, r.copy))

cdef inline void note_hop(Hops* h, Fifo* f, Record r, uint32_t mobile, const Message* m) noexcept nogil:
    """The packet's transmission is certain; ``m`` is what it says, NULL for data."""
    cdef Hop x
    cdef Said said
    cdef Nest* nest
    cdef Identity mine = identity(r, r.copy)
    cdef int i
    x.end = r.t - f.line.delay
    x.start = x.end - transmission(f.line, record_bytes(&r))
    x.key, x.link, x.mobile = f.key, f.line.row, mobile
    x.size, x.extra, x.kind, x.copy = r.size, r.extra, r.flags & KIND, r.copy
    x.flow = x.seq = x.message = -1
    if m == NULL:
        x.flow, x.seq = r.flow, r.seq
    else:
        x.message = <int32_t>h.said.size()
        said.code, said.source = m.code, m.source
        for i in range(6):
            said.args[i] = m.args[i]
        h.said.push_back(said)
    x.depth = 0
    for i in range(4):
        x.layer[i].source = x.layer[i].target = x.layer[i].bytes = x.layer[i].end = 0
    if h.nests.count(mine):
        nest = &h.nests[0][mine]
        x.depth = nest.depth
        for i in range(nest.depth):
            x.layer[i] = nest.layer[i]
    h.hops.push_back(x)

cdef inline Hops* new_hops() except NULL:
    cdef Hops* h = <Hops*>calloc(1, sizeof(Hops))
    if h == NULL:
        raise MemoryError("no memory for a record of hops")
    h.hops = new vector[Hop]()
    h.said = new vector[Said]()
    h.nests = new ordered_map[Identity, Nest]()
    h.encapsulate, h.inherit, h.leave_tunnels, h.note = encapsulate, inherit, leave_tunnels, note_hop
    return h

cdef inline void delete_hops(Hops* h) noexcept:
    if h != NULL:
        del h.hops, h.said, h.nests
        free(h)
