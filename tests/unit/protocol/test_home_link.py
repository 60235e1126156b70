"""Tests of handoff.protocol.home_link, with a context that records actions."""

import pytest

from engine import FOREVER
from handoff.protocol.home_link import HomeLink
from handoff.protocol.messages import MessageFields
from tests.conformance.two_router_scene import Stay
from tests.unit.protocol.parts import SECOND, RecordingContext, build_parts


def link(procedure="sync-mipv4", start="ha", **options):
    """Home link of a mobile node whose link to ``start`` is up at time 0, or that comes later (None)."""
    stays = (Stay("old", up=5),) if start is None else (Stay(start, down=600), Stay("new", up=520))
    p = build_parts(procedure, stays=stays, home_link=True, **options)
    return p, HomeLink(p.program, p.roles, p.ha), RecordingContext(time_ps=SECOND, node=p.ha)


def request(p, identification=1):
    return MessageFields(0, 0, p.ha, p.new, -1, identification, 600)


@pytest.mark.parametrize("procedure", ["mipv4", "mipv6"])
@pytest.mark.parametrize(("start", "actions"), [("ha", ["deliver_locally"]), (None, ["deliver_locally"]), ("old", [])])
def test_a_link_that_comes_up_delivers_only_at_home(procedure, start, actions):
    """RFC 6275 11.5.5: a mobile node that is away deregisters first; one that has never registered is at home."""
    _, home, ctx = link(procedure, start)
    home.on_link_up(ctx)
    assert ctx.names() == actions


def test_delivery_at_home_has_no_lifetime():
    _, home, ctx = link("mipv4", "old")
    home.on_link_up(ctx)
    home.on_deregistered(ctx)
    home.on_reply(ctx, 0)
    assert ctx.take() == [("deliver_locally", (), {"until_ps": None})]


def test_a_deregistered_mobile_node_that_has_not_come_yet_is_expected():
    _, home, ctx = link("mipv4", "old", new_buffer_packets=7)
    home.on_deregistered(ctx)
    home.on_link_up(ctx)
    assert ctx.take() == [
        ("buffer", (), {"packets": 7, "bytes": None, "until_ps": FOREVER}), ("deliver_locally", (), {"until_ps": None}),
    ]  # fmt: skip


def test_a_binding_takes_the_table_from_the_link():
    """Neither requests that pass, nor the fading link, nor its end change the table of a mobile node that is away."""
    p, home, ctx = link()
    home.on_bound(ctx)
    home.on_link_draining(ctx)
    home.on_request(ctx, request(p))
    home.on_acknowledgement(ctx)
    home.start_forwarding(ctx, request(p))
    home.on_link_down(ctx)
    home.remove(ctx)
    home.on_link_up(ctx)
    assert ctx.names() == []


def test_the_link_buffers_at_home_when_it_cannot_carry_packets():
    _, home, ctx = link(old_buffer_packets=9)
    home.on_link_draining(ctx)
    assert ctx.names() == ["buffer"]


def test_an_update_makes_the_home_agent_tunnel_before_the_registration():
    p, home, ctx = link()
    home.start_forwarding(ctx, request(p))
    assert [(name, args) for name, args, _ in ctx.take()] == [("bind", (p.new,))]
    home.on_link_up(ctx)
    assert ctx.names() == ["deliver_locally"], "it has come back"


def test_the_marker_takes_the_radio_while_the_link_is_up_and_the_binding_is_new():
    _, home, ctx = link()
    assert not home.takes_marker_past_table(0)
    home.on_bound(ctx)
    assert home.takes_marker_past_table(0)
    home.on_link_down(ctx)
    assert not home.takes_marker_past_table(0)


@pytest.mark.parametrize(("up", "action"), [(True, "deliver_locally"), (False, "unbind")])
def test_a_lost_binding_leaves_the_mobile_node_to_the_link(up, action):
    _, home, ctx = link("mipv4", "old")
    if up:
        home.on_link_up(ctx)
    home.on_unbound(ctx)
    assert ctx.names() == [action]
