"""What a scenario file may say (pydantic models); units are read here, nothing is guessed."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, StrictBool, create_model, model_validator

from handoff.options import CHOICES, Options
from handoff.scenario.movement import Covered, Movement
from handoff.scenario.traffic import Traffic
from handoff.scenario.values import Count, Duration, Loss, Model, Name, Rate, Size, one_or_more


class Channel(Model):
    """Rate (0 = infinite), propagation delay, drop-tail buffer (0 = unlimited), loss."""

    rate: Rate = 0
    delay: Duration
    buffer_packets: Count = 0
    buffer_bytes: Size = 0
    loss: Loss = "0"


class Serving(Model):
    """Forwarding server (time a packet) and registration server (time a message); 0 = none, queue 0 = unlimited."""

    service: Duration = 0
    service_queue: Count = 0
    registration: Duration = 0
    registration_queue: Count = 0
    registration_answers: StrictBool = False


class Server(Serving):
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


class Region(Model):
    """Routers with one gateway (foreign agent, or mobility anchor point)."""

    gateway: Name
    routers: Annotated[list[Name], Field(min_length=1)]


class Restart(Model):
    """An agent that loses its bindings, visitors and forwarding entries."""

    node: Name
    at: Duration


class Routers(Serving):
    """Sub-network routers: alike, each wired to one node (or to the gateway of its region), and each to the next of the list."""

    names: Annotated[list[Name], Field(min_length=1)]
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


def options_of(model: BaseModel) -> Options:
    """The options of a scenario, as the machine takes them."""
    values = {}
    for field in dataclasses.fields(Options):
        if field.name == "lifetime_s":
            values["lifetime_s"] = model.lifetime // 10**12  # type: ignore[attr-defined]
        else:
            values[field.name] = getattr(model, field.name.removesuffix("_ps"))
    return Options(**values)


def _sound_options(model: Any) -> Any:
    found = options_of(model).problems()
    if model.lifetime % 10**12:
        found.append("a lifetime is whole seconds (RFC 5944, 3.3)")
    if found:
        raise ValueError("; ".join(found))
    return model


StudyOptions: Any = create_model(
    "StudyOptions",
    __base__=Model,
    __doc__="Options of the procedures (docs/procedures.md).",
    __validators__={"sound": model_validator(mode="after")(_sound_options)},  # type: ignore[dict-item]
    **_option_fields(),
)


class Scenario(Model):
    """A study's input: who there is, what they send, how they move."""

    name: Name
    duration: Duration
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 1
    home_agent: Server
    correspondent: Annotated[list[Server], BeforeValidator(one_or_more), Field(min_length=1)]
    node: list[Server] = Field(default_factory=list)
    link: Annotated[list[Link], Field(min_length=1)]
    routers: Routers
    region: list[Region] = Field(default_factory=list)
    traffic: Annotated[list[Traffic], Field(min_length=1)]
    movement: Movement
    coverage: Covered | None = None
    restart: list[Restart] = Field(default_factory=list)
    options: StudyOptions = StudyOptions()

    @model_validator(mode="after")
    def _named(self) -> Scenario:
        fixed = [n.name for n in (self.home_agent, *self.correspondent, *self.node)]
        names = [*fixed, *self.routers.names]
        found = [f"node {n!r} stands twice" for n in sorted({n for n in names if names.count(n) > 1})]
        known = [*(pair for x in self.link for pair in x.between), *(r.node for r in self.restart)]
        known += [self.routers.wired_to] if self.routers.wired_to is not None else []
        found += [f"no node {name!r}; there are {', '.join(names)}" for name in known if name not in names]
        placed = [*(self.movement.routers or {}).values(), *([self.movement.home] if self.movement.home is not None else [])]
        found += [
            f"movement: no router {name!r}; there are {', '.join(self.routers.names)}"
            for name in dict.fromkeys(placed) if name not in self.routers.names
        ]
        if self.movement.commuters is not None and len(self.routers.names) == 1:
            found.append("movement.commuters: routers.names has one router only, and so nobody a neighbour to go to")
        found += self._regions()
        found += self._covered()
        hosts = [c.name for c in self.correspondent]
        for i, traffic in enumerate(self.traffic):
            if traffic.correspondent is not None and traffic.correspondent not in hosts:
                found.append(f"traffic.{i}: no correspondent {traffic.correspondent!r}; there are {', '.join(hosts)}")
        if self.duration == 0:
            found.append("a duration is above 0")
        if found:
            raise ValueError("; ".join(found))
        return self

    def _regions(self) -> list[str]:
        """What is wrong with the regions."""
        found = []
        gateways = [n.name for n in self.node]
        placed = [r for region in self.region for r in region.routers]
        for region in self.region:
            if region.gateway not in gateways:
                found.append(f"region: gateway {region.gateway!r} is no [[node]]; there are {', '.join(gateways) or 'none'}")
        routers = self.routers.names
        found += [f"region: no router {r!r}; there are {', '.join(routers)}" for r in placed if r not in routers]
        found += [f"region: router {r!r} stands in two regions" for r in sorted({r for r in placed if placed.count(r) > 1})]
        missing = [r for r in routers if r not in placed]
        if self.region and missing:
            found.append(f"region: {', '.join(missing)} stand in none; give every router one")
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
        found = [f"coverage: no router {r!r}; there are {', '.join(routers)}" for r in placed if r not in routers]
        if missing := [r for r in routers if r not in placed]:
            found.append(f"coverage: {', '.join(missing)} without a place")
        if self.coverage.positions_deg is not None and self.movement.trace is None:
            found.append("coverage.positions_deg means nothing where no trace gives degrees: give positions_m")
        return found
