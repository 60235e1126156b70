"""Order in which the packets of many uplinks reach a router, if their mobile nodes send at one instant; engine and oracle."""

from functools import partial
from random import Random

import pytest

from engine import Engine, Network
from tests.differential.compare import differences
from tests.differential.oracle import Oracle
from tests.unit.engine.resumption import resume

US, MS = 10**6, 10**9
NODES = 300


def crowd():
    """Return a cell whose mobile nodes all send at the same instants, packets of few sizes or of many."""
    net, random = Network(), Random(7)
    net.node("cn")
    net.node("ar")
    net.link("ar", "cn", rate="1Gbit/s", delay="1ms", buffer_packets=100, both=True)
    net.cell("ar", rate="10Mbit/s", delay="1ms", up_rate="10Mbit/s", up_delay="3ms")
    nodes = net.mobiles(NODES, home="ar")
    net.attach(nodes, "ar")
    net.set_local("ar", nodes)
    net.set_upstream_route(nodes, "ar")
    for n in nodes:
        sizes = [100, 100 + 100 * random.randrange(3), random.randrange(40, 1500), 60]
        net.replay("cn", [n], [0, MS, 2 * MS, 2 * MS + 300 * US], sizes, up=True, period_ps=20 * MS, label=f"f{n}")
    return net


@pytest.mark.parametrize("scheduling", ["window", "level", "heap"])
@pytest.mark.parametrize("stop", [500 * US, 2 * MS + 100 * US, 3 * MS + 200 * US])
def test_packets_of_one_instant_arrive_in_the_order_of_their_uplinks(scheduling, stop):
    net, until = crowd(), 70 * MS
    expected = Oracle(net, record="packets").run(until)
    assert int(expected.flows["sent"].sum()) == 16 * NODES
    assert int(expected.links["dropped"].sum()) > NODES  # the order decides which packets find the queue full
    build_engine = partial(Engine, net, record="packets", scheduling=scheduling)
    engine = build_engine()
    engine.advance(stop)
    if stop == 500 * US:
        engine.sample()  # it sorts
    for one in (engine, resume(engine, build_engine)):
        one.advance(until)
        assert differences(expected, one.result()) == []
