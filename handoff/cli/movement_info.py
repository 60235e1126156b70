"""``handoff trace info`` of a movement file or an association log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import handoff_traces
from handoff.cli.tables import print_pairs
from handoff.cli.terminal import show
from handoff.mobility.statistics import attachment_statistics, track_statistics
from handoff.scenario import load_scenario
from handoff.workload.movement import load_attachments, load_tracks

_INDENT = 2


def describe_movement(file: Path, scenario: Path | None = None) -> dict[str, Any]:
    """Describe a movement file or an association log.

    Parameters
    ----------
    file : Path
        File to read.
    scenario : Path, optional
        Scenario whose coverage turns the movement into attachments, which are described as well.

    Returns
    -------
    dict
        Numbers, strings, lists and dictionaries, ready for JSON: see ``handoff.mobility.statistics``.

    Raises
    ------
    ValueError
        If a file is invalid (``handoff_traces.TraceError``, ``ScenarioError``).
    """
    if scenario is not None:
        return _describe_under_coverage(file, scenario)
    if handoff_traces.detect_format(file) == "associations":
        return {"format": "associations"} | attachment_statistics(handoff_traces.read_associations(file))
    return track_statistics(handoff_traces.read_movement(file))


def _describe_under_coverage(file: Path, path: Path) -> dict[str, Any]:
    scenario, _ = load_scenario(path, (f"movement.trace={json.dumps(str(file.resolve()))}",))
    attachments = load_attachments(scenario, path.parent, scenario.seed)
    tracks = track_statistics(load_tracks(scenario, path.parent, scenario.seed))
    return tracks | {"attachments": attachment_statistics(attachments, scenario.duration)}


def print_movement(description: dict[str, Any]) -> None:
    """Print the result of :func:`describe_movement` as text."""
    pairs = dict(description)
    section = pairs.pop("attachments") if isinstance(pairs.get("attachments"), dict) else None  # a log has a count instead
    print_pairs([_pair(name, value) for name, value in pairs.items()])
    if section is not None:
        show("attachments")
        print_pairs([_pair(name, value) for name, value in section.items()], indent=_INDENT)


def _pair(name: str, value: Any) -> tuple[str, str]:
    if isinstance(value, dict):
        value = ", ".join(f"{part} {number:.3g}" for part, number in value.items())
    elif isinstance(value, list):
        value = " to ".join(f"{number:.10g}" for number in value)
    elif isinstance(value, float):
        value = f"{value:,.6g}"
    elif isinstance(value, int):
        value = f"{value:,}"
    return name.replace("_", " "), "-" if value is None else str(value)
