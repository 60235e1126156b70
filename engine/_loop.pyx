# distutils: language = c++
# cython: language_level=3
"""Event loop of the compiled engine: windows of units or of levels, windows with threads, or single instants in time order."""

from engine.results import ConservationError, MemoryLimitError, TimeLimitError

from cpython.exc cimport PyErr_CheckSignals
from cpython.ref cimport Py_REFCNT
from libc.stdint cimport int64_t
from libcpp.algorithm cimport sort

from engine._context cimport Event
from engine.kernel.events cimport EVENT_MESSAGE, EVENT_REFUSED, EVENT_TIMER, ControllerEvent, Message, pop_event
from engine.kernel.fates cimport DELIVERED, end_message
from engine.kernel.fifo cimport PAST_LAST_TIME, LinkCounters
from engine.kernel.level_state cimport enter_level_schedule, leave_level_schedule
from engine.kernel.levels cimport begin_unit_in_level, finish_level, next_control_time, next_window_begin, take_actions
from engine.kernel.mobile_nodes cimport begin_mobiles_visit, finish_mobiles_visit, update_mobiles_next_event
from engine.kernel.next_event cimport GROUP_SIZE, NEVER, NextEventIndex, earliest_unit, refresh_group
from engine.kernel.node_visit cimport begin_visit, close_cursors, finish_visit, open_cursors
from engine.kernel.reception cimport advance_boundaries
from engine.kernel.shortage cimport OUT_OF_MEMORY
from engine.kernel.steady_clock cimport steady_ns
from engine.kernel.worker_view cimport (
    ParallelState, begin_view, free_retired_rings, is_busier, merge_slice_counts, merge_window_counts,
    set_run_ahead_ends,
)
from engine.kernel.world cimport CONTROL_FATES, UNIT_MOBILES, UNIT_NODE, Level, Unit, World


cdef enum:
    REVIEW_WINDOWS = 256  # windows between two reviews: is there enough work for threads?
    VISIT_REVIEW_WINDOWS = 32  # windows between two reviews: do visits of single units find enough packets?
    LEVEL_MAX_HOPS = 32  # packet-hops of a visit below which levels cost less than units
    SIGNAL_CHECK_NS = 50000000  # time between two checks for signals, so that Ctrl-C ends a long run
    SIGNAL_CHECK_STEPS = 4096  # heap steps between two looks at the clock
    HELD_BY_LOOP = 2  # references to an event that nobody else has: of the context, and of the function that asks


cdef void node_data_pass(World* w, Unit* u, int64_t end) noexcept nogil:
    """Run pass 2 of a node or server; a function of its own, so that its large inlined body is compiled once."""
    finish_visit(w, u, end)


cdef void level_data_pass(World* w, Level* v, int64_t end) noexcept nogil:
    """Run pass 2 of a level; a function of its own for the same reason."""
    finish_level(w, v, end)


cdef void run_data_job(void* arg, int worker, int job) noexcept nogil:
    cdef ParallelState* parallel = <ParallelState*>arg
    cdef World* v = parallel.views[worker]
    cdef Unit* u = parallel.due_units[job]
    cdef int64_t hops_before = v.packet_hops
    node_data_pass(v, u, u.frontier)
    u.last_visit_hops = v.packet_hops - hops_before
    if v.failure and v.failure_unit < 0:
        v.failure_unit = u.rank


