"""``handoff plan``: print the answers of a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handoff.cli.exit_codes import ExitCode
from handoff.cli.interrupt import InterruptHandler
from handoff.cli.plan_output import print_answers, show_dry_run, show_estimates
from handoff.cli.progress import StatusLine
from handoff.cli.terminal import report
from handoff.experiments.execution.task import Executor
from handoff.experiments.planning.answer import Answer
from handoff.experiments.planning.planner import ExecutorEnded
from handoff.experiments.planning.request import PlanRequest, validate_request
from handoff.experiments.planning.run import analytic_answers, run_plan


def plan_command(
    request: PlanRequest, open_executor: Callable[[], Executor], *, as_json: bool, dry_run: bool, progress: bool | None
) -> int:
    """Answer a plan's question for each procedure and print the answers; return the exit code.

    Raises
    ------
    ScenarioError
        If the scenario or the request is wrong.
    """
    plan = validate_request(request)
    if request.analytic:
        estimates = analytic_answers(plan)
        show_estimates(plan, estimates, as_json)
        return ExitCode.TARGET_MISSED if any(answer.is_infeasible for answer in estimates) else ExitCode.OK
    if dry_run:
        show_dry_run(plan, as_json)
        return ExitCode.OK
    line = StatusLine(progress)
    executor = open_executor()
    interruption = InterruptHandler("reporting the findings so far")
    try:
        answers = run_plan(plan, executor, line, interruption.breaks)
    except ExecutorEnded as error:
        line.end()
        report(f"handoff: {error}")
        return ExitCode.FAILED
    line.end()
    code = interruption.exit_code or _exit_code(answers)
    print_answers(plan, answers, code == ExitCode.OK, as_json)
    return code


def _exit_code(answers: Sequence[Answer]) -> int:
    if not all(a.complete for a in answers):
        return ExitCode.INTERRUPTED
    if any(a.is_infeasible for a in answers):
        return ExitCode.TARGET_MISSED
    is_certain = all(a.is_found and a.bracket.is_monotone and not a.rests_on_problems for a in answers)
    return ExitCode.OK if is_certain else ExitCode.FAILED


__all__ = ["PlanRequest", "plan_command"]
