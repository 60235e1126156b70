"""Construction of a world from the arrays of a network, and its destruction."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector

from engine.kernel.arena cimport allocate_zeroed, delete_block_pool
from engine.kernel.arrival_merge cimport MergeHead
from engine.kernel.binding_table cimport EMPTY, QUEUE, BindingTable, CareOf, free_entry, reserve_slots
from engine.kernel.copy_ledger cimport CopyLedger
from engine.kernel.events cimport Action, ControllerEvent, Message
from engine.kernel.fifo cimport (
    UNLIMITED, Fifo, FifoCursor, FifoParameters, LinkCounters, delete_fifo, new_fifo, new_fifo_parameters, new_fifo_pool,
)
from engine.kernel.forwarding cimport set_local_entry, set_tunnel_entry
from engine.kernel.link_trace cimport delete_link_trace, new_link_trace
from engine.kernel.next_event cimport GROUP_SIZE, NEVER, atomic_min, close_event_index, open_event_index
from engine.kernel.rng cimport PURPOSE_GAP, combine, exponential_gap
from engine.kernel.sources cimport CBR, POISSON, REPLAY, CbrRing, FlowSchedule, Recording, Source, push_source, recording_time
from engine.kernel.world cimport (
    CONTESTED, HISTOGRAM_BUCKETS, NO_CELL, UNIT_MOBILES, UNIT_NODE, UNIT_SERVER, AttachmentBoundary, Cell, DeferredItem, Flow,
    MobileGroup, MobileNode, PacketRecord, Span, Unit, World, find_group,
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
    params.counters = <LinkCounters*>calloc(1, sizeof(LinkCounters))
    params.frontier = params.group_frontier = &NO_FRONTIER
    params.next_event = params.group_bound = &NO_NEXT_EVENT
    params.ready_word = &NO_READY_WORD
    return new_fifo(w.fifo_pool, params, 0)

cdef inline bint link_key_before(Fifo* const& a, Fifo* const& b) noexcept nogil:
    return a.key < b.key

cdef inline void* data_pointer(object array):
    """Return the address of an array, which its owner keeps alive as long as the world."""
    return <void*><size_t>array.ctypes.data

cdef inline World* new_world(object b, object seed, int tunnel_limit, int record, const int64_t[::1] traced) except NULL:
    cdef World* w = <World*>calloc(1, sizeof(World))
    cdef Unit* u
    cdef int64_t i
    cdef const int64_t[:, ::1] units = b.units
    cdef const int64_t[:, ::1] servers = b.servers
    cdef const uint64_t[::1] server_keys = b.server_keys
    if w == NULL:
        raise MemoryError("no memory for a run")
    w.seed = seed & 0xFFFFFFFFFFFFFFFF
    w.nodes, w.cells, w.units = len(b.node_names), len(b.cells), len(b.units)
    w.mobiles, w.flows = b.mobiles, len(b.flow_keys)
    w.tunnel_limit, w.record_level = tunnel_limit, record
    for i in range(traced.shape[0]):
        if traced[i] and w.trace == NULL:
            w.trace = new_link_trace()
    w.fifo_pool = new_fifo_pool()
    w.unit = <Unit*>calloc(w.units, sizeof(Unit))
    open_event_index(&w.event_index, w.units)
    w.tables = <BindingTable*>calloc(w.nodes + 1, sizeof(BindingTable))
    w.unit_of_node = <int32_t*>calloc(w.nodes + 1, sizeof(int32_t))
    w.cell_of_node = <int32_t*>calloc(w.nodes + 1, sizeof(int32_t))
    w.cell = <Cell*>calloc(w.cells + 1, sizeof(Cell))
    w.next_hop = <Fifo***>calloc(w.nodes + 1, sizeof(Fifo**))
    for i in range(w.nodes):
        w.next_hop[i] = <Fifo**>calloc(w.nodes, sizeof(Fifo*))
    w.delay_histogram = <int64_t*>calloc(HISTOGRAM_BUCKETS, sizeof(int64_t))
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
    w.ledger_lock = <char*>calloc(1, 1)
    w.ledger = new CopyLedger()
    w.mobile_groups = <const MobileGroup*>data_pointer(b.families)
    w.mobile_group_count = len(b.families)
    w.mobile = <MobileNode*>allocate_zeroed((w.mobiles + 1) * sizeof(MobileNode))
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
        u.sources = new vector[Source]()
        u.deferred = new vector[DeferredItem]()
        if u.kind == UNIT_MOBILES:
            w.mobile_unit = u
        elif u.kind == UNIT_NODE:
            w.unit_of_node[u.node] = <int32_t>i
            u.registration_fifo = new_server_fifo(w, servers[u.node, 2], servers[u.node, 3])
            u.reports_refusals = servers[u.node, 4] != 0
    for i in range(w.units):
        u = &w.unit[i]
        if u.kind == UNIT_SERVER:
            u.server_fifo = new_server_fifo(w, servers[u.node, 0], servers[u.node, 1])
            u.server_fifo.key = server_keys[u.node]
            u.server_fifo.params.node = u.node
            connect_to_unit(u.server_fifo.params, w, &w.unit[w.unit_of_node[u.node]])
            w.unit[w.unit_of_node[u.node]].inbound_fifos.push_back(u.server_fifo)
    w.link_counters = <LinkCounters*>data_pointer(b.tallies)
    init_links(w, b, traced)
    init_attachments(w, b)
    init_sources(w, b)
    init_tables(w, b)
    return w

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
        f = new_fifo(w.fifo_pool, params, keys[i])
        fifos.push_back(f)
        destination.inbound_fifos.push_back(f)
    for i in range(w.units):
        sort(w.unit[i].inbound_fifos.begin(), w.unit[i].inbound_fifos.end(), &link_key_before)
        w.unit[i].ready_word_count = (w.unit[i].inbound_fifos.size() + 63) >> 6
        w.unit[i].ready_words = <uint64_t*>calloc(w.unit[i].ready_word_count + 1, sizeof(uint64_t))
        if w.unit[i].ready_words == NULL:
            raise MemoryError("no memory for a run")
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
        if cells[i, 1]:
            c.shared_downlink = new_fifo(w.fifo_pool, c.downlink_params, c.downlink_key)
    return 0

cdef inline int init_attachments(World* w, object b) except -1:
    cdef const uint32_t[::1] known_first = b.opening["known_first"]
    cdef const uint8_t[::1] is_attached = b.opening["attached"]
    cdef int64_t i
    w.known_times = <const int64_t*>data_pointer(b.known)
    for i in range(w.mobiles):
        w.mobile[i].next_known = known_first[i]
        w.mobile[i].attachment_count = is_attached[i]
        if is_attached[i] > 1:
            w.mobile[i].flags = CONTESTED
    w.attach_first = <const uint32_t*>data_pointer(b.attach_first)
    w.attach_start = <const int64_t*>data_pointer(b.attach_up)
    w.attach_end = <const int64_t*>data_pointer(b.attach_down)
    w.attach_latest_end = <const int64_t*>data_pointer(b.attach_longest)
    w.attach_cell = <const int32_t*>data_pointer(b.attach_cell)
    w.boundaries = <const AttachmentBoundary*>data_pointer(b.boundaries)
    w.boundary_count = len(b.boundaries)
    return 0

cdef inline int init_sources(World* w, object b) except -1:
    cdef const uint32_t[::1] mobile = b.opening["flow_mobile"], order = b.opening["flow_order"]
    cdef const int8_t[::1] up = b.opening["flow_up"]
    cdef const int64_t[::1] start = b.opening["flow_start"], log_table = b.logarithms
    cdef const uint16_t[::1] size = b.opening["flow_size"]
    cdef const int64_t[::1] times
    cdef const uint32_t[::1] sizes
    cdef Recording* recording
    cdef int64_t i, j, k
    cdef FlowSchedule* schedule
    cdef Source s
    cdef Unit* u
    cdef CbrRing* g
    cdef size_t n
    w.flow = <Flow*>allocate_zeroed((w.flows + 1) * sizeof(Flow))
    w.flow_key = <const uint64_t*>data_pointer(b.flow_keys)
    w.flow_node = <const int32_t*>data_pointer(b.flow_nodes)
    w.flow_schedule = <const uint32_t*>data_pointer(b.flow_law)
    w.mobile_of_flow = <uint32_t*>allocate_zeroed((w.flows + 1) * sizeof(uint32_t))
    w.sent_packets = <uint32_t*>calloc(w.flows + 1, sizeof(uint32_t))
    w.log_table = <int64_t*>calloc(log_table.shape[0], sizeof(int64_t))
    for i in range(log_table.shape[0]):
        w.log_table[i] = log_table[i]
    w.recordings = <Recording*>calloc(len(b.replays) + 1, sizeof(Recording))
    for i in range(len(b.replays)):
        replay, recording = b.replays[i], &w.recordings[i]
        times, sizes = replay.times, replay.sizes
        recording.times, recording.sizes, recording.length = &times[0], &sizes[0], times.shape[0]
        recording.origin, recording.multiplier, recording.divisor = replay.origin, replay.multiply, replay.divide
    if len(b.flows_by_mobile):
        w.flows_by_mobile = <const uint32_t*>data_pointer(b.flows_by_mobile)
    init_schedules(w, b.opening["laws"])
    for j in range(w.flows):
        i = order[j]
        w.flow[i].last_time = -1
        w.mobile_of_flow[i] = mobile[i]
        w.flow[i].is_upstream = up[i]
        schedule = &w.schedules[w.flow_schedule[i]]
        s.t, s.key, s.flow, s.seq = start[i], w.flow_key[i], <uint32_t>i, 0
        s.size = size[i]
        s.mobile = mobile[i]
        s.destination = <uint16_t>(w.flow_node[i] if up[i] else find_group(w, mobile[i]).home)
        if schedule.kind == POISSON:
            s.t += exponential_gap(combine(schedule.draw_key, 0), schedule.interval, w.log_table)
        elif schedule.kind == REPLAY:
            s.t += recording_time(schedule.recording, 0)
            s.size = <uint16_t>schedule.recording.sizes[0]
        if s.t < 0 or s.t >= schedule.stop or schedule.count <= 0:  # negative: overflow, 2**63 ps or later
            continue
        u = w.mobile_unit if up[i] else &w.unit[w.unit_of_node[w.flow_node[i]]]
        atomic_min(u.next_event, s.t)
        if schedule.kind != CBR:
            push_source(u.sources, &s)
            continue
        g = NULL
        for n in range(u.cbr_rings.size()):
            if u.cbr_rings[0][n].interval == schedule.interval:
                g = u.cbr_rings[0][n]
        if g == NULL:
            g = <CbrRing*>calloc(1, sizeof(CbrRing))
            g.interval = schedule.interval
            g.is_endless = True
            g.not_started = new vector[Source]()
            u.cbr_rings.push_back(g)
        if schedule.stop != NEVER or schedule.count != NEVER:
            g.is_endless = False
        g.not_started.push_back(s)
    for k in range(w.units):
        for n in range(w.unit[k].cbr_rings.size()):
            g = w.unit[k].cbr_rings[0][n]
            g.not_started.shrink_to_fit()
            g.capacity = <uint32_t>g.not_started.size()
            g.ring = <Source*>calloc(g.capacity, sizeof(Source))  # calloc: pages become resident only as flows start
    return 0

cdef inline int init_schedules(World* w, const int64_t[:, ::1] laws) except -1:
    """Fill in the schedules from rows of (interval, start, stop, count, source, key)."""
    cdef FlowSchedule* schedule
    cdef int64_t i
    w.schedules = <FlowSchedule*>calloc(laws.shape[0] + 1, sizeof(FlowSchedule))
    for i in range(laws.shape[0]):
        schedule = &w.schedules[i]
        schedule.interval, schedule.start, schedule.stop, schedule.count = laws[i, 0], laws[i, 1], laws[i, 2], laws[i, 3]
        schedule.kind = laws[i, 4] if laws[i, 4] < 2 else REPLAY
        if schedule.kind == POISSON:
            schedule.draw_key = combine(combine(w.seed, PURPOSE_GAP), <uint64_t>laws[i, 5])
        elif schedule.kind == REPLAY:
            schedule.recording = &w.recordings[laws[i, 4] - 2]
    return 0

cdef inline int reserve_tables(World* w, const int32_t[::1] node, const int32_t[::1] coa) except -1:
    """Reserve the tables for the bindings of time 0."""
    cdef vector[uint32_t] entries
    cdef vector[uint32_t] queues
    cdef int64_t i
    entries.resize(w.nodes)
    queues.resize(w.cells)
    for i in range(node.shape[0]):
        entries[node[i]] += 1
        if coa[i] < 0 and w.cell[w.cell_of_node[node[i]]].shared_downlink == NULL:
            queues[w.cell_of_node[node[i]]] += 1
    for i in range(w.nodes):
        if entries[i] and reserve_slots(&w.tables[i], entries[i]):
            raise MemoryError("no memory for a run")
    for i in range(w.cells):
        if queues[i] and reserve_slots(&w.cell[i].downlinks, queues[i]):
            raise MemoryError("no memory for a run")
    return 0

cdef inline int init_tables(World* w, object b) except -1:
    cdef const int32_t[::1] node = b.opening["entry_node"], mobile = b.opening["entry_mobile"], coa = b.opening["entry_coa"]
    cdef const uint8_t[::1] header = b.opening["entry_header"]
    cdef const int8_t[::1] end = b.opening["entry_end"]
    cdef const int32_t[::1] route_mobile = b.opening["route_mobile"], route_cell = b.opening["route_cell"]
    cdef const int32_t[::1] due_node = b.opening["due_node"], due_mobile = b.opening["due_mobile"]
    cdef const int64_t[::1] due_time = b.opening["due_time"], code = b.opening["due_code"], arg = b.opening["due_arg"]
    cdef CareOf c
    cdef int64_t i, k
    cdef Unit* u
    reserve_tables(w, node, coa)
    for i in range(node.shape[0]):
        if coa[i] < 0:
            set_local_entry(w, <int>node[i], <uint32_t>mobile[i], NEVER, 0)
        else:
            if coa[i] == node[i] or w.next_hop[node[i]][coa[i]] == NULL:
                names = b.node_names
                raise ValueError(f"care-of node {names[coa[i]]!r} cannot be reached from {names[node[i]]!r}")
            c.expiry, c.node, c.header_bytes, c.ends_at_mobile = NEVER, <uint16_t>coa[i], header[i], <uint8_t>end[i]
            set_tunnel_entry(w, <int>node[i], <uint32_t>mobile[i], c, 0, False)
    for i in range(route_mobile.shape[0]):
        if route_cell[i] < 0:
            raise ValueError(f"node {b.node_names[b.opening['route_node'][i]]!r} has no cell to send upstream through")
        w.mobile[route_mobile[i]].route = <uint16_t>route_cell[i]
    for i in range(due_time.shape[0]):
        u = w.mobile_unit if due_node[i] < 0 else &w.unit[w.unit_of_node[due_node[i]]]
        u.schedule_count += 1
    for i in range(w.units):
        u = &w.unit[i]
        u.schedule_t = <int64_t*>calloc(u.schedule_count + 1, sizeof(int64_t))
        u.schedule_mobile = <int32_t*>calloc(u.schedule_count + 1, sizeof(int32_t))
        u.schedule_code = <int32_t*>calloc(u.schedule_count + 1, sizeof(int32_t))
        u.schedule_arg = <int64_t*>calloc(u.schedule_count + 1, sizeof(int64_t))
        u.schedule_count = 0
    for i in range(due_time.shape[0]):
        u = w.mobile_unit if due_node[i] < 0 else &w.unit[w.unit_of_node[due_node[i]]]
        k = u.schedule_count
        u.schedule_t[k], u.schedule_mobile[k] = due_time[i], <int32_t>due_mobile[i]
        u.schedule_code[k], u.schedule_arg[k] = <int32_t>code[i], arg[i]
        u.schedule_count += 1
        atomic_min(u.next_event, due_time[i])
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
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.inbound_fifos.size()):
            if u.inbound_fifos[0][j].params.service_time < 0:  # the others are the servers of units in this world
                free(u.inbound_fifos[0][j].params)
                delete_fifo(w.fifo_pool, u.inbound_fifos[0][j])
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.cbr_rings.size()):
            del u.cbr_rings[0][j].not_started
            free(u.cbr_rings[0][j].ring)
            free(u.cbr_rings[0][j])
        free_server(w, u.server_fifo)
        free_server(w, u.registration_fifo)
        del u.inbound_fifos, u.cursors, u.merge_heads, u.pending_events, u.actions, u.cbr_rings, u.sources, u.deferred
        free(u.ready_words)
        free(u.schedule_t)
        free(u.schedule_mobile)
        free(u.schedule_code)
        free(u.schedule_arg)
    for i in range(w.nodes):
        free_table(w, &w.tables[i])
    free_table(w, &w.upstream_buffers)
    for i in range(w.cells):
        free_table(w, &w.cell[i].downlinks)
        free_table(w, &w.cell[i].uplinks)
        delete_fifo(w.fifo_pool, w.cell[i].shared_downlink)
        free(w.cell[i].downlink_params)
        free(w.cell[i].uplink_params)
        del w.cell[i].active_uplinks
    delete_link_trace(w.trace)
    del w.active_downlinks, w.downlink_bounds, w.due_downlinks, w.control_downlinks, w.contested_mobiles
    del w.messages, w.free_messages
    del w.spans, w.packet_records, w.retired_rings, w.ledger
    free(w.ledger_lock)
    delete_block_pool(w.fifo_pool)
    close_event_index(&w.event_index)
    free(w.unit)
    free(w.tables)
    free(w.unit_of_node)
    free(w.cell_of_node)
    free(w.cell)
    for i in range(w.nodes):
        free(w.next_hop[i])
    free(w.next_hop)
    free(w.delay_histogram)
    free(w.mobile)
    free(w.flow)
    free(w.mobile_of_flow)
    free(w.schedules)
    free(w.recordings)
    free(w.sent_packets)
    free(w.log_table)
    free(w)
