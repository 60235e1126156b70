"""Markers have the "identical scheduling mechanism" as data (decision 32): no server for messages delays or refuses them.

Where the marker is at the anchor, it has been a reply to a message, which the anchor's server has served.
"""

import pytest

from handoff.protocol.procedures import PROCEDURES
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9
MARKED = [name for name, procedure in PROCEDURES.items() if procedure.marker]


def dropped(view):
    result = view.run.result
    return {n: d for n, d in zip(result.node_names, result.nodes["registration_dropped"].tolist(), strict=True) if d}


@pytest.mark.parametrize("procedure", MARKED)
@pytest.mark.parametrize("service", [0, 7])
def test_the_old_router_passes_the_marker_on_at_once(procedure, service):
    """Dual access; the old router takes 7 ms for a message of the mobile node, and none for the marker."""
    scene = Scene([Stay("old", down=900, predict=500, warn=890), Stay("new", up=505)], service={"old": service})
    view = RunView(scene.setup(down=[1800]), procedure)
    to_old, to_mobile = (h for h in view.hops() if h.message == PROCEDURES[procedure].marker and h.to in ("old", "mn"))
    anchor_delay = {"ha": 10, "gw": 3, "cn": 25}[to_old.source]
    assert to_old.received == to_old.sent + anchor_delay
    assert (to_mobile.source, to_mobile.sent, to_mobile.received) == ("old", to_old.received, to_old.received + 4)
    request = next(h for h in view.hops() if h.source == "mn")
    assert request.received == 504 + service, "a request waits for the server"


def test_a_full_registration_queue_does_not_refuse_the_marker():
    """The old router takes 10 ms for a message and has one place.

    The request is served until 514, so that the home agent binds at 514 + 6 + 13 = 533 and the marker is at the old router at
    543. The update of 536 occupies the server from 540 to 550.
    """
    stays = [Stay("old", down=600, predict=500, warn=536), Stay("new", up=505)]
    view = RunView(Scene(stays, service={"old": 10}, busy=["old"], registration_queue=1).setup(), "sync-mipv4")
    assert Hop("BU", "mn", "old", 536, 550) in view.hops()
    marker = [Hop("DRR", "ha", "old", 533, 543), Hop("DRR", "old", "mn", 543, 547)]
    assert [h for h in view.hops() if h.message == "DRR"] == marker
    assert dropped(view) == {}
    assert view.run.handoffs["marker_ps"].tolist() == [547 * MS]


def test_another_message_finds_that_queue_full():
    """The update of 505 meets the request, which is in service from 504 to 514: it is the queue that refuses it."""
    stays = [Stay("old", down=600, predict=500, warn=505), Stay("new", up=505)]
    view = RunView(Scene(stays, service={"old": 10}, busy=["old"], registration_queue=1).setup(), "sync-mipv4")
    assert Hop("BU", "mn", "old", 505, None) in view.hops()
    assert dropped(view) == {"old": 1}


@pytest.mark.parametrize(("procedure", "left"), [("sync-hmipv4", 524.5), ("sync-hmipv6", 523)])
@pytest.mark.parametrize("service", [1, 40])
def test_the_old_gateway_passes_the_marker_on_at_once(procedure, left, service):
    """Between regions the marker passes the gateway of the old region: 7.5 + 3 + 4 ms from the home agent."""
    scene = Scene([Stay("old", down=900, predict=500, warn=890), Stay("new", up=505)], regions=2, service={"gw": service})
    marker = PROCEDURES[procedure].marker
    assert [h for h in RunView(scene.setup(), procedure).hops() if h.message == marker] == [
        Hop(marker, "ha", "gw", left, left + 7.5), Hop(marker, "gw", "old", left + 7.5, left + 10.5),
        Hop(marker, "old", "mn", left + 10.5, left + 14.5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("procedure", "way"), [("sync-mipv4", 20), ("sync-hmipv4", 27.5), ("sync-mipv6", 20), ("sync-hmipv6", 27.5)]
)
def test_no_packet_overtakes_the_marker_or_comes_after_it(procedure, way):
    """One packet a ms at the anchor, just before the full ms. The last one before the switch is just before the marker."""
    stays = [Stay("old", down=900, predict=500, warn=890), Stay("new", up=505)]
    scene = Scene(stays, service={"old": 50, "gw": 1})
    run = scene.run(procedure, down=[t - way - 0.001 for t in range(500, 700)])
    assert run.handoffs["after_marker"].tolist() == [0]
    assert run.handoffs["scenario"].tolist() == [1]
    assert run.result.fate_counts() == {"delivered": 200}
