"""Construction of a world from the arrays of a network, and its destruction."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libcpp.algorithm cimport sort

from engine.kernel.arena cimport allocate_zeroed, delete_block_pool
from engine.kernel.arrival_merge cimport MergeHead
from engine.kernel.binding_table cimport EMPTY, QUEUE, BindingTable, free_entry
from engine.kernel.copy_ledger cimport CopyLedger
from engine.kernel.events cimport Action, ControllerEvent, Message
from engine.kernel.fifo cimport (
    UNLIMITED, Fifo, FifoCursor, FifoParameters, LinkCounters, delete_fifo, new_fifo, new_fifo_parameters, new_fifo_pool,
)
from engine.kernel.initial_state cimport data_pointer, init_attachments, init_sources, init_tables
from engine.kernel.level_init cimport delete_levels, init_levels
from engine.kernel.link_trace cimport delete_link_trace, new_link_trace
from engine.kernel.next_event cimport GROUP_SIZE, NEVER, close_event_index, open_event_index
from engine.kernel.occupancy cimport close_entry_count, open_entry_count
from engine.kernel.shortage cimport require
from engine.kernel.source_calendar cimport close_calendar, open_calendar
from engine.kernel.sources cimport CbrRing
from engine.kernel.uplink_arrivals cimport UplinkArrival, UplinkState
from engine.kernel.vector cimport vector
from engine.kernel.world cimport (
    HISTOGRAM_BUCKETS, NO_CELL, UNIT_MOBILES, UNIT_NODE, UNIT_SERVER, Cell, ControlArrival, DeferredItem, MobileGroup, MobileNode,
    PacketRecord, Span, Unit, World,
)

cdef extern from *:
    """
    static int64_t handoff_no_frontier = -1;
    /* The next event of FIFOs that wake no unit. It is never written, because no time is below 0. */
    static int64_t handoff_no_next_event = 0;
    static uint64_t handoff_no_ready_word = 0;
    """
    int64_t NO_FRONTIER "handoff_no_frontier"
    int64_t NO_NEXT_EVENT "handoff_no_next_event"
    uint64_t NO_READY_WORD "handoff_no_ready_word"

cdef inline int64_t buffer_limit(int64_t value) noexcept:
    return value if value else UNLIMITED

cdef inline FifoParameters* new_channel_parameters(
    World* w, const int64_t* columns, uint64_t loss, const int64_t* traced, int64_t row, LinkCounters* counters,
    Unit* destination, int node, int cell,
) noexcept:
    cdef FifoParameters* params = new_fifo_parameters()
    params.rate, params.delay = columns[0], columns[1]
    params.finish_limit = NEVER - params.delay
    params.limit_packets, params.limit_bytes = buffer_limit(columns[2]), buffer_limit(columns[3])
    params.loss, params.counters, params.node, params.cell = loss, counters, node, cell
    params.trace_row = <int32_t>row if traced[row] else -1
    connect_to_unit(params, w, destination)
    return params

cdef inline void connect_to_unit(FifoParameters* params, World* w, Unit* destination) noexcept:
    """Let arrivals wake the unit at the far end."""
    cdef int64_t* group_frontier = &w.event_index.group_frontier[destination.rank // GROUP_SIZE]
    params.frontier, params.next_event = &destination.frontier, destination.next_event
    params.group_bound = destination.group_bound
    params.group_frontier = &NO_FRONTIER if destination == w.mobile_unit else group_frontier
    params.ready_word, params.ready_bit = &NO_READY_WORD, 0
    params.destination = destination.rank

cdef inline void enable_run_ahead(Unit* u, int depth) noexcept:
    """Give a unit its own frontier in place of its group's."""
    cdef size_t i
    u.run_ahead_depth = depth
    for i in range(u.inbound_fifos.size()):
        u.inbound_fifos.data()[i].params.group_frontier = &NO_FRONTIER

cdef inline Fifo* new_server_fifo(World* w, int64_t service, int64_t queue) noexcept:
    cdef FifoParameters* params = new_fifo_parameters()
    params.service_time = service
    params.limit_packets = buffer_limit(queue)
    params.counters = <LinkCounters*>require(calloc(1, sizeof(LinkCounters)))
    params.frontier = params.group_frontier = &NO_FRONTIER
    params.next_event = params.group_bound = &NO_NEXT_EVENT
    params.ready_word = &NO_READY_WORD
    return new_fifo(w.fifo_pool, params, 0)

