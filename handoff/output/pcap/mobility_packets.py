"""Messages of FMIPv6, Proxy Mobile IPv6 and their relatives as IPv6 packets (docs/export.md)."""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass

from handoff_traces import wire

_BU, _BA, _FBU, _FBACK, _HI, _HACK = 5, 6, 8, 9, 14, 15
_ACKNOWLEDGE, _HOME, _PROXY, _DISTRIBUTED = 0x8000, 0x4000, 0x0200, 0x0010
"""Flags of an update: RFC 6275 6.1.7, RFC 5213 8.1, RFC 8885 4.1."""
_PROXY_ANSWER, _DISTRIBUTED_ANSWER = 0x20, 0x02
_NEW_INTERFACE, _SAME_INTERFACE = 2, 3
"""Handoff indicators (RFC 5213 8.4)."""
_WIRELESS_LAN = 4
_BUFFER, _PROXY_HI, _FORWARDING = 0x40, 0x20, 0x10
"""Flags of a Handover Initiate: RFC 5568 6.2.1.1, RFC 5949 6.1.1. Those of a Handover Acknowledge are twice as large."""
_FROM_PCOA, _FROM_NCOA, _FORWARDING_COMPLETE, _CONTEXT_ACCEPTED = 0, 1, 2, 5
"""Codes of a Handover Initiate and, the last one, of its acknowledgement (RFC 5568 6.2.1, RFC 5949 6.1.2)."""
_LIFETIME_UNIT_S, _MAX_LIFETIME = 4, 0xFFFF
_UNFORWARDED_HOP_LIMIT = 255
_FMIPV6, _NEIGHBOR_ADVERTISEMENT = 154, 136
"""Types of ICMPv6 messages."""
_SOLICITATION, _ADVERTISEMENT = 2, 3
"""Subtypes of FMIPv6 messages (RFC 5568 6.1)."""
_AUTHENTICATOR_BYTES = 12
_SPI = 256

Option = tuple[int | None, bytes]
"""Remainder modulo 8 of the offset at which a mobility option starts (None: any), and the option."""


