"""The profile ``rfc`` compared with ``patent``: address checks, return routability, timers, rates and lifetimes.

Each mechanism is also tested alone. Expectations are computed by hand from the delays of ``two_router_scene`` and the sections
that the constants cite (RFC 5944, 6275, 4862).
"""

from itertools import pairwise

import numpy as np
import pytest

from engine import FOREVER, Network
from engine.rng import random_word
from handoff.protocol import constants
from handoff.protocol.setup import Attachments, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.initial_state import PURPOSE_AGE
from handoff.simulation.run import run_procedure
from tests.conformance.cases import BREAK
from tests.conformance.run_assertions import Hop, RunView
from tests.conformance.two_router_scene import Scene, Stay

MS = 10**9
DUAL = Scene([Stay("old", down=3000, predict=500, warn=2990), Stay("new", up=520)])
NO_WAY = Scene(DUAL.stays, loss=["new>ha"], until=100_000)


def test_constants_have_the_values_of_the_rfcs():
    s = constants.SECOND
    values = {
        "SECOND": 1000 * MS, "REGISTRATION_RETRANSMIT": s, "REGISTRATION_PROCESSING": s // 10,  # RFC 5944 3.6.3
        "IDENTIFICATION_TOLERANCE": 7 * s, "MAX_LIFETIME_S": 2**16 - 2,  # 5.7.1, 3.3
        "ADVERTISEMENT_INTERVAL": s, "ADVERTISEMENTS_IN_LIFETIME": 3,  # 2.3, 2.3.1
        "INITIAL_BINDACK_TIMEOUT": s, "INITIAL_BINDACK_TIMEOUT_FIRST_REG": 3 * s // 2, "MAX_BINDACK_TIMEOUT": 32 * s,  # RFC 6275
        "MAX_RR_BINDING_LIFETIME_S": 420, "MAX_TOKEN_LIFETIME": 210 * s, "MAX_NONCE_LIFETIME": 240 * s, "MAX_UPDATE_RATE": 3,
        "DHAAD_TIMEOUT": 3 * s, "DHAAD_RETRIES": 4,
        "MAX_RTR_SOLICITATION_DELAY": s, "RTR_SOLICITATION_INTERVAL": 4 * s, "MAX_RTR_SOLICITATIONS": 3,  # RFC 4861 10
        "DUPLICATE_ADDRESS_DETECTION": s,  # RFC 4862 5.1
    }  # fmt: skip
    assert {name: getattr(constants, name) for name in values} == values
    # a valid token implies a valid nonce
    assert constants.MAX_TOKEN_LIFETIME + constants.NONCE_INTERVAL <= constants.MAX_NONCE_LIFETIME


# -- timers and rates (decision 26) ----------------------------------------------------------------------------------------
def sent(view, message):
    return [a.time_ps / MS for a in view.sends(message)]


@pytest.mark.parametrize(
    ("procedure", "options", "waits"),
    [
        ("sync-mipv4", {}, [1, 2, 4, 8, 16, 32, 32]),
        ("sync-mipv4", {"retransmit_max_ps": 4000 * MS}, [1, 2, 4, 4, 4]),
        ("sync-mipv4", {"retransmit_ps": 1500 * MS}, [1.5, 3, 6, 12, 24, 32]),
        ("sync-mipv4", {"profile": "rfc"}, [1, 2, 4, 8, 16, 32]),  # the limit is the lifetime: the next one would come 64 s later
        ("sync-mipv4", {"profile": "rfc", "lifetime_s": 10}, [1, 2, 4, 8, 10, 10]),
        ("sync-mipv6", {"profile": "rfc", "dad_ps": 0}, [1, 2, 4, 8, 16, 32, 32]),
    ],
)
def test_waits_double_up_to_a_limit(procedure, options, waits):
    """RFC 5944 3.6.3: up to the requested lifetime. RFC 6275 11.8: up to MAX_BINDACK_TIMEOUT, and on at that rate."""
    times = sent(RunView(NO_WAY.setup(options=options), procedure), "RQ" if procedure == "sync-mipv4" else "BU")
    gaps = [(b - a) / 1000 for a, b in pairwise(times)]
    assert gaps[: len(waits)] == waits
    assert len(gaps) == len(waits) or options.get("retransmit_max_ps") or options.get("lifetime_s")


def first_registration(procedure, **options):
    """Return the updates (ms) of a mobile node whose link comes up at 300; their number follows from the first wait."""
    view = RunView(Scene([Stay("old", up=300)], until=5000).setup(options=options), procedure)
    return sent(view, "BU1" if procedure == "mipv6" else "RQ")


