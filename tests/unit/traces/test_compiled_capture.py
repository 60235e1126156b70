"""Compiled captures: sorted exactly, found again, made anew when anything is not as it was."""

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

import traces

ROOT = Path(__file__).parents[2]
COMMUTE = ROOT / "examples" / "captures" / "commute.pcap"


def disordered(writer, packets=3000, flows=7):
    """Packets of several flows with times at random, many of them equal, a few not IP."""
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


def expected(path):
    """The columns by numpy's own sort of the whole capture."""
    capture = traces.read_capture(path)
    kept = np.flatnonzero((capture.flow != traces.NO_FLOW) & (capture.time_ns != traces.NO_TIME_NS))
    order = kept[np.lexsort((kept, capture.time_ns[kept], capture.direction[kept], capture.flow[kept]))]
    return capture, {name: getattr(capture, name)[order] for name in ("time_ns", "ip_length", "direction", "flow")}


def same(compiled, path):
    capture, columns = expected(path)
    for name in ("time_ns", "ip_length", "direction"):
        np.testing.assert_array_equal(getattr(compiled, name), columns[name])
    for flow in range(len(capture.flows)):
        rows = np.flatnonzero(columns["flow"] == flow)
        assert compiled.flows.rows(flow) == slice(int(rows[0]) if len(rows) else 0, int(rows[-1]) + 1 if len(rows) else 0)
        for way in (0, 1):
            here = compiled.flows.rows(flow, way)
            np.testing.assert_array_equal(np.arange(here.start, here.stop), rows[columns["direction"][rows] == way])
    for name in ("format", "packets", "bytes", "untimed", "cut", "out_of_order", "tunnelled", "times_ns", "interfaces"):
        assert getattr(compiled.facts, name) == getattr(capture, name), name


@pytest.mark.parametrize("memory_bytes", [0, 70_000, 64 << 20], ids=["three runs", "two runs", "in memory"])
def test_columns_are_sorted_by_flow_direction_time_and_place_in_the_file(little, save, tmp_path, memory_bytes):
    path = save(disordered(little))
    compiled = traces.compile_capture(path, tmp_path / "cache", memory_bytes=memory_bytes)
    same(compiled, path)
    assert compiled.facts.out_of_order > 1000
    assert 0 < compiled.facts.cut < compiled.facts.packets
    assert [p.name for p in compiled.folder.iterdir() if p.suffix not in (".npy", ".npz", ".json")] == []


@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"])
def test_a_compressed_capture_is_the_same(tmp_path, compress):
    path = tmp_path / "capture"
    path.write_bytes(compress(COMMUTE.read_bytes()))
    with traces.compile_capture(path, tmp_path) as compiled:
        same(compiled, COMMUTE)


def test_gzip_of_two_members_is_one_capture(little, save):
    content = disordered(little, 10)
    whole = traces.read_capture(save(content))
    parts = traces.read_capture(save(gzip.compress(content[:100]) + gzip.compress(content[100:])))
    np.testing.assert_array_equal(parts.ip_length, whole.ip_length)


def test_a_compressed_capture_that_breaks_off_gives_the_packets_before(little, save):
    content = disordered(little, 2000)
    capture = traces.read_capture(save(gzip.compress(content, 1)[:-3000]))
    assert 100 < capture.packets < 2000
    np.testing.assert_array_equal(capture.ip_length, traces.read_capture(save(content)).ip_length[: capture.packets])
    assert capture.truncated == f"the compressed file ends before its end; the {capture.packets} packets before that were read"


def folders(cache):
    return {p.name: p.stat().st_ino for p in cache.iterdir()}


def test_what_was_made_is_found_again(little, save, tmp_path):
    path, cache = save(disordered(little, 20)), tmp_path / "cache"
    traces.compile_capture(path, cache)
    before = folders(cache)
    traces.compile_capture(path, cache)
    os.utime(path, (1, 1))  # the content is what counts
    traces.compile_capture(path, cache)
    assert folders(cache) == before
    traces.compile_capture(path, cache, tunnels="outer")
    assert len(folders(cache)) == 2


def test_a_changed_capture_is_compiled_anew(little, save, tmp_path):
    cache = tmp_path / "cache"
    first = traces.compile_capture(save(disordered(little, 20)), cache)
    second = traces.compile_capture(save(disordered(little, 30)), cache)
    assert (first.facts.packets, second.facts.packets) == (20, 30)
    assert len(folders(cache)) == 2


@pytest.mark.parametrize("name", ["time_ns.npy", "ip_length.npy", "direction.npy", "flows.npz", "meta.json"])
@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_a_damaged_column_is_noticed(little, save, tmp_path, name, damage):
    path, cache = save(disordered(little, 200)), tmp_path / "cache"
    file = traces.compile_capture(path, cache).folder / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:-1] + (b"" if damage == "cut" else bytes([content[-1] ^ 1])))
    same(traces.compile_capture(path, cache), path)
    assert len(folders(cache)) == 1


