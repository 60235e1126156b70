"""One or several captures as one stream of packets, and the flows in it that a scenario replays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import numpy.typing as npt

import handoff_traces
from engine.regular_file import open_regular
from handoff.scenario.traffic import Traffic
from handoff.workload.flow import Endpoint, Flow, PacketSegment, Prefixes
from handoff.workload.merge_captures import merge_to_disk
from handoff.workload.mobile_side import format_sides, in_prefixes

MAX_CACHED_BYTES = 8 << 20
"""Captures up to this size are compiled once in a process; the columns of larger ones stay in the cache on disk."""
MAX_EXPANSION = 100
"""Largest ratio of decompressed to compressed size that ``traces`` accepts."""
_COMPRESSION_MAGIC = (b"\x1f\x8b", b"\x28\xb5")  # gzip, Zstandard


def open_capture(
    path: Path, tunnels: handoff_traces.TunnelLayer = "inner", on_bad_record: handoff_traces.OnBadRecord = "refuse"
) -> handoff_traces.CompiledCapture:
    """Return the columns of a capture, mapped from files.

    Raises
    ------
    handoff_traces.TraceError
        If the capture cannot be read.
    """
    try:
        with open_regular(path) as file:
            expansion = MAX_EXPANSION if file.read(2) in _COMPRESSION_MAGIC else 1
        stat = path.stat()
    except OSError:
        return handoff_traces.compile_capture(path)  # raises the error that says why
    if stat.st_size * expansion > MAX_CACHED_BYTES:
        return handoff_traces.compile_capture(path, tunnels=tunnels, on_bad_record=on_bad_record)
    return _compile_once(path, tunnels, on_bad_record, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=8)
def _compile_once(
    path: Path, tunnels: handoff_traces.TunnelLayer, on_bad_record: handoff_traces.OnBadRecord, *_: int
) -> handoff_traces.CompiledCapture:
    # The runs of a batch share the result. The numbers identify the file's content: a changed file is compiled again.
    with tempfile.TemporaryDirectory(prefix="handoff.") as folder:
        # the mappings outlive the deleted files
        return handoff_traces.compile_capture(path, folder, tunnels=tunnels, on_bad_record=on_bad_record)


class CaptureStream:
    """Packets of captures on one time axis, in nanoseconds from the beginning of the stream.

    The stream owns the mappings of its captures (``engine.replay.FileMapping``).

    Parameters
    ----------
    captures : sequence of handoff_traces.CompiledCapture
    absolute : bool
        If true, the captures share one clock; else each of them begins at time 0.

    Attributes
    ----------
    clock_ns : list of int
        Reading of each capture's clock at time 0, the time of the earliest packet of any kind: in all captures if they share a
        clock, else in this one.
    length_ns : int
        Time of the last packet of any kind.
    packets : int
        Number of packets of any kind that have a time.
    """

    def __init__(self, captures: Sequence[handoff_traces.CompiledCapture], absolute: bool = True) -> None:
        self.captures = [c for c in captures if c.facts.times_ns is not None]
        times = [c.facts.times_ns or (0, 0) for c in self.captures]
        earliest = min((begin for begin, _ in times), default=0)
        self.clock_ns = [earliest if absolute else begin for begin, _ in times]
        self.length_ns = max((end - clock for (_, end), clock in zip(times, self.clock_ns, strict=True)), default=0)
        self.packets = sum(c.facts.packets - c.facts.untimed for c in self.captures)

    def drop_pages(self) -> None:
        """Drop the mapped pages of all captures from memory."""
        for capture in self.captures:
            capture.drop_pages()

    def select_flows(self, traffic: Traffic) -> list[Flow]:
        """Return the flows that a ``[[traffic]]`` table selects, by time of first packet; each direction is one segment at most.

        Raises
        ------
        ValueError
            If no packet is left to replay.
        """
        assert traffic.mobile_address is not None
        captures = ", ".join(map(str, traffic.capture or ()))
        flows = self.flows(traffic.mobile_address)
        if not flows:
            raise ValueError(f"no packet of {captures} has {format_sides(traffic.mobile_address)} as source or destination")
        clipped = _without_empty(flow.clip(*traffic.clip) for flow in flows)
        if not clipped:
            raise ValueError(f"'clip' leaves nothing of {captures}, which lasts {self.length_ns / 10**9} s")
        flows = _without_empty(flow.filter(traffic.select or (), traffic.exclude or ()) for flow in clipped)
        if not flows:
            raise ValueError(f"'select' and 'exclude' leave none of the {len(clipped)} flows of {captures}")
        begin, end = traffic.clip_flows
        flows = _without_empty(f.clip(f.first_ns + begin, None if end is None else f.first_ns + end) for f in flows)
        if not flows:
            raise ValueError(f"'clip_flows' leaves nothing of any flow of {captures}")
        self.drop_pages()
        return _merge_segments(sorted(flows, key=lambda flow: flow.first_ns))

    def flows(self, mobile: Prefixes) -> list[Flow]:
        """Return the flows with exactly one endpoint in ``mobile``, in the order of the captures' flow tables."""
        rows_by_flow: dict[tuple[int, Endpoint, Endpoint], list[tuple[int, int, int, bool]]] = {}
        for number, (capture, clock_ns) in enumerate(zip(self.captures, self.clock_ns, strict=True)):
            table = capture.flows
            from_mobile, to_mobile = (in_prefixes(table.version, side, mobile) for side in (table.src, table.dst))
            for row in np.flatnonzero(from_mobile ^ to_mobile).tolist():
                ends = _endpoint(table, row, table.src, table.sport), _endpoint(table, row, table.dst, table.dport)
                key = int(table.protocol[row]), *(ends if from_mobile[row] else ends[::-1])
                first_ns = int(table.first_time_ns[row]) - clock_ns
                rows_by_flow.setdefault(key, []).append((first_ns, number, row, bool(from_mobile[row])))
        # The earliest row says who sent the first packet of the flow.
        flows = [Flow(*key, min(rows)[3], *self._segments(rows)) for key, rows in rows_by_flow.items()]
        self.drop_pages()
        return _without_empty(flows)

    def _segments(self, rows: list[tuple[int, int, int, bool]]) -> tuple[list[PacketSegment], list[PacketSegment]]:
        """Return a flow's segments to and from the mobile side."""
        down_up: tuple[list[PacketSegment], list[PacketSegment]] = ([], [])
        for _, number, row, from_mobile in rows:
            capture = self.captures[number]
            for direction in (0, 1):
                packets = capture.flows.rows(row, direction)
                if packets.start < packets.stop:
                    segment = PacketSegment(capture.time_ns[packets], capture.ip_length[packets], self.clock_ns[number], self)
                    down_up[from_mobile == (direction == 0)].append(segment)
        return down_up


def _without_empty(flows: Iterable[Flow]) -> list[Flow]:
    return [flow for flow in flows if flow.segments]


def _merge_segments(flows: list[Flow]) -> list[Flow]:
    """Merge the segments of every direction that more than one capture has packets of."""
    directions = [segments for flow in flows for segments in (flow.down, flow.up)]
    merged = iter(merge_to_disk([segments for segments in directions if len(segments) > 1]))
    single = iter([[next(merged)] if len(segments) > 1 else segments for segments in directions])
    return [replace(flow, down=next(single), up=next(single)) for flow in flows]


def _endpoint(table: handoff_traces.Flows, row: int, address: npt.NDArray[np.uint8], port: npt.NDArray[np.uint16]) -> Endpoint:
    raw = address[row].tobytes()
    return Endpoint(ip_address(raw[:4] if table.version[row] == 4 else raw), int(port[row]))
