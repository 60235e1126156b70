"""What data and messages bring to each link, cell and forwarding server: numbers and sizes, as moments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from engine.offered_load import expected_packets, flows_by_replay
from engine.routing import next_hops
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Setup
from handoff.theory.signalling_load import AIR, SignallingLoad

Floats = npt.NDArray[np.float64]


@dataclass
class Moments:
    """Of packets that came: how many, their bytes, and the sum of the squares of their sizes."""

    packets: float = 0.0
    bytes: float = 0.0
    squares: float = 0.0

    def add(self, more: Moments, header: int = 0) -> None:
        """Put others to it, each with a tunnel header."""
        self.packets += more.packets
        self.bytes += more.bytes + header * more.packets
        self.squares += more.squares + 2 * header * more.bytes + header**2 * more.packets


def _moments() -> defaultdict[int, Moments]:
    return defaultdict(Moments)


@dataclass
class TrafficLoad:
    """By index of a link, of a cell's node, of a node with a forwarding server."""

    links: defaultdict[int, Moments] = field(default_factory=_moments)
    downlinks: defaultdict[int, Moments] = field(default_factory=_moments)
    arrivals: defaultdict[int, Moments] = field(default_factory=_moments)


def traffic_load(setup: Setup, places: RoleResolver, said: SignallingLoad) -> TrafficLoad:
    """All traffic in the time of a setup, where nothing is lost and every handoff is done at once.

    A mobile node's packets are shared among its routers by the time that it spends at each.
    """
    found, hops, links = TrafficLoad(), next_hops(setup.network), setup.network.links

    def carry(a: int, b: int, what: Moments, header: int = 0) -> None:
        """From a node to another, by all links between."""
        while a != b and hops[a, b] >= 0:
            link = int(hops[a, b])
            found.links[link].add(what, header)
            a = links[link].dst
            found.arrivals[a].add(what, header)

    for (a, b, size), n in said.legs.items():
        what = Moments(n, n * size, n * size**2)
        if b == AIR:
            found.downlinks[a].add(what)
        elif a == AIR:
            found.arrivals[b].add(what)  # by an uplink, which is the mobile node's own
        else:
            carry(a, b, what)
    for (node, up, router), what in _shared(setup).items():
        if up:
            found.arrivals[router].add(what)
            carry(router, node, what)
            continue
        way, header = _way(places, node, router)
        for a, b, extra in way:
            carry(a, b, what, extra)
        found.downlinks[router].add(what, header)
    return found


def _way(places: RoleResolver, node: int, router: int) -> tuple[list[tuple[int, int, int]], int]:
    """From a correspondent to a router, part by part with its tunnel header, and what is left of it on the radio."""
    row = places.row
    roles = [("CN", node)] if row.route_optimization else [("HA", places.home_agent)]
    if row.hierarchical:
        roles.append(("MAP" if row.ip == 6 else "GFA", places.gateways[router]))
    way = [] if row.route_optimization else [(node, places.home_agent, 0)]
    header = 0
    for role, anchor in roles:
        tunnel = places.tunnel(role)
        ends_at_router = tunnel["end"] == "router"
        header = int(tunnel["header_bytes"]) + (0 if ends_at_router else header)
        way.append((anchor, places.care_of(role, router), header))
    return way, 0 if ends_at_router else header


def _shared(setup: Setup) -> dict[tuple[int, int, int], Moments]:
    """Packets between a correspondent and the mobile nodes at a router, downstream (0) or up (1)."""
    flows, move, until = setup.network.flows(), setup.movement, setup.duration_ps
    packets = expected_packets(setup.network, until).astype(float)
    size, square = _sizes(setup, flows)
    following = np.append(move.mobile[1:] == move.mobile[:-1], False)
    leaves = np.where(following, np.append(move.up_ps[1:], 0), move.down_ps)
    stay = np.clip(np.minimum(leaves, until) - np.clip(move.up_ps, 0, until), 0, None).astype(float)
    total = np.bincount(move.mobile, stay, setup.network.mobile_count)
    share = stay / np.maximum(total[move.mobile], 1.0)
    first = np.searchsorted(move.mobile, np.arange(setup.network.mobile_count + 1))
    count = (first[1:] - first[:-1])[flows["mobile"]]
    flow = np.repeat(np.arange(len(packets)), count)
    at = np.arange(len(flow)) - np.repeat(np.cumsum(count) - count, count) + first[flows["mobile"][flow]]
    number = packets[flow] * share[at]
    bounds = len(setup.network.nodes), 2, len(setup.network.nodes)
    key = np.ravel_multi_index((flows["node"][flow], flows["up"][flow], move.router[at]), bounds)
    sums = [np.bincount(key, number * of) for of in (np.ones(len(flow)), size[flow], square[flow])]
    found = {}
    for i in np.flatnonzero(sums[0]).tolist():
        node, up, router = (int(x) for x in np.unravel_index(i, bounds))
        found[node, up, router] = Moments(*(float(s[i]) for s in sums))
    return found


def _sizes(setup: Setup, flows: dict[str, Int]) -> tuple[Floats, Floats]:
    """Mean size and mean square of the sizes of each flow's packets."""
    size = flows["size"].astype(float)
    square = size**2
    for replay, rows in flows_by_replay(setup.network, flows["source"]):
        sizes = np.asarray(replay.sizes, float)
        size[rows], square[rows] = sizes.mean(), (sizes**2).mean()
    return size, square
