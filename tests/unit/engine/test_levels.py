"""Levels: which units form one, when a run goes over to them, and results that do not depend on them."""

import numpy as np
import pytest

from bench.small import star
from bench.w1 import workload
from engine import Engine, Network
from engine.lookahead import plan_lookahead
from tests.unit.engine.resumption import resume


def levels(network):
    """Return the names of the units of each level."""
    plan = plan_lookahead(network)
    found = [set() for _ in range(max(plan.levels) + 1)]
    for unit, level in zip(plan.units, plan.levels, strict=True):
        found[level].add(unit.name)
    return found


def test_the_routers_of_a_star_form_one_level():
    """Each delay is 1 ms or more, which is W*: no arc is short, so that only the parts of the units divide them."""
    found = levels(star(5))
    assert {frozenset(level) for level in found} == {
        frozenset({"cn"}), frozenset({"n0"}), frozenset({"r0", "r1", "r2", "r3", "r4"}), frozenset({"*"}),
    }  # fmt: skip


def test_a_unit_behind_a_short_link_is_in_a_later_level():
    """W* is 5 ms, the shortest link of the only cycle that cannot be avoided; r1 hears of r0 within a window."""
    net = Network()
    for name in ("r0", "r1"):
        net.node(name)
    net.link("r0", "r1", delay="1ms")
    net.link("r1", "r0", delay="5ms")
    found = levels(net)
    assert found.index({"r0"}) < found.index({"r1"})


def test_a_server_and_its_node_are_in_two_levels():
    net = Network()
    net.node("a", service="1us")
    net.link(net.node("b"), "a", delay="1ms", both=True)
    found = levels(net)
    assert next(i for i, level in enumerate(found) if "a|" in level) < next(i for i, level in enumerate(found) if "a" in level)


def test_a_run_with_short_visits_goes_over_to_levels():
    """1,000 mobile nodes with 100 packets/s make 300 packet-hops in a window of 1 ms, about 2 for each router and direction.

    32 windows of 1 ms are those of units, and then a window of levels is twice as long.
    """
    by_unit, auto = Engine(star(64), scheduling="window"), Engine(star(64))
    assert auto.run("600ms").fingerprint == by_unit.run("600ms").fingerprint
    assert by_unit.profile["windows"] == 600
    assert by_unit.profile["level_windows"] == 0
    assert auto.profile["windows"] - auto.profile["level_windows"] == 32
    assert (600 - 32) / 2 <= auto.profile["level_windows"] <= (600 - 32) / 2 + 4  # one longer than before, one after a lag


def test_a_run_by_level_continues_by_level_after_a_checkpoint():
    whole, first = Engine(star(64)), Engine(star(64))
    first.advance("400ms")
    second = resume(first, lambda: Engine(star(64)))
    second.advance("600ms")
    whole.advance("600ms")
    assert second.result().fingerprint == whole.result().fingerprint
    after = {name: second.profile[name] - first.profile[name] for name in ("windows", "level_windows")}
    assert 100 <= after["level_windows"] == after["windows"]


def test_a_run_with_long_visits_stays_with_units():
    engine = Engine(workload(1000, tunnel=True))
    engine.run("20s")
    assert engine.profile["windows"] > 256
    assert engine.profile["level_windows"] == 0


def two_ways(rate, delays, *, size=228, buffer_packets=None, interval="2ms"):
    """Build a correspondent, a hub and a router for each delay; at each router, ten mobile nodes that send and receive."""
    net = Network()
    net.link(net.node("cn"), net.node("hub"), rate=rate, delay="5ms", both=True, buffer_packets=buffer_packets)
    for i, delay in enumerate(delays):
        router = net.node(f"r{i}")
        net.link("hub", router, rate=rate, delay=delay, both=True, buffer_packets=buffer_packets)
        net.cell(router, rate=rate, delay="1ms", buffer_packets=buffer_packets)
        here = net.mobiles(10, prefix=f"mn{i}.", home=router)
        net.attach(here, router)
        net.set_local([router] * 10, here)
        net.set_upstream_route(here, router)
        for up in (False, True):
            net.cbr("cn", here, interval=interval, size_bytes=size, start_ps=10**9 * (np.arange(10) % 3), up=up)
    return net


CASES = {
    "equal instants on links without transmission times": lambda: two_ways("infinite", ["1ms"] * 6),
    "links of many lengths": lambda: two_ways("1Gbit/s", [f"{1000 + 37 * i}us" for i in range(40)]),
    "queues that never end": lambda: two_ways("9Mbit/s", ["1ms", "2ms", "7ms", "1ms"]),
    "queues that overflow": lambda: two_ways("9Mbit/s", ["1ms", "2ms", "7ms", "1ms"], buffer_packets=7),
    "packets without length": lambda: two_ways("9Mbit/s", ["1ms", "1ms", "3ms"], size=1),
    "more arrivals in a window than the caches hold": lambda: star(64, 30_000),  # 3,000 each way
}


@pytest.mark.parametrize("case", CASES)
def test_levels_do_not_change_the_result(case):
    expected = Engine(CASES[case](), scheduling="window", record="packets").run("300ms")
    engine = Engine(CASES[case](), scheduling="level", record="packets")
    for cut in ("41ms", "41ms", "173ms", "300ms"):
        engine.advance(cut)
    found = engine.result()
    assert engine.profile["level_windows"] == engine.profile["windows"] > 0
    assert found.fingerprint == expected.fingerprint
    for table in ("flows", "links", "nodes", "packets"):
        for column, values in getattr(expected, table).items():
            np.testing.assert_array_equal(getattr(found, table)[column], values, err_msg=f"{table}.{column}")


def test_the_memory_of_inboxes_counts():
    """600 packets are on their way: 250 on each link of 5 ms, 50 each way at the hub; 32 bytes in a ring, 48 in an inbox."""
    engine = Engine(star(8), scheduling="level")
    before = engine.memory["queues"]
    engine.advance("100ms")
    assert engine.memory["queues"] >= before + 600 * (32 + 48)
