"""Samples of two results that belong together: replications of a point, or mobile nodes of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from handoff.api.mobile_figures import MOBILE_MEASURES, mobile_ratios
from handoff.api.results import Results
from handoff.api.sweeping import SweepResults
from handoff.experiments.sweep.summary import LazyTables
from handoff.metrics.catalogue import evaluate, get_measure, has_enough_samples
from handoff.metrics.confidence import Interval
from handoff.metrics.paired import exact_difference, paired_difference, ratio_difference, unpaired_difference
from handoff.output.seconds import PS_PER_S
from handoff.scenario.errors import ScenarioError

_PointKey = tuple[tuple[tuple[str, str], ...], str]
"""Varied fields with their values, and the procedure."""


@dataclass(frozen=True)
class Replications:
    """Values of a measure at a point.

    Attributes
    ----------
    subject, measure, unit : str
        Point and procedure, name of the measure, and its unit in tables.
    first, second : mapping of int to float
        Values in A and B by seed.
    constant : bool
        True if the seeds of each side give the same run: nothing is random.
    resolution : float
        Largest distance of a value from the true one, as a share of it.
    """

    subject: str
    measure: str
    unit: str
    first: Mapping[int, float]
    second: Mapping[int, float]
    constant: bool
    resolution: float

    def compare(self, confidence: float) -> tuple[float, float, Interval]:
        """Return the value in A, the value in B, and their difference with its interval."""
        common = sorted(self.first.keys() & self.second.keys())
        if len(common) < 2 < len(self.first) + len(self.second):  # one pair has no interval
            common = []
        a, b = ([side[seed] for seed in common or side] for side in (self.first, self.second))
        if self.constant:
            interval = exact_difference(b[0] - a[0], len(a))
        elif common:
            interval = paired_difference(a, b, confidence)
        else:
            interval = unpaired_difference(a, b, confidence)
        return math.fsum(a) / len(a), math.fsum(b) / len(b), interval


@dataclass(frozen=True)
class MobileNodes:
    """Numerators and denominators of a measure by mobile node in two single runs; see :class:`Replications`."""

    subject: str
    measure: str
    unit: str
    first: Mapping[str, tuple[float, float]]
    second: Mapping[str, tuple[float, float]]
    resolution: float = 0.0

    def compare(self, confidence: float) -> tuple[float, float, Interval]:
        """Return the value in A, the value in B, and their difference with its interval."""
        names = sorted(self.first.keys() | self.second.keys())
        (an, ad), (bn, bd) = (
            np.array([side.get(name, (0.0, 0.0)) for name in names], np.float64).T for side in (self.first, self.second)
        )
        return float(an.sum() / ad.sum()), float(bn.sum() / bd.sum()), ratio_difference((an, ad), (bn, bd), confidence)


Sample = Replications | MobileNodes


def sweep_samples(
    first: SweepResults, second: SweepResults, procedures: tuple[str, str] | None, measures: Sequence[str], notes: list[str]
) -> list[Sample]:
    """Return a sample for each point that both sweeps have, and measure; add to the notes what cannot be compared.

    Raises
    ------
    ScenarioError
        If a measure is unknown, or two points of a sweep have the same fields and procedure.
    """
    sides = [_tables_by_point(side, name) for side, name in ((first, "A"), (second, "B"))]
    notes += [f"{name}: {note}" for side, name in ((first, "A"), (second, "B")) for note in side.notes]
    names_a, names_b = ([procedure for _, procedure in side] for side in sides)
    samples: list[Sample] = []
    for pair in _pairs_of_procedures(names_a, names_b, procedures, notes):
        points_a, points_b = ([f for f, procedure in side if procedure == name] for side, name in zip(sides, pair, strict=True))
        for name, own, other in (("A", points_a, points_b), ("B", points_b, points_a)):
            notes += [f"only in {name}: {_describe(fields, pair)}" for fields in own if fields not in other]
        for fields in [fields for fields in points_a if fields in points_b]:
            runs_a, runs_b = (side[fields, name] for side, name in zip(sides, pair, strict=True))
            for measure in measures:
                samples += _replications(_describe(fields, pair), measure, runs_a, runs_b, notes)
    return samples


def run_samples(
    first: Results, second: Results, procedures: tuple[str, str] | None, measures: Sequence[str], notes: list[str]
) -> list[Sample]:
    """Return a sample for each procedure that both single runs have, and measure; add to the notes what cannot be compared.

    Raises
    ------
    ScenarioError
        If a measure has no parts by mobile node, or the seeds differ.
    """
    if unknown := [name for name in measures if name not in MOBILE_MEASURES]:
        raise ScenarioError([
            f"measures: single runs have no interval of {name!r}: use one of {', '.join(MOBILE_MEASURES)}, or compare sweeps"
            for name in unknown
        ])  # fmt: skip
    if first.runs["seed"].to_pylist()[:1] != second.runs["seed"].to_pylist()[:1]:
        raise ScenarioError(["the runs have different seeds: give runs with the same seed, or sweeps with several replications"])
    names_a, names_b = (side.runs["procedure"].to_pylist() for side in (first, second))
    ratios = [mobile_ratios(side, measures) for side in (first, second)]
    samples: list[Sample] = []
    for pair in _pairs_of_procedures(names_a, names_b, procedures, notes):
        subject = _describe((), pair)
        for measure in measures:
            a, b = (of_side[measure].get(name, {}) for of_side, name in zip(ratios, pair, strict=True))
            if any(d for _, d in a.values()) and any(d for _, d in b.values()):
                samples.append(MobileNodes(subject, measure, MOBILE_MEASURES[measure], a, b))
            else:
                notes.append(f"{subject}: {measure}: nothing measured")
    return samples


def _describe(fields: Sequence[tuple[str, str]], pair: tuple[str, str]) -> str:
    procedure = pair[0] if pair[0] == pair[1] else " → ".join(pair)
    return " ".join([*(f"{name}={value}" for name, value in fields), procedure])


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


def _tables_by_point(results: SweepResults, side: str) -> dict[_PointKey, dict[int, LazyTables]]:
    tables: dict[_PointKey, dict[int, LazyTables]] = {}
    points: dict[_PointKey, str] = {}
    for point, seed, run in results.stored_runs():
        key = (tuple(sorted((name, str(value)) for name, value in point["values"])), point["procedure"])
        if points.setdefault(key, point["point"]) != point["point"]:
            raise ScenarioError([
                f"{side}: {results.folder}: two points have the fields and the procedure of {_describe(key[0], (key[1],) * 2)}, "
                "and differ in what did not vary: compare sweeps with a folder of their own"
            ])  # fmt: skip
        tables.setdefault(key, {})[seed] = LazyTables(run)
    return tables


def _replications(
    subject: str, measure: str, first: Mapping[int, LazyTables], second: Mapping[int, LazyTables], notes: list[str]
) -> list[Sample]:
    is_time = get_measure(measure).unit == "ps"
    sides, resolution = [], 0.0
    for runs in (first, second):
        values = {seed: value for seed, tables in runs.items() if (value := evaluate(tables, measure)).value is not None}
        few = [value.samples for value in values.values() if not has_enough_samples(measure, value.samples)]
        if few or not values:
            notes.append(f"{subject}: {measure}: " + (f"too few samples ({min(few):,})" if few else "nothing measured"))
            return []
        resolution = max(resolution, *(value.resolution for value in values.values()))
        scale = PS_PER_S if is_time else 1
        sides.append({seed: (value.value or 0.0) / scale for seed, value in values.items()})
    constant = all(len(runs) > 1 and len({t["runs"]["fingerprint"][0] for t in runs.values()}) == 1 for runs in (first, second))
    unit = "s" if is_time else get_measure(measure).unit
    return [Replications(subject, measure, unit, sides[0], sides[1], constant, resolution)]


__all__ = ["MobileNodes", "Replications", "Sample", "run_samples", "sweep_samples"]
