"""What a mobile's radio hears, and what is measured at it (docs/model.md, 7)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from engine.kernel.fifo cimport BROKEN_FRONTIER, Fifo, Line, relay, transmission
from engine.kernel.packet cimport COPIED, DATA_DOWN, KIND, LOST, STRIP, Record, rare
from engine.kernel.sources cimport sender_gap
from engine.kernel.world cimport (
    CONTESTED, DETACHED, LINK_LOSS, NEVER, RECORD_PACKETS, Flow, Mobile, Span, World, count_delivery, deliver, drop, fail,
    mobile_of, observe, observe_bytes, record_hop,
)

cdef inline bint attached(World* w, uint32_t m, int cell, int64_t begin, int64_t end) noexcept nogil:
    """Whether one attachment of the mobile to the cell covers [begin, end]."""
    return last_attachment(w, m, cell, begin, end) or find_attachment(w, m, cell, begin, end)

cdef inline bint last_attachment(World* w, uint32_t m, int cell, int64_t begin, int64_t end) noexcept nogil:
    """Whether it is the one last used."""
    cdef Mobile* x = &w.mobile[m]
    return x.cell == cell and x.up <= begin and end <= x.down

cdef inline bint find_attachment(World* w, uint32_t m, int cell, int64_t begin, int64_t end) noexcept nogil:
    """The same where it is not the attachment last used, which it then becomes."""
    cdef Mobile* x = &w.mobile[m]
    cdef int64_t low = w.attach_first[m], high = w.attach_first[m + 1], i = high
    while low < i:  # the first that begins after ``begin``
        high = (low + i) >> 1
        if w.attach_up[high] <= begin:
            low = high + 1
        else:
            i = high
    i -= 1
    while i >= w.attach_first[m] and w.attach_longest[i] >= end:
        if w.attach_cell[i] == cell and end <= w.attach_down[i]:
            x.cell = <uint16_t>cell
            x.up = w.attach_up[i]
            x.down = w.attach_down[i]
            return True
        i -= 1
    return False

cdef inline void touch(World* w, int32_t m) noexcept nogil:
    """From now to the end of the visit this mobile's deliveries take their turn one by one."""
    if not w.mobile[m].flags & CONTESTED or w.mobile[m].attached < 2:
        w.mobile[m].flags |= CONTESTED
        w.touched.push_back(m)

cdef inline void pass_boundaries(World* w, int64_t end) noexcept nogil:
    """Count the cells that each mobile is attached to, up to ``end``."""
    cdef Mobile* x
    cdef int32_t m
    while w.boundary_next < w.boundary_count and w.boundaries[w.boundary_next].t < end:
        m = w.boundaries[w.boundary_next].mobile
        x = &w.mobile[m]
        x.attached = <uint8_t>(x.attached + w.boundaries[w.boundary_next].step)
        touch(w, m)
        w.boundary_next += 1

cdef inline bint heard(World* w, Fifo* f, const Record* r) noexcept nogil:
    """Whether a downlink record is received at r.t; if not, it is dropped here."""
    if rare(not attached(w, mobile_of(w, r), f.line.cell, r.t - f.line.delay, r.t)):
        f.line.tally.detached += 1
        drop(w, r, DETACHED, r.t, f.line.node)
        return False
    if rare(r.flags & LOST):
        f.line.tally.lost += 1
        drop(w, r, LINK_LOSS, r.t, f.line.node)
        return False
    observe(w, f, r)
    return True

cdef inline void end_span(World* w, uint32_t m, int64_t t) noexcept nogil:
    cdef Mobile* x = &w.mobile[m]
    if x.span:
        w.spans.data()[x.span - 1].end = t
        x.span = 0

cdef inline int64_t gap_beyond(World* w, const Record* r) noexcept nogil:
    """How much longer than the sender's own the gap before this packet is; -1 if it is the first, or comes late."""
    cdef Flow* f = &w.flow[r.flow]
    cdef int64_t gap
    if f.last < 0 or f.expected == 0 or r.seq < f.expected:
        return -1
    gap = r.t - f.last - sender_gap(&w.laws[w.flow_law[r.flow]], f.expected, w.logarithms)
    return gap if gap > 0 else 0

