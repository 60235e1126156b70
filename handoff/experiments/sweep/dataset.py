"""The results of a sweep: a Parquet dataset, partitioned by point, whose runs are complete or missing (docs/sweeps.md).

The reading side; :mod:`handoff.experiments.sweep.dataset_writer` is the writing side.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engine.regular_file import open_regular, read_regular
from handoff.experiments.execution.task import Table
from handoff.output.fields import UNIT_KEY
from handoff.output.parquet import BATCHES, GROUPS, SCHEMAS

Run = tuple[str, int]
"""Key of a point, and seed."""

_SEED_FIELD = SCHEMAS["runs"].field("seed")
DATASET_SCHEMAS = {
    name: pa.schema([field.with_metadata({UNIT_KEY: field.metadata[UNIT_KEY]}) for field in fields])
    for name, fields in {
        "runs": SCHEMAS["runs"], "nodes": [_SEED_FIELD, *SCHEMAS["nodes"]], "links": [_SEED_FIELD, *SCHEMAS["links"]],
        "batches": BATCHES, "groups": GROUPS,
    }.items()
}  # fmt: skip
"""Tables of a dataset: the tables of a study, each row with its seed. ``batches`` exists only for runs that are cut into some,
``groups`` only for runs of a mixture. Fields have units, and no definitions: in thousands of small files these would take most of
the space."""
POINTS = pa.schema(
    [
        ("point", pa.string()), ("procedure", pa.string()), ("values", pa.map_(pa.string(), pa.string())),
        ("detail", pa.bool_()), ("warmup_s", pa.float64()), ("batches", pa.int64()),
        ("inputs", pa.map_(pa.string(), pa.string())), ("scenario", pa.string()),
    ]
)  # fmt: skip
"""Columns of ``points.parquet``, which describes each point. Those of ``field_columns`` follow, one for each varied field."""
OLDER_TIMES = "of an older version, with times in picoseconds"
FACTS_KEY = b"handoff"
"""Metadata of every file: point, seed, settings and code version as JSON."""
SEAL_KEY = b"seal"
"""Metadata of a ``runs`` file: digest of its facts, which contain the digests of the other files, and of its row."""
IO_THREADS = 16
"""Files that are read or synced at a time: a disk commits many at the price of one."""
_DIGEST_BYTES = 32


@dataclass(frozen=True)
class StoredRun:
    """A run that is complete in the dataset.

    Attributes
    ----------
    point : str
        Key of its point.
    seed : int
    code_version : str
        Version of the code that made it.
    wall_seconds : float
        Real time of the run.
    content : str
        Digest of its tables, independent of the files that hold them.
    files : dict of str to Path
        Files by table.
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
    """Contents of a dataset.

    Attributes
    ----------
    runs : dict of Run to StoredRun
        Complete runs, ordered by point and seed.
    damaged : list of str
        Problems of files that differ from what was written, or belong to no complete run. Their runs count as missing.
    """

    runs: dict[Run, StoredRun] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)


def read_contents(folder: Path) -> DatasetContents:
    """Read all complete runs of a dataset; each file is compared with the digest that its run was sealed with.

    Parameters
    ----------
    folder : Path
        Folder of the dataset; if it does not exist, the contents are empty.
    """
    contents = DatasetContents()
    paths = sorted((folder / "runs").glob("point=*/seed=*.parquet"), key=lambda p: (p.parent.name, _seed_in_name(p)))
    with ThreadPoolExecutor(IO_THREADS) as pool:
        for path, stored in zip(paths, pool.map(_read_run, paths), strict=True):
            if isinstance(stored, str):
                contents.damaged.append(f"{path}: {stored}")
            else:
                contents.runs[stored.point, stored.seed] = stored
    return contents


