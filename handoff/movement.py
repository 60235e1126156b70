"""From what a scenario says of movement to attachments."""

from __future__ import annotations

from pathlib import Path

import handoff_traces
from handoff.coverage import attachments
from handoff.scenario.models import Scenario
from handoff.signalling import stays_of


def tracks_of(scenario: Scenario, folder: Path, seed: int) -> handoff_traces.Tracks:
    """Positions: those of the trace, which stands beside the scenario file, or those of the model.

    Raises
    ------
    handoff_traces.TraceError
        If the trace cannot be read.
    ValueError
        If it is in other coordinates than the scenario says, or a model's numbers are out of range.
    """
    movement = scenario.movement
    if movement.trace is None:
        generator = movement.random_waypoint or movement.gauss_markov
        assert generator is not None
        names = [f"{generator.prefix}{i}" for i in range(generator.mobiles)]
        return generator.model().tracks(names, seed=seed, until_ps=scenario.duration)
    origin = None if movement.origin is None else (movement.origin[0] / 10**9, movement.origin[1] / 10**9)
    return handoff_traces.read_movement(folder / movement.trace, movement.format, origin)


def associations_of(scenario: Scenario, folder: Path, seed: int) -> handoff_traces.Associations:
    """Attachments: of the log, of registrations in a capture, of commuters, or those that the coverage model makes of positions.

    Raises
    ------
    handoff_traces.TraceError
        If a file cannot be read.
    ValueError
        If file and scenario do not fit.
    """
    movement, covered = scenario.movement, scenario.coverage
    if movement.associations is not None:
        return handoff_traces.read_associations(folder / movement.associations)
    if movement.capture is not None:
        assert movement.routers is not None
        return stays_of(
            [handoff_traces.read_signalling(folder / name) for name in movement.capture], movement.routers, movement.home,
            lead_ps=movement.lead, guard_ps=movement.guard, begin_ps=movement.begin, until_ps=scenario.duration,
        )  # fmt: skip
    if movement.commuters is not None:
        riders = movement.commuters
        return riders.model().attachments(riders.names(), scenario.routers.names, seed=seed, until_ps=scenario.duration)
    assert covered is not None
    tracks = tracks_of(scenario, folder, seed)
    x_mm: list[int]
    y_mm: list[int]
    if covered.positions_deg is not None:
        if tracks.projection is None:
            raise ValueError(f"coverage.positions_deg means nothing for {tracks.format}, which is in metres: give positions_m")
        latitudes, longitudes = zip(*covered.positions_deg.values(), strict=True)
        x_mm, y_mm = (axis.tolist() for axis in tracks.projection.millimetres(latitudes, longitudes))
    else:
        assert covered.positions_m is not None
        if tracks.projection is not None and movement.origin is None:
            raise ValueError("coverage.positions_m needs movement.origin, from which a trace in degrees is measured")
        x_mm, y_mm = ([place[axis] for place in covered.positions_m.values()] for axis in (0, 1))
    model = covered.model(x_mm, y_mm)
    return attachments(model, tracks, seed=seed, begin_ps=movement.begin, until_ps=scenario.duration)
