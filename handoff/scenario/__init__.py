"""Scenario files: TOML in, a checked :class:`Scenario` out, or every error at once."""

from handoff.scenario.load import ScenarioError, load_scenario
from handoff.scenario.models import Scenario

__all__ = ["Scenario", "ScenarioError", "load_scenario"]
