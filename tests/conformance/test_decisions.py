"""Decisions that are no options: what the machine does in every run, each by the row that settles it."""

import pytest

from handoff.protocol.options import Options
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.program import Program
from tests.conformance.scene import Scene, Stay, delivered
from tests.conformance.spy import Hop, Spy

MS = 10**9
LATE = Scene([Stay("old", down=545, predict=500, warn=520), Stay("new", up=505)])


def dual(warn):
    return Scene([Stay("old", down=600, predict=500, warn=warn), Stay("new", up=520)])


@pytest.mark.parametrize("procedure", ["sync-mipv4-ro", "sync-mipv6-ro"])
@pytest.mark.parametrize(("warn", "scenario", "before"), [(590, 1, 2), (556, 2, 1), (553, 2, 0)])
def test_with_two_correspondents_both_markers_have_to_be_here(procedure, warn, scenario, before):
    """Row 4. Deregistrations are at the peer at 526 and at cn at 529; the markers at the mobile node at 553 and 559."""
    spy = Spy(dual(warn).setup(down=[100], peer=[100]), procedure)
    here = [h.got for h in spy.hops() if h.message == "DBA" and h.to == "mn" and h.got is not None]
    assert here[:1] == [553]
    assert len([t for t in here if t < warn]) == before
    assert spy.run.handoffs["scenario"].tolist() == [scenario]
    if scenario == 1:
        assert here == [553, 559]
        assert (spy.run.handoffs["marker_ps"].tolist(), spy.run.handoffs["markers"].tolist()) == ([559 * MS], [2])


def test_in_mobile_ipv4_the_mobile_node_deregisters_at_the_correspondent_and_the_home_agent_registers():
    """Row 5: a binding update with lifetime 0 straight to it; the other one with the lifetime that was asked for."""
    spy = Spy(dual(590).setup(down=[100]), "sync-mipv4-ro")
    cn = spy.setup.network.node_index("cn")
    got = [(spy.message(a.fields), a.fields.lifetime_s, a.time_ps / MS) for a in spy.arrivals if a.node == cn]
    assert got == [("DBU", 0, 530), ("BU", 600, 544)]
    assert [h for h in spy.hops() if h.message == "BU"] == [Hop("BU", "ha", "cn", 523, 544)]


@pytest.mark.parametrize(("warn", "scenario"), [(537.001, 1), (537, 2), (536.999, 2)])
def test_a_marker_is_timely_strictly_before_the_warning(warn, scenario):
    """Row 6; the marker is here at 537. One that comes after it changes nothing (row 7)."""
    spy = Spy(dual(warn).setup(), "sync-mipv4")
    assert spy.run.handoffs["scenario"].tolist() == [scenario]
    assert (spy.run.handoffs["marker_ps"].tolist(), spy.run.handoffs["rescue_ps"].tolist()) == (
        [537 * MS], [-1 if scenario == 1 else round(warn * MS)],
    )  # fmt: skip


@pytest.mark.parametrize(("up", "delay"), [(520, 37), (570, 570 - 523 + 5)])
def test_a_router_that_expects_a_mobile_node_keeps_its_packets_until_it_is_there(up, delay):
    """Row 13. Sent at 523, the packet is at the new router at 555; with the link up at 570 it is in the air from then on."""
    scene = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=up)])
    assert [Spy(scene.setup(), "sync-mipv4").table("new", t) for t in (510, up - 0.001, up)] == ["hold", "hold", "local"]
    assert scene.path("sync-mipv4", down=523) == delivered("cn>ha", "ha>new", "new>*", delay=delay)


def test_the_acknowledgement_of_the_update_comes_by_the_new_router_though_the_old_link_works():
    """Row 18. It works until 545."""
    assert [h for h in Spy(LATE.setup(), "sync-mipv4").hops() if h.message == "BA"] == [
        Hop("BA", "old", "new", 524, 530), Hop("BA", "new", "mn", 530, 535),
    ]  # fmt: skip


def test_six_synchronized_variants():
    """Row 19: with route optimization only where there is no hierarchy."""
    rows = {name: row for name, row in PROCEDURES.items() if row.family == "synchronized"}
    assert list(rows) == ["sync-mipv4", "sync-mipv4-ro", "sync-hmipv4", "sync-mipv6", "sync-mipv6-ro", "sync-hmipv6"]
    assert not [name for name, row in rows.items() if row.hierarchical and row.route_optimization]


def test_two_replies_with_one_identification_are_told_apart():
    """Row 20: the deregistration reply (lifetime 0), here first, registers nothing; upstream changes with the other one."""
    spy = Spy(dual(590).setup(), "sync-mipv4")
    replies = [(spy.message(a.fields), a.fields.identification, a.fields.lifetime_s, a.time_ps / MS)
               for a in spy.arrivals if a.node == -1]  # fmt: skip
    assert replies == [("DRR", 1, 0, 537), ("RR", 1, 600, 540)]
    assert [spy.upstream(t) for t in (537, 539.999, 540)] == ["old", "old", "new"]


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_every_update_of_a_mobile_node_wants_an_acknowledgement(procedure):
    """Row 21: the "A flag" of the seed is a bit of the binding update; every one of them is answered."""
    steps = Program.of(PROCEDURES[procedure], Options()).steps
    assert all(n.replies for n in steps if n.step.path[0] == "MN" and n.kind in ("RQ", "BU", "DBU"))


def test_a_node_that_is_warned_before_its_request_asks_for_everything_at_once():
    """Row 24: warned at 500, the new router known at 505."""
    scene = Scene([Stay("old", down=540, predict=505, warn=500), Stay("new", up=512)])
    spy = Spy(scene.setup(), "sync-mipv4")
    assert [(h.message, h.sent) for h in spy.hops()[:2]] == [("RQ", 505), ("BU", 505)]
    assert spy.run.handoffs["scenario"].tolist() == [3]


@pytest.mark.parametrize("back", [False, True])
def test_a_router_forwards_for_nobody_that_is_attached_to_it(back):
    """Row 25. Told to forward at 524; back at 600, the mobile node gets its packets there."""
    stays = (*LATE.stays[:1], Stay("new", up=505, down=620), Stay("old", up=600)) if back else LATE.stays
    spy = Spy(Scene(stays, loss=["new>ha"]).setup(), "sync-mipv4")
    assert [spy.table("old", t) for t in (524, 599.999, 600)] == [["new"], ["new"], "local" if back else ["new"]]
