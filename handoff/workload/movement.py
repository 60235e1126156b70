"""Movement of a scenario: positions and attachments of its mobile nodes."""

from __future__ import annotations

from pathlib import Path

import handoff_traces
from handoff.mobility.coverage import compute_attachments
from handoff.mobility.registrations import attachments_from_registrations
from handoff.scenario.scenario import Scenario


def load_tracks(scenario: Scenario, folder: Path, seed: int) -> handoff_traces.Tracks:
    """Return the positions from the movement file, which is looked for in ``folder``, or from the mobility model.

    Raises
    ------
    handoff_traces.TraceError
        If the movement file cannot be read.
    ValueError
        If its coordinates are not of the kind that the scenario expects, or a parameter of the model is out of range.
    """
    movement = scenario.movement
    if movement.trace is None:
        generator = movement.random_waypoint or movement.gauss_markov
        assert generator is not None
        names = [f"{generator.prefix}{i}" for i in range(generator.mobiles)]
        return generator.model().tracks(names, seed=seed, until_ps=scenario.duration)
    origin = None if movement.origin is None else (movement.origin[0] / 10**9, movement.origin[1] / 10**9)
    return handoff_traces.read_movement(folder / movement.trace, movement.format, origin)


def load_attachments(scenario: Scenario, folder: Path, seed: int) -> handoff_traces.Associations:
    """Return the attachments of a scenario.

    They come from its association log, the registrations in its captures, its commuters, or its coverage model and positions.

    Raises
    ------
    handoff_traces.TraceError
        If a file cannot be read.
    ValueError
        If a file and the scenario do not fit together.
    """
    movement = scenario.movement
    if movement.associations is not None:
        return handoff_traces.read_associations(folder / movement.associations)
    if movement.capture is not None:
        assert movement.routers is not None
        return attachments_from_registrations(
            [handoff_traces.read_signalling(folder / name) for name in movement.capture], movement.routers, movement.home,
            lead_ps=movement.lead, guard_ps=movement.guard, begin_ps=movement.begin, until_ps=scenario.duration,
        )  # fmt: skip
    if movement.commuters is not None:
        commuters = movement.commuters
        return commuters.model().attachments(
            commuters.names(), scenario.routers.names, seed=seed, until_ps=scenario.duration
        )
    return _compute_coverage(scenario, load_tracks(scenario, folder, seed), seed)


def _compute_coverage(scenario: Scenario, tracks: handoff_traces.Tracks, seed: int) -> handoff_traces.Associations:
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
            raise ValueError("coverage.positions_m needs movement.origin, from which a trace in degrees is measured")
        x_mm, y_mm = ([position[axis] for position in coverage.positions_m.values()] for axis in (0, 1))
    model = coverage.model(x_mm, y_mm)
    return compute_attachments(model, tracks, seed=seed, begin_ps=movement.begin, until_ps=scenario.duration)
