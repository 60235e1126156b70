"""Visits: a unit works through everything that happens at it before a time, controllers first (pass 1), then data (pass 2)."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector

from engine.events cimport MESSAGE, REFUSED, SCHEDULED, Action, Message, Pending, earlier, push_event
from engine.fifo cimport ACCEPTED, FULL, Fifo, delete_fifo, fetch, record_bytes, release
from engine.forwarding cimport act, arrive, originate, send_on
from engine.record cimport CONTROL_NODE, DATA_DOWN, DATA_UP, LOST, UNHEARD, Record, rare
from engine.sources cimport Law, Rotation, Source, advance, drop_top, push_source, rotate, rotation_front, sink_top, sooner
from engine.table cimport LOCAL, Entry, Table, place, remove
from engine.world cimport (
    DETACHED, FORWARDING_OVERLOAD, LINK_LOSS, NEVER, REGISTRATION_OVERLOAD, UNIT_SERVER, Cell, Late, Unit, World, deliver,
    drop, fail, kind_of, observe, offer,
)

cdef enum:
    LARGE_TABLE = 2048  # entries past which a table does not stay in the first caches

cdef inline bint late_before(const Late& x, const Late& y) noexcept nogil:
    if x.t != y.t:
        return x.t < y.t
    if x.phase != y.phase:
        return x.phase < y.phase
    if x.key != y.key:
        return x.key < y.key
    return x.order < y.order

# -- pass 1 -------------------------------------------------------------------------------------------------------------

cdef inline void due_schedule(World* w, Unit* u, int64_t end) noexcept nogil:
    cdef Pending e
    while u.scheduled_next < u.scheduled_count and u.scheduled_t[u.scheduled_next] < end:
        e.t = u.scheduled_t[u.scheduled_next]
        e.mobile = u.scheduled_mobile[u.scheduled_next]
        e.mobile_key = w.mobile_key[e.mobile]
        e.kind = SCHEDULED
        e.major = 0
        e.minor = u.scheduled_next
        e.arg = u.scheduled_arg[u.scheduled_next]
        e.code = u.scheduled_code[u.scheduled_next]
        e.message = -1
        e.via = -1
        push_event(u.pending, &e)
        u.scheduled_next += 1

cdef inline void gather_uplinks(World* w, Unit* u, int64_t end) noexcept nogil:
    """Take what arrives from the cell's uplinks before ``end`` into u.late, in order."""
    cdef Cell* c = &w.cell[u.cell]
    cdef size_t i, kept = 0
    cdef uint32_t h
    cdef int64_t taken
    cdef Fifo* f
    cdef Record* r
    cdef Late x
    u.late.clear()
    for i in range(c.busy_ups.size()):
        f = c.busy_ups[0][i]
        h = f.head
        taken = 0
        while h != f.tail and f.ring[h & f.mask].t < end:
            r = &f.ring[h & f.mask]
            taken += record_bytes(r)
            if kind_of(r) >= CONTROL_NODE:
                f.control -= 1
            if r.flags & (LOST | UNHEARD):
                if r.flags & UNHEARD:
                    f.line.tally.detached += 1
                else:
                    f.line.tally.lost += 1
                drop(w, r, DETACHED if r.flags & UNHEARD else LINK_LOSS, r.t, -1)
            else:
                observe(w, f, r)
                x.t, x.phase, x.key, x.order, x.where, x.record = r.t, 3, f.key, h, 0, r[0]
                u.late.push_back(x)
            h += 1
        release(f, h, taken)
        if f.head != f.tail:
            c.busy_ups[0][kept] = f
            kept += 1
        else:  # nothing in it and nothing being sent: a new one would be in the same state
            remove(&c.ups, f.mobile)
            delete_fifo(f)
    c.busy_ups.resize(kept)
    if u.late.size() > 1:
        sort(u.late.begin(), u.late.end(), &late_before)

