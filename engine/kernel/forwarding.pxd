"""What a node does with a packet: the shortest path, its table, its cell; and how its table changes."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libcpp.vector cimport vector

from engine.kernel.copy_ledger cimport Copies, packet_id
from engine.kernel.events cimport (
    BIND, BIND_MORE, SEND, SET_HOLD, SET_LOCAL, UNBIND, UNBIND_ALL, Action,
)
from engine.kernel.fifo cimport (
    ACCEPTED, CALLED, NO_MEMORY, ORPHAN, Fifo, Line, delete_fifo, new_fifo, record_bytes, rescue, transmission,
    write_down,
)
from engine.kernel.rng cimport mix2
from engine.kernel.packet cimport CONTROL, CONTROL_NODE, COPIED, LOST, NOTED, STRIP, Record, rare
from engine.kernel.sources cimport Source, emit
from engine.kernel.binding_table cimport (
    EMPTY, HOLD, LOCAL, MOST_CAREOF, QUEUE, TUNNEL, Careof, Entry, Held, Several, Table, careof, find, forget, hold_record,
    insert, new_held, remove,
)
from engine.kernel.thread_pool cimport acquire, release_lock
from engine.kernel.world cimport (
    BINDING_EXPIRED, BUFFER_TIMEOUT, NO_BINDING, NO_VISITOR, QUEUE_FULL, TUNNEL_LIMIT, Cell, Unit, World, announced,
    drop, enter, fail, family_of, next_entry, kind_of, mobile_key, mobile_of, observe, put, record_hop,
)

cdef inline void put_on(World* w, int n, Fifo* f, Record* r) noexcept nogil:
    """What has entered a link of n leaves on it, or is dropped."""
    if rare(put(w, f, r) != ACCEPTED):
        if w.failure == 0:
            drop(w, r, QUEUE_FULL, r.t, n)
    else:
        announced(w, f, r.t)
        observe(w, f, r)
        if rare(f.line.row >= 0):
            record_hop(w, f, r)

cdef inline void send_on(World* w, int n, const Record* r) noexcept nogil:
    """Towards r.to, which is not n."""
    cdef Fifo* f = w.hop[n][r.to]
    put_on(w, n, f, enter(w, f, r))

cdef inline Fifo* own_fifo(World* w, Table* table, Line* line, uint64_t key, uint32_t mobile) noexcept nogil:
    """The FIFO of one mobile in a cell, made when first needed."""
    cdef Entry* e = insert(table, mobile)
    cdef Fifo* f
    if e == NULL:
        return NULL
    if e.mode != EMPTY:
        return <Fifo*>e.one.more
    f = new_fifo(w.fifos, line, mix2(key, mobile_key(w, mobile)))
    if f == NULL:
        return NULL
    f.mobile = mobile
    e.mode = QUEUE
    e.one.more = f
    return f

cdef inline void strip(World* w, Record* r) noexcept nogil:
    """The tunnel that ends at the router where the packet is, if it came through one, is taken off."""
    if r.flags & STRIP:
        r.extra = 0
        r.flags &= <uint8_t>~STRIP
        if rare(w.hops != NULL):
            w.hops.leave_tunnels(w.hops, r[0])

cdef inline void enter_cell(World* w, int n, Fifo* f, const Record* r) noexcept nogil:
    """Into a downlink, whose packets the fleet receives at its visit."""
    cdef Record* entered
    write_down(f, r.t, w.outgrown)
    entered = enter(w, f, r)
    strip(w, entered)
    if rare(put(w, f, entered) != ACCEPTED):
        if w.failure == 0:
            drop(w, r, QUEUE_FULL, r.t, n)
        return
    announced(w, f, entered.t)
    if not f.listed:
        f.listed = 1
        w.busy_downs.push_back(f)
    if rare(r.flags & CONTROL and not f.marks & CALLED):
        f.marks |= CALLED
        w.control_downs.push_back(f)

cdef inline void tunnel(World* w, int n, const Record* r, Careof* c) noexcept nogil:
    cdef Fifo* f = w.hop[n][c.node]
    cdef Record* entered = enter(w, f, r)
    strip(w, entered)
    if rare(w.hops != NULL):
        w.hops.encapsulate(w.hops, entered[0], n, c)
    entered.tunnels += 1
    if c.at_mobile:
        entered.extra += c.header
    else:
        entered.extra = c.header
        entered.flags |= STRIP
    entered.to = c.node
    put_on(w, n, f, entered)

cdef inline void share(World* w, Record* r, int k) noexcept nogil:
    """One packet becomes k copies: they pass one more fan-out, and its fate goes through the ledger."""
    cdef Copies* c
    acquire(w.lock)
    if kind_of(r) <= 1:
        c = &w.ledger[0][packet_id(r.flow, r.seq)]
        if not r.flags & COPIED:
            c.under_way = 1
            c.delivered = False
            r.flags |= COPIED
        c.under_way += k - 1
        w.flow[r.flow].copies += k - 1
    else:
        w.messages.data()[r.seq].references += k - 1
    release_lock(w.lock)
    r.tunnels += 16

cdef inline void fan_out(World* w, int n, const Record* r, Entry* e) noexcept nogil:
    """To every care-of node that is valid now; the caller knows that there is at least one."""
    cdef Careof* chosen[4]
    cdef Record copy = r[0]
    cdef int k = 0, i, level
    for i in range(e.count):
        if r.t < careof(e, i).until:
            chosen[k] = careof(e, i)
            k += 1
    level = r.tunnels >> 4
    if (r.tunnels & 15) >= w.tunnel_limit or (k > 1 and level >= 4):
        drop(w, r, TUNNEL_LIMIT, r.t, n)
        return
    if k > 1:
        share(w, &copy, k)
        if rare(w.hops != NULL):
            for i in range(1, k):
                w.hops.inherit(w.hops, r[0], <uint8_t>(r.copy | (i << (2 * level))))
    for i in range(k):
        copy.copy = <uint8_t>(r.copy | (i << (2 * level)))
        tunnel(w, n, &copy, chosen[i])

cdef inline bint any_valid(Entry* e, int64_t t) noexcept nogil:
    cdef int i
    if e.mode != TUNNEL or e.count == 1:
        return t < e.one.until
    for i in range(e.count):
        if t < careof(e, i).until:
            return True
    return False

cdef inline bint is_local(const Entry* e, int64_t t) noexcept nogil:
    return e != NULL and e.mode == LOCAL and t < e.one.until

cdef inline bint is_tunnel(World* w, const Entry* e, const Record* r) noexcept nogil:
    """Whether the entry is a single tunnel that the packet can enter."""
    return (
        e != NULL and e.mode == TUNNEL and e.count == 1 and r.t < e.one.until and (r.tunnels & 15) < w.tunnel_limit
    )

cdef inline void look_up(World* w, int n, const Record* r, Entry* e) noexcept nogil:
    """The table's decision on a packet for a mobile that is at n now; e may be NULL."""
    cdef bint router
    if rare(e == NULL):
        router = w.cell_of_node[n] >= 0 and family_of(w, mobile_of(w, r)).home != n
        drop(w, r, NO_VISITOR if router else NO_BINDING, r.t, n)
    elif is_local(e, r.t):
        enter_cell(w, n, <Fifo*>e.one.more, r)
    elif is_tunnel(w, e, r):
        tunnel(w, n, r, &e.one)
    else:
        look_closer(w, n, r, e)

