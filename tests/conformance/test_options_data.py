"""Effects of options on data: lifetimes of entries, buffers, upstream data, tunnels, resequencing.

Scenario I: request 500, binding 523, marker at the old router 533, reply 540. Scenario II (``LATE``): the update reaches the old
router at 524. Scenario III (``SINGLE``): request and update leave at 500, the update reaches it at 504, and the new link comes up
at 513.
"""

import pytest

from handoff.protocol.constants import FORWARDING_LIFETIME
from handoff.protocol.messages import ENCAPSULATIONS
from handoff.simulation.run import run_procedure
from tests.conformance.cases import BREAK, LATE, SINGLE, TIMELY, UP_NEW, UP_OLD
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import SIZE, Scene, Stay, delivered, dropped

MS = 10**9


def data_bytes_by_link(run):
    """Return the bytes of data that entered each link."""
    links = run.result.links
    data = (links["bytes"] - links["control_bytes"]).tolist()
    return {name: n for name, n in zip(run.result.link_names, data, strict=True) if n}


# -- markers in queues (decision 8) ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("places", "scenario", "marker"), [(2, 1, 555.6), (1, 2, None)])
def test_a_marker_occupies_a_place_in_the_queue_of_the_old_radio(places, scenario, marker):
    """A packet of 200 bytes is on the radio from 530 to 546 (100 kbit/s); the marker arrives at 533 and takes 5.6 ms from 546."""
    scene = Scene(TIMELY.stays, old_cell={"rate": "100kbit/s", "buffer_packets": places, "up_rate": None})
    view = RunView(scene.setup(down=[500]), "sync-mipv4")
    last = [h for h in view.hops() if h.message == "DRR"]
    assert last == [Hop("DRR", "ha", "old", 523, 533), Hop("DRR", "old", "mn", 533, marker)]
    assert view.run.handoffs["scenario"].tolist() == [scenario]
    assert view.run.result.fate_counts(control=True).get("queue full", 0) == (marker is None)


# -- entries of the old router (decisions 10 to 12) ------------------------------------------------------------------------
@pytest.mark.parametrize("linger", [0, 50])
def test_a_visitor_entry_lingers_after_marker_and_link(linger):
    """The marker passes at 533; the link goes down at 600."""
    view = RunView(TIMELY.setup(options={"linger_ps": linger * MS}), "sync-mipv4")
    assert [view.table("old", t) for t in (599.999, 600 + linger - 0.001, 600 + linger)] == ["local", "local", None]


@pytest.mark.parametrize(("linger", "fate"), [(0, "no visitor"), (50, "detached")])
def test_packets_after_the_end_of_the_visitor_entry_are_dropped(linger, fate):
    """The correspondent deletes its binding at 530 and binds at 544; packets through the home agent follow the marker (559)."""
    scene = Scene([Stay("old", down=560, predict=500, warn=559.5), Stay("new", up=520)], loss=["new>ha"])
    assert scene.path("sync-mipv4-ro", down=534, linger_ps=linger * MS).fates == {fate: 1}  # at the old router at 564


@pytest.mark.parametrize(
    ("procedure", "lifetime"), [("sync-mipv4", 10_000), ("sync-hmipv4", 10_000), ("sync-mipv6", 12_000), ("sync-hmipv6", 12_000)]
)
def test_a_forwarding_entry_ends_with_the_marker_or_with_its_lifetime(procedure, lifetime):
    """10 s in IPv4, and 12 s in IPv6, which counts in units of 4 s; never refreshed. The update arrives at 504."""
    assert FORWARDING_LIFETIME == {4: 10_000 * MS, 6: 12_000 * MS}
    scene = Scene(SINGLE.stays, until=13_000)
    marker = 533 if procedure in ("sync-mipv4", "sync-mipv6") else 516 + 3  # from the home agent, or from the gateway
    for how, end in (("marker", marker), ("lifetime", 504 + lifetime)):
        view = RunView(scene.setup(options={"forwarding_end": how}), procedure)
        assert [view.table("old", t) for t in (503.999, 504, end - 0.001, end)] == ["local", ["new"], ["new"], None], how


@pytest.mark.parametrize(("procedure", "goes_on"), [("sync-mipv4", False), ("sync-mipv6", True)])
def test_a_forwarding_router_relays_the_marker_only_in_ipv6(procedure, goes_on):
    """IPv4: the marker is for the foreign agent and ends there. IPv6: it is for the old care-of address and is forwarded."""
    last = [h for h in RunView(LATE.setup(), procedure).hops() if h.message in ("DRR", "DBA")][1:]
    assert last == ([Hop("DBA", "old", "mn", 533, 544)] if goes_on else [])  # 6 ms to the new router, 5 to the mobile node


