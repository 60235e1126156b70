"""Trajectories of all mobile nodes of some tracks."""

from itertools import pairwise

import numpy as np

from handoff.mobility.coverage.trajectory import Trajectory


def trajectories(tracks):
    """Yield the trajectory of each mobile node."""
    bounds = tracks.bounds()
    for a, b in pairwise(bounds):
        yield Trajectory(tracks.time_ps[a:b], tracks.x_mm[a:b], tracks.y_mm[a:b])


def positions(tracks, times):
    """Return x, y and the distance travelled of each mobile node: three arrays of shape (mobiles, times)."""
    return (np.array(column) for column in zip(*(path.at(np.asarray(times)) for path in trajectories(tracks)), strict=True))
