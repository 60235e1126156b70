"""Decisions that the seed document leaves open: registration timers (RFC 5944), warnings, markers and buffers."""

from itertools import pairwise

import pytest

from handoff.protocol.messages import MessageFields
from handoff.protocol.procedures import PROCEDURES
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay, delivered, dropped

SECOND, MS = 10**12, 10**9
BY_OLD = ("cn>ha", "ha>old", "old>*")
BY_NEW = ("cn>ha", "ha>new", "new>*")
FORWARDED = ("cn>ha", "ha>old", "old>new", "new>*")
DUAL = (Stay("old", down=3000, predict=500, warn=2990), Stay("new", up=505))
LATE = (Stay("old", down=540, predict=500, warn=520), Stay("new", up=505))


def requests(view, mobile=0):
    """Return time of sending (ms) and identification of a mobile node's requests."""
    return [(a.time_ps / 10**9, MessageFields.unpack(a.arguments["args"]).identification) for a in view.sends("RQ", mobile)]


# -- registration (RFC 5944) ---------------------------------------------------------------------------------
def test_a_lost_request_is_retransmitted_after_1_2_4_s_with_a_new_identification():
    view = RunView(Scene(DUAL, until=100_000, loss=["new>ha"]).setup(), "sync-mipv4")
    expected, wait = [500], 1000
    while expected[-1] + wait < 100_000:
        expected.append(expected[-1] + wait)
        wait = min(2 * wait, 32_000)
    assert requests(view) == [(t, i + (t > 2990)) for i, t in enumerate(expected, 1)], "the update at the warning takes number 3"
    assert view.run.handoffs["retransmissions"].tolist() == [len(expected) - 1]
    assert view.run.handoffs["completed"].tolist() == [0]
    assert len(expected) == 8


def test_the_first_wait_is_at_least_a_second():
    with pytest.raises(ValueError, match="at least 1 s"):
        Scene(DUAL).run("sync-mipv4", retransmit_ps=SECOND - 1)
    view = RunView(Scene(DUAL, until=6000, loss=["new>ha"]).setup(options={"retransmit_ps": 3 * SECOND // 2}), "sync-mipv4")
    assert requests(view) == [(500, 1), (2000, 2), (5000, 4)], "the update at the warning takes number 3"


def test_a_request_lost_by_the_relay_is_retransmitted_through_the_new_router():
    view = RunView(Scene(DUAL, loss=["old>new"]).setup(), "sync-mipv4")
    assert view.hops()[:6] == [
        Hop("RQ", "mn", "old", 500, 504),
        Hop("RQ", "old", "new", 504, None),
        Hop("RQ", "mn", "new", 1500, 1505),
        Hop("RQ", "new", "ha", 1505, 1518),
        Hop("RR", "ha", "new", 1518, 1530),
        Hop("DRR", "ha", "old", 1518, 1528),
    ]
    assert view.run.handoffs["reply_ps"].tolist() == [1535 * 10**9]
    assert view.run.handoffs["retransmissions"].tolist() == [1]


def test_a_full_registration_queue_drops_and_the_mobile_node_retransmits():
    """Two requests reach the home agent at one instant, and its queue holds one: the other one succeeds a second later."""
    view = RunView(Scene(DUAL, mobiles=2, registration_queue=1).setup(), "sync-mipv4")
    dropped_at = dict(zip(view.run.result.node_names, view.run.result.nodes["registration_dropped"].tolist(), strict=True))
    assert dropped_at == {"ha": 1, "cn": 0, "peer": 0, "gw": 0, "gw2": 0, "old": 0, "new": 0}
    assert sorted(view.run.handoffs["reply_ps"].tolist()) == [540 * 10**9, 1535 * 10**9]
    assert sorted(view.run.handoffs["retransmissions"].tolist()) == [0, 1]


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (2502.999, dropped("cn>ha", "ha>new", fate="buffer timeout")),  # still tunnelled to the last router, until 2535
        (2503, dropped("cn>ha", fate="binding expired")),
        (3000, dropped("cn>ha", fate="binding expired")),
    ],
)
def test_a_binding_without_a_refresh_expires(sent, path):
    """Registered at 523 for 2 s; without a link from 700 on. The last router has an entry of 2 s from the reply on, at 535."""
    scene = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=505, down=700)], until=4000)
    assert scene.path("sync-mipv4", down=sent, lifetime_s=2) == path


