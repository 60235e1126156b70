"""Bad records: refused, left out with their reasons, or left out with the rest of the file; old versions of pcap."""

import shutil
import struct
import subprocess

import pytest

import handoff_traces

UDP = (
    bytes.fromhex("45000020000000004011")
    + bytes(2)
    + bytes([10, 0, 0, 1, 10, 0, 0, 2])
    + struct.pack(">HHHH", 5, 6, 12, 0)
    + b"data"
)
MORE_THAN_SENT = "more bytes were captured than sent"
REQUEST = struct.pack(">BBH", 1, 0, 60) + bytes([10, 0, 0, 9, 10, 0, 0, 2, 10, 0, 0, 1]) + bytes(8)
REGISTRATION = (
    struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(REQUEST), 0, 0, 64, 17, 0)
    + bytes([10, 0, 0, 1, 10, 0, 0, 2])
    + struct.pack(">HHHH", 434, 434, 8 + len(REQUEST), 0)
    + REQUEST
)


def three_records(w, second):
    """Build a pcap file whose second record is given: (seconds, fraction, wire length, captured bytes)."""
    return w.pcap(101, [(1, 0, 32, UDP), second, (3, 0, 32, UDP)])


BAD_RECORDS = {
    "more captured than sent": ((2, 0, 20, UDP), MORE_THAN_SENT, 24 + 48 + 8),
    "fraction": ((2, 10**6, 32, UDP), "the fraction of a second is 1 s or more", 24 + 48 + 4),
}


@pytest.mark.parametrize("case", BAD_RECORDS)
def test_a_bad_record_of_pcap(either, save, case):
    second, reason, offset = BAD_RECORDS[case]
    path = save(three_records(either, second))
    with pytest.raises(handoff_traces.TraceError, match=r"on_bad_record = 'skip'") as caught:
        handoff_traces.read_capture(path)
    assert caught.value.offset == offset
    capture = handoff_traces.read_capture(path, on_bad_record="skip")
    assert capture.time_ns.tolist() == [10**9, 3 * 10**9]
    assert (capture.skipped, capture.truncated, capture.packets) == ({reason: 1}, None, 2)
    first = handoff_traces.read_capture(path, on_bad_record="keep-first")
    assert (first.time_ns.tolist(), first.skipped) == ([10**9], {reason: 1})
    assert first.truncated == "reading ended at byte 72, at the first bad record; the 1 packets before it were read"


@pytest.mark.parametrize("policy", ["refuse", "skip", "keep-first"])
def test_a_sound_capture_is_the_same_whatever_is_done_with_bad_records(little, save, policy):
    capture = handoff_traces.read_capture(save(three_records(little, (2, 5, 40, UDP))), on_bad_record=policy)
    assert (len(capture), capture.skipped, capture.truncated, capture.opaque) == (3, {}, None, {})


def test_an_impossible_length_ends_the_reading(either, save):
    """Nothing says where the next record begins."""
    content = three_records(either, (2, 0, 32, UDP))
    damaged = content[:80] + either.pack("I", 1 << 30) + content[84:]
    capture = handoff_traces.read_capture(save(damaged), on_bad_record="skip")
    assert (len(capture), capture.skipped) == (1, {"the length of the record is impossible": 1})
    assert "byte 72, at a record of unknown length" in capture.truncated


def test_packets_of_an_unknown_link_type_are_left_out(either, save):
    """The third interface has link type 147 (USER0); the other two are raw IP and Ethernet."""
    w = either
    frame = bytes(12) + b"\x08\x00" + UDP
    content = w.section() + w.interface(101) + w.interface(1) + w.interface(147)
    content += w.enhanced(0, 1, 32, UDP) + w.enhanced(2, 2, 9, b"anything.") + w.enhanced(1, 3, 46, frame)
    content += w.enhanced(2, 4, 9, b"anything.")
    path = save(content)
    with pytest.raises(handoff_traces.TraceError, match="link type 147"):
        handoff_traces.read_capture(path)
    capture = handoff_traces.read_capture(path, on_bad_record="skip")
    assert capture.skipped == {"link type 147 is not supported": 2}
    assert (capture.flow.tolist(), [i.packets for i in capture.interfaces]) == ([0, 0], [1, 1, 0])


def test_a_pcap_of_an_unknown_link_type_has_no_packets_left(little, save):
    path = save(little.pcap(147, [(1, 0, 32, UDP)] * 3))
    capture = handoff_traces.read_capture(path, on_bad_record="skip")
    assert (len(capture), capture.skipped) == (0, {"link type 147 is not supported": 3})


