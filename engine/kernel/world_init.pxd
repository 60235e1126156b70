"""Make a world from the arrays of a built network, and take it down."""

from libc.stdint cimport int8_t, int32_t, int64_t, uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector

from engine.kernel.next_event cimport GROUP, close_agenda, lower, open_agenda
from engine.kernel.arena cimport delete_blocks, zeroed
from engine.kernel.copy_ledger cimport Ledger
from engine.kernel.events cimport Action, Message, Pending
from engine.kernel.fifo cimport UNLIMITED, Fifo, Inlet, Line, Tally, delete_fifo, new_fifo, new_fifo_blocks, new_line
from engine.kernel.forwarding cimport set_local, set_tunnel
from engine.kernel.link_trace cimport delete_hops, new_hops
from engine.kernel.arrival_merge cimport Head
from engine.kernel.rng cimport PURPOSE_GAP, exponential_gap, mix2
from engine.kernel.sources cimport CBR, POISSON, REPLAY, Law, Rotation, Source, Tape, push_source, tape_time
from engine.kernel.binding_table cimport EMPTY, QUEUE, Careof, Table, forget, reserve
from engine.kernel.world cimport (
    BUCKETS, CONTESTED, NEVER, NO_CELL, UNIT_FLEET, UNIT_NODE, UNIT_SERVER, Boundary, Cell, Ended, Flow, Late, Family,
    Mobile, Span, Unit, World, family_of,
)

cdef extern from *:
    """
    static int64_t no_frontier = -1;
    static int64_t no_next = 0; /* of FIFOs that wake nobody: no time is below it, so it is never written */
    static uint64_t no_busy = 0;
    """
    int64_t NO_FRONTIER "no_frontier"
    int64_t NO_NEXT "no_next"
    uint64_t NO_BUSY "no_busy"

cdef inline int64_t limit(int64_t given) noexcept:
    return given if given else UNLIMITED

cdef inline Line* channel(
    World* w, const int64_t* c, uint64_t loss, const int64_t* recorded, int64_t row, Tally* tally, Unit* to, int node, int cell
) noexcept:
    cdef Line* line = new_line()
    line.rate, line.delay = c[0], c[1]
    line.limit_packets, line.limit_bytes = limit(c[2]), limit(c[3])
    line.loss, line.tally, line.node, line.cell = loss, tally, node, cell
    line.row = <int32_t>row if recorded[row] else -1
    attend(line, w, to)
    return line

