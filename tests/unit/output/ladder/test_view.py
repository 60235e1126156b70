"""Views of handoffs and first registrations in the conformance tests' scenes."""

import pytest

from handoff.output.ladder.journeys import MOBILE
from handoff.output.ladder.view import observe_first_registration, observe_handoff
from tests.conformance.cases import LATE, SINGLE, TIMELY
from tests.conformance.two_router_scene import MS, Scene, Stay


def test_a_message_waits_in_the_new_router_for_the_link():
    """The acknowledgement is at the new router at 510; the link is up at 513, and it arrives at 518."""
    view = observe_handoff(SINGLE.setup(), "sync-mipv4", 0, 0, 1)
    assert [
        (view.columns[h.source], view.columns[h.to], h.sent_ps / MS, (h.got_ps or 0) / MS) for h in view.hops if h.message == "BA"
    ] == [("old router", "new router", 504, 510), ("new router", "MN", 513, 518)]


def test_a_handoff_ends_when_its_last_packet_has_been_forwarded():
    """LATE: the last packet to the old router leaves the home agent before 523 and is at the mobile node before 544; the link
    ends at 545. With an earlier end of the link the last packet decides: sent 502.9, home agent 522.9, old 532.9, new 538.9."""
    early = Scene([Stay("old", down=530, predict=500, warn=520), Stay("new", up=505)])
    view = observe_handoff(early.setup(down=[502.9]), "sync-mipv4", 0, 0, 1)
    assert view.phases.begins[-1] == (round(543.9 * MS), "II-6")
    assert observe_handoff(LATE.setup(down=[502.9]), "sync-mipv4", 0, 0, 1).phases.begins[-1] == (545 * MS, "II-6")


def test_only_packets_on_their_way_in_the_time_that_is_shown_are_kept():
    """The view begins 60 ms before the request at 500; the packet sent at 300 has arrived by then."""
    view = observe_handoff(TIMELY.setup(down=[300, 480, 1500]), "sync-mipv4", 0, 0, 1)
    assert [j.sent_ps // MS for j in view.journeys] == [480]


def test_a_first_registration():
    """The link is up at 200, the router discovered 100 ms later; request at 300, at the home agent 314, reply at 329."""
    scene = Scene([Stay("old", up=200)])
    view = observe_first_registration(scene.setup(down=[100]), "mipv4", 0, 1)
    assert list(view.columns.values()) == ["MN", "router", "HA", "CN"]
    assert [(b / MS, name) for b, name in view.phases.begins] == [(0, "none"), (200, "registration"), (329, "data")]


def test_an_advertisement_does_not_end_a_first_registration():
    """Solicitation at 200, advertisement at the mobile node at 208; request at the home agent 223, reply at 237."""
    scene = Scene([Stay("old", up=200)])
    view = observe_first_registration(scene.setup(options={"discovery": "solicitation"}), "mipv4", 0, 1)
    hops = {(h.message, h.to): (h.sent_ps / MS, (h.got_ps or 0) / MS) for h in view.hops if h.to == MOBILE}
    assert hops == {("AA9", MOBILE): (204, 208), ("RR", MOBILE): (233, 237)}
    assert view.phases.begins[-1] == (237 * MS, "data")


@pytest.mark.parametrize(
    ("stays", "reason"), [(TIMELY.stays, "it is registered at time 0"), ([], "it is never attached")], ids=["time 0", "never"]
)
def test_a_mobile_node_without_a_first_registration_is_refused_before_the_run(monkeypatch, stays, reason):
    monkeypatch.setattr("handoff.output.ladder.view.RunObserver", None)
    with pytest.raises(ValueError, match=f"mn0 does not register in this run: {reason}"):
        observe_first_registration(Scene(stays).setup(), "mipv4", 0, 1)


def test_a_first_registration_without_a_reply_is_refused():
    scene = Scene([Stay("old", up=200)], loss=["ha>old"])
    with pytest.raises(ValueError, match="mn0 does not register in this run: no registration reply arrives"):
        observe_first_registration(scene.setup(), "mipv4", 0, 1)
