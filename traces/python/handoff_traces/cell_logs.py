"""Logs of other programs that say which cell or access point a mobile node uses: drive tests, CSV, syslog, CRAWDAD."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np

from handoff_traces.associations import Associations, read_associations
from handoff_traces.bad_records import BACK_IN_TIME, NAME, TIME, BadRecords, OnBadRecord, quote
from handoff_traces.fcd_tables import DRIVE, parse_time_of_row, read_lines, read_table
from handoff_traces.format_guess import ASSOCIATION_EVENT, MAC_ADDRESS, guess_format, unknown_format_error
from handoff_traces.times import PS_PER_S, format_seconds, parse_date, parse_seconds

CellLogFormat = Literal["associations", "gnettrack", "csv", "syslog", "crawdad"]

NO_TIME = -1
_MAX_PS = 2**63 - 1
_MAX_UNIX_PS = 10**11 * PS_PER_S
"""Year 5138: larger UNIX times count milliseconds or finer units."""
_MAX_NAME = 256
_OFF = "OFF"
"""Access point of CRAWDAD's movement files while a card is not associated."""
_MAC = re.compile(MAC_ADDRESS)
_EVENT = re.compile(ASSOCIATION_EVENT, re.I)
_LEAVES = re.compile(r"dis|deauth|roam", re.I)
"""An access point reports that a station has roamed away."""
_MAKES_NO_LINK = re.compile(r"\bauthenticated\b|fail|denied|reject|refuse", re.I)
"""Authentication precedes an association."""
_SYSLOG_LINE = re.compile(
    r"(?:<\d+>(?:1 )?)?"
    r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*"
    r"|(?:\d{4} )?[A-Za-z]{3} +\d{1,2}(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?"
    r"|\d+(?:\.\d+)?(?=\s))"
    r"\s+(?P<ap>\S+)\s(?P<rest>.*)"
)


class Sighting(NamedTuple):
    """A line of a log: from ``time_ps`` on a mobile node is at ``cell``, or without a link if it is "".

    ``dated`` is True if the line has a date, and ``leaves`` if it says that the node leaves ``cell``.
    """

    line: int
    mobile: str
    cell: str
    time_ps: int
    dated: bool
    leaves: bool


def read_cell_log(
    path: str | PathLike[str],
    format: CellLogFormat | None = None,
    begin_ps: int | None = 0,
    *,
    columns: Mapping[str, str] | None = None,
    cells: Mapping[str, str] | None = None,
    on_bad_record: OnBadRecord = "refuse",
) -> Associations:
    """Read an association log of this package, or a log of another program that says who is where from when on.

    A mobile node has a link to a cell from its first line with it to its next line with another cell or none; the last link stays
    up. In a syslog, it ends with the line that says so.

    Parameters
    ----------
    path : path
        The log.
    format : {"associations", "gnettrack", "csv", "syslog", "crawdad"}, optional
        Format of the file; by default "csv" with ``columns``, else detected from its content.
    begin_ps : int or None
        Time of the file that becomes 0, in picoseconds. If the log has dates, it counts from the earliest one; None for the first
        time in the file.
    columns : mapping, optional
        Columns of a CSV file: ``cell`` and ``time``, and ``mobile`` unless there is one mobile node only. Times are decimal
        seconds, or dates.
    cells : mapping, optional
        Router of each cell; a cell that is not in it is a router of its own name.
    on_bad_record : {"refuse", "skip", "keep-first"}
        What happens to a wrong line, as in ``read_associations``.

    Returns
    -------
    Associations
        All attachments, by mobile node.

    Raises
    ------
    TraceError
        If the file cannot be read or a line is wrong.
    ValueError
        If ``columns`` does not fit the format.
    """
    if format is None:
        format = "csv" if columns is not None else _detect(path)
    if format not in get_args(CellLogFormat):
        raise ValueError(f"unknown format of an association log {format!r}")
    if (format == "csv") != (columns is not None):
        raise ValueError(f"the format {format} {'needs' if format == 'csv' else 'has no use of'} columns")
    if format == "associations":
        return _rename_routers(read_associations(path, begin_ps, on_bad_record=on_bad_record), cells or {})
    bad = BadRecords(path, on_bad_record)
    sightings = list(_in_order(_read_sightings(path, format, columns or {}, bad), bad))
    first_ps = min((sighting.time_ps for sighting in sightings), default=0)
    dated = any(sighting.dated for sighting in sightings)
    if begin_ps is None:
        begin_ps = 0 if dated else first_ps
    zero_ps = begin_ps + (first_ps if dated else 0)
    rows = list(_shift(_attachments(sightings), zero_ps))
    late = next((row for row in rows if max(row[3:]) > _MAX_PS), None)
    if late is not None:
        problem = f"time {format_seconds(max(late[3:]) + zero_ps)} is more than 106 days after 0"
        bad.refuse(late[0], problem, f'at most 9223372 s; for UNIX times a begin such as "{first_ps // PS_PER_S}s"')
    if not rows:
        bad.refuse(1, "no mobile node in it is ever attached", "a line with a cell and a time after begin")
    bad.check()
    mobiles = {name: i for i, name in enumerate(dict.fromkeys(row[1] for row in rows))}
    routers = {name: i for i, name in enumerate(dict.fromkeys(row[2] for row in rows))}
    log = Associations(
        np.array([mobiles[row[1]] for row in rows], np.uint32),
        np.array([routers[row[2]] for row in rows], np.uint32),
        np.array([row[3] for row in rows], np.int64),
        np.array([row[4] for row in rows], np.int64),
        np.full(len(rows), NO_TIME, np.int64),
        np.full(len(rows), NO_TIME, np.int64),
        list(mobiles), list(routers), begin_ps, bad.skipped, format, zero_ps if dated else None,
    )  # fmt: skip
    return _rename_routers(log, cells or {})


