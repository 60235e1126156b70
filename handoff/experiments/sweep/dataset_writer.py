"""The writing side of a dataset: a run is complete or missing, at whatever moment the process is killed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.output_file import OutputError, lock_folder, make_folder, place_problem, sync_folder, write_new
from handoff.experiments.execution.task import Table
from handoff.experiments.sweep.dataset import (
    DATASET_SCHEMAS,
    FACTS_KEY,
    IO_THREADS,
    POINTS,
    SEAL_KEY,
    blake2b,
    content_digest,
    make_seal,
    read_points,
    table_path,
)
from handoff.experiments.sweep.field_columns import field_columns
from handoff.experiments.sweep.points import Point
from handoff.output.seconds import row_in_seconds


@dataclass(frozen=True)
class FinishedRun:
    """A run as its executor returned it.

    Attributes
    ----------
    point : Point
    seed : int
    tables : mapping of str to dict of str to list
        Tables as in ``handoff.experiments.execution.task.TaskResult``.
    wall_seconds : float
        Real time of the run.
    """

    point: Point
    seed: int
    tables: Mapping[str, Table]
    wall_seconds: float


@contextmanager
def open_writer(folder: Path) -> Iterator[Writer]:
    """Open a dataset for writing, as the only writer.

    Raises
    ------
    ValueError
        If the folder cannot be written, or another process is writing.
    """
    with lock_folder(folder), ThreadPoolExecutor(IO_THREADS) as pool:
        yield Writer(folder, pool)


class Writer:
    """Writer of runs into a dataset; :func:`open_writer` makes the only one at a time."""

    def __init__(self, folder: Path, pool: ThreadPoolExecutor) -> None:
        self.folder = folder
        self._pool = pool
        self._parts = folder / ".parts"
        make_folder(self._parts)
        for part in self._parts.iterdir():  # of a process that was killed
            if part.name.isdecimal():
                part.unlink()

    def add_points(self, points: Iterable[Point]) -> None:
        """Write the descriptions of points; a point that is there keeps the values that it is known by."""
        rows = {row["point"]: row for row in read_points(self.folder)}
        before = json.dumps(rows)
        for p in points:
            known_values = dict(rows[p.key]["values"]) if p.key in rows else {}
            values, inputs = list((known_values | dict(p.values)).items()), list(p.inputs)
            rows[p.key] = {
                "point": p.key, "procedure": p.procedure, "values": values, **row_in_seconds(asdict(p.settings)),
                "inputs": inputs, "scenario": p.scenario,
            }  # fmt: skip
        if json.dumps(rows) != before:
            table = pa.Table.from_pylist(list(rows.values()), POINTS)
            varied = field_columns([dict(row["values"]) for row in rows.values()])
            for field in varied.schema:
                if field.name not in POINTS.names:
                    table = table.append_column(field, varied[field.name])
            self._commit([(self.folder / "points.parquet", _encode_parquet(table))])

    def add(self, runs: Sequence[FinishedRun], code_version: str) -> None:
        """Add runs. All are complete when this returns, and each is complete or missing if it never does.

        The tables of all runs are synced and in their places before the first ``runs`` file is moved to its place. That file
        holds the digests of the tables: a run whose ``runs`` file exists and matches them is complete.

        Parameters
        ----------
        runs : sequence of FinishedRun
            Several runs in one call cost less than one by one.
        code_version : str
            Version of the code that made them.

        Raises
        ------
        OSError
            If something cannot be written; runs of earlier calls are not touched.
        """
        tables: list[tuple[Path, bytes]] = []
        run_files: list[tuple[Path, bytes]] = []
        for run in runs:
            key, seed = run.point.key, run.seed
            arrow = {name: _make_arrow(name, run) for name in DATASET_SCHEMAS if _count_rows(run.tables.get(name))}
            facts = {
                "point": key, "procedure": run.point.procedure, "seed": seed, "values": dict(run.point.values),
                "settings": asdict(run.point.settings), "inputs": dict(run.point.inputs), "code_version": code_version,
                "scenario": json.loads(run.point.scenario),
            }  # fmt: skip
            digests = {}
            for name, table in arrow.items():
                if name != "runs":
                    data = _encode_parquet(table.replace_schema_metadata({FACTS_KEY: json.dumps(facts).encode()}))
                    digests[name] = blake2b(data).hexdigest()
                    tables.append((table_path(self.folder, name, key, seed), data))
            row = arrow["runs"]
            run_facts = facts | {"wall_seconds": run.wall_seconds, "content": content_digest(arrow), "files": digests}
            encoded = json.dumps(run_facts).encode()
            sealed = row.replace_schema_metadata({FACTS_KEY: encoded, SEAL_KEY: make_seal(encoded, row.to_pydict())})
            run_files.append((table_path(self.folder, "runs", key, seed), _encode_parquet(sealed)))
        self._commit(tables, run_files)

    def _commit(self, *groups: list[tuple[Path, bytes]]) -> None:
        # All files are synced under temporary names first; then one group after the other is moved to its place.
        files = [(self._parts / str(i), place, data) for i, (place, data) in enumerate(f for group in groups for f in group)]
        changed_folders = {p for place in {place.parent for _, place, _ in files} for p in _make_folders(self.folder, place)}
        if problems := [problem for _, place, _ in files if (problem := place_problem(place))]:
            raise OutputError("\n".join(problems))
        try:
            list(self._pool.map(_write_part, files))
            parts = iter(files)
            for group in groups:
                for _ in group:
                    part, place, _ = next(parts)
                    part.replace(place)
                folders = {place.parent for place, _ in group}
                list(self._pool.map(sync_folder, sorted(folders | changed_folders)))
                changed_folders = set()
        finally:
            for part, _, _ in files:
                part.unlink(missing_ok=True)


def _make_folders(dataset: Path, folder: Path) -> list[Path]:
    # Returns the folders that have a new entry, and so have to be synced.
    if folder == dataset:
        return []
    above = _make_folders(dataset, folder.parent)
    return [*above, folder.parent] if make_folder(folder) else above


def _write_part(file: tuple[Path, Path, bytes]) -> None:
    part, place, data = file
    try:
        write_new(part, lambda file: file.write(data))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(place)) from None


def _count_rows(table: Table | None) -> int:
    return 0 if not table else len(next(iter(table.values())))


def _make_arrow(name: str, run: FinishedRun) -> pa.Table:
    columns = dict(run.tables[name])
    columns.setdefault("seed", [run.seed] * _count_rows(run.tables[name]))
    schema = DATASET_SCHEMAS[name]
    return pa.table([pa.array(columns[f.name], f.type) for f in schema], schema=schema)


def _encode_parquet(table: pa.Table) -> bytes:
    # The files are small: statistics, dictionaries and a stronger compression would cost more than they save.
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, use_dictionary=False, write_statistics=False)
    data: bytes = sink.getvalue().to_pybytes()
    return data
