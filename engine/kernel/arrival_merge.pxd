"""Merge of the arrivals on several FIFOs in the order (time, link key): a heap of the next one of each."""

from libc.stdint cimport int64_t
from libcpp.vector cimport vector

from engine.kernel.fifo cimport Inlet

cdef struct Head:
    int64_t t
    Inlet* inlet
    size_t order  # of the link's key among the unit's

cdef inline bint head_before(const Head* a, const Head* b) noexcept nogil:
    return a.t < b.t or (a.t == b.t and a.order < b.order)

cdef inline void sink(vector[Head]* heads, size_t i) noexcept nogil:
    """Restore the heap after the time at ``i`` has grown."""
    cdef Head* a = heads.data()
    cdef Head x = a[i]
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

cdef inline void gather_heads(vector[Head]* heads, vector[Inlet]* inlets, int64_t end) noexcept nogil:
    """The inlets that have arrivals before ``end``; they are sorted by link key."""
    cdef Head x
    cdef size_t i
    heads.clear()
    for i in range(inlets.size()):
        x.inlet = &inlets.data()[i]
        if x.inlet.head != x.inlet.tail:
            x.t = x.inlet.ring[x.inlet.head & x.inlet.mask].t
            x.order = i
            if x.t < end:
                heads.push_back(x)
    i = heads.size() >> 1
    while i > 0:
        i -= 1
        sink(heads, i)

cdef inline int64_t alone_until(const vector[Head]* heads, int64_t limit) noexcept nogil:
    """Up to when the first inlet's arrivals come before those of all others, ``limit`` at most."""
    cdef const Head* a = heads.data()
    cdef const Head* second = a + 1
    cdef int64_t t
    if heads.size() == 1:
        return limit
    if heads.size() > 2 and head_before(a + 2, second):
        second = a + 2
    t = second.t + (a.order < second.order)
    return t if t < limit else limit

cdef inline void next_head(vector[Head]* heads, int64_t end) noexcept nogil:
    """The first inlet has had some arrivals taken."""
    cdef Head* a = heads.data()
    cdef Inlet* x = a.inlet
    if x.head != x.tail:
        a.t = x.ring[x.head & x.mask].t
    if x.head == x.tail or a.t >= end:
        a[0] = heads.back()
        heads.pop_back()
    if heads.size() > 1:
        sink(heads, 0)