def test_the_registration_is_refreshed_at_half_its_lifetime():
    """The reply arrives at 540; the refresh leaves 1 s later and takes 35 ms, and so on. Nothing is lost."""
    times = list(range(0, 9500, 50))
    view = RunView(Scene(DUAL, until=10_000).setup(down=times, options={"lifetime_s": 2}), "sync-mipv4")
    moved = [t for t, _ in requests(view) if t > 500]
    assert moved == list(range(1540, 10_000, 1035))
    assert view.run.result.fate_counts() == {"delivered": len(times)}


@pytest.mark.parametrize("procedure", [p for p in PROCEDURES if PROCEDURES[p].hierarchical])
def test_regional_handoffs_do_not_postpone_the_refresh_at_the_home_agent(procedure):
    """One handoff a second within a region; the home agent's bindings last 4 s, and are refreshed every 2 s."""
    ups = range(0, 20_000, 1000)
    stays = [
        Stay("old" if i % 2 == 0 else "new", up=t, down=t + 1100, predict=t + 900, warn=t + 1090) for i, t in enumerate(ups)
    ]
    times = list(range(0, 19_500, 50))
    view = RunView(Scene(stays, until=20_000).setup(down=times, options={"lifetime_s": 4}), procedure)
    home_messages = sorted(h.sent for h in view.hops() if h.to == "ha")
    assert max(b - a for a, b in pairwise([0, *home_messages])) < 4000
    assert len(home_messages) >= 20_000 / 4000
    assert "binding expired" not in view.run.result.fate_counts()


def test_a_refresh_replaced_by_a_regional_handoff_is_repeated():
    """The reply to a refresh takes 30 ms; a regional handoff 10 ms after the refresh replaces its request."""
    setup = Scene([Stay("old")], until=2500).setup(options={"lifetime_s": 4})
    refresh = requests(RunView(setup, "sync-hmipv4"))[0][0]
    stays = [Stay("old", down=refresh + 900, predict=refresh + 10, warn=refresh + 890), Stay("new", up=refresh + 500)]
    view = RunView(Scene(stays, until=refresh + 2000).setup(options={"lifetime_s": 4}), "sync-hmipv4")
    first, again = (h.sent for h in view.hops() if h.to == "ha")
    assert first < refresh + 10
    assert refresh + 1000 < again < refresh + 1100


def test_a_refresh_sends_no_marker():
    view = RunView(Scene([Stay("old")], until=1500).setup(options={"lifetime_s": 2}), "sync-mipv4")
    at = requests(view)[0][0]
    assert 0 <= at <= 1000
    assert [(h.message, h.source, h.to, round(h.sent - at, 6)) for h in view.hops()[:4]] == [
        ("RQ", "mn", "old", 0),
        ("RQ", "old", "ha", 4),
        ("RR", "ha", "old", 15),
        ("RR", "old", "mn", 25),
    ]
    assert {h.message for h in view.hops()} == {"RQ", "RR"}


# -- markers and warnings ------------------------------------------------------------------------------------
def test_a_marker_between_warning_and_link_down_leaves_scenario_ii():
    """Warning at 534; the marker has passed the old router at 533 and arrives at 537; the update is at the old router at 538."""
    scene = Scene([Stay("old", down=560, predict=500, warn=534), Stay("new", up=505)])
    view = RunView(scene.setup(), "sync-mipv4")
    assert view.run.handoffs["scenario"].tolist() == [2]
    assert view.run.handoffs["marker_ps"].tolist() == [537 * 10**9]
    assert [view.table("old", t) for t in (537.999, 538, 600, 1900)] == ["local", ["new"], ["new"], ["new"]]


def test_a_marker_at_the_instant_of_the_warning_is_late():
    scene = Scene([Stay("old", down=560, predict=500, warn=537), Stay("new", up=505)])
    assert scene.run("sync-mipv4").handoffs["scenario"].tolist() == [2]


def test_with_single_access_the_update_is_sent_despite_the_marker():
    """Phase III-3 does not depend on the marker: it arrives at 537, the warning comes at 540, the update at 544.

    With ``request = predict`` the marker can be there before the warning.
    """
    scene = Scene([Stay("old", down=548, predict=500, warn=540), Stay("new", up=580)])
    view = RunView(scene.setup(options={"request": "predict"}), "sync-mipv4")
    assert [h for h in view.hops() if h.message in ("DRR", "BU", "BA")] == [
        Hop("DRR", "ha", "old", 523, 533),
        Hop("DRR", "old", "mn", 533, 537),
        Hop("BU", "mn", "old", 540, 544),
        Hop("BA", "old", "new", 544, 550),
        Hop("BA", "new", "mn", 550, 585),
    ]
    assert view.run.handoffs["scenario"].tolist() == [3]
    assert [view.table("old", t) for t in (543.999, 544)] == ["local", ["new"]]


