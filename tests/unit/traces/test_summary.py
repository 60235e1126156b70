"""Summaries of captures: tunnels, addresses and interfaces with their traffic."""

import pytest
from scapy.layers.inet import IP, UDP

import handoff_traces

HOME, AGENT, FOREIGN, CARE_OF, OTHER = "10.0.0.9", "10.0.0.1", "10.1.0.1", "10.2.0.1", "10.0.1.1"


@pytest.mark.parametrize("tunnels", ["inner", "outer"])
def test_tunnels_are_distinguished_by_their_ends(little, save, tunnels):
    inner = IP(src=OTHER, dst=HOME) / UDP(sport=1, dport=2)
    one = IP(src=AGENT, dst=CARE_OF) / inner
    two = IP(src=FOREIGN, dst="10.9.9.9") / one
    frames = [bytes(packet) for packet in (one, two, one, inner)]
    path = save(little.pcap(101, [(0, 0, len(frame), frame) for frame in frames]))
    summary = handoff_traces.summarise(handoff_traces.read_capture(path, tunnels=tunnels))
    assert summary["tunnel_count"] == 2
    ends = [(t["version"], t["protocol"], t["src"], t["dst"], t["packets"], t["bytes"]) for t in summary["tunnels"]]
    assert ends == [(4, 4, AGENT, CARE_OF, 3, 3 * 48), (4, 4, FOREIGN, "10.9.9.9", 1, 68)]


def test_addresses_and_interfaces_have_their_traffic(little, save):
    v4, own = IP(src=HOME, dst=OTHER) / UDP(sport=1, dport=2), IP(src=HOME, dst=HOME) / UDP(sport=3, dport=4)
    blocks = little.section() + little.interface(101, little.option(2, b"a")) + little.interface(101, little.option(2, b"b"))
    for number, packet in ((0, v4), (1, v4), (1, own)):
        blocks += little.enhanced(number, 1, len(bytes(packet)), bytes(packet))
    summary = handoff_traces.summarise(handoff_traces.read_capture(save(blocks)))
    assert [(i["name"], i["packets"]) for i in summary["interfaces"]] == [("a", 1), ("b", 2)]
    assert summary["top_addresses"] == [
        {"address": HOME, "packets": 3, "bytes": 84},
        {"address": OTHER, "packets": 2, "bytes": 56},
    ]
