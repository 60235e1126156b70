"""Ladder diagrams collected from runs of the conformance tests' scene."""

import pytest

from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.diagram import Arrow, Header
from tests.conformance.cases import LATE, OVERLAP, SINGLE, TIMELY
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9
IN_ORDER = Scene([Stay("old", down=560, predict=500, warn=530), Stay("new", up=505)])
"""Dual access; the warning comes after the binding (523) and before the marker (537)."""


def intervals(ladder):
    return [(begin / MS, end / MS, name) for begin, end, name in ladder.intervals]


def phase_begins(ladder):
    """Return the time of the first arrow or event of each phase, in ms."""
    first = {}
    for thing in (*ladder.arrows, *ladder.events):
        at = (thing.sent_ps if isinstance(thing, Arrow) else thing.time_ps) / MS
        first[thing.phase] = min(at, first.get(thing.phase, at))
    return first


@pytest.mark.parametrize(
    ("scene", "phases"),
    [
        # request 500; binding 523; marker at the mobile node 537; the old link ends at 600
        (TIMELY, {"I-2": 500, "I-3": 523, "I-4": 537, "I-5": 600}),
        # warned at 520; binding 523; the acknowledgement of the update is at the mobile node at 535; the old link ends at 545
        (LATE, {"II-2": 500, "II-4": 520, "II-3": 523, "II-5": 535, "II-6": 545}),
        # warned at 530, after the binding; no message or event between the acknowledgement (545) and the end of the old link
        (IN_ORDER, {"II-2": 500, "II-3": 523, "II-4": 530, "II-6": 560}),
        # the move is known at 490; request and update at 500; the new link is up at 513; binding 523; reply 540
        (SINGLE, {"III-1": 490, "III-2": 500, "III-3": 500, "III-4": 513, "III-5": 523, "III-6": 540}),
    ],
    ids=["I", "II warned early", "II", "III"],
)
def test_phases_begin_at_the_times_of_their_messages(scene, phases):
    assert phase_begins(build_ladder(scene.setup(), "sync-mipv4", 0, 0, 1)) == phases


def test_a_ladder_has_columns_messages_and_data_packets():
    """Packets sent at 480, 495 and 510 ms take the old radio, the forwarding tunnel and the new router."""
    ladder = build_ladder(LATE.setup(down=[480, 495, 510], up=[505]), "sync-mipv4", 0, 0, 1)
    assert ladder.columns == ("MN", "old router", "new router", "HA", "CN")
    assert [(a.message, a.source, a.target, a.sent_ps / MS, a.arrival_ps / MS) for a in ladder.arrows[:3]] == [
        ("RQ", "MN", "old router", 500, 504), ("RQ", "old router", "new router", 504, 510), ("RQ", "new router", "HA", 510, 523),
    ]  # fmt: skip
    assert {(t.phase, t.direction, t.path, t.packets, t.outcome) for t in ladder.traffic} == {
        ("II-1", "down", ("CN", "HA", "old router", "MN"), 1, "delivered"),
        ("II-1", "down", ("CN", "HA", "old router", "new router", "MN"), 1, "delivered"),
        ("II-2", "down", ("CN", "HA", "new router", "MN"), 1, "delivered"),
        ("II-2", "up", ("MN", "old router", "CN"), 1, "delivered"),
    }
    assert [m.text for m in ladder.events if m.column == "HA"] == ["binds to new router"]


def test_paths_of_lost_packets_and_messages_end_where_they_are_lost():
    scene = Scene([Stay("old", down=500), Stay("new", up=700)], loss=["new>ha"])
    ladder = build_ladder(scene.setup(down=[480], options={"old_buffer_packets": 0}), "mipv4", 0, 0, 1)
    assert [(t.path, t.outcome) for t in ladder.traffic] == [(("CN", "HA", "old router"), "lost: detached")]
    assert [(a.message, a.target, a.arrival_ps) for a in ladder.arrows] == [("RQ", "new router", 805 * MS), ("RQ", "HA", None)]
    assert ladder.arrows[1].note


def test_the_acknowledgement_of_the_rescue_belongs_to_its_phase():
    """The update (520) comes before the switch (523), its acknowledgement after it: II-3 interrupts II-4."""
    ladder = build_ladder(LATE.setup(), "sync-mipv4", 0, 0, 1)
    assert [(a.message, a.phase) for a in ladder.arrows if a.message in ("BU", "BA")] == [("BU", "II-4")] + [("BA", "II-4")] * 2
    assert [(a.message, a.phase) for a in ladder.arrows if a.message in ("RR", "DRR") and a.source == "HA"] == [
        ("RR", "II-3"), ("DRR", "II-3")
    ]  # fmt: skip
    headers = [(row.phase, row.continued) for row in ladder.rows() if isinstance(row, Header)]
    assert headers == [("II-2", False), ("II-4", False), ("II-3", False), ("II-4", True), ("II-5", False), ("II-6", False)]


def test_copies_of_delivered_packets_are_discarded_and_not_lost():
    """The packet sent at 580 reaches the old router at 610, after the end of its link at 600, and the new one at 612."""
    ladder = build_ladder(OVERLAP.setup(down=[580], options={"old_buffer_packets": 0}), "mipv4-bicast", 0, 0, 1)
    assert sorted((t.path, t.outcome) for t in ladder.traffic) == [
        (("CN", "HA", "new router", "MN"), "delivered"), (("CN", "HA", "old router"), "discarded: detached")
    ]  # fmt: skip


def test_upstream_packets_are_shown_with_their_router():
    """The reply is at the mobile node at 540."""
    ladder = build_ladder(TIMELY.setup(up=[530, 545]), "sync-mipv4", 0, 0, 1)
    assert [t.path for t in ladder.traffic] == [("MN", "old router", "CN"), ("MN", "new router", "CN")]


def test_the_phases_to_scale_are_those_that_are_shown():
    ladder = build_ladder(TIMELY.setup(), "sync-mipv4", 0, 0, 1)
    assert intervals(ladder) == [(500, 523, "I-2"), (523, 537, "I-3"), (537, 600, "I-4"), (600, 660, "I-5")]
    assert ladder.end_ps == 660 * MS


def test_a_phase_to_scale_ends_where_a_phase_begins_that_is_not_shown():
    """IN_ORDER: II-5, from the acknowledgement (545) to the end of the old link (560), has no message, event or packet."""
    ladder = build_ladder(IN_ORDER.setup(), "sync-mipv4", 0, 0, 1)
    assert intervals(ladder) == [(500, 523, "II-2"), (523, 530, "II-3"), (530, 545, "II-4"), (560, 620, "II-6")]


def test_a_move_between_regions_has_two_gateways():
    scene = Scene(TIMELY.stays, regions=2)
    ladder = build_ladder(scene.setup(down=[100]), "sync-hmipv6", 0, 0, 1)
    assert ladder.columns == ("MN", "old router", "new router", "old MAP", "MAP", "HA", "CN")


def test_an_unknown_handoff_is_refused():
    with pytest.raises(ValueError, match="has no handoff 1 in this run: it has handoffs 0 to 0"):
        build_ladder(LATE.setup(), "sync-mipv4", 0, 1, 1)


def test_a_marker_that_the_old_router_forwards_names_the_router_of_the_radio():
    """LATE in IPv6: the old router forwards from 524 on; the marker is at the mobile node 11 ms after 533."""
    ladder = build_ladder(LATE.setup(), "sync-mipv6", 0, 0, 1)
    (marker,) = [a for a in ladder.arrows if a.message == "DBA" and a.target == "MN"]
    assert (marker.source, marker.note) == ("old router", "through the new router")
