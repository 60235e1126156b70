"""Tests of handoff.protocol.registration, with a context that records actions."""

import pytest

from handoff.protocol.message_routing import build_message_hops
from handoff.protocol.messages import CODES, MessageFields
from handoff.protocol.mobile_node_state import MobileNodeState
from handoff.protocol.program import RETRANSMIT
from handoff.protocol.registration import RegistrationClient
from handoff.protocol.security import authenticator, home_key
from tests.unit.protocol.parts import MS, SECOND, RecordingContext, build_parts, step_number


def client(procedure="sync-mipv4", links=(0,), **options):
    p = build_parts(procedure, **options)
    state = MobileNodeState()
    state.router, state.links = p.old, links
    sender = RegistrationClient(p.program, p.roles, build_message_hops(p.program, p.roles), [p.old, p.new])
    return p, sender, state, RecordingContext(SECOND)


def sent(ctx):
    """Code, fields and first router of each message, and the timers; the record is emptied."""
    calls = ctx.take()
    messages = [(a[0], MessageFields.unpack(k["args"]), k["via"]) for name, a, k in calls if name == "send"]
    return messages, [a for name, a, _ in calls if name == "timer"]


def test_a_request_is_sent_once_and_waits_a_second_for_its_reply():
    p, sender, state, ctx = client()
    number = step_number(p.program, "RQ", "known")
    sender.send_request(ctx, state, number, -1, p.old, p.new)
    ((code, fields, via),), timers = sent(ctx)
    assert (code, via) == (CODES["RQ"], p.old)
    assert fields == MessageFields(number, 1, p.old, p.new, -1, 1, 600)
    assert timers == [(2 * SECOND, RETRANSMIT, 1)]
    assert state.registration_request == 1


def test_a_predicted_request_takes_the_new_link_if_the_old_one_is_down():
    p, sender, state, ctx = client(links=(1,))
    number = step_number(p.program, "RQ", "known")
    sender.send_request(ctx, state, number, -1, p.old, p.new)
    ((_, fields, via),), _ = sent(ctx)
    assert (fields.step, via) == (p.program.steps[number].fallback_step, p.new)


def test_an_update_at_the_warning_is_repeated_over_the_new_link_until_it_is_acknowledged():
    """Decision 30. Until the new link is up it waits, each time twice as long."""
    p, sender, state, ctx = client()
    sender.send_request(ctx, state, step_number(p.program, "BU", "going-down"), -1, p.old, p.new)
    ((code, fields, via),), timers = sent(ctx)
    assert (code, via, timers) == (CODES["BU"], p.old, [(2 * SECOND, RETRANSMIT, 1)])
    state.links, ctx.time_ps = (), 2 * SECOND
    sender.retransmit(ctx, state, 1)
    assert sent(ctx) == ([], [(4 * SECOND, RETRANSMIT, 2)])
    state.links, ctx.time_ps = (1,), 4 * SECOND
    sender.retransmit(ctx, state, 2)
    ((code, fields, via),), _ = sent(ctx)
    assert (code, via, fields.step) == (CODES["BU"], p.new, step_number(p.program, "BU", "move"))
    acknowledgement = MessageFields(step_number(p.program, "BA"), 2, p.old, p.new, -1, fields.identification, 600)
    assert sender.match_reply(state, acknowledgement)
    assert state.requests == {}


def retransmissions(sender, state, ctx, count):
    """Seconds between transmissions when no reply arrives."""
    waits = []
    for _ in range(count):
        _, ((at, _, identification),) = sent(ctx)
        waits.append((at - ctx.time_ps) / SECOND)
        ctx.time_ps = at
        sender.retransmit(ctx, state, identification)
    return waits


@pytest.mark.parametrize(
    ("procedure", "options", "waits"),
    [
        ("mipv6", {}, [1, 2, 4, 8, 16, 32, 32]),  # RFC 6275 11.8
        ("mipv4", {"profile": "rfc", "lifetime_s": 5}, [1, 2, 4, 5, 5]),  # RFC 5944 3.6.3
        ("mipv4", {"retransmit_max_ps": 3 * SECOND}, [1, 2, 3, 3]),
        ("mipv4", {"retransmit_ps": 3 * SECOND, "retransmit_max_ps": 3 * SECOND}, [3, 3]),
    ],
)
def test_the_wait_doubles_up_to_its_limit(procedure, options, waits):
    p, sender, state, ctx = client(procedure, links=(1,), **options)
    sender.send_request(ctx, state, p.program.steps_on(0, "move")[0], -1, p.old, p.new)
    assert retransmissions(sender, state, ctx, len(waits)) == waits