cdef inline bint link_key_before(Fifo* const& a, Fifo* const& b) noexcept nogil:
    return a.key < b.key

cdef inline int init_world(World* w, object b, object seed, int tunnel_limit, int record, object traced_rows) except -1:
    """Build a zeroed world. If memory runs out or an argument is refused, ``delete_world`` frees what has been built.

    ``seed`` has 64 bits; ``traced_rows`` is an int64 array with 1 for each row of counters whose link is traced.
    """
    cdef Unit* u
    cdef int64_t i
    cdef const int64_t[:, ::1] units = b.units
    cdef const int64_t[:, ::1] servers = b.servers
    cdef const uint64_t[::1] server_keys = b.server_keys
    cdef const int64_t[::1] traced = traced_rows
    w.seed = seed
    w.nodes, w.cells, w.units = len(b.node_names), len(b.cells), len(b.units)
    w.mobiles, w.flows = b.mobiles, len(b.flow_keys)
    w.tunnel_limit, w.record_level = tunnel_limit, record
    for i in range(traced.shape[0]):
        if traced[i] and w.trace == NULL:
            w.trace = new_link_trace()
    w.fifo_pool = new_fifo_pool()
    w.unit = <Unit*>require(calloc(w.units, sizeof(Unit)))
    open_event_index(&w.event_index, w.units)
    w.tables = <BindingTable*>require(calloc(w.nodes + 1, sizeof(BindingTable)))
    w.unit_of_node = <int32_t*>require(calloc(w.nodes + 1, sizeof(int32_t)))
    w.cell_of_node = <int32_t*>require(calloc(w.nodes + 1, sizeof(int32_t)))
    w.cell = <Cell*>require(calloc(w.cells + 1, sizeof(Cell)))
    w.next_hop = <Fifo***>require(calloc(w.nodes + 1, sizeof(Fifo**)))
    for i in range(w.nodes):
        w.next_hop[i] = <Fifo**>require(calloc(w.nodes, sizeof(Fifo*)))
    w.delay_histogram = <int64_t*>require(calloc(HISTOGRAM_BUCKETS, sizeof(int64_t)))
    w.active_downlinks = new vector[Fifo*]()
    w.downlink_bounds = new vector[int64_t]()
    w.due_downlinks = new vector[Fifo*]()
    w.control_downlinks = new vector[Fifo*]()
    w.contested_mobiles = new vector[int32_t]()
    w.messages = new vector[Message]()
    w.free_messages = new vector[uint32_t]()
    w.spans = new vector[Span]()
    w.packet_records = new vector[PacketRecord]()
    w.retired_rings = new vector[void*]()
    w.backlogged_uplinks = new vector[Fifo*]()
    w.ledger_lock = <char*>require(calloc(1, 1))
    w.ledger = new CopyLedger()
    w.mobile_groups = <const MobileGroup*>data_pointer(b.mobile_groups)
    w.mobile_group_count = len(b.mobile_groups)
    w.mobile = <MobileNode*>require(allocate_zeroed((w.mobiles + 1) * sizeof(MobileNode)))
    if b.has_uplinks:
        w.uplink = <UplinkState*>require(allocate_zeroed((w.mobiles + 1) * sizeof(UplinkState)))
    for i in range(w.mobiles):
        w.mobile[i].attached_until = -1
        w.mobile[i].cell = w.mobile[i].route = NO_CELL
    for i in range(w.nodes):
        w.cell_of_node[i] = -1
    for i in range(w.units):
        u = &w.unit[i]
        u.kind, u.node, u.rank, u.cell = <int32_t>units[i, 0], <int32_t>units[i, 1], <int32_t>i, -1
        u.next_event, u.group_bound = &w.event_index.next_event[i], &w.event_index.group_bound[i // GROUP_SIZE]
        u.inbound_fifos = new vector[Fifo*]()
        u.cursors = new vector[FifoCursor]()
        u.merge_heads = new vector[MergeHead]()
        u.pending_events = new vector[ControllerEvent]()
        u.actions = new vector[Action]()
        u.cbr_rings = new vector[CbrRing*]()
        open_calendar(&u.sources)
        u.deferred = new vector[DeferredItem]()
        u.uplink_arrivals = new vector[UplinkArrival]()
        u.control_arrivals = new vector[ControlArrival]()
        open_entry_count(&u.bindings)
        open_entry_count(&u.visitors)
        if u.kind == UNIT_MOBILES:
            w.mobile_unit = u
        elif u.kind == UNIT_NODE:
            w.unit_of_node[u.node] = <int32_t>i
            u.registration_fifo = new_server_fifo(w, servers[u.node, 2], servers[u.node, 3])
            u.registration_fifo.params.node = u.node
            u.reports_refusals = servers[u.node, 4] != 0
    for i in range(w.units):
        u = &w.unit[i]
        if u.kind == UNIT_SERVER:
            u.server_fifo = new_server_fifo(w, servers[u.node, 0], servers[u.node, 1])
            u.server_fifo.key = server_keys[u.node]
            u.server_fifo.params.node = u.node
            u.server_fifo.params.fifo = u.server_fifo
            u.server_fifo.params.source = u.rank
            connect_to_unit(u.server_fifo.params, w, &w.unit[w.unit_of_node[u.node]])
            w.unit[w.unit_of_node[u.node]].inbound_fifos.push_back(u.server_fifo)
    w.link_counters = <LinkCounters*>data_pointer(b.tallies)
    init_links(w, b, traced)
    init_levels(w, b)
    init_attachments(w, b)
    init_sources(w, b)
    init_tables(w, b)
    return 0

cdef inline int init_links(World* w, object b, const int64_t[::1] traced) except -1:
    cdef const int64_t[:, ::1] links = b.links
    cdef const uint64_t[::1] keys = b.link_keys
    cdef const uint64_t[::1] loss = b.link_loss
    cdef int64_t[:, ::1] rows = b.tallies
    cdef const int64_t[:, ::1] cells = b.cells
    cdef const uint64_t[:, ::1] cell_keys = b.cell_keys
    cdef const uint64_t[:, ::1] cell_loss = b.cell_loss
    cdef const int32_t[:, ::1] hops = b.hops
    cdef vector[Fifo*] fifos
    cdef vector[int32_t] entry_unit  # for each node: the unit where arrivals from other nodes enter
    cdef Fifo* f
    cdef FifoParameters* params
    cdef LinkCounters* counters
    cdef Unit* destination
    cdef Cell* c
    cdef int64_t i, j
    cdef size_t k
    for i in range(w.nodes):
        entry_unit.push_back(w.unit_of_node[i])
    for i in range(w.units):
        if w.unit[i].kind == UNIT_SERVER:
            entry_unit[w.unit[i].node] = <int32_t>i
    for i in range(links.shape[0]):
        destination = &w.unit[entry_unit[links[i, 1]]]
        counters = <LinkCounters*>&rows[i, 0]
        params = new_channel_parameters(
            w, &links[i, 2], loss[i], &traced[0], i, counters, destination, <int>links[i, 0], -1
        )
        params.source = w.unit_of_node[links[i, 0]]
        f = new_fifo(w.fifo_pool, params, keys[i])
        params.fifo = f
        fifos.push_back(f)
        destination.inbound_fifos.push_back(f)
    for i in range(w.units):
        sort(w.unit[i].inbound_fifos.begin(), w.unit[i].inbound_fifos.end(), &link_key_before)
        w.unit[i].ready_word_count = (w.unit[i].inbound_fifos.size() + 63) >> 6
        w.unit[i].ready_words = <uint64_t*>require(calloc(w.unit[i].ready_word_count + 1, sizeof(uint64_t)))
        w.unit[i].cursors.reserve(w.unit[i].inbound_fifos.size())
        for k in range(w.unit[i].inbound_fifos.size()):
            params = w.unit[i].inbound_fifos.data()[k].params
            params.ready_word, params.ready_bit = &w.unit[i].ready_words[k >> 6], <uint64_t>1 << (k & 63)
    for i in range(w.nodes):
        for j in range(w.nodes):
            if hops[i, j] >= 0:
                w.next_hop[i][j] = fifos[hops[i, j]]
    for i in range(w.cells):
        c = &w.cell[i]
        c.node = <int32_t>cells[i, 0]
        w.cell_of_node[c.node] = <int32_t>i
        w.unit[entry_unit[c.node]].cell = <int32_t>i
        c.downlink_key, c.uplink_key = cell_keys[i, 0], cell_keys[i, 1]
        c.active_uplinks = new vector[Fifo*]()
        c.arrivals.items = new vector[UplinkArrival]()
        j = links.shape[0] + 2 * i
        counters = <LinkCounters*>&rows[j, 0]
        c.downlink_params = new_channel_parameters(
            w, &cells[i, 2], cell_loss[i, 0], &traced[0], j, counters, w.mobile_unit, c.node, <int>i
        )
        destination = &w.unit[entry_unit[c.node]]
        counters = <LinkCounters*>&rows[j + 1, 0]
        c.uplink_params = new_channel_parameters(
            w, &cells[i, 6], cell_loss[i, 1], &traced[0], j + 1, counters, destination, c.node, <int>i
        )
        c.uplink_params.source = w.mobile_unit.rank
        if cells[i, 1]:
            c.shared_downlink = new_fifo(w.fifo_pool, c.downlink_params, c.downlink_key)
    return 0

cdef inline void free_table(World* w, BindingTable* table) noexcept:
    cdef uint32_t i
    for i in range(table.slot_count):
        if table.entries[i].mode == QUEUE:
            delete_fifo(w.fifo_pool, <Fifo*>table.entries[i].target.extension)
        elif table.entries[i].mode != EMPTY:
            free_entry(&table.entries[i])
    free(table.entries)

cdef inline void free_server(World* w, Fifo* f) noexcept:
    if f != NULL:
        free(f.params.counters)
        free(f.params)
        delete_fifo(w.fifo_pool, f)

cdef inline void delete_world(World* w) noexcept:
    cdef int64_t i
    cdef size_t j
    cdef Unit* u
    if w == NULL:
        return
    for i in range(w.units if w.unit != NULL else 0):
        u = &w.unit[i]
        for j in range(u.inbound_fifos.size() if u.inbound_fifos != NULL else 0):
            if u.inbound_fifos[0][j].params.service_time < 0:  # the others are the servers of units in this world
                free(u.inbound_fifos[0][j].params)
                delete_fifo(w.fifo_pool, u.inbound_fifos[0][j])
    for i in range(w.units if w.unit != NULL else 0):
        u = &w.unit[i]
        for j in range(u.cbr_rings.size() if u.cbr_rings != NULL else 0):
            del u.cbr_rings[0][j].not_started
            free(u.cbr_rings[0][j].ring)
            free(u.cbr_rings[0][j])
        free_server(w, u.server_fifo)
        free_server(w, u.registration_fifo)
        del u.inbound_fifos, u.cursors, u.merge_heads, u.pending_events, u.actions, u.cbr_rings, u.deferred
        del u.uplink_arrivals, u.control_arrivals
        close_calendar(&u.sources)
        close_entry_count(&u.bindings)
        close_entry_count(&u.visitors)
        free(u.ready_words)
        free(u.schedule_t)
        free(u.schedule_mobile)
        free(u.schedule_code)
        free(u.schedule_arg)
    for i in range(w.nodes if w.tables != NULL else 0):
        free_table(w, &w.tables[i])
    free_table(w, &w.upstream_buffers)
    for i in range(w.cells if w.cell != NULL else 0):
        free_table(w, &w.cell[i].downlinks)
        free_table(w, &w.cell[i].uplinks)
        delete_fifo(w.fifo_pool, w.cell[i].shared_downlink)
        free(w.cell[i].downlink_params)
        free(w.cell[i].uplink_params)
        del w.cell[i].active_uplinks, w.cell[i].arrivals.items
    delete_levels(w)
    delete_link_trace(w.trace)
    del w.active_downlinks, w.downlink_bounds, w.due_downlinks, w.control_downlinks, w.contested_mobiles
    del w.messages, w.free_messages
    del w.spans, w.packet_records, w.retired_rings, w.backlogged_uplinks, w.ledger
    free(w.ledger_lock)
    delete_block_pool(w.fifo_pool)
    close_event_index(&w.event_index)
    free(w.unit)
    free(w.tables)
    free(w.unit_of_node)
    free(w.cell_of_node)
    free(w.cell)
    for i in range(w.nodes if w.next_hop != NULL else 0):
        free(w.next_hop[i])
    free(w.next_hop)
    free(w.delay_histogram)
    free(w.mobile)
    free(w.uplink)
    free(w.flow)
    free(w.mobile_of_flow)
    free(w.schedules)
    free(w.recordings)
    free(w.sent_packets)
    free(w.log_table)
    free(w)
