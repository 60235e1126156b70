"""Delays of undisturbed paths, added up by hand."""

import numpy as np
import pytest

from engine import FOREVER, Network
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Attachments, CorrespondentTable, Setup
from handoff.simulation.path_delays import PathDelays

MS, US = 10**9, 10**6


def delays_of(procedure, home_link=False):
    """Return the delays of cn - ha - map - (old, new): 1 us a byte up to map, 2 us to new, 8 us on the radio of old."""
    net = Network()
    for name in ("cn", "ha", "old", "new"):
        net.node(name)
    net.node("map", service=3 * MS)
    for a, b, delay, rate in (
        ("cn", "ha", 20, 8_000_000), ("ha", "map", 5, 8_000_000), ("map", "old", 10, None), ("map", "new", 12, 4_000_000),
    ):  # fmt: skip
        net.link(a, b, delay=delay * MS, rate=rate, both=True)
    net.cell("old", delay=4 * MS, rate=1_000_000)
    net.cell("new", delay=5 * MS)
    if home_link:
        net.cell("ha", delay=3 * MS)
    mn = net.mobile("mn", home="ha")
    net.cbr("cn", mn, interval=MS, size_bytes=100)
    routers = [net.node_index("old"), net.node_index("new")]
    none = np.array([-1, -1])
    attachments = Attachments(np.array([mn, mn]), np.array(routers), np.array([0, 50]), np.array([40, FOREVER]), none, none)
    setup = Setup(net, net.node_index("ha"), attachments, MS, gateways=dict.fromkeys(routers, net.node_index("map")))
    roles = RoleResolver(setup, compile_program(setup, procedure), CorrespondentTable(net), 1)
    return PathDelays(net, roles), {node.name: i for i, node in enumerate(net.nodes)}


@pytest.mark.parametrize(
    ("procedure", "router", "expected_us"),
    [
        # 20 bytes from ha to the router: cn>ha 20,100; ha>map 5,120 and 3,000 of service; then the last link and the radio
        ("mipv4", "old", 28_220 + 10_000 + 4_800),
        ("mipv4", "new", 28_220 + 12_240 + 5_000),
        # 40 bytes from ha, which stay on until the mobile node
        ("mipv6", "old", 20_100 + 8_140 + 10_000 + 4_000 + 8 * 140),
        # 40 bytes from ha and 40 more from map
        ("sync-hmipv6", "new", 20_100 + 8_140 + 12_360 + 5_000),
        # 20 bytes from ha to map, and 20 from map to the router
        ("sync-hmipv4", "new", 28_220 + 12_240 + 5_000),
        # 24 bytes from the correspondent
        ("mipv6-ro", "new", 20_124 + 8_124 + 12_248 + 5_000),
    ],
)
def test_the_way_down_leads_by_the_anchors_with_their_headers(procedure, router, expected_us):
    delays, node = delays_of(procedure)
    assert delays.downstream(node["cn"], node[router], 100) == expected_us * US


def test_a_correspondent_at_the_home_agent_sends_by_the_home_agents_tunnel():
    """40 bytes in place of the 24 of a correspondent."""
    delays, node = delays_of("mipv6-ro")
    assert delays.downstream(node["ha"], node["new"], 100) == (8_140 + 12_280 + 5_000) * US


def test_the_way_up_leads_directly_to_the_correspondent():
    """Radio 4,800; 10,000 to map and 3,000 of service there; 5,100 to ha and 20,100 to cn."""
    delays, node = delays_of("mipv6")
    assert delays.upstream(node["cn"], node["old"], 100) == 43_000 * US


def test_the_difference_has_no_sign():
    delays, node = delays_of("mipv4")
    there = delays.difference(node["cn"], False, node["old"], node["new"], 100)
    back = delays.difference(node["cn"], False, node["new"], node["old"], 100)
    assert there == back == (45_460 - 43_020) * US


def test_a_mobile_node_at_its_home_agent_needs_no_tunnel():
    delays, node = delays_of("mipv4")
    delays._network.cell("ha", delay=MS)
    assert delays.downstream(node["cn"], node["ha"], 100) == (20_100 + 1_000) * US


@pytest.mark.parametrize("procedure", ["mipv4", "mipv6-ro", "sync-hmipv6"])
def test_packets_reach_the_home_link_without_a_tunnel(procedure):
    """100 bytes: cn>ha 20,100 us, and 3,000 us on the radio of the home agent."""
    delays, node = delays_of(procedure, home_link=True)
    assert delays.downstream(node["cn"], node["ha"], 100) == 23_100 * US
