"""Table of handoffs in its file: DuckDB reads the rows and columns that are asked for, so that its size costs little memory."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.regular_file import open_regular
from handoff.output.printable import printable
from handoff.output.report.study_data import FOREVER_S, MS_PER_S, Floats, Row

ROW = "file_row_number"
"""Key of the number of a row in the file, from 0. DuckDB adds it."""
_TIME = f"case when down_s < {FOREVER_S} then down_s when up_s < {FOREVER_S} then up_s else open_s end"
_LOST = "coalesce(lost, dropped)"
_INTERRUPTION = f"case when disruption_s < {FOREVER_S} then disruption_s else -1 end"
SORTS = {
    "time": _TIME, "mobile": "mobile", "number": "index", "old": "old_router", "new": "new_router", "lost": _LOST,
    "duplicate": "duplicate", "reordered": "reordered", "interruption": "disruption_s", "unregistered": "latency_s",
    "scenario": "scenario",
}  # fmt: skip
"""Orders of a list, each with its expression in SQL. The time is the end of the old link, or else the begin of the new one."""
_COLUMNS = {
    "procedure", "mobile", "index", "old_router", "new_router", "down_s", "up_s", "open_s", "lost", "dropped", "duplicate",
    "reordered", "disruption_s", "latency_s", "scenario",
}  # fmt: skip
_ESCAPE = re.compile(r"\\(?:x[0-9a-f]{2}|u(?!d[89a-f])[0-9a-f]{4}|U000[0-9a-f]{5}|[nrt])")
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "temp_directory": "",
}


@dataclass(frozen=True)
class HandoffQuery:
    """Choice and order of handoffs.

    Attributes
    ----------
    procedure : str
    lost_only : bool
        Only handoffs that lost packets.
    mobile, router : str
        Only handoffs of this mobile node, from or to this router; empty for all. A name with unprintable characters is also
        found by its printable form (``handoff.output.printable``).
    begin_s, end_s : float or None
        Only handoffs in this interval, the end excluded.
    sort : str
        A key of ``SORTS``. Equal handoffs are in the order of the file.
    descending : bool
    """

    procedure: str
    lost_only: bool = False
    mobile: str = ""
    router: str = ""
    begin_s: float | None = None
    end_s: float | None = None
    sort: str = "time"
    descending: bool = False

    def where(self) -> tuple[str, dict[str, Any]]:
        """Return the condition in SQL, and its parameters: no name is ever a part of the SQL."""
        conditions = {
            "procedure = $procedure": self.procedure,
            "list_contains($mobile, mobile)": _names(self.mobile),
            "(list_contains($router, old_router) or list_contains($router, new_router))": _names(self.router),
            f"{_TIME} >= $begin": self.begin_s,
            f"{_TIME} < $end": self.end_s,
        }
        used = {sql: value for sql, value in conditions.items() if value is not None}
        values = {re.findall(r"\$(\w+)", sql)[0]: value for sql, value in used.items()}
        return " and ".join([*used, *([f"{_LOST} > 0"] if self.lost_only else [])]), values


def _names(text: str) -> list[str] | None:
    """Return the names that a text may stand for: itself, and the name of which it is the printable form."""
    raw = _ESCAPE.sub(lambda escape: escape[0].encode().decode("unicode_escape"), text)
    return [text, raw] if text else None


class StoredHandoffs:
    """Table of handoffs in its file; a :class:`handoff.output.report.study_data.HandoffSource`.

    The database can open no other file. If another file replaces this one, make a new object. Threads may use one object at once.

    Parameters
    ----------
    path : Path
        Parquet file that ``handoff run`` or ``compare`` has written with ``-o``.

    Raises
    ------
    ValueError
        If the file cannot be read, is damaged, or is of an older version.
    """

    def __init__(self, path: Path) -> None:
        self._name = printable(str(path))
        try:
            file = open_regular(path)
            weakref.finalize(self, file.close)
            self.schema = pq.ParquetFile(file).schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise self._damaged(error) from None
        if missing := sorted(_COLUMNS - set(self.schema.names)):
            raise ValueError(f"{self._name}: no column {missing[0]!r}: the file is of an older version: run the study again")
        self._path = f"/dev/fd/{file.fileno()}"  # a path with * or ? would be a pattern
        self._database = duckdb.connect(config=_SETTINGS)
        self._database.execute("set python_enable_replacements = false")
        self._database.execute(f"set allowed_paths = ['{self._path}']")
        self._database.execute("set enable_external_access = false")
        self._database.execute("set lock_configuration = true")

    def times_ms(self, procedure: str, name: str) -> Floats:
        """Return a column of times of the handoffs of a procedure in milliseconds, NaN where there is none."""
        assert f"{name}_s" in self.schema.names
        cursor = self._execute(f"select {name}_s as t from {{file}} where procedure = $procedure", {"procedure": procedure})
        try:
            seconds = np.ma.filled(cursor.fetchnumpy()["t"].astype(np.float64), np.nan)
        except duckdb.Error as error:
            raise self._damaged(error) from None
        return np.where(seconds < FOREVER_S, seconds * MS_PER_S, np.nan)

    def worst(self, number: int) -> list[Row]:
        """Return the worst handoffs of all procedures, as ``HandoffSource.worst`` does, each with its number under ``ROW``."""
        order = f"order by {_LOST} desc nulls last, {_INTERRUPTION} desc, {ROW} limit $number"
        return self.rows(self._numbers(f"select {ROW} from {{file}} {order}", {"number": number}))

    def count(self, query: HandoffQuery) -> int:
        """Return the number of handoffs that a query chooses."""
        where, values = query.where()
        (number,) = self._numbers(f"select count(*) from {{file}} where {where}", values)
        return number

    def find(self, query: HandoffQuery, offset: int, limit: int) -> list[int]:
        """Return the numbers of rows that a query chooses, at most ``limit`` after the first ``offset``, in its order."""
        where, values = query.where()
        order = f"{SORTS[query.sort]} {'desc' if query.descending else 'asc'} nulls last, {ROW}"
        sql = f"select {ROW} from {{file}} where {where} order by {order} limit $limit offset $offset"
        return self._numbers(sql, values | {"limit": limit, "offset": offset})

    def neighbours(self, row: Row) -> dict[int, int]:
        """Return the rows of the handoffs of the same mobile node before and after one, by the numbers of the handoffs."""
        sql = f"select index, {ROW} from {{file}} where procedure = $procedure and mobile = $mobile and index in ($last, $next)"
        values = {name: row[name] for name in ("procedure", "mobile")} | {"last": row["index"] - 1, "next": row["index"] + 1}
        return dict(self._fetch(sql, values))

    def rows(self, numbers: Sequence[int], columns: Sequence[str] = ()) -> list[Row]:
        """Return rows by their numbers, in the order of the numbers; a number without a row is left out.

        Without ``columns``, each row has all of them.
        """
        names = ", ".join(f'"{name}"' for name in (*columns, ROW)) if columns else "*"
        sql = f"select {names} from {{file}} where {ROW} in (select unnest($numbers))"
        cursor = self._execute(sql, {"numbers": list(numbers)})
        keys = [column[0] for column in cursor.description or ()]
        by_number = {(row := dict(zip(keys, values, strict=True)))[ROW]: row for values in self._rows(cursor)}
        return [by_number[number] for number in numbers if number in by_number]

    def _numbers(self, sql: str, values: Mapping[str, Any]) -> list[int]:
        return [number for (number,) in self._fetch(sql, values)]

    def _fetch(self, sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return self._rows(self._execute(sql, values))

    def _rows(self, cursor: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
        try:
            return cursor.fetchall()
        except duckdb.Error as error:
            raise self._damaged(error) from None

    def _execute(self, sql: str, values: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
        sql = sql.format(file="read_parquet($file, file_row_number = true)")
        try:
            return self._database.cursor().execute(sql, {"file": self._path, **values})
        except duckdb.Error as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> ValueError:
        return ValueError(f"{self._name}: not a table of results: {' '.join(str(error).split())}")
