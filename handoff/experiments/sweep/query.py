"""SQL queries on the dataset of a sweep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.sweep.dataset import DATASET_SCHEMAS, DatasetContents, read_contents, read_points
from handoff.experiments.sweep.field_columns import field_columns
from handoff.experiments.sweep.sandbox import error_message, sandboxed_connection, select_problem
from handoff.output.printable import printable

TABLES = ("points", *DATASET_SCHEMAS)


@dataclass(frozen=True)
class QueryResult:
    """Answer to a query.

    Attributes
    ----------
    columns : list of str
        Names of the columns.
    rows : list of tuple
        A value for each column.
    damaged : list of str
        Damaged files of the dataset, whose runs the query did not see.
    """

    columns: list[str]
    rows: list[tuple[Any, ...]]
    damaged: list[str]


def query(folder: Path, sql: str) -> QueryResult:
    """Run a query on a dataset.

    The query sees the views ``runs``, ``nodes``, ``links``, ``batches`` and ``groups``, each with the key of its ``point``,
    and ``points``. ``runs`` also has ``code_version`` and ``stale``, which is true for runs of another version; ``points`` has
    ``point``, ``procedure`` and a column for each varied field (``handoff.experiments.sweep.field_columns``). The views contain
    complete runs only. They are Arrow tables and scans of files that this module selects: the database itself can open nothing
    (``handoff.experiments.sweep.sandbox``), and accepts one SELECT with few table functions.

    Parameters
    ----------
    folder : Path
        Folder of the dataset.
    sql : str
        One SELECT.

    Raises
    ------
    ValueError
        If there is no dataset, or the query is wrong or not a SELECT.
    """
    if not (folder / "runs").is_dir() and Path(sql).is_dir():
        raise ValueError("the SQL comes first, then the folder: handoff query 'select …' DIR")
    if not (folder / "runs").is_dir():
        raise ValueError(f"{printable(str(folder))}: no dataset of a sweep: there is no folder 'runs' in it")
    contents = read_contents(folder)
    with sandboxed_connection() as database:
        for name, table in make_views(folder, contents).items():
            database.register(name, table)
        try:
            if problem := select_problem(database, sql):
                raise ValueError(f"query: {problem}")
            cursor = database.execute(sql)
            rows = cursor.fetchall()
        except duckdb.CatalogException as error:
            if not (unknown := re.match(r"Catalog Error: Table with name (.+) does not exist!", str(error))):
                raise ValueError(f"query: {error_message(error)}") from None
            raise ValueError(f"query: no table {unknown[1]!r}; there are {', '.join(TABLES)}") from None
        except duckdb.Error as error:
            raise ValueError(f"query: {error_message(error)}") from None
        return QueryResult([column[0] for column in cursor.description or ()], rows, contents.damaged)


def make_views(folder: Path, contents: DatasetContents) -> dict[str, Any]:
    """Return the Arrow tables and scans of files that a query sees, by name (:func:`query`)."""
    version = code_version()
    stored = list(contents.runs.values())
    added = {
        "point": pa.array([s.point for s in stored], pa.string()),
        "code_version": pa.array([s.code_version for s in stored], pa.string()),
        "stale": pa.array([s.code_version != version for s in stored], pa.bool_()),
    }
    measured = {f.name: pa.array([s.row[f.name][0] for s in stored], f.type) for f in DATASET_SCHEMAS["runs"]}
    views: dict[str, Any] = {"runs": pa.table({"point": added.pop("point")} | measured | added)}
    for name in DATASET_SCHEMAS.keys() - {"runs"}:
        files = [str(s.files[name]) for s in stored if name in s.files]
        partition = pads.partitioning(pa.schema([("point", pa.string())]), flavor="hive")
        schema = pa.schema([("point", pa.string()), *DATASET_SCHEMAS[name]])
        views[name] = pads.dataset(
            files, schema, format="parquet", partitioning=partition, partition_base_dir=str(folder / name)
        ) if files else schema.empty_table()  # fmt: skip
    points = read_points(folder)
    keys = {name: pa.array([p[name] for p in points], pa.string()) for name in ("point", "procedure")}
    values = field_columns([dict(p["values"]) for p in points])
    views["points"] = pa.table(keys | {name: values[name] for name in values.column_names if name not in keys})
    return views
