# distutils: language = c++
# cython: language_level=3
"""The compiled engine: the loop over windows, and what is built and read around it."""

import time

import numpy as np

from engine.build import Built
from engine.harvest import finish_result
from engine.hops import chosen_links, hops_from, no_hops
from engine.memory import estimate
from engine.network import Network
from engine.quantities import duration
from engine.results import LawBroken, MemoryLimitError

from libc.stdint cimport int64_t
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector

from engine._control cimport Context, Event
from engine.arena cimport trim
from engine.columns cimport raw_columns, raw_hops
from engine.events cimport MESSAGE, REFUSED, TIMER, Message, Pending, pop_event, push_event
from engine.fifo cimport NO_MEMORY
from engine.fleet cimport begin_fleet, finish_fleet, next_fleet
from engine.holdings cimport holdings
from engine.reception cimport pass_boundaries
from engine.state cimport close_world, open_world
from engine.threads cimport Pool, new_pool
from engine.units cimport begin_visit, close_inlets, finish_visit, open_inlets
from engine.views cimport (
    Crew, begin_view, delete_view, end_view, free_outgrown, leave_view, more_work, new_view,
)
from engine.world cimport DELIVERED, NEVER, UNIT_FLEET, UNIT_NODE, Unit, World, end_message

cdef int64_t LAST = 9200000000000000000  # ps, of any run: below 2**63 with room for what is under way

cdef enum:
    WINDOW_RECORDS = 16384  # that one window may move before it is halved; anything from 4,096 on serves (docs/performance.md)
    FIRST_WINDOW = 1000000000  # 1 ms: it grows and shrinks from there
    READ_ROWS = 1 << 21  # packets replayed from mapped files before what was read is given back: 25 MB of columns
    LEAST_BESIDE = 1024  # packet-hops in a window below which threads wait for each other longer than they work
    MOST_THREADS = 64
    FEW = 3  # events a visit below which the heap of units is cheaper than windows

_SCHEDULING = {"auto": 0, "window": 1, "heap": 2}
_RECORDS = {"none": 0, "drops": 1, "packets": 2}


cdef void second_pass(World* w, Unit* u, int64_t end) noexcept nogil:
    """Pass 2 of a node or server, compiled once."""
    finish_visit(w, u, end)


cdef void finish_beside(void* arg, int worker, int job) noexcept nogil:
    cdef Crew* crew = <Crew*>arg
    cdef World* v = crew.views[worker]
    cdef Unit* u = crew.due[job]
    cdef int64_t before = v.events
    second_pass(v, u, crew.end)
    u.work = v.events - before
    if v.failure and v.failure_unit < 0:
        v.failure_unit = u.rank


