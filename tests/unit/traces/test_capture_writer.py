"""Captures written from columns: data packets compared with scapy, refused rows."""

from __future__ import annotations

import logging
import shutil
import struct
import subprocess
from contextlib import contextmanager

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


@contextmanager
def make_writer(path, ip=4, protocol=17, ports=(7, 9), **options):
    addresses = np.zeros((3, 16), np.uint8)
    for i, address in enumerate((A, B, C) if ip == 4 else (A6, B6, C6)):
        raw = inet6.inet_pton(inet6.socket.AF_INET if ip == 4 else inet6.socket.AF_INET6, address)
        addresses[i, : len(raw)] = list(raw)
    one = np.ones(1, np.uint16)
    rows = np.arange(2, dtype=np.uint32)
    flows = handoff_traces.FlowHeaders(rows[:1], rows[1:], one.astype(np.uint8) * protocol, one * ports[0], one * ports[1])
    made = {"ip": ip, "interfaces": ["a>b"], "addresses": addresses, "flows": flows}
    with path.open("wb") as file, handoff_traces.CaptureWriter(file, **made, **options) as out:
        yield out


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
    with make_writer(path, ip, protocol, snap_length=None) as out:
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


@pytest.mark.parametrize(("ip", "header"), [(4, 20 + 8), (6, 40 + 8)])
@pytest.mark.parametrize(("port", "message"), [(53, 12), (5353, 12), (5355, 12), (137, 12), (123, 48), (67, 300), (546, 4)])
def test_a_packet_too_short_for_the_message_of_its_port_has_no_port(tmp_path, ip, header, port, message):
    """RFC 1035 4.1.1, 5905 7.3, 951 3, 8415 8. A DNS query of 40 to 59 bytes in IPv4 is too short in IPv6."""
    lengths = np.array([header + message - 1, header + message, header + message + 20], np.uint32)
    for name, ports in (("known", (40_000, port)), ("back", (port, 40_000)), ("other", (40_000, 9999))):
        with make_writer(tmp_path / name, ip, ports=ports, snap_length=None) as out:
            out.write(packet_columns(3, length=lengths))
    known, back, other = (handoff_traces.read_capture(tmp_path / name) for name in ("known", "back", "other"))
    assert known.flows.protocol[known.flow].tolist() == back.flows.protocol[back.flow].tolist() == [253, 17, 17]
    assert other.flows.protocol[other.flow].tolist() == [17, 17, 17]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_short_dns_is_not_malformed_for_tshark(tmp_path):
    with make_writer(tmp_path / "dns.pcapng", 6, ports=(40_000, 53), snap_length=None) as out:
        out.write(packet_columns(3, length=np.array([50, 59, 60], np.uint32)))
    fields = ("-T", "fields", "-e", "frame.protocols", "-e", "_ws.malformed")
    words = ["tshark", "-n", "-r", str(tmp_path / "dns.pcapng"), *fields]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [("dns" in line, "Malformed" in line) for line in lines] == [(False, False), (False, False), (True, False)]


def test_packets_are_on_the_disk_at_the_end_of_the_block(tmp_path):
    path = tmp_path / "a.pcapng"
    with make_writer(path) as out:
        out.write(packet_columns(3))
    assert handoff_traces.read_capture(path).time_ns.tolist() == [0, 1, 2]


def test_a_file_without_a_descriptor_is_refused(tmp_path):
    class Negative:
        def fileno(self):
            return -1

    rows = np.zeros(1, np.uint32)
    one = np.zeros(1, np.uint16)
    flows = handoff_traces.FlowHeaders(rows, rows, one.astype(np.uint8), one, one)
    with pytest.raises(ValueError, match="the file has no descriptor"):
        handoff_traces.CaptureWriter(
            Negative(), ip=4, interfaces=["a>b"], addresses=np.zeros((1, 16), np.uint8), flows=flows
        )


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
    with make_writer(tmp_path / "a.pcapng") as out, pytest.raises(ValueError, match=r"packet 1 of this call cannot be written"):
        out.write(packet_columns(2, **wrong))


def test_columns_of_different_lengths_are_refused(tmp_path):
    with make_writer(tmp_path / "a.pcapng") as out:
        with pytest.raises(ValueError, match="the columns must have the same length"):
            out.write(packet_columns(2, number=np.zeros(3, np.uint32)))
        with pytest.raises(ValueError, match="tunnels the shape"):
            out.write(packet_columns(2, tunnels=np.zeros((2, 4, 3), np.int32)))
