"""Compiled captures: sort order, reuse, and recompilation after any change."""

import gzip
import json
import os
import resource
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
import pytest
import zstandard
from scapy.layers.inet import IP, UDP

import handoff_traces

ROOT = Path(__file__).parents[3]
COMMUTE = ROOT / "examples" / "captures" / "commute.pcap"


def unordered_capture(writer, packets=3000, flows=7):
    """Build a capture of several flows with random, often equal times, and a few packets that are not IP."""
    random = Random(1)
    rows = []
    for i in range(packets):
        flow = random.randrange(flows)
        frame = bytes(IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=flow + 1, dport=9)) + bytes(random.randrange(60))
        if random.random() < 0.5:
            frame = bytes(IP(src="192.0.2.2", dst="192.0.2.1") / UDP(sport=9, dport=flow + 1))
        if random.random() < 0.02:
            frame = b"\x20" + bytes(30)
        rows.append((random.randrange(50), random.randrange(3), len(frame) + i % 3, frame))
    return writer.pcap(101, rows)


def sorted_columns(path):
    """Return the capture and its columns as numpy sorts them in memory."""
    capture = handoff_traces.read_capture(path)
    rows = np.flatnonzero((capture.flow != handoff_traces.NO_FLOW) & (capture.time_ns != handoff_traces.NO_TIME_NS))
    order = rows[np.lexsort((rows, capture.time_ns[rows], capture.direction[rows], capture.flow[rows]))]
    return capture, {name: getattr(capture, name)[order] for name in ("time_ns", "ip_length", "direction", "flow")}


def assert_same_columns(compiled, path):
    capture, columns = sorted_columns(path)
    for name in ("time_ns", "ip_length", "direction"):
        np.testing.assert_array_equal(getattr(compiled, name), columns[name])
    for flow in range(len(capture.flows)):
        rows = np.flatnonzero(columns["flow"] == flow)
        assert compiled.flows.rows(flow) == slice(int(rows[0]) if len(rows) else 0, int(rows[-1]) + 1 if len(rows) else 0)
        for direction in (0, 1):
            part = compiled.flows.rows(flow, direction)
            np.testing.assert_array_equal(np.arange(part.start, part.stop), rows[columns["direction"][rows] == direction])
    for name in ("format", "packets", "bytes", "untimed", "cut", "out_of_order", "tunnelled", "times_ns", "interfaces"):
        assert getattr(compiled.facts, name) == getattr(capture, name), name


@pytest.mark.parametrize("memory_bytes", [0, 70_000, 64 << 20], ids=["three runs", "two runs", "in memory"])
def test_columns_are_sorted_by_flow_direction_time_and_position(little, save, tmp_path, memory_bytes):
    path = save(unordered_capture(little))
    compiled = handoff_traces.compile_capture(path, tmp_path / "cache", memory_bytes=memory_bytes)
    assert_same_columns(compiled, path)
    assert compiled.facts.out_of_order > 1000
    assert 0 < compiled.facts.cut < compiled.facts.packets
    assert [p.name for p in compiled.folder.iterdir() if p.suffix not in (".npy", ".npz", ".json")] == []


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_compressed_capture_has_the_same_columns(tmp_path, compress):
    path = tmp_path / "capture"
    path.write_bytes(compress(COMMUTE.read_bytes()))
    with handoff_traces.compile_capture(path, tmp_path) as compiled:
        assert_same_columns(compiled, COMMUTE)


def test_two_gzip_members_are_one_capture(little, save):
    content = unordered_capture(little, 10)
    whole = handoff_traces.read_capture(save(content))
    parts = handoff_traces.read_capture(save(gzip.compress(content[:100]) + gzip.compress(content[100:])))
    np.testing.assert_array_equal(parts.ip_length, whole.ip_length)


def test_truncated_compressed_capture_has_the_packets_before_the_end(little, save):
    content = unordered_capture(little, 2000)
    capture = handoff_traces.read_capture(save(gzip.compress(content, 1)[:-3000]))
    assert 100 < capture.packets < 2000
    np.testing.assert_array_equal(capture.ip_length, handoff_traces.read_capture(save(content)).ip_length[: capture.packets])
    assert capture.truncated == f"the compressed file ends too early; the {capture.packets} packets before that were read"


def folder_inodes(cache):
    return {p.name: p.stat().st_ino for p in cache.iterdir()}


def test_compiled_columns_are_reused(little, save, tmp_path):
    path, cache = save(unordered_capture(little, 20)), tmp_path / "cache"
    handoff_traces.compile_capture(path, cache)
    before = folder_inodes(cache)
    handoff_traces.compile_capture(path, cache)
    os.utime(path, (1, 1))  # another time, the same content
    handoff_traces.compile_capture(path, cache)
    assert folder_inodes(cache) == before
    handoff_traces.compile_capture(path, cache, tunnels="outer")
    assert len(folder_inodes(cache)) == 2


def test_changed_capture_is_compiled_again(little, save, tmp_path):
    cache = tmp_path / "cache"
    first = handoff_traces.compile_capture(save(unordered_capture(little, 20)), cache)
    second = handoff_traces.compile_capture(save(unordered_capture(little, 30)), cache)
    assert (first.facts.packets, second.facts.packets) == (20, 30)
    assert len(folder_inodes(cache)) == 2


@pytest.mark.parametrize("name", ["time_ns.npy", "ip_length.npy", "direction.npy", "flows.npz", "meta.json"])
@pytest.mark.parametrize("damage", ["changed", "cut", "missing"])
def test_damaged_columns_are_compiled_again(little, save, tmp_path, name, damage):
    path, cache = save(unordered_capture(little, 200)), tmp_path / "cache"
    file = handoff_traces.compile_capture(path, cache).folder / name
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(content[:-1] + (b"" if damage == "cut" else bytes([content[-1] ^ 1])))
    assert_same_columns(handoff_traces.compile_capture(path, cache), path)
    assert len(folder_inodes(cache)) == 1