cdef inline void attend(Line* line, World* w, Unit* to) noexcept:
    """The unit where it ends hears of what comes."""
    line.frontier, line.next, line.soon = &to.frontier, to.next, to.soon
    line.passed = &NO_FRONTIER if to == w.fleet else &w.agenda.passed[to.rank // GROUP]
    line.busy, line.bit = &NO_BUSY, 0

cdef inline void run_ahead(Unit* u, int depth) noexcept:
    """It has a frontier of its own, not its group's."""
    cdef size_t i
    u.ahead = depth
    for i in range(u.arrivals.size()):
        u.arrivals.data()[i].line.passed = &NO_FRONTIER

cdef inline Fifo* server_fifo(World* w, int64_t service, int64_t queue) noexcept:
    cdef Line* line = new_line()
    line.fixed = service
    line.limit_packets = limit(queue)
    line.tally = <Tally*>calloc(1, sizeof(Tally))
    line.frontier = line.passed = &NO_FRONTIER
    line.next = line.soon = &NO_NEXT
    line.busy = &NO_BUSY
    return new_fifo(w.fifos, line, 0)

cdef inline bint key_before(Fifo* const& a, Fifo* const& b) noexcept nogil:
    return a.key < b.key

cdef inline void* lies(object array):
    """Where an array of ``Built`` lies, which lives as long as the world."""
    return <void*><size_t>array.ctypes.data

cdef inline World* open_world(object b, object seed, int tunnel_limit, int record, const int64_t[::1] recorded) except NULL:
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
    w.tunnel_limit, w.record = tunnel_limit, record
    for i in range(recorded.shape[0]):
        if recorded[i] and w.hops == NULL:
            w.hops = new_hops()
    w.fifos = new_fifo_blocks()
    w.unit = <Unit*>calloc(w.units, sizeof(Unit))
    open_agenda(&w.agenda, w.units)
    w.tables = <Table*>calloc(w.nodes + 1, sizeof(Table))
    w.unit_of_node = <int32_t*>calloc(w.nodes + 1, sizeof(int32_t))
    w.cell_of_node = <int32_t*>calloc(w.nodes + 1, sizeof(int32_t))
    w.cell = <Cell*>calloc(w.cells + 1, sizeof(Cell))
    w.hop = <Fifo***>calloc(w.nodes + 1, sizeof(Fifo**))
    for i in range(w.nodes):
        w.hop[i] = <Fifo**>calloc(w.nodes, sizeof(Fifo*))
    w.histogram = <int64_t*>calloc(BUCKETS, sizeof(int64_t))
    w.busy_downs = new vector[Fifo*]()
    w.nothing_before = new vector[int64_t]()
    w.due_downs = new vector[Fifo*]()
    w.control_downs = new vector[Fifo*]()
    w.touched = new vector[int32_t]()
    w.messages = new vector[Message]()
    w.free_messages = new vector[uint32_t]()
    w.spans = new vector[Span]()
    w.ended = new vector[Ended]()
    w.outgrown = new vector[void*]()
    w.lock = <char*>calloc(1, 1)
    w.ledger = new Ledger()
    w.family = <const Family*>lies(b.families)
    w.families = len(b.families)
    w.mobile = <Mobile*>zeroed((w.mobiles + 1) * sizeof(Mobile))
    for i in range(w.mobiles):
        w.mobile[i].down = -1
        w.mobile[i].cell = w.mobile[i].route = NO_CELL
    for i in range(w.nodes):
        w.cell_of_node[i] = -1
    for i in range(w.units):
        u = &w.unit[i]
        u.kind, u.node, u.rank, u.cell = <int32_t>units[i, 0], <int32_t>units[i, 1], <int32_t>i, -1
        u.next, u.soon = &w.agenda.next[i], &w.agenda.soon[i // GROUP]
        u.arrivals = new vector[Fifo*]()
        u.inlets = new vector[Inlet]()
        u.heads = new vector[Head]()
        u.pending = new vector[Pending]()
        u.actions = new vector[Action]()
        u.rotations = new vector[Rotation*]()
        u.sources = new vector[Source]()
        u.late = new vector[Late]()
        if u.kind == UNIT_FLEET:
            w.fleet = u
        elif u.kind == UNIT_NODE:
            w.unit_of_node[u.node] = <int32_t>i
            u.registration = server_fifo(w, servers[u.node, 2], servers[u.node, 3])
            u.answers = servers[u.node, 4] != 0
    for i in range(w.units):
        u = &w.unit[i]
        if u.kind == UNIT_SERVER:
            u.server = server_fifo(w, servers[u.node, 0], servers[u.node, 1])
            u.server.key = server_keys[u.node]
            u.server.line.node = u.node
            attend(u.server.line, w, &w.unit[w.unit_of_node[u.node]])
            w.unit[w.unit_of_node[u.node]].arrivals.push_back(u.server)
    w.tallies = <Tally*>lies(b.tallies)
    open_links(w, b, recorded)
    open_movement(w, b)
    open_sources(w, b)
    open_tables(w, b)
    return w

cdef inline int open_links(World* w, object b, const int64_t[::1] recorded) except -1:
    cdef const int64_t[:, ::1] links = b.links
    cdef const uint64_t[::1] keys = b.link_keys
    cdef const uint64_t[::1] loss = b.link_loss
    cdef int64_t[:, ::1] tallies = b.tallies
    cdef const int64_t[:, ::1] cells = b.cells
    cdef const uint64_t[:, ::1] cell_keys = b.cell_keys
    cdef const uint64_t[:, ::1] cell_loss = b.cell_loss
    cdef const int32_t[:, ::1] hops = b.hops
    cdef vector[Fifo*] made
    cdef vector[int32_t] front  # the unit where arrivals from outside enter a node
    cdef Fifo* f
    cdef Line* line
    cdef Unit* to
    cdef Cell* c
    cdef int64_t i, j
    cdef size_t k
    for i in range(w.nodes):
        front.push_back(w.unit_of_node[i])
    for i in range(w.units):
        if w.unit[i].kind == UNIT_SERVER:
            front[w.unit[i].node] = <int32_t>i
    for i in range(links.shape[0]):
        to = &w.unit[front[links[i, 1]]]
        line = channel(w, &links[i, 2], loss[i], &recorded[0], i, <Tally*>&tallies[i, 0], to, <int>links[i, 0], -1)
        f = new_fifo(w.fifos, line, keys[i])
        made.push_back(f)
        to.arrivals.push_back(f)
    for i in range(w.units):
        sort(w.unit[i].arrivals.begin(), w.unit[i].arrivals.end(), &key_before)
        w.unit[i].words = (w.unit[i].arrivals.size() + 63) >> 6
        w.unit[i].busy = <uint64_t*>calloc(w.unit[i].words + 1, sizeof(uint64_t))
        if w.unit[i].busy == NULL:
            raise MemoryError("no memory for a run")
        w.unit[i].inlets.reserve(w.unit[i].arrivals.size())
        for k in range(w.unit[i].arrivals.size()):
            line = w.unit[i].arrivals.data()[k].line
            line.busy, line.bit = &w.unit[i].busy[k >> 6], <uint64_t>1 << (k & 63)
    for i in range(w.nodes):
        for j in range(w.nodes):
            if hops[i, j] >= 0:
                w.hop[i][j] = made[hops[i, j]]
    for i in range(w.cells):
        c = &w.cell[i]
        c.node = <int32_t>cells[i, 0]
        w.cell_of_node[c.node] = <int32_t>i
        w.unit[front[c.node]].cell = <int32_t>i
        c.key_down, c.key_up = cell_keys[i, 0], cell_keys[i, 1]
        c.busy_ups = new vector[Fifo*]()
        j = links.shape[0] + 2 * i
        c.down = channel(w, &cells[i, 2], cell_loss[i, 0], &recorded[0], j, <Tally*>&tallies[j, 0], w.fleet, c.node, <int>i)
        to = &w.unit[front[c.node]]
        c.up = channel(w, &cells[i, 6], cell_loss[i, 1], &recorded[0], j + 1, <Tally*>&tallies[j + 1, 0], to, c.node, <int>i)
        if cells[i, 1]:
            c.shared = new_fifo(w.fifos, c.down, c.key_down)
    return 0

cdef inline int open_movement(World* w, object b) except -1:
    cdef const uint32_t[::1] known_first = b.opening["known_first"]
    cdef const uint8_t[::1] attached = b.opening["attached"]
    cdef int64_t i
    w.events_known = <const int64_t*>lies(b.known)
    for i in range(w.mobiles):
        w.mobile[i].upcoming = known_first[i]
        w.mobile[i].attached = attached[i]
        if attached[i] > 1:
            w.mobile[i].flags = CONTESTED
    w.attach_first = <const uint32_t*>lies(b.attach_first)
    w.attach_up = <const int64_t*>lies(b.attach_up)
    w.attach_down = <const int64_t*>lies(b.attach_down)
    w.attach_longest = <const int64_t*>lies(b.attach_longest)
    w.attach_cell = <const int32_t*>lies(b.attach_cell)
    w.boundaries = <const Boundary*>lies(b.boundaries)
    w.boundary_count = len(b.boundaries)
    return 0

cdef inline int open_sources(World* w, object b) except -1:
    cdef const uint32_t[::1] mobile = b.opening["flow_mobile"], order = b.opening["flow_order"]
    cdef const int8_t[::1] up = b.opening["flow_up"]
    cdef const int64_t[::1] start = b.opening["flow_start"], numbers = b.logarithms
    cdef const uint16_t[::1] size = b.opening["flow_size"]
    cdef const int64_t[::1] times
    cdef const uint32_t[::1] sizes
    cdef Tape* tape
    cdef int64_t i, j, k
    cdef Law* law
    cdef Source s
    cdef Unit* u
    cdef Rotation* g
    cdef size_t n
    w.flow = <Flow*>zeroed((w.flows + 1) * sizeof(Flow))
    w.flow_key = <const uint64_t*>lies(b.flow_keys)
    w.flow_node = <const int32_t*>lies(b.flow_nodes)
    w.flow_law = <const uint32_t*>lies(b.flow_law)
    w.mobile_of_flow = <uint32_t*>zeroed((w.flows + 1) * sizeof(uint32_t))
    w.sent = <uint32_t*>calloc(w.flows + 1, sizeof(uint32_t))
    w.logarithms = <int64_t*>calloc(numbers.shape[0], sizeof(int64_t))
    for i in range(numbers.shape[0]):
        w.logarithms[i] = numbers[i]
    w.tapes = <Tape*>calloc(len(b.replays) + 1, sizeof(Tape))
    for i in range(len(b.replays)):
        replay, tape = b.replays[i], &w.tapes[i]
        times, sizes = replay.times, replay.sizes
        tape.times, tape.sizes, tape.length = &times[0], &sizes[0], times.shape[0]
        tape.origin, tape.multiply, tape.divide = replay.origin, replay.multiply, replay.divide
    if len(b.flows_by_mobile):
        w.flows_by_mobile = <const uint32_t*>lies(b.flows_by_mobile)
    open_laws(w, b.opening["laws"])
    for j in range(w.flows):
        i = order[j]
        w.flow[i].last = -1
        w.mobile_of_flow[i] = mobile[i]
        w.flow[i].up = up[i]
        law = &w.laws[w.flow_law[i]]
        s.t, s.key, s.flow, s.seq = start[i], w.flow_key[i], <uint32_t>i, 0
        s.size = size[i]
        s.mobile = mobile[i]
        s.home = <uint16_t>(w.flow_node[i] if up[i] else family_of(w, mobile[i]).home)
        if law.kind == POISSON:
            s.t += exponential_gap(mix2(law.draws, 0), law.step, w.logarithms)
        elif law.kind == REPLAY:
            s.t += tape_time(law.tape, 0)
            s.size = <uint16_t>law.tape.sizes[0]
        if s.t < 0 or s.t >= law.stop or law.count <= 0:  # < 0: 2**63 ps or later
            continue
        u = w.fleet if up[i] else &w.unit[w.unit_of_node[w.flow_node[i]]]
        lower(u.next, s.t)
        if law.kind != CBR:
            push_source(u.sources, &s)
            continue
        g = NULL
        for n in range(u.rotations.size()):
            if u.rotations[0][n].step == law.step:
                g = u.rotations[0][n]
        if g == NULL:
            g = <Rotation*>calloc(1, sizeof(Rotation))
            g.step = law.step
            g.endless = True
            g.coming = new vector[Source]()
            u.rotations.push_back(g)
        if law.stop != NEVER or law.count != NEVER:
            g.endless = False
        g.coming.push_back(s)
    for k in range(w.units):
        for n in range(w.unit[k].rotations.size()):
            g = w.unit[k].rotations[0][n]
            g.coming.shrink_to_fit()
            g.capacity = <uint32_t>g.coming.size()
            g.ring = <Source*>calloc(g.capacity, sizeof(Source))  # resident as far as flows have begun
    return 0

cdef inline int open_laws(World* w, const int64_t[:, ::1] laws) except -1:
    """From rows of (step, start, stop, count, source, key)."""
    cdef Law* law
    cdef int64_t i
    w.laws = <Law*>calloc(laws.shape[0] + 1, sizeof(Law))
    for i in range(laws.shape[0]):
        law = &w.laws[i]
        law.step, law.start, law.stop, law.count = laws[i, 0], laws[i, 1], laws[i, 2], laws[i, 3]
        law.kind = laws[i, 4] if laws[i, 4] < 2 else REPLAY
        if law.kind == POISSON:
            law.draws = mix2(mix2(w.seed, PURPOSE_GAP), <uint64_t>laws[i, 5])
        elif law.kind == REPLAY:
            law.tape = &w.tapes[laws[i, 4] - 2]
    return 0

cdef inline int reserve_tables(World* w, const int32_t[::1] node, const int32_t[::1] coa) except -1:
    """Tables as large as the entries of time 0 need."""
    cdef vector[uint32_t] entries
    cdef vector[uint32_t] queues
    cdef int64_t i
    entries.resize(w.nodes)
    queues.resize(w.cells)
    for i in range(node.shape[0]):
        entries[node[i]] += 1
        if coa[i] < 0 and w.cell[w.cell_of_node[node[i]]].shared == NULL:
            queues[w.cell_of_node[node[i]]] += 1
    for i in range(w.nodes):
        if entries[i] and reserve(&w.tables[i], entries[i]):
            raise MemoryError("no memory for a run")
    for i in range(w.cells):
        if queues[i] and reserve(&w.cell[i].downs, queues[i]):
            raise MemoryError("no memory for a run")
    return 0

cdef inline int open_tables(World* w, object b) except -1:
    cdef const int32_t[::1] node = b.opening["entry_node"], mobile = b.opening["entry_mobile"], coa = b.opening["entry_coa"]
    cdef const uint8_t[::1] header = b.opening["entry_header"]
    cdef const int8_t[::1] end = b.opening["entry_end"]
    cdef const int32_t[::1] route_mobile = b.opening["route_mobile"], route_cell = b.opening["route_cell"]
    cdef const int32_t[::1] where = b.opening["due_node"], who = b.opening["due_mobile"]
    cdef const int64_t[::1] when = b.opening["due_time"], code = b.opening["due_code"], arg = b.opening["due_arg"]
    cdef Careof c
    cdef int64_t i, k
    cdef Unit* u
    reserve_tables(w, node, coa)
    for i in range(node.shape[0]):
        if coa[i] < 0:
            set_local(w, <int>node[i], <uint32_t>mobile[i], NEVER, 0)
        else:
            if coa[i] == node[i] or w.hop[node[i]][coa[i]] == NULL:
                names = b.node_names
                raise ValueError(f"care-of node {names[coa[i]]!r} cannot be reached from {names[node[i]]!r}")
            c.until, c.node, c.header, c.at_mobile = NEVER, <uint16_t>coa[i], header[i], <uint8_t>end[i]
            set_tunnel(w, <int>node[i], <uint32_t>mobile[i], c, 0, False)
    for i in range(route_mobile.shape[0]):
        if route_cell[i] < 0:
            raise ValueError(f"node {b.node_names[b.opening['route_node'][i]]!r} has no cell to send upstream through")
        w.mobile[route_mobile[i]].route = <uint16_t>route_cell[i]
    for i in range(when.shape[0]):
        u = w.fleet if where[i] < 0 else &w.unit[w.unit_of_node[where[i]]]
        u.scheduled_count += 1
    for i in range(w.units):
        u = &w.unit[i]
        u.scheduled_t = <int64_t*>calloc(u.scheduled_count + 1, sizeof(int64_t))
        u.scheduled_mobile = <int32_t*>calloc(u.scheduled_count + 1, sizeof(int32_t))
        u.scheduled_code = <int32_t*>calloc(u.scheduled_count + 1, sizeof(int32_t))
        u.scheduled_arg = <int64_t*>calloc(u.scheduled_count + 1, sizeof(int64_t))
        u.scheduled_count = 0
    for i in range(when.shape[0]):
        u = w.fleet if where[i] < 0 else &w.unit[w.unit_of_node[where[i]]]
        k = u.scheduled_count
        u.scheduled_t[k], u.scheduled_mobile[k] = when[i], <int32_t>who[i]
        u.scheduled_code[k], u.scheduled_arg[k] = <int32_t>code[i], arg[i]
        u.scheduled_count += 1
        lower(u.next, when[i])
    return 0

cdef inline void free_table(World* w, Table* table) noexcept:
    cdef uint32_t i
    for i in range(table.slots):
        if table.slot[i].mode == QUEUE:
            delete_fifo(w.fifos, <Fifo*>table.slot[i].one.more)
        elif table.slot[i].mode != EMPTY:
            forget(&table.slot[i])
    free(table.slot)

cdef inline void free_server(World* w, Fifo* f) noexcept:
    if f != NULL:
        free(f.line.tally)
        free(f.line)
        delete_fifo(w.fifos, f)

cdef inline void close_world(World* w) noexcept:
    cdef int64_t i
    cdef size_t j
    cdef Unit* u
    if w == NULL:
        return
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.arrivals.size()):
            if u.arrivals[0][j].line.fixed < 0:  # the others are servers of units here
                free(u.arrivals[0][j].line)
                delete_fifo(w.fifos, u.arrivals[0][j])
    for i in range(w.units):
        u = &w.unit[i]
        for j in range(u.rotations.size()):
            del u.rotations[0][j].coming
            free(u.rotations[0][j].ring)
            free(u.rotations[0][j])
        free_server(w, u.server)
        free_server(w, u.registration)
        del u.arrivals, u.inlets, u.heads, u.pending, u.actions, u.rotations, u.sources, u.late
        free(u.busy)
        free(u.scheduled_t)
        free(u.scheduled_mobile)
        free(u.scheduled_code)
        free(u.scheduled_arg)
    for i in range(w.nodes):
        free_table(w, &w.tables[i])
    free_table(w, &w.up_holds)
    for i in range(w.cells):
        free_table(w, &w.cell[i].downs)
        free_table(w, &w.cell[i].ups)
        delete_fifo(w.fifos, w.cell[i].shared)
        free(w.cell[i].down)
        free(w.cell[i].up)
        del w.cell[i].busy_ups
    delete_hops(w.hops)
    del w.busy_downs, w.nothing_before, w.due_downs, w.control_downs, w.touched, w.messages, w.free_messages
    del w.spans, w.ended, w.outgrown, w.ledger
    free(w.lock)
    delete_blocks(w.fifos)
    close_agenda(&w.agenda)
    free(w.unit)
    free(w.tables)
    free(w.unit_of_node)
    free(w.cell_of_node)
    free(w.cell)
    for i in range(w.nodes):
        free(w.hop[i])
    free(w.hop)
    free(w.histogram)
    free(w.mobile)
    free(w.flow)
    free(w.mobile_of_flow)
    free(w.laws)
    free(w.tapes)
    free(w.sent)
    free(w.logarithms)
    free(w)
