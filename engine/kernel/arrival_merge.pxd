"""Merge of the arrivals of several FIFOs in the order (time, link key), with a heap of each FIFO's next arrival."""

from libc.stdint cimport int64_t

from engine.kernel.fifo cimport FifoCursor
from engine.kernel.vector cimport vector

cdef struct MergeHead:
    int64_t t
    FifoCursor* cursor
    size_t order  # rank of the link key among the unit's inbound FIFOs

cdef inline bint head_before(const MergeHead* a, const MergeHead* b) noexcept nogil:
    return a.t < b.t or (a.t == b.t and a.order < b.order)

cdef inline void sift_down(vector[MergeHead]* heads, size_t i) noexcept nogil:
    """Restore the heap after the time at ``i`` has increased."""
    cdef MergeHead* a = heads.data()
    cdef MergeHead x = a[i]
    cdef size_t n = heads.size(), child = 2 * i + 1
    while child < n:
        if child + 1 < n and head_before(&a[child + 1], &a[child]):
            child += 1
        if not head_before(&a[child], &x):
            break
        a[i] = a[child]
        i = child
        child = 2 * i + 1
    a[i] = x

cdef inline void fill_heads(vector[MergeHead]* heads, vector[FifoCursor]* cursors, int64_t end) noexcept nogil:
    """Build the heap of cursors that have an arrival before ``end``; ``cursors`` is sorted by link key."""
    cdef MergeHead x
    cdef size_t i
    heads.clear()
    for i in range(cursors.size()):
        x.cursor = &cursors.data()[i]
        if x.cursor.head != x.cursor.tail:
            x.t = x.cursor.ring[x.cursor.head & x.cursor.mask].t
            x.order = i
            if x.t < end:
                heads.push_back(x)
    i = heads.size() >> 1
    while i > 0:
        i -= 1
        sift_down(heads, i)

cdef inline int64_t find_run_end(const vector[MergeHead]* heads, int64_t limit) noexcept nogil:
    """Return the time up to which all arrivals of the first cursor precede those of the others, at most ``limit``."""
    cdef const MergeHead* a = heads.data()
    cdef const MergeHead* second = a + 1
    cdef int64_t t
    if heads.size() == 1:
        return limit
    if heads.size() > 2 and head_before(a + 2, second):
        second = a + 2
    t = second.t + (a.order < second.order)
    return t if t < limit else limit

cdef inline void advance_head(vector[MergeHead]* heads, int64_t end) noexcept nogil:
    """Restore the heap after the first cursor has consumed packets."""
    cdef MergeHead* a = heads.data()
    cdef FifoCursor* x = a.cursor
    if x.head != x.tail:
        a.t = x.ring[x.head & x.mask].t
    if x.head == x.tail or a.t >= end:
        a[0] = heads.back()
        heads.pop_back()
    if heads.size() > 1:
        sift_down(heads, 0)
