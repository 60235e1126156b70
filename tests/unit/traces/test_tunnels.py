"""Packets in tunnels (IP in IP, 6in4, GRE, minimal encapsulation), built by scapy or byte by byte from the RFC."""

import struct

import pytest
from scapy.layers.inet import GRE, IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

import handoff_traces

V4 = IP(src="192.0.2.1", dst="198.51.100.2") / UDP(sport=5004, dport=6004) / Raw(b"x" * 40)
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP(sport=7, dport=9) / Raw(b"y" * 9)
OUT4 = {"src": "203.0.113.1", "dst": "203.0.113.2"}
OUT6 = {"src": "2001:db8:1::1", "dst": "2001:db8:2::2"}


def minimal(with_source):
    """Build minimal encapsulation (RFC 2004 3): protocol, S and reserved, checksum, original destination, original source."""
    inner = bytes(V4)
    head = bytes([inner[9], 0x80 * with_source]) + b"\0\0" + inner[16:20] + (inner[12:16] if with_source else b"")
    outer = IP(src="203.0.113.1" if with_source else "192.0.2.1", dst="203.0.113.2", proto=55) / Raw(head + inner[20:])
    return bytes(outer)


TUNNELS = {
    "IP in IP": (IP(**OUT4) / V4, V4, 4),
    "6in4": (IP(**OUT4) / V6, V6, 41),
    "6in6": (IPv6(**OUT6) / V6, V6, 41),
    "4in6": (IPv6(**OUT6) / V4, V4, 4),
    "GRE": (IP(**OUT4) / GRE() / V4, V4, 47),
    "GRE with checksum, key and sequence": (
        IP(**OUT4) / GRE(chksum_present=1, key_present=1, key=5, seqnum_present=1, sequence_number=9) / V6, V6, 47,
    ),
    "minimal encapsulation": (minimal(True), V4, 55),
    "minimal encapsulation by the source": (minimal(False), V4, 55),
    "three deep": (IP(**OUT4) / IPv6(**OUT6) / GRE() / V4, V4, 41),
}  # fmt: skip


@pytest.mark.parametrize("name", TUNNELS)
def test_flow_and_length_of_the_inner_or_outer_packet(little, save, name):
    outer, inner, protocol = TUNNELS[name]
    frame = bytes(outer)
    path = save(little.pcap(101, [(0, 0, len(frame), frame), (1, 0, len(bytes(inner)), bytes(inner))]))
    capture = handoff_traces.read_capture(path)
    assert (len(capture.flows), capture.flow.tolist(), capture.tunnelled) == (1, [0, 0], 1)
    assert capture.ip_length.tolist() == [len(bytes(inner))] * 2
    outer_capture = handoff_traces.read_capture(path, tunnels="outer")
    assert (outer_capture.tunnelled, outer_capture.flows.protocol[0], outer_capture.ip_length[0]) == (0, protocol, len(frame))


@pytest.mark.parametrize(
    "frame",
    [
        bytes(IP(**OUT4, proto=47) / Raw(struct.pack(">HH", 0x4000, 0x800) + bytes(V4))),  # source routes
        bytes(IP(**OUT4, proto=47) / Raw(struct.pack(">HH", 1, 0x880B) + bytes(V4))),  # PPTP
        bytes(IP(**OUT4, proto=47) / Raw(struct.pack(">HH", 0, 0x6558) + bytes(V4))),  # Ethernet
        bytes(IP(**OUT4) / V4)[:39],  # cut inside the inner header
        bytes(IP(**OUT4, proto=4) / V6),  # IPv6 in a packet for IPv4
        bytes(IP(**OUT4, frag=1) / V4),
    ],
    ids=["routed GRE", "PPTP", "Ethernet in GRE", "cut", "version", "fragment"],
)
def test_unreadable_inner_packet_counts_as_its_outer_packet(little, save, frame):
    capture = handoff_traces.read_capture(save(little.pcap(101, [(0, 0, 200, frame)])))
    assert capture.flows.src_text(0) == "203.0.113.1"
    assert (capture.tunnelled, capture.flows.protocol[0]) == (0, frame[9])


def test_at_most_eight_nested_tunnels_are_parsed(little, save):
    packet = V4
    for _ in range(9):
        packet = IP(**OUT4) / packet
    capture = handoff_traces.read_capture(save(little.pcap(101, [(0, 0, len(packet), bytes(packet))])))
    assert capture.ip_length[0] == len(V4) + 20


def test_other_tunnel_layers_are_refused(little, save):
    with pytest.raises(ValueError, match="'inner' or 'outer'"):
        handoff_traces.read_capture(save(little.pcap(101, [])), tunnels="both")
