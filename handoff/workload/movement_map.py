"""Positions of routers and mobile nodes of a scenario, for a map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import handoff_traces
from engine.columns import Int
from handoff.mobility.coverage import Coverage
from handoff.mobility.coverage.attachment import find_tracks
from handoff.mobility.coverage.path_loss import received_level
from handoff.mobility.coverage.trajectory import Trajectory
from handoff.scenario.scenario import Scenario
from handoff.workload.movement import load_tracks, place_routers

_FARTHEST_MM = 10**8
"""Largest reach of a cell: 100 km."""


@dataclass(frozen=True)
class MovementMap:
    """Positions in a plane, in millimetres.

    Attributes
    ----------
    coverage : Coverage
        Routers with their positions.
    tracks : handoff_traces.Tracks
        Samples of the positions of mobile nodes, sorted by mobile node and time.
    begin_ps : int
        Time of the tracks at which the run begins.
    """

    coverage: Coverage
    tracks: handoff_traces.Tracks
    begin_ps: int

    def reach_mm(self) -> int:
        """Return the distance at which the mean level of a router falls below the minimum: the radius of its cell."""
        near, far = 0, _FARTHEST_MM
        while far - near > 1:
            middle = (near + far) // 2
            level = int(received_level(self.coverage.radio, np.array([middle]), np.array([0]))[0])
            near, far = (middle, far) if level >= self.coverage.minimum else (near, middle)
        return near

    def positions(self, mobiles: Sequence[str], times_ps: Int) -> tuple[Int, Int]:
        """Return x and y of mobile nodes, or of their later presences (``NAME#2``), each at a time of the run."""
        numbers = np.array(find_tracks(self.tracks, mobiles), np.int64)
        x, y = np.zeros(len(numbers), np.int64), np.zeros(len(numbers), np.int64)
        order = np.argsort(numbers, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
            if len(rows):
                x[rows], y[rows], _ = Trajectory.of_mobile(self.tracks, int(numbers[rows[0]]), self.begin_ps).at(times_ps[rows])
        return x, y

    def sample(self, mobiles: int, points: int) -> Iterator[tuple[str, Int, Int]]:
        """Yield name, x and y of evenly chosen mobile nodes, each at no more than a number of evenly chosen samples."""
        count = len(self.tracks.mobile_names)
        for number in np.unique(np.linspace(0, count - 1, min(mobiles, count)).astype(np.int64)).tolist():
            track = Trajectory.of_mobile(self.tracks, number)
            if len(track.time_ps):
                chosen = np.unique(np.linspace(0, len(track.time_ps) - 1, points).astype(np.int64))
                yield self.tracks.mobile_names[number], track.x_mm[chosen], track.y_mm[chosen]


def load_map(scenario: Scenario, path: Path, seed: int) -> MovementMap | None:
    """Return the map of a scenario; None if its movement has no positions.

    Parameters
    ----------
    scenario : Scenario
        Scenario.
    path : Path
        Its file; the movement file is relative to its folder.
    seed : int
        Seed of a mobility model.

    Raises
    ------
    handoff_traces.TraceError, ValueError
        If the movement file has changed since the run, so that it cannot be read.
    """
    if scenario.coverage is None:
        return None
    tracks = load_tracks(scenario, path.parent, seed)
    return MovementMap(place_routers(scenario, tracks), tracks, scenario.movement.begin)


__all__ = ["MovementMap", "load_map"]
