"""Sources of one unit: constant-bit-rate flows in rotation (no sort), the others in a heap by next time."""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libcpp.vector cimport vector

from engine.kernel.rng cimport exponential_gap, mix2, mul_div
from engine.kernel.packet cimport DATA_DOWN, Record

cdef enum:
    CBR = 0
    POISSON = 1
    REPLAY = 2

cdef struct Source:
    int64_t t  # of its next packet
    uint64_t key
    uint32_t flow
    uint32_t seq
    uint16_t size
    uint16_t home
    uint32_t mobile

cdef struct Tape:  # a recorded sequence, read where it lies
    const int64_t* times
    const uint32_t* sizes
    int64_t length
    int64_t origin
    int64_t multiply
    int64_t divide

cdef struct Law:  # how a flow goes on
    int64_t step  # interval, mean gap or period
    int64_t start
    int64_t stop
    int64_t count
    int64_t kind
    const Tape* tape
    uint64_t draws  # of a Poisson flow: a gap's is mix2(draws, seq)

cdef struct Rotation:  # CBR flows of one interval: next times never differ by more than it, so a ring keeps them sorted
    Source* ring
    uint32_t capacity
    uint32_t head
    uint32_t count
    int64_t step
    bint endless  # no flow of it has a stop or a count
    vector[Source]* coming  # not yet begun, sorted by (t, key)
    size_t begun  # of them; once all have, their memory is let go of

cdef inline bint sooner(const Source* a, const Source* b) noexcept nogil:
    return a.t < b.t or (a.t == b.t and a.key < b.key)

cdef inline void emit(const Source* s, Record* r) noexcept nogil:
    """Its next packet, as it leaves."""
    r.t = r.born = s.t
    r.flow = s.flow
    r.seq = s.seq
    r.size = s.size
    r.to = s.home
    r.extra = r.tunnels = r.copy = 0
    r.flags = DATA_DOWN

cdef inline bint is_round(const Rotation* g) noexcept nogil:
    """Whether every flow of it has begun and none ends: the front goes to the back where it stands."""
    return g.count == g.capacity and g.endless

cdef inline void turn(Rotation* g) noexcept nogil:
    """The front of a round rotation has sent."""
    g.ring[g.head].t += g.step
    g.ring[g.head].seq += 1
    g.head = g.head + 1 if g.head + 1 < g.capacity else 0

cdef inline Source* rotation_front(Rotation* g) noexcept nogil:
    cdef Source* a = &g.ring[g.head] if g.count else NULL
    cdef Source* b = &g.coming.data()[g.begun] if g.begun < g.coming.size() else NULL
    if a == NULL or (b != NULL and sooner(b, a)):
        return b
    return a

cdef inline int64_t tape_time(const Tape* tape, int64_t i) noexcept nogil:
    """When packet i of a sequence is sent, from the start of its flow."""
    cdef int64_t t = tape.times[i] - tape.origin
    return t * tape.multiply if tape.divide == 1 else mul_div(t, tape.multiply, tape.divide)

cdef inline bint advance(Source* s, const Law* law, const int64_t* table) noexcept nogil:
    """Move a source to its next packet; False if there is none."""
    cdef int64_t n, turn
    s.seq += 1
    if law.kind == CBR:
        s.t += law.step
    elif law.kind == POISSON:
        s.t += exponential_gap(mix2(law.draws, s.seq), law.step, table)
    else:
        n = s.seq
        turn = 0
        if n >= law.tape.length:
            if law.step == 0:
                return False
            turn = n // law.tape.length
            n -= turn * law.tape.length
        s.t = law.start + tape_time(law.tape, n) + turn * law.step
        s.size = <uint16_t>law.tape.sizes[n]
    return s.t < law.stop and <int64_t>s.seq < law.count and s.t >= 0

cdef inline int64_t sender_gap(const Law* law, int64_t seq, const int64_t* table) noexcept nogil:
    """Time from the flow's packet seq - 1 to its packet seq, as they were sent; seq is at least 1."""
    cdef int64_t i
    if law.kind == CBR:
        return law.step
    if law.kind == POISSON:
        return exponential_gap(mix2(law.draws, seq), law.step, table)
    i = seq % law.tape.length
    if i:
        return tape_time(law.tape, i) - tape_time(law.tape, i - 1)
    return tape_time(law.tape, 0) + law.step - tape_time(law.tape, law.tape.length - 1)

cdef inline void rotate(Rotation* g, const Law* laws, const uint32_t* law_of, uint32_t* sent) noexcept nogil:
    """Take the front off and put it back behind all others with its next time, or drop it when it has ended."""
    cdef Source s
    cdef uint32_t at
    cdef const Law* law
    cdef Source* front = rotation_front(g)
    s = front[0]
    if g.count and front == &g.ring[g.head]:
        g.head += 1
        if g.head == g.capacity:
            g.head = 0
        g.count -= 1
    else:
        g.begun += 1
        if g.begun == g.coming.size():
            g.coming[0] = vector[Source]()
    s.t += g.step
    s.seq += 1
    if not g.endless:
        law = &laws[law_of[s.flow]]
        if s.t >= law.stop or <int64_t>s.seq >= law.count:
            sent[s.flow] = s.seq
            return
    at = g.head + g.count
    if at >= g.capacity:
        at -= g.capacity
    g.ring[at] = s
    g.count += 1

cdef inline void push_source(vector[Source]* heap, Source* s) noexcept nogil:
    cdef size_t i = heap.size(), up
    cdef Source* a
    heap.push_back(s[0])
    a = heap.data()
    while i > 0:
        up = (i - 1) >> 1
        if not sooner(s, &a[up]):
            break
        a[i] = a[up]
        i = up
    a[i] = s[0]

cdef inline void sink_top(vector[Source]* heap) noexcept nogil:
    """Restore the heap after its top's time has grown."""
    cdef Source* a = heap.data()
    cdef Source s = a[0]
    cdef size_t n = heap.size(), i = 0, child
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and sooner(&a[child + 1], &a[child]):
            child += 1
        if not sooner(&a[child], &s):
            break
        a[i] = a[child]
        i = child
    a[i] = s

cdef inline void drop_top(vector[Source]* heap) noexcept nogil:
    cdef Source last = heap.back()
    heap.pop_back()
    if heap.size():
        heap.data()[0] = last
        sink_top(heap)
