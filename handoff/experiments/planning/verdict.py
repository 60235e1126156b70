"""Verdicts: whether the replications show that targets are met or missed, or leave them open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from handoff.experiments.execution.task import Table
from handoff.experiments.planning.slo import Target, format_value
from handoff.metrics.catalogue import (
    DELAY_QUANTILES,
    can_be_negative,
    evaluate,
    get_measure,
    has_enough_samples,
    possible_values,
)
from handoff.metrics.confidence import EXACT, STUDENT, Interval, unbounded_interval
from handoff.metrics.event_interval import EventCount
from handoff.metrics.product_test import PRODUCT, product_interval
from handoff.metrics.sequential_test import FIRST_LOOK, Decision, SequentialTest, look_schedule
from handoff.simulation.early_end import can_end_early

MIN_REPLICATIONS = 2
"""Replications that show whether a scenario contains anything random."""
MIN_FORECAST_REPLICATIONS = 5
"""Replications from which on a test is given up that more of them would leave open. With fewer, their spread is too uncertain."""
FORECAST_DEVIATIONS = 2.5
"""Standard deviations by which the mean of the remaining replications may be off in that forecast."""

_ABOVE_ROUNDING = 1 + 1e-9


@dataclass(frozen=True)
class Reading:
    """A measure in one replication.

    Attributes
    ----------
    value : float or None
        None if nothing was measured. A lower bound if the run ended early because of this measure.
    events : EventCount or None
        Events behind a number or a ratio of events.
    enough : bool
        True if there were enough samples for the measure; a quantile needs some beyond it.
    is_cut : bool
        True if the run ended early, so that the whole run's value is not known.
    resolution : float
        Largest distance of the value from the true one, as a share of it; 0 for an exact value.
    """

    value: float | None
    events: EventCount | None = None
    enough: bool = True
    is_cut: bool = False
    resolution: float = 0.0


@dataclass(frozen=True)
class TargetResult:
    """Result of one target at one value of the field.

    Attributes
    ----------
    target : Target
    decision : {"met", "missed", "open"}
    interval : Interval
        Confidence interval behind the decision.
    note : str
        Reason why the target is open, or basis of a decision that rests on no interval.
    """

    target: Target
    decision: Decision
    interval: Interval
    note: str = ""


@dataclass(frozen=True)
class SloTest:
    """Test of several targets together: all met, or one missed.

    The error of one verdict is at most ``1 - confidence``. At a value that misses a target, only "met" is wrong, and this takes a
    wrong "met" of that target: each may have the whole error. At a value that meets all targets, only "missed" is wrong, and any
    of them may cause it: they share the error equally. Each shares it among the looks
    (``handoff.metrics.sequential_test.SequentialTest``). Three cases need no interval:

    - Two seeds give the same run, packet for packet: nothing in the scenario is random, and the value is exact.
    - The limit is the extreme of the measure (``lost<=0``, ``scenario_1_ratio>=1``): the target is missed with the first
      replication that violates it, and met if none of ``max_replications`` does.
    - Nothing was measured, or too few samples in runs that differ: the target stays open.

    Beside the intervals, a product test (``handoff.metrics.product_test``) shows that an upper limit is missed, also from runs
    that ended early; it needs a measure that is never below 0 (``has_product_test``). Of the share of a target the intervals use
    one half and the product the other.

    Attributes
    ----------
    targets : tuple of Target
    confidence : float
        Confidence of one verdict.
    max_replications : int
        Replications after which an undecided target stays open.
    """

    targets: tuple[Target, ...]
    confidence: float
    max_replications: int

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of replications after which a verdict may be possible."""
        return tuple(sorted({min(MIN_REPLICATIONS, self.max_replications), *look_schedule(self.max_replications)}))

    @property
    def target_error(self) -> float:
        """Error probability of one target."""
        return (1 - self.confidence) / len(self.targets)

    @cached_property
    def early_ends(self) -> dict[str, float]:
        """Measures whose value ends a run early, each with that value.

        The runs of a first look with such a value miss the target by the product test. A target with one such run cannot be met:
        even if all other values were 0, the mean of ``max_replications`` would not be below the limit.
        """
        first_look = min(FIRST_LOOK, self.max_replications)
        multiple = max((self.target_error / 2) ** (-1 / first_look), self.max_replications) * _ABOVE_ROUNDING
        ends: dict[str, float] = {}
        for target in self.targets:
            if has_product_test(target) and can_end_early(target.measure):
                ends[target.measure] = max(ends.get(target.measure, 0.0), multiple * target.limit)
        return ends

    def cut_readings(self, measure: str) -> tuple[Reading, ...]:
        """Return the readings of a run that ended early because of a measure: a lower bound of this one, nothing of others."""
        bound = self.early_ends[measure]
        return tuple(Reading(bound if t.measure == measure else None, is_cut=True) for t in self.targets)

    def evaluate(self, readings: Sequence[Sequence[Reading]], fingerprints: Sequence[int]) -> list[TargetResult]:
        """Return the result of each target, in their order.

        Parameters
        ----------
        readings : sequence of sequence of Reading
            For each target, in their order, a reading of each replication, in the order of their numbers.
        fingerprints : sequence of int
            Fingerprint of each replication's run.
        """
        constant = len(fingerprints) >= MIN_REPLICATIONS and len(set(fingerprints)) == 1
        pairs = zip(self.targets, readings, strict=True)
        return [self._evaluate_within_resolution(target, row, constant) for target, row in pairs]

    def _evaluate_within_resolution(self, target: Target, readings: Sequence[Reading], constant: bool) -> TargetResult:
        # A decision stands if it is the same at both ends of the values that each reading may stand for.
        result = self._evaluate(target, readings, constant)
        resolution = max((r.resolution for r in readings), default=0.0)
        if not resolution or result.decision == "open":
            return result
        for factor in (1 - resolution, 1 + resolution):
            row = [r if r.value is None else replace(r, value=r.value * factor) for r in readings]
            if self._evaluate(target, row, constant).decision != result.decision:
                note = f"nearer to the limit than the histogram of delays resolves: {resolution:.1%}"
                return replace(result, decision="open", note=note)
        return result

    def _evaluate(self, target: Target, readings: Sequence[Reading], constant: bool) -> TargetResult:
        if any(r.is_cut for r in readings):
            return self._evaluate_cut(target, readings)
        values = [r.value for r in readings if r.value is not None]
        too_few = 0 if constant else sum(not r.enough for r in readings)  # few samples are all that there are if none is random
        if len(values) < len(readings) or too_few:
            reason = "too few samples for it" if too_few else "nothing was measured"
            replications = max(too_few, len(readings) - len(values))
            return TargetResult(target, "open", unbounded_interval(values), f"{reason} in {replications} replications")
        n = len(values)
        if constant:
            exact = Interval(values[0], values[0], values[0], n, EXACT)
            return TargetResult(target, "met" if target.holds(values[0]) else "missed", exact, "exact: no seed changes it")
        counts = [r.events for r in readings if r.events is not None]
        events = counts if len(counts) == n else None
        test = self._sequential_test(target)
        interval = test.interval(values, events).within(*possible_values(target.measure, target.unit))
        if target.is_at_extreme:
            violations = sum(not target.holds(v) for v in values)
            if violations or n >= self.max_replications:
                note = _extreme_note(violations, n, self.confidence)
                return TargetResult(target, "missed" if violations else "met", interval, note)
            return TargetResult(target, "open", interval)
        decision = test.decide(values, events)
        if decision == "met" and not target.holds(interval.mean):
            decision = "open"  # the interval ends at the border of the possible values, as does the target (lost>0)
        if decision == "open" and events is None and has_product_test(target):
            product = product_interval(values, self.target_error / 2)
            if product.low >= target.limit:
                return TargetResult(target, "missed", interval, f"at least {format_value(product.low, target.unit)}")
        return TargetResult(target, decision, interval)

    def _evaluate_cut(self, target: Target, readings: Sequence[Reading]) -> TargetResult:
        values = [r.value for r in readings if r.value is not None]
        if len(values) < len(readings):
            note = f"not measured in {len(readings) - len(values)} runs that ended early"
            return TargetResult(target, "open", unbounded_interval(values), note)
        interval = product_interval(values, self.target_error / 2)
        note = f"{sum(r.is_cut for r in readings)} of {len(readings)} runs ended early: their values are lower bounds"
        return TargetResult(target, "missed" if interval.low >= target.limit else "open", interval, note)

    def stays_open(self, results: Sequence[TargetResult], readings: Sequence[Sequence[Reading]]) -> bool:
        """Return whether ``max_replications`` would very probably leave the value undecided too.

        An undecided value costs precision, never confidence. The forecast takes mean and deviation from the replications so far,
        and ``FORECAST_DEVIATIONS`` for what the others may add.
        """
        pairs = zip(results, readings, strict=True)
        return all(self._target_stays_open(result, row) for result, row in pairs if result.decision == "open")

    def _target_stays_open(self, result: TargetResult, readings: Sequence[Reading]) -> bool:
        n, most, interval = len(readings), self.max_replications, result.interval
        if n < MIN_FORECAST_REPLICATIONS or interval.method != STUDENT or result.target.is_at_extreme:
            return False
        test = self._sequential_test(result.target)
        deviation = abs(interval.mean - (interval.high if result.target.is_upper_bound else interval.low))
        distance = abs(interval.mean - result.target.limit) / deviation * test.student_factor(n, "met")  # in deviations of a run
        needed = test.student_factor(most, "met" if result.target.holds(interval.mean) else "missed")
        return distance + FORECAST_DEVIATIONS * math.sqrt(1 / n - 1 / most) < needed

    def _sequential_test(self, target: Target) -> SequentialTest:
        sense: Literal["<=", ">="] = "<=" if target.is_upper_bound else ">="
        return SequentialTest(target.limit, sense, 1 - self.target_error, max(2, self.max_replications), 1 - self.confidence)


