"""Tests of handoff.protocol.visitor_list, with a context that records actions."""

import pytest

from engine import FOREVER
from handoff.protocol.messages import MessageFields
from handoff.protocol.program import LINGER
from handoff.protocol.visitor_list import VisitorList, lifetime_ps
from tests.unit.protocol.parts import MS, SECOND, RecordingContext, build_parts


def router(procedure="sync-mipv4", name="new", **options):
    p = build_parts(procedure, **options)
    return p, VisitorList(p.program, p.roles, getattr(p, name)), RecordingContext(time_ps=SECOND)


def request(p, identification=1, lifetime_s=600):
    return MessageFields(0, 0, p.old, p.new, -1, identification, lifetime_s)


# -- expected and attached visitors --------------------------------------------------------------------------------------
def test_the_new_router_buffers_until_the_mobile_node_attaches():
    """Decision 13."""
    p, visitors, ctx = router(new_buffer_packets=7, new_buffer_bytes=900)
    visitors.on_request(ctx, request(p))
    assert ctx.take() == [("buffer", (), {"packets": 7, "bytes": 900, "until_ps": 601 * SECOND})]
    visitors.on_link_up(ctx)
    assert ctx.take() == [("deliver_locally", (), {"until_ps": 601 * SECOND})]


def test_a_foreign_agent_delivers_only_to_registered_mobile_nodes_and_an_ipv6_router_to_all():
    _, visitors, ctx = router("mipv4")
    visitors.on_link_up(ctx)
    assert ctx.take() == []
    _, visitors, ctx = router("mipv6")
    visitors.on_link_up(ctx)
    assert ctx.take() == [("deliver_locally", (), {"until_ps": None})]


def test_the_lifetime_of_a_visitor_starts_with_the_reply():
    """RFC 5944 3.7.3."""
    p, visitors, ctx = router("mipv4")
    visitors.on_link_up(ctx)
    visitors.on_request(ctx, request(p))
    ctx.time_ps, ctx.calls = 2 * SECOND, []
    visitors.on_reply(ctx, 300 * SECOND)
    assert ctx.take() == [("deliver_locally", (), {"until_ps": 302 * SECOND})]


def test_a_reply_without_a_request_enters_nobody():
    _, visitors, ctx = router("mipv4")
    visitors.on_link_up(ctx)
    visitors.on_reply(ctx, 300 * SECOND)
    assert ctx.take() == []


def test_a_mobile_node_is_registered_at_its_first_router_from_the_start():
    p, visitors, _ = router(name="old")
    assert visitors.entries[0].registered_at_start
    assert not VisitorList(p.program, p.roles, p.new).entries[0].registered_at_start


def test_an_acknowledgement_makes_the_new_router_expect_the_mobile_node():
    """Decision 24; for as long as the old router forwards, 10 s in IPv4."""
    p, visitors, ctx = router()
    visitors.on_acknowledgement(ctx)
    assert [arguments["until_ps"] for _, arguments in ctx.take("buffer")] == [11 * SECOND]
    visitors.on_request(ctx, request(p))
    ctx.take()
    visitors.on_acknowledgement(ctx)
    assert ctx.take() == [], "the registration lasts longer"


# -- advertisements (RFC 5944 2.3.1) --------------------------------------------------------------------------------------
def test_a_mobile_node_gets_advertisements_until_it_registers():
    p, visitors, ctx = router("mipv4")
    assert not visitors.count_advertisement(0), "not attached"
    visitors.on_link_up(ctx)
    assert all(visitors.count_advertisement(0) for _ in range(10))
    visitors.on_request(ctx, request(p))
    assert not visitors.count_advertisement(0)
    assert visitors.count_advertisement(0, always=True)


def test_a_registered_mobile_node_that_returns_gets_three_advertisements():
    p, visitors, ctx = router("mipv4")
    visitors.on_request(ctx, request(p))
    visitors.on_link_up(ctx)
    assert [visitors.count_advertisement(0) for _ in range(4)] == [True, True, True, False]


