"""Raw columns of a world, for harvest.py to name and to hold to the laws."""

from libc.stdint cimport int64_t, uint32_t

from engine.kernel.fifo cimport Fifo, Tally, record_bytes, transmission
from engine.kernel.link_trace cimport Hop, Said
from engine.kernel.packet cimport Record
from engine.kernel.in_flight cimport count_left, time_out_holds
from engine.kernel.world cimport BUCKETS, DUPLICATE, UNIT_SERVER, Ended, Flow, Unit, World, record_once

cdef inline dict raw_columns(World* w, object np, object built, int64_t reached):
    """``np`` is the numpy module: a definition file cannot import it."""
    cdef int64_t i, k
    cdef int64_t[:, ::1] flows, spans, ended, nodes, fates
    cdef Tally* y
    cdef Unit* u
    cdef Ended* e
    queued_np = np.zeros((len(built.tallies), 2), np.int64)
    flows_np = np.zeros((12, w.flows), np.int64)
    flows = flows_np
    cdef int64_t[:, ::1] queued = queued_np
    time_out_holds(w, reached)
    cdef size_t ended_before = w.ended.size()
    cdef int64_t control_left = count_left(w, flows[11], queued)
    cdef Flow* f
    for i in range(w.flows):
        f = &w.flow[i]
        flows[0, i], flows[1, i], flows[2, i], flows[3, i] = w.sent[i], f.copies, f.delivered, f.duplicate
        flows[4, i], flows[5, i], flows[6, i] = f.dropped, f.lost, f.reordered
        flows[7, i], flows[8, i], flows[9, i], flows[10, i] = f.delay_sum, f.delay_max, f.gap_max, f.last
    spans_np = np.zeros((13, w.spans.size()), np.int64)
    spans = spans_np
    for i in range(<int64_t>w.spans.size()):
        for k in range(13):
            spans[k, i] = (<int64_t*>&w.spans.data()[i])[k]
    ended_np = np.zeros((10, w.ended.size()), np.int64)
    ended = ended_np
    for i in range(<int64_t>w.ended.size()):
        e = &w.ended.data()[i]
        ended[0, i], ended[1, i], ended[2, i], ended[3, i] = e.flow, e.seq, e.copy, e.fate
        ended[4, i], ended[5, i], ended[6, i] = e.t, e.node, e.t - e.born if e.fate <= DUPLICATE else -1
        ended[7, i], ended[8, i], ended[9, i] = e.born, e.via, e.tunnels
    w.ended.resize(ended_before)  # those in flight are noted anew each time
    fates_np = np.zeros((2, 15), np.int64)
    fates = fates_np
    for i in range(2):
        for k in range(15):
            fates[i, k] = w.fates[i][k]
    fates[0, 14] = int(flows_np[11].sum())
    fates[1, 14] = control_left
    nodes_np = np.zeros((w.nodes, 14), np.int64)
    nodes = nodes_np
    for i in range(w.nodes):
        u = &w.unit[w.unit_of_node[i]]
        y = u.registration.line.tally
        nodes[i, 5], nodes[i, 6], nodes[i, 7], nodes[i, 8] = u.messages, y.packets, y.dropped, y.peak_packets
        nodes[i, 9], nodes[i, 10] = u.wait, u.wait_max
        nodes[i, 11], nodes[i, 12], nodes[i, 13] = w.tables[i].peak, u.held_peak_packets, u.held_peak_bytes
    for i in range(w.units):
        u = &w.unit[i]
        if u.kind == UNIT_SERVER:
            y = u.server.line.tally
            nodes[u.node, 0], nodes[u.node, 1], nodes[u.node, 2] = y.packets, y.dropped, y.peak_packets
            nodes[u.node, 3], nodes[u.node, 4] = u.wait, u.wait_max
    return {
        "flows": flows_np, "queued": queued_np, "spans": spans_np, "ended": ended_np,
        "fates": fates_np, "nodes": nodes_np, "fingerprint": w.fingerprint, "events": w.events,
        "histogram": np.array([w.histogram[i] for i in range(BUCKETS)], np.int64),
        "record": w.record,
    }  # fmt: skip

cdef inline tuple raw_hops(World* w, int64_t reached):
    """Hops and their messages as bytes, forgotten here: all that is certain, and on downlinks what has begun by ``reached``."""
    cdef size_t i
    cdef uint32_t k
    cdef Fifo* f
    cdef Record* r
    if w.hops == NULL:
        return b"", b""
    for i in range(w.busy_downs.size()):
        f = w.busy_downs[0][i]
        k = f.head if f.line.row >= 0 else f.tail
        while k != f.tail:
            r = &f.ring[k & f.mask]
            if r.t - f.line.delay - transmission(f.line, record_bytes(r)) >= reached:
                break
            record_once(w, f, r)
            k += 1
    rows = (<char*>w.hops.hops.data())[: w.hops.hops.size() * sizeof(Hop)]
    messages = (<char*>w.hops.said.data())[: w.hops.said.size() * sizeof(Said)]
    w.hops.hops.clear()
    w.hops.said.clear()
    return rows, messages
