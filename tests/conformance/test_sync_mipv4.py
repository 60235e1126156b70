"""sync-mipv4 as figures 11A to 17B and phases I-1 to III-6 of the seed document describe it.

Times follow from the delays of ``scene``. The request leaves the mobile node at 500 ms and is at the old router at 504, at
the new one at 510, at the home agent at 522; 1 ms later the binding changes. The marker is at the old router at 533, at the
mobile node at 537; the reply is at the new router at 535, at the mobile node at 540.
"""

import pytest

from tests.conformance.scene import Scene, Stay, delivered
from tests.conformance.spy import Hop, Spy

DUAL_TIMELY = Scene([Stay("old", down=600, predict=500, warn=590), Stay("new", up=520)])
DUAL_LATE = Scene([Stay("old", down=545, predict=500, warn=520), Stay("new", up=505)])
SINGLE = Scene([Stay("old", down=510, predict=500, warn=502), Stay("new", up=513)])

RELAYED = [Hop("RQ", "mn", "old", 500, 504), Hop("RQ", "old", "new", 504, 510)]
BY_LAYER_2 = [Hop("RQ", "mn", "new", 500, 510)]

# I-2: the request; I-3: binding and two replies; I-4: the marker arrives by the old link
HOPS_I = [
    Hop("RQ", "new", "ha", 510, 523),
    Hop("RR", "ha", "new", 523, 535),
    Hop("DRR", "ha", "old", 523, 533),
    Hop("DRR", "old", "mn", 533, 537),
    Hop("RR", "new", "mn", 535, 540),
]
# II-4: update and acknowledgement; the marker finds the old router forwarding and ends there
HOPS_II = [
    Hop("RQ", "new", "ha", 510, 523),
    Hop("BU", "mn", "old", 520, 524),
    Hop("RR", "ha", "new", 523, 535),
    Hop("DRR", "ha", "old", 523, 533),
    Hop("BA", "old", "new", 524, 530),
    Hop("BA", "new", "mn", 530, 535),
    Hop("RR", "new", "mn", 535, 540),
]
# III-3: update, acknowledgement to the new router; III-4: it waits there for the mobile node (link up at 513); III-5: replies
HOPS_III = [
    Hop("BU", "mn", "old", 502, 506),
    Hop("BA", "old", "new", 506, 512),
    Hop("RQ", "new", "ha", 510, 523),
    Hop("BA", "new", "mn", 512, 518),
    Hop("RR", "ha", "new", 523, 535),
    Hop("DRR", "ha", "old", 523, 533),
    Hop("RR", "new", "mn", 535, 540),
]
CASES = {"I": (DUAL_TIMELY, HOPS_I, 1), "II": (DUAL_LATE, HOPS_II, 2), "III": (SINGLE, HOPS_III, 3)}


@pytest.mark.parametrize("relay", ["router", "l2"])
@pytest.mark.parametrize("case", CASES)
def test_messages_in_order_with_every_hop(case, relay):
    scene, rest, scenario = CASES[case]
    spy = Spy(scene.setup(options={"relay": relay}), "sync-mipv4")
    expected = (RELAYED if relay == "router" else BY_LAYER_2) + rest
    assert spy.hops() == sorted(expected, key=lambda hop: hop.sent)
    assert spy.run.handoffs["scenario"].tolist() == [scenario]
    assert spy.run.handoffs["completed"].tolist() == [1]


def test_layer_2_carries_the_request_over_the_old_radio_past_the_old_router():
    spy = Spy(DUAL_TIMELY.setup(options={"relay": "l2"}), "sync-mipv4")
    links = dict(zip(spy.run.result.link_names, spy.run.result.links["control_packets"].tolist(), strict=True))
    assert (links["old<*"], links["old>new"], links["new<*"]) == (1, 1, 0)
    old = spy.setup.network.node_index("old")
    assert [a.fields.lifetime_s for a in spy.arrivals if a.node == old] == [0], "the old router gets the marker alone"


@pytest.mark.parametrize(
    ("case", "at", "ha", "old", "new"),
    [
        ("I", 499, ["old"], "local", None),  # I-1
        ("I", 509.999, ["old"], "local", None),
        ("I", 510, ["old"], "local", "hold"),  # I-2: a pending visitor until it is attached
        ("I", 520, ["old"], "local", "local"),
        ("I", 522.999, ["old"], "local", "local"),
        ("I", 523, ["new"], "local", "local"),  # I-3: replaced at once, no simultaneous binding
        ("I", 537, ["new"], "local", "local"),  # I-4
        ("I", 600, ["new"], None, "local"),  # I-5
        ("II", 499, ["old"], "local", None),  # II-1
        ("II", 510, ["old"], "local", "local"),  # II-2
        ("II", 523, ["new"], "local", "local"),  # II-3
        ("II", 523.999, ["new"], "local", "local"),
        ("II", 524, ["new"], ["new"], "local"),  # II-4: old care-of address -> new care-of address
        ("II", 532.999, ["new"], ["new"], "local"),  # II-5
        ("II", 533, ["new"], None, "local"),  # II-6: the marker has come by, nothing follows
        ("III", 499, ["old"], "local", None),  # III-1
        ("III", 505.999, ["old"], "local", None),  # III-2
        ("III", 506, ["old"], ["new"], None),  # III-3
        ("III", 510, ["old"], ["new"], "hold"),
        ("III", 513, ["old"], ["new"], "local"),  # III-4
        ("III", 523, ["new"], ["new"], "local"),  # III-5
        ("III", 533, ["new"], None, "local"),  # III-6
    ],
)
def test_tables_after_each_phase(case, at, ha, old, new):
    spy = Spy(CASES[case][0].setup(), "sync-mipv4")
    assert [spy.table(node, at) for node in ("ha", "old", "new")] == [ha, old, new]


