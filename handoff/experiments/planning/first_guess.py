"""First guess of a plan's answer, from closed forms and the runs at the low end. It saves runs; no verdict depends on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from handoff.experiments.planning.closed_form import has_closed_form, predict_result, result_of_value, search_estimates
from handoff.experiments.planning.search_problems import SearchProblem
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.value_search import Bracket
from handoff.experiments.planning.verdict import TargetResult
from handoff.metrics.catalogue import get_measure
from handoff.metrics.confidence import Interval
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.setup import Setup
from handoff.simulation.early_end import can_end_early
from handoff.theory.estimate import Estimate
from handoff.theory.queueing import md1_wait, md1_wait_quantile

GUESS_PRECISION = 0.04
"""Relative precision of the guess; that of its formulas is lower."""


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
    low_means = {r.target: r.interval.mean for r in low_results}

    def predict(target: Target, estimates: Sequence[Estimate]) -> TargetResult:
        if has_closed_form(target.measure):
            return predict_result(target, estimates)
        if can_end_early(target.measure):
            quantile = get_measure(target.measure).quantile
            waits = (_wait(e, quantile) for e in estimates if e.what.endswith(" registration"))
            return result_of_value(target, low_means[target] + max(waits, default=0.0))
        overloaded = any(e.load >= 1 for e in estimates)
        load = float(overloaded)
        return TargetResult(target, "missed" if overloaded else "met", Interval(load, load, load, 1))

    search_estimates(bracket, list(low_means), procedure, setup_at, predict)
    return None if bracket.first_missed is None else bracket.last_met


def _wait(e: Estimate, quantile: float | None) -> float:
    if quantile is None:
        return md1_wait(e.load, e.service_ps)
    return md1_wait_quantile(e.load, e.service_ps, quantile)


__all__ = ["guess_answer"]
