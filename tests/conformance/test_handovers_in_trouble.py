"""Prepared handovers that go wrong, or back: lost messages, links that come and go, moves back and forth. Times by hand."""

from __future__ import annotations

from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure
from tests.conformance.handover_studies import handover_study, handover_study_differences
from tests.conformance.run_assertions import RunView
from tests.conformance.two_router_scene import MS, Scene, Stay

DOWN = [t + 0.5 - 20 for t in range(100, 1200)]
"""Times of sending: a packet is at the home agent half a ms after each full one."""
UNLIMITED = {"request": "predict", "new_buffer_packets": None, "old_buffer_packets": None}


def run(scene, procedure="x2", **options):
    return run_procedure(scene.setup(DOWN, options=UNLIMITED | options), procedure, reference=ZERO_BYTES, detail=True)


def view(scene, procedure="x2", **options):
    return RunView(scene.setup(options={"request": "predict"} | options), procedure)


def test_a_way_back_that_begins_before_the_marker_loses_nothing():
    """The report at 555 asks the old router at 566 to expect the mobile node; the marker is there at 582 and goes on."""
    scene = Scene([Stay("old", down=504, predict=484), Stay("new", up=554, down=600, predict=555), Stay("old", up=610)])
    seen = run(scene)
    assert seen.handoffs["marker_ps"][0] == 588 * MS
    assert seen.handoffs["scenario"].tolist() == [1, 1]
    assert seen.result.flows["lost"][0] == 0
    assert seen.result.fate_counts() == {"delivered": len(DOWN)}


def test_a_mobile_node_that_goes_back_over_a_dying_link_loses_nothing():
    """Its message leaves at 560 and arrives at 564, when the old link is down; it holds the packets until 705."""
    scene = Scene([Stay("old", down=562, predict=484), Stay("new", up=505, down=560), Stay("new", up=700)])
    seen = run(scene)
    assert seen.result.fate_counts() == {"delivered": len(DOWN)}


def test_a_mobile_node_that_returns_to_a_router_that_has_commanded_it_away_is_served_again():
    """The command leaves at 500, and the old link ends at 502. What the old router gets from 498 on waits at the new one. The
    mobile node asks for it at 560, and gets the first of it at 564 + 6 + 6 + 4."""
    scene = Scene([Stay("old", down=502, predict=484), Stay("new", up=485, down=495), Stay("old", up=560)])
    seen = run(scene)
    assert seen.result.fate_counts() == {"delivered": len(DOWN)}
    assert seen.handoffs["disruption_ps"].max() == (580 - (497.5 + 4) - 1) * MS
    assert [hop.sent for hop in view(scene).hops() if hop.message == "RRE"] == [560]


def test_a_prediction_before_the_arrival_is_reported_after_it():
    """The command is heard at 504 over the old link, although the next move has been predicted at 497."""
    scene = Scene([Stay("old", down=520, predict=484), Stay("new", up=495, down=700, predict=497), Stay("old", up=650)])
    seen = run(scene)
    assert seen.handoffs["scenario"].tolist() == [1, 1]
    reports = [hop.sent for hop in view(scene).hops() if (hop.message, hop.source) == ("MR", "mn")]
    assert reports == [484, 504]
    assert seen.result.flows["lost"][0] == 0


def test_a_handoff_that_does_not_complete_is_tried_again_after_twice_the_time():
    """The path switch is lost: the mobile node looks every 100 ms, and goes through re-establishment a second after its new link
    has come up, two seconds after it, and not again before four."""
    scene = Scene([Stay("old", down=504, predict=484), Stay("new", up=554)], loss=("new>ha",), until=4000)
    assert [action.time_ps for action in view(scene).sends("RRE")] == [1554 * MS, 2554 * MS]


def test_a_late_acknowledgement_of_an_earlier_move_starts_no_registration():
    """FBack of the first move comes over the old link after the second move has begun."""
    scene = Scene([Stay("old", down=504), Stay("new", up=554, down=570), Stay("old", up=572)])
    registrations = [(hop.sent, hop.to) for hop in view(scene, "fmipv6-reactive").hops() if hop.message == "BU1"]
    assert [to for _, to in registrations if to != "ha"] == ["old"]


def test_a_marker_that_comes_before_forwarding_begins_goes_behind_it():
    """The old router takes 40 ms for a message and none for the marker, which is there at 582, and HANDOVER SUCCESS at 605."""
    scene = Scene([Stay("old", down=504, predict=404), Stay("new", up=554)], service={"old": 40})
    markers = [(hop.source, hop.sent, hop.received) for hop in view(scene, "cho-late").hops() if hop.message == "EM"]
    assert markers == [("ha", 572, 582), ("old", 605, 611)]


def test_a_second_command_after_the_arrival_is_not_obeyed():
    """The old router takes 600 ms for a message. The report is sent again after 1 s, when the first acknowledgement is in service
    until 1,316; the second one waits for the second report and the release, until 3,116."""
    scene = Scene([Stay("old", predict=100, down=3300), Stay("new", up=90)], service={"old": 600}, until=3500)
    seen = view(scene)
    assert [hop.received for hop in seen.hops() if hop.message == "HC"] == [1320, 3120]
    assert [action.time_ps for action in seen.sends("HOC")] == [1320 * MS]


def test_measurements_end_alike_in_all_schedules_where_the_delays_of_cells_differ():
    """A handoff ends at a router whose downlink is longer than another one. The mobile nodes may be ahead by that much."""
    number = 20_025
    delays = {cell.down.delay_ps for cell in handover_study(number)[0].network.cells}
    assert min(delays) < max(delays)
    assert handover_study_differences(number) == []