def has_product_test(target: Target) -> bool:
    """Return whether the product test applies: to an upper limit above 0 of a measure that is never below 0."""
    return target.is_upper_bound and target.limit > 0 and not can_be_negative(target.measure)


def overall_decision(results: Sequence[TargetResult]) -> Decision:
    """Return the verdict on all targets together."""
    decisions = [r.decision for r in results]
    return "missed" if "missed" in decisions else "open" if "open" in decisions else "met"


def is_significantly_worse(results: Sequence[TargetResult], reference: Sequence[TargetResult]) -> bool:
    """Return whether a target that both miss is further from its limit than in the reference, by more than chance explains."""
    return any(
        a.decision == b.decision == "missed"
        and (a.interval.low > b.interval.high if a.target.is_upper_bound else a.interval.high < b.interval.low)
        for a, b in zip(results, reference, strict=True)
    )


def read_measures(targets: Sequence[Target], tables: dict[str, Table]) -> tuple[Reading, ...]:
    """Read the measures of targets off the tables of one run."""
    return tuple(_read_measure(tables, target.measure) for target in targets)


def needs_detail(targets: Sequence[Target]) -> bool:
    """Return whether a target's measure is computed from the record of every packet."""
    return any(get_measure(target.measure).detail for target in targets)


def profits_from_detail(targets: Sequence[Target]) -> bool:
    """Return whether a target's measure is exact only with the record of every packet: a percentile of the delay."""
    return any(target.measure in DELAY_QUANTILES for target in targets)


def needs_baseline(targets: Sequence[Target]) -> bool:
    """Return whether a target's measure counts bytes beyond those of the baseline run."""
    return any(get_measure(target.measure).baseline for target in targets)


def format_target_result(result: TargetResult) -> str:
    """Return the mean of a result and its interval, if it has one, as text."""
    interval, unit = result.interval, result.target.unit
    if interval.method == PRODUCT:
        return f"at least {format_value(interval.mean, unit)}"
    if not interval.known or interval.low == interval.high:
        return format_value(interval.mean, unit)
    return f"{format_value(interval.mean, unit)} [{format_value(interval.low, unit)}, {format_value(interval.high, unit)}]"


def _read_measure(tables: dict[str, Table], name: str) -> Reading:
    measured = evaluate(tables, name)
    enough = measured.value is None or has_enough_samples(name, measured.samples)
    return Reading(measured.value, measured.events, enough, resolution=measured.resolution)


def _extreme_note(violations: int, n: int, confidence: float) -> str:
    if violations:
        return f"broken in {violations} of {n} replications"
    share = 1 - (1 - confidence) ** (1 / n)
    return f"kept in all {n} replications: broken in less than {share:.0%} of all, at this confidence"
