"""Pydantic models of the tables ``[[mixture]]``: groups of mobile nodes with a procedure of their own (docs/scenario.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, WithJsonSchema

from engine.similar_names import name_hint
from handoff.protocol.procedures import ALL_PROCEDURES
from handoff.scenario.field_types import NamePatterns, StrictModel
from handoff.scenario.movement import Share

WHOLE = 10**6
"""A share of 1."""


class MixtureGroup(StrictModel):
    """Group of mobile nodes with a procedure. ``share`` is in units of ``1 / WHOLE``; a group with neither key has the rest."""

    procedure: Annotated[str, WithJsonSchema({"enum": list(ALL_PROCEDURES)})] = Field(
        description="Name of the procedure; several groups may have the same one."
    )
    share: Share | None = Field(
        default=None,
        description="Share of the mobile nodes that no group names, rounded to whole nodes. A group without share and mobiles "
        "has the rest.",
    )
    mobiles: NamePatterns | None = Field(default=None, description="Names of mobile nodes, with *, ? and […] as in a shell.")

    @property
    def is_rest(self) -> bool:
        """True if the group has the mobile nodes that belong to no other group."""
        return self.share is None and self.mobiles is None


def mixture_problems(groups: Sequence[MixtureGroup], has_regions: bool) -> list[str]:
    """Return the problems of the procedures and shares of the groups of a scenario."""
    problems = []
    for i, group in enumerate(groups):
        if group.share is not None and group.mobiles is not None:
            problems.append(f"mixture.{i}: give either 'share' or 'mobiles'")
        if group.procedure not in ALL_PROCEDURES:
            hint = name_hint(group.procedure, ALL_PROCEDURES)
            problems.append(f"mixture.{i}.procedure: no procedure {group.procedure!r}; {hint}")
        elif ALL_PROCEDURES[group.procedure].hierarchical and not has_regions:
            problems.append(f"mixture.{i}.procedure: {group.procedure} is hierarchical: give each router a region with a gateway")
    rest = [i for i, group in enumerate(groups) if group.is_rest]
    if len(rest) > 1:
        problems.append("mixture: only one group can have the remaining mobile nodes: give all others a 'share' or 'mobiles'")
    shares = [group.share for group in groups if group.share is not None]
    total = sum(shares)
    if total > WHOLE:
        problems.append(f"mixture: the shares add up to {total / WHOLE:g}: reduce them to 1 in all")
    elif shares and total < WHOLE and not rest:
        problems.append(f"mixture: the shares add up to {total / WHOLE:g} instead of 1: increase them, or leave out one of them")
    return problems