# -- upstream data (decision 14) ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scene", "early", "sent", "path"),
    [
        (TIMELY, False, 530, UP_OLD),
        (TIMELY, True, 519.999, UP_OLD),
        (TIMELY, True, 530, UP_NEW),  # the new link is up since 520
        (SINGLE, False, 511, delivered("new<*", "new>cn", delay=29 + 32)),  # waits for the reply at 540
        (SINGLE, True, 511, delivered("new<*", "new>cn", delay=2 + 32)),  # waits for the link at 513
    ],
)
def test_upstream_data_use_the_new_link_after_the_reply_or_early(scene, early, sent, path):
    assert scene.path("sync-mipv4", up=sent, upstream_early=early) == path


@pytest.mark.parametrize(
    ("room", "fates"), [(4, {"delivered": 4, "queue full": 6}), (0, {"queue full": 10}), (None, {"delivered": 10})]
)
def test_the_upstream_buffer_of_the_mobile_node_is_limited(room, fates):
    assert SINGLE.run("sync-mipv4", up=range(520, 530), upstream_packets=room).result.fate_counts() == fates


@pytest.mark.parametrize("procedure", ["mipv4", "mipv6", "pmipv6", "mipv4-bicast", "sync-mipv4", "sync-hmipv6"])
@pytest.mark.parametrize(
    ("options", "fates"),
    [
        ({}, {"delivered": 10}),
        ({"upstream_packets": 4}, {"delivered": 4, "queue full": 6}),
        ({"upstream_hold": False}, {"detached": 10}),
        ({"upstream_hold": False, "upstream_packets": None}, {"detached": 10}),
    ],
)
def test_every_procedure_holds_upstream_packets_between_links(procedure, options, fates):
    """Decision 28. The old link goes down at 500 without a warning, and no reply arrives before 821."""
    assert BREAK.run(procedure, up=range(520, 530), **options).result.fate_counts() == fates


# -- tunnels (decisions 17 and 25) ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("encapsulation", "header"), [("ipip", 20), ("minimal", 12), ("gre", 24)])
def test_headers_of_tunnels_that_end_at_an_ipv4_router(encapsulation, header):
    """RFC 2003, 2004, 2784. A packet sent at 490 is forwarded: the old router adds a header of its own."""
    assert ENCAPSULATIONS[encapsulation] == header
    taken = data_bytes_by_link(SINGLE.run("sync-mipv4", down=[490], encapsulation=encapsulation))
    assert taken == {"cn>ha": SIZE, "ha>old": SIZE + header, "old>new": SIZE + header, "new>*": SIZE}


@pytest.mark.parametrize("encapsulation", ENCAPSULATIONS)
def test_ipv6_headers_remain_until_the_mobile_node(encapsulation):
    """40 bytes each (RFC 2473) for any IPv4 option; a correspondent adds a type 2 routing header of 24 (RFC 6275 6.4)."""
    home = data_bytes_by_link(SINGLE.run("sync-mipv6", down=[490], encapsulation=encapsulation))
    assert home == {"cn>ha": SIZE, "ha>old": SIZE + 40, "old>new": SIZE + 80, "new>*": SIZE + 80}
    straight = data_bytes_by_link(SINGLE.run("sync-mipv6-ro", down=[490], encapsulation=encapsulation))
    assert straight == {"cn>old": SIZE + 24, "old>new": SIZE + 64, "new>*": SIZE + 64}


@pytest.mark.parametrize(
    ("procedure", "sent", "before", "tunnels"),
    [("sync-mipv4", 490, ("cn>ha", "ha>old"), 2), ("sync-hmipv4", 480, ("cn>ha", "ha>gw", "gw>old"), 3)],
)
def test_the_tunnel_limit_bounds_the_nesting(procedure, sent, before, tunnels):
    """The home agent, the gateway and the forwarding old router add one tunnel each."""
    assert SINGLE.path(procedure, down=sent, tunnel_limit=tunnels).fates == {"delivered": 1}
    assert SINGLE.path(procedure, down=sent, tunnel_limit=tunnels - 1) == dropped(*before, fate="tunnel limit")


# -- resequencing (decision 16) and the handoff that a packet counts for --------------------------------------------------------
@pytest.mark.parametrize(("wait_ms", "reordered"), [(0, 3), (5, 0)])
def test_a_resequencing_buffer_restores_the_order_of_forwarded_packets(wait_ms, reordered):
    """The forwarded path is D = bo + c - bn = 4 ms longer, so that ceil(D) - 1 = 3 packets at intervals of 1 ms are overtaken."""
    run = run_procedure(LATE.setup(down=range(400, 700), options={"resequence_ps": wait_ms * MS}), "sync-mipv4", detail=True)
    assert round(run.detail.study["reordered_ratio"][0] * run.detail.study["delivered"][0]) == reordered
    assert run.summary()["reordered"] == reordered
    assert run.result.fate_counts() == {"delivered": 300}


@pytest.mark.parametrize("settle", [0, 100])
def test_deliveries_count_for_a_handoff_until_it_has_settled(settle):
    """The old link goes down at 600. Packets arrive every ms from 618: those until 600 + settle count, and the next one."""
    run = TIMELY.run("sync-mipv4", down=range(581, 681), settle_ps=settle * MS)
    assert run.handoffs["delivered"].tolist() == [max(0, 600 + settle - 618) + 1]
