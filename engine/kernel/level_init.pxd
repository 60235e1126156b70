"""Levels of a world, from the plan of a network (engine/lookahead.py)."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free
from libcpp.algorithm cimport sort

from engine.kernel.fifo cimport FifoParameters
from engine.kernel.inbox cimport MAX_RUNS, LateArrival
from engine.kernel.next_event cimport NEVER
from engine.kernel.shortage cimport require
from engine.kernel.vector cimport vector
from engine.kernel.world cimport Level, LevelAction, LookedUpArrival, Unit, UnitSource, World

cdef enum:
    FIRST_RUNS = 8  # of a level: kinds of links that begin with a run of their own; with more of them, some share a run

cdef struct LinkKind:  # links from one level to another that have one length
    int32_t destination
    int32_t source
    int64_t length

cdef inline bint kind_before(const LinkKind& x, const LinkKind& y) noexcept nogil:
    if x.destination != y.destination:
        return x.destination < y.destination
    if x.source != y.source:
        return x.source < y.source
    return x.length < y.length

cdef inline LinkKind link_kind(const int64_t[::1] levels, const FifoParameters* params) noexcept:
    cdef LinkKind x
    x.destination, x.source = <int32_t>levels[params.destination], <int32_t>levels[params.source]
    x.length = params.delay if params.service_time < 0 else params.service_time
    return x

cdef inline int init_levels(World* w, object b) except -1:
    """Build the levels. Units of one level follow each other in rank."""
    cdef const int64_t[::1] levels = b.unit_levels
    cdef vector[FifoParameters*] channels
    cdef FifoParameters* params
    cdef Level* v
    cdef Unit* u
    cdef int64_t i
    cdef size_t j
    cdef int k
    w.levels = <int32_t>(levels[w.units - 1] + 1)
    w.level = <Level*>require(calloc(w.levels, sizeof(Level)))
    for i in range(w.levels):
        v = &w.level[i]
        v.lag, v.step = b.level_lags[i], b.level_steps[i]
        v.inbox.next_event = NEVER
        v.inbox.late = new vector[LateArrival]()
        v.sources = new vector[UnitSource]()
        v.actions = new vector[LevelAction]()
        v.looked_up = new vector[LookedUpArrival]()
        for k in range(MAX_RUNS):
            v.inbox.runs[k].inbox = &v.inbox
    for i in range(w.units):
        u = &w.unit[i]
        v = u.level = &w.level[levels[i]]
        if v.unit_count == 0:
            v.units = u
        v.unit_count += 1
        for j in range(u.inbound_fifos.size()):
            params = u.inbound_fifos.data()[j].params
            v.feeds_itself |= levels[params.source] == levels[i]
            channels.push_back(params)
    for i in range(w.cells):
        channels.push_back(w.cell[i].uplink_params)
    assign_first_runs(w, levels, &channels)
    return 0

cdef inline void assign_first_runs(World* w, const int64_t[::1] levels, vector[FifoParameters*]* channels) noexcept:
    """Let all links of a kind begin with one run: in order of their length, if a level has many kinds."""
    cdef vector[LinkKind] kinds
    cdef LinkKind x
    cdef size_t i, first, at, count
    for i in range(channels.size()):
        kinds.push_back(link_kind(levels, channels.data()[i]))
    sort(kinds.begin(), kinds.end(), &kind_before)
    count = 0
    for i in range(kinds.size()):
        if i == 0 or kind_before(kinds[count - 1], kinds[i]):
            kinds[count] = kinds[i]
            count += 1
    kinds.resize(count)
    for i in range(channels.size()):
        x = link_kind(levels, channels.data()[i])
        first = at = 0
        while kinds[first].destination != x.destination:
            first += 1
        while kind_before(kinds[first + at], x):
            at += 1
        count = at
        while first + count < kinds.size() and kinds[first + count].destination == x.destination:
            count += 1
        at = at if count <= FIRST_RUNS else at * FIRST_RUNS // count
        channels.data()[i].first_run = &w.level[x.destination].inbox.runs[at]
        w.level[x.destination].first_runs = max(w.level[x.destination].first_runs, <int32_t>at + 1)

cdef inline void delete_levels(World* w) noexcept:
    cdef Level* v
    cdef int i, k
    for i in range(w.levels if w.level != NULL else 0):
        v = &w.level[i]
        for k in range(MAX_RUNS):
            free(v.inbox.runs[k].slots)
        del v.inbox.late, v.sources, v.actions, v.looked_up
    free(w.level)
