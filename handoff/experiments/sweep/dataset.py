"""The results of a sweep: a Parquet dataset partitioned by point that is never half there (docs/sweeps.md)."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engine.checkpoint_file import sync_folder
from handoff.experiments.execution.task import Table
from handoff.experiments.sweep.points import Point
from handoff.output.parquet import BATCHES, SCHEMAS

Run = tuple[str, int]
"""Key of a point, and seed."""

_SEED = ("seed", pa.uint64())
DATASET_SCHEMAS = {
    "runs": SCHEMAS["runs"],
    **{name: pa.schema([_SEED, *SCHEMAS[name]]) for name in ("nodes", "links")},
    "batches": BATCHES,
}
"""Tables of a dataset: those of a study, each row with its seed; ``batches`` only where runs are cut into some."""
POINTS = pa.schema(
    [
        ("point", pa.string()), ("procedure", pa.string()), ("values", pa.map_(pa.string(), pa.string())),
        ("detail", pa.bool_()), ("warmup_ps", pa.int64()), ("batches", pa.int64()),
        ("inputs", pa.map_(pa.string(), pa.string())), ("scenario", pa.string()),
    ]
)  # fmt: skip
"""What each point is: ``points.parquet``."""
_FACTS = b"handoff"
_SEAL = b"seal"
_SYNCING = 16
"""Files that are synced side by side: a disk commits many at the price of one."""


@dataclass(frozen=True)
class FinishedRun:
    """A run as it came back.

    Attributes
    ----------
    point : Point
    seed : int
    tables : mapping of str to dict of str to list
        As of ``handoff.experiments.execution.task.TaskResult``.
    wall_seconds : float
    """

    point: Point
    seed: int
    tables: Mapping[str, Table]
    wall_seconds: float


@dataclass(frozen=True)
class StoredRun:
    """A run that is complete in the dataset.

    Attributes
    ----------
    point : str
        Its key.
    seed : int
    code_version : str
        Of the code that made it.
    wall_seconds : float
    content : str
        Digest of its tables, whatever the files that hold them.
    files : dict of str to Path
        By table.
    row : dict of str to list
        Its ``runs`` table.
    """

    point: str
    seed: int
    code_version: str
    wall_seconds: float
    content: str
    files: dict[str, Path]
    row: Table


@dataclass
class DatasetContents:
    """What is in a dataset.

    Attributes
    ----------
    runs : dict of Run to Stored
        Complete runs, by point and seed in order.
    damaged : list of str
        Files that are not what was written, or not all of a run; they count as missing.
    """

    runs: dict[Run, StoredRun] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)


# -- reading ----------------------------------------------------------------------------------------------------------------


def read_contents(folder: Path) -> DatasetContents:
    """Everything complete in a dataset; each file is read and held against the digest that its run was sealed with.

    Parameters
    ----------
    folder : Path
        Of the dataset; nothing is in one that does not exist.
    """
    found = DatasetContents()
    paths = sorted((folder / "runs").glob("point=*/seed=*.parquet"), key=lambda p: (p.parent.name, _seed(p)))
    with ThreadPoolExecutor(_SYNCING) as pool:
        for path, stored in zip(paths, pool.map(_stored, paths), strict=True):
            if isinstance(stored, str):
                found.damaged.append(f"{path}: {stored}")
            else:
                found.runs[stored.point, stored.seed] = stored
    return found


def dataset_hash(folder: Path) -> str:
    """Digest of the results in a dataset: of points, seeds and the contents of tables.

    It does not depend on when a run was done, in what order, by whom, how long it took, or how its files are laid out.

    Raises
    ------
    ValueError
        If something in it is damaged.
    """
    found = read_contents(folder)
    if found.damaged:
        raise ValueError("\n".join(found.damaged))
    return contents_hash(found)


def contents_hash(found: DatasetContents) -> str:
    """:func:`dataset_hash` of what is complete."""
    digest = _blake2b()
    for (point, seed), stored in sorted(found.runs.items()):
        digest.update(f"{point} {seed} {stored.content}\n".encode())
    return digest.hexdigest()


def read_points(folder: Path) -> list[dict[str, Any]]:
    """Rows of ``POINTS``; maps are lists of pairs.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    path = folder / "points.parquet"
    if not path.exists():
        return []
    try:
        rows: list[dict[str, Any]] = _read(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: damaged: {error}: remove it; the same sweep writes it anew") from None
    return rows


def read_table(stored: StoredRun, name: str) -> Table:
    """One of a run's tables; without rows if it has none."""
    if name == "runs":
        return stored.row
    if name not in stored.files:
        return {column: [] for column in DATASET_SCHEMAS[name].names}
    table: Table = _read(stored.files[name]).to_pydict()
    return table


def _seed(path: Path) -> int:
    digits = path.stem.removeprefix("seed=")
    return int(digits) if digits.isdecimal() else -1


def _read(path: Path) -> pa.Table:
    with path.open("rb") as file:
        return pq.ParquetFile(file).read(use_threads=False)


def _stored(path: Path) -> StoredRun | str:
    """A run if it is complete, else what is wrong with it."""
    try:
        table = _read(path)
        metadata = table.schema.metadata or {}
        row = table.to_pydict()
        if metadata.get(_SEAL) != _seal(metadata.get(_FACTS, b""), row):
            return "damaged: it is not what was written"
        facts = json.loads(metadata[_FACTS])
        files = {name: _place(path.parents[2], name, facts["point"], facts["seed"]) for name in facts["files"]}
        for name, digest in facts["files"].items():
            if _blake2b(files[name].read_bytes()).hexdigest() != digest:
                return f"incomplete: {name} is not what was written"
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"damaged: {' '.join(str(error).split()) or type(error).__name__}"
    if path != _place(path.parents[2], "runs", facts["point"], facts["seed"]):
        return f"out of its place: it is seed {facts['seed']} of point {facts['point']}"
    return StoredRun(
        facts["point"], facts["seed"], facts["code_version"], facts["wall_seconds"], facts["content"], files | {"runs": path}, row
    )


def _place(folder: Path, name: str, point: str, seed: int) -> Path:
    return folder / name / f"point={point}" / f"seed={seed}.parquet"


# -- writing ----------------------------------------------------------------------------------------------------------------


@contextmanager
def open_writer(folder: Path) -> Iterator[Writer]:
    """Be the one who writes into a dataset.

    The lock is a record lock of this process: it ends with it, however that dies, and processes that it has started do not
    inherit it (a ``flock`` would live as long as any forked worker).

    Raises
    ------
    ValueError
        If the folder cannot be written, or another process is writing.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a+")
    except OSError as error:
        raise ValueError(f"{folder}: no folder that can be written: {error.strerror}") from None
    with lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            who = f" (process {pid})" if (pid := lock.read().strip()) else ""
            raise ValueError(f"{folder}: another sweep{who} is writing there: wait for its end, or give another -o") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        with ThreadPoolExecutor(_SYNCING) as pool:
            yield Writer(folder, pool)


class Writer:
    """Adds runs to a dataset; the only one at a time (:func:`writing`)."""

    def __init__(self, folder: Path, pool: ThreadPoolExecutor) -> None:
        self.folder = folder
        self._pool = pool
        self._parts = folder / ".parts"
        self._parts.mkdir(exist_ok=True)
        for part in self._parts.iterdir():  # of a process that was killed
            part.unlink()

    def add_points(self, points: Iterable[Point]) -> None:
        """Say what points are; those that are known keep what is known of them."""
        rows = {row["point"]: row for row in read_points(self.folder)}
        before = json.dumps(rows)
        for p in points:
            known = dict(rows[p.key]["values"]) if p.key in rows else {}
            values, inputs = list((known | dict(p.values)).items()), list(p.inputs)
            rows[p.key] = {
                "point": p.key, "procedure": p.procedure, "values": values, **asdict(p.settings), "inputs": inputs,
                "scenario": p.scenario,
            }  # fmt: skip
        if json.dumps(rows) != before:
            self._commit([(self.folder / "points.parquet", _parquet(pa.Table.from_pylist(list(rows.values()), POINTS)))])

    def add(self, finished: Sequence[FinishedRun], code_version: str) -> None:
        """Add runs: all are complete when this returns, and each is complete or missing if it never does.

        The tables of all runs are synced and in their places before the first ``runs`` file, which holds their digests, gets
        its place: a run whose ``runs`` file is there and fits them is whole.

        Parameters
        ----------
        finished : sequence of Finished
            Many at once are cheaper.
        code_version : str
            Of the code that made them.

        Raises
        ------
        OSError
            If something cannot be written; runs of earlier calls are not touched.
        """
        tables: list[tuple[Path, bytes]] = []
        seals: list[tuple[Path, bytes]] = []
        for run in finished:
            key, seed = run.point.key, run.seed
            arrow = {name: _arrow(name, run) for name in DATASET_SCHEMAS if _rows(run.tables.get(name))}
            facts = {
                "point": key, "procedure": run.point.procedure, "seed": seed, "values": dict(run.point.values),
                "settings": asdict(run.point.settings), "inputs": dict(run.point.inputs), "code_version": code_version,
                "scenario": json.loads(run.point.scenario),
            }  # fmt: skip
            files = {}
            for name, table in arrow.items():
                if name != "runs":
                    data = _parquet(table.replace_schema_metadata({_FACTS: json.dumps(facts).encode()}))
                    files[name] = _blake2b(data).hexdigest()
                    tables.append((_place(self.folder, name, key, seed), data))
            row = arrow["runs"]
            content = _content(arrow)
            told = json.dumps(facts | {"wall_seconds": run.wall_seconds, "content": content, "files": files}).encode()
            sealed = row.replace_schema_metadata({_FACTS: told, _SEAL: _seal(told, row.to_pydict())})
            seals.append((_place(self.folder, "runs", key, seed), _parquet(sealed)))
        self._commit(tables, seals)

    def _commit(self, *groups: list[tuple[Path, bytes]]) -> None:
        """Write files aside and sync them, then put group after group in its place."""
        files = [(self._parts / str(i), place, data) for i, (place, data) in enumerate(f for group in groups for f in group)]
        made = {p for place in {place.parent for _, place, _ in files} for p in _make(place)}
        try:
            list(self._pool.map(_write, files))
            parts = iter(files)
            for group in groups:
                for _ in group:
                    part, place, _ = next(parts)
                    part.replace(place)
                folders = {place.parent for place, _ in group}
                list(self._pool.map(sync_folder, sorted(folders | made)))
                made = set()
        finally:
            for part, _, _ in files:
                part.unlink(missing_ok=True)


def _make(folder: Path) -> list[Path]:
    """Make a folder and those above it; returns the ones that have a new entry."""
    if folder.exists():
        return []
    above = _make(folder.parent)
    folder.mkdir(exist_ok=True)
    return [*above, folder.parent]


def _write(file: tuple[Path, Path, bytes]) -> None:
    part, place, data = file
    try:
        with part.open("wb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(place)) from None


def _rows(table: Table | None) -> int:
    return 0 if not table else len(next(iter(table.values())))


def _arrow(name: str, run: FinishedRun) -> pa.Table:
    columns = dict(run.tables[name])
    columns.setdefault("seed", [run.seed] * _rows(run.tables[name]))
    schema = DATASET_SCHEMAS[name]
    return pa.table([pa.array(columns[f.name], f.type) for f in schema], schema=schema)


def _parquet(table: pa.Table) -> bytes:
    """A small file: statistics, dictionaries and a stronger compression than the usual one cost more than they bring."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, use_dictionary=False, write_statistics=False)
    data: bytes = sink.getvalue().to_pybytes()
    return data


# -- digests ----------------------------------------------------------------------------------------------------------------


def _content(tables: Mapping[str, pa.Table]) -> str:
    """Digest of what tables say; the values of a column go into it as text that reads back the same."""
    facts = {name: [str(table.schema.remove_metadata()), table.to_pydict()] for name, table in tables.items()}
    return _blake2b(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _seal(facts: bytes, row: Table) -> bytes:
    return _blake2b(facts + json.dumps(row, sort_keys=True).encode()).hexdigest().encode()


def _blake2b(data: bytes = b"") -> hashlib.blake2b:
    return hashlib.blake2b(data, digest_size=32)
