"""FIFO queue with its ring buffer: link, downlink, uplink or server. The departure is computed on arrival (Lindley recursion)."""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from engine.kernel.arena cimport BlockPool, allocate_block, allocate_zeroed, free_block, new_block_pool
from engine.kernel.exact_sum cimport ExactSum, add_product
from engine.kernel.inbox cimport ArrivalRun
from engine.kernel.next_event cimport NEVER, atomic_min, atomic_set_bits
from engine.kernel.packet cimport CONTROL, Packet, unlikely
from engine.kernel.shortage cimport require
from engine.kernel.vector cimport vector

cdef extern from *:
    """
    #define handoff_prefetch(p) __builtin_prefetch((const void*)(p))
    static const long long handoff_unlimited = 0x7FFFFFFFFFFFFFFFLL;
    static const long long handoff_byte_time_factor = 8000000000000LL; /* 8 bits per byte * 10**12 ps per s */
    """
    const int64_t UNLIMITED "handoff_unlimited"
    const int64_t BYTE_TIME_FACTOR "handoff_byte_time_factor"
    void prefetch "handoff_prefetch"(const void* p) noexcept nogil

cdef enum:  # results of an offer, and failures of a run
    ACCEPTED = 0
    FULL = 1
    BROKEN_FRONTIER = 2
    PAST_LAST_TIME = 3  # a packet would arrive at NEVER or later

cdef enum:
    NO_RING = 0xFFFFFFFF  # Fifo.mask of a FIFO without a ring

cdef enum:
    CONTROL_COUNT_MAX = 8191  # the largest value of FifoState.control_count

cdef enum:  # FifoState.flags
    ORPHAN = 1  # no table entry names this downlink any more
    IN_CONTROL_LIST = 2  # the downlink is in World.control_downlinks

cdef struct LinkCounters:  # one row of Result.links (RAW_LINK of engine/result_builder.py)
    # first cache line: what each packet changes
    int64_t packets
    int64_t tunnel_bytes
    int64_t peak_packets
    int64_t peak_bytes
    int64_t out_packets
    int64_t out_bytes
    int64_t bytes
    int64_t control_packets
    # second cache line
    int64_t control_bytes
    int64_t dropped
    int64_t lost
    int64_t detached
    int64_t rescued
    int64_t rescued_bytes
    ExactSum busy

cdef struct FifoParameters:  # what seldom changes from packet to packet; all mobile nodes' downlinks in a cell share one
    # first cache line: what each packet reads on entry
    ArrivalRun* run  # where its packets wait for their arrival while units run by level; NULL: in the ring
    int64_t delay
    uint64_t finish_limit  # NEVER - delay: a transmission has to end before it
    int64_t last_bytes  # size and transmission time of the last packet
    int64_t last_time
    int64_t limit_bytes  # UNLIMITED: no limit
    uint64_t loss  # a random word below it loses the packet
    int32_t trace_row  # row of Result.links if the link is traced, else -1
    int32_t source  # rank of the unit that sends
    # second cache line: what each packet reads on entry and on arrival
    LinkCounters* counters
    int64_t last_arrival  # of the last packet in a run
    int32_t destination  # rank of the unit at the far end
    int32_t cell
    int32_t node  # sending end
    int32_t feeder  # run of the sending unit's level from which a packet came last
    int64_t* frontier  # of the unit at the far end
    int64_t* group_frontier  # of that unit's group: an arrival may not be earlier than either
    int64_t* next_event  # of that unit
    int64_t* group_bound  # of that unit's group
    uint64_t* ready_word  # where an arrival sets ready_bit for that unit; ready_bit is 0 if the unit keeps a list instead
    uint64_t ready_bit
    int64_t limit_packets
    int64_t counted_packets  # packets whose bytes and busy time are in the counters; later ones all have last_bytes
    int64_t rate
    int64_t service_time  # >= 0: a server with this service time per packet
    ArrivalRun* first_run  # run at the beginning of a slice
    void* fifo  # the link's or server's own FIFO; NULL for the downlinks and uplinks of a cell

cdef extern from *:
    """
    struct handoff_fifo_state { uint64_t bytes : 48, control_count : 13, is_active : 1, flags : 2; };
    """
    cdef struct FifoState "handoff_fifo_state":
        uint64_t bytes  # 48 bits: of the packets from first_in_system on
        uint64_t control_count  # 13 bits: control packets in the ring; CONTROL_COUNT_MAX: that many or more, until it is empty
        uint64_t is_active  # one bit: in a list of active downlinks or uplinks
        uint64_t flags  # two bits: ORPHAN, IN_CONTROL_LIST

