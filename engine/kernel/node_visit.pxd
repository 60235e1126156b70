"""Visits: a unit works through everything that happens at it before a time, controllers first (pass 1), then data (pass 2)."""

from libc.stdint cimport int64_t, uint32_t
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector

from engine.kernel.next_event cimport lower
from engine.kernel.events cimport MESSAGE, REFUSED, SCHEDULED, Message, Pending, earlier, push_event
from engine.kernel.fifo cimport FULL, UNLIMITED, Fifo, Inlet, close_inlet, delete_fifo, fetch, open_inlet, record_bytes, release
from engine.kernel.forwarding cimport act, is_local, is_tunnel, look_up, originate, send_on, tunnel
from engine.kernel.reception cimport receive_ahead
from engine.kernel.packet cimport CONTROL, CONTROL_NODE, DATA_DOWN, DATA_UP, LOST, UNHEARD, Record, rare
from engine.kernel.arrival_merge cimport Head, alone_until, gather_heads, next_head
from engine.kernel.sources cimport Rotation, Source, advance, drop_top, is_round, rotate, rotation_front, sink_top, sooner, turn
from engine.kernel.binding_table cimport LOCAL, Entry, Table, fetch_entry, find, place, remove
from engine.kernel.world cimport (
    DETACHED, FORWARDING_OVERLOAD, LINK_LOSS, NEVER, REGISTRATION_OVERLOAD, UNIT_NODE, UNIT_SERVER, Cell, Late, Unit, World,
    announced, deliver, drop, enter, kind_of, mobile_key, mobile_of, next_busy, observe, offer,
)

cdef enum:
    BLOCK = 16  # packets whose way into the tables is looked up together
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
        e.mobile_key = mobile_key(w, e.mobile)
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
            delete_fifo(w.fifos, f)
    c.busy_ups.resize(kept)
    if u.late.size() > 1:
        sort(u.late.begin(), u.late.end(), &late_before)

cdef inline void waited(Unit* u, int64_t wait) noexcept nogil:
    """One more that its server accepted has to wait so long."""
    u.wait = u.wait + wait if wait <= UNLIMITED - u.wait else UNLIMITED
    if wait > u.wait_max:
        u.wait_max = wait

cdef inline void register(World* w, Unit* u, const Record* r) noexcept nogil:
    """A control message for this node enters its registration server, or finds it full."""
    cdef Pending e
    cdef Message* m = &w.messages.data()[r.seq]
    cdef bint told = True
    cdef int64_t t = r.t
    cdef Fifo* f = u.registration
    cdef Record* entered
    cdef int got
    # what has been served is out of the ring, which only counts those in the system
    while f.head != f.tail and f.ring[f.head & f.mask].t <= t:
        release(f, f.head + 1, record_bytes(&f.ring[f.head & f.mask]))
    entered = enter(w, f, r)
    got = offer(f, entered)
    if got == FULL:
        told = u.answers and u.controlled
        m.references += told  # the event's own: the message ends here, what it says is still to be read
        drop(w, r, REGISTRATION_OVERLOAD, t, u.node)
    else:
        waited(u, entered.t - t - f.line.fixed)
    if told:
        e.t = entered.t
        e.mobile = r.flow
        e.mobile_key = mobile_key(w, r.flow)
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
    cdef size_t i, at = 0
    cdef uint32_t h
    cdef Fifo* f
    cdef Record* r
    cdef Late x
    f = next_busy(u, &at)
    while f != NULL:
        h = f.head if f.control else f.tail
        while h != f.tail and f.ring[h & f.mask].t < end:
            r = &f.ring[h & f.mask]
            if kind_of(r) == CONTROL_NODE and r.to == u.node and not r.flags & LOST:
                x.t, x.phase, x.key, x.order, x.where, x.record = r.t, 0, f.key, h - f.head, 0, r[0]
                found.push_back(x)
            h += 1
        f = next_busy(u, &at)
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
        register(w, u, &found.data()[i].record)

cdef inline bint begin_visit(World* w, Unit* u, int64_t end) noexcept nogil:
    """Pass 1 up to the controllers; True if they have something to do."""
    cdef size_t at = 0
    cdef bint any_control = False
    cdef Fifo* f
    u.actions.clear()
    due_schedule(w, u, end)
    if u.cell >= 0 and w.cell[u.cell].busy_ups.size():
        gather_uplinks(w, u, end)
    if u.kind != UNIT_SERVER:
        f = next_busy(u, &at)
        while f != NULL:
            any_control |= f.control != 0
            f = next_busy(u, &at)
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

