"""State of one run: flows, mobile nodes, cells, units, and the counters that packets end in."""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t

from engine.kernel.arena cimport BlockPool
from engine.kernel.arrival_merge cimport MergeHead
from engine.kernel.binding_table cimport BindingTable, Entry
from engine.kernel.copy_ledger cimport CopyLedger
from engine.kernel.events cimport Action, ControllerEvent, Message
from engine.kernel.exact_sum cimport ExactSum
from engine.kernel.fifo cimport (
    ACCEPTED, BROKEN_FRONTIER, FULL, PAST_LAST_TIME, Fifo, FifoCursor, FifoParameters, LinkCounters, next_slot,
    notify_destination, offer, offer_from_run,
)
from engine.kernel.inbox cimport Inbox, add_arrival, next_run_packet
from engine.kernel.link_trace cimport LinkTrace
from engine.kernel.next_event cimport NextEventIndex, atomic_min, ctz64
from engine.kernel.occupancy cimport ByteCount, EntryCount
from engine.kernel.packet cimport (
    CONTROL, CONTROL_NODE, KIND_MASK, LOST, SENT_DETACHED, TRACED, TUNNEL_COUNT_MASK, Packet, unlikely,
)
from engine.kernel.rng cimport PURPOSE_LOSS, combine, fingerprint_hash, random_word
from engine.kernel.source_calendar cimport SourceCalendar
from engine.kernel.sources cimport CbrRing, FlowSchedule, Recording
from engine.kernel.uplink_arrivals cimport ArrivalQueue, UplinkArrival, UplinkState
from engine.kernel.vector cimport vector

cdef enum:
    FATE_COUNT = 15

cdef enum:  # rows of World.fates
    DATA_FATES = 0
    CONTROL_FATES = 1

cdef enum:  # values of World.record_level: what is recorded of every packet copy
    RECORD_NONE = 0
    RECORD_DROPS = 1
    RECORD_PACKETS = 2

cdef enum:  # kinds of units
    UNIT_NODE = 0
    UNIT_SERVER = 1
    UNIT_MOBILES = 2

cdef enum:  # values of MobileNode.route that are no cell
    NO_CELL = 0xFFFF
    ROUTE_BUFFER = 0xFFFE  # upstream packets wait in the mobile node's buffer

cdef enum:  # phases of one instant, in the order in which a unit processes them (docs/model.md, 4)
    PHASE_CONTROL = 0
    PHASE_ACTION = 1
    PHASE_SOURCE = 2
    PHASE_ARRIVAL = 3

cdef enum:
    HISTOGRAM_BUCKETS = 1920
    CONTESTED = 1  # flag of a mobile node that has two attachments, or an attachment change or an action in this window

cdef extern from *:
    """
    struct handoff_flow_bits { uint32_t delay_sum_high : 31, ends_at_node : 1; };
    """
    cdef struct FlowBits "handoff_flow_bits":
        uint32_t delay_sum_high  # 31 bits: fewer than 2**32 delays below 2**63 ps each
        uint32_t ends_at_node  # one bit. 1: a fixed node receives it, 0: a mobile node

cdef struct Flow:  # one cache line
    uint64_t delay_sum_low
    int64_t delay_max
    int64_t gap_max
    int64_t last_time  # of the last delivery, -1 before the first
    FlowBits bits
    uint32_t next_seq  # lowest sequence number above all delivered ones
    uint32_t delivered
    uint32_t reordered
    uint32_t duplicate
    uint32_t dropped
    uint32_t lost
    uint32_t copies

cdef struct MobileNode:  # half a cache line
    int64_t attached_from  # start, end and cell of the attachment that was looked up last
    int64_t attached_until
    uint32_t next_known  # index of its next entry in World.known_times
    uint32_t open_span  # 1 + index of its open span in World.spans, 0: none
    uint16_t cell
    uint16_t route  # cell for upstream packets, or NO_CELL or ROUTE_BUFFER
    uint16_t pending_timers  # of the mobile nodes' controller
    uint8_t attachment_count
    uint8_t flags

