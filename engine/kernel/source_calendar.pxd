"""Calendar of the sources that are in no ring (Poisson and replayed flows), by the time and key of their next packets.

A calendar queue (Brown, "Calendar queues", 1988): a *day* is a span of time, a *bucket* holds the sources of every n-th day, and
only those of the current day are in order. A send costs a constant time however many sources there are. The width of a day
follows the rate at which the unit sends. It is a matter of speed alone: sources leave in the order of (time, key) in any case.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libcpp.algorithm cimport sort

from engine.kernel.fifo cimport prefetch
from engine.kernel.next_event cimport NEVER
from engine.kernel.packet cimport unlikely
from engine.kernel.sources cimport Source
from engine.kernel.vector cimport vector

cdef extern from *:
    """
    /* floor(log2(x)) of a positive number */
    static inline int handoff_log2(long long x) { return 63 - __builtin_clzll((unsigned long long)x); }
    """
    int log2_floor "handoff_log2"(int64_t x) noexcept nogil

cdef enum:
    NO_SOURCE = 0xFFFFFFFF
    SENDS_PER_DAY_BITS = 3  # a new width lets 4 to 8 sources send in a day on average; after a change of the rate, 2 to 16 may
    MIN_BUCKETS = 16
    MIN_REVIEW_STEPS = 512  # between two reviews of the width of a day, in addition to two for each source

cdef struct DueSource:
    int64_t t
    uint64_t key
    uint32_t index  # in SourceCalendar.items

cdef struct SourceCalendar:
    vector[Source]* items  # all sources, in any order; an ended source has the time NEVER
    size_t ended
    vector[uint32_t]* next_in_bucket  # for each source: the next one in its bucket, or NO_SOURCE
    vector[uint32_t]* first_in_bucket  # their number is a power of two
    vector[DueSource]* due  # of the current day, in order from ``head`` on
    size_t head
    int64_t day
    int day_bits  # a day has 2**day_bits ps
    int64_t steps  # since the last review: sends, sources that they passed within their day, days, and searches of ``items``
    int64_t sends  # since the last review
    int64_t reviewed_at

cdef inline void open_calendar(SourceCalendar* c) noexcept nogil:
    c.items = new vector[Source]()
    c.next_in_bucket = new vector[uint32_t]()
    c.first_in_bucket = new vector[uint32_t]()
    c.due = new vector[DueSource]()

cdef inline void close_calendar(SourceCalendar* c) noexcept nogil:
    del c.items, c.next_in_bucket, c.first_in_bucket, c.due

cdef inline int64_t calendar_bytes(const SourceCalendar* c) noexcept nogil:
    return (
        c.items.capacity() * sizeof(Source) + c.due.capacity() * sizeof(DueSource)
        + (c.next_in_bucket.capacity() + c.first_in_bucket.capacity()) * sizeof(uint32_t)
    )

cdef inline bint due_before(const DueSource& x, const DueSource& y) noexcept nogil:
    return x.t < y.t or (x.t == y.t and x.key < y.key)

cdef inline Source* first_source(const SourceCalendar* c) noexcept nogil:
    """Return the source that sends next; NULL if there is none."""
    return &c.items.data()[c.due.data()[c.head].index] if c.head != c.due.size() else NULL

cdef inline int64_t first_source_time(const SourceCalendar* c) noexcept nogil:
    return c.due.data()[c.head].t if c.head != c.due.size() else NEVER

cdef inline void put_into_bucket(SourceCalendar* c, uint32_t index) noexcept nogil:
    cdef int64_t day = c.items.data()[index].t >> c.day_bits
    cdef uint32_t* first = &c.first_in_bucket.data()[<size_t>day & (c.first_in_bucket.size() - 1)]
    c.next_in_bucket.data()[index] = first[0]
    first[0] = index

cdef inline void take_due_sources(SourceCalendar* c) noexcept nogil:
    """Move the sources of the current day from its bucket to ``due``."""
    cdef uint32_t* link = &c.first_in_bucket.data()[<size_t>c.day & (c.first_in_bucket.size() - 1)]
    cdef const Source* s
    cdef DueSource x
    while link[0] != NO_SOURCE:
        s = &c.items.data()[link[0]]
        if s.t >> c.day_bits == c.day:
            x.t, x.key, x.index = s.t, s.key, link[0]
            c.due.push_back(x)
            link[0] = c.next_in_bucket.data()[link[0]]
        else:
            link = &c.next_in_bucket.data()[link[0]]

cdef inline void prefetch_bucket(const SourceCalendar* c, int64_t day) noexcept nogil:
    """Prefetch the sources of a day's bucket."""
    cdef uint32_t i = c.first_in_bucket.data()[<size_t>day & (c.first_in_bucket.size() - 1)]
    while i != NO_SOURCE:
        prefetch(&c.items.data()[i])
        i = c.next_in_bucket.data()[i]

