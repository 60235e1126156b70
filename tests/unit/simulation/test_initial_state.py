"""The state of time 0: bindings, scheduled events, controllers."""

import numpy as np
import pytest

from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.program import DOWN, FADE, GOING_DOWN, PREDICT, REFRESH, UP, compile_program
from handoff.protocol.setup import Attachments
from handoff.simulation.initial_state import anchors_with_bindings, make_controllers, prepare_network
from tests.analytic.one_handoff import MS, WO, one_handoff_setup


def prepare(procedure, **changes):
    times = {"predict": 30, "warn": 40, "old_down": 50, "new_up": 60, "until_ms": 200} | changes
    setup = one_handoff_setup(procedure, **times)
    program = compile_program(setup, procedure)
    network, parts = prepare_network(setup, program, 1)
    return setup, network, *parts


def events(network, code):
    """Return (time in ms, node) of the scheduled events of a code; node -1 is the mobile node."""
    scheduled = network.scheduled_events()
    rows = np.flatnonzero(scheduled["code"] == code)
    return sorted((scheduled["time"][i] / MS, int(scheduled["node"][i])) for i in rows)


@pytest.mark.parametrize(
    ("procedure", "roles"),
    [("mipv4", ["HA"]), ("sync-hmipv4", ["HA", "GFA"]), ("sync-hmipv6", ["HA", "MAP"]), ("mipv6-ro", ["HA", "CN"])],
)
def test_each_anchor_of_a_procedure_has_a_binding(procedure, roles):
    setup, _, part = prepare(procedure)
    old = setup.network.node_index("old")
    anchors = list(anchors_with_bindings(part.roles, old, np.array([0])))
    assert [role for _, role, _ in anchors] == roles
    assert [mobiles.tolist() for _, _, mobiles in anchors] == [[0]] * len(roles)


def test_a_mobile_node_that_is_up_at_time_0_is_bound_to_its_router():
    setup, network, _ = prepare("mipv4")
    old, ha = setup.network.node_index("old"), setup.home_agent
    entries = list(zip(network.entry_column("node").tolist(), network.entry_column("coa").tolist(), strict=True))
    assert (ha, old) in entries
    assert network.routes_up()["node"].tolist() == [old]


def test_a_mobile_node_that_is_at_home_at_time_0_has_no_binding_and_no_refresh():
    setup = one_handoff_setup("mipv6-ro", old_down=50, new_up=60, until_ms=501, lifetime_s=1)
    setup.network.cell("ha", delay=MS)
    router = np.array([setup.home_agent, setup.attachments.router[1]])
    columns = {name: getattr(setup.attachments, name) for name in ("mobile", "up_ps", "down_ps", "predict_ps", "going_down_ps")}
    object.__setattr__(setup, "attachments", Attachments(router=router, **columns))
    network, _ = prepare_network(setup, compile_program(setup, "mipv6-ro"), 1)
    assert network.entry_column("node").tolist() == [setup.home_agent], "the entry of its own link"
    assert network.routes_up()["node"].tolist() == [setup.home_agent]
    assert events(network, REFRESH) == []


def test_layer_2_events_reach_the_mobile_node_and_its_router():
    setup, network, _ = prepare("sync-mipv4", old_buffer_packets=0)
    old, new = (setup.network.node_index(name) for name in ("old", "new"))
    assert events(network, PREDICT) == [(30, -1)]
    assert events(network, GOING_DOWN) == [(40, -1)]
    assert events(network, DOWN) == [(50, -1), (50, old)]
    assert events(network, UP) == [(60, -1), (60, new)]
    assert events(network, FADE) == []


@pytest.mark.parametrize(
    ("procedure", "options", "warnings"),
    [
        ("mipv4", {}, []),  # it sends nothing before the move
        ("mipv4", {"request": "going-down"}, []),
        ("mipv4-bicast", {}, []),  # it requests at the prediction
        ("mipv4-bicast", {"request": "going-down"}, [(40, -1)]),
        ("sync-mipv6", {"request": "predict"}, [(40, -1)]),  # the update to the old router
    ],
)
def test_a_warning_reaches_the_mobile_node_if_its_procedure_may_react(procedure, options, warnings):
    _, network, _ = prepare(procedure, **options)
    assert events(network, GOING_DOWN) == warnings


@pytest.mark.parametrize("options", [{}, {"old_buffer_packets": None}, {"old_buffer_packets": 5, "old_buffer_bytes": 1}])
def test_a_router_with_a_buffer_knows_when_its_packets_come_too_late(options):
    """A packet that leaves the old router less than the radio delay before the end of the link does not arrive."""
    setup, network, _ = prepare("mipv4-smooth", **options)
    ((fade_ms, node),) = events(network, FADE)
    assert node == setup.network.node_index("old")
    assert fade_ms == pytest.approx(50 - WO, abs=1e-6)


@pytest.mark.parametrize(("lifetime_s", "refreshes"), [(600, 0), (1, 1)])
def test_the_first_refresh_comes_within_half_a_lifetime(lifetime_s, refreshes):
    """In 500 ms, half of 1 s, exactly one; its time is drawn from the age of the registration."""
    _, network, _ = prepare("mipv4", lifetime_s=lifetime_s, until_ms=501)
    times = [time for time, _ in events(network, REFRESH)]
    assert len(times) == refreshes
    assert all(0 < time <= 500 for time in times)


def test_authentication_slows_the_registration_servers_of_anchors():
    setup, network, _ = prepare("mipv4", authentication=True, authentication_service_ps=3 * MS)
    service = {node.name: node.registration_ps for node in network.nodes}
    before = {node.name: node.registration_ps for node in setup.network.nodes}
    assert service == before | {"ha": before["ha"] + 3 * MS}


@pytest.mark.parametrize(
    ("procedure", "anchors"), [("mipv4", {"ha"}), ("sync-hmipv4", {"ha", "gateway"}), ("mipv6-ro", {"ha", "cn"})]
)
def test_routers_and_anchors_have_controllers(procedure, anchors):
    setup, _, part = prepare(procedure)
    nodes = [node for node, _ in make_controllers(setup, part, HandoffRecords(setup))]
    assert nodes[0] == -1
    assert {setup.network.nodes[node].name for node in nodes[1:]} == {"old", "new"} | anchors
