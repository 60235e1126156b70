"""Mobile IP messages and pings built by scapy: what they say, which reply answers which request, what bounds them."""

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

import traces

HOME, AGENT, FOREIGN, CARE_OF, OTHER = "10.0.0.9", "10.0.0.1", "10.1.0.1", "10.2.0.1", "10.0.1.1"
HOME6, AGENT6, CARE_OF6, PEER6 = "2001:db8:1::9", "2001:db8:1::1", "2001:db8:2::9", "2001:db8:5::5"


def found(writer, save, packets, **options):
    frames = [bytes(packet) for packet in packets]
    path = save(writer.pcap(101, [(second, 0, len(frame), frame) for second, frame in enumerate(frames)]))
    return traces.read_signalling(path, **options)


def described(writer, save, packets, **options):
    return traces.summarise_signalling(found(writer, save, packets, **options))["messages"]


def request(src, dst, ident, lifetime=300, home=HOME):
    body = MobileIPRRQ(flags=8, lifetime=lifetime, homeaddr=home, haaddr=AGENT, coaddr=CARE_OF, id=ident)
    return IP(src=src, dst=dst) / UDP(sport=434, dport=434) / MobileIP(type=1) / body


def reply(src, dst, ident, code=0, home=HOME):
    body = MobileIPRRP(code=code, lifetime=200, homeaddr=home, haaddr=AGENT, id=ident)
    return IP(src=src, dst=dst) / UDP(sport=434, dport=434) / MobileIP(type=3) / body


def answers(writer, save, packets):
    return found(writer, save, packets).messages.answers().tolist()


def test_each_reply_answers_the_request_on_its_link(little, save):
    """The second request is turned away by the foreign agent itself: the first hop's reply is not the second hop's."""
    through = [request(HOME, FOREIGN, 1), request(FOREIGN, AGENT, 1), reply(AGENT, FOREIGN, 1), reply(FOREIGN, HOME, 1)]
    denied = [request(HOME, FOREIGN, 2), request(FOREIGN, AGENT, 2), reply(FOREIGN, HOME, 2, code=78)]
    assert answers(little, save, through + denied) == [3, 2, -1, -1, 6, -1, -1]


def test_the_agents_clock_in_the_upper_half_does_not_matter(little, save):
    sent, again = 5 << 32 | 7, 6 << 32 | 7
    assert answers(little, save, [request(HOME, AGENT, sent), reply(AGENT, HOME, again, code=133)]) == [1, -1]
    assert answers(little, save, [request(HOME, AGENT, 7), reply(AGENT, HOME, 8)]) == [-1, -1]
    assert answers(little, save, [request(HOME, AGENT, 7), reply(AGENT, HOME, 7, home=OTHER)]) == [-1, -1]


def test_who_asks_from_no_address_or_asks_all_is_answered(little, save):
    assert answers(little, save, [request("0.0.0.0", FOREIGN, 1), reply(FOREIGN, HOME, 1)]) == [1, -1]
    assert answers(little, save, [request(HOME, "224.0.0.11", 1), reply(FOREIGN, HOME, 1)]) == [1, -1]
    # from another of its addresses, unless that was asked too
    assert answers(little, save, [request(HOME, OTHER, 1), reply(AGENT, HOME, 1)]) == [1, -1]
    both = [request(HOME, AGENT, 1), request(HOME, OTHER, 1), reply(AGENT, HOME, 1), reply(OTHER, HOME, 1)]
    assert answers(little, save, both) == [2, 3, -1, -1]