def test_a_lost_marker_leads_to_scenario_ii():
    scene = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=505)], loss=["ha>old"])
    view = RunView(scene.setup(), "sync-mipv4")
    assert view.hops()[3:] == [
        Hop("RR", "ha", "new", 523, 535),
        Hop("DRR", "ha", "old", 523, None),
        Hop("RR", "new", "mn", 535, 540),
        Hop("BU", "mn", "old", 590, 594),
        Hop("BA", "old", "new", 594, 600),
        Hop("BA", "new", "mn", 600, 605),
    ]
    assert view.run.handoffs["scenario"].tolist() == [2]
    assert view.table("old", 594) == ["new"]


def test_a_dual_node_warned_before_its_request_follows_scenario_iii():
    """The warning comes at 500, and the new router is known at 505: request and update leave together."""
    scene = Scene([Stay("old", down=540, predict=505, warn=500), Stay("new", up=512)])
    view = RunView(scene.setup(), "sync-mipv4")
    assert view.hops() == [
        Hop("RQ", "mn", "old", 505, 509),
        Hop("BU", "mn", "old", 505, 509),
        Hop("RQ", "old", "new", 509, 515),
        Hop("BA", "old", "new", 509, 515),
        Hop("RQ", "new", "ha", 515, 528),
        Hop("BA", "new", "mn", 515, 520),
        Hop("RR", "ha", "new", 528, 540),
        Hop("DRR", "ha", "old", 528, 538),
        Hop("RR", "new", "mn", 540, 545),
    ]
    assert view.run.handoffs["scenario"].tolist() == [3]


def test_a_warning_during_the_solicitation_waits_for_the_advertisement():
    """The solicited advertisement arrives at 516, after the warning at 510; request and update leave then (decision 24)."""
    scene = Scene([Stay("old", down=560, predict=500, warn=510), Stay("new", up=520)])
    view = RunView(scene.setup(options={"prediction": "solicitation"}), "sync-mipv4")
    assert view.hops()[:5] == [
        Hop("AS", "old", "new", 500, 506),
        Hop("AA", "new", "old", 506, 512),
        Hop("AA", "old", "mn", 512, 516),
        Hop("RQ", "mn", "old", 516, 520),
        Hop("BU", "mn", "old", 516, 520),
    ]
    assert view.run.handoffs["scenario"].tolist() == [3]


def test_without_a_prediction_the_warning_has_no_effect():
    """Without a prediction request and update wait for an advertisement, as in mipv4-smooth (decision 30).

    The update is at the old router at 711; the marker (728) ends forwarding.
    """
    view = RunView(Scene([Stay("old", down=540, warn=520), Stay("new", up=600)]).setup(), "sync-mipv4")
    assert [(h.message, h.source, h.to, h.sent) for h in view.hops()] == [
        ("RQ", "mn", "new", 700),
        ("BU", "mn", "new", 700),
        ("RQ", "new", "ha", 705),
        ("BU", "new", "old", 705),
        ("BA", "old", "new", 711),
        ("BA", "new", "mn", 717),
        ("RR", "ha", "new", 718),
        ("DRR", "ha", "old", 718),
        ("RR", "new", "mn", 730),
    ]
    assert view.run.handoffs["scenario"].tolist() == [0]
    assert [view.table("old", t) for t in (710.999, 711, 727.999, 728)] == ["hold", ["new"], ["new"], None]


