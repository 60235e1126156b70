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

    rate: Rate = Field(default=None, description="Transmission rate. Default: no transmission time.")
    delay: Duration = Field(description="Propagation delay.")
    buffer_packets: Places = Field(
        default=None, description="Limit of the drop-tail queue in packets, with the one in transmission. Default: no limit."
    )
    buffer_bytes: QueueBytes = Field(default=None, description="Limit of the drop-tail queue in bytes. Default: no limit.")
    loss: Loss = Field(default="0", description="Probability that a packet is lost on the link, drawn for each packet.")

    def changed(self, other: Channel) -> Self:
        """Return a copy in which the parameters that the file has in ``other`` replace the present ones."""
        return self.model_construct(**self.model_dump(exclude_unset=True) | other.model_dump(exclude_unset=True))


class ServerParameters(StrictModel):
    """Servers of a node.

    ``service`` is the time to forward a packet, ``registration`` the time to process a registration message; 0 means no server.
    The limits of the queues include the packet or message in service; None is no limit.
    """

    service: Duration = Field(default=0, description="Time of the forwarding server for each packet; 0 is no server.")
    service_queue: Places = Field(
        default=None, description="Limit of the forwarding queue in packets, with the one in service. Default: no limit."
    )
    registration: Duration = Field(
        default=0, description="Time of the registration server for each message; 0 is no service time."
    )
    registration_queue: Places = Field(
        default=None, description="Limit of the registration queue in messages, with the one in service. Default: no limit."
    )
    registration_answers: StrictBool = Field(
        default=False, description="If true, a full registration queue refuses a request with a reply instead of dropping it."
    )


class Node(ServerParameters):
    """A router or host of the wired network."""

    name: Name = Field(description="Name of the node.")


class Link(Channel):
    """A link between two nodes, with the same parameters in both directions but for the delay, if ``back_delay`` is given."""

    between: Annotated[list[Name], Field(min_length=2, max_length=2)] = Field(
        description="Names of the two nodes that the link connects."
    )
    back_delay: Duration | None = Field(
        default=None, description="Propagation delay from the second node to the first. Default: the same."
    )


class Cell(Channel):
    """Radio cell of each router; an ``up_`` parameter that is absent is the same as for the downlink."""

    shared: StrictBool = Field(
        default=False, description="If true, all mobile nodes share one downlink queue; otherwise each has its own."
    )
    up_rate: Rate = Field(default=None, description="Transmission rate of the uplink. Default: that of the downlink.")
    up_delay: Duration | None = Field(default=None, description="Propagation delay of the uplink. Default: that of the downlink.")
    up_buffer_packets: Places = Field(
        default=None, description="Limit of the uplink queue in packets. Default: that of the downlink."
    )
    up_buffer_bytes: QueueBytes = Field(
        default=None, description="Limit of the uplink queue in bytes. Default: that of the downlink."
    )
    up_loss: Loss | None = Field(default=None, description="Probability of loss on the uplink. Default: that of the downlink.")

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that the file has, as ``Network.cell`` takes them: None is no limit, and not absent."""
        return self.model_dump(exclude_unset=True)


class HomeAgent(Node):
    """The home agent. With a ``cell`` it has a home link, to which mobile nodes attach by the name of the home agent."""

    cell: Cell | None = Field(default=None, description="Radio cell of the home link. Default: no home link.")


class Region(StrictModel):
    """Routers behind one gateway (gateway foreign agent, or mobility anchor point)."""

    gateway: Name = Field(description="Name of the [[node]] that is the gateway (GFA or MAP) of the region.")
    routers: Names = Field(description="Names of the routers of the region, or patterns such as 'ar{0..3}'.")


class Gateway(ServerParameters):
    """Gateways of regions with equal parameters, named by ``name`` and a number from 0."""

    name: Name = Field(description="Name of the gateways, to which a number from 0 is appended.")


class DirectLink(Channel):
    """A link from every gateway to one node."""

    to: Name = Field(description="Name of the node that each gateway is connected to.")


class Regions(StrictModel):
    """``count`` regions with equal parameters: the list of routers is divided evenly, and each part has a gateway."""

    count: Positive = Field(description="Number of equal regions. The list of routers is divided evenly, in its order.")
    gateway: Gateway = Field(description="Name and servers of the gateways.")
    wired_to: Name = Field(description="Name of the node that each gateway is wired to.")
    wired: Channel = Field(description="Link from each gateway to that node.")
    neighbours: Channel | None = Field(
        default=None, description="Link from each gateway to the next one. Default: no such links."
    )
    link: list[DirectLink] = Field(default_factory=list, description="Further links from each gateway to one node.")

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


class Routers(ServerParameters):
    """Access routers with equal parameters.

    Each is wired to one node, or to the gateway of its region. With ``neighbours``, each also has a link to the next of the list.
    """

    names: Names = Field(description="Names of the access routers: a list, or a pattern such as 'ar{0..63}' for 64 names.")
    wired_to: Name | None = Field(
        default=None,
        description="Name of the node that every router is wired to. With regions it is left out: each router is wired to its "
        "gateway.",
    )
    wired: Channel = Field(description="Link from each router to that node or to its gateway.")
    neighbours: Channel | None = Field(
        default=None, description="Link from each router to the next one in the list. Default: no such links."
    )
    cell: Cell = Field(description="Radio cell of each router.")

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

    delay: Duration = Field(default=0, description="Propagation delay. Default: that of [routers.wired].")


class CellChanges(Cell):
    """Parameters of a cell, of which the file need not have any."""

    delay: Duration = Field(default=0, description="Propagation delay. Default: that of [routers.cell].")


class RouterTable(ServerParameters):
    """Routers with other parameters than those of ``routers``; absent keys are as there."""

    name: Names = Field(description="Names of the routers that the table changes, or patterns such as 'ar{0..3}'.")
    wired: WireChanges | None = Field(
        default=None, description="Changes of the links from these routers to their node or gateway."
    )
    cell: CellChanges | None = Field(default=None, description="Changes of the radio cells of these routers.")

    @model_validator(mode="after")
    def _check_changes(self) -> RouterTable:
        if self.model_fields_set == {"name"}:
            raise ValueError("changes nothing: give 'wired', 'cell' or the keys of a server")
        return self
