"""``handoff sweep``: print the progress and the results of a sweep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from handoff.cli.exit_codes import ExitCode
from handoff.cli.interrupt import InterruptHandler
from handoff.cli.sweep_output import show_forecast, show_summary
from handoff.cli.sweep_progress import Progress
from handoff.cli.terminal import report
from handoff.experiments.sweep.cost_estimate import preview_sweep
from handoff.experiments.sweep.dataset import DatasetContents, Run
from handoff.experiments.sweep.dataset_writer import FinishedRun
from handoff.experiments.sweep.points import Failure, group_failures
from handoff.experiments.sweep.request import SweepRequest, plan_sweep
from handoff.experiments.sweep.runner import SweepObserver, run_sweep

if TYPE_CHECKING:
    from handoff.experiments.execution.task import Executor


def sweep(
    request: SweepRequest, output: Path | None, open_executor: Callable[[], Executor], *, dry_run: bool, rerun_stale: bool,
    progress: bool | None, as_json: bool,
) -> int:  # fmt: skip
    """Do the missing runs of a sweep and print a summary of all; return the exit code.

    Raises
    ------
    ValueError
        If the scenario, the sweep, the options or the dataset are wrong.
    """
    plan, measures = plan_sweep(request)
    if dry_run or output is None:
        show_forecast(plan, preview_sweep(plan, output, rerun_stale=rerun_stale), as_json)
        return ExitCode.FAILED if plan.failures else ExitCode.OK
    executor = open_executor()
    for line in group_failures(plan.failures):
        report(f"handoff: left out: {line}")
    observer = _TerminalObserver(executor, progress)
    result = run_sweep(plan, output, executor, rerun_stale=rerun_stale, observer=observer)
    observer.end()
    show_summary(plan, result, measures, as_json)
    return observer.exit_code or (ExitCode.FAILED if result.failures else ExitCode.OK)


class _TerminalObserver(SweepObserver):
    """Observer that prints on stderr and stops the sweep at the first Ctrl-C."""

    def __init__(self, executor: Executor, show_progress: bool | None) -> None:
        self._executor, self._show_progress = executor, show_progress
        self._progress: Progress | None = None
        self._interruption: InterruptHandler | None = None

    def on_start(self, missing: set[Run], contents: DatasetContents) -> None:
        for damage in contents.damaged:
            report(f"handoff: {damage}: done again if it is part of this sweep")
        if missing:
            self._progress = Progress(missing, contents.runs, self._show_progress)
            self._interruption = InterruptHandler("finishing the runs in progress", self._executor.stop)

    def on_run(self, run: FinishedRun) -> None:
        if self._progress is not None:
            self._progress(run)

    def on_failure(self, failure: Failure) -> None:
        self.end()
        report(f"handoff: left out: {failure.describe()}")

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
