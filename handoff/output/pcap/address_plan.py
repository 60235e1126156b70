"""The address plan of exported captures (docs/export.md)."""

from __future__ import annotations

import ipaddress
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from engine import Network
from handoff.protocol.roles import RoleResolver

HOMES_V4 = int(ipaddress.IPv4Address("10.0.0.0"))
NODES_V4 = int(ipaddress.IPv4Address("10.128.0.0"))
MAX_HOMES_V4, MAX_NODES_V4 = 2**23 - 2, 2**15
PREFIX_V6 = 0x20010DB8 << 32
"""2001:db8::/32 (RFC 3849), as the first 64 bits of an address."""
HOST_V6 = 0x10000
"""Interface identifier of mobile node 0. Nodes have the identifier 1."""
HOME_AGENTS_V6 = (2**64 - 1) ^ (1 << 57) ^ 1
"""Anycast identifier of the home agents on a link (RFC 2526, number 126)."""
FIRST_TUNNEL = 65_536
"""Smallest tunnel endpoint identifier."""
LINK_LOCAL_V6 = 0xFE80 << 48
ALL_NODES_V6 = ipaddress.IPv6Address("ff02::1").packed
ALL_ROUTERS = {4: ipaddress.IPv4Address("224.0.0.2").packed, 6: ipaddress.IPv6Address("ff02::2").packed}

Number = TypeVar("Number", int, npt.NDArray[np.int64])


class AddressPlan:
    """Addresses of nodes and mobile nodes in the captures of one procedure.

    Parameters
    ----------
    roles : RoleResolver
        Roles of the run.
    nodes, mobiles : int
        Number of nodes and of mobile nodes.

    Attributes
    ----------
    table : ndarray of uint8, shape (nodes + mobiles, 16)
        Addresses of the nodes, then home addresses of the mobile nodes. IPv4 addresses take the first four bytes. An IPv6
        care-of address has the first half of the router's address and the second half of the mobile node's.
    """

    def __init__(self, roles: RoleResolver, nodes: int, mobiles: int) -> None:
        procedure = roles.procedure
        self.ip, self.nodes = procedure.ip, nodes
        self._address_of_router, self._home_agent = procedure.network_based, roles.home_agent
        self.table: npt.NDArray[np.uint8] = np.zeros((nodes + mobiles, 16), np.uint8)
        numbers = np.concatenate([np.arange(nodes), np.arange(mobiles)]).astype(np.uint64)
        if self.ip == 4:
            numbers[:nodes] = numbers[:nodes] * 256 + (NODES_V4 + 1)
            numbers[nodes:] += np.uint64(HOMES_V4 + 1)
            self.table[:, :4] = numbers.astype(">u4").view(np.uint8).reshape(-1, 4)
        else:
            subnets = numbers.copy()
            subnets[nodes:] = roles.home_agent
            subnets = (subnets + np.uint64(1) << np.uint64(16)) + np.uint64(PREFIX_V6)
            numbers[:nodes] = 1
            numbers[nodes:] += np.uint64(HOST_V6)
            self.table[:, :8] = subnets.astype(">u8").view(np.uint8).reshape(-1, 8)
            self.table[:, 8:] = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)

    def node(self, node: int) -> bytes:
        """Return the address of a node."""
        return self._bytes(node)

    def home(self, mobile: int) -> bytes:
        """Return the home address of a mobile node."""
        return self._bytes(self.nodes + mobile)

    def care_of(self, mobile: int, node: int) -> bytes:
        """Return the care-of address of a mobile node at a router or gateway. In IPv4 it is the address of the agent.

        At home it is the home address, which deregisters a mobile node (RFC 5944 3.6.1, RFC 6275 11.5.5).
        """
        if self._address_of_router:
            return self.node(node)
        if node == self._home_agent:
            return self.home(mobile)
        if self.ip == 4:
            return self.node(node)
        return self.node(node)[:8] + self.home(mobile)[8:]

    def tunnel_identifier(self, mobile: Number, node: Number, forwards: Number) -> Number:
        """Return the endpoint identifier (TEID) of a GTP-U tunnel of a mobile node at a node.

        Parameters
        ----------
        mobile, node : int or ndarray of int64
            Numbers of the mobile node and of the node where the tunnel ends.
        forwards : int or ndarray of int64
            1 for a tunnel of forwarded or uplink packets, 0 for one from the anchor to the router of the mobile node.
        """
        return (FIRST_TUNNEL + 2 * (mobile * self.nodes + node) + forwards) % 2**32

    def home_agents(self, node: int) -> bytes:
        """Return the IPv6 anycast address of the home agents on a node's link."""
        return self.node(node)[:8] + HOME_AGENTS_V6.to_bytes(8, "big")

    def link_local(self, address: bytes) -> bytes:
        """Return the IPv6 link-local address with the interface identifier of another address."""
        return LINK_LOCAL_V6.to_bytes(8, "big") + address[8:]

    def names(self, network: Network) -> dict[bytes, str]:
        """Return the names of all addresses, for the name resolution block of a capture."""
        names = {self.node(i): node.name for i, node in enumerate(network.nodes)}
        return names | {self.home(m): network.mobile_name(m) for m in range(network.mobile_count)}

    def _bytes(self, row: int) -> bytes:
        return self.table[row, : 4 if self.ip == 4 else 16].tobytes()


def address_plan_errors(ip: int, nodes: int, mobiles: int) -> list[str]:
    """Return the reasons why the plan has no addresses for a network."""
    if ip == 4 and (nodes > MAX_NODES_V4 or mobiles > MAX_HOMES_V4):
        return [f"an IPv4 capture has addresses for {MAX_NODES_V4:,} nodes and {MAX_HOMES_V4:,} mobile nodes, not {nodes:,} "
                f"and {mobiles:,}"]  # fmt: skip
    return []
