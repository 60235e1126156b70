"""Runs of a plan in the dataset of a sweep: an interrupted plan resumes, and ``handoff query`` reads its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.task import TABLES, Table, Task
from handoff.experiments.planning.planner import Run
from handoff.experiments.planning.search_problems import SearchProblem
from handoff.experiments.sweep.dataset import DatasetContents, read_contents, read_table
from handoff.experiments.sweep.dataset_writer import FinishedRun, Writer, open_writer
from handoff.experiments.sweep.points import Point, RunSettings


@dataclass
class PlanDataset:
    """A dataset that a plan reads and writes.

    Attributes
    ----------
    writer : Writer
    contents : DatasetContents
        Runs that were there at the start.
    version : str
        Version of the code; runs of another version are repeated.
    described_points : set of str
        Keys of the points that this plan has written a description of.
    """

    writer: Writer
    contents: DatasetContents
    version: str
    described_points: set[str] = field(default_factory=set)

    def store_for(self, problem: SearchProblem, make_task: Callable[[int, int, tuple[str, ...]], Task]) -> DatasetRunStore:
        """Return the store of the runs of a search problem, which have these tasks."""
        return DatasetRunStore(self, problem, make_task)


@dataclass
class DatasetRunStore:
    """Store of the runs of one search problem (``handoff.experiments.planning.planner.RunStore``)."""

    dataset: PlanDataset
    problem: SearchProblem
    make_task: Callable[[int, int, tuple[str, ...]], Task]

    def read(self, run: Run) -> dict[str, Table] | None:
        """Return the tables of a run that this version of the code made, or None."""
        point, seed = self._locate(run)
        stored = self.dataset.contents.runs.get((point.key, seed))
        if stored is None or stored.code_version != self.dataset.version:
            return None
        return {name: read_table(stored, name) for name in TABLES}

    def write(self, run: Run, tables: dict[str, Table], wall_seconds: float) -> None:
        """Store a run; it is complete in the dataset when this returns."""
        point, seed = self._locate(run)
        if point.key not in self.dataset.described_points:
            self.dataset.writer.add_points([point])
            self.dataset.described_points.add(point.key)
        self.dataset.writer.add([FinishedRun(point, seed, tables, wall_seconds)], self.dataset.version)

    def _locate(self, run: Run) -> tuple[Point, int]:
        procedure, x, r = run
        task = self.make_task(x, r, (procedure,))
        settings = RunSettings(task.detail, task.warmup_ps, task.batches)
        values = {self.problem.path: self.problem.values.text(x)}
        return Point(task.scenario, procedure, settings, task.inputs, values), task.seed


@contextmanager
def open_dataset(folder: Path | None) -> Iterator[PlanDataset | None]:
    """Open the dataset in a folder for reading and writing; without a folder, the context is None.

    Raises
    ------
    ValueError
        If the folder cannot be written, or another process is writing there.
    """
    if folder is None:
        yield None
        return
    with open_writer(folder) as writer:
        yield PlanDataset(writer, read_contents(folder), code_version())


__all__ = ["PlanDataset", "open_dataset"]
