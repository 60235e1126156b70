"""Messages and tunnels byte by byte, compared with scapy and with the layouts of the RFCs."""

from __future__ import annotations

import hashlib
import hmac
import logging
import struct

import pytest

from handoff_traces import wire

logging.getLogger("scapy").setLevel(logging.ERROR)
inet = pytest.importorskip("scapy.layers.inet")
inet6 = pytest.importorskip("scapy.layers.inet6")
l2 = pytest.importorskip("scapy.layers.l2")
mobileip = pytest.importorskip("scapy.layers.mobileip")

A, B, C = (bytes([10, 0, 0, i]) for i in (1, 2, 3))
A6, B6, C6 = (bytes.fromhex("20010db8") + bytes(11) + bytes([i]) for i in (1, 2, 3))
KEY = b"0123456789abcdef"


def format_address(address):
    return ".".join(map(str, address)) if len(address) == 4 else inet6.inet_ntop(inet6.socket.AF_INET6, address)


def test_registration_request_equals_scapy_with_authenticator():
    packet = wire.registration_request(A, B, 1, 0x80, 600, A, C, B, 0x0102030405060708, KEY)
    fixed = mobileip.MobileIP(type=1) / mobileip.MobileIPRRQ(
        flags=0x80, lifetime=600, homeaddr=format_address(A), haaddr=format_address(C), coaddr=format_address(B),
        id=0x0102030405060708,
    )  # fmt: skip
    extension = bytes([32, 20]) + struct.pack(">I", 256)
    message = bytes(fixed) + extension
    message += hmac.new(KEY, message, hashlib.md5).digest()
    expected = inet.IP(src=format_address(A), dst=format_address(B), id=0) / inet.UDP(sport=434, dport=434) / message
    assert packet == bytes(expected)


def test_alternate_care_of_address_is_padded_like_scapy():
    packet = wire.binding_update(A6, B6, None, 7, 0xC000, 150, alternate=A6)
    expected = inet6.IPv6(src=format_address(A6), dst=format_address(B6), hlim=64) / inet6.MIP6MH_BU(
        seq=7, flags="HA", mhtime=150, options=[inet6.MIP6OptAltCoA(acoa=format_address(A6))]
    )
    assert packet == bytes(expected)


def test_esp_integrity_check_value_covers_header_and_payload():
    """The value is the first 96 bits of HMAC-SHA1 (RFC 4303 2.8, RFC 2404)."""
    packet = wire.binding_update(A6, B6, C6, 7, 0xC000, 150, A6, esp=wire.Esp(256, 9, KEY))
    esp = packet[64:]
    assert struct.unpack(">II", esp[:8]) == (256, 9)
    assert hmac.new(KEY, esp[:-12], "sha1").digest()[:12] == esp[-12:]
    assert esp[8:40] == wire.binding_update(A6, B6, C6, 7, 0xC000, 150, A6)[64:]


@pytest.mark.parametrize(
    ("kind", "encapsulate"),
    [
        (wire.IP_IN_IP, lambda inner: inet.IP(src=format_address(B), dst=format_address(C), id=77) / inner),
        (wire.GRE, lambda inner: inet.IP(src=format_address(B), dst=format_address(C), id=77) / l2.GRE() / inner),
    ],
)
def test_ipv4_tunnels_equal_scapy(kind, encapsulate):
    inner = inet.IP(src=format_address(A), dst=format_address(B), id=77) / inet.UDP(sport=1, dport=2) / b"hello"
    assert wire.encapsulate(bytes(inner), kind, B, C) == bytes(encapsulate(inner))


def test_minimal_encapsulation_can_be_reversed():
    """The test decapsulates as a receiver does (RFC 2004 3.2)."""
    inner = bytes(inet.IP(src=format_address(A), dst=format_address(B), id=77) / inet.UDP(sport=1, dport=2) / b"hello")
    packet = bytearray(wire.encapsulate(inner, wire.MINIMAL, B, C))
    assert len(packet) == len(inner) + 12
    assert inet.IP(bytes(packet)).chksum == inet.checksum(bytes(packet[:10] + b"\0\0" + packet[12:20]))
    protocol, flags, checksum, destination, source = struct.unpack(">BBH4s4s", packet[20:32])
    assert (protocol, flags, packet[9], packet[12:16], packet[16:20]) == (17, 0x80, 55, B, C)
    assert checksum == inet.checksum(bytes(packet[20:22]) + b"\0\0" + bytes(packet[24:32]))
    restored = packet[:20] + packet[32:]
    restored[9], restored[12:16], restored[16:20] = protocol, source, destination
    restored[2:4], restored[10:12] = struct.pack(">H", len(inner)), b"\0\0"
    restored[10:12] = struct.pack(">H", inet.checksum(bytes(restored[:20])))
    assert restored == inner


def test_type_2_routing_header_keeps_the_udp_checksum_valid():
    inner = inet6.IPv6(src=format_address(A6), dst=format_address(B6)) / inet6.UDP(sport=1, dport=2) / b"hello"
    packet = inet6.IPv6(wire.encapsulate(bytes(inner), wire.ROUTING_HEADER, A6, C6))
    route = packet.getlayer(inet6.IPv6ExtHdrRouting)
    assert (packet.dst, packet.plen) == (format_address(C6), 24 + 13)
    assert (route.type, route.segleft, route.addresses) == (2, 1, [format_address(B6)])
    assert bytes(packet[inet6.UDP]) == bytes(inner)[40:]