def contents_hash(contents: DatasetContents) -> str:
    """Return a digest of the results: points, seeds and the contents of tables.

    It does not depend on when a run was done, in what order, where, how long it took, or how its files are laid out.
    """
    digest = blake2b()
    for (point, seed), stored in sorted(contents.runs.items()):
        digest.update(f"{point} {seed} {stored.content}\n".encode())
    return digest.hexdigest()


def read_points(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of ``POINTS``, in which maps are lists of pairs.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    path = folder / "points.parquet"
    if not path.exists():
        return []
    try:
        table = _read_parquet(path)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: damaged: {_reason(error)}: remove it; the same sweep writes it anew") from None
    if "warmup_s" not in table.column_names:  # an older version wrote it: the sweep repeats its runs
        return []
    rows: list[dict[str, Any]] = table.select(POINTS.names).to_pylist()
    return rows


def read_table(stored: StoredRun, name: str) -> Table:
    """Return one of the tables of a run; without rows if the run has no such table."""
    if name == "runs":
        return stored.row
    if name not in stored.files:
        return {column: [] for column in DATASET_SCHEMAS[name].names}
    return _with_all_columns(name, _read_parquet(stored.files[name]).to_pydict())


def _with_all_columns(name: str, table: Table) -> Table:
    # An older version of this program wrote fewer columns: their values are unknown.
    rows = len(next(iter(table.values()), ()))
    return {column: [None] * rows for column in DATASET_SCHEMAS[name].names} | table


def _seed_in_name(path: Path) -> int:
    digits = path.stem.removeprefix("seed=")
    return int(digits) if digits.isdecimal() else -1


def _read_parquet(path: Path) -> pa.Table:
    with open_regular(path) as file:
        return pq.ParquetFile(file).read(use_threads=False)


def _reason(error: Exception) -> str:
    """Return what a message about a file says after the file's name."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def _read_run(path: Path) -> StoredRun | str:
    # Returns the run if it is complete, else the problem.
    try:
        table = _read_parquet(path)
        metadata = table.schema.metadata or {}
        row = table.to_pydict()
        if metadata.get(SEAL_KEY) != make_seal(metadata.get(FACTS_KEY, b""), row):
            return "damaged: it is not what was written"
        if any(name.endswith("_ps") for name in table.column_names):
            return OLDER_TIMES
        facts = json.loads(metadata[FACTS_KEY])
        files = {name: table_path(path.parents[2], name, facts["point"], facts["seed"]) for name in facts["files"]}
        for name, digest in facts["files"].items():
            if blake2b(read_regular(files[name])).hexdigest() != digest:
                return f"incomplete: {name} is not what was written"
    except (pa.ArrowException, OSError, ValueError) as error:
        return f"damaged: {_reason(error)}"
    if path != table_path(path.parents[2], "runs", facts["point"], facts["seed"]):
        return f"misplaced: it is seed {facts['seed']} of point {facts['point']}"
    return StoredRun(
        facts["point"], facts["seed"], facts["code_version"], facts["wall_seconds"], facts["content"], files | {"runs": path},
        _with_all_columns("runs", row),
    )  # fmt: skip


# -- layout and digests, shared with the writer -------------------------------------------------------------------------------


def table_path(folder: Path, name: str, point: str, seed: int) -> Path:
    """Return the file of a table of a run."""
    return folder / name / f"point={point}" / f"seed={seed}.parquet"


def content_digest(tables: Mapping[str, pa.Table]) -> str:
    """Return a digest of the contents of tables, in which each value counts as text that reads back the same."""
    facts = {name: [table.schema.to_string(show_field_metadata=False, show_schema_metadata=False), table.to_pydict()]
             for name, table in tables.items()}  # fmt: skip
    return blake2b(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def make_seal(facts: bytes, row: Table) -> bytes:
    """Return the seal of a ``runs`` file: a digest of its facts and its row."""
    return blake2b(facts + json.dumps(row, sort_keys=True).encode()).hexdigest().encode()


def blake2b(data: bytes = b"") -> hashlib.blake2b:
    """Return the hash that all digests of a dataset use."""
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES)
