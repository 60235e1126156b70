"""Reception of downlink packets by mobile nodes, and the measurement of deliveries (docs/model.md, 7)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from engine.kernel.fates cimport DETACHED, LINK_LOSS, count_delivery, deliver, drop
from engine.kernel.fifo cimport BROKEN_FRONTIER, Fifo, FifoParameters, relay, transmission_time
from engine.kernel.next_event cimport NEVER
from engine.kernel.packet cimport COPIED, DATA_DOWN, DECAPSULATE, KIND_MASK, LOST, Packet, unlikely
from engine.kernel.sources cimport sender_gap
from engine.kernel.world cimport (
    CONTESTED, RECORD_PACKETS, Flow, MobileNode, Span, World, add_bytes_to_fingerprint, add_to_fingerprint, fail, packet_mobile,
    trace_hop,
)

cdef inline bint is_attached(World* w, uint32_t m, int cell, int64_t begin, int64_t end) noexcept nogil:
    """Return whether a single attachment of the mobile node to the cell covers [begin, end]."""
    return covered_by_last_attachment(w, m, cell, begin, end) or find_covering_attachment(w, m, cell, begin, end)

cdef inline bint covered_by_last_attachment(World* w, uint32_t m, int cell, int64_t begin, int64_t end) noexcept nogil:
    cdef MobileNode* x = &w.mobile[m]
    return x.cell == cell and x.attached_from <= begin and end <= x.attached_until

cdef inline bint find_covering_attachment(World* w, uint32_t m, int cell, int64_t begin, int64_t end) noexcept nogil:
    """Search all attachments and remember the covering one in the mobile node. Return whether there is one."""
    cdef MobileNode* x = &w.mobile[m]
    cdef int64_t low = w.attach_first[m], high = w.attach_first[m + 1], i = high
    while low < i:  # binary search: the first attachment that starts after ``begin``
        high = (low + i) >> 1
        if w.attach_start[high] <= begin:
            low = high + 1
        else:
            i = high
    i -= 1
    while i >= w.attach_first[m] and w.attach_latest_end[i] >= end:
        if w.attach_cell[i] == cell and end <= w.attach_end[i]:
            x.cell = <uint16_t>cell
            x.attached_from = w.attach_start[i]
            x.attached_until = w.attach_end[i]
            return True
        i -= 1
    return False

cdef inline void mark_contested(World* w, int32_t m) noexcept nogil:
    """Process this mobile node's deliveries in time order until the end of the visit."""
    if not w.mobile[m].flags & CONTESTED or w.mobile[m].attachment_count < 2:
        w.mobile[m].flags |= CONTESTED
        w.contested_mobiles.push_back(m)

cdef inline void advance_boundaries(World* w, int64_t end) noexcept nogil:
    """Update the number of attachments of each mobile node up to ``end``."""
    cdef MobileNode* x
    cdef int32_t m
    while w.boundary_next < w.boundary_count and w.boundaries[w.boundary_next].t < end:
        m = w.boundaries[w.boundary_next].mobile
        x = &w.mobile[m]
        x.attachment_count = <uint8_t>(x.attachment_count + w.boundaries[w.boundary_next].change)
        mark_contested(w, m)
        w.boundary_next += 1

cdef inline bint check_reception(World* w, Fifo* f, const Packet* p) noexcept nogil:
    """Return whether a packet on a downlink is received at p.t; drop it if not."""
    if unlikely(not is_attached(w, packet_mobile(w, p), f.params.cell, p.t - f.params.delay, p.t)):
        f.params.counters.detached += 1
        drop(w, p, DETACHED, p.t, f.params.node)
        return False
    if unlikely(p.flags & LOST):
        f.params.counters.lost += 1
        drop(w, p, LINK_LOSS, p.t, f.params.node)
        return False
    add_to_fingerprint(w, f.key, p)
    return True

cdef inline void end_span(World* w, uint32_t m, int64_t t) noexcept nogil:
    cdef MobileNode* x = &w.mobile[m]
    if x.open_span:
        w.spans.data()[x.open_span - 1].end = t
        x.open_span = 0

cdef inline int64_t excess_gap(World* w, const Packet* p) noexcept nogil:
    """Return the time by which the gap before this packet exceeds the sender's; -1 for a flow's first packet or a late one."""
    cdef Flow* f = &w.flow[p.flow]
    cdef int64_t gap
    if f.last_time < 0 or f.next_seq == 0 or p.seq < f.next_seq:
        return -1
    gap = p.t - f.last_time - sender_gap(&w.schedules[w.flow_schedule[p.flow]], f.next_seq, w.log_table)
    return gap if gap > 0 else 0

