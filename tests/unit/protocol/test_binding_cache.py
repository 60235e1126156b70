"""Tests of handoff.protocol.binding_cache, with a context that records actions."""

import pytest

from engine import FOREVER
from handoff.protocol.binding_cache import NO_BINDING, BindingCache
from handoff.protocol.messages import MessageFields
from handoff.protocol.program import RELEASE
from tests.conformance.two_router_scene import Stay
from tests.unit.protocol.parts import MS, SECOND, RecordingContext, build_parts


def cache(procedure="sync-mipv6", **options):
    p = build_parts(procedure, **options)
    return p, BindingCache(p.program, p.roles), RecordingContext(time_ps=SECOND)


def request(p, identification, lifetime_s=600):
    return MessageFields(0, 0, p.old, p.new, -1, identification, lifetime_s)


def test_before_any_message_the_binding_is_that_of_time_0():
    p, bindings, _ = cache()
    assert bindings.current("HA", 0) == p.old


def test_a_binding_replaces_the_old_one_for_its_lifetime():
    p, bindings, ctx = cache()
    bindings.bind(ctx, "HA", request(p, 1), simultaneous=False)
    assert ctx.take() == [
        (
            "bind", (p.new,),
            {"until_ps": 601 * SECOND, "simultaneous": False, "hostile": False, "header_bytes": 40, "end": "mobile"},
        ),
    ]  # fmt: skip
    assert bindings.current("HA", 0) == p.new


def test_a_simultaneous_binding_keeps_the_old_one_for_a_while():
    p, bindings, ctx = cache("mipv4-bicast", bicast_ps=200 * MS)
    bindings.bind(ctx, "HA", request(p, 1), simultaneous=True)
    (old, old_arguments), (new, new_arguments) = ctx.take("bind")
    assert (old, new) == ((p.old,), (p.new,))
    assert old_arguments["until_ps"] == SECOND + 200 * MS
    assert new_arguments["simultaneous"]
    assert p.roles.simultaneous_bindings == 1


