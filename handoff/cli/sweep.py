"""``handoff sweep``: print the progress and the results of a sweep."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from handoff.cli.exit_codes import ExitCode
from handoff.cli.gate import Gate, open_gate
from handoff.cli.interrupt import InterruptHandler
from handoff.cli.log import Level, log
from handoff.cli.output_paths import input_paths, output_problems, reserve_outputs
from handoff.cli.sweep_output import show_forecast, show_summary
from handoff.cli.sweep_progress import Progress
from handoff.experiments.planning.outcome import Outcome, judge_replications
from handoff.experiments.planning.slo import Target
from handoff.experiments.sweep.cost_estimate import preview_sweep
from handoff.experiments.sweep.dataset import DatasetContents, Run
from handoff.experiments.sweep.dataset_writer import FinishedRun
from handoff.experiments.sweep.points import Failure, describe_point, group_failures
from handoff.experiments.sweep.request import SweepRequest, plan_sweep
from handoff.experiments.sweep.runner import SweepObserver, SweepResult, run_sweep
from handoff.experiments.sweep.summary import stored_tables
from handoff.experiments.sweep.sweep_plan import SweepPlan
from handoff.scenario import Scenario
from handoff.scenario.option_errors import load_with_problems
from handoff.workload.build import build_setup

if TYPE_CHECKING:
    from handoff.experiments.execution.task import Executor


def sweep(
    request: SweepRequest, output: Path | None, open_executor: Callable[[], Executor], *, dry_run: bool, rerun_stale: bool,
    progress: bool | None, as_json: bool, slo: tuple[str, ...] = (), junit: Path | None = None,
) -> int:  # fmt: skip
    """Do the missing runs of a sweep and print a summary of all; return the exit code.

    Raises
    ------
    ValueError
        If the scenario, the sweep, the options or the dataset are wrong.
    """
    files = {"--junit": junit}
    preview = "--dry-run" if dry_run else "a sweep without -o" if output is None else None
    problems = [] if preview is None else output_problems(files, preview)
    plan, measures = load_with_problems(problems, lambda: plan_sweep(request))
    log(Level.DEBUG, f"handoff: {request.scenario}: {len(plan.points):,} points, {plan.run_count:,} runs")
    gate = _open_gate(plan, request, slo, junit)
    if output is None or dry_run:
        show_forecast(plan, preview_sweep(plan, output, rerun_stale=rerun_stale), as_json)
        return ExitCode.FAILED if plan.failures else ExitCode.OK
    with reserve_outputs(None, files, input_paths(plan.scenario, request.scenario)):
        return _run(plan, measures, output, open_executor(), rerun_stale, progress, as_json, gate, junit)


def _run(
    plan: SweepPlan, measures: Sequence[str], output: Path, executor: Executor, rerun_stale: bool, progress: bool | None,
    as_json: bool, gate: Gate | None, junit: Path | None,
) -> int:  # fmt: skip
    for line in group_failures(plan.failures):
        log(Level.WARNING, f"handoff: left out: {line}")
    observer = _TerminalObserver(executor, progress)
    result = run_sweep(plan, output, executor, rerun_stale=rerun_stale, observer=observer)
    observer.end()
    if gate is not None:
        gate.outcomes = _judge_points(gate.targets, plan, result)
    show_summary(plan, result, measures, as_json, gate)
    if gate is not None and junit is not None:
        gate.write_junit(junit, plan.folder.name)
    return observer.exit_code or (ExitCode.FAILED if result.failures else ExitCode.OK if gate is None else gate.exit_code)


def _open_gate(plan: SweepPlan, request: SweepRequest, slo: tuple[str, ...], junit: Path | None) -> Gate | None:
    if not slo and junit is None and plan.scenario.slo is None:
        return None
    first = plan.points[0]
    setup = build_setup(Scenario.model_validate(json.loads(first.scenario)), request.scenario, plan.seeds[0])
    return open_gate(plan.scenario, slo, setup, first.settings.detail or None, junit)


def _judge_points(targets: list[Target], plan: SweepPlan, result: SweepResult) -> list[Outcome]:
    runs = stored_tables(plan, result.contents.runs)
    return [
        outcome
        for point, tables in runs.items()
        for outcome in judge_replications(targets, describe_point(point.values, point.procedure), tables)
    ]


class _TerminalObserver(SweepObserver):
    """Observer that prints on stderr and stops the sweep at the first Ctrl-C."""

    def __init__(self, executor: Executor, show_progress: bool | None) -> None:
        self._executor, self._show_progress = executor, show_progress
        self._progress: Progress | None = None
        self._interruption: InterruptHandler | None = None

    def on_start(self, missing: set[Run], contents: DatasetContents) -> None:
        for damage in contents.damaged:
            log(Level.WARNING, f"handoff: {damage}: done again if it is part of this sweep")
        if missing:
            self._progress = Progress(missing, contents.runs, self._show_progress)
            self._interruption = InterruptHandler("finishing the runs in progress", self._executor.stop)

    def on_run(self, run: FinishedRun) -> None:
        if self._progress is not None:
            self._progress(run)

    def on_failure(self, failure: Failure) -> None:
        self.end()
        log(Level.WARNING, f"handoff: left out: {failure.describe()}")

    @property
    def exit_code(self) -> int:
        """Exit code of a sweep that a signal stopped; 0 without a signal."""
        return 0 if self._interruption is None else self._interruption.exit_code

    def should_stop(self) -> bool:
        return self._interruption is not None and self._interruption.requested

    def end(self) -> None:
        """Remove the progress from the terminal."""
        if self._progress is not None:
            self._progress.end()


__all__ = ["SweepRequest", "sweep"]
