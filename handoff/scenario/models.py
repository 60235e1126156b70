"""Pydantic models of a scenario file. They read units; a value without its unit is refused."""

from __future__ import annotations

import dataclasses
from collections import Counter
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, create_model, model_validator

from engine.quantities import DURATION
from handoff.protocol.options import CHOICES, Options
from handoff.scenario.attack import AttackTable, attack_problems
from handoff.scenario.experiment import Slo, Sweep
from handoff.scenario.field_types import (
    Count,
    CountLimit,
    Duration,
    Loss,
    Name,
    Names,
    Places,
    Positive,
    QueueBytes,
    Rate,
    SizeLimit,
    StrictModel,
    ValueReader,
    as_list,
    join_names,
)
from handoff.scenario.mixture import MixtureGroup, mixture_problems
from handoff.scenario.movement import CoverageModel, Movement
from handoff.scenario.traffic import Traffic

_SECOND = DURATION.units["s"]


class Channel(StrictModel):
    """One direction of a link: rate, propagation delay, drop-tail queue, loss probability.

    None is no limit. The limits of the queue include the packet in transmission.
    """

    rate: Rate = None
    delay: Duration
    buffer_packets: Places = None
    buffer_bytes: QueueBytes = None
    loss: Loss = "0"


class ServerParameters(StrictModel):
    """Servers of a node.

    ``service`` is the time to forward a packet, ``registration`` the time to process a registration message; 0 means no server.
    The limits of the queues include the packet or message in service; None is no limit.
    """

    service: Duration = 0
    service_queue: Places = None
    registration: Duration = 0
    registration_queue: Places = None
    registration_answers: StrictBool = False


class Node(ServerParameters):
    """A router or host of the wired network."""

    name: Name


class Link(Channel):
    """A link between two nodes, with the same parameters in both directions."""

    between: Annotated[list[Name], Field(min_length=2, max_length=2)]


