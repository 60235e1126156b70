"""Runs of procedures that are abandoned and gone on with: everything is as if they never had been."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.checkpoint import CheckpointError, reading, writing
from handoff.checkpoint import Checkpoints
from handoff.export.capture import Recorder, link_names
from handoff.procedures import PROCEDURES
from handoff.setup import Setup
from handoff.study import Run, StudyProgress, run_procedure
from tests.conformance.town import Town
from tests.oracle.compare import differences


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests lose no power."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


class Killed(Exception):
    """In the middle of everything, as far as a run can tell."""


class Death:
    """Lets a run live for some slices."""

    def __init__(self, slices: int) -> None:
        self.left = slices

    def __call__(self, at: StudyProgress) -> bool:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return True


def columns(run: Run) -> dict[str, Any]:
    found = {"extra": run.extra, "simultaneous": run.simultaneous, "interrupted": run.interrupted_ps, **run.handoffs}
    if run.detail is not None:
        found |= {f"flow {k}": v for k, v in run.detail.flows.items()} | {f"study {k}": v for k, v in run.detail.study.items()}
    return found


def unlike(whole: Run, other: Run) -> list[str]:
    """What differs between two runs; nan is like nan."""
    a, b = ({name: str(np.asarray(values).tolist()) for name, values in columns(run).items()} for run in (whole, other))
    return differences(whole.result, other.result) + [name for name in a.keys() | b.keys() if a.get(name) != b.get(name)]


def killed_and_resumed(setup: Setup, procedure: str, path: Path, dice: Random, **options: Any) -> Run:
    """The same run with a death after some slices, again and again."""
    for life in range(200):
        checkpoints = Checkpoints(path, {}, 0.0)
        if life and path.exists():
            checkpoints.resume()
        try:
            done = run_procedure(
                setup, procedure, progress=Death(dice.randrange(30)), checkpoints=checkpoints, **options
            )
        except Killed:
            checkpoints.close()
            continue
        assert life >= 2
        checkpoints.remove()
        assert not path.exists()
        return done
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_every_procedure_survives_deaths_between_slices(procedure: str, tmp_path: Path) -> None:
    """All options and restarts at random: whatever a controller knows has to be in the file."""
    for number in range(2):
        setup = Town(wild=True, mobiles=6, moving_ms=2_500, until_ms=3_000).setup(number)
        whole = run_procedure(setup, procedure, seed=number)
        resumed = killed_and_resumed(setup, procedure, tmp_path / "state", Random(number), seed=number)
        assert unlike(whole, resumed) == [], (number, setup.options)


@pytest.mark.parametrize("procedure", ["sync-mipv4", "sync-mipv6-ro"])
def test_a_capture_is_the_same_to_the_byte(procedure: str, tmp_path: Path) -> None:
    """The second procedure authenticates acknowledgements by what the updates before them said."""
    setup = Town(wild=True, mobiles=4, moving_ms=2_000, until_ms=2_400).setup(7)
    setup = replace(setup, options=replace(setup.options, profile="rfc"))
    links = link_names(setup.network)

    def recorder(name: str) -> Any:
        return lambda *run: Recorder(tmp_path / name, links, 0, "of a test", 0, *run)

    whole = run_procedure(setup, procedure, detail=True, record=recorder("whole"))
    resumed = killed_and_resumed(setup, procedure, tmp_path / "state", Random(1), detail=True, record=recorder("resumed"))
    assert unlike(whole, resumed) == []
    assert (tmp_path / "whole").stat().st_size > 100_000
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "resumed").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["resumed", "whole"]


def test_a_capture_that_has_lost_its_end_is_not_gone_on_with(tmp_path: Path) -> None:
    setup = Town().setup(1)
    links = link_names(setup.network)

    def run(resume: bool) -> None:
        checkpoints = Checkpoints(tmp_path / "state", {}, 0.0)
        if resume:
            checkpoints.resume()
        run_procedure(
            setup, "sync-mipv4", progress=Death(20), checkpoints=checkpoints,
            record=lambda *made: Recorder(tmp_path / "capture", links, 0, "", 0, *made),
        )  # fmt: skip

    with pytest.raises(Killed):
        run(resume=False)
    partial = tmp_path / "capture.partial"
    length = partial.stat().st_size
    partial.write_bytes(partial.read_bytes()[: length // 2])
    with pytest.raises(ValueError, match=rf"capture.partial: it has {length // 2} bytes of the \d+ that were written"):
        run(resume=True)
    partial.unlink()
    with pytest.raises(ValueError, match=r"capture.partial: the capture to resume is missing"):
        run(resume=True)


def test_another_study_is_refused_and_said_why(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with pytest.raises(Killed):
        run_procedure(Town().setup(1), "mipv4", progress=Death(9), checkpoints=Checkpoints(path, {"--seed": 1}, 0.0))
    with pytest.raises(CheckpointError, match=r"state: of another study or program: --seed differs"):
        Checkpoints(path, {"--seed": 2}, None).resume()
    again = Checkpoints(path, {"--seed": 1}, None)
    assert again.resume() > 0
    with pytest.raises(CheckpointError, match="state: the state is one of another network"):  # what no name in the file tells
        run_procedure(Town().setup(2), "mipv4", checkpoints=again)


CALLS = [b"cos\nsystem\n(S'true'\ntR.", pickle.dumps(Path), pickle.dumps(Checkpoints), b"\x80", b"N."]


@pytest.mark.parametrize("payload", CALLS)
def test_a_file_calls_nothing_and_says_nothing_else(payload: bytes, tmp_path: Path) -> None:
    """Sealed soundly, but not by a study."""
    mine = Checkpoints(tmp_path / "state", {}, None)
    with writing(mine.path, {"study": mine.study, "engines": 1, "time_ps": 0}) as file:
        file.write(payload)
    with pytest.raises(CheckpointError):
        mine.resume()
    with reading(mine.path) as (facts, _):
        assert facts["engines"] == 1
