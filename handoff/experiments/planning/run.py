"""Running of a plan: the answers by simulation, and the answers of closed forms alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial

from handoff.experiments.execution.task import Executor
from handoff.experiments.planning.answer import Answer, busiest_resources
from handoff.experiments.planning.closed_form import closed_form
from handoff.experiments.planning.first_guess import guess_answer
from handoff.experiments.planning.planner import Planner, Waiting
from handoff.experiments.planning.request import ValidatedPlan
from handoff.experiments.planning.run_store import PlanDataset, open_dataset
from handoff.experiments.planning.search_problems import SearchProblem
from handoff.experiments.planning.value_search import Bracket
from handoff.experiments.planning.verdict import read_measures
from handoff.theory.estimate import Estimate, compare, estimate

MAX_COMPARISONS = 5
"""Servers and links, the most loaded ones, for which theory is compared with the simulation."""
NO_CLOSED_FORM = "no closed form for any of the targets"


@dataclass(frozen=True)
class AnalyticAnswer:
    """Answer of closed forms for one procedure.

    Attributes
    ----------
    procedure : str
        Name of the procedure.
    text : str
        Answer to the plan's question; empty if the plan has none.
    estimates : list of Estimate
        Closed forms of servers and links at the value found, at the low end of the range if there is none or no scenario can be
        built there, or in the unchanged scenario if nothing varies.
    is_infeasible : bool
        True if no value of the range meets the targets.
    """

    procedure: str
    text: str
    estimates: list[Estimate]
    is_infeasible: bool


def run_plan(
    plan: ValidatedPlan, executor: Executor, progress: Callable[[str], None] = lambda line: None, waiting: Waiting = nullcontext
) -> list[Answer]:
    """Answer the question of a plan for each procedure by simulation.

    Parameters
    ----------
    plan : ValidatedPlan
        See :func:`handoff.experiments.planning.request.validate_request`.
    executor : Executor
        Not entered yet; see :func:`handoff.experiments.execution.factory.make_executor`.
    progress : callable
        Receives a line of text about the current step.
    waiting : callable
        Returns a context for each wait for a run; see :class:`handoff.experiments.planning.planner.Planner`.

    Returns
    -------
    list of Answer
        One for each procedure and search problem. After a KeyboardInterrupt the last answer is not complete, and further ones
        are missing.

    Raises
    ------
    ExecutorEnded
        If the executor ends before the runs are done.
    ValueError
        If the dataset of the plan cannot be opened.
    """
    answers: list[Answer] = []
    with open_dataset(plan.request.output) as dataset, executor:
        for procedures in _group_procedures(plan):
            answers += _answer_steps(plan, procedures, executor, dataset, progress, waiting)
            if not answers[-1].complete:
                break
    return answers


def analytic_answers(plan: ValidatedPlan) -> list[AnalyticAnswer]:
    """Answer the question of a plan with closed forms alone; without a question, estimate the scenario as it is."""
    answers = []
    for name in plan.request.procedures:
        text, infeasible, setup = "", False, plan.low_setup
        if plan.steps:
            problem = plan.first_problem()
            form = closed_form(problem, plan.targets, name, partial(plan.setup_at, problem))
            text = form.text if form else NO_CLOSED_FORM
            infeasible = form is not None and form.is_infeasible
            low, high = problem.range.low, problem.range.high
            position = low if form is None or form.position is None else round(form.position)
            with suppress(ValueError, MemoryError):  # there may be no scenario at the value found: then keep that of the low end
                setup = plan.setup_at(problem, min(max(position, low), high))
        answers.append(AnalyticAnswer(name, text, estimate(setup, name), infeasible))
    return answers


def _group_procedures(plan: ValidatedPlan) -> list[tuple[str, ...]]:
    # Procedures share runs, unless a later step depends on the answer of an earlier one, which differs among procedures.
    names = plan.request.procedures
    return [names] if len(plan.steps) == 1 else [(name,) for name in names]


def _answer_steps(
    plan: ValidatedPlan, procedures: Sequence[str], executor: Executor, dataset: PlanDataset | None,
    progress: Callable[[str], None], waiting: Waiting,
) -> list[Answer]:  # fmt: skip
    positions: dict[str, int] = {}
    answers: list[Answer] = []
    for make_problem in plan.steps:
        problem = make_problem(positions)
        make_task = partial(plan.make_task, problem)
        planner = Planner(
            plan.make_slo_test(problem), executor, make_task, partial(read_measures, plan.targets),
            workers=getattr(executor, "jobs", 1), progress=progress, display=problem.values.display, waiting=waiting,
            store=None if dataset is None else dataset.store_for(problem, make_task), may_end_early=plan.may_end_early,
            find_errors=partial(plan.find_errors, problem),
        )  # fmt: skip
        guesses = {name: partial(guess_answer, problem, name, partial(plan.setup_at, problem)) for name in procedures}
        brackets, complete = planner.search_values(procedures, problem.range, problem.sense, guesses)
        for name, bracket in brackets.items():
            answers.append(_make_answer(plan, problem, planner, name, bracket, complete))
        last_met = answers[-1].bracket.last_met
        if not complete or last_met is None:
            break
        positions[problem.path] = last_met
    return answers


def _make_answer(
    plan: ValidatedPlan, problem: SearchProblem, planner: Planner, procedure: str, bracket: Bracket, complete: bool
) -> Answer:  # fmt: skip
    replications = {x: planner.count_runs((procedure, x)) for x in bracket.values}
    problems = {x: text for x in bracket.values if (text := planner.find_problem((procedure, x)))}
    answer = Answer(procedure, problem.name, problem.values, bracket, replications, complete, problems)
    setup_at = partial(plan.setup_at, problem)
    if complete and (form := closed_form(problem, plan.targets, procedure, setup_at)):
        answer.closed_form, answer.closed_form_value = form.text, form.position
    if answer.critical_value is not None:
        tables = planner.tables(procedure, answer.critical_value)
        answer.busiest = busiest_resources(tables)
        if complete:
            estimates = estimate(setup_at(answer.critical_value), procedure)
            answer.comparisons = compare(estimates, tables[0])[:MAX_COMPARISONS]
    return answer
