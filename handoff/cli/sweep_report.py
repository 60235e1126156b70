"""``handoff report`` on the dataset of a sweep or plan: estimate the measures of all points."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from handoff.api.sweep_points import sweep_measure, sweep_points
from handoff.cli.log import Level, log
from handoff.experiments.planning.slo import parse_targets
from handoff.experiments.sweep.dataset import read_contents, read_points
from handoff.experiments.sweep.summary import DEFAULT_MEASURES
from handoff.metrics.catalogue import get_measure
from handoff.output.printable import printable
from handoff.output.report.contents import Report
from handoff.output.report.sweep_report import sweep_report

MORE_MEASURES = ("seamless", "extra_bytes_per_handoff")
"""Measures of the report beside those of ``handoff sweep``."""


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
    rows = read_points(folder)
    points = sweep_points(rows, contents, names)
    if not points:
        raise ValueError(f"{printable(str(folder))}: no run in it is complete: there is nothing to report")
    known = {key for key, _ in contents.runs}
    scenario = json.loads(next(row["scenario"] for row in rows if row["point"] in known))
    versions = sorted({stored.code_version for stored in contents.runs.values()})
    seeds = sorted({seed for _, seed in contents.runs})
    facts = {
        "seed": f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else seeds[0],
        "versions": {f"the code ({i})": version for i, version in enumerate(versions, 1)},
    }
    measures = [sweep_measure(name, targets) for name in names]
    return sweep_report(str(scenario.get("name", folder.name)), points, measures, facts)
