"""``handoff plan``: print the answers of a plan."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from handoff.cli.exit_codes import ExitCode
from handoff.cli.gate import write_cases
from handoff.cli.interrupt import InterruptHandler
from handoff.cli.log import Level, log
from handoff.cli.output_paths import input_paths, output_problems, reserve_outputs
from handoff.cli.plan_output import print_answers, show_dry_run, show_estimates, summary_lines
from handoff.cli.progress import StatusLine
from handoff.cli.terminal import report
from handoff.experiments.execution.task import Executor
from handoff.experiments.planning.answer import Answer
from handoff.experiments.planning.planner import ExecutorEnded
from handoff.experiments.planning.request import PlanRequest, ValidatedPlan, validate_request
from handoff.experiments.planning.run import analytic_answers, run_plan
from handoff.output.junit import JunitCase
from handoff.scenario.load import build_scenario
from handoff.scenario.option_errors import load_with_problems


def plan_command(
    request: PlanRequest, open_executor: Callable[[], Executor], *, as_json: bool, dry_run: bool, progress: bool | None,
    junit: Path | None = None, report_file: Path | None = None,
) -> int:  # fmt: skip
    """Answer a plan's question for each procedure and print the answers; return the exit code.

    Raises
    ------
    ScenarioError
        If the scenario or the request is wrong.
    """
    preview = "--analytic" if request.analytic else "--dry-run" if dry_run else None
    files = {"--junit": junit, "--report": report_file}
    problems = output_problems(files, preview) if preview is not None else []
    plan = load_with_problems(problems, lambda: validate_request(request))
    targets = "; ".join(map(str, plan.targets))
    log(Level.DEBUG, f"handoff: {request.scenario}: seed {plan.seed}; {', '.join(request.procedures)}; {targets}")
    if request.analytic:
        estimates = analytic_answers(plan)
        show_estimates(plan, estimates, as_json)
        return ExitCode.TARGET_MISSED if any(answer.is_infeasible for answer in estimates) else ExitCode.OK
    if dry_run:
        show_dry_run(plan, as_json)
        return ExitCode.OK
    inputs = input_paths(build_scenario(plan.data), request.scenario)
    with reserve_outputs(None, files, inputs):
        return _run(plan, open_executor(), as_json, progress, junit, report_file)


def _run(
    plan: ValidatedPlan, executor: Executor, as_json: bool, progress: bool | None, junit: Path | None, report_file: Path | None
) -> int:  # fmt: skip
    line = StatusLine(progress)
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
    if junit is not None:
        targets = ", ".join(map(str, plan.targets))
        cases = [JunitCase(a.procedure, f"{a.field_name}: {targets}", _failure(a)) for a in answers]
        write_cases(junit, plan.data["name"], cases)
    if report_file is not None:
        from handoff.cli.plan_report import write_plan_report

        write_plan_report(report_file, plan, answers, sys.argv[1:])
    return code


def _failure(answer: Answer) -> str:
    """Return what a test report says about an answer that is not certain; empty if it is."""
    return "" if answer.is_certain else "; ".join(line.strip() for line in summary_lines(answer))


def _exit_code(answers: Sequence[Answer]) -> int:
    if not all(a.complete for a in answers):
        return ExitCode.INTERRUPTED
    if any(a.is_infeasible for a in answers):
        return ExitCode.TARGET_MISSED
    return ExitCode.OK if all(answer.is_certain for answer in answers) else ExitCode.FAILED


__all__ = ["PlanRequest", "plan_command"]
