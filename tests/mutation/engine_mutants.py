"""Mutants of the engine: each breaks one rule, and the comparison with the oracle must detect it (see mutation.py).

A mutant replaces one text in one file of engine/; the text must occur there exactly once.
"""

from __future__ import annotations

from tests.mutation.handover_mutants import GATE_MUTANTS
from tests.mutation.level_mutants import LEVEL_MUTANTS
from tests.mutation.mutant import Mutant
from tests.mutation.source_mutants import SOURCE_MUTANTS

QUEUE_MUTANTS = (
    Mutant("keys read big-endian", "rng.py", '"little")', '"big")'),
    Mutant(
        "SplitMix64 shifts by 26", "rng.py", "(x >> 27)) * 0x94D049BB133111EB) & MASK", "(x >> 26)) * 0x94D049BB133111EB) & MASK"
    ),
    # windows and units
    Mutant("window x 1.5", "lookahead.py", "window_ps=window,", "window_ps=window * 3 // 2,"),
    Mutant("window cycles ignore uplinks", "lookahead.py", "        if uplinks:\n", "        if False:\n"),
    Mutant(
        "service time doubled in the window", "lookahead.py", "(front[i], i, n.service_ps)", "(front[i], i, 2 * n.service_ps)"
    ),
    Mutant("units in any order", "lookahead.py", "        if d not in after[s]:\n", "        if False:\n"),
    # routing
    Mutant(
        "equal delays ignore the hop count",
        "routing.py",
        "(link.channel.delay_ps << _HOPS) + 1",
        "(link.channel.delay_ps << _HOPS)",
    ),
    Mutant("largest link key", "routing.py", "key=lambda i: name_key(", "key=lambda i: -name_key("),
    # the table at the time of the packet
    Mutant(
        "newest instead of as-of binding",
        "kernel/node_visit.pxd",
        "        process_data_until(w, u, u.actions.data()[i].t)\n        apply_action(",
        "        apply_action(",
    ),
    Mutant(
        "binding valid at its expiry",
        "kernel/forwarding.pxd",
        "        if p.t < c.expiry and (kinds",
        "        if p.t <= c.expiry and (kinds",
    ),
    Mutant(
        "unbind removes the whole entry",
        "kernel/table_changes.pxd",
        "        if careof_at(e, k).node == careof_node:",
        "        if True:",
    ),
    Mutant(
        "fifth care-of node replaces the newest",
        "kernel/table_changes.pxd",
        "        remove_careof(e, 0)\n",
        "        remove_careof(e, 3)\n",
    ),
    # queues
    Mutant(
        "> for >= in the packet limit",
        "kernel/fifo.pxd",
        "packets_in_system > f.params.limit_packets",
        "packets_in_system - 1 > f.params.limit_packets",
    ),
    Mutant(
        ">= for > in the byte limit",
        "kernel/fifo.pxd",
        "    if unlikely(bytes_in_system > f.params.limit_bytes):",
        "    if unlikely(bytes_in_system >= f.params.limit_bytes):",
    ),
    Mutant(
        "a packet still counts at its departure time", "kernel/fifo.pxd", ".t - f.params.delay <= t:", ".t - f.params.delay < t:"
    ),
    Mutant("floor of the transmission time", "kernel/fifo.pxd", "+ params.rate - 1) // <uint64_t>", ") // <uint64_t>"),
    Mutant(
        "rescue takes a packet in transmission",
        "kernel/fifo.pxd",
        "transmission_time(f.params, packet_bytes(p)) > t:",
        "transmission_time(f.params, packet_bytes(p)) >= t:",
    ),
    Mutant(
        "rescue keeps the times of later packets",
        "kernel/fifo.pxd",
        "            f.ring[write & f.mask].t = f.idle_at + f.params.delay\n",
        "",
    ),
    Mutant(
        "a consumed packet has departed from a server",
        "kernel/fifo.pxd",
        "    return f.first_in_system if <int32_t>(f.head - f.first_in_system) > 0 else f.head",
        "    return f.head",
    ),
    # ties
    Mutant("ties by order in memory", "kernel/world_init.pxd", "    return a.key < b.key", "    return a < b"),
    Mutant(
        "a crowd of arrivals by entry",
        "kernel/uplink_arrivals.pxd",
        "    if unlikely(q.unsorted != 0):\n        stable_sort(",
        "    if False:\n        stable_sort(",
    ),
    Mutant(
        "an arrival passes unsorted ones",
        "kernel/uplink_arrivals.pxd",
        "    if unlikely(q.unsorted != 0):\n        q.unsorted += 1\n        return True\n",
        "",
    ),
    Mutant(
        "a crowd of arrivals is sorted alone",
        "kernel/uplink_arrivals.pxd",
        "        inplace_merge(q.items.begin() + q.head, q.items.begin() + first, q.items.end(), &arrival_before)\n",
        "",
    ),
    Mutant(
        "a checkpoint has unsorted arrivals",
        "_checkpoint.pyx",
        "    sort_arrivals(&c.arrivals)\n",
        "",
    ),
    Mutant(
        "ties of uplinks by arrival",
        "kernel/uplink_arrivals.pxd",
        " or (x.packet.t == y.packet.t and x.key < y.key)",
        "",
    ),
    Mutant(
        "own packets after arrivals",
        "kernel/node_visit.pxd",
        "t_source <= t_link and t_source <= t_uplink",
        "t_source < t_link and t_source <= t_uplink",
    ),
    # A mutant of ``action_before`` without the mobile key would be equivalent. A controller gets its events in the order (time,
    # mobile key), and sets timers only for the current mobile node, not in the past: its calls are in this order already.
    Mutant(
        "events at one instant in the order of their causes",
        "kernel/events.pxd",
        "    if a.mobile_key != b.mobile_key:\n        return a.mobile_key < b.mobile_key\n    if a.kind",
        "    if a.kind",
    ),
    Mutant("messages before timers", "kernel/events.pxd", "        return a.kind < b.kind", "        return a.kind > b.kind"),
    # control packets
    Mutant(
        "a message for a mobile jumps the queue",
        "kernel/mobile_nodes.pxd",
        "                e.t = p.t\n",
        "                e.t = p.t - f.params.delay\n",
    ),
    Mutant(
        "every node reports refusals",
        "kernel/node_visit.pxd",
        "notify = u.reports_refusals and u.has_controller",
        "notify = u.has_controller",
    ),
    Mutant(
        "a refusal is a message",
        "kernel/node_visit.pxd",
        "e.kind = EVENT_MESSAGE if accepted else EVENT_REFUSED",
        "e.kind = EVENT_MESSAGE",
    ),
    Mutant(
        "a refused message is freed before it is read",
        "kernel/node_visit.pxd",
        "        m.reference_count += notify",
        "        pass",
    ),
    Mutant(
        "a wait includes the service",
        "kernel/node_visit.pxd",
        "count_wait(u, slot.t - p.t - f.params.service_time)",
        "count_wait(u, slot.t - p.t)",
    ),
    Mutant(
        "waits restart after a checkpoint",
        "_checkpoint.pyx",
        "    s.serialize(&u.total_wait, sizeof(u.total_wait))\n",
        "",
    ),
    Mutant(
        "a sum of delays loses its carry", "kernel/fates.pxd", "        f.bits.delay_sum_high += 1\n", "        pass\n"
    ),
    Mutant("sums of 64 bits", "kernel/exact_sum.pxd", "        x->high = (int64_t)(sum >> 64);\n", ""),
    Mutant("messages skip the registration server", "kernel/node_visit.pxd", "    finish[0] = slot.t\n", "    finish[0] = p.t\n"),
    Mutant("messages like data are served", "kernel/node_visit.pxd", "    if p.flags & LIKE_DATA:\n", "    if False:\n"),
    # radio
    Mutant(
        "attached at the start is enough",
        "kernel/reception.pxd",
        "f.params.cell, p.t - f.params.delay, p.t)):",
        "f.params.cell, p.t - f.params.delay, p.t - f.params.delay)):",
    ),
    Mutant(
        "detached at the end of the attachment",
        "kernel/reception.pxd",
        "== cell and end <= w.attach_end[i]:",
        "== cell and end < w.attach_end[i]:",
    ),
    Mutant(
        "deliveries of two cells unsorted",
        "kernel/mobile_nodes.pxd",
        "        sort(u.deferred.begin(), u.deferred.end(), &deferred_before)\n",
        "        pass\n",
    ),
    # copies, tunnels, buffers
    Mutant(
        "a second copy is no duplicate",
        "kernel/fates.pxd",
        "        is_duplicate = c.delivered\n",
        "        is_duplicate = False\n",
    ),
    Mutant(
        "a packet is lost with its first copy", "kernel/fates.pxd", "            if not c.delivered:\n", "            if True:\n"
    ),
    Mutant(
        "headers are not removed",
        "kernel/forwarding.pxd",
        "        p.extra = 0\n        p.flags &= <uint8_t>~DECAPSULATE",
        "        p.flags &= <uint8_t>~DECAPSULATE",
    ),
    Mutant(
        "one tunnel more",
        "kernel/forwarding.pxd",
        "p.t < e.target.expiry and (p.tunnels & TUNNEL_COUNT_MASK) < w.tunnel_limit",
        "p.t < e.target.expiry and (p.tunnels & TUNNEL_COUNT_MASK) <= w.tunnel_limit",
    ),
    Mutant(
        "a buffer outlives its expiry", "kernel/forwarding.pxd", "    if t < e.target.expiry:\n        return\n", "    return\n"
    ),
    Mutant(
        "loss draws forget the tunnels",
        "kernel/world.pxd",
        "    return combine(k, p.tunnels & TUNNEL_COUNT_MASK)",
        "    return k",
    ),
    # occupancy
    Mutant("an entry counts after its end", "kernel/occupancy.pxd", "        c.count -= 1\n", "        pass\n"),
    Mutant(
        "a removed entry ends once more at its end",
        "kernel/occupancy.pxd",
        "        push_end(c.cancelled, end)\n",
        "        pass\n",
    ),
    Mutant(
        "a renewed care-of node counts twice",
        "kernel/table_changes.pxd",
        "            uncount_entry(bindings, careof_at(e, k).expiry, t)\n            careof_at",
        "            careof_at",
    ),
    Mutant(
        "a packet that times out waits until the next one comes",
        "kernel/forwarding.pxd",
        "-buffer.bytes, e.target.expiry)",
        "-buffer.bytes, t)",
    ),
    Mutant(
        "bindings are counted anew after a checkpoint",
        "_checkpoint.pyx",
        "    serialize_entry_count(s, &u.bindings)\n",
        "",
    ),
    # records
    Mutant(
        "fan-outs among the tunnels",
        "kernel/fates.pxd",
        "p.copy, p.tunnels & TUNNEL_COUNT_MASK, p.creation_time",
        "p.copy, p.tunnels, p.creation_time",
    ),
    Mutant("received through the next cell", "kernel/fates.pxd", "w.cell[cell].node if", "w.cell[cell ^ 1].node if"),
    # recordings
    Mutant(
        "a product of 64 bits",
        "kernel/sources.pxd",
        "mul_div(t, recording.multiplier, recording.divisor)",
        "t * recording.multiplier // recording.divisor",
    ),
    Mutant(
        "a recording begins at its clock's 0", "kernel/sources.pxd", "recording.times[i] - recording.origin", "recording.times[i]"
    ),
    Mutant("the second lap of a recording starts at once", "kernel/sources.pxd", "multiple(lap, schedule.interval))\n", "0)\n"),
    # draws
    Mutant("logarithms rounded down", "rng.py", "(total + (1 << 39)) >> 40", "total >> 40"),
    # the radio
    Mutant(
        "copy_in_flight copies waiting packets",
        "kernel/table_changes.pxd",
        "transmission_time(down.params, packet_bytes(p)) > t:\n            return\n        fanouts",
        "transmission_time(down.params, packet_bytes(p)) < 0:\n            return\n        fanouts",
    ),
    Mutant(
        "copies in the air have the original's id",
        "kernel/table_changes.pxd",
        "copy.copy = <uint8_t>(p.copy | (1 << (2 * fanouts)))\n            if",
        "copy.copy = p.copy\n            if",
    ),
    Mutant(
        "radio messages follow the table",
        "kernel/table_changes.pxd",
        "        if a.arg1:\n            send_by_radio(w, n, a)\n        elif",
        "        if",
    ),
)
# packets received before the mobile nodes' visit
AHEAD_MUTANTS = (
    Mutant("ahead of known events", "kernel/reception.pxd", "return w.known_times[x.next_known] > t and", "return"),
    Mutant("ahead of timers", "kernel/reception.pxd", " and x.pending_timers == 0 and not", " and not"),
    Mutant(
        "ahead between two cells",
        "kernel/reception.pxd",
        "x.pending_timers == 0 and not x.flags & CONTESTED\n",
        "x.pending_timers == 0\n",
    ),
    Mutant("ahead past the end", "kernel/reception.pxd", "        t >= w.slice_end or unlikely(", "        unlikely("),
    Mutant(
        "ahead of waiting packets",
        "kernel/reception.pxd",
        "    if f.idle_at > p.t or f.head != f.tail or",
        "    if f.idle_at > p.t or",
    ),
    Mutant(
        "a relayed packet is not on the air",
        "kernel/fifo.pxd",
        "    if f.first_in_system == f.tail and f.idle_at > t:",
        "    if False:",
    ),
    Mutant(
        "ahead in another cell",
        "kernel/reception.pxd",
        "    return x.cell == cell and x.attached_from",
        "    return x.attached_from",
    ),
    Mutant(
        "attachments are not counted",
        "kernel/reception.pxd",
        "        x.attachment_count = <uint8_t>(x.attachment_count + w.boundaries[w.boundary_next].change)\n",
        "",
    ),
    # merge
    Mutant("arrivals at one time in any order", "kernel/arrival_merge.pxd", "x.order = i\n", "x.order = cursors.size() - i\n"),
    Mutant(
        "a run continues at the time of the second head",
        "kernel/arrival_merge.pxd",
        "second.t + (a.order < second.order)",
        "second.t + 1",
    ),
)
# parallel windows
PARALLEL_MUTANTS = (
    Mutant("parallel window longer than the shortest link", "lookahead.py", "min(window, shortest)", "window"),
    Mutant(
        "parallel window ignores uplinks",
        "lookahead.py",
        "length for s, d, length in arcs if units[d].kind != MOBILES and",
        "length for s, d, length in arcs if MOBILES not in (units[s].kind, units[d].kind) and",
    ),
    Mutant("a node with a cell runs ahead", "lookahead.py", "    while frontier:\n", "    while False:\n"),
    Mutant("units pass a run-ahead unit", "kernel/worker_view.pxd", "            end = min(end, bound)\n", "            pass\n"),
    Mutant(
        "a run-ahead unit passes another",
        "kernel/worker_view.pxd",
        "            arc.destination.visit_end = min(arc.destination.visit_end, bound)\n",
        "            pass\n",
    ),
    Mutant(
        "controllers run before the run-ahead units",
        "_loop.pyx",
        "                if u.next_event[0] < end:\n                    self.visit(u, end)\n",
        "",
    ),
    Mutant(
        "drops of parallel workers are lost",
        "kernel/worker_view.pxd",
        "        drop(w, &d.packet, d.fate, d.t, d.node)\n",
        "        pass\n",
    ),
    Mutant(
        "delays of parallel workers are lost",
        "kernel/worker_view.pxd",
        "        w.delay_histogram[k] += v.delay_histogram[k]\n",
        "",
    ),
    Mutant(
        "consumed messages are subtracted twice",
        "kernel/fifo.pxd",
        "    uncount_control(x.fifo, x.control_count)\n",
        "    uncount_control(x.fifo, 2 * x.control_count)\n",
    ),
    Mutant(
        "the next event is not updated after a visit",
        "kernel/node_visit.pxd",
        "    u.next_event[0] = compute_next_event(w, u)\n",
        "",
    ),
    Mutant("a due unit keeps its frontier", "_loop.pyx", "                        u.frontier = end\n", ""),
)
# index of next events
NEXT_EVENT_MUTANTS = (
    Mutant(
        "an arrival sets no ready bit", "kernel/fifo.pxd", "    atomic_set_bits(f.params.ready_word, f.params.ready_bit)\n", ""
    ),
    Mutant("an arrival does not lower its group's bound", "kernel/fifo.pxd", "    atomic_min(f.params.group_bound, t)\n", ""),
    Mutant(
        "a visit does not lower its group's bound",
        "kernel/node_visit.pxd",
        "    atomic_min(u.group_bound, u.next_event[0])\n",
        "",
    ),
)
# flows between mobiles
PEER_MUTANTS = (
    Mutant(
        "packets between mobiles are delivered at the home node",
        "kernel/node_visit.pxd",
        "        if w.flow[p.flow].bits.ends_at_node:\n",
        "        if True:\n",
    ),
    Mutant(
        "packets between mobiles stay upstream",
        "kernel/node_visit.pxd",
        "    down.flags &= <uint8_t>~DATA_UP\n",
        "",
    ),
    Mutant(
        "packets between mobiles go to the home node of the sender",
        "network.py",
        "self.mobile_homes()[peer if up else mobile]",
        "self.mobile_homes()[mobile if up else peer]",
    ),
    Mutant(
        "the receiver's uplink instead of the sender's",
        "kernel/initial_state.pxd",
        "s.mobile = <uint32_t>sender[i] if sender[i] >= 0 else mobile[i]",
        "s.mobile = mobile[i]",
    ),
)
UPLINK_MUTANTS = (
    Mutant(
        "an uplink is idle when its packet begins",
        "kernel/uplinks.pxd",
        "state.idle_at, state.key, state.cell, state.bytes = finish,",
        "state.idle_at, state.key, state.cell, state.bytes = p.t,",
    ),
    Mutant(
        "a backlogged uplink forgets the packet on it",
        "kernel/uplinks.pxd",
        "        if w.uplink[m].cell == cell:\n",
        "        if False:\n",
    ),
    Mutant(
        "an uplink waits for that of another cell",
        "kernel/uplinks.pxd",
        "        if w.uplink[m].cell == cell:\n",
        "        if True:\n",
    ),
    Mutant(
        "mobile nodes with an action send before it",
        "kernel/mobile_nodes.pxd",
        "        if w.mobile[s.mobile].flags & CONTESTED:\n",
        "        if False:\n",
    ),
    Mutant(
        "messages lost on an uplink are served",
        "kernel/node_visit.pxd",
        " and not p.flags & (LOST | SENT_DETACHED):\n",
        ":\n",
    ),
    Mutant(
        "a late arrival on an uplink wakes nobody",
        "kernel/uplinks.pxd",
        "    if insert_arrival(&c.arrivals, &arrival):\n",
        "    if insert_arrival(&c.arrivals, &arrival) and c.arrivals.items.size() == c.arrivals.head + 1:\n",
    ),
)
ENGINE_MUTANTS = (
    QUEUE_MUTANTS + AHEAD_MUTANTS + PARALLEL_MUTANTS + NEXT_EVENT_MUTANTS + PEER_MUTANTS + UPLINK_MUTANTS + SOURCE_MUTANTS
    + LEVEL_MUTANTS + GATE_MUTANTS
)
IN_EVERY_RUN = 1  # leading mutants that also run without --mutants
