"""Routes of a network: next links and delays of shortest paths."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from engine.columns import distinct
from engine.elements import Link
from engine.network import Network
from engine.network_columns import NetworkError
from engine.rng import name_key


def next_hops(network: Network) -> npt.NDArray[np.int32]:
    """Return the next link from each node to each other one: least delay, then fewest hops, then smallest link key."""
    n = len(network.nodes)
    hops = np.full((n, n), -1, np.int32)
    for target, links in enumerate(next_links(network, range(n))):
        hops[list(links.keys()), target] = list(links.values())
    return hops


def next_links(network: Network, targets: Iterable[int]) -> Iterator[dict[int, int]]:
    """Yield, for each target, the next link from each other node that reaches it, as in :func:`next_hops`."""
    targets = list(targets)
    weights = [_weight(link) for link in network.links]
    out: list[list[int]] = [[] for _ in network.nodes]
    for i in sorted(range(len(network.links)), key=lambda i: name_key(network.links[i].name)):
        out[network.links[i].src].append(i)
    for target, distance in zip(targets, _distances(network, targets), strict=True):
        links = {}
        for node in distance:
            for i in out[node]:
                onward = distance.get(network.links[i].dst)
                if node != target and onward is not None and weights[i] + onward == distance[node]:
                    links[node] = i
                    break
        yield links


def check_routes(network: Network, hops: npt.NDArray[np.int32]) -> None:
    """Check that every flow has a route: downstream to the home node of its mobile node, upstream from every cell.

    Parameters
    ----------
    network : Network
        Network with its flows.
    hops : ndarray of int32, shape (nodes, nodes)
        Result of :func:`next_hops`.

    Raises
    ------
    NetworkError
        If a pair of nodes has no route; the message has a line for each pair.
    """
    nodes = len(network.nodes)
    sender, receiver = network.flow_mobiles()
    downstream = sender < 0
    correspondent = network.flow_column("node", np.int32)
    pairs = correspondent[downstream] * np.int64(nodes)
    pairs += network.mobile_homes(np.int32)[receiver[downstream]]
    down = [divmod(int(pair), nodes) for pair in distinct(pairs)]
    cells = [cell.node for cell in network.cells]
    up = [(cell, node) for node in distinct(correspondent[~downstream]).tolist() for cell in cells]
    problems = [
        f"no way from {network.nodes[a].name!r} to {network.nodes[b].name!r}, which a flow needs: add a link"
        for a, b in [*down, *up]
        if a != b and hops[a, b] < 0
    ]
    if problems:
        raise NetworkError("\n".join(problems))


def delays_to(network: Network, target: int) -> dict[int, int]:
    """Return the propagation delay (ps) from each node that reaches ``target``."""
    distance = next(_distances(network, [target]))
    return {node: weight >> _HOPS for node, weight in distance.items()}


_HOPS = 20
"""Low bits of a distance that count hops; the delay is above them."""


def _weight(link: Link) -> int:
    return (link.channel.delay_ps << _HOPS) + 1


def _distances(network: Network, targets: Iterable[int]) -> Iterator[dict[int, int]]:
    """Yield, for each target, the least distance from every node that reaches it (Dijkstra, exact integers)."""
    incoming: list[list[tuple[int, int]]] = [[] for _ in network.nodes]
    for link in network.links:
        incoming[link.dst].append((link.src, _weight(link)))
    for target in targets:
        distance: dict[int, int] = {}
        queue = [(0, target)]
        while queue:
            least, node = heapq.heappop(queue)
            if node in distance:
                continue
            distance[node] = least
            for source, weight in incoming[node]:
                if source not in distance:
                    heapq.heappush(queue, (least + weight, source))
        yield distance
