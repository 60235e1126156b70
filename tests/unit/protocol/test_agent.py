"""Tests of handoff.protocol.agent, with a context that records actions."""

from types import SimpleNamespace

import pytest

from engine import EventKind, Fate
from handoff.protocol.agent import Agent
from handoff.protocol.constants import RESTARTED, Status
from handoff.protocol.message_routing import build_message_hops
from handoff.protocol.messages import CODES, MessageFields
from handoff.protocol.program import ADVERTISE, DELAYED, PREDICT, RELEASE, RESTART, UP
from handoff.protocol.security import authenticator, home_key
from tests.unit.protocol.parts import MS, SECOND, RecordingContext, build_parts, step_number


def agent(procedure, name, regions=1, home_link=False, **options):
    p = build_parts(procedure, regions=regions, home_link=home_link, **options)
    node = getattr(p, name)
    ctx = RecordingContext(SECOND, node=node)
    return p, Agent(p.program, p.roles, build_message_hops(p.program, p.roles), node), ctx


def message(p, name, hop, on=None, identification=1, lifetime_s=600, **changes):
    fields = MessageFields(step_number(p.program, name, on), hop, p.old, p.new, -1, identification, lifetime_s)
    return fields.replace(**changes) if changes else fields


def receive(handler, ctx, fields, kind=EventKind.MESSAGE):
    handler.on_event(ctx, SimpleNamespace(kind=int(kind), args=tuple(fields), mobile=0))


def happen(handler, ctx, code, argument=0, kind=EventKind.SCHEDULED):
    handler.on_event(ctx, SimpleNamespace(kind=int(kind), code=code, args=(argument, 0, 0, 0, 0, 0), mobile=0))


def sent(ctx):
    """Kind, destination and fields of each message; the record is emptied."""
    kinds = {code: kind for kind, code in CODES.items()}
    return [(kinds[a[0]], a[1], MessageFields.unpack(k["args"])) for name, a, k in ctx.take() if name == "send"]


def test_a_relay_passes_a_message_to_the_next_node_unchanged():
    p, router, ctx = agent("sync-mipv4", "old")
    request = message(p, "RQ", 1, "known")
    receive(router, ctx, request)
    assert sent(ctx) == [("RQ", p.new, request.replace(hop=2))]


def test_the_new_router_buffers_for_the_mobile_node_whose_request_it_relays():
    p, router, ctx = agent("sync-mipv4", "new")
    receive(router, ctx, message(p, "RQ", 2, "known"))
    assert ctx.names() == ["buffer", "send"]


def test_the_home_agent_binds_and_sends_reply_and_marker():
    """Seed, phase I-3; the marker is a reply with lifetime 0."""
    p, home, ctx = agent("sync-mipv4", "ha")
    receive(home, ctx, message(p, "RQ", 3, "known"))
    assert ctx.names() == ["bind", "send", "send"]
    (reply, to_new, reply_fields), (marker, to_old, marker_fields) = sent(ctx)
    assert (reply, to_new, reply_fields.lifetime_s) == ("RR", p.new, 600)
    assert (marker, to_old, marker_fields.lifetime_s) == ("DRR", p.old, 0)
    assert reply_fields.identification == marker_fields.identification == 1


def test_a_message_that_follows_keeps_routers_correspondent_identification_and_mark_but_no_status():
    """The home agent updates the correspondent of a request with a correspondent, a status and a proof."""
    p, home, ctx = agent("sync-mipv4-ro", "ha")
    request = message(p, "RQ", 3, "known", identification=7, lifetime_s=90, peer=p.cn, status=135, proof=99, attack=1)
    receive(home, ctx, request)
    _, (kind, to, update) = sent(ctx)
    assert (kind, to) == ("BU", p.cn)
    number = step_number(p.program, "BU", "RQ")
    assert update == MessageFields(number, 1, p.old, p.new, p.cn, 7, 90, status=0, proof=99, attack=1)


def test_a_refresh_has_no_marker():
    p, home, ctx = agent("sync-mipv4", "ha")
    receive(home, ctx, message(p, "RQ", 2, "move", new=p.old))
    assert [kind for kind, _, _ in sent(ctx)] == ["RR"]


