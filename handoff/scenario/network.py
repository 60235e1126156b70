"""Pydantic models of the tables that describe the network of a scenario: nodes, links, cells, routers, regions."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, StrictBool, model_validator

from handoff.scenario.field_types import (
    Duration,
    Loss,
    Name,
    Names,
    Places,
    Positive,
    QueueBytes,
    Rate,
    StrictModel,
)


class Channel(StrictModel):
    """One direction of a link: rate, propagation delay, drop-tail queue, loss probability.

    None is no limit. The limits of the queue include the packet in transmission.
    """

    rate: Rate = None
    delay: Duration
    buffer_packets: Places = None
    buffer_bytes: QueueBytes = None
    loss: Loss = "0"

    def changed(self, other: Channel) -> Self:
        """Return a copy in which the parameters that the file has in ``other`` replace the present ones."""
        return self.model_construct(**self.model_dump(exclude_unset=True) | other.model_dump(exclude_unset=True))


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


class RegionLink(Link):
    """A link that the table ``regions`` makes."""


class Cell(Channel):
    """Radio cell of each router; an ``up_`` parameter that is absent is the same as for the downlink."""

    shared: bool = False
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
            [RegionLink.model_construct(between=[a, b], **channel.model_dump(exclude={"to"})) for a, b, channel in links],
            [Region.model_construct(gateway=name, routers=part) for name, part in zip(names, parts, strict=True)],
        )


class Routers(ServerParameters):
    """Access routers with equal parameters.

    Each is wired to one node, or to the gateway of its region. With ``neighbours``, each also has a link to the next of the list.
    """

    names: Names
    wired_to: Name | None = None
    wired: Channel
    neighbours: Channel | None = None
    cell: Cell

    def changed(self, table: RouterTable | None) -> Routers:
        """Return a copy for the routers of a table, whose keys in the file replace the present ones."""
        if table is None:
            return self
        changes = table.model_dump(exclude_unset=True, exclude={"name", "wired", "cell"})
        changes |= {"wired": self.wired.changed(table.wired)} if table.wired is not None else {}
        changes |= {"cell": self.cell.changed(table.cell)} if table.cell is not None else {}
        return self.model_copy(update=changes)


class WireChanges(Channel):
    """Link parameters, of which the file need not have any."""

    delay: Duration = 0


class CellChanges(Cell):
    """Parameters of a cell, of which the file need not have any."""

    delay: Duration = 0


class RouterTable(ServerParameters):
    """Routers with other parameters than those of ``routers``; absent keys are as there."""

    name: Names
    wired: WireChanges | None = None
    cell: CellChanges | None = None

    @model_validator(mode="after")
    def _check_changes(self) -> RouterTable:
        if self.model_fields_set == {"name"}:
            raise ValueError("changes nothing: give 'wired', 'cell' or the keys of a server")
        return self
