"""The oracle: docs/model.md executed one event at a time with one heap.

It shares with the engine the description of a network and the data classes of a result, nothing else.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from engine.link_trace import LinkTrace
from engine.network import Network
from engine.quantities import parse_duration
from engine.results import Fate, Result

from .context import MESSAGE, REFUSED, SCHEDULED, Context, Event
from .draws import LOSS, draw, flow_keys, key, mix2, mobile_keys
from .fifo import Fifo, Packet, Slot, link_fifo, server_fifo
from .link_trace import HopLog
from .paths import ARRIVALS, CONTROLLERS, EMISSIONS, FLEET, FLEET_UNIT, REGISTRATION, TIMEOUTS, Unit, next_links, ranks, unit_of
from .record import Record
from .sources import emissions
from .table import CareOf, Entry, Hold, Local, Tunnel

Order = tuple[int, ...]
MOST_LEVELS = 4


class Oracle:
    """Same interface as ``engine.Engine``; options that only affect speed are accepted and ignored."""

    def __init__(
        self, network: Network, *, seed: int = 1, tunnel_limit: int = 4, window_ps: int | None = None,
        scheduling: str = "auto", record: str = "none", memory_limit_bytes: int | None = None,
        trace_links: Iterable[str] = (),
    ) -> None:  # fmt: skip
        network.check()
        self.network, self.seed, self.tunnel_limit, self.keep = network, seed, tunnel_limit, record
        self.record = Record(network)
        self.hops, self.end = HopLog(frozenset(trace_links), [tally.name for tally in self.record.links]), 0
        self.mobile_keys = mobile_keys(network)
        self.homes = [int(n) for n in network.mobile_homes()]
        self.node_keys = [key(node.name) for node in network.nodes]
        self.routes, self.rank = next_links(network), ranks(network)
        tallies = self.record.links
        self.links = [link_fifo(k.name, k.channel, t) for k, t in zip(network.links, tallies, strict=False)]
        self.servers = [server_fifo(n.name, n.service_ps, n.service_queue) for n in network.nodes]
        self.registrations = [server_fifo(n.name, n.registration_ps, n.registration_queue) for n in network.nodes]
        self.radio: dict[tuple[str, int, int], Fifo] = {}  # (">" or "<", cell, mobile or -1 if shared)
        self.tables: list[dict[int, Entry]] = [{} for _ in network.nodes]
        self.upstream: dict[int, int | Hold | None] = defaultdict(lambda: None)
        self.attachments: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        self.controllers: dict[int, Any] = {}
        self.messages_sent: dict[tuple[int, int], int] = defaultdict(int)  # (node or -1, mobile)
        self.heap: list[tuple[int, int, int, Order, int, Callable[..., None], tuple[Any, ...]]] = []
        self.pushed = self.timers = self.served = self.refused = 0

    def attach(self, node: str | int, controller: Any) -> None:
        self.controllers[self.network.node_index(node)] = controller

    def attach_mobiles(self, controller: Any) -> None:
        self.controllers[FLEET] = controller

    def run(self, until: int | str) -> Result:
        self.end = end = parse_duration(until)
        self.start()
        while self.heap and self.heap[0][0] < end:
            t, _, _, _, _, happen, details = heapq.heappop(self.heap)
            happen(t, *details)
        return self.record.result(end, self.keep)

    def take_trace(self) -> LinkTrace:
        return self.hops.before(self.end)

    def push(self, t: int, unit: Unit, phase: int, order: Order, happen: Callable[..., None], *details: Any) -> None:
        """Schedule ``happen(t, *details)`` at t, in the order of section 4."""
        self.pushed += 1
        heapq.heappush(self.heap, (t, self.rank[unit], phase, order, self.pushed, happen, details))

    # -- the beginning -----------------------------------------------------------------------------------------------
    def start(self) -> None:
        n = self.network
        for m, c, up, down in rows(n.attachments(), "mobile", "cell", "up", "down"):
            self.attachments[m, c].append((up, down))
        for where, m, coa, header, end in rows(n.initial_bindings(), "node", "mobile", "coa", "header", "end"):
            self.change(where, m, Local() if coa < 0 else Tunnel([CareOf(coa, header, end == 0)]), 0)
        for m, where in rows(n.routes_up(), "mobile", "node"):
            self.upstream[m] = n.cell_of_node[where]
        for t, where, m, code, arg in rows(n.scheduled_events(), "time", "node", "mobile", "code", "arg"):
            event = Event(t, where, m, SCHEDULED, code, args=(arg, 0, 0, 0, 0, 0))
            self.push(t, unit_of(where), CONTROLLERS, (self.mobile_keys[m], SCHEDULED, code, arg), self.tell, event)
        for flow, flow_key in enumerate(flow_keys(n)):
            self.emit_next(emissions(n, flow, flow_key, self.seed))

    def emit_next(self, source: Any) -> None:
        """Schedule the next packet of a flow."""
        emission = next(source, None)
        if emission is not None:
            t, packet, flow_key, node = emission
            unit = FLEET_UNIT if packet.kind == 1 else unit_of(node)
            self.push(t, unit, EMISSIONS, (flow_key, packet.seq), self.emit, packet, node, source)

    def emit(self, t: int, packet: Packet, node: int, source: Any) -> None:
        self.emit_next(source)
        self.record.born(packet, original=True)
        if packet.kind == 1:
            self.send_up(packet, t)
            return
        entry, home = self.tables[node].get(packet.mobile), self.homes[packet.mobile]
        if entry is not None and entry.valid(t):
            self.look_up(node, packet, t)
        elif home == node:
            self.record.end(packet, Fate.NO_BINDING, t, node)
        else:
            packet.to = home
            self.forward(node, packet, t)

    # -- links, servers and nodes --------------------------------------------------------------------------------------
    def forward(self, node: int, packet: Packet, t: int) -> None:
        """Forward a packet from a node that is not its destination."""
        index = self.routes[node][packet.to]
        fifo, link = self.links[index], self.network.links[index]
        slot = fifo.accept(packet, t)
        if slot is None:
            self.record.end(packet, Fate.QUEUE_FULL, t, node)
            return
        arrival = slot.finish + link.channel.delay_ps
        self.hops.accepted(fifo, slot)
        self.record.observe(packet, arrival, fifo.key)
        self.reach_node(arrival, link.dst, fifo, slot, self.cross_link, node)

    def reach_node(self, t: int, node: int, fifo: Fifo, slot: Slot, crossing: Callable[..., None], *details: Any) -> None:
        """Schedule ``crossing`` with the unit, phase and order in which a packet from ``fifo`` enters ``node``."""
        unit, phase, order = unit_of(node), ARRIVALS, (fifo.key, slot.sequence)
        if self.network.nodes[node].service_ps:
            unit = ("server", node)
        elif slot.packet.kind == 2 and slot.packet.to == node:
            phase = REGISTRATION
        self.push(t, unit, phase, order, crossing, node, fifo, slot, *details)

    def cross_link(self, t: int, node: int, fifo: Fifo, slot: Slot, sender: int) -> None:
        fifo.tally.under_way.remove(slot)
        if self.is_lost(fifo, slot.packet):
            fifo.tally.lost += 1
            self.record.end(slot.packet, Fate.LINK_LOSS, t, sender)
            return
        fifo.tally.arrived += 1
        self.enter(node, slot.packet, t)

    def is_lost(self, fifo: Fifo, packet: Packet) -> bool:
        if not fifo.channel.loss:  # no draw is below 0
            return False
        return draw(self.seed, LOSS, fifo.key, mix2(packet.key, packet.tunnels)) < fifo.channel.loss

    def enter(self, node: int, packet: Packet, t: int) -> None:
        """Pass a packet that reached a node to its forwarding server, if it has one."""
        if not self.network.nodes[node].service_ps:
            self.route(t, node, packet)
            return
        server, row = self.servers[node], self.record.nodes[node]
        slot = server.accept(packet, t)
        if slot is None:
            row.forwarding_dropped += 1
            self.record.end(packet, Fate.FORWARDING_OVERLOAD, t, node)
            return
        row.forwarded += 1
        row.forwarding_wait_ps += slot.start - t
        row.forwarding_wait_max_ps = max(row.forwarding_wait_max_ps, slot.start - t)
        row.forwarding_peak = server.tally.peak_packets
        phase = REGISTRATION if packet.kind == 2 and packet.to == node else ARRIVALS
        self.push(slot.finish, unit_of(node), phase, (server.key, slot.sequence), self.route, node, packet)

    def route(self, t: int, node: int, packet: Packet) -> None:
        """Apply the routing decision of a node (section 5)."""
        if packet.to != node:
            self.forward(node, packet, t)
        elif packet.kind == 1 and packet.sender >= 0:
            packet.kind = 0  # from here on it is a packet for the receiver, at its home node
            self.look_up(node, packet, t)
        elif packet.kind == 1:
            self.record.receive(packet, t, node, through=-1)
        elif packet.kind == 2:
            self.register(node, packet, t)
        else:
            if packet.ends_at_router:
                packet.extra, packet.tunnels_on = 0, ()
            self.look_up(node, packet, t)

    def register(self, node: int, packet: Packet, t: int) -> None:
        if packet.like_data:
            self.tell_served(node, packet, t)
            return
        server, row = self.registrations[node], self.record.nodes[node]
        slot = server.accept(packet, t)
        if slot is None:
            row.registration_dropped += 1
            row.hostile_dropped += packet.hostile
            self.record.end(packet, Fate.REGISTRATION_OVERLOAD, t, node)
            if self.network.nodes[node].registration_answers and node in self.controllers:
                self.refused += 1
                refused = Event(t, node, packet.mobile, REFUSED, packet.code, packet.source, -1, packet.args)
                order = (self.mobile_keys[packet.mobile], REFUSED, self.refused)
                self.push(t, unit_of(node), CONTROLLERS, order, self.tell, refused)
            return
        row.registered += 1
        row.hostile_registered += packet.hostile
        row.registration_wait_ps += slot.start - t
        row.registration_wait_max_ps = max(row.registration_wait_max_ps, slot.start - t)
        row.registration_peak = server.tally.peak_packets
        self.tell_served(node, packet, slot.finish)

    def tell_served(self, node: int, packet: Packet, t: int) -> None:
        self.served += 1
        event = Event(t, node, packet.mobile, MESSAGE, packet.code, packet.source, -1, packet.args)
        order = (self.mobile_keys[packet.mobile], MESSAGE, self.served)
        self.push(t, unit_of(node), CONTROLLERS, order, self.tell, event, packet)

    def tell(self, t: int, event: Event, packet: Packet | None = None) -> None:
        """Deliver an event to its controller; a message is delivered at this time."""
        controller = self.controllers.get(event.node)
        context = Context(self, event)
        if controller is not None:
            if packet and event.node >= 0:
                self.record.nodes[event.node].messages += 1
            controller.on_event(context, event)
        if packet:
            self.record.end(packet, context.fate, t, event.node)

    # -- tables ----------------------------------------------------------------------------------------------------------
    def look_up(self, node: int, packet: Packet, t: int) -> None:
        """Apply the table entry of ``node`` to a packet for a mobile (section 6)."""
        entry = self.tables[node].get(packet.mobile)
        if entry is None:
            router = node in self.network.cell_of_node and self.homes[packet.mobile] != node
            self.record.end(packet, Fate.NO_VISITOR if router else Fate.NO_BINDING, t, node)
        elif not entry.valid(t):
            self.record.end(packet, Fate.BINDING_EXPIRED, t, node)
        elif isinstance(entry, Tunnel):
            self.encapsulate(node, packet, entry.targets(t, packet.tunnels), t)
        elif isinstance(entry, Local) or entry.passes(packet):
            self.send_down(node, packet, t)
        else:
            self.wait(node, packet, entry, t)

    def encapsulate(self, node: int, packet: Packet, care_of: list[CareOf], t: int) -> None:
        fan_out = len(care_of) > 1
        if packet.tunnels + 1 > self.tunnel_limit or (fan_out and packet.level == MOST_LEVELS):
            self.record.end(packet, Fate.TUNNEL_LIMIT, t, node)
            return
        copies = [packet] + [replace(packet, copy=packet.copy | i << 2 * packet.level) for i in range(1, len(care_of))]
        for i, (copy, way) in enumerate(zip(copies, care_of, strict=True)):
            if i:
                self.record.born(copy, original=False)
            copy.level += fan_out
            if way.node == node:
                continue
            copy.tunnels += 1
            copy.extra = way.header if way.ends_at_router else copy.extra + way.header
            copy.ends_at_router = way.ends_at_router
            around = () if way.ends_at_router else copy.tunnels_on
            copy.tunnels_on = (*around, (node, way.node, way.header, int(not way.ends_at_router)))
            copy.to = way.node
            if way.hostile and not copy.is_control:
                self.record.nodes[node].diverted += 1
                self.record.nodes[node].diverted_bytes += copy.own_size
        for copy, way in zip(copies, care_of, strict=True):
            if way.node == node:
                self.send_down(node, copy, t)
            else:
                self.forward(node, copy, t)

    def wait(self, node: int, packet: Packet, hold: Hold, t: int) -> None:
        why_not = hold.put(packet)
        row = self.record.nodes[node]
        if why_not is not None:
            self.record.end(packet, why_not, t, node)
        else:
            row.occupancy.entered(packet, t)
        row.held_peak_packets = max(row.held_peak_packets, len(hold.waiting))
        row.held_peak_bytes = max(row.held_peak_bytes, hold.held_bytes())

    def bind(self, node: int, mobile: int, new: CareOf, simultaneous: bool, t: int, copy_in_flight: bool) -> None:
        entry = self.tables[node].get(mobile)
        if simultaneous and isinstance(entry, Tunnel):
            entry.add(new, t)
            self.record.nodes[node].occupancy.changed(self.tables[node], t)
        else:
            self.change(node, mobile, Tunnel([new]), t, copy_in_flight)

    def unbind(self, node: int, mobile: int, coa: int | None, t: int) -> None:
        entry = self.tables[node].get(mobile)
        if entry is None:
            return
        if coa is None:
            self.change(node, mobile, None, t)
        elif isinstance(entry, Tunnel):
            entry.care_of = [c for c in entry.care_of if c.node != coa]
            self.record.nodes[node].occupancy.changed(self.tables[node], t)
            if not entry.care_of:
                self.change(node, mobile, None, t)
            elif [c.node for c in entry.care_of] == [node]:
                self.change(node, mobile, Local(entry.care_of[0].until), t)

    def change(self, node: int, mobile: int, new: Entry | None, t: int, copy_in_flight: bool = False) -> None:
        """Replace an entry by a new one, or by none."""
        table, old = self.tables[node], self.tables[node].get(mobile)
        if new is None:
            del table[mobile]
        else:
            table[mobile] = new
        row = self.record.nodes[node]
        row.entries_peak = max(row.entries_peak, len(table))
        row.occupancy.changed(table, t)
        if isinstance(new, Hold):
            order = (self.mobile_keys[mobile],)
            self.push(new.until, unit_of(node), TIMEOUTS, order, self.time_out, node, mobile, new)
        if isinstance(old, Hold) and isinstance(new, Hold) and old.gate == new.gate:
            new.waiting = old.waiting
            return
        if names_downlink(old) and new is not None and not names_downlink(new):
            self.rescue(node, mobile, t, copy_in_flight)
        if isinstance(old, Hold):
            self.release(node, old, t)

    def release(self, node: int, old: Hold, t: int) -> None:
        """Forward the packets of a removed hold buffer."""
        for packet in old.waiting:
            self.record.nodes[node].occupancy.left(packet, t)
            self.look_up(node, packet, t)

    def time_out(self, t: int, node: int, mobile: int, hold: Hold) -> None:
        if self.tables[node].get(mobile) is hold:
            for packet in hold.waiting:
                self.record.nodes[node].occupancy.left(packet, t)
                self.record.end(packet, Fate.BUFFER_TIMEOUT, t, node)
            hold.waiting = []

    def rescue(self, node: int, mobile: int, t: int, copy_in_flight: bool) -> None:
        cell = self.network.cell_of_node[node]
        fifo = self.downlink(cell, mobile)
        in_air = self.copies_in_air(fifo, mobile, t) if copy_in_flight else []
        taken, moved = fifo.take_out(mobile, t)
        for slot in moved:
            self.reach_mobile(cell, fifo, slot)
        for packet in in_air:
            self.look_up(node, packet, t)
        for slot in taken:
            self.look_up(node, slot.packet, t)

    def copies_in_air(self, fifo: Fifo, mobile: int, t: int) -> list[Packet]:
        """Return the copies of the mobile's packets that the cell is transmitting."""
        found = []
        for slot in sorted(fifo.tally.under_way, key=lambda slot: slot.sequence):
            packet, begun = slot.packet, slot.start <= t < slot.finish + fifo.channel.delay_ps
            if packet.mobile == mobile and not packet.is_control and begun and packet.level < MOST_LEVELS:
                copy = replace(packet, copy=packet.copy | 1 << 2 * packet.level, level=packet.level + 1)
                packet.level += 1
                self.record.born(copy, original=False)
                found.append(copy)
        return found

    # -- radio, down -------------------------------------------------------------------------------------------------------
    def downlink(self, cell: int, mobile: int) -> Fifo:
        c = self.network.cells[cell]
        name = key(self.network.nodes[c.node].name + ">*")
        fifo_key = name if c.shared else mix2(name, self.mobile_keys[mobile])
        tally = self.record.links[len(self.network.links) + 2 * cell]
        return self.radio.setdefault((">", cell, -1 if c.shared else mobile), Fifo(fifo_key, c.down, tally))

    def send_down(self, node: int, packet: Packet, t: int) -> None:
        cell = self.network.cell_of_node[node]
        fifo = self.downlink(cell, packet.mobile)
        slot = fifo.accept(packet, t)
        if slot is None:
            self.record.end(packet, Fate.QUEUE_FULL, t, node)
            return
        self.hops.accepted(fifo, slot)
        self.reach_mobile(cell, fifo, slot)

    def reach_mobile(self, cell: int, fifo: Fifo, slot: Slot) -> None:
        phase = ARRIVALS
        order: Order = (fifo.key, slot.sequence)
        if slot.packet.is_control:
            phase, order = CONTROLLERS, (self.mobile_keys[slot.packet.mobile], MESSAGE, fifo.key, slot.sequence)
        arrival = slot.finish + fifo.channel.delay_ps
        self.push(arrival, FLEET_UNIT, phase, order, self.hear, cell, fifo, slot, slot.version)

    def hear(self, t: int, cell: int, fifo: Fifo, slot: Slot, version: int) -> None:
        """Handle the end of a downlink (section 7)."""
        if version != slot.version:
            return  # a rescue took it out or moved it since
        packet, node = slot.packet, self.network.cells[cell].node
        heard = any(up <= slot.finish and t <= down for up, down in self.attachments[packet.mobile, cell])
        if self.comes_through(t, fifo, slot, heard, node):
            if packet.is_control:
                event = Event(t, FLEET, packet.mobile, MESSAGE, packet.code, packet.source, node, packet.args)
                self.tell(t, event, packet)
            else:
                self.record.receive(packet, t, FLEET, through=node)

    def comes_through(self, t: int, fifo: Fifo, slot: Slot, heard: bool, where: int) -> bool:
        """Return whether the packet is received; if not, end it."""
        fifo.tally.under_way.remove(slot)
        if not heard:
            fifo.tally.detached += 1
            self.record.end(slot.packet, Fate.DETACHED, t, where)
        elif self.is_lost(fifo, slot.packet):
            fifo.tally.lost += 1
            self.record.end(slot.packet, Fate.LINK_LOSS, t, where)
        else:
            fifo.tally.arrived += 1
            self.record.observe(slot.packet, t, fifo.key)
            return True
        return False

    # -- radio, up ---------------------------------------------------------------------------------------------------------
    def send_up(self, packet: Packet, t: int) -> None:
        route = self.upstream[packet.radio_sender]
        if route is None:
            self.record.end(packet, Fate.DETACHED, t, FLEET)
        elif isinstance(route, Hold):
            why_not = route.put(packet)
            if why_not is not None:
                self.record.end(packet, why_not, t, FLEET)
        else:
            self.transmit_up(route, packet, t)

    def choose_up(self, mobile: int, route: int | Hold | None, t: int) -> None:
        old, self.upstream[mobile] = self.upstream[mobile], route
        if isinstance(old, Hold):
            if isinstance(route, Hold):
                route.waiting = old.waiting
                return
            for packet in old.waiting:
                self.send_up(packet, t)

    def transmit_up(self, cell: int, packet: Packet, t: int) -> None:
        c = self.network.cells[cell]
        name = key(self.network.nodes[c.node].name + "<*")
        tally = self.record.links[len(self.network.links) + 2 * cell + 1]
        fifo_key = mix2(name, self.mobile_keys[packet.radio_sender])
        fifo = self.radio.setdefault(("<", cell, packet.radio_sender), Fifo(fifo_key, c.up, tally))
        slot = fifo.accept(packet, t)
        if slot is None:
            self.record.end(packet, Fate.QUEUE_FULL, t, FLEET)
            return
        self.hops.accepted(fifo, slot)
        self.reach_node(slot.finish + c.up.delay_ps, c.node, fifo, slot, self.cross_uplink, cell)

    def cross_uplink(self, t: int, node: int, fifo: Fifo, slot: Slot, cell: int) -> None:
        times = self.attachments[slot.packet.radio_sender, cell]
        heard = any(up <= slot.start and slot.finish <= down for up, down in times)
        if self.comes_through(t, fifo, slot, heard, FLEET):
            self.enter(node, slot.packet, t)


def names_downlink(entry: Entry | None) -> bool:
    """Return whether an entry delivers packets of its mobile into the cell alone."""
    return isinstance(entry, Local) or (isinstance(entry, Hold) and entry.gate is not None)


def rows(columns: dict[str, Any], *names: str) -> Iterator[tuple[int, ...]]:
    return zip(*(columns[name].tolist() for name in names), strict=True)
