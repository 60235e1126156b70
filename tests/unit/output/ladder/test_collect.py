"""Ladder diagrams collected from runs of the conformance tests' scene."""

import pytest

from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.diagram import Arrow
from tests.conformance.cases import LATE, SINGLE, TIMELY
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9


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
        # warned at 520; binding 523; the update is at the old router at 524; the old link ends at 545
        (LATE, {"II-2": 500, "II-4": 520, "II-3": 523, "II-5": 524, "II-6": 545}),
        # predicted at 500; warned at 502, when request and update leave; the new link is up at 513; binding 525; reply 542
        (SINGLE, {"III-1": 500, "III-3": 502, "III-4": 513, "III-5": 525, "III-6": 542}),
    ],
    ids=["I", "II", "III"],
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
        ("II-2", "up", ("MN", "CN"), 1, "delivered"),
    }
    assert [m.text for m in ladder.events if m.column == "HA"] == ["binds to new router"]


def test_paths_of_lost_packets_and_messages_end_where_they_are_lost():
    scene = Scene([Stay("old", down=500), Stay("new", up=700)], loss=["new>ha"])
    ladder = build_ladder(scene.setup(down=[480], options={"old_buffer_packets": 0}), "mipv4", 0, 0, 1)
    assert [(t.path, t.outcome) for t in ladder.traffic] == [(("CN", "HA", "old router"), "lost: detached")]
    assert [(a.message, a.target, a.arrival_ps) for a in ladder.arrows] == [("RQ", "new router", 805 * MS), ("RQ", "HA", None)]
    assert ladder.arrows[1].note


def test_a_move_between_regions_has_two_gateways():
    scene = Scene(TIMELY.stays, regions=2)
    ladder = build_ladder(scene.setup(down=[100]), "sync-hmipv6", 0, 0, 1)
    assert ladder.columns == ("MN", "old router", "new router", "old MAP", "MAP", "HA", "CN")


def test_an_unknown_handoff_is_refused():
    with pytest.raises(ValueError, match="has no handoff 1 in this run: it has handoffs 0 to 0"):
        build_ladder(LATE.setup(), "sync-mipv4", 0, 1, 1)
