"""Tunnels in UDP: GTP-U, VXLAN, Geneve, Teredo and Mobile IP's own, built byte by byte from their specifications."""

import shutil
import struct
import subprocess

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

import handoff_traces

V4 = bytes(IP(src="10.45.0.2", dst="192.0.2.10") / UDP(sport=5000, dport=7000) / Raw(b"x" * 40))
V6 = bytes(IPv6(src="2001:db8::2", dst="2001:db8::10") / UDP(sport=5000, dport=7000) / Raw(b"y" * 9))
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}


def outer(port, payload, source_port=40_000):
    return IP(src="198.51.100.1", dst="198.51.100.2") / UDP(sport=source_port, dport=port) / Raw(payload)


def gtp(inner, flags=0x30, optional=b"", kind=255):
    """Build a GTP-U header (3GPP TS 29.281 5.1): the length counts everything behind the first eight bytes."""
    return struct.pack(">BBHI", flags, kind, len(optional) + len(inner), 7) + optional + inner


def geneve(inner, ethertype, options=b""):
    """Build a Geneve header (RFC 8926 3.4)."""
    return struct.pack(">BBHI", len(options) // 4, 0, ethertype, 7 << 8) + options + inner


# sequence number, N-PDU number, then a PDU session container (0x85) of 4 bytes and a PDCP number (0xC0) of 8
EXTENSIONS = struct.pack(">HBB", 9, 0, 0x85) + bytes([1, 0x10, 9, 0xC0]) + bytes([2, 0, 1, 0, 0, 0, 0, 0])
AUTHENTICATION = bytes([0, 1, 2, 3]) + b"id" + b"key" + bytes(8) + b"\0"
ORIGIN = bytes([0, 0]) + bytes(6)
TUNNELS = {
    "GTP-U": (2152, gtp(V4), V4),
    "GTP-U with IPv6": (2152, gtp(V6), V6),
    "GTP-U with a sequence number": (2152, gtp(V4, 0x32, struct.pack(">HBB", 9, 0, 0)), V4),
    "GTP-U with extension headers": (2152, gtp(V4, 0x34, EXTENSIONS), V4),
    "VXLAN": (4789, bytes(VXLAN(vni=7) / Ether(**MACS) / IP(V4)), V4),
    "VXLAN with a VLAN tag": (4789, bytes(VXLAN(vni=7) / Ether(**MACS) / Dot1Q(vlan=5) / IPv6(V6)), V6),
    "VXLAN of Linux": (8472, bytes(VXLAN(vni=7) / Ether(**MACS) / IP(V4)), V4),
    "Geneve with Ethernet": (6081, geneve(bytes(Ether(**MACS) / IP(V4)), 0x6558), V4),
    "Geneve with IP and an option": (6081, geneve(V6, 0x86DD, struct.pack(">HBBI", 1, 0x80, 1, 5)), V6),
    "Teredo": (3544, V6, V6),
    "Teredo with both indications": (3544, AUTHENTICATION + ORIGIN + V6, V6),
    "Mobile IP (RFC 3519)": (434, bytes([4, 4, 0, 0]) + V4, V4),
}


def read(save, writer, frames, **options):
    records = [(second, 0, len(frame), frame) for second, frame in enumerate(map(bytes, frames))]
    return handoff_traces.read_capture(save(writer.pcap(101, records)), **options)


def first_flow(capture):
    flows = capture.flows
    return flows.src_text(0), int(flows.sport[0]), flows.dst_text(0), int(flows.dport[0])


@pytest.mark.parametrize("name", TUNNELS)
def test_the_inner_packet_is_the_flow(little, save, name):
    port, payload, inner = TUNNELS[name]
    frame = outer(port, payload)
    capture = read(save, little, [frame])
    ends = ("10.45.0.2", "192.0.2.10") if inner is V4 else ("2001:db8::2", "2001:db8::10")
    assert first_flow(capture) == (ends[0], 5000, ends[1], 7000)
    assert (capture.ip_length[0], capture.tunnelled, capture.opaque) == (len(inner), 1, {})
    tunnels = capture.tunnels
    assert (tunnels.protocol.tolist(), tunnels.port.tolist(), tunnels.bytes.tolist()) == ([17], [port], [len(frame)])
    outside = read(save, little, [frame], tunnels="outer")
    assert first_flow(outside) == ("198.51.100.1", 40_000, "198.51.100.2", port)
    assert (outside.ip_length[0], outside.tunnelled) == (len(frame), 0)


@pytest.mark.parametrize("port", [3544, 434])
def test_the_other_direction_of_a_tunnel_to_any_port(little, save, port):
    """A Teredo server, and an agent behind a translator (RFC 3519 4.2), answer from their port."""
    payload, inner = (V6, V6) if port == 3544 else (bytes([4, 4, 0, 0]) + V4, V4)
    capture = read(save, little, [outer(50_000, payload, source_port=port)])
    assert (capture.ip_length[0], capture.tunnels.port[0]) == (len(inner), port)


NOT_TUNNELS = {
    "GTP-U echo request": (2152, gtp(b"", 0x32, bytes(4), kind=1), {}),
    "GTP-U end marker": (2152, gtp(b"", kind=254), {}),
    "GTP version 2": (2152, gtp(V4, flags=0x48), {}),
    "GTP-U longer than its packet": (2152, gtp(V4)[:2] + b"\xff\xff" + gtp(V4)[4:], {}),
    "GTP-U with Ethernet": (2152, gtp(bytes(Ether(**MACS) / IP(V4))), {"GTP-U with another payload than IP": 1}),
    "GTP-U with an extension of no length": (
        2152, gtp(V4, 0x34, struct.pack(">HBB", 9, 0, 0x85) + bytes(4)), {"GTP-U with another payload than IP": 1},
    ),
    "VXLAN with ARP": (4789, bytes(VXLAN(vni=7) / Ether(**MACS) / ARP()), {}),
    "VXLAN without identifier": (4789, bytes(8) + bytes(Ether(**MACS) / IP(V4)), {}),
    "Geneve with another protocol": (6081, geneve(V4, 0x894F), {"Geneve with another payload than IP": 1}),
    "another use of the port of Teredo": (3544, V4, {}),
    "ESP": (4500, b"\0\0\0\7" + bytes(40), {"ESP in UDP (RFC 3948)": 1}),
    "IKE at the port of ESP": (4500, bytes(44), {}),
    "WireGuard": (51_820, b"\4\0\0\0" + bytes(44), {"WireGuard": 1}),
    "L2TP data": (1701, b"\0\2" + bytes(20), {"L2TP (RFC 2661, RFC 3931)": 1}),
    "another port": (2153, gtp(V4), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_TUNNELS)
def test_what_is_not_looked_into_stays_the_outer_packet_and_is_counted(little, save, name):
    port, payload, opaque = NOT_TUNNELS[name]
    capture = read(save, little, [outer(port, payload)])
    assert first_flow(capture) == ("198.51.100.1", 40_000, "198.51.100.2", port)
    assert (capture.tunnelled, capture.opaque) == (0, opaque)


@pytest.mark.parametrize("name", ["GTP-U with extension headers", "VXLAN", "Geneve with IP and an option", "Teredo"])
def test_a_tunnel_that_is_cut_is_the_outer_packet(little, save, name):
    """Until the last byte of the inner IP header is captured, the packet is the outer one."""
    port, payload, inner = TUNNELS[name]
    frame = bytes(outer(port, payload))
    complete = len(frame) - len(inner) + (20 if inner is V4 else 40)
    for cut in range(28, len(frame)):
        capture = handoff_traces.read_capture(save(little.pcap(101, [(0, 0, len(frame), frame[:cut])])))
        assert capture.tunnelled == (cut >= complete), cut
        cut_tunnels = {} if cut >= complete else {"tunnel cut off before the IP header in it": 1}
        assert capture.opaque in (cut_tunnels, {}), cut
    assert cut_tunnels == {}


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing")
def test_tshark_finds_the_same_inner_addresses(little, save):
    names = [name for name in TUNNELS if "Linux" not in name and "Mobile" not in name and "indications" not in name]
    frames = [bytes(outer(*TUNNELS[name][:2])) for name in names]
    path = save(little.pcap(101, [(n, 0, len(frame), frame) for n, frame in enumerate(frames)]))
    fields = [part for field in ("ip.src", "ip.dst", "ipv6.src", "ipv6.dst") for part in ("-e", field)]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "occurrence=l", "-E", "separator=;", *fields]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    capture = handoff_traces.read_capture(path)
    for name, flow, line in zip(names, capture.flow, out.splitlines(), strict=True):
        source, destination, source6, destination6 = line.split(";")
        expected = (source6, destination6) if source6 else (source, destination)
        assert (capture.flows.src_text(flow), capture.flows.dst_text(flow)) == expected, name
