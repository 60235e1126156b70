"""The end of the clock, 2**63 ps: a run that needs a later time ends with one error, which names the queue."""

import pytest

from engine import Engine, Network, TimeLimitError
from engine.rng import MAX_EXPONENTIAL_MEAN
from tests.differential.oracle import Oracle

LAST = 2**63 - 1
S = 10**12
PACKET_BYTES = 60_000
both = pytest.mark.parametrize("kind", [Engine, Oracle])


def two_nodes(packets, interval=1, cell=None, size=PACKET_BYTES, up=False, service=None, delay=1, **link):
    """Packets from ``cn``, over a link, to the cell of ``ap``, or the other way."""
    net = Network()
    net.node("cn", **service if up and service else {})
    net.node("ap", **service if service and not up else {})
    net.link("cn", "ap", delay=delay, **link)
    net.link("ap", "cn", delay=1, **link)
    net.cell("ap", delay=1, **cell or {})
    phone = net.mobile("phone", home="ap")
    net.attach(phone, "ap")
    net.set_local("ap", phone)
    net.set_upstream_route(phone, "ap")
    net.cbr("cn", phone, interval=interval, size_bytes=size, count=packets, up=up)
    return net


ONE_BIT = 480_000 * S  # transmission time of a packet at 1 bit/s
FIT = (LAST - 1) // ONE_BIT  # packets of time 0 that leave before 2**63 ps


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("network", "queue"),
    [
        (lambda n: two_nodes(n, rate=1), "link 'cn>ap'"),
        (lambda n: two_nodes(n, cell={"rate": 1}), r"link 'ap>\*'"),
        (lambda n: two_nodes(n, cell={"rate": 1, "shared": True}), r"link 'ap>\*'"),
        (lambda n: two_nodes(n, cell={"up_rate": 1}, up=True), r"link 'ap<\*'"),
        (lambda n: two_nodes(n, service={"service": ONE_BIT}), "server of 'ap'"),
    ],
)  # fmt: skip
def test_a_backlog_past_the_end_of_the_clock_ends_the_run(network, queue, threads):
    result = Engine(network(FIT), threads=threads).run("1s")
    assert result.flows["sent"][0] == result.flows["in_flight"][0] == FIT
    with pytest.raises(TimeLimitError, match=rf"{queue} at [0-9]+ ps: a packet would end at 2\*\*63 ps"):
        Engine(network(FIT + 1), threads=threads, scheduling="window").run("1s")


def test_a_full_queue_is_no_error():
    """A packet that the queue does not accept needs no time."""
    result = Engine(two_nodes(FIT + 5, rate=1, buffer_packets=FIT)).run("1s")
    assert (result.flows["dropped"][0], result.links["peak_packets"][0]) == (5, FIT)


class Sender:
    def on_event(self, ctx, event):
        ctx.send(1, 1, size_bytes=50)


def test_messages_end_the_run_too():
    net = Network()
    net.node("sender")
    net.node("agent", registration=ONE_BIT)
    net.link("sender", "agent", delay=1)
    net.schedule_event([0] * (FIT + 1), net.mobile("phone", home="agent"), 0, node="sender")
    engine = Engine(net)
    engine.attach("sender", Sender())
    with pytest.raises(TimeLimitError, match="server of 'agent' at 1 ps"):
        engine.run("1s")


@pytest.mark.parametrize("delay", [LAST - S - 1, LAST - S, LAST])
def test_a_delay_up_to_the_end_of_the_clock(delay):
    """The packet of time 1 s arrives at 2**63 - 2 ps at the latest; at 2**63 - 1, which means never, it would not."""
    engine = Engine(two_nodes(2, interval=S, delay=delay))
    if delay == LAST - S - 1:
        assert engine.run("2s").flows["in_flight"][0] == 2
    else:
        with pytest.raises(TimeLimitError, match="link 'cn>ap'"):
            engine.run("2s")


def test_an_engine_that_has_failed_is_not_usable():
    engine = Engine(two_nodes(FIT + 1, rate=1))
    with pytest.raises(TimeLimitError):
        engine.run("1s")
    with pytest.raises(ValueError, match="make a new one"):
        engine.result()


@both
@pytest.mark.parametrize("step", [5 * 10**18, 9 * 10**18, 2**62, LAST])
def test_sources_end_at_the_end_of_the_clock(kind, step):
    """A flow sends at 0, step, 2 step ... as long as these times are below the end of the run."""
    until, mean = 92 * 10**17, min(step, MAX_EXPONENTIAL_MEAN)

    def network():
        net = Network()
        net.node("cn")
        net.cell("cn", delay=1)
        phone = net.mobile("phone", home="cn")
        net.attach(phone, "cn")
        net.set_local("cn", phone)
        net.cbr("cn", phone, interval=step, size_bytes=100)
        net.cbr("cn", phone, interval=step, size_bytes=100, stop_ps=LAST - 1, label="stopped")
        net.replay("cn", phone, [0, step // 2], [100, 100], period_ps=step, label="replay")
        net.poisson("cn", phone, mean=mean, size_bytes=100, label="poisson")
        return net

    cbr = -(-until // step)
    halves = 2 * (cbr - 1) + 1 + ((cbr - 1) * step + step // 2 < until)
    result = kind(network(), seed=1).run(until)
    sent = result.flows["sent"].tolist()
    assert sent[:3] == [cbr, cbr, halves]
    assert sent[3] == Oracle(network(), seed=1).run(until).flows["sent"][3]


@both
def test_a_rate_near_the_largest_integer(kind):
    """Transmission times are rounded up: any packet takes 1 ps at 2**63 - 1 bit/s, as the product in 64 bits would not say."""
    result = kind(two_nodes(3, interval=S, rate=LAST)).run("3s")
    assert result.links["busy_ps"][0] == 3


@both
def test_a_queue_of_more_than_two_gigabytes(kind):
    """33,000 packets of 65,000 bytes at once."""
    packets = 33_100 if kind is Engine else 3
    result = kind(two_nodes(packets, size=65_000, rate=10**9)).run("1us")
    assert result.links["peak_bytes"][0] == packets * 65_000
    limited = kind(two_nodes(packets, size=65_000, rate=10**9, buffer_bytes=(packets - 1) * 65_000)).run("1us")
    assert limited.links["dropped"][0] == 1
    assert limited.links["peak_bytes"][0] == (packets - 1) * 65_000


class Storm:
    """Controller that sends 2**16 messages at an event."""

    def __init__(self, messages):
        self.messages = messages

    def on_event(self, ctx, event):
        for _ in range(self.messages):
            ctx.send(1, 1, size_bytes=50)


@pytest.mark.parametrize("messages", [8191, 8192, 65_536])
def test_any_number_of_messages_in_a_queue(messages):
    net = Network()
    net.node("sender")
    net.node("agent")
    net.link("sender", "agent", delay="1ms")
    net.schedule_event([0, 10**10], net.mobile("phone", home="agent"), 0, node="sender")
    engine = Engine(net)
    engine.attach("sender", Storm(messages))
    heard = []
    engine.attach("agent", type("Agent", (), {"on_event": lambda self, ctx, event: heard.append(event.time_ps)})())
    engine.run("1s")
    assert heard == [10**9] * messages + [11 * 10**9] * messages
