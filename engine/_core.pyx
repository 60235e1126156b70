# distutils: language = c++
# cython: language_level=3
"""The compiled engine: controllers' face, the loop over windows, and what is built and read around it."""

import time
from operator import index as exact

import numpy as np

from engine.build import Built
from engine.harvest import finish_result
from engine.memory import estimate
from engine.network import Network
from engine.quantities import FOREVER, duration
from engine.results import LawBroken, MemoryLimitError

cimport cython
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free
from libcpp.vector cimport vector

from engine.copies cimport Ledger
from engine.events cimport (
    BIND, BIND_MORE, CLOSE_SPAN, HOLD_UP, MARK, MESSAGE, OPEN_SPAN, ROUTE_UP, SEND, SET_HOLD, SET_LOCAL, TIMER, UNBIND,
    UNBIND_ALL, UNROUTE_UP, Action, Message, Pending, pop_event, push_event,
)
from engine.fifo cimport BROKEN_FRONTIER, NO_MEMORY, Fifo, Tally, delete_fifo, new_fifo
from engine.fleet cimport begin_fleet, finish_fleet, next_fleet
from engine.forwarding cimport set_local, set_tunnel
from engine.mixing cimport mix2
from engine.record cimport CONTROL_MOBILE, CONTROL_NODE, Record
from engine.sources cimport Law, Rotation, Source, push_source
from engine.state cimport close_world, count_left, open_world
from engine.table cimport Careof
from engine.units cimport begin_visit, finish_visit, next_time
from engine.world cimport (
    BUCKETS, DELIVERED, NEVER, UNIT_FLEET, UNIT_NODE, UNIT_SERVER, Boundary, Cell, Ended, Flow, Mobile, Span, Unit, World,
    end_message,
)

cdef int64_t LAST = 9200000000000000000  # ps, of any run: below 2**63 with room for what is under way

cdef enum:
    CACHE_RECORDS = 16384  # records that one window may move before it is halved: 512 KB of rings
    FIRST_WINDOW = 1000000000  # 1 ms: it grows and shrinks from there
    FEW = 3  # events a visit below which the heap of units is cheaper than windows

SCHEDULING = {"auto": 0, "window": 1, "heap": 2}
RECORDS = {"none": 0, "drops": 1, "packets": 2}


@cython.final
@cython.freelist(64)
cdef class Event:
    """One event for a controller (phase 1 of docs/model.md, section 4).

    Attributes
    ----------
    time_ps : int
        When it happens.
    node : int
        Where: a node's index, or -1 for the fleet of mobiles.
    mobile : int
        The mobile that it concerns.
    kind : int
        0 scheduled, 1 timer, 2 message.
    code : int
        The code given to ``Network.schedule``, ``Context.timer`` or ``Context.send``.
    source : int
        For a message: the node that sent it, -1 if the mobile did; else -1. For the fleet, a message's source cell is ``via``.
    via : int
        For a message to a mobile: the node whose cell it came through; else -1.
    args : tuple of int
        For a message its six arguments; otherwise (arg, 0, 0, 0, 0, 0).
    """

    cdef readonly int64_t time_ps
    cdef readonly int32_t node
    cdef readonly int32_t mobile
    cdef readonly int32_t kind
    cdef readonly int32_t code
    cdef readonly int32_t source
    cdef readonly int32_t via
    cdef readonly tuple args
    cdef int64_t fate
    cdef int64_t call  # of a controller, which it belongs to

    def __repr__(self):
        kind = ("scheduled", "timer", "message")[self.kind]
        return f"Event({kind} {self.code} at {self.time_ps} ps, node {self.node}, mobile {self.mobile}, args {self.args})"


cdef int64_t limit(object wanted) except -1:
    if wanted < 0:
        raise ValueError(f"a buffer holds at least 0 packets and bytes (0: no limit), not {wanted}")
    return exact(wanted)


