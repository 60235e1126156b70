"""The verdict of a report: which procedure loses the fewest packets, and what it costs, in two sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from handoff.output.report.contents import KeyFigure
from handoff.output.report.study_data import Row, StudyData, time_ms
from handoff.output.report.target_section import TargetLine, target_clause
from handoff.output.report.wording import (
    join_words,
    plural,
    show_bytes,
    show_count,
    show_ms,
    show_name,
    show_number,
    show_share,
)

MAX_NAMED = 2
"""Procedures that a sentence names; more are only counted."""


def rank(row: Row) -> tuple[Any, ...]:
    """Return the key that orders procedures: fewest lost packets, then the shortest interruptions (p99), then extra bytes."""
    unknown = math.inf
    disruption, extra = time_ms(row, "disruption_p99"), row["extra_bytes"]
    return row["lost"], unknown if disruption is None else disruption, unknown if extra is None else extra


def best_run(study: StudyData) -> Row:
    """Return the row of the first procedure by :func:`rank`; of equal ones, the first in the study."""
    return min(study.runs, key=rank)


def verdict(study: StudyData, targets: Sequence[TargetLine] = ()) -> tuple[str, ...]:
    """Return two sentences: the best procedure with what it loses; what it costs beside the cheapest one, and its targets."""
    best = best_run(study)
    clause = target_clause(targets, best["procedure"])
    second = _second_sentence(study, best)
    subject = show_name(best["procedure"]) if len(study.runs) > 1 else "it"  # the sentence may have named another one
    return _first_sentence(study, best), f"{second.removesuffix('.')}; {subject} {clause}." if clause else second


def _first_sentence(study: StudyData, best: Row) -> str:
    name, worst = show_name(best["procedure"]), max(study.runs, key=lambda row: row["lost"])
    is_tie, interval = len(study.runs) > 1 and worst["lost"] == best["lost"], study.interval(best, "lost")
    amount = f"{best['lost']:,} of " + (f"{best['sent']:,}" if is_tie else plural(best["sent"], "packet"))
    if interval is not None and interval.high <= best["sent"]:  # of two packets it says nothing
        whose = f" under {name}" if is_tie else ""
        amount += f" (95 % interval{whose} {show_count(interval.low)} to {show_count(interval.high)})"
    amount += f" in {plural(best['handoffs'], 'handoff')}"
    if is_tie:
        who = "Both" if len(study.runs) == 2 else f"All {len(study.runs)}"
        return f"{who} procedures lose equally many packets, {amount}; {_first_of_equals(study, best)}."
    if (time := time_ms(best, "disruption_p99")) is not None:
        amount += ", and " + (f"99 % of its interruptions {_last(time)}" if time else "99 % of its handoffs interrupt nothing")
    if len(study.runs) == 1:
        return f"{name} loses {amount}."
    equal = [row for row in study.runs if row["lost"] == best["lost"]]
    others = f", as few as {_others([show_name(r['procedure']) for r in equal if r is not best])}" if len(equal) > 1 else ""
    return (
        f"Of {len(study.runs)} procedures, {name} loses the fewest packets{others}: {amount}; "
        f"{show_name(worst['procedure'])} loses the most, {worst['lost']:,}."
    )


def _first_of_equals(study: StudyData, best: Row) -> str:
    """Return by what a procedure comes before all others that lose as many packets (:func:`rank`)."""
    name, others = show_name(best["procedure"]), [rank(row) for row in study.runs if row is not best]
    _, time, _ = rank(best)
    if all(time < other for _, other, _ in others):
        how = f", 99 % of which {_last(time)}" if time else ": 99 % of its handoffs have none"
        return f"{name} comes first by its interruptions{how}"
    if all(rank(best) < other for other in others):
        return f"{name} comes first by its extra bytes"
    return "no figure decides between all of them"


def _last(time: float) -> str:
    return f"last no longer than {show_ms(time)}"


def _others(names: list[str]) -> str:
    return join_words(names) if len(names) <= MAX_NAMED else f"{len(names)} others"


def _second_sentence(study: StudyData, best: Row) -> str:
    messages = best["signalling_messages"]
    each = f", {show_number(messages / best['handoffs'])} a handoff" if best["handoffs"] else ""
    subject = show_name(best["procedure"]) if len(study.runs) > 1 else "It"  # the first sentence may name another one last
    text = f"{subject} costs {plural(messages, 'signalling message')}{each}"
    if best["extra_bytes"] is not None:
        more = "more" if best["extra_bytes"] >= 0 else "less"
        text += f", and {show_bytes(abs(best['extra_bytes']))} {more} traffic than handoffs without any cost"
    cheapest = min(study.runs, key=lambda row: row["signalling_messages"])
    if len(study.runs) == 1:
        return f"{text}."
    if cheapest is best:
        return f"{text}; no other procedure needs fewer messages."
    return (
        f"{text}; {show_name(cheapest['procedure'])} needs the fewest messages, {cheapest['signalling_messages']:,}, "
        f"and loses {plural(cheapest['lost'], 'packet')}."
    )


def key_figures(study: StudyData) -> tuple[KeyFigure, ...]:
    """Return the figures of the best procedure."""
    best = best_run(study)
    loss = study.measure(best, "loss_ratio").value
    median = time_ms(best, "disruption_p50")
    figures = [
        KeyFigure("Packets lost", f"{best['lost']:,}", f"{show_share(loss)} of {best['sent']:,}"),
        KeyFigure("Interruption, 99 %", show_ms(time_ms(best, "disruption_p99")), f"median {show_ms(median)}"),
        KeyFigure("Seamless handoffs", show_share(best["seamless_ratio"]), f"of {best['seamless_samples']:,} with packets"),
        KeyFigure("Signalling messages", f"{best['signalling_messages']:,}", f"{plural(best['handoffs'], 'handoff')}"),
        KeyFigure("Extra traffic", show_bytes(best["extra_bytes"]), f"{show_bytes(best['extra_air_bytes'])} of it on the radio"),
    ]
    return tuple(figure for figure in figures if figure.value != "–")