cdef struct MobileGroup:  # one mobile node with its own name, or several that share a prefix and are numbered
    uint64_t key
    uint32_t first
    uint16_t home
    uint16_t is_numbered

cdef struct AttachmentBoundary:  # start or end of an attachment
    int64_t t
    int32_t mobile
    int32_t change  # of the number of attachments: +1 or -1

cdef struct Span:  # measurement interval of one handoff; the first 13 fields are the columns of Result.spans
    int64_t mobile
    int64_t id
    int64_t open
    int64_t close
    int64_t end
    int64_t delivered
    int64_t duplicate
    int64_t reordered
    int64_t after_marker
    int64_t gap_max
    int64_t gap_end
    int64_t delay_max
    int64_t last_before
    int64_t marker_cell

cdef struct PacketRecord:  # fate of one packet copy
    uint32_t flow
    uint32_t seq
    int64_t t
    int64_t creation_time
    int32_t node
    int32_t via
    uint8_t copy
    uint8_t fate
    uint8_t tunnels

cdef struct DeferredDrop:  # drop seen by a parallel worker; it is counted after all units have reached the end of the window
    Packet packet
    int64_t t
    int32_t fate
    int32_t node

cdef struct Cell:
    int32_t node
    Fifo* shared_downlink  # NULL: each mobile node has its own downlink
    FifoParameters* downlink_params
    FifoParameters* uplink_params
    BindingTable downlinks  # mobile -> its own downlink
    BindingTable uplinks  # mobile -> FIFO of its backlogged uplink
    vector[Fifo*]* active_uplinks  # those with packets, in any order
    ArrivalQueue arrivals  # on uplinks without a FIFO
    uint64_t downlink_key
    uint64_t uplink_key

cdef struct DeferredItem:  # arrival, message or action that a unit has to process in order (t, phase, key, order)
    int64_t t
    int32_t phase
    uint64_t key
    uint64_t order
    int32_t cell_or_mobile  # cell of a downlink arrival, mobile node of an upstream packet
    Packet packet

cdef struct ControlArrival:
    uint64_t key  # of the link or uplink
    Packet packet

cdef struct Unit:  # logical process: a node, its forwarding server, or all mobile nodes together
    int64_t frontier
    int64_t* next_event  # its element of NextEventIndex.next_event
    int64_t* group_bound
    int32_t kind
    int32_t node
    int32_t cell  # cell whose uplinks end here, or -1
    int32_t rank
    int32_t delivery_feeder  # run of its level from which data was delivered here last
    bint sends_own_packets
    bint has_controller
    int32_t run_ahead_depth  # arcs on the longest path from here through units that may run ahead; 0: it may not
    int64_t visit_end  # how far it goes in this window, if it runs ahead
    bint reports_refusals  # its controller gets refused messages as events
    vector[Fifo*]* inbound_fifos  # sorted by link key
    uint64_t* ready_words  # one bit for each inbound FIFO, set if the FIFO may hold a packet
    size_t ready_word_count
    vector[FifoCursor]* cursors  # of the ready inbound FIFOs during a visit
    vector[MergeHead]* merge_heads  # heap of the cursors that have arrivals
    Fifo* server_fifo  # server unit: its queue, which ends at the node
    Fifo* registration_fifo
    vector[ControllerEvent]* pending_events
    vector[Action]* actions
    vector[CbrRing*]* cbr_rings
    SourceCalendar sources  # of flows that are in no ring
    vector[DeferredItem]* deferred  # of the mobile nodes
    const UplinkArrival* next_uplink  # arrivals on the cell's uplinks in this visit: the next one, and the end
    const UplinkArrival* last_uplink
    bint uplinks_have_control  # there may be control packets among them
    vector[UplinkArrival]* uplink_arrivals  # their copies, if an uplink has a FIFO
    vector[ControlArrival]* control_arrivals  # messages for this node in the inbox of its level
    Level* level
    int64_t* schedule_t
    int32_t* schedule_mobile
    int32_t* schedule_code
    int64_t* schedule_arg
    size_t schedule_count
    size_t schedule_next
    uint64_t event_counter
    int64_t message_count
    ExactSum total_wait  # of all accepted packets at the registration server (server unit: at its own queue)
    int64_t max_wait
    int64_t buffer_peak_packets
    int64_t buffer_peak_bytes
    int64_t diverted_packets  # data packets and their bytes without tunnel headers, sent into hostile tunnels
    int64_t diverted_bytes
    int64_t hostile_messages  # hostile messages that the registration server accepted, and dropped
    int64_t hostile_drops
    EntryCount bindings  # care-of nodes of tunnel entries
    EntryCount visitors  # local entries and hold buffers
    ByteCount held
    int64_t last_visit_hops

