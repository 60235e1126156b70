"""Comparison of two results, A and B: differences with intervals, and what got worse."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from handoff.api.display import html_table, text_table
from handoff.api.folder import read
from handoff.api.mobile_figures import MOBILE_MEASURES, mobile_ratio
from handoff.api.results import Results
from handoff.api.sweeping import SweepResults
from handoff.experiments.sweep.summary import LazyTables
from handoff.metrics.catalogue import evaluate, get_measure
from handoff.metrics.confidence import Interval
from handoff.metrics.paired import paired_difference, ratio_difference, unpaired_difference
from handoff.scenario.errors import ScenarioError

MEASURES = (
    "loss_ratio", "disruption_mean", "disruption_p99", "delay_mean", "delay_p99", "duplicate_ratio", "reordered_ratio",
    "latency_mean", "seamless", "signalling_messages", "signalling_bytes", "extra_bytes",
)  # fmt: skip
"""Measures of a comparison of sweeps, unless others are named."""
HIGHER_IS_BETTER = ("delivered", "completed_ratio", "seamless", "seamless_1", "seamless_2", "seamless_3", "mos")
NEUTRAL = ("sent", "handoffs")
PS_PER_S = 1e12
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """Difference of one measure between A and B.

    Attributes
    ----------
    subject : str
        Procedure, or point and procedure.
    measure : str
    unit : str
    first, second : float
        Value in A and in B; times in seconds.
    interval : Interval
        ``second - first`` with its interval.
    verdict : str
        ``worse``, ``better`` or ``changed`` if the interval excludes everything within the tolerance; ``equal`` if nothing
        differs; ``unclear``; ``no interval``.
    """

    subject: str
    measure: str
    unit: str
    first: float
    second: float
    interval: Interval
    verdict: str = ""

    @property
    def relative(self) -> float:
        """Difference as a share of the value in A."""
        return self.interval.mean / abs(self.first) if self.first else math.copysign(math.inf, self.interval.mean)

    @property
    def importance(self) -> tuple[int, float]:
        """Key to sort by: first what is certain, then the largest relative difference."""
        rank = ("worse", "better", "changed", "unclear", "no interval", "equal").index(self.verdict)
        return rank, -abs(self.relative) if self.interval.mean else 0.0


class DiffResults:
    """Differences between two results, the most important ones first.

    Attributes
    ----------
    differences : list of Difference
    confidence : float
        Probability that all intervals together contain the true differences.
    tolerance : float
        Share of the value in A that counts as no difference.
    notes : list of str
        What could not be compared, and why.
    """

    def __init__(self, differences: Sequence[Difference], confidence: float, tolerance: float, notes: Sequence[str]) -> None:
        self.differences = sorted(differences, key=lambda d: d.importance)
        self.confidence, self.tolerance, self.notes = confidence, tolerance, list(notes)

    @property
    def passed(self) -> bool:
        """True if nothing is certain to be worse by more than the tolerance."""
        return not any(d.verdict == "worse" for d in self.differences)

    @property
    def table(self) -> pa.Table:
        """One row for each difference: values in A and B, their difference with both ends, the share, verdict and method."""
        rows = [
            {
                "subject": d.subject, "measure": d.measure, "unit": d.unit, "a": d.first, "b": d.second,
                "difference": d.interval.mean, "low": d.interval.low if d.interval.known else None,
                "high": d.interval.high if d.interval.known else None,
                "relative": d.relative if math.isfinite(d.relative) else None, "verdict": d.verdict, "n": d.interval.n,
                "method": d.interval.method or None,
            }
            for d in self.differences
        ]  # fmt: skip
        return pa.Table.from_pylist(rows, _SCHEMA)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Export the table by the Arrow PyCapsule interface."""
        return self.table.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<handoff.DiffResults {self.heading()}>\n{text_table(self.table)}"

    def _repr_html_(self) -> str:
        return html_table(self.table, self.heading())

    def heading(self) -> str:
        """Return how many differences there are, and what the intervals state."""
        worse = sum(d.verdict == "worse" for d in self.differences)
        return f"{worse} of {len(self.differences)} worse; all intervals together {self.confidence:.3g}"


_TEXT, _FLOAT = pa.string(), pa.float64()
_SCHEMA = pa.schema([
    ("subject", _TEXT), ("measure", _TEXT), ("unit", _TEXT), ("a", _FLOAT), ("b", _FLOAT), ("difference", _FLOAT),
    ("low", _FLOAT), ("high", _FLOAT), ("relative", _FLOAT), ("verdict", _TEXT), ("n", pa.int64()), ("method", _TEXT),
])  # fmt: skip


