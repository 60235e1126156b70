"""The state of one run, and how a packet ends in it."""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libcpp.vector cimport vector

from engine.kernel.next_event cimport NEVER, Agenda, ctz64
from engine.kernel.arena cimport Blocks
from engine.kernel.copy_ledger cimport Copies, Ledger, packet_id
from engine.kernel.events cimport Action, Message, Pending
from engine.kernel.fifo cimport ACCEPTED, BROKEN_FRONTIER, FULL, NO_MEMORY, Fifo, Inlet, Line, Tally, announce, next_slot, offer
from engine.kernel.link_trace cimport Hops
from engine.kernel.arrival_merge cimport Head
from engine.kernel.rng cimport PURPOSE_LOSS, clz64, draw, mix2, scatter
from engine.kernel.packet cimport CONTROL, CONTROL_NODE, COPIED, KIND, LOST, NOTED, Record, rare
from engine.kernel.sources cimport Law, Rotation, Source, Tape
from engine.kernel.binding_table cimport Table

cdef enum:
    DELIVERED = 0
    DUPLICATE = 1
    QUEUE_FULL = 2
    FORWARDING_OVERLOAD = 3
    REGISTRATION_OVERLOAD = 4
    LINK_LOSS = 5
    NO_BINDING = 6
    NO_VISITOR = 7
    DETACHED = 8
    BINDING_EXPIRED = 9
    BUFFER_TIMEOUT = 10
    TUNNEL_LIMIT = 11
    IN_FLIGHT = 14
    FATES = 15
    BUCKETS = 1920
    RECORD_PACKETS = 2
    UNIT_NODE = 0
    UNIT_SERVER = 1
    UNIT_FLEET = 2
    NO_CELL = 0xFFFF
    HELD = 0xFFFE
    CONTESTED = 1  # attached to two cells, or changing, or acted upon in this window

cdef struct Flow:  # one cache line
    int64_t delay_sum
    int64_t delay_max
    int64_t gap_max
    int64_t last
    uint32_t up
    uint32_t expected
    uint32_t delivered
    uint32_t reordered
    uint32_t duplicate
    uint32_t dropped
    uint32_t lost
    uint32_t copies

cdef struct Mobile:  # half a cache line
    int64_t up  # an attachment of it, the one last used
    int64_t down
    uint32_t upcoming  # in events_known: begins and ends of attachments, events scheduled for the fleet's controller, NEVER
    uint32_t span  # 1 + index of the open one, 0 none
    uint16_t cell  # of that attachment
    uint16_t route  # upstream: a cell, or NO_CELL or HELD
    uint16_t timers  # of the fleet's controller
    uint8_t attached
    uint8_t flags

cdef struct Family:  # of mobiles: one by its name, or several by a prefix and their number
    uint64_t key
    uint32_t first
    uint16_t home
    uint16_t numbered

cdef struct Boundary:
    int64_t t
    int32_t mobile
    int32_t step

cdef struct Span:
    int64_t mobile
    int64_t id
    int64_t open
    int64_t close
    int64_t end
    int64_t delivered
    int64_t duplicate
    int64_t reordered
    int64_t after_marker
    int64_t gap_max
    int64_t gap_end
    int64_t delay_max
    int64_t last_before
    int64_t marked_cell

cdef struct Ended:  # one packet copy, for the records
    uint32_t flow
    uint32_t seq
    int64_t t
    int64_t born
    int32_t node
    int32_t via
    uint8_t copy
    uint8_t fate
    uint8_t tunnels

cdef struct Dropped:  # beside other units: it is counted when they have all come to the end of the window
    Record record
    int64_t t
    int32_t fate
    int32_t node

cdef struct Cell:
    int32_t node
    Fifo* shared  # NULL: own downlinks
    Line* down
    Line* up
    Table downs  # mobile -> own downlink
    Table ups
    vector[Fifo*]* busy_ups
    uint64_t key_down
    uint64_t key_up

cdef struct Late:  # an arrival or act that has to wait for its turn among others at this unit
    int64_t t
    int32_t phase
    uint64_t key
    uint64_t order
    int32_t where
    Record record