cdef struct UnitSource:  # unit with packets of its own
    int64_t t  # of the next one
    Unit* unit

cdef struct LookedUpArrival:
    Entry* entry  # of its mobile node, if the packet is for the node; or NULL
    Fifo* link  # next link of a packet that only passes the node; or NULL

cdef struct LevelAction:
    int64_t t
    Unit* unit
    Action* action

cdef struct Level:  # units that do not hear of each other within a window: they are visited together (engine/kernel/levels.pxd)
    Unit* units
    int32_t unit_count
    bint feeds_itself  # a link leads from one of its units to another
    int64_t lag  # it ends so long before the end of a window
    int64_t step  # delay of the shortest link from one of its units to another: it advances by no more in a visit
    int32_t first_runs  # of its inbox: runs with which links begin
    Inbox inbox
    vector[LookedUpArrival]* looked_up  # arrivals before the end of the window, run by run
    vector[UnitSource]* sources  # heap by time
    vector[LevelAction]* actions  # in the order of time

cdef struct World:
    uint64_t seed
    int32_t nodes
    int32_t cells
    int32_t units
    int64_t mobiles
    int64_t flows
    bint has_peers  # a mobile node sends to another one
    int32_t tunnel_limit
    int32_t record_level
    bint time_ordered  # events are processed in time order over all units: no unit is ahead of another
    NextEventIndex event_index
    Level* level
    int32_t levels
    bint by_level  # packets wait for their arrival in the inboxes of the levels
    vector[Fifo*]* backlogged_uplinks  # uplinks with FIFOs while units run by level
    int64_t window_begin  # everything before it has been processed
    int64_t slice_end  # a packet that arrives at or after it is in flight at the end of this slice
    LinkCounters* link_counters  # one row for each link, then two for each cell
    BlockPool* fifo_pool
    Fifo*** next_hop  # [node][destination], NULL if unreachable
    int32_t* unit_of_node
    int32_t* cell_of_node
    BindingTable* tables
    Unit* unit
    Unit* mobile_unit
    Cell* cell
    Flow* flow
    uint32_t* mobile_of_flow  # the receiver, if two mobile nodes take part
    const uint64_t* flow_key
    const int32_t* flow_node
    const uint32_t* flow_schedule
    const uint32_t* flows_by_mobile  # NULL if flows are sorted by mobile node already
    FlowSchedule* schedules  # shared by flows that continue alike
    Recording* recordings
    int64_t non_cbr_packets  # sent by Poisson and replay sources since the counter was last reset
    uint32_t* sent_packets
    int64_t* log_table
    const MobileGroup* mobile_groups  # sorted by first mobile node
    int64_t mobile_group_count
    MobileNode* mobile
    UplinkState* uplink  # of each mobile node; NULL if none can send
    # For each mobile node that has any: times of its attachment boundaries and scheduled events, then NEVER. Element 0 is NEVER
    # and serves all mobile nodes that have none.
    const int64_t* known_times
    const AttachmentBoundary* boundaries
    size_t boundary_count
    size_t boundary_next
    const uint32_t* attach_first  # first attachment of each mobile node, mobiles + 1 elements
    const int64_t* attach_start
    const int64_t* attach_end
    const int64_t* attach_latest_end  # maximum of attach_end over this and the mobile node's earlier attachments
    const int32_t* attach_cell
    BindingTable upstream_buffers
    vector[Fifo*]* active_downlinks
    vector[int64_t]* downlink_bounds  # for a prefix of active_downlinks: no packet arrives before this time
    vector[Fifo*]* due_downlinks  # downlinks to drain in this visit
    vector[Fifo*]* control_downlinks  # downlinks that hold control packets
    vector[int32_t]* contested_mobiles
    vector[Message]* messages
    vector[uint32_t]* free_messages
    vector[Span]* spans
    vector[PacketRecord]* packet_records
    vector[DeferredDrop]* deferred_drops  # NULL: drops are counted at once
    vector[void*]* retired_rings  # old rings that a unit may still be reading until the visits of this window end
    CopyLedger* ledger
    char* ledger_lock
    LinkTrace* trace  # NULL: no link is traced
    int64_t* delay_histogram
    int64_t fates[2][15]
    uint64_t fingerprint
    int64_t packet_hops
    int32_t failure  # BROKEN_FRONTIER or PAST_LAST_TIME, 0: none
    int64_t failure_time
    int32_t failure_unit
    Fifo* failure_fifo

