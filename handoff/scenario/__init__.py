"""Scenario files: TOML tables, validated as a :class:`Scenario`; all problems are reported together."""

from handoff.scenario.load import ScenarioError, load_scenario
from handoff.scenario.models import Scenario

__all__ = ["Scenario", "ScenarioError", "load_scenario"]
