"""Planner: runs the replications that searches need, on any executor, until there are verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from handoff.experiments.execution.task import Executor, Table, Task, TaskResult
from handoff.experiments.planning.task_feed import TaskFeed
from handoff.experiments.planning.value_search import Bracket, Guess, SearchRange, Sense, search
from handoff.experiments.planning.verdict import Reading, SloTest, TargetResult, overall_decision
from handoff.metrics.confidence import unbounded_interval
from handoff.scenario.errors import HandoffError

Candidate = tuple[str, int]
"""Procedure, value of the field."""
Run = tuple[str, int, int]
"""Procedure, value of the field, number of the replication."""
Waiting = Callable[[], AbstractContextManager[None]]
NO_GUESSES: Mapping[str, Guess] = {}


class ExecutorEnded(HandoffError, RuntimeError):
    """End of the executor before all runs of a step were done."""


@dataclass(frozen=True)
class CachedRun:
    """A finished run: the measures of the targets, and all tables for later questions. ``ended_by`` is what ended it early."""

    readings: tuple[Reading, ...]
    fingerprint: int
    tables: dict[str, Table]
    ended_by: str = ""


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
    may_end_early : bool
        True if runs may end as soon as they are certain to exceed a limit by far. Those at the low end never do, and no run does
        if that end misses the targets: the figures then show where the search can stop.
    waiting : callable
        Returns a context for each wait for a run. There a KeyboardInterrupt ends a search and nothing is half written.
    find_errors : callable
        Returns the mistakes in the scenario at a value. A value with mistakes has no runs.
    runs : dict of Run to CachedRun
        All finished runs; none is done twice.
    failures : dict of Run to str
        Runs that failed, each with the reason.
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
    may_end_early: bool = False
    waiting: Waiting = nullcontext
    find_errors: Callable[[int], Sequence[str]] = lambda value: ()
    runs: dict[Run, CachedRun] = field(default_factory=dict)
    failures: dict[Run, str] = field(default_factory=dict)
    replications_used: dict[Candidate, int] = field(default_factory=dict)
    _places: dict[Task, tuple[int, int]] = field(default_factory=dict, init=False)
    _errors: dict[int, str] = field(default_factory=dict, init=False)
    _brackets: Mapping[str, Bracket] = field(default_factory=dict, init=False)
    _described: set[Candidate] = field(default_factory=set, init=False)
    _separate: set[Run] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._feed = TaskFeed(self.executor, self.workers)

    def search_values(
        self, procedures: Sequence[str], values: SearchRange, sense: Sense | None = None,
        guesses: Mapping[str, Guess] = NO_GUESSES,
    ) -> tuple[dict[str, Bracket], bool]:  # fmt: skip
        """Search for each procedure, in parallel: runs of the same value and seed share one task.

        ``guesses`` has functions that guess the answer, by procedure (``handoff.experiments.planning.value_search.search``).

        Returns
        -------
        brackets : dict of str to Bracket
            State of the search for each procedure.
        complete : bool
            False if a KeyboardInterrupt ended the search early.

        Raises
        ------
        ExecutorEnded
            If the executor ends before the runs are done.
        """
        brackets = self._brackets = {name: Bracket(values, sense=sense) for name in procedures}
        try:
            self._search(brackets, guesses)
        except KeyboardInterrupt:
            for bracket in brackets.values():
                bracket.update_ends()
            return brackets, False
        else:
            with suppress(KeyboardInterrupt):  # the answers are complete without it
                self._complete_first_missed(brackets)
            return brackets, True
        finally:
            self._feed.close()

    def _search(self, brackets: Mapping[str, Bracket], guesses: Mapping[str, Guess]) -> None:
        searches = {name: search(bracket, guesses.get(name)) for name, bracket in brackets.items()}
        requested = {name: next(s) for name, s in searches.items()}
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

    def evaluate(self, candidates: Sequence[Candidate], ahead: Sequence[Candidate] = ()) -> dict[Candidate, list[TargetResult]]:
        """Return results for values, each after as many replications as its verdict needs, or the maximum.

        Workers that would be idle do runs that are likely to be needed next: further replications of these values, and ``ahead``.
        No verdict depends on the runs done ahead, and so none depends on the number of workers. A value with a problem
        (:meth:`find_problem`) stays open.
        """
        self.replications_used.update(dict.fromkeys(candidates, 0))
        results = {c: self._judge(c) for c in candidates}
        undecided = [c for c in results if not self._find_errors(c[1])]
        ahead = [c for c in ahead if not self._find_errors(c[1])]
        looks = self.slo_test.looks
        for look, next_look in zip(looks, (*looks[1:], looks[-1]), strict=True):
            if not undecided:
                break
            likely = [(name, x, r) for name, x in undecided for r in range(look, next_look)]
            likely += [(name, x, r) for name, x in ahead for r in range(looks[0])]
            self._do_runs([(name, x, r) for name, x in undecided for r in range(look)], likely)
            for name, x in undecided:
                self.replications_used[name, x] = look
                results[name, x] = self._judge((name, x))
            undecided = [c for c in undecided if overall_decision(results[c]) == "open" and not self._stays_open(c, results[c])]
        return results

    def find_problem(self, candidate: Candidate) -> str:
        """Return why a value has no verdict: mistakes in its scenario, or the failure of a run behind the verdict; else ""."""
        name, x = candidate
        runs = [(name, x, r) for r in range(self.replications_used.get(candidate, 0))]
        failures = [self.failures[run] for run in runs if run in self.failures and run not in self.runs]
        return self._find_errors(x) or next(iter(failures), "")

    def count_runs(self, candidate: Candidate) -> int:
        """Return the number of runs behind the last verdict on a value."""
        return len(self._runs_behind(candidate))

    def tables(self, procedure: str, value: int) -> list[dict[str, Table]]:
        """Return the tables of the complete runs behind the last verdict on a value; without any, those of the others."""
        runs = self._runs_behind((procedure, value))
        return [run.tables for run in runs if not run.ended_by] or [run.tables for run in runs]

    def _find_errors(self, value: int) -> str:
        if value not in self._errors:
            self._errors[value] = "; ".join(self.find_errors(value))
        return self._errors[value]

    def _must_be_complete(self, candidate: Candidate) -> bool:
        name, x = candidate
        if not self.may_end_early or not self.slo_test.early_ends or candidate in self._described:
            return True
        if (bracket := self._brackets.get(name)) is None:
            return False
        low = bracket.verdicts.get(bracket.range.low)
        return x == bracket.range.low or (low is not None and overall_decision(low) != "met")

    def _runs_behind(self, candidate: Candidate) -> list[CachedRun]:
        runs = [(*candidate, r) for r in range(self.replications_used[candidate])]
        return [self.runs[run] for run in runs if run in self.runs]

    def _readings(self, candidate: Candidate) -> list[tuple[Reading, ...]]:
        return list(zip(*(run.readings for run in self._runs_behind(candidate)), strict=True))

    def _judge(self, candidate: Candidate) -> list[TargetResult]:
        runs, problem = self._runs_behind(candidate), self.find_problem(candidate)
        if problem or not runs:
            return [TargetResult(target, "open", unbounded_interval([]), problem) for target in self.slo_test.targets]
        return self.slo_test.evaluate(self._readings(candidate), [run.fingerprint for run in runs])

    def _stays_open(self, candidate: Candidate, results: Sequence[TargetResult]) -> bool:
        return bool(self.find_problem(candidate)) or self.slo_test.stays_open(results, self._readings(candidate))

    def _complete_first_missed(self, brackets: Mapping[str, Bracket]) -> None:
        # The answer describes the load at its missed end, from one complete run.
        ends = [(name, b.first_missed) for name, b in brackets.items() if b.first_missed is not None]
        ends = [end for end in ends if all(run.ended_by for run in self._runs_behind(end))]
        self._described.update(ends)
        self._do_runs([(name, x, 0) for name, x in ends], ())
        for name, x in ends:
            brackets[name].verdicts[x] = self._judge((name, x))

    def _is_done(self, run: Run) -> bool:
        # A run that ended early counts only where runs may.
        done = self.runs.get(run)
        return run in self.failures or (done is not None and not (done.ended_by and self._must_be_complete(run[:2])))

    def _read_store(self, runs: Sequence[Run]) -> None:
        for run in runs:
            if run not in self.runs and self.store is not None and (tables := self.store.read(run)):
                self._add_run(run, tables)

    def _do_runs(self, runs: Sequence[Run], likely: Sequence[Run]) -> None:
        self._read_store(runs)
        missing = [run for run in runs if not self._is_done(run)]
        if not missing:
            return
        self._read_store(likely)
        ahead = [run for run in likely if run not in missing and not self._is_done(run)]
        self._feed.put(self._make_tasks(missing), self._make_tasks(ahead))
        places = {(x, r) for _, x, r in missing}
        self.progress(f"{_count_runs(len(places))} at {', '.join(map(self.display, sorted({x for x, _ in places})))}")
        while remaining := [run for run in missing if not self._is_done(run)]:
            with self.waiting():
                done = self._feed.next_result()
            if done is None:
                raise ExecutorEnded(f"the executor ended before {_count_runs(len(remaining))} of this step")
            task, result = done
            if result.problem and len(task.procedures) > 1:  # the failure of one must not cost the others their runs
                self._separate.update((name, *self._places[task]) for name in task.procedures)
                self._feed.put(self._make_tasks(remaining), self._make_tasks(ahead))
            else:
                self._add_result(task, result)
            self.progress(f"{_count_runs(len(self.runs))} done, {len(remaining) - 1} to go in this step")
        self._feed.end_step()

    def _make_tasks(self, runs: Sequence[Run]) -> list[Task]:
        """Return the tasks of the runs that are not in progress; procedures share a task if their runs may end alike."""
        in_progress = {(name, *self._places[t], not t.early_ends) for t in self._feed.in_progress for name in t.procedures}
        procedures: dict[tuple[int, int, bool, str], list[str]] = {}
        for name, x, r in runs:
            complete = self._must_be_complete((name, x))
            if (name, x, r, complete) not in in_progress:
                procedures.setdefault((x, r, complete, name if (name, x, r) in self._separate else ""), []).append(name)
        tasks = []
        for (x, r, complete, _), names in procedures.items():
            task = self.make_task(x, r, tuple(names))
            tasks.append(task if complete else replace(task, early_ends=tuple(self.slo_test.early_ends.items())))
            self._places[tasks[-1]] = x, r
        return tasks

    def _add_result(self, task: Task, result: TaskResult) -> None:
        x, r = self._places[task]
        if result.problem:
            (name,) = task.procedures
            self.failures[name, x, r] = f"the run with seed {task.seed} failed: {'; '.join(result.problem.splitlines())}"
            return
        ended_by = result.ended_by or ("",) * len(task.procedures)
        for name, tables, seconds, end in zip(task.procedures, result.tables, result.wall_seconds, ended_by, strict=True):
            self._add_run((name, x, r), tables, end)
            if self.store is not None:
                self.store.write((name, x, r), tables, seconds)

    def _add_run(self, run: Run, tables: dict[str, Table], ended_by: str = "") -> None:
        if ended_by and run in self.runs:
            return  # begun ahead of need
        (fingerprint,) = tables["runs"]["fingerprint"]
        readings = self.slo_test.cut_readings(ended_by) if ended_by else self.read_measures(tables)
        self.runs[run] = CachedRun(readings, fingerprint, tables, ended_by)


def _count_runs(count: int) -> str:
    return f"{count:,} run{'s' * (count != 1)}"
