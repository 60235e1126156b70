"""The record of hops: which packets chosen links, downlinks and uplinks carried, when, and in which tunnels."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

TUNNEL = np.dtype([("source", "u2"), ("target", "u2"), ("bytes", "u1"), ("end", "u1")], align=True)
"""One tunnel header: the nodes where it begins and ends, its bytes, its end (0 at the router, 1 at the mobile there)."""

HOP = np.dtype(
    [
        ("start_ps", "i8"), ("end_ps", "i8"), ("key", "u8"), ("flow", "i8"), ("seq", "i8"), ("mobile", "u4"), ("link", "i4"),
        ("message", "i4"), ("size_bytes", "u2"), ("extra_bytes", "u1"), ("kind", "u1"), ("copy", "u1"), ("depth", "u1"),
        ("tunnels", TUNNEL, 4),
    ],
    align=True,
)  # fmt: skip
"""One packet copy on one link. ``start_ps`` and ``end_ps``: first and last bit leave the sending side; ``key``: of the FIFO;
``link``: row of ``Result.links``; ``kind``: 0 data down, 1 data up, 2 control for a node, 3 control for a mobile; ``flow`` and
``seq`` of data, else -1; ``message``: row of ``Hops.messages``, -1 for data; ``size_bytes`` without and ``extra_bytes`` of its
tunnel headers; ``tunnels``: the ``depth`` of them that are on it, innermost first, the others 0."""

MESSAGE = np.dtype([("code", "i8"), ("source", "i8"), ("args", "i8", 6)])
"""What a control message says: as given to ``Context.send``; ``source`` -1 is the mobile."""


@dataclass(frozen=True)
class LinkTrace:
    """Hops of a stretch of time, by start, then FIFO key, then order in the FIFO (docs/model.md, 14).

    Attributes
    ----------
    rows : structured ndarray of ``HOP``
    messages : structured ndarray of ``MESSAGE``
    """

    rows: npt.NDArray[Any]
    messages: npt.NDArray[Any]

    def split(self, time_ps: int) -> tuple[LinkTrace, LinkTrace]:
        """Those that start before an instant, sorted, and the others as they are; each with its own messages."""
        order = np.lexsort((self.rows["key"], self.rows["start_ps"]))
        early = self.rows["start_ps"][order] < time_ps
        return self._of(order[early]), self._of(np.flatnonzero(self.rows["start_ps"] >= time_ps))

    def concat(self, later: LinkTrace) -> LinkTrace:
        """Both, these first."""
        rows = np.concatenate([self.rows, later.rows])
        moved = rows[len(self.rows) :]["message"]
        moved[moved >= 0] += len(self.messages)
        return LinkTrace(rows, np.concatenate([self.messages, later.messages]))

    def _of(self, chosen: npt.NDArray[np.int64]) -> LinkTrace:
        rows = self.rows[chosen]
        said = rows["message"] >= 0
        messages = self.messages[rows["message"][said]]
        rows["message"][said] = np.arange(len(messages))
        return LinkTrace(rows, messages)


def empty_trace() -> LinkTrace:
    """An empty record."""
    return LinkTrace(np.zeros(0, HOP), np.zeros(0, MESSAGE))


def trace_from_buffers(rows: bytes, messages: bytes) -> LinkTrace:
    """A record from the memory of the compiled engine's structs."""
    return LinkTrace(np.frombuffer(rows, HOP), np.frombuffer(messages, MESSAGE))


def link_rows(wanted: Iterable[str], names: Sequence[str]) -> list[int]:
    """Rows of links by name.

    Raises
    ------
    ValueError
        If there is no such link.
    """
    row = {name: i for i, name in enumerate(names)}
    found, problems = [], []
    for name in wanted:
        if name in row:
            found.append(row[name])
            continue
        near = difflib.get_close_matches(name, names, 1)
        problems.append(f"no link {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    if problems:
        raise ValueError("\n".join(problems))
    return sorted(set(found))
