"""Output of ``handoff plan``: answers as text, tables and JSON, and the preview of a dry run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from handoff.cli.tables import print_cells
from handoff.cli.terminal import show, show_json
from handoff.experiments.planning.answer import Answer
from handoff.experiments.planning.request import ValidatedPlan
from handoff.experiments.planning.run import AnalyticAnswer
from handoff.experiments.planning.slo import format_value
from handoff.experiments.planning.verdict import TargetResult, format_target_result, overall_decision
from handoff.output.seconds import json_values, to_seconds
from handoff.theory.estimate import Comparison, Estimate

MIN_LOSS_RATIO = 1e-12
"""Loss ratio below which a closed form of the kind 1 - x is rounding error."""
PREVIEWED_VALUES = 2
"""Values of a dry run for which packets are counted."""


def print_answers(plan: ValidatedPlan, answers: Sequence[Answer], passed: bool, as_json: bool) -> None:
    """Print answers as text, then all values that were tried, and theory compared with the simulation."""
    request = plan.request
    targets = list(map(str, plan.targets))
    if as_json:
        facts = {
            "scenario": plan.data["name"], "seed": plan.seed, "targets": targets, "confidence": request.confidence,
            "precision": request.precision, "most_runs": request.most_runs, "passed": passed,
        }  # fmt: skip
        show_json(facts | {"answers": list(map(answer_json, answers))})
        return
    head = f"{plan.data['name']}, seeds from {plan.seed}"
    show(f"{head}: {', '.join(targets)}; confidence of each answer {request.confidence:.4g}")
    for answer in answers:
        show("\n".join(summary_lines(answer)))
    if len(request.procedures) > 1:
        header = ("procedure", "field", "answer", "breaks first", "closed form")
        _print_table("side by side", header, map(_comparison_cells, answers))
    for answer in answers:
        _print_table(answer.procedure, (answer.field_name, "runs", "verdict", *targets), _value_rows(answer))
        if answer.comparisons and answer.critical_value is not None:
            title = f"{answer.procedure}: theory and simulation at {answer.values.display(answer.critical_value)}"
            columns = ("", "law", "load", "simulated", "mean wait", "simulated", "difference")
            _print_table(title, columns, map(_theory_cells, answer.comparisons))


def show_estimates(plan: ValidatedPlan, answers: Sequence[AnalyticAnswer], as_json: bool) -> None:
    """Print the answers of closed forms alone, and the estimates of servers and links."""
    if as_json:
        rows = [
            {"procedure": a.procedure, "closed_form": a.text or None, "estimates": list(map(_estimate_json, a.estimates))}
            for a in answers
        ]
        show_json({"scenario": plan.data["name"], "targets": list(map(str, plan.targets)), "answers": rows})
        return
    for a in answers:
        show(f"{a.procedure}: {a.text}" if a.text else a.procedure)
        header = ("", "law", "arrivals/s", "load", "mean wait", "loss ratio")
        _print_table("closed forms", header, (
            (e.what, e.law, f"{e.rate:.4g}", f"{e.load:.3f}", format_value(e.wait_ps, "ps"), _format_loss(e.loss_ratio))
            for e in a.estimates
        ))  # fmt: skip


def show_dry_run(plan: ValidatedPlan, as_json: bool) -> None:
    """Print the values of the climb from the low end, and the number of packets of their runs."""
    from engine.offered_load import expected_packets

    problem = plan.first_problem()
    test, values, display = plan.make_slo_test(problem), problem.range.coarse_values, problem.values.display
    setups = {x: plan.setup_at(problem, x) for x in values[:PREVIEWED_VALUES]}
    packets = {x: int(expected_packets(setup.network, setup.duration_ps).sum()) for x, setup in setups.items()}
    if as_json:
        show_json({
            "field": problem.name, "values": list(map(problem.values.value, values)), "most_values": problem.range.max_values,
            "least_runs": test.looks[0], "most_runs": test.max_replications, "procedures": list(plan.request.procedures),
            "targets": list(map(str, plan.targets)), "questions": len(plan.steps),
            "packets": [{"value": problem.values.value(x), "packets": n} for x, n in packets.items()],
        })  # fmt: skip
        return
    show(f"{problem.name}: {', '.join(map(display, values))} until the verdict changes, then values in between")
    show("  if closed forms give a first guess, values around it follow the first value instead")
    show(f"  at most {problem.range.max_values} values, {test.looks[0]} to {test.max_replications} runs of each and procedure")
    for x, n in packets.items():
        show(f"  about {n:,} packets in a run at {display(x)}")
    if len(plan.steps) > 1:
        show("  then the same for the next field, with the answer for this one")


def summary_lines(answer: Answer) -> list[str]:
    """Return an answer as a few sentences, one a line."""
    lines = [_headline(answer)]
    if answer.critical_value is not None:
        at = answer.values.display(answer.critical_value)
        head = ""
        if answer.violated_targets:
            head = "missed by least: " if answer.is_infeasible else "what breaks first: "
        results = answer.violated_targets or answer.critical_results
        lines += [f"  {head}{r.target}: {format_target_result(r)} at {at}{_format_note(r)}" for r in results]
        if answer.busiest:
            lines.append(f"  utilisation there: {', '.join(map(str, answer.busiest))}")
    lines += [f"  closed form: {answer.closed_form}"] if answer.closed_form else []
    return lines + [f"  {note}" for note in answer.notes()]


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as values for JSON: times in seconds, no infinities."""
    bracket, value = answer.bracket, answer.values.value

    def optional(position: int | None) -> int | float | str | None:
        return None if position is None else value(position)

    form = {"value": answer.closed_form_value, "said": answer.closed_form} if answer.closed_form else None
    return {
        "procedure": answer.procedure,
        "field": answer.field_name,
        "found": answer.is_found,
        "complete": answer.complete,
        "sense": bracket.sense,
        "met": optional(bracket.last_met),
        "missed": optional(bracket.first_missed),
        "estimate": optional(answer.rounded_estimate),
        "monotone": bracket.is_monotone,
        "breaks_first": list(map(_result_json, answer.violated_targets)),
        "at": optional(answer.critical_value),
        "busiest": [asdict(u) for u in answer.busiest],
        "closed_form": form,
        "notes": answer.notes(),
        "evaluations": [
            {"value": value(x), "replications": answer.replications[x], "verdict": overall_decision(results),
             "targets": list(map(_result_json, results))}
            for x, results in sorted(bracket.verdicts.items())
        ],
        "theory": list(map(_comparison_json, answer.comparisons)),
    }  # fmt: skip


