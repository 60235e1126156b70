"""pcap and pcapng files: times, lengths, interfaces, errors, limits."""

import gzip
import json
import os
import pickle
import shutil
import signal
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zstandard

import handoff_traces

ROOT = Path(__file__).parents[3]
COMMUTE = ROOT / "examples" / "captures" / "commute.pcap"
SHARED = sorted((ROOT / ".." / "shared" / "data").glob("*.pcap"))
FRAME = bytes(range(14))


@pytest.mark.parametrize(
    ("magic", "fraction", "nanoseconds"), [(0xA1B2C3D4, 654321, 654321000), (0xA1B23C4D, 987654321, 987654321)]
)
def test_pcap_times_and_lengths(either, save, magic, fraction, nanoseconds):
    late = 2**32 - 1
    path = save(either.pcap(1, [(7, fraction, 1500, FRAME), (late, fraction, 14, FRAME)], magic))
    capture = handoff_traces.read_capture(path)
    assert capture.time_ns.tolist() == [7 * 10**9 + nanoseconds, late * 10**9 + nanoseconds]
    assert capture.wire_length.tolist() == [1500, 14]
    assert capture.captured_length.tolist() == [14, 14]
    assert (capture.format, capture.truncated, capture.untimed) == ("pcap", None, 0)
    assert capture.interfaces == (handoff_traces.Interface("", 1, 65535, 2),)


def test_column_types_and_empty_capture(little, save):
    capture = handoff_traces.read_capture(save(little.pcap(1, [])))
    types = {"time_ns": "i8", "wire_length": "u4", "captured_length": "u4", "ip_length": "u4", "flow": "u4", "direction": "u1"}
    assert {name: getattr(capture, name).dtype for name in types} == {name: np.dtype(kind) for name, kind in types.items()}
    assert capture.flows.src.shape == capture.flows.dst.shape == (0, 16)
    summary = handoff_traces.summarise(capture)
    assert (summary["packets"], summary["duration_s"], summary["rate_bps"], summary["first_time_ns"]) == (0, 0.0, None, None)


def test_pcapng_interfaces_resolutions_and_offset(either, save):
    w = either
    tick_1024 = w.option(2, b"wlan0") + w.option(9, bytes([128 + 10]))
    offset = w.option(9, b"\x09") + w.option(14, w.pack("q", -100))
    path = save(
        w.section()
        + w.interface(1, w.option(2, b"eth0"))
        + w.interface(101, tick_1024, 96)
        + w.interface(1, offset)
        + w.enhanced(0, 5_000_001, 99, FRAME)
        + w.enhanced(1, 3 * 1024 + 256, 50, b"")
        + w.enhanced(2, 2**33, 14, FRAME)
        + w.obsolete(1, 1, 60, FRAME)
        + w.block(5, w.pack("III", 0, 0, 0))
        + w.block(0x80000001, b"a private block.")
        + w.simple(14, FRAME)
    )
    capture = handoff_traces.read_capture(path)
    expected = [5_000_001_000, 3_250_000_000, 2**33 - 100 * 10**9, 976_562, handoff_traces.NO_TIME_NS]
    assert capture.time_ns.tolist() == expected
    assert np.isnat(capture.time_ns.view("M8[ns]")).tolist() == [False] * 4 + [True]
    assert capture.wire_length.tolist() == [99, 50, 14, 60, 14]
    assert capture.captured_length.tolist() == [14, 0, 14, 14, 14]
    assert capture.untimed == 1
    interfaces = [(i.name, i.link_type, i.snap_length) for i in capture.interfaces]
    assert interfaces == [("eth0", 1, None), ("wlan0", 101, 96), ("", 1, None)]
    summary = handoff_traces.summarise(capture)
    assert summary["link_types"] == [1, 101]
    assert summary["duration_s"] == (5_000_001_000 - expected[2]) / 1e9


def test_simple_packet_is_cut_to_the_snap_length(either, save):
    path = save(either.section() + either.interface(1, snap_length=8) + either.simple(14, FRAME[:8]))
    capture = handoff_traces.read_capture(path)
    assert (capture.captured_length.tolist(), capture.wire_length.tolist()) == ([8], [14])


def test_each_section_has_its_own_byte_order_and_interfaces(little, big, save):
    content = b""
    for w, resolution in ((little, b"\x03"), (big, b"\x00")):
        content += w.section() + w.interface(1, w.option(9, resolution)) + w.enhanced(0, 7, 14, FRAME)
    capture = handoff_traces.read_capture(save(content))
    assert capture.time_ns.tolist() == [7_000_000, 7_000_000_000]
    assert len(capture.interfaces) == 2