cdef class EventLoop:
    """Base class of ``engine.Engine``: the world, its controllers, and their progress from window to window."""

    # -- controllers ------------------------------------------------------------------------------------------------------
    cdef Event make_event(self, ControllerEvent* e, int node):
        """Return an event for a controller: the last one with new contents, unless a controller has kept it."""
        cdef Event event = self.context.event
        cdef Message* m
        if event is None or Py_REFCNT(event) > HELD_BY_LOOP:
            event = Event.__new__(Event)
        event.time_ps = e.t
        event.node = node
        event.mobile = e.mobile
        event.kind = e.kind
        event.code = e.code
        event.via = e.via
        event.fate = DELIVERED
        if e.kind == EVENT_MESSAGE or e.kind == EVENT_REFUSED:
            m = &self.w.messages.data()[e.message]
            event.source = m.source
            event.args = (m.args[0], m.args[1], m.args[2], m.args[3], m.args[4], m.args[5])
        else:
            event.source = -1
            event.args = (e.arg, 0, 0, 0, 0, 0)
        return event

    cdef int end_event(self, ControllerEvent* e, int64_t fate) except -1:
        if e.kind == EVENT_TIMER and self.context.u.kind == UNIT_MOBILES:
            self.w.mobile[e.mobile].pending_timers -= 1
        if e.kind == EVENT_MESSAGE:
            self.w.fates[CONTROL_FATES][fate] += 1
        if e.kind == EVENT_MESSAGE or e.kind == EVENT_REFUSED:
            end_message(self.w, e.message)
        return 0

    cdef int run_controller(self, Unit* u, int64_t end) except -1:
        """Call the unit's controller for its events before ``end``."""
        cdef int64_t start_ns = steady_ns()
        self.context.u = u
        try:
            self.deliver_events(u, end)
        finally:
            self.context.u = NULL
            self.controller_ns += steady_ns() - start_ns
        return 0

    cdef int deliver_events(self, Unit* u, int64_t end) except -1:
        cdef ControllerEvent e
        cdef int node = u.node if u.kind == UNIT_NODE else -1
        on_event = self.controllers[node]
        while u.pending_events.size() and u.pending_events.data()[0].t < end:
            e = pop_event(u.pending_events)
            self.context.make_current(self.make_event(&e, node), e.t, node, e.mobile)
            on_event(self.context, self.context.event)
            self.controller_calls += 1
            u.message_count += e.kind == EVENT_MESSAGE
            self.end_event(&e, self.context.event.fate)
        return 0

    # -- the loop -----------------------------------------------------------------------------------------------------------
    cdef int control_pass(self, Unit* u, int64_t end) except -1 nogil:
        """Run pass 1 of a unit up to ``end``, with its controller."""
        cdef World* w = self.w
        cdef ControllerEvent e
        self.visits += 1
        cdef bint has_event
        u.next_event[0] = NEVER
        if u.kind == UNIT_MOBILES:
            has_event = begin_mobiles_visit(w, u, end)
        elif w.by_level:
            has_event = begin_unit_in_level(w, u, end)
        else:
            has_event = begin_visit(w, u, end)
        if has_event:
            if u.has_controller:
                with gil:
                    self.run_controller(u, end)
            else:
                while u.pending_events.size() and u.pending_events.data()[0].t < end:
                    e = pop_event(u.pending_events)
                    if e.kind == EVENT_MESSAGE:
                        w.fates[CONTROL_FATES][DELIVERED] += 1
                        end_message(w, e.message)
        return 0

    cdef int visit(self, Unit* u, int64_t end) except -1 nogil:
        """Run both passes of one unit up to ``end``."""
        self.control_pass(u, end)
        return self.data_pass(u, end)

    cdef int data_pass(self, Unit* u, int64_t end) except -1 nogil:
        """Run pass 2 of a unit."""
        cdef World* w = self.w
        if u.kind == UNIT_MOBILES:
            finish_mobiles_visit(w, u, end)
            update_mobiles_next_event(u)
        else:
            open_cursors(u)
            node_data_pass(w, u, end)
            close_cursors(w, u)
        u.frontier = end
        free_retired_rings(w)
        return self.raise_failure(u) if w.failure else 0

    cdef int control_passes(self, int64_t end) except -1 nogil:
        """Run pass 1 of nodes and servers in a window of at most ``max_parallel_window_ps``.

        Units with something to do are then due for pass 2. Units that run ahead go on to their ``visit_end``.
        """
        cdef NextEventIndex* a = &self.w.event_index
        cdef Unit* u
        cdef size_t j
        cdef int i, group
        self.parallel.due_units.clear()
        for j in range(self.parallel.run_ahead_units.size()):
            u = self.parallel.run_ahead_units[j]
            if u.next_event[0] < u.visit_end:
                self.control_pass(u, u.visit_end)
                self.parallel.due_units.push_back(u)
            u.frontier = u.visit_end
        for group in range(a.groups):
            if a.group_bound[group] < end:
                for i in range(group * GROUP_SIZE, min(self.w.units, (group + 1) * GROUP_SIZE)):
                    u = &self.w.unit[i]
                    if a.next_event[i] < end and u.kind != UNIT_MOBILES and not u.run_ahead_depth:
                        self.control_pass(u, end)
                        self.parallel.due_units.push_back(u)
                        u.frontier = end
                refresh_group(a, group)
            a.group_frontier[group] = max(a.group_frontier[group], end)
        return 0

    cdef int run_window(self, int64_t begin, int64_t end) except -1 nogil:
        """Advance all units to ``end`` in rank order.

        In short windows, where the order does not matter, run all controllers first: packet processing in between would evict
        their data from the cache.
        """
        cdef World* w = self.w
        cdef NextEventIndex* a = &w.event_index
        cdef Unit* u
        cdef size_t j
        cdef int i, group
        if self.has_controllers and end - begin <= self.max_parallel_window_ps:
            for j in range(self.parallel.run_ahead_units.size()):
                u = self.parallel.run_ahead_units[j]
                if u.next_event[0] < end:
                    self.visit(u, end)
                u.visit_end = u.frontier = max(u.frontier, end)
            self.control_passes(end)
            for j in range(self.parallel.due_units.size()):
                self.data_pass(self.parallel.due_units[j], end)
            if w.mobile_unit.next_event[0] < end:
                self.visit(w.mobile_unit, end)
            w.mobile_unit.frontier = end
            return 0
        for group in range(a.groups):
            if a.group_bound[group] < end:
                for i in range(group * GROUP_SIZE, min(w.units, (group + 1) * GROUP_SIZE)):
                    u = &w.unit[i]
                    if a.next_event[i] < end:
                        self.visit(u, end)
                refresh_group(a, group)
            a.group_frontier[group] = max(a.group_frontier[group], end)
        for j in range(self.parallel.run_ahead_units.size()):
            u = self.parallel.run_ahead_units[j]
            u.frontier = max(u.frontier, end)
        w.mobile_unit.frontier = max(w.mobile_unit.frontier, end)
        return 0

    cdef int advance_level(self, Level* v, int64_t begin, int64_t end) except -1 nogil:
        """Run both passes of a level up to ``end``, in equal steps; nothing happens in it before ``begin``."""
        cdef int64_t step
        begin = max(begin, v.inbox.frontier)
        step = end - begin
        if step > v.step:
            step = (step - 1) // ((step - 1) // v.step + 1) + 1  # rounded up
        while begin < end:
            begin = begin + step if step < end - begin else end
            self.run_level(v, begin)
        return 0

    cdef int run_level(self, Level* v, int64_t end) except -1 nogil:
        """Run both passes of a level up to ``end``."""
        cdef World* w = self.w
        cdef NextEventIndex* a = &w.event_index
        cdef Unit* u
        cdef int first = v.units.rank, last = v.units.rank + v.unit_count - 1, group, i
        cdef bint found
        if v.units.kind == UNIT_MOBILES:
            if v.units.next_event[0] < end:
                self.visit(v.units, end)
            v.inbox.frontier = v.units.frontier = max(v.units.frontier, end)
            return 0
        for group in range(first // GROUP_SIZE, last // GROUP_SIZE + 1):
            if a.group_bound[group] < end:
                found = False
                for i in range(max(first, group * GROUP_SIZE), min(last + 1, (group + 1) * GROUP_SIZE)):
                    if a.next_event[i] < end:
                        u = &w.unit[i]
                        self.control_pass(u, end)
                        u.next_event[0] = next_control_time(u)
                        take_actions(v, u)
                        found = True
                if found:  # otherwise a unit of another level has lowered the bound
                    refresh_group(a, group)
        v.inbox.frontier = end
        if v.inbox.next_event < end or v.actions.size():
            level_data_pass(w, v, end)
            free_retired_rings(w)
        return self.raise_failure(v.units) if w.failure else 0

    cdef int run_levels(self, int64_t stop) except -1 nogil:
        """Run windows up to ``stop``, in each of them one level after the other. A level ends its lag before the window does."""
        cdef World* w = self.w
        cdef int64_t begin, end = 0, hops_before
        cdef Level* v
        cdef int i
        self.current_window_ps = min(self.current_window_ps, self.max_level_window_ps)
        enter_level_schedule(w)
        begin = next_window_begin(w, stop)
        while begin != NEVER:
            begin = max(begin, end)
            end = begin + self.current_window_ps if self.current_window_ps < NEVER - begin else NEVER
            w.window_begin = max(w.mobile_unit.frontier, begin - w.mobile_unit.level.lag)
            advance_boundaries(w, w.window_begin)
            hops_before = w.packet_hops
            for i in range(w.levels):
                v = &w.level[i]
                self.advance_level(v, begin - v.lag, stop if end == NEVER or end - v.lag > stop else end - v.lag)
            self.level_windows += 1
            self.adapt_window(w.packet_hops - hops_before, self.max_window_hops, self.max_level_window_ps)
            begin = next_window_begin(w, stop)
        leave_level_schedule(w)
        free_retired_rings(w)
        for i in range(w.event_index.groups):
            w.event_index.group_frontier[i] = max(w.event_index.group_frontier[i], stop)
        return 0

    cdef int raise_failure(self, Unit* u) except -1 nogil:
        with gil:
            unit = self.built.plan.units[u.rank].name
            if self.w.failure == PAST_LAST_TIME:
                raise TimeLimitError(
                    f"{self.failed_queue()} at {self.w.failure_time} ps: a packet would end at 2**63 ps (106 days) "
                    "or later, past the end of the clock; limit the queue, lower the load or the delay, or raise the rate"
                )
            link = self.w.failure_fifo.key if self.w.failure_fifo != NULL else 0
            raise ConservationError(
                f"a packet would arrive before its destination's frontier: unit {unit!r}, link key {link:#x}, "
                f"time {self.w.failure_time} ps"
            )

    cdef object failed_queue(self):
        """Return the name of the queue in which a failure was seen: a link, a cell's downlinks or uplinks, or a server."""
        cdef LinkCounters* counters = self.w.failure_fifo.params.counters
        if self.w.failure_fifo.params.service_time >= 0:
            return f"server of {self.built.node_names[self.w.failure_fifo.params.node]!r}"
        return f"link {self.built.row_names[counters - self.w.link_counters]!r}"

    cdef int release_mapped_pages(self) except -1 nogil:
        """Release the pages of mapped recordings that have been read."""
        self.w.non_cbr_packets = 0
        with gil:
            for release in self.built.releases:
                release()
        return 0

    cdef int check_signals(self) except -1 nogil:
        """Let Python handle the signals that have arrived; a handler may raise KeyboardInterrupt."""
        cdef int64_t now_ns = steady_ns()
        if now_ns - self.signals_checked_ns >= SIGNAL_CHECK_NS:
            self.signals_checked_ns = now_ns
            with gil:
                PyErr_CheckSignals()
        return 0

    cdef int64_t earliest_event(self) noexcept nogil:
        cdef int unit = earliest_unit(&self.w.event_index)
        return self.w.event_index.next_event[unit] if unit >= 0 else NEVER

    cdef int run_windows(self, int64_t stop) except -1 nogil:
        """Run windows up to ``stop``. Each window begins at the earliest event, so that no window is empty."""
        cdef World* w = self.w
        cdef int64_t begin = self.earliest_event(), end, hops_before
        self.current_window_ps = min(self.current_window_ps, self.max_window_ps)
        while begin < stop:
            end = begin + self.current_window_ps if self.current_window_ps < stop - begin else stop
            w.window_begin = begin
            advance_boundaries(w, begin)
            hops_before = w.packet_hops
            self.run_window(begin, end)
            self.adapt_window(w.packet_hops - hops_before, self.max_window_hops, self.max_window_ps)
            begin = self.earliest_event()
            if self.scheduling == AUTO and self.windows % VISIT_REVIEW_WINDOWS == 0 and self.visits_are_short():
                self.runs_by_level = True
                return 0
        return 0

    cdef bint visits_are_short(self) noexcept nogil:
        """Return whether the units have found few packets in their visits, so that their levels are better visited as a whole."""
        return self.w.packet_hops < LEVEL_MAX_HOPS * self.visits

    cdef int adapt_window(self, int64_t packet_hops, int64_t max_hops, int64_t max_window_ps) except -1 nogil:
        """Halve or double the next window, depending on the packet-hops of the last one."""
        self.windows += 1
        self.check_signals()
        if self.w.non_cbr_packets >= self.release_after_packets:
            self.release_mapped_pages()
        if packet_hops > max_hops and self.current_window_ps > 1:
            self.current_window_ps >>= 1
        elif packet_hops < max_hops // 4 and self.current_window_ps < max_window_ps:
            self.current_window_ps += min(self.current_window_ps, max_window_ps - self.current_window_ps)
        return 0

    cdef int run_parallel(self, int64_t stop) except -1 nogil:
        """Run windows up to ``stop`` with nodes in parallel, or until too little happens in a window.

        Pass 1 of all units comes first, because controllers run one after the other; the mobile nodes come last. Some units run
        ahead by one or more windows.
        """
        cdef World* w = self.w
        cdef ParallelState* parallel = &self.parallel
        cdef int64_t begin = self.earliest_event(), end, hops_before, work, hops0 = w.packet_hops, windows0 = self.windows
        cdef int64_t required_hops
        cdef size_t j
        cdef int i
        self.current_window_ps = min(self.current_window_ps, self.max_parallel_window_ps)
        while begin < stop:
            end = set_run_ahead_ends(parallel, self.current_window_ps, begin, stop)
            w.window_begin = begin
            advance_boundaries(self.w, begin)
            hops_before = w.packet_hops
            self.control_passes(end)
            work = 0
            for j in range(parallel.due_units.size()):
                open_cursors(parallel.due_units[j])
                work += parallel.due_units[j].last_visit_hops
            for j in range(parallel.views.size()):
                begin_view(parallel.views[j], w)
            sort(parallel.due_units.begin(), parallel.due_units.end(), &is_busier)
            if work < self.min_parallel_hops:
                for i in range(<int>parallel.due_units.size()):
                    run_data_job(parallel, 0, i)
            elif parallel.due_units.size():
                self.pool.run(&run_data_job, parallel, <int>parallel.due_units.size())
                self.parallel_windows += 1
            for j in range(parallel.due_units.size()):
                close_cursors(w, parallel.due_units[j])
            for j in range(parallel.views.size()):
                merge_window_counts(parallel.views[j], w)
            if w.failure:
                return self.raise_failure(&w.unit[w.failure_unit])
            if w.mobile_unit.next_event[0] < end:
                self.visit(w.mobile_unit, end)
            w.mobile_unit.frontier = end
            self.adapt_window(w.packet_hops - hops_before, self.max_window_hops, self.max_parallel_window_ps)
            begin = self.earliest_event()
            if self.windows - windows0 >= REVIEW_WINDOWS:
                required_hops = self.min_parallel_hops * (self.windows - windows0)
                if self.current_window_ps == self.max_parallel_window_ps and w.packet_hops - hops0 < required_hops:
                    self.runs_parallel = False
                    return 0
                hops0 = w.packet_hops
                windows0 = self.windows
        return 0

    cdef int run_in_time_order(self, int64_t stop) except -1 nogil:
        """Process one instant of one unit at a time, the earliest first, up to ``stop``."""
        cdef World* w = self.w
        cdef int unit = earliest_unit(&w.event_index)
        while unit >= 0 and w.event_index.next_event[unit] < stop:
            w.window_begin = w.event_index.next_event[unit]
            advance_boundaries(w, w.window_begin)
            self.visit(&w.unit[unit], w.window_begin + 1)
            self.heap_steps += 1
            if self.heap_steps % SIGNAL_CHECK_STEPS == 0:
                self.check_signals()
            if w.non_cbr_packets >= self.release_after_packets:
                self.release_mapped_pages()
            unit = earliest_unit(&w.event_index)
        return 0

    cdef int run_guarded(self, int64_t stop) except -1 nogil:
        """Run up to ``stop``; a shortage of memory raises MemoryLimitError."""
        cdef int status = guard_run(run_slice, self, stop)
        if status == OUT_OF_MEMORY:
            with gil:
                raise MemoryLimitError(f"no memory left at {self.w.window_begin} ps")
        return status

    cdef int run_until(self, int64_t stop) except -1 nogil:
        cdef int i
        # In time order no packet is received ahead, because a packet on the air may still be copied.
        self.w.slice_end = 0 if self.w.time_ordered else stop
        while self.earliest_event() < stop:
            if self.w.time_ordered:
                self.run_in_time_order(stop)
            elif self.runs_parallel:
                self.run_parallel(stop)
            elif self.runs_by_level:
                self.run_levels(stop)
            else:
                self.run_windows(stop)
        for i in range(self.w.units):
            self.w.unit[i].frontier = stop
        for i in range(<int>self.parallel.views.size()):
            merge_slice_counts(self.parallel.views[i], self.w)
        return 0


cdef int run_slice(EventLoop loop, int64_t stop) except -1 nogil:
    return loop.run_until(stop)


cdef extern from *:
    int guard_run "handoff_guard"(int (*f)(EventLoop, int64_t) except -1 nogil, EventLoop loop, int64_t stop) noexcept nogil
