"""Addresses of captures: the table of docs/export.md."""

import ipaddress

import pytest

from handoff.output.pcap.address_plan import AddressPlan, address_plan_errors
from tests.unit.output.pcap.recorded_runs import roles_of, setup_of


def text(address):
    return str(ipaddress.ip_address(address))


@pytest.fixture(scope="module")
def setup():
    return setup_of(1, "patent")


def plan_of(setup, procedure):
    return AddressPlan(roles_of(setup, procedure), len(setup.network.nodes), setup.network.mobile_count)


def test_ipv4_addresses(setup):
    plan = plan_of(setup, "mipv4")
    assert [text(plan.node(n)) for n in (0, 1, 3)] == ["10.128.0.1", "10.128.1.1", "10.128.3.1"]
    assert [text(plan.home(m)) for m in (0, 3)] == ["10.0.0.1", "10.0.0.4"]
    assert text(plan.care_of(2, 3)) == "10.128.3.1", "the agent's address"


def test_ipv6_addresses(setup):
    plan = plan_of(setup, "mipv6")
    home = setup.home_agent + 1
    assert [text(plan.node(n)) for n in (0, 1, 3)] == ["2001:db8:1::1", "2001:db8:2::1", "2001:db8:4::1"]
    assert text(plan.home(3)) == f"2001:db8:{home}::1:3"
    assert text(plan.care_of(3, 2)) == "2001:db8:3::1:3", "the router's prefix and the mobile node's identifier"
    assert text(plan.home_agents(1)) == "2001:db8:2:0:fdff:ffff:ffff:fffe"
    assert text(plan.link_local(plan.home(3))) == "fe80::1:3"


def test_the_care_of_address_of_proxy_mobile_ipv6_is_the_routers(setup):
    plan = plan_of(setup, "pmipv6")
    assert plan.care_of(3, 2) == plan.node(2)


@pytest.mark.parametrize("procedure", ["mipv4", "mipv6"])
def test_the_care_of_address_of_a_deregistration_is_the_home_address(setup, procedure):
    """RFC 5944 3.6.1, RFC 6275 11.5.5."""
    plan = plan_of(setup, procedure)
    assert plan.care_of(3, setup.home_agent) == plan.home(3)


def test_every_address_is_in_the_table_and_has_a_name(setup):
    network = setup.network
    for procedure, size in (("mipv4", 4), ("mipv6", 16)):
        plan = plan_of(setup, procedure)
        names = plan.names(network)
        assert plan.table.shape == (len(network.nodes) + network.mobile_count, 16)
        assert list(names) == [row[:size].tobytes() for row in plan.table]
        assert list(names.values()) == [node.name for node in network.nodes] + [
            network.mobile_name(m) for m in range(network.mobile_count)
        ]


def test_ipv4_has_room_for_32768_nodes_and_8388606_mobile_nodes():
    assert address_plan_errors(4, 2**15, 2**23 - 2) == []
    assert address_plan_errors(6, 2**15 + 1, 2**23) == []
    for nodes, mobiles in ((2**15 + 1, 1), (1, 2**23 - 1)):
        (error,) = address_plan_errors(4, nodes, mobiles)
        assert error.startswith("an IPv4 capture has addresses for 32,768 nodes and 8,388,606 mobile nodes, not ")


def test_tunnel_identifiers_of_a_node_are_different(setup):
    """65,536 + 2 (m n + k) + f for mobile node m at node k of n (docs/export.md)."""
    plan = plan_of(setup, "mipv4")
    plan.nodes = 10
    assert [plan.tunnel_identifier(3, node, 0) for node in (0, 4)] == [65_596, 65_604]
    seen = {plan.tunnel_identifier(m, k, f) for m in range(20) for k in range(10) for f in (0, 1)}
    assert len(seen) == 400
    plan.nodes = 32_768
    assert plan.tunnel_identifier(2**16, 0, 1) == 65_537, "modulo 2**32"