def diff(
    a: str | Path | Results | SweepResults, b: str | Path | Results | SweepResults | None = None, *,
    procedures: tuple[str, str] | None = None, measures: Sequence[str] = (), confidence: float = CONFIDENCE,
    tolerance: float = 0.0,
) -> DiffResults:  # fmt: skip
    """Compare two results, or two procedures.

    Sweeps are compared point by point, and replications with the same seed are paired. Single runs are compared by their mobile
    nodes, which are paired if the seeds are equal. The intervals share the error: together they have the stated confidence.

    Parameters
    ----------
    a, b : str, Path, Results or SweepResults
        Results or their folders; without ``b``, two procedures of ``a``.
    procedures : (str, str) or None
        Compare this procedure in A with that one in B; None: each procedure with itself.
    measures : sequence of str
        Measures, in place of ``MEASURES`` (of single runs: ``MOBILE_MEASURES``).
    confidence : float
        Probability that all intervals contain the true differences.
    tolerance : float
        Share of the value in A by which B may be worse.

    Raises
    ------
    HandoffError
        If the results cannot be compared.
    """
    problems = []
    if b is None and procedures is None:
        problems.append("b is missing: give a second result, or two procedures of the first one")
    if not 0.5 <= confidence < 1:
        problems.append(f"confidence is {confidence}: give 0.5 or more, and less than 1")
    if not tolerance >= 0:
        problems.append(f"tolerance is {tolerance}: give 0 or more")
    if problems:
        raise ScenarioError(problems)
    first, second = (read(x) if isinstance(x, str | Path) else x for x in (a, a if b is None else b))
    notes: list[str] = []
    samples: Sequence[_Replications | _MobileNodes]
    if isinstance(first, SweepResults) and isinstance(second, SweepResults):
        samples = _sweep_samples(first, second, procedures, measures or MEASURES, notes)
    elif isinstance(first, Results) and isinstance(second, Results):
        samples = _run_samples(first, second, procedures, measures or tuple(MOBILE_MEASURES), notes)
    else:
        raise ScenarioError(["a sweep and a single run cannot be compared: give two sweeps, or two runs"])
    if not samples:
        raise ScenarioError(["nothing can be compared", *notes])
    each = 1 - (1 - confidence) / len(samples)
    return DiffResults([_judge(sample.difference(each), tolerance) for sample in samples], confidence, tolerance, notes)


@dataclass(frozen=True)
class _Replications:
    """Values of a measure at a point, by seed."""

    subject: str
    measure: str
    first: Mapping[int, float]
    second: Mapping[int, float]

    def difference(self, confidence: float) -> Difference:
        common = sorted(self.first.keys() & self.second.keys())
        if common:
            a, b = ([values[seed] for seed in common] for values in (self.first, self.second))
            interval = paired_difference(a, b, confidence)
        else:
            a, b = list(self.first.values()), list(self.second.values())
            interval = unpaired_difference(a, b, confidence)
        return _in_seconds(self.subject, self.measure, math.fsum(a) / len(a), math.fsum(b) / len(b), interval)


@dataclass(frozen=True)
class _MobileNodes:
    """Numerator and denominator of a measure by mobile node."""

    subject: str
    measure: str
    first: Mapping[str, tuple[float, float]]
    second: Mapping[str, tuple[float, float]]

    def difference(self, confidence: float) -> Difference:
        import numpy as np

        names = sorted(self.first.keys() | self.second.keys())
        columns = [np.array([side.get(name, (0.0, 0.0)) for name in names], float).T for side in (self.first, self.second)]
        a, b = ((c[0], c[1]) for c in columns)
        interval = ratio_difference(a, b, confidence)
        value_a, value_b = (float(n.sum() / d.sum()) for n, d in (a, b))
        return Difference(self.subject, self.measure, MOBILE_MEASURES[self.measure], value_a, value_b, interval)


def _in_seconds(subject: str, measure: str, first: float, second: float, interval: Interval) -> Difference:
    unit = get_measure(measure).unit
    if unit != "ps":
        return Difference(subject, measure, unit, first, second, interval)
    scaled = replace(interval, mean=interval.mean / PS_PER_S, low=interval.low / PS_PER_S, high=interval.high / PS_PER_S)
    return Difference(subject, measure, "s", first / PS_PER_S, second / PS_PER_S, scaled)


