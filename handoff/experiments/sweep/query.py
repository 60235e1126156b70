"""SQL queries on the folders that commands write: datasets of sweeps and plans, and the tables of runs and comparisons."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from handoff.output.parquet import TABLE_FILES
from handoff.output.printable import printable
from handoff.output.table_file import read_table_file


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
    """Run a query on a folder of ``-o``.

    In the folder of ``run`` or ``compare``, the query sees the tables of the study (``handoff.output.parquet.SCHEMAS``). In a
    dataset, also in one with such tables beside it, it sees ``points`` and the views ``runs``, ``nodes``, ``links``, ``batches``
    and ``groups``, each with the key of its ``point``. ``runs`` also has ``code_version`` and ``stale``, which is true for runs
    of another version; ``points`` has ``point``, ``procedure`` and a column for each varied field
    (``handoff.experiments.sweep.field_columns``). The views contain complete runs only. They are Arrow tables and scans of files
    that this module selects: the database itself can open nothing
    (``handoff.experiments.sweep.sandbox``), and accepts one SELECT with few table functions.

    Parameters
    ----------
    folder : Path
        Folder of the study or of the dataset.
    sql : str
        One SELECT.

    Raises
    ------
    ValueError
        If the folder has no results, a table is damaged, or the query is wrong or not a SELECT.
    """
    is_dataset, is_study = (folder / "runs").is_dir(), (folder / "runs.parquet").exists()
    if not is_dataset and not is_study and Path(sql).is_dir():
        raise ValueError("the SQL comes first, then the folder: handoff query 'select …' DIR")
    if not is_dataset and not is_study:
        raise ValueError(f"{printable(str(folder))}: no results: there is no file 'runs.parquet' and no folder 'runs' in it")
    contents = read_contents(folder) if is_dataset else DatasetContents()
    views = make_views(folder, contents) if is_dataset else _read_study(folder)
    with sandboxed_connection() as database:
        for name, table in views.items():
            database.register(name, table)
        try:
            if problem := select_problem(database, sql):
                raise ValueError(f"query: {problem}")
            cursor = database.execute(sql)
            rows = cursor.fetchall()
        except duckdb.CatalogException as error:
            if not (unknown := re.match(r"Catalog Error: Table with name (.+) does not exist!", str(error))):
                raise ValueError(f"query: {error_message(error)}") from None
            raise ValueError(f"query: no table {unknown[1]!r}; there are {', '.join(views)}") from None
        except duckdb.Error as error:
            raise ValueError(f"query: {error_message(error)}{_find_elsewhere(str(error), views)}") from None
        return QueryResult([column[0] for column in cursor.description or ()], rows, contents.damaged)


def _find_elsewhere(message: str, views: Mapping[str, Any]) -> str:
    """Return where an unknown column of a message is, such as a varied field, which only ``points`` has; empty if nowhere."""
    unknown = re.match(r'Binder Error: Referenced column "(.+?)" not found in FROM clause', message)
    places = [name for name, view in views.items() if unknown is not None and unknown[1] in view.schema.names]
    if not places:
        return ""
    join = ", as in 'from runs join points using (point)'" if places[0] == "points" else ""
    return f"; {places[0]} has this column{join}"


def _read_study(folder: Path) -> dict[str, pa.Table]:
    paths = [folder / file for file in TABLE_FILES if (folder / file).exists()]
    return {path.stem: read_table_file(path) for path in paths}


def make_views(folder: Path, contents: DatasetContents) -> dict[str, Any]:
    """Return the Arrow tables and scans of files that a query sees in a dataset, by name (:func:`query`)."""
    version = code_version()
    stored = list(contents.runs.values())
    added = {
        "point": pa.array([s.point for s in stored], pa.string()),
        "code_version": pa.array([s.code_version for s in stored], pa.string()),
        "stale": pa.array([s.code_version != version for s in stored], pa.bool_()),
    }
    measured = {f.name: pa.array([s.row[f.name][0] for s in stored], f.type) for f in DATASET_SCHEMAS["runs"]}
    views: dict[str, Any] = {"runs": pa.table({"point": added.pop("point")} | measured | added)}
    for name in [name for name in DATASET_SCHEMAS if name != "runs"]:
        files = [str(s.files[name]) for s in stored if name in s.files]
        partition = pads.partitioning(pa.schema([("point", pa.string())]), flavor="hive")
        schema = pa.schema([("point", pa.string()), *DATASET_SCHEMAS[name]])
        views[name] = pads.dataset(
            files, schema, format="parquet", partitioning=partition, partition_base_dir=str(folder / name)
        ) if files else schema.empty_table()  # fmt: skip
    points = read_points(folder)
    keys = {name: pa.array([p[name] for p in points], pa.string()) for name in ("point", "procedure")}
    values = field_columns([dict(p["values"]) for p in points])
    described = pa.table(keys | {name: values[name] for name in values.column_names if name not in keys})
    return {"points": described} | views
