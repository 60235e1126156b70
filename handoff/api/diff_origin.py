"""Where the two sides of a comparison come from, and in which fields of the scenario they differ."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterator
from typing import Any

from handoff.api.results import Results
from handoff.api.sweeping import SweepResults
from handoff.output.report.diff_report import DiffLine, DiffSide

_Facts = dict[str, str]


def diff_sides(
    names: tuple[str, str], first: Results | SweepResults, second: Results | SweepResults
) -> tuple[DiffSide, DiffSide]:  # fmt: skip
    """Return both sides with their facts: file, seed, command, versions, and the fields of the scenario that differ.

    Parameters
    ----------
    names : (str, str)
        What the user calls A and B.
    first, second : Results or SweepResults
        Two of a kind.
    """
    (facts_a, scenarios_a), (facts_b, scenarios_b) = (
        _study_origin(side) if isinstance(side, Results) else _sweep_origin(side) for side in (first, second)
    )
    point = next((point for point in scenarios_a if point in scenarios_b), None)
    if point is not None:
        fields_a, fields_b = (dict(_flatten(scenarios[point])) for scenarios in (scenarios_a, scenarios_b))
        for name in dict.fromkeys([*fields_a, *fields_b]):
            if fields_a.get(name) != fields_b.get(name):
                facts_a[name], facts_b[name] = fields_a.get(name, "absent"), fields_b.get(name, "absent")
    return DiffSide(names[0], facts_a), DiffSide(names[1], facts_b)


def _study_origin(results: Results) -> tuple[_Facts, dict[str, Any]]:
    """Return the facts of a study, and its scenario."""
    known = json.loads((results.runs.schema.metadata or {}).get(b"handoff", b"{}"))
    facts = {"Scenario file": known["scenario_file"]} if "scenario_file" in known else {}
    facts |= {"Seed": str(known["seed"])} if "seed" in known else {}
    facts |= {"Command": shlex.join(known["command"])} if "command" in known else {}
    facts |= {f"Version of {name}": str(text) for name, text in known.get("versions", {}).items()}
    return facts, {"": _read_scenario(known.get("scenario", ""))}


def _sweep_origin(results: SweepResults) -> tuple[_Facts, dict[str, Any]]:
    """Return the facts of a sweep, and a scenario for each combination of varied fields, which is that of all procedures."""
    seeds, versions, scenarios = set(), set(), dict[str, Any]()
    for point, seed, run in results.stored_runs():
        seeds.add(seed)
        versions.add(run.code_version)
        scenarios.setdefault(json.dumps(sorted(point["values"])), point["scenario"])
    facts = {"Seeds": f"{min(seeds)} to {max(seeds)}", "Version of the code": ", ".join(sorted(versions))} if seeds else {}
    return facts, {values: _read_scenario(text) for values, text in scenarios.items()}


def _read_scenario(text: str) -> Any:
    """Return the tables of a scenario that is JSON or TOML; none if it is neither."""
    for read in (json.loads, tomllib.loads):
        try:
            return read(text)
        except ValueError:
            continue
    return {}


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flatten(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for i, item in enumerate(value):
            yield from _flatten(item, f"{name}[{i}]")
    else:
        yield name, value if isinstance(value, str) else json.dumps(value, default=str)


def diff_lines(table: list[dict[str, Any]]) -> list[DiffLine]:
    """Return the rows of ``DiffResults.table`` as a report shows them."""
    return [
        DiffLine(
            row["subject"], row["measure"], row["unit"], row["a"], row["b"], row["difference"], row["low"], row["high"],
            row["verdict"], f"{row['method']}, n = {row['n']}" if row["low"] is not None and row["method"] else "",
        )
        for row in table
    ]  # fmt: skip


__all__ = ["diff_lines", "diff_sides"]
