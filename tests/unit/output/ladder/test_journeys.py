"""Journeys of packets in the conformance tests' scenes: paths, times and ends worked out from the delays of the links."""

from engine import Fate
from handoff.output.ladder.journeys import MOBILE, Journey, Stop, Transmission
from handoff.output.ladder.view import observe_handoff
from tests.conformance.cases import BREAK, LATE, OVERLAP, SINGLE
from tests.conformance.two_router_scene import MS


def journeys(scene, procedure, **packets):
    view = observe_handoff(scene.setup(**packets), procedure, 0, 0, 1)
    return view, view.journeys


def stops(view, journey):
    return [
        (view.columns[s.node], s.arrival_ps / MS, None if s.leave_ps is None else s.leave_ps / MS) for s in journey.stops()
    ]


def test_a_forwarded_packet_passes_both_routers():
    """Sent 495; home agent 515, old router 525 (it forwards since 524), new router 531, mobile node 536."""
    view, (journey,) = journeys(LATE, "sync-mipv4", down=[495])
    assert stops(view, journey) == [
        ("CN", 495, 495), ("HA", 515, 515), ("old router", 525, 525), ("new router", 531, 531), ("MN", 536, None),
    ]  # fmt: skip
    assert (journey.outcome, journey.received, journey.ended_ps) == ("delivered", True, 536 * MS)


def test_a_packet_waits_in_the_new_router_until_the_link_is_up():
    """Sent 472, the old router has it at 502 and sends it by its radio. Sent 476.5, the old router has it at 506.5, after the
    update (504), and the new router at 512.5; the link is up at 513."""
    view, (first, second) = journeys(SINGLE, "sync-mipv4", down=[472, 476.5])
    assert stops(view, first)[-2:] == [("old router", 502, 502), ("MN", 506, None)]
    assert stops(view, second)[-2:] == [("new router", 512.5, 513), ("MN", 518, None)]


def test_an_upstream_packet_passes_a_router():
    view, (journey,) = journeys(LATE, "sync-mipv4", up=[505])
    assert stops(view, journey) == [("MN", 505, 505), ("old router", 509, 509), ("CN", 534, None)]


def test_a_held_upstream_packet_waits_at_the_mobile_node():
    """The old link is down from 510 on. The request leaves at 500, the reply leaves the home agent at 523 and arrives at 540."""
    view, (journey,) = journeys(SINGLE, "sync-mipv4", up=[515])
    assert stops(view, journey) == [("MN", 515, 540), ("new router", 545, 545), ("CN", 572, None)]


def test_a_packet_that_the_radio_loses_ends_at_the_router():
    """Sent 480, at the old router at 510, after the end of its link at 500."""
    view, (journey,) = journeys(BREAK, "mipv4", down=[480], options={"old_buffer_packets": 0})
    assert stops(view, journey) == [("CN", 480, 480), ("HA", 500, 500), ("old router", 510, 510)]
    assert (journey.outcome, journey.delivered) == ("lost: detached", False)


def test_a_packet_that_the_old_router_keeps_is_there_at_the_end_of_the_run():
    view, (journey,) = journeys(BREAK, "mipv4", down=[480], options={"old_buffer_packets": 50})
    assert stops(view, journey) == [("CN", 480, 480), ("HA", 500, 500), ("old router", 510, None)]
    assert (journey.outcome, journey.delivered) == ("in flight", False)


def test_copies_of_one_packet_have_the_first_part_of_their_way_in_common():
    """Sent 510, copied at the home agent at 530: at the mobile node at 544 by the old router and at 547 by the new one."""
    view, (one, other) = journeys(OVERLAP, "mipv4-bicast", down=[510])
    by_router = {view.path(j)[2]: j for j in (one, other)}
    assert view.path(by_router["old router"]) == ("CN", "HA", "old router", "MN")
    assert view.path(by_router["new router"]) == ("CN", "HA", "new router", "MN")
    assert {j.copied_at for j in (one, other)} == {1}
    assert {router: (j.outcome, j.ended_ps / MS) for router, j in by_router.items()} == {
        "old router": ("delivered", 544), "new router": ("duplicate", 547)
    }  # fmt: skip


def test_a_copy_that_ends_while_another_arrives_is_discarded():
    """Sent 580: at the old router at 610, after the end of its link at 600."""
    _, both = journeys(OVERLAP, "mipv4-bicast", down=[580], options={"old_buffer_packets": 0})
    assert sorted(j.outcome for j in both) == ["delivered", "discarded: detached"]


def test_nodes_that_only_forward_are_no_stops():
    """From node 1 by the plain routers 2 and 3 into a tunnel from 3 to 4, and by router 5 inside it."""
    hops = (
        Transmission(1, 2, 0, 1, ()), Transmission(2, 3, 1, 2, ()), Transmission(3, 5, 2, 3, ((3, 4),)),
        Transmission(5, 4, 3, 4, ((3, 4),)), Transmission(4, MOBILE, 4, 5, ()),
    )  # fmt: skip
    journey = Journey(0, 0, 0, False, 1, 0, 5, Fate.DELIVERED, MOBILE, True, hops, 5)
    assert journey.stops() == [Stop(1, 0, 0, 0), Stop(3, 2, 2, 2), Stop(4, 4, 4, 4), Stop(MOBILE, 5, None, 5)]


def test_a_packet_that_no_link_accepts_stays_at_its_sender():
    journey = Journey(0, 0, 0, True, 1, 7, 7, Fate.DETACHED, MOBILE, False, (), 0)
    assert journey.stops() == [Stop(MOBILE, 7, None, 0)]
    assert journey.outcome == "lost: detached"


def test_a_packet_that_is_under_way_at_the_end_is_not_lost():
    hops = (Transmission(1, 2, 0, 1, ()),)
    journey = Journey(0, 0, 0, False, 1, 0, -1, Fate.IN_FLIGHT, 2, False, hops, 1)
    assert journey.outcome == "in flight"
