# distutils: language = c++
# cython: language_level=3
"""What a controller sees and may do: events, and actions at their time."""

from operator import index as exact

cimport cython
from libc.stdint cimport int64_t, uint16_t, uint32_t

from engine.kernel.next_event cimport lower
from engine.kernel.events cimport (
    BIND, BIND_MORE, CLOSE_SPAN, HOLD_UP, MARK, MESSAGE, OPEN_SPAN, ROUTE_UP, SEND, SET_HOLD, SET_LOCAL, TIMER, UNBIND,
    UNBIND_ALL, UNROUTE_UP, Action, Message, Pending, push_event,
)
from engine.kernel.rng cimport mix2
from engine.kernel.packet cimport CONTROL_MOBILE, CONTROL_NODE
from engine.kernel.world cimport NEVER, mobile_key


@cython.final
@cython.freelist(64)
@cython.no_gc  # its arguments are numbers
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
        0 scheduled, 1 timer, 2 message, 3 refused message: one that found the registration queue full at a node that has
        ``registration_answers`` (``Network.node``). It is dropped already, and may be answered.
    code : int
        The code given to ``Network.schedule``, ``Context.timer`` or ``Context.send``.
    source : int
        For a message (kind 2 or 3): the node that sent it, -1 if the mobile did; else -1. For the fleet, a message's source
        cell is ``via``.
    via : int
        For a message to a mobile: the node whose cell it came through; else -1.
    args : tuple of int
        For a message (kind 2 or 3) its six arguments; otherwise (arg, 0, 0, 0, 0, 0).
    """

    def __repr__(self):
        kind = ("scheduled", "timer", "message", "refused message")[self.kind]
        return f"Event({kind} {self.code} at {self.time_ps} ps, node {self.node}, mobile {self.mobile}, args {self.args})"


cdef int64_t whole(object value) except? -1:
    """As an int64; a float would be cut off silently."""
    return value if type(value) is int else exact(value)


cdef int64_t limit(object wanted) except -1:
    if wanted < 0:
        raise ValueError(f"a buffer holds at least 0 packets and bytes (0: no limit), not {wanted}")
    return whole(wanted)


@cython.final
cdef class Context:
    """What a controller may do, at the time of its current event, for that event's mobile."""

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
        a.mobile_key = mobile_key(self.w, self.mobile)
        a.order = self.order
        a.op = op
        a.a = a.b = 0
        a.until = NEVER
        a.at_mobile = a.again = 0
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

    cdef bint copying(self, bint again) except -1:
        if again and not self.w.in_order:
            raise ValueError("'again' copies what is in the air: run the engine with scheduling='heap'")
        return again

    cdef int64_t until(self, object until_ps) except -1:
        return NEVER if until_ps is None else whole(until_ps)

    def send(self, int code, int to, *, int size_bytes, args=(), bint for_mobile=False, int via=-1, bint radio=False):
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
        radio : bool
            With ``for_mobile`` and ``to`` this node: straight into its cell's downlink, whatever its table says.

        Raises
        ------
        ValueError
            If ``to`` cannot be reached, is this node (and not ``for_mobile``), ``via`` has no cell, or ``radio`` makes no sense.
        """
        cdef Action a = self.blank(SEND)
        cdef Message m
        cdef uint32_t index
        cdef uint32_t* count
        cdef int i, start = self.node
        cdef tuple said = <tuple>args if isinstance(args, tuple) else tuple(args)
        if not 0 <= to < self.w.nodes:
            raise ValueError(f"no node with index {to}: there are {self.w.nodes}")
        if not 1 <= size_bytes <= 65000 or len(said) > 6:
            raise ValueError("a message has 1 to 65000 bytes and at most six arguments")
        if self.node < 0:
            if not 0 <= via < self.w.nodes or self.w.cell_of_node[via] < 0:
                raise ValueError(f"a mobile sends via the cell of a node; node {via} has none")
            start = via
            a.a = self.w.cell_of_node[via]
        elif to == self.node and not for_mobile:
            raise ValueError("a node does not send messages to itself")
        if radio and (not for_mobile or to != self.node or self.w.cell_of_node[to] < 0):
            raise ValueError("only a node with a cell sends by radio, for a mobile and addressed to the node itself")
        a.b = radio
        if start != to and self.w.hop[start][<int64_t>to] == NULL:
            raise ValueError(f"no way from node {start} to node {to}")
        for i in range(6):
            m.args[i] = whole(said[i]) if i < len(said) else 0
        m.code = code
        m.mobile = self.mobile
        m.source = self.node
        m.references = 1
        count = &self.sent[<int64_t>self.mobile << 32 | <int64_t>(self.node + 1)]
        m.packet_key = mix2(
            mix2(self.node_keys[self.node] if self.node >= 0 else mobile_key(self.w, self.mobile), a.mobile_key), count[0]
        )
        count[0] += 1
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

    def bind(self, int coa, *, int header_bytes=20, str end="router", until_ps=None, bint simultaneous=False, bint again=False):
        """Tunnel the current mobile's packets to the node ``coa`` from now on (docs/model.md, section 6).

        ``again``: copies of the data that the cell is sending at this moment go there, too; the engine's ``scheduling`` has to be
        ``"heap"`` for that, since in a window the radio may be ahead of the node.
        """
        cdef Action a = self.blank(BIND_MORE if simultaneous else BIND)
        self.at_node()
        if end not in ("router", "mobile"):
            raise ValueError(f"a tunnel ends at the 'router' or the 'mobile', not {end!r}")
        if coa == self.node or not 0 <= coa < self.w.nodes or self.w.hop[self.node][<int64_t>coa] == NULL:
            raise ValueError(f"care-of node {coa} cannot be reached from node {self.node}")
        if not 0 <= header_bytes <= 60:
            raise ValueError("a tunnel header has 0 to 60 bytes")
        a.a, a.b, a.until, a.at_mobile, a.again = coa, header_bytes, self.until(until_ps), end == "mobile", self.copying(again)
        self.u.actions.push_back(a)

    def local(self, *, until_ps=None):
        """Deliver the current mobile's packets into this node's own cell from now on."""
        cdef Action a = self.blank(SET_LOCAL)
        self.at_node()
        if self.w.cell_of_node[self.node] < 0:
            raise ValueError(f"node {self.node} has no cell")
        a.until = self.until(until_ps)
        self.u.actions.push_back(a)

    def hold(self, *, packets=0, bytes=0, until_ps=None, bint again=False):
        """Hold the current mobile's packets in a buffer of this node; 0 means unlimited; ``again`` as for ``bind``."""
        cdef Action a = self.blank(SET_HOLD)
        self.at_node()
        a.a, a.b, a.until, a.again = limit(packets), limit(bytes), self.until(until_ps), self.copying(again)
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
        cdef int64_t at = whole(at_ps)
        self.acting()
        if at < self.time_ps:
            raise ValueError(f"a timer at {at} ps is in the past: it is {self.time_ps} ps")
        if self.node < 0 and self.w.mobile[self.mobile].timers == 0xFFFF:
            raise ValueError(f"mobile {self.mobile} waits for 65,535 timers already")
        e.t, e.mobile, e.mobile_key, e.kind = at, self.mobile, mobile_key(self.w, self.mobile), TIMER
        e.major, e.minor, e.arg, e.code, e.message, e.via = 0, self.u.counter, whole(arg), code, -1, -1
        self.u.counter += 1
        push_event(self.u.pending, &e)
        if self.node < 0:
            self.w.mobile[self.mobile].timers += 1
        lower(self.u.next, at)

    def reject(self, int fate):
        """Give the current message (kind 2) the fate ``AUTHENTICATION_FAILED`` or ``REPLAYED`` instead of delivered.

        A refused message (kind 3) has its fate already.
        """
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
