"""First guess of a plan's answer, from closed forms and the runs at the low end. It saves runs; no verdict depends on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from handoff.experiments.planning.closed_form import estimate_measure, has_closed_form
from handoff.experiments.planning.search_problems import SearchProblem
from handoff.experiments.planning.value_search import Bracket, search
from handoff.experiments.planning.verdict import TargetResult
from handoff.metrics.confidence import Interval
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.setup import Setup
from handoff.scenario import ScenarioError
from handoff.theory.estimate import Estimate, estimate
from handoff.theory.queueing import md1_wait, md1_wait_quantile

GUESS_PRECISION = 0.04
"""Relative precision of the guess; that of its formulas is lower."""
_QUANTILES = {"p50": 0.5, "p99": 0.99}


def guess_answer(
    problem: SearchProblem, procedure: str, setup_at: Callable[[int], Setup], low_results: Sequence[TargetResult]
) -> int | None:
    """Return the value that a search on closed forms finds.

    A measure with a closed form takes its value. A registration delay or latency is that at the low end of the range, plus the
    wait at the most loaded registration server. Any other target counts as missed once a server or link is overloaded.

    Parameters
    ----------
    problem : SearchProblem
        Field and range.
    procedure : str
        Name of the procedure.
    setup_at : callable
        Returns the scenario at a position.
    low_results : sequence of TargetResult
        Results of the targets at the low end of the range.

    Returns
    -------
    int or None
        None if closed forms find no end in the range, or the procedure has none.
    """
    if procedure == MIXTURE:
        return None
    bracket = Bracket(replace(problem.range, precision=max(problem.range.precision, GUESS_PRECISION)), sense="largest")
    steps = search(bracket)
    requested = next(steps)
    try:
        while True:
            estimates = {x: estimate(setup_at(x), procedure) for x in requested}
            requested = steps.send({x: [_predict(r, es) for r in low_results] for x, es in estimates.items()})
    except StopIteration:
        pass
    except (ScenarioError, ValueError, MemoryError):  # the runs at such a value report the reason, if the search needs it
        return None
    return None if bracket.first_missed is None else bracket.last_met


def _predict(low: TargetResult, estimates: Sequence[Estimate]) -> TargetResult:
    target, (name, _, statistic) = low.target, low.target.measure.rpartition("_")
    overloaded = any(e.load >= 1 for e in estimates)
    if has_closed_form(target.measure):
        value = estimate_measure(target.measure, estimates)
        met = target.holds(value)
    elif name in ("registration_delay", "latency") and (statistic == "mean" or statistic in _QUANTILES):
        value = low.interval.mean + max((_wait(e, statistic) for e in estimates if e.what.endswith(" registration")), default=0.0)
        met = target.holds(value)
    else:
        value, met = float(overloaded), not overloaded
    return TargetResult(target, "met" if met else "missed", Interval(value, value, value, 1))


def _wait(e: Estimate, statistic: str) -> float:
    if statistic == "mean":
        return md1_wait(e.load, e.service_ps)
    return md1_wait_quantile(e.load, e.service_ps, _QUANTILES[statistic])


__all__ = ["guess_answer"]
