"""Discovery of the new router after the move, and movement detection (RFC 5944 2.3, 2.4; RFC 4861, 4862).

The old link goes down at 500 ms and the new one comes up at 700 (BREAK), or the new one comes up at 600 and the old one lasts
until 3000 (OVERLAP).
In DISCOVERED layer 2 finds the new router at 500, 100 ms after its link has come up, and the old link lasts until 600.
The times of advertisements are random; the tests query them and check the consequences.
"""

import numpy as np
import pytest

from engine.rng import random_word
from handoff.protocol.movement_detection import PURPOSE_DELAY
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable
from tests.conformance.cases import DISCOVERED
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9
BREAK = Scene([Stay("old", down=500), Stay("new", up=700)], until=6000)
OVERLAP = Scene([Stay("old", down=3000), Stay("new", up=600)], until=6000)
NEVER = {"advertisement_min_ps": 10**16, "advertisement_max_ps": 10**16}
EVERY_100 = {"discovery": "advertisement", "advertisement_min_ps": 100 * MS, "advertisement_max_ps": 100 * MS}


def advertisement_times(scene, router, options, procedure="mipv4", seed=1):
    """Return the times (ms) of a router's advertisements from 0 to 6 s."""
    setup = scene.setup(options=options)
    places = RoleResolver(setup, compile_program(setup, procedure), CorrespondentTable(setup.network), seed)
    found, t = [], 0
    while t < 6000 * MS:
        t = places.advertisements.next_after(setup.network.node_index(router), t)
        found.append(t / MS)
    return found


def first_request(view, message="RQ"):
    return view.sends(message)[0].time_ps / MS


def test_advertisement_intervals_are_within_limits_and_routers_are_not_synchronized():
    options = {"discovery": "advertisement", "advertisement_min_ps": 50 * MS, "advertisement_max_ps": 150 * MS}
    old, new = (advertisement_times(BREAK, r, options) for r in ("old", "new"))
    for times in (old, new):
        gaps = np.diff(times)
        assert gaps.min() >= 50
        assert gaps.max() <= 150
        assert 90 < gaps.mean() < 110
    assert set(old).isdisjoint(new)
    assert advertisement_times(BREAK, "new", options, seed=2) != new


def test_the_mobile_node_registers_on_the_first_advertisement():
    view = RunView(BREAK.setup(options=EVERY_100), "mipv4")
    sent = next(t for t in advertisement_times(BREAK, "new", EVERY_100) if t > 700)
    assert view.hops()[:2] == [Hop("AA9", "new", "mn", sent, sent + 5), Hop("RQ", "mn", "new", sent + 5, sent + 10)]


def test_a_registered_mobile_node_gets_no_further_advertisements():
    assert [h.message for h in RunView(BREAK.setup(options=EVERY_100), "mipv4").hops()].count("AA9") == 1


def test_the_mobile_node_solicits_an_advertisement():
    """The link comes up at 700; the solicitation arrives at 705 and the advertisement at 710."""
    view = RunView(BREAK.setup(options={"discovery": "solicitation", **NEVER}), "mipv4")
    assert view.hops()[:3] == [
        Hop("AS9", "mn", "new", 700, 705), Hop("AA9", "new", "mn", 705, 710), Hop("RQ", "mn", "new", 710, 715),
    ]  # fmt: skip


def test_the_profile_rfc_delays_a_solicitation_by_up_to_a_second():
    sent = []
    for seed in range(40):
        options = {"discovery": "solicitation", "profile": "rfc", **NEVER}
        sent.append(first_request(RunView(BREAK.setup(options=options), "mipv4", seed), "AS9") - 700)
    assert min(sent) >= 0
    assert max(sent) < 1000
    assert 350 < np.mean(sent) < 650  # uniform: standard error 46


@pytest.mark.parametrize(("procedure", "link"), [("mipv4", "new"), ("sync-mipv4", "old"), ("mipv4-bicast", "old")])
def test_eager_cell_switching_leaves_a_working_link(procedure, link):
    """A predictive procedure starts its predicted handoff, with a request over the old link (decision 31)."""
    view = RunView(OVERLAP.setup(options=EVERY_100), procedure)
    sent = next(t for t in advertisement_times(OVERLAP, "new", EVERY_100, procedure) if t > 600)
    assert first_request(view) == sent + 5
    assert next(h.to for h in view.hops() if h.source == "mn") == link
    assert view.run.handoffs["open_ps"].tolist() == [round((sent + 5) * MS)]
    assert view.run.handoffs["completed"].tolist() == [1]