def _detect(path: str | PathLike[str]) -> CellLogFormat:
    guess = guess_format(path)
    if guess.kind != "associations":
        raise unknown_format_error(path, guess)
    return guess.format  # type: ignore[return-value]


def _read_sightings(
    path: str | PathLike[str], format: CellLogFormat, columns: Mapping[str, str], bad: BadRecords
) -> Iterator[Sighting]:
    """Yield the lines of a log that concern a link; note the bad ones."""
    if format == "gnettrack":
        return _read_gnettrack(path, bad)
    if format == "csv":
        return _read_csv(path, columns, bad)
    lines = ((number, line.strip()) for number, line in enumerate(read_lines(path), 1))
    return _read_syslog(lines, bad) if format == "syslog" else _read_crawdad(lines, Path(path).name.partition(".")[0], bad)


def _read_gnettrack(path: str | PathLike[str], bad: BadRecords) -> Iterator[Sighting]:
    for number, row in read_table(path, ("timestamp", "cellid"), (), bad):
        time = parse_time_of_row(row, number, bad)
        if time is not None:
            yield from _sighting(number, DRIVE, row["cellid"].strip("-"), time, True, bad)


def _read_csv(path: str | PathLike[str], columns: Mapping[str, str], bad: BadRecords) -> Iterator[Sighting]:
    if unknown := sorted(columns.keys() - {"mobile", "cell", "time"}):
        raise ValueError(f"columns: unknown keys {', '.join(unknown)}; there are mobile, cell and time")
    if missing := sorted({"cell", "time"} - columns.keys()):
        raise ValueError(f"columns: give {' and '.join(missing)} too")
    dated = None
    for number, row in read_table(path, list(columns.values()), (), bad):
        text = row[columns["time"]]
        seconds = parse_seconds(text)
        time = parse_date(text) if seconds is None else seconds
        if dated is None and time is not None:
            dated = seconds is None
        if time is None or dated != (seconds is None):
            bad.add(TIME, number, f"{columns['time']} {quote(text)}", "decimal seconds, or dates and times, in all lines")
            continue
        mobile = row[columns["mobile"]] if "mobile" in columns else DRIVE
        yield from _sighting(number, mobile, row[columns["cell"]], time, bool(dated), bad)


def _read_syslog(lines: Iterable[tuple[int, str]], bad: BadRecords) -> Iterator[Sighting]:
    for number, line in lines:
        event, mac = _EVENT.search(line), _MAC.search(line)
        if event is None or mac is None:
            continue  # another message of the access point
        match = _SYSLOG_LINE.match(line)
        seconds = parse_seconds(match["time"]) if match else None
        time = parse_date(match["time"]) if match and seconds is None else seconds
        if match is None or time is None:
            bad.add(TIME, number, f"line {quote(line)}", "a time and the name of the access point before the message")
        elif not _MAKES_NO_LINK.search(line):
            mobile = re.sub(r"[.:-]", "", mac[0]).lower()
            yield from _sighting(
                number, mobile, match["ap"], time, seconds is None, bad, leaves=bool(_LEAVES.match(event[0]))
            )