# -- forwarding ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (1493.999, delivered(*FORWARDED, delay=41)),
        (1494, dropped("cn>ha", "ha>old", fate="binding expired")),  # at the old router 1 s after the update
        (1900, dropped("cn>ha", "ha>old", fate="binding expired")),
    ],
)
def test_a_forwarding_entry_ends_with_its_lifetime(sent, path):
    """The home agent gets no request and no marker arrives: the entry made at 524 ends at 1524."""
    scene = Scene(LATE, loss=["new>ha"], until=2500)
    assert scene.path("sync-mipv4", down=sent, forwarding_lifetime_ps=SECOND) == path


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (569.999, delivered(*FORWARDED, delay=41)),
        (570, delivered(*BY_OLD, delay=34)),  # at the old router when the mobile node returns
        (700, delivered(*BY_OLD, delay=34)),
    ],
)
def test_a_router_stops_forwarding_when_the_mobile_node_returns(sent, path):
    scene = Scene([LATE[0], Stay("new", up=505, down=620), Stay("old", up=600)], loss=["new>ha"])
    assert scene.path("sync-mipv4", down=sent) == path


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (582, delivered("cn>ha", "ha>old", "old>new", "new>old", "old>*", delay=62)),  # back, and buffered until 640
        (600, delivered(*BY_OLD, delay=44)),  # the acknowledgement has made the old router buffer for the mobile node
    ],
)
def test_two_routers_that_forward_to_each_other_do_not_loop(sent, path):
    """The home agent still sends to the old router, which forwards; at the second warning the new one forwards too."""
    scene = Scene([LATE[0], Stay("new", up=505, down=625, predict=600, warn=610), Stay("old", up=640)], loss=["new>ha"])
    assert scene.path("sync-mipv4", down=sent) == path
    # the entry of the acknowledgement lasts as long as the forwarding, also for less than a second
    assert scene.path("sync-mipv4", down=sent, forwarding_lifetime_ps=SECOND // 2) == path


def test_a_return_before_the_reply_registers_again_through_the_old_router():
    """The binding moves to the new router (523), whose link goes down at 520; the old link comes up again at 530.

    The new router keeps the reply, and the acknowledgement of the update of 512. After the return it is the old one: the update
    of 630 makes it forward both at 640, and its marker (657) ends that.
    """
    scene = Scene([Stay("old", down=510, predict=500), Stay("new", up=512, down=520), Stay("old", up=530)])
    view = RunView(scene.setup(), "sync-mipv4")
    assert [view.table("ha", t) for t in (523, 644.999, 645)] == [["new"], ["new"], ["old"]]
    assert [h for h in view.hops() if h.sent >= 530] == [
        Hop("DRR", "old", "mn", 533, 537),
        Hop("RR", "new", "mn", 535, 640 + 6 + 4),
        Hop("RQ", "mn", "old", 630, 634),
        Hop("BU", "mn", "old", 630, 634),
        Hop("RQ", "old", "ha", 634, 645),
        Hop("BU", "old", "new", 634, 640),
        Hop("BA", "new", "old", 640, 646),
        Hop("RR", "ha", "old", 645, 655),
        Hop("DRR", "ha", "new", 645, 657),
        Hop("BA", "old", "mn", 646, 650),
        Hop("RR", "old", "mn", 655, 659),
    ]
    assert Hop("BA", "new", "mn", 529, 640 + 6 + 4) in view.hops()
    assert [view.table("new", t) for t in (639.999, 640, 656.999, 657)] == ["hold", ["old"], ["old"], None]
    assert scene.path("sync-mipv4", down=1900) == delivered(*BY_OLD, delay=34)


def test_a_request_overtaken_by_a_newer_one_does_not_bind():
    """The request for the new router is delayed until 711; the one for the old router has bound at 645."""
    slow = {f"new>{node}": 200 for node in ("ha", "cn", "peer", "old", "gw", "gw2")}
    scene = Scene([Stay("old", down=510, predict=500), Stay("new", up=512, down=520), Stay("old", up=530)], delays=slow)
    view = RunView(scene.setup(), "sync-mipv4")
    assert {Hop("RQ", "new", "ha", 510, 711), Hop("RQ", "old", "ha", 634, 645)} <= set(view.hops())
    assert [view.table("ha", t) for t in (645, 711, 1900)] == [["old"]] * 3


def test_a_marker_after_the_return_does_not_end_the_new_visit():
    """Back at 525; the request passes the old router at 529; the marker of the first leave arrives at 533, without a link.

    A packet that reaches the old router after 526 would be too late for the second stay, so that it waits for the third.
    """
    stays = [
        Stay("old", down=510, predict=500),
        Stay("new", up=512, down=520),
        Stay("old", up=525, down=530),
        Stay("old", up=540),
    ]
    scene = Scene(stays)
    view = RunView(scene.setup(options={"agent_discovery_ps": 0}), "sync-mipv4")
    assert Hop("DRR", "ha", "old", 523, 533) in view.hops()
    assert [view.table("old", t) for t in (526, 529, 533, 540)] == ["local", "hold", "hold", "local"]
    assert Hop("RR", "old", "mn", 550, 554) in view.hops()
    assert scene.path("sync-mipv4", down=600, agent_discovery_ps=0) == delivered(*BY_OLD, delay=34)


def test_a_marker_after_the_return_is_not_recorded():
    """Gone at 510, back at 525, registered again from 536; the marker of the leave at 542 is followed by the new visit.

    The detection is lazy, so that the request waits for 510.
    """
    scene = Scene([Stay("old", down=510), Stay("new", up=490, down=536, predict=495), Stay("old", up=525)])
    options = {"agent_discovery_ps": 11 * MS, "detection": "lazy"}
    view = RunView(scene.setup(down=range(540, 700, 5), options=options), "sync-mipv4")
    assert Hop("DRR", "old", "mn", 538, 542) in view.hops()
    assert [view.table("ha", t) for t in (528, 550.999, 551)] == [["new"], ["new"], ["old"]]
    assert view.run.handoffs["marker_ps"][0] == -1
    assert view.run.handoffs["delivered"][0] == 32
    assert view.run.handoffs["after_marker"][0] == 0


# -- buffers -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({"new_buffer_packets": 5}, 3),
        ({"new_buffer_packets": None, "new_buffer_bytes": 1000}, 4),  # 66 + 70 bytes of signalling, 4 × 200 of data
        ({"new_buffer_packets": 5, "new_buffer_bytes": 700}, 2),
        ({"new_buffer_packets": None}, 8),
    ],
)
def test_the_buffer_of_the_new_router_is_a_drop_tail_fifo(limits, kept):
    """Eight packets reach the new router from 542; acknowledgement (512) and reply (537) are buffered too; attached at 600."""
    scene = Scene([Stay("old", down=510, predict=500, warn=502), Stay("new", up=600)])
    run = scene.run("sync-mipv4", down=range(510, 518), **limits)
    fates = {"delivered": kept} | ({"queue full": 8 - kept} if kept < 8 else {})
    assert run.result.fate_counts() == fates
    assert run.result.nodes["held_peak_packets"][run.result.node_names.index("new")] == kept + 2
    assert run.result.packets["seq"].tolist() == list(range(kept, 8)), "the last ones are dropped"
    assert run.handoffs["reply_ps"].tolist() == [605 * 10**9]