def test_the_first_wait_allows_for_the_address_check_at_the_new_router():
    """Decision 22; only before the move."""
    p, sender, state, ctx = client("sync-mipv6", dad_ps=300 * MS)
    sender.send_request(ctx, state, step_number(p.program, "BU", "known"), -1, p.old, p.new)
    assert sent(ctx)[1][0][0] == SECOND + 1300 * MS


def test_a_first_registration_waits_for_the_home_agents_address_check():
    """INITIAL_BINDACK_TIMEOUT_FIRST_REG (RFC 6275 13)."""
    p, sender, state, ctx = client("mipv6", links=(1,), profile="rfc")
    state.router = -1
    sender.send_request(ctx, state, step_number(p.program, "BU1", "move"), -1, -1, p.new)
    assert sent(ctx)[1][0][0] == SECOND + 1500 * MS


@pytest.mark.parametrize("profile", ["patent", "rfc"])
@pytest.mark.parametrize(("procedure", "router", "wait_ms"), [
    ("mipv6", None, 700), ("mipv6", "old", 1000), ("mipv4", None, 1000),
])  # fmt: skip
def test_the_wait_of_a_first_registration_in_ipv6_can_be_set(profile, procedure, router, wait_ms):
    """RFC 6275 13: mobile nodes have to allow InitialBindackTimeoutFirstReg to be configured."""
    p, sender, state, ctx = client(procedure, links=(1,), profile=profile, retransmit_first_ps=700 * MS)
    state.router = -1 if router is None else p.old
    number = step_number(p.program, "RQ" if procedure == "mipv4" else "BU1", "move")
    sender.send_request(ctx, state, number, -1, state.router, p.new)
    assert sent(ctx)[1][0][0] == SECOND + wait_ms * MS


def test_home_agent_discovery_gives_up_after_four_retransmissions():
    """RFC 6275 12: 3 s, doubled four times."""
    p, sender, state, ctx = client("mipv6", links=(1,), temporary_home_agent="discovery")
    sender.send_request(ctx, state, step_number(p.program, "HADQ"), -1, p.old, p.new)
    assert retransmissions(sender, state, ctx, 5) == [3, 6, 12, 24, 48]
    assert sent(ctx) == ([], [])


def test_a_reply_ends_the_wait():
    p, sender, state, ctx = client()
    sender.send_request(ctx, state, step_number(p.program, "RQ", "known"), -1, p.old, p.new)
    reply = MessageFields(step_number(p.program, "RR"), 2, p.old, p.new, -1, 1, 600)
    assert not sender.match_reply(state, reply.replace(identification=2))
    assert not sender.match_reply(state, reply.replace(step=step_number(p.program, "BA")))
    assert sender.match_reply(state, reply)
    assert not sender.retransmit(ctx, state, 1)


def test_a_refused_request_is_repeated_at_once_with_the_same_wait():
    p, sender, state, ctx = client()
    sender.send_request(ctx, state, step_number(p.program, "RQ", "known"), -1, p.old, p.new)
    sent(ctx)
    assert sender.retransmit(ctx, state, 1, now=True)
    ((_, fields, _),), timers = sent(ctx)
    assert fields.identification == 2
    assert timers == [(2 * SECOND, RETRANSMIT, 2)]


def test_without_a_link_a_request_waits():
    p, sender, state, ctx = client("mipv4", links=(1,))
    sender.send_request(ctx, state, p.program.steps_on(0, "move")[0], -1, p.old, p.new)
    sent(ctx)
    state.links = ()
    sender.retransmit(ctx, state, 1)
    messages, timers = sent(ctx)
    assert (messages, len(timers)) == ([], 1)


