"""Packets and tunnels byte by byte, against scapy and the layouts of the RFCs; what the writer refuses."""

from __future__ import annotations

import hashlib
import hmac
import logging
import struct

import numpy as np
import pytest

import traces
from traces import wire

logging.getLogger("scapy").setLevel(logging.ERROR)
inet = pytest.importorskip("scapy.layers.inet")
inet6 = pytest.importorskip("scapy.layers.inet6")
l2 = pytest.importorskip("scapy.layers.l2")
mobileip = pytest.importorskip("scapy.layers.mobileip")

A, B, C = (bytes([10, 0, 0, i]) for i in (1, 2, 3))
A6, B6, C6 = (bytes.fromhex("20010db8") + bytes(11) + bytes([i]) for i in (1, 2, 3))
KEY = b"0123456789abcdef"


def text(address):
    return ".".join(map(str, address)) if len(address) == 4 else inet6.inet_ntop(inet6.socket.AF_INET6, address)


def test_a_registration_request_is_what_scapy_builds_and_an_authenticator():
    made = wire.registration_request(A, B, 1, 0x80, 600, A, C, B, 0x0102030405060708, KEY)
    fixed = mobileip.MobileIP(type=1) / mobileip.MobileIPRRQ(
        flags=0x80, lifetime=600, homeaddr=text(A), haaddr=text(C), coaddr=text(B), id=0x0102030405060708
    )  # fmt: skip
    extension = bytes([32, 20]) + struct.pack(">I", 256)
    message = bytes(fixed) + extension
    message += hmac.new(KEY, message, hashlib.md5).digest()
    packet = inet.IP(src=text(A), dst=text(B), id=0) / inet.UDP(sport=434, dport=434) / message
    assert made == bytes(packet)


def test_the_alternate_care_of_address_is_padded_as_scapy_pads_it():
    made = wire.binding_update(A6, B6, None, 7, 0xC000, 150, alternate=A6)
    expected = inet6.IPv6(src=text(A6), dst=text(B6), hlim=64) / inet6.MIP6MH_BU(
        seq=7, flags="HA", mhtime=150, options=[inet6.MIP6OptAltCoA(acoa=text(A6))]
    )
    assert made == bytes(expected)


def test_the_integrity_check_value_of_esp_covers_header_and_payload():
    """RFC 4303 2.8, RFC 2404: the first 96 bits of HMAC-SHA1."""
    made = wire.binding_update(A6, B6, C6, 7, 0xC000, 150, A6, esp=wire.Security(256, 9, KEY))
    esp = made[64:]
    assert struct.unpack(">II", esp[:8]) == (256, 9)
    assert hmac.new(KEY, esp[:-12], "sha1").digest()[:12] == esp[-12:]
    assert esp[8:40] == wire.binding_update(A6, B6, C6, 7, 0xC000, 150, A6)[64:]


@pytest.mark.parametrize(
    ("kind", "around"),
    [
        (wire.IP_IN_IP, lambda inner: inet.IP(src=text(B), dst=text(C), id=77) / inner),
        (wire.GRE, lambda inner: inet.IP(src=text(B), dst=text(C), id=77) / l2.GRE() / inner),
    ],
)
def test_tunnels_of_ipv4_are_what_scapy_builds(kind, around):
    inner = inet.IP(src=text(A), dst=text(B), id=77) / inet.UDP(sport=1, dport=2) / b"hello"
    assert wire.tunnelled(bytes(inner), kind, B, C) == bytes(around(inner))


def test_minimal_encapsulation_can_be_undone_to_the_byte():
    """RFC 2004 3.2: what the receiver does."""
    inner = bytes(inet.IP(src=text(A), dst=text(B), id=77) / inet.UDP(sport=1, dport=2) / b"hello")
    made = bytearray(wire.tunnelled(inner, wire.MINIMAL, B, C))
    assert len(made) == len(inner) + 12
    assert inet.IP(bytes(made)).chksum == inet.checksum(bytes(made[:10] + b"\0\0" + made[12:20])), "of the new header"
    protocol, flags, checksum, destination, source = struct.unpack(">BBH4s4s", made[20:32])
    assert (protocol, flags, made[9], made[12:16], made[16:20]) == (17, 0x80, 55, B, C)
    assert checksum == inet.checksum(bytes(made[20:22]) + b"\0\0" + bytes(made[24:32]))
    again = made[:20] + made[32:]
    again[9], again[12:16], again[16:20] = protocol, source, destination
    again[2:4], again[10:12] = struct.pack(">H", len(inner)), b"\0\0"
    again[10:12] = struct.pack(">H", inet.checksum(bytes(again[:20])))
    assert again == inner


def test_a_type_2_routing_header_keeps_the_checksum_behind_it():
    inner = inet6.IPv6(src=text(A6), dst=text(B6)) / inet6.UDP(sport=1, dport=2) / b"hello"
    made = inet6.IPv6(wire.tunnelled(bytes(inner), wire.ROUTING_HEADER, A6, C6))
    route = made.getlayer(inet6.IPv6ExtHdrRouting)
    assert (made.dst, route.type, route.segleft, route.addresses, made.plen) == (text(C6), 2, 1, [text(B6)], 24 + 13)
    assert bytes(made[inet6.UDP]) == bytes(inner)[40:]


@pytest.mark.parametrize(("packet", "kind"), [(b"", 1), (bytes(20), 1), (b"\x45" + bytes(10), 1), (b"\x45" + bytes(19), 9),
                                              (b"\x60" + bytes(39), wire.MINIMAL), (b"\x45" + bytes(65_534), 1)])  # fmt: skip
