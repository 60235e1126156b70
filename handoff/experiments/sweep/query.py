"""SQL over a dataset of a sweep."""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads

from handoff.cli.tables import print_cells
from handoff.experiments.execution.code_version import code_version
from handoff.experiments.sweep.dataset import DATASET_SCHEMAS, DatasetContents, read_contents, read_points
from handoff.experiments.sweep.field_columns import field_columns
from handoff.experiments.sweep.sandbox import error_message, sandboxed_connection

Answer = tuple[list[str], list[tuple[Any, ...]]]
"""Names of columns, and rows."""
TABLES = ("points", *DATASET_SCHEMAS)


def query(folder: Path, sql: str) -> tuple[Answer, list[str]]:
    """Answer a query.

    It sees the views ``runs``, ``nodes``, ``links``, ``batches`` (with the key of their ``point``; ``runs`` also with
    ``code_version`` and whether that is ``stale``) and ``points`` (``point``, ``procedure``, a column for each varied field; see
    ``handoff.experiments.sweep.field_columns``), and of the dataset only what is complete. The views are arrow tables and scans of the dataset's
    own files that this module has chosen: the database itself can open nothing (``handoff.experiments.sweep.sandbox``), and takes one SELECT.

    Parameters
    ----------
    folder : Path
        Of the dataset.
    sql : str
        One SELECT.

    Returns
    -------
    answer : Answer
    damaged : list of str
        What was left out because it is not what was written.

    Raises
    ------
    ValueError
        If there is no dataset, or the query is none or wrong.
    """
    if not (folder / "runs").is_dir() and Path(sql).is_dir():
        raise ValueError("the SQL comes first, then the folder: handoff query 'select …' DIR")
    if not (folder / "runs").is_dir():
        raise ValueError(f"{folder}: no dataset of a sweep: there is no folder 'runs' in it")
    found = read_contents(folder)
    with sandboxed_connection() as database:
        for name, table in _views(folder, found).items():
            database.register(name, table)
        try:
            statements = database.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise ValueError("a query is one SELECT: the dataset is only read")
            cursor = database.execute(statements[0])
            rows = cursor.fetchall()
        except duckdb.CatalogException as error:
            if not (unknown := re.match(r"Catalog Error: Table with name (.+) does not exist!", str(error))):
                raise ValueError(f"query: {error_message(error)}") from None
            raise ValueError(f"query: no table {unknown[1]!r}; there are {', '.join(TABLES)}") from None
        except duckdb.Error as error:
            raise ValueError(f"query: {error_message(error)}") from None
        return ([column[0] for column in cursor.description or ()], rows), found.damaged


def print_query(sql: str, folder: Path, *, as_json: bool, as_csv: bool) -> None:
    """Print the answer to a query."""
    if as_json and as_csv:
        raise ValueError("--json and --csv: give one of them")
    (names, rows), damaged = query(folder, sql)
    for damage in damaged:
        print(f"handoff: {damage}: left out", file=sys.stderr)
    if as_csv:
        lines = csv.writer(sys.stdout, lineterminator="\n")
        lines.writerow(names)
        lines.writerows(rows)
    elif as_json:
        print(json.dumps([dict(zip(names, map(_plain, row), strict=True)) for row in rows], indent=2, default=str))
    else:
        words = [name for i, name in enumerate(names) if any(isinstance(row[i], str) for row in rows)]
        print_cells(names, [["-" if value is None else _text(value) for value in row] for row in rows], left=words)


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _views(folder: Path, found: DatasetContents) -> dict[str, Any]:
    version = code_version()
    stored = list(found.runs.values())
    schema = DATASET_SCHEMAS["runs"]
    added = {
        "point": pa.array([s.point for s in stored], pa.string()),
        "code_version": pa.array([s.code_version for s in stored], pa.string()),
        "stale": pa.array([s.code_version != version for s in stored], pa.bool_()),
    }
    plain = {f.name: pa.array([s.row[f.name][0] for s in stored], f.type) for f in schema}
    views: dict[str, Any] = {"runs": pa.table({"point": added.pop("point")} | plain | added)}
    for name in DATASET_SCHEMAS.keys() - {"runs"}:
        files = [str(s.files[name]) for s in stored if name in s.files]
        partition = pads.partitioning(pa.schema([("point", pa.string())]), flavor="hive")
        whole = pa.schema([("point", pa.string()), *DATASET_SCHEMAS[name]])
        views[name] = pads.dataset(
            files, whole, format="parquet", partitioning=partition, partition_base_dir=str(folder / name)
        ) if files else whole.empty_table()  # fmt: skip
    points = read_points(folder)
    keys = {name: pa.array([p[name] for p in points], pa.string()) for name in ("point", "procedure")}
    varied = field_columns([dict(p["values"]) for p in points])
    views["points"] = pa.table(keys | {name: varied[name] for name in varied.column_names if name not in keys})
    return views
