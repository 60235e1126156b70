# distutils: language = c++
# cython: language_level=3
"""Public engine class: construction, controllers, running in slices and results, around the loop of ``engine/_loop.pyx``."""

import gc

import numpy as np

from engine.arguments import check_integer
from engine.compiled_network import CompiledNetwork
from engine.result_builder import build_result
from engine.link_trace import link_rows, trace_from_buffers, empty_trace
from engine.memory import memory_upper_bound
from engine.network import Network
from engine.network_columns import NetworkError
from engine.offered_load import numbering_ends, numbering_problem
from engine.quantities import format_duration, parse_duration
from engine.results import EngineStateError, MemoryLimitError, Sample

from libc.stdint cimport INT64_MAX, int64_t
from libc.stdlib cimport calloc

from engine._context cimport Context
from engine._interval_rows cimport IntervalRows
from engine._loop cimport AUTO, HEAP, LEVELS, WINDOWS, EventLoop
from engine.kernel.arena cimport trim_heap
from engine.kernel.link_trace cimport MAX_TUNNELS
from engine.kernel.memory_usage cimport measure_memory
from engine.kernel.next_event cimport MAX_RUN_PS, NEVER
from engine.kernel.result_columns cimport collect_columns, take_trace_buffers
from engine.kernel.sample cimport LINK_SAMPLE, NODE_SAMPLE, fill_sample
from engine.kernel.shortage cimport OUT_OF_MEMORY
from engine.kernel.thread_pool cimport new_thread_pool
from engine.kernel.worker_view cimport RunAheadArc, delete_view, new_view
from engine.kernel.world cimport RECORD_DROPS, RECORD_NONE, RECORD_PACKETS, World
from engine.kernel.world_init cimport delete_world, enable_run_ahead, init_world

cdef extern from *:
    const char *HANDOFF_SOURCE_DIGEST  # defined by setup.py

SOURCE_DIGEST = HANDOFF_SOURCE_DIGEST.decode()

cdef extern from *:
    int guard_init "handoff_guard"(
        int (*f)(World*, object, object, int, int, object) except -1,
        World* w, object built, object seed, int tunnel_limit, int record, object traced,
    ) noexcept
    int guard_view "handoff_guard"(int (*f)(Engine) except -1, Engine engine) noexcept

cdef enum:
    INITIAL_WINDOW_PS = 1000000000  # 1 ms; it adapts from there
    # A window whose packet-hops exceed both limits is halved. With 1,000 mobile nodes no other size is faster. The state of
    # many mobile nodes fits no cache, so that a visit should process several packets of each.
    WINDOW_HOPS_PER_THREAD = 32768
    WINDOW_HOPS_PER_MOBILE = 10
    MAX_WINDOW_HOPS = 1 << 21  # above this the rings grow without further gain
    RELEASE_AFTER_PACKETS = 1 << 21  # replayed packets after which the pages of mapped files are released: 25 MB of columns
    MIN_PARALLEL_HOPS = 1024  # packet-hops in a window below which threads wait for each other longer than they work
    MAX_THREADS = 64
    # With fewer mobile nodes, controllers hold too little memory to justify a full collection. Returning the heap to the
    # system would cost more than it saves: the next columns need zeroed pages again.
    MANY_MOBILES = 100000

_SCHEDULING = {"auto": AUTO, "window": WINDOWS, "level": LEVELS, "heap": HEAP}
_RECORD_LEVELS = {"none": RECORD_NONE, "drops": RECORD_DROPS, "packets": RECORD_PACKETS}


cdef int check_status(int status) except -1:
    """Raise MemoryLimitError if a guarded call ran out of memory; -1 means that it has set an exception."""
    if status == OUT_OF_MEMORY:
        raise MemoryLimitError("no memory for a run")
    return status


cdef int add_views(Engine engine) except -1:
    """Add a view of the world for each thread."""
    while engine.threads > 1 and engine.parallel.views.size() < <size_t>engine.threads:
        engine.parallel.views.push_back(new_view(engine.w))
    return 0


