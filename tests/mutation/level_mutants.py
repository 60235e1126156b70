"""Mutants of the schedule by level: inboxes, the visit of a level, and the way into levels and out of them."""

from tests.mutation.mutant import Mutant

LEVEL_MUTANTS = (
    Mutant(
        "ties in a run by entry",
        "kernel/inbox.pxd",
        "    return x.packet.t < y.packet.t or (x.packet.t == y.packet.t and x.key < y.key)\n",
        "    return x.packet.t < y.packet.t\n",
    ),
    Mutant(
        "an arrival moves up one place at most",
        "kernel/inbox.pxd",
        "    while i != last and arrival_precedes(&x, &a[(i - 1) & mask]):\n        i -= 1\n",
        "    if i != last and arrival_precedes(&x, &a[(i - 1) & mask]):\n        i -= 1\n",
    ),
    Mutant(
        "late arrivals in the order of entry",
        "kernel/inbox.pxd",
        "    if arrival_precedes(&y.arrival, &x.arrival):\n        return True\n",
        "    if y.order < x.order:\n        return True\n",
    ),
    Mutant(
        "each queue counts as fed from one run",
        "kernel/levels.pxd",
        "        alone &= feeder[0] == run and not",
        "        alone &= not",
    ),
    Mutant(
        "own packets do not disturb forwarding",
        "kernel/levels.pxd",
        " and not (u.sends_own_packets and feeder != &u.delivery_feeder)",
        "",
    ),
    Mutant(
        "copies and buffers do not disturb runs",
        "kernel/levels.pxd",
        "        return True\n    return False\n\ncdef inline bint look_up_run(",
        "        return True\n    return True\n\ncdef inline bint look_up_run(",
    ),
    Mutant(
        "runs are drained before actions",
        "kernel/levels.pxd",
        "not (by_run and drain_level(w, v, t))",
        "not (by_run and drain_level(w, v, end))",
    ),
    Mutant(
        "actions come after all arrivals of a window",
        "kernel/levels.pxd",
        "        t = v.actions.data()[i].t if i < n else end",
        "        t = end",
    ),
    Mutant(
        "runs are drained before late arrivals",
        "kernel/levels.pxd",
        "v.inbox.late.data().arrival.packet.t < end:\n        return False\n",
        "v.inbox.late.data().arrival.packet.t < end:\n        pass\n",
    ),
    Mutant(
        "what follows a drained run is forgotten",
        "kernel/levels.pxd",
        "            v.inbox.next_event = min(v.inbox.next_event, a.packet.t)\n",
        "",
    ),
    Mutant(
        "late arrivals are forgotten after drained runs",
        "kernel/levels.pxd",
        "        v.inbox.next_event = min(v.inbox.next_event, v.inbox.late.data().arrival.packet.t)\n",
        "        pass\n",
    ),
    Mutant(
        "arrivals before own packets of the same instant",
        "kernel/levels.pxd",
        "        if t_source <= t_first:\n",
        "        if t_source < t_first:\n",
    ),
    Mutant(
        "units of a level in any order of depth",
        "lookahead.py",
        "_ranks([(depth[i], unit.kind,",
        "_ranks([(-depth[i], unit.kind,",
    ),
    Mutant(
        "no level lags",
        "_loop.pyx",
        "stop if end == NEVER or end - v.lag > stop else end - v.lag)",
        "end if end < stop else stop)",
    ),
    Mutant(
        "each level is visited before all others",
        "lookahead.py",
        "lags[s] - length + (0 if s < d else window)",
        "lags[s] - length",
    ),
    Mutant(
        "a level does not stop for its own packets",
        "_loop.pyx",
        "        if step > v.step:\n",
        "        if False:\n",
    ),
    Mutant(
        "a queue forgets the packet on its link",
        "kernel/fifo.pxd",
        "    if queues:\n        append_relayed(f, p.t, retired_rings)\n",
        "    if queues and f.first_in_system != f.tail:\n        append_relayed(f, p.t, retired_rings)\n",
    ),
    Mutant(
        "a backlogged uplink is deleted early",
        "kernel/uplinks.pxd",
        "        if f.idle_at > t:\n",
        "        if False:\n",
    ),
    Mutant(
        "packets in the system are not counted after a slice",
        "kernel/level_state.pxd",
        "    f.state.bytes += packet_bytes(p)\n",
        "",
    ),
    Mutant(
        "messages on their way at the end of a slice are forgotten",
        "kernel/level_state.pxd",
        "    if p.flags & CONTROL:\n        note_control_arrival(w, &w.unit[params.destination], key, p)\n",
        "",
    ),
    Mutant(
        "messages for a node wait for the next event",
        "kernel/world.pxd",
        "    u.control_arrivals.push_back(x)\n    atomic_min(u.next_event, p.t)\n",
        "    u.control_arrivals.push_back(x)\n",
    ),
)
"""Mutants that ``check.oracle_and_levels`` of tests/differential has to notice."""