cdef inline int64_t earliest_source_time(const SourceCalendar* c) noexcept nogil:
    cdef int64_t t = NEVER
    cdef size_t i
    for i in range(c.items.size()):
        t = min(t, c.items.data()[i].t)
    return t

cdef inline void open_next_day(SourceCalendar* c) noexcept nogil:
    """Go on to the next day on which a source sends."""
    cdef size_t passed = 0
    c.due.clear()
    c.head = 0
    if c.items.size() == 0:
        return
    while c.due.size() == 0:
        if passed == c.first_in_bucket.size():
            c.day = earliest_source_time(c) >> c.day_bits
            passed += c.items.size()
        else:
            c.day += 1
            passed += 1
        take_due_sources(c)
    prefetch_bucket(c, c.day + 1)
    if c.due.size() > 1:
        sort(c.due.begin(), c.due.end(), &due_before)
    c.steps += passed
    if unlikely(c.steps > review_steps(c)):
        review_day_width(c)

cdef inline int64_t review_steps(const SourceCalendar* c) noexcept nogil:
    return <int64_t>(2 * c.items.size() + MIN_REVIEW_STEPS)

cdef inline int fitting_day_bits(int64_t span, int64_t sends) noexcept nogil:
    """Return the logarithm of the width of a day, for a number of sends in a span of time."""
    cdef int64_t spacing = span // sends if sends > 0 else span
    return min(log2_floor(spacing + 1) + SENDS_PER_DAY_BITS, 62)

cdef inline void review_day_width(SourceCalendar* c) noexcept nogil:
    """Adapt the width of a day to the sends since the last review, if it is off by more than a factor of two."""
    cdef int64_t now = c.due.data()[c.head].t
    cdef int bits = fitting_day_bits(now - c.reviewed_at, c.sends)
    c.steps = c.sends = 0
    c.reviewed_at = now
    if bits > c.day_bits + 1 or bits < c.day_bits - 1:
        fill_calendar(c, bits)

cdef inline void fill_calendar(SourceCalendar* c, int day_bits) noexcept nogil:
    """Distribute all sources to buckets, and open the day of the first one."""
    cdef size_t buckets = MIN_BUCKETS, i
    if c.ended:
        drop_ended_sources(c)
    while buckets < c.items.size():
        buckets *= 2
    c.day_bits = day_bits
    c.first_in_bucket.clear()
    c.first_in_bucket.resize(buckets, NO_SOURCE)
    c.next_in_bucket.resize(c.items.size())
    for i in range(c.items.size()):
        put_into_bucket(c, <uint32_t>i)
    c.day = (earliest_source_time(c) >> day_bits) - 1
    open_next_day(c)

cdef inline void build_calendar(SourceCalendar* c) noexcept nogil:
    """Put ``items`` in order after they have been filled in or read from a checkpoint."""
    cdef int64_t first = earliest_source_time(c), last = first
    cdef size_t i
    c.due.clear()
    c.head = 0
    if c.items.size() == 0:
        return
    for i in range(c.items.size()):
        last = max(last, c.items.data()[i].t)
    c.steps = c.sends = 0
    c.reviewed_at = first
    fill_calendar(c, fitting_day_bits(last - first, <int64_t>c.items.size()))

cdef inline void pass_first_source(SourceCalendar* c) noexcept nogil:
    c.sends += 1
    c.steps += 1
    c.head += 1
    if c.head == c.due.size():
        open_next_day(c)

cdef inline void advance_first_source(SourceCalendar* c) noexcept nogil:
    """Move the first source to its place after its time has increased."""
    cdef DueSource* a = c.due.data()
    cdef size_t i = c.head, n = c.due.size()
    cdef DueSource x = a[i]
    x.t = c.items.data()[x.index].t
    if x.t >> c.day_bits != c.day:
        put_into_bucket(c, x.index)
        pass_first_source(c)
        return
    while i + 1 < n and due_before(a[i + 1], x):
        a[i] = a[i + 1]
        i += 1
    a[i] = x
    c.sends += 1
    c.steps += 1 + <int64_t>(i - c.head)
    if unlikely(c.steps > review_steps(c)):
        review_day_width(c)

cdef inline void remove_first_source(SourceCalendar* c) noexcept nogil:
    """Remove the first source, which has ended. It stays in ``items`` until half of them have ended."""
    c.items.data()[c.due.data()[c.head].index].t = NEVER
    c.ended += 1
    if 2 * c.ended > c.items.size():
        fill_calendar(c, c.day_bits)
    else:
        pass_first_source(c)

cdef inline void drop_ended_sources(SourceCalendar* c) noexcept nogil:
    """Drop ended sources from ``items``. The others stay in their order, and are put in buckets again."""
    cdef Source* a = c.items.data()
    cdef size_t i, n = 0
    for i in range(c.items.size()):
        if a[i].t != NEVER:
            a[n] = a[i]
            n += 1
    c.items.resize(n)
    c.ended = 0
