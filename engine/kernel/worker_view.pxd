"""Views of a world, one for each parallel worker. They share units, mobile nodes and links; counters and lists are their own."""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free

from engine.kernel.arena cimport delete_block_pool
from engine.kernel.fates cimport drop
from engine.kernel.fifo cimport Fifo, new_fifo_pool
from engine.kernel.shortage cimport require
from engine.kernel.vector cimport vector
from engine.kernel.world cimport FATE_COUNT, HISTOGRAM_BUCKETS, DeferredDrop, PacketRecord, Unit, World

cdef struct RunAheadArc:  # path from a unit that may run ahead
    Unit* source
    Unit* destination
    int64_t min_delay

cdef struct ParallelState:  # what the workers of a window use
    vector[World*] views  # one for each worker
    vector[Unit*] run_ahead_units
    vector[Unit*] due_units  # units to visit in this window, each up to its frontier
    vector[RunAheadArc] arcs

cdef inline bint is_busier(Unit* const& a, Unit* const& b) noexcept nogil:
    return a.last_visit_hops > b.last_visit_hops

cdef inline World* new_view(const World* w) noexcept nogil:
    """Return a view of the world."""
    cdef World* v = <World*>require(calloc(1, sizeof(World)))
    v[0] = w[0]
    v.fifo_pool = new_fifo_pool()
    v.active_downlinks = new vector[Fifo*]()
    v.control_downlinks = new vector[Fifo*]()
    v.packet_records = new vector[PacketRecord]()
    v.deferred_drops = new vector[DeferredDrop]()
    v.retired_rings = new vector[void*]()
    v.delay_histogram = <int64_t*>require(calloc(HISTOGRAM_BUCKETS, sizeof(int64_t)))
    v.failure_unit = -1
    clear_counts(v)
    return v

cdef inline void delete_view(World* v) noexcept:
    if v != NULL:
        delete_block_pool(v.fifo_pool)
        del v.active_downlinks, v.control_downlinks, v.packet_records, v.deferred_drops, v.retired_rings
        free(v.delay_histogram)
        free(v)

cdef inline void clear_counts(World* v) noexcept nogil:
    cdef int i, k
    v.fingerprint = 0
    v.packet_hops = v.non_cbr_packets = 0
    for i in range(2):
        for k in range(FATE_COUNT):
            v.fates[i][k] = 0

cdef inline void begin_view(World* v, const World* w) noexcept nogil:
    v.window_begin, v.slice_end = w.window_begin, w.slice_end

cdef inline void free_retired_rings(World* w) noexcept nogil:
    cdef size_t i
    for i in range(w.retired_rings.size()):
        free(w.retired_rings[0][i])
    w.retired_rings.clear()

cdef inline void merge_window_counts(World* v, World* w) noexcept nogil:
    """Merge a worker's counters and lists into the world at the end of a window. Sums do not depend on the order of workers."""
    cdef DeferredDrop* d
    cdef size_t i
    cdef int j, k
    w.fingerprint += v.fingerprint
    w.packet_hops += v.packet_hops
    w.non_cbr_packets += v.non_cbr_packets
    for j in range(2):
        for k in range(FATE_COUNT):
            w.fates[j][k] += v.fates[j][k]
    clear_counts(v)
    for i in range(v.deferred_drops.size()):
        d = &v.deferred_drops.data()[i]
        drop(w, &d.packet, d.fate, d.t, d.node)
    v.deferred_drops.clear()
    w.active_downlinks.insert(w.active_downlinks.end(), v.active_downlinks.begin(), v.active_downlinks.end())
    w.control_downlinks.insert(w.control_downlinks.end(), v.control_downlinks.begin(), v.control_downlinks.end())
    v.active_downlinks.clear()
    v.control_downlinks.clear()
    free_retired_rings(v)
    while v.fifo_pool.free_blocks.size() < w.fifo_pool.free_blocks.size():  # mobile nodes free the blocks that routers allocate
        v.fifo_pool.free_blocks.push_back(w.fifo_pool.free_blocks.back())
        w.fifo_pool.free_blocks.pop_back()
    if v.failure != 0 and w.failure == 0:
        w.failure, w.failure_time, w.failure_fifo = v.failure, v.failure_time, v.failure_fifo
        w.failure_unit = v.failure_unit

cdef inline void merge_slice_counts(World* v, World* w) noexcept nogil:
    """Merge what only results need, at the end of a slice."""
    cdef int k
    for k in range(HISTOGRAM_BUCKETS):
        w.delay_histogram[k] += v.delay_histogram[k]
        v.delay_histogram[k] = 0
    w.packet_records.insert(w.packet_records.end(), v.packet_records.begin(), v.packet_records.end())
    v.packet_records.clear()

cdef inline int64_t set_run_ahead_ends(ParallelState* parallel, int64_t window_ps, int64_t begin, int64_t stop) noexcept nogil:
    """Set how far each run-ahead unit goes in the window that begins, and return how far the others go.

    Nothing arrives earlier than the current frontier of its source plus the minimum delay of the arc. A unit may go to the
    minimum of these bounds. It goes so far ahead that the units it feeds have a whole window of work in the next step.
    """
    cdef int64_t window_count, bound
    cdef int64_t end = begin + window_ps if window_ps < stop - begin else stop
    cdef Unit* u
    cdef RunAheadArc* arc
    cdef size_t j
    for j in range(parallel.run_ahead_units.size()):
        u = parallel.run_ahead_units[j]
        u.frontier = max(u.frontier, begin)  # nothing happens before the window
        window_count = u.run_ahead_depth + 1
        u.visit_end = begin + window_count * window_ps if window_ps < (stop - begin) // window_count else stop
    for j in range(parallel.arcs.size()):
        arc = &parallel.arcs.data()[j]
        bound = arc.source.frontier + arc.min_delay if arc.min_delay < stop - arc.source.frontier else stop
        if arc.destination.run_ahead_depth:
            arc.destination.visit_end = min(arc.destination.visit_end, bound)
        else:
            end = min(end, bound)
    for j in range(parallel.run_ahead_units.size()):
        u = parallel.run_ahead_units[j]
        u.visit_end = max(u.visit_end, u.frontier)  # an earlier, longer window may have taken it further
    return end
