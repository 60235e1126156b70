"""Tests of handoff.protocol.roles."""

import pytest

from handoff.protocol.messages import MessageFields
from handoff.protocol.procedures import PROCEDURES
from tests.conformance.two_router_scene import Stay
from tests.unit.protocol.parts import MS, build_parts, step_number


def test_roles_follow_from_the_routers_of_a_message():
    p = build_parts("sync-hmipv4", regions=2)
    fields = MessageFields(0, 0, p.old, p.new, p.peer, 1, 600)
    expected = {
        "MN": -1, "oAR": p.old, "nAR": p.new, "HA": p.ha, "CN": p.peer, "GFA": p.gw2, "MAP": p.gw2, "oGFA": p.gw, "oMAP": p.gw,
    }  # fmt: skip
    assert {role: p.roles.node(role, fields) for role in expected} == expected


@pytest.mark.parametrize(
    ("procedure", "anchors"),
    [("mipv4", {"ha"}), ("mipv6-ro", {"ha", "cn"}), ("sync-hmipv6", {"ha", "gw"}), ("hmipv6-ro-bicast", {"ha", "gw", "cn"})],
)
def test_anchors_are_home_agent_gateways_and_correspondents_as_the_procedure_has_them(procedure, anchors):
    p = build_parts(procedure)
    names = [node.name for node in p.setup.network.nodes]
    assert {name for i, name in enumerate(names) if p.roles.is_anchor(i)} == anchors


@pytest.mark.parametrize(("procedure", "gateway"), [("sync-hmipv4", "GFA"), ("sync-hmipv6", "MAP"), ("mipv4", "CN")])
def test_the_role_of_an_anchor(procedure, gateway):
    p = build_parts(procedure)
    assert (p.roles.role(p.ha), p.roles.role(p.cn), p.roles.role(p.gw)) == ("HA", "CN", gateway)


def test_anchors_above_a_gateway_tunnel_to_the_gateway():
    p = build_parts("hmipv6-ro-bicast", regions=2)
    assert [p.roles.care_of(role, p.new) for role in ("HA", "CN", "MAP")] == [p.gw2, p.gw2, p.new]
    flat = build_parts("mipv6-ro")
    assert [flat.roles.care_of(role, flat.new) for role in ("HA", "CN")] == [flat.new, flat.new]


@pytest.mark.parametrize(
    ("procedure", "role", "header", "end"),
    [
        ("mipv4", "HA", 20, "router"),  # foreign agent care-of address
        ("mipv6", "HA", 40, "mobile"),  # co-located care-of address
        ("mipv6-ro", "CN", 24, "mobile"),
        ("pmipv6", "HA", 40, "router"),  # the mobile access gateway (RFC 5213 5.6.1)
    ],
)
def test_tunnels_end_at_the_care_of_address(procedure, role, header, end):
    assert build_parts(procedure).roles.tunnel_end(role) == (header, end)


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_a_step_without_conditions_is_part_of_every_registration(procedure):
    p = build_parts(procedure)
    steps = [step for step in p.program.steps if not p.roles.is_conditional(step)]
    assert steps
    for step in steps:
        assert all(p.roles.applies(step, old, new) for old in (-1, p.ha, p.old, p.new) for new in (p.ha, p.old, p.new))


def test_a_mobile_node_that_is_up_at_time_0_is_registered_there():
    p = build_parts("mipv4")
    assert p.roles.first_router.tolist() == [p.old]
    late = build_parts("mipv4", stays=(Stay("old", up=5),))
    assert late.roles.first_router.tolist() == [-1]


def test_the_shortest_wait_is_two_round_trips_and_a_tenth_of_a_second():
    """RFC 5944 3.6.3: radio 4 ms each way, router to home agent 10 ms each way."""
    p = build_parts("mipv4")
    assert p.roles.min_reply_wait_ps(p.old, 74) == (2 * (4 + 10 + 10 + 4) + 100) * MS


# -- the home link -------------------------------------------------------------------------------------------------------------
def test_the_home_link_belongs_to_no_region():
    p = build_parts("sync-hmipv6", home_link=True)
    at_home = MessageFields(0, 0, p.ha, p.ha, -1, 1, 600)
    assert [p.roles.node(role, at_home) for role in ("MAP", "oMAP")] == [p.ha, p.ha]
    assert p.roles.care_of("HA", p.ha) == p.ha


@pytest.mark.parametrize(
    ("procedure", "message", "on", "old", "new", "applies"),
    [
        ("mipv6", "BU3", "move", "old", "new", True),
        ("mipv6", "BU3", "move", "ha", "new", False),  # there is no previous care-of address
        ("mipv6", "BU3", "move", "old", "ha", True),
        ("sync-mipv6", "BU2", "going-down", "ha", "new", True),  # the home agent tunnels before the registration arrives
        ("sync-mipv6", "DBA", "DBU", "ha", "new", True),
        ("sync-mipv6", "DBA", "DBU", None, "new", False),
        ("sync-hmipv6", "BU", "known", "old", "ha", False),  # no gateway
        ("sync-hmipv6", "BU", "known", "ha", "new", True),
    ],
)
def test_steps_that_apply_to_a_move_from_or_to_the_home_link(procedure, message, on, old, new, applies):
    p = build_parts(procedure, home_link=True)
    step = p.program.steps[step_number(p.program, message, on)]
    assert p.roles.applies(step, -1 if old is None else getattr(p, old), getattr(p, new)) == applies


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_only_conditional_steps_may_not_apply(procedure):
    """A registration without an old router, a refresh, a return home and a departure from home."""
    p = build_parts(procedure, home_link=True, return_routability=True)
    pairs = [(-1, p.new), (p.new, p.new), (p.old, p.ha), (p.ha, p.new)]
    for step in p.program.steps:
        applies = {p.roles.applies(step, old, new) for old, new in pairs}
        assert (False in applies) == p.roles.is_conditional(step)