cdef struct Fifo:  # one cache line
    Packet* ring  # NULL until needed
    uint32_t mask
    uint32_t head  # next packet to reach the far end
    uint32_t first_in_system  # first packet whose transmission has not ended, as of the last offer
    uint32_t tail
    int64_t idle_at  # end of the last transmission
    uint64_t key
    FifoParameters* params
    FifoState state
    int32_t mobile  # mobile node of an own downlink or an uplink, else -1
    uint32_t tail_limit  # up to this tail, a new packet overwrites none that is still needed

cdef struct FifoCursor:  # FIFO as the unit at its far end reads it during a visit; packets that enter meanwhile arrive later
    Fifo* fifo
    const Packet* ring
    uint32_t mask
    uint32_t head
    uint32_t tail
    uint32_t lost_count  # lost packets among the consumed ones
    uint32_t control_count
    int64_t bytes

cdef inline int64_t packet_bytes(const Packet* p) noexcept nogil:
    return <int64_t>p.size + p.extra

cdef inline void flush_counters(FifoParameters* params) noexcept nogil:
    """Add the bytes and busy time of the packets since the last call, which all had the same size."""
    cdef LinkCounters* counters = params.counters
    counters.bytes += (counters.packets - params.counted_packets) * params.last_bytes
    add_product(&counters.busy, counters.packets - params.counted_packets, params.last_time)
    params.counted_packets = counters.packets

cdef inline int64_t transmission_time(FifoParameters* params, int64_t size) noexcept nogil:
    if unlikely(size != params.last_bytes):
        flush_counters(params)
        params.last_bytes = size
        if params.service_time >= 0:
            params.last_time = params.service_time
        elif params.rate == 0:
            params.last_time = 0
        else:
            params.last_time = (<uint64_t>size * BYTE_TIME_FACTOR + params.rate - 1) // <uint64_t>params.rate
    return params.last_time

cdef inline uint32_t first_needed(Fifo* f) noexcept nogil:
    """Return the index of the first packet that is still needed.

    A packet is needed until it has reached the far end; at a server, also until it has left the system.
    """
    return f.first_in_system if <int32_t>(f.head - f.first_in_system) > 0 else f.head

cdef inline void extend_ring(Fifo* f, vector[void*]* retired_rings) noexcept nogil:
    """Extend ``tail_limit``, or double a full ring; the first ring has two slots.

    The old ring is kept in ``retired_rings``: the unit at the far end may still be reading it in its visit.
    """
    cdef uint32_t base = first_needed(f), count = f.tail - base, capacity = f.mask + 1, i
    cdef Packet* ring
    if count == capacity:
        capacity = 2 * capacity if capacity else 2
        ring = <Packet*>require(malloc(capacity * sizeof(Packet)))
        for i in range(count):
            ring[(base + i) & (capacity - 1)] = f.ring[(base + i) & f.mask]
        if f.ring != NULL:
            retired_rings.push_back(f.ring)
        f.ring = ring
        f.mask = capacity - 1
    f.tail_limit = base + capacity

cdef inline Packet* next_slot(Fifo* f, vector[void*]* retired_rings) noexcept nogil:
    """Return the slot in which the next packet is written before it is offered."""
    if unlikely(f.tail == f.tail_limit):
        extend_ring(f, retired_rings)
    return &f.ring[f.tail & f.mask]

cdef inline void remove_departed(Fifo* f, int64_t t) noexcept nogil:
    """Remove the packets whose transmission has ended by ``t`` from the system."""
    while f.first_in_system != f.tail and f.ring[f.first_in_system & f.mask].t - f.params.delay <= t:
        f.state.bytes -= packet_bytes(&f.ring[f.first_in_system & f.mask])
        f.first_in_system += 1

cdef inline void accept_packet(
    Fifo* f, int64_t finish, int64_t extra, uint32_t packets_in_system, int64_t bytes_in_system
) noexcept nogil:
    """Accept a packet of the last size, transmitted until ``finish``, with ``extra`` bytes of tunnel headers.

    ``packets_in_system`` and ``bytes_in_system`` include it.
    """
    cdef LinkCounters* counters = f.params.counters
    f.idle_at = finish
    f.state.bytes = bytes_in_system
    counters.packets += 1
    counters.tunnel_bytes += extra
    if unlikely(packets_in_system > <uint32_t>counters.peak_packets):
        counters.peak_packets = packets_in_system
    if unlikely(bytes_in_system > counters.peak_bytes):
        counters.peak_bytes = bytes_in_system

