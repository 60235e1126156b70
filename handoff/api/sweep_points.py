"""Points of a sweep with the estimates of measures, for response curves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from handoff.api.axis_numbers import axis_numbers
from handoff.experiments.planning.slo import Target
from handoff.experiments.sweep.dataset import DatasetContents, StoredRun
from handoff.experiments.sweep.summary import Estimate, LazyTables, estimate_measure
from handoff.metrics.catalogue import get_measure
from handoff.output.report.sweep_report import PointValue, SweepMeasure, SweepPoint, SweepTarget


def sweep_points(rows: Iterable[dict[str, Any]], contents: DatasetContents, names: Iterable[str]) -> list[SweepPoint]:
    """Return the points of a dataset that have a complete run, with the estimates of measures.

    Parameters
    ----------
    rows : iterable of dict
        Rows of the table of points (:func:`handoff.experiments.sweep.dataset.read_points`).
    contents : DatasetContents
        Runs of the points.
    names : iterable of str
        Measures of the catalogue.
    """
    runs: dict[str, list[StoredRun]] = {}
    for (key, _), stored in contents.runs.items():
        runs.setdefault(key, []).append(stored)
    names = list(names)
    complete = [row for row in rows if row["point"] in runs]
    points, units = point_numbers(complete)
    return [
        SweepPoint(row["procedure"], dict(row["values"]), numbers, len(done), _point_values(done, names), units)
        for row, numbers in zip(complete, points, strict=True)
        for done in [runs[row["point"]]]
    ]  # fmt: skip


def sweep_measure(name: str, targets: Sequence[Target]) -> SweepMeasure:
    """Return a measure of the catalogue with those of the targets that are about it."""
    measure = get_measure(name)
    own = tuple(SweepTarget(str(t), t.limit, t.holds) for t in targets if t.measure == name)
    return SweepMeasure(name, measure.unit, measure.about, own)


def point_numbers(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, float]], dict[str, str]]:
    """Return the values of each point that are numbers (:func:`axis_numbers`), and the units of the fields that have one."""
    points: list[dict[str, float]] = [{} for _ in rows]
    units = {}
    texts = [dict(row["values"]) for row in rows]
    for name in dict.fromkeys(name for row in texts for name in row):
        if (found := axis_numbers([row.get(name) for row in texts])) is None:
            continue
        values, unit = found
        if unit:
            units[name] = unit
        for point, value in zip(points, values, strict=True):
            if value is not None:
                point[name] = value
    return points, units


def _point_values(runs: list[StoredRun], names: Iterable[str]) -> dict[str, PointValue]:
    tables = list(map(LazyTables, runs))
    return {name: _point_value(estimate_measure(name, tables)) for name in names}


def _point_value(estimate: Estimate) -> PointValue:
    interval = estimate.interval
    if interval is None:
        return PointValue(None, note=estimate.note)
    low, high = (interval.low, interval.high) if interval.known else (None, None)
    return PointValue(interval.mean, low, high, estimate.note)


__all__ = ["point_numbers", "sweep_measure", "sweep_points"]