cdef inline void look_closer(World* w, int n, const Record* r, Entry* e) noexcept nogil:
    """The decision where it is neither the cell nor one tunnel."""
    cdef Held* held
    cdef Record bare
    if e.mode == HOLD:
        time_out(w, n, e, r.t)
    if not any_valid(e, r.t):
        drop(w, r, BINDING_EXPIRED, r.t, n)
    elif e.mode == TUNNEL and e.count == 1:
        drop(w, r, TUNNEL_LIMIT, r.t, n)
    elif e.mode == TUNNEL:
        fan_out(w, n, r, e)
    else:
        held = <Held*>e.one.more
        bare = r[0]
        strip(w, &bare)
        if not hold_record(held, &bare):
            drop(w, r, QUEUE_FULL, r.t, n)
            return
        note_hold(&w.unit[w.unit_of_node[n]], held)

cdef inline void note_hold(Unit* u, Held* held) noexcept nogil:
    if <int64_t>held.records.size() > u.held_peak_packets:
        u.held_peak_packets = <int64_t>held.records.size()
    if held.bytes > u.held_peak_bytes:
        u.held_peak_bytes = held.bytes

cdef inline void time_out(World* w, int n, Entry* e, int64_t t) noexcept nogil:
    """Drop what a hold still has when its time is over."""
    cdef Held* held = <Held*>e.one.more
    cdef size_t i
    if t < e.one.until:
        return
    for i in range(held.records.size()):
        drop(w, &held.records.data()[i], BUFFER_TIMEOUT, e.one.until, n)
    held.records.clear()
    held.bytes = 0

