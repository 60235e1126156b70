"""Where the results of a study come from: what it takes to look at a run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handoff.api.scenario import Scenario
from handoff.protocol.procedures import Procedure
from handoff.protocol.setup import Setup


@dataclass(frozen=True)
class StudySource:
    """Scenario and procedures of a study.

    Attributes
    ----------
    scenario : Scenario
    setup : Setup
        The same with its files read.
    seed : int
        Seed of every draw.
    procedures : mapping of str to str or Procedure
        Procedures by name.
    """

    scenario: Scenario
    setup: Setup
    seed: int
    procedures: Mapping[str, str | Procedure]


__all__ = ["StudySource"]
