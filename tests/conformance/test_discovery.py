"""Discovery of the new router after the move, and movement detection (RFC 5944 2.3, 2.4; RFC 4861, 4862).

The old link goes down at 500 ms and the new one comes up at 700 (BREAK), or the new one comes up at 600 and the old one lasts
until 3000 (OVERLAP).
The times of advertisements are random; the tests query them and check the consequences.
"""

import numpy as np
import pytest

from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable
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


def test_eager_cell_switching_leaves_a_working_link():
    view = RunView(OVERLAP.setup(options=EVERY_100), "mipv4")
    sent = next(t for t in advertisement_times(OVERLAP, "new", EVERY_100) if t > 600)
    assert first_request(view) == sent + 5
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
