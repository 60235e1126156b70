"""Report of a plan: the answer for each procedure, the search as it went, utilisations, and the closed form beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handoff.output.report.contents import Chart, KeyFigure, Report, Section, TextTable, filled
from handoff.output.report.specs import BAD, MUTED, chart, nominal, quantitative, word
from handoff.output.report.study_report import origin_section
from handoff.output.report.wording import join_words, plural, show_name, show_number, show_share

MAX_NAMED = 2
"""Answers in the first sentence; more are only counted."""
_COLOURS = {"met": "#2e9b6e", "missed": BAD, "open": MUTED}


@dataclass(frozen=True)
class TargetValue:
    """Result of a target at one value of the field, in the unit of the target; None for an end that is not known."""

    target: str
    unit: str
    limit: float
    decision: str
    text: str
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Trial:
    """One value that the search tried.

    Attributes
    ----------
    step : int
        Number of the trial in the search, from 1.
    value : str
        Value of the field as text.
    position : float
        Value as a number, in ``field_unit``.
    runs : int
        Replications at the value.
    verdict : str
        ``met``, ``missed`` or ``open``: all targets together.
    targets : tuple of TargetValue
    field_unit : str
        Unit of the field, ``ms`` for a time; empty if it has none.
    """

    step: int
    value: str
    position: float
    runs: int
    verdict: str
    targets: tuple[TargetValue, ...]
    field_unit: str = ""


@dataclass(frozen=True)
class PlanAnswer:
    """Answer of a plan for one procedure.

    Attributes
    ----------
    procedure, field_name : str
    headline : str
        The answer in a few words, without the procedure.
    sentence : str
        The answer as the predicate of a sentence about the procedure.
    remarks : tuple of str
        What breaks first, utilisations, and what limits the answer.
    found : bool
        True if a value meets all targets.
    trials : tuple of Trial
    theory : tuple of (str, str, str, str, str, str)
        Element, law, load, utilisation, wait in theory, and wait in the simulation.
    busiest : tuple of (str, float, float)
        Servers and links at the critical value with utilisation and share of dropped arrivals.
    """

    procedure: str
    field_name: str
    headline: str
    sentence: str
    remarks: tuple[str, ...]
    found: bool
    trials: tuple[Trial, ...]
    theory: tuple[tuple[str, ...], ...] = ()
    busiest: tuple[tuple[str, float, float], ...] = ()


def plan_report(
    title: str, targets: Sequence[str], answers: Sequence[PlanAnswer], confidence: float, facts: Mapping[str, Any],
    command: str = "",
) -> Report:  # fmt: skip
    """Return the report of a plan.

    Parameters
    ----------
    title : str
        Name of the scenario.
    targets : sequence of str
        All targets.
    answers : sequence of PlanAnswer
        One for each procedure and field.
    confidence : float
        Confidence of each answer.
    facts : mapping of str to value
        Origin (:func:`handoff.output.report.study_report.origin_section`).
    command : str
        Command that makes the plan again.

    Raises
    ------
    ValueError
        If there is no answer.
    """
    if not answers:
        raise ValueError("the plan has no answer: there is nothing to report")
    runs = sum(trial.runs for answer in answers for trial in answer.trials)
    tried = sum(len(answer.trials) for answer in answers)
    sections = [Section("answers", "Answers", "", (_answer_table(answers),)), *(_search(a, i) for i, a in enumerate(answers, 1))]
    first = "; ".join(f"{show_name(a.procedure)} {_show_sentence(a.sentence)}" for a in answers[:MAX_NAMED])
    if len(answers) > MAX_NAMED:
        first += f"; {plural(len(answers) - MAX_NAMED, 'more answer')} below"
    second = (
        f"{_searches(answers)} a value that meets {join_words([show_name(t) for t in targets])}, in {plural(runs, 'run')} at "
        f"{plural(tried, 'value')} (confidence of each answer: {confidence:.4g})."
    )
    figures = (KeyFigure("Values tried", f"{tried}"), KeyFigure("Runs", f"{runs:,}"), KeyFigure("Targets", f"{len(targets)}"))
    return Report(
        show_name(title), f"plan: {join_words([show_name(t) for t in targets])}", (f"{first}.", second), figures,
        filled([*sections, origin_section(facts)]), command,
    )  # fmt: skip


def _searches(answers: Sequence[PlanAnswer]) -> str:
    """Return how many searches found a value, as the beginning of a sentence."""
    found, total = sum(answer.found for answer in answers), len(answers)
    if total == 1:
        return "The search found" if found else "The search did not find"
    if not found:
        return "Neither search found" if total == 2 else "None of the searches found"
    if found == total:
        return "Both searches found" if total == 2 else f"All {total} searches found"
    return f"{found} of {total} searches found"


def _show_sentence(text: str) -> str:
    """Return a sentence of an answer with printable words of bounded length."""
    return " ".join(show_name(word) for word in text.split(" "))


def _answer_table(answers: Sequence[PlanAnswer]) -> Chart:
    rows = tuple(
        (show_name(a.procedure), show_name(a.field_name), _show_sentence(a.headline), str(len(a.trials))) for a in answers
    )
    table = TextTable(("Procedure", "Field", "Answer", "Values tried"), rows, ("Field", "Answer"))
    return Chart("Answers", "The answer for each procedure, with the interval that contains the limit.", table)


def _search(answer: PlanAnswer, number: int) -> Section:
    names = list(dict.fromkeys(t.target for trial in answer.trials for t in trial.targets))
    charts = [search_chart(answer.trials, answer.field_name, name) for name in names]
    if answer.busiest:
        rows = tuple((show_name(name), show_number(load), show_share(dropped)) for name, load, dropped in answer.busiest)
        sentence = f"The busiest is {show_name(answer.busiest[0][0])}: {show_share(answer.busiest[0][1])} of the time at work."
        charts.append(Chart("Servers and links at the limit", sentence, TextTable(("Element", "Utilisation", "Dropped"), rows)))
    if answer.theory:
        theory = tuple(tuple(map(show_name, row)) for row in answer.theory)
        columns = ("Element", "Law", "Load", "Simulated utilisation", "Wait by theory", "Simulated wait")
        table = TextTable(columns, theory, ("Law",))
        charts.append(Chart("Closed forms", "Queueing theory beside the simulation, at the limit.", table))
    remarks = (_show_sentence(remark.strip()) for remark in answer.remarks)
    text = " ".join(f"{remark[:1].upper()}{remark[1:]}." for remark in remarks if remark)
    title = f"{show_name(answer.procedure)}: {show_name(answer.field_name)}"
    return Section(f"search{number}", title, text, tuple(charts))


def search_chart(trials: Sequence[Trial], field_name: str, name: str) -> Chart:
    """Return the values of a field that the search tried, with the mean, interval and verdict of the target ``name`` at each."""
    found = [(trial, t) for trial in trials for t in trial.targets if t.target == name]
    data = [
        {"x": trial.position, "value": show_name(trial.value), "mean": t.mean, "low": _finite(t.low), "high": _finite(t.high),
         "verdict": t.decision, "step": trial.step, "runs": trial.runs}
        for trial, t in found
        if t.mean is not None and math.isfinite(t.mean)
    ]  # fmt: skip
    rows = tuple(
        (str(trial.step), show_name(trial.value), str(trial.runs), t.decision, show_name(t.text))
        for trial, t in sorted(found, key=lambda pair: pair[0].step)
    )
    counts = {kind: sum(t.decision == kind for _, t in found) for kind in _COLOURS}
    said = join_words([f"{count} {kind}" for kind, count in counts.items() if count])
    sentence = f"The search tried {plural(len(found), 'value')}: {said}. The numbers give its order."
    columns = ("Step", show_name(field_name), "Runs", "Verdict", show_name(name))
    table = TextTable(columns, rows, (show_name(field_name), "Verdict"))
    if not data:
        return Chart(show_name(name), sentence, table)
    unit, limit = found[0][1].unit, found[0][1].limit
    field_unit = found[0][0].field_unit
    x_title = f"{show_name(field_name)} ({field_unit})" if field_unit else show_name(field_name)
    x = quantitative("x", x_title, scale={"zero": False}, axis={"labelOverlap": True, "tickCount": 8})
    axis = {"format": "~%"} if unit == "ratio" else {}
    measure = show_name(name.split(" ")[0])
    y: dict[str, Any] = {"type": "quantitative", "title": f"{measure} ({unit})" if unit not in ("", "ratio") else measure}
    y["axis"] = axis
    used = {kind: colour for kind, colour in _COLOURS.items() if counts[kind]}
    scale = {"domain": list(used), "range": list(used.values())}
    colour = nominal("verdict", None, scale=scale, legend={"orient": "bottom"})
    tooltip = [word("value", show_name(field_name)), quantitative("mean", "mean", format=".4~g"),
               word("verdict", "verdict"), quantitative("runs", "runs")]  # fmt: skip
    layers = [
        {"data": {"values": [{"limit": limit}]}, "mark": {"type": "rule", "color": BAD, "strokeDash": [6, 4]},
         "encoding": {"y": {"field": "limit", "type": "quantitative"}}},
        {"mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.4}, "transform": [{"filter": "isValid(datum.high)"}],
         "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}},
        {"mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
         "encoding": {"x": x, "y": {**y, "field": "mean"}, "color": colour, "tooltip": tooltip}},
        {"mark": {"type": "text", "dx": 9, "dy": -8, "fontSize": 11},
         "encoding": {"x": x, "y": {**y, "field": "mean"}, "text": {"field": "step", "type": "quantitative"}}},
    ]  # fmt: skip
    return Chart(show_name(name), sentence, table, (chart(data, layer=layers, height=260),))


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


__all__ = ["PlanAnswer", "TargetValue", "Trial", "plan_report", "search_chart"]
