"""Shortest paths (docs/model.md, section 5), units, their rank and their phases (section 4)."""

from __future__ import annotations

from engine.elements import Link
from engine.network import Network
from engine.network_columns import NetworkError

from .draws import key

FLEET = -1
Unit = tuple[str, int]  # ("node", n), ("server", n) or ("fleet", -1)
FLEET_UNIT: Unit = ("fleet", FLEET)
TIMEOUTS, REGISTRATION, CONTROLLERS, EMISSIONS, ARRIVALS = range(-1, 4)  # phases at one unit and instant


def unit_of(node: int) -> Unit:
    return FLEET_UNIT if node < 0 else ("node", node)


def next_links(network: Network) -> list[dict[int, int]]:
    """Return, for each node, the next link by destination."""
    tables: list[dict[int, int]] = [{} for _ in network.nodes]
    for target in range(len(network.nodes)):
        distance = _distances(network.links, target)
        for node in distance:
            ways = [
                (link.channel.delay_ps + distance[link.dst][0], 1 + distance[link.dst][1], key(link.name), i)
                for i, link in enumerate(network.links)
                if link.src == node and link.dst in distance
            ]
            if node != target:
                tables[node][target] = min(ways)[3]
    return tables


def _distances(links: list[Link], target: int) -> dict[int, tuple[int, int]]:
    """Return (delay, hops) from every node that reaches ``target``: relax all links until nothing changes."""
    distance = {target: (0, 0)}
    changed = True
    while changed:
        changed = False
        for link in links:
            if link.dst in distance:
                delay, hops = distance[link.dst]
                way = (delay + link.channel.delay_ps, hops + 1)
                if link.src not in distance or way < distance[link.src]:
                    distance[link.src] = way
                    changed = True
    return distance


def ranks(network: Network) -> dict[Unit, int]:
    """Return a topological order of the units over arcs without delay."""
    fleet = FLEET_UNIT
    units = [fleet]
    for n, node in enumerate(network.nodes):
        units += [("node", n)] + ([("server", n)] if node.service_ps else [])

    def entrance(n: int) -> Unit:
        return ("server", n) if network.nodes[n].service_ps else ("node", n)

    arcs = {(("node", link.src), entrance(link.dst)) for link in network.links if link.channel.delay_ps == 0}
    arcs |= {(("node", c.node), fleet) for c in network.cells if c.down.delay_ps == 0}
    arcs |= {(fleet, entrance(c.node)) for c in network.cells if c.up.delay_ps == 0}
    order: dict[Unit, int] = {}
    while len(order) < len(units):
        ready = [u for u in units if u not in order and all(a in order for a, b in arcs if b == u)]
        if not ready:
            raise NetworkError("a cycle of links, cells or uplinks that take no time")
        order |= {u: len(order) + i for i, u in enumerate(ready)}
    return order
