"""``handoff plan --report``: the answers of a plan as contents of a report."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from handoff.api.plan_trials import plan_trials
from handoff.cli.plan_output import summary_lines
from handoff.cli.report import write_report
from handoff.experiments.planning.answer import Answer
from handoff.experiments.planning.request import ValidatedPlan
from handoff.experiments.planning.slo import format_value
from handoff.output.parquet import versions
from handoff.output.report.plan_report import PlanAnswer, plan_report
from handoff.theory.estimate import Comparison


def write_plan_report(path: Path, plan: ValidatedPlan, answers: Sequence[Answer], command: Sequence[str]) -> None:
    """Write the report of a plan.

    Raises
    ------
    OSError
        If the report cannot be written.
    """
    facts = {"scenario_file": plan.request.scenario.name, "seed": plan.seed, "versions": versions()}
    targets = list(map(str, plan.targets))
    text = shlex.join(["handoff", *command])
    write_report(path, plan_report(str(plan.data["name"]), targets, list(map(_plan_answer, answers)), facts, text))


def _plan_answer(answer: Answer) -> PlanAnswer:
    headline, *remarks = summary_lines(answer)
    busiest = tuple((u.name, u.utilisation, u.dropped_ratio) for u in answer.busiest)
    return PlanAnswer(
        answer.procedure, answer.field_name, headline.removeprefix(f"{answer.procedure}: "), tuple(remarks), answer.is_found,
        plan_trials(answer), tuple(map(_theory_row, answer.comparisons)), busiest,
    )  # fmt: skip


def _theory_row(comparison: Comparison) -> tuple[str, ...]:
    e = comparison.estimate
    utilisation = "" if comparison.utilisation is None else f"{comparison.utilisation:.3f}"
    wait = "" if comparison.wait_ps is None else format_value(comparison.wait_ps, "ps")
    return e.what, e.law, f"{e.load:.3f}", utilisation, format_value(e.wait_ps, "ps"), wait
