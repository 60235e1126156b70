"""Raw result columns of a world, without names; the Python side names them and checks the conservation laws."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from engine.kernel.exact_sum cimport ExactSum, add_product
from engine.kernel.fates cimport DUPLICATE, IN_FLIGHT
from engine.kernel.fifo cimport Fifo, LinkCounters, packet_bytes, transmission_time
from engine.kernel.in_flight cimport count_in_flight, expire_buffers
from engine.kernel.link_trace cimport TracedHop, TracedMessage
from engine.kernel.occupancy cimport count_to
from engine.kernel.packet cimport Packet
from engine.kernel.world cimport (
    CONTROL_FATES, DATA_FATES, FATE_COUNT, HISTOGRAM_BUCKETS, UNIT_SERVER, Flow, PacketRecord, Unit, World, trace_once,
)

cdef enum:  # columns of each table, in the order of engine.result_builder
    FLOW_COLUMNS = 13
    FLOW_IN_FLIGHT = 12
    SPAN_COLUMNS = 13
    PACKET_COLUMNS = 10
    NODE_COLUMNS = 28

cdef inline void write_sum(int64_t[:, ::1] nodes, int64_t node, int column, const ExactSum* x) noexcept:
    nodes[node, column], nodes[node, column + 1] = <int64_t>x.low, x.high

cdef inline void write_integrals(World* w, int64_t[:, ::1] nodes, int64_t reached) noexcept:
    """Write bindings, visitors and held bytes of each node, integrated to time ``reached``."""
    cdef ExactSum bytes
    cdef Unit* u
    cdef int64_t i
    for i in range(w.nodes):
        u = &w.unit[w.unit_of_node[i]]
        count_to(&u.bindings, reached)
        count_to(&u.visitors, reached)
        bytes = u.held.integral
        add_product(&bytes, u.held.bytes, reached)
        write_sum(nodes, i, 22, &u.bindings.integral)
        write_sum(nodes, i, 24, &u.visitors.integral)
        write_sum(nodes, i, 26, &bytes)

cdef inline bint place_records(World* w, int64_t[::1] first_row, uint8_t[::1] is_taken) noexcept:
    """Write the row of each flow's first record, in order of flow and sequence number. Return whether the others follow it.

    They do if there is one record for each packet of a flow, which has no copies: a packet's number is its place.
    """
    cdef int64_t i, flow, before = 0, row, count
    cdef int64_t records = <int64_t>w.packet_records.size()
    cdef const PacketRecord* e = w.packet_records.data()
    for i in range(records):
        first_row[e[i].flow] += 1
    for flow in range(w.flows + 1):
        count = first_row[flow]
        first_row[flow] = before
        before += count
    for i in range(records):
        row = first_row[e[i].flow] + e[i].seq
        if e[i].copy or row >= first_row[e[i].flow + 1] or is_taken[row]:
            return False
        is_taken[row] = 1
    return True

cdef inline dict collect_columns(World* w, object np, object built, int64_t reached):
    """Return the raw columns at time ``reached``. ``np`` is the numpy module, which a .pxd file cannot import."""
    cdef int64_t i, k
    cdef bint is_sorted
    cdef int64_t[::1] first_row = np.zeros(w.flows + 1, np.int64)
    cdef int64_t[:, ::1] flows, queued, spans, packets, nodes, fates
    cdef LinkCounters* counters
    cdef Unit* u
    cdef PacketRecord* e
    cdef Flow* f
    queued_np = np.zeros((len(built.tallies), 2), np.int64)
    queued = queued_np
    flows_np = np.zeros((FLOW_COLUMNS, w.flows), np.int64)
    flows = flows_np
    expire_buffers(w, reached)
    cdef size_t final_records = w.packet_records.size()
    cdef int64_t control_in_flight = count_in_flight(w, flows[FLOW_IN_FLIGHT], queued)
    for i in range(w.flows):
        f = &w.flow[i]
        flows[0, i], flows[1, i], flows[2, i], flows[3, i] = w.sent_packets[i], f.copies, f.delivered, f.duplicate
        flows[4, i], flows[5, i], flows[6, i] = f.dropped, f.lost, f.reordered
        flows[7, i], flows[8, i] = <int64_t>f.delay_sum_low, f.bits.delay_sum_high
        flows[9, i], flows[10, i], flows[11, i] = f.delay_max, f.gap_max, f.last_time
    spans_np = np.zeros((SPAN_COLUMNS, w.spans.size()), np.int64)
    spans = spans_np
    for i in range(<int64_t>w.spans.size()):
        for k in range(SPAN_COLUMNS):
            spans[k, i] = (<int64_t*>&w.spans.data()[i])[k]
    packets_np = np.empty((PACKET_COLUMNS, w.packet_records.size()), np.int64)
    packets = packets_np
    is_sorted = place_records(w, first_row, np.zeros(w.packet_records.size(), np.uint8))
    for i in range(<int64_t>w.packet_records.size()):
        e = &w.packet_records.data()[i]
        k = first_row[e.flow] + e.seq if is_sorted else i
        packets[0, k], packets[1, k], packets[2, k], packets[3, k] = e.flow, e.seq, e.copy, e.fate
        packets[4, k], packets[5, k], packets[6, k] = e.t, e.node, e.t - e.creation_time if e.fate <= DUPLICATE else -1
        packets[7, k], packets[8, k], packets[9, k] = e.creation_time, e.via, e.tunnels
    w.packet_records.resize(final_records)  # records of packets in flight are valid for this call only
    fates_np = np.zeros((2, FATE_COUNT), np.int64)
    fates = fates_np
    for i in range(2):
        for k in range(FATE_COUNT):
            fates[i, k] = w.fates[i][k]
    fates[DATA_FATES, IN_FLIGHT] = int(flows_np[FLOW_IN_FLIGHT].sum())
    fates[CONTROL_FATES, IN_FLIGHT] = control_in_flight
    nodes_np = np.zeros((w.nodes, NODE_COLUMNS), np.int64)
    nodes = nodes_np
    for i in range(w.nodes):
        u = &w.unit[w.unit_of_node[i]]
        counters = u.registration_fifo.params.counters
        nodes[i, 6] = u.message_count
        nodes[i, 7], nodes[i, 8], nodes[i, 9] = counters.packets, counters.dropped, counters.peak_packets
        write_sum(nodes, i, 10, &u.total_wait)
        nodes[i, 12] = u.max_wait
        nodes[i, 13], nodes[i, 14], nodes[i, 15] = w.tables[i].peak, u.bindings.peak, u.visitors.peak
        nodes[i, 16], nodes[i, 17] = u.buffer_peak_packets, u.buffer_peak_bytes
        nodes[i, 18], nodes[i, 19] = u.diverted_packets, u.diverted_bytes
        nodes[i, 20], nodes[i, 21] = u.hostile_messages, u.hostile_drops
    for i in range(w.units):
        u = &w.unit[i]
        if u.kind == UNIT_SERVER:
            counters = u.server_fifo.params.counters
            nodes[u.node, 0], nodes[u.node, 1], nodes[u.node, 2] = counters.packets, counters.dropped, counters.peak_packets
            write_sum(nodes, u.node, 3, &u.total_wait)
            nodes[u.node, 5] = u.max_wait
    write_integrals(w, nodes, reached)
    return {
        "flows": flows_np, "queued": queued_np, "spans": spans_np, "ended": packets_np,
        "fates": fates_np, "nodes": nodes_np, "fingerprint": w.fingerprint,
        "events": w.packet_hops, "is_sorted": is_sorted,
        "histogram": np.array([w.delay_histogram[i] for i in range(HISTOGRAM_BUCKETS)], np.int64),
        "record": w.record_level,
    }  # fmt: skip

cdef inline tuple take_trace_buffers(World* w, int64_t reached):
    """Take the link trace as two byte strings, hops and messages.

    It contains every certain transmission; on downlinks, every one that has begun by ``reached``.
    """
    cdef size_t i
    cdef uint32_t k
    cdef Fifo* f
    cdef Packet* p
    if w.trace == NULL:
        return b"", b""
    for i in range(w.active_downlinks.size()):
        f = w.active_downlinks[0][i]
        k = f.head if f.params.trace_row >= 0 else f.tail
        while k != f.tail:
            p = &f.ring[k & f.mask]
            if p.t - f.params.delay - transmission_time(f.params, packet_bytes(p)) >= reached:
                break
            trace_once(w, f, p)
            k += 1
    hops = (<char*>w.trace.hops.data())[: w.trace.hops.size() * sizeof(TracedHop)]
    messages = (<char*>w.trace.messages.data())[: w.trace.messages.size() * sizeof(TracedMessage)]
    w.trace.hops.clear()
    w.trace.messages.clear()
    return hops, messages
