"""One task: a scenario and a seed in, rows of tables out; it carries data, never code."""

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
from handoff.scenario import Scenario
from handoff.simulation.baseline import ByteCounts
from handoff.simulation.run import run_with_shared_baseline
from handoff.workload.build import build_setup

Table = dict[str, list[Any]]
TABLES = ("runs", "nodes", "links", "batches")
"""What comes back of each procedure, by columns (``handoff.output.parquet.SCHEMAS``, ``BATCHES``)."""


@dataclass(frozen=True)
class Task:
    """Procedures on one scenario under one seed.

    Attributes
    ----------
    scenario : str
        The tables of a scenario file as JSON with sorted keys (:func:`canonical`), every change applied.
    folder : str
        Where the files are that it names.
    seed : int
    procedures : tuple of str
    detail : bool
    warmup_ps, batches : int
    memory_limit_bytes : int or None
        As for ``handoff.simulation.run.run_procedure``.
    inputs : tuple of (str, str)
        Files that the scenario names, and the digest of what they have to hold (``handoff.experiments.execution.input_files``); others than these
        may hold anything.
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


@dataclass(frozen=True)
class TaskResult:
    """What a task left: for each procedure, in the task's order, its tables; or why there are none.

    Attributes
    ----------
    tables : tuple of dict of str to dict of str to list
        ``TABLES`` by name, each as columns.
    wall_seconds : tuple of float
        What each run took; no result depends on it.
    problem : str
        Empty, or what is wrong with the scenario, or how the run failed: one problem a line.
    """

    tables: tuple[dict[str, Table], ...] = ()
    wall_seconds: tuple[float, ...] = ()
    problem: str = ""


class Executor(Protocol):
    """Does tasks: in this process, in a pool of processes, or on a cluster; the outcomes are the same."""

    def __enter__(self) -> Executor: ...

    def __exit__(self, *failure: object) -> None: ...

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        """Outcomes as they come, in any order; tasks are taken as there is room for them, not all at once."""

    def stop(self) -> None:
        """Take no more tasks: ``run`` ends with those that are under way. May be called by a signal's handler."""


@dataclass
class SerialExecutor:
    """One after the other, here."""

    done: int = field(default=0, init=False)
    stopped: bool = field(default=False, init=False)

    def __enter__(self) -> SerialExecutor:
        return self

    def __exit__(self, *failure: object) -> None:
        return None

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        """Outcomes in the order of the tasks."""
        for task in tasks:
            if self.stopped:
                return
            yield task, run_task(task)
            self.done += 1

    def stop(self) -> None:
        """The task under way is the last."""
        self.stopped = True


def canonical_json(data: dict[str, Any]) -> str:
    """A scenario's tables as text: equal for equal tables, whatever the order of their keys."""
    return json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def run_task(task: Task) -> TaskResult:
    """Run a task here; whatever goes wrong in it becomes its ``problem``."""
    if wrong := changed_inputs(Path(task.folder), task.inputs):
        return TaskResult(problem="\n".join(wrong))
    try:
        scenario = Scenario.model_validate(json.loads(task.scenario))
        setup = build_setup(scenario, Path(task.folder) / f"{scenario.name}.toml", task.seed)
        references: dict[Any, ByteCounts] = {}
        tables, seconds = [], []
        for name in task.procedures:
            begun = time.perf_counter()
            run = run_with_shared_baseline(
                setup, name, references, seed=task.seed, detail=task.detail, warmup_ps=task.warmup_ps, batches=task.batches,
                memory_limit_bytes=task.memory_limit_bytes,
            )  # fmt: skip
            tables.append({table: _plain(table_columns(table, run, setup, task.seed)) for table in TABLES})
            seconds.append(time.perf_counter() - begun)
    except (ValueError, MemoryError, OSError, RuntimeError) as error:
        return TaskResult(problem=str(error) or type(error).__name__)
    except Exception as error:  # a fault of this program: it says where, and the other tasks go on
        at = traceback.extract_tb(error.__traceback__)[-1]
        return TaskResult(problem=f"{type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno})")
    return TaskResult(tuple(tables), tuple(seconds))


def _plain(columns: dict[str, Any]) -> Table:
    """Arrays as lists of Python's numbers, which are the same after any journey."""
    return {n: c.tolist() if isinstance(c, np.ndarray) else [*map(_plain_value, c)] for n, c in columns.items()}


def _plain_value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