@pytest.mark.parametrize(
    ("bound_ms", "down_ms", "end_ms"),
    [
        (523, 600, 600 + 150),  # until the old link is down, and the linger time longer
        (700, 600, 700 + 150),  # it is down already
        (523, None, FOREVER // MS),
    ],
)
def test_a_simultaneous_binding_lasts_until_the_old_link_is_down(bound_ms, down_ms, end_ms):
    """Decision 29: "during the whole handoff process and also for a period of time after handoff completion"."""
    stays = Stay("old", down=down_ms, predict=500), Stay("new", up=520)
    p, bindings, ctx = cache("mipv4-bicast", stays=stays, bicast_linger_ps=150 * MS)
    ctx.time_ps = bound_ms * MS
    bindings.bind(ctx, "HA", request(p, 1), simultaneous=True)
    assert ctx.take("bind")[0][1]["until_ps"] // MS == end_ms


def test_the_old_link_of_a_simultaneous_binding_is_the_latest_one():
    """The mobile node was at ``old`` before, and will come back to it."""
    stays = Stay("old", down=100), Stay("new", up=100, down=200), Stay("old", up=200, down=600), Stay("new", up=520, down=900)
    p, bindings, ctx = cache("mipv4-bicast", stays=(*stays, Stay("old", up=900)))
    ctx.time_ps = 523 * MS
    bindings.bind(ctx, "HA", request(p, 1), simultaneous=True)
    assert ctx.take("bind")[0][1]["until_ps"] == (600 + 200) * MS


def test_a_refresh_is_not_simultaneous():
    p, bindings, ctx = cache("mipv4-bicast")
    bindings.bind(ctx, "HA", request(p, 1).replace(new=p.old), simultaneous=True)
    assert [arguments["simultaneous"] for _, arguments in ctx.take("bind")] == [False]
    assert p.roles.simultaneous_bindings == 0


def test_a_hierarchical_home_agent_binds_to_the_gateway():
    p, bindings, ctx = cache("sync-hmipv6", regions=2)
    bindings.bind(ctx, "HA", request(p, 1), simultaneous=False)
    assert ctx.take("bind")[0][0] == (p.gw2,)


def test_return_routability_limits_the_lifetime_at_a_correspondent():
    """420 s (RFC 6275 12)."""
    p, bindings, ctx = cache("mipv6-ro", return_routability=True)
    bindings.bind(ctx, "CN", request(p, 1), simultaneous=False)
    bindings.bind(ctx, "HA", request(p, 2), simultaneous=False)
    assert [arguments["until_ps"] for _, arguments in ctx.take("bind")] == [421 * SECOND, 601 * SECOND]


# -- sequence numbers (decision 2) ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("identification", "newer"), [(4, False), (5, False), (6, True)])
def test_a_request_must_be_newer_than_the_binding(identification, newer):
    p, bindings, ctx = cache()
    bindings.bind(ctx, "HA", request(p, 5), simultaneous=False)
    assert bindings.is_newer("HA", request(p, identification), 0, deletes=False) == newer


def test_a_deregistration_of_another_care_of_address_has_its_own_numbers():
    p, bindings, ctx = cache()
    bindings.bind(ctx, "HA", request(p, 5), simultaneous=False)
    assert bindings.is_newer("HA", request(p, 2), 0, deletes=True), "it deletes old, and the binding is to new"
    assert not bindings.is_newer("HA", request(p, 2).replace(old=p.new), 0, deletes=True)


def test_with_a_shared_counter_every_accepted_message_counts():
    p, bindings, ctx = cache(sequence="shared", race="patent")
    bindings.delete(ctx, "HA", request(p, 2))
    assert not bindings.is_newer("HA", request(p, 1), 0, deletes=False)
    assert bindings.is_newer("HA", request(p, 3), 0, deletes=False)


# -- deregistrations (decisions 1 and 3) ----------------------------------------------------------------------------------
def test_a_deregistration_after_its_registration_leaves_the_new_binding():
    p, bindings, ctx = cache()
    bindings.bind(ctx, "HA", request(p, 1), simultaneous=False)
    ctx.take()
    assert bindings.delete(ctx, "HA", request(p, 2))
    assert ctx.take() == []
    assert bindings.current("HA", 0) == p.new


def test_hold_defers_a_deregistration_that_overtakes_its_registration():
    p, bindings, ctx = cache()
    assert not bindings.delete(ctx, "HA", request(p, 2))
    assert ctx.take() == [("timer", (11 * SECOND, RELEASE, 2), {})], "10 s (RFC 5213 6.9.1)"
    assert bindings.current("HA", 0) == p.old
    assert bindings.pop_deferred(ctx, p.ha) == request(p, 2)
    assert bindings.pop_deferred(ctx, p.ha) is None
    assert bindings.current("HA", 0) == p.old, "the registration replaces the binding, not the deregistration"


def test_a_retransmitted_deregistration_does_not_extend_the_wait():
    p, bindings, ctx = cache()
    bindings.delete(ctx, "HA", request(p, 2))
    ctx.take()
    bindings.delete(ctx, "HA", request(p, 3))
    assert ctx.take("timer") == []
    assert bindings.pop_deferred(ctx, p.ha, 3) is None, "the timer carries the number of the first transmission"
    assert bindings.pop_deferred(ctx, p.ha, 2) == request(p, 3)
    assert bindings.current("HA", 0) == NO_BINDING, "the longest wait is over"
    assert ctx.names() == ["unbind"]


@pytest.mark.parametrize(("race", "after_late"), [("patent", "new"), ("rfc6275", None)])
def test_patent_and_rfc6275_delete_at_once(race, after_late):
    p, bindings, ctx = cache(race=race)
    assert bindings.delete(ctx, "HA", request(p, 2))
    assert bindings.current("HA", 0) == NO_BINDING
    p, bindings, ctx = cache(race=race)
    bindings.bind(ctx, "HA", request(p, 1), simultaneous=False)
    assert bindings.delete(ctx, "HA", request(p, 2))
    assert bindings.current("HA", 0) == (p.new if after_late else NO_BINDING)


def test_correspondents_have_an_option_of_their_own():
    p, bindings, ctx = cache("sync-mipv6-ro")  # hold at the home agent, patent at correspondents
    assert not bindings.delete(ctx, "HA", request(p, 2))
    p, bindings, ctx = cache("sync-mipv6-ro")
    assert bindings.delete(ctx, "CN", request(p, 2))
    assert bindings.current("CN", 0) == NO_BINDING


def test_the_marker_ends_the_binding_of_the_old_gateway_unless_it_is_newer():
    p, bindings, ctx = cache("sync-hmipv4", regions=2)
    bindings.end_old_binding(ctx, "GFA", request(p, 1))
    assert bindings.current("GFA", 0) == NO_BINDING
    bindings.bind(ctx, "GFA", request(p, 5).replace(new=p.old), simultaneous=False)
    bindings.end_old_binding(ctx, "GFA", request(p, 4))
    assert bindings.current("GFA", 0) == p.old


def test_a_restart_forgets_binding_and_deregistration():
    p, bindings, ctx = cache()
    bindings.delete(ctx, "HA", request(p, 2))
    bindings.restart(ctx)
    assert bindings.current("HA", 0) == NO_BINDING
    assert bindings.pop_deferred(ctx, p.ha) is None
    assert ctx.names()[-1] == "unbind"


# -- at home ---------------------------------------------------------------------------------------------------------------------
def test_a_registration_from_home_ends_the_binding():
    p, bindings, ctx = cache("mipv6-ro")
    bindings.bind(ctx, "CN", request(p, 1, lifetime_s=0).replace(new=p.ha), simultaneous=False)
    assert ctx.take() == [("unbind", (), {})]
    assert bindings.current("CN", 0) == p.ha
    assert not bindings.is_bound("CN", 0)


@pytest.mark.parametrize("change", ["old", "new"])
def test_there_is_no_simultaneous_binding_beside_the_home_link(change):
    p, bindings, ctx = cache("mipv4-bicast")
    bindings.bind(ctx, "HA", request(p, 1).replace(**{change: p.ha}), simultaneous=True)
    assert ctx.names() == (["bind"] if change == "old" else ["unbind"])
    assert p.roles.simultaneous_bindings == 0


@pytest.mark.parametrize("race", ["hold", "patent", "rfc6275"])
def test_a_deregistration_of_the_home_address_removes_no_binding_at_home(race):
    p, bindings, ctx = cache(race=race)
    bindings.bind(ctx, "HA", request(p, 1).replace(new=p.ha), simultaneous=False)
    ctx.take()
    bindings.delete(ctx, "HA", request(p, 2).replace(old=p.ha))
    assert "unbind" not in ctx.names()


# -- packets that an old router sends back (prepared procedures) -----------------------------------------------------------
def test_only_the_last_new_router_gets_what_the_old_one_sends_back():
    p, bindings, ctx = cache("s1-indirect")
    bindings.relay_forwarded(ctx, request(p, 1))
    (arguments, values), = ctx.take("bind")
    assert (arguments, values["simultaneous"], values["relayed"]) == ((p.new,), True, True)
    bindings.relay_forwarded(ctx, request(p, 2).replace(new=p.gw))
    assert [(name, arguments) for name, arguments, _ in ctx.take()] == [("unbind", (p.new,)), ("bind", (p.gw,))]
    bindings.relay_forwarded(ctx, request(p, 3).replace(old=p.new, new=p.old))
    assert ctx.take() == [], "bound to it already"
    bindings.bind(ctx, "HA", request(p, 4), simultaneous=False)
    ctx.take()
    bindings.relay_forwarded(ctx, request(p, 5).replace(old=p.new, new=p.gw))
    assert ctx.names() == ["bind"], "the binding has replaced the relay"


def test_a_lasting_binding_has_no_end():
    """A run may last 106 days, more than any lifetime of a message."""
    p, bindings, ctx = cache("x2")
    bindings.bind(ctx, "HA", request(p, 1), simultaneous=False)
    ((_, _, values),) = ctx.take()
    assert values["until_ps"] is None