@cython.final
cdef class Context:
    """What a controller may do, at the time of its current event, for that event's mobile."""

    cdef World* w
    cdef Unit* u
    cdef Event event
    cdef int64_t call
    cdef uint64_t order
    cdef dict sent  # (sender, mobile) -> messages so far
    cdef object node_keys
    cdef readonly int64_t time_ps
    cdef readonly int32_t node
    cdef readonly int32_t mobile

    def select(self, Event event not None):
        """Make ``event`` current; ``on_batch`` calls it before acting on one of its events."""
        if self.u == NULL or event.call != self.call:
            raise ValueError("only an event that the controller is being called for can be selected")
        self.make_current(event)

    cdef void make_current(self, Event event):
        self.event = event
        self.time_ps = event.time_ps
        self.node = event.node
        self.mobile = event.mobile

    cdef int acting(self) except -1:
        if self.u == NULL:
            raise ValueError("a context acts only while its controller is being called")
        if self.event is None:
            raise ValueError("select an event of the batch before acting on it")
        return 0

    cdef Action blank(self, int op) except *:
        cdef Action a
        self.acting()
        a.t = self.time_ps
        a.mobile = self.mobile
        a.mobile_key = self.w.mobile_key[self.mobile]
        a.order = self.order
        a.op = op
        a.a = a.b = 0
        a.until = NEVER
        a.at_mobile = 0
        self.order += 1
        return a

    cdef int at_node(self) except -1:
        if self.node < 0:
            raise ValueError("the fleet has no table: only a node's controller binds, holds and delivers locally")
        return 0

    cdef int at_fleet(self) except -1:
        if self.node >= 0:
            raise ValueError("only the controller of the mobiles routes upstream and measures spans")
        return 0

    cdef int64_t until(self, object until_ps) except -1:
        return NEVER if until_ps is None else exact(until_ps)  # a float would be cut off silently

    def send(self, int code, int to, *, int size_bytes, args=(), bint for_mobile=False, int via=-1):
        """Send a control message about the current mobile.

        Parameters
        ----------
        code : int
            Meaning of the message, the controller's own.
        to : int
            Node that it is addressed to. With ``for_mobile`` the table of that node takes it on to the mobile, like a data
            packet that came through a tunnel; ``to`` may then be this node itself.
        size_bytes : int
            IP length.
        args : sequence of int
            Up to six int64.
        via : int
            Fleet only, and needed there: the node through whose cell the mobile sends.

        Raises
        ------
        ValueError
            If ``to`` cannot be reached, is this node (and not ``for_mobile``), or ``via`` has no cell.
        """
        cdef Action a = self.blank(SEND)
        cdef Message m
        cdef uint32_t index
        cdef int i, start = self.node
        if not 0 <= to < self.w.nodes:
            raise ValueError(f"no node with index {to}: there are {self.w.nodes}")
        if not 1 <= size_bytes <= 65000 or len(args) > 6:
            raise ValueError("a message has 1 to 65000 bytes and at most six arguments")
        if self.node < 0:
            if not 0 <= via < self.w.nodes or self.w.cell_of_node[via] < 0:
                raise ValueError(f"a mobile sends via the cell of a node; node {via} has none")
            start = via
            a.a = self.w.cell_of_node[via]
        elif to == self.node and not for_mobile:
            raise ValueError("a node does not send messages to itself")
        if start != to and self.w.hop[<int64_t>start * self.w.nodes + to] == NULL:
            raise ValueError(f"no way from node {start} to node {to}")
        for i in range(6):
            m.args[i] = exact(args[i]) if i < len(args) else 0
        m.code = code
        m.mobile = self.mobile
        m.source = self.node
        m.references = 1
        count = self.sent.get((self.node, self.mobile), 0)
        self.sent[self.node, self.mobile] = count + 1
        m.packet_key = mix2(
            mix2(self.node_keys[self.node] if self.node >= 0 else self.w.mobile_key[self.mobile], a.mobile_key), count
        )
        if self.w.free_messages.size():
            index = self.w.free_messages.back()
            self.w.free_messages.pop_back()
            self.w.messages.data()[index] = m
        else:
            index = <uint32_t>self.w.messages.size()
            self.w.messages.push_back(m)
        a.record.t = a.record.born = self.time_ps
        a.record.flow = self.mobile
        a.record.seq = index
        a.record.size = <uint16_t>size_bytes
        a.record.to = <uint16_t>to
        a.record.extra = a.record.tunnels = a.record.copy = 0
        a.record.flags = CONTROL_MOBILE if for_mobile else CONTROL_NODE
        self.u.actions.push_back(a)

    def bind(self, int coa, *, int header_bytes=20, str end="router", until_ps=None, bint simultaneous=False):
        """Tunnel the current mobile's packets to the node ``coa`` from now on (docs/model.md, section 6)."""
        cdef Action a = self.blank(BIND_MORE if simultaneous else BIND)
        self.at_node()
        if end not in ("router", "mobile"):
            raise ValueError(f"a tunnel ends at the 'router' or the 'mobile', not {end!r}")
        if coa == self.node or not 0 <= coa < self.w.nodes or self.w.hop[<int64_t>self.node * self.w.nodes + coa] == NULL:
            raise ValueError(f"care-of node {coa} cannot be reached from node {self.node}")
        if not 0 <= header_bytes <= 60:
            raise ValueError("a tunnel header has 0 to 60 bytes")
        a.a, a.b, a.until, a.at_mobile = coa, header_bytes, self.until(until_ps), end == "mobile"
        self.u.actions.push_back(a)

    def local(self, *, until_ps=None):
        """Deliver the current mobile's packets into this node's own cell from now on."""
        cdef Action a = self.blank(SET_LOCAL)
        self.at_node()
        if self.w.cell_of_node[self.node] < 0:
            raise ValueError(f"node {self.node} has no cell")
        a.until = self.until(until_ps)
        self.u.actions.push_back(a)

    def hold(self, *, packets=0, bytes=0, until_ps=None):
        """Hold the current mobile's packets in a buffer of this node; 0 means unlimited."""
        cdef Action a = self.blank(SET_HOLD)
        self.at_node()
        a.a, a.b, a.until = limit(packets), limit(bytes), self.until(until_ps)
        self.u.actions.push_back(a)

    def unbind(self, coa=None):
        """Remove one care-of node, or (None) the whole entry; nothing happens if there is none."""
        cdef Action a = self.blank(UNBIND_ALL if coa is None else UNBIND)
        self.at_node()
        a.a = -1 if coa is None else coa
        self.u.actions.push_back(a)

    def timer(self, at_ps, int code, arg=0):
        """An event of kind 1 for this controller and the current mobile, at ``at_ps`` (not before now)."""
        cdef Pending e
        cdef int64_t at = exact(at_ps)
        self.acting()
        if at < self.time_ps:
            raise ValueError(f"a timer at {at} ps is in the past: it is {self.time_ps} ps")
        e.t, e.mobile, e.mobile_key, e.kind = at, self.mobile, self.w.mobile_key[self.mobile], TIMER
        e.major, e.minor, e.arg, e.code, e.message, e.via = 0, self.u.counter, exact(arg), code, -1, -1
        self.u.counter += 1
        push_event(self.u.pending, &e)
        if at < self.u.next:
            self.u.next = at

    def reject(self, int fate):
        """Give the current message the fate ``AUTHENTICATION_FAILED`` or ``REPLAYED`` instead of delivered."""
        self.acting()
        if self.event.kind != MESSAGE or fate not in (12, 13):
            raise ValueError("only a message is rejected, as AUTHENTICATION_FAILED or REPLAYED")
        self.event.fate = fate

    def route_up(self, int node):
        """Fleet: send the mobile's upstream data through the cell of ``node``; what it held goes first."""
        cdef Action a = self.blank(ROUTE_UP)
        self.at_fleet()
        if not 0 <= node < self.w.nodes or self.w.cell_of_node[node] < 0:
            raise ValueError(f"node {node} has no cell")
        a.a = self.w.cell_of_node[node]
        self.u.actions.push_back(a)

    def hold_up(self, *, packets=0, bytes=0):
        """Fleet: hold upstream data at the mobile; 0 means unlimited."""
        cdef Action a = self.blank(HOLD_UP)
        self.at_fleet()
        a.a, a.b = limit(packets), limit(bytes)
        self.u.actions.push_back(a)

    def unroute_up(self):
        """Fleet: no upstream route; what it held and sends is dropped as detached."""
        cdef Action a = self.blank(UNROUTE_UP)
        self.at_fleet()
        self.u.actions.push_back(a)

    def open_span(self, int64_t id):
        """Fleet: measure deliveries to this mobile (all its down flows) from now on as a row of ``Result.spans``.

        An open span of the mobile ends first.
        """
        cdef Action a = self.blank(OPEN_SPAN)
        self.at_fleet()
        a.a = id
        self.u.actions.push_back(a)

    def close_span(self):
        """Fleet: the span ends with the first delivery at or after now (which it still counts)."""
        cdef Action a = self.blank(CLOSE_SPAN)
        self.at_fleet()
        self.u.actions.push_back(a)

    def mark(self, int node):
        """Fleet: deliveries through the cell of ``node`` from now on count as ``after_marker`` in the open span."""
        cdef Action a = self.blank(MARK)
        self.at_fleet()
        if not 0 <= node < self.w.nodes or self.w.cell_of_node[node] < 0:
            raise ValueError(f"node {node} has no cell")
        a.a = self.w.cell_of_node[node]
        self.u.actions.push_back(a)


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
    cdef int scheduling
    cdef bint heap_now
    cdef bint batch
    cdef bint halfway  # while it runs; for good once an exception broke a run off
    cdef object memory_limit
    cdef object seed
    cdef object asked  # window_ps
    cdef int tunnel_limit
    cdef int record
    cdef int64_t windows, visits, steps, calls, controller_ns, few_events, few_visits

    def __init__(
        self, network, *, seed=1, int tunnel_limit=4, window_ps=None, scheduling="auto", dispatch="event", record="none",
        memory_limit_bytes=None,
    ):
        if not isinstance(network, Network):
            raise TypeError(f"an engine runs a Network, not {network!r}")
        if scheduling not in SCHEDULING or record not in RECORDS or dispatch not in ("event", "batch"):
            raise ValueError(
                f"scheduling is one of {list(SCHEDULING)}, record of {list(RECORDS)}, dispatch 'event' or 'batch'; "
                f"got {scheduling!r}, {record!r}, {dispatch!r}"
            )
        if not 1 <= tunnel_limit <= 4:
            raise ValueError("the tunnel limit is 1 to 4")
        if window_ps is not None and window_ps < 1:
            raise ValueError("a window is at least 1 ps")
        if self.network is not None:
            raise ValueError("an engine is made once")
        network.check()
        self.network = network
        self.seed = int(seed)
        self.tunnel_limit = tunnel_limit
        self.record = RECORDS[record]
        self.asked = window_ps
        self.controllers = {}
        self.scheduling = SCHEDULING[scheduling]
        self.heap_now = scheduling == "heap"
        self.batch = dispatch == "batch"
        self.memory_limit = memory_limit_bytes

    def __dealloc__(self):
        close_world(self.w)

    cdef int open(self) except -1:
        """Build the state, once the controllers are known: uplinks that nobody uses bound no window."""
        cdef int n
        if self.w != NULL:
            return 0
        self.built = Built(self.network, uplinks=-1 in self.controllers or bool(self.network.flows()["up"].any()))
        self.w = open_world(self.built, self.seed, self.tunnel_limit, self.record)
        for n in self.controllers:
            (self.w.fleet if n < 0 else &self.w.unit[self.w.unit_of_node[n]]).controlled = True
        self.context = Context()
        self.context.w = self.w
        self.context.sent = {}
        self.context.node_keys = self.built.node_keys
        self.cap = self.built.plan.window_ps if self.asked is None else min(self.asked, self.built.plan.window_ps)
        self.span = min(self.cap, FIRST_WINDOW)
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
        if e.kind == MESSAGE:
            m = &self.w.messages.data()[e.message]
            event.source = m.source
            event.args = (m.args[0], m.args[1], m.args[2], m.args[3], m.args[4], m.args[5])
        else:
            event.source = -1
            event.args = (e.arg, 0, 0, 0, 0, 0)
        return event

    cdef int end_event(self, Pending* e, int64_t fate) except -1:
        if e.kind == MESSAGE:
            self.w.fates[1][fate] += 1
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
    cdef int visit(self, Unit* u, int64_t end) except -1 nogil:
        """One unit up to ``end``: pass 1, its controller, pass 2."""
        cdef World* w = self.w
        cdef Pending e
        cdef bint asked
        self.visits += 1
        u.next = NEVER
        asked = begin_fleet(w, u, end) if u.kind == UNIT_FLEET else begin_visit(w, u, end)
        if asked:
            if u.controlled:
                with gil:
                    self.control(u, end)
            else:
                while u.pending.size() and u.pending.data()[0].t < end:
                    e = pop_event(u.pending)
                    if e.kind == MESSAGE:
                        w.fates[1][DELIVERED] += 1
                        end_message(w, e.message)
        if u.kind == UNIT_FLEET:
            finish_fleet(w, u, end)
            next_fleet(u)
        else:
            finish_visit(w, u, end)
            u.next = next_time(w, u)
        if w.failure:
            w.failure_unit = u.rank
            return self.broken()
        return 0

    cdef int broken(self) except -1 nogil:
        with gil:
            unit = self.built.plan.units[self.w.failure_unit].name
            if self.w.failure == NO_MEMORY:
                raise MemoryLimitError(f"no memory left at {self.w.failure_time} ps, unit {unit!r}")
            link = self.w.failure_link.key if self.w.failure_link != NULL else 0
            raise LawBroken(
                f"a packet would arrive before its destination's frontier: unit {unit!r}, link key {link:#x}, "
                f"time {self.w.failure_time} ps"
            )

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
            before = w.events
            for i in range(w.units):
                u = &w.unit[i]
                if u.next < end:
                    self.visit(u, end)
                u.frontier = end
            self.windows += 1
            before = w.events - before
            if before > CACHE_RECORDS and self.span > 1:
                self.span >>= 1
            elif before < CACHE_RECORDS // 4 and self.span < self.cap:
                self.span = self.span * 2 if self.span < self.cap - self.span else self.cap
            begin = self.earliest()
            if self.scheduling == 0 and self.visits - visits0 >= 1024:
                if w.events - events0 < FEW * (self.visits - visits0):
                    self.heap_now = True
                    return 0
                events0 = w.events
                visits0 = self.visits
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
            self.visit(u, t + 1)
            u.frontier = t + 1
            self.steps += 1
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
        while self.earliest() < stop:
            if self.heap_now:
                self.by_heap(stop)
            else:
                self.by_windows(stop)
        for i in range(self.w.units):
            self.w.unit[i].frontier = stop
        return 0

    # -- running ------------------------------------------------------------------------------------------------------------
    def advance(self, to):
        """Run one slice up to ``to`` and return the time reached (ps); the GIL is free meanwhile, but for controllers."""
        cdef int64_t stop = duration(to)
        self.whole()
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
        with nogil:
            self.go(stop)
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

    def memory_estimate(self, until):
        """Upper bound, in bytes, of what a run until then takes; see docs/model.md for the bound of a ring."""
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
        """Counters of the run's own work: windows, visits, heap steps, controller calls, controller_ns."""
        return {
            "windows": self.windows, "visits": self.visits, "heap_steps": self.steps, "controller_calls": self.calls,
            "controller_ns": self.controller_ns, "events": self.w.events if self.w != NULL else 0,
        }  # fmt: skip

    def result(self):
        """Columns up to the time reached; checks every law."""
        self.whole()
        self.open()
        return finish_result(self.built, self.reached, _columns(self))


