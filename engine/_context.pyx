# distutils: language = c++
# cython: language_level=3
"""Interface of controllers: the events that they get, and the actions that they request at the time of an event."""

from enum import IntEnum
from engine.arguments import check_integer

cimport cython
from cpython.long cimport PyLong_AsLongLongAndOverflow
from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, int32_t, int64_t, uint16_t, uint32_t
from libcpp.unordered_map cimport unordered_map

from engine.kernel.events cimport (
    ADD_BINDING, BEGIN_MEASUREMENT, BIND, BIND_BESIDE_CELL, BUFFER_UPSTREAM, CLEAR_UPSTREAM_ROUTE, COUNT_AFTER_MARKER,
    DELIVER_LOCALLY, END_MEASUREMENT, EVENT_MESSAGE, EVENT_REFUSED, EVENT_SCHEDULED, EVENT_TIMER, MAX_ARGS, SEND, SET_BUFFER,
    SET_UPSTREAM_ROUTE, UNBIND, UNBIND_ALL, Action, ControllerEvent, Message, push_event,
)
from engine.kernel.binding_table cimport ENDS_AT_MOBILE, HOSTILE_TUNNEL, NO_GATE, RELAYED_PACKETS
from engine.kernel.fates cimport AUTHENTICATION_FAILED, REPLAYED
from engine.kernel.fifo cimport UNLIMITED
from engine.kernel.next_event cimport NEVER
from engine.kernel.packet cimport CONTROL_MOBILE, CONTROL_NODE, LIKE_DATA
from engine.kernel.rng cimport combine
from engine.kernel.shortage cimport make_room
from engine.kernel.vector cimport vector
from engine.kernel.world cimport mobile_key

cdef enum:
    MIN_MESSAGE_BYTES = 1
    MAX_MESSAGE_BYTES = 65000
    MAX_HEADER_BYTES = 60
    MAX_GATE = 15  # tunnels of a packet
    MAX_TIMERS = 0xFFFF  # MobileNode.pending_timers has 16 bits

cdef tuple KIND_NAMES = ("scheduled", "timer", "message", "refused message")


class EventKind(IntEnum):
    """Kind of an event that a controller gets."""

    SCHEDULED = EVENT_SCHEDULED
    TIMER = EVENT_TIMER
    MESSAGE = EVENT_MESSAGE
    REFUSED_MESSAGE = EVENT_REFUSED


@cython.final
@cython.freelist(64)
@cython.no_gc  # the attributes are integers and a tuple of integers: no reference cycle is possible
cdef class Event:
    """One event for a controller (phase 1 of docs/model.md, section 4).

    Attributes
    ----------
    time_ps : int
        Time of the event.
    node : int
        Index of the controller's node, or -1 for the controller of the mobile nodes.
    mobile : int
        Mobile node that the event concerns.
    kind : int
        A value of :class:`EventKind`: 0 scheduled event, 1 timer, 2 message, 3 refused message. A refused message found the
        registration queue full at a node with ``registration_answers`` (``Network.node``). It is dropped already, and the
        controller may answer it.
    code : int
        The code given to ``Network.schedule``, ``Context.timer`` or ``Context.send``.
    source : int
        For a message (kind 2 or 3): the node that sent it, or -1 if the mobile node did. Otherwise -1. The cell that a mobile
        node received a message through is ``via``.
    via : int
        For a message to a mobile node: the node whose cell it came through. Otherwise -1.
    args : tuple of int
        For a message (kind 2 or 3) its six arguments; otherwise (arg, 0, 0, 0, 0, 0).
    """

    def __repr__(self):
        kind = KIND_NAMES[self.kind]
        return f"Event({kind} {self.code} at {self.time_ps} ps, node {self.node}, mobile {self.mobile}, args {self.args})"


