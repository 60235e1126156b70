"""A small network with two cells: tunnels, queues, loss, a handoff, messages, spans."""

from __future__ import annotations

from random import Random
from typing import Any

from engine import Engine, Network, Result

MS = 10**9
UNTIL_MS = 400
ATTACH = [("walker", "west", 0, 200), ("walker", "east", 190, UNTIL_MS * 2), ("sitter", "west", 0, UNTIL_MS * 2)]


def network(*, shuffle: int | None = None, idle: bool = False, shift_ps: int = 0) -> Network:
    """Return the network, declared in another order (``shuffle``) or with an idle router (``idle``)."""
    net = Network()
    nodes = ["server", "anchor", "west", "east"] + ["idle"] * idle
    links = [
        ("server", "anchor", "20Mbit/s", "5ms", 20, 0.01),
        ("anchor", "west", "2Mbit/s", "10ms", 6, 0),
        ("anchor", "east", "2Mbit/s", "12ms", 6, 0),
        ("west", "east", "10Mbit/s", "6ms", None, 0),
    ] + [("anchor", "idle", "1Gbit/s", "40ms", None, 0)] * idle
    cells, mobiles, attach = ["west", "east"], ["walker", "sitter"], list(ATTACH)
    flows: list[tuple[str, str]] = [("cbr", "walker"), ("poisson", "walker"), ("cbr", "sitter"), ("poisson", "sitter")]
    if shuffle is not None:
        for each in (nodes, links, cells, mobiles, attach, flows):
            Random(shuffle).shuffle(each)
    for name in nodes:
        net.node(name, registration="1ms" if name == "anchor" else 0)
    for a, b, rate, delay, buffer_packets, loss in links:
        net.link(a, b, rate=rate, delay=delay, buffer_packets=buffer_packets, loss=loss, both=True)
    for name in cells:
        net.cell(name, rate="1.5Mbit/s", delay="3ms", buffer_packets=8, shared=name == "west")
    for name in mobiles:
        net.mobile(name, home="anchor")
        net.set_local(["west"], name), net.bind("anchor", name, "west"), net.set_upstream_route(name, "west")
    for name, at, up, down in attach:
        net.attach(name, at, max(0, up * MS + shift_ps * (up > 0)), down * MS + shift_ps)
    for kind, name in flows:
        if kind == "cbr":
            net.cbr("server", name, interval="3ms", size_bytes=400, start_ps=shift_ps)
            net.cbr("server", name, interval="20ms", size_bytes=100, start_ps=shift_ps, up=True, label="voice")
        else:
            net.poisson("server", name, mean="4ms", size_bytes=300, start_ps=shift_ps)
    net.schedule_event(shift_ps + 190 * MS, "walker", 1)
    return net


class Walker:
    """Controller of the mobiles: registers through the new router and measures from the request to the reply."""

    def __init__(self, net: Network) -> None:
        self.anchor, self.east = net.node_index("anchor"), net.node_index("east")

    def on_event(self, ctx: Any, event: Any) -> None:
        if event.kind == 0:
            ctx.begin_measurement(1)
            ctx.set_upstream_route(self.east)
            ctx.send(10, self.anchor, size_bytes=80, via=self.east)
        else:
            ctx.end_measurement()


class Anchor:
    """Controller of the anchor: binds to the new router and replies."""

    def __init__(self, net: Network) -> None:
        self.east = net.node_index("east")

    def on_event(self, ctx: Any, event: Any) -> None:
        ctx.bind(self.east)
        ctx.send(11, self.east, size_bytes=80, for_mobile=True)


class Router:
    """Controller of a router: admits a visitor when its request passes."""

    def on_event(self, ctx: Any, event: Any) -> None:
        ctx.deliver_locally()


class SecondCell:
    """Controller that adds a second care-of address at its event (bicasting)."""

    def __init__(self, node: int) -> None:
        self.node = node

    def on_event(self, ctx: Any, event: Any) -> None:
        ctx.bind(self.node, simultaneous=True)


def run(net: Network, *, shift_ps: int = 0, **options: Any) -> Result:
    """Run the network to its end with a record of every packet."""
    net.schedule_event(shift_ps + 190 * MS, "walker", 2, node="east")
    engine = Engine(net, record="packets", **{"seed": 3, **options})
    engine.attach_mobiles(Walker(net))
    engine.attach("anchor", Anchor(net))
    engine.attach("east", Router())
    return engine.run(shift_ps + UNTIL_MS * MS)
