"""A FIFO with its ring: link, downlink, uplink or server. Departure is computed on arrival (Lindley)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset
from libcpp.vector cimport vector

from engine.mixing cimport PURPOSE_LOSS, draw
from engine.record cimport CONTROL_NODE, KIND, LOST, Record, rare

cdef extern from *:
    """
    #include <stdlib.h>
    #define fetch(p) __builtin_prefetch((const void*)(p))
    """
    void* aligned_alloc(size_t alignment, size_t size) noexcept nogil
    void fetch(const void* p) noexcept nogil  # bring a line into the cache ahead of its use

cdef enum:
    ACCEPTED = 0
    FULL = 1
    BROKEN_FRONTIER = 2
    NO_MEMORY = 3

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

cdef struct Line:  # what does not change from packet to packet; all own downlinks of a cell share one
    int64_t delay
    int64_t rate
    int64_t fixed  # >= 0: a server with this service time
    int64_t last_bytes
    int64_t last_time
    int64_t limit_packets
    int64_t limit_bytes
    uint64_t loss
    Tally* tally
    int64_t* frontier  # of the unit at the far end
    int64_t* next
    int32_t node  # sending end
    int32_t cell
    int32_t row  # of Result.links if its hops are recorded, else -1

cdef struct Fifo:  # one cache line
    Record* ring
    uint32_t mask
    uint32_t head  # next to reach the far end
    uint32_t sent  # next whose transmission has not ended, as far as looked
    uint32_t tail
    int64_t free  # when the transmitter is free
    uint64_t key
    Line* line
    int32_t waiting_bytes  # of those from ``sent`` on
    int32_t mobile  # of an own downlink or an uplink, else -1
    uint16_t control  # control records in the ring
    uint8_t listed
    uint8_t orphan  # an own downlink whose table entry is gone
    uint8_t called  # on the list of downlinks with control records

cdef inline int64_t record_bytes(const Record* r) noexcept nogil:
    return <int64_t>r.size + r.extra

cdef inline int64_t transmission(Fifo* f, int64_t size) noexcept nogil:
    cdef Line* line = f.line
    if rare(size != line.last_bytes):
        line.last_bytes = size
        if line.fixed >= 0:
            line.last_time = line.fixed
        elif line.rate == 0:
            line.last_time = 0
        else:
            line.last_time = (size * <int64_t>8000000000000 + line.rate - 1) // line.rate
    return line.last_time

cdef inline Record* inner_ring(Fifo* f) noexcept nogil:
    """Room for two records right behind each FIFO: most mobiles never need more."""
    return <Record*>(f + 1)

cdef inline uint32_t oldest(Fifo* f) noexcept nogil:
    """First record still needed: not yet at the far end, or there already but, at a server, still in the system."""
    return f.sent if <int32_t>(f.head - f.sent) > 0 else f.head

cdef inline int grow(Fifo* f) noexcept nogil:
    cdef uint32_t capacity = (f.mask + 1) * 2, base = oldest(f), n = f.tail - base, i
    cdef Record* ring = <Record*>malloc(capacity * sizeof(Record))
    if ring == NULL:
        return NO_MEMORY
    for i in range(n):
        ring[i] = f.ring[(base + i) & f.mask]
    f.sent -= base
    f.head -= base
    f.tail = n
    if f.ring != inner_ring(f):
        free(f.ring)
    f.ring = ring
    f.mask = capacity - 1
    return ACCEPTED

cdef inline int offer(Fifo* f, Record* r, uint64_t seed, uint64_t packet_key) noexcept nogil:
    """Offer ``r``, present at r.t, to the FIFO; on acceptance r.t becomes its arrival at the far end."""
    cdef int64_t t = r.t, size = record_bytes(r), start, time
    cdef uint32_t n
    cdef Line* line = f.line
    cdef Tally* y = line.tally
    if f.free <= t:
        f.sent = f.tail
        f.waiting_bytes = 0
        n = 0
        start = t
    else:
        while f.sent != f.tail and f.ring[f.sent & f.mask].t - line.delay <= t:
            f.waiting_bytes -= <int32_t>record_bytes(&f.ring[f.sent & f.mask])
            f.sent += 1
        n = f.tail - f.sent
        start = f.free
        if rare(line.limit_packets > 0 and n >= line.limit_packets):
            y.dropped += 1
            return FULL
    if rare(line.limit_bytes > 0 and <int64_t>f.waiting_bytes + size > line.limit_bytes):
        y.dropped += 1
        return FULL
    if rare(f.tail - oldest(f) > f.mask):
        if grow(f) != ACCEPTED:
            return NO_MEMORY
    time = transmission(f, size)
    f.free = start + time
    r.t = f.free + line.delay
    if rare(r.t < line.frontier[0]):
        return BROKEN_FRONTIER
    if rare(line.loss != 0) and draw(seed, PURPOSE_LOSS, f.key, packet_key) < line.loss:
        r.flags |= LOST
    f.ring[f.tail & f.mask] = r[0]
    f.tail += 1
    f.waiting_bytes += <int32_t>size
    y.packets += 1
    y.bytes += size
    y.tunnel_bytes += r.extra
    y.busy += time
    if n + 1 > <uint32_t>y.peak_packets:
        y.peak_packets = n + 1
    if f.waiting_bytes > y.peak_bytes:
        y.peak_bytes = f.waiting_bytes
    if rare((r.flags & KIND) >= CONTROL_NODE):
        f.control += 1
        y.control_packets += 1
        y.control_bytes += size
    if r.t < line.next[0]:
        line.next[0] = r.t
    return ACCEPTED

cdef inline void release(Fifo* f, uint32_t head, int64_t out_bytes) noexcept nogil:
    """The far end has consumed everything before ``head``."""
    f.line.tally.out_packets += head - f.head
    f.line.tally.out_bytes += out_bytes
    f.head = head

cdef inline void rescue(Fifo* f, int64_t t, int64_t mobile, const uint32_t* mobile_of_flow, vector[Record]* out) noexcept nogil:
    """Take out the mobile's records whose transmission has not begun by ``t``; those behind them move forward."""
    cdef uint32_t i = f.head, w
    cdef int64_t size, time
    cdef Record* r
    while i != f.tail:
        r = &f.ring[i & f.mask]
        if r.t - f.line.delay - transmission(f, record_bytes(r)) > t:
            break
        i += 1
    if i == f.tail:
        return
    f.free = f.ring[(i - 1) & f.mask].t - f.line.delay  # something is in service, or nothing would wait
    w = i
    while i != f.tail:
        r = &f.ring[i & f.mask]
        size = record_bytes(r)
        time = transmission(f, size)
        if (r.flow if (r.flags & KIND) >= CONTROL_NODE else mobile_of_flow[r.flow]) == mobile:
            f.waiting_bytes -= <int32_t>size
            f.line.tally.rescued += 1
            f.line.tally.rescued_bytes += size
            f.line.tally.busy -= time
            if (r.flags & KIND) >= CONTROL_NODE:
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
    cdef Line* line = <Line*>aligned_alloc(64, (sizeof(Line) + 63) & ~63)
    if line != NULL:
        memset(line, 0, sizeof(Line))
        line.fixed = line.last_bytes = line.node = line.cell = line.row = -1
    return line

cdef inline Fifo* new_fifo(Line* line, uint64_t key) noexcept nogil:
    cdef Fifo* f = <Fifo*>aligned_alloc(64, sizeof(Fifo) + 2 * sizeof(Record))
    if f != NULL:
        memset(f, 0, sizeof(Fifo))
        f.line = line
        f.key = key
        f.mobile = -1
        f.ring = inner_ring(f)
        f.mask = 1
    return f

cdef inline void delete_fifo(Fifo* f) noexcept nogil:
    if f != NULL:
        if f.ring != inner_ring(f):
            free(f.ring)
        free(f)
