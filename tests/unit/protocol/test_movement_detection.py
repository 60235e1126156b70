"""Tests of handoff.protocol.movement_detection, with a controller that records what it is asked to do."""

import pytest

from handoff.protocol.constants import PERIODIC, RESTARTED, SOLICITED, Status
from handoff.protocol.mobile_node_state import MobileNodeState
from handoff.protocol.movement_detection import MovementDetector
from handoff.protocol.program import DISCOVERED, SOLICIT
from handoff.protocol.registration import RegistrationClient
from tests.unit.protocol.parts import MS, SECOND, RecordingContext, build_parts


class RecordingClient(RegistrationClient):
    """Client that sends nothing."""

    def __init__(self, p, nodes):
        super().__init__(p.program, p.roles, {}, nodes.router)
        self.calls = nodes.calls

    def send(self, ctx, state, number, peer, old, new):
        self.calls.append(("send", number, new))


class RecordingNodes:
    """Controller of the mobile nodes: attachment 0 is at ``old`` until 500 ms, attachment 1 at ``new``."""

    def __init__(self, p):
        self.router, self.down_ps, self.first = [p.old, p.new], [500 * MS, 10**15], [0, 2]
        self.calls = []
        self.client = RecordingClient(p, self)

    def on_router_discovered(self, ctx, state, attachment):
        self.calls.append(("discovered", attachment))

    def start_registration(self, ctx, state, event, old, new):
        self.calls.append(("register", event, old, new))


def detector(procedure="mipv4", links=(1,), router="old", time_ps=SECOND, **options):
    p = build_parts(procedure, **options)
    nodes = RecordingNodes(p)
    state = MobileNodeState()
    state.links, state.router = links, getattr(p, router) if router else -1
    return p, MovementDetector(p.program, p.roles, nodes), nodes, state, RecordingContext(time_ps)


def test_layer_2_names_the_router_after_a_fixed_time():
    _, detection, _, state, ctx = detector(agent_discovery_ps=100 * MS)
    detection.on_link_up(ctx, state, 1)
    assert ctx.take() == [("timer", (1100 * MS, DISCOVERED, 1), {})]


def test_the_address_is_checked_after_discovery_by_layer_2():
    """RFC 4862 5.4: 1 s in the profile ``rfc``."""
    _, detection, _, state, ctx = detector("mipv6", profile="rfc", agent_discovery_ps=100 * MS)
    detection.on_link_up(ctx, state, 1)
    assert ctx.take() == [("timer", (2100 * MS, DISCOVERED, 1), {})]


def test_with_advertisements_a_mobile_node_waits():
    _, detection, _, state, ctx = detector(discovery="advertisement")
    detection.on_link_up(ctx, state, 1)
    assert ctx.take() == []


def test_at_most_three_solicitations_are_sent_four_seconds_apart():
    """RFC 4861 10."""
    p, detection, nodes, state, ctx = detector(discovery="solicitation")
    detection.on_link_up(ctx, state, 1)
    sent_at = []
    while timers := ctx.take("timer"):
        ((at, code, argument), _), = timers
        assert code == SOLICIT
        ctx.time_ps = at
        detection.solicit(ctx, state, argument)
        sent_at.append(at)
    assert sent_at == [SECOND, 5 * SECOND, 9 * SECOND]
    assert nodes.calls == [("send", p.program.solicitation, p.new)] * 3


@pytest.mark.parametrize("reason", ["link down", "registered", "advertisement received"])
def test_a_solicitation_is_not_sent_in_vain(reason):
    p, detection, nodes, state, ctx = detector(discovery="solicitation")
    if reason == "link down":
        state.links = ()
    elif reason == "registered":
        state.router = p.new
    else:
        state.detecting = 1
    detection.solicit(ctx, state, 1 * 8)
    assert (nodes.calls, ctx.take()) == ([], [])


def test_an_advertisement_of_a_new_router_is_accepted_at_once():
    p, detection, _, state, ctx = detector(discovery="advertisement")
    detection.advertisement_received(ctx, state, p.new, Status.ACCEPTED)
    assert ctx.take() == [("timer", (SECOND, DISCOVERED, 1), {})]
    assert (state.detecting, state.known_attachments) == (1, (1,))
    detection.advertisement_received(ctx, state, p.new, Status.ACCEPTED)
    assert ctx.take() == [], "it is being accepted already"


def test_an_advertisement_over_a_link_that_is_down_is_ignored():
    p, detection, _, state, ctx = detector(discovery="advertisement", links=())
    detection.advertisement_received(ctx, state, p.new, Status.ACCEPTED)
    assert (ctx.take(), state.known_attachments) == ([], ())


