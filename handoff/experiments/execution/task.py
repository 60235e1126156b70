"""A task: a scenario and a seed in, rows of tables out. It carries data, never code."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from handoff.experiments.execution.input_files import changed_inputs
from handoff.output.parquet import table_columns
from handoff.protocol.setup import Setup
from handoff.scenario.load import build_scenario
from handoff.simulation.baseline import ZERO_BYTES, ByteCounts
from handoff.simulation.early_end import EarlyEnd
from handoff.simulation.run import RunResult, run_procedure, run_with_shared_baseline
from handoff.workload.build import build_setup, message_path

Table = dict[str, list[Any]]
TABLES = ("runs", "nodes", "links", "batches", "groups")
"""Tables of each run, by columns (``handoff.output.parquet.SCHEMAS``, ``BATCHES``, ``GROUPS``)."""


@dataclass(frozen=True)
class Task:
    """Runs of one or more procedures on one scenario under one seed.

    Attributes
    ----------
    scenario : str
        Tables of a scenario file as JSON (:func:`canonical_json`), with every change applied.
    folder : str
        Folder of the files that the scenario names.
    seed : int
        Seed of every draw.
    procedures : tuple of str
        Names of the procedures, which share the baseline run.
    detail : bool
        If true, record every packet and compute all metrics.
    warmup_ps : int
        Time in ps that the measures leave out at the start.
    batches : int
        Number of batches that each run is cut into, for batch means.
    memory_limit_bytes : int or None
        Memory that a run may need.
    inputs : tuple of (str, str)
        Names and digests of the files that the scenario names (:mod:`handoff.experiments.execution.input_files`). The task
        fails if a file differs.
    baseline : bool
        If false, no baseline run takes place, and the tables have no extra bytes.
    early_ends : tuple of (str, float)
        Measures and values: a run ends as soon as one is certain (:class:`handoff.simulation.early_end.EarlyEnd`).
    """

    scenario: str
    folder: str
    seed: int
    procedures: tuple[str, ...]
    detail: bool = False
    warmup_ps: int = 0
    batches: int = 1
    memory_limit_bytes: int | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    baseline: bool = True
    early_ends: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class TaskResult:
    """Result of a task: the tables of each procedure, in the task's order, or the problem that prevented them.

    Attributes
    ----------
    tables : tuple of dict of str to dict of str to list
        For each procedure, the tables named in ``TABLES``, each as columns.
    wall_seconds : tuple of float
        Real time of each run; no measure depends on it.
    problem : str
        Empty, or the mistakes in the scenario or the failure of the run, one a line.
    ended_by : tuple of str
        Measure that ended each run early; empty if none did.
    """

    tables: tuple[dict[str, Table], ...] = ()
    wall_seconds: tuple[float, ...] = ()
    problem: str = ""
    ended_by: tuple[str, ...] = ()


class Executor(Protocol):
    """Runner of tasks: in this process, in a pool of processes, or on a cluster. The results do not depend on which."""

    def __enter__(self) -> Executor: ...

    def __exit__(self, *failure: object) -> None: ...

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        """Yield results as they arrive, in any order; tasks are drawn from the iterable as workers become free."""

    def stop(self) -> None:
        """Start no more tasks, so that ``run`` ends after those in progress. Safe to call from a signal handler."""


@dataclass
class SerialExecutor:
    """Executor that runs one task after the other in this process."""

    done: int = field(default=0, init=False)
    stopped: bool = field(default=False, init=False)

    def __enter__(self) -> SerialExecutor:
        return self

    def __exit__(self, *failure: object) -> None:
        return None

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        """Yield the results in the order of the tasks."""
        for task in tasks:
            if self.stopped:
                return
            yield task, run_task(task)
            self.done += 1

    def stop(self) -> None:
        """End after the task in progress."""
        self.stopped = True


def canonical_json(data: dict[str, Any]) -> str:
    """Return a scenario's tables as JSON text that does not depend on the order of the keys."""
    return json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def run_task(task: Task) -> TaskResult:
    """Run a task in this process; any error becomes the ``problem`` of the result."""
    if errors := changed_inputs(Path(task.folder), task.inputs):
        return TaskResult(problem="\n".join(errors))
    try:
        scenario = build_scenario(json.loads(task.scenario))
        setup = build_setup(scenario, message_path(Path(task.folder), scenario), task.seed, task.memory_limit_bytes)
        references: dict[Any, ByteCounts] = {}
        early_ends = tuple(EarlyEnd(*end) for end in task.early_ends)
        tables, seconds, ended_by = [], [], []
        for name in task.procedures:
            start = time.perf_counter()
            run = _run(task, setup, name, references, early_ends)
            tables.append(run_tables(run, setup, task.seed))
            seconds.append(time.perf_counter() - start)
            ended_by.append(run.ended_by)
    except (ValueError, MemoryError, OSError, RuntimeError) as error:
        return TaskResult(problem=str(error) or type(error).__name__)
    except Exception as error:  # a defect of this program: report where it is, so that the other tasks can run
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return TaskResult(problem=f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})")
    return TaskResult(tuple(tables), tuple(seconds), ended_by=tuple(ended_by))


def run_tables(run: RunResult, setup: Setup, seed: int) -> dict[str, Table]:
    """Return the tables of a run that ``TABLES`` names, in Python's own numbers."""
    return {table: _to_python(table_columns(table, run, setup, seed)) for table in TABLES}


def _run(
    task: Task, setup: Setup, procedure: str, references: dict[Any, ByteCounts], early_ends: tuple[EarlyEnd, ...]
) -> RunResult:
    options: dict[str, Any] = {
        "seed": task.seed, "detail": task.detail, "warmup_ps": task.warmup_ps, "batches": task.batches,
        "memory_limit_bytes": task.memory_limit_bytes, "early_ends": early_ends,
    }  # fmt: skip
    if task.baseline:
        return run_with_shared_baseline(setup, procedure, references, **options)
    run = run_procedure(setup, procedure, reference=ZERO_BYTES, **options)
    run.extra = None
    return run


def _to_python(columns: dict[str, Any]) -> Table:
    # Python's own numbers are the same after any serialization, those of numpy are not.
    return {n: c.tolist() if isinstance(c, np.ndarray) else [*map(_to_python_value, c)] for n, c in columns.items()}


def _to_python_value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
