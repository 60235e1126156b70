"""Prediction of the new router, its discovery after the move, and the request that makes the old router forward.

Each option is on and off in one scene, with the difference computed by hand from the delays of ``two_router_scene``: a message
takes 4 ms to the old router or back, 5 to the new one, 6 between them.
"""

import pytest

from handoff.protocol.constants import DHAAD_RETRIES, DHAAD_TIMEOUT
from tests.conformance.cases import BREAK, BY_NEW, FORWARDED, LOST, STRAIGHT_FORWARDED, TIMELY, arriving_at
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9
SOLICITED = [Hop("AS", "old", "new", 500, 506), Hop("AA", "new", "old", 506, 512), Hop("AA", "old", "mn", 512, 516)]
PIGGYBACK = [Hop("AA", "new", "old", 500, 506), Hop("AA", "old", "mn", 506, 510)]


# -- before the move (seed: inter-foreign agent solicitation, and advertisements on layer 2) ---------------------------
@pytest.mark.parametrize("procedure", ["sync-mipv4", "sync-mipv6", "mipv4-bicast", "hmipv6-bicast"])
@pytest.mark.parametrize(("prediction", "first"), [("layer2", []), ("solicitation", SOLICITED), ("piggyback", PIGGYBACK)])
def test_the_request_leaves_when_the_advertisement_of_the_new_router_arrives(procedure, prediction, first):
    view = RunView(TIMELY.setup(options={"prediction": prediction}), procedure)
    known = first[-1].received if first else 500
    assert view.hops()[: len(first)] == first
    request = view.hops()[len(first)]
    assert (request.source, request.to, request.sent) == ("mn", "old", known)
    assert view.run.handoffs["known_ps"].tolist() == [round(known * MS)]
    assert view.run.handoffs["request_ps"].tolist() == [round(known * MS)]


@pytest.mark.parametrize(("prediction", "scenario"), [("layer2", 1), ("piggyback", 1), ("solicitation", 2)])
def test_a_slower_prediction_leaves_less_time_for_the_marker(prediction, scenario):
    """The marker arrives 37 ms after the request, at 537, 547 or 553; the warning comes at 550."""
    scene = Scene([Stay("old", down=600, predict=500, warn=550), Stay("new", up=520)])
    assert scene.run("sync-mipv4", prediction=prediction).handoffs["scenario"].tolist() == [scenario]


@pytest.mark.parametrize(("prediction", "lost"), [("solicitation", ["old>new"]), ("piggyback", ["new>old"])])
def test_a_lost_advertisement_leaves_the_move_unpredicted(prediction, lost):
    """Without it request and update wait for the discovery at 520 + 100, when the old link is down (decision 30).

    The update or its acknowledgement is lost too, so that it is repeated after a second.
    """
    view = RunView(Scene(TIMELY.stays, loss=lost).setup(options={"prediction": prediction}), "sync-mipv4")
    assert view.run.handoffs["known_ps"].tolist() == [-1]
    assert view.run.handoffs["scenario"].tolist() == [0]
    assert [h for h in view.hops() if h.source == "mn"] == [
        Hop("RQ", "mn", "new", 620, 625), Hop("BU", "mn", "new", 620, 625), Hop("BU", "mn", "new", 1620, 1625),
    ]  # fmt: skip


def test_reactive_procedures_solicit_no_advertisement_before_the_move():
    view = RunView(TIMELY.setup(options={"prediction": "solicitation"}), "mipv4")
    assert {h.message for h in view.hops()} == {"RQ", "RR"}


# -- after the move --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("room", [0, 50])
@pytest.mark.parametrize("discovery_ms", [0, 100, 250])
def test_layer_2_discovery_takes_the_configured_time(discovery_ms, room):
    """One packet a ms: those after 466, which arrives at 500, are lost until the home agent binds, 18 ms after the request.

    The old router keeps as many of them as it has room for.
    """
    options = {"agent_discovery_ps": discovery_ms * MS, "old_buffer_packets": room}
    view = RunView(BREAK.setup(down=range(400, 1200), options=options), "mipv4")
    assert view.sends("RQ")[0].time_ps == (700 + discovery_ms) * MS
    without_link = 700 + discovery_ms + 18 - 20 - 466 - 1  # the packet of 466 arrives at 500
    assert view.run.result.flows["lost"].tolist() == [without_link - room]
    assert view.run.result.fate_counts().get("in flight", 0) == room