def test_a_first_binding_update_waits_for_the_address_check_at_the_home_agent():
    """The check takes 1 s and the way 29 ms: with a first wait of 1 s the update would be sent twice."""
    assert first_registration("mipv6", profile="rfc", dad_ps=0) == [400]
    assert len(first_registration("mipv6", profile="rfc")) == 1


def test_the_first_wait_of_a_first_binding_update_can_be_set():
    """InitialBindackTimeoutFirstReg (RFC 6275 13). The link is up at 300, and the update leaves at 400 + 1000 for its address.

    The home agent checks for 1 s and is 14.5 ms away: its answer comes 1029 ms after the update.
    """
    assert first_registration("mipv6", profile="rfc", retransmit_first_ps=1028 * MS) == [1400, 2428]
    assert first_registration("mipv6", profile="rfc", retransmit_first_ps=1030 * MS) == [1400]


@pytest.mark.parametrize(("profile", "again"), [("patent", [1500]), ("rfc", [])])
def test_the_first_wait_is_at_least_two_round_trips_and_a_tenth_of_a_second(profile, again):
    """The home agent is 500 ms away: the reply to a request of 500 arrives at 1521. First wait: 1 s, or 2 × 1010 + 100 ms."""
    nodes = ("cn", "peer", "old", "new", "gw", "gw2")
    far = {f"{a}>{b}": 500 for n in nodes for a, b in ((n, "ha"), ("ha", n))}
    stays = [Stay("old", down=3000, predict=500), Stay("new", up=501)]
    view = RunView(Scene(stays, until=2400, delays=far).setup(options={"profile": profile}), "sync-mipv4")
    assert sent(view, "RQ") == [500, *again]
    lost = RunView(Scene(stays, until=2900, delays=far, loss=["new>ha"]).setup(options={"profile": profile}), "sync-mipv4")
    assert sent(lost, "RQ")[1] == (1500 if profile == "patent" else 500 + 2120)


PING_PONG = Scene(
    [Stay("old", down=500)] + [Stay(("new", "old")[i % 2], up=510 + 150 * i, down=650 + 150 * i) for i in range(5)]
    + [Stay("old", up=1300)], until=3000,
)  # fmt: skip
"""Six moves with immediate discovery: requests at 510, 660, 810, 960, 1110 and 1300."""


@pytest.mark.parametrize(
    ("profile", "times"),
    [("patent", [510, 660, 810, 960, 1110, 1300]), ("rfc", [510, 660, 810, 1510])],  # the fourth a second after the first
)
def test_at_most_three_updates_a_second_go_to_one_node(profile, times):
    """MAX_UPDATE_RATE (RFC 6275 11.8, 12); a held update is sent as soon as the limit permits it."""
    view = RunView(PING_PONG.setup(options={"profile": profile, "dad_ps": 0, "agent_discovery_ps": 0}), "mipv6")
    assert sent(view, "BU1") == times
    assert view.run.handoffs["completed"].tolist()[-1] == 1
    assert view.run.handoffs["retransmissions"].sum() == 0
    assert view.table("ha", 2900) == ["old"]


def test_a_rate_limited_update_has_the_usual_first_wait():
    """No reply arrives; the update of 1510 is retransmitted after 1 s."""
    scene = Scene(PING_PONG.stays, until=3000, loss=["old>ha", "new>ha"])
    options = {"profile": "rfc", "dad_ps": 0, "agent_discovery_ps": 0}
    assert sent(RunView(scene.setup(options=options), "mipv6"), "BU1") == [510, 660, 810, 1510, 2510]


def test_updates_and_deregistrations_share_a_rate_limit():
    """Two of each in half a second are four: the last one waits until a second after the first."""
    scene = Scene([Stay("old", down=600, predict=500), Stay("new", up=520, down=2000, predict=800), Stay("old", up=820)])
    for profile, last in (("patent", 800), ("rfc", 1500)):
        view = RunView(scene.setup(options={"profile": profile, "dad_ps": 0}), "sync-mipv6")
        assert (sent(view, "BU"), sent(view, "DBU")) == ([500, 800], [500, last])