cdef inline Source* soonest(Unit* u, Rotation** rotation) noexcept nogil:
    """The source of the unit's next own packet, NULL if there is none; the rotation that it is in, or NULL."""
    cdef Source* best = u.sources.data() if u.sources.size() else NULL
    cdef Source* s
    cdef size_t i
    rotation[0] = NULL
    for i in range(u.rotations.size()):
        s = rotation_front(u.rotations[0][i])
        if s != NULL and (best == NULL or sooner(s, best)):
            best = s
            rotation[0] = u.rotations[0][i]
    return best

cdef inline void move_on(World* w, Unit* u, Source* s, Rotation* rotation) noexcept nogil:
    """The soonest source has sent."""
    if rotation != NULL:
        rotate(rotation, w.laws, w.flow_law, w.sent)
        return
    w.drawn += 1
    if advance(s, &w.laws[w.flow_law[s.flow]], w.logarithms):
        sink_top(u.sources)
    else:
        w.sent[s.flow] = s.seq
        drop_top(u.sources)

cdef inline void originate_until(World* w, Unit* u, int64_t end) noexcept nogil:
    """Send the unit's own packets before ``end``, nothing else being in the way."""
    cdef Rotation* g = u.rotations.data()[0] if u.rotations.size() == 1 and u.sources.size() == 0 else NULL
    cdef bint bound = w.tables[u.node].used != 0
    cdef Source* s
    if g != NULL and is_round(g):
        while g.ring[g.head].t < end:
            originate(w, u.node, &g.ring[g.head], bound)
            turn(g)
        return
    s = soonest(u, &g)
    while s != NULL and s.t < end:
        originate(w, u.node, s, bound)
        move_on(w, u, s, g)
        s = soonest(u, &g)

# -- pass 2 -------------------------------------------------------------------------------------------------------------

cdef inline void handle(World* w, Unit* u, const Record* r, Entry* e) noexcept nogil:
    """A packet at a node (phase 3); e: its mobile's entry in the table. Messages for the node itself were taken in pass 1."""
    if r.to != u.node:
        send_on(w, u.node, r)
    elif kind_of(r) == DATA_UP:
        deliver(w, r, u.node, -1)
    elif kind_of(r) != CONTROL_NODE:
        look_up(w, u.node, r, e)

cdef inline void serve(World* w, Unit* u, const Record* r) noexcept nogil:
    """A packet at a forwarding server."""
    cdef Record* entered = enter(w, u.server, r)
    if offer(u.server, entered) == FULL:
        drop(w, r, FORWARDING_OVERLOAD, r.t, u.node)
    else:
        if entered.t - u.server.line.fixed != r.t:
            waited(u, entered.t - u.server.line.fixed - r.t)
        announced(w, u.server, entered.t)

cdef inline void take(World* w, Unit* u, Inlet* x, int64_t end) noexcept nogil:
    """Handle everything that arrives at one inlet before ``end``, nothing else being in the way."""
    if u.kind == UNIT_NODE and w.tables[u.node].used:
        take_in_blocks(w, u, x, end)
    else:
        take_one_by_one(w, u, x, end)

cdef inline void take_one_by_one(World* w, Unit* u, Inlet* x, int64_t end) noexcept nogil:
    """At a server, or at a node that has no table entries."""
    cdef const Record* ring = x.ring
    cdef const Record* r
    cdef uint32_t h = x.head, tail = x.tail, mask = x.mask
    cdef int64_t taken = 0
    while h != tail:
        r = &ring[h & mask]
        if r.t >= end:
            break
        taken += record_bytes(r)
        h += 1
        if rare(r.flags & (CONTROL | LOST)) and not uncommon(w, x, r):
            continue
        if u.kind == UNIT_SERVER:
            serve(w, u, r)
        else:
            handle(w, u, r, NULL)
    x.head = h
    x.bytes += taken

cdef inline void take_in_blocks(World* w, Unit* u, Inlet* x, int64_t end) noexcept nogil:
    """At a node with table entries: memory is slow to answer, but answers many questions at a time."""
    cdef Entry* entries[BLOCK]
    cdef Entry* e
    cdef const Record* ring = x.ring
    cdef const Record* r
    cdef uint32_t h = x.head, known = look_ahead(w, u, x, h, end, entries), mask = x.mask
    cdef int64_t taken = 0
    while h != known:
        r = &ring[h & mask]
        taken += record_bytes(r)
        if not rare(r.flags & (CONTROL | LOST)) or uncommon(w, x, r):
            e = entries[h % BLOCK]
            if r.to != u.node:
                send_on(w, u.node, r)
            elif is_local(e, r.t):
                if not receive_ahead(w, <Fifo*>e.one.more, r, e.mobile):
                    handle(w, u, r, e)
            elif kind_of(r) == DATA_DOWN and is_tunnel(w, e, r):
                tunnel(w, u.node, r, &e.one)
            else:
                handle(w, u, r, e)
        h += 1
        if h == known:
            known = look_ahead(w, u, x, h, end, entries)
    x.head = h
    x.bytes += taken