@dataclass(frozen=True)
class MobilityFields:
    """Fields of the messages about a handoff of a mobile node.

    Attributes
    ----------
    home, old_care_of, new_care_of : bytes
        Addresses of the mobile node.
    old_router, new_router, home_agent : bytes
        Addresses of nodes; the home agent is the local mobility anchor of Proxy Mobile IPv6.
    link : bytes
        Link-layer address of the mobile node.
    name : str
        Its network access identifier, of 13 characters.
    sequence : int
        Sequence number, of 16 bits.
    lifetime_s : int
        Lifetime of a binding in seconds.
    key : bytes
        Key of Binding Authorization Data for FMIPv6.
    """

    home: bytes
    old_care_of: bytes
    new_care_of: bytes
    old_router: bytes
    new_router: bytes
    home_agent: bytes
    link: bytes
    name: str
    sequence: int
    lifetime_s: int
    key: bytes

    @property
    def lifetime_units(self) -> int:
        """Lifetime in units of 4 s (RFC 6275 6.1.7), rounded up; the largest number stands for all longer ones."""
        return min(-(-self.lifetime_s // _LIFETIME_UNIT_S), _MAX_LIFETIME)

    @property
    def lifetime_seconds(self) -> int:
        """Lifetime in seconds (RFC 5568 6.2.2); the largest number stands for all longer ones."""
        return min(self.lifetime_s, _MAX_LIFETIME)


def encode_mobility(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Return a message as an IPv6 packet.

    Parameters
    ----------
    name : str
        A name in ``FORMATS`` that is carried by a Mobility Header or ICMPv6.
    source, destination : bytes
        Addresses of the packet.
    fields : MobilityFields
        Contents.
    """
    return _ENCODERS[name](name, source, destination, fields)


# Mobility options


def _address_option(kind: int, code: int, address: bytes) -> Option:
    """Return an address with its code: Mobility Header IPv6 Address (34, RFC 5568 6.4.2)."""
    return 4, struct.pack("4B", kind, 18, code, 128) + address


def _anchor_option(address: bytes) -> Option:
    """Return the address of the local mobility anchor (RFC 5949 6.2.2), with the code for IPv6."""
    return 4, struct.pack("4B", 41, 18, 1, 0) + address


def _alternate_care_of(address: bytes) -> Option:
    return 6, b"\3\x10" + address


def _link_option(link: bytes) -> Option:
    """Return a Mobility Header Link-Layer Address with the code of the mobile node's (RFC 5568 6.4.4)."""
    return None, b"\7\7\2" + link


def _link_identifier(link: bytes) -> Option:
    """Return a Mobile Node Link-layer Identifier (RFC 5213 8.6)."""
    return None, struct.pack(">BBH", 25, 8, 0) + link


def _name_option(name: str) -> Option:
    """Return a mobile node identifier (RFC 4283) that is a network access identifier."""
    return None, bytes([8, len(name) + 1, 1]) + name.encode()


def _prefix_option(home: bytes) -> Option:
    """Return a home network prefix of 64 bits (RFC 5213 8.3)."""
    return 4, bytes([22, 18, 0, 64]) + home[:8] + bytes(8)


def _proxy_options(fields: MobilityFields, handoff_indicator: int = _SAME_INTERFACE) -> list[Option]:
    """Return the options that every proxy binding update and acknowledgement has (RFC 5213 8.1, 8.2)."""
    return [
        _prefix_option(fields.home),
        (None, bytes([23, 2, 0, handoff_indicator])),
        (None, bytes([24, 2, 0, _WIRELESS_LAN])),
        _name_option(fields.name),
    ]


def _context_options(fields: MobilityFields) -> list[Option]:
    """Return what the old gateway tells the new one about a mobile node (RFC 5949 4.1)."""
    return [
        _link_identifier(fields.link), _prefix_option(fields.home), _anchor_option(fields.home_agent), _name_option(fields.name),
    ]  # fmt: skip


# Mobility Headers (RFC 6275 6.1.1)


def _pad(message: bytearray, remainder: int) -> None:
    """Append Pad1 or PadN until the length is ``remainder`` modulo 8."""
    n = (remainder - len(message)) % 8
    message += b"" if n == 0 else b"\0" if n == 1 else bytes([1, n - 2]) + bytes(n - 2)


def _message(kind: int, data: bytes, options: list[Option]) -> bytearray:
    message = bytearray([59, 0, kind, 0, 0, 0]) + data
    for remainder, option in options:
        if remainder is not None:
            _pad(message, remainder)
        message += option
    _pad(message, 0)
    message[1] = len(message) // 8 - 1
    return message


def _authorized(kind: int, data: bytes, options: list[Option], care_of: bytes, router: bytes, key: bytes) -> bytes:
    """Return a message with Binding Authorization Data for FMIPv6 (RFC 5568 6.4.5), which is HMAC-SHA1-96.

    It covers the care-of address, the address of the old router, and the message up to it with checksum 0 (as in RFC 6275 6.2.7).
    """
    header = struct.pack(">BBI", 21, 4 + _AUTHENTICATOR_BYTES, _SPI)
    message = _message(kind, data, [*options, (6, header + bytes(_AUTHENTICATOR_BYTES))])
    del message[-_AUTHENTICATOR_BYTES:]
    return bytes(message) + hmac.digest(key, care_of + router + message, "sha1")[:_AUTHENTICATOR_BYTES]


def _update(fields: MobilityFields, flags: int, options: list[Option]) -> bytes:
    return bytes(_message(_BU, struct.pack(">HHH", fields.sequence, flags, fields.lifetime_units), options))


def _acknowledgement(fields: MobilityFields, flags: int, options: list[Option]) -> bytes:
    return bytes(_message(_BA, struct.pack(">BBHH", 0, flags, fields.sequence, fields.lifetime_units), options))


def _binding_update(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    message = _update(fields, _ACKNOWLEDGE | _HOME, [_alternate_care_of(fields.new_care_of)])
    return wire.mobility_packet(source, destination, message, home=fields.home)


def _binding_acknowledgement(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    return wire.mobility_packet(source, destination, _acknowledgement(fields, 0, []), routed_home=fields.home)


def _fast_update(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Encode a Fast Binding Update (RFC 5568 6.2.2), which binds the old care-of address to the new one."""
    alternate = [] if name.endswith("(new link)") else [_alternate_care_of(fields.new_care_of)]
    data = struct.pack(">HHH", fields.sequence, _ACKNOWLEDGE | _HOME, fields.lifetime_seconds)
    message = _authorized(_FBU, data, alternate, fields.new_care_of, fields.old_router, fields.key)
    return wire.mobility_packet(source, destination, message, home=fields.old_care_of)


def _fast_acknowledgement(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Encode a Fast Binding Acknowledgement (RFC 5568 6.2.3)."""
    data = struct.pack(">BBHH", 0, 0, fields.sequence, fields.lifetime_seconds)
    message = _authorized(_FBACK, data, [], fields.new_care_of, fields.old_router, fields.key)
    return wire.mobility_packet(source, destination, message, routed_home=fields.old_care_of)


def _handover_initiate(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Encode a Handover Initiate: RFC 5568 6.2.1.1, RFC 5949 6.1.1."""
    old = _address_option(34, 1, fields.old_care_of)
    flags, code, options = {
        "MH HI": (_BUFFER, _FROM_PCOA, [_link_option(fields.link), old, _address_option(34, 2, fields.new_care_of)]),
        "MH HI (code 1)": (0, _FROM_NCOA, [_link_option(fields.link), old]),
        "MH HI (PFMIPv6)": (_PROXY_HI | _FORWARDING | _BUFFER, _FROM_PCOA, _context_options(fields)),
        "MH HI (PFMIPv6 reactive)": (_PROXY_HI | _FORWARDING, _FROM_PCOA, [_name_option(fields.name)]),
        "MH HI (forwarding complete)": (_PROXY_HI | _FORWARDING, _FORWARDING_COMPLETE, [_name_option(fields.name)]),
    }[name]
    message = _message(_HI, struct.pack(">HBB", fields.sequence, flags, code), options)
    return wire.mobility_packet(source, destination, bytes(message))


def _handover_acknowledge(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Encode a Handover Acknowledge: RFC 5568 6.2.1.2, RFC 5949 6.1.2."""
    proxy = 2 * (_PROXY_HI | _FORWARDING)
    flags, code, options = {
        "MH HAck": (0, 0, []),
        "MH HAck (PFMIPv6)": (proxy, _CONTEXT_ACCEPTED, [_name_option(fields.name)]),
        "MH HAck (PFMIPv6 reactive)": (proxy, _CONTEXT_ACCEPTED, _context_options(fields)),
    }[name]
    message = _message(_HACK, struct.pack(">HBB", fields.sequence, flags, code), options)
    return wire.mobility_packet(source, destination, bytes(message))


def _proxy_update(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Encode a Proxy Binding Update: RFC 5213 8.1; RFC 6058 4.3; RFC 8885 4.6."""
    flags, options = _ACKNOWLEDGE | _HOME | _PROXY, _proxy_options(fields)
    if name.endswith("(transient)"):
        options = [*_proxy_options(fields, _NEW_INTERFACE), _transient_option(fields)]
    elif name.endswith("MAAR)"):
        flags, options = flags | _DISTRIBUTED, [*options, (6, bytes([68, 16]) + fields.new_router)]
    return wire.mobility_packet(source, destination, _update(fields, flags, options))


def _proxy_acknowledgement(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Encode a Proxy Binding Acknowledgement: RFC 5213 8.2; RFC 6058 4.3; RFC 8885 4.5, 4.6."""
    flags, options = _PROXY_ANSWER, _proxy_options(fields)
    if name.endswith("(transient)"):
        options = [*_proxy_options(fields, _NEW_INTERFACE), _transient_option(fields)]
    elif name.endswith("(serving MAAR)"):
        flags, options = flags | _DISTRIBUTED_ANSWER, [*options, (6, bytes([68, 16]) + fields.new_router)]
    elif name.endswith("(previous MAAR)"):
        previous = bytes([67, 34, 0, 64]) + fields.old_router + fields.home[:8] + bytes(8)
        flags, options = flags | _DISTRIBUTED_ANSWER, [*options, (4, previous)]
    return wire.mobility_packet(source, destination, _acknowledgement(fields, flags, options))


def _transient_option(fields: MobilityFields) -> Option:
    """Return a transient binding option (RFC 6058 4.3) with the late path switch flag and a lifetime in units of 100 ms."""
    return None, bytes([43, 2, 0x80, min(10 * fields.lifetime_s, 255)])


# ICMPv6


def _router_link(address: bytes) -> bytes:
    """Return the link-layer address of a router, which is also that of its access point."""
    return b"\2" + address[3:8]


def _icmp_link_option(code: int, link: bytes) -> bytes:
    """Return a link-layer address option (RFC 5568 6.4.3) with its code, padded to 16 bytes."""
    return bytes([19, 2, code]) + link + bytes(7)


def _router_solicitation(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Encode a Router Solicitation for Proxy Advertisement (RFC 5568 6.1.1): new access point, and source."""
    message = struct.pack(">BBHBBH", _FMIPV6, 0, 0, _SOLICITATION, 0, fields.sequence)
    message += _icmp_link_option(1, _router_link(fields.new_router)) + _icmp_link_option(2, fields.link)
    return wire.icmpv6_packet(source, destination, _UNFORWARDED_HOP_LIMIT, message)


def _router_advertisement(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Encode a Proxy Router Advertisement (RFC 5568 6.1.2): access point, link-layer and IP address of the new router."""
    link = _router_link(fields.new_router)
    message = struct.pack(">BBHBBH", _FMIPV6, 0, 0, _ADVERTISEMENT, 0, fields.sequence)
    message += _icmp_link_option(1, link) + _icmp_link_option(3, link)
    message += bytes([17, 3, 3, 128]) + bytes(4) + fields.new_router
    return wire.icmpv6_packet(source, destination, _UNFORWARDED_HOP_LIMIT, message)


def _unsolicited_advertisement(name: str, source: bytes, destination: bytes, fields: MobilityFields) -> bytes:
    """Encode an Unsolicited Neighbour Advertisement (RFC 5568 6.3; RFC 4861 4.4): flags R, S and O are 0."""
    message = struct.pack(">BBHI", _NEIGHBOR_ADVERTISEMENT, 0, 0, 0) + fields.new_care_of + b"\2\1" + fields.link
    return wire.icmpv6_packet(source, destination, _UNFORWARDED_HOP_LIMIT, message)


_Encode = Callable[[str, bytes, bytes, MobilityFields], bytes]
_ENCODERS: dict[str, _Encode] = {
    "MH FBU": _fast_update, "MH FBU (new link)": _fast_update,
    "MH FBack": _fast_acknowledgement, "MH FBack (new link)": _fast_acknowledgement,
    "MH HI": _handover_initiate, "MH HI (code 1)": _handover_initiate, "MH HI (PFMIPv6)": _handover_initiate,
    "MH HI (PFMIPv6 reactive)": _handover_initiate, "MH HI (forwarding complete)": _handover_initiate,
    "MH HAck": _handover_acknowledge, "MH HAck (PFMIPv6)": _handover_acknowledge,
    "MH HAck (PFMIPv6 reactive)": _handover_acknowledge,
    "MH PBU": _proxy_update, "MH PBU (transient)": _proxy_update, "MH PBU (serving MAAR)": _proxy_update,
    "MH PBA": _proxy_acknowledgement, "MH PBA (transient)": _proxy_acknowledgement,
    "MH PBA (serving MAAR)": _proxy_acknowledgement, "MH PBA (previous MAAR)": _proxy_acknowledgement,
    "MH BU": _binding_update, "MH BA": _binding_acknowledgement,
    "ICMPv6 RtSolPr": _router_solicitation, "ICMPv6 PrRtAdv": _router_advertisement, "ICMPv6 UNA": _unsolicited_advertisement,
}  # fmt: skip
"""Encoder of each message."""
