"""Messages of Mobile IP and of mobile cores as IP packets with valid checksums and authenticators.

Addresses are ``bytes`` of length 4 or 16. Every function but ``management_key`` returns a packet from its IP header on.

- ``registration_request``, ``registration_reply``: RFC 5944 3.3, 3.4 with the Mobile-Home Authentication Extension (HMAC-MD5,
  SPI 256); with ``kind`` 18 and 19, their regional variants (RFC 4857 9). A request without ``agent`` is the binding update of
  draft-ietf-mobileip-optim, and ``optimization_acknowledgement`` is its acknowledgement.
- ``agent_solicitation``, ``agent_advertisement``: RFC 1256, RFC 5944 2.1.1.
- ``binding_update``, ``binding_acknowledgement``: RFC 6275 6.1.7, 6.1.8. ``home`` is put into a home address option or a type 2
  routing header, ``lifetime`` is in units of 4 s, ``proxy`` adds the options of RFC 5213 8.1 and 8.2.
- ``test_init``, ``test``, ``management_key``: return routability, RFC 6275 5.2.
- ``router_solicitation``, ``router_advertisement``, ``neighbor_advertisement``: RFC 4861 4.1, 4.2, 4.4.
- ``home_agent_discovery``: a request or, with ``agent``, a reply, RFC 6275 6.5, 6.6.
- ``mobility_packet``, ``icmpv6_packet``: a Mobility Header (RFC 6275 6.1.1) or ICMPv6 message (RFC 4443) that the caller has
  composed; its checksum is computed. ``home`` is put into a home address option, ``routed_home`` into a type 2 routing header.
- ``udp_packet``: a payload in UDP, RFC 768. ``sctp_packet``: chunks that the caller has composed, RFC 9260 3, with one port at
  both ends; the checksum (CRC32c) is computed.
- ``encapsulate``: a packet in one of the tunnels below; ``endpoint`` is the tunnel endpoint identifier of GTP-U. It raises
  ``ValueError`` if the tunnel cannot carry the packet.
"""

from typing import NamedTuple

from handoff_traces._native import (
    agent_advertisement,
    agent_solicitation,
    binding_acknowledgement,
    binding_update,
    encapsulate,
    home_agent_discovery,
    icmpv6_packet,
    management_key,
    mobility_packet,
    neighbor_advertisement,
    optimization_acknowledgement,
    registration_reply,
    registration_request,
    router_advertisement,
    router_solicitation,
    sctp_packet,
    test,
    test_init,
    udp_packet,
)

NO_TUNNEL, IP_IN_IP, MINIMAL, GRE, ROUTING_HEADER = range(5)
"""Kinds of tunnels: RFC 2003 or 2473, RFC 2004, RFC 2784; and in place of a tunnel, the type 2 routing header (RFC 6275 6.4)."""

GTP_U = 16
"""Kind of tunnel: GTP-U (3GPP TS 29.281) in IPv4. The sum with any of the three numbers below is a kind with that form."""
SESSION_CONTAINER, PDCP_NUMBER, UPLINK = 1, 2, 4
"""Form of GTP-U: with a PDU Session Container (TS 38.415); with a PDCP number; the container is that of an uplink packet."""

EXPERIMENT = 253
"""Protocol number of packets too short for their transport header (RFC 3692)."""


class Authorization(NamedTuple):
    """Binding authorization data (RFC 6275 6.2.7): HMAC-SHA1-96 with ``key``, and the nonce indices if there are any."""

    key: bytes
    nonces: tuple[int, int] | None
    care_of: bytes
    correspondent: bytes


class Proxy(NamedTuple):
    """Mobile node identifier and home network prefix of a proxy binding update (RFC 5213 8.1)."""

    name: str
    prefix: bytes


class Esp(NamedTuple):
    """ESP in transport mode (RFC 3776) with NULL encryption and HMAC-SHA1-96: security parameters index, sequence number, key."""

    spi: int
    sequence: int
    key: bytes


__all__ = [
    "EXPERIMENT",
    "GRE",
    "GTP_U",
    "IP_IN_IP",
    "MINIMAL",
    "NO_TUNNEL",
    "PDCP_NUMBER",
    "ROUTING_HEADER",
    "SESSION_CONTAINER",
    "UPLINK",
    "Authorization",
    "Esp",
    "Proxy",
    "agent_advertisement",
    "agent_solicitation",
    "binding_acknowledgement",
    "binding_update",
    "encapsulate",
    "home_agent_discovery",
    "icmpv6_packet",
    "management_key",
    "mobility_packet",
    "neighbor_advertisement",
    "optimization_acknowledgement",
    "registration_reply",
    "registration_request",
    "router_advertisement",
    "router_solicitation",
    "sctp_packet",
    "test",
    "test_init",
    "udp_packet",
]
