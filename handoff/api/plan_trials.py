"""Trials of the search of a plan, for charts."""

from __future__ import annotations

from handoff.api.axis_numbers import axis_numbers
from handoff.experiments.planning.answer import Answer
from handoff.experiments.planning.verdict import TargetResult, format_target_result, overall_decision
from handoff.output.report.plan_report import TargetValue, Trial

_PS_PER_MS = 1e9


def plan_trials(answer: Answer) -> tuple[Trial, ...]:
    """Return the values that the search tried, in their order as numbers, each with its results; times in milliseconds."""
    positions = sorted(answer.bracket.verdicts)
    values, unit = axis_numbers([answer.values.text(x) for x in positions]) or (positions, "")
    steps = {x: i for i, x in enumerate(answer.bracket.verdicts, 1)}  # verdicts are in the order in which the search asks
    return tuple(
        Trial(
            steps[x], answer.values.display(x), float(value), answer.replications[x], overall_decision(results),
            tuple(map(_target_value, results)), unit,
        )
        for x, value in zip(positions, values, strict=True)
        for results in [answer.bracket.verdicts[x]]
    )  # fmt: skip


def _target_value(result: TargetResult) -> TargetValue:
    target, interval = result.target, result.interval
    scale, unit = (1 / _PS_PER_MS, "ms") if target.unit == "ps" else (1.0, target.unit)
    return TargetValue(
        str(target), unit, target.limit * scale, result.decision, format_target_result(result), interval.mean * scale,
        interval.low * scale, interval.high * scale,
    )  # fmt: skip


__all__ = ["plan_trials"]