@pytest.mark.parametrize(("packet", "kind"), [(b"", 1), (bytes(20), 1), (b"\x45" + bytes(10), 1), (b"\x45" + bytes(19), 9),
                                              (b"\x60" + bytes(39), wire.MINIMAL), (b"\x45" + bytes(65_534), 1)])  # fmt: skip
def test_unsuitable_packets_are_not_encapsulated(packet, kind):
    with pytest.raises(ValueError, match=f"a tunnel of kind {kind} cannot carry"):
        wire.encapsulate(packet, kind, B, C)


GTP_FORMS = {
    # bytes after UDP (TS 29.281 5.1, 5.2; TS 38.415 5.5.2): flags, type, length, endpoint; optional fields; extension headers
    wire.GTP_U: "30ff{:04x}00abcdef",
    wire.GTP_U + wire.SESSION_CONTAINER: "34ff{:04x}00abcdef" + "00000085" + "01000900",
    wire.GTP_U + wire.SESSION_CONTAINER + wire.UPLINK: "34ff{:04x}00abcdef" + "00000085" + "01100900",
    wire.GTP_U + wire.PDCP_NUMBER: "34ff{:04x}00abcdef" + "000000c0" + "01004d00",
    wire.GTP_U + wire.PDCP_NUMBER + wire.SESSION_CONTAINER: "34ff{:04x}00abcdef" + "000000c0" + "01004d85" + "01000900",
}


@pytest.mark.parametrize("kind", GTP_FORMS)
def test_gtp_tunnels_by_their_octets(kind):
    """The PDCP number is the identification of the inner packet; UDP has no checksum."""
    inner = bytes(inet.IP(src=format_address(A), dst=format_address(B), id=77) / inet.UDP(sport=1, dport=2) / b"hello")
    packet = wire.encapsulate(inner, kind, B, C, 0xABCDEF)
    read = inet.IP(packet)
    assert (read.src, read.dst, read.len, read.id) == (format_address(B), format_address(C), len(packet), 77)
    udp, header = packet[20:28], packet[28 : -len(inner)]
    assert struct.unpack(">4H", udp) == (2152, 2152, len(packet) - 20, 0)
    assert header.hex() == GTP_FORMS[kind].format(len(packet) - 36)
    assert packet.endswith(inner)


def test_pdcp_numbers_have_12_bits():
    """TS 36.323 6.2.3: 12 bits by default; bit 8 of the extension's second octet is spare between base stations."""
    inner = bytes(inet.IP(src=format_address(A), dst=format_address(B), id=0xFFFE) / inet.UDP(sport=1, dport=2))
    assert wire.encapsulate(inner, wire.GTP_U + wire.PDCP_NUMBER, B, C)[41:43] == b"\x0f\xfe"


def crc32c(octets):
    """Return a CRC32c bit by bit (RFC 9260 appendix A), reflected, with the polynomial 1EDC6F41."""
    rest = 0xFFFFFFFF
    for octet in octets:
        rest ^= octet
        for _ in range(8):
            rest = rest >> 1 ^ (0x82F63B78 if rest & 1 else 0)
    return rest ^ 0xFFFFFFFF


def test_the_checksum_of_sctp_is_crc32c():
    """The CRC is sent with its least significant byte first. Of "123456789" it is E3069283 (the usual check value)."""
    packet = wire.sctp_packet(A, B, 38412, 0x01020304, bytes.fromhex("0003001400000001000000000000003c") + b"abcd")
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(packet[20:28] + bytes(4) + packet[32:]).to_bytes(4, "little") == packet[28:32]
    assert struct.unpack(">HHI", packet[20:28]) == (38412, 38412, 0x01020304)


def test_udp_in_both_versions_equals_scapy():
    for source, destination, ip in ((A, B, inet.IP), (A6, B6, inet6.IPv6)):
        packet = wire.udp_packet(source, destination, (1000, 2000), b"hello")
        addresses = {"src": format_address(source), "dst": format_address(destination)}
        options = {"id": 0} if ip is inet.IP else {"hlim": 64}
        assert packet == bytes(ip(**addresses, **options) / inet.UDP(sport=1000, dport=2000) / b"hello")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: wire.udp_packet(A, B6, (1, 2), b""), "addresses must have 4 or 16 bytes, and both the same number"),
        (lambda: wire.udp_packet(A, B, (1, 2), bytes(65_500)), "the message is too long for one packet"),
        (lambda: wire.sctp_packet(A, b"", 1, 2, b""), "addresses must have 4 or 16 bytes, and both the same number"),
        (lambda: wire.sctp_packet(A, B, 1, 2, bytes(65_500)), "the message is too long for one packet"),
        (lambda: wire.mobility_packet(A6, B6, bytes(7)), "a Mobility Header has from 8 to 2048 bytes"),
        (lambda: wire.mobility_packet(A6, B6, bytes(8), C6, C6), "one home address, in an option or in a routing header"),
        (lambda: wire.icmpv6_packet(A6, B6, 255, bytes(3)), "an ICMPv6 message has from 4 to 2048 bytes"),
    ],
)
def test_messages_that_are_no_packet_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
