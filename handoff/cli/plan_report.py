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
    contents = list(map(_plan_answer, answers))
    write_report(path, plan_report(str(plan.data["name"]), targets, contents, plan.request.confidence, facts, text))


def _plan_answer(answer: Answer) -> PlanAnswer:
    headline, *remarks = summary_lines(answer)
    busiest = tuple((u.name, u.utilisation, u.dropped_ratio) for u in answer.busiest)
    return PlanAnswer(
        answer.procedure, answer.field_name, headline.removeprefix(f"{answer.procedure}: "), answer_sentence(answer),
        tuple(remarks), answer.is_found, plan_trials(answer), tuple(map(_theory_row, answer.comparisons)), busiest,
    )  # fmt: skip


def answer_sentence(answer: Answer) -> str:
    """Return the answer as the predicate of a sentence, as in "meets the targets up to mobile_nodes 4,020"."""
    display, bracket, field = answer.values.display, answer.bracket, answer.field_name
    met, missed, is_largest = bracket.last_met, bracket.first_missed, bracket.sense == "largest"
    low, high = display(bracket.range.low), display(bracket.range.high)
    if met is not None and missed is not None:
        limit = met if answer.is_exact else answer.round_to_width(answer.estimate or met)
        text = f"meets the targets {_reach(field, display(limit), is_largest)}: "
        sure = f"{display(met)} certainly meets them, and {display(missed)} misses them"
        text += f"{display(missed)} misses them" if answer.is_exact else sure
    elif met is not None:
        end = bracket.range.high if is_largest else bracket.range.low
        text = f"meets the targets {_reach(field, display(met), is_largest)}"
        text += ", the end of the range" if met == end else ", and no value that was tried clearly misses them"
    elif answer.is_infeasible:
        text = f"misses the targets at every {field} from {low} to {high}"
    elif missed is not None:
        text = f"misses the targets at {field} {display(missed)}, and no value that was tried clearly meets them"
    else:
        text = f"is undecided for {field} from {low} to {high}"
    return text if answer.complete else f"{text} (interrupted: as far as is known)"


def _reach(field: str, limit: str, is_largest: bool) -> str:
    return f"up to {field} {limit}" if is_largest else f"from {field} {limit} on"


def _theory_row(comparison: Comparison) -> tuple[str, ...]:
    e = comparison.estimate
    utilisation = "" if comparison.utilisation is None else f"{comparison.utilisation:.3f}"
    wait = "" if comparison.wait_ps is None else format_value(comparison.wait_ps, "ps")
    return e.what, e.law, f"{e.load:.3f}", utilisation, format_value(e.wait_ps, "ps"), wait
