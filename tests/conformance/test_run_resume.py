"""Runs that are killed and resumed from a checkpoint: the result is that of an uninterrupted run."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.checkpoint_file import CheckpointError, open_checkpoint, write_checkpoint
from engine.output_file import partial_path
from handoff.output.pcap.recorder import Recorder
from handoff.protocol.procedures import ALL_PROCEDURES
from handoff.protocol.setup import Setup
from handoff.simulation.checkpoint import StudyCheckpoint
from handoff.simulation.run import RunResult, StudyProgress, run_procedure
from tests.conformance.random_attacks import with_random_attacks
from tests.conformance.random_towns import Town
from tests.differential.compare import differences


@pytest.fixture(autouse=True)
def without_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the disk: these tests simulate a killed process and not a power failure."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Killed(Exception):
    """Raised in the middle of a run, like a signal that ends the process."""


class KillAfter:
    """Progress callback that raises ``Killed`` after a number of slices."""

    def __init__(self, slices: int) -> None:
        self.left = slices

    def __call__(self, at: StudyProgress) -> bool:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return True


def columns(run: RunResult) -> dict[str, Any]:
    values = {"extra": run.extra, "simultaneous": run.simultaneous, "interrupted": run.interrupted_ps, **run.handoffs}
    if run.detail is not None:
        values |= {f"flow {k}": v for k, v in run.detail.flows.items()} | {f"study {k}": v for k, v in run.detail.study.items()}
    return values


def run_differences(first: RunResult, second: RunResult) -> list[str]:
    """Return the names of columns that differ between two runs; nan equals nan."""
    a, b = ({name: str(np.asarray(values).tolist()) for name, values in columns(run).items()} for run in (first, second))
    return differences(first.result, second.result) + [name for name in a.keys() | b.keys() if a.get(name) != b.get(name)]


def run_with_kills(setup: Setup, procedure: str, path: Path, rng: Random, **options: Any) -> RunResult:
    """Run a procedure that is killed after some slices and resumed, until it is complete."""
    for attempt in range(200):
        checkpoints = StudyCheckpoint(path, {}, 0.0)
        if attempt and path.exists():
            checkpoints.resume()
        try:
            result = run_procedure(
                setup, procedure, progress=KillAfter(rng.randrange(30)), checkpoints=checkpoints, **options
            )
        except Killed:
            checkpoints.close()
            continue
        assert attempt >= 2
        checkpoints.remove()
        assert not path.exists()
        return result
    raise AssertionError("the run did not complete in 200 attempts")


ALWAYS = ("mipv4-smooth", "hmipv6-ro-bicast", "pmipv6", "sync-mipv4", "sync-hmipv6", "xn", "cho-early")
"""Procedures that run without ``--deep``: each kind of anchor, proxies, gates and copies."""


@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.deep)])
@pytest.mark.parametrize("procedure", [p if p in ALWAYS else pytest.param(p, marks=pytest.mark.deep) for p in ALL_PROCEDURES])
def test_a_killed_run_resumes_with_the_same_result(procedure: str, number: int, tmp_path: Path) -> None:
    """Options and restarts are random, so that all state of the controllers has to be in the file."""
    setup = Town(wild=True, mobiles=6, moving_ms=2_500, until_ms=3_000).setup(number)
    complete = run_procedure(setup, procedure, seed=number)
    resumed = run_with_kills(setup, procedure, tmp_path / "state", Random(number), seed=number)
    assert run_differences(complete, resumed) == [], setup.options


@pytest.mark.parametrize("number", [3, pytest.param(5, marks=pytest.mark.deep)])
def test_a_killed_run_under_attack_resumes_with_the_same_result(number: int, tmp_path: Path) -> None:
    setup = with_random_attacks(Town(wild=True, mobiles=6, moving_ms=2_500, until_ms=3_000).setup(number), number)
    complete = run_procedure(setup, "mipv6-ro", seed=number)
    resumed = run_with_kills(setup, "mipv6-ro", tmp_path / "state", Random(number), seed=number)
    assert run_differences(complete, resumed) == [], setup.attacks
    assert complete.attack_counts == resumed.attack_counts
    assert complete.attack_counts["attack_messages"] > 0


@pytest.mark.parametrize("procedure", [pytest.param("sync-mipv4", marks=pytest.mark.deep), "sync-mipv6-ro"])
def test_a_killed_run_writes_the_same_capture(procedure: str, tmp_path: Path) -> None:
    """With sync-mipv6-ro the authenticator of an acknowledgement depends on the update before it."""
    setup = Town(wild=True, mobiles=4, moving_ms=2_000, until_ms=2_400).setup(7)
    setup = replace(setup, options=replace(setup.options, profile="rfc"))
    links = setup.network.link_names()

    def recorder(name: str) -> Any:
        return lambda *run: Recorder(tmp_path / name, links, None, "test", 0, *run)

    complete = run_procedure(setup, procedure, detail=True, record=recorder("complete"))
    resumed = run_with_kills(setup, procedure, tmp_path / "state", Random(1), detail=True, record=recorder("resumed"))
    assert run_differences(complete, resumed) == []
    assert (tmp_path / "complete").stat().st_size > 100_000
    assert (tmp_path / "complete").read_bytes() == (tmp_path / "resumed").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["complete", "resumed"]


def test_a_truncated_or_missing_capture_is_not_resumed(tmp_path: Path) -> None:
    setup = Town().setup(1)
    links = setup.network.link_names()

    def run(resume: bool) -> None:
        checkpoints = StudyCheckpoint(tmp_path / "state", {}, 0.0)
        if resume:
            checkpoints.resume()
        run_procedure(
            setup, "sync-mipv4", progress=KillAfter(20), checkpoints=checkpoints,
            record=lambda *made: Recorder(tmp_path / "capture", links, None, "", 0, *made),
        )  # fmt: skip

    with pytest.raises(Killed):
        run(resume=False)
    partial = partial_path(tmp_path / "capture")
    length = partial.stat().st_size
    partial.write_bytes(partial.read_bytes()[: length // 2])
    with pytest.raises(ValueError, match=rf"capture.handoff-partial: it has {length // 2} bytes of the \d+ that were written"):
        run(resume=True)
    partial.unlink()
    with pytest.raises(ValueError, match=r"capture: the unfinished file to resume is missing"):
        run(resume=True)


def test_a_checkpoint_of_another_study_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with pytest.raises(Killed):
        run_procedure(Town().setup(1), "mipv4", progress=KillAfter(9), checkpoints=StudyCheckpoint(path, {"--seed": 1}, 0.0))
    with pytest.raises(CheckpointError, match=r"state: of another study or program: --seed differs"):
        StudyCheckpoint(path, {"--seed": 2}, None).resume()
    again = StudyCheckpoint(path, {"--seed": 1}, None)
    assert again.resume() > 0
    with pytest.raises(CheckpointError, match="state: the state is one of another network"):  # the names in the file are the same
        run_procedure(Town().setup(2), "mipv4", checkpoints=again)


PAYLOADS = [b"cos\nsystem\n(S'true'\ntR.", pickle.dumps(Path), pickle.dumps(StudyCheckpoint), b"\x80", b"N."]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_checkpoint_with_a_foreign_payload_is_refused(payload: bytes, tmp_path: Path) -> None:
    """The file has a valid digest, but its payload is not from a study."""
    checkpoint = StudyCheckpoint(tmp_path / "state", {}, None)
    with write_checkpoint(checkpoint.path, {"study": checkpoint.study, "engines": 1, "time_ps": 0}) as file:
        file.write(payload)
    with pytest.raises(CheckpointError):
        checkpoint.resume()
    with open_checkpoint(checkpoint.path) as (facts, _):
        assert facts["engines"] == 1