cdef extern from *:
    """
    #include <structmember.h>
    #define HANDOFF_MEMBER(o, name, field) handoff_publish((PyObject*)(o), name, (char*)&(o)->field - (char*)(o))
    #define HANDOFF_EVENT_MEMBERS(o) ( \
        HANDOFF_MEMBER(o, "time_ps", time_ps) || HANDOFF_MEMBER(o, "node", node) || HANDOFF_MEMBER(o, "mobile", mobile) || \
        HANDOFF_MEMBER(o, "kind", kind) || HANDOFF_MEMBER(o, "code", code) || HANDOFF_MEMBER(o, "source", source) || \
        HANDOFF_MEMBER(o, "via", via) || HANDOFF_MEMBER(o, "args", args) ? -1 : 0)
    #define HANDOFF_CONTEXT_MEMBERS(o) ( \
        HANDOFF_MEMBER(o, "time_ps", time_ps_object) || HANDOFF_MEMBER(o, "node", node_object) || \
        HANDOFF_MEMBER(o, "mobile", mobile_object) ? -1 : 0)
    static PyMemberDef handoff_members[11]; /* as many as the two lists above have */
    static int handoff_member_count = 0;
    /* Makes the object at an offset of the instances of a class a read-only attribute. */
    static int handoff_publish(PyObject* instance, const char* name, Py_ssize_t offset) {
        PyTypeObject* type = Py_TYPE(instance);
        PyMemberDef* member = &handoff_members[handoff_member_count];
        PyObject* attribute;
        int status;
        if (handoff_member_count++ == (int)(sizeof(handoff_members) / sizeof(*handoff_members))) {
            PyErr_SetString(PyExc_SystemError, "handoff_members has no room for all attributes");
            return -1;
        }
        member->name = name;
        member->type = T_OBJECT_EX;
        member->offset = offset;
        member->flags = READONLY;
        attribute = PyDescr_NewMember(type, member);
        if (!attribute) return -1;
        status = PyDict_SetItemString(type->tp_dict, name, attribute);
        Py_DECREF(attribute);
        PyType_Modified(type);
        return status;
    }
    """
    int publish_event "HANDOFF_EVENT_MEMBERS"(Event event) except -1
    int publish_context "HANDOFF_CONTEXT_MEMBERS"(Context ctx) except -1


cdef int publish_attributes() except -1:
    """Make the objects of events and contexts attributes in Python.

    A read of a member takes less than half the time of a getter of its own, and controllers read several for each event.
    """
    cdef Event event = Event.__new__(Event)
    cdef Context ctx = Context.__new__(Context)
    publish_event(event)
    return publish_context(ctx)


cdef int64_t convert_or_refuse(object value, str name, int64_t low, int64_t high) except? -1:
    """Convert or refuse what is no integer in range; out of line, so that ``to_integer`` is short enough for its callers."""
    return check_integer(name, value, low, high)


cdef inline int64_t to_integer(object value, str name, int64_t low, int64_t high) except? -1:
    """Return an integer argument from ``low`` to ``high``; ``engine.arguments.check_integer`` refuses others."""
    cdef int overflow = 0
    cdef int64_t number
    if type(value) is int:
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        if not overflow and low <= number <= high:
            return number
    return convert_or_refuse(value, name, low, high)


cdef inline int64_t to_int64(object value, str name) except? -1:
    return to_integer(value, name, INT64_MIN, INT64_MAX)


cdef inline int32_t to_int32(object value, str name) except? -1:
    return <int32_t>to_integer(value, name, INT32_MIN, INT32_MAX)


cdef int64_t to_buffer_limit(object limit, str name) except -1:
    return UNLIMITED if limit is None else to_integer(limit, name, 0, INT64_MAX)


cdef extern from *:
    """
    /* Returns the value of a key, 0 if it is new. */
    template <typename M> static inline uint32_t* handoff_count_of(M* counts, int64_t key) { return &(*counts)[key]; }
    /* Makes room for one more message, and for the end of each: it then needs no memory. */
    template <typename V, typename F> static inline void handoff_make_room_for_message(V* messages, F* free_messages) {
        if (messages->size() == messages->capacity()) messages->reserve(2 * messages->size() + 1);
        free_messages->reserve(messages->capacity());
    }
    """
    uint32_t* count_of "handoff_count_of"(unordered_map[int64_t, uint32_t]* counts, int64_t key) except +
    void make_room_for_message "handoff_make_room_for_message"(
        vector[Message]* messages, vector[uint32_t]* free_messages
    ) except +