@pytest.mark.parametrize(("scene", "down", "up"), [(BREAK, 500, 700), (OVERLAP, 3000, 600)])
def test_lazy_cell_switching_waits_for_the_end_of_the_old_lifetime(scene, down, up):
    """The last advertisement over the old link is valid for three intervals (RFC 5944 2.3.1); then the new router is accepted."""
    options = EVERY_100 | {"detection": "lazy"}
    last = max(t for t in advertisement_times(scene, "old", options) if t <= down)
    heard = [t + 5 for t in advertisement_times(scene, "new", options) if t > up and t + 5 > down]
    assert first_request(RunView(scene.setup(options=options), "mipv4")) == max(heard[0], last + 300)


def test_lazy_loses_more_than_eager_and_eager_more_than_layer_2():
    lost = {}
    ways = {"layer2": {"agent_discovery_ps": 0}, "eager": EVERY_100, "lazy": EVERY_100 | {"detection": "lazy"}}
    for name, options in ways.items():
        lost[name] = BREAK.run("mipv4", down=range(100, 2000), **options).result.flows["lost"][0]
    assert lost["layer2"] < lost["eager"] < lost["lazy"]


def test_the_profile_rfc_checks_an_address_before_use():
    """IPv6: a random delay of up to 1 s after a multicast advertisement, then a check of 1 s (RFC 4862 5.4)."""
    options = EVERY_100 | {"profile": "rfc"}
    heard = next(t for t in advertisement_times(BREAK, "new", options) if t > 700) + 5
    assert heard + 1000 <= first_request(RunView(BREAK.setup(options=options), "mipv6"), "BU1") < heard + 2000
    assert first_request(RunView(BREAK.setup(options=EVERY_100), "mipv6"), "BU1") == heard


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_random_delay_follows_a_multicast_advertisement_also_if_the_mobile_node_would_solicit(seed):
    """The second random delay is drawn when a periodic advertisement comes before the solicitation is due (RFC 4862 5.4.2)."""
    options = {**EVERY_100, "profile": "rfc", "discovery": "solicitation"}
    scene = BREAK.setup(options=options)
    key = int(scene.network.mobile_keys()[0])
    solicits, delay = (700 + random_word(seed, PURPOSE_DELAY, key, i) * 1000 / 2**64 for i in (1, 2))
    heard = next(t for t in advertisement_times(BREAK, "new", options, "mipv6", seed) if t > 700) + 5
    view = RunView(scene, "mipv6", seed)
    asked = bool(view.sends("AS9"))
    assert asked == (solicits < heard)
    if not asked or heard < solicits + 10:
        assert first_request(view, "BU1") == pytest.approx(heard + delay - 700 + 1000, abs=1e-6)
    else:
        assert first_request(view, "BU1") == pytest.approx(solicits + 10 + 1000, abs=1e-6)


def test_the_answer_to_a_solicitation_is_unicast():
    """The check of 1 s begins when the answer is there, 10 ms after the solicitation."""
    view = RunView(BREAK.setup(options={"profile": "rfc", "discovery": "solicitation", **NEVER}), "mipv6")
    assert first_request(view, "BU1") == pytest.approx(first_request(view, "AS9") + 10 + 1000, abs=1e-6)


# -- on the new link, while the old one lives, without a prediction (decision 31) ----------------------------------------------
SYNCHRONIZED = [name for name, procedure in PROCEDURES.items() if procedure.family == "synchronized"]


def from_mobile(view):
    return [(h.message, h.to, h.sent) for h in view.hops() if h.source == "mn"]


