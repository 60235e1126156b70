"""Closed forms for the question of a plan: the answer of queueing theory, without a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handoff.experiments.planning.search_problems import SearchProblem
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.value_search import Bracket, search
from handoff.experiments.planning.verdict import TargetResult
from handoff.metrics.confidence import Interval
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.setup import Setup
from handoff.theory.estimate import Estimate, estimate, max_mobile_nodes

_ESTIMATED = {
    "registration_wait_mean": ("registration", "wait_ps"), "forwarding_wait_mean": ("forwarding", "wait_ps"),
    "registration_dropped_ratio": ("registration", "loss_ratio"), "forwarding_dropped_ratio": ("forwarding", "loss_ratio"),
    "registration_utilisation": ("registration", "load"), "forwarding_utilisation": ("forwarding", "load"),
    "utilisation": ("", "load"), "dropped_ratio": ("", "loss_ratio"),
}  # fmt: skip
"""Measures that theory knows: name of the server (empty for a link) and attribute of its estimate."""
_RATE_ITERATIONS = 2
"""Evaluations of the formula: the rate of the first one may come from few nodes."""


@dataclass(frozen=True)
class ClosedForm:
    """Answer of theory for one procedure.

    Attributes
    ----------
    position : float or None
        Position in the range of the search problem; None if theory finds none there.
    text : str
        Laws that were used, and the value.
    """

    position: float | None
    text: str


def closed_form(
    problem: SearchProblem, targets: Sequence[Target], procedure: str, setup_at: Callable[[int], Setup]
) -> ClosedForm | None:
    """Return the value that a search on closed forms finds, or the formula for the mobile nodes of an agent.

    Parameters
    ----------
    problem : SearchProblem
        Field and range.
    targets : sequence of Target
        Targets. Those without a closed form are left out.
    procedure : str
        Name of the procedure.
    setup_at : callable
        Returns the scenario at a position.

    Returns
    -------
    ClosedForm or None
        None if no target has a closed form, or the procedure is a mixture.
    """
    known = [t for t in targets if has_closed_form(t.measure)]
    if not known or procedure == MIXTURE:
        return None
    if _counts_mobile_nodes(problem) and all(t.is_upper_bound and t.measure.endswith(".registration_wait_mean") for t in known):
        return _apply_formula(problem, known, procedure, setup_at)
    bracket = Bracket(problem.range, sense=problem.sense)
    steps = search(bracket)
    requested = next(steps)
    laws: dict[str, str] = {}
    while True:
        estimates = {x: estimate(setup_at(x), procedure) for x in requested}
        laws |= {t.measure: law for es in estimates.values() for t in known if (law := _look_up(t.measure, es)[1])}
        try:
            requested = steps.send({x: [_judge(t, es) for t in known] for x, es in estimates.items()})
        except StopIteration:
            break
    law = ", ".join(dict.fromkeys(laws.values())) or "nothing loaded"
    if bracket.last_met is None:
        return ClosedForm(None, f"{law}: the targets cannot be met in the range")
    return ClosedForm(bracket.last_met, f"{law}: {problem.values.display(bracket.last_met)}")


def has_closed_form(measure: str) -> bool:
    """Return whether theory has a value for a measure."""
    element, _, name = measure.rpartition(".")
    return (name if element else measure.removesuffix("_max")) in _ESTIMATED


def estimate_measure(measure: str, estimates: Sequence[Estimate]) -> float:
    """Return the value that estimates give a measure with a closed form."""
    return _look_up(measure, estimates)[0]


def _counts_mobile_nodes(problem: SearchProblem) -> bool:
    return problem.path == "mobile_nodes" or problem.path.endswith((".mobile_nodes", ".mobiles"))


def _apply_formula(
    problem: SearchProblem, targets: Sequence[Target], procedure: str, setup_at: Callable[[int], Setup]
) -> ClosedForm:  # fmt: skip
    # N = 2 Wq / ((S + 2 Wq) (h + 1/L) S), with the handoff rate that the nodes of the scenario have at that number.
    limits = problem.range
    position, capacity = limits.low, math.inf
    for _ in range(_RATE_ITERATIONS):
        setup = setup_at(position)
        capacity = min(max_mobile_nodes(setup, procedure, t.limit, t.measure.rpartition(".")[0]) for t in targets)
        position = min(max(limits.low, round(min(capacity, limits.high))), limits.high)
    if math.isinf(capacity):
        return ClosedForm(None, "M/D/1: nothing comes to the agent")
    return ClosedForm(capacity, f"M/D/1, N = 2 W / ((S + 2 W) (h + 1/L) S): {capacity:,.0f}")


def _judge(target: Target, estimates: Sequence[Estimate]) -> TargetResult:
    value, _ = _look_up(target.measure, estimates)
    return TargetResult(target, "met" if target.holds(value) else "missed", Interval(value, value, value, 1))


def _look_up(measure: str, estimates: Sequence[Estimate]) -> tuple[float, str]:
    # Returns value and law of a measure; the value is 0 where nothing arrives. Without an element it is the largest of all.
    element, _, name = measure.rpartition(".")
    server, attribute = _ESTIMATED[name if element else measure.removesuffix("_max")]
    if element:
        matches = [e for e in estimates if e.what == f"{element} {server}".strip()]
    else:
        matches = [e for e in estimates if (" " in e.what) == bool(server) and e.what.endswith(server)]
    value, law = max(((getattr(e, attribute), f"{e.law} at {e.what}") for e in matches), default=(0.0, ""))
    return (min(value, 1.0) if attribute == "load" else value), law


__all__ = ["ClosedForm", "closed_form", "estimate_measure", "has_closed_form"]