cdef inline Fifo* next_ready_fifo(const Unit* u, size_t* at) noexcept nogil:
    """Return the next FIFO from index ``at`` on that may hold a packet for the unit, and advance ``at``; NULL at the end."""
    cdef size_t k = at[0] >> 6
    cdef uint64_t bits
    if k >= u.ready_word_count:
        return NULL
    bits = u.ready_words[k] & (~<uint64_t>0 << (at[0] & 63))
    while bits == 0:
        k += 1
        if k == u.ready_word_count:
            at[0] = k << 6
            return NULL
        bits = u.ready_words[k]
    at[0] = (k << 6) + ctz64(bits) + 1
    return u.inbound_fifos.data()[at[0] - 1]

cdef inline void fail(World* w, int code, Fifo* link, int64_t t) noexcept nogil:
    if w.failure == 0:
        w.failure = code
        w.failure_fifo = link
        w.failure_time = t

cdef inline const MobileGroup* find_group(World* w, uint32_t m) noexcept nogil:
    cdef int64_t low = 0, high = w.mobile_group_count, middle
    while high - low > 1:
        middle = (low + high) >> 1
        if w.mobile_groups[middle].first <= m:
            low = middle
        else:
            high = middle
    return &w.mobile_groups[low]

cdef inline uint64_t mobile_key(World* w, uint32_t m) noexcept nogil:
    """Return the key of a mobile node's name; for numbered ones it is derived from the prefix's key."""
    cdef const MobileGroup* f = find_group(w, m)
    return combine(f.key, m - f.first) if f.is_numbered else f.key

cdef inline int64_t find_last_delivery(World* w, uint32_t m) noexcept nogil:
    """Return the time of the mobile node's last delivery, -1 if there is none."""
    cdef int64_t low = 0, high = w.flows, middle, last = -1
    cdef uint32_t i
    while low < high:  # binary search: the mobile node's first flow
        middle = (low + high) >> 1
        if w.mobile_of_flow[w.flows_by_mobile[middle] if w.flows_by_mobile != NULL else middle] < m:
            low = middle + 1
        else:
            high = middle
    while low < w.flows:
        i = w.flows_by_mobile[low] if w.flows_by_mobile != NULL else <uint32_t>low
        if w.mobile_of_flow[i] != m:
            break
        if not w.flow[i].bits.ends_at_node and w.flow[i].last_time > last:
            last = w.flow[i].last_time
        low += 1
    return last

cdef inline int packet_kind(const Packet* p) noexcept nogil:
    return p.flags & KIND_MASK

cdef inline uint32_t packet_mobile(World* w, const Packet* p) noexcept nogil:
    return p.flow if p.flags & CONTROL else w.mobile_of_flow[p.flow]

cdef inline void add_to_fingerprint(World* w, uint64_t link_key, const Packet* p) noexcept nogil:
    add_bytes_to_fingerprint(w, link_key, p.t, <int64_t>p.size + p.extra, packet_kind(p))

cdef inline void add_bytes_to_fingerprint(World* w, uint64_t link_key, int64_t t, int64_t size, int kind) noexcept nogil:
    w.fingerprint += fingerprint_hash(<uint64_t>(t + 3 * size + kind) ^ link_key)

