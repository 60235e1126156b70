"""Captures written from columns: data packets compared with scapy, atomic files, refused rows."""

from __future__ import annotations

import logging
import struct

import numpy as np
import pytest

import handoff_traces

logging.getLogger("scapy").setLevel(logging.ERROR)
inet = pytest.importorskip("scapy.layers.inet")
inet6 = pytest.importorskip("scapy.layers.inet6")

A, B, C = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
A6, B6, C6 = ("2001:db8::1", "2001:db8::2", "2001:db8::3")


def packet_columns(n, **columns):
    zero = np.zeros(n, np.uint32)
    defaults = {
        "time_ns": np.arange(n), "interface": zero, "flow": np.zeros(n, np.int64), "length": zero + 100, "number": zero,
        "sequence": zero, "acknowledgement": zero, "tunnels": np.zeros((n, 4, 4), np.int32),
    }  # fmt: skip
    return handoff_traces.Packets(**(defaults | columns))


def make_writer(path, ip=4, protocol=17, **options):
    addresses = np.zeros((3, 16), np.uint8)
    for i, address in enumerate((A, B, C) if ip == 4 else (A6, B6, C6)):
        raw = inet6.inet_pton(inet6.socket.AF_INET if ip == 4 else inet6.socket.AF_INET6, address)
        addresses[i, : len(raw)] = list(raw)
    one = np.ones(1, np.uint16)
    rows = np.arange(2, dtype=np.uint32)
    flows = handoff_traces.FlowHeaders(rows[:1], rows[1:], one.astype(np.uint8) * protocol, one * 7, one * 9)
    return handoff_traces.CaptureWriter(path, ip=ip, interfaces=["a>b"], addresses=addresses, flows=flows, **options)


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
def test_data_packets_equal_scapy(tmp_path, ip, protocol, length, layer):
    path = tmp_path / "a.pcapng"
    with make_writer(path, ip, protocol, snap_length=0) as out:
        numbers = {"number": np.full(1, 3, np.uint32), "sequence": np.full(1, 5, np.uint32)}
        out.write(packet_columns(1, length=np.full(1, length, np.uint32), acknowledgement=np.full(1, 6, np.uint32), **numbers))
    without_transport_header = {39, 60, 47}
    if ip == 4:
        head = inet.IP(src=A, dst=B, id=3, **({"proto": 253} if length in without_transport_header else {}))
    else:
        head = inet6.IPv6(src=A6, dst=B6, **({"nh": 253} if length in without_transport_header else {}))
    expected = bytes(layer(head))
    if protocol == 1:  # scapy gives an ICMP message of this type no identifier
        expected = expected[:20] + bytes([9, 0]) + expected[22:]
        expected = expected[:22] + b"\0\0" + struct.pack(">HH", 7, 3) + expected[28:]
        expected = expected[:22] + struct.pack(">H", inet.checksum(expected[20:])) + expected[24:]
    assert path.read_bytes()[-len(expected) - (-len(expected) % 4) - 4 :][: len(expected)] == expected


def test_capture_appears_complete_or_not_at_all(tmp_path):
    path = tmp_path / "a.pcapng"
    path.write_text("before")
    with pytest.raises(ValueError, match="packet 0"), make_writer(path) as out:
        out.write(packet_columns(3, length=np.zeros(3, np.uint32)))
    assert [p.read_text() for p in tmp_path.iterdir()] == ["before"]
    with make_writer(path) as out:
        out.write(packet_columns(3))
    capture = handoff_traces.read_capture(path)
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
def test_wrong_row_is_refused_with_its_number(tmp_path, wrong):
    out = make_writer(tmp_path / "a.pcapng")
    with pytest.raises(ValueError, match=r"packet 1 of this call cannot be written"):
        out.write(packet_columns(2, **wrong))
    out.abandon()
    assert list(tmp_path.iterdir()) == []


def test_columns_of_different_lengths_are_refused(tmp_path):
    out = make_writer(tmp_path / "a.pcapng")
    with pytest.raises(ValueError, match="the columns must have the same length"):
        out.write(packet_columns(2, number=np.zeros(3, np.uint32)))
    with pytest.raises(ValueError, match="tunnels the shape"):
        out.write(packet_columns(2, tunnels=np.zeros((2, 4, 3), np.int32)))
