"""Flows between mobile nodes, computed by hand: every leg of the way, and a handoff of either end; on engine and oracle."""

import pytest

from engine import Engine, Fate, Network, NetworkError
from tests.differential.oracle import Oracle

MS, US = 10**9, 10**6
SIZE = 1000  # bytes: 1 ms at 8 Mbit/s, 1 us a byte
UP, WEST_TO_HA = 1000 + 2000, 1000 + 5000  # us: transmission and delay of each leg
HA_TO_EAST, HA_TO_NORTH, DOWN = 1020 + 7000, 1020 + 9000, 2000 + 3000  # 20 bytes more in the tunnel; 4 Mbit/s down
WAY = UP + WEST_TO_HA + HA_TO_EAST + DOWN


def town(**flow):
    """Return ann at west and bob at east, with the home agent between them, and a flow of 10 packets from ann to bob."""
    net = Network()
    for name in ("ha", "west", "east", "north"):
        net.node(name)
    for name, delay in (("west", "5ms"), ("east", "7ms"), ("north", "9ms")):
        net.link(name, "ha", rate="8Mbit/s", delay=delay, both=True)
        net.cell(name, rate="4Mbit/s", delay="3ms", up_rate="8Mbit/s", up_delay="2ms")
    for name, router in (("ann", "west"), ("bob", "east")):
        net.mobile(name, home="ha")
        net.set_local([router, "north"], name)
        net.bind("ha", name, router)
        net.set_upstream_route(name, router)
        net.attach(name, [router, "north"])
    net.cbr(None, "bob", peers="ann", interval="10ms", size_bytes=SIZE, **{"count": 10} | flow)
    return net


class Handoff:
    """Controller: calls a method of its context for each event, by code."""

    def __init__(self, actions):
        self.actions = actions

    def on_event(self, ctx, event):
        name, *arguments = self.actions[event.code]
        getattr(ctx, name)(*arguments)


@pytest.fixture(params=[Engine, Oracle], ids=["engine", "oracle"])
def run(request):
    def run(net, mobiles=None, ha=None):
        made = request.param(net, record="packets")
        if mobiles:
            made.attach_mobiles(Handoff(mobiles))
        if ha:
            made.attach("ha", Handoff(ha))
        return made.run("500ms")

    return run


def delays_us(result):
    """Return the delay of each packet, or its fate."""
    rows = zip(result.packets["fate"].tolist(), result.packets["delay_ps"].tolist(), strict=True)
    return [delay / US if fate == Fate.DELIVERED else Fate(fate).label for fate, delay in rows]


def test_both_at_rest_the_delay_is_the_sum_of_all_legs(run):
    result = run(town())
    assert delays_us(result) == [WAY] * 10
    assert WAY == 22_020
    assert (set(result.packets["tunnels"].tolist()), set(result.packets["via"].tolist())) == ({1}, {2})
    links = dict(zip(result.link_names, result.links["packets"].tolist(), strict=True))
    used = {name for name, packets in links.items() if packets}
    assert used == {"west<*", "west>ha", "ha>east", "east>*"}, "straight to the home node of bob, and from there to his router"


@pytest.mark.parametrize("up", [False, True])
def test_up_flows_go_from_the_mobile_to_its_correspondent(run, up):
    """In the flow of ann with bob as correspondent, she sends if it is up."""
    net = town(count=0)
    net.cbr(None, "ann", peers="bob", interval="10ms", size_bytes=SIZE, count=3, up=up, label="ann with bob")
    result = run(net)
    back = UP + 1000 + 7000 + 1020 + 5000 + DOWN
    assert delays_us(result) == [WAY if up else back] * 3
    assert result.flows["delivered"].tolist() == [0, 3]


def test_two_mobiles_in_one_cell_still_meet_at_the_home_node(run):
    net = town(count=0)
    carol = net.mobile("carol", home="ha")
    net.set_local("west", carol), net.bind("ha", carol, "west"), net.attach(carol, "west")
    net.cbr(None, carol, peers="ann", interval="10ms", size_bytes=SIZE, count=2, label="neighbours")
    assert delays_us(run(net)) == [UP + WEST_TO_HA + 1020 + 5000 + DOWN] * 2


