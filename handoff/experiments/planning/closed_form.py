"""Closed forms for the question of a plan: the answer of queueing theory, without a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handoff.experiments.planning.search_problems import SearchProblem
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.value_search import Bracket, search
from handoff.experiments.planning.verdict import TargetResult
from handoff.metrics.confidence import Interval, unbounded_interval
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
    is_infeasible : bool
        True if no value of the range meets the targets.
    """

    position: float | None
    text: str
    is_infeasible: bool = False


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
    estimates, problems = search_estimates(bracket, known, procedure, setup_at, predict_result)
    laws = {t.measure: law for es in estimates.values() for t in known if (law := _look_up(t.measure, es)[1])}
    law = ", ".join(dict.fromkeys(laws.values())) or "nothing loaded"
    left_out = "".join(f"; left out {problem.values.display(x)}: {text}" for x, text in sorted(problems.items()))
    if bracket.last_met is not None:
        return ClosedForm(bracket.last_met, f"{law}: {problem.values.display(bracket.last_met)}{left_out}")
    if problems:
        return ClosedForm(None, f"{law}: no value meets the targets{left_out}")
    return ClosedForm(None, f"{law}: the targets cannot be met in the range", is_infeasible=True)


def search_estimates(
    bracket: Bracket, targets: Sequence[Target], procedure: str, setup_at: Callable[[int], Setup],
    predict: Callable[[Target, Sequence[Estimate]], TargetResult],
) -> tuple[dict[int, list[Estimate]], dict[int, str]]:  # fmt: skip
    """Fill a bracket by a search on closed forms. Values at which no scenario can be built stay undecided.

    Parameters
    ----------
    bracket : Bracket
        Empty bracket.
    targets : sequence of Target
        Targets.
    procedure : str
        Name of the procedure.
    setup_at : callable
        Returns the scenario at a position.
    predict : callable
        Returns the result of a target from the estimates at a position.

    Returns
    -------
    estimates : dict of int to list of Estimate
        Estimates at each position.
    problems : dict of int to str
        Positions without a scenario, each with the reason.
    """
    estimates: dict[int, list[Estimate]] = {}
    problems: dict[int, str] = {}

    def evaluate(x: int) -> list[TargetResult]:
        try:
            estimates[x] = estimate(setup_at(x), procedure)
        except (ValueError, MemoryError) as error:
            problems[x] = "; ".join(str(error).splitlines()) or type(error).__name__
            return [TargetResult(target, "open", unbounded_interval([]), problems[x]) for target in targets]
        return [predict(target, estimates[x]) for target in targets]

    steps = search(bracket)
    requested = next(steps)
    while True:
        try:
            requested = steps.send({x: evaluate(x) for x in requested})
        except StopIteration:
            return estimates, problems


def has_closed_form(measure: str) -> bool:
    """Return whether theory has a value for a measure."""
    element, _, name = measure.rpartition(".")
    return (name if element else measure.removesuffix("_max")) in _ESTIMATED


def predict_result(target: Target, estimates: Sequence[Estimate]) -> TargetResult:
    """Return the result of a target whose measure has a closed form."""
    return result_of_value(target, _look_up(target.measure, estimates)[0])


def result_of_value(target: Target, value: float) -> TargetResult:
    """Return the result of a target for a measure with this exact value."""
    return TargetResult(target, "met" if target.holds(value) else "missed", Interval(value, value, value, 1))


def _counts_mobile_nodes(problem: SearchProblem) -> bool:
    return problem.path == "mobile_nodes" or problem.path.endswith((".mobile_nodes", ".mobiles"))


def _apply_formula(
    problem: SearchProblem, targets: Sequence[Target], procedure: str, setup_at: Callable[[int], Setup]
) -> ClosedForm:  # fmt: skip
    # N = 2 Wq / ((S + 2 Wq) (h + 1/L) S), with the handoff rate that the nodes of the scenario have at that number.
    limits = problem.range
    position, capacity = limits.low, math.inf
    for _ in range(_RATE_ITERATIONS):
        try:
            setup = setup_at(position)
        except (ValueError, MemoryError):
            break  # the rate at the low end has to do, where the scenario has been built
        capacity = min(max_mobile_nodes(setup, procedure, t.limit, t.measure.rpartition(".")[0]) for t in targets)
        position = min(max(limits.low, round(min(capacity, limits.high))), limits.high)
    if math.isinf(capacity):
        return ClosedForm(None, "M/D/1: nothing comes to the agent")
    return ClosedForm(capacity, f"M/D/1, N = 2 W / ((S + 2 W) (h + 1/L) S): {capacity:,.0f}")


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


__all__ = ["ClosedForm", "closed_form", "has_closed_form", "predict_result", "result_of_value", "search_estimates"]
