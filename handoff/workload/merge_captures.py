"""Merge of the packets that several captures hold of one flow, block by block into files, because they may exceed memory."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.workload.flow import BLOCK_ROWS, PacketSegment


class MergedColumns:
    """Owner of the two files that merged times and sizes are mapped from (``engine.replay.FileMapping``)."""

    def __init__(self, maps: Sequence[mmap.mmap]) -> None:
        self._maps = maps

    def drop_pages(self) -> None:
        """Drop the mapped pages from memory."""
        for mapped in self._maps:
            mapped.madvise(mmap.MADV_DONTNEED)


def merge_blocks(
    segments: Sequence[PacketSegment], block_rows: int = BLOCK_ROWS
) -> Iterator[tuple[Int, npt.NDArray[np.uint32]]]:
    """Yield the times (ns of the stream) and sizes of several segments in order of time, block by block.

    Packets with equal times come in the order of the segments. A block holds at most ``block_rows`` packets of each segment,
    and more only if they have the same time.
    """
    starts = [0] * len(segments)
    while remaining := [(s, start) for s, start in zip(segments, starts, strict=True) if start < len(s)]:
        limit = min(int(s.times[min(start + block_rows, len(s)) - 1]) - s.clock_ns for s, start in remaining)
        ends = [int(np.searchsorted(s.times, limit + s.clock_ns, "right")) for s in segments]
        blocks = [(s, slice(start, end)) for s, start, end in zip(segments, starts, ends, strict=True)]
        times = np.concatenate([s.times[rows] - s.clock_ns for s, rows in blocks])
        order = np.argsort(times, kind="stable")
        yield times[order], np.concatenate([s.sizes[rows] for s, rows in blocks])[order]
        starts = ends


def merge_to_disk(groups: Sequence[Sequence[PacketSegment]]) -> list[PacketSegment]:
    """Merge each group of segments into one, by the stream's clock, mapped from two files without a name.

    The pages of the groups are dropped from memory after every block.
    """
    bounds = [0]
    with tempfile.TemporaryFile(prefix="handoff.") as times_file, tempfile.TemporaryFile(prefix="handoff.") as sizes_file:
        for group in groups:
            bounds.append(bounds[-1])
            mappings = list({id(segment.mapping): segment.mapping for segment in group}.values())
            for times, sizes in merge_blocks(group):
                times_file.write(times.data)
                sizes_file.write(sizes.data)
                bounds[-1] += len(times)
                for mapping in mappings:
                    mapping.drop_pages()
        if not bounds[-1]:
            return []
        times_file.flush()
        sizes_file.flush()
        maps = [mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) for file in (times_file, sizes_file)]
    columns = MergedColumns(maps)
    all_times, all_sizes = np.frombuffer(maps[0], np.int64), np.frombuffer(maps[1], np.uint32)
    return [PacketSegment(all_times[a:b], all_sizes[a:b], 0, columns) for a, b in pairwise(bounds)]
