"""A FIFO with its ring: link, downlink, uplink or server. Departure is computed on arrival (Lindley)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from libcpp.vector cimport vector

from engine.kernel.next_event cimport lower, mark
from engine.kernel.arena cimport Blocks, give_block, new_blocks, take_block, zeroed
from engine.kernel.packet cimport CONTROL, Record, rare

cdef extern from *:
    """
    #define fetch(p) __builtin_prefetch((const void*)(p))
    static const long long handoff_unlimited = 0x7FFFFFFFFFFFFFFFLL;
    """
    const int64_t UNLIMITED "handoff_unlimited"
    void fetch(const void* p) noexcept nogil  # bring a line into the cache ahead of its use

cdef enum:
    ACCEPTED = 0
    FULL = 1
    BROKEN_FRONTIER = 2
    NO_MEMORY = 3
    NO_RING = 0xFFFFFFFF  # mask of none

cdef struct Tally:  # one row of Result.links
    int64_t packets
    int64_t bytes
    int64_t control_packets
    int64_t control_bytes
    int64_t tunnel_bytes
    int64_t dropped
    int64_t lost
    int64_t detached
    int64_t rescued
    int64_t rescued_bytes
    int64_t peak_packets
    int64_t peak_bytes
    int64_t busy
    int64_t out_packets
    int64_t out_bytes

cdef struct Line:  # what hardly changes from packet to packet; all own downlinks of a cell share one
    int64_t delay
    int64_t last_bytes
    int64_t last_time
    int64_t limit_packets  # UNLIMITED: none
    int64_t limit_bytes
    uint64_t loss
    Tally* tally
    int64_t settled  # packets whose bytes and busy time are in the tally; all since have ``last_bytes``
    int64_t* frontier  # of the unit at the far end
    int64_t* passed  # of its group: so far has it come, too
    int64_t* next  # when the unit has something to do
    int64_t* soon  # of its group: no later than that
    uint64_t* busy  # where the unit sees that there is something in the ring, and the bit that says so; 0: it does not look there
    uint64_t bit
    int64_t rate
    int64_t fixed  # >= 0: a server with this service time
    int32_t node  # sending end
    int32_t cell
    int32_t row  # of Result.links if its hops are recorded, else -1

cdef struct Fifo:  # one cache line
    Record* ring  # NULL: none yet
    uint32_t mask
    uint32_t head  # next to reach the far end
    uint32_t sent  # next whose transmission has not ended, as far as looked
    uint32_t tail
    int64_t free  # when the transmitter is free
    uint64_t key
    Line* line
    int32_t waiting_bytes  # of those from ``sent`` on
    int32_t mobile  # of an own downlink or an uplink, else -1
    uint32_t room  # a tail up to which no record that is still needed is overwritten
    uint16_t control  # control records in the ring
    uint8_t listed
    uint8_t marks  # of an own downlink

cdef struct Inlet:  # a FIFO as the unit at its far end sees it during a visit: what enters it meanwhile arrives later
    Fifo* f
    const Record* ring
    uint32_t mask
    uint32_t head
    uint32_t tail
    uint32_t lost  # of those taken
    uint32_t control
    int64_t bytes

cdef enum:  # marks
    ORPHAN = 1  # its table entry is gone
    CALLED = 2  # on the list of downlinks with control records

cdef inline int64_t record_bytes(const Record* r) noexcept nogil:
    return <int64_t>r.size + r.extra

cdef inline void settle(Line* line) noexcept nogil:
    """Bring the tally up to date: every packet since the last time had the same size."""
    cdef Tally* y = line.tally
    y.bytes += (y.packets - line.settled) * line.last_bytes
    y.busy += (y.packets - line.settled) * line.last_time
    line.settled = y.packets

cdef inline int64_t transmission(Line* line, int64_t size) noexcept nogil:
    if rare(size != line.last_bytes):
        settle(line)
        line.last_bytes = size
        if line.fixed >= 0:
            line.last_time = line.fixed
        elif line.rate == 0:
            line.last_time = 0
        else:
            line.last_time = (size * <int64_t>8000000000000 + line.rate - 1) // line.rate
    return line.last_time

cdef inline uint32_t oldest(Fifo* f) noexcept nogil:
    """First record still needed: not yet at the far end, or there already but, at a server, still in the system."""
    return f.sent if <int32_t>(f.head - f.sent) > 0 else f.head

cdef inline int make_room(Fifo* f, vector[void*]* outgrown) noexcept nogil:
    """Note how far the ring is free, or double it if it is full; the first one has two records.

    The far end may be reading the old one until its visit ends.
    """
    cdef uint32_t base = oldest(f), n = f.tail - base, capacity = f.mask + 1, i
    cdef Record* ring
    if n == capacity:
        capacity = 2 * capacity if capacity else 2
        ring = <Record*>malloc(capacity * sizeof(Record))
        if ring == NULL:
            return NO_MEMORY
        for i in range(n):
            ring[(base + i) & (capacity - 1)] = f.ring[(base + i) & f.mask]
        if f.ring != NULL:
            outgrown.push_back(f.ring)
        f.ring = ring
        f.mask = capacity - 1
    f.room = base + capacity
    return ACCEPTED

cdef inline Record* next_slot(Fifo* f, vector[void*]* outgrown) noexcept nogil:
    """Where a packet is written, and changed, before it is offered; NULL without memory."""
    if rare(f.tail == f.room) and make_room(f, outgrown) != ACCEPTED:
        return NULL
    return &f.ring[f.tail & f.mask]

cdef inline void depart(Fifo* f, int64_t t) noexcept nogil:
    """Those whose transmission has ended by ``t`` are no longer in the system."""
    while f.sent != f.tail and f.ring[f.sent & f.mask].t - f.line.delay <= t:
        f.waiting_bytes -= <int32_t>record_bytes(&f.ring[f.sent & f.mask])
        f.sent += 1

cdef inline void accept(Fifo* f, int64_t finish, int64_t extra, uint32_t n, int64_t waiting) noexcept nogil:
    """A packet of the line's last size is transmitted until ``finish``; ``extra`` of its bytes are tunnel headers.

    ``n`` packets and ``waiting`` bytes are in the system with it.
    """
    cdef Tally* y = f.line.tally
    f.free = finish
    f.waiting_bytes = <int32_t>waiting
    y.packets += 1
    y.tunnel_bytes += extra
    if rare(n > <uint32_t>y.peak_packets):
        y.peak_packets = n
    if rare(waiting > y.peak_bytes):
        y.peak_bytes = waiting

cdef inline void accept_alone(Fifo* f, int64_t finish, int64_t extra, int64_t size) noexcept nogil:
    """The same of a packet that finds the system empty; no packet has been there as long as no byte has."""
    cdef Tally* y = f.line.tally
    f.free = finish
    f.waiting_bytes = <int32_t>size
    y.packets += 1
    y.tunnel_bytes += extra
    if rare(size > y.peak_bytes):
        y.peak_bytes = size
        if y.peak_packets == 0:
            y.peak_packets = 1

cdef inline int offer(Fifo* f, Record* r) noexcept nogil:
    """Offer what is in the next slot, present at r.t, to the FIFO; on acceptance r.t becomes its arrival at the far end."""
    cdef int64_t start = r.t, size = record_bytes(r), waiting = size
    cdef uint32_t n
    if f.free <= start:
        f.sent = f.tail
        if rare(waiting > f.line.limit_bytes):
            f.line.tally.dropped += 1
            return FULL
        start += transmission(f.line, size)
        accept_alone(f, start, r.extra, size)
    else:
        depart(f, start)
        n = f.tail - f.sent + 1
        waiting += f.waiting_bytes
        if rare(n > f.line.limit_packets or waiting > f.line.limit_bytes):
            f.line.tally.dropped += 1
            return FULL
        start = f.free + transmission(f.line, size)
        accept(f, start, r.extra, n, waiting)
    r.t = start + f.line.delay
    f.tail += 1
    if rare(r.flags & CONTROL):
        f.control += 1
        f.line.tally.control_packets += 1
        f.line.tally.control_bytes += size
    return ACCEPTED

cdef inline void free_ring(Fifo* f) noexcept nogil:
    """An empty FIFO does without a ring."""
    free(f.ring)
    f.ring = NULL
    f.mask = NO_RING
    f.room = f.tail

cdef inline void relay(Fifo* f, int64_t finish, int64_t size, int64_t extra) noexcept nogil:
    """A packet of the line's last size passes a FIFO that is idle and empty, beside its ring: the far end takes it at once.

    Until ``finish`` it is on the air and counts as in the system: ``write_down`` comes before the next one enters the ring. A
    FIFO that is passed in this way needs no ring until then.
    """
    f.sent = f.tail
    if rare(f.ring != NULL):
        free_ring(f)
    f.line.tally.out_packets += 1
    f.line.tally.out_bytes += size
    accept_alone(f, finish, extra, size)

cdef inline void write_down(Fifo* f, int64_t t, vector[void*]* outgrown) noexcept nogil:
    """Put the packet that was relayed and is on the air at ``t``, if there is one, into the ring as one that has been taken."""
    cdef Record* r
    if f.sent == f.tail and f.free > t:
        r = next_slot(f, outgrown)
        if r == NULL:
            return  # nor is there room for the next one
        r.t = f.free + f.line.delay
        r.size = <uint16_t>f.waiting_bytes
        r.extra = 0
        f.tail += 1
        f.head += 1

cdef inline int announce(Fifo* f, int64_t t) noexcept nogil:
    """The destination hears of the newest packet, which arrives at ``t``, if there is no earlier one in the ring."""
    if f.tail - f.head > 1:
        return ACCEPTED
    if rare(t < f.line.frontier[0] or t < f.line.passed[0]):
        return BROKEN_FRONTIER
    mark(f.line.busy, f.line.bit)
    lower(f.line.next, t)
    lower(f.line.soon, t)
    return ACCEPTED

cdef inline void release(Fifo* f, uint32_t head, int64_t out_bytes) noexcept nogil:
    """The far end has consumed everything before ``head``."""
    f.line.tally.out_packets += head - f.head
    f.line.tally.out_bytes += out_bytes
    f.head = head

cdef inline void open_inlet(Inlet* x) noexcept nogil:
    x.ring, x.mask, x.head, x.tail = x.f.ring, x.f.mask, x.f.head, x.f.tail
    x.lost = x.control = 0
    x.bytes = 0

cdef inline void close_inlet(Inlet* x) noexcept nogil:
    x.f.control -= <uint16_t>x.control
    x.f.line.tally.lost += x.lost
    release(x.f, x.head, x.bytes)

cdef inline void rescue(Fifo* f, int64_t t, int64_t mobile, const uint32_t* mobile_of_flow, vector[Record]* out) noexcept nogil:
    """Take out the mobile's records whose transmission has not begun by ``t``; those behind them move forward."""
    cdef uint32_t i = f.head, w
    cdef int64_t size, time
    cdef Record* r
    while i != f.tail:
        r = &f.ring[i & f.mask]
        if r.t - f.line.delay - transmission(f.line, record_bytes(r)) > t:
            break
        i += 1
    if i == f.tail:
        return
    f.free = f.ring[(i - 1) & f.mask].t - f.line.delay  # something is in service, or nothing would wait
    w = i
    while i != f.tail:
        r = &f.ring[i & f.mask]
        size = record_bytes(r)
        time = transmission(f.line, size)
        if (r.flow if r.flags & CONTROL else mobile_of_flow[r.flow]) == mobile:
            f.waiting_bytes -= <int32_t>size
            f.line.tally.rescued += 1
            f.line.tally.rescued_bytes += size
            f.line.tally.busy -= time
            if r.flags & CONTROL:
                f.control -= 1
            out.push_back(r[0])
        else:
            f.free += time
            f.ring[w & f.mask] = r[0]
            f.ring[w & f.mask].t = f.free + f.line.delay
            w += 1
        i += 1
    f.tail = w

cdef inline Line* new_line() noexcept nogil:
    cdef Line* line = <Line*>zeroed(sizeof(Line))
    if line != NULL:
        line.fixed = line.last_bytes = line.node = line.cell = line.row = -1
        line.limit_packets = line.limit_bytes = UNLIMITED
    return line

cdef inline Blocks* new_fifo_blocks() noexcept nogil:
    return new_blocks(sizeof(Fifo))

cdef inline Fifo* new_fifo(Blocks* blocks, Line* line, uint64_t key) noexcept nogil:
    cdef Fifo* f = <Fifo*>take_block(blocks)
    if f != NULL:
        memset(f, 0, sizeof(Fifo))
        f.line = line
        f.key = key
        f.mobile = -1
        f.mask = NO_RING
    return f

cdef inline void delete_fifo(Blocks* blocks, Fifo* f) noexcept nogil:
    if f != NULL:
        free(f.ring)
        give_block(blocks, f)
