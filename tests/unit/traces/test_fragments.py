"""Fragments follow the first fragment of their datagram: same source, destination, protocol and identification (RFC 791)."""

import itertools

import pytest
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.packet import Raw

import handoff_traces

ENDS = {"src": "10.0.1.2", "dst": "10.0.2.2"}


def datagram(identification, sport=7000, dport=5000, **ends):
    packet = IP(**ENDS | ends, id=identification) / UDP(sport=sport, dport=dport) / Raw(bytes(3000))
    return [bytes(piece) for piece in fragment(packet, 1480)]


def read(save, writer, frames, times=None, **options):
    records = [(second, 0, len(frame), frame) for second, frame in zip(times or range(len(frames)), frames, strict=True)]
    return handoff_traces.read_capture(save(writer.pcap(101, records)), **options)


def test_fragments_are_packets_of_one_flow(little, save):
    capture = read(save, little, datagram(1) + datagram(2))
    assert capture.flow.tolist() == [0] * 6
    assert (int(capture.flows.sport[0]), int(capture.flows.dport[0])) == (7000, 5000)


def test_datagrams_that_are_mixed_are_told_apart(little, save):
    """Each differs from the first in one of the four fields that RFC 791 compares, or in its ports and identification."""
    datagrams = [
        datagram(1), datagram(2, sport=9), datagram(1, sport=10, src="10.0.1.3"), datagram(1, sport=11, dst="10.0.2.3"),
    ]  # fmt: skip
    frames = list(itertools.chain(*zip(*datagrams, strict=True)))
    capture = read(save, little, frames)
    assert capture.flow.tolist() == [0, 1, 2, 3] * 3
    assert capture.flows.sport.tolist() == [7000, 9, 10, 11]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_fragments_in_any_order(little, save, order):
    """Some hosts send the last fragment first."""
    pieces = datagram(1)
    frames = [pieces[i] for i in order] + datagram(2)
    capture = read(save, little, frames)
    assert capture.flow.tolist() == [0] * 6
    assert capture.direction.tolist() == [0] * 6
    assert capture.flows.sport.tolist() == [7000]


def test_answers_in_fragments_go_in_the_other_direction(little, save):
    answer = datagram(1, sport=5000, dport=7000, src="10.0.2.2", dst="10.0.1.2")
    capture = read(save, little, [*datagram(1), *answer[::-1]])
    assert (capture.flow.tolist(), capture.direction.tolist()) == ([0] * 6, [0] * 3 + [1] * 3)


def test_compiled_columns_have_early_fragments_too(little, save, tmp_path):
    frames = datagram(1)[::-1] + datagram(2)
    path = save(little.pcap(101, [(n, 0, len(frame), frame) for n, frame in enumerate(frames)]))
    for memory_bytes in (0, 1 << 20):
        compiled = handoff_traces.compile_capture(path, tmp_path / str(memory_bytes), memory_bytes=memory_bytes)
        assert (len(compiled.flows), compiled.time_ns.tolist()) == (1, [n * 10**9 for n in range(6)])
        assert sorted(path.name for path in compiled.folder.iterdir()) == [
            "direction.npy", "flows.npz", "ip_length.npy", "meta.json", "time_ns.npy",
        ]  # fmt: skip


def test_an_identification_that_is_used_again_after_two_minutes_is_another_datagram(little, save):
    """RFC 1122 3.3.2 lets a receiver wait for 60 to 120 s."""
    first, later, _ = datagram(1)
    capture = read(save, little, [first, later, later], times=[0, 120, 121])
    assert capture.flow.tolist() == [0, 0, 1]
    assert capture.flows.sport.tolist() == [7000, 0]


def test_an_identification_that_is_used_again_belongs_to_the_latest_first_fragment(little, save):
    capture = read(save, little, datagram(1) + datagram(1, sport=8000))
    assert capture.flow.tolist() == [0] * 3 + [1] * 3


def test_fragments_of_ipv6(little, save):
    packet = IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrFragment(id=7) / UDP(sport=3, dport=4) / Raw(bytes(3000))
    frames = [bytes(piece) for piece in fragment6(packet, 1400)]
    capture = read(save, little, frames[::-1])
    assert len(frames) == 3
    assert (capture.flow.tolist(), capture.flows.sport.tolist()) == ([0] * 3, [3])


def test_fragments_inside_a_tunnel(little, save):
    """Each fragment has a GTP-U header of its own (3GPP TS 29.281 5.1)."""
    frames = []
    for piece in datagram(1):
        header = bytes([0x30, 255]) + len(piece).to_bytes(2) + bytes(4)
        frames.append(bytes(IP(src="198.51.100.1", dst="198.51.100.2") / UDP(sport=2152, dport=2152) / Raw(header + piece)))
    capture = read(save, little, frames)
    assert (capture.flow.tolist(), capture.flows.sport.tolist(), capture.tunnelled) == ([0] * 3, [7000], 3)


def test_fragments_of_a_tunnel_stay_outside_it(little, save):
    """The first fragment stands for the whole inner packet; the others belong to the outer flow."""
    inner = bytes(IP(src="10.45.0.2", dst="192.0.2.10") / UDP(sport=1, dport=2) / Raw(bytes(2000)))
    header = bytes([0x30, 255]) + len(inner).to_bytes(2) + bytes(4)
    packet = IP(**ENDS, id=5) / UDP(sport=2152, dport=2152) / Raw(header + inner)
    capture = read(save, little, [bytes(piece) for piece in fragment(packet, 1480)])
    assert capture.ip_length.tolist()[0] == len(inner)
    assert (capture.flow.tolist(), capture.flows.sport.tolist()) == ([0, 1], [1, 2152])