@pytest.mark.parametrize(("profile", "least"), [("patent", 150), ("rfc", 1000)])
def test_advertisements_make_a_mobile_node_register_at_most_once_a_second(profile, least):
    """RFC 5944 3.6.1: the same moves with discovery by solicitation, which takes only the time of transmission."""
    assert constants.REGISTRATION_INTERVAL == constants.SECOND
    never = 10**16
    options = {"profile": profile, "discovery": "solicitation", "advertisement_min_ps": never, "advertisement_max_ps": never}
    moves = [Stay(s.router, up=s.up, down=s.down) for s in PING_PONG.stays]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("handoff.protocol.movement_detection.MAX_RTR_SOLICITATION_DELAY", 1)
        times = sent(RunView(Scene(moves, until=3000).setup(options=options), "mipv4"), "RQ")
    assert min(b - a for a, b in pairwise(times)) >= least - 10
    assert (len(times) > 3) == (profile == "patent")


@pytest.mark.parametrize("rate", [1, 2])
def test_the_rate_limit_holds_in_every_second(rate, monkeypatch):
    monkeypatch.setattr("handoff.protocol.registration.MAX_UPDATE_RATE", rate)
    options = {"profile": "rfc", "dad_ps": 0, "agent_discovery_ps": 0}
    times = sent(RunView(PING_PONG.setup(options=options), "mipv6"), "BU1")
    assert all(b - a >= 1000 for a, b in zip(times, times[rate:], strict=False))
    assert len(times) == rate + 1


# -- duplicate address detection (decision 22) --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "check"), [({}, 0), ({"dad_ps": 30 * MS}, 30), ({"profile": "rfc"}, 1000), ({"profile": "rfc", "dad_ps": 0}, 0)]
)
def test_an_address_is_checked_before_it_is_used(options, check):
    """Before the move the new router checks it at 510; after a move without a warning the mobile node checks it at 800."""
    view = RunView(DUAL.setup(options=options), "sync-mipv6")
    assert next(h for h in view.hops() if h.source == "new") == Hop("BU", "new", "ha", 510 + check, 523 + check)
    assert sent(view, "BU") == [500], "the first wait for an answer allows for the check"
    assert sent(RunView(BREAK.setup(options=options), "mipv6"), "BU1") == [800 + check]


def test_an_address_is_checked_only_once():
    """The new router checks it from 510 to 1610. Without a reply the update comes again over the new link, 1 s + 1.1 s later."""
    scene = Scene(DUAL.stays, loss=["new>ha"], until=4000)
    view = RunView(scene.setup(options={"dad_ps": 1100 * MS}), "sync-mipv6")
    assert sent(view, "BU") == [500, 2600]
    assert [h.sent for h in view.hops() if h.source == "new" and h.message == "BU"] == [1610, 2605]


@pytest.mark.parametrize("procedure", ["mipv4", "pmipv6"])
def test_a_care_of_address_of_the_router_is_not_checked(procedure):
    view = RunView(BREAK.setup(options={"profile": "rfc"}), procedure)
    assert view.hops()[0].sent == 800


# -- return routability (decision 23; RFC 6275 5.2) ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "tests", "bound"),
    [
        ({}, {}, 833),  # from 800 to the new router (805) and the correspondent (832), which takes 1 ms
        (
            {"return_routability": True},
            # registered with the home agent at 835; home test 840, 853, 874, 895, 907, 912; care-of test 805, 833, 860
            {"HoTI2": 835, "CoTI2": 800, "BU2": 912},
            912 + 5 + 27 + 1,
        ),
    ],
)
def test_a_correspondent_tests_both_addresses_first(options, tests, bound):
    view = RunView(BREAK.setup(down=[100], options=options), "mipv6-ro")
    assert {m: sent(view, m)[0] for m in tests} == tests
    assert ("HoTI2" in {h.message for h in view.hops()}) == bool(tests)
    assert [view.table("cn", t) for t in (bound - 0.001, bound)] == [["old"], ["new"]]


def test_a_deregistration_needs_the_home_token_only():
    """Before the move, HoTI through the old router reaches the correspondent at 536, and HoT arrives at 571. The care-of test,
    which is lost on the new link here, is not required for the deregistration."""
    options = {"return_routability": True}
    view = RunView(DUAL.setup(down=[100], options=options), "sync-mipv6-ro")
    assert [sent(view, m)[0] for m in ("HoTI1", "CoTI1", "DBU", "BU2")] == [500, 500, 571, 571]
    lossy = RunView(Scene(DUAL.stays, loss=["cn>new"]).setup(down=[100], options=options), "sync-mipv6-ro")
    assert sent(lossy, "DBU") == [571]
    assert sent(lossy, "BU2") == []


