"""Link layers, IP headers, fragments and flows of packets built by scapy."""

import struct

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.ipsec import AH
from scapy.layers.l2 import ARP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether
from scapy.layers.ppp import PPP, PPPoE
from scapy.layers.sctp import SCTP
from scapy.packet import Raw

import handoff_traces

V4 = IP(src="192.0.2.1", dst="198.51.100.2") / UDP(sport=5004, dport=6004) / Raw(b"x" * 40)
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / TCP(sport=443, dport=50000) / Raw(b"y" * 9)
V4_FLOW = (4, 17, "192.0.2.1", 5004, "198.51.100.2", 6004)
V6_FLOW = (6, 6, "2001:db8::1", 443, "2001:db8::2", 50000)
NOT_IP = None
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}


def read(save, writer, link_type, frames, cut=None):
    records = [(second, 0, len(frame), bytes(frame)[:cut]) for second, frame in enumerate(map(bytes, frames))]
    return handoff_traces.read_capture(save(writer.pcap(link_type, records)))


def flow_of(capture, packet):
    number = capture.flow[packet]
    if number == handoff_traces.NO_FLOW:
        assert (capture.ip_length[packet], capture.direction[packet]) == (0, 0)
        return NOT_IP
    flows = capture.flows
    ends = (flows.src_text(number), int(flows.sport[number]), flows.dst_text(number), int(flows.dport[number]))
    return (int(flows.version[number]), int(flows.protocol[number]), *ends)


def family(order, value, packet):
    return struct.pack(order + "I", value) + bytes(packet)


LINKS = {
    "Ethernet": (1, [Ether(**MACS) / V4, Ether(**MACS) / V6]),
    "VLAN": (1, [Ether(**MACS) / Dot1Q(vlan=7) / V4, Ether(**MACS) / Dot1Q(vlan=7) / V6]),
    "two tags": (1, [Ether(**MACS) / Dot1AD(vlan=9) / Dot1Q(vlan=7) / V4, Ether(**MACS) / Dot1AD() / Dot1Q() / V6]),
    "raw 101": (101, [V4, V6]),
    "raw 12": (12, [V4, V6]),
    "raw 14": (14, [V4, V6]),
    "raw IPv4": (228, [V4]),
    "raw IPv6": (229, [V6]),
    "MPLS": (1, [Ether(**MACS, type=0x8847) / MPLS(label=16, s=0) / MPLS(label=17, s=1) / V4,
                 Ether(**MACS, type=0x8848) / MPLS(label=18, s=1) / V6]),
    "PPPoE": (1, [Ether(**MACS) / PPPoE(sessionid=1) / PPP(proto=0x21) / V4, Ether(**MACS) / PPPoE() / PPP(proto=0x57) / V6]),
    "cooked": (113, [CookedLinux(proto=0x800) / V4, CookedLinux(proto=0x86DD) / V6]),
    "cooked with VLAN": (113, [CookedLinux(proto=0x8100) / Dot1Q() / V4, CookedLinux(proto=0x8100) / Dot1Q() / V6]),
    "cooked 2": (276, [CookedLinuxV2(proto=0x800) / V4, CookedLinuxV2(proto=0x86DD) / V6]),
    "null of a little-endian host": (0, [family("<", 2, V4), family("<", 30, V6)]),
    "null of a big-endian host": (0, [family(">", 2, V4), family(">", 28, V6)]),
    "null of Linux and OpenBSD": (0, [family("<", 2, V4), family("<", 10, V6), family("<", 24, V6)]),
    "loop": (108, [family(">", 2, V4), family(">", 24, V6)]),
}


@pytest.mark.parametrize("name", LINKS)
def test_link_types(either, save, name):
    link_type, frames = LINKS[name]
    capture = read(save, either, link_type, frames)
    for number, frame in enumerate(map(bytes, frames)):
        is_v4 = bytes(V4) in frame
        assert flow_of(capture, number) == (V4_FLOW if is_v4 else V6_FLOW)
        assert capture.ip_length[number] == len(V4 if is_v4 else V6)


def test_frames_that_are_not_ip_have_no_flow(little, save):
    frames = [
        Ether(**MACS) / ARP(),
        Ether(**MACS, type=0x800) / V6,
        Ether(**MACS, type=0x86DD) / V4,
        Ether(**MACS) / IP(ihl=4, len=200) / Raw(b"z" * 30),
        Ether(**MACS) / IP(len=19) / Raw(b"z" * 30),
        bytes(Ether(**MACS, type=0x8100))[:14],
        b"",
    ]
    capture = read(save, little, 1, frames)
    assert [flow_of(capture, n) for n in range(len(frames))] == [NOT_IP] * len(frames)
    for link_type, frame in ((228, V6), (229, V4), (101, b"\x50" * 60), (0, family("<", 7, V4)), (108, family("<", 2, V4))):
        assert flow_of(read(save, little, link_type, [frame]), 0) is NOT_IP


def test_directions_and_sums_of_a_flow(little, save):
    back = IP(src="198.51.100.2", dst="192.0.2.1") / UDP(sport=6004, dport=5004) / Raw(b"x")
    other = IP(src="198.51.100.2", dst="192.0.2.1") / UDP(sport=5004, dport=6004) / Raw(b"x")
    self_talk = IP(src="127.0.0.1", dst="127.0.0.1") / UDP(sport=9, dport=9)
    tcp = IP(src="192.0.2.1", dst="198.51.100.2") / TCP(sport=5004, dport=6004)
    capture = read(save, little, 101, [V4, back, V4, other, self_talk, tcp, back, self_talk])
    assert capture.flow.tolist() == [0, 0, 0, 1, 2, 3, 0, 2]
    assert capture.direction.tolist() == [0, 1, 0, 0, 0, 0, 1, 0]
    assert capture.flows.packets.tolist() == [4, 1, 2, 1]
    assert capture.flows.bytes.tolist() == [2 * 68 + 2 * 29, 29, 2 * 28, 40]
    assert capture.flows.first_time_ns.tolist() == [0, 3 * 10**9, 4 * 10**9, 5 * 10**9]