def test_the_home_agent_updates_each_correspondent():
    p, home, ctx = agent("sync-mipv4-ro", "ha")
    receive(home, ctx, message(p, "RQ", 3, "known"))
    assert [(kind, node, f.peer) for kind, node, f in sent(ctx)] == [("RR", p.new, -1), ("BU", p.cn, p.cn)]


def test_a_deregistration_that_waits_is_answered_with_its_registration():
    p, home, ctx = agent("sync-mipv6", "ha")
    receive(home, ctx, message(p, "DBU", 2, "known", identification=2, lifetime_s=0))
    assert sent(ctx) == []
    receive(home, ctx, message(p, "BU", 3, "known", identification=1))
    assert [(kind, node) for kind, node, _ in sent(ctx)] == [("BA", p.new), ("DBA", p.old)]


def test_a_deregistration_is_answered_after_the_longest_wait():
    p, home, ctx = agent("sync-mipv6", "ha")
    receive(home, ctx, message(p, "DBU", 2, "known", identification=2, lifetime_s=0))
    ctx.take()
    happen(home, ctx, RELEASE, 2, EventKind.TIMER)
    assert ctx.names() == ["unbind", "send"]
    assert sent(ctx)[0][:2] == ("DBA", p.old)


def test_a_router_delivers_to_the_mobile_node_through_its_own_table():
    p, router, ctx = agent("sync-mipv4", "new")
    receive(router, ctx, message(p, "RR", 1))
    ((name, args, arguments),) = ctx.take()
    assert (name, args[1], arguments["for_mobile"], arguments["radio"]) == ("send", p.new, True, False)


def test_an_update_makes_the_old_router_forward_and_acknowledge_through_the_new_one():
    p, router, ctx = agent("sync-mipv4", "old")
    receive(router, ctx, message(p, "BU", 1, "going-down"))
    assert ctx.names() == ["bind", "send"]
    assert sent(ctx)[0][:2] == ("BA", p.new)


def test_a_marker_that_ends_at_the_foreign_agent_ends_its_entry():
    """Decision 11; the mobile node is gone and nothing is forwarded."""
    p, router, ctx = agent("sync-mipv4", "old")
    router.visitor_list.on_link_down(ctx)
    receive(router, ctx, message(p, "DRR", 1))
    assert ctx.names() == ["unbind"]


def test_the_gateway_of_the_new_region_binds_and_that_of_the_old_one_forgets():
    p, gateway, ctx = agent("sync-hmipv4", "gw2", regions=2)
    receive(gateway, ctx, message(p, "RQ", 3, "known"))
    assert ctx.names() == ["bind", "send"]
    p, gateway, ctx = agent("sync-hmipv4", "gw", regions=2)
    receive(gateway, ctx, message(p, "DRR", 1))
    assert ctx.names() == ["send", "unbind"]


# -- duplicate address detection (decision 22) --------------------------------------------------------------------------
def test_the_new_router_checks_an_address_once_before_it_relays():
    p, router, ctx = agent("sync-mipv6", "new", dad_ps=300 * MS)
    update = message(p, "BU", 2, "known")
    receive(router, ctx, update)
    assert ctx.take("timer") == [((SECOND + 300 * MS, DELAYED, 1), {})]
    ctx.time_ps += 100 * MS
    receive(router, ctx, update.replace(identification=2))
    assert ctx.take("timer") == [((SECOND + 300 * MS, DELAYED, 2), {})], "for the rest of the same check"
    happen(router, ctx, DELAYED, 1, EventKind.TIMER)
    assert sent(ctx) == [("BU", p.ha, update.replace(hop=3))]


def test_the_home_agent_checks_the_home_address_at_the_first_registration():
    """RFC 6275 10.3.1; 1 s."""
    p, home, ctx = agent("mipv6", "ha", profile="rfc", authentication=False)
    p.roles.first_router[0] = -1
    receive(home, ctx, message(p, "BU1", 2, "move"))
    assert ctx.names() == ["bind", "timer"]
    ctx.take()
    happen(home, ctx, DELAYED, 1, EventKind.TIMER)
    assert [kind for kind, _, _ in sent(ctx)] == ["BA"]


