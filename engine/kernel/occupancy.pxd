"""Occupancy of a node's table and buffers over time: entries at once, and exact integrals over time (docs/model.md, 6)."""

from libc.stdint cimport int64_t
from libcpp.algorithm cimport make_heap, pop_heap, push_heap, sort

from engine.kernel.exact_sum cimport ExactSum, add_product
from engine.kernel.next_event cimport NEVER
from engine.kernel.vector cimport vector

cdef struct EntryCount:  # entries of one kind in the table of a node; an entry counts from its creation to its end or removal
    int64_t count  # at time counted_to
    int64_t peak
    int64_t counted_to
    ExactSum integral  # of the count, over the time to counted_to
    vector[int64_t]* ends  # heap of the ends to come, negated: the earliest one is at the front
    vector[int64_t]* cancelled  # heap of those ends whose entries have been removed before

cdef enum:
    MIN_CANCELLED = 8  # cancelled ends below which the heaps are left as they are

cdef inline int64_t pop_end(vector[int64_t]* heap) noexcept nogil:
    cdef int64_t end = -heap.data()[0]
    pop_heap(heap.begin(), heap.end())
    heap.pop_back()
    return end

cdef inline void push_end(vector[int64_t]* heap, int64_t end) noexcept nogil:
    heap.push_back(-end)
    push_heap(heap.begin(), heap.end())

cdef inline void count_to(EntryCount* c, int64_t t) noexcept nogil:
    """Advance the count and its integral to time ``t``. An entry that ends at ``t`` does not count at ``t`` any more."""
    cdef int64_t end
    while c.ends.size() and -c.ends.data()[0] <= t:
        end = pop_end(c.ends)
        if c.cancelled.size() and -c.cancelled.data()[0] == end:
            pop_end(c.cancelled)
            continue
        add_product(&c.integral, c.count, end - c.counted_to)
        c.counted_to = end
        c.count -= 1
    add_product(&c.integral, c.count, t - c.counted_to)
    c.counted_to = t

cdef inline void count_entry(EntryCount* c, int64_t end, int64_t t) noexcept nogil:
    """Count a new entry from ``t`` on."""
    count_to(c, t)
    if end <= t:
        return
    c.count += 1
    if c.count > c.peak:
        c.peak = c.count
    if end < NEVER:
        push_end(c.ends, end)

cdef inline void uncount_entry(EntryCount* c, int64_t end, int64_t t) noexcept nogil:
    """Count an entry no longer, because it is removed at ``t``. If it has ended before, it has left the count already."""
    count_to(c, t)
    if end <= t:
        return
    c.count -= 1
    if end < NEVER:
        push_end(c.cancelled, end)
        if c.cancelled.size() > MIN_CANCELLED and 4 * c.cancelled.size() > c.ends.size():
            drop_cancelled(c)

cdef inline void drop_cancelled(EntryCount* c) noexcept nogil:
    """Remove the cancelled ends from both heaps, so that they need no more memory than the entries."""
    cdef size_t i, j = 0, remaining = 0
    sort(c.ends.begin(), c.ends.end())
    sort(c.cancelled.begin(), c.cancelled.end())
    for i in range(c.ends.size()):
        if j < c.cancelled.size() and c.ends.data()[i] == c.cancelled.data()[j]:
            j += 1
        else:
            c.ends.data()[remaining] = c.ends.data()[i]
            remaining += 1
    c.ends.resize(remaining)
    c.cancelled.clear()
    make_heap(c.ends.begin(), c.ends.end())

cdef inline void open_entry_count(EntryCount* c) noexcept:
    c.ends = new vector[int64_t]()
    c.cancelled = new vector[int64_t]()

cdef inline void close_entry_count(EntryCount* c) noexcept:
    del c.ends, c.cancelled

cdef inline int64_t entry_count_bytes(const EntryCount* c) noexcept nogil:
    return (c.ends.capacity() + c.cancelled.capacity()) * <int64_t>sizeof(int64_t)

cdef struct ByteCount:  # bytes in all hold buffers of a node
    int64_t bytes
    ExactSum integral  # each byte counts its time of leaving less its time of entering, so that the order does not matter

cdef inline void count_bytes(ByteCount* c, int64_t bytes, int64_t t) noexcept nogil:
    """Count bytes that enter a buffer at ``t``, or (negative) leave it."""
    c.bytes += bytes
    add_product(&c.integral, -bytes, t)