BY_OLD = ("cn>ha", "ha>old", "old>*")
BY_NEW = ("cn>ha", "ha>new", "new>*")
FORWARDED = ("cn>ha", "ha>old", "old>new", "new>*")


@pytest.mark.parametrize(
    ("case", "sent", "path"),
    [
        ("I", 400, delivered(*BY_OLD, delay=34)),
        ("I", 502.999, delivered(*BY_OLD, delay=34)),  # the last before the marker
        ("I", 503, delivered(*BY_NEW, delay=37)),  # at the home agent as the binding changes
        ("I", 700, delivered(*BY_NEW, delay=37)),
        ("II", 400, delivered(*BY_OLD, delay=34)),
        ("II", 493.999, delivered(*BY_OLD, delay=34)),  # on the old radio before the update is there
        ("II", 494, delivered(*FORWARDED, delay=41)),  # at the old router with the update
        ("II", 502.999, delivered(*FORWARDED, delay=41)),
        ("II", 503, delivered(*BY_NEW, delay=37)),
        ("II", 700, delivered(*BY_NEW, delay=37)),
        ("III", 400, delivered(*BY_OLD, delay=34)),
        ("III", 475.999, delivered(*BY_OLD, delay=34)),
        ("III", 476, delivered(*FORWARDED, delay=42)),  # at the new router at 512, where it waits 1 ms
        ("III", 490, delivered(*FORWARDED, delay=41)),
        ("III", 502.999, delivered(*FORWARDED, delay=41)),
        ("III", 503, delivered(*BY_NEW, delay=37)),
        ("III", 700, delivered(*BY_NEW, delay=37)),
    ],
)
def test_path_of_new_downstream_packets(case, sent, path):
    assert CASES[case][0].path("sync-mipv4", down=sent) == path


@pytest.mark.parametrize(
    ("case", "sent", "path"),
    [
        ("I", 400, delivered("old<*", "old>cn", delay=29)),
        ("I", 539.999, delivered("old<*", "old>cn", delay=29)),  # both links work: the old one until the reply is here
        ("I", 540, delivered("new<*", "new>cn", delay=32)),
        ("I", 700, delivered("new<*", "new>cn", delay=32)),
        ("II", 400, delivered("old<*", "old>cn", delay=29)),
        ("II", 539.999, delivered("old<*", "old>cn", delay=29)),
        ("II", 540, delivered("new<*", "new>cn", delay=32)),
        ("II", 700, delivered("new<*", "new>cn", delay=32)),
        ("III", 509.999, delivered("old<*", "old>cn", delay=29)),
        ("III", 510, delivered("new<*", "new>cn", delay=30 + 32)),  # waits at the mobile node for the reply (III-5)
        ("III", 539, delivered("new<*", "new>cn", delay=1 + 32)),
        ("III", 540, delivered("new<*", "new>cn", delay=32)),
        ("III", 700, delivered("new<*", "new>cn", delay=32)),
    ],
)
def test_path_of_new_upstream_packets(case, sent, path):
    assert CASES[case][0].path("sync-mipv4", up=sent) == path


@pytest.mark.parametrize(("case", "router", "at"), [("I", "new", 540), ("II", "new", 540), ("III", "hold", 510)])
def test_upstream_route_changes_there_and_not_before(case, router, at):
    spy = Spy(CASES[case][0].setup(), "sync-mipv4")
    assert (spy.upstream(at - 0.001), spy.upstream(at)) == ("old", router)
    assert spy.upstream(540) == "new"


def test_what_the_old_router_has_stored_is_forwarded_too():
    """Five packets reach the old router at 500; its radio takes 16 ms for each, so three have not begun when the update comes."""
    scene = Scene(DUAL_LATE.stays, old_cell={"rate": "100kbit/s", "up_rate": 0})
    result = scene.run("sync-mipv4", down=[470] * 5).result
    links = {n: i for i, n in enumerate(result.link_names)}
    data = result.links["packets"] - result.links["control_packets"]
    assert result.links["rescued"][links["old>*"]] == 3
    assert data[links["old>new"]] == data[links["new>*"]] == 3
    assert result.fate_counts() == {"delivered": 5}


def test_acknowledgement_and_reply_wait_at_the_new_router_in_their_order():
    """The mobile node needs until 560 for the switch: III-4 comes after both messages are at the new router (520 and 535)."""
    scene = Scene([Stay("old", down=518, predict=500, warn=510), Stay("new", up=560)])
    spy = Spy(scene.setup(), "sync-mipv4")
    last = [h for h in spy.hops() if h.to == "mn"]
    assert last == [Hop("BA", "new", "mn", 520, 565), Hop("RR", "new", "mn", 535, 565)]
    at_mobile = [(spy.run.handoffs[c] // 10**9).tolist() for c in ("acknowledged_ps", "reply_ps")]
    assert at_mobile == [[565], [565]]
    assert spy.table("new", 559.999) == "hold"
    assert spy.table("new", 560) == "local"
    order = [a.fields.step for a in spy.arrivals if a.node == -1]
    assert len(order) == 2
    assert order[0] > order[1], "the acknowledgement, a later row of the procedure, was here first"