def test_many_flows_are_distinguished(little, save):
    ends = [(a, p) for a in range(40) for p in range(60)]
    forward = [IP(src=f"10.0.0.{a}", dst="10.9.9.9", proto=17) / Raw(struct.pack(">HHHH", 1000 + p, 53, 8, 0)) for a, p in ends]
    back = [IP(dst=f"10.0.0.{a}", src="10.9.9.9", proto=17) / Raw(struct.pack(">HHHH", 53, 1000 + p, 8, 0)) for a, p in ends]
    capture = read(save, little, 101, forward + back[::-1] + forward)
    numbers = list(range(len(ends)))
    assert capture.flow.tolist() == numbers + numbers[::-1] + numbers
    assert capture.direction.tolist() == [0] * len(ends) + [1] * len(ends) + [0] * len(ends)
    assert flow_of(capture, 61) == (4, 17, "10.0.0.1", 1001, "10.9.9.9", 53)
    assert handoff_traces.summarise(capture)["addresses"] == 41
    assert len(handoff_traces.summarise(capture)["flows"]) == 20


def v4(**fields):
    return IP(src="192.0.2.1", dst="198.51.100.2", **fields)


def v6(**fields):
    return IPv6(src="2001:db8::1", dst="2001:db8::2", **fields)


UDP_PORTS = Raw(struct.pack(">HHHH", 5004, 6004, 8, 0))
HEADERS = {
    "IPv4 options": (v4(options=[IPOption_Router_Alert()]) / UDP(sport=1, dport=2), (4, 17, 1, 2)),
    "SCTP": (v4() / SCTP(sport=3, dport=4), (4, 132, 3, 4)),
    "DCCP": (v4(proto=33) / UDP_PORTS, (4, 33, 5004, 6004)),
    "UDP-Lite": (v4(proto=136) / UDP_PORTS, (4, 136, 5004, 6004)),
    "ICMP": (v4() / ICMP(id=7, seq=9), (4, 1, 0, 0)),
    "ICMPv6": (v6() / ICMPv6EchoRequest(id=7), (6, 58, 0, 0)),
    "first fragment": (v4(flags="MF", proto=17) / UDP_PORTS, (4, 17, 5004, 6004)),
    "later fragment": (v4(frag=1, proto=17) / UDP_PORTS, (4, 17, 0, 0)),
    "ports beyond the IP length": (v4(len=22, proto=17) / UDP_PORTS, (4, 17, 0, 0)),
    "IPv6 first fragment": (v6() / IPv6ExtHdrFragment(offset=0, m=1, nh=17) / UDP_PORTS, (6, 17, 5004, 6004)),
    "IPv6 later fragment": (v6() / IPv6ExtHdrFragment(offset=1, nh=17) / UDP_PORTS, (6, 17, 0, 0)),
    "IPv6 options": (
        v6() / IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting(addresses=["2001:db8::9"]) / IPv6ExtHdrDestOpt() / UDP(sport=1, dport=2),
        (6, 17, 1, 2),
    ),
    "AH": (v6() / AH(nh=17, payloadlen=4, icv=b"i" * 12) / UDP_PORTS, (6, 17, 5004, 6004)),
    "mobility header": (v6(nh=135) / Raw(b"\x3b\x00\x05\x00" + bytes(4)), (6, 135, 0, 0)),
    "extension header beyond the packet": (v6(nh=60) / Raw(b"\x11\xff" + bytes(6)), (6, 17, 0, 0)),
    "extension header cut off": (v6(nh=0) / Raw(b"\x11"), (6, 0, 0, 0)),
}


@pytest.mark.parametrize("name", HEADERS)
def test_ip_and_transport_headers(little, save, name):
    packet, (version, protocol, sport, dport) = HEADERS[name]
    capture = read(save, little, 101, [packet])
    src, dst = ("192.0.2.1", "198.51.100.2") if version == 4 else ("2001:db8::1", "2001:db8::2")
    assert flow_of(capture, 0) == (version, protocol, src, sport, dst, dport)
    assert capture.ip_length[0] == (22 if name == "ports beyond the IP length" else len(packet))


def test_offloaded_segments_get_their_length_from_the_frame(little, save):
    frames = [
        Ether(**MACS) / v4(len=0, proto=6) / Raw(bytes(70)),
        Ether(**MACS) / v6(plen=0, nh=0) / Raw(b"\x06\x00" + bytes(80)),
    ]
    capture = read(save, little, 1, frames)
    assert capture.ip_length.tolist() == [20 + 70, 40 + 82]


@pytest.mark.parametrize(("packet", "flow", "header"), [(V4, V4_FLOW, 20), (V6, V6_FLOW, 40)], ids=["IPv4", "IPv6"])
def test_packets_cut_to_the_snap_length(little, save, packet, flow, header):
    frame = Ether(**MACS) / packet
    for cut in range(len(frame)):
        capture = read(save, little, 1, [frame], cut)
        without_ports = (*flow[:3], 0, flow[4], 0)
        expected = NOT_IP if cut < 14 + header else without_ports if cut < 14 + header + 4 else flow
        assert flow_of(capture, 0) == expected, cut
        assert capture.ip_length[0] == (len(packet) if expected else 0)
        assert (capture.captured_length[0], capture.wire_length[0]) == (cut, len(frame))
