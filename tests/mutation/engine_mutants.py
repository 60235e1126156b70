"""The engine with one rule broken: each must be caught by the comparison with the oracle (see mutation.py).

Each is one replacement of text in one file of engine/; the text must stand there exactly once.
"""

from __future__ import annotations

from tests.mutation.mutant import Mutant

QUEUE_MUTANTS = (
    Mutant("keys read big-endian", "keys.py", '"little")', '"big")'),
    Mutant("SplitMix64 shifts by 26", "keys.py", "(x >> 27)", "(x >> 26)"),
    # windows and units
    Mutant("window x 1.5", "plan.py", "i in order], window, min(", "i in order], window * 3 // 2, min("),
    Mutant("no uplinks in the window's cycles", "plan.py", "        if uplinks:\n", "        if False:\n"),
    Mutant("service time doubled in the window", "plan.py", "(front[i], i, n.service_ps)", "(front[i], i, 2 * n.service_ps)"),
    Mutant("units without order", "plan.py", "        if d not in after[s]:\n", "        if False:\n"),
    # ways
    Mutant("hops do not matter", "plan.py", "(link.channel.delay_ps << _HOPS) + 1", "(link.channel.delay_ps << _HOPS)"),
    Mutant(
        "largest link key", "plan.py", "key=lambda i: key(network.links[i].name))", "key=lambda i: -key(network.links[i].name))"
    ),
    # the table as of the packet's own time
    Mutant(
        "newest instead of as-of binding",
        "units.pxd",
        "        data_until(w, u, u.actions.data()[i].t, &late_next)\n        act(",
        "        act(",
    ),
    Mutant(
        "binding valid at its until",
        "forwarding.pxd",
        "        if r.t < careof(e, i).until:\n            chosen",
        "        if r.t <= careof(e, i).until:\n            chosen",
    ),
    Mutant(
        "unbind removes whatever there is", "forwarding.pxd", "        if careof(e, k).node == careof_node:", "        if True:"
    ),
    Mutant(
        "fifth care-of node replaces the newest", "forwarding.pxd", "        take_careof(e, 0)\n", "        take_careof(e, 3)\n"
    ),
    # queues
    Mutant("> for >= in the packet limit", "fifo.pxd", "n > f.line.limit_packets", "n - 1 > f.line.limit_packets"),
    Mutant(
        ">= for > in the byte limit",
        "fifo.pxd",
        "    if rare(waiting > f.line.limit_bytes):",
        "    if rare(waiting >= f.line.limit_bytes):",
    ),
    Mutant("departed at its finish still counts", "fifo.pxd", ".t - f.line.delay <= t:", ".t - f.line.delay < t:"),
    Mutant("floor of the transmission time", "fifo.pxd", "+ line.rate - 1) // line.rate", ") // line.rate"),
    Mutant(
        "rescue takes what has begun",
        "fifo.pxd",
        "transmission(f.line, record_bytes(r)) > t:",
        "transmission(f.line, record_bytes(r)) >= t:",
    ),
    Mutant(
        "rescue leaves the others where they were", "fifo.pxd", "            f.ring[w & f.mask].t = f.free + f.line.delay\n", ""
    ),
    Mutant(
        "consumed is departed at a server",
        "fifo.pxd",
        "    return f.sent if <int32_t>(f.head - f.sent) > 0 else f.head",
        "    return f.head",
    ),
    # ties
    Mutant("ties by order in memory", "state.pxd", "    return a.key < b.key", "    return a < b"),
    Mutant(
        "ties of uplinks by arrival",
        "units.pxd",
        "    if x.key != y.key:\n        return x.key < y.key\n    return x.order",
        "    return x.order",
    ),
    Mutant(
        "own packets after arrivals",
        "units.pxd",
        "t_source <= t_link and t_source <= t_late",
        "t_source < t_link and t_source <= t_late",
    ),
    Mutant(  # of events it would show only to controllers that mix their mobiles' state: actions are put in order again
        "actions of a batch in the order of calls",
        "events.pxd",
        "    if x.mobile_key != y.mobile_key:\n        return x.mobile_key < y.mobile_key\n    return x.order",
        "    return x.order",
    ),
    Mutant("messages before timers", "events.pxd", "        return a.kind < b.kind", "        return a.kind > b.kind"),
    # control is a packet like data
    Mutant(
        "a message for a mobile jumps the queue",
        "fleet.pxd",
        "                e.t = r.t\n",
        "                e.t = r.t - f.line.delay\n",
    ),
    Mutant("all refusals are told", "units.pxd", "told = u.answers and u.controlled", "told = u.controlled"),
    Mutant("a refusal is a message", "units.pxd", "e.kind = REFUSED if got == FULL else MESSAGE", "e.kind = MESSAGE"),
    Mutant("a refused message is forgotten before it is read", "units.pxd", "        m.references += told", "        pass"),
    Mutant("a wait includes the service", "units.pxd", "waited(u, entered.t - t - f.line.fixed)", "waited(u, entered.t - t)"),
    Mutant(
        "waits begin anew after a checkpoint",
        "_checkpoint.pyx",
        "    u.wait, u.wait_max = s.number(u.wait), s.number(u.wait_max)\n",
        "",
    ),
    Mutant("messages skip the registration server", "units.pxd", "        e.t = entered.t\n", "        e.t = t\n"),
    # radio
    Mutant(
        "attached at the start is enough",
        "reception.pxd",
        "f.line.cell, r.t - f.line.delay, r.t)):",
        "f.line.cell, r.t - f.line.delay, r.t - f.line.delay)):",
    ),
    Mutant("gone at its down", "reception.pxd", "== cell and end <= w.attach_down[i]:", "== cell and end < w.attach_down[i]:"),
    Mutant(
        "deliveries of two cells unsorted",
        "fleet.pxd",
        "        sort(u.late.begin(), u.late.end(), &late_before)\n",
        "        pass\n",
    ),
    # copies, tunnels, holds
    Mutant("a second copy is no duplicate", "world.pxd", "        again = c.delivered\n", "        again = False\n"),
    Mutant("lost when the first copy is", "world.pxd", "            if not c.delivered:\n", "            if True:\n"),
    Mutant(
        "headers stay on",
        "forwarding.pxd",
        "        r.extra = 0\n        r.flags &= <uint8_t>~STRIP",
        "        r.flags &= <uint8_t>~STRIP",
    ),
    Mutant(
        "one tunnel more",
        "forwarding.pxd",
        "r.t < e.one.until and (r.tunnels & 15) < w.tunnel_limit",
        "r.t < e.one.until and (r.tunnels & 15) <= w.tunnel_limit",
    ),
    Mutant("a hold outlives its until", "forwarding.pxd", "    if t < e.one.until:\n        return\n", "    return\n"),
    Mutant("loss draws forget the tunnels", "world.pxd", "    return mix2(k, r.tunnels & 15)", "    return k"),
    # records
    Mutant("fan-outs among the tunnels", "world.pxd", "r.copy, r.tunnels & 15, r.born", "r.copy, r.tunnels, r.born"),
    Mutant("heard through the next cell", "world.pxd", "w.cell[cell].node if", "w.cell[cell ^ 1].node if"),
    # recordings
    Mutant("a product of 64 bits", "sources.pxd", "mul_div(t, tape.multiply, tape.divide)", "t * tape.multiply // tape.divide"),
    Mutant("a recording begins at its clock's 0", "sources.pxd", "tape.times[i] - tape.origin", "tape.times[i]"),
    Mutant("the second turn at once", "sources.pxd", " + turn * law.step\n", "\n"),
    # draws
    Mutant("logarithms rounded down", "plan.py", "(total + (1 << 39)) >> 40", "total >> 40"),
    # the radio
    Mutant(
        "again copies what waits",
        "forwarding.pxd",
        "transmission(down.line, record_bytes(r)) > t:\n            return\n        if r.t > t",
        "transmission(down.line, record_bytes(r)) < 0:\n            return\n        if r.t > t",
    ),
    Mutant(
        "copies in the air have the original's id",
        "forwarding.pxd",
        "copy.copy = <uint8_t>(r.copy | (1 << (2 * level)))\n            if",
        "copy.copy = r.copy\n            if",
    ),
    Mutant(
        "by radio as the table says",
        "forwarding.pxd",
        "        if a.b:\n            send_radio(w, n, a)\n        elif",
        "        if",
    ),
)
# ahead of the fleet
AHEAD_MUTANTS = (
    Mutant("ahead of known events", "reception.pxd", "return w.events_known[x.upcoming] > t and", "return"),
    Mutant("ahead of timers", "reception.pxd", " and x.timers == 0 and not", " and not"),
    Mutant("ahead between two cells", "reception.pxd", "x.timers == 0 and not x.flags & CONTESTED\n", "x.timers == 0\n"),
    Mutant("ahead past the end", "reception.pxd", "        t >= w.horizon or rare(", "        rare("),
    Mutant("ahead of those that wait", "reception.pxd", "    if f.free > r.t or f.head != f.tail or", "    if f.free > r.t or"),
    Mutant("what was relayed is not on the air", "fifo.pxd", "    if f.sent == f.tail and f.free > t:", "    if False:"),
    Mutant("ahead in another's cell", "reception.pxd", "    return x.cell == cell and x.up", "    return x.up"),
    Mutant(
        "attachments are not counted",
        "reception.pxd",
        "        x.attached = <uint8_t>(x.attached + w.boundaries[w.boundary_next].step)\n",
        "",
    ),
    # merge
    Mutant("arrivals at one time in any order", "merge.pxd", "x.order = i\n", "x.order = inlets.size() - i\n"),
    Mutant("a run goes on at the second's time", "merge.pxd", "second.t + (a.order < second.order)", "second.t + 1"),
)
# side by side
BESIDE_MUTANTS = (
    Mutant("side by side past the shortest wire", "plan.py", "min(window, beside)", "window"),
    Mutant(
        "side by side without uplinks",
        "plan.py",
        "length for s, d, length in arcs if units[d].kind != 2 and",
        "length for s, d, length in arcs if 2 not in (units[s].kind, units[d].kind) and",
    ),
    Mutant("ahead of the fleet that it hears from", "plan.py", "    while behind:\n", "    while False:\n"),
    Mutant("past what is ahead", "_loop.pyx", "                end = min(end, bound)\n", "                pass\n"),
    Mutant(
        "one that is ahead past another",
        "_loop.pyx",
        "                lead.to.until = min(lead.to.until, bound)\n",
        "                pass\n",
    ),
    Mutant(
        "controllers before what is ahead",
        "_loop.pyx",
        "                if u.next[0] < end:\n                    self.visit(u, end)\n",
        "",
    ),
    Mutant(
        "what was dropped beside others is forgotten",
        "views.pxd",
        "        drop(w, &d.record, d.fate, d.t, d.node)\n",
        "        pass\n",
    ),
    Mutant("delays counted beside others are forgotten", "views.pxd", "        w.histogram[k] += v.histogram[k]\n", ""),
    Mutant(
        "messages taken are counted off twice",
        "fifo.pxd",
        "    x.f.control -= <uint16_t>x.control\n",
        "    x.f.control -= <uint16_t>(2 * x.control)\n",
    ),
    Mutant("the far end sees the next time of before", "units.pxd", "    u.next[0] = next_time(w, u)\n", ""),
    Mutant("due up to where it was", "_loop.pyx", "                        u.frontier = end\n", ""),
)
# what is next
AGENDA_MUTANTS = (
    Mutant("an arrival is not marked", "fifo.pxd", "    mark(f.line.busy, f.line.bit)\n", ""),
    Mutant("an arrival is not on its group's agenda", "fifo.pxd", "    lower(f.line.soon, t)\n", ""),
    Mutant("what a unit knows is not on its group's agenda", "units.pxd", "    lower(u.soon, u.next[0])\n", ""),
)
ENGINE_MUTANTS = QUEUE_MUTANTS + AHEAD_MUTANTS + BESIDE_MUTANTS + AGENDA_MUTANTS
IN_EVERY_RUN = 1  # so many from the front of the list, also without --mutants