cdef inline void register(World* w, Unit* u, Record* r, int64_t t) noexcept nogil:
    """A control message for this node enters its registration server, or finds it full."""
    cdef Pending e
    cdef Message* m = &w.messages.data()[r.seq]
    cdef bint told = True
    cdef Record copy = r[0]
    cdef Fifo* f = u.registration
    cdef int got
    copy.t = t
    # what has been served is out of the ring, which only counts those in the system
    while f.head != f.tail and f.ring[f.head & f.mask].t <= t:
        release(f, f.head + 1, record_bytes(&f.ring[f.head & f.mask]))
    got = offer(f, &copy, 0, 0)
    if got == FULL:
        told = u.answers and u.controlled
        m.references += told  # the event's own: the message ends here, what it says is still to be read
        drop(w, r, REGISTRATION_OVERLOAD, t, u.node)
    elif got != ACCEPTED:
        fail(w, got, f, t)
        return
    if told:
        e.t = copy.t
        e.mobile = r.flow
        e.mobile_key = w.mobile_key[r.flow]
        e.kind = REFUSED if got == FULL else MESSAGE
        e.major = 0
        e.minor = u.counter
        e.code = m.code
        e.message = r.seq
        e.arg = 0
        e.via = -1
        u.counter += 1
        push_event(u.pending, &e)

cdef inline void control_arrivals(World* w, Unit* u, int64_t end) noexcept nogil:
    """Find the control messages for this node among the arrivals before ``end`` and register them in order."""
    cdef vector[Late] found
    cdef size_t i
    cdef uint32_t h
    cdef Fifo* f
    cdef Record* r
    cdef Late x
    for i in range(u.arrivals.size()):
        f = u.arrivals[0][i]
        if f.control == 0:
            continue
        h = f.head
        while h != f.tail and f.ring[h & f.mask].t < end:
            r = &f.ring[h & f.mask]
            if kind_of(r) == CONTROL_NODE and r.to == u.node and not r.flags & LOST:
                x.t, x.phase, x.key, x.order, x.where, x.record = r.t, 0, f.key, h - f.head, 0, r[0]
                found.push_back(x)
            h += 1
    for i in range(u.late.size()):
        r = &u.late.data()[i].record
        if kind_of(r) == CONTROL_NODE and r.to == u.node:
            x = u.late.data()[i]
            found.push_back(x)
    if found.size() > 1:
        for i in range(found.size()):
            found.data()[i].phase = 0
        sort(found.begin(), found.end(), &late_before)
    for i in range(found.size()):
        register(w, u, &found.data()[i].record, found.data()[i].t)

cdef inline bint begin_visit(World* w, Unit* u, int64_t end) noexcept nogil:
    """Pass 1 up to the controllers; True if they have something to do."""
    cdef size_t i
    cdef bint any_control = False
    u.actions.clear()
    due_schedule(w, u, end)
    if u.cell >= 0 and w.cell[u.cell].busy_ups.size():
        gather_uplinks(w, u, end)
    if u.kind != UNIT_SERVER:
        for i in range(u.arrivals.size()):
            if u.arrivals[0][i].control:
                any_control = True
        if any_control or u.late.size():
            control_arrivals(w, u, end)
    return u.pending.size() > 0 and u.pending.data()[0].t < end

# -- sources ------------------------------------------------------------------------------------------------------------

cdef inline int64_t next_source(Unit* u) noexcept nogil:
    cdef int64_t t = NEVER
    cdef size_t i
    cdef Source* s
    for i in range(u.rotations.size()):
        s = rotation_front(u.rotations[0][i])
        if s != NULL and s.t < t:
            t = s.t
    if u.sources.size() and u.sources.data()[0].t < t:
        t = u.sources.data()[0].t
    return t

cdef inline void emit(const Source* s, Record* r, uint32_t* mobile) noexcept nogil:
    r.t = s.t
    r.born = s.t
    r.flow = s.flow
    r.seq = s.seq
    r.size = s.size
    r.to = s.home
    r.extra = 0
    r.tunnels = 0
    r.copy = 0
    r.flags = DATA_DOWN
    mobile[0] = s.mobile

