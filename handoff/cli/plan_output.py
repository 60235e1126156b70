"""A plan's answers on the terminal and as JSON; what it would try; what it is doing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from handoff.cli.tables import print_cells
from handoff.experiments.planning.answer import Answer
from handoff.experiments.planning.request import ValidatedPlan
from handoff.experiments.planning.slo import format_value as told
from handoff.theory.estimate import Comparison, Estimate

LEAST_RATIO = 1e-12
"""Below it a closed form of 1 minus something says nothing in floating point."""


def print_answers(plan: ValidatedPlan, answers: Sequence[Answer], passed: bool, as_json: bool) -> None:
    """Print answers: in words, then all values that were tried and theory beside the simulation."""
    wanted = plan.wanted
    targets = list(map(str, plan.targets))
    if as_json:
        facts = {
            "scenario": plan.data["name"], "seed": plan.seed, "targets": targets, "confidence": wanted.confidence,
            "precision": wanted.precision, "most_runs": wanted.most_runs, "passed": passed,
        }  # fmt: skip
        _print_json(facts | {"answers": [a.document() | {"theory": list(map(_beside, a.beside))} for a in answers]})
        return
    head = f"{plan.data['name']}, seeds from {plan.seed}"
    print(f"{head}: {', '.join(targets)}; confidence of each answer {wanted.confidence:.4g}")
    for answer in answers:
        print("\n".join(answer.summary_lines()))
    if len(wanted.procedures) > 1:
        _table("side by side", ("procedure", "field", "answer", "breaks first", "closed form"), (a.row() for a in answers))
    for answer in answers:
        _table(answer.procedure, (answer.name, "runs", "verdict", *targets), answer.rows())
        if answer.beside and answer.first_failing_value is not None:
            title = f"{answer.procedure}: theory and simulation at {answer.values.display(answer.first_failing_value)}"
            _table(title, ("", "law", "load", "simulated", "mean wait", "simulated", "they part by"), map(_row, answer.beside))


def show_estimates(plan: ValidatedPlan, found: Sequence[tuple[str, str, Sequence[Estimate]]], as_json: bool) -> None:
    """Print closed forms alone: for each procedure what they say of the question, and the estimates there."""
    if as_json:
        rows = [{"procedure": p, "closed_form": said or None, "estimates": list(map(_estimate, es))} for p, said, es in found]
        _print_json({"scenario": plan.data["name"], "targets": list(map(str, plan.targets)), "answers": rows})
        return
    for name, said, estimates in found:
        print(f"{name}: {said}" if said else name)
        header = ("", "law", "arrivals/s", "load", "mean wait", "loss ratio")
        _table("closed forms", header, (
            (e.what, e.law, f"{e.rate:.4g}", f"{e.load:.3f}", told(e.wait_ps, "ps"), _ratio(e.loss_ratio)) for e in estimates
        ))  # fmt: skip


def show_dry_run(plan: ValidatedPlan, as_json: bool) -> None:
    """Print what would be tried, and how many packets that is."""
    from engine.offered_load import expected_packets

    question = plan.first()
    judge, ladder, said = plan.judge(question), question.range.ladder, question.values.display
    setups = {x: plan.setup(question, x) for x in ladder[:2]}
    packets = {x: int(expected_packets(setup.network, setup.duration_ps).sum()) for x, setup in setups.items()}
    if as_json:
        _print_json({
            "field": question.name, "values": list(map(question.values.value, ladder)), "most_values": question.range.most_values,
            "least_runs": judge.looks[0], "most_runs": judge.most, "procedures": list(plan.wanted.procedures),
            "targets": list(map(str, plan.targets)), "questions": len(plan.questions),
            "packets": [{"value": question.values.value(x), "packets": n} for x, n in packets.items()],
        })  # fmt: skip
        return
    print(f"{question.name}: {', '.join(map(said, ladder))} until a verdict is the other one, then between")
    print(f"  at most {question.range.most_values} values, {judge.looks[0]} to {judge.most} runs of each and procedure")
    for x, n in packets.items():
        print(f"  about {n:,} packets in a run at {said(x)}")
    if len(plan.questions) > 1:
        print("  then the same for the next one, with what this one needs")


def _table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print_cells(header, list(rows), f"\n{title}", left=())


def _row(b: Comparison) -> tuple[str, ...]:
    e = b.estimate
    return (
        e.what, e.law, f"{e.load:.3f}", "-" if b.utilisation is None else f"{b.utilisation:.3f}", told(e.wait_ps, "ps"),
        "-" if b.wait_ps is None else told(b.wait_ps, "ps"), f"{b.difference:+.0%} {b.apart}".strip(),
    )  # fmt: skip


def _ratio(value: float) -> str:
    return f"{value if value > LEAST_RATIO else 0:.3g}"


def _beside(b: Comparison) -> dict[str, Any]:
    simulated = {"utilisation": b.utilisation, "wait_ps": b.wait_ps, "loss_ratio": b.loss_ratio}
    return _estimate(b.estimate) | {"simulated": simulated, "difference": b.difference, "apart": b.apart}


def _estimate(e: Estimate) -> dict[str, Any]:
    return {
        "what": e.what, "law": e.law, "rate": e.rate, "service_ps": e.service_ps, "load": e.load,
        "wait_ps": e.wait_ps if math.isfinite(e.wait_ps) else None, "loss_ratio": e.loss_ratio,
    }  # fmt: skip


def _print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, indent=2, allow_nan=False))


__all__ = ["print_answers", "show_dry_run", "show_estimates"]