cdef inline uint32_t look_ahead(World* w, Unit* u, const Inlet* x, uint32_t h, int64_t end, Entry** entries) noexcept nogil:
    """Find the entries of the next packets before ``end``, and fetch what they will need; the index behind the last of them.

    Nothing in a table changes while packets are taken.
    """
    cdef Table* table = &w.tables[u.node]
    cdef const Record* ring = x.ring
    cdef const Record* r
    cdef uint32_t m, last = h + BLOCK if x.tail - h > BLOCK else x.tail, mask = x.mask
    cdef bint more = table.used > LARGE_TABLE and last != x.tail
    cdef Entry* e
    while h != last:
        r = &ring[h & mask]
        if r.t >= end:
            break
        if r.to == u.node:
            m = mobile_of(w, r)
            e = find(table, m)
            entries[h % BLOCK] = e
            if e != NULL and e.mode == LOCAL:
                fetch(e.one.more)
                fetch(&w.mobile[m])
                fetch(&w.flow[r.flow])
            if more and x.tail - h > BLOCK:  # behind the tail a ring may hold what was never a record
                fetch_entry(&table.slot[place(mobile_of(w, &ring[(h + BLOCK) & mask]), table.slots)])
        h += 1
    return h

cdef inline bint uncommon(World* w, Inlet* x, const Record* r) noexcept nogil:
    """A message, or a packet that was lost on the link that it comes from; False if that is its end."""
    x.control += (r.flags & CONTROL) != 0
    if r.flags & LOST:
        x.lost += 1
        drop(w, r, LINK_LOSS, r.t, x.f.line.node)
        return False
    return True

cdef inline void data_until(World* w, Unit* u, int64_t end, size_t* late_next) noexcept nogil:
    """Pass 2 between two actions: own packets and arrivals before ``end``, merged."""
    cdef vector[Head]* heads = u.heads
    cdef Late* late
    cdef Inlet* x
    cdef int64_t t_source = next_source(u), t_late, t_link, limit
    gather_heads(heads, u.inlets, end)
    while True:
        t_link = heads.data().t if heads.size() else NEVER
        late = u.late.data() + late_next[0] if late_next[0] < u.late.size() else NULL
        t_late = late.t if late != NULL else NEVER
        if t_source >= end and t_late >= end and t_link >= end:
            return
        if t_source <= t_link and t_source <= t_late:
            limit = t_link if t_link < t_late else t_late
            originate_until(w, u, end if limit >= end else limit + 1)
            t_source = next_source(u)
        elif t_late < t_link or (t_late == t_link and late.key < heads.data().inlet.f.key):
            late_next[0] += 1
            if u.kind == UNIT_SERVER:
                serve(w, u, &late.record)
            else:
                handle(w, u, &late.record, find(&w.tables[u.node], mobile_of(w, &late.record)))
        else:
            x = heads.data().inlet
            limit = t_source if t_source < end else end
            if t_late < limit:
                limit = t_late + (x.f.key < late.key)
            take(w, u, x, alone_until(heads, limit))
            next_head(heads, end)

cdef inline void open_inlets(Unit* u) noexcept nogil:
    """What pass 2 takes of its arrivals; they are left alone until ``close_inlets``."""
    cdef size_t at = 0
    cdef Fifo* f = next_busy(u, &at)
    cdef Inlet x
    u.inlets.clear()
    while f != NULL:
        x.f = f
        open_inlet(&x)
        u.inlets.push_back(x)
        f = next_busy(u, &at)

cdef inline void close_inlets(World* w, Unit* u) noexcept nogil:
    cdef size_t i
    cdef Inlet* x
    for i in range(u.inlets.size()):
        x = &u.inlets.data()[i]
        close_inlet(x)
        if x.f.head == x.f.tail:
            x.f.line.busy[0] &= ~x.f.line.bit
    u.next[0] = next_time(w, u)
    lower(u.soon, u.next[0])

cdef inline void finish_visit(World* w, Unit* u, int64_t end) noexcept nogil:
    """Pass 2 of a node or server: data and actions in the order of time.

    Of what belongs to other units it changes the FIFOs that it sends into, and the mobiles that it alone is heard by.
    """
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
    cdef size_t i, at = 0
    cdef Fifo* f = next_busy(u, &at)
    cdef Cell* c
    while f != NULL:
        if f.head != f.tail and f.ring[f.head & f.mask].t < t:
            t = f.ring[f.head & f.mask].t
        f = next_busy(u, &at)
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
