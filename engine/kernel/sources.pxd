"""Traffic sources: constant-bit-rate flows in rings that stay sorted. A calendar (source_calendar.pxd) holds all others."""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t

from engine.kernel.fifo cimport prefetch
from engine.kernel.next_event cimport later, multiple
from engine.kernel.packet cimport DATA_DOWN, Packet
from engine.kernel.rng cimport combine, exponential_gap, mul_div
from engine.kernel.vector cimport vector

cdef enum:  # FlowSchedule.kind
    CBR = 0
    POISSON = 1
    REPLAY = 2

cdef enum:
    PREFETCH_RECORDED = 8  # recorded packets ahead of the next one that are prefetched: a cache line of times

cdef struct Source:  # next packet of a flow
    int64_t t
    uint64_t key
    uint32_t flow
    uint32_t seq
    uint16_t size
    uint16_t destination
    uint32_t mobile  # the sender, if it is a mobile node

cdef struct Recording:  # packet times and sizes of a capture, read in place; a time is scaled by multiplier / divisor
    const int64_t* times
    const uint32_t* sizes
    int64_t length
    int64_t origin
    int64_t multiplier
    int64_t divisor

cdef struct FlowSchedule:  # sending times of a flow
    int64_t interval  # CBR: interval, Poisson: mean gap, replay: period of the repetition (0: none)
    int64_t start
    int64_t stop
    int64_t count
    int64_t kind
    const Recording* recording
    uint64_t draw_key  # Poisson: the gap before packet seq uses the random word combine(draw_key, seq)

cdef struct CbrRing:  # CBR flows of one interval: their next times differ by at most that interval, so that a ring stays sorted
    Source* ring
    uint32_t capacity
    uint32_t head
    uint32_t count
    int64_t interval
    bint is_endless  # no flow in it has a stop time or a packet count, and no time in it reaches 2**63 ps
    vector[Source]* not_started  # sorted by (t, key)
    size_t started_count  # leading sources of not_started that are in the ring now; after the last one its memory is freed

cdef inline bint source_before(const Source* a, const Source* b) noexcept nogil:
    return a.t < b.t or (a.t == b.t and a.key < b.key)

cdef inline void emit(const Source* s, Packet* p) noexcept nogil:
    """Fill in a source's next packet."""
    p.t = p.creation_time = s.t
    p.flow = s.flow
    p.seq = s.seq
    p.size = s.size
    p.destination = s.destination
    p.extra = p.tunnels = p.copy = 0
    p.flags = DATA_DOWN

cdef inline bint is_steady(const CbrRing* g) noexcept nogil:
    """Return whether all flows have started and none ends: the front then moves to the back without leaving its slot."""
    return g.count == g.capacity and g.is_endless

cdef inline void advance_front(CbrRing* g) noexcept nogil:
    """Advance the front of a steady ring after it has sent."""
    g.ring[g.head].t += g.interval
    g.ring[g.head].seq += 1
    g.head = g.head + 1 if g.head + 1 < g.capacity else 0

cdef inline Source* ring_front(CbrRing* g) noexcept nogil:
    cdef Source* a = &g.ring[g.head] if g.count else NULL
    cdef Source* b = &g.not_started.data()[g.started_count] if g.started_count < g.not_started.size() else NULL
    if a == NULL or (b != NULL and source_before(b, a)):
        return b
    return a

cdef inline int64_t recording_time(const Recording* recording, int64_t i) noexcept nogil:
    """Return the sending time of packet i of a recording, relative to the start of its flow."""
    cdef int64_t t = recording.times[i] - recording.origin
    return multiple(t, recording.multiplier) if recording.divisor == 1 else mul_div(t, recording.multiplier, recording.divisor)

cdef inline bint step_source(Source* s, const FlowSchedule* schedule, const int64_t* table) noexcept nogil:
    """Move a source to its next packet. Return False if there is none."""
    cdef int64_t n, lap
    s.seq += 1
    if schedule.kind == CBR:
        s.t = later(s.t, schedule.interval)
    elif schedule.kind == POISSON:
        s.t = later(s.t, exponential_gap(combine(schedule.draw_key, s.seq), schedule.interval, table))
    else:
        n = s.seq
        lap = 0
        if n >= schedule.recording.length:
            if schedule.interval == 0:
                return False
            lap = n // schedule.recording.length
            n -= lap * schedule.recording.length
        s.t = later(later(schedule.start, recording_time(schedule.recording, n)), multiple(lap, schedule.interval))
        s.size = <uint16_t>schedule.recording.sizes[n]
        # Each flow reads its own part of a recording, too slowly for the processor to see a pattern. Past the end, it is in vain.
        prefetch(&schedule.recording.times[n + PREFETCH_RECORDED])
        prefetch(&schedule.recording.sizes[n + 2 * PREFETCH_RECORDED])
    return s.t < schedule.stop and <int64_t>s.seq < schedule.count

cdef inline int64_t sender_gap(const FlowSchedule* schedule, int64_t seq, const int64_t* table) noexcept nogil:
    """Return the time from packet seq - 1 of a flow to packet seq, as sent; seq is at least 1."""
    cdef int64_t i
    if schedule.kind == CBR:
        return schedule.interval
    if schedule.kind == POISSON:
        return exponential_gap(combine(schedule.draw_key, seq), schedule.interval, table)
    i = seq % schedule.recording.length
    if i:
        return recording_time(schedule.recording, i) - recording_time(schedule.recording, i - 1)
    i = schedule.recording.length - 1
    return recording_time(schedule.recording, 0) + schedule.interval - recording_time(schedule.recording, i)

cdef inline void rotate_front(
    CbrRing* g, const FlowSchedule* schedules, const uint32_t* schedule_of, uint32_t* sent
) noexcept nogil:
    """Move the front source to the back with its next sending time, or remove it at its end."""
    cdef Source s
    cdef uint32_t at
    cdef const FlowSchedule* schedule
    cdef Source* front = ring_front(g)
    s = front[0]
    if g.count and front == &g.ring[g.head]:
        g.head += 1
        if g.head == g.capacity:
            g.head = 0
        g.count -= 1
    else:
        g.started_count += 1
        if g.started_count == g.not_started.size():
            g.not_started[0] = vector[Source]()
    s.t = later(s.t, g.interval)
    s.seq += 1
    if not g.is_endless:
        schedule = &schedules[schedule_of[s.flow]]
        if s.t >= schedule.stop or <int64_t>s.seq >= schedule.count:
            sent[s.flow] = s.seq
            return
    at = g.head + g.count
    if at >= g.capacity:
        at -= g.capacity
    g.ring[at] = s
    g.count += 1
