"""Queues of the engine against their closed forms: one server with service time S per packet, or a chain of servers.

Each statistical test uses batch means, 40 batches of one run, and a two-sided interval of Student's t at 1 in 10,000. There are
13 of them, so that one seed in 770 gives a false alarm; the seed is fixed.
"""

import math

import numpy as np
import pytest
from scipy import stats

from engine import Engine, Fate, Network

M_D_1_5 = 0.064361897186  # load 0.9

S_BYTES = 125
RATE_BPS = 10**9
S_PS = 10**6  # 125 B at 1 Gbit/s: 1 us
DELAY_PS = 1000
PACKETS = 1_000_000
BATCHES = 40
FALSE_ALARM = 1e-4


def chain_of(*links, **server):
    """Build n0 -> n1 -> ... -> the cell of the last node; each link has its parameters, the cell only a delay."""
    net = Network()
    for i in range(len(links)):
        net.node(f"n{i}")
    last = net.node("last", **server)
    for i, link in enumerate(links):
        net.link(i, i + 1, **{"delay": DELAY_PS, **link})
    net.cell(last, delay=DELAY_PS)
    mobile = net.mobile("mobile", home="last")
    net.attach(mobile, "last")
    net.set_local([last], mobile)
    return net, mobile


def poisson(load, link, **server):
    """Run a Poisson source of this load; the packet records are in the order of sending."""
    net, mobile = chain_of(link, **server)
    mean_ps = round(S_PS / load)
    net.poisson("n0", mobile, mean=mean_ps, size_bytes=S_BYTES, count=PACKETS)
    result = Engine(net, record="packets").run(2 * PACKETS * mean_ps)
    assert result.flows["sent"][0] == PACKETS == len(result.packets["seq"])
    return result


def waits(result):
    """Return the waits in units of S: the delays without transmission and propagation."""
    assert (result.packets["fate"] == Fate.DELIVERED).all()
    return (result.packets["delay_ps"] - S_PS - 2 * DELAY_PS) / S_PS


def assert_mean(samples, expected):
    """Check that ``expected`` lies in the interval of the means of consecutive batches."""
    means = np.asarray(samples, float).reshape(BATCHES, -1).mean(axis=1)
    low, high = stats.t.interval(1 - FALSE_ALARM, BATCHES - 1, means.mean(), means.std(ddof=1) / math.sqrt(BATCHES))
    assert low <= expected <= high, f"{expected} is not within {low} to {high}"


@pytest.mark.parametrize(
    ("load", "k", "published"),
    [
        (0.8, 10, 0.003639231140),
        (0.9, 5, 0.064361897186),
        (1.2, 10, 0.170910768540),
        (0.5, 5, 0.002175962571),
        (0.8, 2, 0.199570306363),
    ],
)
def test_a_full_buffer_loses_as_m_d_1_k_does(load, k, published):
    result = poisson(load, {"rate": RATE_BPS, "buffer_packets": k})
    assert set(result.fate_counts()) == {"delivered", "queue full"}
    assert result.links["peak_packets"][0] == k
    assert_mean(result.packets["fate"] == Fate.QUEUE_FULL, published)


@pytest.mark.parametrize(("load", "beyond_three"), [(0.5, 0.01525130), (0.8, 0.23790048), (0.95, 0.71243081)])
def test_waits_are_those_of_m_d_1_in_mean_and_beyond_three_services(load, beyond_three):
    waited = waits(poisson(load, {"rate": RATE_BPS}))
    assert_mean(waited, load / (2 * (1 - load)))
    assert_mean(waited > 3, beyond_three)


def test_a_forwarding_server_loses_as_m_d_1_k_does():
    result = poisson(0.9, {}, service=S_PS, service_queue=5)
    assert set(result.fate_counts()) == {"delivered", "forwarding overload"}
    assert_mean(result.packets["fate"] == Fate.FORWARDING_OVERLOAD, M_D_1_5)


