"""What the closed forms say of a plan's question, without a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handoff.experiments.planning.bisection import Bracket, search
from handoff.experiments.planning.search_space import SearchProblem
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.verdict import TargetResult
from handoff.metrics.confidence import Interval
from handoff.protocol.setup import Setup
from handoff.theory.estimate import Estimate, estimate, max_mobile_nodes

_PARTS = {
    "registration_wait_mean": ("registration", "wait_ps"), "forwarding_wait_mean": ("forwarding", "wait_ps"),
    "registration_dropped_ratio": ("registration", "loss_ratio"), "forwarding_dropped_ratio": ("forwarding", "loss_ratio"),
    "registration_utilisation": ("registration", "load"), "forwarding_utilisation": ("forwarding", "load"),
    "utilisation": ("", "load"), "dropped_ratio": ("", "loss_ratio"),
}  # fmt: skip
"""Measures that theory knows: server (none: a link) and attribute of its estimate."""


@dataclass(frozen=True)
class ClosedForm:
    """What theory says of one procedure.

    Attributes
    ----------
    position : float or None
        The value sought, as a position of the question's range; None if there is none in it.
    said : str
    """

    position: float | None
    said: str


def closed_form(
    question: SearchProblem, targets: Sequence[Target], procedure: str, setup_at: Callable[[int], Setup]
) -> ClosedForm | None:
    """The value that a search on closed forms finds, or the formula for mobile nodes of an agent.

    Targets that theory says nothing of are left out; None if there is no other. ``setup_at`` gives the scenario at a value.
    """
    known = [t for t in targets if has_closed_form(t.measure)]
    if not known:
        return None
    if _counts_mobile_nodes(question) and all(t.is_upper_bound and t.measure.endswith(".registration_wait_mean") for t in known):
        return _by_formula(question, known, procedure, setup_at)
    found = Bracket(question.range, sense=question.sense)
    going = search(found)
    wanted = next(going)
    laws: dict[str, str] = {}
    while True:
        estimates = {x: estimate(setup_at(x), procedure) for x in wanted}
        laws |= {t.measure: law for es in estimates.values() for t in known if (law := _of(t.measure, es)[1])}
        try:
            wanted = going.send({x: [_finding(t, es) for t in known] for x, es in estimates.items()})
        except StopIteration:
            break
    law = ", ".join(dict.fromkeys(laws.values())) or "nothing loaded"
    if found.met is None:
        return ClosedForm(None, f"{law}: the targets cannot be met in the range")
    return ClosedForm(found.met, f"{law}: {question.values.display(found.met)}")


def has_closed_form(measure: str) -> bool:
    """Whether theory has a figure for a measure."""
    where, _, part = measure.rpartition(".")
    return (part if where else measure.removesuffix("_max")) in _PARTS


def _counts_mobile_nodes(question: SearchProblem) -> bool:
    return question.path == "mobile_nodes" or question.path.endswith((".mobile_nodes", ".mobiles"))


def _by_formula(question: SearchProblem, targets: Sequence[Target], procedure: str, setup_at: Callable[[int], Setup]) -> ClosedForm:
    """N = 2 Wq / ((S + 2 Wq) (h + 1/L) S), with the rate that the scenario's own nodes have."""
    ends = question.range
    position, carried = ends.low, math.inf
    for _ in range(2):  # the first rate may be of few nodes
        setup = setup_at(position)
        carried = min(max_mobile_nodes(setup, procedure, t.limit, t.measure.rpartition(".")[0]) for t in targets)
        position = min(max(ends.low, round(min(carried, ends.high))), ends.high)
    if math.isinf(carried):
        return ClosedForm(None, "M/D/1: nothing comes to the agent")
    return ClosedForm(carried, f"M/D/1, N = 2 W / ((S + 2 W) (h + 1/L) S): {carried:,.0f}")


def _finding(target: Target, estimates: Sequence[Estimate]) -> TargetResult:
    value, _ = _of(target.measure, estimates)
    return TargetResult(target, "met" if target.holds(value) else "missed", Interval(value, value, value, 1))


def _of(measure: str, estimates: Sequence[Estimate]) -> tuple[float, str]:
    """Value and law of a measure; 0 where nothing comes."""
    where, _, part = measure.rpartition(".")
    server, attribute = _PARTS[part if where else measure.removesuffix("_max")]
    wanted = f"{where} {server}".strip()
    found = [e for e in estimates if (e.what == wanted if where else (" " in e.what) == bool(server) and e.what.endswith(server))]
    value, law = max(((getattr(e, attribute), f"{e.law} at {e.what}") for e in found), default=(0.0, ""))
    return (min(value, 1.0) if attribute == "load" else value), law


__all__ = ["ClosedForm", "closed_form", "has_closed_form"]
