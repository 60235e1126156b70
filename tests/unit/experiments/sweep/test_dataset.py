"""A dataset contains complete runs only: it returns what was written, and detects everything else."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from handoff.experiments.execution.task import SerialExecutor, Task, canonical_json
from handoff.experiments.sweep.dataset import DATASET_SCHEMAS, read_contents, read_points, read_table
from handoff.experiments.sweep.dataset_writer import FinishedRun, open_writer
from handoff.experiments.sweep.points import Point, RunSettings
from handoff.experiments.sweep.query import query
from handoff.metrics.catalogue import MEASURES, evaluate
from handoff.simulation.result import ATTACK_FIGURES
from tests.unit.experiments.sweep.small_sweep import SCENARIO, dataset_hash
from tests.unit.faults import FAILED, KILLED, REFUSED, TOLERATED, act_in_child, fail, kill

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def finished() -> list[FinishedRun]:
    """Return six runs: two procedures, three seeds."""
    text = canonical_json(tomllib.loads(SCENARIO))
    points = [Point(text, name, RunSettings(), (), {"x": "1"}) for name in ("mipv4", "sync-mipv4")]
    tasks = [Task(text, ".", seed, tuple(p.procedure for p in points)) for seed in SEEDS]
    runs = []
    for task, result in SerialExecutor().run(tasks):
        assert result.problem == ""
        runs += [FinishedRun(p, task.seed, t, s) for p, t, s in zip(points, result.tables, result.wall_seconds, strict=True)]
    return runs


def write_runs(folder: Path, runs: list[FinishedRun], version: str = "v1", at_once: int = 6) -> Path:
    with open_writer(folder) as writer:
        writer.add_points([run.point for run in runs])
        for i in range(0, len(runs), at_once):
            writer.add(runs[i : i + at_once], version)
    return folder


def test_a_dataset_returns_what_was_written_with_its_provenance(tmp_path: Path, finished: list[FinishedRun]) -> None:
    folder = write_runs(tmp_path / "d", finished)
    contents = read_contents(folder)
    assert contents.damaged == []
    assert list(contents.runs) == sorted((run.point.key, run.seed) for run in finished)
    for run in finished:
        stored = contents.runs[run.point.key, run.seed]
        assert (stored.code_version, stored.wall_seconds) == ("v1", run.wall_seconds)
        for name in ("runs", "nodes", "links"):
            assert read_table(stored, name) == {
                column: list(run.tables[name].get(column, [run.seed] * len(run.tables[name]["procedure"])))
                for column in DATASET_SCHEMAS[name].names
            }
            schema = pq.read_schema(stored.files[name])
            facts = json.loads(schema.metadata[b"handoff"])
            assert "wall_seconds" not in schema.names
            assert (facts["seed"], facts["code_version"], facts["procedure"]) == (run.seed, "v1", run.point.procedure)
            assert facts["scenario"] == tomllib.loads(SCENARIO)
    assert {row["point"] for row in read_points(folder)} == {run.point.key for run in finished}
    assert not list((folder / ".parts").iterdir())


def test_runs_of_a_version_with_times_in_picoseconds_count_as_missing(
    tmp_path: Path, finished: list[FinishedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their values would be read in another unit."""
    older = pa.schema([field.with_name(field.name.replace("until_s", "until_ps")) for field in DATASET_SCHEMAS["runs"]])
    monkeypatch.setitem(DATASET_SCHEMAS, "runs", older)
    runs = []
    for run in finished:
        (until_s,) = run.tables["runs"]["until_s"]
        runs.append(replace(run, tables=run.tables | {"runs": run.tables["runs"] | {"until_ps": [until_s * 1e12]}}))
    folder = write_runs(tmp_path / "d", runs)
    monkeypatch.undo()
    contents = read_contents(folder)
    assert contents.runs == {}
    assert {problem.split(": ")[1] for problem in contents.damaged} == {"of an older version, with times in picoseconds"}


