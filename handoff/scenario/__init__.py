"""Scenario files: TOML tables, validated as a :class:`Scenario`; all problems are reported together."""

from handoff.scenario.errors import HandoffError, ScenarioError
from handoff.scenario.load import load_scenario
from handoff.scenario.scenario import Scenario

__all__ = ["HandoffError", "Scenario", "ScenarioError", "load_scenario"]