# -- refusals ---------------------------------------------------------------------------------------------------------------
def test_a_stale_request_is_dropped_in_silence_unless_replay_protection_is_on():
    p, home, ctx = agent("sync-mipv4", "ha")
    for identification in (5, 4):
        ctx.take()
        receive(home, ctx, message(p, "RQ", 3, "known", identification=identification))
    assert ctx.take() == []
    p, home, ctx = agent("sync-mipv6", "ha", sequence="shared")
    for identification in (5, 4):
        ctx.take()
        receive(home, ctx, message(p, "BU", 3, "known", identification=identification))
    (name, args, _), *rest = ctx.take()
    assert (name, args) == ("reject", (Fate.REPLAYED,))
    assert [MessageFields.unpack(k["args"]).status for _, _, k in rest] == [Status.SEQUENCE_OUT_OF_WINDOW]


@pytest.mark.parametrize(("procedure", "request_name", "hop", "codes"), [("mipv4", "RQ", 2, [131]), ("mipv6", "BU1", 2, [])])
def test_a_request_without_the_key_is_refused_in_ipv4_and_dropped_in_ipv6(procedure, request_name, hop, codes):
    """RFC 5944 3.4, code 131; RFC 6275 is silent."""
    p, home, ctx = agent(procedure, "ha", authentication=True)
    receive(home, ctx, message(p, request_name, hop, "move", identification=SECOND))
    assert ctx.names()[0] == "reject"
    assert ctx.calls[0][1] == (Fate.AUTHENTICATION_FAILED,)
    assert [f.status for _, _, f in sent(ctx)] == codes


def test_a_request_with_the_key_is_accepted():
    p, home, ctx = agent("mipv4", "ha", authentication=True)
    request = message(p, "RQ", 2, "move", identification=SECOND)
    receive(home, ctx, request.replace(proof=authenticator(home_key(p.roles, 0), request)))
    assert ctx.names() == ["bind", "send"]


@pytest.mark.parametrize(
    ("procedure", "name", "request_name", "hop", "code"),
    [
        ("mipv4", "ha", "RQ", 2, 130),  # RFC 5944 3.4
        ("mipv4", "new", "RQ", 1, 66),
        ("mipv6", "ha", "BU1", 2, 130),  # RFC 6275 6.1.8
        ("mipv6", "new", "BU1", 1, None),  # it only relays
    ],
)
def test_a_full_registration_queue_is_answered(procedure, name, request_name, hop, code):
    p, handler, ctx = agent(procedure, name)
    receive(handler, ctx, message(p, request_name, hop, "move"), EventKind.REFUSED_MESSAGE)
    replies = sent(ctx)
    assert [f.status for _, _, f in replies] == ([code] if code else [])
    assert all(f.lifetime_s == 0 for _, _, f in replies)


# -- discovery and restarts ---------------------------------------------------------------------------------------------------
def test_an_attached_mobile_node_gets_the_periodic_advertisements():
    p, router, ctx = agent("mipv4", "new", discovery="advertisement")
    happen(router, ctx, UP)
    due = p.roles.advertisements.next_after(p.new, SECOND)
    assert ctx.take("timer") == [((due, ADVERTISE), {})]
    ctx.time_ps = due
    happen(router, ctx, ADVERTISE, kind=EventKind.TIMER)
    assert ctx.names() == ["send", "timer"]
    _, _, arguments = ctx.calls[0]
    assert arguments["radio"], "broadcast: the mobile node has no entry yet"


def test_a_prediction_starts_the_solicitation_of_the_new_router():
    p, router, ctx = agent("sync-mipv4", "old", prediction="solicitation")
    happen(router, ctx, PREDICT, p.old | p.new << 16)
    assert [(kind, node) for kind, node, _ in sent(ctx)] == [("AS", p.new)]


