"""Order of the records of packet copies in a result: by flow, sequence number and copy."""

from itertools import pairwise, product

from engine import Engine, Fate, Network

from . import two_cell_network

MS = 10**9


def run_two_flows(bicast_at_ms, until_ms=100):
    """Run a fast flow and a slow one, with a flow between them that sends nothing. Packets on the slow link arrive late."""
    net = Network()
    for name in ("server", "anchor", "west", "east"):
        net.node(name)
    net.link("server", "anchor", delay="1ms", both=True)
    for name, delay in (("west", "2ms"), ("east", "30ms")):
        net.link("anchor", name, delay=delay, both=True)
        net.cell(name, delay="1ms")
    for name, router in (("far", "east"), ("idle", "west"), ("near", "west")):
        net.mobile(name, home="anchor")
        for cell in ("west", "east"):
            net.attach(name, cell)
        net.bind("anchor", name, router)
        net.set_local(["west", "east"], name)
    net.cbr("server", "far", interval="7ms", size_bytes=100)
    net.cbr("server", "idle", interval="7ms", size_bytes=100, start_ps=10**13)
    net.cbr("server", "near", interval="5ms", size_bytes=100)
    if bicast_at_ms is not None:
        net.schedule_event(bicast_at_ms * MS, "near", 1, node="anchor")
    engine = Engine(net, record="packets")
    engine.attach("anchor", two_cell_network.SecondCell(net.node_index("east")))
    return engine.run(until_ms * MS).packets


def keys(packets):
    return list(zip(*(packets[name].tolist() for name in ("flow", "seq", "copy")), strict=True))


def test_without_copies_each_packet_has_one_record_at_its_place():
    packets = run_two_flows(None)
    assert keys(packets) == [*((0, seq, 0) for seq in range(15)), *((2, seq, 0) for seq in range(20))]
    assert packets["sent_ps"].tolist() == [*range(0, 100 * MS, 7 * MS), *range(0, 100 * MS, 5 * MS)]
    assert (packets["fate"] == Fate.IN_FLIGHT).sum() == 5, "packets to the far node from 70 ms on"
    late, early = packets["time_ps"][8], packets["time_ps"][20]  # the engine sees packet 8 of flow 0 end last
    assert late > early


def test_copies_follow_their_packet():
    packets = run_two_flows(50)
    near = [key for key in keys(packets) if key[0] == 2]
    assert near == [*((2, seq, 0) for seq in range(10)), *product([2], range(10, 20), [0, 1])]


def test_all_fates_are_in_one_order():
    packets = two_cell_network.run(two_cell_network.network()).packets
    assert all(a < b for a, b in pairwise(keys(packets)))
    assert {Fate.DELIVERED, Fate.QUEUE_FULL, Fate.LINK_LOSS, Fate.IN_FLIGHT} <= {Fate(fate) for fate in packets["fate"].tolist()}