def _read_crawdad(lines: Iterable[tuple[int, str]], mobile: str, bad: BadRecords) -> Iterator[Sighting]:
    for number, line in lines:
        if not line or line.startswith("#"):
            continue
        text, _, cell = line.partition("\t" if "\t" in line else " ")
        time = parse_seconds(text)
        if time is None:
            bad.add(TIME, number, f"time {quote(text)}", "decimal seconds since 1970")
            continue
        cell = cell.strip()
        yield from _sighting(number, mobile, "" if cell == _OFF else cell, time, False, bad)


def _sighting(
    line: int, mobile: str, cell: str, time_ps: int, dated: bool, bad: BadRecords, leaves: bool = False
) -> Iterator[Sighting]:
    """Yield a sighting with usable names; note the bad ones."""
    for what, name in (("mobile", mobile), ("cell", cell or "-")):
        if not name.isprintable() or not 0 < len(name) <= _MAX_NAME:
            bad.add(NAME, line, f"{what} {quote(name)}", "a name of up to 256 printable characters")
            return
    if not dated and time_ps >= _MAX_UNIX_PS:
        bad.add(TIME, line, f"time {format_seconds(time_ps)}", "UNIX times in seconds, not in milliseconds or finer units")
        return
    yield Sighting(line, mobile, cell, time_ps, dated, leaves)


def _in_order(sightings: Iterable[Sighting], bad: BadRecords) -> Iterator[Sighting]:
    """Yield the sightings whose time is not before that of an earlier line of the mobile node; note the others."""
    latest: dict[str, Sighting] = {}
    for sighting in sightings:
        before = latest.get(sighting.mobile)
        if before is not None and sighting.time_ps < before.time_ps:
            expected = f"at or after the time of line {before.line}"
            bad.add(BACK_IN_TIME, sighting.line, f"{quote(sighting.mobile)} goes back in time", expected)
            continue
        latest[sighting.mobile] = sighting
        yield sighting


def _attachments(sightings: Iterable[Sighting]) -> Iterator[tuple[int, str, str, int, int]]:
    """Yield line, mobile node, cell, and times in picoseconds of link up and link down (-1 if it stays up)."""
    present: dict[str, Sighting] = {}
    for sighting in sightings:
        now = present.get(sighting.mobile)
        same = now is not None and now.cell == sighting.cell
        if same != sighting.leaves:
            continue  # still there, or a late report of a cell that the node has left already
        if now is not None:
            yield now.line, now.mobile, now.cell, now.time_ps, sighting.time_ps
            del present[sighting.mobile]
        if sighting.cell and not sighting.leaves:
            present[sighting.mobile] = sighting
    for now in present.values():
        yield now.line, now.mobile, now.cell, now.time_ps, NO_TIME


def _shift(rows: Iterable[tuple[int, str, str, int, int]], zero_ps: int) -> Iterator[tuple[int, str, str, int, int]]:
    """Yield attachments whose times count from ``zero_ps``, without attachments that end by then."""
    for line, mobile, cell, up_ps, down_ps in rows:
        if down_ps == NO_TIME or down_ps > zero_ps:
            yield line, mobile, cell, max(up_ps - zero_ps, 0), down_ps if down_ps == NO_TIME else down_ps - zero_ps


def _rename_routers(log: Associations, cells: Mapping[str, str]) -> Associations:
    """Give cells the names of their routers. Several cells may have one router; a change between them is not a handoff."""
    names = [cells.get(name, name) for name in log.router_names]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    if len(numbers) == len(names):
        return replace(log, router_names=names)
    router = np.array([numbers[name] for name in names], np.uint32)[log.router]
    return _merge_neighbours(replace(log, router=router, router_names=list(numbers)))


def _merge_neighbours(log: Associations) -> Associations:
    """Join attachments of a mobile node to one router of which the next begins when the one before ends."""
    order = np.lexsort((np.arange(len(log)), log.up_ps, log.mobile))
    rows: list[list[int]] = []
    for row in order.tolist():
        now = [int(c[row]) for c in (log.mobile, log.router, log.up_ps, log.down_ps, log.predict_ps, log.going_down_ps)]
        if rows and rows[-1][:2] == now[:2] and rows[-1][3] == now[2]:
            rows[-1][3:] = now[3:]
        else:
            rows.append(now)
    columns = np.array(rows, np.int64).reshape(-1, 6).T
    return replace(
        log, mobile=columns[0].astype(np.uint32), router=columns[1].astype(np.uint32), up_ps=columns[2].copy(),
        down_ps=columns[3].copy(), predict_ps=columns[4].copy(), going_down_ps=columns[5].copy(),
    )  # fmt: skip
