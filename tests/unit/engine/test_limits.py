"""Limits of queues, by hand from docs/model.md, section 3, in engine and oracle: 1 is no waiting place, None is no limit."""

import pytest

from engine import Engine, Fate, Network, NetworkError
from tests.differential.oracle import Oracle

MS = 10**9
SIZE = 1000  # bytes: 1 ms at 8 Mbit/s
TIMES = [0, MS // 2, MS, 3 * MS // 2, 3 * MS]
both = pytest.mark.parametrize("kind", [Engine, Oracle])


def send(kind, *, link=None, cell=None, node=None):
    """Send packets of 1 ms at ``TIMES`` to a phone; the link, the cell or the forwarding server has the limit."""
    net = Network()
    net.node("cn"), net.node("ap", **(node or {}))
    net.link("cn", "ap", delay=0, **(link or {}))
    net.cell("ap", delay="1ms", **(cell or {}))
    phone = net.mobile("phone", home="ap")
    net.attach(phone, "ap"), net.bind("cn", phone, "ap", header_bytes=0), net.set_local("ap", phone)
    net.replay("cn", phone, TIMES, [SIZE] * len(TIMES))
    return kind(net, record="packets").run("1s")


PLACES = [
    # The packets at 0.5 and 1.5 ms find the transmitter busy until 1 and 2 ms; the one at 1 ms finds it idle again.
    (1, ["delivered", "queue full", "delivered", "queue full", "delivered"]),
    # The packet at 0.5 ms waits until 1 ms, the one at 1 ms until 2 ms; the one at 1.5 ms finds both in the system.
    (2, ["delivered", "delivered", "delivered", "queue full", "delivered"]),
    (3, ["delivered"] * 5),
    (None, ["delivered"] * 5),
    ("unlimited", ["delivered"] * 5),
    ("infinite", ["delivered"] * 5),
]


def fates(result):
    return [Fate(fate).label for fate in result.packets["fate"]]


@both
@pytest.mark.parametrize(("places", "expected"), PLACES)
def test_a_queue_of_one_packet_has_no_waiting_place(kind, places, expected):
    assert fates(send(kind, link={"rate": "8Mbit/s", "buffer_packets": places})) == expected
    assert fates(send(kind, cell={"rate": "8Mbit/s", "buffer_packets": places})) == expected
    at_server = [fate.replace("queue full", "forwarding overload") for fate in expected]
    assert fates(send(kind, node={"service": "1ms", "service_queue": places})) == at_server


@both
def test_a_queue_of_bytes_includes_the_packet_in_transmission(kind):
    expected = dict(PLACES)
    for size, places in ((SIZE, 1), (2 * SIZE - 1, 1), (2 * SIZE, 2), (None, None), ("unlimited", None)):
        assert fates(send(kind, link={"rate": "8Mbit/s", "buffer_bytes": size})) == expected[places]
    assert set(fates(send(kind, link={"rate": "8Mbit/s", "buffer_bytes": SIZE - 1}))) == {"queue full"}


@both
@pytest.mark.parametrize("rate", [None, "unlimited", "infinite"])
def test_a_link_without_a_rate_takes_no_time(kind, rate):
    """Nobody waits, so that one place is enough."""
    result = send(kind, cell={"rate": rate, "buffer_packets": 1})
    assert (fates(result), set(result.packets["delay_ps"])) == (["delivered"] * 5, {MS})


def test_an_uplink_without_a_limit_is_no_copy_of_the_downlink():
    net = Network()
    for name, keys in (("same", {}), ("free", {"up_rate": None, "up_buffer_packets": "unlimited"})):
        net.node(name), net.cell(name, delay="1ms", rate="1Mbit/s", buffer_packets=3, buffer_bytes="9kB", **keys)
    limits = [(cell.up.rate_bps, cell.up.buffer_packets, cell.up.buffer_bytes) for cell in net.cells]
    assert limits == [(10**6, 3, 9000), (None, None, 9000)]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"link": {"buffer_packets": 0}}, "buffer_packets: 0 means no packet, not even the one in service: write 'unlimited'"),
        ({"link": {"buffer_bytes": 0}}, "0 means no packet: write 'unlimited' for no limit, or a size above 0"),
        ({"link": {"rate": 0}}, "0 means that nothing is sent: write 'unlimited' for no transmission time"),
        ({"cell": {"up_rate": "0bit/s"}}, "0 means that nothing is sent"),
        ({"node": {"service_queue": 0}}, "service_queue: 0 means no packet"),
        ({"node": {"registration_queue": 0}}, "registration_queue: 0 means no packet"),
    ],
)
def test_0_is_refused(keys, message):
    with pytest.raises(ValueError, match=message):
        send(Engine, **keys)


def test_a_replay_without_a_period_is_sent_once():
    net = Network()
    net.node("cn"), net.mobile("phone", home="cn")
    with pytest.raises(NetworkError, match="a period of 0 ps is not longer than the sequence"):
        net.replay("cn", "phone", [0], [100], period_ps=0)
    net.replay("cn", "phone", [0], [100])
    assert Engine(net).run("1s").flows["sent"].tolist() == [1]