cdef inline void trace_hop(World* w, Fifo* f, const Packet* p) noexcept nogil:
    cdef const Message* m = &w.messages.data()[p.seq] if packet_kind(p) >= CONTROL_NODE else NULL
    w.trace.append_hop(w.trace, f, p[0], packet_mobile(w, p), m)

cdef inline void trace_once(World* w, Fifo* f, Packet* p) noexcept nogil:
    """Trace a packet in the ring of a downlink, which may be seen several times."""
    if not p.flags & TRACED:
        p.flags |= TRACED
        trace_hop(w, f, p)

cdef inline uint64_t packet_key(World* w, const Packet* p) noexcept nogil:
    cdef uint64_t k
    if packet_kind(p) >= CONTROL_NODE:
        k = w.messages.data()[p.seq].packet_key
    else:
        k = combine(w.flow_key[p.flow], p.seq)
    return combine(k, p.tunnels & TUNNEL_COUNT_MASK)

cdef inline Packet* next_packet(World* w, Fifo* f) noexcept nogil:
    """Return the next packet of a FIFO, in its ring or in its run; it is written and then offered."""
    return next_slot(f, w.retired_rings) if f.params.run == NULL else next_run_packet(f.params.run)

cdef inline Packet* copy_to_slot(World* w, Fifo* f, const Packet* p) noexcept nogil:
    """Copy a packet to the next one of a FIFO, where it is changed and then offered."""
    cdef Packet* slot = next_packet(w, f)
    slot[0] = p[0]
    return slot

cdef inline void draw_loss(World* w, const FifoParameters* params, uint64_t link_key, Packet* p) noexcept nogil:
    if unlikely(params.loss != 0) and random_word(w.seed, PURPOSE_LOSS, link_key, packet_key(w, p)) < params.loss:
        p.flags |= LOST

cdef inline int offer_packet(World* w, Fifo* f, Packet* p) noexcept nogil:
    """Draw the loss of a packet and offer it to a link, downlink or uplink. Count a packet-hop if it is accepted."""
    cdef int outcome
    draw_loss(w, f.params, f.key, p)
    outcome = offer(f, p) if f.params.run == NULL else offer_from_run(f, p, w.retired_rings)
    if unlikely(outcome != ACCEPTED):
        if outcome == PAST_LAST_TIME:
            fail(w, PAST_LAST_TIME, f, p.t)
        return FULL
    w.packet_hops += 1
    return ACCEPTED

cdef inline void announce(World* w, Fifo* f, const Packet* p) noexcept nogil:
    """Announce an accepted packet, which arrives at p.t, to the far end of its FIFO. In a run, it moves to its place."""
    if f.params.run != NULL:
        enter_inbox(w, f.params, f.key, p)
    elif unlikely(notify_destination(f, p.t) != ACCEPTED):
        fail(w, BROKEN_FRONTIER, f, p.t)

cdef inline void enter_inbox(World* w, FifoParameters* params, uint64_t key, const Packet* p) noexcept nogil:
    """Move the next packet of a run to its place. A message for the node at the far end is noted there, too."""
    cdef bint may_move = p.t != params.last_arrival
    if unlikely(p.t < params.run.inbox.frontier):
        fail(w, BROKEN_FRONTIER, NULL, p.t)
    params.last_arrival = p.t
    if unlikely(p.flags & CONTROL):
        note_control_arrival(w, &w.unit[params.destination], key, p)
    add_arrival(&params.run, params, key, may_move)

cdef inline void note_control_arrival(World* w, Unit* u, uint64_t key, const Packet* p) noexcept nogil:
    cdef ControlArrival x
    if packet_kind(p) != CONTROL_NODE or u.kind != UNIT_NODE or p.destination != u.node or p.flags & (LOST | SENT_DETACHED):
        return
    x.key, x.packet = key, p[0]
    u.control_arrivals.push_back(x)
    atomic_min(u.next_event, p.t)
    atomic_min(u.group_bound, p.t)
