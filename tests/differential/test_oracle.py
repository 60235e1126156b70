"""The rules of docs/model.md one at a time, computed by hand on networks of two or three nodes."""

from __future__ import annotations

from math import log
from random import Random
from typing import Any

import pytest

from engine.network import Network
from engine.network_columns import NetworkError
from engine.results import Fate, Result
from tests.differential.draws import LN2, WORD, key, minus_log, mix, scatter
from tests.differential.oracle import Oracle
from tests.differential.paths import next_links, ranks

MS = 10**9


class Doing:
    """Controller from a function; it records its events."""

    def __init__(self, do: Any = None) -> None:
        self.do = do
        self.got: list[tuple[int, int, int]] = []

    def on_event(self, ctx: Any, event: Any) -> None:
        self.got.append((event.time_ps, event.kind, event.code))
        if self.do:
            self.do(ctx, event)


def one_cell(times: list[int], **cell: Any) -> tuple[Network, int]:
    """Return a network that sends packets of 1250 bytes at the cell's node: 1 ms each at 10 Mbit/s, 2 ms of delay."""
    net = Network()
    net.node("ap")
    net.cell("ap", **{"rate": "10Mbit/s", "delay": "2ms"} | cell)
    phone = net.mobile("phone", home="ap")
    net.set_local("ap", phone)
    net.replay("ap", phone, times, [1250] * len(times))
    return net, phone


def fates_and_delays(result: Result) -> list[tuple[str, float]]:
    assert result.packets is not None
    rows = zip(result.packets["fate"], result.packets["delay_ps"], strict=True)
    return [(Fate(fate).label, int(delay) / MS) for fate, delay in rows]