def test_runs_of_a_version_with_fewer_columns_have_unknown_values(
    tmp_path: Path, finished: list[FinishedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = {"runs": ["handoff_packets_max", *ATTACK_FIGURES], "nodes": ["registration_wait_mean_s", "diverted"]}
    for name, columns in missing.items():
        older = pa.schema([field for field in DATASET_SCHEMAS[name] if field.name not in columns])
        monkeypatch.setitem(DATASET_SCHEMAS, name, older)
    folder = write_runs(tmp_path / "d", finished)
    monkeypatch.undo()
    contents = read_contents(folder)
    assert (contents.damaged, len(contents.runs)) == ([], len(finished))
    (stored, *_) = contents.runs.values()
    tables = {name: read_table(stored, name) for name in ("runs", "nodes", "links")}
    assert all(tables[name][column][0] is None for name, columns in missing.items() for column in columns)
    assert evaluate(tables, "sent").value == tables["runs"]["sent"][0]
    attacks = [name for name in MEASURES if re.match("attack|amplification|legitimate|diverted", name)]
    assert {evaluate(tables, name).value for name in attacks} == {None}
    assert evaluate(tables, "ha.registration_wait_mean").value is None
    assert query(folder, "select count(*), count(legitimate_dropped), min(sent) > 0 from runs").rows == [(len(finished), 0, True)]


def test_pyarrow_reads_it_as_a_partitioned_dataset(tmp_path: Path, finished: list[FinishedRun]) -> None:
    folder = write_runs(tmp_path / "d", finished)
    for name in ("runs", "nodes", "links"):
        table = pads.dataset(folder / name, partitioning="hive").to_table()
        assert set(zip(table["point"].to_pylist(), table["seed"].to_pylist(), strict=True)) == {
            (run.point.key, run.seed) for run in finished
        }


def test_the_hash_depends_on_results_only(tmp_path: Path, finished: list[FinishedRun]) -> None:
    expected = dataset_hash(write_runs(tmp_path / "a", finished))
    shuffled = [replace(run, wall_seconds=run.wall_seconds * 2) for run in finished]
    random.Random(1).shuffle(shuffled)
    other = write_runs(tmp_path / "b", shuffled, "v2", at_once=1)
    assert dataset_hash(other) == expected
    with open_writer(other) as writer:  # the same run again
        writer.add(finished[:1], "v3")
    assert dataset_hash(other) == expected
    assert dataset_hash(write_runs(tmp_path / "c", finished[:5])) != expected
    changed = {name: dict(table) for name, table in finished[0].tables.items()}
    changed["links"]["bytes"] = [n + 1 for n in changed["links"]["bytes"]]
    assert dataset_hash(write_runs(tmp_path / "d", [replace(finished[0], tables=changed), *finished[1:]])) != expected


def test_later_replications_do_not_touch_the_files_of_earlier_ones(tmp_path: Path, finished: list[FinishedRun]) -> None:
    first = [run for run in finished if run.seed == 1]
    folder = write_runs(tmp_path / "d", first)
    before = {path: path.read_bytes() for path in folder.rglob("seed=1.parquet")}
    write_runs(folder, [run for run in finished if run.seed != 1])
    assert {path: path.read_bytes() for path in before} == before
    assert len(before) == 6
    assert dataset_hash(folder) == dataset_hash(write_runs(tmp_path / "all", finished))


@pytest.mark.parametrize("table", ["runs", "nodes", "links"])
def test_every_damage_is_detected(tmp_path: Path, finished: list[FinishedRun], table: str) -> None:
    """A changed bit, and files that are truncated, missing or empty: no wrong value is read, and only this run is lost.

    A change to a part of the ``runs`` file that holds no result (the name of the library that wrote it) may go undetected.
    """
    folder = write_runs(tmp_path / "d", finished[:2])
    original = read_contents(folder).runs
    path = sorted((folder / table).rglob("*.parquet"))[0]
    good, draws = path.read_bytes(), random.Random(table)
    detected, positions = 0, [*draws.sample(range(len(good)), 40), 0, 3, len(good) - 1, len(good) - 6]
    for at in positions:
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << draws.randrange(8)]) + good[at + 1 :])
        contents = read_contents(folder)
        wrong = [repr(run) for key, run in contents.runs.items() if repr(run) != repr(original[key])]
        assert wrong == [], at
        assert len(contents.runs) + len(contents.damaged) == 2, at
        detected += len(contents.damaged)
    assert detected == len(positions) if table != "runs" else detected > len(positions) / 2
    for bad in (b"", good[: len(good) // 2], good[:-1], good + b"x"):
        path.write_bytes(bad)
        assert len(read_contents(folder).runs) == 1
    path.write_bytes(good)
    assert len(read_contents(folder).runs) == 2
    path.unlink()
    contents = read_contents(folder)
    assert len(contents.runs) == 1
    if table != "runs":  # without its runs file, a run does not exist
        (problem,) = contents.damaged
        assert "No such file" in problem or "incomplete" in problem


def test_a_run_in_the_file_of_another_seed_is_rejected(tmp_path: Path, finished: list[FinishedRun]) -> None:
    folder = write_runs(tmp_path / "d", finished)
    for table in ("runs", "nodes", "links"):
        one = next((folder / table).rglob("seed=1.parquet"))
        shutil.copy(one, one.with_name("seed=7.parquet"))
    contents = read_contents(folder)
    assert len(contents.runs) == 6
    assert ["misplaced: it is seed 1 of point " in text for text in contents.damaged] == [True]


def test_a_full_disk_is_an_error_and_keeps_the_earlier_runs(
    tmp_path: Path, finished: list[FinishedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_runs(tmp_path / "d", finished[:2])
    before = dataset_hash(folder)
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("engine.output_file.os.fsync", full)
    with pytest.raises(OSError, match="No space left") as caught, open_writer(folder) as writer:
        writer.add(finished[2:], "v1")
    assert str(folder) in caught.value.filename
    monkeypatch.undo()
    assert dataset_hash(folder) == before
    assert not list((folder / ".parts").iterdir())


@pytest.mark.deep
@pytest.mark.parametrize(("end", "code"), [(kill, KILLED), (partial(fail, errno.EIO), FAILED)], ids=["killed", "failed"])
def test_earlier_runs_stay_at_every_step_of_later_ones(
    tmp_path: Path, finished: list[FinishedRun], end: Callable[[], None], code: int
) -> None:
    step, done = 0, code
    expected = dataset_hash(write_runs(tmp_path / "complete", finished))
    while done:
        step += 1
        folder = write_runs(tmp_path / str(step), finished[:1])
        before = read_contents(folder).runs

        def add(folder: Path = folder) -> None:
            with open_writer(folder) as writer:
                writer.add_points(run.point for run in finished)
                writer.add(finished[1:3], "v1")

        done = act_in_child(add, step, end)
        assert done in (0, code, REFUSED, TOLERATED)
        contents = read_contents(folder)
        assert contents.damaged == []
        assert before.items() <= contents.runs.items()
        assert dataset_hash(write_runs(folder, finished)) == expected
        assert not list((folder / ".parts").iterdir())
        assert not (folder / ".lock").exists()
    assert step > 20


def test_only_one_process_writes(tmp_path: Path, finished: list[FinishedRun]) -> None:
    code = (
        "import sys; from pathlib import Path; from handoff.experiments.sweep.dataset_writer import open_writer\n"
        "with open_writer(Path(sys.argv[1])): print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "d")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        message = f"another program \\(process {other.pid}\\) is writing there"
        with pytest.raises(ValueError, match=message), open_writer(tmp_path / "d"):
            pass
        other.kill()
    assert len(read_contents(write_runs(tmp_path / "d", finished)).runs) == 6


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file: no folder that can be written: "), open_writer(tmp_path / "file"):
        pass