cdef dict _columns(Engine engine):
    """Raw columns of the state, for harvest.py to name and to check."""
    cdef World* w = engine.w
    cdef int64_t i, k
    cdef int64_t[:, ::1] left, left_fates, flows, spans, ended, links, nodes, fates
    cdef Tally* y
    cdef Unit* u
    left_np = np.zeros((w.flows + 1, 1), np.int64)
    queued_np = np.zeros((len(engine.built.tallies), 2), np.int64)
    left = left_np
    cdef int64_t[:, ::1] queued = queued_np
    cdef size_t ended_before = w.ended.size()
    cdef int64_t control_left = count_left(w, engine.reached, left, queued)
    flows_np = np.zeros((w.flows, 11), np.int64)
    flows = flows_np
    cdef Flow* f
    for i in range(w.flows):
        f = &w.flow[i]
        flows[i, 0], flows[i, 1], flows[i, 2], flows[i, 3] = w.sent[i], f.copies, f.delivered, f.duplicate
        flows[i, 4], flows[i, 5], flows[i, 6] = f.dropped, f.lost, f.reordered
        flows[i, 7], flows[i, 8], flows[i, 9], flows[i, 10] = f.delay_sum, f.delay_max, f.gap_max, f.last
    spans_np = np.zeros((w.spans.size(), 13), np.int64)
    spans = spans_np
    for i in range(<int64_t>w.spans.size()):
        for k in range(13):
            spans[i, k] = (<int64_t*>&w.spans.data()[i])[k]
    ended_np = np.zeros((w.ended.size(), 7), np.int64)
    ended = ended_np
    for i in range(<int64_t>w.ended.size()):
        ended[i, 0], ended[i, 1] = w.ended.data()[i].flow, w.ended.data()[i].seq
        ended[i, 2], ended[i, 3] = w.ended.data()[i].copy, w.ended.data()[i].fate
        ended[i, 4], ended[i, 5], ended[i, 6] = w.ended.data()[i].t, w.ended.data()[i].node, w.ended.data()[i].delay
    w.ended.resize(ended_before)  # those in flight are noted anew each time
    fates_np = np.zeros((2, 15), np.int64)
    fates = fates_np
    for i in range(2):
        for k in range(15):
            fates[i, k] = w.fates[i][k]
    fates[0, 14] = int(left_np.sum())
    fates[1, 14] = control_left
    nodes_np = np.zeros((w.nodes, 9), np.int64)
    nodes = nodes_np
    for i in range(w.nodes):
        u = &w.unit[w.unit_of_node[i]]
        nodes[i, 3] = u.messages
        y = u.registration.line.tally
        nodes[i, 4], nodes[i, 5], nodes[i, 6] = y.dropped, y.peak_packets, w.tables[i].peak
        nodes[i, 7], nodes[i, 8] = u.held_peak_packets, u.held_peak_bytes
    for i in range(w.units):
        u = &w.unit[i]
        if u.kind == UNIT_SERVER:
            y = u.server.line.tally
            nodes[u.node, 0], nodes[u.node, 1], nodes[u.node, 2] = y.packets, y.dropped, y.peak_packets
    return {
        "flows": flows_np, "left": left_np[:, 0], "queued": queued_np, "spans": spans_np, "ended": ended_np,
        "fates": fates_np, "nodes": nodes_np, "fingerprint": w.fingerprint, "events": w.events,
        "histogram": np.array([w.histogram[i] for i in range(BUCKETS)], np.int64),
        "record": w.record,
    }  # fmt: skip