class Cell(Channel):
    """Radio cell of each router; an ``up_`` parameter that is absent is the same as for the downlink."""

    shared: StrictBool = False
    up_rate: Rate = None
    up_delay: Duration | None = None
    up_buffer_packets: Places = None
    up_buffer_bytes: QueueBytes = None
    up_loss: Loss | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that the file has, as ``Network.cell`` takes them: None is no limit, and not absent."""
        return self.model_dump(exclude_unset=True)


class HomeAgent(Node):
    """The home agent. With a ``cell`` it has a home link, to which mobile nodes attach by the name of the home agent."""

    cell: Cell | None = None


class Region(StrictModel):
    """Routers behind one gateway (gateway foreign agent, or mobility anchor point)."""

    gateway: Name
    routers: Names


class Gateway(ServerParameters):
    """Gateways of regions with equal parameters, named by ``name`` and a number from 0."""

    name: Name


class DirectLink(Channel):
    """A link from every gateway to one node."""

    to: Name


class Regions(StrictModel):
    """``count`` regions with equal parameters: the list of routers is divided evenly, and each part has a gateway."""

    count: Positive
    gateway: Gateway
    wired_to: Name
    wired: Channel
    neighbours: Channel | None = None
    link: list[DirectLink] = Field(default_factory=list)

    def expanded(self, routers: list[str]) -> tuple[list[Node], list[Link], list[Region]]:
        """Return the regions as ordinary nodes, links and regions."""
        servers = self.gateway.model_dump(exclude={"name"})
        names = [f"{self.gateway.name}{i}" for i in range(self.count)]
        bounds = [len(routers) * i // self.count for i in range(self.count + 1)]
        parts = [routers[begin:end] for begin, end in pairwise(bounds)]
        links: list[tuple[str, str, Channel]] = [(self.wired_to, name, self.wired) for name in names]
        links += [(direct.to, name, direct) for direct in self.link for name in names]
        links += [(a, b, self.neighbours) for a, b in pairwise(names)] if self.neighbours is not None else []
        return (
            [Node.model_construct(name=name, **servers) for name in names],
            [Link.model_construct(between=[a, b], **channel.model_dump(exclude={"to"})) for a, b, channel in links],
            [Region.model_construct(gateway=name, routers=part) for name, part in zip(names, parts, strict=True)],
        )


class TemporaryHomeAgent(StrictModel):
    """A node of a sub-network that is the temporary home agent of its routers in Mobile IPv6 (seed, figures 4 and 5)."""

    node: Name
    routers: Names


class Restart(StrictModel):
    """Restart of an agent, which loses its bindings, visitors and forwarding entries."""

    node: Name
    at: Duration


class Routers(ServerParameters):
    """Access routers with equal parameters.

    Each is wired to one node, or to the gateway of its region. With ``neighbours``, each also has a link to the next of the list.
    """

    names: Names
    wired_to: Name | None = None
    wired: Channel
    neighbours: Channel | None = None
    cell: Cell


def _option_fields() -> dict[str, Any]:
    """Return a pydantic field for each field of ``Options``, with durations and sizes as text with a unit."""
    fields: dict[str, Any] = {}
    for field in dataclasses.fields(Options):
        name, kind = field.name, field.type
        if name in CHOICES:
            fields[name] = (Literal[CHOICES[name]], field.default)
        elif name == "lifetime_s":
            fields["lifetime"] = (Duration, Options.lifetime_s * _SECOND)
        elif name.endswith("_ps"):
            fields[name.removesuffix("_ps")] = (Duration | None if "None" in str(kind) else Duration, field.default)
        elif name.endswith("_bytes"):
            fields[name] = (SizeLimit, field.default)
        elif name.endswith("_packets"):
            fields[name] = (CountLimit, field.default)
        elif "bool" in str(kind):
            fields[name] = (StrictBool | None if "None" in str(kind) else StrictBool, field.default)
        else:
            fields[name] = (Count, field.default)
    return fields


def to_options(model: BaseModel) -> Options:
    """Return the options of a scenario as the procedures take them."""
    values = {}
    for field in dataclasses.fields(Options):
        if field.name == "lifetime_s":
            values["lifetime_s"] = model.lifetime // _SECOND  # type: ignore[attr-defined]
        else:
            values[field.name] = getattr(model, field.name.removesuffix("_ps"))
    return Options(**values)


def _check_options(model: Any) -> Any:
    problems = to_options(model).problems()
    if model.lifetime % _SECOND:
        problems.append("lifetime: give whole seconds (RFC 5944, 3.3)")
    if problems:
        raise ValueError("; ".join(problems))
    return model


StudyOptions: Any = create_model(
    "StudyOptions",
    __base__=StrictModel,
    __doc__="Options of the procedures (docs/procedures.md).",
    __validators__={"check": model_validator(mode="after")(_check_options)},  # type: ignore[dict-item]
    **_option_fields(),
)


def _duplicates(names: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


class Scenario(StrictModel):
    """Input of a study: network, traffic, movement, options of the procedures."""

    name: Name
    duration: Duration
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 1
    home_agent: HomeAgent
    correspondent: Annotated[list[Node], ValueReader(as_list), Field(min_length=1)]
    node: list[Node] = Field(default_factory=list)
    link: Annotated[list[Link], Field(min_length=1)]
    routers: Routers
    region: list[Region] = Field(default_factory=list)
    regions: Regions | None = None
    temporary_home_agent: list[TemporaryHomeAgent] = Field(default_factory=list)
    traffic: Annotated[list[Traffic], Field(min_length=1)]
    movement: Movement
    coverage: CoverageModel | None = None
    restart: list[Restart] = Field(default_factory=list)
    mixture: list[MixtureGroup] = Field(default_factory=list)
    attack: list[AttackTable] = Field(default_factory=list)
    options: StudyOptions = StudyOptions()
    sweep: Sweep | None = None
    slo: Slo | None = None

    @property
    def access_points(self) -> list[str]:
        """Nodes that mobile nodes can attach to: the routers, and the home agent if it has a cell."""
        return [*self.routers.names, *([self.home_agent.name] if self.home_agent.cell is not None else [])]

    @model_validator(mode="after")
    def _expand_regions(self) -> Scenario:
        """Replace ``regions`` by ordinary nodes, links and regions."""
        if self.regions is None or self._regions_problem():
            return self
        node, link, region = self.regions.expanded(self.routers.names)
        return self.model_copy(update={"node": self.node + node, "link": self.link + link, "region": region, "regions": None})

    @model_validator(mode="after")
    def _check_references(self) -> Scenario:
        """Check names that tables use of each other, and what depends on several tables."""
        problems = [*self._node_problems(), *self._movement_problems()]
        problems += [problem] if (problem := self._regions_problem()) else self._region_problems()
        problems += [*self._temporary_home_agent_problems(), *self._coverage_problems(), *self._traffic_problems()]
        problems += mixture_problems(self.mixture, bool(self.region or self.regions))
        problems += attack_problems(self.attack, self.duration, self._agents())
        if self.duration == 0:
            problems.append("duration: 0 is too short; give a duration above 0")
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _agents(self) -> dict[str, list[str]]:
        """Return the names of all nodes by what they are: home agent, gateways, routers, correspondents, others."""
        gateways = [region.gateway for region in self.region]
        return {
            "home agent": [self.home_agent.name],
            "gateway": gateways,
            "router": self.routers.names,
            "correspondent": [node.name for node in self.correspondent],
            "node": [node.name for node in self.node if node.name not in gateways],
        }

    def _node_problems(self) -> list[str]:
        fixed = [node.name for node in (self.home_agent, *self.correspondent, *self.node)]
        names = [*fixed, *self.routers.names]
        problems = [f"node {name!r} is listed twice: give every node a name of its own" for name in _duplicates(names)]
        used = [(name, "link") for link in self.link for name in link.between]
        used += [(restart.node, "restart") for restart in self.restart]
        used += [(self.routers.wired_to, "routers.wired_to")] if self.routers.wired_to is not None else []
        known = set(names)
        unknown = [(name, key) for name, key in dict.fromkeys(used) if name not in known]
        return problems + [f"{key}: no node {name!r}; there are {join_names(names)}" for name, key in unknown]

    def _movement_problems(self) -> list[str]:
        routers, movement = self.access_points, self.movement
        used = [*(movement.routers or {}).values(), *([movement.home] if movement.home is not None else [])]
        unknown = [name for name in dict.fromkeys(used) if name not in routers]
        problems = [f"movement: no router {name!r}; there are {join_names(routers)}" for name in unknown]
        if (commuters := movement.commuters) is not None and commuters.handoff_rate and len(self.routers.names) == 1:
            problems.append("movement.commuters: handoffs go to a neighbouring router: give at least two in routers.names")
        return problems

    def _traffic_problems(self) -> list[str]:
        hosts = [node.name for node in self.correspondent]
        return [
            f"traffic.{i}: no correspondent {traffic.correspondent!r}; there are {join_names(hosts)} "
            "(for a mobile node, give 'mobile_correspondent')"
            for i, traffic in enumerate(self.traffic)
            if traffic.correspondent is not None and traffic.correspondent not in hosts
        ]

    def _regions_problem(self) -> str | None:
        """Return why ``regions`` cannot be expanded."""
        if self.regions is None:
            return None
        if self.region:
            return "regions: [regions] and [[region]] exclude each other: leave one out"
        count, routers = self.regions.count, len(self.routers.names)
        return f"regions: {count} regions for {routers} routers: each needs at least one" if count > routers else None

    def _region_problems(self) -> list[str]:
        problems = []
        gateways = [node.name for node in self.node]
        for region in self.region:
            if region.gateway not in gateways:
                problems.append(f"region: gateway {region.gateway!r} is no [[node]]; there are {join_names(gateways) or 'none'}")
        routers = self.routers.names
        assigned = [name for region in self.region for name in region.routers]
        known, with_region = set(routers), set(assigned)
        problems += [f"region: no router {name!r}; there are {join_names(routers)}" for name in assigned if name not in known]
        problems += [f"region: router {name!r} is listed twice: give it one region" for name in _duplicates(assigned)]
        missing = [name for name in routers if name not in with_region]
        if self.region and missing:
            problems.append(f"region: no region for {join_names(missing)}: give every router one")
        if self.routers.wired_to is None and not self.region:
            problems.append("routers.wired_to is missing: name the node that routers are wired to, or give regions")
        if self.routers.wired_to is not None and self.region:
            problems.append("routers.wired_to does not apply with regions, whose gateways the routers are wired to: leave it out")
        return problems

    def _temporary_home_agent_problems(self) -> list[str]:
        nodes, routers, key = [node.name for node in self.node], self.routers.names, "temporary_home_agent"
        problems = [
            f"{key}: {entry.node!r} is no [[node]]; there are {join_names(nodes) or 'none'}"
            for entry in self.temporary_home_agent
            if entry.node not in nodes
        ]
        assigned = [name for entry in self.temporary_home_agent for name in entry.routers]
        problems += [f"{key}: no router {name!r}; there are {join_names(routers)}" for name in assigned if name not in routers]
        return problems + [f"{key}: router {name!r} is listed twice: give it one" for name in _duplicates(assigned)]

    def _coverage_problems(self) -> list[str]:
        if not self.movement.has_positions:
            return ["coverage does not apply to movement without positions: leave it out"] if self.coverage else []
        if self.coverage is None:
            return ["coverage is missing: it turns the positions of movement into attachments"]
        located, points = self.coverage.placed(), self.access_points
        problems = [f"coverage: no router {name!r}; there are {join_names(points)}" for name in located if name not in points]
        if missing := [name for name in points if name not in located]:
            problems.append(f"coverage: no position for {join_names(missing)}: give every router one")
        if self.coverage.positions_deg is not None and self.movement.trace is None:
            problems.append("coverage.positions_deg does not apply without a trace in degrees: give positions_m")
        return problems
