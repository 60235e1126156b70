"""Races between updates and deregistrations (decisions 1 to 3), and the effect of their sequence numbers.

Both leave at 500 ms. The update passes both routers and reaches the home agent at 522, the MAP at 515, the correspondent at 537.
The deregistration passes only the old router: 514, 507 and 529. Each node takes 1 ms for a message.
In ``LATE`` the links of the old router
are so slow that the deregistration follows the update and is processed 1 ms after it.
"""

import pytest

from handoff.protocol.constants import MAX_DELETE_BCE_TIMEOUT, Status
from tests.conformance.cases import BY_NEW, BY_OLD, STRAIGHT_OLD, TIMELY, UNBOUND
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9
LATE = Scene(TIMELY.stays, delays={"old>ha": 90, "old>gw": 90, "old>cn": 90, "old>peer": 90})


# -- at the home agent and the MAP (decision 1) -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scene", "race", "entries"),
    [
        (TIMELY, "hold", [(514.999, ["old"]), (515, ["old"]), (522.999, ["old"]), (523, ["new"]), (1900, ["new"])]),
        (TIMELY, "patent", [(514.999, ["old"]), (515, None), (522.999, None), (523, ["new"]), (1900, ["new"])]),
        (TIMELY, "rfc6275", [(514.999, ["old"]), (515, None), (522.999, None), (523, ["new"]), (1900, ["new"])]),
        (LATE, "hold", [(522.999, ["old"]), (523, ["new"]), (524, ["new"]), (1900, ["new"])]),
        (LATE, "patent", [(522.999, ["old"]), (523, ["new"]), (524, ["new"]), (1900, ["new"])]),
        (LATE, "rfc6275", [(522.999, ["old"]), (523, ["new"]), (524, None), (1900, None)]),  # it deletes the new binding
    ],
)
def test_a_deregistration_at_the_home_agent(scene, race, entries):
    view = RunView(scene.setup(options={"race": race}), "sync-mipv6")
    assert [(at, view.table("ha", at)) for at, _ in entries] == entries


@pytest.mark.parametrize(
    ("race", "sent", "path"),
    [
        ("hold", 499, BY_OLD),
        ("patent", 494.999, BY_OLD),
        ("patent", 495, UNBOUND),
        ("patent", 502.999, UNBOUND),
        ("patent", 503, BY_NEW),
    ],
)
def test_immediate_deletion_leaves_a_time_without_a_binding(race, sent, path):
    assert TIMELY.path("sync-mipv6", down=sent, race=race) == path


@pytest.mark.parametrize(("race", "marker"), [("hold", [Hop("DBA", "ha", "old", 523, 533), Hop("DBA", "old", "mn", 533, 537)]),
                                              ("patent", [Hop("DBA", "ha", "old", 515, 525), Hop("DBA", "old", "mn", 525, 529)])])
def test_a_deferred_deregistration_sends_its_marker_later(race, marker):
    assert [h for h in RunView(TIMELY.setup(options={"race": race}), "sync-mipv6").hops() if h.message == "DBA"] == marker


def test_a_deregistration_waits_at_most_ten_seconds():
    """The update never arrives: the old binding stays until 515 + 10,000; then the marker leaves and the binding ends."""
    assert MAX_DELETE_BCE_TIMEOUT == 10_000 * MS
    stays = (Stay("old", down=20_000, predict=500), Stay("new", up=19_000))
    view = RunView(Scene(stays, loss=["old>new"], until=18_000).setup(), "sync-mipv6")
    assert [view.table("ha", t) for t in (10_514.999, 10_515)] == [["old"], None]
    assert next(h for h in view.hops() if h.message == "DBA") == Hop("DBA", "ha", "old", 10_515, 10_525)


