"""IEEE 802.11 with radiotap, PPP, LLC with SNAP, and frames whose content is not looked into."""

import shutil
import struct
import subprocess

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.dot11 import Dot11, RadioTap
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import LLC, SNAP, STP, Dot1Q, Dot3, Ether
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.packet import Raw

import handoff_traces

V4 = IP(src="192.0.2.1", dst="198.51.100.2") / UDP(sport=5004, dport=6004) / Raw(b"x" * 40)
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / TCP(sport=443, dport=50000) / Raw(b"y" * 9)
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
WIFI = {"type": 2, "addr1": "02:00:00:00:00:01", "addr2": "02:00:00:00:00:02", "addr3": "02:00:00:00:00:03"}
SNAP_HEADER = LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(code=0x800)
RADIOTAP = struct.pack("<BBHI", 0, 0, 8, 0)
# time stamp and flags: the header is 17 bytes, and the data begins at a multiple of 4 (radiotap.org, flag 0x20)
PADDED = struct.pack("<BBHIQB", 0, 0, 17, 3, 99, 0x20)
ETHERNET, PPP_LINK, HDLC_LINK, PPPOE_LINK, RADIOTAP_LINK = 1, 9, 50, 51, 127


def subframe(packet):
    """Build a subframe of an aggregate: two addresses, the length in network order, LLC and the packet, padded to 4 bytes."""
    body = bytes(SNAP_HEADER / packet)
    whole = bytes(12) + struct.pack(">H", len(body)) + body
    return whole + bytes(-len(whole) % 4)


def qos(control, body):
    return bytes(Dot11(subtype=8, **WIFI)) + bytes([control, 0]) + body


LINKS = {
    "SNAP": (ETHERNET, Dot3(**MACS) / SNAP_HEADER / V4),
    "SNAP of IPv6": (ETHERNET, Dot3(**MACS) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(code=0x86DD) / V6),
    "SNAP of a bridge (IEEE 802.1H)": (
        ETHERNET, Dot3(**MACS) / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0xF8, code=0x800) / V4,
    ),
    "SNAP behind a VLAN tag": (ETHERNET, Ether(**MACS, type=0x8100) / Dot1Q(vlan=7, type=76) / SNAP_HEADER / V4),
    "service access point of IP": (ETHERNET, Dot3(**MACS) / LLC(dsap=6, ssap=6, ctrl=3) / V4),
    "radiotap": (RADIOTAP_LINK, RADIOTAP + bytes(Dot11(**WIFI) / SNAP_HEADER / V4)),
    "radiotap by scapy": (RADIOTAP_LINK, RadioTap(present="TSFT+Rate", Rate=2) / Dot11(**WIFI) / SNAP_HEADER / V4),
    "radiotap with padded data": (
        RADIOTAP_LINK, PADDED + bytes(Dot11(subtype=8, **WIFI)) + bytes(4) + bytes(SNAP_HEADER / V4),
    ),
    "quality of service": (RADIOTAP_LINK, RADIOTAP + qos(0, bytes(SNAP_HEADER / V4))),
    "four addresses": (
        RADIOTAP_LINK, RADIOTAP + bytes(Dot11(FCfield=3, addr4="02:00:00:00:00:04", **WIFI) / SNAP_HEADER / V4),
    ),
    "first of an aggregate": (RADIOTAP_LINK, RADIOTAP + qos(0x80, subframe(V4))),
    "PPP": (PPP_LINK, PPP(proto=0x21) / V4),
    "PPP of IPv6": (PPP_LINK, PPP(proto=0x57) / V6),
    "PPP with address and control": (PPP_LINK, HDLC() / PPP(proto=0x21) / V4),
    "PPP with a short protocol": (PPP_LINK, b"\x21" + bytes(V4)),
    "HDLC": (HDLC_LINK, HDLC() / PPP(proto=0x21) / V4),
    "HDLC of Cisco": (HDLC_LINK, b"\x0f\x00\x08\x00" + bytes(V4)),
    "PPPoE alone": (PPPOE_LINK, PPPoE(sessionid=1) / PPP(proto=0x57) / V6),
}  # fmt: skip


def read(save, writer, link_type, frame, **options):
    frame = bytes(frame)
    return handoff_traces.read_capture(save(writer.pcap(link_type, [(0, 0, len(frame), frame)])), **options)


@pytest.mark.parametrize("name", LINKS)
def test_ip_is_read(little, save, name):
    link_type, frame = LINKS[name]
    capture = read(save, little, link_type, frame)
    inner = V6 if bytes(V6) in bytes(frame) else V4
    flows = capture.flows
    assert (flows.src_text(0), int(flows.sport[0])) == (inner.src, inner.sport)
    assert (capture.ip_length.tolist(), capture.opaque) == ([len(inner)], {})


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing")
def test_tshark_finds_the_same_addresses(little, save):
    """A pcapng file with an interface for each link type."""
    cases = [(link, bytes(frame)) for name, (link, frame) in LINKS.items() if "802.1H" not in name and "padded" not in name]
    types = sorted({link for link, _ in cases})
    content = little.section() + b"".join(map(little.interface, types))
    content += b"".join(little.enhanced(types.index(link), n, len(frame), frame) for n, (link, frame) in enumerate(cases))
    path = save(content)
    fields = ["-e", "ip.src", "-e", "ipv6.src"]
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=;", *fields]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    capture = handoff_traces.read_capture(path)
    assert [line.strip(";") for line in out.splitlines()] == [capture.flows.src_text(flow) for flow in capture.flow]


