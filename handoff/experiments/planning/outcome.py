"""Outcome of targets on runs that are complete: whether each target is met, and by which value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handoff.experiments.execution.task import Table, run_tables
from handoff.experiments.planning.slo import Target, format_value
from handoff.experiments.sweep.summary import NOTHING_MEASURED, TOO_FEW_SAMPLES, Estimate, estimate_measure
from handoff.protocol.setup import Setup
from handoff.simulation.result import RunResult


@dataclass(frozen=True)
class Outcome:
    """Outcome of one target for one procedure, or for one point of a sweep.

    Attributes
    ----------
    subject : str
        Name of the procedure, or the point.
    target : Target
        The target.
    value : float or None
        Value of the measure, in its unit: of one run, or the mean of the replications. None if there is none.
    low, high : float or None
        Ends of its 95 % interval; None without one.
    note : str
        Reason why there is no value.
    """

    subject: str
    target: Target
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def passed(self) -> bool:
        """True if there is a value, and it meets the target. Nothing measured is no success."""
        return self.value is not None and self.target.holds(self.value)

    def __str__(self) -> str:
        """Return a line with ✓ or ✗."""
        unit = self.target.unit
        said = self.note if self.value is None else format_value(self.value, unit)
        if self.low is not None and self.high is not None and self.low < self.high:
            said += f" [{format_value(self.low, unit)}, {format_value(self.high, unit)}]"
        return f"{'✓' if self.passed else '✗'} {self.subject}: {self.target}: {said}"

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as values for JSON."""
        return {
            "subject": self.subject, "target": str(self.target), "measure": self.target.measure, "limit": self.target.limit,
            "unit": self.target.unit, "value": self.value, "low": self.low, "high": self.high, "passed": self.passed,
            "note": self.note,
        }  # fmt: skip


def judge_runs(targets: Sequence[Target], runs: Sequence[RunResult], setup: Setup, seed: int) -> list[Outcome]:
    """Return the outcome of each target for each procedure of a study. A run that was interrupted is not judged."""
    complete = [run for run in runs if run.interrupted_ps is None]
    return [
        outcome for run in complete for outcome in judge_replications(targets, run.procedure, [run_tables(run, setup, seed)])
    ]  # fmt: skip


def judge_replications(targets: Sequence[Target], subject: str, runs: Sequence[Mapping[str, Table]]) -> list[Outcome]:
    """Return the outcome of each target on the tables of replications."""
    return [_judge(target, subject, estimate_measure(target.measure, runs)) for target in targets]


def _judge(target: Target, subject: str, estimate: Estimate) -> Outcome:
    interval = estimate.interval
    if interval is None or not math.isfinite(interval.mean):
        reason = estimate.note or NOTHING_MEASURED
        if reason == TOO_FEW_SAMPLES:
            reason = f"{reason} ({estimate.samples:,})"
        return Outcome(subject, target, None, note=reason)
    ends = (interval.low, interval.high) if interval.known else (None, None)
    return Outcome(subject, target, interval.mean, *ends)


__all__ = ["Outcome", "judge_replications", "judge_runs"]