@cython.final
cdef class Context:
    """Actions that a controller may request, at the time of its current event and for that event's mobile node."""

    def __cinit__(self):
        self.time_ps_object = self.node_object = self.mobile_object = 0

    cdef void make_current(self, Event event, int64_t time_ps, int32_t node, int32_t mobile):
        self.event = event
        self.time_ps, self.node, self.mobile = time_ps, node, mobile
        self.time_ps_object, self.node_object, self.mobile_object = event.time_ps, event.node, event.mobile

    cdef int require_active(self) except -1:
        if self.u == NULL:
            raise ValueError("a context acts only while its controller is being called")
        return 0

    cdef Action new_action(self, int op) except *:
        cdef Action a
        self.require_active()
        make_room(self.u.actions)
        a.t = self.time_ps
        a.mobile = self.mobile
        a.mobile_key = mobile_key(self.w, self.mobile)
        a.order = self.order
        a.op = op
        a.arg0 = a.arg1 = 0
        a.expiry = NEVER
        a.tunnel_flags = a.copy_in_flight = 0
        a.gate = NO_GATE
        self.order += 1
        return a

    cdef int require_node(self) except -1:
        if self.node < 0:
            raise ValueError("the mobile nodes have no table: only a node's controller binds, buffers and delivers locally")
        return 0

    cdef int require_mobiles(self) except -1:
        if self.node >= 0:
            raise ValueError("only the controller of the mobile nodes routes upstream and measures spans")
        return 0

    cdef int require_cell(self, object node_index) except -1:
        """Return the cell of a node."""
        cdef int64_t node = to_int64(node_index, "node")
        if not 0 <= node < self.w.nodes or self.w.cell_of_node[node] < 0:
            raise ValueError(f"node {node} has no cell")
        return self.w.cell_of_node[node]

    cdef bint check_copy_in_flight(self, bint copy_in_flight) except -1:
        if copy_in_flight and not self.w.time_ordered:
            raise ValueError("'copy_in_flight' copies packets on the air: run the engine with scheduling='heap'")
        return copy_in_flight

    cdef int64_t to_expiry(self, object until_ps) except -1:
        return NEVER if until_ps is None else to_int64(until_ps, "until_ps")

    def send(self, code, to, *, size_bytes, args=(), bint for_mobile=False, via=-1, bint radio=False, bint like_data=False,
             bint hostile=False):
        """Send a control message about the current mobile node.

        Parameters
        ----------
        code : int
            Meaning of the message, defined by the controllers.
        to : int
            Destination node. With ``for_mobile`` that node's table forwards the message to the mobile node, like a data packet
            that has left a tunnel there; ``to`` may then be this node itself.
        size_bytes : int
            IP length.
        args : sequence of int
            Up to six int64.
        via : int
            Required from the controller of the mobile nodes, not allowed elsewhere: the node through whose cell the mobile node
            sends.
        radio : bool
            With ``for_mobile`` and ``to`` this node: put the message straight into the cell's downlink and ignore the table.
        like_data : bool
            The message passes the registration server of ``to`` at once, as data packets do: it neither waits nor is refused.
            No effect with ``for_mobile``.
        hostile : bool
            An attacker caused the message: nodes count it apart (``hostile_registered``, ``hostile_dropped``). It is treated like
            any other message.

        Raises
        ------
        ValueError
            If ``to`` cannot be reached, or is this node without ``for_mobile``; if ``via`` has no cell; or if ``radio`` is used
            without its conditions.
        """
        cdef Action a = self.new_action(SEND)
        cdef Message m
        cdef uint32_t index
        cdef uint32_t* count
        cdef int i
        cdef int64_t start = self.node, destination = to_int64(to, "to"), via_node = to_int64(via, "via")
        cdef int64_t size = to_integer(size_bytes, "size_bytes", MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES)
        cdef tuple values = <tuple>args if isinstance(args, tuple) else tuple(args)
        if not 0 <= destination < self.w.nodes:
            raise ValueError(f"no node with index {destination}: there are {self.w.nodes}")
        if len(values) > MAX_ARGS:
            raise ValueError("a message has at most six arguments")
        if self.node < 0:
            if not 0 <= via_node < self.w.nodes or self.w.cell_of_node[via_node] < 0:
                raise ValueError(f"a mobile sends via the cell of a node; node {via_node} has none")
            start = via_node
            a.arg0 = self.w.cell_of_node[via_node]
        elif destination == self.node and not for_mobile:
            raise ValueError("a node does not send messages to itself")
        if radio and (not for_mobile or destination != self.node or self.w.cell_of_node[destination] < 0):
            raise ValueError("only a node with a cell sends by radio, for a mobile and addressed to the node itself")
        a.arg1 = radio
        if start != destination and self.w.next_hop[start][destination] == NULL:
            raise ValueError(f"no way from node {start} to node {destination}")
        for i in range(MAX_ARGS):
            m.args[i] = to_int64(values[i], "an argument of a message") if i < len(values) else 0
        m.code = to_int32(code, "code")
        m.mobile = self.mobile
        m.source = self.node
        m.reference_count = 1
        m.hostile = hostile
        make_room_for_message(self.w.messages, self.w.free_messages)
        count = count_of(&self.message_counts, <int64_t>self.mobile << 32 | <int64_t>(self.node + 1))
        m.packet_key = combine(
            combine(self.node_keys[self.node] if self.node >= 0 else mobile_key(self.w, self.mobile), a.mobile_key), count[0]
        )
        count[0] += 1
        if self.w.free_messages.size():
            index = self.w.free_messages.back()
            self.w.free_messages.pop_back()
            self.w.messages.data()[index] = m
        else:
            index = <uint32_t>self.w.messages.size()
            self.w.messages.push_back(m)
        a.packet.t = a.packet.creation_time = self.time_ps
        a.packet.flow = self.mobile
        a.packet.seq = index
        a.packet.size = <uint16_t>size
        a.packet.destination = <uint16_t>destination
        a.packet.extra = a.packet.tunnels = a.packet.copy = 0
        a.packet.flags = CONTROL_MOBILE if for_mobile else CONTROL_NODE
        if like_data:
            a.packet.flags |= LIKE_DATA
        self.u.actions.push_back(a)

    def bind(self, coa, *, header_bytes=20, str end="router", until_ps=None, bint simultaneous=False, bint relayed=False,
             bint beside_cell=False, bint copy_in_flight=False, bint hostile=False):
        """Tunnel the current mobile node's packets to the node ``coa`` from now on (docs/model.md, section 6).

        Parameters
        ----------
        coa : int
            Care-of node.
        header_bytes : int
            Tunnel header, 0 to 60 bytes.
        end : {"router", "mobile"}
            Where the header is removed: at the care-of node, or at the mobile node behind it.
        until_ps : int or None
            Expiry of the binding; None means never.
        simultaneous : bool
            If true, keep the other care-of nodes and send a copy of each packet to every one. At most 4 are kept; a fifth
            replaces the oldest.
        relayed : bool
            If true, and beside other care-of nodes, this one takes the packets that have been in a tunnel before, and the others
            take the rest. Requires ``simultaneous``.
        beside_cell : bool
            If true, this node's own cell gets a copy of each packet too. Not together with ``simultaneous``.
        copy_in_flight : bool
            If true, also forward copies of the data packets that the cell is transmitting now. The engine must run with
            ``scheduling="heap"``: in a window, the radio may be ahead of the node.
        hostile : bool
            An attacker caused the binding: the data packets that it tunnels are counted as ``diverted``.
        """
        cdef Action a = self.new_action(ADD_BINDING if simultaneous else BIND)
        cdef int64_t target = to_int64(coa, "coa")
        self.require_node()
        if end not in ("router", "mobile"):
            raise ValueError(f"a tunnel ends at the 'router' or the 'mobile', not {end!r}")
        if target == self.node or not 0 <= target < self.w.nodes or self.w.next_hop[self.node][target] == NULL:
            raise ValueError(f"care-of node {target} cannot be reached from node {self.node}")
        a.arg0, a.arg1 = target, to_integer(header_bytes, "header_bytes", 0, MAX_HEADER_BYTES)
        a.expiry = self.to_expiry(until_ps)
        if relayed and not simultaneous:
            raise ValueError("'relayed' shares packets with other care-of nodes: it needs 'simultaneous'")
        if beside_cell and simultaneous:
            raise ValueError("'beside_cell' replaces the entry: it excludes 'simultaneous'")
        if beside_cell:
            self.require_cell(self.node)
            a.op = BIND_BESIDE_CELL
        a.tunnel_flags = (ENDS_AT_MOBILE if end == "mobile" else 0) | (HOSTILE_TUNNEL if hostile else 0)
        a.tunnel_flags |= RELAYED_PACKETS if relayed else 0
        a.copy_in_flight = self.check_copy_in_flight(copy_in_flight)
        self.u.actions.push_back(a)

    def deliver_locally(self, *, until_ps=None):
        """Deliver the current mobile node's packets into this node's own cell from now on."""
        cdef Action a = self.new_action(DELIVER_LOCALLY)
        self.require_node()
        self.require_cell(self.node)
        a.expiry = self.to_expiry(until_ps)
        self.u.actions.push_back(a)

    def buffer(self, *, packets=None, bytes=None, until_ps=None, gate=None, bint copy_in_flight=False):
        """Buffer the current mobile node's packets at this node.

        Parameters
        ----------
        packets, bytes : int or None
            Capacity of the buffer; None means no limit, and 0 no room.
        until_ps : int or None
            Time at which the buffered packets are dropped; None means never.
        gate : int or None
            If not None, packets that have been in more tunnels than this pass the buffer and go to this node's own cell.
        copy_in_flight : bool
            If true, also buffer copies of the data packets that the cell is transmitting now, as in :meth:`bind`.
        """
        cdef Action a = self.new_action(SET_BUFFER)
        self.require_node()
        a.arg0, a.arg1 = to_buffer_limit(packets, "packets"), to_buffer_limit(bytes, "bytes")
        a.expiry = self.to_expiry(until_ps)
        if gate is not None:
            self.require_cell(self.node)
            a.gate = to_integer(gate, "gate", 0, MAX_GATE)
        a.copy_in_flight = self.check_copy_in_flight(copy_in_flight)
        self.u.actions.push_back(a)

    def unbind(self, coa=None):
        """Remove one care-of node, or the whole entry if ``coa`` is None. A missing entry is no error."""
        cdef Action a = self.new_action(UNBIND_ALL if coa is None else UNBIND)
        self.require_node()
        a.arg0 = -1 if coa is None else to_integer(coa, "coa", 0, INT64_MAX)
        self.u.actions.push_back(a)

    def timer(self, at_ps, code, arg=0):
        """Set a timer: an event of kind 1 for this controller and the current mobile node, at ``at_ps`` (not in the past)."""
        cdef ControllerEvent e
        cdef int64_t at = to_int64(at_ps, "at_ps")
        self.require_active()
        if at < self.time_ps:
            raise ValueError(f"a timer at {at} ps is in the past: it is {self.time_ps} ps")
        if self.node < 0 and self.w.mobile[self.mobile].pending_timers == MAX_TIMERS:
            raise ValueError(f"mobile {self.mobile} waits for 65,535 timers already")
        e.t, e.mobile, e.mobile_key, e.kind = at, self.mobile, mobile_key(self.w, self.mobile), EVENT_TIMER
        e.link_key, e.order, e.message, e.via = 0, self.u.event_counter, -1, -1
        e.arg, e.code = to_int64(arg, "arg"), to_int32(code, "code")
        make_room(self.u.pending_events)
        self.u.event_counter += 1
        push_event(self.u.pending_events, &e)
        if self.node < 0:
            self.w.mobile[self.mobile].pending_timers += 1

    def reject(self, fate):
        """Give the current message (kind 2) the fate ``AUTHENTICATION_FAILED`` or ``REPLAYED`` instead of ``DELIVERED``.

        A refused message (kind 3) has its fate already and cannot be rejected.
        """
        self.require_active()
        if <int>self.event.kind != EVENT_MESSAGE or fate not in (AUTHENTICATION_FAILED, REPLAYED):
            raise ValueError("only a message is rejected, as AUTHENTICATION_FAILED or REPLAYED")
        self.event.fate = to_int32(fate, "fate")

    def set_upstream_route(self, node):
        """Send the mobile node's upstream data through the cell of ``node``, buffered packets first.

        Only the controller of the mobile nodes may call it.
        """
        cdef Action a = self.new_action(SET_UPSTREAM_ROUTE)
        self.require_mobiles()
        a.arg0 = self.require_cell(node)
        self.u.actions.push_back(a)

    def buffer_upstream(self, *, packets=None, bytes=None):
        """Buffer upstream data at the mobile node; None means no limit, and 0 no room.

        Only the controller of the mobile nodes may call it.
        """
        cdef Action a = self.new_action(BUFFER_UPSTREAM)
        self.require_mobiles()
        a.arg0, a.arg1 = to_buffer_limit(packets, "packets"), to_buffer_limit(bytes, "bytes")
        self.u.actions.push_back(a)

    def clear_upstream_route(self):
        """Clear the upstream route: buffered packets and further ones are dropped as ``DETACHED``.

        Only the controller of the mobile nodes may call it.
        """
        cdef Action a = self.new_action(CLEAR_UPSTREAM_ROUTE)
        self.require_mobiles()
        self.u.actions.push_back(a)

    def begin_measurement(self, id):
        """Measure the deliveries to this mobile node (all its downstream flows) from now on, as a row of ``Result.spans``.

        An open span of the mobile node ends first. Only the controller of the mobile nodes may call it.
        """
        cdef Action a = self.new_action(BEGIN_MEASUREMENT)
        self.require_mobiles()
        a.arg0 = to_int64(id, "id")
        self.u.actions.push_back(a)

    def end_measurement(self):
        """End the open span with the first delivery at or after now, which the span still counts.

        Only the controller of the mobile nodes may call it.
        """
        cdef Action a = self.new_action(END_MEASUREMENT)
        self.require_mobiles()
        self.u.actions.push_back(a)

    def count_after_marker(self, node):
        """Count deliveries through the cell of ``node`` from now on as ``after_marker`` in the open span.

        Only the controller of the mobile nodes may call it.
        """
        cdef Action a = self.new_action(COUNT_AFTER_MARKER)
        self.require_mobiles()
        a.arg0 = self.require_cell(node)
        self.u.actions.push_back(a)


publish_attributes()
