# distutils: language = c++
# cython: language_level=3
"""Scans of received levels for the next event of a mobile node (handover_trigger.py, docs/movement.md)."""

from libc.stdint cimport INT64_MAX, int64_t
from libcpp.vector cimport vector

cdef enum:
    LINK_LOST_ROW = -1

cdef int64_t NEVER = INT64_MAX

cdef inline int64_t floor_divide(int64_t a, int64_t b) noexcept nogil:
    """Return a / b for b > 0, rounded down."""
    cdef int64_t quotient = a // b  # C rounds towards 0
    return quotient - (quotient * b > a)

cdef inline int64_t crossing(int64_t begin, int64_t end, int64_t a, int64_t b) noexcept nogil:
    """Return when a value that runs from ``a`` at ``begin`` to ``b`` at ``end`` is 0; it changes its sign."""
    cdef int64_t before = a if a > 0 else -a
    cdef int64_t both = before + (b if b > 0 else -b)
    return begin + floor_divide((end - begin) * before, both if both > 1 else 1)

cdef inline int64_t between(int64_t a, int64_t b, int64_t elapsed, int64_t interval) noexcept nogil:
    return a + floor_divide((b - a) * elapsed, interval)


cdef class LevelScan:
    """Levels of one mobile node; the parameters are those of ``handover_trigger.ReceivedLevels``."""

    cdef const int64_t[::1] time
    cdef const int64_t[:, ::1] level
    cdef Py_ssize_t count, routers

    def __init__(self, const int64_t[::1] time_ps, const int64_t[:, ::1] level):
        if time_ps.shape[0] != level.shape[1]:
            raise ValueError(f"{time_ps.shape[0]} instants for {level.shape[1]} levels of each router")
        self.time, self.level, self.count, self.routers = time_ps, level, time_ps.shape[0], level.shape[0]

    cdef Py_ssize_t first_not_before(self, int64_t t) noexcept:
        """Return the index of the first measurement at ``t`` or later."""
        cdef Py_ssize_t low = 0, high = self.count, middle
        while low < high:
            middle = (low + high) // 2
            if self.time[middle] < t:
                low = middle + 1
            else:
                high = middle
        return low

    cdef Py_ssize_t locate(self, int64_t t) except -1:
        """Return the index of the first measurement at ``t`` or later; there must be one at ``t`` or earlier, too."""
        cdef Py_ssize_t k = self.first_not_before(t)
        if k == self.count or (k == 0 and self.time[0] > t):
            raise IndexError(f"{t} ps is not between the first and the last measurement")
        return k

    cdef int64_t level_at(self, Py_ssize_t router, Py_ssize_t k, int64_t t, int64_t sign) noexcept:
        """Return ``sign`` times the level of a router at ``t``, which measurement ``k`` is the first not to precede."""
        if self.time[k] == t:
            return sign * self.level[router, k]
        return between(
            sign * self.level[router, k - 1], sign * self.level[router, k],
            t - self.time[k - 1], self.time[k] - self.time[k - 1],
        )

    def at(self, Py_ssize_t router, int64_t time_ps):
        """Return the level of a router at an instant between the first and the last measurement."""
        self.check_router(router)
        return self.level_at(router, self.locate(time_ps), time_ps, 1)

    cdef int check_router(self, Py_ssize_t router) except -1:
        if not 0 <= router < self.routers:
            raise IndexError(f"there is no router {router}")
        return 0

    cdef vector[int64_t] levels_at(self, int64_t t) except *:
        cdef vector[int64_t] found
        cdef Py_ssize_t r, k = self.locate(t)
        for r in range(self.routers):
            found.push_back(self.level_at(r, k, t, 1))
        return found

    def next_handover(
        self, Py_ssize_t serving, int64_t from_ps, int64_t minimum, int64_t hysteresis, int64_t trigger_ps
    ):
        """Return time and row of ``handover_trigger.next_handover``, or None.

        A step goes from one measurement to the next; the first begins at ``from_ps``. A run of instants at which a router is
        above the margin ends one picosecond before its margin is 0, and that may be the last instant of a step. A move at that
        instant is therefore found in the next step, and no earlier move is found later.
        """
        self.check_router(serving)
        cdef vector[int64_t] first = self.levels_at(from_ps)
        cdef vector[int64_t] margin = vector[int64_t](self.routers), due = vector[int64_t](self.routers)
        cdef vector[int64_t] found = vector[int64_t](self.routers)
        cdef Py_ssize_t r, column = self.first_not_before(from_ps + 1) - 1
        cdef Py_ssize_t begin = column, to = LINK_LOST_ROW
        cdef int64_t t = from_ps, previous = from_ps, m, serving_level, shortage = 0, last_shortage = 0
        cdef int64_t lost = NEVER, best, before, strength, strongest = 0
        cdef bint is_last
        while True:  # column ``begin`` stands for ``from_ps``
            is_last = column == self.count - 1
            serving_level = first[serving] if column == begin else self.level[serving, column]
            shortage = minimum - serving_level
            if lost == NEVER and shortage > 0:
                lost = t if column == begin else crossing(previous, t, last_shortage, shortage)
            last_shortage = shortage
            best = NEVER
            for r in range(self.routers):
                m = (first[r] if column == begin else self.level[r, column]) - serving_level - hysteresis
                found[r] = NEVER
                if m > 0:
                    if column == begin:
                        due[r] = t + trigger_ps
                    elif margin[r] <= 0:
                        due[r] = crossing(previous, t, margin[r], m) + trigger_ps
                    if due[r] < t + is_last:
                        found[r] = due[r]
                elif column != begin and margin[r] > 0 and due[r] < crossing(previous, t, margin[r], m):
                    found[r] = due[r]
                margin[r] = m
                best = min(best, found[r])
            if best != NEVER and best <= lost:
                for r in range(self.routers):
                    if found[r] == best:
                        if column == begin:
                            strength = first[r]
                        else:
                            before = first[r] if column == begin + 1 else self.level[r, column - 1]
                            strength = between(before, self.level[r, column], best - previous, t - previous)
                        if to == LINK_LOST_ROW or strength > strongest:
                            to, strongest = r, strength
                return best, to
            if lost != NEVER and (column != begin or is_last or best != NEVER):
                return lost, LINK_LOST_ROW
            if is_last:
                return None
            column += 1
            previous, t = t, self.time[column]

    def next_router(self, int64_t from_ps, int64_t minimum):
        """Return time and row of ``handover_trigger.next_router``, or None."""
        cdef vector[int64_t] last = self.levels_at(from_ps)
        cdef Py_ssize_t r, to = -1, column = self.first_not_before(from_ps + 1)
        cdef int64_t t = from_ps, at, best = NEVER, level
        for r in range(self.routers):
            if last[r] >= minimum and (to < 0 or last[r] > last[to]):
                to = r
        if to >= 0:
            return from_ps, to
        while column < self.count:
            for r in range(self.routers):
                level = self.level[r, column]
                if level >= minimum:
                    at = crossing(t, self.time[column], last[r] - minimum, level - minimum)
                    if at < best or (at == best and level > self.level[to, column]):
                        best, to = at, r
                last[r] = level
            if to >= 0:
                return best, to
            t = self.time[column]
            column += 1
        return None

    def level_above_since(self, Py_ssize_t router, int64_t level, int64_t from_ps, int64_t to_ps, int64_t sign):
        """Return the time of ``handover_trigger.level_above_since`` for ``sign`` times the levels."""
        self.check_router(router)
        cdef Py_ssize_t first = self.first_not_before(from_ps + 1), i = self.first_not_before(to_ps)
        cdef int64_t later_ps = to_ps, t, value
        cdef int64_t later = self.level_at(router, self.locate(to_ps), to_ps, sign) - level
        if later < 0:
            return to_ps
        while True:
            i -= 1
            t = self.time[i] if i >= first else from_ps
            value = (sign * self.level[router, i] if i >= first else self.level_at(router, self.locate(t), t, sign)) - level
            if value < 0:
                return crossing(t, later_ps, value, later)
            if i < first:
                return from_ps
            later_ps, later = t, value
