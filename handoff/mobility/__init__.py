"""Models that make tracks of mobile nodes, from draws by name: another mobile node changes no other one's way."""

from handoff.mobility.gauss_markov import GaussMarkov
from handoff.mobility.random_waypoint import RandomWaypoint

__all__ = ["GaussMarkov", "RandomWaypoint"]
