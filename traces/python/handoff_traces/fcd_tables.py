"""Tables of positions that become floating car data in CSV, which the native reader checks: Parquet, and G-NetTrack Pro."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from os import PathLike, fspath
from os.path import getsize

from handoff_traces import _native
from handoff_traces.bad_records import BACK_IN_TIME, FIELDS, TIME, BadRecords, OnBadRecord, quote
from handoff_traces.errors import TraceError
from handoff_traces.format_guess import split_header
from handoff_traces.times import format_seconds, parse_date

MAX_LOG_BYTES = 1 << 28
"""Logs that are read in Python are kept in memory as a whole."""
DRIVE = "drive"
"""Name of the mobile node of a drive test."""
_MAX_ROWS = 1 << 28
_MAX_GROWTH = 1000
_FREE_BYTES = 1 << 27
_TIMES = ("timestep_time", "time", "timestep")
_KMH = 3.6


def read_lines(path: str | PathLike[str]) -> list[str]:
    """Return the lines of a log, plain or compressed.

    Raises
    ------
    TraceError
        If the file cannot be read, or has more than 256 MiB.
    """
    content = _native.read_bytes(path, MAX_LOG_BYTES + 1, False)
    if len(content) > MAX_LOG_BYTES:
        raise TraceError(fspath(path), "line", [(1, "the log has more than 256 MiB", "a shorter one: split it")], 1)
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").split("\n")


def split_line(line: str, separator: str) -> list[str]:
    """Return the fields of one line of a CSV file; [] if it has none."""
    try:
        return [field.strip() for field in next(csv.reader([line.rstrip("\r")], delimiter=separator), [])]
    except csv.Error:  # a field beyond the limit of the module, or a stray carriage return
        return []


def read_parquet(path: str | PathLike[str]) -> bytes:
    """Return the samples of a Parquet file of SUMO as CSV. Row n becomes line n + 1.

    Raises
    ------
    TraceError
        If the file is damaged, or has no columns of positions.
    """
    def error(what: str, expected: str) -> TraceError:
        return TraceError(fspath(path), "line", [(1, what, expected)], 1)

    try:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv
        from pyarrow import parquet
    except ImportError:
        raise error("a Parquet file needs the package pyarrow", "install it, or convert the file to CSV") from None
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            time = next((name for name in _TIMES if name in names), None)
            prefixes = [p for p in ("vehicle_", "person_", "") if {f"{p}id", f"{p}x", f"{p}y"} <= set(names)]
            if time is None or not prefixes:
                expected = "timestep_time, vehicle_id, vehicle_x and vehicle_y, or time, id, x and y"
                raise error(f"columns {', '.join(names[:8])[:200]!r}", expected)
            wanted = [time, *(p + name for p in prefixes for name in ("id", "x", "y", "speed") if p + name in names)]
            groups = [file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)]
            size = getsize(path)
            if file.metadata.num_rows > _MAX_ROWS or sum(groups) > _FREE_BYTES + _MAX_GROWTH * size:
                raise error(f"{file.metadata.num_rows:,} rows, {sum(groups):,} bytes decompressed", "a smaller file: split it")
            table = file.read(wanted, use_threads=False)
        out = io.BytesIO()
        arrow_csv.write_csv(table, out, arrow_csv.WriteOptions(delimiter=";", quoting_style="needed"))
    except (pa.ArrowException, OSError, ValueError, KeyError, MemoryError, OverflowError) as problem:
        if isinstance(problem, TraceError):
            raise
        text = str(problem).splitlines()[0][:200] if str(problem) else type(problem).__name__
        raise error(f"the Parquet file cannot be read: {text}", "an undamaged file of floating car data") from None
    return out.getvalue()


def read_gnettrack_positions(
    path: str | PathLike[str], on_bad_record: OnBadRecord = "refuse"
) -> tuple[bytes, int | None, dict[str, int]]:
    """Return the positions of a log of G-NetTrack Pro as CSV, line by line, its first time since 1970, and skipped records.

    The CSV has the records that do not go back in time; its times count from the first one. A record without a position, which
    the native reader refuses or leaves out, has a place in neither order.

    Raises
    ------
    TraceError
        If the file cannot be read, or has no columns of positions.
    """
    bad = BadRecords(path, on_bad_record)
    epoch_ps, latest_ps, latest_line = None, 0, 0
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(["time", "id", "x", "y", "speed"])
    line = 1
    for number, row in read_table(path, ("timestamp", "longitude", "latitude"), ("speed",), bad):
        time = parse_time_of_row(row, number, bad)
        if time is None:
            continue
        if not _has_position(row):
            time = latest_ps
        elif latest_line and time < latest_ps:
            bad.add(BACK_IN_TIME, number, f"{DRIVE!r} goes back in time", f"at or after the time of line {latest_line}")
            continue
        else:
            epoch_ps = time if epoch_ps is None else epoch_ps
            latest_ps, latest_line = time, number
        out.write("\n" * (number - line - 1))  # the native reader skips empty lines, and its line numbers are right
        line = number
        speed = _metres_per_second(row.get("speed", ""))
        writer.writerow([format_seconds(time - (epoch_ps or 0)), DRIVE, row["longitude"], row["latitude"], speed])
    bad.check()
    return out.getvalue().encode(), epoch_ps, bad.skipped


def _has_position(row: dict[str, str]) -> bool:
    try:
        return abs(float(row["longitude"])) <= 180 and abs(float(row["latitude"])) <= 90
    except ValueError:
        return False


def parse_time_of_row(row: dict[str, str], line: int, bad: BadRecords) -> int | None:
    """Return the date of a row of G-NetTrack in picoseconds since 1970; None after noting that it cannot be read."""
    time = parse_date(row["timestamp"])
    if time is None:
        bad.add(TIME, line, f"Timestamp {quote(row['timestamp'])}", "a date and time such as 2020.01.31_12.00.00")
    return time


def read_table(
    path: str | PathLike[str], required: Sequence[str], optional: Sequence[str], bad: BadRecords
) -> list[tuple[int, dict[str, str]]]:
    """Return the line number and the named columns of each row of a CSV file. The case of column names does not matter.

    Raises
    ------
    TraceError
        If the file cannot be read, or a required column is missing.
    """
    lines = read_lines(path)
    names, separator = split_header(lines[0].rstrip("\r").encode())
    at = {name.lower(): i for i, name in enumerate(names)}
    if missing := [name for name in required if name.lower() not in at]:
        listed = ", ".join(names[:12])
        problem = f"no column {', '.join(map(repr, missing))}", f"a header with it; the columns are {listed[:200]}"
        raise TraceError(fspath(path), "line", [(1, *problem)], 1)
    wanted = {name: at[name.lower()] for name in (*required, *optional) if name.lower() in at}
    rows = []
    for number, text in enumerate(lines[1:], 2):
        if not text.strip():
            continue
        fields = split_line(text, separator)
        if len(fields) != len(names):
            bad.add(FIELDS, number, f"{len(fields)} fields", f"{len(names)}, as in the header")
        else:
            rows.append((number, {name: fields[i] for name, i in wanted.items()}))
    return rows


def _metres_per_second(kilometres_per_hour: str) -> str:
    try:
        return f"{float(kilometres_per_hour) / _KMH:.6g}"
    except (ValueError, OverflowError):
        return ""
