"""Captures cut at every byte or changed at random: each gives packets or a TraceError, never another failure."""

import struct
from random import Random

import numpy as np
import pytest

import handoff_traces

UDP = (
    bytes.fromhex("45000020000000004011")
    + bytes(2)
    + bytes([10, 0, 0, 1, 10, 0, 0, 2])
    + struct.pack(">HHHH", 5, 6, 12, 0)
    + b"data"
)
IPV6 = bytes([0x60, 0, 0, 0, 0, 16, 60, 64]) + bytes(15) + b"\1" + bytes(15) + b"\2" + b"\x11\0\1\4\0\0\0\0" + UDP[20:28]
MAC = bytes(12)
FRAMES = [MAC + b"\x08\x00" + UDP, MAC + b"\x81\x00\x00\x07\x86\xdd" + IPV6, MAC + b"\x08\x06" + bytes(28)]
MUTATIONS = 4000


def pcap(w):
    """Return the content and the end of each packet."""
    content = w.pcap(1, [])
    ends = []
    for number, frame in enumerate(FRAMES):
        content += w.pcap(1, [(number, number, len(frame), frame)])[24:]
        ends.append(len(content))
    return content, ends


def pcapng(w):
    content = w.section() + w.interface(1, w.option(2, b"eth0") + w.option(9, b"\x09")) + w.interface(1)
    ends = []
    blocks = [w.enhanced(0, 5, 42, FRAMES[2]), w.obsolete(1, 6, len(FRAMES[0]), FRAMES[0]), w.simple(len(FRAMES[1]), FRAMES[1])]
    for block in blocks:
        content += block
        ends.append(len(content))
    return content, ends


def header_bytes(make):
    return 24 if make is pcap else 28


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_cut_at_every_byte(either, save, make):
    content, ends = make(either)
    complete = handoff_traces.read_capture(save(content))
    assert (len(complete), complete.truncated) == (3, None)
    clean = {len(content), header_bytes(make), *ends}
    if make is pcapng:
        first = len(either.section())
        second = first + len(either.interface(1, either.option(2, b"eth0") + either.option(9, b"\x09")))
        clean |= {first, second, second + len(either.interface(1))}
    for cut in range(len(content)):
        path = save(content[:cut])
        if cut < header_bytes(make):
            with pytest.raises(handoff_traces.TraceError) as caught:
                handoff_traces.read_capture(path)
            assert caught.value.offset in (0, cut)
            continue
        capture = handoff_traces.read_capture(path)
        before = sum(end <= cut for end in ends)
        assert len(capture) == before, cut
        for column in ("time_ns", "wire_length", "captured_length", "ip_length", "flow", "direction"):
            assert np.array_equal(getattr(capture, column), getattr(complete, column)[:before])
        assert (capture.truncated is None) == (cut in clean), cut
        if capture.truncated:
            start = max(end for end in clean if end <= cut)
            assert f"ends at byte {cut}, inside" in capture.truncated
            assert f"begins at byte {start} " in capture.truncated


def mutate(content, draw):
    out = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 16))):
        at = draw.randrange(len(out))
        kind = draw.randrange(5)
        if kind == 0:
            out[at] = draw.randrange(256)
        elif kind == 1:
            out[at] ^= 1 << draw.randrange(8)
        elif kind == 2:
            out[at : at + 4] = draw.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80"))
        elif kind == 3:
            del out[at : at + draw.randrange(1, 9)]
        else:
            out[at:at] = draw.randbytes(draw.randrange(1, 9))
        if not out:
            break
    return bytes(out)


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_random_changes(either, save, make, capfd):
    content, _ = make(either)
    draw = Random(f"{make.__name__} {either.order}")
    outcomes = {"complete": 0, "truncated": 0, "refused": 0}
    refusals = []
    for _ in range(MUTATIONS // 4):
        damaged = mutate(content, draw)
        try:
            capture = handoff_traces.read_capture(save(damaged))
        except handoff_traces.TraceError as error:
            outcomes["refused"] += 1
            refusals.append((error.offset, len(damaged), str(error)))
            continue
        outcomes["truncated" if capture.truncated else "complete"] += 1
        assert int(capture.captured_length.sum()) <= len(damaged)
        known = capture.flow[capture.flow != handoff_traces.NO_FLOW]
        assert np.array_equal(np.bincount(known, minlength=len(capture.flows)), capture.flows.packets)
        handoff_traces.summarise(capture)
    assert [r for r in refusals if not 0 <= r[0] <= r[1] or "this is a bug" in r[2]] == []
    assert min(outcomes.values()) > MUTATIONS // 400, outcomes
    assert capfd.readouterr().err == ""