cdef inline void deliver_measured(World* w, MobileNode* x, int cell, const Packet* p) noexcept nogil:
    cdef Span* s = &w.spans.data()[x.open_span - 1]
    cdef uint32_t reordered = w.flow[p.flow].reordered
    cdef int64_t gap = excess_gap(w, p)
    if not deliver(w, p, -1, cell):
        s.duplicate += 1
        return
    s.delivered += 1
    s.after_marker += cell == s.marker_cell
    s.reordered += w.flow[p.flow].reordered - reordered
    if p.t - p.creation_time > s.delay_max:
        s.delay_max = p.t - p.creation_time
    if gap > s.gap_max:
        s.gap_max = gap
        s.gap_end = p.t
    if s.close >= 0 and p.t >= s.close:
        end_span(w, s.mobile, p.t)

cdef inline void receive_data(World* w, uint32_t m, int cell, const Packet* p) noexcept nogil:
    cdef MobileNode* x = &w.mobile[m]
    if unlikely(x.open_span != 0):
        deliver_measured(w, x, cell, p)
    else:
        deliver(w, p, -1, cell)

# -- before the mobile nodes' visit -------------------------------------------------------------------------------------

cdef inline bint is_uncontested(World* w, uint32_t m, int64_t t) noexcept nogil:
    """Return whether, up to and including ``t``, no action concerns the mobile node and at most one cell reaches it.

    An action needs an event: a scheduled one, a timer or a message. Attachment boundaries and scheduled events are in
    ``next_known``, timers are counted, and a message would come through the same downlink and so in order.
    """
    cdef MobileNode* x = &w.mobile[m]
    return w.known_times[x.next_known] > t and x.pending_timers == 0 and not x.flags & CONTESTED

cdef inline void advance_known_times(World* w, uint32_t m) noexcept nogil:
    """Advance a mobile node's ``next_known`` to the window; the unit of mobile nodes does this in its visits."""
    cdef MobileNode* x = &w.mobile[m]
    cdef uint32_t i = x.next_known
    if unlikely(w.known_times[i] < w.window_begin):
        while w.known_times[i] < w.window_begin:
            i += 1
        x.next_known = i if w.known_times[i] != NEVER else 0  # 0: the element that stands for no further time

cdef inline bint receive_ahead(World* w, Fifo* f, const Packet* p, uint32_t m) noexcept nogil:
    """Receive a packet that enters mobile node m's downlink at p.t before the mobile nodes' visit, if nothing can interfere.

    The downlink must be idle and empty: earlier packets have been received, and no rescue can extract this one. Until it arrives,
    no action concerns the mobile node and no other cell reaches it. Routers do this in parallel: each only reads the mobile node
    until its last attachment is found to be with the router's own cell, and that changes only in the mobile nodes' visits.
    """
    cdef FifoParameters* params = f.params
    cdef int64_t extra, size, t
    cdef uint64_t finish
    if f.idle_at > p.t or f.head != f.tail or unlikely(p.flags & (KIND_MASK | COPIED) or params.loss != 0):
        return False
    extra = 0 if p.flags & DECAPSULATE else p.extra
    size = p.size + extra
    finish = <uint64_t>p.t + transmission_time(params, size)
    if unlikely(finish >= params.finish_limit):
        return False
    t = finish + params.delay
    if (
        t >= w.slice_end or unlikely(size > params.limit_bytes)
        or not covered_by_last_attachment(w, m, params.cell, finish, t) or not is_uncontested(w, m, t)
    ):  # fmt: skip
        return False
    if unlikely(t < params.frontier[0]):
        fail(w, BROKEN_FRONTIER, f, p.t)
    relay(f, finish, size, extra)
    w.packet_hops += 1
    add_bytes_to_fingerprint(w, f.key, t, size, DATA_DOWN)
    if unlikely(w.mobile[m].open_span != 0 or w.trace != NULL or w.record_level == RECORD_PACKETS):
        receive_ahead_with_detail(w, f, p, m, t, extra)
    else:
        count_delivery(w, p.flow, p.seq, t, t - p.creation_time)
    return True

cdef inline void receive_ahead_with_detail(
    World* w, Fifo* f, const Packet* p, uint32_t m, int64_t t, int64_t extra
) noexcept nogil:
    """Update the span, the link trace and the packet records for a packet that was received ahead."""
    cdef Packet arrived = p[0]
    arrived.t = t
    arrived.extra = <uint8_t>extra
    if w.trace != NULL:
        if p.flags & DECAPSULATE:
            w.trace.clear_tunnels(w.trace, p[0])
        if f.params.trace_row >= 0:
            trace_hop(w, f, &arrived)
    receive_data(w, m, f.params.cell, &arrived)