def test_at_a_home_node_with_a_cell_no_tunnel_is_needed(run):
    net = town(count=0)
    dave = net.mobile("dave", home="west")
    net.set_local("west", dave), net.attach(dave, "west")
    net.cbr(None, dave, peers="ann", interval="10ms", size_bytes=SIZE, count=2, label="at home")
    result = run(net)
    assert delays_us(result) == [UP + DOWN] * 2
    assert result.packets["tunnels"].tolist() == [0, 0]


def test_without_an_entry_at_the_home_node_there_is_no_binding(run):
    net = town(count=0)
    net.mobile("erin", home="ha")
    net.cbr(None, "erin", peers="ann", interval="10ms", size_bytes=SIZE, count=1, label="nowhere")
    result = run(net)
    assert (delays_us(result), result.packets["node"].tolist()) == (["no binding"], [0])


def test_the_receiver_hands_off(run):
    """The home agent binds bob to north at 49.5 ms. Packet 4 reaches it at 49 ms, packet 5 at 59 ms."""
    net = town()
    bob = net.mobile_index("bob")
    net.schedule_event(49_500 * US, bob, 1, node="ha")
    net.schedule_event(40 * MS, bob, 2)
    result = run(net, {2: ("begin_measurement", 7)}, {1: ("bind", net.node_index("north"))})
    north = UP + WEST_TO_HA + HA_TO_NORTH + DOWN
    assert delays_us(result) == [WAY] * 5 + [north] * 5
    span = {name: values.tolist() for name, values in result.spans.items()}
    assert (span["mobile"], span["delivered"]) == ([bob], [8]), "packets 2 to 9 arrive from 42.02 ms on"
    assert span["last_before_ps"] == [(10_000 + WAY) * US]
    assert (span["gap_max_ps"], span["gap_end_ps"]) == ([2 * MS], [(50_000 + north) * US]), "north is 2 ms further away"


def test_the_sender_hands_off_and_holds_its_packets(run):
    """Ann holds from 25 ms to 48 ms and goes on through north: packets 3 and 4 wait, and leave at 48 and 49 ms.

    Packet 5 follows at 50 ms. On the slowest leg, bob's downlink, a packet takes 2 ms: the three arrive at that distance.
    """
    net = town()
    ann = net.mobile_index("ann")
    for time_ms, code in ((25, 1), (25, 2), (48, 3)):
        net.schedule_event(time_ms * MS, ann, code)
    actions = {1: ("begin_measurement", 1), 2: ("buffer_upstream",), 3: ("set_upstream_route", net.node_index("north"))}
    result = run(net, actions)
    way = WAY + 9000 - 5000  # from north to the home agent 9 ms instead of 5
    arrivals = [48_000 + way + 2000 * i for i in range(3)]
    assert delays_us(result)[:3] == [WAY] * 3
    assert delays_us(result)[3:6] == [arrival - sent for arrival, sent in zip(arrivals, (30_000, 40_000, 50_000), strict=True)]
    assert delays_us(result)[6:] == [way] * 4
    assert result.spans["delivered"].tolist() == [0], "the span of the sender counts nothing that bob receives"


def test_without_a_route_the_sender_drops(run):
    net = town()
    net.schedule_event(25 * MS, net.mobile_index("ann"), 1)
    result = run(net, {1: ("clear_upstream_route",)})
    assert delays_us(result) == [WAY] * 3 + ["detached"] * 7
    assert set(result.packets["node"][3:].tolist()) == {-1}
    assert (result.flows["lost"].tolist(), result.flows["delivered"].tolist()) == ([7], [3])


@pytest.mark.parametrize(
    ("correspondent", "peers", "message"),
    [
        (None, "bob", "flow 'cbr': 'bob' is its own correspondent: give it another one"),
        ("ha", "ann", "give either a node or 'peers'"),
        (None, None, "give either a node or 'peers'"),
        (None, "zoe", "no mobile 'zoe'"),
    ],
)
def test_a_wrong_correspondent_is_refused(correspondent, peers, message):
    with pytest.raises(NetworkError, match=message):
        town(count=0).cbr(correspondent, "bob", peers=peers, interval="10ms", size_bytes=SIZE)


def test_a_home_node_out_of_reach_is_refused():
    net = town()
    net.node("island")
    net.mobile("robinson", home="island")
    net.cbr(None, "robinson", peers="ann", interval="10ms", size_bytes=SIZE)
    with pytest.raises(NetworkError, match="no way from 'west' to 'island', which a flow needs"):
        Engine(net).run("1s")