cdef inline void originate(World* w, int n, const Source* s, bint bound) noexcept nogil:
    """A source's next packet starts at its correspondent n; ``bound``: whose table has entries."""
    cdef Entry* e = find(&w.tables[n], s.mobile) if bound else NULL
    cdef Fifo* f
    cdef Record* entered
    cdef Record r
    if rare(s.home == n or (e != NULL and any_valid(e, s.t))):
        emit(s, &r)
        look_up(w, n, &r, e if e != NULL and any_valid(e, s.t) else NULL)
    else:
        f = w.hop[n][s.home]
        entered = next_entry(w, f, s.t)
        emit(s, entered)
        put_on(w, n, f, entered)

cdef inline void look_up_again(World* w, int n, vector[Record]* records, uint32_t mobile, int64_t t) noexcept nogil:
    cdef size_t i
    cdef Record r
    for i in range(records.size()):
        r = records.data()[i]
        r.t = t
        r.flags &= <uint8_t>~(LOST | NOTED)
        look_up(w, n, &r, find(&w.tables[n], mobile))

cdef inline void copy_in_air(World* w, Fifo* down, int64_t t, uint32_t mobile, vector[Record]* out) noexcept nogil:
    """Copies of the mobile's data whose transmission has begun by ``t`` and that has not arrived (docs/model.md, 6)."""
    cdef uint32_t i = down.head
    cdef Record* r
    cdef Record copy
    cdef int level
    while i != down.tail:
        r = &down.ring[i & down.mask]
        if r.t - down.line.delay - transmission(down.line, record_bytes(r)) > t:
            return
        if r.t > t and kind_of(r) < CONTROL_NODE and w.mobile_of_flow[r.flow] == mobile and r.tunnels >> 4 < 4:
            level = r.tunnels >> 4
            share(w, r, 2)
            copy = r[0]
            copy.copy = <uint8_t>(r.copy | (1 << (2 * level)))
            if rare(w.hops != NULL):
                w.hops.inherit(w.hops, r[0], copy.copy)
            out.push_back(copy)
        i += 1

cdef inline void replace(World* w, int n, uint32_t mobile, Entry new, int64_t t, bint again) noexcept nogil:
    """Put a whole new entry (mode EMPTY: none); held packets follow it, waiting ones are rescued (docs/model.md, 6)."""
    cdef Entry* e = find(&w.tables[n], mobile)
    cdef vector[Record] moved
    cdef Fifo* down
    if e != NULL and e.mode == HOLD:
        time_out(w, n, e, t)
        if new.mode == HOLD:  # the buffer stays, its limits change
            (<Held*>e.one.more).limit_packets = (<Held*>new.one.more).limit_packets
            (<Held*>e.one.more).limit_bytes = (<Held*>new.one.more).limit_bytes
            e.one.until = new.one.until
            forget(&new)
            return
        moved.swap((<Held*>e.one.more).records[0])
    elif e != NULL and e.mode == LOCAL and new.mode != LOCAL:
        down = <Fifo*>e.one.more
        if again:
            copy_in_air(w, down, t, mobile, &moved)
        if new.mode != EMPTY:
            rescue(down, t, mobile, w.mobile_of_flow, &moved)
        if down.mobile >= 0:
            down.marks |= ORPHAN
            recycle(w, down, t)
    if e != NULL:
        forget(e)
    if new.mode == EMPTY:
        remove(&w.tables[n], mobile)
    else:
        e = insert(&w.tables[n], mobile)
        if e == NULL:
            fail(w, NO_MEMORY, NULL, t)
            return
        e[0] = new
    look_up_again(w, n, &moved, mobile, t)

cdef inline void recycle(World* w, Fifo* f, int64_t t) noexcept nogil:
    """Free an own downlink that no entry names and that holds nothing: a new one would be in the same state.

    If a packet that was relayed is still on the air at ``t``, the fleet's visits see to it later.
    """
    cdef Cell* c
    if f.marks != ORPHAN or f.head != f.tail or f.listed:
        return
    if f.free > t:
        f.listed = 1
        w.busy_downs.push_back(f)
    else:
        c = &w.cell[f.line.cell]
        remove(&c.downs, f.mobile)
        delete_fifo(w.fifos, f)

cdef inline void set_local(World* w, int n, uint32_t mobile, int64_t until, int64_t t) noexcept nogil:
    cdef Cell* c = &w.cell[w.cell_of_node[n]]
    cdef Entry e
    e.mobile = mobile
    e.mode = LOCAL
    e.count = 0
    e.one.until = until
    if c.shared != NULL:
        e.one.more = c.shared
    else:
        e.one.more = own_fifo(w, &c.downs, c.down, c.key_down, mobile)
        if e.one.more == NULL:
            fail(w, NO_MEMORY, NULL, t)
            return
        (<Fifo*>e.one.more).marks &= <uint8_t>~ORPHAN
    replace(w, n, mobile, e, t, False)

