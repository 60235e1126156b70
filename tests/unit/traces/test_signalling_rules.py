"""Mobile IP is reported only where its RFCs allow it."""

import struct

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

import handoff_traces

AGENT, MOBILE, HOME, OTHER = bytes([10, 0, 0, 2]), bytes([10, 0, 0, 9]), bytes([10, 0, 0, 1]), bytes([10, 0, 0, 3])
REQUEST = struct.pack(">BBH", 1, 0, 60) + MOBILE + HOME + OTHER + bytes(8)
REPLY = struct.pack(">BBH", 3, 0, 60) + MOBILE + HOME + bytes(8)
AUTHENTICATION = bytes([32, 20]) + bytes(20)
MOBILITY_AGENT = struct.pack(">BBHHH", 16, 6, 1, 60, 0)
ADVERTISEMENT = struct.pack(">BBHBBH", 9, 0, 0, 1, 2, 45) + AGENT + bytes(4) + MOBILITY_AGENT
SOLICITATION = struct.pack(">BBHI", 10, 0, 0, 0)


def icmp(message, ttl):
    return IP(src="10.0.0.9", dst="224.0.0.2", ttl=ttl, proto=1) / Raw(message)


def udp(sport, dport, message):
    return IP(src="10.0.0.9", dst="10.0.0.2") / UDP(sport=sport, dport=dport) / Raw(message)


def mobility(body, next_header=59, protocol=135):
    """Build a Mobility Header (RFC 6275 6.1.1) from its type and what follows its checksum."""
    kind, *rest = body
    length = (6 + len(rest)) // 8 - 1
    return IPv6(src="2001:db8::1", dst="2001:db8::2", nh=protocol) / Raw(bytes([next_header, length, kind, 0, 0, 0, *rest]))


BINDING_UPDATE = bytes([5, 0, 7, 0xC0, 0, 0, 9, 1, 2, 0, 0])
CASES = {
    "solicitation": (icmp(SOLICITATION, 1), {"agent solicitation": 1}, 0),
    "router solicitation": (icmp(SOLICITATION, 255), {}, 0),  # RFC 5944 2.2: the TTL must be 1
    "forwarded router solicitation": (icmp(SOLICITATION, 2), {}, 0),
    "advertisement": (icmp(ADVERTISEMENT, 1), {"agent advertisement": 1}, 0),
    "advertisement with another TTL": (icmp(ADVERTISEMENT, 64), {}, 0),  # RFC 5944 2.1
    "router advertisement": (icmp(ADVERTISEMENT[:16], 1), {}, 0),  # without the extension (RFC 5944 2.1)
    "cut extension": (icmp(ADVERTISEMENT[:-2], 1), {}, 1),
    "request": (udp(5000, 434, REQUEST), {"registration request": 1}, 0),
    "request with extensions": (udp(5000, 434, REQUEST + b"\0" + AUTHENTICATION), {"registration request": 1}, 0),
    "request that is too short": (udp(5000, 434, REQUEST[:23]), {}, 1),
    "request with a wrong extension": (udp(5000, 434, REQUEST + b"\x20\x14"), {}, 1),
    "request from the port of agents": (udp(434, 5000, REQUEST), {}, 0),  # RFC 5944 3.3: the destination port is 434
    "reply to any port": (udp(434, 5000, REPLY + AUTHENTICATION), {"registration reply": 1}, 0),  # RFC 5944 3.4
    "reply with a code that does not exist": (udp(434, 5000, struct.pack(">BB", 3, 9) + REPLY[2:]), {}, 0),
    "reply without a home address": (udp(434, 5000, REPLY[:4] + bytes(4) + REPLY[8:]), {}, 0),
    "query of a program with port 434": (udp(434, 53, b"\x12\x34\1\0\0\1" + bytes(6)), {}, 0),
    "query with the identification of a reply": (udp(434, 53, b"\x03\x00\1\0\0\1" + bytes(30)), {}, 0),
    "ping": (icmp(bytes(ICMP(id=1, seq=2)), 1), {}, 0),
    "binding update": (mobility(BINDING_UPDATE[:1] + BINDING_UPDATE[1:]), {"binding update": 1}, 0),
    "payload behind a Mobility Header": (mobility(BINDING_UPDATE, 17), {}, 1),  # RFC 6275 6.1.1
    "binding update that is too short": (mobility(bytes([5, 0, 7])), {}, 1),  # RFC 6275 6.1.7: 16 bytes
    "home test that is too short": (mobility(bytes([3]) + bytes(10)), {}, 1),  # RFC 6275 6.1.5: 24 bytes
    "Mobility Header of the drafts": (mobility(BINDING_UPDATE, protocol=62), {"binding update": 1}, 0),
    "another protocol with the number of the drafts": (mobility(BINDING_UPDATE, 6, protocol=62), {}, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_a_message(little, save, name):
    packet, kinds, damaged = CASES[name]
    frame = bytes(packet)
    signalling = handoff_traces.read_signalling(save(little.pcap(101, [(0, 0, len(frame), frame)])))
    assert (signalling.kinds, signalling.damaged) == (kinds, damaged)
