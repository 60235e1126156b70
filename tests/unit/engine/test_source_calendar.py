"""Order in which Poisson and replayed flows send: bursts, silence, ties and ends of flows, on engine and oracle."""

from functools import partial
from random import Random

import pytest

from engine import Engine, Network
from tests.differential.compare import differences
from tests.differential.oracle import Oracle
from tests.unit.engine.resumption import resume

US, S, DAY = 10**6, 10**12, 86_400 * 10**12
FLOWS = 300


def town():
    """Return a correspondent and a router with mobile nodes; all flows of a direction share a slow link."""
    net = Network()
    net.node("cn")
    net.node("ar")
    net.link("cn", "ar", rate="1Gbit/s", delay="1ms", both=True)
    net.cell("ar", rate="1Gbit/s", delay="1ms", up_rate="1Gbit/s", up_delay="1ms")
    nodes = net.mobiles(FLOWS, home="ar")
    net.attach(nodes, "ar")
    net.set_local("ar", nodes)
    net.set_upstream_route(nodes, "ar")
    return net, nodes


def add_bursts(net, nodes, random):
    """Bursts of a few microseconds between days of silence, with ends of flows at any packet, and repetitions."""
    for n in nodes:
        starts = [random.choice([0, 1, 2, 3]) * DAY for _ in range(4)]
        times = sorted(t + random.randrange(5) * US for t in starts for _ in range(3))
        options = {"period_ps": 5 * DAY} if random.random() < 0.5 else {}
        net.replay(
            "cn", [n], times, [random.randrange(100, 1500) for _ in times], up=random.random() < 0.5,
            stop_ps=random.randrange(1, 12) * DAY + 2 * US, label=f"f{n}", **options,
        )  # fmt: skip


def add_ties(net, nodes, random):
    """All flows send at the same instants, and end one after the other."""
    for n in nodes:
        net.replay("cn", [n], [0, 0, US], [100, 200, 300], period_ps=S, stop_ps=random.randrange(1, 12) * S, label=f"f{n}")


def add_rates(net, nodes, random):
    """Mean gaps from 10 microseconds to a day; the fast flows end early, so that the rate falls by orders of magnitude."""
    for n in nodes:
        mean = 10 * US * 10 ** random.randrange(10)
        net.poisson("cn", [n], mean=mean, size_bytes=100, count=20, up=random.random() < 0.5, start_ps=random.choice([0, S]))


@pytest.mark.parametrize("add_flows", [add_bursts, add_ties, add_rates])
@pytest.mark.parametrize("scheduling", ["window", "level", "heap"])
def test_flows_send_in_the_order_of_time_and_key(add_flows, scheduling):
    net, nodes = town()
    add_flows(net, nodes, Random(5))
    until = 12 * DAY
    expected = Oracle(net, record="packets").run(until)
    assert int(expected.flows["sent"].sum()) > 2 * FLOWS
    build_engine = partial(Engine, net, record="packets", scheduling=scheduling)
    engine = build_engine()
    engine.advance(2 * DAY + 3 * US)
    for one in (engine, resume(engine, build_engine)):
        one.advance(until)
        assert differences(expected, one.result()) == []