def wrong_captures(w):
    head = w.section() + w.interface(1)
    at = len(head)
    one = w.pcap(1, [(0, 0, 14, FRAME)])
    zeros = gzip.compress(one[:24] + bytes(1 << 23))
    return {
        "empty": (b"", 0, "0 bytes"),
        "text": (b"mobile,router", 0, "6d, 6f"),
        "gzip": (b"\x1f\x8b\x08\x00", 0, "too early"),
        "gzip damaged": (b"\x1f\x8b\x09" + bytes(20), 0, "cannot be decompressed"),
        "gzip of text": (gzip.compress(b"mobile,router"), 0, "6d, 6f"),
        "gzip of gzip": (gzip.compress(gzip.compress(one)), 0, "compressed twice"),
        "gzip of zeros": (zeros, (1 << 20) + 100 * len(zeros), "100 times"),
        "xz": (b"\xfd7zXZ\x00", 0, "unxz"),
        "header cut": (one[:23], 23, "24"),
        "version": (one[:4] + w.pack("HH", 2, 5) + one[8:], 4, "2.4"),
        "link type": (w.pcap(105, []), 20, "link type 105"),
        "fraction": (w.pcap(1, [(0, 10**6, 14, FRAME)]), 28, "below 1000000"),
        "record too long": (w.pcap(1, [(0, 0, 262145, bytes(262145))]), 32, "262144"),
        "more captured than sent": (w.pcap(1, [(0, 0, 13, FRAME)]), 32, "at most as many bytes captured as sent"),
        "byte-order magic": (w.section()[:8] + b"\1\2\3\4" + w.section()[12:], 8, "1a2b3c4d"),
        "section cut": (head[:20], 20, "section header"),
        "pcapng version": (w.section()[:12] + w.pack("HH", 2, 0) + w.section()[16:], 12, "1.0"),
        "short section": (w.block(0x0A0D0D0A, w.pack("IHH", 0x1A2B3C4D, 1, 0)), 4, "need 16"),
        "zero block": (head + bytes(12), at + 4, "block length 0"),
        "unaligned block": (head + w.pack("III", 6, 13, 13), at + 4, "multiple of 4"),
        "huge block": (head + w.pack("II", 6, 2**31), at + 4, "16777216"),
        "lengths differ": (head + w.pack("III", 5, 12, 16), at + 8, "12, as at its beginning"),
        "short packet block": (head + w.block(6, bytes(8)), at + 4, "need 12"),
        "captured beyond block": (head + w.block(6, w.pack("IIIII", 0, 0, 0, 8, 8)), at + 20, "0 bytes left"),
        "no such interface": (head + w.enhanced(1, 0, 14, FRAME), at + 8, "interface 1"),
        "no interface": (w.section() + w.simple(14, FRAME), 36, "0 described"),
        "unknown link": (w.section() + w.interface(105) + w.enhanced(0, 0, 14, FRAME), 56, "link type 105"),
        "time too late": (head + w.enhanced(0, 2**63, 14, FRAME), at + 12, "292 years"),
        "option beyond block": (w.section() + w.block(1, w.pack("HHIHH", 1, 0, 0, 2, 400)), 46, "at most the 0"),
        "resolution": (w.section() + w.interface(1, w.option(9, b"\x13")), 44, "10^-n"),
        "offset": (w.section() + w.interface(1, w.option(14, b"\1\2\3\4")), 44, "eight bytes"),
    }


CASES = [
    "empty",
    "text",
    "gzip",
    "gzip damaged",
    "gzip of text",
    "gzip of gzip",
    "gzip of zeros",
    "xz",
    "header cut",
    "version",
    "link type",
    "fraction",
    "record too long",
    "more captured than sent",
    "byte-order magic",
    "section cut",
    "pcapng version",
    "short section",
    "zero block",
    "unaligned block",
    "huge block",
    "lengths differ",
    "short packet block",
    "captured beyond block",
    "no such interface",
    "no interface",
    "unknown link",
    "time too late",
    "option beyond block",
    "resolution",
    "offset",
]


@pytest.mark.parametrize("case", CASES)
def test_wrong_capture_is_refused_with_the_offset(either, save, case):
    content, offset, message = wrong_captures(either)[case]
    path = save(content)
    with pytest.raises(handoff_traces.TraceError) as caught:
        handoff_traces.read_capture(path)
    assert caught.value.offset == offset
    assert str(caught.value).startswith(f"{path}: byte {offset}: ")
    assert message in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_every_wrong_capture_is_a_case(little):
    assert sorted(wrong_captures(little)) == sorted(CASES)


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, message in ((tmp_path / "missing", "No such file"), (tmp_path, "regular"), (tmp_path / "pipe", "regular")):
        with pytest.raises(handoff_traces.TraceError, match=message):
            handoff_traces.read_capture(path)


def test_frame_check_sequence_length_in_the_pcap_link_type_is_ignored(either, save):
    path = save(either.pcap(0x24000001, [(0, 0, 14, FRAME)]))
    assert handoff_traces.read_capture(path).interfaces[0].link_type == 1


