"""Index of next event times. Units are grouped by 16, so that the earliest one is found without scanning all."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

from engine.kernel.shortage cimport require

cdef enum:
    GROUP_SIZE = 16  # units

cdef extern from *:
    """
    static const long long handoff_never = 0x7FFFFFFFFFFFFFFFLL;
    static const long long handoff_max_run = 9200000000000000000LL;
    /* *target = min(*target, t); safe if other threads do the same */
    static inline void handoff_atomic_min(int64_t* target, int64_t t) {
        int64_t current = __atomic_load_n(target, __ATOMIC_RELAXED);
        while (t < current && !__atomic_compare_exchange_n(target, &current, t, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    }
    /* t + duration and count * duration, at most NEVER; all are 0 or more */
    static inline int64_t handoff_later(int64_t t, int64_t duration) {
        return __builtin_add_overflow(t, duration, &t) ? handoff_never : t;
    }
    static inline int64_t handoff_multiple(int64_t count, int64_t duration) {
        return __builtin_mul_overflow(count, duration, &count) ? handoff_never : count;
    }
    static inline void handoff_atomic_set_bits(uint64_t* word, uint64_t bits) {
        if (bits & ~__atomic_load_n(word, __ATOMIC_RELAXED)) __atomic_fetch_or(word, bits, __ATOMIC_RELAXED);
    }
    """
    const int64_t NEVER "handoff_never"
    const int64_t MAX_RUN_PS "handoff_max_run"  # below 2**63, with room for packets in flight
    void atomic_min "handoff_atomic_min"(int64_t* target, int64_t t) noexcept nogil
    void atomic_set_bits "handoff_atomic_set_bits"(uint64_t* word, uint64_t bits) noexcept nogil
    int64_t later "handoff_later"(int64_t t, int64_t duration) noexcept nogil
    int64_t multiple "handoff_multiple"(int64_t count, int64_t duration) noexcept nogil
    int ctz64 "__builtin_ctzll"(uint64_t x) noexcept nogil

cdef struct NextEventIndex:
    int groups
    int64_t* next_event  # for each unit: time of its earliest possible event
    int64_t* group_bound  # for each group: lower bound of the next_event of its units
    int64_t* group_frontier  # for each group: time that all of its units have reached

cdef inline void open_event_index(NextEventIndex* index, int units) noexcept nogil:
    cdef int i
    index.groups = (units + GROUP_SIZE - 1) // GROUP_SIZE
    index.next_event = <int64_t*>require(calloc(index.groups * GROUP_SIZE, sizeof(int64_t)))
    index.group_bound = <int64_t*>require(calloc(index.groups, sizeof(int64_t)))
    index.group_frontier = <int64_t*>require(calloc(index.groups, sizeof(int64_t)))
    for i in range(index.groups * GROUP_SIZE):
        index.next_event[i] = NEVER

cdef inline void close_event_index(NextEventIndex* index) noexcept:
    free(index.next_event)
    free(index.group_bound)
    free(index.group_frontier)

cdef inline int64_t refresh_group(NextEventIndex* index, int group) noexcept nogil:
    """Set a group's bound to the exact minimum of its units and return it."""
    cdef int64_t t = NEVER
    cdef int64_t* next_event = index.next_event + group * GROUP_SIZE
    cdef int i
    for i in range(GROUP_SIZE):
        if next_event[i] < t:
            t = next_event[i]
    index.group_bound[group] = t
    return t

cdef inline int earliest_unit(NextEventIndex* index) noexcept nogil:
    """Return the unit with the earliest event, the one of lowest rank among equals; -1 if no unit has any."""
    cdef int64_t t
    cdef int i, best
    while True:
        best = 0
        for i in range(1, index.groups):
            if index.group_bound[i] < index.group_bound[best]:
                best = i
        t = index.group_bound[best]
        if t == refresh_group(index, best):
            if t == NEVER:
                return -1
            i = best * GROUP_SIZE
            while index.next_event[i] != t:
                i += 1
            return i
