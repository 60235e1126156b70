"""Pydantic model of the tables ``[[attack]]``: attackers, and what they do (docs/attacks.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field, StrictBool, model_validator

from engine.quantities import DURATION
from handoff.protocol.attacks import FLOOD, FORGED, KINDS, LOOP, MAX_MESSAGES, RECORDING_KINDS, REFLECTION, REGISTRATION, UPDATE
from handoff.scenario.field_types import Duration, Name, NamePatterns, StrictModel, join_names
from handoff.scenario.movement import Frequency
from handoff.scenario.units import MEGAHOUR_PS

_MAX_INTERVAL_PS = DURATION.units["h"] // 4
"""Longest mean interval: random intervals are drawn as 64-bit integers."""
_AGENTS: Mapping[str, tuple[str, ...]] = {
    f"{FORGED} {REGISTRATION}": ("home agent", "gateway"),
    f"{FORGED} {UPDATE}": ("correspondent",),
    FLOOD: ("home agent", "gateway", "router", "correspondent"),
    LOOP: ("home agent", "gateway", "router", "correspondent"),
    REFLECTION: ("home agent", "gateway", "router", "correspondent"),
}
"""Agents that the key ``to`` may name, by kind."""
_REQUIRED: Mapping[str, tuple[str, ...]] = {FLOOD: ("to", "rate"), LOOP: ("to", "care_of"), REFLECTION: ("to",)}
_OF_RECORDERS = ("to", "care_of", "rate")


class AttackTable(StrictModel):
    """An attacker. Times are in picoseconds, and ``rate`` is messages in a million hours; None has the default of the key."""

    kind: Literal[KINDS] = Field(description="What the attacker does.")  # type: ignore[valid-type]
    node: Name = Field(description="Name of the node that it sends from.")
    to: Name | None = Field(
        default=None,
        description="Name of the agent that it attacks. Default: the anchor, or the correspondents, of each mobile node.",
    )
    care_of: Name | None = Field(
        default=None, description="Name of the node that is the care-of address of its requests. Default: its own node."
    )
    mobiles: NamePatterns | None = Field(
        default=None, description="Names of the mobile nodes that it attacks, with *, ? and […] as in a shell. Default: all."
    )
    start: Duration = Field(default=0, description="Time at which the attack begins.")
    stop: Duration | None = Field(default=None, description="Time at which the attack ends. Default: the end of the run.")
    rate: Frequency | None = Field(default=None, description="Messages per time. Default: one about each mobile node.")
    poisson: StrictBool = Field(
        default=False, description="If true, the intervals between messages are exponential instead of constant."
    )
    delay: Duration | None = Field(
        default=None, description="Time after which a recorded message is sent again, or for which it is held back."
    )

    @property
    def records(self) -> bool:
        """True if it replays or delays messages of others."""
        return self.kind in RECORDING_KINDS

    @property
    def interval_ps(self) -> int:
        """Time between two messages; 0 if there is no rate."""
        return MEGAHOUR_PS // self.rate if self.rate else 0

    @model_validator(mode="after")
    def _check(self) -> AttackTable:
        problems = [f"'{self.kind}' needs '{key}'" for key in _REQUIRED.get(self.kind, ()) if getattr(self, key) is None]
        if self.records:
            problems += [
                f"'{key}' does not apply to '{self.kind}', which sends the messages of others: leave it out"
                for key in _OF_RECORDERS
                if getattr(self, key) is not None
            ]
            if not self.delay:
                problems.append(f"'{self.kind}' needs a 'delay' above 0")
        elif self.delay is not None:
            problems.append(f"'delay' does not apply to '{self.kind}': leave it out")
        if self.rate == 0:
            problems.append("'rate' is above 0: without a rate there is one message about each mobile node")
        if self.poisson and not self.rate:
            problems.append("'poisson' needs a 'rate'")
        if self.poisson and self.interval_ps > _MAX_INTERVAL_PS:
            problems.append("'poisson' needs a 'rate' of at least 4/h")
        if self.stop is not None and self.stop <= self.start:
            problems.append("'stop' must be later than 'start'")
        if self.to is not None and self.to == self.node:
            problems.append(f"'to' is the attacker's own node {self.node!r}: name another agent")
        if self.to is not None and self.to == (self.care_of or self.node) != self.node:
            problems.append(f"'care_of' and 'to' are both {self.to!r}: name two nodes")
        if problems:
            raise ValueError("; ".join(problems))
        return self


def attack_problems(attacks: Sequence[AttackTable], duration_ps: int, nodes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the problems of the nodes and rates of the attacks of a scenario.

    Parameters
    ----------
    attacks : sequence of AttackTable
        Attacks of the scenario.
    duration_ps : int
        Duration of the run.
    nodes : mapping of str to sequence of str
        Names of the nodes by what they are, as in ``_AGENTS``.
    """
    problems = []
    names = list(dict.fromkeys(name for group in nodes.values() for name in group))
    attackers = {attack.node for attack in attacks}
    for i, attack in enumerate(attacks):
        for key in ("node", "to", "care_of"):
            name = getattr(attack, key)
            if name is not None and name not in names:
                problems.append(f"attack.{i}.{key}: no node {name!r}; there are {join_names(names)}")
            elif key == "to" and name is not None and not any(name in nodes[what] for what in _AGENTS[attack.kind]):
                kinds = " or ".join(_AGENTS[attack.kind])
                problems.append(f"attack.{i}.to: {name!r} is no {kinds}, which '{attack.kind}' needs")
        agents = (attack.to, attack.care_of) if attack.kind == LOOP else (attack.to,)
        problems += [
            f"attack.{i}: {name!r} is the node of an attacker, which cannot be attacked: name another agent"
            for name in agents
            if name in attackers and name != attack.node
        ]
        stop_ps = duration_ps if attack.stop is None else min(attack.stop, duration_ps)
        if attack.start >= duration_ps > 0:
            problems.append(f"attack.{i}.start: is at or after the end of the run")
        elif attack.rate and (stop_ps - attack.start) > MAX_MESSAGES * attack.interval_ps:
            problems.append(f"attack.{i}.rate: makes more than {MAX_MESSAGES:,} messages: lower it, or shorten the attack")
    return problems
