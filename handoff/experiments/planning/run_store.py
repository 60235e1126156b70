"""Runs of a plan in the dataset of a sweep: an interrupted plan goes on, and ``handoff query`` reads what was tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.task import TABLES, Table, Task
from handoff.experiments.planning.planner import Run
from handoff.experiments.planning.search_space import SearchProblem
from handoff.experiments.sweep.dataset import DatasetContents, read_contents, read_table
from handoff.experiments.sweep.dataset_writer import FinishedRun, Writer, open_writer
from handoff.experiments.sweep.points import Point, RunSettings


@dataclass
class PlanDataset:
    """A dataset that is being written.

    Attributes
    ----------
    writer : Writer
    found : Contents
        What was in it.
    version : str
        Of the code; runs of another one are done again.
    told : set of str
        Keys of points that it has been told of by this plan.
    """

    writer: Writer
    found: DatasetContents
    version: str
    told: set[str] = field(default_factory=set)

    def of(self, question: SearchProblem, task: Callable[[int, int, tuple[str, ...]], Task]) -> DatasetRunStore:
        """The runs of a question, which have these tasks."""
        return DatasetRunStore(self, question, task)


@dataclass
class DatasetRunStore:
    """``handoff.experiments.planning.planner.Store`` of one question."""

    dataset: PlanDataset
    question: SearchProblem
    task: Callable[[int, int, tuple[str, ...]], Task]

    def read(self, run: Run) -> dict[str, Table] | None:
        """Tables of a run of this code, if it is there."""
        point, seed = self._point(run)
        stored = self.dataset.found.runs.get((point.key, seed))
        if stored is None or stored.code_version != self.dataset.version:
            return None
        return {name: read_table(stored, name) for name in TABLES}

    def write(self, run: Run, tables: dict[str, Table], wall_seconds: float) -> None:
        """Keep a run: it is complete there when this returns."""
        point, seed = self._point(run)
        if point.key not in self.dataset.told:
            self.dataset.writer.add_points([point])
            self.dataset.told.add(point.key)
        self.dataset.writer.add([FinishedRun(point, seed, tables, wall_seconds)], self.dataset.version)

    def _point(self, run: Run) -> tuple[Point, int]:
        name, x, r = run
        task = self.task(x, r, (name,))
        settings = RunSettings(task.detail, task.warmup_ps, task.batches)
        values = {self.question.path: self.question.values.text(x)}
        return Point(task.scenario, name, settings, task.inputs, values), task.seed


@contextmanager
def open_dataset(folder: Path | None) -> Iterator[PlanDataset | None]:
    """The dataset in a folder, to be read and written; None where there is none.

    Raises
    ------
    ValueError
        If the folder cannot be written, or another process writes there.
    """
    if folder is None:
        yield None
        return
    with open_writer(folder) as writer:
        yield PlanDataset(writer, read_contents(folder), code_version())


__all__ = ["PlanDataset", "open_dataset"]
