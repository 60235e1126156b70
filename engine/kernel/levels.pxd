"""Visit of a level: all units that do not hear of each other within a window, their arrivals and own packets in one order.

A level replaces the visits of its units where a window brings few packets to each: what reaches the units lies in a few runs,
already in the order of time, and the cost of a packet does not depend on the number of units (docs/architecture.md).
"""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libcpp.algorithm cimport pop_heap, push_heap, sort, stable_sort

from engine.kernel.binding_table cimport LOCAL, TUNNEL, BindingTable, Entry, find_entry, home_slot, prefetch_entry
from engine.kernel.events cimport action_before
from engine.kernel.fates cimport LINK_LOSS, drop
from engine.kernel.fifo cimport Fifo, FifoParameters, packet_bytes, prefetch
from engine.kernel.forwarding cimport forward_on_link, next_link
from engine.kernel.inbox cimport Arrival, ArrivalRun, LateArrival, arrival_precedes, pop_late
from engine.kernel.next_event cimport GROUP_SIZE, NEVER, NextEventIndex, later, refresh_group
from engine.kernel.node_visit cimport (
    enqueue_at_server, handle_looked_up_packet, prefetch_receiver, push_due_events, register_in_order,
)
from engine.kernel.own_packets cimport next_source_time, originate_until
from engine.kernel.packet cimport CONTROL, CONTROL_NODE, DATA_DOWN, DATA_UP, KIND_MASK, LOST, Packet, unlikely
from engine.kernel.table_changes cimport apply_action
from engine.kernel.uplinks cimport check_uplink_arrival
from engine.kernel.vector cimport vector
from engine.kernel.world cimport (
    PHASE_CONTROL, UNIT_SERVER, ControlArrival, DeferredItem, Level, LevelAction, LookedUpArrival, Unit, UnitSource, World,
    packet_mobile,
)

cdef enum:
    MAX_CACHED_ARRIVALS = 2048  # arrivals of a level up to which all that they change stays in the caches between two passes
    LOOK_AHEAD = 8  # arrivals between the prefetch of what a packet changes and its processing
    MIN_ARRIVALS_BY_RUN = 8  # arrivals for each interval between actions from which on runs are processed one by one

# -- pass 1 -------------------------------------------------------------------------------------------------------------

cdef inline bint begin_unit_in_level(World* w, Unit* u, int64_t end) noexcept nogil:
    """Run pass 1 of a unit up to the controllers. Return whether there is an event for them."""
    cdef vector[DeferredItem] messages
    cdef size_t i, remaining = 0
    cdef ControlArrival* a = u.control_arrivals.data()
    cdef DeferredItem x
    u.actions.clear()
    push_due_events(w, u, end)
    for i in range(u.control_arrivals.size()):
        if a[i].packet.t < end:
            x.t, x.phase, x.key, x.order, x.packet = a[i].packet.t, PHASE_CONTROL, a[i].key, i, a[i].packet
            messages.push_back(x)
        else:
            a[remaining] = a[i]
            remaining += 1
    u.control_arrivals.resize(remaining)
    register_in_order(w, u, &messages)
    return u.pending_events.size() > 0 and u.pending_events.data()[0].t < end

cdef inline int64_t next_control_time(const Unit* u) noexcept nogil:
    """Return the time of the unit's earliest event for its controller, or of the earliest message for it."""
    cdef int64_t t = NEVER
    cdef size_t i
    if u.pending_events.size():
        t = u.pending_events.data()[0].t
    if u.schedule_next < u.schedule_count and u.schedule_t[u.schedule_next] < t:
        t = u.schedule_t[u.schedule_next]
    for i in range(u.control_arrivals.size()):
        t = min(t, u.control_arrivals.data()[i].packet.t)
    return t

