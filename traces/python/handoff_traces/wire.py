"""Messages of Mobile IPv4 and Mobile IPv6 as whole IP packets, checksums and authenticators right.

Addresses are bytes, 4 or 16 of them. Every function gives the bytes of one packet, from its IP header on.

- ``registration_request``, ``registration_reply``: RFC 5944 3.3, 3.4 with the Mobile-Home Authentication Extension
  (HMAC-MD5, SPI 256); with ``kind`` 18 and 19 the regional ones of RFC 4857 9. A request without ``agent`` is the binding update
  of draft-ietf-mobileip-optim, ``optimization_acknowledgement`` its acknowledgement.
- ``agent_solicitation``, ``agent_advertisement``: RFC 1256, RFC 5944 2.1.1.
- ``binding_update``, ``binding_acknowledgement``: RFC 6275 6.1.7, 6.1.8; ``home`` goes into a home address option or a
  type 2 routing header, ``lifetime`` is in units of 4 s, ``proxy`` is RFC 5213 8.1 and 8.2.
- ``test_init``, ``test``, ``management_key``: return routability, RFC 6275 5.2.
- ``router_solicitation``, ``router_advertisement``: RFC 4861 4.1, 4.2.
- ``home_agent_discovery``: request or, with ``agent``, reply, RFC 6275 6.5, 6.6.
- ``tunnelled``: a packet in one of the tunnels below; ``ValueError`` if it does not go around it.
"""

from typing import NamedTuple

from traces._native import (
    agent_advertisement,
    agent_solicitation,
    binding_acknowledgement,
    binding_update,
    home_agent_discovery,
    management_key,
    optimization_acknowledgement,
    registration_reply,
    registration_request,
    router_advertisement,
    router_solicitation,
    test,
    test_init,
    tunnelled,
)

NO_TUNNEL, IP_IN_IP, MINIMAL, GRE, ROUTING_HEADER = range(5)
"""Kinds of tunnels: RFC 2003 or 2473, RFC 2004, RFC 2784, and (no tunnel, but of its place) the type 2 routing header."""

EXPERIMENT = 253
"""Protocol of packets too short for the headers of their flow (RFC 3692)."""


class Authorization(NamedTuple):
    """Binding authorization data (RFC 6275 6.2.7): HMAC-SHA1-96 under ``key``, with nonce indices if there are any."""

    key: bytes
    nonces: tuple[int, int] | None
    care_of: bytes
    correspondent: bytes


class Proxy(NamedTuple):
    """Mobile node identifier and home network prefix of a proxy binding update (RFC 5213 8.1)."""

    name: str
    prefix: bytes


class Security(NamedTuple):
    """ESP in transport mode (RFC 3776) with NULL encryption and HMAC-SHA1-96: security parameters index, sequence, key."""

    index: int
    sequence: int
    key: bytes


__all__ = [
    "EXPERIMENT",
    "GRE",
    "IP_IN_IP",
    "MINIMAL",
    "NO_TUNNEL",
    "ROUTING_HEADER",
    "Authorization",
    "Proxy",
    "Security",
    "agent_advertisement",
    "agent_solicitation",
    "binding_acknowledgement",
    "binding_update",
    "home_agent_discovery",
    "management_key",
    "optimization_acknowledgement",
    "registration_reply",
    "registration_request",
    "router_advertisement",
    "router_solicitation",
    "test",
    "test_init",
    "tunnelled",
]