cdef struct Unit:
    int64_t frontier
    int64_t* next  # in the agenda, as the next one
    int64_t* soon
    int32_t kind
    int32_t node
    int32_t cell  # whose uplinks arrive here, or -1
    int32_t rank
    bint controlled
    int32_t ahead  # it may run ahead of others: the arcs on its longest way among those that do and out; or 0
    int64_t until  # that far in this window, if it is ahead
    bint answers  # its controller hears of refused messages
    vector[Fifo*]* arrivals  # sorted by link key
    uint64_t* busy  # a bit for each of them: those that may have something
    size_t words
    vector[Inlet]* inlets  # those that have, for the visit
    vector[Head]* heads  # of those with something to come, while they are merged
    Fifo* server  # of a server unit: its way into the node
    Fifo* registration
    vector[Pending]* pending
    vector[Action]* actions
    vector[Rotation*]* rotations
    vector[Source]* sources
    vector[Late]* late
    int64_t* scheduled_t
    int32_t* scheduled_mobile
    int32_t* scheduled_code
    int64_t* scheduled_arg
    size_t scheduled_count
    size_t scheduled_next
    uint64_t counter
    int64_t messages
    int64_t wait  # at the registration server, or of a server unit at its own; of all accepted so far, at most UNLIMITED
    int64_t wait_max
    int64_t held_peak_packets
    int64_t held_peak_bytes
    int64_t work  # packet-hops of the last visit

cdef struct World:
    uint64_t seed
    int32_t nodes
    int32_t cells
    int32_t units
    int64_t mobiles
    int64_t flows
    int32_t tunnel_limit
    int32_t record
    bint in_order  # every event in the order of time: no unit is ahead of another
    Agenda agenda
    int64_t begin  # of this window: all that happens before it has happened
    int64_t horizon  # of this slice: what arrives from then on is still under way at its end
    Tally* tallies  # one a link, two a cell
    Blocks* fifos
    Fifo*** hop  # [node][to]: next link, NULL if unreachable
    int32_t* unit_of_node
    int32_t* cell_of_node
    Table* tables
    Unit* unit
    Unit* fleet
    Cell* cell
    Flow* flow
    uint32_t* mobile_of_flow
    const uint64_t* flow_key
    const int32_t* flow_node
    const uint32_t* flow_law
    const uint32_t* flows_by_mobile  # NULL: flows are in the order of their mobiles
    Law* laws  # flows that go on alike share one
    Tape* tapes
    int64_t drawn  # packets taken from sources other than constant-bit-rate since it was last set to 0
    uint32_t* sent
    int64_t* logarithms
    const Family* family  # by first mobile
    int64_t families
    Mobile* mobile
    const int64_t* events_known  # of each mobile that has any, NEVER behind them
    const Boundary* boundaries
    size_t boundary_count
    size_t boundary_next
    const uint32_t* attach_first  # of each mobile, mobiles + 1
    const int64_t* attach_up
    const int64_t* attach_down
    const int64_t* attach_longest  # latest down of this mobile so far
    const int32_t* attach_cell
    Table up_holds
    vector[Fifo*]* busy_downs
    vector[int64_t]* nothing_before  # arrives on the first so many of them
    vector[Fifo*]* due_downs  # those to look at in this visit
    vector[Fifo*]* control_downs  # those of them with control records
    vector[int32_t]* touched
    vector[Message]* messages
    vector[uint32_t]* free_messages
    vector[Span]* spans
    vector[Ended]* ended
    vector[Dropped]* dropped  # NULL: they are counted at once
    vector[void*]* outgrown  # rings, until the visits of this window have ended
    Ledger* ledger
    char* lock  # of the ledger
    Hops* hops  # NULL: none are recorded
    int64_t* histogram
    int64_t fates[2][15]
    uint64_t fingerprint
    int64_t events
    Record nowhere  # where packets go when there is no memory left
    int32_t failure  # a law or memory: see fail()
    int64_t failure_time
    int32_t failure_unit
    Fifo* failure_link

cdef inline Fifo* next_busy(const Unit* u, size_t* at) noexcept nogil:
    """The first FIFO from ``at`` on, which it moves on, that may have something for the unit; NULL if there is none."""
    cdef size_t k = at[0] >> 6
    cdef uint64_t bits
    if k >= u.words:
        return NULL
    bits = u.busy[k] & (~<uint64_t>0 << (at[0] & 63))
    while bits == 0:
        k += 1
        if k == u.words:
            at[0] = k << 6
            return NULL
        bits = u.busy[k]
    at[0] = (k << 6) + ctz64(bits) + 1
    return u.arrivals.data()[at[0] - 1]

