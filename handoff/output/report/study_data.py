"""Tables of a study as a report reads them: the only module of reports that knows the names of columns with times."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from engine.quantities import FOREVER
from handoff.metrics.catalogue import Value, get_measure
from handoff.metrics.confidence import Interval
from handoff.metrics.event_interval import event_interval

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]

REPORT_TABLES = ("runs", "groups", "handoffs", "links", "nodes", "delays", "packets_around", "series")
"""Tables that a report reads."""
MS_PER_S = 1000.0
FOREVER_S = FOREVER / 1e12
"""Time of an event that never happens."""


class HandoffSource(Protocol):
    """Table of handoffs, in memory or in its file (``handoff.output.handoff_file``)."""

    def times_ms(self, procedure: str, name: str) -> Floats:
        """Return a column of times of the handoffs of a procedure in milliseconds, NaN where there is none."""

    def worst(self, number: int) -> list[Row]:
        """Return the worst handoffs of all procedures: by lost packets, then by the longest interruption.

        Without a record of every packet, dropped copies count as lost packets. Of equal rows the first ones are returned.
        """


@dataclass(frozen=True)
class HandoffTable:
    """Table of handoffs in memory."""

    table: pa.Table

    def times_ms(self, procedure: str, name: str) -> Floats:
        """Return the times of :meth:`HandoffSource.times_ms`."""
        return times_ms(self.table.filter(pc.equal(self.table["procedure"], procedure)), name)

    def worst(self, number: int) -> list[Row]:
        """Return the rows of :meth:`HandoffSource.worst`."""
        lost = pc.coalesce(self.table["lost"], self.table["dropped"]).to_numpy().astype(np.float64)
        interruption = np.nan_to_num(times_ms(self.table, "disruption"), nan=-1.0)
        order = np.lexsort((-interruption, -lost))[:number]
        rows: list[Row] = self.table.take(pa.array(order)).to_pylist()
        return rows


@dataclass(frozen=True)
class StudyData:
    """Tables of a run or of a comparison.

    Attributes
    ----------
    tables : mapping of str to pyarrow.Table
        Tables by the names of ``REPORT_TABLES``. A table that an older version did not write may be missing.
    stored_handoffs : HandoffSource or None
        Table of handoffs that is in its file, and not in ``tables``.
    """

    tables: Mapping[str, pa.Table]
    stored_handoffs: HandoffSource | None = None

    @cached_property
    def handoffs(self) -> HandoffSource | None:
        """Table of handoffs; None if it is missing."""
        if self.stored_handoffs is None and "handoffs" in self.tables:
            return HandoffTable(self.tables["handoffs"])
        return self.stored_handoffs

    @cached_property
    def runs(self) -> list[Row]:
        """Rows of the table of runs."""
        rows: list[Row] = self.tables["runs"].to_pylist()
        return rows

    @cached_property
    def procedures(self) -> list[str]:
        """Names of the procedures, in the order of the study."""
        return [row["procedure"] for row in self.runs]

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Origin of the tables (``handoff.output.parquet.provenance``); empty if it is not known."""
        metadata = self.tables["runs"].schema.metadata or {}
        facts: dict[str, Any] = json.loads(metadata.get(b"handoff", b"{}"))
        return facts

    @cached_property
    def command(self) -> Sequence[str]:
        """Words behind ``handoff`` of the command that made the tables; none if they are of Python or of an unknown origin."""
        command = self.facts.get("command", ())
        return command if command[:1] in (["run"], ["compare"]) else ()

    @cached_property
    def changes(self) -> tuple[str, ...]:
        """Changes of the scenario by ``--set`` of that command, such as ``"routers.cell.loss=0.01"``."""
        return tuple(value for option, value in pairwise(self.command[2:]) if option == "--set")

    def table_of(self, name: str, procedure: str) -> pa.Table | None:
        """Return the rows of one procedure of a table; None if the table is missing or has no such row."""
        if name not in self.tables:
            return None
        table = self.tables[name]
        table = table.filter(pc.equal(table["procedure"], procedure))
        return table if table.num_rows else None

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a table; none if it is missing."""
        rows: list[Row] = self.tables[name].to_pylist() if name in self.tables else []
        return rows

    def seconds(self, row: Row) -> float:
        """Return the simulated time that a row of ``runs`` is about, in seconds."""
        end = row["interrupted_s"] if row["interrupted_s"] is not None else row["until_s"]
        return float(max(end - row["begin_s"], 1e-12))

    def is_interrupted(self, row: Row) -> bool:
        """Return whether a run was stopped before its end."""
        return row["interrupted_s"] is not None

    def measure(self, row: Row, name: str) -> Value:
        """Return a measure of the catalogue, from a row of ``runs``."""
        return get_measure(name).of({"runs": {column: [value] for column, value in row.items()}})

    def interval(self, row: Row, name: str) -> Interval | None:
        """Return the 95 % interval of a number or ratio of events; None if one run does not show it."""
        events = self.measure(row, name).events
        interval = None if events is None else event_interval([events])
        return interval if interval is not None and interval.known and math.isfinite(interval.high) else None


def time_ms(row: Row, name: str) -> float | None:
    """Return a time of a row in milliseconds; None if there is none."""
    value = row.get(f"{name}_s")
    return None if value is None or not math.isfinite(value) or value >= FOREVER_S else value * MS_PER_S


def times_ms(table: pa.Table, name: str) -> Floats:
    """Return a column of times or differences of times in milliseconds, NaN where there is none."""
    values: Floats = table[f"{name}_s"].to_numpy().astype(np.float64)
    return np.where(values < FOREVER_S, values * MS_PER_S, np.nan)


def quantiles(values: Floats, shares: Iterable[float]) -> list[float | None]:
    """Return quantiles of the known values; None for each if there is none."""
    known = values[np.isfinite(values)]
    return [float(np.quantile(known, share)) if len(known) else None for share in shares]
