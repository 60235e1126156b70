"""Recorded sequences of packets, read where they lie: in memory, or mapped from a file that is larger than it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
MAX_PACKET_BYTES = 65_000
BLOCK_ROWS = 1 << 20  # of what is looked through beforehand


class ReplayError(ValueError):
    """A sequence that cannot be replayed."""


class FileMapping(Protocol):
    """Columns mapped from files, as their owner presents them to the engine."""

    def drop_pages(self) -> None:
        """Drop the mapped pages from memory; a page that is accessed again is read from its file again."""


@dataclass(frozen=True, eq=False)
class Replay:
    """Packet i is sent ``(times[i] - origin) * multiply // divide`` ps after the start of its flow.

    Attributes
    ----------
    times : ndarray of int64, shape (n,)
        Sorted, from ``origin`` on, in any unit.
    sizes : ndarray of uint32, shape (n,)
        Bytes.
    origin, multiply, divide : int
        How a time becomes picoseconds, exactly: the product is taken in 128 bits.
    mapping : FileMapping or None
        Owner of the columns if they are mapped from files. The engine has it drop its pages after every few million packets.
    largest : int
        Bytes of the largest packet.
    """

    times: Int
    sizes: npt.NDArray[np.uint32]
    origin: int
    multiply: int
    divide: int
    mapping: FileMapping | None
    largest: int

    @classmethod
    def of(
        cls, times: npt.ArrayLike, sizes: npt.ArrayLike, origin: int, multiply: int, divide: int,
        mapping: FileMapping | None,
    ) -> Replay:  # fmt: skip
        """Check a sequence; neither column is copied if it is contiguous and of its type.

        Raises
        ------
        ReplayError
            If there is no packet, times are not sorted or before the origin, or a size or a number is out of range.
        """
        t, given = np.ascontiguousarray(times, np.int64), np.asarray(sizes)
        if t.ndim != 1 or t.shape != given.shape or not len(t):
            raise ReplayError(f"as many times as sizes are needed, at least one; got {t.shape}, {given.shape}")
        if not (1 <= multiply < 2**63 and 1 <= divide < 2**63):
            raise ReplayError(f"a time is multiplied and divided by 1 to 2**63 - 1, not {multiply} and {divide}")
        smallest, largest, before = MAX_PACKET_BYTES, 1, int(t[0])
        for rows in _blocks(len(t)):
            if t[rows.start] < before or (t[rows][1:] < t[rows][:-1]).any():
                raise ReplayError("times must be sorted")
            before = int(t[rows.stop - 1])
            smallest, largest = min(smallest, int(given[rows].min())), max(largest, int(given[rows].max()))
            if mapping is not None:
                mapping.drop_pages()
        if smallest < 1 or largest > MAX_PACKET_BYTES:
            raise ReplayError(f"a packet has 1 to {MAX_PACKET_BYTES} bytes, not {smallest if smallest < 1 else largest}")
        if int(t[0]) < origin or (before - origin) * multiply // divide >= 2**63:
            raise ReplayError("times must not be before their origin, nor 2**63 ps or more after it")
        return cls(t, np.ascontiguousarray(given, np.uint32), origin, multiply, divide, mapping, largest)

    def __len__(self) -> int:
        return len(self.times)

    def time_ps(self, i: int) -> int:
        """When packet ``i`` is sent, from the start of its flow."""
        return (int(self.times[i]) - self.origin) * self.multiply // self.divide

    def times_ps(self) -> Int:
        """When each packet is sent, from the start of its flow."""
        since = self.times - self.origin
        if int(since[-1]) * self.multiply < 2**63:
            return since * self.multiply // self.divide
        return np.array([t * self.multiply // self.divide for t in since.tolist()], np.int64)

    @property
    def bytes_in_memory(self) -> int:
        """What the columns take; nothing if they are mapped."""
        return self.times.nbytes + self.sizes.nbytes if self.mapping is None else 0


def _blocks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, rows))
