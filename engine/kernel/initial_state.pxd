"""Initial state of a world: attachments, traffic sources, bindings and scheduled events."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc

from engine.kernel.arena cimport allocate_zeroed
from engine.kernel.binding_table cimport CareOf, reserve_slots
from engine.kernel.next_event cimport MAX_RUN_PS, NEVER, atomic_min, later
from engine.kernel.rng cimport PURPOSE_GAP, combine, exponential_gap
from engine.kernel.shortage cimport require
from engine.kernel.source_calendar cimport build_calendar
from engine.kernel.sources cimport CBR, POISSON, REPLAY, CbrRing, FlowSchedule, Recording, Source, recording_time
from engine.kernel.table_changes cimport set_local_entry, set_tunnel_entry
from engine.kernel.vector cimport vector
from engine.kernel.world cimport CONTESTED, AttachmentBoundary, Flow, Unit, World, find_group

cdef inline void* data_pointer(object array):
    """Return the address of an array, which its owner keeps alive as long as the world."""
    return <void*><size_t>array.ctypes.data

cdef inline int init_attachments(World* w, object b) except -1:
    cdef const uint32_t[::1] known_first = b.startup_columns["known_first"]
    cdef const uint8_t[::1] attachment_counts = b.startup_columns["attached"]
    cdef int64_t i
    w.known_times = <const int64_t*>data_pointer(b.boundary_times)
    for i in range(w.mobiles):
        w.mobile[i].next_known = known_first[i]
        w.mobile[i].attachment_count = attachment_counts[i]
        if attachment_counts[i] > 1:
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
    cdef const uint32_t[::1] mobile = b.startup_columns["flow_mobile"], order = b.startup_columns["flow_order"]
    cdef const int32_t[::1] sender = b.startup_columns["flow_sender"]
    cdef const int64_t[::1] start = b.startup_columns["flow_start"], log_table = b.logarithms
    cdef const uint16_t[::1] size = b.startup_columns["flow_size"]
    cdef const int64_t[::1] times
    cdef const uint32_t[::1] sizes
    cdef Recording* recording
    cdef int64_t i, j, k
    cdef FlowSchedule* schedule
    cdef Source s
    cdef Unit* u
    cdef CbrRing* g
    cdef size_t n
    w.flow = <Flow*>require(allocate_zeroed((w.flows + 1) * sizeof(Flow)))
    w.flow_key = <const uint64_t*>data_pointer(b.flow_keys)
    w.flow_node = <const int32_t*>data_pointer(b.flow_nodes)
    w.flow_schedule = <const uint32_t*>data_pointer(b.flow_schedule)
    w.mobile_of_flow = <uint32_t*>require(allocate_zeroed((w.flows + 1) * sizeof(uint32_t)))
    w.sent_packets = <uint32_t*>require(calloc(w.flows + 1, sizeof(uint32_t)))
    w.log_table = <int64_t*>require(calloc(log_table.shape[0], sizeof(int64_t)))
    for i in range(log_table.shape[0]):
        w.log_table[i] = log_table[i]
    w.recordings = <Recording*>require(calloc(len(b.replays) + 1, sizeof(Recording)))
    for i in range(len(b.replays)):
        replay, recording = b.replays[i], &w.recordings[i]
        times, sizes = replay.times, replay.sizes
        recording.times, recording.sizes, recording.length = &times[0], &sizes[0], times.shape[0]
        recording.origin, recording.multiplier, recording.divisor = replay.origin, replay.multiply, replay.divide
    if len(b.flows_by_mobile):
        w.flows_by_mobile = <const uint32_t*>data_pointer(b.flows_by_mobile)
    init_schedules(w, b.startup_columns["schedules"])
    for j in range(w.flows):
        i = order[j]
        w.flow[i].last_time = -1
        w.mobile_of_flow[i] = mobile[i]
        w.flow[i].bits.ends_at_node = sender[i] == <int64_t>mobile[i]
        w.has_peers |= sender[i] >= 0 and not w.flow[i].bits.ends_at_node
        schedule = &w.schedules[w.flow_schedule[i]]
        s.t, s.key, s.flow, s.seq = start[i], w.flow_key[i], <uint32_t>i, 0
        s.size = size[i]
        s.mobile = <uint32_t>sender[i] if sender[i] >= 0 else mobile[i]
        s.destination = <uint16_t>(w.flow_node[i] if sender[i] >= 0 else find_group(w, mobile[i]).home)
        if schedule.kind == POISSON:
            s.t = later(s.t, exponential_gap(combine(schedule.draw_key, 0), schedule.interval, w.log_table))
        elif schedule.kind == REPLAY:
            s.t = later(s.t, recording_time(schedule.recording, 0))
            s.size = <uint16_t>schedule.recording.sizes[0]
        if s.t >= schedule.stop or schedule.count <= 0:
            continue
        u = w.mobile_unit if sender[i] >= 0 else &w.unit[w.unit_of_node[w.flow_node[i]]]
        atomic_min(u.next_event, s.t)
        if schedule.kind != CBR:
            u.sources.items.push_back(s)
            continue
        g = NULL
        for n in range(u.cbr_rings.size()):
            if u.cbr_rings[0][n].interval == schedule.interval:
                g = u.cbr_rings[0][n]
        if g == NULL:
            g = <CbrRing*>require(calloc(1, sizeof(CbrRing)))
            g.interval = schedule.interval
            g.is_endless = True
            u.cbr_rings.push_back(g)
            g.not_started = new vector[Source]()
        if schedule.stop != NEVER or schedule.count != NEVER or schedule.interval > NEVER - MAX_RUN_PS:
            g.is_endless = False
        g.not_started.push_back(s)
    for k in range(w.units):
        build_calendar(&w.unit[k].sources)
        for n in range(w.unit[k].cbr_rings.size()):
            g = w.unit[k].cbr_rings[0][n]
            g.not_started.shrink_to_fit()
            g.capacity = <uint32_t>g.not_started.size()
            g.ring = <Source*>require(calloc(g.capacity, sizeof(Source)))  # calloc: pages become resident only as flows start
    return 0

cdef inline int init_schedules(World* w, const int64_t[:, ::1] rows) except -1:
    """Fill in the schedules from rows of (interval, start, stop, count, source, key).

    ``source`` is CBR, POISSON, or REPLAY + the index of a recording.
    """
    cdef FlowSchedule* schedule
    cdef int64_t i
    w.schedules = <FlowSchedule*>require(calloc(rows.shape[0] + 1, sizeof(FlowSchedule)))
    for i in range(rows.shape[0]):
        schedule = &w.schedules[i]
        schedule.interval, schedule.start, schedule.stop, schedule.count = rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3]
        schedule.kind = rows[i, 4] if rows[i, 4] < REPLAY else REPLAY
        if schedule.kind == POISSON:
            schedule.draw_key = combine(combine(w.seed, PURPOSE_GAP), <uint64_t>rows[i, 5])
        elif schedule.kind == REPLAY:
            schedule.recording = &w.recordings[rows[i, 4] - REPLAY]
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
        if entries[i]:
            reserve_slots(&w.tables[i], entries[i])
    for i in range(w.cells):
        if queues[i]:
            reserve_slots(&w.cell[i].downlinks, queues[i])
    return 0

cdef inline int init_tables(World* w, object b) except -1:
    cdef const int32_t[::1] node = b.startup_columns["entry_node"], mobile = b.startup_columns["entry_mobile"]
    cdef const int32_t[::1] coa = b.startup_columns["entry_coa"]
    cdef const uint8_t[::1] header = b.startup_columns["entry_header"]
    cdef const int8_t[::1] end = b.startup_columns["entry_end"]
    cdef const int32_t[::1] route_mobile = b.startup_columns["route_mobile"], route_cell = b.startup_columns["route_cell"]
    cdef const int32_t[::1] due_node = b.startup_columns["due_node"], due_mobile = b.startup_columns["due_mobile"]
    cdef const int64_t[::1] due_time = b.startup_columns["due_time"], code = b.startup_columns["due_code"]
    cdef const int64_t[::1] arg = b.startup_columns["due_arg"]
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
            c.expiry, c.node, c.header_bytes, c.tunnel_flags = NEVER, <uint16_t>coa[i], header[i], <uint8_t>end[i]
            set_tunnel_entry(w, <int>node[i], <uint32_t>mobile[i], c, 0, False)
    for i in range(route_mobile.shape[0]):
        if route_cell[i] < 0:
            raise ValueError(f"node {b.node_names[b.startup_columns['route_node'][i]]!r} has no cell to send upstream through")
        w.mobile[route_mobile[i]].route = <uint16_t>route_cell[i]
    for i in range(due_time.shape[0]):
        u = w.mobile_unit if due_node[i] < 0 else &w.unit[w.unit_of_node[due_node[i]]]
        u.schedule_count += 1
    for i in range(w.units):
        u = &w.unit[i]
        u.schedule_t = <int64_t*>require(calloc(u.schedule_count + 1, sizeof(int64_t)))
        u.schedule_mobile = <int32_t*>require(calloc(u.schedule_count + 1, sizeof(int32_t)))
        u.schedule_code = <int32_t*>require(calloc(u.schedule_count + 1, sizeof(int32_t)))
        u.schedule_arg = <int64_t*>require(calloc(u.schedule_count + 1, sizeof(int64_t)))
        u.schedule_count = 0
    for i in range(due_time.shape[0]):
        u = w.mobile_unit if due_node[i] < 0 else &w.unit[w.unit_of_node[due_node[i]]]
        k = u.schedule_count
        u.schedule_t[k], u.schedule_mobile[k] = due_time[i], <int32_t>due_mobile[i]
        u.schedule_code[k], u.schedule_arg[k] = <int32_t>code[i], arg[i]
        u.schedule_count += 1
        atomic_min(u.next_event, due_time[i])
    return 0
