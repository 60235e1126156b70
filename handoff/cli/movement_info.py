"""``handoff trace info`` of a movement file or an association log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import handoff_traces
from handoff.cli.tables import print_pairs
from handoff.cli.terminal import show
from handoff.mobility.plausibility import check_plausibility
from handoff.mobility.statistics import attachment_statistics, track_statistics
from handoff.scenario import ScenarioError, load_scenario
from handoff.workload.mobile_side import format_counts
from handoff.workload.movement import MovementRemarks, attach_tracks, load_tracks

LOGS = ("associations", "syslog", "crawdad")
"""Formats of attachments without positions; G-NetTrack has both."""
_INDENT = 2


@dataclass(frozen=True)
class ReadOptions:
    """Options of a movement file.

    Attributes
    ----------
    format : str or None
        Format of the file; None: its content shows it.
    columns : dict of str to str or None
        Columns of an association log in CSV: mobile, cell and time.
    activity : Path or None
        Activity file of ns-2 movement.
    on_bad_record : str
        What happens to a bad record: ``refuse``, ``skip`` or ``keep-first``.
    strict : bool
        If true, positions that are not plausible are an error.
    """

    format: str | None = None
    columns: dict[str, str] | None = None
    activity: Path | None = None
    on_bad_record: str = "refuse"
    strict: bool = False


def describe_movement(file: Path, scenario: Path | None = None, options: ReadOptions | None = None) -> dict[str, Any]:
    """Describe a movement file or an association log.

    Parameters
    ----------
    file : Path
        File to read.
    scenario : Path, optional
        Scenario whose coverage turns the movement into attachments, which are described as well.
    options : ReadOptions, optional
        How to read the file.

    Returns
    -------
    dict
        Numbers, strings, lists and dictionaries, ready for JSON: see ``handoff.mobility.statistics`` and ``plausibility``.

    Raises
    ------
    ValueError
        If a file is invalid (``handoff_traces.TraceError``, ``ScenarioError``), or with ``strict`` not plausible.
    """
    options = ReadOptions() if options is None else options
    if scenario is not None:
        return _describe_under_coverage(file, scenario, options)
    name = options.format or handoff_traces.guess_format(file).format
    if name in LOGS or options.columns is not None:
        return _describe_log(file, options)
    description = _describe_tracks(file, _read_tracks(file, options), options)
    if name == "gnettrack":
        description["attachments"] = _describe_log(file, options)
    return description


def _read_tracks(file: Path, options: ReadOptions) -> handoff_traces.Tracks:
    return handoff_traces.read_movement(
        file, options.format, activity=options.activity, on_bad_record=options.on_bad_record  # type: ignore[arg-type]
    )


def _describe_log(file: Path, options: ReadOptions) -> dict[str, Any]:
    log = handoff_traces.read_cell_log(
        file, options.format, None, columns=options.columns, on_bad_record=options.on_bad_record  # type: ignore[arg-type]
    )
    description = {"format": log.format} | attachment_statistics(log)
    return description | {"skipped": log.skipped} if log.skipped else description


def _describe_tracks(file: Path, tracks: handoff_traces.Tracks, options: ReadOptions) -> dict[str, Any]:
    plausibility = check_plausibility(tracks)
    if options.strict and plausibility.warnings:
        raise ScenarioError([f"{file}: {warning}" for warning in plausibility.warnings])
    description = track_statistics(tracks) | plausibility.figures
    if tracks.format_reason:
        description["format_reason"] = tracks.format_reason
    return description | {"skipped": tracks.skipped, "warnings": plausibility.warnings}


def _describe_under_coverage(file: Path, path: Path, options: ReadOptions) -> dict[str, Any]:
    keys = {
        "trace": str(file.resolve()), "format": options.format, "on_bad_record": options.on_bad_record,
        "activity": None if options.activity is None else str(options.activity.resolve()),
    }  # fmt: skip
    changes = tuple(f"movement.{key}={json.dumps(value)}" for key, value in keys.items() if value is not None)
    scenario, _ = load_scenario(path, changes)
    tracks = load_tracks(scenario, path.parent, scenario.seed)
    description = _describe_tracks(file, tracks, options)
    remarks = MovementRemarks()
    attachments = attach_tracks(scenario, tracks, scenario.seed, remarks)
    description["warnings"] += remarks.warnings
    return description | {"attachments": attachment_statistics(attachments, scenario.duration)}


def print_movement(description: dict[str, Any]) -> None:
    """Print the result of :func:`describe_movement` as text."""
    pairs = dict(description)
    section = pairs.pop("attachments") if isinstance(pairs.get("attachments"), dict) else None  # a log has a count instead
    skipped, warnings = pairs.pop("skipped", {}), pairs.pop("warnings", [])
    print_pairs([_pair(name, value) for name, value in pairs.items()])
    if skipped:
        show(f"records left out: {format_counts(skipped)}")
    for warning in warnings:
        show(f"warning: {warning}")
    if section is not None:
        show("attachments")
        print_pairs([_pair(name, value) for name, value in section.items() if name != "skipped"], indent=_INDENT)


def _pair(name: str, value: Any) -> tuple[str, str]:
    if isinstance(value, dict):
        value = ", ".join(f"{part} {number:.3g}" for part, number in value.items())
    elif isinstance(value, list):
        between = " by " if name == "extent_km" else " to "
        value = between.join(f"{number:.10g}" for number in value)
    elif isinstance(value, float):
        value = f"{value:,.6g}"
    elif isinstance(value, int):
        value = f"{value:,}"
    return name.replace("_", " "), "-" if value is None else str(value)