def test_bad_blocks_of_pcapng_by_reason(either, save):
    """Interfaces behind a damaged description keep their numbers: the packet of interface 1 is Ethernet."""
    w = either
    wrong_resolution = w.option(9, b"\x13")
    content = w.section() + w.interface(101, wrong_resolution) + w.interface(1) + w.enhanced(0, 1, 32, UDP)
    content += w.enhanced(1, 2, 46, bytes(12) + b"\x08\x00" + UDP) + w.enhanced(9, 3, 32, UDP) + w.enhanced(1, 4, 20, UDP)
    content += w.enhanced(1, 2**63, 32, UDP) + w.block(6, bytes(8)) + w.block(6, w.pack("IIIII", 1, 0, 0, 8, 8))
    sound = w.enhanced(1, 5, 46, bytes(12) + b"\x08\x00" + UDP)
    content += sound[:-4] + w.pack("I", 16) + sound
    capture = handoff_traces.read_capture(save(content), on_bad_record="skip")
    assert capture.skipped == {
        "the description of the interface is damaged": 2,  # the description and the packet of the interface
        "the interface is not described": 1,
        MORE_THAN_SENT: 1,
        "the time is not within 292 years of 1970": 1,
        "the block is damaged": 2,  # one too short for its fields, one whose two lengths differ
        "the length of the record is impossible": 1,
    }
    assert capture.time_ns.tolist() == [2000, 5000]
    assert capture.flow.tolist() == [0, 0]


@pytest.mark.parametrize(("minor", "swapped"), [(0, True), (1, True), (2, True), (3, True), (3, False), (4, False)])
def test_old_versions_of_pcap(either, save, minor, swapped):
    """Before 2.3 the length of the packet comes first, and 2.3 has either order (libpcap, sf-pcap.c, ``lengths_swapped``)."""
    lengths = (60, 32) if swapped else (32, 60)
    content = either.pack("IHHiIII", 0xA1B2C3D4, 2, minor, 0, 0, 65535, 101)
    content += (either.pack("IIII", 7, 5, *lengths) + UDP) * 2
    capture = handoff_traces.read_capture(save(content))
    assert (capture.captured_length.tolist(), capture.wire_length.tolist()) == ([32, 32], [60, 60])


@pytest.mark.skipif(shutil.which("capinfos") is None, reason="capinfos is missing")
@pytest.mark.parametrize("minor", [2, 3])
def test_capinfos_counts_the_same_packets_of_an_old_version(little, save, minor):
    content = little.pack("IHHiIII", 0xA1B2C3D4, 2, minor, 0, 0, 65535, 101)
    content += (little.pack("IIII", 7, 5, 60, 32) + UDP) * 3
    path = save(content)
    out = subprocess.run(["capinfos", "-MTmcd", str(path)], check=True, capture_output=True, text=True).stdout
    capture = handoff_traces.read_capture(path)
    assert out.splitlines()[1].split(",")[1:] == [str(capture.packets), str(int(capture.wire_length.sum()))]


def test_frame_numbers_count_records_that_are_left_out(little, save):
    """Wireshark numbers every record of the file."""
    records = [(1, 0, 20, UDP), (2, 0, len(REGISTRATION), REGISTRATION)]
    signalling = handoff_traces.read_signalling(save(little.pcap(101, records)), on_bad_record="skip")
    (message,) = handoff_traces.summarise_signalling(signalling)["messages"]
    assert (message["frame"], message["kind"]) == (2, "registration request")


def test_compiled_columns_of_each_treatment_have_a_folder(little, save, tmp_path):
    path = save(three_records(little, (2, 0, 20, UDP)))
    cache = tmp_path / "cache"
    with pytest.raises(handoff_traces.TraceError, match="20"):
        handoff_traces.compile_capture(path, cache)
    folders = {}
    for _ in range(2):
        for policy, packets in (("skip", 2), ("keep-first", 1)):
            compiled = handoff_traces.compile_capture(path, cache, on_bad_record=policy)
            assert (len(compiled), compiled.facts.skipped) == (packets, {MORE_THAN_SENT: 1})
            folders.setdefault(policy, compiled.folder)
            assert compiled.folder == folders[policy]
    assert len(set(folders.values())) == 2


def test_other_treatments_are_refused(little, save):
    with pytest.raises(ValueError, match="on_bad_record 'ignore' is not one of refuse, skip, keep-first"):
        handoff_traces.read_capture(save(little.pcap(101, [])), on_bad_record="ignore")


@pytest.mark.parametrize(
    ("magic", "name"), [(b"snoop\0\0\0", "snoop"), (b"GMBU", "Network Monitor 2"), (b"\x34\xcd\xb2\xa1", "modified pcap")]
)
def test_another_capture_format_is_named(save, magic, name):
    with pytest.raises(handoff_traces.TraceError, match=f"begins like .*{name}.*editcap -F pcapng"):
        handoff_traces.read_capture(save(magic + bytes(40)))
