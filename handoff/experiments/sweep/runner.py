"""Running of a sweep: the missing runs become tasks, an executor runs them, and their results are written as they arrive."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from types import TracebackType

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.task import Executor, Task, TaskResult
from handoff.experiments.sweep.dataset import DatasetContents, Run, contents_hash, read_contents
from handoff.experiments.sweep.dataset_writer import FinishedRun, Writer, open_writer
from handoff.experiments.sweep.points import Failure, Point
from handoff.experiments.sweep.sweep_plan import SweepPlan

MAX_UNWRITTEN_RUNS = 1000
"""Finished runs that wait for the disk; further ones wait for room."""


class SweepObserver:
    """Listener to a sweep in progress, and its means to stop. This one ignores everything; override what matters."""

    def on_start(self, missing: set[Run], contents: DatasetContents) -> None:
        """Receive the runs to do and the contents of the dataset, before the first run. ``missing`` may be empty."""

    def on_run(self, run: FinishedRun) -> None:
        """Receive a finished run."""

    def on_failure(self, failure: Failure) -> None:
        """Receive a point that failed while it ran; each point once."""

    def should_stop(self) -> bool:
        """Return whether no more runs should start. ``Executor.stop`` also drops the runs that a worker has not started."""
        return False


@dataclass(frozen=True)
class SweepResult:
    """State of a sweep after its runs.

    Attributes
    ----------
    contents : DatasetContents
        Complete runs of the dataset.
    failures : tuple of Failure
        Points whose scenario is wrong or whose run failed.
    missing : set of Run
        Runs that the dataset still does not have.
    code_version : str
        Version of the code that did the runs.
    interrupted : bool
        True if the observer stopped the sweep.
    """

    contents: DatasetContents
    failures: tuple[Failure, ...]
    missing: set[Run]
    code_version: str
    interrupted: bool

    @property
    def contents_hash(self) -> str:
        """Digest of all results in the dataset (:func:`handoff.experiments.sweep.dataset.contents_hash`)."""
        return contents_hash(self.contents)


def run_sweep(
    plan: SweepPlan, folder: Path, executor: Executor, *, rerun_stale: bool = False, observer: SweepObserver | None = None
) -> SweepResult:
    """Do the runs of a sweep that its dataset does not have.

    Parameters
    ----------
    plan : SweepPlan
        See :func:`handoff.experiments.sweep.request.plan_sweep`.
    folder : Path
        Folder of the dataset, which is created if need be.
    executor : Executor
        Not entered yet; it is entered if runs are missing. See :func:`handoff.experiments.execution.factory.make_executor`.
    rerun_stale : bool
        If true, repeat the runs that another version of the code made.
    observer : SweepObserver or None
        Listener, and its means to stop.

    Raises
    ------
    ValueError
        If the folder cannot be written, or another process is writing there.
    OSError
        If the results cannot be written, or the executor lost its workers.
    """
    observer = observer or SweepObserver()
    version = code_version()
    failures: dict[str, Failure] = {}
    with open_writer(folder) as writer:
        contents = read_contents(folder)
        missing = plan.missing(contents.runs, version if rerun_stale else None)
        observer.on_start(missing, contents)
        if missing:
            with executor, BackgroundWriter(writer, version) as background:
                writer.add_points(plan.points)

                def on_run(run: FinishedRun) -> None:
                    background.put(run)
                    observer.on_run(run)

                runner = SweepRunner(plan, missing, on_run, observer.on_failure)
                runner.run(executor, observer.should_stop)
                failures = runner.failures
            contents = read_contents(folder)
        else:
            writer.add_points(plan.points)
    all_failures = (*plan.failures, *failures.values())
    return SweepResult(contents, all_failures, plan.missing(contents.runs), version, bool(missing) and observer.should_stop())


@dataclass
class SweepRunner:
    """Runner of the missing runs of a plan.

    Attributes
    ----------
    plan : SweepPlan
    missing : set of Run
        Runs to do.
    on_run : Callable
        Called with each finished run.
    on_failure : Callable
        Called with each point that failed.
    failures : dict of str to Failure
        Points that failed, by key.
    """

    plan: SweepPlan
    missing: set[Run]
    on_run: Callable[[FinishedRun], None]
    on_failure: Callable[[Failure], None]
    failures: dict[str, Failure] = field(default_factory=dict)

    def run(self, executor: Executor, should_stop: Callable[[], bool]) -> None:
        """Do all missing runs.

        A task that failed is repeated procedure by procedure, so that the failure of one does not cost the others their runs.

        Parameters
        ----------
        executor : Executor
            Executor that has been entered.
        should_stop : callable
            Returns whether no more tasks should start.
        """
        retries: list[Task] = []
        points_by_run = {(p.scenario, p.procedure): p for p in self.plan.points}
        for tasks in (self._make_tasks(), iter(retries)):
            for task, result in executor.run(takewhile(lambda _: not should_stop(), tasks)):
                points = [points_by_run[task.scenario, name] for name in task.procedures]
                if result.problem and len(points) > 1:
                    retries += [replace(task, procedures=(name,)) for name in task.procedures]
                else:
                    self._take_result(task.seed, points, result)

    def _make_tasks(self) -> Iterator[Task]:
        # The first replications of all points come first, which gives an early picture of the whole sweep.
        points_by_scenario: dict[str, list[Point]] = {}
        for point in self.plan.points:
            points_by_scenario.setdefault(point.scenario, []).append(point)
        for seed in self.plan.seeds:
            for scenario, points in points_by_scenario.items():
                missing = [p for p in points if (p.key, seed) in self.missing and p.key not in self.failures]
                if missing:
                    yield self._make_task(scenario, seed, missing)

    def _make_task(self, scenario: str, seed: int, points: Sequence[Point]) -> Task:
        settings = points[0].settings
        return Task(
            scenario, str(self.plan.folder), seed, tuple(p.procedure for p in points), settings.detail, settings.warmup_ps,
            settings.batches, self.plan.memory_limit_bytes, points[0].inputs,
        )  # fmt: skip

    def _take_result(self, seed: int, points: Sequence[Point], result: TaskResult) -> None:
        if result.problem:
            (point,) = points
            if point.key not in self.failures:
                self.failures[point.key] = Failure(point.values, point.procedure, result.problem)
                self.on_failure(self.failures[point.key])
            return
        for point, tables, seconds in zip(points, result.tables, result.wall_seconds, strict=True):
            self.on_run(FinishedRun(point, seed, tables, seconds))


class BackgroundWriter:
    """Writer of finished runs in a thread of its own; the runs that arrive during one sync are written together in the next.

    Leaving the context writes the remaining runs. A failure to write is raised there, and by ``put`` before.

    Parameters
    ----------
    writer : Writer
        Writer of the dataset.
    code_version : str
        Version of the code that does the runs.
    """

    def __init__(self, writer: Writer, code_version: str) -> None:
        self._writer, self._code_version = writer, code_version
        self._unwritten: queue.Queue[FinishedRun | None] = queue.Queue(MAX_UNWRITTEN_RUNS)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._write_runs, name="dataset")

    def __enter__(self) -> BackgroundWriter:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._unwritten.put(None)
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def put(self, run: FinishedRun) -> None:
        """Hand over a run to be written."""
        if self._failure is not None:
            raise self._failure
        self._unwritten.put(run)

    def _write_runs(self) -> None:
        # None marks the end. After a failure the queue is still emptied, so that ``put`` cannot block.
        more = True
        while more:
            received = [self._unwritten.get()]
            while not self._unwritten.empty():
                received.append(self._unwritten.get())
            more = received[-1] is not None
            runs = [run for run in received if run is not None]
            if runs and self._failure is None:
                try:
                    self._writer.add(runs, self._code_version)
                except BaseException as error:
                    self._failure = error
