"""Movement of a scenario: positions and attachments of its mobile nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import handoff_traces
from handoff.mobility.coverage import Coverage
from handoff.mobility.plausibility import check_plausibility
from handoff.mobility.registrations import attachments_from_registrations
from handoff.scenario.scenario import Scenario
from handoff.workload.mobile_side import format_counts
from handoff.workload.scenario_captures import capture_remarks


@dataclass
class MovementRemarks:
    """Remarks on movement files: warnings, and the numbers of records that were left out, by file and reason."""

    warnings: list[str] = field(default_factory=list)
    skipped: dict[str, dict[str, int]] = field(default_factory=dict)

    def add_skipped(self, file: str, skipped: dict[str, int]) -> None:
        """Add the records of a file that were left out."""
        if skipped:
            self.skipped[file] = skipped
            self.warnings.append(f"{file}: records left out: {format_counts(skipped)}")

    def add_capture(self, file: str, facts: handoff_traces.Facts) -> None:
        """Add what was left out of a capture."""
        self.warnings += capture_remarks(file, facts)
        if facts.skipped:
            self.skipped[file] = facts.skipped


def load_tracks(
    scenario: Scenario, folder: Path, seed: int, remarks: MovementRemarks | None = None
) -> handoff_traces.Tracks:
    """Return the positions from the movement file, which is looked for in ``folder``, or from the mobility model.

    Raises
    ------
    handoff_traces.TraceError
        If the movement file cannot be read.
    ValueError
        If its coordinates are not of the kind that the scenario expects, or a parameter of the model is out of range; with
        ``strict``, if the positions are not plausible.
    """
    remarks = MovementRemarks() if remarks is None else remarks
    movement = scenario.movement
    if movement.trace is None:
        generator = movement.random_waypoint or movement.gauss_markov
        assert generator is not None
        names = [f"{generator.prefix}{i}" for i in range(generator.mobiles)]
        return generator.model().tracks(names, seed=seed, until_ps=scenario.duration)
    origin = None if movement.origin is None else (movement.origin[0] / 10**9, movement.origin[1] / 10**9)
    tracks = handoff_traces.read_movement(
        folder / movement.trace, cast(Any, movement.format), origin,
        activity=None if movement.activity is None else folder / movement.activity, on_bad_record=movement.on_bad_record,
    )  # fmt: skip
    remarks.add_skipped(movement.trace, tracks.skipped)
    if "guess" in tracks.format_reason:
        remarks.warnings.append(f"{movement.trace}: read as {tracks.format}: {tracks.format_reason}; movement.format states it")
    implausible = check_plausibility(tracks).warnings
    if implausible and movement.strict:
        raise ValueError("; ".join(f"{movement.trace}: {warning}" for warning in implausible))
    remarks.warnings += [f"{movement.trace}: {warning}" for warning in implausible]
    return tracks


def load_attachments(
    scenario: Scenario, folder: Path, seed: int, remarks: MovementRemarks | None = None
) -> handoff_traces.Associations:
    """Return the attachments of a scenario; add to ``remarks`` on its files.

    They come from its association log, the registrations in its captures, its commuters, or its coverage model and positions.

    Raises
    ------
    handoff_traces.TraceError
        If a file cannot be read.
    ValueError
        If a file and the scenario do not fit together.
    """
    movement = scenario.movement
    remarks = MovementRemarks() if remarks is None else remarks
    if movement.associations is not None:
        options: dict[str, Any] = {"columns": movement.columns, "cells": movement.cells, "on_bad_record": movement.on_bad_record}
        log = handoff_traces.read_cell_log(folder / movement.associations, cast(Any, movement.format), movement.begin, **options)
        remarks.add_skipped(movement.associations, log.skipped)
        return log
    if movement.capture is not None:
        assert movement.routers is not None
        return attachments_from_registrations(
            _read_registrations(folder, movement.capture, movement.on_bad_record, remarks), movement.routers, movement.home,
            lead_ps=movement.lead, guard_ps=movement.guard, begin_ps=movement.begin, until_ps=scenario.duration,
        )  # fmt: skip
    if movement.commuters is not None:
        commuters = movement.commuters
        return commuters.model().attachments(
            commuters.names(), scenario.routers.names, seed=seed, until_ps=scenario.duration
        )
    return attach_tracks(scenario, load_tracks(scenario, folder, seed, remarks), seed, remarks)


def _read_registrations(
    folder: Path, names: list[str], on_bad_record: handoff_traces.OnBadRecord, remarks: MovementRemarks
) -> list[handoff_traces.Signalling]:
    """Return the signalling of captures."""
    captures = []
    for name in names:
        captures.append(handoff_traces.read_signalling(folder / name, on_bad_record=on_bad_record))
        remarks.add_capture(name, captures[-1].facts)
    return captures


def attach_tracks(
    scenario: Scenario, tracks: handoff_traces.Tracks, seed: int, remarks: MovementRemarks
) -> handoff_traces.Associations:
    """Return the attachments of tracks under the coverage of a scenario; add to ``remarks`` on the positions of routers."""
    from handoff.mobility.coverage.attachment import compute_attachments  # scenarios without tracks do not load it

    model = place_routers(scenario, tracks, remarks)
    return compute_attachments(model, tracks, seed=seed, begin_ps=scenario.movement.begin, until_ps=scenario.duration)


def place_routers(scenario: Scenario, tracks: handoff_traces.Tracks, remarks: MovementRemarks | None = None) -> Coverage:
    """Return the coverage model of a scenario, with the positions of the routers in the plane of the tracks.

    Raises
    ------
    ValueError
        If the positions and the tracks are not of one kind.
    """
    remarks = MovementRemarks() if remarks is None else remarks
    movement, coverage = scenario.movement, scenario.coverage
    assert coverage is not None
    x_mm: list[int]
    y_mm: list[int]
    if coverage.positions_deg is not None:
        if tracks.projection is None:
            raise ValueError(f"coverage.positions_deg means nothing for {tracks.format}, which is in metres: give positions_m")
        latitudes, longitudes = zip(*coverage.positions_deg.values(), strict=True)
        x_mm, y_mm = (axis.tolist() for axis in tracks.projection.millimetres(latitudes, longitudes))
    else:
        assert coverage.positions_m is not None
        if tracks.projection is not None and movement.origin is None:
            latitude, longitude = (axis / 10**9 for axis in (tracks.projection.latitude, tracks.projection.longitude))
            remarks.warnings.append(
                f"coverage.positions_m counts from the first sample, {latitude:.9g}, {longitude:.9g}: movement.origin states it"
            )
        x_mm, y_mm = ([position[axis] for position in coverage.positions_m.values()] for axis in (0, 1))
    return coverage.model(x_mm, y_mm)
