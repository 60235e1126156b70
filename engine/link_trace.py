"""Packet trace of selected links: packets that they transmitted, with times, tunnels and contents of messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.similar_names import similar_names

TUNNEL = np.dtype([("source", "u2"), ("target", "u2"), ("bytes", "u1"), ("end", "u1")], align=True)
"""One tunnel header: first and last node, size in bytes, type of the end (0 the router, 1 the mobile at the router)."""

HOP = np.dtype(
    [
        ("start_ps", "i8"), ("end_ps", "i8"), ("key", "u8"), ("flow", "i8"), ("seq", "i8"), ("mobile", "u4"), ("link", "i4"),
        ("message", "i4"), ("size_bytes", "u2"), ("extra_bytes", "u1"), ("kind", "u1"), ("copy", "u1"), ("depth", "u1"),
        ("tunnels", TUNNEL, 4),
    ],
    align=True,
)  # fmt: skip
"""One packet copy on one link. ``start_ps`` and ``end_ps``: times at which the first and the last bit leave the sender. ``key``:
key of the FIFO. ``link``: row of ``Result.links``. ``kind``: 0 data down, 1 data up, 2 control to a node, 3 control to a mobile.
``flow``, ``seq``: flow and sequence number of data, else -1. ``message``: row of ``LinkTrace.messages``, -1 for data.
``size_bytes``: size without tunnel headers. ``extra_bytes``: size of tunnel headers. ``tunnels``: the first ``depth``
elements are the tunnel headers, innermost first; the others are 0."""

MESSAGE = np.dtype([("code", "i8"), ("source", "i8"), ("args", "i8", 6)])
"""Content of a control message, as passed to ``Context.send``; ``source`` -1 is the mobile."""


@dataclass(frozen=True)
class LinkTrace:
    """Transmissions in an interval of time, sorted by start, FIFO key and order in the FIFO (docs/model.md, 14).

    Attributes
    ----------
    rows : structured ndarray of ``HOP``
    messages : structured ndarray of ``MESSAGE``
    """

    rows: npt.NDArray[Any]
    messages: npt.NDArray[Any]

    def split(self, time_ps: int) -> tuple[LinkTrace, LinkTrace]:
        """Return the transmissions that start before ``time_ps``, sorted, and the others unsorted, each with its messages."""
        order = np.lexsort((self.rows["key"], self.rows["start_ps"]))
        early = self.rows["start_ps"][order] < time_ps
        return self._select(order[early]), self._select(np.flatnonzero(self.rows["start_ps"] >= time_ps))

    def concat(self, later: LinkTrace) -> LinkTrace:
        """Return this trace followed by a later one."""
        rows = np.concatenate([self.rows, later.rows])
        moved = rows[len(self.rows) :]["message"]
        moved[moved >= 0] += len(self.messages)
        return LinkTrace(rows, np.concatenate([self.messages, later.messages]))

    def _select(self, chosen: npt.NDArray[np.int64]) -> LinkTrace:
        rows = self.rows[chosen]
        control = rows["message"] >= 0
        messages = self.messages[rows["message"][control]]
        rows["message"][control] = np.arange(len(messages))
        return LinkTrace(rows, messages)


def empty_trace() -> LinkTrace:
    """Return a trace without transmissions."""
    return LinkTrace(np.zeros(0, HOP), np.zeros(0, MESSAGE))


def trace_from_buffers(rows: bytes, messages: bytes) -> LinkTrace:
    """Return a trace from the structs of the compiled engine."""
    return LinkTrace(np.frombuffer(rows, HOP), np.frombuffer(messages, MESSAGE))


def link_rows(links: Iterable[str], names: Sequence[str]) -> list[int]:
    """Return the rows of links by name, sorted.

    Raises
    ------
    ValueError
        If a name is not in ``names``; the message suggests the nearest one.
    """
    row = {name: i for i, name in enumerate(names)}
    rows, problems = set(), []
    for name in links:
        if name in row:
            rows.add(row[name])
            continue
        near = similar_names(str(name), names)
        problems.append(f"no link {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    if problems:
        raise ValueError("\n".join(problems))
    return sorted(rows)
