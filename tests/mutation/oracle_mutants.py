"""Mutants of the oracle: one rule broken each. The random scenarios have to reveal every one of them."""

from __future__ import annotations

from tests.mutation.mutant import Mutant

ORACLE_MUTANTS = (
    # FIFOs
    Mutant("packet limit: > for >=", "fifo.py", "packets >= limits.buffer_packets", "packets > limits.buffer_packets"),
    Mutant("byte limit: >= for >", "fifo.py", "size_with_new > limits.buffer_bytes", "size_with_new >= limits.buffer_bytes"),
    Mutant(
        "a finish now still counts", "fifo.py", "if slot.finish > t]\n        packets", "if slot.finish >= t]\n        packets"
    ),
    Mutant("time rounded down", "fifo.py", "-(-8 * size * 10**12 // rate)", "8 * size * 10**12 // rate"),
    Mutant(
        "control jumps the queue", "fifo.py", "start = max(t, self.free)", "start = t if packet.is_control else max(t, self.free)"
    ),
    Mutant("loss drawn without tunnels", "oracle.py", "mix2(packet.key, packet.tunnels)", "mix2(packet.key, 0)"),
    Mutant("loss: <= for <, threshold + 1 %", "oracle.py", "< fifo.channel.loss", "< fifo.channel.loss * 1.01"),
    Mutant("size without tunnel header", "fifo.py", "return self.own_size + self.extra", "return self.own_size"),
    # order at one instant
    Mutant("ties by the order of pushing", "oracle.py", "phase, order, self.pushed, happen", "0, (), self.pushed, happen"),
    Mutant("units without rank", "oracle.py", "(t, self.rank[unit], phase", "(t, 0, phase"),
    Mutant("no phases", "oracle.py", "self.rank[unit], phase, order", "self.rank[unit], 0, order"),
    Mutant("control enters with the data", "oracle.py", "            phase = REGISTRATION\n", "            phase = ARRIVALS\n"),
    Mutant("emissions after arrivals", "oracle.py", "unit, EMISSIONS, (flow_key", "unit, ARRIVALS + 1, (flow_key"),
    Mutant("messages before timers", "context.py", "TIMER, MESSAGE, REFUSED = 0, 1, 2", "TIMER, MESSAGE, REFUSED = 0, 2, 1"),
    Mutant(
        "timers last set first",
        "context.py",
        "TIMER, oracle.timers)",
        "TIMER, -oracle.timers)",
    ),
    Mutant(
        "link sequence backwards",
        "oracle.py",
        "order: Order = (fifo.key, slot.sequence)",
        "order: Order = (fifo.key, -slot.sequence)",
    ),
    Mutant("mobiles by index", "oracle.py", "(self.mobile_keys[m], SCHEDULED, code, arg)", "(m, SCHEDULED, code, arg)"),
    # ways
    Mutant(
        "fewest hops first",
        "paths.py",
        "way = (delay + link.channel.delay_ps, hops + 1)",
        "way = (hops + 1, delay + link.channel.delay_ps)",
    ),
    Mutant("largest link key", "paths.py", "key(link.name), i)", "-key(link.name), i)"),
    Mutant(
        "uplinks pass by the server",
        "oracle.py",
        "heard, FLEET):\n            self.enter(node, slot.packet, t)",
        "heard, FLEET):\n            self.route(t, node, slot.packet)",
    ),
    # tables
    Mutant(
        "until: <= for <",
        "table.py",
        "return [c for c in self.care_of if t < c.until]",
        "return [c for c in self.care_of if t <= c.until]",
    ),
    Mutant(
        "expired care-of nodes are used", "table.py", "return [c for c in self.care_of if t < c.until]", "return self.care_of"
    ),
    Mutant(
        "expired local entries are used",
        "table.py",
        "until: int = FOREVER\n\n    def valid(self, t: int) -> bool:\n        return t < self.until\n\n\n@dataclass\nclass Hold",
        "until: int = FOREVER\n\n    def valid(self, t: int) -> bool:\n        return True\n\n\n@dataclass\nclass Hold",
    ),
    Mutant("newest care-of node first", "table.py", "self.care_of.append(new)", "self.care_of.insert(0, new)"),
    Mutant("expired care-of nodes stay", "table.py", "self.care_of = self.valid(t)\n", "pass\n"),
    Mutant(
        "replaced care-of node goes last",
        "table.py",
        "self.care_of[i] = new\n                return",
        "del self.care_of[i]\n                break",
    ),
    Mutant("hold limit: >= for >", "table.py", "len(self.waiting) + 1 > self.packets", "len(self.waiting) + 1 >= self.packets"),
    Mutant("hold bytes: >= for >", "table.py", "packet.size > self.bytes", "packet.size >= self.bytes"),
    Mutant(
        "hold lets go backwards",
        "oracle.py",
        "for packet in old.waiting:\n            self.record",
        "for packet in old.waiting[::-1]:\n            self.record",
    ),
    Mutant("hold over hold forgets", "oracle.py", "new.waiting = old.waiting", "new.waiting = []"),
    Mutant("hold never times out", "oracle.py", "if self.tables[node].get(mobile) is hold:", "if False:"),
    Mutant(
        "tunnel limit: >= for >", "oracle.py", "packet.tunnels + 1 > self.tunnel_limit", "packet.tunnels + 1 >= self.tunnel_limit"
    ),
    Mutant("copies without level", "oracle.py", "copy.level += fan_out", "copy.level += 0"),
    Mutant("router leaves the header on", "oracle.py", "if packet.ends_at_router:\n", "if False:\n"),
    Mutant("header never stacks", "oracle.py", "way.header if way.ends_at_router else copy.extra + way.header", "way.header"),
    Mutant("expired at the origin: dropped", "oracle.py", "if entry is not None and entry.valid(t):", "if entry is not None:"),
    Mutant("unbind removes all", "oracle.py", "[c for c in entry.care_of if c.node != coa]", "[]"),
    Mutant("simultaneous replaces", "oracle.py", "if simultaneous and isinstance(entry, Tunnel):", "if False:"),
    # rescue
    Mutant("no rescue", "oracle.py", "if names_downlink(old) and new is not None and not names_downlink(new):", "if False:"),
    Mutant("rescue on removal too", "oracle.py", "new is not None and not names_downlink(new):", "not names_downlink(new):"),
    Mutant("no rescue into a hold", "oracle.py", "new is not None and not names_downlink(new):", "isinstance(new, Tunnel):"),
    Mutant("rescue takes what has begun", "fifo.py", "== mobile and slot.start > t]", "== mobile and slot.finish > t]"),
    Mutant("rescue: start >= t", "fifo.py", "== mobile and slot.start > t]", "== mobile and slot.start >= t]"),
    Mutant("rescue takes everybody's", "fifo.py", "if slot.packet.mobile == mobile and slot.start > t]", "if slot.start > t]"),
    Mutant("rescue leaves a gap", "fifo.py", "if slot.start > t and free < slot.start:", "if False:"),
    Mutant(
        "rescue leaves control",
        "fifo.py",
        "if slot.packet.mobile == mobile and",
        "if slot.packet.mobile == mobile and not slot.packet.is_control and",
    ),
    Mutant(
        "rescue backwards",
        "oracle.py",
        "for slot in taken:\n            self.look_up",
        "for slot in taken[::-1]:\n            self.look_up",
    ),
    # radio
    Mutant("heard by the start", "oracle.py", "up <= slot.finish and t <= down", "up <= slot.start and t <= down"),
    Mutant("heard without the way", "oracle.py", "up <= slot.finish and t <= down", "up <= slot.finish and slot.finish <= down"),
    Mutant("heard: < for <=", "oracle.py", "up <= slot.finish and t <= down", "up <= slot.finish and t < down"),
    Mutant(
        "uplink heard by the finish",
        "oracle.py",
        "up <= slot.start and slot.finish <= down",
        "up <= slot.finish and slot.finish <= down",
    ),
    Mutant("one downlink for all", "oracle.py", '">", cell, -1 if c.shared else mobile)', '">", cell, -1)'),
    Mutant(
        "upstream hold lets go backwards",
        "oracle.py",
        "for packet in old.waiting:\n                self.send_up",
        "for packet in old.waiting[::-1]:\n                self.send_up",
    ),
    Mutant("upstream hold forgets", "oracle.py", "route.waiting = old.waiting", "route.waiting = []"),
    # messages
    Mutant(
        "registration takes no time",
        "oracle.py",
        "self.tell_served(node, packet, slot.finish)",
        "self.tell_served(node, packet, t)",
    ),
    Mutant("refusals last first", "oracle.py", "REFUSED, self.refused)", "REFUSED, -self.refused)"),
    Mutant("refusals before messages", "oracle.py", "REFUSED, self.refused)", "-1, self.refused)"),
    Mutant(
        "refusals wait for the server",
        "oracle.py",
        "self.push(t, unit_of(node), CONTROLLERS, order, self.tell, refused",
        "self.push(server.free, unit_of(node), CONTROLLERS, order, self.tell, refused",
    ),
    Mutant("all refusals are told", "oracle.py", "if self.network.nodes[node].registration_answers and node", "if node"),
    Mutant("a refusal is delivered", "oracle.py", "self.tell, refused)", "self.tell, refused, packet)"),
    Mutant(
        "rejected is delivered",
        "oracle.py",
        "self.record.end(packet, context.fate, t, event.node)",
        "self.record.end(packet, Fate.DELIVERED, t, event.node)",
    ),
    Mutant(
        "all messages of a sender share their draws",
        "context.py",
        "count = oracle.messages_sent[self.node, self.mobile]",
        "count = 0",
    ),
    # sources
    Mutant("gap of the packet before", "sources.py", 'gap(seed, row["key"], seq, step)', 'gap(seed, row["key"], seq + 1, step)'),
    Mutant("stop: <= for <", "sources.py", 't >= row["stop"]', 't > row["stop"]'),
    Mutant("divided first", "sources.py", "* tape.multiply // tape.divide", "// tape.divide * tape.multiply"),
    Mutant("period once", "sources.py", "if not step:", "if True:"),
    # records
    Mutant(
        "a duplicate is delivered",
        "record.py",
        "if any(end is not None and end.fate == Fate.DELIVERED for _, end in copies):",
        "if False:",
    ),
    Mutant("reordered: <= for <", "record.py", "late = packet.seq < row.next_expected", "late = packet.seq <= row.next_expected"),
    Mutant("next expected falls back", "record.py", "        if not late:\n", "        if True:\n"),
    Mutant("a span never ends", "record.py", "if span.close_ps >= 0:", "if False:"),
    Mutant("marker of any cell", "record.py", "through == span.marked_node", "span.marked_node >= 0"),
    Mutant("a duplicate comes through no cell", "record.py", "Fate.DUPLICATE, t, node, through)", "Fate.DUPLICATE, t, node)"),
    Mutant("fan-outs for tunnels", "record.py", "end.via, packet.tunnels", "end.via, packet.level"),
    Mutant("each copy is sent when it is made", "oracle.py", "copy=packet.copy | i", "born=t, copy=packet.copy | i"),
    Mutant("lost without copies", "record.py", "row.lost += dropped == len(copies)", "row.lost += dropped > 0"),
    # between mobiles
    Mutant("packets between mobiles stay upstream", "oracle.py", "            packet.kind = 0  # from", "            # from"),
    Mutant(
        "the receiver's uplink", "fifo.py", "return self.mobile if self.sender < 0 else self.sender", "return self.mobile"
    ),
)