# -- temporary home agents (RFC 6275 10.5, 11.4.1) -----------------------------------------------------------------------
BY_LIST = [Hop("BU3", "mn", "new", 800, 805), Hop("BU3", "new", "old", 805, 811)]
BY_DISCOVERY = [
    Hop("HADQ", "mn", "new", 800, 805), Hop("HADQ", "new", "old", 805, 811), Hop("HADR", "old", "new", 811, 817),
    Hop("HADR", "new", "mn", 817, 822), Hop("BU3", "mn", "new", 822, 827), Hop("BU3", "new", "old", 827, 833),
]  # fmt: skip


@pytest.mark.parametrize("procedure", ["mipv6", "mipv6-ro"])
@pytest.mark.parametrize(("how", "hops", "begins"), [("list", BY_LIST, 811), ("discovery", BY_DISCOVERY, 833)])
def test_a_temporary_home_agent_is_listed_or_discovered(procedure, how, hops, begins):
    view = RunView(BREAK.setup(options={"temporary_home_agent": how}), procedure)
    assert [h for h in view.hops() if h.message in ("HADQ", "HADR", "BU3")] == hops
    assert [view.table("old", t) for t in (begins - 0.001, begins)] == ["hold", ["new"]]


@pytest.mark.parametrize(
    ("how", "last_lost", "path"),
    [
        ("list", 780.999, FORWARDED),  # at the old router at 811
        ("discovery", 797.999, BY_NEW),  # at the home agent at 818: no packet is saved
    ],
)
def test_discovery_of_a_temporary_home_agent_costs_packets(how, last_lost, path):
    options = {"temporary_home_agent": how, "old_buffer_packets": 0}
    assert BREAK.path("mipv6", down=last_lost, **options) == LOST
    assert BREAK.path("mipv6", down=last_lost + 0.001, **options) == path


@pytest.mark.parametrize(("how", "arrives"), [("list", 811 + 6 + 5), ("discovery", 833 + 6 + 5)])
def test_discovery_of_a_temporary_home_agent_costs_time_if_the_old_router_has_a_buffer(how, arrives):
    assert BREAK.path("mipv6", down=600, temporary_home_agent=how) == arriving_at(arrives, FORWARDED)(600)


def test_home_agent_discovery_is_retransmitted_four_times_after_3_6_12_24_s():
    """INITIAL_DHAAD_TIMEOUT and DHAAD_RETRIES (RFC 6275 12): four retransmissions, each after twice the wait."""
    assert (DHAAD_TIMEOUT, DHAAD_RETRIES) == (3000 * MS, 4)
    scene = Scene(BREAK.stays, loss=["new>old"], until=200_000)
    view = RunView(scene.setup(options={"temporary_home_agent": "discovery"}), "mipv6")
    assert [a.time_ps / MS for a in view.sends("HADQ")] == [800, 3800, 9800, 21_800, 45_800]
    assert not view.sends("BU3")
    assert view.run.handoffs["completed"].tolist() == [0], "no router forwards, so that the handoff is not complete"


# -- smooth handoff ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sender", "hops"),
    [
        ("mn", [Hop("BU2", "mn", "new", 800, 805), Hop("BU2", "new", "old", 805, 811)]),
        ("router", [Hop("BU2", "new", "old", 805, 811)]),  # as it relays the request: one message less on the radio
    ],
)
def test_the_mobile_node_or_the_new_router_updates_the_old_router(sender, hops):
    view = RunView(BREAK.setup(options={"notification": sender}), "mipv4-smooth")
    assert [h for h in view.hops() if h.message == "BU2"] == hops
    assert [view.table("old", t) for t in (810.999, 811)] == ["hold", ["new"]]
    assert view.run.handoffs["completed"].tolist() == [1]
    assert BREAK.path("mipv4-smooth", down=786, notification=sender) == STRAIGHT_FORWARDED
