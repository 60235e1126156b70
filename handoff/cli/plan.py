"""``handoff plan``: from the words of the command line to the answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial

from handoff.cli.exit_codes import ExitCode
from handoff.cli.plan_output import print_answers, show_dry_run, show_estimates
from handoff.cli.progress import StatusLine
from handoff.experiments.execution.task import Executor
from handoff.experiments.planning.answer import Answer, busiest_resources
from handoff.experiments.planning.bisection import Bracket
from handoff.experiments.planning.closed_form import closed_form
from handoff.experiments.planning.planner import Planner, RunFailed
from handoff.experiments.planning.readings import readings
from handoff.experiments.planning.request import PlanRequest, ValidatedPlan, validate_request
from handoff.experiments.planning.run_store import PlanDataset, open_dataset
from handoff.experiments.planning.search_space import SearchProblem
from handoff.theory.estimate import compare, estimate

MISSED, FAILED = 3, 1
MOST_BESIDE = 5
"""Servers and links, the most loaded ones, of which theory is put beside the simulation."""


def plan_command(wanted: PlanRequest, begin: Callable[[], Executor], *, as_json: bool, dry_run: bool, progress: bool | None) -> int:
    """Answer a plan's question for each procedure, and print it; returns the exit code.

    Raises
    ------
    ScenarioError
        If what is asked for makes no sense.
    """
    plan = validate_request(wanted)
    if wanted.analytic:
        return _analytic(plan, as_json)
    if dry_run:
        show_dry_run(plan, as_json)
        return 0
    answers: list[Answer] = []
    line = StatusLine(progress)
    try:
        with open_dataset(wanted.output) as kept, begin() as executor:
            for procedures in _together(plan):
                answers += _answers(plan, procedures, executor, kept, line)
                if not answers[-1].complete:
                    break
    except RunFailed as error:
        line.end()
        print(f"handoff: {error}", file=sys.stderr)
        return FAILED
    line.end()
    print_answers(plan, answers, _code(answers) == 0, as_json)
    return _code(answers)


def _together(plan: ValidatedPlan) -> list[tuple[str, ...]]:
    """Procedures that are asked together: all, unless a later question depends on what an earlier one has found for each."""
    names = plan.wanted.procedures
    return [names] if len(plan.questions) == 1 else [(name,) for name in names]


def _answers(plan: ValidatedPlan, procedures: tuple[str, ...], executor: Executor, kept: PlanDataset | None, line: StatusLine) -> list[Answer]:
    """Of all questions, for procedures."""
    found: dict[str, int] = {}
    answers: list[Answer] = []
    for ask in plan.questions:
        question = ask(found)
        task = partial(plan.task, question)
        store = None if kept is None else kept.of(question, task)
        planner = Planner(
            plan.judge(question), executor, task, partial(readings, plan.targets), getattr(executor, "jobs", 1), line,
            question.values.display, store,
        )
        brackets, complete = planner.plan(procedures, question.range, question.sense)
        for name, bracket in brackets.items():
            answers.append(_answer(plan, question, planner, name, bracket, complete))
        last = answers[-1]
        if not complete or last.bracket.met is None:
            break
        found[question.path] = last.bracket.met
    return answers


def _answer(plan: ValidatedPlan, question: SearchProblem, planner: Planner, name: str, bracket: Bracket, complete: bool) -> Answer:
    counts = {x: len(planner.tables(name, x)) for x in bracket.values}
    answer = Answer(name, question.name, question.values, bracket, counts, complete)
    setup_at = partial(plan.setup, question)
    if complete and (form := closed_form(question, plan.targets, name, setup_at)):
        answer.closed_form, answer.closed_form_value = form.said, form.position
    if answer.first_failing_value is not None:
        runs = planner.tables(name, answer.first_failing_value)
        answer.busiest = busiest_resources(runs)
        if complete:
            answer.beside = compare(estimate(setup_at(answer.first_failing_value), name), runs[0])[:MOST_BESIDE]
    return answer


def _analytic(plan: ValidatedPlan, as_json: bool) -> int:
    """Closed forms alone: of the question if there is one, else of the scenario as it is."""
    found, unmet = [], False
    for name in plan.wanted.procedures:
        said, setup = "", plan.low
        for ask in plan.questions[:1]:
            question = ask({})
            form = closed_form(question, plan.targets, name, partial(plan.setup, question))
            said = form.said if form else "no closed form for any of the targets"
            unmet |= form is not None and form.position is None
            at = question.range.low if form is None or form.position is None else round(form.position)
            setup = plan.setup(question, min(max(at, question.range.low), question.range.high))
        found.append((name, said, estimate(setup, name)))
    show_estimates(plan, found, as_json)
    return MISSED if unmet else 0


def _code(answers: Sequence[Answer]) -> int:
    """0 if each has an answer; what is worst otherwise."""
    if not all(a.complete for a in answers):
        return ExitCode.INTERRUPTED
    if any(a.unmet for a in answers):
        return MISSED
    return 0 if all(a.found and a.bracket.monotone for a in answers) else FAILED


__all__ = ["PlanRequest", "plan_command"]
