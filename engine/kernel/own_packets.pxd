"""Packets that a unit sends itself: the next source, and its move to the packet after it."""

from libc.stdint cimport int64_t

from engine.kernel.fifo cimport prefetch
from engine.kernel.forwarding cimport originate
from engine.kernel.source_calendar cimport (
    SourceCalendar, advance_first_source, first_source, first_source_time, remove_first_source,
)
from engine.kernel.sources cimport (
    CbrRing, FlowSchedule, Source, advance_front, is_steady, ring_front, rotate_front, source_before, step_source,
)
from engine.kernel.world cimport Unit, World

cdef inline int64_t next_source_time(Unit* u) noexcept nogil:
    cdef int64_t t = first_source_time(&u.sources)
    cdef size_t i
    cdef Source* s
    for i in range(u.cbr_rings.size()):
        s = ring_front(u.cbr_rings[0][i])
        if s != NULL and s.t < t:
            t = s.t
    return t

cdef inline Source* earliest_source(Unit* u, CbrRing** ring) noexcept nogil:
    """Return the source of the unit's next own packet and set ``ring`` to its CBR ring or NULL. Return NULL without a source."""
    cdef Source* best = first_source(&u.sources)
    cdef Source* s
    cdef size_t i
    ring[0] = NULL
    for i in range(u.cbr_rings.size()):
        s = ring_front(u.cbr_rings[0][i])
        if s != NULL and (best == NULL or source_before(s, best)):
            best = s
            ring[0] = u.cbr_rings[0][i]
    return best

cdef inline void prefetch_schedules(World* w, const SourceCalendar* c) noexcept nogil:
    """Prefetch in steps what the next sends of the day read when their sources move on: number of the schedule, then schedule."""
    if c.head + 4 < c.due.size():
        prefetch(&w.flow_schedule[c.items.data()[c.due.data()[c.head + 4].index].flow])
        prefetch(&w.schedules[w.flow_schedule[c.items.data()[c.due.data()[c.head + 2].index].flow]])

cdef inline void advance_source(World* w, Unit* u, Source* s, CbrRing* ring) noexcept nogil:
    """Move the earliest source on after it has sent."""
    if ring != NULL:
        rotate_front(ring, w.schedules, w.flow_schedule, w.sent_packets)
        return
    w.non_cbr_packets += 1
    if step_source(s, &w.schedules[w.flow_schedule[s.flow]], w.log_table):
        advance_first_source(&u.sources)
        prefetch_schedules(w, &u.sources)
    else:
        w.sent_packets[s.flow] = s.seq
        remove_first_source(&u.sources)

cdef inline void originate_until(World* w, Unit* u, int64_t end) noexcept nogil:
    """Send the unit's own packets before ``end``; the caller ensures that nothing else happens in between."""
    cdef CbrRing* g = u.cbr_rings.data()[0] if u.cbr_rings.size() == 1 and u.sources.items.size() == 0 else NULL
    cdef bint has_entries = w.tables[u.node].entry_count != 0
    cdef Source* s
    if g != NULL and is_steady(g):
        while g.ring[g.head].t < end:
            originate(w, u.node, &g.ring[g.head], has_entries)
            advance_front(g)
        return
    s = earliest_source(u, &g)
    while s != NULL and s.t < end:
        originate(w, u.node, s, has_entries)
        advance_source(w, u, s, g)
        s = earliest_source(u, &g)
