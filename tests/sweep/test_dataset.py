"""A dataset is never half there: what was written is found again, everything else is noticed."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest

from handoff.experiments.execution.task import SerialExecutor, Task, canonical_json
from handoff.experiments.sweep.dataset import (
    DATASET_SCHEMAS,
    FinishedRun,
    dataset_hash,
    open_writer,
    read_contents,
    read_points,
    read_table,
)
from handoff.experiments.sweep.points import Point, RunSettings
from tests.sweep.small import SCENARIO

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def finished() -> list[FinishedRun]:
    """Six runs: two procedures, three seeds."""
    text = canonical_json(tomllib.loads(SCENARIO))
    points = [Point(text, name, RunSettings(), (), {"x": "1"}) for name in ("mipv4", "sync-mipv4")]
    tasks = [Task(text, ".", seed, tuple(p.procedure for p in points)) for seed in SEEDS]
    found = []
    for task, outcome in SerialExecutor().run(tasks):
        assert outcome.problem == ""
        found += [FinishedRun(p, task.seed, t, s) for p, t, s in zip(points, outcome.tables, outcome.wall_seconds, strict=True)]
    return found


def filled(folder: Path, runs: list[FinishedRun], version: str = "v1", at_once: int = 6) -> Path:
    with open_writer(folder) as writer:
        writer.add_points([run.point for run in runs])
        for i in range(0, len(runs), at_once):
            writer.add(runs[i : i + at_once], version)
    return folder


def test_what_was_written_is_there_with_its_provenance(tmp_path: Path, finished: list[FinishedRun]) -> None:
    folder = filled(tmp_path / "d", finished)
    found = read_contents(folder)
    assert found.damaged == []
    assert list(found.runs) == sorted((run.point.key, run.seed) for run in finished)
    for run in finished:
        stored = found.runs[run.point.key, run.seed]
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


def test_others_read_it_as_a_partitioned_dataset(tmp_path: Path, finished: list[FinishedRun]) -> None:
    folder = filled(tmp_path / "d", finished)
    for name in ("runs", "nodes", "links"):
        table = pads.dataset(folder / name, partitioning="hive").to_table()
        assert set(zip(table["point"].to_pylist(), table["seed"].to_pylist(), strict=True)) == {
            (run.point.key, run.seed) for run in finished
        }


def test_the_hash_knows_results_only(tmp_path: Path, finished: list[FinishedRun]) -> None:
    expected = dataset_hash(filled(tmp_path / "a", finished))
    shuffled = [replace(run, wall_seconds=run.wall_seconds * 2) for run in finished]
    random.Random(1).shuffle(shuffled)
    other = filled(tmp_path / "b", shuffled, "v2", at_once=1)
    assert dataset_hash(other) == expected
    with open_writer(other) as writer:  # a run that is done again
        writer.add(finished[:1], "v3")
    assert dataset_hash(other) == expected
    assert dataset_hash(filled(tmp_path / "c", finished[:5])) != expected
    changed = {name: dict(table) for name, table in finished[0].tables.items()}
    changed["links"]["bytes"] = [n + 1 for n in changed["links"]["bytes"]]
    assert dataset_hash(filled(tmp_path / "d", [replace(finished[0], tables=changed), *finished[1:]])) != expected


def test_later_replications_leave_the_old_ones_as_they_are(tmp_path: Path, finished: list[FinishedRun]) -> None:
    first = [run for run in finished if run.seed == 1]
    folder = filled(tmp_path / "d", first)
    before = {path: path.read_bytes() for path in folder.rglob("seed=1.parquet")}
    filled(folder, [run for run in finished if run.seed != 1])
    assert {path: path.read_bytes() for path in before} == before
    assert len(before) == 6
    assert dataset_hash(folder) == dataset_hash(filled(tmp_path / "whole", finished))


@pytest.mark.parametrize("table", ["runs", "nodes", "links"])
def test_every_damage_is_noticed(tmp_path: Path, finished: list[FinishedRun], table: str) -> None:
    """Bytes that changed anywhere, files cut off, gone, empty: nothing untrue is believed, and only this run is lost.

    A bit of the ``runs`` file that says nothing (the name of the library that wrote it) may change unnoticed.
    """
    folder = filled(tmp_path / "d", finished[:2])
    whole = read_contents(folder).runs
    path = sorted((folder / table).rglob("*.parquet"))[0]
    good, draws = path.read_bytes(), random.Random(table)
    noticed, places = 0, [*draws.sample(range(len(good)), 40), 0, 3, len(good) - 1, len(good) - 6]
    for at in places:
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << draws.randrange(8)]) + good[at + 1 :])
        found = read_contents(folder)
        believed = [repr(run) for key, run in found.runs.items() if repr(run) != repr(whole[key])]
        assert believed == [], at
        assert len(found.runs) + len(found.damaged) == 2, at
        noticed += len(found.damaged)
    assert noticed == len(places) if table != "runs" else noticed > len(places) / 2
    for bad in (b"", good[: len(good) // 2], good[:-1], good + b"x"):
        path.write_bytes(bad)
        assert len(read_contents(folder).runs) == 1
    path.write_bytes(good)
    assert len(read_contents(folder).runs) == 2
    path.unlink()
    assert len(read_contents(folder).runs) == 1
    if table != "runs":  # without its runs file a run has never been there
        with pytest.raises(ValueError, match=r"No such file|incomplete"):
            dataset_hash(folder)


def test_a_run_in_the_place_of_another_is_not_believed(tmp_path: Path, finished: list[FinishedRun]) -> None:
    folder = filled(tmp_path / "d", finished)
    for table in ("runs", "nodes", "links"):
        one = next((folder / table).rglob("seed=1.parquet"))
        shutil.copy(one, one.with_name("seed=7.parquet"))
    found = read_contents(folder)
    assert len(found.runs) == 6
    assert ["out of its place" in text for text in found.damaged] == [True]


def test_a_full_disk_is_an_error_and_leaves_what_was_there(
    tmp_path: Path, finished: list[FinishedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = filled(tmp_path / "d", finished[:2])
    before = dataset_hash(folder)
    calls = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("handoff.experiments.sweep.dataset.os.fsync", full)
    with pytest.raises(OSError, match="No space left") as caught, open_writer(folder) as writer:
        writer.add(finished[2:], "v1")
    assert str(folder) in caught.value.filename
    monkeypatch.undo()
    assert dataset_hash(folder) == before
    assert not list((folder / ".parts").iterdir())


def test_only_one_writes(tmp_path: Path, finished: list[FinishedRun]) -> None:
    code = (
        "import sys; from pathlib import Path; from handoff.experiments.sweep.dataset import writing\n"
        "with writing(Path(sys.argv[1])): print('mine', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "d")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        message = f"another sweep \\(process {other.pid}\\) is writing there"
        with pytest.raises(ValueError, match=message), open_writer(tmp_path / "d"):
            pass
        other.kill()
    assert len(read_contents(filled(tmp_path / "d", finished)).runs) == 6


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file: no folder that can be written: "), open_writer(tmp_path / "file"):
        pass
