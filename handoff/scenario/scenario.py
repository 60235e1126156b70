"""Model of a whole scenario file, and checks of names that tables use of each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from handoff.scenario.attack import AttackTable, attack_problems
from handoff.scenario.background import BackgroundTable, background_problems
from handoff.scenario.experiment import Slo, Sweep
from handoff.scenario.field_types import Duration, Name, StrictModel, ValueReader, as_list, join_names
from handoff.scenario.mixture import MixtureGroup, mixture_problems
from handoff.scenario.models import ControlNodes, Restart, StudyOptions, TemporaryHomeAgent
from handoff.scenario.movement import CoverageModel, Movement
from handoff.scenario.network import HomeAgent, Link, Node, Region, Regions, Routers, RouterTable
from handoff.scenario.traffic import Traffic


def _duplicates(names: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


class Scenario(StrictModel):
    """Input of a study: network, traffic, movement, options of the procedures."""

    name: Name = Field(description="Name of the study.")
    duration: Duration = Field(description="Simulated time of the run.")
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = Field(default=1, description="Seed of every random draw.")
    home_agent: HomeAgent = Field(description="Home agent of all mobile nodes.")
    correspondent: Annotated[list[Node], ValueReader(as_list), Field(min_length=1)] = Field(
        description="Host that exchanges data with mobile nodes: one table, or several."
    )
    node: list[Node] = Field(default_factory=list, description="Further routers or hosts of the wired network, such as gateways.")
    link: Annotated[list[Link], Field(min_length=1)] = Field(description="Links between nodes.")
    routers: Routers = Field(description="Access routers (foreign agents) with equal parameters.")
    router: list[RouterTable] = Field(
        default_factory=list, description="Routers with other parameters than those of [routers]."
    )
    region: list[Region] = Field(
        default_factory=list, description="Regions of the hierarchical procedures: a gateway and its routers."
    )
    regions: Regions | None = Field(default=None, description="Regions with equal parameters, instead of [[region]].")
    temporary_home_agent: list[TemporaryHomeAgent] = Field(
        default_factory=list, description="Nodes that are temporary home agents of their routers in mipv6 and mipv6-ro."
    )
    control: ControlNodes = Field(
        default=ControlNodes(), description="Control nodes of the handovers of LTE and 5G and of distributed mobility management."
    )
    traffic: Annotated[list[Traffic], Field(min_length=1)] = Field(
        description="Sources of traffic: each table is a replay of captures, or a generated flow."
    )
    movement: Movement = Field(description="Source of movement: exactly one of associations, capture, trace or a model.")
    coverage: CoverageModel | None = Field(
        default=None, description="Conversion of positions to attachments; required if the movement consists of positions."
    )
    restart: list[Restart] = Field(default_factory=list, description="Agents that restart and lose their state.")
    mixture: list[MixtureGroup] = Field(
        default_factory=list, description="Groups of mobile nodes with a procedure of their own, for the procedure 'mixture'."
    )
    attack: list[AttackTable] = Field(default_factory=list, description="Attackers of the mobility signalling.")
    background: list[BackgroundTable] = Field(
        default_factory=list, description="Messages at control nodes and agents besides those of handoffs."
    )
    options: StudyOptions = Field(default=StudyOptions(), description="Options of the procedures.")
    sweep: Sweep | None = Field(
        default=None, description="Fields and values of many runs. 'handoff sweep' uses it; a single run ignores it."
    )
    slo: Slo | None = Field(default=None, description="Targets (service-level objectives) of the measures.")

    @property
    def access_points(self) -> list[str]:
        """Nodes that mobile nodes can attach to: the routers, and the home agent if it has a cell."""
        return [*self.routers.names, *([self.home_agent.name] if self.home_agent.cell is not None else [])]

    @model_validator(mode="after")
    def _check_references(self) -> Scenario:
        """Check names that tables use of each other, and what depends on several tables; expand ``regions``."""
        if problems := self.reference_problems():
            raise ValueError("\n".join(problems))
        return self._expanded()

    def reference_problems(self, invalid: Collection[str] = ()) -> list[str]:
        """Return the problems of names that tables use of each other, and of what depends on several tables, with their keys.

        Parameters
        ----------
        invalid : collection of str
            Keys of the scenario without a value. The checks that need one of them are left out.
        """
        expanded = self if "regions" in invalid or "routers" in invalid else self._expanded()
        return [
            problem for check, fields in _REFERENCE_CHECKS if not fields & set(invalid) for problem in check(self, expanded)
        ]

    def _expanded(self) -> Scenario:
        """Return a scenario whose ``regions`` are replaced by ordinary nodes, links and regions, if that is possible."""
        if self.regions is None or _regions_problems(self, self):
            return self
        node, link, region = self.regions.expanded(self.routers.names)
        return self.model_copy(update={"node": self.node + node, "link": self.link + link, "region": region, "regions": None})


_Check = Callable[[Scenario, Scenario], list[str]]
"""Returns the problems of a scenario; the second argument is the same scenario with its ``regions`` expanded."""
_REFERENCE_CHECKS: list[tuple[_Check, set[str]]] = []


def _needs(*fields: str) -> Callable[[_Check], _Check]:
    """Register a check of :meth:`Scenario.reference_problems`, and the keys that it needs."""

    def register(check: _Check) -> _Check:
        _REFERENCE_CHECKS.append((check, set(fields)))
        return check

    return register


def _roles(scenario: Scenario) -> dict[str, list[str]]:
    """Return the names of all nodes by what they are: home agent, gateways, routers, correspondents, others."""
    gateways = [region.gateway for region in scenario.region]
    return {
        "home agent": [scenario.home_agent.name],
        "gateway": gateways,
        "router": scenario.routers.names,
        "correspondent": [node.name for node in scenario.correspondent],
        "node": [node.name for node in scenario.node if node.name not in gateways],
    }


def _node_names(scenario: Scenario) -> list[str]:
    fixed = [node.name for node in (scenario.home_agent, *scenario.correspondent, *scenario.node)]
    return [*fixed, *scenario.routers.names]


_NODES = ("home_agent", "correspondent", "node", "routers", "regions")


@_needs(*_NODES)
def _repeated_node_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    return [
        f"{_key_of_node(scenario, name)}: node {name!r} is listed twice: give every node a name of its own"
        for name in _duplicates(_node_names(expanded))
    ]


def _key_of_node(scenario: Scenario, name: str) -> str:
    if name in scenario.routers.names:
        return "routers.names"
    key = [f"node.{i}.name" for i, node in enumerate(scenario.node) if node.name == name]
    return [*(f"correspondent.{i}.name" for i, node in enumerate(scenario.correspondent) if node.name == name), *key][-1]


def _unknown_nodes(expanded: Scenario, used: Iterable[tuple[str, str | None]]) -> list[str]:
    names = _node_names(expanded)
    known = set(names)
    return [
        f"{key}: no node {name!r}; there are {join_names(names)}"
        for key, name in dict.fromkeys(used)
        if name is not None and name not in known
    ]


@_needs(*_NODES, "link")
def _link_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    used = ((f"link.{i}.between", name) for i, link in enumerate(scenario.link) for name in link.between)
    return _unknown_nodes(expanded, used)


@_needs("link", "regions", "region", "routers")
def _repeated_link_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    routers, gateways = scenario.routers, {name: region.gateway for region in expanded.region for name in region.routers}
    linked = {frozenset((name, gateways.get(name, routers.wired_to))): "[routers.wired]" for name in routers.names}
    if routers.neighbours is not None:
        linked |= {frozenset(pair): "[routers.neighbours]" for pair in pairwise(routers.names)}
    own = len(scenario.link)
    places = [f"link.{i}" if i < own else "regions" for i in range(len(expanded.link))]
    problems = []
    for place, link in zip(places, expanded.link, strict=True):
        a, b = link.between
        key = f"{place}.between" if place != "regions" else place
        if a == b:
            problems.append(f"{key}: both ends are {a!r}: name two nodes")
        elif frozenset((a, b)) in linked:
            problems.append(f"{key}: {a!r} and {b!r} are linked by {linked[frozenset((a, b))]} already: leave one out")
        linked[frozenset((a, b))] = place
    return problems


@_needs("router", "routers")
def _router_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    places = [(name, f"router.{i}.name") for i, table in enumerate(scenario.router) for name in table.name]
    known, first = set(scenario.routers.names), dict(reversed(places))
    problems = [
        f"{place}: no router {name!r}; there are {join_names(scenario.routers.names)}"
        for name, place in places
        if name not in known
    ]
    return problems + [
        f"{place}: router {name!r} is listed twice: give it one table" for name, place in places if first[name] != place
    ]


@_needs(*_NODES, "restart")
def _restart_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    return _unknown_nodes(expanded, ((f"restart.{i}.node", restart.node) for i, restart in enumerate(scenario.restart)))


@_needs(*_NODES, "control")
def _control_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    return _unknown_nodes(expanded, ((f"control.{key}", getattr(scenario.control, key)) for key in ("amf", "smf", "database")))


@_needs(*_NODES)
def _wiring_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    used = [("routers.wired_to", scenario.routers.wired_to)]
    if scenario.regions is not None:
        used.append(("regions.wired_to", scenario.regions.wired_to))
        used += [(f"regions.link.{i}.to", link.to) for i, link in enumerate(scenario.regions.link)]
    return _unknown_nodes(expanded, used)


@_needs("home_agent", "routers", "movement")
def _movement_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    points, movement = scenario.access_points, scenario.movement
    used = [*(("movement.routers", name) for name in (movement.routers or {}).values()), ("movement.home", movement.home)]
    problems = [
        f"{key}: no router {name!r}; there are {join_names(points)}"
        for key, name in dict.fromkeys(used)
        if name is not None and name not in points
    ]
    commuters = movement.commuters
    if commuters is not None and (commuters.handoff_rate or commuters.distance) and len(scenario.routers.names) == 1:
        problems.append("movement.commuters: handoffs go to a neighbouring router: give at least two in routers.names")
    return problems


@_needs("regions", "region", "routers")
def _regions_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    """Return why ``regions`` cannot be expanded."""
    if scenario.regions is None:
        return []
    if scenario.region:
        return ["regions: [regions] and [[region]] exclude each other: leave one out"]
    count, routers = scenario.regions.count, len(scenario.routers.names)
    return [f"regions.count: {count} regions for {routers} routers: each needs at least one"] if count > routers else []


@_needs("regions", "region", "routers", "node")
def _region_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    if expanded.regions is not None:  # cannot be expanded
        return []
    problems = []
    gateways = [node.name for node in expanded.node]
    routers = expanded.routers.names
    known = set(routers)
    for i, region in enumerate(scenario.region):
        if region.gateway not in gateways:
            there_are = join_names(gateways) or "none"
            problems.append(f"region.{i}.gateway: gateway {region.gateway!r} is no [[node]]; there are {there_are}")
        problems += [
            f"region.{i}.routers: no router {name!r}; there are {join_names(routers)}"
            for name in dict.fromkeys(region.routers)
            if name not in known
        ]
    assigned = [name for region in scenario.region for name in region.routers]
    problems += [
        f"region.{_last(i for i, region in enumerate(scenario.region) if name in region.routers)}.routers: "
        f"router {name!r} is listed twice: give it one region"
        for name in _duplicates(assigned)
    ]
    with_region = {name for region in expanded.region for name in region.routers}
    missing = [name for name in routers if name not in with_region]
    if expanded.region and missing:
        problems.append(f"region: no region for {join_names(missing)}: give every router one")
    if expanded.routers.wired_to is None and not expanded.region:
        problems.append("routers: 'wired_to' is missing: name the node that routers are wired to, or give regions")
    if expanded.routers.wired_to is not None and expanded.region:
        problems.append("routers.wired_to: does not apply with regions, whose gateways the routers are wired to: leave it out")
    return problems


def _last(numbers: Iterable[int]) -> int:
    return max(numbers, default=0)


@_needs("temporary_home_agent", "node", "routers", "regions")
def _temporary_home_agent_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    nodes, routers, key = [node.name for node in expanded.node], scenario.routers.names, "temporary_home_agent"
    agents = list(enumerate(scenario.temporary_home_agent))
    problems = [
        f"{key}.{i}.node: {agent.node!r} is no [[node]]; there are {join_names(nodes) or 'none'}"
        for i, agent in agents
        if agent.node not in nodes
    ]
    problems += [
        f"{key}.{i}.routers: no router {name!r}; there are {join_names(routers)}"
        for i, agent in agents
        for name in agent.routers
        if name not in routers
    ]
    assigned = [name for _, agent in agents for name in agent.routers]
    return problems + [
        f"{key}.{_last(i for i, agent in agents if name in agent.routers)}.routers: router {name!r} is listed twice: give it one"
        for name in _duplicates(assigned)
    ]


@_needs("home_agent", "routers", "movement", "coverage")
def _coverage_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    movement, coverage = scenario.movement, scenario.coverage
    if not movement.has_positions:
        return ["coverage: does not apply to movement without positions: leave it out"] if coverage else []
    if coverage is None:
        return ["coverage is missing: it turns the positions of movement into attachments"]
    key = "coverage.positions_m" if coverage.positions_m is not None else "coverage.positions_deg"
    located, points = coverage.placed(), scenario.access_points
    problems = [f"{key}: no router {name!r}; there are {join_names(points)}" for name in located if name not in points]
    if missing := [name for name in points if name not in located]:
        problems.append(f"{key}: no position for {join_names(missing)}: give every router one")
    if coverage.positions_deg is not None and movement.trace is None:
        problems.append(f"{key}: does not apply without a trace in degrees: give positions_m")
    return problems


@_needs("correspondent", "traffic")
def _traffic_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    hosts = [node.name for node in scenario.correspondent]
    return [
        f"traffic.{i}.correspondent: no correspondent {traffic.correspondent!r}; there are {join_names(hosts)} "
        "(for a mobile node, give 'mobile_correspondent')"
        for i, traffic in enumerate(scenario.traffic)
        if traffic.correspondent is not None and traffic.correspondent not in hosts
    ]


@_needs("mixture", "region", "regions")
def _mixture_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    return mixture_problems(scenario.mixture, bool(expanded.region or expanded.regions))


@_needs("attack", "duration", "region", *_NODES)
def _attack_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    return attack_problems(scenario.attack, scenario.duration, _roles(expanded))


@_needs("background", "attack", *_NODES)
def _background_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    attackers = [attack.node for attack in scenario.attack]
    return background_problems(scenario.background, _node_names(expanded), scenario.routers.names, attackers)


@_needs("duration")
def _duration_problems(scenario: Scenario, expanded: Scenario) -> list[str]:
    return ["duration: 0 is too short; give a duration above 0"] if scenario.duration == 0 else []