def test_the_profile_rfc_sends_three_updates_a_second_to_one_node():
    """MAX_UPDATE_RATE (RFC 6275 11.8, 12): the fourth one waits until a second after the first."""
    p, sender, state, ctx = client("mipv6", links=(1,), profile="rfc", dad_ps=0)
    number = step_number(p.program, "BU1", "move")
    for i in range(4):
        ctx.time_ps = SECOND + i * 100 * MS
        sender.send_request(ctx, state, number, -1, p.old, p.new)
        messages, timers = sent(ctx)
        assert len(messages) == (1 if i < 3 else 0)
    assert [at for at, _, _ in timers] == [2 * SECOND]
    ctx.time_ps = 2 * SECOND
    sender.retransmit(ctx, state, timers[0][2])
    messages, timers = sent(ctx)
    assert len(messages) == 1
    assert timers[0][0] == 3 * SECOND, "the wait did not double"


def test_identifications_are_timestamps_if_mobile_ipv4_authenticates():
    """RFC 5944 5.7.1."""
    p, sender, state, ctx = client("mipv4", links=(1,), authentication=True)
    sender.send_request(ctx, state, p.program.steps_on(0, "move")[0], -1, p.old, p.new)
    ((_, fields, _),), _ = sent(ctx)
    assert fields.identification == SECOND
    assert fields.proof == authenticator(home_key(p.roles, 0), fields)
    sender.send_request(ctx, state, p.program.steps_on(0, "move")[0], -1, p.old, p.new)
    assert sent(ctx)[0][0][1].identification == SECOND + 1, "they grow even within an instant"


def test_a_deregistration_requests_lifetime_0():
    p, sender, state, ctx = client("sync-mipv6")
    sender.send_request(ctx, state, step_number(p.program, "DBU", "known"), -1, p.old, p.new)
    assert sent(ctx)[0][0][1].lifetime_s == 0


# -- return routability (RFC 6275 5.2) ----------------------------------------------------------------------------------
def test_an_update_to_a_correspondent_waits_for_both_tokens():
    p, sender, state, ctx = client("mipv6-ro", links=(1,), return_routability=True)
    state.router = p.new  # registered through the new router, so that the home test can pass
    number = step_number(p.program, "BU2", "move")
    sender.send_request(ctx, state, number, p.cn, p.old, p.new)
    messages, _ = sent(ctx)
    assert [code for code, _, _ in messages] == [CODES["HoTI"], CODES["CoTI"]]
    for message, identification in (("HoT2", 1), ("CoT2", 2)):
        token = MessageFields(p.program.return_routability[message], 3, p.old, p.new, p.cn, identification, 0, 0, 5 << 19)
        assert sent(ctx)[0] == []
        sender.on_token(ctx, state, token)
    ((code, fields, _),), _ = sent(ctx)
    assert (code, fields.peer, fields.lifetime_s) == (CODES["BU"], p.cn, 420)
    assert fields.proof


def test_the_home_test_over_a_new_link_waits_for_the_registration():
    p, sender, state, ctx = client("mipv6-ro", links=(1,), return_routability=True)
    sender.send_request(ctx, state, step_number(p.program, "BU2", "move"), p.cn, p.old, p.new)
    assert [code for code, _, _ in sent(ctx)[0]] == [CODES["CoTI"]]
    state.router = p.new
    sender.retry_waiting(ctx, state)
    assert [code for code, _, _ in sent(ctx)[0]] == [CODES["HoTI"]], "the care-of test is in progress"


@pytest.mark.parametrize(("age_s", "codes"), [(210, ["BU"]), (211, ["HoTI", "CoTI"])])
def test_tokens_are_used_for_210_s(age_s, codes):
    """MAX_TOKEN_LIFETIME (RFC 6275 12)."""
    p, sender, state, ctx = client("mipv6-ro", links=(1,), return_routability=True)
    state.router = p.new
    state.tokens = {(p.cn, -1): (9, SECOND), (p.cn, p.new): (9, SECOND)}
    ctx.time_ps = (1 + age_s) * SECOND
    sender.send_request(ctx, state, step_number(p.program, "BU2", "move"), p.cn, p.old, p.new)
    assert [code for code, _, _ in sent(ctx)[0]] == [CODES[kind] for kind in codes]
