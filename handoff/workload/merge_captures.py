"""Packets of one flow that stand in several captures, put into one order; on disk, for they may be many."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from handoff.workload.capture_stream import BLOCK_ROWS, PacketSegment


def merge_pieces(pieces: Sequence[PacketSegment], block_rows: int = BLOCK_ROWS) -> Iterator[tuple[Int, npt.NDArray[np.uint32]]]:
    """Times (ns of the stream) and sizes of several pieces in one order, block by block; equal times in the order of pieces."""
    at = [0] * len(pieces)
    while left := [(piece, a) for piece, a in zip(pieces, at, strict=True) if a < len(piece)]:
        limit = min(int(piece.times[min(a + block_rows, len(piece)) - 1]) - piece.clock_ns for piece, a in left)
        ends = [int(np.searchsorted(piece.times, limit + piece.clock_ns, "right")) for piece in pieces]
        rows = [(piece, slice(a, end)) for piece, a, end in zip(pieces, at, ends, strict=True)]
        times = np.concatenate([piece.times[here] - piece.clock_ns for piece, here in rows])
        order = np.argsort(times, kind="stable")
        yield times[order], np.concatenate([piece.sizes[here] for piece, here in rows])[order]
        at = ends


def merge_to_disk(groups: Sequence[Sequence[PacketSegment]], release: Callable[[], None]) -> tuple[list[PacketSegment], Callable[[], None]]:
    """Each group of pieces as one, by the stream's clock, mapped from two files without a name.

    Parameters
    ----------
    groups : sequence of sequences of Piece
        Each is merged.
    release : callable
        Gives back the memory of what has been read of them.

    Returns
    -------
    pieces : list of Piece
    release : callable
        The same for what has been read of these.
    """
    ends = [0]
    with tempfile.TemporaryFile(prefix="handoff.") as times, tempfile.TemporaryFile(prefix="handoff.") as sizes:
        for group in groups:
            ends.append(ends[-1])
            for t, s in merge_pieces(group):
                times.write(t.data)
                sizes.write(s.data)
                ends[-1] += len(t)
                release()
        if not ends[-1]:
            return [], lambda: None
        times.flush()
        sizes.flush()
        maps = [mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) for file in (times, sizes)]
    t, s = (np.frombuffer(mapped, kind) for mapped, kind in zip(maps, (np.int64, np.uint32), strict=True))

    def give_back() -> None:
        for mapped in maps:
            mapped.madvise(mmap.MADV_DONTNEED)

    return [PacketSegment(t[a:b], s[a:b], 0) for a, b in pairwise(ends)], give_back
