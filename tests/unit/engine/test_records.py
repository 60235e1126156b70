"""Columns of packet records on a path computed by hand."""

import pytest

from engine import Engine, Fate, Network

from .two_cell_network import SecondCell

MS = 10**9


@pytest.fixture(scope="module")
def rows():
    """Ten packets down, 10 ms apart, tunnelled by the anchor to west, from 25 ms on to east as well; one packet up."""
    net = Network()
    for name in ("server", "anchor", "west", "east"):
        net.node(name)
    for a, b in (("server", "anchor"), ("anchor", "west"), ("anchor", "east")):
        net.link(a, b, delay="1ms", both=True)
    for name, delay in (("west", "2ms"), ("east", "4ms")):
        net.cell(name, delay=delay)
    phone = net.mobile("phone", home="anchor")
    net.attach(phone, "west", 0, 45 * MS)
    net.attach(phone, "east")
    net.bind("anchor", phone, "west")
    net.set_local(["west", "east"], phone)
    net.set_upstream_route(phone, "east")
    net.cbr("server", phone, interval="10ms", size_bytes=100)
    net.cbr("server", phone, interval="10ms", size_bytes=100, start_ps=50 * MS, count=1, up=True, label="up")
    net.schedule_event(25 * MS, phone, 1, node="anchor")
    engine = Engine(net, record="packets")
    engine.attach("anchor", SecondCell(net.node_index("east")))
    packets = engine.run("92500us").packets
    told = [dict(zip(packets, values, strict=True)) for values in zip(*packets.values(), strict=True)]
    return {(row["flow"], row["seq"], row["copy"]): row for row in told}


WEST, EAST = 2, 3


def test_sent_is_the_send_time_also_for_copies_and_packets_in_flight(rows):
    assert all(row["sent_ps"] == 10 * MS * seq for (flow, seq, _), row in rows.items() if flow == 0)
    assert rows[1, 0, 0]["sent_ps"] == 50 * MS


def test_only_received_copies_have_a_delay(rows):
    for row in rows.values():
        heard = row["fate"] in (Fate.DELIVERED, Fate.DUPLICATE)
        assert row["delay_ps"] == (row["time_ps"] - row["sent_ps"] if heard else -1)


@pytest.mark.parametrize(
    ("packet", "fate", "via", "tunnels"),
    [
        ((0, 0, 0), Fate.DELIVERED, WEST, 1),
        ((0, 3, 0), Fate.DELIVERED, WEST, 1),
        ((0, 3, 1), Fate.DUPLICATE, EAST, 1),
        ((0, 5, 0), Fate.DETACHED, -1, 1),
        ((0, 5, 1), Fate.DELIVERED, EAST, 1),
        ((0, 9, 0), Fate.IN_FLIGHT, -1, 1),
        ((0, 9, 1), Fate.IN_FLIGHT, -1, 1),
        ((1, 0, 0), Fate.DELIVERED, -1, 0),
    ],
)
def test_via_and_tunnels(rows, packet, fate, via, tunnels):
    row = rows[packet]
    assert (Fate(row["fate"]), row["via"], row["tunnels"]) == (fate, via, tunnels)


def test_link_trace_of_a_tunnelled_packet():
    net = Network()
    _ = net.node("cn"), net.node("ha"), net.node("ar")
    net.link("cn", "ha", rate="8Mbit/s", delay="5ms", both=True)  # 1 us a byte
    net.link("ha", "ar", rate="8Mbit/s", delay="2ms", both=True)
    net.cell("ar", rate="4Mbit/s", delay="1ms")
    mobile = net.mobile("mn", home="ha")
    net.attach(mobile, "ar")
    net.bind("ha", mobile, "ar", header_bytes=20)
    net.set_local("ar", mobile)
    net.cbr("cn", mobile, interval="100us", size_bytes=1000, count=2)
    engine = Engine(net, trace_links=["ar>*", "ha>ar"])
    result = engine.run("9ms")
    rows = engine.take_trace().rows
    names = [result.link_names[row] for row in rows["link"]]
    us = 10**6
    assert [(n, r["seq"], r["start_ps"] // us, r["end_ps"] // us) for n, r in zip(names, rows, strict=True)] == [
        ("ha>ar", 0, 6000, 7020),
        ("ha>ar", 1, 7020, 8040),  # on the radio only the first would start, at 9020: the run has ended
    ]
    assert rows["extra_bytes"].tolist() == [20, 20]
    assert rows["depth"].tolist() == [1, 1]
    ha, ar = net.node_index("ha"), net.node_index("ar")
    assert [tuple(t[0]) for t in rows["tunnels"].tolist()] == [(ha, ar, 20, 0)] * 2
    assert len(engine.take_trace().rows) == 0, "they are handed over once"


def test_an_unknown_link_is_refused_with_the_nearest_name():
    net = Network()
    _ = net.node("cn"), net.node("ha")
    net.link("cn", "ha", delay="5ms", both=True)
    with pytest.raises(ValueError, match="no link 'cn>hb'; did you mean 'cn>ha'"):
        Engine(net, trace_links=["cn>hb"]).run("1s")