cdef inline void deliver_in_span(World* w, Mobile* x, int cell, const Record* r) noexcept nogil:
    cdef Span* s = &w.spans.data()[x.span - 1]
    cdef uint32_t reordered = w.flow[r.flow].reordered
    cdef int64_t gap = gap_beyond(w, r)
    if not deliver(w, r, -1, cell):
        s.duplicate += 1
        return
    s.delivered += 1
    s.after_marker += cell == s.marked_cell
    s.reordered += w.flow[r.flow].reordered - reordered
    if r.t - r.born > s.delay_max:
        s.delay_max = r.t - r.born
    if gap > s.gap_max:
        s.gap_max = gap
        s.gap_end = r.t
    if s.close >= 0 and r.t >= s.close:
        end_span(w, s.mobile, r.t)

cdef inline void receive(World* w, uint32_t m, int cell, const Record* r) noexcept nogil:
    """A data packet that was heard."""
    cdef Mobile* x = &w.mobile[m]
    if rare(x.span != 0):
        deliver_in_span(w, x, cell, r)
    else:
        deliver(w, r, -1, cell)

# -- ahead of the fleet -------------------------------------------------------------------------------------------------

cdef inline bint left_alone(World* w, uint32_t m, int64_t t) noexcept nogil:
    """Whether, up to and including ``t``, the fleet's controller does nothing for the mobile and one cell at most is heard.

    What it does begins with an event: one that was scheduled, a timer, or a message. The begins and ends of attachments and what
    was scheduled stand in ``upcoming``, timers are counted; a message comes through the same downlink, so in its turn.
    """
    cdef Mobile* x = &w.mobile[m]
    return w.events_known[x.upcoming] > t and x.timers == 0 and not x.flags & CONTESTED

cdef inline void catch_up(World* w, uint32_t m) noexcept nogil:
    """At the fleet's visits: which of the things known beforehand comes next."""
    cdef Mobile* x = &w.mobile[m]
    cdef uint32_t i = x.upcoming
    if rare(w.events_known[i] < w.begin):
        while w.events_known[i] < w.begin:
            i += 1
        x.upcoming = i if w.events_known[i] != NEVER else 0  # where all those stand that nothing awaits

cdef inline bint receive_ahead(World* w, Fifo* f, const Record* r, uint32_t m) noexcept nogil:
    """Receive a packet that enters the downlink to mobile m at r.t before the fleet's visit, if nothing can come in between.

    The downlink is idle and empty: what came before has been received, and no rescue finds it waiting. Nothing is done at its
    mobile, and no other cell is heard, before it arrives. Routers do this side by side: each only reads of the mobile until the
    attachment last used is seen to be its own, and that changes at the fleet's visits alone.
    """
    cdef Line* line = f.line
    cdef int64_t extra, size, finish, t
    if f.free > r.t or f.head != f.tail or rare(r.flags & (KIND | COPIED) or line.loss != 0):
        return False
    extra = 0 if r.flags & STRIP else r.extra
    size = r.size + extra
    finish = r.t + transmission(line, size)
    t = finish + line.delay
    if (
        t >= w.horizon or rare(size > line.limit_bytes)
        or not last_attachment(w, m, line.cell, finish, t) or not left_alone(w, m, t)
    ):  # fmt: skip
        return False
    if rare(t < line.frontier[0]):
        fail(w, BROKEN_FRONTIER, f, r.t)
    relay(f, finish, size, extra)
    w.events += 1
    observe_bytes(w, f, t, size, DATA_DOWN)
    if rare(w.mobile[m].span != 0 or w.hops != NULL or w.record == RECORD_PACKETS):
        receive_watched(w, f, r, m, t, extra)
    else:
        count_delivery(w, r.flow, r.seq, t, t - r.born)
    return True

cdef inline void receive_watched(World* w, Fifo* f, const Record* r, uint32_t m, int64_t t, int64_t extra) noexcept nogil:
    """Where more is wanted of a packet that was received ahead than a count."""
    cdef Record arrived = r[0]
    arrived.t = t
    arrived.extra = <uint8_t>extra
    if w.hops != NULL:
        if r.flags & STRIP:
            w.hops.leave_tunnels(w.hops, r[0])
        if f.line.row >= 0:
            record_hop(w, f, &arrived)
    receive(w, m, f.line.cell, &arrived)