cdef inline void send_radio(World* w, int n, Action* a) noexcept nogil:
    """A message straight into the cell's downlink to the mobile, whatever the table says."""
    cdef Cell* c = &w.cell[w.cell_of_node[n]]
    cdef Fifo* f = c.shared
    cdef Entry* e
    if f == NULL:
        f = own_fifo(w, &c.downs, c.down, c.key_down, a.mobile)
        if f == NULL:
            fail(w, NO_MEMORY, NULL, a.t)
            return
        e = find(&w.tables[n], a.mobile)
        if e == NULL or e.mode != LOCAL:
            f.marks |= ORPHAN
    enter_cell(w, n, f, &a.record)

cdef inline void set_tunnel(World* w, int n, uint32_t mobile, Careof c, int64_t t, bint again) noexcept nogil:
    cdef Entry e
    e.mobile = mobile
    e.mode = TUNNEL
    e.count = 1
    e.one = c
    replace(w, n, mobile, e, t, again)

cdef inline void take_careof(Entry* e, int k) noexcept nogil:
    """Take care-of node k out of a tunnel entry that has another one besides."""
    cdef Several* s = <Several*>e.one.more
    cdef int i
    for i in range(k, e.count - 1):
        s.item[i] = s.item[i + 1]
    e.count -= 1
    if e.count == 1:
        e.one = s.item[0]
        free(s)

cdef inline void add_tunnel(World* w, int n, uint32_t mobile, Careof c, int64_t t, bint again) noexcept nogil:
    """A simultaneous binding."""
    cdef Entry* e = find(&w.tables[n], mobile)
    cdef Several* s
    cdef int k
    if e == NULL or e.mode != TUNNEL:
        set_tunnel(w, n, mobile, c, t, again)
        return
    for k in range(e.count - 1, -1, -1):
        if careof(e, k).until <= t and e.count > 1:
            take_careof(e, k)
    if e.count == 1 and e.one.until <= t:
        e.one = c
        return
    for k in range(e.count):
        if careof(e, k).node == c.node:
            careof(e, k)[0] = c
            return
    if e.count == MOST_CAREOF:
        take_careof(e, 0)
    if e.count == 1:
        s = <Several*>calloc(1, sizeof(Several))
        s.item[0] = e.one
        e.one.more = s
    s = <Several*>e.one.more
    s.item[e.count] = c
    e.count += 1

cdef inline void unbind(World* w, int n, uint32_t mobile, int64_t careof_node, int64_t t) noexcept nogil:
    """Remove one care-of node (-1: whatever there is)."""
    cdef Entry* e = find(&w.tables[n], mobile)
    cdef Entry nothing
    cdef int k
    if e == NULL:
        return
    nothing.mode = EMPTY
    if careof_node < 0:
        replace(w, n, mobile, nothing, t, False)
        return
    if e.mode != TUNNEL:
        return
    for k in range(e.count):
        if careof(e, k).node == careof_node:
            if e.count == 1:
                replace(w, n, mobile, nothing, t, False)
            else:
                take_careof(e, k)
            return

cdef inline void act(World* w, int n, Action* a) noexcept nogil:
    """Carry out an action of the controller of node n."""
    cdef Careof c
    cdef Entry e
    if a.op == SEND:
        if a.b:
            send_radio(w, n, a)
        elif a.record.to == n:
            look_up(w, n, &a.record, find(&w.tables[n], a.mobile))
        else:
            send_on(w, n, &a.record)
    elif a.op == BIND or a.op == BIND_MORE:
        c.until, c.node, c.header, c.at_mobile = a.until, <uint16_t>a.a, <uint8_t>a.b, <uint8_t>a.at_mobile
        if a.op == BIND:
            set_tunnel(w, n, a.mobile, c, a.t, a.again)
        else:
            add_tunnel(w, n, a.mobile, c, a.t, a.again)
    elif a.op == SET_LOCAL:
        set_local(w, n, a.mobile, a.until, a.t)
    elif a.op == SET_HOLD:
        e.mobile, e.mode, e.count = a.mobile, HOLD, 0
        e.one.until = a.until
        e.one.more = new_held(a.a, a.b)
        replace(w, n, a.mobile, e, a.t, a.again)
    elif a.op == UNBIND or a.op == UNBIND_ALL:
        unbind(w, n, a.mobile, a.a if a.op == UNBIND else -1, a.t)
