"""Sums of times past 2**64 ps (213 days), computed by hand: in engine and oracle, across a checkpoint and in a window."""

import pytest

from engine import Engine, Network
from engine.results import EXACT_SUMS
from handoff.simulation.measurement_window import Snapshot, window_result
from tests.differential.oracle import Oracle
from tests.unit.engine.resumption import resume

S = 10**12
DAY = 86_400 * S
EDGE = 2**64
both = pytest.mark.parametrize("kind", [Engine, Oracle])


class Sender:
    """Controller that sends a message to the agent at each event."""

    def on_event(self, ctx, event):
        ctx.send(1, 1, size_bytes=50)


class Rescuer:
    """Controller that moves the waiting packets of a mobile node from its downlink to a buffer."""

    def on_event(self, ctx, event):
        ctx.buffer()


def delays(kind):
    """Ten packets, one a day, over a link that takes 40 days."""
    net = Network()
    net.node("cn")
    net.node("ap")
    net.link("cn", "ap", delay=40 * DAY)
    net.cell("ap", delay="1ms")
    phone = net.mobile("phone", home="ap")
    net.attach(phone, "ap")
    net.set_local("ap", phone)
    net.cbr("cn", phone, interval=DAY, size_bytes=100, count=10)
    return kind(net)


def transmissions(kind, mobiles=41):
    """Packets of 480,000 s each way on the downlink and uplink of every mobile node, two on the first downlink."""
    net = Network()
    net.node("ap")
    net.cell("ap", delay="1ms", rate=1, up_rate=1)
    phones = net.mobiles(mobiles, home="ap")
    for phone in phones:
        net.attach(phone, "ap")
    net.set_local("ap", phones)
    net.set_upstream_route(phones, "ap")
    net.cbr("ap", phones, interval=DAY, size_bytes=60_000, count=1)
    net.cbr("ap", phones[0], interval=DAY, size_bytes=60_000, count=1, label="second")
    net.cbr("ap", phones, interval=DAY, size_bytes=60_000, count=1, up=True)
    net.schedule_event(2 * DAY, phones[0], 0, node="ap")
    engine = kind(net)
    engine.attach("ap", Rescuer())
    return engine


def waits(kind, **server):
    """20 messages, the first at once and the others a second apart, for an agent that takes five days for each."""
    net = Network()
    net.node("sender")
    net.node("agent", **server)
    net.link("sender", "agent", delay=1)
    phone = net.mobile("phone", home="agent")
    net.schedule_event([i * S for i in range(20)], phone, 0, range(20), node="sender")
    engine = kind(net)
    engine.attach("sender", Sender())
    return engine


def registration_waits(kind):
    return waits(kind, registration=5 * DAY)


def forwarding_waits(kind):
    return waits(kind, service=5 * DAY)


def sum_of_waits(messages):
    return sum(i * (5 * DAY - S) for i in range(messages))


PACKET = 480_000 * S
DELAY = 40 * DAY + 10**9
CASES = {  # network, column, row, time past which the sum is beyond the edge, sum then, end, sum at the end
    "delays": (delays, "flows", "delay_sum_ps", 0, 46 * DAY, 6 * DELAY, 50 * DAY, 10 * DELAY),
    "downlinks": (transmissions, "links", "busy_ps", 0, DAY, 42 * PACKET, 3 * DAY, 41 * PACKET),
    "uplinks": (transmissions, "links", "busy_ps", 1, DAY, 41 * PACKET, 3 * DAY, 41 * PACKET),
    "registration": (registration_waits, "nodes", "registration_wait_ps", 1, 15 * S, sum_of_waits(15), DAY, sum_of_waits(20)),
    "forwarding": (forwarding_waits, "nodes", "forwarding_wait_ps", 1, 15 * S, sum_of_waits(15), DAY, sum_of_waits(20)),
}
each_sum = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@both
@each_sum
def test_a_sum_is_exact_past_the_edge(kind, case):
    build, table, column, row, early, early_sum, until, total = case
    assert early_sum > EDGE
    for end, expected in ((early, early_sum), (until, total)):
        assert getattr(build(kind).run(end), table)[column][row] == expected


@each_sum
def test_a_checkpoint_past_the_edge_continues_the_sum(case):
    build, table, column, row, early, early_sum, until, total = case
    engine = build(Engine)
    engine.advance(early)
    assert getattr(engine.result(), table)[column][row] == early_sum
    resumed = resume(engine, lambda: build(Engine))
    resumed.advance(until)
    assert getattr(resumed.result(), table)[column][row] == total


@each_sum
def test_a_window_has_the_difference_of_two_sums(case):
    build, table, column, row, early, early_sum, until, total = case
    engine = build(Engine)
    engine.advance(early)
    first = Snapshot(early, engine.result())
    engine.advance(until)
    second = Snapshot(until, engine.result())
    window = window_result(first, second, second.result)
    assert getattr(window, table)[column][row] == total - early_sum


@both
def test_a_rescue_takes_a_sum_back_below_the_edge(kind):
    """39 transmissions exceed 2**64 ps, 38 do not."""
    assert 38 * PACKET < EDGE < 39 * PACKET
    before, after = (transmissions(kind, mobiles=38).run(end).links for end in (DAY, 3 * DAY))
    assert (before["busy_ps"][0], before["rescued"][0]) == (39 * PACKET, 0)
    assert (after["busy_ps"][0], after["rescued"][0]) == (38 * PACKET, 1)


@both
def test_sums_of_rows_cannot_wrap_either(kind):
    """Numpy adds Python integers exactly, so that ``sum`` over flows has the true value."""
    result = transmissions(kind).run(8 * DAY)
    columns = result.flows | result.links | result.nodes
    sums = {name: columns[name] for name in EXACT_SUMS}
    assert all(values.dtype == object for values in sums.values())
    assert result.links["busy_ps"].sum() == 82 * PACKET
