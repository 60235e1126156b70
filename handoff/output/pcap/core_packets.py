"""Messages of LTE and 5G cores as IP packets (docs/export.md): GTP, PFCP, and the application protocols over SCTP."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from handoff.output.pcap.core_templates import PORTS, TEMPLATES, Template
from handoff.protocol.message_formats import FORMATS
from handoff_traces import wire

FIRST_IDENTIFIER = 65_536
"""Identifier of mobile node 0 in all protocols. Identifiers of three octets go up to 16,777,215."""
OPAQUE_PORT = 65_000
"""UDP port of messages whose encoding is not modelled: a dynamic one (RFC 6335 6), on which no dissector is registered."""
GTP_U_PORT, GTP_C_PORT, PFCP_PORT = 2152, 2123, 8805
_DATA, _WHOLE_MESSAGE, _DATA_HEADER = 0, 3, 16
"""Type, flags and header length of a DATA chunk (RFC 9260 3.3.1)."""
_PAD, _PAD_HEADER = 0x84, 4
"""Type and header length of a PAD chunk (RFC 4820)."""
_UDP_HEADER, _IPV4_HEADER, _IPV6_HEADER = 8, 20, 40
_SEQUENCE_MASK = 0xFFFFFF
_X2_IDENTIFIERS = 4096
_ACCEPTED = {"pfcp": 1, "gtpv2": 16}
"""Cause of an accepted request."""
_ENB_S1_U, _SGW_S1_U, _ENB_FORWARDING, _SGW_FORWARDING = 0, 1, 19, 23
"""Interface types of GTPv2-C (TS 29.274 8.22)."""
_END_MARKERS = {
    "GTP-U End Marker": bytes.fromhex("30fe0000"),
    "GTP-U End Marker (5G)": bytes.fromhex("34fe0008"),
}
"""Flags, type and length (TS 29.281 5.1)."""
_SESSION_CONTAINER = bytes.fromhex("000000850100 0900")
"""Optional fields, and a PDU Session Container of a downlink packet with QoS flow 9 (TS 38.415 5.5.2.1)."""


@dataclass(frozen=True)
class Endpoint:
    """End of a GTP-U tunnel."""

    address: bytes
    identifier: int

    @property
    def octets(self) -> bytes:
        """Address and tunnel endpoint identifier."""
        return self.address + self.identifier.to_bytes(4, "big")

    @property
    def reversed_octets(self) -> bytes:
        """Tunnel endpoint identifier and address."""
        return self.identifier.to_bytes(4, "big") + self.address


@dataclass(frozen=True)
class Session:
    """Identifiers in the messages about a mobile node.

    Attributes
    ----------
    mobile : int
        Number of the mobile node.
    number : int
        Number of the exchange, from which sequence numbers are made.
    anchor, target : Endpoint
        Ends of the tunnel between anchor and target: for uplink data at the anchor, for downlink data at the target.
    relay, forwarding : Endpoint
        Ends of forwarding tunnels at the anchor (indirect forwarding) and at the target.
    marker : Endpoint
        Tunnel in which an End Marker travels.
    """

    mobile: int
    number: int
    anchor: Endpoint
    target: Endpoint
    relay: Endpoint
    forwarding: Endpoint
    marker: Endpoint

    @property
    def identifier(self) -> int:
        """Identifier of the mobile node at all nodes."""
        return FIRST_IDENTIFIER + self.mobile

    @property
    def sequence(self) -> bytes:
        """Sequence number of GTPv2-C and PFCP."""
        return (self.number & _SEQUENCE_MASK).to_bytes(3, "big")


def encode(name: str, source: bytes, destination: bytes, session: Session, container_bytes: int = 0) -> bytes:
    """Return a message as an IP packet.

    Parameters
    ----------
    name : str
        A name in ``FORMATS`` that is carried by SCTP, GTP-U, GTPv2-C or PFCP.
    source, destination : bytes
        IPv4 addresses of the packet.
    session : Session
        Identifiers in the message.
    container_bytes : int
        Bytes of the RRC container beyond those in the template, a multiple of 4. A PAD chunk behind the message has them.

    Returns
    -------
    bytes
        ``FORMATS[name].ip_bytes + container_bytes`` octets.
    """
    format_ = FORMATS[name]
    if format_.carrier == "sctp":
        return _encode_sctp(name, source, destination, session, container_bytes)
    if format_.carrier == "gtpu":
        marker = _END_MARKERS[name] + session.marker.identifier.to_bytes(4, "big")
        return _udp(source, destination, GTP_U_PORT, marker + _SESSION_CONTAINER * (marker[3] > 0))
    if format_.carrier == "gtpv2":
        return _udp(source, destination, GTP_C_PORT, _gtp_control_message(name, session))
    return _udp(source, destination, PFCP_PORT, _pfcp_message(name, session))


def encode_opaque(name: str, source: bytes, destination: bytes) -> bytes:
    """Return a message that has no IP form as a UDP packet, whose payload is its name and zeros.

    Parameters
    ----------
    name : str
        A name in ``FORMATS``.
    source, destination : bytes
        Addresses of the packet.
    """
    header = _UDP_HEADER + (_IPV4_HEADER if len(source) == 4 else _IPV6_HEADER)
    return _udp(source, destination, OPAQUE_PORT, _opaque(name, FORMATS[name].ip_bytes - header))


def _udp(source: bytes, destination: bytes, port: int, payload: bytes) -> bytes:
    return wire.udp_packet(source, destination, (port, port), payload)


def _opaque(name: str, size: int) -> bytes:
    """Return a payload that begins with the name of the message, as far as it fits."""
    return name.encode()[:size].ljust(size, b"\0")


def _encode_sctp(name: str, source: bytes, destination: bytes, session: Session, container_bytes: int) -> bytes:
    template = TEMPLATES[name]
    message = _fill(template, session)
    # a number of its own for each message: a dissector takes a second one for a retransmission
    sequence = zlib.crc32(f"{name} {session.mobile} {session.number}".encode())
    chunks = struct.pack(
        ">BBHIHHI", _DATA, _WHOLE_MESSAGE, _DATA_HEADER + len(message), sequence, 0, sequence & 0xFFFF, template.protocol
    )
    chunks += message + bytes(-len(message) % 4)
    if container_bytes:
        chunks += struct.pack(">BBH", _PAD, 0, container_bytes) + bytes(container_bytes - _PAD_HEADER)
    tag = zlib.crc32(source + destination)
    return wire.sctp_packet(source, destination, PORTS[name.partition(" ")[0]], tag, chunks)


def _fill(template: Template, session: Session) -> bytes:
    """Return the octets of a template with the identifiers of a session."""
    octets = bytearray(template.octets)
    for at in template.mobiles:
        octets[at : at + 3] = session.identifier.to_bytes(3, "big")
    for at in template.x2_mobiles:
        octets[at : at + 2] = (session.mobile % _X2_IDENTIFIERS).to_bytes(2, "big")
    for name, at in template.tunnels.items():
        octets[at : at + 8] = getattr(session, name).octets
    return bytes(octets)


# GTPv2-C (TS 29.274)


def _gtp_element(kind: int, value: bytes) -> bytes:
    return struct.pack(">BHB", kind, len(value), 0) + value


def _gtp_tunnel(interface: int, endpoint: Endpoint) -> bytes:
    """Return an F-TEID with an IPv4 address (8.22)."""
    return _gtp_element(87, bytes([0x80 | interface]) + endpoint.reversed_octets)


def _gtp_control_message(name: str, session: Session) -> bytes:
    cause = _gtp_element(2, bytes([_ACCEPTED["gtpv2"], 0]))
    bearer = _gtp_element(73, b"\5")
    kind, elements = {
        "Modify Bearer Request": (34, _gtp_element(93, bearer + _gtp_tunnel(_ENB_S1_U, session.target))),
        "Modify Bearer Response": (35, cause + _gtp_element(93, bearer + cause + _gtp_tunnel(_SGW_S1_U, session.anchor))),
        "Create Indirect Data Forwarding Tunnel Request":
            (166, _gtp_element(93, bearer + _gtp_tunnel(_ENB_FORWARDING, session.forwarding))),
        "Create Indirect Data Forwarding Tunnel Response":
            (167, cause + _gtp_element(93, bearer + cause + _gtp_tunnel(_SGW_FORWARDING, session.relay))),
        "Delete Indirect Data Forwarding Tunnel Request": (168, b""),
        "Delete Indirect Data Forwarding Tunnel Response": (169, cause),
    }[name.removeprefix("GTPv2-C ")]  # fmt: skip
    header = struct.pack(">BBHI", 0x48, kind, 8 + len(elements), session.identifier)
    return header + session.sequence + b"\0" + elements


# PFCP (TS 29.244)

_FORWARD = 2
_ACCESS = 0
_SWITCH_RULE, _FORWARDING_RULE = 1, 2


def _pfcp_element(kind: int, *values: bytes) -> bytes:
    value = b"".join(values)
    return struct.pack(">HH", kind, len(value)) + value


def _pfcp_message(name: str, session: Session) -> bytes:
    forwarding_rule = _pfcp_element(108, _FORWARDING_RULE.to_bytes(4, "big"))
    detection_rule = _pfcp_element(56, _FORWARDING_RULE.to_bytes(2, "big"))
    forward = _pfcp_element(44, bytes([_FORWARD]))
    to_access = _pfcp_element(42, bytes([_ACCESS]))
    if name == "PFCP Session Modification Request":
        parameters = _pfcp_element(
            11, to_access, _pfcp_element(84, b"\1\0", session.target.reversed_octets), _pfcp_element(49, b"\2")
        )
        elements = _pfcp_element(10, _pfcp_element(108, _SWITCH_RULE.to_bytes(4, "big")), forward, parameters)
    elif name == "PFCP Session Modification Request (forwarding tunnel)":
        detection = _pfcp_element(
            2, _pfcp_element(20, bytes([_ACCESS])), _pfcp_element(21, b"\1", session.relay.reversed_octets)
        )
        elements = _pfcp_element(
            1, detection_rule, _pfcp_element(29, (255).to_bytes(4, "big")), detection, _pfcp_element(95, b"\0"), forwarding_rule
        ) + _pfcp_element(
            3, forwarding_rule, forward,
            _pfcp_element(4, to_access, _pfcp_element(84, b"\1\0", session.forwarding.reversed_octets)),
        )  # fmt: skip
    elif name == "PFCP Session Modification Request (remove)":
        elements = _pfcp_element(15, detection_rule) + _pfcp_element(16, forwarding_rule)
    else:
        elements = _pfcp_element(19, bytes([_ACCEPTED["pfcp"]]))
    kind = 53 if name.endswith("Response") else 52
    header = struct.pack(">BBHQ", 0x21, kind, 12 + len(elements), session.identifier)
    return header + session.sequence + b"\0" + elements