def test_many_requests_alike_take_no_longer_than_others(little, save):
    alike = found(little, save, [request(HOME, AGENT, 1)] * 20_000 + [reply(AGENT, HOME, 1)] * 10).messages
    begun = time.perf_counter()
    partners = alike.answers()
    assert time.perf_counter() - begun < 5
    assert np.flatnonzero(partners >= 0).tolist() == list(range(19_992, 20_000))


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
    ours = described(little, save, packets)
    fields = ("kind", "home", "agent", "care_of", "lifetime_s", "code", "flag_letters", "identification", "answer")
    update, acknowledgement = "binding update", "binding acknowledgement"
    assert [tuple(m[f] for f in fields) for m in ours] == [
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
    result = found(little, save, packets)
    assert result.kinds == {"home test init": 1, "care-of test init": 1, "home test": 1, "care-of test": 1}
    assert result.messages.answers().tolist() == [3, 2, -1, -1]
    assert result.messages.identification[0] == int.from_bytes(b"12345678", "big")


def test_discovery_of_agents_and_prefixes(little, save):
    anycast = "2001:db8:1:0:fdff:ffff:ffff:fffe"  # RFC 2526
    packets = [
        IPv6(src=CARE_OF6, dst=anycast) / ICMPv6HAADRequest(id=5),
        IPv6(src=AGENT6, dst=CARE_OF6) / ICMPv6HAADReply(id=5, addresses=[AGENT6]),
        IPv6(src=CARE_OF6, dst=AGENT6) / ICMPv6MPSol(id=6),
        IPv6(src=AGENT6, dst=CARE_OF6) / ICMPv6MPAdv(id=6, flags=2),
    ]
    ours = described(little, save, packets)
    assert [(m["kind"], m["agent"], m["identification"], m["flag_letters"], m["answer"]) for m in ours] == [
        ("home agent address discovery request", "", 5, "", 1),
        ("home agent address discovery reply", AGENT6, 5, "", None),
        ("mobile prefix solicitation", "", 6, "", 3),
        ("mobile prefix advertisement", "", 6, "M", None),
    ]


def test_messages_of_other_protocols_by_their_numbers(little, save):
    def mobility(number, body):
        header = bytes([59, (6 + len(body)) // 8 - 1, number, 0, 0, 0]) + body
        return IPv6(src=CARE_OF6, dst=AGENT6, nh=135) / Raw(header)

    def registration(number, size):
        return IP(src=HOME, dst=AGENT) / UDP(sport=434, dport=434) / Raw(bytes([number]) + bytes(size - 1))

    fast = struct.pack(">HHH", 3, 0x8000, 10)
    kinds = found(
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


def test_damaged_messages_are_counted_and_never_listed(little, save):
    whole = [request(HOME, AGENT, 1), IPv6(src=CARE_OF6, dst=AGENT6) / MIP6MH_BU(seq=1, options=[MIP6OptAltCoA(acoa=CARE_OF6)])]
    for packet, header in zip(whole, (28, 40), strict=True):
        frame = bytes(packet)
        for cut in range(header + 2, header + 24):
            path = save(little.pcap(101, [(0, 0, len(frame), frame[:cut])]))
            result = traces.read_signalling(path)
            assert (len(result.messages), result.damaged, result.facts.cut) == (0, 1, 1), cut
    beyond = bytearray(bytes(whole[1]))
    beyond[55] += 40  # the option reaches behind the header
    assert found(little, save, [bytes(beyond)]).damaged == 1


def test_of_many_messages_the_first_are_listed_and_all_counted(little, save):
    result = found(little, save, [request(HOME, AGENT, n) for n in range(10)], most_messages=3)
    assert result.messages.identification.tolist() == [0, 1, 2]
    assert (result.kinds, result.unlisted) == ({"registration request": 10}, 7)


def ping(kind, sequence, time_s, identifier=9):
    ends = (HOME, OTHER) if kind == 8 else (OTHER, HOME)
    return time_s, bytes(IP(src=ends[0], dst=ends[1]) / ICMP(type=kind, id=identifier, seq=sequence))


def echoes(writer, save, packets):
    result = traces.read_signalling(save(writer.pcap(101, [(second, 0, len(frame), frame) for second, frame in packets])))
    return [(e.identifier, e.requests, e.replies, e.unanswered) for e in result.echoes]


def test_pings(little, save):
    answered = [ping(8, 1, 0), ping(0, 1, 0)]
    assert echoes(little, save, answered) == [(9, 1, 1, [])]
    assert echoes(little, save, [ping(0, 1, 0)]) == []
    copies = [ping(8, 1, 0), ping(8, 1, 1), ping(8, 1, 59), ping(8, 2, 60), ping(0, 2, 61), ping(0, 2, 61)]
    assert echoes(little, save, copies) == [(9, 2, 1, [1])]
    # the number comes round again, here or because the program was started again
    assert echoes(little, save, [ping(8, 1, 0), ping(8, 1, 61), ping(0, 1, 62)]) == [(9, 2, 1, [1])]
    assert echoes(little, save, [*answered, ping(8, 1, 1)]) == [(9, 2, 1, [1])]
    two = [ping(8, 1, 0), ping(8, 1, 0, identifier=3), ping(0, 1, 1, identifier=3)]
    assert echoes(little, save, two) == [(9, 1, 0, [1]), (3, 1, 1, [])]
    lost = [ping(8, n, 0) for n in range(1500)]
    assert echoes(little, save, lost) == [(9, 1500, 0, list(range(1000)))]


@pytest.mark.parametrize("tunnels", ["inner", "outer"])
def test_tunnels_are_told_by_their_ends(little, save, tunnels):
    inner = IP(src=OTHER, dst=HOME) / UDP(sport=1, dport=2)
    one = IP(src=AGENT, dst=CARE_OF) / inner
    two = IP(src=FOREIGN, dst="10.9.9.9") / one
    frames = [bytes(packet) for packet in (one, two, one, inner)]
    path = save(little.pcap(101, [(0, 0, len(frame), frame) for frame in frames]))
    summary = traces.summarise(traces.read_capture(path, tunnels=tunnels))
    assert summary["tunnel_count"] == 2
    ends = [(t["version"], t["protocol"], t["src"], t["dst"], t["packets"], t["bytes"]) for t in summary["tunnels"]]
    assert ends == [(4, 4, AGENT, CARE_OF, 3, 3 * 48), (4, 4, FOREIGN, "10.9.9.9", 1, 68)]


def test_addresses_and_interfaces_are_told_with_what_they_carried(little, save):
    v4, own = IP(src=HOME, dst=OTHER) / UDP(sport=1, dport=2), IP(src=HOME, dst=HOME) / UDP(sport=3, dport=4)
    blocks = little.section() + little.interface(101, little.option(2, b"a")) + little.interface(101, little.option(2, b"b"))
    for number, packet in ((0, v4), (1, v4), (1, own)):
        blocks += little.enhanced(number, 1, len(bytes(packet)), bytes(packet))
    summary = traces.summarise(traces.read_capture(save(blocks)))
    assert [(i["name"], i["packets"]) for i in summary["interfaces"]] == [("a", 1), ("b", 2)]
    assert summary["top_addresses"] == [
        {"address": HOME, "packets": 3, "bytes": 84},
        {"address": OTHER, "packets": 2, "bytes": 56},
    ]