cdef inline bint take_source(World* w, Unit* u, int64_t end, Record* r, uint32_t* mobile) noexcept nogil:
    """The unit's next own packet before ``end``, if there is one."""
    cdef Source* best = NULL
    cdef Source* s
    cdef Rotation* g = NULL
    cdef Rotation** groups = u.rotations.data()
    cdef size_t i, n = u.rotations.size()
    if n == 1 and u.sources.size() == 0 and groups[0].count == groups[0].capacity and groups[0].endless:
        g = groups[0]  # all have begun: the front goes to the back where it stands
        s = &g.ring[g.head]
        if s.t >= end:
            return False
        emit(s, r, mobile)
        s.t += g.step
        s.seq += 1
        g.head = g.head + 1 if g.head + 1 < g.capacity else 0
        return True
    for i in range(n):
        s = rotation_front(groups[i])
        if s != NULL and (best == NULL or sooner(s, best)):
            best = s
            g = groups[i]
    if u.sources.size():
        s = u.sources.data()
        if best == NULL or sooner(s, best):
            best = s
            g = NULL
    if best == NULL or best.t >= end:
        return False
    emit(best, r, mobile)
    if g != NULL:
        rotate(g, w.laws, w.sent)
        return True
    w.drawn += 1
    if advance(best, &w.laws[best.flow], w.seed, w.logarithms):
        sink_top(u.sources)
    else:
        w.sent[best.flow] = best.seq
        drop_top(u.sources)
    return True

# -- pass 2 -------------------------------------------------------------------------------------------------------------

cdef inline void handle(World* w, Unit* u, Record* r) noexcept nogil:
    """A packet at a node (phase 3). Messages for the node itself were taken in pass 1."""
    if r.to != u.node:
        send_on(w, u.node, r)
    elif kind_of(r) == DATA_UP:
        deliver(w, r, u.node, -1)
    elif kind_of(r) != CONTROL_NODE:
        arrive(w, u.node, r)

cdef inline void serve(World* w, Unit* u, Record* r) noexcept nogil:
    """A packet at a forwarding server."""
    cdef int64_t t = r.t
    cdef int got = offer(u.server, r, 0, 0)
    if got != ACCEPTED:
        if got == 1:
            drop(w, r, FORWARDING_OVERLOAD, t, u.node)
        else:
            fail(w, got, u.server, t)

cdef inline void look_ahead(World* w, Unit* u, Fifo* f, uint32_t h) noexcept nogil:
    """Fetch what the next packets will need: the table's slot of one, the downlink of another."""
    cdef Record* r
    cdef Entry* e
    cdef Table* table = &w.tables[u.node]
    if f.tail - h > 8:
        r = &f.ring[(h + 8) & f.mask]
        if kind_of(r) == DATA_DOWN:
            fetch(&table.slot[place(w.mobile_of_flow[r.flow], table.shift)])
        r = &f.ring[(h + 4) & f.mask]
        if kind_of(r) == DATA_DOWN:
            e = &table.slot[place(w.mobile_of_flow[r.flow], table.shift)]
            if e.mode == LOCAL:
                fetch(e.more)
                fetch(<char*>e.more + 64)  # where most have their ring

cdef inline void take(World* w, Unit* u, Fifo* f, int64_t end) noexcept nogil:
    """Handle everything that arrives on one FIFO before ``end``, nothing else being in the way."""
    cdef Record r
    cdef uint32_t h = f.head
    cdef int64_t taken = 0
    cdef bint ahead = u.kind != UNIT_SERVER and w.tables[u.node].used > LARGE_TABLE
    while h != f.tail and f.ring[h & f.mask].t < end:
        if ahead:
            look_ahead(w, u, f, h)
        r = f.ring[h & f.mask]
        h += 1
        taken += record_bytes(&r)
        if rare(kind_of(&r) >= CONTROL_NODE):
            f.control -= 1
        if rare(r.flags & LOST):
            f.line.tally.lost += 1
            drop(w, &r, LINK_LOSS, r.t, f.line.node)
        elif u.kind == UNIT_SERVER:
            serve(w, u, &r)
        else:
            handle(w, u, &r)
    release(f, h, taken)