def test_a_restarted_router_is_registered_with_again():
    """RFC 5944 2.3.2."""
    p, detection, nodes, state, ctx = detector(router="new")
    detection.advertisement_received(ctx, state, p.new, 1)
    assert nodes.calls == [("register", "move", p.new, p.new)]
    nodes.calls.clear()
    state.registration_request = 7
    detection.advertisement_received(ctx, state, p.new, 1)
    assert nodes.calls == [], "a request is pending"


def test_lazy_detection_keeps_a_router_whose_link_is_up():
    p, detection, _, state, ctx = detector(discovery="advertisement", detection="lazy", links=(0, 1))
    detection.advertisement_received(ctx, state, p.new, Status.ACCEPTED)
    assert ctx.take() == []


def test_lazy_detection_waits_for_the_end_of_the_advertisement_lifetime():
    """RFC 5944 2.4.2.1; the link ended at 500 ms, advertisements come every 400 ms and live three intervals."""
    options = {"advertisement_min_ps": 400 * MS, "advertisement_max_ps": 400 * MS}
    p, detection, _, state, ctx = detector(discovery="advertisement", detection="lazy", **options)
    last = p.roles.advertisements.last_before(p.old, 500 * MS)
    assert last > 100 * MS
    detection.advertisement_received(ctx, state, p.new, Status.ACCEPTED)
    assert ctx.take() == [("timer", (last + 1200 * MS, DISCOVERED, 1), {})]


def test_the_profile_rfc_registers_at_most_once_a_second():
    """RFC 5944 3.6.1."""
    p, detection, _, state, ctx = detector(discovery="advertisement", profile="rfc")
    state.last_move_request_ps = 800 * MS
    detection.advertisement_received(ctx, state, p.new, Status.ACCEPTED)
    assert ctx.take() == [("timer", (1800 * MS, DISCOVERED, 1), {})]


@pytest.mark.parametrize("profile", ["patent", "rfc"])
def test_only_the_profile_rfc_delays_a_solicitation_at_random(profile):
    """Up to 1 s (RFC 4861 10)."""
    _, detection, _, state, ctx = detector(discovery="solicitation", profile=profile)
    delays = []
    for _ in range(20):
        detection.on_link_up(ctx, state, 1)
        (((at, _, _), _),) = ctx.take("timer")
        delays.append(at - SECOND)
    assert len(set(delays)) == (20 if profile == "rfc" else 1)
    assert 0 <= min(delays) <= max(delays) < SECOND


@pytest.mark.parametrize("discovery", ["advertisement", "solicitation"])
@pytest.mark.parametrize(("procedure", "kind", "delayed"), [
    ("mipv6", PERIODIC, True), ("mipv6", RESTARTED, True), ("mipv6", SOLICITED, False), ("mipv4", PERIODIC, False),
])  # fmt: skip
def test_only_a_multicast_advertisement_delays_the_address_check_at_random(discovery, procedure, kind, delayed):
    """RFC 4862 5.4.2, in the profile ``rfc``: up to 1 s before the check of 1 s. The answer to a solicitation is unicast."""
    checks, delays = procedure == "mipv6", []
    p, detection, _, state, ctx = detector(procedure, discovery=discovery, profile="rfc")
    for _ in range(20):
        state.detecting = -1
        detection.advertisement_received(ctx, state, p.new, kind)
        (((at, code, _), _),) = ctx.take("timer")
        assert code == DISCOVERED
        delays.append(at - SECOND - checks * SECOND)
    assert len(set(delays)) == (20 if delayed else 1)
    assert 0 <= min(delays) <= max(delays) < SECOND


def test_a_known_router_is_used_when_the_other_link_goes_down():
    _, detection, nodes, state, ctx = detector()
    detection.on_other_link_lost(ctx, state, 1)
    assert nodes.calls == [], "its router is not known"
    state.learn_router(1)
    detection.on_other_link_lost(ctx, state, 1)
    assert nodes.calls == [("discovered", 1)]


@pytest.mark.parametrize("procedure", ["mipv4", "sync-mipv4"])
@pytest.mark.parametrize("discovery", ["advertisement", "layer2"])
@pytest.mark.parametrize(("detection", "eager"), [("eager", True), ("lazy", False)])
def test_every_way_of_discovery_may_cause_an_eager_move(procedure, discovery, detection, eager):
    """Decision 31."""
    assert detector(procedure, discovery=discovery, detection=detection)[1].eager == eager
