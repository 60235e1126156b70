"""Group *targeted*: rare operations, repeated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench.small import PACKETS, US, line, ready, run
from engine import Network

MS = 1000 * US
SWITCHES = 100


class FunctionController:
    """Controller that calls a function for each event."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def on_event(self, ctx: Any, event: Any) -> None:
        self.function(ctx, event)


def two_routers(*, rate: str) -> Network:
    """Build cn - ha - {old, new}; a packet each 9 us to one mobile node, which is attached to both cells all the time."""
    net = Network()
    for name in ("cn", "ha", "old", "new"):
        net.node(name)
    for a, b in (("cn", "ha"), ("ha", "old"), ("ha", "new"), ("old", "new")):
        net.link(a, b, rate="10Gbit/s", delay="1ms", both=True)
    for name in ("old", "new"):
        net.cell(name, rate=rate, delay="1ms")
    mobile = net.mobile("mobile", home="ha")
    net.attach([mobile, mobile], ["old", "new"])
    net.set_local(["old", "new"], [mobile, mobile])
    net.bind("ha", mobile, "old")
    net.cbr("cn", mobile, interval=9 * US, size_bytes=1000, count=PACKETS)
    return net


def test_rescue(benchmark: Any) -> None:
    """The old router's downlink has 90 % of the rate of the traffic; every 10 ms its queue is forwarded to the new router."""
    net = two_routers(rate="800Mbit/s")
    times = np.arange(1, SWITCHES + 1) * 10 * MS - 5 * MS
    net.schedule_event(times, 0, 0, node="old"), net.schedule_event(times + 1, 0, 1, node="old")
    controller = FunctionController(lambda ctx, event: ctx.deliver_locally() if event.code else ctx.bind(net.node_index("new")))
    benchmark.group = "targeted"
    engine = benchmark.pedantic(run, setup=lambda: ready(net, {"old": controller}), rounds=5)
    result = engine.result()
    assert result.links["rescued"].sum() > SWITCHES
    assert result.flows["dropped"][0] == 0


def test_bicast(benchmark: Any) -> None:
    net = two_routers(rate="10Gbit/s")
    net.schedule_event(0, 0, 0, node="ha")
    controller = FunctionController(lambda ctx, event: ctx.bind(net.node_index("new"), simultaneous=True))
    benchmark.group = "targeted"
    engine = benchmark.pedantic(run, setup=lambda: ready(net, {"ha": controller}), rounds=5)
    flows = engine.result().flows
    assert flows["copies"][0] == flows["sent"][0]
    assert flows["duplicate"][0] == flows["copies"][0]


@pytest.mark.parametrize("scheduling", ["window", "heap", "auto"])
@pytest.mark.parametrize("delay", ["1ns", "1ms"])
def test_a_ring_of_tiny_delays(benchmark: Any, scheduling: str, delay: str) -> None:
    """A cycle of 1 ns delays leaves windows of 1 ns, most of them empty: this measures the cost of a window."""
    net = line(3, delay=delay)
    for i in range(3):
        net.link(i + 1, i, delay=delay)
    benchmark.group = f"targeted, cycle of {delay}"
    engine = benchmark.pedantic(run, setup=lambda: ready(net, scheduling=scheduling), rounds=3)
    assert engine.result().fate_counts() == {"delivered": PACKETS}


def test_controllers(benchmark: Any) -> None:
    """20,000 events of as many mobile nodes, 200 at an instant, each of which sets a table entry."""
    net = line(mobiles=20_000)
    net.schedule_event(np.repeat(np.arange(100) * 10 * MS, 200), np.arange(20_000), 0, node=1)
    seen: list[int] = []
    controller = FunctionController(lambda ctx, event: (ctx.deliver_locally(), seen.append(event.mobile)))
    benchmark.group = "targeted, controllers"
    engine = benchmark.pedantic(run, setup=lambda: ready(net, {"n1": controller}), rounds=3)
    assert sorted(seen[-20_000:]) == list(range(20_000))
    assert engine.result().fate_counts() == {"delivered": PACKETS}
