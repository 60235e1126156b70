"""Checkpoints of a study: what they restore and what they refuse."""

import os
import pickle

import numpy as np
import pytest

from engine.checkpoint_file import CheckpointError
from handoff.simulation import checkpoint
from handoff.simulation.baseline import ByteCounts
from handoff.simulation.checkpoint import CompletedRuns, StudyCheckpoint
from handoff.simulation.run import run_procedure
from handoff.simulation.study import run_study
from tests.analytic.one_handoff import one_handoff_setup

STUDY = {"scenario": "one handoff", "--seed": 1}
NEVER_S = 1e9


def setup():
    return one_handoff_setup("mipv4", old_down=50, new_up=60, until_ms=200)


def stop_half_way(at):
    return 2 * at.time_ps < at.until_ps


def test_a_stopped_run_resumes_with_an_equal_result(tmp_path):
    path = tmp_path / "checkpoint"
    stopped = run_procedure(setup(), "mipv4", progress=stop_half_way, checkpoints=StudyCheckpoint(path, STUDY, NEVER_S))
    assert stopped.interrupted_ps is not None
    later = StudyCheckpoint(path, STUDY, None)
    assert later.resume() == stopped.interrupted_ps
    resumed, expected = run_procedure(setup(), "mipv4", checkpoints=later), run_procedure(setup(), "mipv4")
    assert resumed.result.fingerprint == expected.result.fingerprint
    assert resumed.extra == expected.extra
    assert all(np.array_equal(resumed.handoffs[name], column) for name, column in expected.handoffs.items())


def test_complete_runs_are_restored_and_not_repeated(tmp_path):
    path = tmp_path / "checkpoint"

    def stop_the_second(name):
        return stop_half_way if name == "mipv4-bicast" else lambda at: True

    checkpoints = StudyCheckpoint(path, STUDY, NEVER_S)
    first = run_study(setup(), ["mipv4", "mipv4-bicast"], checkpoints=checkpoints, progress=stop_the_second)
    assert [run.interrupted_ps is None for run in first] == [True, False]
    later = StudyCheckpoint(path, STUDY, None)
    later.resume()
    assert [run.procedure for run in later.complete.runs] == ["mipv4"]
    assert later.complete.runs[0].summary() == first[0].summary()
    started = []
    run_study(setup(), ["mipv4", "mipv4-bicast"], checkpoints=later, progress=lambda name: started.append(name))
    assert started == ["mipv4-bicast"]


def test_another_study_and_a_damaged_file_are_refused(tmp_path):
    path = tmp_path / "checkpoint"
    run_procedure(setup(), "mipv4", progress=stop_half_way, checkpoints=StudyCheckpoint(path, STUDY, NEVER_S))
    with pytest.raises(CheckpointError, match="of another study or program: --seed differs"):
        StudyCheckpoint(path, STUDY | {"--seed": 2}, None).resume()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="damaged"):
        StudyCheckpoint(path, STUDY, None).resume()


def test_a_checkpoint_is_written_when_its_time_has_come(tmp_path):
    path = tmp_path / "checkpoint"
    checkpoints = StudyCheckpoint(path, STUDY, NEVER_S)
    run_procedure(setup(), "mipv4", checkpoints=checkpoints)
    assert not path.exists()
    run_procedure(setup(), "mipv4", checkpoints=StudyCheckpoint(path, STUDY, 0.0))
    assert path.exists()


class _Call:
    def __reduce__(self):
        return os.getcwd, ()


@pytest.mark.parametrize("value", [_Call(), os.getcwd, pickle.Pickler, checkpoint.StudyCheckpoint])
def test_a_checkpoint_can_only_create_admitted_classes(tmp_path, value):
    """A function of another module, and a class outside the protocol, are refused by name before they are called."""
    path = tmp_path / "pickle"
    path.write_bytes(pickle.dumps(value))
    with path.open("rb") as file, pytest.raises(CheckpointError, match="a checkpoint cannot contain"):
        checkpoint._Unpickler(file, {}).load()


def test_shared_objects_go_by_name(tmp_path):
    path, shared = tmp_path / "pickle", object()
    with path.open("wb") as file:
        checkpoint._dump(CompletedRuns(references={("key",): ByteCounts(1, 2)}), file, {})
        checkpoint._dump([shared, shared], file, {"thing": shared})
    replacement = object()
    with path.open("rb") as file:
        assert checkpoint._Unpickler(file, {}).load().references == {("key",): ByteCounts(1, 2)}
        assert checkpoint._Unpickler(file, {"thing": replacement}).load() == [replacement, replacement]
