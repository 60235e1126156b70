"""All mobiles as one unit: what their radios hear, what they send, what is measured at them (docs/model.md, 7)."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libcpp.algorithm cimport sort

from engine.kernel.next_event cimport lower
from engine.kernel.events cimport (
    CLOSE_SPAN, HOLD_UP, MESSAGE, OPEN_SPAN, ROUTE_UP, SEND, UNROUTE_UP, Action, Pending, earlier, push_event,
)
from engine.kernel.fifo cimport ACCEPTED, CALLED, ORPHAN, Fifo, fetch, record_bytes, release, transmission
from engine.kernel.forwarding cimport own_fifo, recycle
from engine.kernel.reception cimport attached, catch_up, end_span, heard, pass_boundaries, receive, touch
from engine.kernel.packet cimport CONTROL_NODE, DATA_UP, UNHEARD, Record, rare
from engine.kernel.binding_table cimport HOLD, Entry, Held, delete_held, find, hold_record, insert, new_held, remove
from engine.kernel.sources cimport Rotation, Source, emit
from engine.kernel.node_visit cimport due_schedule, late_before, move_on, next_source, soonest
from engine.kernel.world cimport (
    CONTESTED, DETACHED, HELD, NO_CELL, QUEUE_FULL, Cell, Late, Mobile, Span, Unit, World, announced, drop, enter, fail,
    kind_of, last_delivery, mobile_key, put, record_hop, record_once,
)

cdef enum:
    PHASE_ACTION = 1
    PHASE_SOURCE = 2
    PHASE_ARRIVAL = 3
    MANY_DOWNLINKS = 512  # busy ones past which their state does not stay in the first caches

# -- pass 1 -------------------------------------------------------------------------------------------------------------

cdef inline void messages_for_mobiles(World* w, Unit* u, int64_t end) noexcept nogil:
    cdef size_t i, kept = 0
    cdef uint32_t h
    cdef Fifo* f
    cdef Record* r
    cdef Pending e
    for i in range(w.control_downs.size()):
        f = w.control_downs[0][i]
        if f.control == 0:
            f.marks &= <uint8_t>~CALLED
            recycle(w, f, end)
            continue
        w.control_downs[0][kept] = f
        kept += 1
        h = f.head
        while h != f.tail and f.ring[h & f.mask].t < end:
            r = &f.ring[h & f.mask]
            if rare(f.line.row >= 0):
                record_once(w, f, r)  # data, too: the record keeps the order of the FIFO
            if kind_of(r) >= CONTROL_NODE and heard(w, f, r):
                if rare(w.hops != NULL):
                    w.hops.leave_tunnels(w.hops, r[0])
                e.t = r.t
                e.mobile = r.flow
                e.mobile_key = mobile_key(w, r.flow)
                e.kind = MESSAGE
                e.major = f.key
                e.minor = u.counter
                e.arg = 0
                e.code = w.messages.data()[r.seq].code
                e.message = r.seq
                e.via = f.line.node
                u.counter += 1
                push_event(u.pending, &e)
            h += 1
    w.control_downs.resize(kept)

cdef inline bint begin_fleet(World* w, Unit* u, int64_t end) noexcept nogil:
    u.actions.clear()
    pass_boundaries(w, end)
    due_schedule(w, u, end)
    messages_for_mobiles(w, u, end)
    return u.pending.size() > 0 and u.pending.data()[0].t < end

# -- uplink -------------------------------------------------------------------------------------------------------------

cdef inline void send_up(World* w, const Record* r, uint32_t m, int cell) noexcept nogil:
    cdef Cell* c = &w.cell[cell]
    cdef Fifo* f = own_fifo(w, &c.ups, c.up, c.key_up, m)
    cdef Record* entered
    cdef int64_t start
    if f == NULL:
        fail(w, 3, NULL, r.t)
        return
    entered = enter(w, f, r)
    start = f.free if f.free > r.t else r.t
    if not attached(w, m, cell, start, start + transmission(f.line, record_bytes(r))):
        entered.flags |= UNHEARD
    if put(w, f, entered) == ACCEPTED:
        announced(w, f, entered.t)
        if rare(f.line.row >= 0):
            record_hop(w, f, entered)
        if not f.listed:
            f.listed = 1
            c.busy_ups.push_back(f)
    elif w.failure == 0:
        drop(w, r, QUEUE_FULL, r.t, -1)

cdef inline void upstream(World* w, const Record* r, uint32_t m) noexcept nogil:
    """An upstream data packet of the mobile at r.t, by its route."""
    cdef Entry* e
    cdef int route = w.mobile[m].route
    if route < HELD:
        send_up(w, r, m, route)
    elif route == NO_CELL:
        drop(w, r, DETACHED, r.t, -1)
    else:
        e = find(&w.up_holds, m)
        if not hold_record(<Held*>e.one.more, r):
            drop(w, r, QUEUE_FULL, r.t, -1)

cdef inline void set_route(World* w, Action* a) noexcept nogil:
    cdef uint32_t m = a.mobile
    cdef Entry* e = find(&w.up_holds, m)
    cdef Held* held
    cdef Record r
    cdef size_t i
    if a.op == HOLD_UP:
        w.mobile[m].route = HELD
        if e == NULL:
            e = insert(&w.up_holds, m)
            if e == NULL:
                fail(w, 3, NULL, a.t)
                return
            e.mode = HOLD
            e.one.more = new_held(a.a, a.b)
        held = <Held*>e.one.more
        held.limit_packets = a.a
        held.limit_bytes = a.b
        return
    w.mobile[m].route = <uint16_t>a.a if a.op == ROUTE_UP else NO_CELL
    if e == NULL:
        return
    held = <Held*>e.one.more
    remove(&w.up_holds, m)
    for i in range(held.records.size()):
        r = held.records.data()[i]
        r.t = a.t
        upstream(w, &r, m)
    delete_held(held)

# -- pass 2 -------------------------------------------------------------------------------------------------------------

cdef inline void measure(World* w, Action* a) noexcept nogil:
    cdef uint32_t m = a.mobile
    cdef Mobile* x = &w.mobile[m]
    cdef Span s
    if a.op == OPEN_SPAN:
        end_span(w, m, a.t)
        s.mobile, s.id, s.open, s.close, s.end = m, a.a, a.t, -1, -1
        s.delivered = s.duplicate = s.reordered = s.after_marker = 0
        s.delay_max = 0
        s.gap_max = s.gap_end = s.marked_cell = -1
        s.last_before = last_delivery(w, m)
        w.spans.push_back(s)
        x.span = <uint32_t>w.spans.size()
    elif x.span and a.op == CLOSE_SPAN:
        if w.spans.data()[x.span - 1].close < 0:
            w.spans.data()[x.span - 1].close = a.t
    elif x.span:
        w.spans.data()[x.span - 1].marked_cell = a.a

cdef inline void downlink(World* w, Unit* u, Fifo* f, int64_t end) noexcept nogil:
    """What arrives on one downlink before ``end``; contested mobiles' data waits in u.late."""
    cdef uint32_t h = f.head, m
    cdef int64_t taken = 0
    cdef Record* r
    cdef Late x
    while h != f.tail and f.ring[h & f.mask].t < end:
        r = &f.ring[h & f.mask]
        taken += record_bytes(r)
        if rare(kind_of(r) >= CONTROL_NODE):
            f.control -= 1  # heard, or not, in pass 1
        else:
            m = w.mobile_of_flow[r.flow]
            catch_up(w, m)
            if rare(f.line.row >= 0):
                record_once(w, f, r)
            if heard(w, f, r):
                if rare(w.mobile[m].flags & CONTESTED):
                    x.t, x.phase, x.key, x.order, x.where, x.record = r.t, PHASE_ARRIVAL, f.key, h, f.line.cell, r[0]
                    u.late.push_back(x)
                else:
                    receive(w, m, f.line.cell, r)
        h += 1
    release(f, h, taken)

