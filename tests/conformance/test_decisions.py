"""Decisions without an option: behaviour of every run, each with the decision that settles it.

Equal means for all procedures have modules of their own: decision 27 ``test_request_time``, 28 ``test_equal_buffers`` and
``test_lossless``, 29 ``test_bicasting_time``, 30 ``test_fallback``, 31 ``test_discovery``, 32 ``test_markers``.
"""

import pytest

from handoff.protocol.options import Options
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.program import Program
from tests.conformance.cases import LATE
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay, delivered

MS = 10**9


def dual(warn):
    return Scene([Stay("old", down=600, predict=500, warn=warn), Stay("new", up=520)])


@pytest.mark.parametrize("procedure", ["sync-mipv4-ro", "sync-mipv6-ro"])
@pytest.mark.parametrize(("warn", "scenario", "before"), [(590, 1, 2), (556, 2, 1), (553, 2, 0)])
def test_with_two_correspondents_both_markers_must_arrive(procedure, warn, scenario, before):
    """Decision 4. Deregistrations reach peer at 526 and cn at 529; the markers reach the mobile node at 553 and 559."""
    view = RunView(dual(warn).setup(down=[100], peer=[100]), procedure)
    here = [h.received for h in view.hops() if h.message == "DBA" and h.to == "mn" and h.received is not None]
    assert here[:1] == [553]
    assert len([t for t in here if t < warn]) == before
    assert view.run.handoffs["scenario"].tolist() == [scenario]
    if scenario == 1:
        assert here == [553, 559]
        assert (view.run.handoffs["marker_ps"].tolist(), view.run.handoffs["markers"].tolist()) == ([559 * MS], [2])


def test_in_mipv4_the_mobile_node_deregisters_with_the_correspondent_and_the_home_agent_updates_it():
    """Decision 5: the mobile node sends an update with lifetime 0 directly; the home agent's has the requested lifetime."""
    view = RunView(dual(590).setup(down=[100]), "sync-mipv4-ro")
    cn = view.setup.network.node_index("cn")
    received = [(view.message(a.fields), a.fields.lifetime_s, a.time_ps / MS) for a in view.arrivals if a.node == cn]
    assert received == [("DBU", 0, 530), ("BU", 600, 544)]
    assert [h for h in view.hops() if h.message == "BU"] == [Hop("BU", "ha", "cn", 523, 544)]


@pytest.mark.parametrize(("warn", "scenario"), [(537.001, 1), (537, 2), (536.999, 2)])
def test_a_marker_is_in_time_only_before_the_warning(warn, scenario):
    """Decision 6; the marker arrives at 537. A marker after the warning changes nothing (decision 7)."""
    view = RunView(dual(warn).setup(), "sync-mipv4")
    assert view.run.handoffs["scenario"].tolist() == [scenario]
    assert (view.run.handoffs["marker_ps"].tolist(), view.run.handoffs["rescue_ps"].tolist()) == (
        [537 * MS], [-1 if scenario == 1 else round(warn * MS)],
    )  # fmt: skip


@pytest.mark.parametrize(("up", "delay"), [(520, 37), (570, 570 - 523 + 5)])
def test_the_new_router_buffers_until_the_mobile_node_attaches(up, delay):
    """Decision 13. A packet sent at 523 reaches the new router at 555, and is transmitted when the link comes up at 570."""
    scene = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=up)])
    assert [RunView(scene.setup(), "sync-mipv4").table("new", t) for t in (510, up - 0.001, up)] == ["hold", "hold", "local"]
    assert scene.path("sync-mipv4", down=523) == delivered("cn>ha", "ha>new", "new>*", delay=delay)


def test_the_acknowledgement_of_the_update_arrives_through_the_new_router():
    """Decision 18. The old link works until 545."""
    assert [h for h in RunView(LATE.setup(), "sync-mipv4").hops() if h.message == "BA"] == [
        Hop("BA", "old", "new", 524, 530), Hop("BA", "new", "mn", 530, 535),
    ]  # fmt: skip


def test_there_are_six_synchronized_procedures():
    """Decision 19: those of the seed's figures. There, route optimization exists only without a hierarchy."""
    synchronized = {name: row for name, row in PROCEDURES.items() if row.family == "synchronized" and row.figures}
    assert list(synchronized) == ["sync-mipv4", "sync-mipv4-ro", "sync-hmipv4", "sync-mipv6", "sync-mipv6-ro", "sync-hmipv6"]
    assert not [p.name for p in synchronized.values() if p.hierarchical and p.route_optimization]


def test_markers_between_regions_are_called_an_extension():
    """Decision 36: the seed has markers within a region only. Lists of procedures say so where a marker has two gateways."""
    for row in PROCEDURES.values():
        crosses_regions = row.marker and any(step.message == row.marker and len(step.path) > 3 for step in row.between)
        assert ("extension" in row.summary) == bool(crosses_regions), row.name


def test_two_replies_with_the_same_identification_are_distinguished():
    """Decision 20: the deregistration reply (lifetime 0) arrives first and registers nothing; the other one does."""
    view = RunView(dual(590).setup(), "sync-mipv4")
    replies = [(view.message(a.fields), a.fields.identification, a.fields.lifetime_s, a.time_ps / MS)
               for a in view.arrivals if a.node == -1]  # fmt: skip
    assert replies == [("DRR", 1, 0, 537), ("RR", 1, 600, 540)]
    assert [view.upstream(t) for t in (537, 539.999, 540)] == ["old", "old", "new"]


@pytest.mark.parametrize("procedure", [name for name in PROCEDURES if name != "pmipv6"])  # where the access router registers
def test_every_update_of_a_mobile_node_requires_an_acknowledgement(procedure):
    """Decision 21: the "A flag" of the seed is a bit of the binding update; every update has a reply."""
    steps = Program.compile(PROCEDURES[procedure], Options()).steps
    updates = [n for n in steps if n.step.path[0] == "MN" and n.kind in ("RQ", "BU", "DBU")]
    assert updates
    assert all(n.replies for n in updates)


def test_a_warning_before_the_request_sends_request_and_update_together():
    """Decision 24: the warning comes at 500, and the new router is known at 505."""
    scene = Scene([Stay("old", down=540, predict=505, warn=500), Stay("new", up=512)])
    view = RunView(scene.setup(), "sync-mipv4")
    assert [(h.message, h.sent) for h in view.hops()[:2]] == [("RQ", 505), ("BU", 505)]
    assert view.run.handoffs["scenario"].tolist() == [3]


@pytest.mark.parametrize("back", [False, True])
def test_a_router_does_not_forward_for_an_attached_mobile_node(back):
    """Decision 25. The update arrives at 524. If the mobile node returns at 600, it gets its packets directly."""
    stays = (*LATE.stays[:1], Stay("new", up=505, down=620), Stay("old", up=600)) if back else LATE.stays
    view = RunView(Scene(stays, loss=["new>ha"]).setup(), "sync-mipv4")
    assert [view.table("old", t) for t in (524, 599.999, 600)] == [["new"], ["new"], "local" if back else ["new"]]