cdef inline void count_into_empty(LinkCounters* counters, int64_t extra, int64_t size) noexcept nogil:
    """Count a packet that enters an empty system. A peak of 0 packets implies a peak of 0 bytes, so that one comparison does."""
    counters.packets += 1
    counters.tunnel_bytes += extra
    if unlikely(size > counters.peak_bytes):
        counters.peak_bytes = size
        if counters.peak_packets == 0:
            counters.peak_packets = 1

cdef inline void count_control_packet(LinkCounters* counters, int64_t size) noexcept nogil:
    counters.control_packets += 1
    counters.control_bytes += size

cdef inline void accept_into_empty(Fifo* f, int64_t finish, int64_t extra, int64_t size) noexcept nogil:
    """Accept a packet into an empty system."""
    f.idle_at = finish
    f.state.bytes = size
    count_into_empty(f.params.counters, extra, size)

cdef inline int admit(Fifo* f, Packet* p) noexcept nogil:
    """Let a packet that is present at p.t enter the queue. On acceptance, set p.t to its arrival at the far end."""
    cdef int64_t size = packet_bytes(p), bytes_in_system = size
    cdef uint32_t packets_in_system
    cdef uint64_t finish
    if f.idle_at <= p.t:
        f.first_in_system = f.tail
        if unlikely(bytes_in_system > f.params.limit_bytes):
            f.params.counters.dropped += 1
            return FULL
        finish = <uint64_t>p.t + transmission_time(f.params, size)
        if unlikely(finish >= f.params.finish_limit):
            return PAST_LAST_TIME
        accept_into_empty(f, finish, p.extra, size)
    else:
        remove_departed(f, p.t)
        packets_in_system = f.tail - f.first_in_system + 1
        bytes_in_system += f.state.bytes
        if unlikely(packets_in_system > f.params.limit_packets or bytes_in_system > f.params.limit_bytes):
            f.params.counters.dropped += 1
            return FULL
        finish = <uint64_t>f.idle_at + transmission_time(f.params, size)
        if unlikely(finish >= f.params.finish_limit):
            return PAST_LAST_TIME
        accept_packet(f, finish, p.extra, packets_in_system, bytes_in_system)
    p.t = finish + f.params.delay
    if unlikely(p.flags & CONTROL):
        count_control_packet(f.params.counters, size)
    return ACCEPTED

cdef inline int offer(Fifo* f, Packet* p) noexcept nogil:
    """Offer the packet in the next slot of the ring, present at p.t. On acceptance, set p.t to its arrival at the far end."""
    cdef int outcome = admit(f, p)
    if outcome == ACCEPTED:
        f.tail += 1
        if unlikely(p.flags & CONTROL):
            f.state.control_count += f.state.control_count < CONTROL_COUNT_MAX
    return outcome

cdef inline int offer_from_run(Fifo* f, Packet* p, vector[void*]* retired_rings) noexcept nogil:
    """Offer a packet that waits for its arrival in a run. The ring records only what is in the system while packets queue."""
    cdef bint queues = f.idle_at > p.t
    cdef Packet* record
    cdef int outcome
    if queues:
        append_relayed(f, p.t, retired_rings)
    outcome = admit(f, p)
    if queues and outcome == ACCEPTED:
        record = next_slot(f, retired_rings)
        record.t, record.size, record.extra = p.t, p.size, p.extra
        f.tail += 1
        f.head = f.tail
    return outcome

cdef inline void free_ring(Fifo* f) noexcept nogil:
    free(f.ring)
    f.ring = NULL
    f.mask = NO_RING
    f.tail_limit = f.tail

cdef inline void relay(Fifo* f, int64_t finish, int64_t size, int64_t extra) noexcept nogil:
    """Pass a packet of the last size through an idle, empty FIFO without its ring: the far end receives it at once.

    The packet is on the air and in the system until ``finish``: ``append_relayed`` must run before the next packet enters the
    ring. A FIFO that only relays needs no ring.
    """
    f.first_in_system = f.tail
    if unlikely(f.ring != NULL):
        free_ring(f)
    f.params.counters.out_packets += 1
    f.params.counters.out_bytes += size
    accept_into_empty(f, finish, extra, size)

cdef inline void append_relayed(Fifo* f, int64_t t, vector[void*]* retired_rings) noexcept nogil:
    """Append the relayed packet to the ring, as one already consumed, if it is still on the air at ``t``."""
    cdef Packet* p
    if f.first_in_system == f.tail and f.idle_at > t:
        p = next_slot(f, retired_rings)
        p.t = f.idle_at + f.params.delay
        p.size = <uint16_t>f.state.bytes
        p.extra = 0
        f.tail += 1
        f.head += 1

