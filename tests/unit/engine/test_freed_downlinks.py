"""Downlinks that no entry names: they are freed, and made again, while a packet is still on the air."""

from random import Random

import pytest

from engine import Engine, Network
from engine.lookahead import plan_lookahead
from tests.differential.oracle import Oracle

MS = 10**9
LOCAL, UNBIND = 1, 2


class Router:
    """Controller that makes and removes the entry of a mobile node."""

    def on_event(self, ctx, event):
        if event.code == LOCAL:
            ctx.deliver_locally()
        else:
            ctx.unbind()


def toggled_entries(seed):
    """Build a network whose mobile nodes are ahead of their router by 1 ms, and a schedule of entries that come and go.

    A packet is on the air for 0.7 ms. To each mobile node one comes every 0.9 ms, on average; so does a change of its entry.
    """
    random, net = Random(seed), Network()
    for name in ("server", "hub", "router"):
        net.node(name)
    net.link("server", "hub", delay="5ms", both=True)
    net.link("hub", "router", delay="1ms", both=True)
    net.cell("router", rate="12Mbit/s", delay="1ms")
    phones = net.mobiles(4, home="router")
    net.attach(phones, "router")
    net.set_local(["router"] * 4, phones)
    net.set_upstream_route(phones, "router")
    for phone in phones:
        for up in (False, True):
            times = sorted(random.randrange(300 * MS) for _ in range(330))
            net.replay("server", [phone], times, [1050] * len(times), origin=0, start_ps=0, up=up, label="times")
        for k, t in enumerate(sorted(random.randrange(300 * MS) for _ in range(330))):
            net.schedule_event(t, phone, LOCAL if k % 2 else UNBIND, -1, node="router")
    return net


def run(kind, seed, **options):
    simulator = kind(toggled_entries(seed), **options)
    simulator.attach("router", Router())
    return simulator.run("350ms")


def test_the_mobile_nodes_are_ahead_of_their_router():
    plan = plan_lookahead(toggled_entries(0))
    lag = {unit.name: plan.level_lags_ps[level] for unit, level in zip(plan.units, plan.levels, strict=True)}
    assert (lag["router"], lag["*"]) == (1 * MS, 0)


@pytest.mark.parametrize("seed", range(6))
def test_a_downlink_on_the_air_is_not_forgotten(seed):
    expected = run(Oracle, seed)
    assert expected.fate_counts()["no binding"] > 100
    for scheduling in ("level", "window"):
        assert run(Engine, seed, scheduling=scheduling).fingerprint == expected.fingerprint