cdef class Engine:
    """An exact packet engine for networks of FIFO queues with moving endpoints.

    Parameters
    ----------
    network : Network
        What to run; checked here.
    seed : int
        Seed of every draw.
    tunnel_limit : int
        How often one packet may be encapsulated.
    window_ps : int or None
        Largest window to use; None takes the largest exact one that fits the cache. The result is the same for any.
    scheduling : {"auto", "window", "heap"}
        How events are ordered inside; the result is the same for any.
    dispatch : {"event", "batch"}
        Whether controllers that have both get ``on_event`` or ``on_batch``.
    record : {"none", "drops", "packets"}
        Per-packet records to keep.
    memory_limit_bytes : int or None
        Refuse to run, or stop, above it.
    hops : iterable of str
        Links (names of ``Result.link_names``) whose packets are recorded for ``take_hops``; such a run uses one thread.
    threads : int
        How many nodes at most are visited side by side, 1 to 64; the result is the same for any number. That takes windows no
        longer than the shortest wire and uplink; where little happens in one, ``scheduling="auto"`` goes on with one thread.

    Examples
    --------
    >>> from engine import Engine, Network
    >>> net = Network()
    >>> _ = net.node("server"), net.node("ap")
    >>> net.link("server", "ap", rate="100Mbit/s", delay="10ms", buffer_packets=100)
    >>> net.cell("ap", rate="10Mbit/s", delay="2ms", buffer_packets=100)
    >>> phone = net.mobile("phone", home="ap")
    >>> net.attach(phone, "ap"); net.local("ap", phone)
    >>> _ = net.cbr("server", phone, interval="20ms", size_bytes=250)
    >>> result = Engine(net).run("1s")
    >>> result.fate_counts()
    {'delivered': 50}
    >>> int(result.flows["delay_max_ps"][0])
    12220000000
    """

    cdef World* w
    cdef object built
    cdef object network
    cdef dict controllers
    cdef Context context
    cdef int64_t reached
    cdef int64_t cap  # largest window to use
    cdef int64_t span  # window in use
    cdef int64_t cap_beside  # the same where units are visited side by side
    cdef int threads
    cdef Crew crew
    cdef Pool* pool
    cdef bint beside_now
    cdef int64_t least_beside
    cdef int scheduling
    cdef bint heap_now
    cdef bint batch
    cdef bint halfway  # while it runs; for good once an exception broke a run off
    cdef int64_t most_drawn
    cdef object memory_limit
    cdef object seed
    cdef object links  # names of those whose hops are recorded
    cdef object later  # hops that start after what has been handed over
    cdef object asked  # window_ps
    cdef int tunnel_limit
    cdef int record
    cdef bint over  # the controllers have been let go
    cdef int64_t windows, windows_beside, visits, steps, calls, controller_ns, few_events, few_visits

    def __init__(
        self, network, *, seed=1, int tunnel_limit=4, window_ps=None, scheduling="auto", dispatch="event", record="none",
        memory_limit_bytes=None, hops=(), int threads=1,
    ):
        if not isinstance(network, Network):
            raise TypeError(f"an engine runs a Network, not {network!r}")
        if scheduling not in _SCHEDULING or record not in _RECORDS or dispatch not in ("event", "batch"):
            raise ValueError(
                f"scheduling is one of {list(_SCHEDULING)}, record of {list(_RECORDS)}, dispatch 'event' or 'batch'; "
                f"got {scheduling!r}, {record!r}, {dispatch!r}"
            )
        if not 1 <= tunnel_limit <= 4:
            raise ValueError("the tunnel limit is 1 to 4")
        if not 1 <= threads <= MOST_THREADS:
            raise ValueError(f"a run has 1 to {MOST_THREADS} threads, not {threads}")
        if window_ps is not None and window_ps < 1:
            raise ValueError("a window is at least 1 ps")
        if self.network is not None:
            raise ValueError("an engine is made once")
        network.check()
        self.network = network
        self.seed = int(seed)
        self.tunnel_limit = tunnel_limit
        self.record = _RECORDS[record]
        self.asked = window_ps
        self.controllers = {}
        self.scheduling = _SCHEDULING[scheduling]
        self.heap_now = scheduling == "heap"
        self.batch = dispatch == "batch"
        self.memory_limit = memory_limit_bytes
        self.links = tuple(hops)
        self.threads = 1 if self.links else threads
        self.later = no_hops()

    def __dealloc__(self):
        cdef size_t i
        close_world(self.w)
        for i in range(self.crew.views.size()):
            delete_view(self.crew.views[i])

    cdef int open(self) except -1:
        """Build the state, once the controllers are known: uplinks that nobody uses bound no window."""
        cdef int n
        if self.w != NULL:
            return 0
        self.built = Built(self.network, uplinks=-1 in self.controllers or bool(self.network.flows()["up"].any()))
        recorded = np.zeros(len(self.built.row_names) + 1, np.int64)
        recorded[chosen_links(self.links, self.built.row_names)] = 1
        self.w = open_world(self.built, self.seed, self.tunnel_limit, self.record, recorded)
        self.built.forget()
        trim()
        self.w.in_order = self.scheduling == _SCHEDULING["heap"]
        for n in self.controllers:
            (self.w.fleet if n < 0 else &self.w.unit[self.w.unit_of_node[n]]).controlled = True
        self.context = Context()
        self.context.w = self.w
        self.context.sent = {}
        self.context.node_keys = self.built.node_keys
        self.most_drawn = READ_ROWS if self.built.releases else NEVER
        self.cap = self.built.plan.window_ps if self.asked is None else min(self.asked, self.built.plan.window_ps)
        self.cap_beside = min(self.cap, self.built.plan.beside_ps)
        self.span = min(self.cap, FIRST_WINDOW)
        while self.threads > 1 and self.crew.views.size() < <size_t>self.threads:
            self.crew.views.push_back(new_view(self.w))
            if self.crew.views.back() == NULL:
                raise MemoryLimitError("no memory for another thread")
        return 0

    # -- controllers ------------------------------------------------------------------------------------------------------
    def attach(self, node, controller):
        """Put a controller at a node, before the run.

        A controller has ``on_event(ctx, event)``, or ``on_batch(ctx, events)``, or both (equal in effect; ``dispatch``
        chooses). ``on_batch`` gets events in order, each mobile at most once in a batch; what one mobile's event does may
        not depend on another mobile's event in the same batch. What a controller raises comes out of ``advance``, and the
        engine cannot be used any more.

        Raises
        ------
        TypeError
            If ``controller`` has neither.
        ValueError
            If the node is unknown or the run has begun.
        """
        self.put_controller(self.network.node_index(node), controller)

    def attach_mobiles(self, controller):
        """Put a controller at the fleet of mobiles, before the run."""
        self.put_controller(-1, controller)

    cdef int put_controller(self, int node, object controller) except -1:
        if self.w != NULL:
            raise ValueError("controllers are attached before the run")
        if not (hasattr(controller, "on_event") or hasattr(controller, "on_batch")):
            raise TypeError(f"{controller!r} has neither on_event nor on_batch")
        self.controllers[node] = controller
        return 0

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
        begun = time.perf_counter_ns()
        self.context.u = u
        try:
            self.call_controller(u, end)
        finally:
            self.context.u = NULL
            self.controller_ns += time.perf_counter_ns() - begun
        return 0

    cdef int call_controller(self, Unit* u, int64_t end) except -1:
        cdef Pending e
        cdef Event event
        cdef vector[Pending] batch
        cdef int node = u.node if u.kind == UNIT_NODE else -1
        cdef size_t i
        cdef list events
        controller = self.controllers[node]
        if hasattr(controller, "on_batch") and (self.batch or not hasattr(controller, "on_event")):
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
                controller.on_batch(self.context, events.copy())
                self.calls += 1
                for i in range(batch.size()):
                    event = events[i]
                    u.messages += batch[i].kind == MESSAGE
                    self.end_event(&batch[i], event.fate)
        else:
            on_event = controller.on_event
            while u.pending.size() and u.pending.data()[0].t < end:
                e = pop_event(u.pending)
                self.context.call += 1
                event = self.wrap(&e, node)
                self.context.make_current(event)
                on_event(self.context, event)
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
        u.next = NEVER
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
        cdef World* w = self.w
        self.first_pass(u, end)
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
        cdef int64_t t = NEVER
        cdef int i
        for i in range(self.w.units):
            if self.w.unit[i].next < t:
                t = self.w.unit[i].next
        return t

    cdef int by_windows(self, int64_t stop) except -1 nogil:
        """Windows up to ``stop``, or until units have too few events a visit."""
        cdef World* w = self.w
        cdef Unit* u
        cdef int64_t begin = self.earliest(), end, before, events0 = w.events, visits0 = self.visits
        cdef int i
        while begin < stop:
            end = begin + self.span if self.span < stop - begin else stop
            w.begin = begin
            pass_boundaries(w, begin)
            before = w.events
            for i in range(w.units):
                u = &w.unit[i]
                if u.next < end:
                    self.visit(u, end)
                u.frontier = end
            self.end_window(w.events - before, WINDOW_RECORDS, self.cap)
            begin = self.earliest()
            if self.scheduling == 0 and self.visits - visits0 >= 1024:
                if w.events - events0 < FEW * (self.visits - visits0):
                    self.heap_now = True
                    return 0
                events0 = w.events
                visits0 = self.visits
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

        Pass 1 of all units comes first, since controllers run one after the other; the fleet comes last.
        """
        cdef World* w = self.w
        cdef Crew* crew = &self.crew
        cdef Unit* u
        cdef int64_t begin = self.earliest(), before, work, events0 = w.events, windows0 = self.windows
        cdef size_t j
        cdef int i
        self.span = min(self.span, self.cap_beside)
        while begin < stop:
            crew.end = begin + self.span if self.span < stop - begin else stop
            w.begin = begin
            pass_boundaries(self.w, begin)
            before = w.events
            crew.due.clear()
            work = 0
            for i in range(w.units):
                u = &w.unit[i]
                if u.kind == UNIT_FLEET:
                    continue
                if u.next < crew.end:
                    self.first_pass(u, crew.end)
                    open_inlets(u)
                    crew.due.push_back(u)
                    work += u.work
                u.frontier = crew.end
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
            if w.fleet.next < crew.end:
                self.visit(w.fleet, crew.end)
            w.fleet.frontier = crew.end
            self.end_window(w.events - before, WINDOW_RECORDS * self.threads, self.cap_beside)
            begin = self.earliest()
            if self.windows - windows0 >= 256:
                if self.span == self.cap_beside and w.events - events0 < self.least_beside * (self.windows - windows0):
                    self.beside_now = False
                    return 0
                events0 = w.events
                windows0 = self.windows
        return 0

    cdef int by_heap(self, int64_t stop) except -1 nogil:
        """One instant of one unit at a time, the earliest first, up to ``stop`` or until windows would pay."""
        cdef World* w = self.w
        cdef Unit* u
        cdef int64_t t, events0 = w.events, slots = 0
        cdef int i, best
        while True:
            t = NEVER
            best = -1
            for i in range(w.units):
                if w.unit[i].next < t:
                    t = w.unit[i].next
                    best = i
            if best < 0 or t >= stop:
                return 0
            u = &w.unit[best]
            w.begin = t
            pass_boundaries(w, t)
            self.visit(u, t + 1)
            self.steps += 1
            if w.drawn >= self.most_drawn:
                self.give_back()
            if t // self.cap != u.slot:
                u.slot = t // self.cap
                slots += 1
            if self.scheduling == 0 and slots >= 1024:
                if w.events - events0 > 2 * FEW * slots:
                    self.heap_now = False
                    return 0
                events0 = w.events
                slots = 0

    cdef int go(self, int64_t stop) except -1 nogil:
        cdef int i
        self.w.horizon = 0 if self.w.in_order else stop  # in order, what is on the air may still be copied
        while self.earliest() < stop:
            if self.heap_now:
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

    # -- running ------------------------------------------------------------------------------------------------------------
    def advance(self, to):
        """Run one slice up to ``to`` and return the time reached (ps); the GIL is free meanwhile, but for controllers."""
        cdef int64_t stop = duration(to)
        self.whole()
        if self.over:
            raise ValueError("the run is over: its controllers have been dismissed")
        if stop < self.reached:
            raise ValueError(f"the engine has reached {self.reached} ps already")
        if stop > LAST:
            raise ValueError(f"a run ends within 106 days, at {LAST} ps; got {stop}")
        if self.memory_limit is not None:
            need = self.memory_estimate(stop)
            if need > self.memory_limit:
                raise MemoryLimitError(
                    f"a run to {stop} ps may take {need:,} bytes, the limit is {self.memory_limit:,}: "
                    "allow more, or make buffers, delays or the number of mobiles smaller"
                )
        self.open()
        self.halfway = True
        self.beside_now = self.threads > 1 and self.scheduling != _SCHEDULING["heap"] and self.cap_beside > 0
        self.least_beside = 0 if self.scheduling == _SCHEDULING["window"] else LEAST_BESIDE
        self.pool = new_pool(self.threads) if self.beside_now else NULL
        try:
            self.beside_now = self.pool != NULL
            with nogil:
                self.go(stop)
        finally:
            del self.pool
        self.halfway = False
        self.reached = stop
        return self.reached

    cdef int whole(self) except -1:
        if self.halfway:
            raise ValueError("the engine is running, or an exception broke its run off: make a new one")
        return 0

    def run(self, until):
        """Run from 0 to ``until`` and return the columns; an engine runs once.

        Raises
        ------
        ValueError
            If it ran before, or ``until`` is no duration or past 106 days.
        MemoryLimitError
            If the run may take more than ``memory_limit_bytes``; nothing has been run then.
        LawBroken
            If a law of docs/model.md, section 13, does not hold: a defect of the engine.
        """
        self.whole()
        if self.reached:
            raise ValueError("an engine runs once: make a new one")
        self.advance(until)
        return self.result()

    def dismiss(self):
        """Let the controllers go, and what they know: the run is over, and ``result`` needs the memory."""
        self.whole()
        self.open()
        self.over = True
        self.controllers = {}
        trim()

    def memory_estimate(self, until):
        """Upper bound, in bytes, of what a run until then takes; see docs/model.md, 15."""
        return estimate(self.network, duration(until))

    @property
    def time_ps(self):
        """Time reached."""
        return self.reached

    @property
    def window_ps(self):
        """The largest exact window, W*."""
        self.open()
        return self.built.plan.window_ps

    @property
    def profile(self):
        """Counters of the run's own work: windows, those with units side by side, visits, heap steps, controller calls and ns."""
        return {
            "windows": self.windows, "windows_beside": self.windows_beside, "visits": self.visits,
            "heap_steps": self.steps, "controller_calls": self.calls,
            "controller_ns": self.controller_ns, "events": self.w.events if self.w != NULL else 0,
        }  # fmt: skip

    @property
    def memory(self):
        """Bytes that the run holds now, by what for (docs/model.md, 15): dict of str to int."""
        self.whole()
        self.open()
        return holdings(self.w, self.built)

    def take_hops(self):
        """What the chosen links began to transmit before the time reached, and was not taken before, as ``engine.hops.Hops``.

        Taken slice by slice, a long record needs little memory. A packet whose transmission has not begun when the run ends is
        in none of them, nor is one that was taken out of a downlink before its turn.
        """
        self.whole()
        self.open()
        taken, self.later = self.later.then(hops_from(*raw_hops(self.w, self.reached))).split(self.reached)
        return taken

    def result(self):
        """Columns up to the time reached; checks every law."""
        self.whole()
        self.open()
        return finish_result(self.built, self.reached, raw_columns(self.w, np, self.built, self.reached))
