"""Mobility models and the attachments that result from them.

Random draws depend on names only, so that an additional mobile node does not change the movement of any other.
"""

from handoff.mobility.commuters import Commuters
from handoff.mobility.gauss_markov import GaussMarkov
from handoff.mobility.random_waypoint import RandomWaypoint

__all__ = ["Commuters", "GaussMarkov", "RandomWaypoint"]
