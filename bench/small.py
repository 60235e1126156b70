"""Small networks that repeat one operation, for the groups *frequent* and *targeted*."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import Engine, Network

PACKETS = 100_000
US = 10**6


def line(
    links: int = 1, mobiles: int = 1, *, interval_ps: int = US, buffer_packets: int | None = None, delay: str = "1ms"
) -> Network:
    """Build n0 -> ... -> the cell of the last node; the mobile nodes share ``PACKETS`` packets."""
    net = Network()
    for i in range(links + 1):
        net.node(f"n{i}")
    for i in range(links):
        net.link(i, i + 1, rate="10Gbit/s", delay=delay, buffer_packets=buffer_packets)
    net.cell(links, delay=delay)
    nodes = net.mobiles(mobiles, home=links)
    net.attach(nodes, links)
    net.set_local([links] * mobiles, nodes)
    net.cbr("n0", nodes, interval=mobiles * interval_ps, size_bytes=1000, start_ps=nodes * interval_ps, count=PACKETS // mobiles)
    return net


def star(routers: int, mobiles: int = 1000) -> Network:
    """Build cn - n0 - ``routers`` routers with a cell each; every mobile node sends and receives a packet each 20 ms.

    The path from a router and back takes 2 ms, so that most of many routers are idle in a window.
    """
    net = Network()
    net.link(net.node("cn"), net.node("n0"), rate="10Gbit/s", delay="5ms", both=True)
    for i in range(routers):
        router = net.node(f"r{i}")
        net.link("n0", router, rate="10Gbit/s", delay="1ms", both=True)
        net.cell(router, rate="1Gbit/s", delay="1ms")
        numbers = np.arange(i, mobiles, routers)
        here = net.mobiles(len(numbers), prefix=f"mn{i}.", home=router)
        net.attach(here, router)
        net.set_local([router] * len(here), here)
        net.set_upstream_route(here, router)
        for up in (False, True):
            net.cbr("cn", here, interval="20ms", size_bytes=228, start_ps=20 * 10**9 * numbers // mobiles, up=up)
    return net


Arguments = tuple[tuple[Engine], dict[str, Any]]


def ready(network: Network, controllers: dict[str, Any] | None = None, **options: Any) -> Arguments:
    """Return a compiled engine that has not run, in the form of arguments for ``benchmark.pedantic``."""
    engine = Engine(network, **options)
    for node, controller in (controllers or {}).items():
        engine.attach(node, controller)
    assert engine.window_ps > 0  # this attribute compiles the network
    return (engine,), {}


def run(engine: Engine) -> Engine:
    """Run for a second, which delivers all of ``PACKETS``."""
    engine.advance("1s")
    return engine
