# distutils: language = c++
# cython: language_level=3
"""The compiled engine as it is used: what is built and read around the loop (``engine/_loop.pyx``)."""

import gc

import numpy as np

from engine.build import Built
from engine.harvest import finish_result
from engine.hops import chosen_links, hops_from, no_hops
from engine.memory import estimate
from engine.network import Network
from engine.quantities import duration
from engine.results import MemoryLimitError

from libc.stdint cimport int64_t

from engine._context cimport Context
from engine._loop cimport AUTO, HEAP, WINDOWS, Loop
from engine.kernel.arena cimport trim
from engine.kernel.result_columns cimport raw_columns, raw_hops
from engine.kernel.memory_usage cimport holdings
from engine.kernel.world_init cimport close_world, open_world, run_ahead
from engine.kernel.thread_pool cimport new_pool
from engine.kernel.worker_view cimport Lead, delete_view, new_view
from engine.kernel.world cimport NEVER

cdef extern from *:
    const char *HANDOFF_SOURCE_DIGEST  # set by setup.py

SOURCES = HANDOFF_SOURCE_DIGEST.decode()

cdef int64_t LAST = 9200000000000000000  # ps, of any run: below 2**63 with room for what is under way

cdef enum:
    FIRST_WINDOW = 1000000000  # 1 ms: it grows and shrinks from there
    SMALL_WINDOW = 32768  # packet-hops of one, for each thread, before it is halved; with 1,000 mobiles no size is better
    RECORDS_EACH = 10  # the same for each of many mobiles: their state is in no cache, and a visit is to take several packets
    LARGE_WINDOW = 1 << 21  # past which the rings grow and the gain does not
    READ_ROWS = 1 << 21  # packets replayed from mapped files before what was read is given back: 25 MB of columns
    LEAST_BESIDE = 1024  # packet-hops in a window below which threads wait for each other longer than they work
    MOST_THREADS = 64
    MANY_MOBILES = 100000  # of whom controllers may know enough to be worth a look at every object of the process

_SCHEDULING = {"auto": AUTO, "window": WINDOWS, "heap": HEAP}
_RECORDS = {"none": 0, "drops": 1, "packets": 2}


cdef class Engine(Loop):
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
        How events are ordered inside; the result is the same for any. ``"heap"`` does them in the order of time, one instant of
        one unit at a time, which costs more; ``"auto"`` and ``"window"`` do all of a window at one unit after the other.
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
        longer than the shortest wire and uplink, but for wires from nodes that hear from no cell; where little happens in one,
        ``scheduling="auto"`` goes on with one thread.

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
        cdef Lead lead
        if self.w != NULL:
            return 0
        self.built = Built(self.network, uplinks=-1 in self.controllers or bool(self.network.flows()["up"].any()))
        recorded = np.zeros(len(self.built.row_names) + 1, np.int64)
        recorded[chosen_links(self.links, self.built.row_names)] = 1
        self.w = open_world(self.built, self.seed, self.tunnel_limit, self.record, recorded)
        self.built.forget()
        trim()
        self.w.in_order = self.scheduling == HEAP
        for n in self.controllers:
            (self.w.fleet if n < 0 else &self.w.unit[self.w.unit_of_node[n]]).controlled = True
        self.controlled = len(self.controllers) > 0
        self.context = Context()
        self.context.w = self.w
        self.context.node_keys = self.built.node_keys
        self.most_drawn = READ_ROWS if self.built.releases else NEVER
        self.cap = self.built.plan.window_ps if self.asked is None else min(self.asked, self.built.plan.window_ps)
        self.cap_beside = min(self.cap, self.built.plan.beside_ps)
        self.span = min(self.cap, FIRST_WINDOW)
        self.most_records = max(SMALL_WINDOW * self.threads, min(RECORDS_EACH * self.w.mobiles, LARGE_WINDOW))
        for n, depth in enumerate(self.built.plan.ahead):
            if depth:
                run_ahead(&self.w.unit[<int>n], depth)
                self.crew.ahead.push_back(&self.w.unit[<int>n])
        for s, d, length in self.built.plan.leads:
            lead.source, lead.to, lead.length = &self.w.unit[<int>s], &self.w.unit[<int>d], length
            self.crew.leads.push_back(lead)
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
        single, many = getattr(controller, "on_event", None), getattr(controller, "on_batch", None)
        if single is None and many is None:
            raise TypeError(f"{controller!r} has neither on_event nor on_batch")
        batched = many is not None and (self.batch or single is None)
        self.controllers[node] = batched, many if batched else single
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
        self.beside_now = self.threads > 1 and self.scheduling != HEAP and self.cap_beside > 0
        self.least_beside = 0 if self.scheduling == WINDOWS else LEAST_BESIDE
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
        self.controllers = dict.fromkeys(self.controllers)
        if self.network.mobile_count >= MANY_MOBILES:
            gc.collect()
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