@pytest.mark.parametrize(("second", "tests"), [(100, 1), (205, 1), (212, 2)])
def test_a_home_token_is_valid_for_210_s(second, tests):
    """The token arrives at 912 ms. The next move comes at ``second``; the refresh at 210.95 s needs a new token or not."""
    stays = [Stay("old", down=500), Stay("new", up=700, down=second * 1000), Stay("old", up=second * 1000 + 1)]
    options = {"return_routability": True, "lifetime_s": 60_000}
    view = RunView(Scene(stays, until=second * 1000 + 1500).setup(down=[100], options=options), "mipv6-ro")
    assert len(sent(view, "HoTI2")) == tests


@pytest.mark.parametrize(("options", "until"), [({}, None), ({"return_routability": True}, 945 + 420_000)])
def test_a_binding_protected_by_return_routability_lasts_420_s(options, until):
    """MAX_RR_BINDING_LIFETIME: the binding is made at 945 ms and not refreshed, since the mobile node has no link."""
    stays = [Stay("old", down=500), Stay("new", up=700, down=1000)]
    view = RunView(Scene(stays, until=430_000).setup(down=[100], options=options | {"lifetime_s": 1200}), "mipv6-ro")
    end = until or 833 + 1_200_000
    assert [view.table("cn", t) for t in (end - 0.001, end)] == [["new"], None]


# -- authentication and its service time ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ({"authentication_service_ps": 5 * MS}, 523),  # without authentication
        ({"authentication_service_ps": 5 * MS, "authentication": True}, 528),
        ({"authentication_service_ps": 5 * MS, "profile": "rfc"}, 528),
        ({"authentication_service_ps": 5 * MS, "profile": "rfc", "authentication": False}, 523),
    ],
)
def test_authentication_takes_time_at_an_anchor(options, bound):
    view = RunView(DUAL.setup(options=options), "sync-mipv4")
    assert [view.table("ha", t) for t in (bound - 0.001, bound)] == [["old"], ["new"]]


@pytest.mark.parametrize("procedure", ["sync-mipv4", "sync-hmipv4", "sync-mipv4-ro"])
def test_the_update_to_the_old_router_has_a_current_timestamp(procedure):
    """Timestamps are valid for 7 s. The last request leaves at 500 ms, the warning comes at 9000, and the marker is lost."""
    stays = [Stay("old", down=9100, predict=500, warn=9000), Stay("new", up=520)]
    scene = Scene(stays, loss=["ha>old", "gw>old", "cn>old", "ha>gw"], until=10_000)
    for profile in ("patent", "rfc"):
        view = RunView(scene.setup(down=[100], options={"profile": profile}), procedure)
        assert [view.table("old", t) for t in (9003.999, 9004)] == ["local", ["new"]], profile
        assert "replayed" not in view.run.result.fate_counts(control=True)


# -- lifetimes ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lifetime", [2, 6])
def test_a_registration_is_refreshed_at_half_its_lifetime(lifetime):
    """The reply of the move arrives at 540."""
    view = RunView(Scene(DUAL.stays, until=10_000).setup(options={"lifetime_s": lifetime}), "sync-mipv4")
    after = [t for t in sent(view, "RQ") if t > 540]
    assert after[0] == 540 + lifetime * 500
    assert view.table("ha", after[0] - 1) == ["new"]


def test_the_age_of_initial_registrations_is_drawn_independently_of_the_duration():
    """The refresh comes at half of 600 s; a request takes 7 ms to the home agent, and 60 s are a fifth of that half."""
    net = Network()
    net.node("ha", registration="1us"), net.node("ar")
    net.link("ha", "ar", delay="5ms", both=True)
    net.cell("ar", delay="2ms")
    mobiles, nothing = np.array(net.mobiles(1000, home="ha")), np.full(1000, -1)
    here = Attachments(mobiles, np.ones_like(mobiles), nothing + 1, np.full(1000, FOREVER), nothing, nothing)
    run = run_procedure(Setup(net, 0, here, 60 * 10**12), "mipv4", seed=5, reference=ZERO_BYTES)
    half = 300 * 10**12
    firsts = [half - (random_word(5, PURPOSE_AGE, key, 0) * half >> 64) for key in net.mobile_keys().tolist()]
    due = sum(first + 7 * 10**9 < 60 * 10**12 for first in firsts)
    assert run.result.nodes["registered"][0] == due
    assert 160 < due < 240


def test_the_default_lifetime_is_refreshed_too():
    view = RunView(Scene(DUAL.stays, until=700_000).setup(), "sync-mipv4")
    assert [t for t in sent(view, "RQ") if t > 540] == [300_540, 600_575]