@pytest.mark.parametrize(("race", "meanwhile"), [("hold", ["old"]), ("patent", None)])
def test_a_deregistration_at_a_mobility_anchor_point(race, meanwhile):
    """The deregistration is processed at 508, the update at 516."""
    view = RunView(TIMELY.setup(options={"race": race}), "sync-hmipv6")
    assert [view.table("gw", t) for t in (507.999, 508, 515.999, 516)] == [["old"], meanwhile, meanwhile, ["new"]]


# -- at a correspondent (decision 3) ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scene", "race", "entries"),
    [
        (TIMELY, "patent", [(529.999, ["old"]), (530, None), (537.999, None), (538, ["new"])]),
        (TIMELY, "hold", [(529.999, ["old"]), (530, ["old"]), (537.999, ["old"]), (538, ["new"])]),
        (LATE, "patent", [(537.999, ["old"]), (538, ["new"]), (539, ["new"])]),
        (LATE, "rfc6275", [(537.999, ["old"]), (538, ["new"]), (539, None)]),
    ],
)
def test_a_deregistration_at_a_correspondent(scene, race, entries):
    view = RunView(scene.setup(down=[1900], options={"correspondent_race": race}), "sync-mipv6-ro")
    assert [(at, view.table("cn", at)) for at, _ in entries] == entries


@pytest.mark.parametrize(
    ("race", "path"),
    [("patent", BY_NEW), ("hold", STRAIGHT_OLD)],
)
def test_a_correspondent_without_a_binding_sends_through_the_home_agent(race, path):
    assert TIMELY.path("sync-mipv6-ro", down=534, correspondent_race=race) == path


def test_packets_through_the_home_agent_arrive_after_the_marker():
    """The home agent gets no update, so that packets sent to it from 530 on still go to the old router.

    The marker reaches the old router at 555 and the mobile node at 559. A packet sent at 531 reaches the home agent at 551, the
    old router at 561 and the mobile node at 565.
    """
    late = {}
    for race in ("patent", "hold"):
        scene = Scene(TIMELY.stays, loss=["new>ha"])
        run = scene.run("sync-mipv6-ro", down=range(500, 560), correspondent_race=race)
        late[race] = run.handoffs["after_marker"].tolist()
    assert late == {"patent": [8], "hold": [0]}, "packets of 530 to 537"


# -- sequence numbers (decision 2) -----------------------------------------------------------------------------------------
def refusals(view):
    return [(a.time_ps / MS, a.fields.status) for a in view.arrivals if a.node == -1 and a.fields.status]


@pytest.mark.parametrize(
    ("race", "before", "marker"),
    [("hold", ["old"], 558), ("patent", None, 515)],
)
def test_with_a_shared_counter_the_overtaken_update_is_refused(race, before, marker):
    """The deregistration, number 2, is processed at 515; the update, number 1, gets status 135 at 523; number 3 binds at 558."""
    view = RunView(TIMELY.setup(options={"sequence": "shared", "race": race}), "sync-mipv6")
    assert refusals(view) == [(540, Status.SEQUENCE_OUT_OF_WINDOW)]
    assert Status.SEQUENCE_OUT_OF_WINDOW == 135
    assert [h.sent for h in view.hops() if h.source == "mn" and h.message == "BU"] == [500, 540]
    assert [view.table("ha", t) for t in (516, 523, 557.999, 558)] == [before, before, before, ["new"]]
    assert [h.sent for h in view.hops() if h.message == "DBA" and h.source == "ha"] == [marker]
    assert view.run.handoffs["denied"].tolist() == [1]
    assert view.run.handoffs["completed"].tolist() == [1]


def test_with_a_counter_per_care_of_address_nothing_is_refused():
    view = RunView(TIMELY.setup(options={"sequence": "care_of"}), "sync-mipv6")
    assert refusals(view) == []
    assert view.run.handoffs["denied"].tolist() == [0]


@pytest.mark.parametrize("sequence", ["care_of", "shared"])
def test_messages_in_order_are_both_accepted(sequence):
    view = RunView(LATE.setup(options={"sequence": sequence}), "sync-mipv6")
    assert refusals(view) == []
    assert view.table("ha", 524) == ["new"]