cdef inline int64_t next_level_event(World* w, const Level* v) noexcept nogil:
    """Return the time of a level's earliest arrival, own packet, or event for a controller."""
    cdef NextEventIndex* index = &w.event_index
    cdef int64_t t = v.inbox.next_event
    cdef int first = v.units.rank, end = v.units.rank + v.unit_count, group, i
    for group in range(first // GROUP_SIZE, (end - 1) // GROUP_SIZE + 1):
        if index.group_bound[group] < t and refresh_group(index, group) < t:
            for i in range(max(first, group * GROUP_SIZE), min(end, (group + 1) * GROUP_SIZE)):
                t = min(t, index.next_event[i])
    return t

cdef inline int64_t next_window_begin(World* w, int64_t stop) noexcept nogil:
    """Return the earliest time at which a window may begin: no level has an event before its lag ahead of it.

    Return NEVER if no level has an event before ``stop``.
    """
    cdef int64_t begin = NEVER, event
    cdef int i
    for i in range(w.levels):
        event = next_level_event(w, &w.level[i])
        if event < stop:
            begin = min(begin, min(later(event, w.level[i].lag), NEVER - 1))
    return begin

cdef inline bint level_action_before(const LevelAction& x, const LevelAction& y) noexcept nogil:
    return x.t < y.t

cdef inline void take_actions(Level* v, Unit* u) noexcept nogil:
    """Add the actions of a unit to those of its level, each unit's in order."""
    cdef LevelAction x
    cdef size_t i
    if u.actions.size() > 1:
        sort(u.actions.begin(), u.actions.end(), &action_before)
    for i in range(u.actions.size()):
        x.t, x.unit, x.action = u.actions.data()[i].t, u, &u.actions.data()[i]
        v.actions.push_back(x)

# -- sources ------------------------------------------------------------------------------------------------------------

cdef inline bint sends_after(const UnitSource& x, const UnitSource& y) noexcept nogil:
    """Order the heap of units with own packets: the one that sends next is at the front."""
    return x.t > y.t

cdef inline void send_own_packets(World* w, Level* v, int64_t end) noexcept nogil:
    """Let the unit at the top send its own packets before ``end`` that precede those of the other units."""
    cdef UnitSource* a = v.sources.data()
    cdef int64_t limit = end
    cdef size_t n = v.sources.size()
    if n > 1:
        limit = a[2].t if n > 2 and a[2].t < a[1].t else a[1].t
        limit = limit + 1 if limit < end else end
    originate_until(w, a[0].unit, limit)
    pop_heap(v.sources.begin(), v.sources.end(), &sends_after)
    a[n - 1].t = next_source_time(a[n - 1].unit)
    push_heap(v.sources.begin(), v.sources.end(), &sends_after)

# -- pass 2 -------------------------------------------------------------------------------------------------------------

cdef inline bint check_link_arrival(World* w, FifoParameters* params, const Packet* p) noexcept nogil:
    """Drop a packet that its link has lost, and return False."""
    if p.flags & LOST:
        params.counters.lost += 1
        drop(w, p, LINK_LOSS, p.t, params.node)
        return False
    return True

cdef inline bint receive_arrival(World* w, FifoParameters* params, const Arrival* a) noexcept nogil:
    """Count an arrival at the far end of its link. Return False if it was lost on its way, and drop it."""
    params.counters.out_packets += 1
    params.counters.out_bytes += packet_bytes(&a.packet)
    if params.cell >= 0:
        return check_uplink_arrival(w, params, a.key, &a.packet)
    return not unlikely(a.packet.flags & LOST) or check_link_arrival(w, params, &a.packet)

cdef inline void handle_received_packet(World* w, Unit* u, const Packet* p, Entry* e) noexcept nogil:
    """Process a packet at a unit; e is its mobile node's entry if the packet is for the node."""
    if unlikely(u.kind == UNIT_SERVER):
        enqueue_at_server(w, u, p)
    else:
        handle_looked_up_packet(w, u, p, e)

cdef inline void handle_arrival(World* w, const Arrival* a) noexcept nogil:
    """Process an arrival, which is no longer in its run."""
    cdef FifoParameters* params = <FifoParameters*>a.params
    if receive_arrival(w, params, a):
        handle_received_packet(w, &w.unit[params.destination], &a.packet, find_entry_of_arrival(w, a))

cdef inline Entry* find_entry_of_arrival(World* w, const Arrival* a) noexcept nogil:
    cdef Unit* u = &w.unit[(<FifoParameters*>a.params).destination]
    if a.packet.destination != u.node or u.kind == UNIT_SERVER:
        return NULL
    return find_entry(&w.tables[u.node], packet_mobile(w, &a.packet))

cdef inline void prefetch_arrivals(World* w, const ArrivalRun* r, uint64_t h) noexcept nogil:
    """Prefetch in steps what the arrivals of a run after number h read at their nodes: mobile node, then its entry."""
    cdef const Arrival* a
    cdef BindingTable* table
    cdef Unit* u
    if r.tail - h > 8:
        a = &r.slots[(h + 8) & r.mask]
        prefetch(&w.mobile_of_flow[a.packet.flow if a.packet.flags & CONTROL == 0 else 0])
        a = &r.slots[(h + 4) & r.mask]
        u = &w.unit[(<FifoParameters*>a.params).destination]
        if a.packet.destination == u.node:
            table = &w.tables[u.node]
            prefetch_entry(table.entries + home_slot(packet_mobile(w, &a.packet), table.slot_count))

cdef inline void handle_first_arrival(World* w, ArrivalRun* r) noexcept nogil:
    """Process the first arrival of a run. It is copied, because units send into inboxes, whose slots may move."""
    cdef Arrival arrival = r.slots[r.head & r.mask]
    prefetch_arrivals(w, r, r.head)
    r.head += 1
    handle_arrival(w, &arrival)

cdef inline void handle_late_arrival(World* w, Level* v) noexcept nogil:
    cdef Arrival arrival
    pop_late(&v.inbox, &arrival)
    handle_arrival(w, &arrival)

cdef inline void process_level_until(World* w, Level* v, int64_t end) noexcept nogil:
    """Run pass 2 between two actions: own packets and arrivals before ``end`` in the order (time, phase, link key)."""
    cdef ArrivalRun* best
    cdef const Arrival* a
    cdef const Arrival* first
    cdef const LateArrival* late
    cdef int64_t t_source, t_first, t_second, t
    cdef int i
    while True:
        best = NULL
        first = NULL
        t_first = t_second = NEVER
        for i in range(v.inbox.run_count):
            if v.inbox.runs[i].head == v.inbox.runs[i].tail:
                continue
            a = &v.inbox.runs[i].slots[v.inbox.runs[i].head & v.inbox.runs[i].mask]
            t = a.packet.t
            if t < t_first or (t == t_first and arrival_precedes(a, first)):
                t_second = t_first
                t_first = t
                first = a
                best = &v.inbox.runs[i]
            elif t < t_second:
                t_second = t
        if unlikely(v.inbox.late.size() != 0):
            late = v.inbox.late.data()
            t = late.arrival.packet.t
            if first == NULL or arrival_precedes(&late.arrival, first):  # of equal ones, the run has the older
                t_first = t
                best = NULL
            elif t < t_second:
                t_second = t
        t_source = v.sources.data().t if v.sources.size() else NEVER
        if t_first >= end and t_source >= end:
            v.inbox.next_event = min(t_first, t_source)
            return
        if t_source <= t_first:
            send_own_packets(w, v, end if t_first >= end else t_first + 1)
        elif best == NULL:
            handle_late_arrival(w, v)
        else:
            t = min(min(t_second, t_source), end)
            handle_first_arrival(w, best)
            while best.head != best.tail and best.slots[best.head & best.mask].packet.t < t:
                handle_first_arrival(w, best)

# -- pass 2, run by run ---------------------------------------------------------------------------------------------------

cdef inline bint look_up_arrival(
    World* w, Unit* u, const Packet* p, bint is_large, LookedUpArrival* x, int32_t** feeder
) noexcept nogil:
    """Look up the entry or the next link of a packet, and the feeder of the queue that it enters.

    Return False if it may enter several queues, or a buffer. ``is_large``: the caches do not hold what all arrivals change.
    """
    cdef Entry* e
    x.entry = NULL
    x.link = NULL
    feeder[0] = &u.delivery_feeder
    if unlikely(u.kind == UNIT_SERVER):
        feeder[0] = &u.server_fifo.params.feeder
        return True
    if p.destination != u.node:
        x.link = next_link(w, u.node, p.destination)
        feeder[0] = &x.link.params.feeder
        prefetch(x.link.params)
        prefetch(x.link.params.counters)
        return True
    e = x.entry = find_entry(&w.tables[u.node], packet_mobile(w, p))
    if p.flags & KIND_MASK == DATA_UP:
        return not w.has_peers or w.flow[p.flow].bits.ends_at_node
    if p.flags & KIND_MASK == CONTROL_NODE or e == NULL:
        return True
    if e.mode == LOCAL:
        feeder[0] = &w.cell[w.cell_of_node[u.node]].downlink_params.feeder
        if not is_large:
            prefetch_receiver(w, e, p.flow)
        return True
    if e.mode == TUNNEL and e.careof_count == 1:
        feeder[0] = &next_link(w, u.node, e.target.node).params.feeder
        return True
    return False

cdef inline bint look_up_run(World* w, Level* v, int run, int64_t end, bint is_large, LookedUpArrival* x) noexcept nogil:
    """Look up a run's arrivals before ``end``, and lower the level's next event to the one after them.

    Return whether no other run feeds the queues that they enter, as far as is known. From now on, this run does.
    """
    cdef ArrivalRun* r = &v.inbox.runs[run]
    cdef uint64_t h = r.head
    cdef const Arrival* a
    cdef Unit* u
    cdef int32_t* feeder
    cdef bint alone = True
    while h != r.tail:
        a = &r.slots[h & r.mask]
        if a.packet.t >= end:
            v.inbox.next_event = min(v.inbox.next_event, a.packet.t)
            break
        if is_large:
            prefetch_arrivals(w, r, h)
        u = &w.unit[(<FifoParameters*>a.params).destination]
        alone &= look_up_arrival(w, u, &a.packet, is_large, x, &feeder)
        alone &= feeder[0] == run and not (u.sends_own_packets and feeder != &u.delivery_feeder)
        feeder[0] = run
        x += 1
        h += 1
    r.due = h - r.head
    return alone

cdef inline uint64_t count_run_arrivals(const Level* v) noexcept nogil:
    cdef uint64_t count = 0
    cdef int i
    for i in range(v.inbox.run_count):
        count += v.inbox.runs[i].tail - v.inbox.runs[i].head
    return count

cdef inline bint look_up_runs(World* w, Level* v, int64_t end, bint is_large) noexcept nogil:
    """Look up all arrivals before ``end``. Return whether no two runs feed one queue."""
    cdef LookedUpArrival* x
    cdef bint alone = True
    cdef uint64_t count = count_run_arrivals(v)
    cdef int i
    if unlikely(v.looked_up.size() < count):
        v.looked_up.resize(count)
    x = v.looked_up.data()
    for i in range(v.inbox.run_count):
        alone &= look_up_run(w, v, i, end, is_large, x)
        x += v.inbox.runs[i].due
    return alone

cdef inline void prefetch_looked_up(World* w, const Packet* p, const LookedUpArrival* x) noexcept nogil:
    """Prefetch what the delivery of a packet changes, at its last node or at its mobile node."""
    if p.flags & KIND_MASK == DATA_DOWN:
        prefetch_receiver(w, x.entry, p.flow)
    elif p.flags & KIND_MASK == DATA_UP and x.link == NULL:
        prefetch(&w.flow[p.flow])

cdef inline void drain_runs(World* w, Level* v, bint is_large) noexcept nogil:
    """Process all arrivals that have been looked up, one run after the other. Later arrivals enter behind them."""
    cdef const LookedUpArrival* x = v.looked_up.data()
    cdef FifoParameters* params
    cdef ArrivalRun* r
    cdef const Arrival* a
    cdef Arrival arrival
    cdef uint64_t end
    cdef int k
    for k in range(v.inbox.run_count):
        r = &v.inbox.runs[k]
        end = r.head + r.due
        while r.head != end:
            a = &r.slots[r.head & r.mask]
            r.head += 1
            if is_large and end - r.head >= LOOK_AHEAD:
                prefetch_looked_up(w, &r.slots[(r.head + LOOK_AHEAD - 1) & r.mask].packet, x + LOOK_AHEAD)
            if v.feeds_itself:  # it may move
                arrival = a[0]
                a = &arrival
            params = <FifoParameters*>a.params
            if receive_arrival(w, params, a):
                if x.link != NULL:
                    forward_on_link(w, w.unit[params.destination].node, x.link, &a.packet)
                else:
                    handle_received_packet(w, &w.unit[params.destination], &a.packet, x.entry)
            x += 1

cdef inline bint drain_level(World* w, Level* v, int64_t end) noexcept nogil:
    """Process what is before ``end`` and the next action of a level, run by run, if each queue is fed from one run.

    Then no event depends on the order between runs. Return whether nothing before ``end`` remains.
    """
    cdef bint is_large
    if unlikely(v.inbox.late.size() != 0) and v.inbox.late.data().arrival.packet.t < end:
        return False
    v.inbox.next_event = v.sources.data().t if v.sources.size() else NEVER
    is_large = count_run_arrivals(v) > MAX_CACHED_ARRIVALS
    if not look_up_runs(w, v, end, is_large):
        return False
    drain_runs(w, v, is_large)
    if unlikely(v.inbox.late.size() != 0):
        v.inbox.next_event = min(v.inbox.next_event, v.inbox.late.data().arrival.packet.t)
    return v.sources.size() == 0 or v.sources.data().t >= end

cdef inline void finish_level(World* w, Level* v, int64_t end) noexcept nogil:
    """Run pass 2 of a level: arrivals, own packets and actions of all units, in the order of time or run by run."""
    cdef size_t n = v.actions.size()
    cdef bint by_run = n == 0 or count_run_arrivals(v) > MIN_ARRIVALS_BY_RUN * (n + 1)
    cdef size_t i
    cdef int64_t t
    if n > 1:
        stable_sort(v.actions.begin(), v.actions.end(), &level_action_before)
    for i in range(n + 1):
        t = v.actions.data()[i].t if i < n else end
        if not (by_run and drain_level(w, v, t)):
            process_level_until(w, v, t)
        if i < n:
            apply_action(w, v.actions.data()[i].unit.node, v.actions.data()[i].action)
    v.actions.clear()
