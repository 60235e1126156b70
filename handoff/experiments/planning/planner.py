"""Runs what searches ask for: replications of scenarios, by whatever executor, until there is a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from handoff.experiments.execution.task import Executor, Table, Task, TaskResult
from handoff.experiments.planning.bisection import Bracket, SearchRange, Sense, search
from handoff.experiments.planning.verdict import Reading, SloTest, TargetResult, verdict

Point = tuple[str, int]
"""Procedure, value of the field."""
Run = tuple[str, int, int]
"""Procedure, value of the field, number of the replication."""


class RunFailed(RuntimeError):
    """A run that ended without tables, and why."""


@dataclass(frozen=True)
class CachedRun:
    """What stays of a run: the measures that are targets, and its tables for those that are asked for later."""

    readings: tuple[Reading, ...]
    fingerprint: int
    tables: dict[str, Table]


class Store(Protocol):
    """Has the tables of runs that were done before, and keeps those of others."""

    def read(self, run: Run) -> dict[str, Table] | None:
        """Tables of a run, if it is there."""

    def write(self, run: Run, tables: dict[str, Table], wall_seconds: float) -> None:
        """Keep them."""


@dataclass
class Planner:
    """Evaluates values of a field for procedures.

    Attributes
    ----------
    judge : Judge
    executor : Executor
    task : callable
        The task of a value, a replication and procedures.
    read : callable
        Readings of the judge's targets, of a run's tables.
    workers : int
        Runs that the executor does at a time.
    progress : callable
        Gets a line about what is being done.
    said : callable
        A value in words.
    store : Store or None
        Keeps runs for another time.
    runs : dict of Run to Kept
        All that were done; a run that is there is not done again.
    looked : dict of Point to int
        How many replications the verdict on a value rests on.
    """

    judge: SloTest
    executor: Executor
    task: Callable[[int, int, tuple[str, ...]], Task]
    read: Callable[[dict[str, Table]], tuple[Reading, ...]]
    workers: int = 1
    progress: Callable[[str], None] = lambda line: None
    said: Callable[[int], str] = str
    store: Store | None = None
    runs: dict[Run, CachedRun] = field(default_factory=dict)
    looked: dict[Point, int] = field(default_factory=dict)

    def plan(self, procedures: Sequence[str], values: SearchRange, sense: Sense | None = None) -> tuple[dict[str, Bracket], bool]:
        """Search for each procedure, side by side: runs of the same value and seed share one task.

        Returns
        -------
        brackets : dict of str to Bracket
        complete : bool
            False if it was interrupted; the brackets say what was known.

        Raises
        ------
        RunFailed
            If a run has a problem.
        """
        brackets = {name: Bracket(values, sense=sense) for name in procedures}
        searches = {name: search(bracket) for name, bracket in brackets.items()}
        wanted = {name: next(s) for name, s in searches.items()}
        try:
            while wanted:
                ahead = [(name, x) for name, xs in wanted.items() for x in brackets[name].speculative_values(xs)]
                found = self.verdicts([(name, x) for name, xs in wanted.items() for x in xs], ahead)
                following = {}
                for name, xs in wanted.items():
                    try:
                        following[name] = searches[name].send({x: found[name, x] for x in xs})
                    except StopIteration:
                        continue
                wanted = following
        except KeyboardInterrupt:
            for bracket in brackets.values():
                bracket.close()
            return brackets, False
        return brackets, True

    def verdicts(self, points: Sequence[Point], ahead: Sequence[Point] = ()) -> dict[Point, list[TargetResult]]:
        """Findings for procedures and values, replications being added to each until it is decided or has the most.

        Workers that would be idle do runs that are likely to be wanted next: more replications of these values, and ``ahead``.
        No verdict depends on what has been done ahead, and so none on the number of workers.
        """
        found: dict[Point, list[TargetResult]] = {}
        undecided = list(dict.fromkeys(points))
        looks = self.judge.looks
        for look, later in zip(looks, (*looks[1:], looks[-1]), strict=True):
            next_ones = [(name, x, r) for name, x in undecided for r in range(look, later)]
            next_ones += [(name, x, r) for name, x in ahead for r in range(looks[0])]
            self._do([(name, x, r) for name, x in undecided for r in range(look)], next_ones)
            for name, x in undecided:
                self.looked[name, x] = look
                kept = [self.runs[name, x, r] for r in range(look)]
                readings = list(zip(*(k.readings for k in kept), strict=True))
                found[name, x] = self.judge.findings(readings, [k.fingerprint for k in kept])
            undecided = [p for p in undecided if verdict(found[p]) == "open"]
            if not undecided:
                break
        return found

    def tables(self, name: str, value: int) -> list[dict[str, Table]]:
        """Tables of the runs that the last verdict on a value rests on, in the order of their replications."""
        return [self.runs[name, value, r].tables for r in range(self.looked[name, value])]

    def _do(self, runs: Sequence[Run], ahead: Sequence[Run]) -> None:
        """Do runs that are not done yet; and others if there are workers for them."""
        for run in runs:
            if run not in self.runs and self.store is not None and (tables := self.store.read(run)):
                self._take(run, tables)
        together: dict[tuple[int, int], list[str]] = {}
        for name, x, r in (run for run in runs if run not in self.runs):
            together.setdefault((x, r), []).append(name)
        for name, x, r in (run for run in ahead if together and run not in self.runs):
            if (x, r) in together or len(together) < self.workers:
                together.setdefault((x, r), []).append(name)
        tasks = {self.task(x, r, tuple(names)): (x, r) for (x, r), names in together.items()}
        left = len(tasks)
        if left:
            self.progress(f"{_runs(left)} at {', '.join(map(self.said, sorted({x for x, _ in together})))}")
        for task, outcome in self.executor.run(tasks):
            x, r = tasks[task]
            self._keep(task, outcome, x, r)
            left -= 1
            self.progress(f"{_runs(len(self.runs))} done, {left} to go in this step")

    def _keep(self, task: Task, outcome: TaskResult, x: int, r: int) -> None:
        if outcome.problem:
            raise RunFailed(f"seed {task.seed}: {outcome.problem}")
        for name, tables, seconds in zip(task.procedures, outcome.tables, outcome.wall_seconds, strict=True):
            self._take((name, x, r), tables)
            if self.store is not None:
                self.store.write((name, x, r), tables, seconds)

    def _take(self, run: Run, tables: dict[str, Table]) -> None:
        (fingerprint,) = tables["runs"]["fingerprint"]
        self.runs[run] = CachedRun(self.read(tables), fingerprint, tables)


def _runs(count: int) -> str:
    return f"{count:,} run{'s' * (count != 1)}"
