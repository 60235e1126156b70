# distutils: language = c++
# cython: language_level=3
"""The loop of the compiled engine: windows of units, side by side or one after the other, or one instant at a time."""

from engine.results import LawBroken, MemoryLimitError

from libc.stdint cimport int64_t
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector

from engine._context cimport Event
from engine.kernel.next_event cimport GROUP, NEVER, Agenda, look, soonest_unit
from engine.kernel.steady_clock cimport steady_ns
from engine.kernel.events cimport MESSAGE, REFUSED, TIMER, Message, Pending, pop_event, push_event
from engine.kernel.fifo cimport NO_MEMORY
from engine.kernel.mobile_nodes cimport begin_fleet, finish_fleet, next_fleet
from engine.kernel.reception cimport pass_boundaries
from engine.kernel.node_visit cimport begin_visit, close_inlets, finish_visit, open_inlets
from engine.kernel.worker_view cimport Crew, Lead, begin_view, end_view, free_outgrown, leave_view, more_work
from engine.kernel.world cimport DELIVERED, UNIT_FLEET, UNIT_NODE, Unit, World, end_message


cdef void second_pass(World* w, Unit* u, int64_t end) noexcept nogil:
    """Pass 2 of a node or server, compiled once."""
    finish_visit(w, u, end)


cdef void finish_beside(void* arg, int worker, int job) noexcept nogil:
    cdef Crew* crew = <Crew*>arg
    cdef World* v = crew.views[worker]
    cdef Unit* u = crew.due[job]
    cdef int64_t before = v.events
    second_pass(v, u, u.frontier)
    u.work = v.events - before
    if v.failure and v.failure_unit < 0:
        v.failure_unit = u.rank