def _judge(difference: Difference, tolerance: float) -> Difference:
    interval, allowed = difference.interval, tolerance * abs(difference.first)
    if interval.low == interval.high == 0:
        verdict = "equal"
    elif not interval.known:
        verdict = "no interval"
    elif interval.low > allowed or interval.high < -allowed:
        rises = interval.low > allowed
        better = rises == (difference.measure in HIGHER_IS_BETTER)
        verdict = "changed" if difference.measure in NEUTRAL else "better" if better else "worse"
    else:
        verdict = "unclear"
    return replace(difference, verdict=verdict)


def _pairs_of_procedures(
    first: Sequence[str], second: Sequence[str], procedures: tuple[str, str] | None, notes: list[str]
) -> list[tuple[str, str]]:
    if procedures is not None:
        for side, names, name in (("A", first, procedures[0]), ("B", second, procedures[1])):
            if name not in names:
                raise ScenarioError([f"procedures: {side} has no {name!r}; it has {', '.join(dict.fromkeys(names))}"])
        return [procedures]
    for side, names, others in (("A", first, second), ("B", second, first)):
        if only := [n for n in dict.fromkeys(names) if n not in others]:
            notes.append(f"only in {side}: {', '.join(only)}")
    return [(name, name) for name in dict.fromkeys(first) if name in second]


def _sweep_samples(
    first: SweepResults, second: SweepResults, procedures: tuple[str, str] | None, measures: Sequence[str], notes: list[str]
) -> list[_Replications]:
    sides = [_tables_by_point(side) for side in (first, second)]
    names_a, names_b = ([procedure for _, procedure in side] for side in sides)
    samples = []
    for name_a, name_b in _pairs_of_procedures(names_a, names_b, procedures, notes):
        for fields in dict.fromkeys(fields for fields, procedure in sides[0] if procedure == name_a):
            runs = [side.get((fields, name)) for side, name in zip(sides, (name_a, name_b), strict=True)]
            values = " ".join(f"{name}={value}" for name, value in fields)
            procedure = name_a if name_a == name_b else f"{name_a} → {name_b}"
            subject = f"{values} {procedure}".strip()
            if runs[0] is None or runs[1] is None:
                notes.append(f"only in A: {subject}")
                continue
            for measure in measures:
                a, b = (_values(side, measure) for side in (runs[0], runs[1]))
                if a and b:
                    samples.append(_Replications(subject, measure, a, b))
                else:
                    notes.append(f"{subject}: {measure}: nothing measured")
    return samples


def _values(runs: Mapping[int, LazyTables], measure: str) -> dict[int, float]:
    try:
        values = {seed: evaluate(tables, measure).value for seed, tables in runs.items()}
    except ValueError as error:
        raise ScenarioError([f"measures: {error}"]) from None
    return {seed: value for seed, value in values.items() if value is not None}


def _tables_by_point(results: SweepResults) -> dict[tuple[tuple[tuple[str, str], ...], str], dict[int, LazyTables]]:
    tables: dict[tuple[tuple[tuple[str, str], ...], str], dict[int, LazyTables]] = {}
    for point, seed, run in results.stored_runs():
        fields = tuple(sorted((name, str(value)) for name, value in point["values"]))
        tables.setdefault((fields, point["procedure"]), {})[seed] = LazyTables(run)
    return tables


def _run_samples(
    first: Results, second: Results, procedures: tuple[str, str] | None, measures: Sequence[str], notes: list[str]
) -> list[_MobileNodes]:
    if unknown := [name for name in measures if name not in MOBILE_MEASURES]:
        raise ScenarioError([
            f"measures: single runs have no interval of {name!r}: use one of {', '.join(MOBILE_MEASURES)}, or compare sweeps"
            for name in unknown
        ])  # fmt: skip
    seeds = [side.runs["seed"].to_pylist() for side in (first, second)]
    if seeds[0][:1] != seeds[1][:1]:
        raise ScenarioError(["the runs have different seeds: give runs with the same seed, or sweeps with several replications"])
    names_a, names_b = (side.runs["procedure"].to_pylist() for side in (first, second))
    samples = []
    for name_a, name_b in _pairs_of_procedures(names_a, names_b, procedures, notes):
        subject = name_a if name_a == name_b else f"{name_a} → {name_b}"
        for measure in measures:
            a, b = (mobile_ratio(side, name, measure) for side, name in ((first, name_a), (second, name_b)))
            if any(d for _, d in a.values()) and any(d for _, d in b.values()):
                samples.append(_MobileNodes(subject, measure, a, b))
            else:
                notes.append(f"{subject}: {measure}: nothing measured")
    return samples


__all__ = ["MEASURES", "DiffResults", "Difference", "diff"]
