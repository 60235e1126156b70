"""Planner: runs the replications that searches need, on any executor, until there are verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from handoff.experiments.execution.task import Executor, Table, Task, TaskResult
from handoff.experiments.planning.value_search import Bracket, SearchRange, Sense, search
from handoff.experiments.planning.verdict import Reading, SloTest, TargetResult, overall_decision

Candidate = tuple[str, int]
"""Procedure, value of the field."""
Run = tuple[str, int, int]
"""Procedure, value of the field, number of the replication."""
Waiting = Callable[[], AbstractContextManager[None]]


class RunFailed(RuntimeError):
    """Failure of a run, with its reason."""


@dataclass(frozen=True)
class CachedRun:
    """A finished run: the measures of the targets, and all tables for later questions."""

    readings: tuple[Reading, ...]
    fingerprint: int
    tables: dict[str, Table]


class RunStore(Protocol):
    """Store of runs that outlives the planner."""

    def read(self, run: Run) -> dict[str, Table] | None:
        """Return the tables of a run, or None if it is not stored."""

    def write(self, run: Run, tables: dict[str, Table], wall_seconds: float) -> None:
        """Store the tables of a run."""


@dataclass
class Planner:
    """Evaluator of field values for procedures.

    Attributes
    ----------
    slo_test : SloTest
        Test of the targets.
    executor : Executor
        Executor that has been entered.
    make_task : callable
        Returns the task of a value, a replication and procedures.
    read_measures : callable
        Returns the readings of the targets' measures in the tables of a run.
    workers : int
        Number of tasks that the executor runs at a time.
    progress : callable
        Receives a line of text about the current step.
    display : callable
        Returns a value as text.
    store : RunStore or None
        Keeps runs for another time.
    waiting : callable
        Returns a context for each wait for a run. There a KeyboardInterrupt ends a search and nothing is half written.
    runs : dict of Run to CachedRun
        All finished runs; none is done twice.
    replications_used : dict of Candidate to int
        Number of replications behind the last verdict on a value.
    """

    slo_test: SloTest
    executor: Executor
    make_task: Callable[[int, int, tuple[str, ...]], Task]
    read_measures: Callable[[dict[str, Table]], tuple[Reading, ...]]
    workers: int = 1
    progress: Callable[[str], None] = lambda line: None
    display: Callable[[int], str] = str
    store: RunStore | None = None
    waiting: Waiting = nullcontext
    runs: dict[Run, CachedRun] = field(default_factory=dict)
    replications_used: dict[Candidate, int] = field(default_factory=dict)

    def search_values(
        self, procedures: Sequence[str], values: SearchRange, sense: Sense | None = None
    ) -> tuple[dict[str, Bracket], bool]:
        """Search for each procedure, in parallel: runs of the same value and seed share one task.

        Returns
        -------
        brackets : dict of str to Bracket
            State of the search for each procedure.
        complete : bool
            False if a KeyboardInterrupt ended the search early.

        Raises
        ------
        RunFailed
            If a run has a problem.
        """
        brackets = {name: Bracket(values, sense=sense) for name in procedures}
        searches = {name: search(bracket) for name, bracket in brackets.items()}
        requested = {name: next(s) for name, s in searches.items()}
        try:
            while requested:
                ahead = [(name, x) for name, xs in requested.items() for x in brackets[name].speculative_values(xs)]
                verdicts = self.evaluate([(name, x) for name, xs in requested.items() for x in xs], ahead)
                following = {}
                for name, xs in requested.items():
                    try:
                        following[name] = searches[name].send({x: verdicts[name, x] for x in xs})
                    except StopIteration:
                        continue
                requested = following
        except KeyboardInterrupt:
            for bracket in brackets.values():
                bracket.update_ends()
            return brackets, False
        return brackets, True

    def evaluate(self, candidates: Sequence[Candidate], ahead: Sequence[Candidate] = ()) -> dict[Candidate, list[TargetResult]]:
        """Return results for values, each after as many replications as its verdict needs, or the maximum.

        Workers that would be idle do runs that are likely to be needed next: further replications of these values, and ``ahead``.
        No verdict depends on the runs done ahead, and so none depends on the number of workers.
        """
        results: dict[Candidate, list[TargetResult]] = {}
        undecided = list(dict.fromkeys(candidates))
        looks = self.slo_test.looks
        for look, next_look in zip(looks, (*looks[1:], looks[-1]), strict=True):
            likely = [(name, x, r) for name, x in undecided for r in range(look, next_look)]
            likely += [(name, x, r) for name, x in ahead for r in range(looks[0])]
            self._do_runs([(name, x, r) for name, x in undecided for r in range(look)], likely)
            for name, x in undecided:
                self.replications_used[name, x] = look
                runs = [self.runs[name, x, r] for r in range(look)]
                readings = list(zip(*(run.readings for run in runs), strict=True))
                results[name, x] = self.slo_test.evaluate(readings, [run.fingerprint for run in runs])
            undecided = [c for c in undecided if overall_decision(results[c]) == "open"]
            if not undecided:
                break
        return results

    def tables(self, procedure: str, value: int) -> list[dict[str, Table]]:
        """Return the tables behind the last verdict on a value, in the order of the replications."""
        return [self.runs[procedure, value, r].tables for r in range(self.replications_used[procedure, value])]

    def _do_runs(self, runs: Sequence[Run], likely: Sequence[Run]) -> None:
        for run in runs:
            if run not in self.runs and self.store is not None and (tables := self.store.read(run)):
                self._add_run(run, tables)
        procedures: dict[tuple[int, int], list[str]] = {}
        for name, x, r in (run for run in runs if run not in self.runs):
            procedures.setdefault((x, r), []).append(name)
        for name, x, r in (run for run in likely if procedures and run not in self.runs):
            if (x, r) in procedures or len(procedures) < self.workers:
                procedures.setdefault((x, r), []).append(name)
        tasks = {self.make_task(x, r, tuple(names)): (x, r) for (x, r), names in procedures.items()}
        remaining = len(tasks)
        if remaining:
            self.progress(f"{_count_runs(remaining)} at {', '.join(map(self.display, sorted({x for x, _ in procedures})))}")
        results = self.executor.run(tasks)
        while (finished := self._next_result(results)) is not None:
            task, result = finished
            x, r = tasks[task]
            self._add_result(task, result, x, r)
            remaining -= 1
            self.progress(f"{_count_runs(len(self.runs))} done, {remaining} to go in this step")

    def _next_result(self, results: Iterator[tuple[Task, TaskResult]]) -> tuple[Task, TaskResult] | None:
        with self.waiting():
            return next(results, None)

    def _add_result(self, task: Task, result: TaskResult, x: int, r: int) -> None:
        if result.problem:
            raise RunFailed(f"seed {task.seed}: {result.problem}")
        for name, tables, seconds in zip(task.procedures, result.tables, result.wall_seconds, strict=True):
            self._add_run((name, x, r), tables)
            if self.store is not None:
                self.store.write((name, x, r), tables, seconds)

    def _add_run(self, run: Run, tables: dict[str, Table]) -> None:
        (fingerprint,) = tables["runs"]["fingerprint"]
        self.runs[run] = CachedRun(self.read_measures(tables), fingerprint, tables)


def _count_runs(count: int) -> str:
    return f"{count:,} run{'s' * (count != 1)}"
