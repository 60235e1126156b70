"""Counters of links, nodes and flows at the time that a run has reached, without the records of packets."""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memset

from engine.kernel.exact_sum cimport ExactSum, add_product, add_sum
from engine.kernel.fifo cimport Fifo, FifoParameters, LinkCounters, flush_counters, packet_bytes, transmission_time
from engine.kernel.in_flight cimport counters_row, expire_buffers, update_sent_packets
from engine.kernel.occupancy cimport count_to
from engine.kernel.uplink_arrivals cimport UplinkArrival, sort_arrivals
from engine.kernel.world cimport UNIT_SERVER, Unit, World

cdef enum:  # columns of each table, in the order of engine.results.Sample
    LINK_SAMPLE = 8
    NODE_SAMPLE = 8
    QUEUE = 5  # packets in the system; the two words of the busy time follow

cdef inline void count_unfinished(
    FifoParameters* params, int64_t finish, int64_t size, int64_t reached, int64_t* queue, ExactSum* busy
) noexcept:
    """Count a packet in the system at ``reached``, and take what remains of its transmission from the busy time."""
    cdef int64_t time = transmission_time(params, size)
    queue[0] += 1
    add_product(busy, -1, min(time, finish - reached))

cdef inline void count_unfinished_ring(Fifo* f, int64_t reached, int64_t* queue, ExactSum* busy) noexcept:
    cdef uint32_t i = f.tail
    cdef int64_t finish
    while i != f.head:
        i -= 1
        finish = f.ring[i & f.mask].t - f.params.delay
        if finish <= reached:
            break
        count_unfinished(f.params, finish, packet_bytes(&f.ring[i & f.mask]), reached, queue, busy)

cdef inline void write_queue(int64_t[:, ::1] rows, int64_t row, int64_t queue, const ExactSum* busy) noexcept:
    """Add the packets in one or more FIFOs, and the time for which they have transmitted, to a row."""
    cdef ExactSum total
    total.low, total.high = <uint64_t>rows[row, QUEUE + 1], rows[row, QUEUE + 2]
    add_sum(&total, busy)
    rows[row, QUEUE] += queue
    rows[row, QUEUE + 1], rows[row, QUEUE + 2] = <int64_t>total.low, total.high

cdef inline void sample_fifo(Fifo* f, int64_t[:, ::1] rows, int64_t row, int64_t reached) noexcept:
    cdef int64_t queue = 0
    cdef ExactSum busy
    busy.low = busy.high = 0
    count_unfinished_ring(f, reached, &queue, &busy)
    write_queue(rows, row, queue, &busy)

cdef inline void sample_links(World* w, int64_t[:, ::1] links, int64_t reached) noexcept:
    cdef int64_t i, row, queue, fixed = links.shape[0] - 2 * w.cells
    cdef size_t j, k
    cdef LinkCounters* c
    cdef FifoParameters* params
    cdef const UplinkArrival* a
    cdef ExactSum busy
    cdef Unit* u
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.inbound_fifos.size()):
            row = counters_row(w, u.inbound_fifos[0][j])
            if row >= 0:
                sample_fifo(u.inbound_fifos[0][j], links, row, reached)
    for j in range(w.active_downlinks.size()):
        sample_fifo(w.active_downlinks[0][j], links, fixed + 2 * w.active_downlinks[0][j].params.cell, reached)
    for i in range(w.cells):
        row = fixed + 2 * i + 1
        params = w.cell[i].uplink_params
        sort_arrivals(&w.cell[i].arrivals)
        a = w.cell[i].arrivals.items.data()
        queue = busy.low = busy.high = 0
        k = w.cell[i].arrivals.items.size()
        while k > w.cell[i].arrivals.head and a[k - 1].packet.t - params.delay > reached:
            k -= 1
            count_unfinished(params, a[k].packet.t - params.delay, packet_bytes(&a[k].packet), reached, &queue, &busy)
        write_queue(links, row, queue, &busy)
        for j in range(w.cell[i].active_uplinks.size()):
            sample_fifo(w.cell[i].active_uplinks[0][j], links, row, reached)
    flush_all_counters(w)
    for i in range(links.shape[0]):
        c = &w.link_counters[i]
        links[i, 0], links[i, 1], links[i, 2] = c.packets, c.bytes, c.dropped
        links[i, 3], links[i, 4] = c.lost, c.detached
        write_queue(links, i, 0, &c.busy)

cdef inline void flush_all_counters(World* w) noexcept:
    cdef int64_t i
    cdef size_t j
    for i in range(w.units):
        for j in range(w.unit[i].inbound_fifos.size()):
            flush_counters(w.unit[i].inbound_fifos[0][j].params)
    for i in range(w.cells):
        flush_counters(w.cell[i].downlink_params)
        flush_counters(w.cell[i].uplink_params)

cdef inline void sample_nodes(World* w, int64_t[:, ::1] nodes, int64_t reached) noexcept:
    cdef int64_t i
    cdef Fifo* f
    cdef Unit* u
    for i in range(w.nodes):
        u = &w.unit[w.unit_of_node[i]]
        f = u.registration_fifo
        sample_fifo(f, nodes, i, reached)
        flush_counters(f.params)
        count_to(&u.bindings, reached)
        count_to(&u.visitors, reached)
        nodes[i, 0], nodes[i, 1] = f.params.counters.packets, f.params.counters.dropped
        nodes[i, 2], nodes[i, 3], nodes[i, 4] = u.bindings.count, u.visitors.count, u.held.bytes
        write_queue(nodes, i, 0, &f.params.counters.busy)
    for i in range(w.units):
        u = &w.unit[i]
        if u.kind == UNIT_SERVER:
            nodes[u.node, 1] += u.server_fifo.params.counters.dropped

cdef inline int fill_sample(
    World* w, int64_t[:, ::1] links, int64_t[:, ::1] nodes, int64_t* flows, int64_t reached
) except -1:
    """Write the columns of links and of nodes, and the data packets sent, delivered and lost, up to ``reached``."""
    cdef int64_t i
    if links.shape[0]:
        memset(&links[0, 0], 0, links.shape[0] * LINK_SAMPLE * sizeof(int64_t))
    if nodes.shape[0]:
        memset(&nodes[0, 0], 0, nodes.shape[0] * NODE_SAMPLE * sizeof(int64_t))
    expire_buffers(w, reached)
    update_sent_packets(w)
    flows[0] = flows[1] = flows[2] = 0
    for i in range(w.flows):
        flows[0] += w.sent_packets[i]
        flows[1] += w.flow[i].delivered
        flows[2] += w.flow[i].lost
    sample_links(w, links, reached)
    sample_nodes(w, nodes, reached)
    return 0