# -- frames in transmission (decision 15) ----------------------------------------------------------------------
@pytest.mark.parametrize(("again", "fates"), [(False, {"delivered": 1}), (True, {"delivered": 1, "duplicate": 1})])
def test_frames_in_transmission_are_forwarded_with_the_option(again, fates):
    """Sent at 492, a packet is on the old radio from 522 to 526; the update arrives at 524, so that a copy arrives at 535."""
    run = Scene(LATE).run("sync-mipv4", down=[492], forward_unacked=again)
    assert run.result.fate_counts() == fates
    assert run.result.flows["last_ps"].tolist() == [526 * 10**9]
    assert run.result.flows["copies"].tolist() == [int(again)]


def test_a_copy_replaces_a_frame_that_the_old_link_cuts_off():
    """The link goes down at 525, and the frame would arrive at 526. A router with a buffer does not begin to send it."""
    scene = Scene((Stay("old", down=525, predict=500, warn=520), Stay("new", up=505)))
    fates = {
        (room, again): scene.run("sync-mipv4", down=[492], forward_unacked=again, old_buffer_packets=room).result.fate_counts()
        for room in (0, 50) for again in (False, True)
    }  # fmt: skip
    assert fates == {
        (0, False): {"detached": 1}, (0, True): {"delivered": 1, "detached": 1},
        (50, False): {"delivered": 1}, (50, True): {"delivered": 1},
    }  # fmt: skip


@pytest.mark.parametrize("procedure", ["mipv4", "sync-mipv4", "mipv6"])
@pytest.mark.parametrize(
    ("options", "fates"),
    [
        ({}, {"delivered": 10}),
        ({"old_buffer_packets": None}, {"delivered": 10}),
        ({"old_buffer_packets": 0}, {"delivered": 7, "detached": 3}),
        ({"old_buffer_bytes": 0}, {"delivered": 7, "detached": 3}),
        ({"old_buffer_bytes": 500}, {"delivered": 9, "queue full": 1}),  # two of 200 bytes, or of 240 with the header of IPv6
        ({"old_buffer_packets": 3}, {"delivered": 10}),
        ({"old_buffer_packets": 2}, {"delivered": 9, "queue full": 1}),
        ({"old_buffer_packets": 3, "forwarding_lifetime_ps": 20 * SECOND // 1000}, {"delivered": 7, "buffer timeout": 3}),
    ],
)
def test_the_old_router_buffers_until_the_mobile_node_returns(procedure, options, fates):
    """Ten packets reach the old router from 500; its link goes down at 510, so that those from 507 are too late; back at 600."""
    scene = Scene([Stay("old", down=510), Stay("old", up=600)])
    assert scene.run(procedure, down=range(470, 480), **options).result.fate_counts() == fates