cdef inline int notify_destination(Fifo* f, int64_t t) noexcept nogil:
    """Announce the newest packet, which arrives at ``t``, to its destination unit.

    With an earlier packet in the ring, the unit expects an arrival already. Return BROKEN_FRONTIER if the unit is past ``t``.
    """
    if f.tail - f.head > 1:
        return ACCEPTED
    if unlikely(t < f.params.frontier[0] or t < f.params.group_frontier[0]):
        return BROKEN_FRONTIER
    atomic_set_bits(f.params.ready_word, f.params.ready_bit)
    atomic_min(f.params.next_event, t)
    atomic_min(f.params.group_bound, t)
    return ACCEPTED

cdef inline void consume(Fifo* f, uint32_t head, int64_t out_bytes) noexcept nogil:
    """Mark all packets before ``head`` as consumed by the far end."""
    f.params.counters.out_packets += head - f.head
    f.params.counters.out_bytes += out_bytes
    f.head = head
    if unlikely(f.state.control_count == CONTROL_COUNT_MAX) and head == f.tail:
        f.state.control_count = 0

cdef inline void uncount_control(Fifo* f, uint32_t count) noexcept nogil:
    """Count control packets that leave the ring."""
    if f.state.control_count < CONTROL_COUNT_MAX:
        f.state.control_count -= count

cdef inline void open_cursor(FifoCursor* x) noexcept nogil:
    x.ring, x.mask, x.head, x.tail = x.fifo.ring, x.fifo.mask, x.fifo.head, x.fifo.tail
    x.lost_count = x.control_count = 0
    x.bytes = 0

cdef inline void close_cursor(FifoCursor* x) noexcept nogil:
    uncount_control(x.fifo, x.control_count)
    x.fifo.params.counters.lost += x.lost_count
    consume(x.fifo, x.head, x.bytes)

cdef inline void extract_waiting(
    Fifo* f, int64_t t, int64_t mobile, const uint32_t* mobile_of_flow, vector[Packet]* out
) noexcept nogil:
    """Move a mobile node's packets whose transmission has not begun by ``t`` to ``out``; later packets move up."""
    cdef uint32_t i = f.head, write
    cdef int64_t size, time
    cdef Packet* p
    while i != f.tail:
        p = &f.ring[i & f.mask]
        if p.t - f.params.delay - transmission_time(f.params, packet_bytes(p)) > t:
            break
        i += 1
    if i == f.tail:
        return
    # The packet before i is in transmission: otherwise packet i would not wait.
    f.idle_at = f.ring[(i - 1) & f.mask].t - f.params.delay
    write = i
    while i != f.tail:
        p = &f.ring[i & f.mask]
        size = packet_bytes(p)
        time = transmission_time(f.params, size)
        if (p.flow if p.flags & CONTROL else mobile_of_flow[p.flow]) == mobile:
            f.state.bytes -= size
            f.params.counters.rescued += 1
            f.params.counters.rescued_bytes += size
            add_product(&f.params.counters.busy, -1, time)
            if p.flags & CONTROL:
                uncount_control(f, 1)
            out.push_back(p[0])
        else:
            f.idle_at += time
            f.ring[write & f.mask] = p[0]
            f.ring[write & f.mask].t = f.idle_at + f.params.delay
            write += 1
        i += 1
    f.tail = write

cdef inline FifoParameters* new_fifo_parameters() noexcept nogil:
    cdef FifoParameters* params = <FifoParameters*>require(allocate_zeroed(sizeof(FifoParameters)))
    params.service_time = params.last_bytes = params.node = params.cell = params.trace_row = -1
    params.limit_packets = params.limit_bytes = UNLIMITED
    params.finish_limit = NEVER
    return params

cdef inline BlockPool* new_fifo_pool() noexcept nogil:
    return new_block_pool(sizeof(Fifo))

cdef inline Fifo* new_fifo(BlockPool* pool, FifoParameters* params, uint64_t key) noexcept nogil:
    cdef Fifo* f = <Fifo*>allocate_block(pool)
    memset(f, 0, sizeof(Fifo))
    f.params = params
    f.key = key
    f.mobile = -1
    f.mask = NO_RING
    return f

cdef inline void delete_fifo(BlockPool* pool, Fifo* f) noexcept nogil:
    if f != NULL:
        free(f.ring)
        free_block(pool, f)
