"""Mobile IP messages and pings built by scapy: their fields, the matching of replies with requests, limits."""

import struct
import time

import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (
    HAO,
    MIP6MH_BA,
    MIP6MH_BU,
    ICMPv6HAADReply,
    ICMPv6HAADRequest,
    ICMPv6MPAdv,
    ICMPv6MPSol,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrRouting,
    MIP6MH_CoT,
    MIP6MH_CoTI,
    MIP6MH_HoT,
    MIP6MH_HoTI,
    MIP6OptAltCoA,
)
from scapy.layers.mobileip import MobileIP, MobileIPRRP, MobileIPRRQ
from scapy.packet import Raw

import handoff_traces

HOME, AGENT, FOREIGN, CARE_OF, OTHER = "10.0.0.9", "10.0.0.1", "10.1.0.1", "10.2.0.1", "10.0.1.1"
HOME6, AGENT6, CARE_OF6, PEER6 = "2001:db8:1::9", "2001:db8:1::1", "2001:db8:2::9", "2001:db8:5::5"


def read_packets(writer, save, packets, **options):
    frames = [bytes(packet) for packet in packets]
    path = save(writer.pcap(101, [(second, 0, len(frame), frame) for second, frame in enumerate(frames)]))
    return handoff_traces.read_signalling(path, **options)


def summarised_messages(writer, save, packets, **options):
    return handoff_traces.summarise_signalling(read_packets(writer, save, packets, **options))["messages"]


def request(src, dst, ident, lifetime=300, home=HOME):
    body = MobileIPRRQ(flags=8, lifetime=lifetime, homeaddr=home, haaddr=AGENT, coaddr=CARE_OF, id=ident)
    return IP(src=src, dst=dst) / UDP(sport=434, dport=434) / MobileIP(type=1) / body


def reply(src, dst, ident, code=0, home=HOME):
    body = MobileIPRRP(code=code, lifetime=200, homeaddr=home, haaddr=AGENT, id=ident)
    return IP(src=src, dst=dst) / UDP(sport=434, dport=434) / MobileIP(type=3) / body


def matched_replies(writer, save, packets):
    return read_packets(writer, save, packets).messages.match_replies().tolist()


def test_reply_is_matched_with_the_request_on_its_link(little, save):
    """The foreign agent itself denies the second registration: its reply does not belong to the request behind it."""
    accepted = [request(HOME, FOREIGN, 1), request(FOREIGN, AGENT, 1), reply(AGENT, FOREIGN, 1), reply(FOREIGN, HOME, 1)]
    denied = [request(HOME, FOREIGN, 2), request(FOREIGN, AGENT, 2), reply(FOREIGN, HOME, 2, code=78)]
    assert matched_replies(little, save, accepted + denied) == [3, 2, -1, -1, 6, -1, -1]


def test_upper_half_of_the_identification_is_ignored(little, save):
    request_id, reply_id = 5 << 32 | 7, 6 << 32 | 7
    assert matched_replies(little, save, [request(HOME, AGENT, request_id), reply(AGENT, HOME, reply_id, code=133)]) == [1, -1]
    assert matched_replies(little, save, [request(HOME, AGENT, 7), reply(AGENT, HOME, 8)]) == [-1, -1]
    assert matched_replies(little, save, [request(HOME, AGENT, 7), reply(AGENT, HOME, 7, home=OTHER)]) == [-1, -1]


def test_requests_from_no_address_or_to_a_group_are_matched(little, save):
    assert matched_replies(little, save, [request("0.0.0.0", FOREIGN, 1), reply(FOREIGN, HOME, 1)]) == [1, -1]
    assert matched_replies(little, save, [request(HOME, "224.0.0.11", 1), reply(FOREIGN, HOME, 1)]) == [1, -1]
    # a reply from another address of the agent, unless that got a request of its own
    assert matched_replies(little, save, [request(HOME, OTHER, 1), reply(AGENT, HOME, 1)]) == [1, -1]
    both = [request(HOME, AGENT, 1), request(HOME, OTHER, 1), reply(AGENT, HOME, 1), reply(OTHER, HOME, 1)]
    assert matched_replies(little, save, both) == [2, 3, -1, -1]