cdef inline void data_until(World* w, Unit* u, int64_t end, size_t* late_next) noexcept nogil:
    """Pass 2 between two actions: own packets and arrivals before ``end``, merged."""
    cdef Record r
    cdef uint32_t mobile = 0
    cdef int64_t t_source, t_late, best_t, limit
    cdef Fifo* best
    cdef Fifo* f
    cdef size_t i
    cdef int busy
    while True:
        t_source = next_source(u)
        t_late = u.late.data()[late_next[0]].t if late_next[0] < u.late.size() else NEVER
        best = NULL
        best_t = end
        busy = 0
        for i in range(u.arrivals.size()):
            f = u.arrivals[0][i]
            if f.head != f.tail and f.ring[f.head & f.mask].t < end:
                busy += 1
                if f.ring[f.head & f.mask].t < best_t:
                    best_t = f.ring[f.head & f.mask].t
                    best = f
        if t_source >= end and t_late >= end and best == NULL:
            return
        if busy == 1 and t_late >= end:  # the common case: one FIFO runs alone up to the next own packet
            limit = end if t_source >= end else t_source
            if best_t < limit:
                take(w, u, best, limit)
                if limit == end:
                    return
                continue
        if t_source < end and t_source <= best_t and t_source <= t_late:
            limit = best_t if best_t < t_late else t_late
            limit = end if limit >= end else limit + 1
            while take_source(w, u, limit, &r, &mobile):
                originate(w, u.node, &r, mobile)
            continue
        if t_late < best_t or (t_late == best_t and best != NULL and u.late.data()[late_next[0]].key < best.key):
            r = u.late.data()[late_next[0]].record
            late_next[0] += 1
            if u.kind == UNIT_SERVER:
                serve(w, u, &r)
            else:
                handle(w, u, &r)
        else:
            take_one(w, u, best)

cdef inline void take_one(World* w, Unit* u, Fifo* f) noexcept nogil:
    cdef Record r = f.ring[f.head & f.mask]
    if kind_of(&r) >= CONTROL_NODE:
        f.control -= 1
    release(f, f.head + 1, record_bytes(&r))
    if r.flags & LOST:
        f.line.tally.lost += 1
        drop(w, &r, LINK_LOSS, r.t, f.line.node)
    elif u.kind == UNIT_SERVER:
        serve(w, u, &r)
    else:
        handle(w, u, &r)

cdef inline void finish_visit(World* w, Unit* u, int64_t end) noexcept nogil:
    """Pass 2 of a node or server: data and actions in the order of time."""
    cdef size_t i, late_next = 0
    if u.actions.size() > 1:
        sort(u.actions.begin(), u.actions.end(), &earlier)
    for i in range(u.actions.size()):
        data_until(w, u, u.actions.data()[i].t, &late_next)
        act(w, u.node, &u.actions.data()[i])
    data_until(w, u, end, &late_next)
    u.late.clear()

cdef inline int64_t next_time(World* w, Unit* u) noexcept nogil:
    """Earliest thing that can happen at a node or server, as far as is known now."""
    cdef int64_t t = next_source(u)
    cdef size_t i
    cdef Fifo* f
    cdef Cell* c
    for i in range(u.arrivals.size()):
        f = u.arrivals[0][i]
        if f.head != f.tail and f.ring[f.head & f.mask].t < t:
            t = f.ring[f.head & f.mask].t
    if u.cell >= 0:
        c = &w.cell[u.cell]
        for i in range(c.busy_ups.size()):
            f = c.busy_ups[0][i]
            if f.ring[f.head & f.mask].t < t:
                t = f.ring[f.head & f.mask].t
    if u.pending.size() and u.pending.data()[0].t < t:
        t = u.pending.data()[0].t
    if u.scheduled_next < u.scheduled_count and u.scheduled_t[u.scheduled_next] < t:
        t = u.scheduled_t[u.scheduled_next]
    return t
