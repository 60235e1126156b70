"""Synchronized procedures that were not warned in time, or lost an update, do as the conventional ones (decision 30).

They "build on the conventional Mobile IP handoff procedures" (seed): after the move the update to the old router takes the new
link, 5 + 6 ms. In addition to ``cases_unannounced``.
"""

import pytest

from handoff.protocol.procedures import PROCEDURES
from tests.conformance.cases import BREAK, BY_OLD, FORWARDED, LATE, arriving_at
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay

SYNCHRONIZED = [name for name, procedure in PROCEDURES.items() if procedure.family == "synchronized"]


def update_name(procedure):
    return PROCEDURES[procedure].rescue[0].message


def updates(view, procedure):
    """Return the hops of the update to the old router that leave the mobile node."""
    return [h for h in view.hops() if h.message == update_name(procedure) and h.source == "mn"]


# -- announced, but the link is lost without a warning -------------------------------------------------------------------------
@pytest.mark.parametrize("procedure", SYNCHRONIZED)
def test_without_a_warning_the_update_leaves_as_soon_as_the_new_link_is_up(procedure):
    """Single access: gone at 510, back at 513; the old router keeps packets from 506 on, and forwards from 513 + 11 on."""
    view = RunView(Scene([Stay("old", down=510, predict=500), Stay("new", up=513)]).setup(down=[1800]), procedure)
    assert updates(view, procedure) == [Hop(update_name(procedure), "mn", "new", 513, 518)]
    assert [view.table("old", t) for t in (506, 506.001, 523.999)] == ["local", "hold", "hold"]
    if "hmip" not in procedure:  # the marker of a gateway is at the old router at 519, before the update
        assert view.table("old", 524) == ["new"]
    assert view.run.handoffs["completed"].tolist() == [1]


@pytest.mark.parametrize(("sent", "path"), [(476, BY_OLD),
                                            (476.001, arriving_at(524 + 6 + 5, FORWARDED)), (494, FORWARDED)])  # fmt: skip
def test_packets_without_a_warning_are_kept_and_forwarded(sent, path):
    scene = Scene([Stay("old", down=510, predict=500), Stay("new", up=513)])
    assert scene.path("sync-mipv4", down=sent) == (path(sent) if callable(path) else path)


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("markers", [True, False])
def test_with_dual_access_the_update_leaves_when_the_old_link_is_lost_without_the_marker(procedure, markers):
    """All markers arrive by 559, over an old link that lasts until 600; or the link is lost before any (523), at 521."""
    down = 600 if markers else 521
    view = RunView(Scene([Stay("old", down=down, predict=500), Stay("new", up=505)]).setup(down=[1800]), procedure)
    assert updates(view, procedure) == ([] if markers else [Hop(update_name(procedure), "mn", "new", 521, 526)])
    assert view.run.handoffs["scenario"].tolist() == [int(markers)]


# -- lost updates ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("procedure", SYNCHRONIZED)
def test_an_update_whose_link_is_cut_off_is_repeated_over_the_new_one(procedure):
    """The uplink takes longer than the old link lasts, so that nothing passes it; each message is repeated after 1 s.

    Meanwhile the old router keeps the packets; it forwards them from 1500 + 11 on.
    """
    stays = [Stay("old", down=501, predict=490, warn=500), Stay("new", up=505)]
    scene = Scene(stays, old_cell={"up_rate": "1kbit/s", "rate": None})
    view = RunView(scene.setup(down=range(500, 540)), procedure)
    assert updates(view, procedure) == [
        Hop(update_name(procedure), "mn", "old", 500, None), Hop(update_name(procedure), "mn", "new", 1500, 1505),
    ]  # fmt: skip
    assert [view.table("old", t) for t in (1510.999, 1511)] == ["hold", ["new"]]
    assert view.run.result.fate_counts() == {"delivered": 40}
    assert view.run.handoffs["completed"].tolist() == [1]


def test_an_update_is_repeated_until_its_acknowledgement_arrives():
    """The way from the old to the new router loses everything: 1, 2, 4 s between the updates. The request is repeated once."""
    view = RunView(Scene(LATE.stays, loss=["old>new"], until=8000).setup(), "sync-mipv4")
    assert [h for h in view.hops() if h.source == "mn"] == [
        Hop("RQ", "mn", "old", 500, 504), Hop("BU", "mn", "old", 520, 524), Hop("RQ", "mn", "new", 1500, 1505),
        Hop("BU", "mn", "new", 1520, 1525), Hop("BU", "mn", "new", 3520, 3525), Hop("BU", "mn", "new", 7520, 7525),
    ]  # fmt: skip
    assert view.run.handoffs["acknowledged_ps"].tolist() == [-1]
    assert view.run.handoffs["completed"].tolist() == [0]


def test_an_acknowledged_update_is_not_repeated():
    view = RunView(Scene(LATE.stays, until=8000).setup(), "sync-mipv4")
    assert [h.sent for h in view.hops() if h.source == "mn" and h.message == "BU"] == [520]


# -- unannounced: the conventional procedure of the family ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("procedure", "conventional"), [("sync-mipv4-ro", "mipv4-smooth"), ("sync-mipv6", "mipv6"), ("sync-mipv6-ro", "mipv6-ro")]
)
def test_unannounced_it_sends_what_the_conventional_procedure_sends(procedure, conventional):
    """The same messages apart from their numbers, and the same fate of each of 800 packets."""
    views = [RunView(BREAK.setup(down=[1800]), p) for p in (procedure, conventional)]
    synchronized, plain = (
        [(h.message.rstrip("0123456789"), h.source, h.to, h.sent, h.received) for h in view.hops()] for view in views
    )
    assert synchronized == plain
    results = [BREAK.run(p, down=range(400, 1200), up=range(400, 1200)).result for p in (procedure, conventional)]
    assert results[0].fate_counts() == results[1].fate_counts()
    assert results[0].flows["lost"].tolist() == results[1].flows["lost"].tolist()


@pytest.mark.parametrize("procedure", [name for name, p in PROCEDURES.items() if p.family == "bicasting"])
def test_unannounced_bicasting_is_a_plain_registration(procedure):
    """Nobody asks the old router, and the new binding replaces the old one at 811 (gateway) or 818 (home agent)."""
    view = RunView(BREAK.setup(down=[1800]), procedure)
    assert {(h.source, h.to) for h in view.hops()} <= {("mn", "new"), ("new", "mn"), ("new", "ha"), ("ha", "new"),
                                                       ("new", "gw"), ("gw", "new")}  # fmt: skip
    anchor, at = ("gw", 811) if PROCEDURES[procedure].hierarchical else ("ha", 818)
    assert [view.table(anchor, t) for t in (at - 0.001, at)] == [["old"], ["new"]]
    assert view.table("old", 1900) == "hold"