@pytest.mark.parametrize(("procedure", "announces"), [("mipv4", True), ("pmipv6", True), ("mipv6", False)])
def test_a_restarted_router_announces_it_to_attached_mobile_nodes(procedure, announces):
    """RFC 5944 2.3.2; an IPv6 access router has no visitors to lose."""
    _, router, ctx = agent(procedure, "old")
    happen(router, ctx, RESTART)
    assert [(kind, f.status) for kind, _, f in sent(ctx)] == ([("AA", RESTARTED)] if announces else [])


def test_a_restart_drops_delayed_messages():
    p, router, ctx = agent("sync-mipv6", "new", dad_ps=300 * MS)
    receive(router, ctx, message(p, "BU", 2, "known"))
    happen(router, ctx, RESTART)
    ctx.take()
    happen(router, ctx, DELAYED, 1, EventKind.TIMER)
    assert ctx.take() == []


def test_a_correspondent_answers_tests_with_tokens():
    """RFC 6275 5.2.5: the home token does not depend on the care-of address."""
    p, correspondent, ctx = agent("mipv6-ro", "cn", return_routability=True)
    tokens = {}
    for test, hop in (("HoTI2", 3), ("CoTI2", 2)):
        fields = MessageFields(p.program.return_routability[test], hop, p.old, p.new, p.cn, 1, 0)
        receive(correspondent, ctx, fields)
        ((kind, _, reply),) = sent(ctx)
        tokens[kind] = reply.proof
    verifier = correspondent.verifier.tokens
    assert tokens == {"HoT": verifier.make(0, -1, 0), "CoT": verifier.make(0, p.new, 0)}


# -- the home link -------------------------------------------------------------------------------------------------------------
def test_a_home_agent_with_a_link_handles_a_deregistration_as_router_and_home_agent_at_once():
    """The reply goes to the mobile node without a message from the node to itself; the marker ends the old path."""
    p, home, ctx = agent("sync-mipv4", "ha", home_link=True)
    receive(home, ctx, message(p, "RQ", 2, "known", new=p.ha, lifetime_s=0))
    assert [name for name in ctx.names() if name != "send"] == ["buffer"]
    assert [(kind, to) for kind, to, _ in sent(ctx)] == [("RR", p.ha), ("DRR", p.old)]


def test_the_marker_of_the_home_link_takes_the_radio():
    p, home, ctx = agent("sync-mipv4", "ha", home_link=True)
    happen(home, ctx, UP)
    ctx.take()
    receive(home, ctx, message(p, "RQ", 3, "known", old=p.ha))
    sends = ctx.take("send")
    assert [(arguments["for_mobile"], arguments["radio"]) for _, arguments in sends if "radio" in arguments] == [(True, True)]


def test_a_full_registration_queue_of_the_home_agent_is_not_that_of_a_foreign_agent():
    """RFC 5944 3.4: 130 and not 66, though the request arrives on the home link."""
    p, home, ctx = agent("sync-mipv4", "ha", home_link=True)
    receive(home, ctx, message(p, "RQ", 1, "move", new=p.ha, lifetime_s=0), EventKind.REFUSED_MESSAGE)
    ((kind, to, fields),) = sent(ctx)
    assert (kind, to, fields.status) == ("RR", p.ha, Status.HA_INSUFFICIENT_RESOURCES)


def test_nobody_is_asked_to_forward_for_a_home_address():
    """The new router would notify the old one (notification = router), but the home agent is no foreign agent."""
    p, router, ctx = agent("mipv4-smooth", "new", home_link=True, notification="router")
    receive(router, ctx, message(p, "RQ", 1, "move", old=p.ha))
    assert [kind for kind, _, _ in sent(ctx)] == ["RQ"]


def test_an_old_router_that_is_its_own_temporary_home_agent_sends_no_advertisement():
    p, router, ctx = agent("mipv6", "old")
    receive(router, ctx, message(p, "BU3", 2, "move"))
    assert [name for name in ctx.names() if name != "send"] == ["bind"]
    assert [(kind, to) for kind, to, _ in sent(ctx)] == [("BA", p.new)]