ADDRESS_4 = "45:00:00:00:00:01"
OPAQUE = {
    "MACsec": (ETHERNET, Ether(**MACS, type=0x88E5) / Raw(b"\x2c" + bytes(60)), "MACsec (IEEE 802.1AE)"),
    "MACsec behind a VLAN tag": (ETHERNET, Ether(**MACS) / Dot1Q(type=0x88E5) / Raw(bytes(60)), "MACsec (IEEE 802.1AE)"),
    "pseudowire with a control word": (
        ETHERNET, Ether(**MACS) / MPLS(label=16, s=1) / Raw(bytes(4) + bytes(Ether(**MACS) / V4)),
        "MPLS payload other than IP, as a pseudowire",
    ),
    "pseudowire whose address looks like IPv4": (
        ETHERNET, Ether(**MACS, type=0x8847) / MPLS(label=16, s=1) / Raw(bytes(Ether(dst=ADDRESS_4, src=ADDRESS_4) / V4)),
        "MPLS payload other than IP, as a pseudowire",
    ),
    "provider backbone": (ETHERNET, Ether(**MACS, type=0x88E7) / Raw(bytes(60)), "provider backbone bridge (IEEE 802.1ah)"),
    "encrypted radio": (RADIOTAP_LINK, RADIOTAP + bytes(Dot11(FCfield=0x41, **WIFI)) + bytes(80), "IEEE 802.11 data, encrypted"),
    "later fragment": (RADIOTAP_LINK, RADIOTAP + bytes(Dot11(SC=1, **WIFI)) + bytes(80), "IEEE 802.11 data, later fragment"),
    "wrong checksum": (
        RADIOTAP_LINK, struct.pack("<BBHIB", 0, 0, 9, 2, 0x40) + bytes(Dot11(**WIFI) / SNAP_HEADER / V4),
        "IEEE 802.11 frame with a wrong checksum or a damaged radiotap header",
    ),
    "radiotap of no length": (
        RADIOTAP_LINK, bytes(40), "IEEE 802.11 frame with a wrong checksum or a damaged radiotap header",
    ),
    "compressed PPP": (PPP_LINK, PPP(proto=0xFD) / Raw(bytes(40)), "PPP, compressed, encrypted or multilink"),
    "ESP": (ETHERNET, Ether(**MACS) / IP(src="192.0.2.1", dst="192.0.2.2", proto=50) / Raw(bytes(40)), "ESP (RFC 4303)"),
    "GRE with Ethernet": (
        ETHERNET, Ether(**MACS) / IP(proto=47) / Raw(b"\0\0\x65\x58" + bytes(Ether(**MACS) / V4)),
        "GRE with source routes or another payload than IP",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPAQUE)
def test_what_is_not_looked_into_is_counted(little, save, name):
    link_type, frame, reason = OPAQUE[name]
    capture = read(save, little, link_type, frame)
    assert (capture.opaque, capture.skipped, capture.packets) == ({reason: 1}, {}, 1)


def test_further_packets_of_an_aggregate_are_counted(little, save):
    capture = read(save, little, RADIOTAP_LINK, RADIOTAP + qos(0x80, subframe(V4) + subframe(V4)))
    assert capture.ip_length.tolist() == [len(V4)]
    assert capture.opaque == {"IEEE 802.11 data, further packets of an aggregate (A-MSDU)": 1}


@pytest.mark.parametrize(
    ("link_type", "frame"),
    [
        (ETHERNET, Dot3(**MACS) / LLC() / STP()),
        (RADIOTAP_LINK, RADIOTAP + bytes(Dot11(type=0, subtype=8, addr1=ADDRESS_4)) + bytes(40)),
        (RADIOTAP_LINK, RADIOTAP + bytes(Dot11(subtype=4, **WIFI))),
        (RADIOTAP_LINK, RADIOTAP + bytes(Dot11(subtype=12, **WIFI)) + b"\0\0"),
        (PPP_LINK, PPP(proto=0xC021) / Raw(bytes(10))),
        (PPPOE_LINK, PPPoE(code=9, sessionid=0) / Raw(bytes(10))),
    ],
    ids=["spanning tree", "beacon", "null", "QoS null", "link control", "discovery"],
)
def test_other_protocols_are_neither_ip_nor_counted(little, save, link_type, frame):
    capture = read(save, little, link_type, frame)
    assert (capture.flow.tolist(), capture.opaque) == ([handoff_traces.NO_FLOW], {})


def test_ip_in_mpls_without_its_checksum_is_read(little, save):
    """A host may leave the checksum to its network card."""
    frame = Ether(**MACS, type=0x8847) / MPLS(label=16, s=1) / IP(src="192.0.2.1", dst="198.51.100.2", chksum=0) / UDP(sport=1)
    assert read(save, little, ETHERNET, frame).ip_length.tolist() == [28]