def test_a_registration_server_loses_as_m_d_1_k_does():
    """A mobile node sends messages at exponential times; the controller of the home agent records which it receives."""
    messages = 200_000
    net, mobile = chain_of({}, registration=S_PS, registration_queue=5)
    gaps = np.random.default_rng(1).exponential(S_PS / 0.9, messages)
    times = np.cumsum(gaps.round().astype(np.int64) + 1)
    net.schedule_event(times, mobile, 0, np.arange(messages))
    last = net.node_index("last")

    class Sender:
        def on_event(self, ctx, event):
            ctx.send(1, last, size_bytes=100, args=event.args[:1], via=last)

    class Server:
        received = np.zeros(messages, bool)

        def on_event(self, ctx, event):
            self.received[event.args[0]] = True

    engine = Engine(net)
    engine.attach_mobiles(Sender())
    engine.attach(last, Server())
    result = engine.run(int(times[-1]) + 10 * S_PS)
    assert set(result.fate_counts(control=True)) == {"delivered", "registration overload"}
    assert result.nodes["registration_dropped"][last] == messages - Server.received.sum()
    assert_mean(~Server.received, M_D_1_5)


@pytest.mark.parametrize("interval_ps", [S_PS, S_PS + 1, 3 * S_PS])
def test_no_packet_waits_in_d_d_1_up_to_full_load(interval_ps):
    net, mobile = chain_of({"rate": RATE_BPS})
    net.cbr("n0", mobile, interval=interval_ps, size_bytes=S_BYTES, count=10_000)
    result = Engine(net, record="packets").run(10_001 * interval_ps + S_PS)
    assert result.flows["delivered"][0] == 10_000
    assert not waits(result).any()
    assert result.links["peak_packets"][0] == 1


def test_over_full_load_each_wait_of_d_d_1_is_longer_by_the_excess():
    net, mobile = chain_of({"rate": RATE_BPS})
    net.cbr("n0", mobile, interval=S_PS - 7, size_bytes=S_BYTES, count=10_000)
    result = Engine(net, record="packets").run("1s")
    assert (result.packets["delay_ps"] - S_PS - 2 * DELAY_PS == 7 * np.arange(10_000)).all()


def test_the_kth_of_a_batch_waits_for_those_before_it():
    net, mobile = chain_of({"rate": RATE_BPS, "buffer_packets": 50})
    net.replay("n0", mobile, [0] * 60, [S_BYTES] * 60, period_ps=100 * S_PS, stop_ps=300 * S_PS)
    result = Engine(net, record="packets").run("1ms")
    in_batch = result.packets["seq"] % 60
    received = result.packets["fate"] == Fate.DELIVERED
    assert len(received) == 3 * 60
    assert (received == (in_batch < 50)).all()
    waited = result.packets["delay_ps"][received] - S_PS - 2 * DELAY_PS
    assert (waited == in_batch[received] * S_PS).all()


def test_a_tandem_follows_lindleys_recursion_in_integers():
    """Random sizes and gaps through three links, the slowest in the middle; nothing is rounded but bytes to picoseconds."""
    count = 20_000
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.integers(0, 2 * 10**6, count))
    sizes = rng.integers(40, 1500, count)
    rates, delays = [10**10 + 7, 6_300_000_001, 9 * 10**9], [5_000_011, 3, 77]
    net, mobile = chain_of(*({"rate": rate, "delay": delay} for rate, delay in zip(rates, delays, strict=True)))
    net.replay("n0", mobile, times, sizes)
    result = Engine(net, record="packets").run(int(times[-1]) + 10**12)
    arrival = times
    for rate, delay in zip(rates, delays, strict=True):
        service = -(-sizes * 8 * 10**12 // rate)
        wait = np.zeros(count, np.int64)
        gaps = np.diff(arrival)
        for i in range(1, count):
            wait[i] = max(0, wait[i - 1] + service[i - 1] - gaps[i - 1])
        assert wait.any()
        arrival = arrival + wait + service + delay
    assert (result.packets["delay_ps"] == arrival + DELAY_PS - times).all()
