"""``handoff report`` on the dataset of a sweep or plan: estimate the measures of all points."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from handoff.cli.log import Level, log
from handoff.experiments.planning.slo import parse_targets
from handoff.experiments.sweep.dataset import StoredRun, read_contents, read_points
from handoff.experiments.sweep.field_columns import parse_numbers
from handoff.experiments.sweep.summary import DEFAULT_MEASURES, Estimate, LazyTables, estimate_measure
from handoff.metrics.catalogue import get_measure
from handoff.output.printable import printable
from handoff.output.report.contents import Report
from handoff.output.report.sweep_report import PointValue, SweepMeasure, SweepPoint, SweepTarget, sweep_report

MORE_MEASURES = ("seamless", "extra_bytes_per_handoff")
"""Measures of the report beside those of ``handoff sweep``."""
MS_PER_S = 1000.0


def dataset_report(folder: Path, slo: Sequence[str]) -> Report:
    """Return the report of the dataset of a sweep or plan, and print its damaged files.

    Raises
    ------
    ValueError
        If a target is wrong, ``points.parquet`` is damaged, or no run is complete.
    """
    targets = parse_targets(slo, lambda name: get_measure(name).unit)
    contents = read_contents(folder)
    for damage in contents.damaged:
        log(Level.WARNING, f"handoff: {damage}: left out")
    names = dict.fromkeys([*(t.measure for t in targets), *DEFAULT_MEASURES, *MORE_MEASURES])
    runs: dict[str, list[StoredRun]] = {}
    for (key, _), stored in contents.runs.items():
        runs.setdefault(key, []).append(stored)
    rows = [row for row in read_points(folder) if row["point"] in runs]
    numbers = _numbers(rows)
    points = [
        SweepPoint(row["procedure"], dict(row["values"]), found, len(done), _point_values(done, names))
        for row, found in zip(rows, numbers, strict=True)
        for done in [runs[row["point"]]]
    ]  # fmt: skip
    if not points:
        raise ValueError(f"{printable(str(folder))}: no run in it is complete: there is nothing to report")
    measures = [
        SweepMeasure(
            name, get_measure(name).unit, get_measure(name).about,
            tuple(SweepTarget(str(t), t.limit, t.holds) for t in targets if t.measure == name),
        )
        for name in names
    ]  # fmt: skip
    scenario = json.loads(rows[0]["scenario"])
    versions = sorted({stored.code_version for stored in contents.runs.values()})
    seeds = sorted({seed for _, seed in contents.runs})
    facts = {
        "seed": f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else seeds[0],
        "versions": {f"the code ({i})": version for i, version in enumerate(versions, 1)},
    }
    return sweep_report(str(scenario.get("name", folder.name)), points, measures, facts)


def _numbers(rows: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Return the values of each point that are numbers; durations in milliseconds."""
    points: list[dict[str, float]] = [{} for _ in rows]
    texts = [dict(row["values"]) for row in rows]
    for name in dict.fromkeys(name for row in texts for name in row):
        numbers = parse_numbers([row.get(name) for row in texts])
        if numbers is None or pa.types.is_boolean(numbers.values.type):
            continue
        scale = MS_PER_S if numbers.suffix == "_s" else 1.0
        for point, value in zip(points, numbers.values.to_pylist(), strict=True):
            if value is not None:
                point[name] = value * scale
    return points


def _point_values(runs: list[StoredRun], names: Iterable[str]) -> dict[str, PointValue]:
    tables = list(map(LazyTables, runs))
    return {name: _point_value(estimate_measure(name, tables)) for name in names}


def _point_value(estimate: Estimate) -> PointValue:
    interval = estimate.interval
    if interval is None:
        return PointValue(None, note=estimate.note)
    low, high = (interval.low, interval.high) if interval.known else (None, None)
    return PointValue(interval.mean, low, high, estimate.note)
