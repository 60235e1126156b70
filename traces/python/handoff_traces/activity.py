"""Activity files of SUMO: when the nodes of an ns-2 movement file are present."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import replace
from os import PathLike, fspath
from typing import TYPE_CHECKING

import numpy as np

from handoff_traces.errors import TraceError
from handoff_traces.fcd_tables import read_lines
from handoff_traces.times import parse_seconds

if TYPE_CHECKING:
    from handoff_traces.movement import Tracks

_LINE = re.compile(r'\$ns_?\s+at\s+(\S+)\s+"\$\w+\(([^()\s"]+)\)\s+(start|stop)"\s*(?:;\s*(?:#.*)?)?')
_EXPECTED = '$ns_ at t "$g(i) start" or stop'
_MAX_LISTED = 20


def read_activity(path: str | PathLike[str]) -> dict[str, list[tuple[int, int]]]:
    """Return the times in picoseconds at which each node starts and stops, by its name in the movement file.

    Raises
    ------
    TraceError
        If the file cannot be read, or a line is wrong.
    """
    events: dict[str, list[tuple[int, str, int]]] = {}
    problems: list[tuple[int, str, str]] = []
    for number, text in enumerate(read_lines(path), 1):
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        time = parse_seconds(match[1]) if match else None
        if match is None or time is None or time >= 2**63:
            problems.append((number, f"statement {line[:60]!r}", _EXPECTED))
            continue
        name = f"node{int(match[2])}" if match[2].isascii() and match[2].isdigit() else match[2]
        events.setdefault(name, []).append((time, match[3], number))
    presences = {name: _pair(name, sorted(rows), problems) for name, rows in events.items()}
    if not events and not problems:
        problems.append((1, "the file has no statement", _EXPECTED))
    if problems:
        problems.sort()
        raise TraceError(fspath(path), "line", problems[:_MAX_LISTED], len(problems))
    return presences


def _pair(name: str, rows: list[tuple[int, str, int]], problems: list[tuple[int, str, str]]) -> list[tuple[int, int]]:
    """Return the presences of a node from its events in order of time; add a problem if they do not alternate."""
    rows = sorted(rows, key=lambda row: (row[0], row[2]))
    expected = ["start", "stop"] * (len(rows) // 2)
    if [what for _, what, _ in rows] != expected:
        problems.append((rows[0][2], f"{name} does not start and stop in turn", "a stop after each start"))
        return []
    return [(begin[0], end[0]) for begin, end in zip(rows[::2], rows[1::2], strict=True)]


def limit_to_activity(tracks: Tracks, path: str | PathLike[str]) -> Tracks:
    """Return tracks in which each node is present only while it is active. A node that starts again has a break.

    Raises
    ------
    TraceError
        If the activity file cannot be read, or says nothing of a node.
    """
    presences = read_activity(path)
    if missing := [name for name in tracks.mobile_names if name not in presences]:
        listed = ", ".join(missing[:5]) + (f", … ({len(missing)} in all)" if len(missing) > 5 else "")
        raise TraceError(fspath(path), "line", [(1, f"no activity of {listed}", "a start and a stop of each node")], 1)
    bounds = tracks.bounds().tolist()
    jumps = tracks.breaks.tolist()
    rows: list[tuple[int, int, int, int]] = []
    breaks: list[int] = []
    names: list[str] = []
    for mobile, name in enumerate(tracks.mobile_names):
        samples = slice(bounds[mobile], bounds[mobile + 1])
        times, x, y = (column[samples].tolist() for column in (tracks.time_ps, tracks.x_mm, tracks.y_mm))
        own_jumps = jumps[bisect_left(jumps, samples.start) : bisect_left(jumps, samples.stop)]
        jump_times = {times[row - samples.start] for row in own_jumps}
        count, latest = len(rows), -1
        for begin, end in presences[name]:
            if len(rows) > count and begin > latest:
                breaks.append(len(rows))
            for time in (begin, *times[bisect_right(times, begin) : bisect_left(times, end)], end):
                if time > latest:
                    if begin < time and time in jump_times:
                        breaks.append(len(rows))
                    rows.append((len(names), time, *_position_at(times, x, y, time)))
                    latest = time
        if len(rows) > count:
            names.append(name)
    if not rows:
        raise TraceError(fspath(path), "line", [(1, "no node is ever active", "a start and a stop of each node")], 1)
    mobile_column, time_ps, x_mm, y_mm = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return replace(
        tracks, mobile=mobile_column, time_ps=time_ps, x_mm=x_mm, y_mm=y_mm, mobile_names=names, stays=False,
        breaks=np.array(breaks, np.int64),
    )  # fmt: skip


def _position_at(times: list[int], x: list[int], y: list[int], time: int) -> tuple[int, int]:
    """Return the position of a node at a time, to the nearest millimetre; outside its samples it stands still."""
    after = bisect_right(times, time)
    if after == 0 or after == len(times):
        return (x[0], y[0]) if after == 0 else (x[-1], y[-1])
    before = after - 1
    duration, elapsed = times[after] - times[before], time - times[before]

    def interpolate(values: list[int]) -> int:
        return values[before] + (2 * (values[after] - values[before]) * elapsed + duration) // (2 * duration)

    return interpolate(x), interpolate(y)

