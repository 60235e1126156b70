"""Counters of few bits: a network that would run one past its edge is refused, and one at the edge is not."""

import numpy as np
import pytest

from engine import FOREVER, Engine, Network, NetworkError
from engine.offered_load import numbering_ends

PACKETS = 2**32 - 1
S = 10**12


def cell_network():
    net = Network()
    net.node("ap")
    net.cell("ap", delay="1ms")
    phone = net.mobile("phone", home="ap")
    net.attach(phone, "ap")
    net.set_local("ap", phone)
    return net, phone


# -- packets of a flow ----------------------------------------------------------------------------------------------------
def test_a_flow_of_more_than_32_bits_is_refused_before_the_run():
    """A packet every 1000 ps, from 7 ps on: packet number 2**32 - 1, counted from 0, would be one too many."""
    net, phone = cell_network()
    net.cbr("ap", phone, interval=10**9, size_bytes=100)
    net.cbr("ap", phone, interval=1000, start_ps=7, size_bytes=100, label="dense")
    end = 7 + PACKETS * 1000
    assert numbering_ends(net).tolist() == [10**9 * PACKETS, end]
    engine = Engine(net)
    message = rf"a run to {end + 1} ps: flow 'dense' of mobile 'phone' may send more than 4,294,967,295 packets after {end} ps"
    with pytest.raises(NetworkError, match=message):
        engine.run(end + 1)
    assert engine.time_ps == 0
    engine.advance("1us")
    assert engine.result().flows["sent"].tolist() == [1, 1000]


def test_only_flows_that_reach_the_edge_count():
    net, phone = cell_network()
    net.cbr("ap", phone, interval=1, size_bytes=100, count=PACKETS)
    net.cbr("ap", phone, interval=1, size_bytes=100, stop_ps=PACKETS, label="stopped")
    net.cbr("ap", phone, interval=FOREVER, size_bytes=100, label="rare")
    net.replay("ap", phone, [0, 1, 2], [100] * 3, label="once")
    net.replay("ap", phone, [0, 1, 2], [100] * 3, start_ps=S, period_ps=10, label="laps")
    net.cbr("ap", phone, interval=1, size_bytes=100, count=PACKETS + 1, label="one more")
    never = [FOREVER] * 4
    assert numbering_ends(net).tolist() == [*never, S + PACKETS // 3 * 10, PACKETS]


def test_a_poisson_flow_may_be_ahead_of_its_mean():
    """The margin is 16 standard deviations: the time of packet n has the standard deviation sqrt(n) gaps."""
    net, phone = cell_network()
    net.poisson("ap", phone, mean="1us", size_bytes=100)
    assert numbering_ends(net)[0] == 10**6 * (PACKETS - 16 * 2**16)


def test_a_network_without_flows_has_no_edge():
    assert Engine(cell_network()[0]).run(9_200_000_000_000_000_000).events == 0


# -- attachments of a mobile ----------------------------------------------------------------------------------------------
def crowd(cells, begins, ends, mobiles=1):
    net = Network()
    net.node("ha")
    for i in range(cells):
        net.node(f"ar{i}")
        net.link("ha", f"ar{i}", delay="1ms", both=True)
        net.cell(f"ar{i}", delay="1ms")
    for phone in net.mobiles(mobiles, home="ha"):
        net.attach(phone, np.arange(1, cells + 1), begins, ends)
    return net


def test_255_attachments_at_once_are_counted():
    Engine(crowd(255, 0, S)).run("2s")


def test_256_attachments_at_once_are_refused():
    """The last one begins at the instant at which the first one ends, which still counts."""
    steps = np.arange(256)
    with pytest.raises(NetworkError, match="'mn0' has more than 255 attachments at once at 255 ps: leave some of them out"):
        Engine(crowd(256, steps, 255 + steps))
    Engine(crowd(256, steps, 254 + steps)).run("1us")


def test_every_crowded_mobile_is_named():
    with pytest.raises(NetworkError) as error:
        Engine(crowd(256, 0, S, mobiles=25))
    assert [line.split("'")[1] for line in str(error.value).splitlines()] == [f"mn{i}" for i in range(20)]


def test_many_attachments_one_after_the_other_are_no_crowd():
    net = crowd(2, 0, 0)
    net.attach(0, np.tile([1, 2], 500), 10 + 20 * np.arange(1000), 25 + 20 * np.arange(1000))
    Engine(net).run("1us")