cdef class Loop:
    """What runs: the state, the controllers, and how they go on from window to window. ``engine.Engine`` is made of it."""

    # -- controllers ------------------------------------------------------------------------------------------------------
    cdef Event wrap(self, Pending* e, int node):
        cdef Event event = Event.__new__(Event)
        cdef Message* m
        event.time_ps = e.t
        event.node = node
        event.mobile = e.mobile
        event.kind = e.kind
        event.code = e.code
        event.via = e.via
        event.fate = DELIVERED
        event.call = self.context.call
        if e.kind == MESSAGE or e.kind == REFUSED:
            m = &self.w.messages.data()[e.message]
            event.source = m.source
            event.args = (m.args[0], m.args[1], m.args[2], m.args[3], m.args[4], m.args[5])
        else:
            event.source = -1
            event.args = (e.arg, 0, 0, 0, 0, 0)
        return event

    cdef int end_event(self, Pending* e, int64_t fate) except -1:
        self.w.mobile[e.mobile].timers -= e.kind == TIMER and self.context.u.kind == UNIT_FLEET
        if e.kind == MESSAGE:
            self.w.fates[1][fate] += 1
        if e.kind == MESSAGE or e.kind == REFUSED:
            end_message(self.w, e.message)
        return 0

    cdef int control(self, Unit* u, int64_t end) except -1:
        """The unit's controller takes its events before ``end``."""
        cdef int64_t begun = steady_ns()
        self.context.u = u
        try:
            self.call_controller(u, end)
        finally:
            self.context.u = NULL
            self.controller_ns += steady_ns() - begun
        return 0

    cdef int call_controller(self, Unit* u, int64_t end) except -1:
        cdef Pending e
        cdef Event event
        cdef vector[Pending] batch
        cdef int node = u.node if u.kind == UNIT_NODE else -1
        cdef size_t i
        cdef list events
        batched, called = self.controllers[node]
        if batched:
            while u.pending.size() and u.pending.data()[0].t < end:
                events, later, mobiles = [], [], set()
                batch.clear()
                self.context.call += 1
                self.context.event = None
                while u.pending.size() and u.pending.data()[0].t < end:
                    e = pop_event(u.pending)
                    if e.mobile in mobiles:
                        later.append(e)
                    else:
                        mobiles.add(e.mobile)
                        batch.push_back(e)
                        events.append(self.wrap(&e, node))
                for e in later:
                    push_event(u.pending, &e)
                called(self.context, events.copy())
                self.calls += 1
                for i in range(batch.size()):
                    event = events[i]
                    u.messages += batch[i].kind == MESSAGE
                    self.end_event(&batch[i], event.fate)
        else:
            while u.pending.size() and u.pending.data()[0].t < end:
                e = pop_event(u.pending)
                self.context.call += 1
                event = self.wrap(&e, node)
                self.context.make_current(event)
                called(self.context, event)
                self.calls += 1
                u.messages += e.kind == MESSAGE
                self.end_event(&e, event.fate)
        return 0

    # -- the loop -----------------------------------------------------------------------------------------------------------
    cdef int first_pass(self, Unit* u, int64_t end) except -1 nogil:
        """Pass 1 of a unit up to ``end``, with its controller."""
        cdef World* w = self.w
        cdef Pending e
        self.visits += 1
        u.next[0] = NEVER
        if begin_fleet(w, u, end) if u.kind == UNIT_FLEET else begin_visit(w, u, end):
            if u.controlled:
                with gil:
                    self.control(u, end)
            else:
                while u.pending.size() and u.pending.data()[0].t < end:
                    e = pop_event(u.pending)
                    if e.kind == MESSAGE:
                        w.fates[1][DELIVERED] += 1
                        end_message(w, e.message)
        return 0

    cdef int visit(self, Unit* u, int64_t end) except -1 nogil:
        """One unit up to ``end``: both passes."""
        self.first_pass(u, end)
        return self.after_first(u, end)

    cdef int after_first(self, Unit* u, int64_t end) except -1 nogil:
        """Pass 2 of a unit."""
        cdef World* w = self.w
        if u.kind == UNIT_FLEET:
            finish_fleet(w, u, end)
            next_fleet(u)
        else:
            open_inlets(u)
            second_pass(w, u, end)
            close_inlets(w, u)
        u.frontier = end
        free_outgrown(w)
        return self.broken(u) if w.failure else 0

    cdef int first_passes(self, int64_t end) except -1 nogil:
        """Pass 1 of nodes and servers in a window of at most ``cap_beside``; those that have something to do are then due.

        Those that are ahead go on to their ``until``.
        """
        cdef Agenda* a = &self.w.agenda
        cdef Unit* u
        cdef size_t j
        cdef int i, group
        self.crew.due.clear()
        for j in range(self.crew.ahead.size()):
            u = self.crew.ahead[j]
            if u.next[0] < u.until:
                self.first_pass(u, u.until)
                self.crew.due.push_back(u)
            u.frontier = u.until
        for group in range(a.groups):
            if a.soon[group] < end:
                for i in range(group * GROUP, min(self.w.units, (group + 1) * GROUP)):
                    u = &self.w.unit[i]
                    if a.next[i] < end and u.kind != UNIT_FLEET and not u.ahead:
                        self.first_pass(u, end)
                        self.crew.due.push_back(u)
                        u.frontier = end
                look(a, group)
            a.passed[group] = max(a.passed[group], end)
        return 0

    cdef int64_t go_ahead(self, int64_t begin, int64_t stop) noexcept nogil:
        """How far those that are ahead go in the window that begins, and (returned) how far the others do.

        Nothing arrives earlier than its way's length after its source's frontier as it is now. So each can go to the least of
        these, and so far that what it feeds has a whole window to do in the next step.
        """
        cdef int64_t end = begin + self.span if self.span < stop - begin else stop, bound
        cdef Unit* u
        cdef Lead* lead
        cdef size_t j
        for j in range(self.crew.ahead.size()):
            u = self.crew.ahead[j]
            u.frontier = max(u.frontier, begin)  # nothing happens before
            u.until = begin + (u.ahead + 1) * self.span if self.span < (stop - begin) // (u.ahead + 1) else stop
        for j in range(self.crew.leads.size()):
            lead = &self.crew.leads.data()[j]
            bound = lead.source.frontier + lead.length if lead.length < stop - lead.source.frontier else stop
            if lead.to.ahead:
                lead.to.until = min(lead.to.until, bound)
            else:
                end = min(end, bound)
        for j in range(self.crew.ahead.size()):
            u = self.crew.ahead[j]
            u.until = max(u.until, u.frontier)  # it went there when windows were longer
        return end

    cdef int window(self, int64_t begin, int64_t end) except -1 nogil:
        """All units up to ``end``, in their order, if they are not there yet.

        Where nothing depends on it, controllers come one after the other: what they need would not stay in the caches while
        packets pass.
        """
        cdef World* w = self.w
        cdef Agenda* a = &w.agenda
        cdef Unit* u
        cdef size_t j
        cdef int i, group
        if self.controlled and end - begin <= self.cap_beside:
            for j in range(self.crew.ahead.size()):
                u = self.crew.ahead[j]
                if u.next[0] < end:
                    self.visit(u, end)
                u.until = u.frontier = max(u.frontier, end)
            self.first_passes(end)
            for j in range(self.crew.due.size()):
                self.after_first(self.crew.due[j], end)
            if w.fleet.next[0] < end:
                self.visit(w.fleet, end)
            w.fleet.frontier = end
            return 0
        for group in range(a.groups):
            if a.soon[group] < end:
                for i in range(group * GROUP, min(w.units, (group + 1) * GROUP)):
                    u = &w.unit[i]
                    if a.next[i] < end:
                        self.visit(u, end)
                look(a, group)
            a.passed[group] = max(a.passed[group], end)
        for j in range(self.crew.ahead.size()):
            u = self.crew.ahead[j]
            u.frontier = max(u.frontier, end)
        w.fleet.frontier = max(w.fleet.frontier, end)
        return 0

    cdef int broken(self, Unit* u) except -1 nogil:
        with gil:
            unit = self.built.plan.units[u.rank].name
            if self.w.failure == NO_MEMORY:
                raise MemoryLimitError(f"no memory left at {self.w.failure_time} ps, unit {unit!r}")
            link = self.w.failure_link.key if self.w.failure_link != NULL else 0
            raise LawBroken(
                f"a packet would arrive before its destination's frontier: unit {unit!r}, link key {link:#x}, "
                f"time {self.w.failure_time} ps"
            )

    cdef int give_back(self) except -1 nogil:
        """Let the memory go of what has been read of mapped columns."""
        self.w.drawn = 0
        with gil:
            for release in self.built.releases:
                release()
        return 0

    cdef int64_t earliest(self) noexcept nogil:
        cdef int unit = soonest_unit(&self.w.agenda)
        return self.w.agenda.next[unit] if unit >= 0 else NEVER

    cdef int by_windows(self, int64_t stop) except -1 nogil:
        """Windows up to ``stop``; one begins when the first unit has something to do, so there is none without an event."""
        cdef World* w = self.w
        cdef int64_t begin = self.earliest(), end, before
        while begin < stop:
            end = begin + self.span if self.span < stop - begin else stop
            w.begin = begin
            pass_boundaries(w, begin)
            before = w.events
            self.window(begin, end)
            self.end_window(w.events - before, self.most_records, self.cap)
            begin = self.earliest()
        return 0

    cdef int end_window(self, int64_t records, int64_t most, int64_t cap) except -1 nogil:
        """After one that moved ``records``: the next one is longer or shorter."""
        self.windows += 1
        if self.w.drawn >= self.most_drawn:
            self.give_back()
        if records > most and self.span > 1:
            self.span >>= 1
        elif records < most // 4 and self.span < cap:
            self.span = self.span * 2 if self.span < cap - self.span else cap
        return 0

    cdef int beside(self, int64_t stop) except -1 nogil:
        """Windows up to ``stop`` with nodes side by side, or until there is too little in one.

        Pass 1 of all units comes first, since controllers run one after the other; the fleet comes last. Units that may are a
        window or more ahead.
        """
        cdef World* w = self.w
        cdef Crew* crew = &self.crew
        cdef int64_t begin = self.earliest(), end, before, work, events0 = w.events, windows0 = self.windows
        cdef size_t j
        cdef int i
        self.span = min(self.span, self.cap_beside)
        while begin < stop:
            end = self.go_ahead(begin, stop)
            w.begin = begin
            pass_boundaries(self.w, begin)
            before = w.events
            self.first_passes(end)
            work = 0
            for j in range(crew.due.size()):
                open_inlets(crew.due[j])
                work += crew.due[j].work
            for j in range(crew.views.size()):
                begin_view(crew.views[j], w)
            sort(crew.due.begin(), crew.due.end(), &more_work)
            if work < self.least_beside:
                for i in range(<int>crew.due.size()):
                    finish_beside(crew, 0, i)
            elif crew.due.size():
                self.pool.run(&finish_beside, crew, <int>crew.due.size())
                self.windows_beside += 1
            for j in range(crew.due.size()):
                close_inlets(w, crew.due[j])
            for j in range(crew.views.size()):
                end_view(crew.views[j], w)
            if w.failure:
                return self.broken(&w.unit[w.failure_unit])
            if w.fleet.next[0] < end:
                self.visit(w.fleet, end)
            w.fleet.frontier = end
            self.end_window(w.events - before, self.most_records, self.cap_beside)
            begin = self.earliest()
            if self.windows - windows0 >= 256:
                if self.span == self.cap_beside and w.events - events0 < self.least_beside * (self.windows - windows0):
                    self.beside_now = False
                    return 0
                events0 = w.events
                windows0 = self.windows
        return 0

    cdef int by_heap(self, int64_t stop) except -1 nogil:
        """One instant of one unit at a time, the earliest first, up to ``stop``."""
        cdef World* w = self.w
        cdef int unit = soonest_unit(&w.agenda)
        while unit >= 0 and w.agenda.next[unit] < stop:
            w.begin = w.agenda.next[unit]
            pass_boundaries(w, w.begin)
            self.visit(&w.unit[unit], w.begin + 1)
            self.steps += 1
            if w.drawn >= self.most_drawn:
                self.give_back()
            unit = soonest_unit(&w.agenda)
        return 0

    cdef int go(self, int64_t stop) except -1 nogil:
        cdef int i
        self.w.horizon = 0 if self.w.in_order else stop  # in order, what is on the air may still be copied
        while self.earliest() < stop:
            if self.w.in_order:
                self.by_heap(stop)
            elif self.beside_now:
                self.beside(stop)
            else:
                self.by_windows(stop)
        for i in range(self.w.units):
            self.w.unit[i].frontier = stop
        for i in range(<int>self.crew.views.size()):
            leave_view(self.crew.views[i], self.w)
        return 0