# -- forwarding (decisions 12, 15 and 25) -----------------------------------------------------------------------------------
@pytest.mark.parametrize(("procedure", "lifetime", "header"), [("sync-mipv4", 10, 20), ("sync-mipv6", 12, 40)])
def test_the_old_router_forwards_for_the_lifetime_of_the_entry(procedure, lifetime, header):
    p, visitors, ctx = router(procedure, "old", forward_unacked=True)
    visitors.start_forwarding(ctx, request(p))
    ((nodes, arguments),) = ctx.take("bind")
    assert nodes == (p.new,)
    assert arguments["until_ps"] == (1 + lifetime) * SECOND
    assert arguments["header_bytes"] == header
    assert arguments["copy_in_flight"]


def test_a_router_does_not_forward_to_itself_nor_for_a_mobile_node_that_registered_here_since():
    p, visitors, ctx = router(name="old")
    visitors.start_forwarding(ctx, request(p).replace(new=p.old))
    visitors.on_request(ctx, request(p, identification=5))
    ctx.take()
    visitors.start_forwarding(ctx, request(p, identification=4))
    assert ctx.take() == []
    visitors.start_forwarding(ctx, request(p, identification=6))
    assert len(ctx.take("bind")) == 1


def test_forwarding_ends_when_the_mobile_node_returns():
    p, visitors, ctx = router(name="old")
    visitors.on_link_down(ctx)
    visitors.start_forwarding(ctx, request(p))
    ctx.take()
    visitors.on_link_up(ctx)
    assert ctx.names() == ["deliver_locally"]
    assert not visitors.entries[0].forwarding


# -- markers (decisions 10 and 11) ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("procedure", "state", "relay", "remove"),
    [
        ("sync-mipv4", "attached", True, False),
        ("sync-mipv4", "forwarding", False, True),
        ("sync-mipv4", "gone", False, True),
        ("sync-mipv4-ro", "forwarding", False, False),  # packets through the home agent may follow (decision 3)
        ("sync-mipv6", "attached", True, False),
        ("sync-mipv6", "forwarding", True, True),
        ("sync-mipv6", "gone", True, False),
        ("sync-mipv6-ro", "forwarding", True, False),
    ],
)
def test_the_marker_at_the_old_router(procedure, state, relay, remove):
    p, visitors, ctx = router(procedure, "old")
    if state == "forwarding":
        visitors.start_forwarding(ctx, request(p))
    elif state == "gone":
        visitors.on_link_down(ctx)
    assert visitors.on_marker(ctx, request(p)) == (relay, remove)


def test_with_forwarding_end_lifetime_the_marker_does_not_end_forwarding():
    p, visitors, ctx = router(name="old", forwarding_end="lifetime")
    visitors.start_forwarding(ctx, request(p))
    assert visitors.on_marker(ctx, request(p)) == (False, False)


def test_a_marker_of_an_earlier_handoff_is_dropped():
    p, visitors, ctx = router(name="old")
    visitors.on_request(ctx, request(p, identification=5))
    assert visitors.on_marker(ctx, request(p, identification=4)) == (False, False)


def test_after_the_marker_the_entry_ends_with_the_link():
    p, visitors, ctx = router(name="old")
    visitors.on_marker(ctx, request(p))
    visitors.on_link_down(ctx)
    assert ctx.take() == [("unbind", (), {})]


def test_the_entry_may_linger_after_marker_and_link():
    p, visitors, ctx = router(name="old", linger_ps=50 * MS)
    visitors.on_marker(ctx, request(p))
    visitors.on_link_down(ctx)
    assert ctx.take() == [("timer", (SECOND + 50 * MS, LINGER), {})]
    visitors.remove_after_marker(ctx)
    assert ctx.take() == [("unbind", (), {})]


def test_a_return_during_the_linger_time_keeps_the_entry():
    p, visitors, ctx = router(name="old", linger_ps=50 * MS)
    visitors.on_marker(ctx, request(p))
    visitors.on_link_down(ctx)
    visitors.on_link_up(ctx)
    ctx.take()
    visitors.remove_after_marker(ctx)
    assert ctx.take() == []