cdef inline void look_ahead(World* w, size_t i, size_t count) noexcept nogil:
    """Fetch what the next downlinks will need, one step of the way for each."""
    cdef Fifo** due = w.due_downs.data()
    cdef Record* r
    if i + 12 < count:
        fetch(due[i + 12])
        fetch(&due[i + 8].ring[due[i + 8].head & due[i + 8].mask])
        r = &due[i + 4].ring[due[i + 4].head & due[i + 4].mask]
        if due[i + 4].head != due[i + 4].tail and kind_of(r) < CONTROL_NODE:
            fetch(&w.flow[r.flow])
            fetch(&w.mobile[w.mobile_of_flow[r.flow]])

cdef inline void gather_due(World* w, Unit* u, int64_t end) noexcept nogil:
    """Put aside the downlinks on which something may arrive before ``end``; most of many have been looked at, and wait."""
    cdef size_t i, kept = 0
    cdef int64_t t
    w.due_downs.clear()
    for i in range(w.busy_downs.size()):
        t = w.nothing_before.data()[i] if i < w.nothing_before.size() else 0
        if t < end:
            w.due_downs.push_back(w.busy_downs.data()[i])
        else:
            w.busy_downs.data()[kept] = w.busy_downs.data()[i]
            w.nothing_before.data()[kept] = t
            kept += 1
            lower(u.next, t)
    w.busy_downs.resize(kept)
    w.nothing_before.resize(kept)