@pytest.mark.skipif(not SHARED, reason="../shared/data is missing")
def test_captures_of_others_have_the_records_of_a_manual_count():
    for path in SHARED:
        content = path.read_bytes()
        order = "<" if content[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        at, captured = 24, []
        while at + 16 <= len(content):
            length = struct.unpack_from(order + "I", content, at + 8)[0]
            if at + 16 + length > len(content):
                break
            captured.append(length)
            at += 16 + length
        capture = handoff_traces.read_capture(path)
        assert capture.captured_length.tolist() == captured, path
        assert (capture.truncated is None) == (at == len(content)), path


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing")
def test_example_capture_agrees_with_tshark():
    fields = ["frame.time_epoch", "frame.len", "frame.cap_len", "ip.len", "ip.src"]
    command = ["tshark", "-r", str(COMMUTE), "-T", "fields", "-E", "occurrence=f"]
    out = subprocess.run([*command, *(word for f in fields for word in ("-e", f))], check=True, capture_output=True, text=True)
    rows = [line.split("\t") for line in out.stdout.splitlines()]
    capture = handoff_traces.read_capture(COMMUTE)
    assert capture.time_ns.tolist() == [int(r[0].split(".")[0]) * 10**9 + int(r[0].split(".")[1]) for r in rows]
    assert capture.wire_length.tolist() == [int(r[1]) for r in rows]
    assert capture.captured_length.tolist() == [int(r[2]) for r in rows]
    assert capture.ip_length.tolist() == [int(r[3]) for r in rows]
    senders = [
        (capture.flows.src_text, capture.flows.dst_text)[d](f) for f, d in zip(capture.flow, capture.direction, strict=True)
    ]
    assert senders == [r[4] for r in rows]


def test_example_capture_agrees_with_its_readme():
    summary = handoff_traces.summarise(handoff_traces.read_capture(COMMUTE))
    assert json.loads(json.dumps(summary)) == summary
    assert (summary["packets"], summary["bytes"], summary["ip_bytes"]) == (17_641, 6_913_847, 6_666_873)
    assert summary["duration_s"] == 170.926728122
    assert (summary["flow_count"], summary["addresses"], summary["link_types"]) == (13, 2, [1])
    largest = summary["flows"][0]
    assert (largest["src"], largest["sport"], largest["dst"], largest["dport"]) == ("10.0.1.2", 5006, "10.0.2.2", 5006)
    assert (largest["protocol"], largest["packets"], largest["bytes"]) == (17, 3042, 2_846_474)
    by_bytes = [flow["bytes"] for flow in summary["flows"]]
    assert by_bytes == sorted(by_bytes, reverse=True)
    assert sum(by_bytes) == summary["ip_bytes"]


@pytest.mark.deep
def test_limits_are_enforced_and_can_be_raised(little, save):
    many = little.pcap(1, [(second, 0, 14, FRAME) for second in range(200_000)])
    with pytest.raises(handoff_traces.TraceError, match=r"byte 54: one more packet; at most 1, unless that limit is raised"):
        handoff_traces.read_capture(save(little.pcap(1, [(0, 0, 14, FRAME)] * 2)), limits=handoff_traces.Limits(packets=1))
    path = save(gzip.compress(many))
    ratio = len(many) // path.stat().st_size
    with pytest.raises(handoff_traces.TraceError, match=f"more than {ratio // 3} times"):
        handoff_traces.read_capture(path, limits=handoff_traces.Limits(ratio=ratio // 3))
    assert len(handoff_traces.read_capture(path, limits=handoff_traces.Limits(ratio=ratio + 1))) == 200_000
    with pytest.raises(handoff_traces.TraceError, match=f"byte {len(many) - 1}: the file has more than {len(many) - 1} bytes"):
        handoff_traces.read_capture(path, limits=handoff_traces.Limits(bytes=len(many) - 1))
    assert len(handoff_traces.read_capture(path, limits=handoff_traces.Limits(bytes=len(many)))) == 200_000
    with pytest.raises(ValueError, match="a limit of 0 for ratio"):
        handoff_traces.Limits(ratio=0)


def test_zstandard_window_above_32_mib_is_refused(little, save):
    content = little.pcap(1, [(0, 0, 14, FRAME)])
    for window_log, accepted in ((25, True), (26, False)):
        parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=window_log)
        # of unknown size, so that the frame needs the window
        writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        path = save(writer.compress(content) + writer.flush())
        if accepted:
            assert len(handoff_traces.read_capture(path)) == 1
        else:
            with pytest.raises(handoff_traces.TraceError, match="byte 0: cannot be decompressed"):
                handoff_traces.read_capture(path)


def test_more_than_65536_interfaces_are_refused(little, save):
    head, one = little.section(), little.interface(1, little.option(2, b"n" * 1000))
    few = little.interface(1)
    assert len(handoff_traces.read_capture(save(head + one)).interfaces[0].name) == 256
    assert len(handoff_traces.read_capture(save(head + few * 65_536)).interfaces) == 65_536
    with pytest.raises(handoff_traces.TraceError, match=f"byte {len(head + few * 65_536)}: one more interface; at most 65536"):
        handoff_traces.read_capture(save(head + few * 65_537))


def test_signal_interrupts_reading(little, save):
    """An alarm stands in for Ctrl-C while a large capture is read."""
    path = save(little.pcap(1, []) + little.pcap(1, [(0, 0, 14, FRAME)])[24:] * 4_000_000)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        with pytest.raises(KeyboardInterrupt):
            handoff_traces.read_signalling(path)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