# -- buffer of the old router and restarts ------------------------------------------------------------------------------------
def test_the_old_router_buffers_packets_that_its_link_cannot_carry():
    _, visitors, ctx = router(name="old", old_buffer_packets=9, old_buffer_bytes=3000)
    visitors.on_link_draining(ctx)
    assert ctx.take() == [("buffer", (), {"packets": 9, "bytes": 3000, "until_ps": 11 * SECOND})]
    visitors.on_link_up(ctx)
    assert ctx.take() == [("deliver_locally", (), {"until_ps": None})], "registered before time 0, with no known end"


def test_a_router_that_forwards_does_not_buffer():
    p, visitors, ctx = router(name="old", old_buffer_packets=9)
    visitors.start_forwarding(ctx, request(p))
    ctx.take()
    visitors.on_link_draining(ctx)
    assert ctx.take() == []


@pytest.mark.parametrize(("procedure", "actions"), [("mipv4", ["unbind"]), ("mipv6", [])])
def test_a_restart_removes_visitors_but_an_ipv6_router_still_delivers(procedure, actions):
    _, visitors, ctx = router(procedure, "old")
    visitors.restart(ctx)
    assert ctx.names() == actions
    assert visitors.entries[0].until_ps == -1


def test_an_unlimited_count_of_advertisements_is_forever():
    _, visitors, ctx = router("mipv4")
    visitors.on_link_up(ctx)
    assert visitors.entries[0].advertisements_left == FOREVER


def test_lifetimes_are_in_seconds():
    p, _, _ = router()
    assert lifetime_ps(request(p, lifetime_s=3)) == 3 * SECOND


# -- forwarding to the home link -------------------------------------------------------------------------------------------
def forward_home(p, identification=2):
    return MessageFields(0, 0, p.old, p.ha, -1, identification, 600)


def test_an_old_router_buffers_for_a_mobile_node_that_returns_home_until_the_marker():
    """Until the home agent has processed the deregistration it would send the packets back."""
    p, visitors, ctx = router(name="old", old_buffer_packets=9)
    visitors.start_forwarding(ctx, forward_home(p))
    assert [(name, arguments["packets"]) for name, _, arguments in ctx.take()] == [("buffer", 9)]
    assert visitors.on_marker(ctx, forward_home(p, 1)) == (False, True)
    assert [(name, args) for name, args, _ in ctx.take()] == [("bind", (p.ha,))]


@pytest.mark.parametrize(
    ("procedure", "options", "passed"),
    [
        ("sync-mipv4", {}, True),
        ("sync-mipv4", {"old_buffer_packets": 0}, False),
        ("mipv6", {}, False),
    ],
)
def test_an_old_router_forwards_home_at_once_after_the_marker_or_without_buffer_or_marker(procedure, options, passed):
    p, visitors, ctx = router(procedure, "old", **options)
    if passed:
        visitors.on_marker(ctx, forward_home(p, 1))
    visitors.start_forwarding(ctx, forward_home(p))
    assert [(name, args) for name, args, _ in ctx.take()] == [("bind", (p.ha,))]


# -- a temporary home agent beside the old router ------------------------------------------------------------------------------
def test_packets_are_handed_over_on_the_link_without_a_header():
    p, visitors, ctx = router("mipv6", "old", forwarding_lifetime_ps=3 * SECOND)
    visitors.hand_over(ctx, request(p), p.gw)
    (((care_of,), arguments),) = ctx.take("bind")
    assert (care_of, arguments["header_bytes"], arguments["end"], arguments["until_ps"]) == (p.gw, 0, "mobile", 4 * SECOND)
    assert visitors.entries[0].forwarding


def test_nothing_is_handed_over_to_the_router_itself_or_for_a_mobile_node_that_comes():
    p, visitors, ctx = router("mipv6", "old")
    visitors.hand_over(ctx, request(p), p.old)
    visitors.hand_over(ctx, request(p).replace(new=p.old), p.gw)
    assert ctx.take() == []
