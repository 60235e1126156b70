"""Running of a sweep from Python: callbacks, failures, interruption and resumption."""

from __future__ import annotations

import errno
import tomllib
from pathlib import Path

import pytest

from handoff.experiments.execution.task import TABLES, SerialExecutor, TaskResult
from handoff.experiments.sweep.cost_estimate import preview_sweep
from handoff.experiments.sweep.dataset import DatasetContents, Run
from handoff.experiments.sweep.dataset_writer import FinishedRun
from handoff.experiments.sweep.points import Failure, Point, RunSettings
from handoff.experiments.sweep.request import SweepRequest, plan_sweep
from handoff.experiments.sweep.runner import BackgroundWriter, SweepObserver, SweepRunner, run_sweep
from handoff.experiments.sweep.sweep_plan import SweepPlan
from handoff.scenario.load import build_scenario
from tests.unit.experiments.sweep.small_sweep import SCENARIO, write_scenario


class Recorder(SweepObserver):
    """Observer that keeps every event, and stops the sweep after a number of runs."""

    def __init__(self, stop_after: int = 10**6) -> None:
        self.missing: list[int] = []
        self.runs: list[FinishedRun] = []
        self.failures: list[Failure] = []
        self.stop_after = stop_after

    def on_start(self, missing: set[Run], contents: DatasetContents) -> None:
        self.missing.append(len(missing))

    def on_run(self, run: FinishedRun) -> None:
        self.runs.append(run)

    def on_failure(self, failure: Failure) -> None:
        self.failures.append(failure)

    def should_stop(self) -> bool:
        return len(self.runs) >= self.stop_after


def test_a_stopped_sweep_resumes_with_the_missing_runs(tmp_path: Path) -> None:
    plan, _ = plan_sweep(SweepRequest(write_scenario(tmp_path)))
    out = tmp_path / "out"
    first, second, third = Recorder(stop_after=6), Recorder(), Recorder()
    stopped = run_sweep(plan, out, SerialExecutor(), observer=first)
    assert (stopped.interrupted, len(stopped.contents.runs), len(stopped.missing)) == (True, 6, 18)
    preview = preview_sweep(plan, out)
    assert (preview.missing, len(preview.contents.runs)) == (stopped.missing, 6)
    assert preview.forecast.seconds is not None
    assert preview.forecast.seconds > 0
    resumed = run_sweep(plan, out, SerialExecutor(), observer=second)
    assert (resumed.interrupted, len(second.runs), resumed.missing, resumed.failures) == (False, 18, set(), ())
    again = run_sweep(plan, out, SerialExecutor(), observer=third)
    assert (first.missing, second.missing, third.missing, third.runs) == ([24], [18], [0], [])
    assert again.contents_hash == resumed.contents_hash == run_sweep(plan, tmp_path / "other", SerialExecutor()).contents_hash


def make_plan(procedures: tuple[str, ...], seeds: tuple[int, ...] = (1, 2)) -> SweepPlan:
    points = [Point(text, name, RunSettings(), (), {"x": text}) for text in ("a", "b") for name in procedures]
    return SweepPlan(build_scenario(tomllib.loads(SCENARIO)), tuple(points), (), seeds, Path())


class FakeExecutor:
    """Executor that runs nothing: tasks that contain ``broken`` fail, all others return empty tables."""

    def __init__(self, broken: str) -> None:
        self.broken, self.tasks = broken, []

    def run(self, tasks):
        for task in tasks:
            self.tasks.append((task.scenario, task.seed, task.procedures))
            if self.broken in task.procedures and task.scenario == "b":
                yield task, TaskResult(problem="it broke")
            else:
                yield task, TaskResult(({name: {} for name in TABLES},) * len(task.procedures), (0.5,) * len(task.procedures))


def test_a_failed_task_is_repeated_procedure_by_procedure_and_fails_once() -> None:
    plan, recorder, executor = make_plan(("p", "q")), Recorder(), FakeExecutor(broken="q")
    runner = SweepRunner(plan, plan.missing({}), recorder.on_run, recorder.on_failure)
    runner.run(executor, recorder.should_stop)
    assert executor.tasks == [
        ("a", 1, ("p", "q")), ("b", 1, ("p", "q")), ("a", 2, ("p", "q")), ("b", 2, ("p", "q")),
        ("b", 1, ("p",)), ("b", 1, ("q",)), ("b", 2, ("p",)), ("b", 2, ("q",)),
    ]  # fmt: skip
    assert [(f.values, f.procedure, f.problem) for f in recorder.failures] == [({"x": "b"}, "q", "it broke")]
    assert sorted((r.point.scenario, r.point.procedure, r.seed) for r in recorder.runs) == [
        ("a", "p", 1), ("a", "p", 2), ("a", "q", 1), ("a", "q", 2), ("b", "p", 1), ("b", "p", 2)
    ]  # fmt: skip


def test_a_plan_counts_stale_runs_as_missing_on_request() -> None:
    plan = make_plan(("p",))
    key = plan.points[0].key

    class Stored:
        code_version = "old"

    assert plan.run_count == 4
    assert len(plan.missing({(key, 1): Stored()})) == 3
    assert len(plan.missing({(key, 1): Stored()}, "old")) == 3
    assert len(plan.missing({(key, 1): Stored()}, "new")) == 4


def test_a_failure_to_write_is_raised() -> None:
    class FullDisk:
        def add(self, runs, code_version):
            raise OSError(errno.ENOSPC, "No space left on device")

    run = FinishedRun(make_plan(("p",)).points[0], 1, {}, 0.0)
    with pytest.raises(OSError, match="No space left"), BackgroundWriter(FullDisk(), "v1") as background:
        background.put(run)


def test_a_writer_writes_every_run_before_it_ends() -> None:
    written = []

    class SlowWriter:
        def add(self, runs, code_version):
            written.extend((run.seed, code_version) for run in runs)

    point = make_plan(("p",)).points[0]
    with BackgroundWriter(SlowWriter(), "v1") as background:
        for seed in range(100):
            background.put(FinishedRun(point, seed, {}, 0.0))
    assert written == [(seed, "v1") for seed in range(100)]
