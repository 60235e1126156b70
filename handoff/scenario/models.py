"""Pydantic models of the tables of a scenario file. They read units; a value without its unit is refused."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, create_model, model_validator

from engine.quantities import DURATION
from handoff.protocol.options import CHOICES, Options
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
)

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
