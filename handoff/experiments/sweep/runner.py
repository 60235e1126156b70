"""The runs of a sweep that are missing: made into tasks, given to an executor, written as they come back."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from types import TracebackType

from handoff.experiments.execution.task import Executor, Task, TaskResult
from handoff.experiments.sweep.dataset import FinishedRun, Run, StoredRun, Writer
from handoff.experiments.sweep.points import Failure, Point

MOST_WAITING = 1000
"""Runs to be written; beyond it the next ones wait for the disk."""


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep is.

    Attributes
    ----------
    points : tuple of Point
        In their order.
    failures : tuple of Failure
        Points whose scenario is wrong.
    seeds : tuple of int
        Of the replications, the same for all points: they see the same draws.
    folder : Path
        Where the files are that scenarios name.
    memory_limit_bytes : int or None
        Of a run.
    """

    points: tuple[Point, ...]
    failures: tuple[Failure, ...]
    seeds: tuple[int, ...]
    folder: Path
    memory_limit_bytes: int | None = None

    def missing(self, stored: Mapping[Run, StoredRun], code_version: str | None = None) -> set[Run]:
        """Runs that are not there; with a code version also those of another one."""
        runs = ((p.key, seed) for p in self.points for seed in self.seeds)
        return {r for r in runs if r not in stored or (code_version is not None and stored[r].code_version != code_version)}


@dataclass
class SweepRunner:
    """Does the missing runs of a plan.

    Attributes
    ----------
    plan : Plan
    missing : set of Run
        To be done.
    done : Callable
        Called with each finished run.
    failures : dict of str to Failure
        Points that failed, by key.
    failed : Callable
        Called with each point that failed.
    """

    plan: SweepPlan
    missing: set[Run]
    done: Callable[[FinishedRun], None]
    failed: Callable[[Failure], None]
    failures: dict[str, Failure] = field(default_factory=dict)

    def run(self, executor: Executor, stopped: Callable[[], bool]) -> None:
        """Do everything; a task that failed is done again procedure by procedure, so that one costs the others nothing.

        Parameters
        ----------
        executor : Executor
            Entered already.
        stopped : callable
            Whether nothing more is to be begun.
        """
        again: list[Task] = []
        by_run = {(p.scenario, p.procedure): p for p in self.plan.points}
        for tasks in (self._tasks(), iter(again)):
            for task, outcome in executor.run(takewhile(lambda _: not stopped(), tasks)):
                points = [by_run[task.scenario, name] for name in task.procedures]
                if outcome.problem and len(points) > 1:
                    again += [replace(task, procedures=(name,)) for name in task.procedures]
                else:
                    self._take(task.seed, points, outcome)

    def _tasks(self) -> Iterator[Task]:
        """First replications of all points first, so that there is an early picture of all."""
        groups: dict[str, list[Point]] = {}
        for point in self.plan.points:
            groups.setdefault(point.scenario, []).append(point)
        for seed in self.plan.seeds:
            for scenario, points in groups.items():
                wanted = [p for p in points if (p.key, seed) in self.missing and p.key not in self.failures]
                if wanted:
                    yield self._task(scenario, seed, wanted)

    def _task(self, scenario: str, seed: int, points: Sequence[Point]) -> Task:
        settings = points[0].settings
        return Task(
            scenario, str(self.plan.folder), seed, tuple(p.procedure for p in points), settings.detail, settings.warmup_ps,
            settings.batches, self.plan.memory_limit_bytes, points[0].inputs,
        )  # fmt: skip

    def _take(self, seed: int, points: Sequence[Point], outcome: TaskResult) -> None:
        if outcome.problem:
            (point,) = points
            if point.key not in self.failures:
                self.failures[point.key] = Failure(point.values, point.procedure, outcome.problem)
                self.failed(self.failures[point.key])
            return
        for point, tables, seconds in zip(points, outcome.tables, outcome.wall_seconds, strict=True):
            self.done(FinishedRun(point, seed, tables, seconds))


class BackgroundWriter:
    """Writes finished runs in a thread of its own: what has come while it was syncing is written next, all at once.

    Leaving the context writes the rest; a failure to write is raised there, and by ``put`` before.

    Parameters
    ----------
    writer : Writer
        Of the dataset.
    code_version : str
        Of the code that makes the runs.
    """

    def __init__(self, writer: Writer, code_version: str) -> None:
        self._writer, self._code_version = writer, code_version
        self._waiting: queue.Queue[FinishedRun | None] = queue.Queue(MOST_WAITING)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._keep, name="dataset")

    def __enter__(self) -> BackgroundWriter:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._waiting.put(None)
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def put(self, run: FinishedRun) -> None:
        """Have a run written."""
        if self._failure is not None:
            raise self._failure
        self._waiting.put(run)

    def _keep(self) -> None:
        more = True
        while more:
            found = [self._waiting.get()]
            while not self._waiting.empty():
                found.append(self._waiting.get())
            more = found[-1] is not None
            runs = [run for run in found if run is not None]
            if runs and self._failure is None:
                try:
                    self._writer.add(runs, self._code_version)
                except BaseException as error:
                    self._failure = error