def test_incomplete_folders_are_ignored(little, save, tmp_path):
    """The folder of a killed process has a temporary name."""
    path, cache = save(unordered_capture(little, 20)), tmp_path / "cache"
    (cache / f"{path.name}.abc.making").mkdir(parents=True)
    assert_same_columns(handoff_traces.compile_capture(path, cache), path)


def test_unreadable_capture_and_unwritable_cache_raise_trace_errors(little, save, tmp_path):
    path = save(unordered_capture(little, 20))
    with pytest.raises(handoff_traces.TraceError, match="cannot be opened"):
        handoff_traces.compile_capture(tmp_path / "missing", tmp_path)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(handoff_traces.TraceError, match="its columns cannot be written"):
        handoff_traces.compile_capture(path, tmp_path / "file")
    cache = tmp_path / "cache"
    with pytest.raises(handoff_traces.TraceError, match="byte 28"):
        handoff_traces.compile_capture(save(little.pcap(1, [])[:24] + b"\xff" * 16), cache)
    assert list(cache.iterdir()) == []


def test_environment_names_the_cache_folder(little, save, tmp_path, monkeypatch):
    monkeypatch.setenv("HANDOFF_CACHE", str(tmp_path / "cache"))
    assert handoff_traces.compile_capture(save(little.pcap(1, []))).folder.parent == tmp_path / "cache"
    monkeypatch.delenv("HANDOFF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    empty = handoff_traces.compile_capture(save(little.pcap(1, [])))
    assert empty.folder.parent == tmp_path / "user" / "handoff"
    assert (len(empty), len(empty.flows)) == (0, 0)


def test_dropped_pages_are_read_again(tmp_path):
    compiled = handoff_traces.compile_capture(COMMUTE, tmp_path)
    before = compiled.time_ns.copy()
    compiled.drop_pages()
    np.testing.assert_array_equal(compiled.time_ns, before)


def test_captures_with_equal_name_size_and_time_are_distinguished(little, tmp_path):
    """Such captures arise when ``cp -p`` copies two recordings into two folders."""
    cache, captures = tmp_path / "cache", []
    for folder, port in (("one", 7), ("two", 8)):
        path = tmp_path / folder / "lab.pcap"
        path.parent.mkdir()
        path.write_bytes(little.pcap(101, [(0, 0, 28, bytes(IP() / UDP(sport=port, dport=9)))]))
        os.utime(path, ns=(10**18, 10**18))
        captures.append(handoff_traces.compile_capture(path, cache))
    assert [int(compiled.flows.sport[0]) for compiled in captures] == [7, 8]


def test_touched_capture_is_hashed_once(little, save, tmp_path, monkeypatch):
    path, cache = save(unordered_capture(little, 20)), tmp_path / "cache"
    folder = handoff_traces.compile_capture(path, cache).folder
    os.utime(path, ns=(1, 1))
    handoff_traces.compile_capture(path, cache)
    assert json.loads((folder / "meta.json").read_text())["source"]["mtime_ns"] == 1
    hashed = []
    content_hash = handoff_traces._native.content_hash
    monkeypatch.setattr(handoff_traces._native, "content_hash", lambda p: hashed.append(Path(p)) or content_hash(p))
    handoff_traces.compile_capture(path, cache)
    assert {p.parent for p in hashed} == {folder}


def test_capture_without_times_has_flows_but_no_rows(little, save, tmp_path):
    packet = bytes(IP() / UDP(sport=1, dport=2))
    path = save(little.section() + little.interface(101) + little.simple(len(packet), packet))
    with handoff_traces.compile_capture(path, tmp_path) as compiled:
        assert (len(compiled), len(compiled.flows), compiled.flows.rows(0)) == (0, 1, slice(0, 0))
        compiled.drop_pages()


def test_offloaded_segment_above_2_gib_keeps_its_length(little, save, tmp_path):
    packet = bytes(IP(len=0) / UDP(sport=1, dport=2))
    path = save(little.pcap(101, [(0, 0, 3 << 30, packet)]))
    assert handoff_traces.compile_capture(path, tmp_path).ip_length.tolist() == [3 << 30]


@contextmanager
def resource_limit(which, limit):
    """Limit a resource of this process inside the block only: pytest itself may write to a file after the test."""
    before = resource.getrlimit(which)
    resource.setrlimit(which, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(which, before)


@pytest.mark.deep
def test_more_runs_than_open_files_are_merged(little, save, tmp_path):
    path = save(unordered_capture(little, 30_000))
    in_memory = handoff_traces.compile_capture(path, tmp_path / "one")
    with resource_limit(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) + 10):
        compiled = handoff_traces.compile_capture(path, tmp_path / "two", memory_bytes=0)
    for name in ("time_ns", "ip_length", "direction"):
        np.testing.assert_array_equal(getattr(compiled, name), getattr(in_memory, name))


@pytest.mark.parametrize("limit", [1000, 30_000])
def test_full_disk_is_reported_and_leaves_no_files(little, save, tmp_path, limit):
    path, cache = save(unordered_capture(little, 3000)), tmp_path / "cache"
    refused = pytest.raises(handoff_traces.TraceError, match="its columns cannot be written: File too large")
    with resource_limit(resource.RLIMIT_FSIZE, limit), refused:
        handoff_traces.compile_capture(path, cache, memory_bytes=0)
    assert list(cache.iterdir()) == []