cdef inline void fail(World* w, int code, Fifo* link, int64_t t) noexcept nogil:
    if w.failure == 0:
        w.failure = code
        w.failure_link = link
        w.failure_time = t

cdef inline const Family* family_of(World* w, uint32_t m) noexcept nogil:
    cdef int64_t low = 0, high = w.families, middle
    while high - low > 1:
        middle = (low + high) >> 1
        if w.family[middle].first <= m:
            low = middle
        else:
            high = middle
    return &w.family[low]

cdef inline uint64_t mobile_key(World* w, uint32_t m) noexcept nogil:
    """Key of a mobile's name: kept for each name, made from the prefix for numbers."""
    cdef const Family* f = family_of(w, m)
    return mix2(f.key, m - f.first) if f.numbered else f.key

cdef inline int64_t last_delivery(World* w, uint32_t m) noexcept nogil:
    """When the mobile last got a packet, -1 if never."""
    cdef int64_t low = 0, high = w.flows, middle, last = -1
    cdef uint32_t i
    while low < high:  # the first flow of the mobile, in their order
        middle = (low + high) >> 1
        if w.mobile_of_flow[w.flows_by_mobile[middle] if w.flows_by_mobile != NULL else middle] < m:
            low = middle + 1
        else:
            high = middle
    while low < w.flows:
        i = w.flows_by_mobile[low] if w.flows_by_mobile != NULL else <uint32_t>low
        if w.mobile_of_flow[i] != m:
            break
        if not w.flow[i].up and w.flow[i].last > last:
            last = w.flow[i].last
        low += 1
    return last

cdef inline int kind_of(const Record* r) noexcept nogil:
    return r.flags & KIND

cdef inline uint32_t mobile_of(World* w, const Record* r) noexcept nogil:
    return r.flow if r.flags & CONTROL else w.mobile_of_flow[r.flow]

cdef inline void observe(World* w, Fifo* f, const Record* r) noexcept nogil:
    observe_bytes(w, f, r.t, <int64_t>r.size + r.extra, kind_of(r))

cdef inline void observe_bytes(World* w, Fifo* f, int64_t t, int64_t size, int kind) noexcept nogil:
    w.fingerprint += scatter(<uint64_t>(t + 3 * size + kind) ^ f.key)

cdef inline void record_hop(World* w, Fifo* f, const Record* r) noexcept nogil:
    w.hops.note(w.hops, f, r[0], mobile_of(w, r), &w.messages.data()[r.seq] if kind_of(r) >= CONTROL_NODE else NULL)

cdef inline void record_once(World* w, Fifo* f, Record* r) noexcept nogil:
    """Of a record in the ring of a downlink, which is seen more than once."""
    if not r.flags & NOTED:
        r.flags |= NOTED
        record_hop(w, f, r)

cdef inline uint64_t packet_key(World* w, const Record* r) noexcept nogil:
    cdef uint64_t k
    if kind_of(r) >= CONTROL_NODE:
        k = w.messages.data()[r.seq].packet_key
    else:
        k = mix2(w.flow_key[r.flow], r.seq)
    return mix2(k, r.tunnels & 15)

cdef inline Record* next_entry(World* w, Fifo* f, int64_t t) noexcept nogil:
    """Where a packet is written behind the last one of the FIFO, before it is offered at ``t``."""
    cdef Record* slot = next_slot(f, w.outgrown)
    if rare(slot == NULL):
        fail(w, NO_MEMORY, f, t)
        return &w.nowhere
    return slot

cdef inline Record* enter(World* w, Fifo* f, const Record* r) noexcept nogil:
    """The packet, copied behind the last one of the FIFO: it is changed there, and then offered."""
    cdef Record* slot = next_entry(w, f, r.t)
    slot[0] = r[0]
    return slot