def _headline(answer: Answer) -> str:
    display, bracket = answer.values.display, answer.bracket
    field, met, missed = answer.field_name, bracket.last_met, bracket.first_missed
    low, high = display(bracket.range.low), display(bracket.range.high)
    interrupted = "interrupted: as far as is known"
    if met is not None and missed is not None:
        text = f"{bracket.sense} {field} that meets the targets: "
        if answer.is_exact:
            text += f"{display(met)} ({display(missed)} misses them)"
            interrupted = "interrupted"
        else:
            ends = sorted((met, missed))
            text += f"{display(answer.round_to_width(answer.estimate or met))} [{display(ends[0])}, {display(ends[1])}]"
    elif met is not None:
        bound, end = ("at least", bracket.range.high) if bracket.sense == "largest" else ("at most", bracket.range.low)
        reason = "the end of the range meets the targets" if met == end else "no value clearly misses the targets"
        text = f"{field} {bound} {display(met)}: {reason}"
    elif answer.is_infeasible:
        text = f"the targets cannot be met by {field} from {low} to {high}"
        if len(bracket.verdicts) < 2 or bracket.values[-1] < bracket.range.high:
            text += f": beyond {display(bracket.values[-1])} it only gets worse"
    elif missed is not None:
        side = "below" if bracket.sense == "largest" else "above"
        text = f"if any, {field} {side} {display(missed)}; no value clearly meets the targets"
    else:
        text = f"undecided for {field} from {low} to {high}"
    return f"{answer.procedure}: {text}" + ("" if answer.complete else f" ({interrupted})")


def _comparison_cells(answer: Answer) -> list[str]:
    breaks = ", ".join(r.target.measure for r in answer.violated_targets) or "-"
    form = "-" if answer.closed_form_value is None else answer.values.display(round(answer.closed_form_value))
    return [answer.procedure, answer.field_name, _answer_cell(answer), breaks, form]


def _answer_cell(answer: Answer) -> str:
    bracket, display = answer.bracket, answer.values.display
    met, missed, estimate = bracket.last_met, bracket.first_missed, answer.rounded_estimate
    if estimate is not None and met is not None and missed is not None:
        low, high = sorted((met, missed))
        return f"{display(estimate)} [{display(low)}, {display(high)}]"
    if met is not None:
        return f"{'≥' if bracket.sense == 'largest' else '≤'} {display(met)}"
    return "none" if answer.is_infeasible else "undecided"


def _value_rows(answer: Answer) -> list[list[str]]:
    # One row for each value that was tried, in order.
    return [
        [answer.values.display(x), str(answer.replications[x]), overall_decision(results), *map(format_target_result, results)]
        for x, results in sorted(answer.bracket.verdicts.items())
    ]


def _format_note(result: TargetResult) -> str:
    return f" ({result.note})" if result.note else ""


def _result_json(result: TargetResult) -> dict[str, Any]:
    interval, target = result.interval, result.target
    unit, (limit, mean, low, high) = json_values(target.unit, (target.limit, interval.mean, interval.low, interval.high))
    return {
        "target": str(target), "measure": target.measure, "relation": target.relation, "limit": limit, "unit": unit,
        "decision": result.decision, "mean": mean, "low": low, "high": high, "note": result.note,
    }  # fmt: skip


def _theory_cells(comparison: Comparison) -> tuple[str, ...]:
    e = comparison.estimate
    utilisation = "-" if comparison.utilisation is None else f"{comparison.utilisation:.3f}"
    wait = "-" if comparison.wait_ps is None else format_value(comparison.wait_ps, "ps")
    difference = f"{comparison.difference:+.0%} {comparison.apart}".strip()
    return e.what, e.law, f"{e.load:.3f}", utilisation, format_value(e.wait_ps, "ps"), wait, difference


def _format_loss(value: float) -> str:
    return f"{value if value > MIN_LOSS_RATIO else 0:.3g}"


def _comparison_json(c: Comparison) -> dict[str, Any]:
    simulated = {"utilisation": c.utilisation, "wait_s": to_seconds(c.wait_ps), "loss_ratio": c.loss_ratio}
    return _estimate_json(c.estimate) | {"simulated": simulated, "difference": c.difference, "apart": c.apart}


def _estimate_json(e: Estimate) -> dict[str, Any]:
    _, (service, wait) = json_values("ps", (e.service_ps, e.wait_ps))
    return {
        "what": e.what, "law": e.law, "rate": e.rate, "service_s": service, "load": e.load, "wait_s": wait,
        "loss_ratio": e.loss_ratio,
    }  # fmt: skip


def _print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    show("")
    print_cells(header, list(rows), title, left=())


__all__ = ["answer_json", "print_answers", "show_dry_run", "show_estimates", "summary_lines"]
