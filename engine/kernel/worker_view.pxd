"""A world as each of several workers sees it: the same units, mobiles and links, but counts and lists of its own."""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free
from libcpp.vector cimport vector

from engine.kernel.arena cimport delete_blocks
from engine.kernel.fifo cimport Fifo, new_fifo_blocks
from engine.kernel.world cimport BUCKETS, FATES, Dropped, Ended, Unit, World, drop

cdef struct Lead:  # a way from a unit that runs ahead
    Unit* source
    Unit* to
    int64_t length

cdef struct Crew:  # what workers need in a window
    vector[World*] views  # of each worker
    vector[Unit*] ahead  # the units that may run ahead
    vector[Unit*] due  # the units to visit, each up to its frontier
    vector[Lead] leads

cdef inline bint more_work(Unit* const& a, Unit* const& b) noexcept nogil:
    return a.work > b.work

cdef inline World* new_view(const World* w) noexcept nogil:
    """NULL without memory."""
    cdef World* v = <World*>calloc(1, sizeof(World))
    if v == NULL:
        return NULL
    v[0] = w[0]
    v.fifos = new_fifo_blocks()
    v.busy_downs = new vector[Fifo*]()
    v.control_downs = new vector[Fifo*]()
    v.ended = new vector[Ended]()
    v.dropped = new vector[Dropped]()
    v.outgrown = new vector[void*]()
    v.histogram = <int64_t*>calloc(BUCKETS, sizeof(int64_t))
    v.failure_unit = -1
    clear_counts(v)
    return v

cdef inline void delete_view(World* v) noexcept:
    if v != NULL:
        delete_blocks(v.fifos)
        del v.busy_downs, v.control_downs, v.ended, v.dropped, v.outgrown
        free(v.histogram)
        free(v)

cdef inline void clear_counts(World* v) noexcept nogil:
    cdef int i, k
    v.fingerprint = 0
    v.events = v.drawn = 0
    for i in range(2):
        for k in range(FATES):
            v.fates[i][k] = 0

cdef inline void begin_view(World* v, const World* w) noexcept nogil:
    """A window begins."""
    v.begin, v.horizon = w.begin, w.horizon

cdef inline void free_outgrown(World* w) noexcept nogil:
    cdef size_t i
    for i in range(w.outgrown.size()):
        free(w.outgrown[0][i])
    w.outgrown.clear()

cdef inline void end_view(World* v, World* w) noexcept nogil:
    """The window has ended: what this worker counted becomes part of the whole. Sums, so the order of workers does not matter."""
    cdef Dropped* d
    cdef size_t i
    cdef int j, k
    w.fingerprint += v.fingerprint
    w.events += v.events
    w.drawn += v.drawn
    for j in range(2):
        for k in range(FATES):
            w.fates[j][k] += v.fates[j][k]
    clear_counts(v)
    for i in range(v.dropped.size()):
        d = &v.dropped.data()[i]
        drop(w, &d.record, d.fate, d.t, d.node)
    v.dropped.clear()
    w.busy_downs.insert(w.busy_downs.end(), v.busy_downs.begin(), v.busy_downs.end())
    w.control_downs.insert(w.control_downs.end(), v.control_downs.begin(), v.control_downs.end())
    v.busy_downs.clear()
    v.control_downs.clear()
    free_outgrown(v)
    while v.fifos.spare.size() < w.fifos.spare.size():  # the fleet gives back what routers take
        v.fifos.spare.push_back(w.fifos.spare.back())
        w.fifos.spare.pop_back()
    if v.failure != 0 and w.failure == 0:
        w.failure, w.failure_time, w.failure_link = v.failure, v.failure_time, v.failure_link
        w.failure_unit = v.failure_unit

cdef inline void leave_view(World* v, World* w) noexcept nogil:
    """The slice has ended: what is only looked at now."""
    cdef int k
    for k in range(BUCKETS):
        w.histogram[k] += v.histogram[k]
        v.histogram[k] = 0
    w.ended.insert(w.ended.end(), v.ended.begin(), v.ended.end())
    v.ended.clear()