cdef inline int put(World* w, Fifo* f, Record* r) noexcept nogil:
    """Offer what has entered a link, downlink or uplink; counts a packet-hop if it is accepted."""
    if rare(f.line.loss != 0) and draw(w.seed, PURPOSE_LOSS, f.key, packet_key(w, r)) < f.line.loss:
        r.flags |= LOST
    if rare(offer(f, r) != ACCEPTED):
        return FULL
    w.events += 1
    return ACCEPTED

cdef inline void announced(World* w, Fifo* f, int64_t t) noexcept nogil:
    if rare(announce(f, t) != ACCEPTED):
        fail(w, BROKEN_FRONTIER, f, t)

cdef inline void note(World* w, const Record* r, int fate, int64_t t, int node, int via) noexcept nogil:
    cdef Ended e
    e.flow, e.seq, e.copy, e.tunnels, e.born = r.flow, r.seq, r.copy, r.tunnels & 15, r.born
    e.fate, e.t, e.node, e.via = <uint8_t>fate, t, node, via
    w.ended.push_back(e)

cdef inline void end_message(World* w, uint32_t index) noexcept nogil:
    cdef Message* m = &w.messages.data()[index]
    m.references -= 1
    if m.references == 0:
        w.free_messages.push_back(index)

cdef inline void drop_later(World* w, const Record* r, int fate, int64_t t, int node) noexcept nogil:
    cdef Dropped d
    d.record, d.fate, d.t, d.node = r[0], fate, t, node
    w.dropped.push_back(d)

cdef inline void drop(World* w, const Record* r, int fate, int64_t t, int node) noexcept nogil:
    cdef Flow* f
    cdef Copies* c
    if w.dropped != NULL:
        drop_later(w, r, fate, t, node)
        return
    if rare(w.hops != NULL):
        w.hops.leave_tunnels(w.hops, r[0])
    if kind_of(r) >= CONTROL_NODE:
        w.fates[1][fate] += 1
        end_message(w, r.seq)
        return
    w.fates[0][fate] += 1
    f = &w.flow[r.flow]
    f.dropped += 1
    if r.flags & COPIED:
        c = &w.ledger[0][packet_id(r.flow, r.seq)]
        c.under_way -= 1
        if c.under_way == 0:
            if not c.delivered:
                f.lost += 1
            w.ledger.erase(packet_id(r.flow, r.seq))
    else:
        f.lost += 1
    if w.record:
        note(w, r, fate, t, node, -1)

cdef inline int bucket(int64_t value) noexcept nogil:
    cdef int exponent
    if value < 32:
        return <int>value
    exponent = 58 - clz64(<uint64_t>value)
    return <int>(((exponent + 1) << 5) + (value >> exponent) - 32)

cdef inline bint deliver(World* w, const Record* r, int node, int cell) noexcept nogil:
    """A data packet reaches its receiver at r.t: a node, or (-1) a mobile, through a cell; False if it is a duplicate."""
    cdef Copies* c
    cdef bint again = False
    if rare(w.hops != NULL):
        w.hops.leave_tunnels(w.hops, r[0])
    if rare(r.flags & COPIED):
        c = &w.ledger[0][packet_id(r.flow, r.seq)]
        again = c.delivered
        c.delivered = True
        c.under_way -= 1
        if c.under_way == 0:
            w.ledger.erase(packet_id(r.flow, r.seq))
    if rare(w.record == RECORD_PACKETS):
        note(w, r, DUPLICATE if again else DELIVERED, r.t, node, w.cell[cell].node if cell >= 0 else -1)
    if rare(again):
        w.flow[r.flow].duplicate += 1
        w.fates[0][DUPLICATE] += 1
        return False
    count_delivery(w, r.flow, r.seq, r.t, r.t - r.born)
    return True

cdef inline void count_delivery(World* w, uint32_t flow, uint32_t seq, int64_t t, int64_t delay) noexcept nogil:
    """A packet's first copy is there."""
    cdef Flow* f = &w.flow[flow]
    w.fates[0][DELIVERED] += 1
    w.histogram[bucket(delay)] += 1
    f.delivered += 1
    f.delay_sum += delay
    if delay > f.delay_max:
        f.delay_max = delay
    if t - f.last > f.gap_max and f.last >= 0:
        f.gap_max = t - f.last
    f.last = t
    if rare(seq < f.expected):
        f.reordered += 1
    else:
        f.expected = seq + 1
