"""What is next, found without asking everyone: units in groups, and of each unit the FIFOs that have something for it."""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free

cdef enum:
    GROUP = 16  # units

cdef extern from *:
    """
    static const long long handoff_never = 0x7FFFFFFFFFFFFFFFLL;
    /* *to = min(*to, t), whoever else does the same */
    static inline void handoff_lower(int64_t* to, int64_t t) {
        int64_t found = __atomic_load_n(to, __ATOMIC_RELAXED);
        while (t < found && !__atomic_compare_exchange_n(to, &found, t, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    }
    static inline void handoff_mark(uint64_t* word, uint64_t bit) {
        if (bit & ~__atomic_load_n(word, __ATOMIC_RELAXED)) __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
    }
    """
    const int64_t NEVER "handoff_never"
    void lower "handoff_lower"(int64_t* to, int64_t t) noexcept nogil
    void mark "handoff_mark"(uint64_t* word, uint64_t bit) noexcept nogil
    int ctz64 "__builtin_ctzll"(uint64_t x) noexcept nogil

cdef struct Agenda:
    int groups
    int64_t* next  # of each unit: the earliest thing that can happen there
    int64_t* soon  # of each group: no later than the earliest of its units
    int64_t* passed  # of each group: a time that all of its units have come to

cdef inline int open_agenda(Agenda* a, int units) except -1:
    cdef int i
    a.groups = (units + GROUP - 1) // GROUP
    a.next = <int64_t*>calloc(a.groups * GROUP, sizeof(int64_t))
    a.soon = <int64_t*>calloc(a.groups, sizeof(int64_t))
    a.passed = <int64_t*>calloc(a.groups, sizeof(int64_t))
    if a.next == NULL or a.soon == NULL or a.passed == NULL:
        raise MemoryError("no memory for a run")
    for i in range(a.groups * GROUP):
        a.next[i] = NEVER
    return 0

cdef inline void close_agenda(Agenda* a) noexcept:
    free(a.next)
    free(a.soon)
    free(a.passed)

cdef inline int64_t look(Agenda* a, int group) noexcept nogil:
    """When the group's earliest thing is; its ``soon`` is that from now on."""
    cdef int64_t t = NEVER
    cdef int64_t* next = a.next + group * GROUP
    cdef int i
    for i in range(GROUP):
        if next[i] < t:
            t = next[i]
    a.soon[group] = t
    return t

cdef inline int soonest_unit(Agenda* a) noexcept nogil:
    """The unit whose earliest thing is the first of all, of several the first in their order; -1 if there is nothing at all."""
    cdef int64_t t
    cdef int i, best
    while True:
        best = 0
        for i in range(1, a.groups):
            if a.soon[i] < a.soon[best]:
                best = i
        t = a.soon[best]
        if t == look(a, best):
            if t == NEVER:
                return -1
            i = best * GROUP
            while a.next[i] != t:
                i += 1
            return i
