"""Models of movement, from draws by name: another mobile node changes no other one's way."""

from handoff.mobility.commuters import Commuters
from handoff.mobility.gauss_markov import GaussMarkov
from handoff.mobility.random_waypoint import RandomWaypoint

__all__ = ["Commuters", "GaussMarkov", "RandomWaypoint"]
