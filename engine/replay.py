"""Recorded packet sequences, in memory or mapped from a file that may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.arguments import INT64_MAX, INT64_MIN, check_column, check_integer, check_integers
from engine.columns import Int

MAX_PACKET_BYTES = 65_000
BLOCK_ROWS = 1 << 20
"""Packets that are checked at once."""


class ReplayError(ValueError):
    """The sequence cannot be replayed; the message says why."""


class FileMapping(Protocol):
    """Columns mapped from files, as their owner presents them to the engine."""

    def drop_pages(self) -> None:
        """Drop the mapped pages from memory; a page that is accessed again is read from its file again."""


@dataclass(frozen=True, eq=False)
class Replay:
    """A packet sequence: packet i is sent ``(times[i] - origin) * multiply // divide`` ps after the start of its flow.

    Attributes
    ----------
    times : ndarray of int64, shape (n,)
        Sorted times in any unit, none before ``origin``.
    sizes : ndarray of uint32, shape (n,)
        Bytes.
    origin, multiply, divide : int
        Exact conversion of a time to picoseconds; the product has 128 bits.
    mapping : FileMapping or None
        Owner of the columns if they are mapped from files. The engine has it drop its pages after every few million packets.
    largest : int
        Size of the largest packet in bytes.
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
        """Check a sequence and return it.

        Columns are copied, so that they cannot change. A mapped column is not copied if it is a contiguous read-only view with
        the right type.

        Raises
        ------
        TypeError
            If a time, size or number is no integer.
        ValueError
            If a number is out of range.
        ReplayError
            If there is no packet, times are not sorted or before the origin, or a size is out of range.
        """
        t, size = _column("times", times, np.int64, mapping), _column("sizes_bytes", sizes, np.uint32, mapping)
        if t.ndim != 1 or t.shape != size.shape or not len(t):
            raise ReplayError(f"a replay needs one size for each time, at least one; got shapes {t.shape} and {size.shape}")
        origin = check_integer("origin", origin, INT64_MIN, INT64_MAX)
        multiply, divide = check_integer("multiply", multiply, 1, INT64_MAX), check_integer("divide", divide, 1, INT64_MAX)
        smallest, largest, before = MAX_PACKET_BYTES, 1, int(t[0])
        for rows in _blocks(len(t)):
            if t[rows.start] < before or (t[rows][1:] < t[rows][:-1]).any():
                raise ReplayError("times must be sorted")
            before = int(t[rows.stop - 1])
            smallest, largest = min(smallest, int(size[rows].min())), max(largest, int(size[rows].max()))
            if mapping is not None:
                mapping.drop_pages()
        if smallest < 1 or largest > MAX_PACKET_BYTES:
            raise ReplayError(f"a packet has 1 to {MAX_PACKET_BYTES} bytes, not {smallest if smallest < 1 else largest}")
        since = before - origin
        if int(t[0]) < origin or since > INT64_MAX or since * multiply // divide > INT64_MAX:
            raise ReplayError("times must not be before their origin, nor 2**63 ps or more after it")
        return cls(t, size, origin, multiply, divide, mapping, largest)

    def __len__(self) -> int:
        return len(self.times)

    def time_ps(self, i: int) -> int:
        """Return the time of packet ``i`` after the start of its flow, in ps."""
        return (int(self.times[i]) - self.origin) * self.multiply // self.divide

    def times_ps(self) -> Int:
        """Return the time of each packet after the start of its flow, in ps."""
        since = self.times - self.origin
        if int(since[-1]) * self.multiply < 2**63:
            return since * self.multiply // self.divide
        return np.array([t * self.multiply // self.divide for t in since.tolist()], np.int64)

    @property
    def bytes_in_memory(self) -> int:
        """Memory of the columns; 0 if they are mapped."""
        return self.times.nbytes + self.sizes.nbytes if self.mapping is None else 0


def _column(name: str, values: npt.ArrayLike, dtype: Any, mapping: FileMapping | None) -> npt.NDArray[Any]:
    """Return a column that nobody can change or resize: a copy in a ``bytes`` object, or the mapped column itself."""
    array = check_integers(name, values)
    view = not array.flags.writeable and not array.flags.owndata and array.flags.c_contiguous
    if mapping is not None and view and array.dtype == dtype:
        return array
    if array.dtype != dtype:
        limits = np.iinfo(dtype)
        array = check_column(name, array, int(limits.min), int(limits.max))
    return np.frombuffer(np.ascontiguousarray(array, dtype).tobytes(), dtype)


def _blocks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, BLOCK_ROWS):
        yield slice(start, min(start + BLOCK_ROWS, rows))