def test_waiting_follows_lindley() -> None:
    net, phone = one_cell([0, 0, MS // 2, 10 * MS])
    net.attach(phone, "ap")
    result = Oracle(net, record="packets").run("1s")
    assert fates_and_delays(result) == [("delivered", 3.0), ("delivered", 4.0), ("delivered", 4.5), ("delivered", 3.0)]
    assert (result.links["peak_packets"][0], result.links["busy_ps"][0]) == (3, 4 * MS)


def test_a_packet_that_finishes_now_has_left() -> None:
    net, phone = one_cell([0, 0, 0, MS], buffer_packets=2)
    net.attach(phone, "ap")
    got = fates_and_delays(Oracle(net, record="packets").run("1s"))
    assert got == [("delivered", 3.0), ("delivered", 4.0), ("queue full", -1 / MS), ("delivered", 4.0)]


def test_heard_from_the_finish_to_the_arrival_both_ends_included() -> None:
    net, phone = one_cell([0, 10 * MS, 20 * MS, 30 * MS])
    net.attach(phone, "ap", 1 * MS, 3 * MS)  # finish of the first, arrival of the first
    net.attach(phone, "ap", 11 * MS + 1, 13 * MS)  # up just after the finish
    net.attach(phone, "ap", 20 * MS, 23 * MS - 1)  # down just before the arrival
    result = Oracle(net, record="packets").run("33ms")
    assert [fate for fate, _ in fates_and_delays(result)] == ["delivered", "detached", "detached", "in flight"]
    assert result.links["queued"][0] == 1


def test_rescue_takes_what_waits_and_leaves_what_has_begun() -> None:
    net, phone = one_cell([0, 0, 0, 0], delay="10ms")
    net.node("new")
    net.link("ap", "new", delay="1ms")
    net.cell("new", delay="1ms")
    net.set_local("new", phone)
    net.attach(phone, "ap")
    net.attach(phone, "new")
    net.schedule_event(1 * MS, phone, code=1, node="ap")  # the second begins at this very instant
    oracle = Oracle(net, record="packets")
    oracle.attach("ap", Doing(lambda ctx, event: ctx.bind(net.node_index("new"))))
    result = oracle.run("1s")
    assert fates_and_delays(result) == [("delivered", 11.0), ("delivered", 12.0), ("delivered", 3.0), ("delivered", 3.0)]
    assert (result.links["rescued"].sum(), result.links["tunnel_bytes"][0]) == (2, 40)
    assert result.flows["reordered"][0] == 2  # the first two come last


def test_bicasting_delivers_once_and_counts_the_rest() -> None:
    net = Network()
    for name in ("ha", "a", "b"):
        net.node(name)
    for name in ("a", "b"):
        net.link("ha", name, delay="1ms")
        net.cell(name, delay="1ms")
    phone = net.mobile("phone", home="ha")
    net.attach(phone, "a")
    net.attach(phone, "b")
    net.set_local(["a", "b"], phone)
    net.bind("ha", phone, "a")
    net.schedule_event(0, phone, code=1, node="ha")
    net.cbr("ha", phone, interval="10ms", size_bytes=100)
    oracle = Oracle(net, record="packets")
    oracle.attach("ha", Doing(lambda ctx, event: ctx.bind(net.node_index("b"), simultaneous=True)))
    result = oracle.run("95ms")
    assert result.fate_counts() == {"delivered": 10, "duplicate": 10}
    assert result.packets is not None
    assert result.packets["copy"].tolist() == [0, 1] * 10


def test_order_of_a_controllers_events_at_one_instant() -> None:
    net = Network()
    net.node("a")
    net.node("b", registration="1ms")
    net.link("a", "b", delay="1ms")
    phone = net.mobile("phone", home="b")
    net.schedule_event(0, phone, code=1, node="a")
    net.schedule_event(1 * MS, phone, code=2, node="b")
    net.schedule_event(2 * MS, phone, code=3, node="b")
    sender = Doing(lambda ctx, event: [ctx.send(code, 1, size_bytes=50) for code in (10, 11)])

    def at_b(ctx: Any, event: Any) -> None:
        if event.code == 2:
            ctx.timer(2 * MS, 5)
            ctx.timer(2 * MS, 4)

    oracle, receiver = Oracle(net), Doing(at_b)
    oracle.attach("a", sender)
    oracle.attach("b", receiver)
    result = oracle.run("1s")
    at_2_ms = [(2 * MS, 0, 3), (2 * MS, 1, 5), (2 * MS, 1, 4), (2 * MS, 2, 10)]
    assert receiver.got == [(1 * MS, 0, 2), *at_2_ms, (3 * MS, 2, 11)]
    assert (result.nodes["messages"][1], result.nodes["registration_peak"][1]) == (2, 2)


def test_shortest_path_by_delay_then_hops_then_link_key() -> None:
    net = Network()
    for name in "abcd":
        net.node(name)
    net.link("a", "b", delay="1ms")
    net.link("b", "d", delay="1ms")
    net.link("a", "d", delay="2ms", name="one")
    net.link("a", "d", delay="2ms", name="two")
    net.link("a", "c", delay="1ms")
    net.link("c", "b", delay="0ms")
    ways = next_links(net)
    names = [link.name for link in net.links]
    assert names[ways[0][3]] == min("one", "two", key=key)
    assert names[ways[0][1]] == "a>b"
    assert 0 not in ways[3]


def test_rank_follows_arcs_that_take_no_time_and_refuses_their_cycles() -> None:
    net = Network()
    net.node("late")
    net.node("early")
    net.link("early", "late", delay="0ms")
    rank = ranks(net)
    assert rank["node", 1] < rank["node", 0]
    net.link("late", "early", delay="0ms")
    with pytest.raises(NetworkError, match="no time"):
        ranks(net)


def test_mix_is_the_published_splitmix64() -> None:
    golden = 0x9E3779B97F4A7C15
    outputs = [mix((1234567 + i * golden) % 2**64) for i in range(1, 4)]  # the generator's vector for seed 1234567
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_compensating_changes_alter_the_fingerprint() -> None:
    """Move two packets of one or two links against each other, or exchange them: 16 bits stay equal with probability 2**-16."""
    dice, cases = Random(1), 20_000
    stayed = dict.fromkeys(("against", "against, two links", "exchanged", "second difference"), 0)
    for _ in range(cases):
        a, b = dice.getrandbits(64), dice.getrandbits(64)  # link keys
        x, y, d = dice.randrange(10**14), dice.randrange(10**14), dice.choice((1, 3, 8 * 10**6))
        for name, before, after in [
            ("against", (x ^ a, y ^ a), (x + d ^ a, y - d ^ a)),
            ("against, two links", (x ^ a, y ^ b), (x + d ^ a, y - d ^ b)),
            ("exchanged", (x ^ a, x + d ^ b), (x + d ^ a, x ^ b)),
            ("second difference", (x ^ a, x + y + d ^ a), (x + y ^ a, x + d ^ a)),
        ]:
            moved = (sum(map(scatter, before)) - sum(map(scatter, after))) % WORD
            stayed[name] += sum(moved >> at & 0xFFFF == 0 for at in (0, 16, 32, 48))
    expected = 4 * cases / 2**16
    assert max(stayed.values()) < expected + 6 * expected**0.5, stayed  # six standard deviations of a Poisson count


def test_integer_logarithm() -> None:
    """Linear interpolation in steps of 2**-12: within 2**-27 (h**2/8) of the logarithm, above it by rounding only."""
    assert minus_log(2**64 - 1) == 0
    assert minus_log(0) == 64 * LN2
    dice = Random(1)
    for _ in range(2000):
        u = dice.getrandbits(dice.randint(1, 64))
        exact = (64 * log(2) - log(u + 1)) * 2**40
        assert -4 <= minus_log(u) - exact <= 2**13 + 4  # 4: double precision of the exact value, and rounding of T
