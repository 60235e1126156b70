"""Tests of handoff.protocol.message_routing."""

import pytest

from handoff.protocol.message_routing import arrival_action, build_message_hops
from handoff.protocol.messages import CODES, MessageFields
from tests.unit.protocol.parts import build_parts, step_number


def actions(procedure, message, on, regions=1):
    """Role and action of each node that a message reaches."""
    p = build_parts(procedure, regions=regions)
    hops = build_message_hops(p.program, p.roles)
    number = step_number(p.program, message, on)
    path = p.program.steps[number].step.path
    at_once = {"send": "", "relay": ""}
    return [(hop.role, at_once.get(hop.handler, hop.handler)) for hop in (hops[number | i << 16] for i in range(len(path)))][1:]


@pytest.mark.parametrize(
    ("procedure", "message", "on", "expected"),
    [
        ("sync-mipv4", "RQ", "known", [("oAR", ""), ("nAR", "request"), ("HA", "process")]),
        ("sync-mipv4", "RR", "RQ", [("nAR", "reply"), ("MN", "process")]),
        ("sync-mipv4", "DRR", "RQ", [("oAR", "marker"), ("MN", "process")]),
        ("sync-mipv4", "BU", "going-down", [("oAR", "process")]),
        ("sync-mipv4", "BA", "BU", [("nAR", "acknowledgement"), ("MN", "process")]),
        ("sync-mipv6", "BA", "BU", [("nAR", ""), ("MN", "process")]),
        ("sync-mipv6", "DBU", "known", [("oAR", ""), ("HA", "process")]),
        ("sync-mipv6", "DBA", "DBU", [("oAR", "marker"), ("MN", "process")]),
        ("sync-hmipv4", "RQ", "known", [("oAR", ""), ("nAR", "request"), ("GFA", "bind"), ("HA", "process")]),
        ("sync-hmipv4", "DRR", "RQ", [("oGFA", "leave"), ("oAR", "marker"), ("MN", "process")]),
        ("sync-hmipv6", "DBA", "DBU", [("oMAP", "leave"), ("oAR", "marker"), ("MN", "process")]),
    ],
)
def test_each_node_on_a_path_has_its_action(procedure, message, on, expected):
    assert actions(procedure, message, on) == expected


def test_a_hop_knows_the_next_node_and_the_size_of_the_next_leg():
    p = build_parts("sync-mipv4")
    hops = build_message_hops(p.program, p.roles)
    number = step_number(p.program, "RQ", "known")
    fields = MessageFields(number, 0, p.old, p.new, -1, 1, 600)
    assert [hops[number | i << 16].next_node(fields) for i in range(3)] == [p.old, p.new, p.ha]
    assert [hops[number | i << 16].size_bytes for i in range(3)] == [74, 74, 74]
    assert {hops[number | i << 16].code for i in range(4)} == {CODES["RQ"]}
    assert [hops[number | i << 16].last for i in range(4)] == [False, False, False, True]


def test_only_deregistrations_end_a_lifetime_and_only_advertisements_are_broadcast():
    p = build_parts("sync-mipv6-ro")
    hops = build_message_hops(p.program, p.roles).values()
    assert {hop.kind for hop in hops if hop.ends_lifetime} == {"DBA"}
    assert {hop.kind for hop in hops if hop.is_broadcast} == {"AA"}
    assert {hop.kind for hop in hops if hop.is_request} == {"BU", "DBU"}
    assert {hop.kind for hop in hops if hop.per_peer} == {"BU", "BA", "DBU", "DBA"}


def test_a_relayed_message_is_sent_at_once_unless_the_node_acts_or_starts_steps():
    """Option ``notification``: the new router starts the update when it relays the request."""
    p = build_parts("mipv4-smooth", notification="router")
    hops = build_message_hops(p.program, p.roles)
    request, update = step_number(p.program, "RQ", "move"), step_number(p.program, "BU2", "RQ")
    assert [hops[request | i << 16].handler for i in range(3)] == ["send", "request", "process"]
    assert [hops[update | i << 16].handler for i in range(2)] == ["send", "process"]
    acknowledgement = step_number(p.program, "BA2")
    assert [hops[acknowledgement | i << 16].handler for i in range(3)] == ["send", "acknowledgement", "process"]


def test_the_last_leg_to_the_mobile_node_goes_through_the_routers_table():
    p = build_parts("sync-mipv4")
    hops = build_message_hops(p.program, p.roles)
    number = step_number(p.program, "RR", "RQ")
    assert [hops[number | i << 16].to_mobile for i in range(2)] == [False, True]


@pytest.mark.parametrize(
    ("procedure", "like_data"),
    [
        ("sync-mipv4", {"DRR"}),
        ("sync-mipv4-ro", {"DBA"}),
        ("sync-hmipv4", {"DRR"}),
        ("sync-mipv6", {"DBA"}),
        ("sync-mipv6-ro", {"DBA"}),
        ("sync-hmipv6", {"DBA"}),
        ("mipv6-ro", set()),
        ("mipv4-bicast", set()),
    ],
)
def test_only_markers_pass_the_nodes_like_data(procedure, like_data):
    """Decision 32: no other message does, so that they wait for registration servers."""
    p = build_parts(procedure)
    hops = build_message_hops(p.program, p.roles).values()
    assert {hop.program_step.kind for hop in hops if hop.like_data} == like_data
    assert all(hop.like_data for hop in hops if hop.program_step.kind in like_data)


def test_the_last_node_starts_the_replies():
    p = build_parts("sync-mipv4")
    hops = build_message_hops(p.program, p.roles)
    number = step_number(p.program, "RQ", "known")
    started = hops[number | 3 << 16].starts
    assert [p.program.steps[i].step.message for i in started] == ["RR", "DRR"]


@pytest.mark.parametrize(
    ("procedure", "message", "action"),
    [
        ("sync-mipv4", "RR", "registered"),
        ("sync-mipv4", "DRR", "marker"),
        ("sync-mipv4", "BA", "forwarding acknowledged"),
        ("mipv6-ro", "BA2", "acknowledgement"),
        ("mipv6-ro", "BA3", "forwarding acknowledged"),
        ("mipv6-ro", "AA9", "advertisement"),
        ("pmipv6", "AA", "registered"),
        ("mipv6-ro", "HoT2", "token"),
        ("mipv6-ro", "CoT2", "token"),
    ],
)
def test_the_mobile_node_has_an_action_for_each_message(procedure, message, action):
    p = build_parts(procedure, return_routability=True)
    assert arrival_action(p.program.steps[step_number(p.program, message)], p.program.procedure.marker) == action
