"""What a scenario file may say (pydantic models); units are read here, nothing is guessed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, StrictBool, create_model, model_validator

from handoff.protocol.options import CHOICES, Options
from handoff.scenario.experiment import Slo, Sweep
from handoff.scenario.field_types import (
    Count,
    Duration,
    Loss,
    Name,
    Names,
    Positive,
    Rate,
    Size,
    StrictModel,
    as_list,
    join_names,
)
from handoff.scenario.movement import CoverageModel, Movement
from handoff.scenario.traffic import Traffic


class Channel(StrictModel):
    """Rate (0 = infinite), propagation delay, drop-tail buffer (0 = unlimited), loss."""

    rate: Rate = 0
    delay: Duration
    buffer_packets: Count = 0
    buffer_bytes: Size = 0
    loss: Loss = "0"


class ServerParameters(StrictModel):
    """Forwarding server (time a packet) and registration server (time a message); 0 = none, queue 0 = unlimited."""

    service: Duration = 0
    service_queue: Count = 0
    registration: Duration = 0
    registration_queue: Count = 0
    registration_answers: StrictBool = False


class Node(ServerParameters):
    """A node."""

    name: Name


class Link(Channel):
    """A link between two nodes, with the same parameters both ways."""

    between: Annotated[list[Name], Field(min_length=2, max_length=2)]


class Cell(Channel):
    """The radio of each router; the uplink is like the downlink where nothing else is said."""

    shared: bool = False
    up_rate: Rate | None = None
    up_delay: Duration | None = None
    up_buffer_packets: Count | None = None
    up_buffer_bytes: Size | None = None
    up_loss: Loss | None = None


class Region(StrictModel):
    """Routers with one gateway (foreign agent, or mobility anchor point)."""

    gateway: Name
    routers: Names


class Gateway(ServerParameters):
    """Gateways of regions, all alike; their names are ``name`` and a number from 0."""

    name: Name


class DirectLink(Channel):
    """A link of every gateway to one node."""

    to: Name


class Regions(StrictModel):
    """So many regions alike: the list of routers is split evenly, each part has a gateway that is wired to one node."""

    count: Positive
    gateway: Gateway
    wired_to: Name
    wired: Channel
    neighbours: Channel | None = None
    link: list[DirectLink] = Field(default_factory=list)

    def expanded(self, routers: list[str]) -> tuple[list[Node], list[Link], list[Region]]:
        """The nodes, links and regions that these are."""
        serving = self.gateway.model_dump(exclude={"name"})
        names = [f"{self.gateway.name}{i}" for i in range(self.count)]
        ends = [len(routers) * i // self.count for i in range(self.count + 1)]
        parts = [routers[a:b] for a, b in pairwise(ends)]
        ways: list[tuple[str, str, Channel]] = [(self.wired_to, name, self.wired) for name in names]
        ways += [(straight.to, name, straight) for straight in self.link for name in names]
        ways += [(a, b, self.neighbours) for a, b in pairwise(names)] if self.neighbours is not None else []
        return (
            [Node.model_construct(name=name, **serving) for name in names],
            [Link.model_construct(between=[a, b], **way.model_dump(exclude={"to"})) for a, b, way in ways],
            [Region.model_construct(gateway=name, routers=part) for name, part in zip(names, parts, strict=True)],
        )


class Restart(StrictModel):
    """An agent that loses its bindings, visitors and forwarding entries."""

    node: Name
    at: Duration


class Routers(ServerParameters):
    """Sub-network routers: alike, each wired to one node (or to the gateway of its region), and each to the next of the list."""

    names: Names
    wired_to: Name | None = None
    wired: Channel
    neighbours: Channel | None = None
    cell: Cell


def _option_fields() -> dict[str, Any]:
    """A key for each field of ``Options``: durations and sizes as text with a unit, words checked."""
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(Options):
        name, kind = field.name, field.type
        if name in CHOICES:
            fields[name] = (Literal[CHOICES[name]], field.default)
        elif name == "lifetime_s":
            fields["lifetime"] = (Duration, Options.lifetime_s * 10**12)
        elif name.endswith("_ps"):
            fields[name.removesuffix("_ps")] = (Duration | None if "None" in str(kind) else Duration, field.default)
        elif name.endswith("_bytes"):
            fields[name] = (Size, field.default)
        elif "bool" in str(kind):
            fields[name] = (StrictBool | None if "None" in str(kind) else StrictBool, field.default)
        else:
            fields[name] = (Count, field.default)
    return fields


def to_options(model: BaseModel) -> Options:
    """The options of a scenario, as the machine takes them."""
    values = {}
    for field in dataclasses.fields(Options):
        if field.name == "lifetime_s":
            values["lifetime_s"] = model.lifetime // 10**12  # type: ignore[attr-defined]
        else:
            values[field.name] = getattr(model, field.name.removesuffix("_ps"))
    return Options(**values)


def _sound_options(model: Any) -> Any:
    found = to_options(model).problems()
    if model.lifetime % 10**12:
        found.append("a lifetime is whole seconds (RFC 5944, 3.3)")
    if found:
        raise ValueError("; ".join(found))
    return model


StudyOptions: Any = create_model(
    "StudyOptions",
    __base__=StrictModel,
    __doc__="Options of the procedures (docs/procedures.md).",
    __validators__={"sound": model_validator(mode="after")(_sound_options)},  # type: ignore[dict-item]
    **_option_fields(),
)


def _repeated(names: list[str]) -> list[str]:
    return sorted(name for name, times in Counter(names).items() if times > 1)


class Scenario(StrictModel):
    """A study's input: who there is, what they send, how they move."""

    name: Name
    duration: Duration
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 1
    home_agent: Node
    correspondent: Annotated[list[Node], BeforeValidator(as_list), Field(min_length=1)]
    node: list[Node] = Field(default_factory=list)
    link: Annotated[list[Link], Field(min_length=1)]
    routers: Routers
    region: list[Region] = Field(default_factory=list)
    regions: Regions | None = None
    traffic: Annotated[list[Traffic], Field(min_length=1)]
    movement: Movement
    coverage: CoverageModel | None = None
    restart: list[Restart] = Field(default_factory=list)
    options: StudyOptions = StudyOptions()
    sweep: Sweep | None = None
    slo: Slo | None = None

    @model_validator(mode="after")
    def _expanded(self) -> Scenario:
        """With ``regions`` as ordinary nodes, links and regions."""
        if self.regions is None or self._at_odds():
            return self
        node, link, region = self.regions.expanded(self.routers.names)
        return self.model_copy(update={"node": self.node + node, "link": self.link + link, "region": region, "regions": None})

    @model_validator(mode="after")
    def _named(self) -> Scenario:
        fixed = [n.name for n in (self.home_agent, *self.correspondent, *self.node)]
        names = [*fixed, *self.routers.names]
        found = [f"node {n!r} stands twice" for n in _repeated(names)]
        known = [*(pair for x in self.link for pair in x.between), *(r.node for r in self.restart)]
        known += [self.routers.wired_to] if self.routers.wired_to is not None else []
        found += [f"no node {name!r}; there are {join_names(names)}" for name in dict.fromkeys(known) if name not in names]
        placed = [*(self.movement.routers or {}).values(), *([self.movement.home] if self.movement.home is not None else [])]
        found += [
            f"movement: no router {name!r}; there are {join_names(self.routers.names)}"
            for name in dict.fromkeys(placed) if name not in self.routers.names
        ]
        if (riders := self.movement.commuters) is not None and riders.handoff_rate and len(self.routers.names) == 1:
            found.append("movement.commuters: routers.names has one router only, and so nobody a neighbour to go to")
        found += self._regions()
        found += self._covered()
        hosts = [c.name for c in self.correspondent]
        for i, traffic in enumerate(self.traffic):
            if traffic.correspondent is not None and traffic.correspondent not in hosts:
                found.append(f"traffic.{i}: no correspondent {traffic.correspondent!r}; there are {join_names(hosts)}")
        if self.duration == 0:
            found.append("a duration is above 0")
        if found:
            raise ValueError("; ".join(found))
        return self

    def _at_odds(self) -> list[str]:
        """Why ``regions`` cannot be spelt out."""
        if self.regions is None:
            return []
        if self.region:
            return ["regions and [[region]] are two ways to say the same: leave one out"]
        count, routers = self.regions.count, len(self.routers.names)
        return [f"regions: {count} of them for {routers} routers: each needs one at least"] if count > routers else []

    def _regions(self) -> list[str]:
        """What is wrong with the regions."""
        if found := self._at_odds():
            return found
        gateways = [n.name for n in self.node]
        placed = [r for region in self.region for r in region.routers]
        for region in self.region:
            if region.gateway not in gateways:
                found.append(f"region: gateway {region.gateway!r} is no [[node]]; there are {join_names(gateways) or 'none'}")
        routers = self.routers.names
        known, having = set(routers), set(placed)
        found += [f"region: no router {r!r}; there are {join_names(routers)}" for r in placed if r not in known]
        found += [f"region: router {r!r} stands in two regions" for r in _repeated(placed)]
        missing = [r for r in routers if r not in having]
        if self.region and missing:
            found.append(f"region: {join_names(missing)} stand in none; give every router one")
        if self.routers.wired_to is None and not self.region:
            found.append("routers.wired_to is missing: name the node that routers are wired to, or give regions")
        if self.routers.wired_to is not None and self.region:
            found.append("routers.wired_to means nothing where there are regions: each router is wired to its gateway")
        return found

    def _covered(self) -> list[str]:
        """What is wrong between movement and coverage."""
        if not self.movement.has_positions:
            return ["coverage means nothing where there are no positions: leave it out"] if self.coverage else []
        if self.coverage is None:
            return ["coverage is missing: movement gives positions, and [coverage] says how they become attachments"]
        placed, routers = self.coverage.placed(), self.routers.names
        found = [f"coverage: no router {r!r}; there are {join_names(routers)}" for r in placed if r not in routers]
        if missing := [r for r in routers if r not in placed]:
            found.append(f"coverage: {join_names(missing)} without a place")
        if self.coverage.positions_deg is not None and self.movement.trace is None:
            found.append("coverage.positions_deg means nothing where no trace gives degrees: give positions_m")
        return found