cdef class Engine(EventLoop):
    """Exact packet engine for networks of FIFO queues with mobile endpoints.

    Parameters
    ----------
    network : Network
        Network to run. It is validated and copied here: a later change of it has no effect on the engine.
    seed : int
        Seed of all random draws, 0 to 2**64 - 1.
    tunnel_limit : int
        Maximum number of encapsulations of one packet, 1 to 4.
    window_ps : int or None
        Largest window to use; None uses the largest exact one that fits the cache. It does not change the result.
    scheduling : {"auto", "window", "level", "heap"}
        Order of processing; it does not change the result. ``"window"`` processes a whole window at one unit after the other, and
        ``"level"`` at one level after the other: all units of a level together, on one thread. ``"auto"`` begins with
        units and continues with levels if a visit of a unit finds few packets. ``"heap"`` processes one instant of one unit at a
        time in time order, which is slower.
    record : {"none", "drops", "packets"}
        Per-packet records to keep.
    memory_limit_bytes : int or None
        Memory above which a run is refused or stopped.
    trace_links : iterable of str
        Links (names of ``Result.link_names``) whose packets are traced for ``take_trace``. Such a run uses one thread.
    threads : int
        Maximum number of nodes that are processed in parallel, 1 to 64; it does not change the result. Parallel windows are at
        most as long as the shortest link or uplink; links from nodes that hear no cell do not count. With few packets in a
        window, ``scheduling="auto"`` continues on one thread.

    Examples
    --------
    >>> from engine import Engine, Network
    >>> net = Network()
    >>> _ = net.node("server"), net.node("ap")
    >>> net.link("server", "ap", rate="100Mbit/s", delay="10ms", buffer_packets=100)
    >>> net.cell("ap", rate="10Mbit/s", delay="2ms", buffer_packets=100)
    >>> phone = net.mobile("phone", home="ap")
    >>> net.attach(phone, "ap"); net.set_local("ap", phone)
    >>> _ = net.cbr("server", phone, interval="20ms", size_bytes=250)
    >>> result = Engine(net).run("1s")
    >>> result.fate_counts()
    {'delivered': 50}
    >>> int(result.flows["delay_max_ps"][0])
    12220000000
    """

    def __init__(
        self, network, *, seed=1, tunnel_limit=4, window_ps=None, scheduling="auto", record="none", memory_limit_bytes=None,
        trace_links=(), threads=1,
    ):
        if not isinstance(network, Network):
            raise TypeError(f"an engine runs a Network, not {network!r}")
        if scheduling not in _SCHEDULING or record not in _RECORD_LEVELS:
            raise ValueError(
                f"scheduling is one of {list(_SCHEDULING)}, record of {list(_RECORD_LEVELS)}; got {scheduling!r}, {record!r}"
            )
        seed = check_integer("seed", seed, 0, 2**64 - 1)
        tunnel_limit = check_integer("tunnel_limit", tunnel_limit, 1, MAX_TUNNELS)
        threads = check_integer("threads", threads, 1, MAX_THREADS)
        if window_ps is not None:
            window_ps = check_integer("window_ps", window_ps, 1, INT64_MAX)
        if memory_limit_bytes is not None:
            memory_limit_bytes = check_integer("memory_limit_bytes", memory_limit_bytes, 0, INT64_MAX)
        network = network.fork()
        network.check()
        traced_links = tuple(trace_links)
        link_rows(traced_links, network.link_names())
        if self.network is not None:
            raise EngineStateError("an engine is made once")
        self.seed = seed
        self.tunnel_limit = tunnel_limit
        self.record_level = _RECORD_LEVELS[record]
        self.requested_window_ps = window_ps
        self.controllers = {}
        self.scheduling = _SCHEDULING[scheduling]
        self.memory_limit = memory_limit_bytes
        self.memory_checked_until = -1
        self.traced_links = traced_links
        self.threads = 1 if traced_links else threads
        self.pending_trace = empty_trace()
        self.numbered_until = numbering_ends(network).min(initial=NEVER)
        self.network = network

    def __dealloc__(self):
        self.discard_world()

    cdef int begin_use(self) except -1:
        """Claim the engine for one call. Every public call that reads or changes the world does so."""
        if self.network is None:
            raise EngineStateError("the engine has not been initialised")
        if self.use == IN_USE:
            raise EngineStateError("the engine is running: it serves one call at a time, from one thread")
        if self.use == BROKEN:
            raise EngineStateError("an exception broke its run off: make a new one")
        self.use = IN_USE
        return 0

    cdef int end_use(self) except -1:
        if self.use == IN_USE:
            self.use = IDLE
        return 0

    cdef int discard_world(self) except -1:
        cdef size_t i
        delete_world(self.w)  # its tables name queues whose memory the views own
        self.w = NULL
        for i in range(self.parallel.views.size()):
            delete_view(self.parallel.views[i])
        self.parallel.views.clear()
        self.parallel.run_ahead_units.clear()
        self.parallel.arcs.clear()
        return 0

    cdef int build_world(self) except -1:
        """Build the world, once the controllers are known: an uplink that nobody uses does not limit the window."""
        if self.w == NULL:
            try:
                self.fill_world()
            except BaseException:
                self.discard_world()
                raise
        return 0

    cdef int fill_world(self) except -1:
        cdef int n
        cdef RunAheadArc arc
        has_upstream_flows = bool((self.network.flow_mobiles()[0] >= 0).any())
        self.built = CompiledNetwork(self.network, uplinks=-1 in self.controllers or has_upstream_flows)
        traced = np.zeros(len(self.built.row_names) + 1, np.int64)
        traced[link_rows(self.traced_links, self.built.row_names)] = 1
        self.w = <World*>calloc(1, sizeof(World))
        if self.w == NULL:
            raise MemoryLimitError("no memory for a run")
        check_status(guard_init(init_world, self.w, self.built, self.seed, self.tunnel_limit, self.record_level, traced))
        self.built.release_inputs()
        if self.network.mobile_count >= MANY_MOBILES:
            trim_heap()
        self.w.time_ordered = self.scheduling == HEAP
        self.runs_by_level = self.scheduling == LEVELS
        for n in self.controllers:
            (self.w.mobile_unit if n < 0 else &self.w.unit[self.w.unit_of_node[n]]).has_controller = True
        self.has_controllers = len(self.controllers) > 0
        self.context = Context()
        self.context.w = self.w
        self.context.node_keys = self.built.node_keys
        self.release_after_packets = RELEASE_AFTER_PACKETS if self.built.releases else NEVER
        requested_ps = INT64_MAX if self.requested_window_ps is None else self.requested_window_ps
        self.max_window_ps = min(requested_ps, self.built.plan.window_ps)
        self.max_level_window_ps = min(requested_ps, self.built.plan.level_window_ps)
        self.max_parallel_window_ps = min(self.max_window_ps, self.built.plan.parallel_window_ps)
        self.current_window_ps = min(self.max_window_ps, INITIAL_WINDOW_PS)
        many_hops = min(WINDOW_HOPS_PER_MOBILE * self.w.mobiles, MAX_WINDOW_HOPS)
        self.max_window_hops = max(WINDOW_HOPS_PER_THREAD * self.threads, many_hops)
        for n, depth in enumerate(self.built.plan.run_ahead_depth):
            if depth:
                enable_run_ahead(&self.w.unit[<int>n], depth)
                self.parallel.run_ahead_units.push_back(&self.w.unit[<int>n])
        for source, destination, min_delay in self.built.plan.run_ahead_arcs:
            arc.source, arc.destination = &self.w.unit[<int>source], &self.w.unit[<int>destination]
            arc.min_delay = min_delay
            self.parallel.arcs.push_back(arc)
        return check_status(guard_view(add_views, self))

    # -- controllers ------------------------------------------------------------------------------------------------------
    def attach(self, node, controller):
        """Attach a controller to a node, before the run.

        A controller has a method ``on_event(ctx, event)``. An exception in it is raised by ``advance``, and the engine cannot
        be used afterwards.

        Raises
        ------
        TypeError
            If ``controller`` has no ``on_event``.
        ValueError
            If the node is unknown or the run has begun.
        """
        self.begin_use()
        try:
            self.put_controller(self.network.node_index(node), controller)
        finally:
            self.end_use()

    def attach_mobiles(self, controller):
        """Attach the controller of all mobile nodes, before the run."""
        self.begin_use()
        try:
            self.put_controller(-1, controller)
        finally:
            self.end_use()

    cdef int put_controller(self, int node, object controller) except -1:
        if self.w != NULL:
            raise EngineStateError("controllers are attached before the run")
        on_event = getattr(controller, "on_event", None)
        if not callable(on_event):
            raise TypeError(f"{controller!r} has no method on_event")
        self.controllers[node] = on_event
        return 0

    # -- running ------------------------------------------------------------------------------------------------------------
    def advance(self, to):
        """Run one slice up to ``to`` and return the time reached (ps). The GIL is released except in controllers."""
        cdef int64_t stop = parse_duration(to)
        self.begin_use()
        try:
            self.advance_to(stop, 0)
        finally:
            self.end_use()
        return self.reached_ps

    def advance_by_intervals(self, to, interval):
        """Run one slice up to ``to``, record each interval up to a multiple of ``interval``, and return the time reached (ps)."""
        cdef int64_t stop = parse_duration(to)
        cdef int64_t interval_ps = check_integer("interval", parse_duration(interval), 1, INT64_MAX)
        self.begin_use()
        try:
            self.advance_to(stop, interval_ps)
        finally:
            self.end_use()
        return self.reached_ps

    cdef int advance_to(self, int64_t stop, int64_t interval_ps) except -1:
        cdef int64_t next_stop
        if self.controllers_released:
            raise EngineStateError("the run is over: its controllers have been released")
        if stop < self.reached_ps:
            raise ValueError(f"the engine has reached {self.reached_ps} ps already")
        if stop > MAX_RUN_PS:
            raise ValueError(f"a run ends within 106 days, at {MAX_RUN_PS} ps; got {stop}")
        if stop > self.numbered_until:
            raise NetworkError(f"a run to {stop} ps: {numbering_problem(self.network)}")
        self.require_memory(stop)
        self.build_world()
        self.runs_parallel = (
            self.threads > 1 and self.scheduling != HEAP and self.scheduling != LEVELS and self.max_parallel_window_ps > 0
        )
        self.min_parallel_hops = 0 if self.scheduling == WINDOWS else MIN_PARALLEL_HOPS
        self.pool = new_thread_pool(self.threads) if self.runs_parallel else NULL
        self.runs_parallel = self.pool != NULL
        try:
            if interval_ps > 0 and self.intervals is None:
                self.intervals = IntervalRows(len(self.built.tallies), self.w.nodes)
                self.intervals.start(self.w, self.reached_ps)
            while interval_ps > 0 and stop - self.reached_ps >= interval_ps - self.reached_ps % interval_ps:
                next_stop = self.reached_ps + (interval_ps - self.reached_ps % interval_ps)
                with nogil:
                    self.run_guarded(next_stop)
                self.reached_ps = next_stop
                self.intervals.end_interval(self.w, next_stop)
            with nogil:
                self.run_guarded(stop)
        except BaseException:
            self.use = BROKEN
            raise
        finally:
            del self.pool
            self.pool = NULL
        self.reached_ps = stop
        return 0

    cdef int require_memory(self, int64_t until) except -1:
        if self.memory_limit is not None and until > self.memory_checked_until:
            need = memory_upper_bound(self.network, until)
            if need > self.memory_limit:
                raise MemoryLimitError(
                    f"a run to {format_duration(until)} may take {need:,} bytes, the limit is {self.memory_limit:,}: "
                    "allow more, or make buffers, delays or the number of mobiles smaller"
                )
            self.memory_checked_until = until
        return 0

    def check_memory(self, until):
        """Check the memory of a run to ``until`` against ``memory_limit_bytes``. Slices up to there need no check of their own.

        Raises
        ------
        MemoryLimitError
            If the run may take more.
        """
        cdef int64_t until_ps = parse_duration(until)
        self.begin_use()
        try:
            self.require_memory(until_ps)
        finally:
            self.end_use()

    def run(self, until):
        """Run from 0 to ``until`` and return the columns. An engine runs once.

        Raises
        ------
        ValueError
            If the engine has run before, or ``until`` is not a duration or exceeds 106 days.
        NetworkError
            If a flow may send 2**32 packets or more; nothing has been run then.
        MemoryLimitError
            If the run may take more than ``memory_limit_bytes``; nothing has been run then.
        ConservationError
            If a conservation law of docs/model.md, section 13, is violated: a defect of the engine.
        """
        cdef int64_t stop = parse_duration(until)
        self.begin_use()
        try:
            if self.reached_ps:
                raise EngineStateError("an engine runs once: make a new one")
            self.advance_to(stop, 0)
            return self.collect_result()
        finally:
            self.end_use()

    def release_controllers(self):
        """Release the controllers and their state when the run is over, so that ``result`` can use the memory."""
        self.begin_use()
        try:
            self.build_world()
            self.controllers_released = True
            self.controllers = dict.fromkeys(self.controllers)
            if self.network.mobile_count >= MANY_MOBILES:
                gc.collect()
                trim_heap()
        finally:
            self.end_use()

    def memory_estimate(self, until):
        """Return an upper bound, in bytes, of the memory that a run to ``until`` takes (docs/model.md, 15)."""
        if self.network is None:
            raise EngineStateError("the engine has not been initialised")
        return memory_upper_bound(self.network, parse_duration(until))

    @property
    def time_ps(self):
        """Time reached, in ps."""
        return self.reached_ps

    @property
    def window_ps(self):
        """Largest exact window W*, in ps."""
        self.begin_use()
        try:
            self.build_world()
            return self.built.plan.window_ps
        finally:
            self.end_use()

    @property
    def profile(self):
        """Counters of the run's work: windows of each kind, visits, heap steps, controller calls and their time in ns."""
        return {
            "windows": self.windows, "parallel_windows": self.parallel_windows, "level_windows": self.level_windows,
            "visits": self.visits, "heap_steps": self.heap_steps, "controller_calls": self.controller_calls,
            "controller_ns": self.controller_ns, "events": self.w.packet_hops if self.w != NULL else 0,
        }  # fmt: skip

    @property
    def memory(self):
        """Bytes in use by the run, by purpose (docs/model.md, 15): dict of str to int."""
        self.begin_use()
        try:
            self.build_world()
            return measure_memory(self.w, self.built)
        finally:
            self.end_use()

    def take_trace(self):
        """Take the trace of the chosen links since the last call, up to the time reached, as ``engine.link_trace.LinkTrace``.

        A long trace that is taken slice by slice needs little memory. The trace does not contain packets whose transmission has
        not begun at the end of the run, nor packets that were rescued from a downlink.
        """
        self.begin_use()
        try:
            self.build_world()
            trace = self.pending_trace.concat(trace_from_buffers(*take_trace_buffers(self.w, self.reached_ps)))
            before, self.pending_trace = trace.split(self.reached_ps)
            return before
        finally:
            self.end_use()

    def result(self):
        """Return the columns up to the time reached, after checking the conservation laws."""
        self.begin_use()
        try:
            self.build_world()
            return self.collect_result()
        finally:
            self.end_use()

    def sample(self):
        """Return the counters up to the time reached, as ``engine.results.Sample``: much faster than ``result``."""
        cdef int64_t[3] flows
        self.begin_use()
        try:
            self.build_world()
            links = np.empty((len(self.built.tallies), LINK_SAMPLE), np.int64)
            nodes = np.empty((self.w.nodes, NODE_SAMPLE), np.int64)
            fill_sample(self.w, links, nodes, flows, self.reached_ps)
            return Sample(self.reached_ps, links, nodes, (flows[0], flows[1], flows[2]))
        finally:
            self.end_use()

    def take_intervals(self):
        """End the interval that is being recorded, and return the rows so far as ``engine.results.IntervalTables``."""
        self.begin_use()
        try:
            if self.intervals is None:
                raise EngineStateError("advance_by_intervals has recorded no interval")
            self.intervals.end_interval(self.w, self.reached_ps)
            return self.intervals.take()
        finally:
            self.end_use()

    cdef object collect_result(self):
        try:
            columns = collect_columns(self.w, np, self.built, self.reached_ps)
        except BaseException:
            self.use = BROKEN  # the records of packets in flight remain in the world
            raise
        return build_result(self.built, self.reached_ps, columns)