@pytest.mark.deep
def test_many_identical_requests_are_matched_quickly(little, save):
    identical = read_packets(little, save, [request(HOME, AGENT, 1)] * 20_000 + [reply(AGENT, HOME, 1)] * 10).messages
    start = time.perf_counter()
    replies = identical.match_replies()
    assert time.perf_counter() - start < 5
    assert np.flatnonzero(replies >= 0).tolist() == list(range(19_992, 20_000))


def test_binding_updates_and_their_acknowledgements(little, save):
    away = IPv6ExtHdrDestOpt(options=[HAO(hoa=HOME6)])
    to_home = IPv6ExtHdrRouting(type=2, addresses=[HOME6])
    option = MIP6OptAltCoA(acoa=CARE_OF6)
    packets = [
        IPv6(src=CARE_OF6, dst=AGENT6) / away / MIP6MH_BU(seq=7, flags="AH", mhtime=150, options=[option]),
        IPv6(src=AGENT6, dst=CARE_OF6) / to_home / MIP6MH_BA(seq=7, flags="K", status=1, mhtime=100),
        IPv6(src=CARE_OF6, dst=PEER6) / away / MIP6MH_BU(seq=7, flags="A", mhtime=30),
        IPv6(src=PEER6, dst=CARE_OF6) / to_home / MIP6MH_BA(seq=7, flags="", status=136, mhtime=0),
        IPv6(src=HOME6, dst=AGENT6) / MIP6MH_BU(seq=8, flags="AH", mhtime=0),
        IPv6(src=AGENT6, dst=HOME6) / MIP6MH_BA(seq=8, flags="", status=0, mhtime=0),
    ]
    messages = summarised_messages(little, save, packets)
    fields = ("kind", "home", "agent", "care_of", "lifetime_s", "code", "flag_letters", "identification", "answer")
    update, acknowledgement = "binding update", "binding acknowledgement"
    assert [tuple(m[f] for f in fields) for m in messages] == [
        (update, HOME6, AGENT6, CARE_OF6, 600, None, "AH", 7, 1),
        (acknowledgement, HOME6, "", CARE_OF6, 400, 1, "K", 7, None),
        (update, HOME6, "", CARE_OF6, 120, None, "A", 7, 3),
        (acknowledgement, HOME6, "", CARE_OF6, 0, 136, "", 7, None),
        (update, HOME6, AGENT6, HOME6, 0, None, "AH", 8, 5),
        (acknowledgement, HOME6, "", HOME6, 0, 0, "", 8, None),
    ]


def test_return_routability_inside_and_outside_the_tunnel(little, save):
    init, test = MIP6MH_HoTI(cookie=b"12345678"), MIP6MH_HoT(cookie=b"12345678")
    packets = [
        IPv6(src=CARE_OF6, dst=AGENT6) / IPv6(src=HOME6, dst=PEER6) / init,
        IPv6(src=CARE_OF6, dst=PEER6) / MIP6MH_CoTI(cookie=b"abcdefgh"),
        IPv6(src=PEER6, dst=CARE_OF6) / MIP6MH_CoT(cookie=b"abcdefgh"),
        IPv6(src=AGENT6, dst=CARE_OF6) / IPv6(src=PEER6, dst=HOME6) / test,
    ]
    result = read_packets(little, save, packets)
    assert result.kinds == {"home test init": 1, "care-of test init": 1, "home test": 1, "care-of test": 1}
    assert result.messages.match_replies().tolist() == [3, 2, -1, -1]
    assert result.messages.identification[0] == int.from_bytes(b"12345678", "big")


def test_discovery_of_agents_and_prefixes(little, save):
    anycast = "2001:db8:1:0:fdff:ffff:ffff:fffe"  # RFC 2526
    packets = [
        IPv6(src=CARE_OF6, dst=anycast) / ICMPv6HAADRequest(id=5),
        IPv6(src=AGENT6, dst=CARE_OF6) / ICMPv6HAADReply(id=5, addresses=[AGENT6]),
        IPv6(src=CARE_OF6, dst=AGENT6) / ICMPv6MPSol(id=6),
        IPv6(src=AGENT6, dst=CARE_OF6) / ICMPv6MPAdv(id=6, flags=2),
    ]
    messages = summarised_messages(little, save, packets)
    assert [(m["kind"], m["agent"], m["identification"], m["flag_letters"], m["answer"]) for m in messages] == [
        ("home agent address discovery request", "", 5, "", 1),
        ("home agent address discovery reply", AGENT6, 5, "", None),
        ("mobile prefix solicitation", "", 6, "", 3),
        ("mobile prefix advertisement", "", 6, "M", None),
    ]