cdef inline int64_t earliest_arrival(Fifo* f) noexcept nogil:
    """Before which nothing arrives on a busy downlink, even if what waits in it is rescued and a shorter packet comes."""
    cdef Record* r = &f.ring[f.head & f.mask]
    return r.t - transmission(f.line, record_bytes(r))

cdef inline void fleet_act(World* w, Action* a) noexcept nogil:
    if a.op == SEND:
        send_up(w, &a.record, a.mobile, <int>a.a)
    elif a.op == ROUTE_UP or a.op == HOLD_UP or a.op == UNROUTE_UP:
        set_route(w, a)
    else:
        measure(w, a)

cdef inline void finish_fleet(World* w, Unit* u, int64_t end) noexcept nogil:
    cdef size_t i, count
    cdef Fifo* f
    cdef Late x
    cdef Source* s
    cdef Rotation* rotation
    u.late.clear()
    if u.actions.size() > 1:
        sort(u.actions.begin(), u.actions.end(), &earlier)
    for i in range(u.actions.size()):
        touch(w, u.actions.data()[i].mobile)
        x.t, x.phase, x.key, x.order, x.where = u.actions.data()[i].t, PHASE_ACTION, 0, i, 0
        u.late.push_back(x)
    s = soonest(u, &rotation)
    while s != NULL and s.t < end:
        emit(s, &x.record)
        x.record.flags = DATA_UP
        x.t, x.phase, x.key, x.order, x.where = s.t, PHASE_SOURCE, s.key, s.seq, s.mobile
        u.late.push_back(x)
        move_on(w, u, s, rotation)
        s = soonest(u, &rotation)
    gather_due(w, u, end)
    count = w.due_downs.size()
    for i in range(count):
        if count > MANY_DOWNLINKS:
            look_ahead(w, i, count)
        f = w.due_downs.data()[i]
        downlink(w, u, f, end)
        if f.head != f.tail:
            lower(u.next, f.ring[f.head & f.mask].t)
            w.busy_downs.push_back(f)
            w.nothing_before.push_back(earliest_arrival(f))
        elif f.marks & ORPHAN and f.free > end:
            w.busy_downs.push_back(f)
            w.nothing_before.push_back(end)
        else:
            f.listed = 0
            recycle(w, f, end)
    if u.late.size() > 1:
        sort(u.late.begin(), u.late.end(), &late_before)
    for i in range(u.late.size()):
        x = u.late.data()[i]
        if x.phase == PHASE_ACTION:
            fleet_act(w, &u.actions.data()[x.order])
        elif x.phase == PHASE_SOURCE:
            upstream(w, &x.record, x.where)
        else:
            receive(w, w.mobile_of_flow[x.record.flow], x.where, &x.record)
    u.late.clear()
    for i in range(w.touched.size()):
        if w.mobile[w.touched[0][i]].attached < 2:
            w.mobile[w.touched[0][i]].flags &= <uint8_t>~CONTESTED
    w.touched.clear()

cdef inline void next_fleet(Unit* u) noexcept nogil:
    """Bring its next time down to the earliest thing besides the downlinks, which finish_fleet has looked at."""
    cdef int64_t t = next_source(u)
    if u.pending.size() and u.pending.data()[0].t < t:
        t = u.pending.data()[0].t
    if u.scheduled_next < u.scheduled_count and u.scheduled_t[u.scheduled_next] < t:
        t = u.scheduled_t[u.scheduled_next]
    lower(u.next, t)
    lower(u.soon, u.next[0])
