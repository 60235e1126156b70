"""Outcome of targets on runs that are complete: whether each target is met, and by which value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handoff.experiments.execution.task import Table, run_tables
from handoff.experiments.planning.slo import Target, format_value
from handoff.experiments.sweep.summary import NOTHING_MEASURED, TOO_FEW_SAMPLES, Estimate, estimate_measure
from handoff.output.seconds import json_values
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
    resolution : float
        Largest distance of the value from the true one, as a share of it; 0 for an exact value.
    """

    subject: str
    target: Target
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    resolution: float = 0.0

    @property
    def passed(self) -> bool:
        """True if there is a value, and every value within its resolution meets the target. Nothing measured is no success."""
        return self.value is not None and all(map(self.target.holds, self._possible_values(self.value)))

    def _possible_values(self, value: float) -> list[float]:
        return [value * (1 - self.resolution), value * (1 + self.resolution)]

    def __str__(self) -> str:
        """Return a line with ✓ or ✗."""
        unit = self.target.unit
        said = self.note if self.value is None else format_value(self.value, unit)
        if self.low is not None and self.high is not None and self.low < self.high:
            said += f" [{format_value(self.low, unit)}, {format_value(self.high, unit)}]"
        if self.value is not None and len({*map(self.target.holds, self._possible_values(self.value))}) > 1:
            said += f" (from a histogram, within {self.resolution:.1%}: the limit is nearer; --detail decides)"
        return f"{'✓' if self.passed else '✗'} {self.subject}: {self.target}: {said}"

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as values for JSON."""
        unit, (limit, value, low, high) = json_values(self.target.unit, (self.target.limit, self.value, self.low, self.high))
        return {
            "subject": self.subject, "target": str(self.target), "measure": self.target.measure, "limit": limit, "unit": unit,
            "value": value, "low": low, "high": high, "resolution": self.resolution, "passed": self.passed, "note": self.note,
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
    low, high = (interval.low, interval.high) if interval.known else (None, None)
    return Outcome(subject, target, interval.mean, low, high, resolution=estimate.resolution)


__all__ = ["Outcome", "judge_replications", "judge_runs"]