def test_messages_of_other_rfcs_are_counted_by_kind(little, save):
    def mobility(number, body):
        header = bytes([59, (6 + len(body)) // 8 - 1, number, 0, 0, 0]) + body
        return IPv6(src=CARE_OF6, dst=AGENT6, nh=135) / Raw(header)

    def registration(number, size):
        return IP(src=HOME, dst=AGENT) / UDP(sport=434, dport=434) / Raw(bytes([number]) + bytes(size - 1))

    fast = struct.pack(">HHH", 3, 0x8000, 10)
    kinds = read_packets(
        little, save,
        [mobility(8, fast + bytes(4)), mobility(9, b"\0\x80" + struct.pack(">HH", 3, 10) + bytes(4)), mobility(14, bytes(10)),
         mobility(15, bytes(10)), mobility(20, bytes(2)), registration(7, 20), registration(15, 16), registration(18, 24),
         registration(19, 20), registration(16, 12), registration(4, 12)],
    ).kinds  # fmt: skip
    assert kinds == {
        "fast binding update": 1, "fast binding acknowledgement": 1, "handover initiate": 1, "handover acknowledge": 1,
        "mobility header of type 20": 1, "registration revocation": 1, "revocation acknowledgement": 1,
        "regional registration request": 1, "regional registration reply": 1, "other registration message": 1,
    }  # fmt: skip


def test_damaged_messages_are_counted_but_not_listed(little, save):
    update = MIP6MH_BU(seq=1, options=[MIP6OptAltCoA(acoa=CARE_OF6)])
    complete = [request(HOME, AGENT, 1), IPv6(src=CARE_OF6, dst=AGENT6) / update]
    for packet, header in zip(complete, (28, 40), strict=True):
        frame = bytes(packet)
        for cut in range(header + 2, header + 24):
            path = save(little.pcap(101, [(0, 0, len(frame), frame[:cut])]))
            result = handoff_traces.read_signalling(path)
            assert (len(result.messages), result.damaged, result.facts.cut) == (0, 1, 1), cut
    overlong = bytearray(bytes(complete[1]))
    overlong[55] += 40  # the option extends beyond the header
    assert read_packets(little, save, [bytes(overlong)]).damaged == 1


def test_first_messages_are_listed_and_all_are_counted(little, save):
    result = read_packets(little, save, [request(HOME, AGENT, n) for n in range(10)], max_messages=3)
    assert result.messages.identification.tolist() == [0, 1, 2]
    assert (result.kinds, result.unlisted) == ({"registration request": 10}, 7)


def ping(kind, sequence, time_s, identifier=9):
    ends = (HOME, OTHER) if kind == 8 else (OTHER, HOME)
    return time_s, bytes(IP(src=ends[0], dst=ends[1]) / ICMP(type=kind, id=identifier, seq=sequence))


def read_echoes(writer, save, packets):
    result = handoff_traces.read_signalling(save(writer.pcap(101, [(second, 0, len(frame), frame) for second, frame in packets])))
    return [(e.identifier, e.requests, e.replies, e.unanswered) for e in result.echoes]


def test_pings(little, save):
    answered = [ping(8, 1, 0), ping(0, 1, 0)]
    assert read_echoes(little, save, answered) == [(9, 1, 1, [])]
    assert read_echoes(little, save, [ping(0, 1, 0)]) == []
    copies = [ping(8, 1, 0), ping(8, 1, 1), ping(8, 1, 59), ping(8, 2, 60), ping(0, 2, 61), ping(0, 2, 61)]
    assert read_echoes(little, save, copies) == [(9, 2, 1, [1])]
    # the sequence number is used again after it wrapped around, or because ping was restarted
    assert read_echoes(little, save, [ping(8, 1, 0), ping(8, 1, 61), ping(0, 1, 62)]) == [(9, 2, 1, [1])]
    assert read_echoes(little, save, [*answered, ping(8, 1, 1)]) == [(9, 2, 1, [1])]
    two = [ping(8, 1, 0), ping(8, 1, 0, identifier=3), ping(0, 1, 1, identifier=3)]
    assert read_echoes(little, save, two) == [(9, 1, 0, [1]), (3, 1, 1, [])]
    lost = [ping(8, n, 0) for n in range(1500)]
    assert read_echoes(little, save, lost) == [(9, 1500, 0, list(range(1000)))]
