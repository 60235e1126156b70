"""Where the two sides of a comparison come from, and in which fields of the scenario they differ."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

from handoff.api.results import Results
from handoff.api.sweeping import SweepResults
from handoff.output.report.diff_report import DiffLine, DiffSide
from handoff.output.report.study_data import StudyData
from handoff.scenario.load import read_tables

Facts = dict[str, str]
ChangedFields = dict[str, tuple[str | None, str | None]]
"""Fields of a scenario, by the path that ``--set`` takes, with the values in A and in B; None where there is no such field."""
ABSENT = "absent"
"""Text of the value of a field that a scenario does not have."""


def changed_fields(first: Results | SweepResults, second: Results | SweepResults) -> ChangedFields:
    """Return the fields in which the scenarios of A and B differ, with the changes by ``--set``.

    Parameters
    ----------
    first, second : Results or SweepResults
        Two of a kind. Of sweeps, a point counts that both have.
    """
    texts_a, texts_b = map(_scenario_texts, (first, second))
    point = next((point for point in texts_a if point in texts_b), None)
    if point is None:
        return {}
    a, b = (_read_fields(*texts[point]) for texts in (texts_a, texts_b))
    return {name: (a.get(name), b.get(name)) for name in dict.fromkeys([*a, *b]) if a.get(name) != b.get(name)}


def diff_sides(
    names: tuple[str, str], first: Results | SweepResults, second: Results | SweepResults, fields: ChangedFields
) -> tuple[DiffSide, DiffSide]:  # fmt: skip
    """Return both sides with their facts: file, seed, command, versions, and the fields of the scenario that differ.

    Parameters
    ----------
    names : (str, str)
        What the user calls A and B.
    first, second : Results or SweepResults
        Two of a kind.
    fields : ChangedFields
        Fields that differ (:func:`changed_fields`).
    """
    facts_a, facts_b = (_study_facts(side) if isinstance(side, Results) else _sweep_facts(side) for side in (first, second))
    for name, (a, b) in fields.items():
        facts_a[name], facts_b[name] = ABSENT if a is None else a, ABSENT if b is None else b
    return DiffSide(names[0], facts_a), DiffSide(names[1], facts_b)


def _study_facts(results: Results) -> Facts:
    known = StudyData({"runs": results.runs}).facts
    facts = {"Scenario file": known["scenario_file"]} if "scenario_file" in known else {}
    facts |= {"Seed": str(known["seed"])} if "seed" in known else {}
    facts |= {"Command": shlex.join(known["command"])} if "command" in known else {}
    return facts | {f"Version of {name}": str(text) for name, text in known.get("versions", {}).items()}


def _sweep_facts(results: SweepResults) -> Facts:
    seeds, versions = set(), set()
    for _, seed, run in results.stored_runs():
        seeds.add(seed)
        versions.add(run.code_version)
    return {"Seeds": f"{min(seeds)} to {max(seeds)}", "Version of the code": ", ".join(sorted(versions))} if seeds else {}


def _scenario_texts(results: Results | SweepResults) -> dict[str, tuple[str, Sequence[str]]]:
    """Return the scenario of a study as text and changes, or one for each combination of varied fields."""
    if isinstance(results, Results):
        study = StudyData({"runs": results.runs})
        return {"": (study.facts.get("scenario", ""), study.changes)}
    texts = dict[str, tuple[str, Sequence[str]]]()
    for point, _, _ in results.stored_runs():
        texts.setdefault(json.dumps(sorted(point["values"])), (point["scenario"], ()))
    return texts


def _read_fields(text: str, changes: Sequence[str]) -> Facts:
    """Return the fields of a scenario that is JSON or TOML, with changes applied; none if it is neither."""
    for read in (json.loads, tomllib.loads):
        try:
            tables, _ = read_tables("", tuple(changes), read(text))
            return dict(_flatten(tables))
        except (ValueError, RecursionError):
            continue
    return {}


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    has_tables = isinstance(value, list) and any(isinstance(item, dict) for item in value)
    if has_tables or (isinstance(value, dict) and value):
        for key, item in enumerate(value) if has_tables else value.items():
            yield from _flatten(item, f"{name}.{key}" if name else str(key))
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


__all__ = ["ABSENT", "ChangedFields", "changed_fields", "diff_lines", "diff_sides"]
