"""Pydantic model of the tables ``[[background]]``: messages at control nodes besides those of handoffs (docs/handovers.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from handoff.protocol.background import FACTOR
from handoff.scenario.field_types import DecimalReader, Name, Positive, StrictModel, ValueReader, as_list, join_names
from handoff.scenario.movement import Frequency

_FACTOR_DIGITS = len(str(FACTOR)) - 1
Factor = Annotated[int, ValueReader(DecimalReader("a factor", 0, 1000, _FACTOR_DIGITS))]


class BackgroundTable(StrictModel):
    """Messages of one kind. ``rate`` is in a million hours, and a factor of ``profile`` in units of 1 / ``FACTOR``."""

    name: Name = Field(description="Name of the kind, as in 'service-request'.")
    rate: Frequency = Field(description="Procedures of the kind per mobile node and time; 0 for none.")
    messages: dict[Name, Positive] = Field(
        min_length=1, description="Number of messages of one procedure to the registration server of each node, by its name."
    )
    size_bytes: Annotated[int, Field(ge=28, le=9000, strict=True)] = Field(
        default=100, description="Length of a message with its IP header in bytes."
    )
    profile: Annotated[list[Factor], ValueReader(as_list), Field(min_length=1)] = Field(
        default=[FACTOR], description="Factors of the rate in equal parts of the run, as in a busy hour. Default: constant."
    )


def background_problems(
    tables: Sequence[BackgroundTable], nodes: Sequence[str], routers: Sequence[str], attackers: Sequence[str]
) -> list[str]:
    """Return the problems of the names of a scenario's background.

    Parameters
    ----------
    tables : sequence of BackgroundTable
        Tables of the scenario.
    nodes, routers, attackers : sequence of str
        Names of all nodes, of the access routers, and of the nodes of attackers.
    """
    problems, seen = [], set()
    for i, table in enumerate(tables):
        if table.name in seen:
            problems.append(f"background.{i}.name: {table.name!r} is listed twice: give each kind a name of its own")
        seen.add(table.name)
        for name in table.messages:
            if name not in nodes:
                problems.append(f"background.{i}.messages: no node {name!r}; there are {join_names(list(nodes))}")
            elif name in routers:
                problems.append(f"background.{i}.messages: {name!r} is an access router: name an agent or a control node")
            elif name in attackers:
                problems.append(f"background.{i}.messages: {name!r} is the node of an attacker: name another node")
    return problems