@pytest.mark.parametrize("procedure", PROCEDURES)
@pytest.mark.parametrize("detection", ["eager", "lazy"])
def test_layer_2_discovery_starts_the_handoff_or_waits_for_the_end_of_the_old_link(procedure, detection):
    """Lazy: every procedure registers over the new link, the only one, at 600."""
    view = RunView(DISCOVERED.setup(down=[1800], options={"detection": detection}), procedure)
    _, to, sent = from_mobile(view)[0]
    eager_link = "old" if PROCEDURES[procedure].predictive else "new"
    assert (to, sent) == ((eager_link, 500) if detection == "eager" else ("new", 600))
    assert view.run.handoffs["open_ps"].tolist() == [sent * MS]
    assert view.run.handoffs["completed"].tolist() == [1]


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
def test_lazy_detection_misses_the_marker_and_falls_back(procedure):
    """The update to the old router leaves with the request, over the new link."""
    hops = from_mobile(RunView(DISCOVERED.setup(down=[1800], options={"detection": "lazy"}), procedure))
    assert (PROCEDURES[procedure].rescue[0].message, "new", 600) in hops
    assert {(to, sent) for _, to, sent in hops} == {("new", 600)}


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize(
    ("warn", "scenario", "update"),
    [(520, 2, 520), (590, 1, None), (450, 3, 500)],  # before any marker (523); after all (559); before the discovery
)
def test_a_discovered_handoff_follows_the_scenarios_of_a_predicted_one(procedure, warn, scenario, update):
    leaves, comes = DISCOVERED.stays
    scene = Scene([Stay("old", down=leaves.down, warn=warn), comes])
    view = RunView(scene.setup(down=[1800]), procedure)
    messages = [(s.message, "old", 500) for s in PROCEDURES[procedure].signalling if s.on == "predict"]
    if update is not None:
        messages.append((PROCEDURES[procedure].rescue[0].message, "old", update))
    assert from_mobile(view) == messages
    assert view.run.handoffs["scenario"].tolist() == [scenario]
    assert view.run.handoffs["known_ps"].tolist() == [500 * MS]


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("predict", [450, 500, 510, 550])
def test_prediction_and_discovery_make_one_request(procedure, predict):
    """Whichever comes first, at 500 at the latest. At 510 no reply has arrived yet (526)."""
    leaves, comes = DISCOVERED.stays
    scene = Scene([Stay("old", down=leaves.down, predict=predict), comes])
    view = RunView(scene.setup(down=[1800]), procedure)
    requests = [s.message for s in PROCEDURES[procedure].signalling if s.on == "predict"]
    assert from_mobile(view) == [(message, "old", min(predict, 500)) for message in requests]
    assert view.run.handoffs["open_ps"].tolist() == [min(predict, 500) * MS]
    assert view.run.handoffs["known_ps"].tolist() == [min(predict, 500) * MS]


def test_discovery_makes_up_for_a_lost_advertisement():
    """Layer 2 should have carried it at 500; the new link, up since 480, shows the router at 580."""
    stays = [Stay("old", down=640, predict=500, warn=630), Stay("new", up=480)]
    view = RunView(Scene(stays, loss=["new>old"]).setup(options={"prediction": "piggyback"}), "sync-mipv4")
    assert from_mobile(view) == [("RQ", "old", 580)]
    assert view.run.handoffs["known_ps"].tolist() == [580 * MS]
    assert view.run.handoffs["scenario"].tolist() == [1], "the marker arrives at 580 + 37"


@pytest.mark.parametrize("procedure", ["mipv4", "mipv4-smooth", "mipv6", "mipv6-ro", "pmipv6"])
def test_a_conventional_handoff_with_two_links_loses_nothing(procedure):
    """One packet a ms each way.

    With lazy detection the home agent binds at 618. Packets sent from 567 to 597 reach the old router after 596 then, and remain
    there if nobody asks for them.
    """
    assert DISCOVERED.run(procedure, down=range(400, 900), up=range(400, 900)).result.fate_counts() == {"delivered": 1000}
    lazy = DISCOVERED.run(procedure, down=range(400, 900), up=range(400, 900), detection="lazy").result.fate_counts()
    remain = {"in flight": 31} if procedure in ("mipv4", "pmipv6") else {}
    assert lazy == {"delivered": 1000 - sum(remain.values())} | remain


@pytest.mark.parametrize("procedure", ["mipv4", "mipv4-smooth", "mipv6", "mipv6-ro", "pmipv6"])
@pytest.mark.parametrize("detection", ["eager", "lazy"])
@pytest.mark.parametrize("predict", [390, 450, 590])
def test_a_prediction_changes_nothing_for_a_conventional_procedure(procedure, detection, predict):
    """They register after the move, which movement detection finds (RFC 5944 2.4.2): at 500, or lazily at the end of the link."""
    leaves, comes = DISCOVERED.stays
    options = {"detection": detection, "old_buffer_packets": 0}
    messages, fates = [], []
    for scene in (DISCOVERED, Scene([Stay("old", down=leaves.down, predict=predict), comes])):
        view = RunView(scene.setup(down=range(400, 900), up=range(400, 900), options=options), procedure)
        messages.append(from_mobile(view))
        fates.append(view.run.result.fate_counts())
    assert messages[0] == messages[1]
    assert fates[0] == fates[1]
    assert (fates[0]["delivered"] == 1000) == (detection == "eager")


@pytest.mark.parametrize("procedure", ["mipv4", "mipv6", "sync-mipv4"])
def test_a_prediction_before_the_discovery_of_the_present_router_does_not_begin_the_handoff_before_again(procedure):
    """The second move is predicted at 605; the router of the first one is discovered at 610."""
    stays = [Stay("old", down=500), Stay("new", up=510, predict=605, down=640), Stay("old", up=650)]
    run = Scene(stays).run(procedure, down=range(450, 800, 10))
    assert run.handoffs["index"].tolist() == [0, 1]