def test_what_a_tunnel_does_not_go_around(packet, kind):
    with pytest.raises(ValueError, match=f"no tunnel of kind {kind} goes around"):
        wire.tunnelled(packet, kind, B, C)


def columns(n, **given):
    zero = np.zeros(n, np.uint32)
    usual = {
        "time_ns": np.arange(n), "interface": zero, "flow": np.zeros(n, np.int64), "length": zero + 100, "number": zero,
        "sequence": zero, "acknowledgement": zero, "tunnels": np.zeros((n, 4, 4), np.int32),
    }  # fmt: skip
    return traces.Packets(**(usual | given))


def writer(path, ip=4, protocol=17, **options):
    addresses = np.zeros((3, 16), np.uint8)
    for i, address in enumerate((A, B, C) if ip == 4 else (A6, B6, C6)):
        addresses[i, : len(address)] = list(address)
    one = np.ones(1, np.uint16)
    rows = np.arange(2, dtype=np.uint32)
    flows = traces.FlowHeaders(rows[:1], rows[1:], one.astype(np.uint8) * protocol, one * 7, one * 9)
    return traces.CaptureWriter(path, ip=ip, interfaces=["a>b"], addresses=addresses, flows=flows, **options)


@pytest.mark.parametrize(
    ("ip", "protocol", "length", "layer"),
    [
        (4, 17, 100, lambda p: p / inet.UDP(sport=7, dport=9) / bytes(72)),
        (4, 17, 28, lambda p: p / inet.UDP(sport=7, dport=9)),
        (4, 6, 100, lambda p: p / inet.TCP(sport=7, dport=9, seq=5, ack=6, flags="PA", window=65535) / bytes(60)),
        (4, 6, 40, lambda p: p / inet.TCP(sport=7, dport=9, seq=5, ack=6, flags="A", window=65535)),
        (4, 1, 84, lambda p: p / inet.ICMP(type=9, id=7, seq=3) / bytes(56)),
        (4, 6, 39, lambda p: p / bytes(19)),
        (4, 50, 60, lambda p: p / bytes(40)),
        (6, 17, 101, lambda p: p / inet.UDP(sport=7, dport=9) / bytes(53)),
        (6, 6, 90, lambda p: p / inet.TCP(sport=7, dport=9, seq=5, ack=6, flags="PA", window=65535) / bytes(30)),
        (6, 17, 47, lambda p: p / bytes(7)),
    ],
)
def test_data_packets_are_what_scapy_builds(tmp_path, ip, protocol, length, layer):
    path = tmp_path / "a.pcapng"
    with writer(path, ip, protocol, snap_length=0) as out:
        numbers = {"number": np.full(1, 3, np.uint32), "sequence": np.full(1, 5, np.uint32)}
        out.write(columns(1, length=np.full(1, length, np.uint32), acknowledgement=np.full(1, 6, np.uint32), **numbers))
    other = {39, 60, 47}
    if ip == 4:
        head = inet.IP(src=text(A), dst=text(B), id=3, **({"proto": 253} if length in other else {}))
    else:
        head = inet6.IPv6(src=text(A6), dst=text(B6), **({"nh": 253} if length in other else {}))
    expected = bytes(layer(head))
    if protocol == 1:  # scapy has no identifier in a message of this type
        expected = expected[:20] + bytes([9, 0]) + expected[22:]
        expected = expected[:22] + b"\0\0" + struct.pack(">HH", 7, 3) + expected[28:]
        expected = expected[:22] + struct.pack(">H", inet.checksum(expected[20:])) + expected[24:]
    assert path.read_bytes()[-len(expected) - (-len(expected) % 4) - 4 :][: len(expected)] == expected


def test_a_capture_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.pcapng"
    path.write_text("before")
    with pytest.raises(ValueError, match="packet 0"), writer(path) as out:
        out.write(columns(3, length=np.zeros(3, np.uint32)))
    assert [p.read_text() for p in tmp_path.iterdir()] == ["before"]
    with writer(path) as out:
        out.write(columns(3))
    capture = traces.read_capture(path)
    assert capture.time_ns.tolist() == [0, 1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["a.pcapng"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"interface": np.arange(2, dtype=np.uint32)},
        {"flow": np.array([0, 1])},
        {"flow": np.array([0, -1])},
        {"flow": np.array([0, -(2**63)])},
        {"length": np.array([100, 19], np.uint32)},
        {"tunnels": np.array([np.zeros((4, 4)), np.full((4, 4), 1)]).astype(np.int32) * 3},
        {"tunnels": np.array([np.zeros((4, 4)), np.full((4, 4), -1)]).astype(np.int32)},
    ],
)
def test_wrong_rows_are_refused_by_number(tmp_path, wrong):
    out = writer(tmp_path / "a.pcapng")
    with pytest.raises(ValueError, match=r"packet 1 of this call cannot be written"):
        out.write(columns(2, **wrong))
    out.abandon()
    assert list(tmp_path.iterdir()) == []


def test_columns_of_other_lengths_are_refused(tmp_path):
    out = writer(tmp_path / "a.pcapng")
    with pytest.raises(ValueError, match="the columns have one length"):
        out.write(columns(2, number=np.zeros(3, np.uint32)))
    with pytest.raises(ValueError, match="tunnels the shape"):
        out.write(columns(2, tunnels=np.zeros((2, 4, 3), np.int32)))
