"""Whether replications say that targets are met, missed, or not yet either."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from handoff.experiments.planning.slo import Target, format_value
from handoff.metrics.confidence import Decision, Interval, SequentialTest, look_schedule

LEAST = 2
"""Replications that show whether a scenario has anything random in it."""


@dataclass(frozen=True)
class Reading:
    """A measure in one replication.

    Attributes
    ----------
    value : float or None
        None if nothing was measured.
    trials : int or None
        Of a ratio: out of how many.
    enough : bool
        Whether there were samples enough for it (a quantile wants some beyond it).
    """

    value: float | None
    trials: int | None = None
    enough: bool = True


@dataclass(frozen=True)
class TargetResult:
    """What was found of one target at one value of the field.

    Attributes
    ----------
    target : Target
    decision : {"met", "missed", "open"}
    interval : Interval
        The one that the decision rests on.
    note : str
        Why it is open, or what the decision does not rest on an interval.
    """

    target: Target
    decision: Decision
    interval: Interval
    note: str = ""


@dataclass(frozen=True)
class SloTest:
    """Decides targets together: all met, or one missed.

    The error of one verdict is at most ``1 - confidence``: it is shared equally among the targets, and among the looks of each
    (``handoff.measures.Sequential``). Three kinds of targets need no interval. If two seeds give the same run, packet for packet,
    nothing in the scenario is random and the value is exact. A target at the edge of what a measure can be (``lost<=0``,
    ``scenario_1_ratio>=1``) is missed with the first replication that breaks it, and met when all ``most`` have kept it. And what
    was not measured, or from too few samples, decides nothing.

    Attributes
    ----------
    targets : tuple of Target
    confidence : float
        Of one verdict.
    most : int
        Replications after which an undecided target stays open.
    """

    targets: tuple[Target, ...]
    confidence: float
    most: int

    @property
    def looks(self) -> tuple[int, ...]:
        """After how many replications it is worth asking for a verdict."""
        return tuple(sorted({min(LEAST, self.most), *look_schedule(self.most)}))

    def findings(self, readings: Sequence[Sequence[Reading]], fingerprints: Sequence[int]) -> list[TargetResult]:
        """One a target, in their order.

        Parameters
        ----------
        readings : sequence of sequence of Reading
            For each target, in their order, one of each replication, in the order of their numbers.
        fingerprints : sequence of int
            Of each replication's run.
        """
        constant = len(fingerprints) >= LEAST and len(set(fingerprints)) == 1
        return [self._finding(target, found, constant) for target, found in zip(self.targets, readings, strict=True)]

    def _finding(self, target: Target, readings: Sequence[Reading], constant: bool) -> TargetResult:
        values = [r.value for r in readings if r.value is not None]
        few = sum(not r.enough for r in readings)
        if len(values) < len(readings) or few:
            said = "too few samples for it" if few else "nothing was measured"
            return TargetResult(target, "open", _spanned(values), f"{said} in {max(few, len(readings) - len(values))} replications")
        n = len(values)
        if constant:
            exact = Interval(values[0], values[0], values[0], n)
            return TargetResult(target, "met" if target.holds(values[0]) else "missed", exact, "exact: no seed changes it")
        counted = [r.trials for r in readings if r.trials is not None]
        trials = counted if len(counted) == n else None
        by = self._sequential(target)
        interval = by.interval(values, trials)
        if target.is_at_extreme:
            broken = sum(not target.holds(v) for v in values)
            if broken or n >= self.most:
                return TargetResult(target, "missed" if broken else "met", interval, _kept(broken, n, self.confidence))
            return TargetResult(target, "open", interval)
        return TargetResult(target, by.decide(values, trials), interval)

    def _sequential(self, target: Target) -> SequentialTest:
        error = (1 - self.confidence) / len(self.targets)
        return SequentialTest(target.limit, "<=" if target.is_upper_bound else ">=", 1 - error, max(2, self.most))


def verdict(findings: Sequence[TargetResult]) -> Decision:
    """Of all targets together."""
    decisions = [f.decision for f in findings]
    return "missed" if "missed" in decisions else "open" if "open" in decisions else "met"


def significantly_worse(findings: Sequence[TargetResult], than: Sequence[TargetResult]) -> bool:
    """Whether a target that is missed in both is further from its limit, beyond what chance explains."""
    return any(
        a.decision == b.decision == "missed"
        and (a.interval.low > b.interval.high if a.target.is_upper_bound else a.interval.high < b.interval.low)
        for a, b in zip(findings, than, strict=True)
    )


def _kept(broken: int, n: int, confidence: float) -> str:
    if broken:
        return f"broken in {broken} of {n} replications"
    share = 1 - (1 - confidence) ** (1 / n)
    return f"kept in all {n} replications: broken in less than {share:.0%} of all, at this confidence"


def _spanned(values: Sequence[float]) -> Interval:
    mean = math.fsum(values) / len(values) if values else math.nan
    return Interval(mean, -math.inf, math.inf, len(values))


def format_finding(finding: TargetResult) -> str:
    """Value and interval of a finding."""
    at, unit = finding.interval, finding.target.unit
    if not at.known or at.low == at.high:
        return format_value(at.mean, unit)
    return f"{format_value(at.mean, unit)} [{format_value(at.low, unit)}, {format_value(at.high, unit)}]"