def test_half_written_folders_are_never_found(little, save, tmp_path):
    """What a killed process leaves behind has another name."""
    path, cache = save(disordered(little, 20)), tmp_path / "cache"
    (cache / f"{path.name}.abc.making").mkdir(parents=True)
    same(traces.compile_capture(path, cache), path)


def test_what_cannot_be_read_or_written_is_one_error(little, save, tmp_path):
    path = save(disordered(little, 20))
    with pytest.raises(traces.TraceError, match="cannot be opened"):
        traces.compile_capture(tmp_path / "none", tmp_path)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(traces.TraceError, match="its columns cannot be written"):
        traces.compile_capture(path, tmp_path / "file")
    cache = tmp_path / "cache"
    with pytest.raises(traces.TraceError, match="byte 28"):
        traces.compile_capture(save(little.pcap(1, [])[:24] + b"\xff" * 16), cache)
    assert list(cache.iterdir()) == []


def test_the_cache_folder_is_named_by_the_environment(little, save, tmp_path, monkeypatch):
    monkeypatch.setenv("HANDOFF_CACHE", str(tmp_path / "there"))
    assert traces.compile_capture(save(little.pcap(1, []))).folder.parent == tmp_path / "there"
    monkeypatch.delenv("HANDOFF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    empty = traces.compile_capture(save(little.pcap(1, [])))
    assert empty.folder.parent == tmp_path / "user" / "handoff"
    assert (len(empty), len(empty.flows)) == (0, 0)


def test_released_columns_are_read_again(tmp_path):
    compiled = traces.compile_capture(COMMUTE, tmp_path)
    before = compiled.time_ns.copy()
    compiled.release()
    np.testing.assert_array_equal(compiled.time_ns, before)


def test_captures_alike_in_name_size_and_time_are_not_mistaken_for_each_other(little, tmp_path):
    """As after cp -p of two recordings into two folders."""
    cache, made = tmp_path / "cache", []
    for folder, port in (("one", 7), ("two", 8)):
        path = tmp_path / folder / "lab.pcap"
        path.parent.mkdir()
        path.write_bytes(little.pcap(101, [(0, 0, 28, bytes(IP() / UDP(sport=port, dport=9)))]))
        os.utime(path, ns=(10**18, 10**18))
        made.append(traces.compile_capture(path, cache))
    assert [int(compiled.flows.sport[0]) for compiled in made] == [7, 8]


def test_after_a_touch_the_content_is_hashed_once(little, save, tmp_path, monkeypatch):
    path, cache = save(disordered(little, 20)), tmp_path / "cache"
    folder = traces.compile_capture(path, cache).folder
    os.utime(path, ns=(1, 1))
    traces.compile_capture(path, cache)
    assert json.loads((folder / "meta.json").read_text())["source"]["mtime_ns"] == 1
    hashed = []
    whole = traces.compiled._native.content_hash
    monkeypatch.setattr(traces.compiled._native, "content_hash", lambda p: hashed.append(Path(p)) or whole(p))
    traces.compile_capture(path, cache)
    assert {p.parent for p in hashed} == {folder}


def test_a_capture_without_times_has_flows_and_no_rows(little, save, tmp_path):
    packet = bytes(IP() / UDP(sport=1, dport=2))
    path = save(little.section() + little.interface(101) + little.simple(len(packet), packet))
    with traces.compile_capture(path, tmp_path) as compiled:
        assert (len(compiled), len(compiled.flows), compiled.flows.rows(0)) == (0, 1, slice(0, 0))
        compiled.release()


def test_an_offloaded_segment_of_more_than_2_gib_keeps_its_length(little, save, tmp_path):
    packet = bytes(IP(len=0) / UDP(sport=1, dport=2))
    path = save(little.pcap(101, [(0, 0, 3 << 30, packet)]))
    assert traces.compile_capture(path, tmp_path).ip_length.tolist() == [3 << 30]


@contextmanager
def limited(which, most):
    """Limit this process only while the block runs: pytest itself writes, maybe to a file, as soon as a test is done."""
    before = resource.getrlimit(which)
    resource.setrlimit(which, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(which, before)


def test_more_runs_than_a_process_may_open_files(little, save, tmp_path):
    path = save(disordered(little, 30_000))
    in_memory = traces.compile_capture(path, tmp_path / "one")
    with limited(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) + 10):
        compiled = traces.compile_capture(path, tmp_path / "two", memory_bytes=0)
    for name in ("time_ns", "ip_length", "direction"):
        np.testing.assert_array_equal(getattr(compiled, name), getattr(in_memory, name))


@pytest.mark.parametrize("most", [1000, 30_000])
def test_a_full_disk_is_named_and_leaves_nothing(little, save, tmp_path, most):
    path, cache = save(disordered(little, 3000)), tmp_path / "cache"
    refused = pytest.raises(traces.TraceError, match="its columns cannot be written: File too large")
    with limited(resource.RLIMIT_FSIZE, most), refused:
        traces.compile_capture(path, cache, memory_bytes=0)
    assert list(cache.iterdir()) == []
