"""Link trace: the packets that chosen links, downlinks and uplinks carry, with the tunnels around them (docs/model.md, 14)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libcpp.map cimport map as ordered_map
from libcpp.pair cimport pair

from engine.kernel.binding_table cimport ENDS_AT_MOBILE, CareOf
from engine.kernel.copy_ledger cimport packet_id
from engine.kernel.events cimport MAX_ARGS, Message
from engine.kernel.fifo cimport Fifo, packet_bytes, transmission_time
from engine.kernel.packet cimport CONTROL_NODE, KIND_MASK, Packet
from engine.kernel.vector cimport vector

cdef enum:
    MAX_TUNNELS = 4

cdef struct TunnelHeader:
    uint16_t source
    uint16_t target
    uint8_t bytes
    uint8_t ends_at_mobile

cdef struct TunnelStack:  # tunnels that a packet copy is in, innermost first
    TunnelHeader headers[4]
    uint8_t depth

cdef struct TracedHop:  # one packet copy on one link; same layout as engine.link_trace.HOP
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
    TunnelHeader tunnels[4]

cdef struct TracedMessage:  # content of a control packet; same layout as engine.link_trace.MESSAGE
    int64_t code
    int64_t source
    int64_t args[6]

ctypedef pair[uint64_t, uint64_t] CopyId

cdef struct LinkTrace:
    vector[TracedHop]* hops  # not yet handed over
    vector[TracedMessage]* messages
    ordered_map[CopyId, TunnelStack]* tunnel_stacks
    # Called through pointers and with packets by value: the compiler cannot inline these functions into the loops of runs
    # without a trace, and there it can keep packets in registers.
    void (*push_tunnel)(LinkTrace* trace, Packet p, int node, const CareOf* c) noexcept nogil
    void (*copy_tunnels)(LinkTrace* trace, Packet p, uint8_t copy) noexcept nogil
    void (*clear_tunnels)(LinkTrace* trace, Packet p) noexcept nogil
    void (*append_hop)(LinkTrace* trace, Fifo* f, Packet p, uint32_t mobile, const Message* m) noexcept nogil

cdef inline CopyId id_of_copy(Packet p, uint8_t copy) noexcept nogil:
    cdef CopyId id
    id.first = p.seq if (p.flags & KIND_MASK) >= CONTROL_NODE else packet_id(p.flow, p.seq)
    id.second = <uint64_t>((p.flags & KIND_MASK) >= CONTROL_NODE) << 8 | copy
    return id

cdef inline void push_tunnel(LinkTrace* trace, Packet p, int node, const CareOf* c) noexcept nogil:
    """Push a tunnel from ``node``. A tunnel that ends at the router replaces the earlier ones."""
    cdef TunnelStack* stack = &trace.tunnel_stacks[0][id_of_copy(p, p.copy)]
    cdef TunnelHeader* header
    cdef bint ends_at_mobile = (c.tunnel_flags & ENDS_AT_MOBILE) != 0
    if not ends_at_mobile:
        stack.depth = 0
    header = &stack.headers[stack.depth]
    header.source, header.target = <uint16_t>node, c.node
    header.bytes, header.ends_at_mobile = c.header_bytes, ends_at_mobile
    stack.depth += 1

cdef inline void copy_tunnels(LinkTrace* trace, Packet p, uint8_t copy) noexcept nogil:
    """Give a copy of the packet the same tunnels."""
    cdef CopyId id = id_of_copy(p, p.copy)
    if trace.tunnel_stacks.count(id):
        trace.tunnel_stacks[0][id_of_copy(p, copy)] = trace.tunnel_stacks[0][id]

cdef inline void clear_tunnels(LinkTrace* trace, Packet p) noexcept nogil:
    """Forget the tunnels of a packet that has left them, or that has ended."""
    trace.tunnel_stacks.erase(id_of_copy(p, p.copy))

cdef inline void append_hop(LinkTrace* trace, Fifo* f, Packet p, uint32_t mobile, const Message* m) noexcept nogil:
    """Append a packet whose transmission is certain; ``m`` is the message of a control packet, NULL for data."""
    cdef TracedHop x
    cdef TracedMessage message
    cdef TunnelStack* stack
    cdef CopyId id = id_of_copy(p, p.copy)
    cdef int i
    x.end = p.t - f.params.delay
    x.start = x.end - transmission_time(f.params, packet_bytes(&p))
    x.key, x.link, x.mobile = f.key, f.params.trace_row, mobile
    x.size, x.extra, x.kind, x.copy = p.size, p.extra, p.flags & KIND_MASK, p.copy
    x.flow = x.seq = x.message = -1
    if m == NULL:
        x.flow, x.seq = p.flow, p.seq
    else:
        x.message = <int32_t>trace.messages.size()
        message.code, message.source = m.code, m.source
        for i in range(MAX_ARGS):
            message.args[i] = m.args[i]
        trace.messages.push_back(message)
    x.depth = 0
    for i in range(MAX_TUNNELS):
        x.tunnels[i].source = x.tunnels[i].target = x.tunnels[i].bytes = x.tunnels[i].ends_at_mobile = 0
    if trace.tunnel_stacks.count(id):
        stack = &trace.tunnel_stacks[0][id]
        x.depth = stack.depth
        for i in range(stack.depth):
            x.tunnels[i] = stack.headers[i]
    trace.hops.push_back(x)

cdef inline LinkTrace* new_link_trace() except NULL:
    cdef LinkTrace* trace = <LinkTrace*>calloc(1, sizeof(LinkTrace))
    if trace == NULL:
        raise MemoryError("no memory for a link trace")
    trace.hops = new vector[TracedHop]()
    trace.messages = new vector[TracedMessage]()
    trace.tunnel_stacks = new ordered_map[CopyId, TunnelStack]()
    trace.push_tunnel, trace.copy_tunnels = push_tunnel, copy_tunnels
    trace.clear_tunnels, trace.append_hop = clear_tunnels, append_hop
    return trace

cdef inline void delete_link_trace(LinkTrace* trace) noexcept:
    if trace != NULL:
        del trace.hops, trace.messages, trace.tunnel_stacks
        free(trace)
