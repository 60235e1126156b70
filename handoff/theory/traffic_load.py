"""Traffic load of each link, cell and forwarding server: number and size moments of packets and messages."""

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
    """Moments of packets: their number, their bytes, and the sum of the squares of their sizes."""

    packets: float = 0.0
    bytes: float = 0.0
    squares: float = 0.0

    def add(self, other: Moments, header_bytes: int = 0) -> None:
        """Add other packets, each with a tunnel header of ``header_bytes``."""
        self.packets += other.packets
        self.bytes += other.bytes + header_bytes * other.packets
        self.squares += other.squares + 2 * header_bytes * other.bytes + header_bytes**2 * other.packets


def _moments() -> defaultdict[int, Moments]:
    return defaultdict(Moments)


@dataclass
class TrafficLoad:
    """Load of the links, by link; of the downlinks of cells, by node of the cell; of the forwarding servers, by node."""

    links: defaultdict[int, Moments] = field(default_factory=_moments)
    downlinks: defaultdict[int, Moments] = field(default_factory=_moments)
    arrivals: defaultdict[int, Moments] = field(default_factory=_moments)


def traffic_load(setup: Setup, roles: RoleResolver, signalling: SignallingLoad) -> TrafficLoad:
    """Sum all traffic of a setup, without losses and with instantaneous handoffs.

    The packets of a mobile node are divided among its routers in proportion to the time that it spends at each.

    Parameters
    ----------
    setup : Setup
        Network with traffic and movement.
    roles : RoleResolver
        Roles under the procedure: they decide the routes and the tunnels.
    signalling : SignallingLoad
        Messages of the procedure on the setup.
    """
    load, hops, links = TrafficLoad(), next_hops(setup.network), setup.network.links

    def add_route(a: int, b: int, packets: Moments, header_bytes: int = 0) -> None:
        while a != b and hops[a, b] >= 0:
            link = int(hops[a, b])
            load.links[link].add(packets, header_bytes)
            a = links[link].dst
            load.arrivals[a].add(packets, header_bytes)

    for (a, b, size), n in signalling.legs.items():
        messages = Moments(n, n * size, n * size**2)
        if b == AIR:
            load.downlinks[a].add(messages)
        elif a == AIR:
            load.arrivals[b].add(messages)  # the uplink belongs to the mobile node alone
        else:
            add_route(a, b, messages)
    for (node, up, router), packets in _data_by_router(setup).items():
        if up:
            load.arrivals[router].add(packets)
            add_route(router, node, packets)
            continue
        segments, radio_header = _downstream_segments(roles, node, router)
        for a, b, header_bytes in segments:
            add_route(a, b, packets, header_bytes)
        load.downlinks[router].add(packets, radio_header)
    return load


def _downstream_segments(roles: RoleResolver, node: int, router: int) -> tuple[list[tuple[int, int, int]], int]:
    """Return the segments from a correspondent to a router, each with its tunnel header bytes, and those left on the radio."""
    procedure = roles.procedure
    if router == roles.home_agent:  # at home there is no binding
        return [(node, router, 0)], 0
    optimized = procedure.route_optimization and node != roles.home_agent  # packets from mobile nodes start there
    anchors = [("CN", node)] if optimized else [("HA", roles.home_agent)]
    if procedure.hierarchical:
        anchors.append(("MAP" if procedure.ip == 6 else "GFA", roles.gateways[router]))
    segments = [] if optimized else [(node, roles.home_agent, 0)]
    header_bytes = 0
    for role, anchor in anchors:
        header, end = roles.tunnel_end(role)
        ends_at_router = end == "router"
        header_bytes = header + (0 if ends_at_router else header_bytes)
        segments.append((anchor, roles.care_of(role, router), header_bytes))
    return segments, 0 if ends_at_router else header_bytes


def _data_by_router(setup: Setup) -> dict[tuple[int, int, int], Moments]:
    """Return the packets by correspondent, direction (0 downstream, 1 upstream) and router of the mobile nodes.

    A flow between mobile nodes is one upstream and one downstream, with the home agent as correspondent of both.
    """
    flows, movement, until_ps = setup.network.flows(), setup.attachments, setup.duration_ps
    packets = expected_packets(setup.network, until_ps).astype(float)
    size, square = _size_moments(setup, flows)
    has_next = np.append(movement.mobile[1:] == movement.mobile[:-1], False)
    leaves = np.where(has_next, np.append(movement.up_ps[1:], 0), movement.down_ps)
    stay = np.clip(np.minimum(leaves, until_ps) - np.clip(movement.up_ps, 0, until_ps), 0, None).astype(float)
    total = np.bincount(movement.mobile, stay, setup.network.mobile_count)
    share = stay / np.maximum(total[movement.mobile], 1.0)
    sender, receiver = setup.network.flow_mobiles()
    leg_flow = np.concatenate([np.flatnonzero(sender >= 0), np.flatnonzero(receiver >= 0)])
    leg_mobile = np.concatenate([sender[sender >= 0], receiver[receiver >= 0]])
    # One row for each pair of a leg of a flow and an attachment of the leg's mobile node.
    first = np.searchsorted(movement.mobile, np.arange(setup.network.mobile_count + 1))
    count = (first[1:] - first[:-1])[leg_mobile]
    leg = np.repeat(np.arange(len(leg_flow)), count)
    attachment = np.arange(len(leg)) - np.repeat(np.cumsum(count) - count, count) + first[leg_mobile[leg]]
    flow = leg_flow[leg]
    number = packets[flow] * share[attachment]
    bounds = len(setup.network.nodes), 2, len(setup.network.nodes)
    upstream = (leg < np.count_nonzero(sender >= 0)).astype(np.int64)
    key = np.ravel_multi_index((flows["node"][flow], upstream, movement.router[attachment]), bounds)
    sums = [np.bincount(key, number * factor) for factor in (np.ones(len(flow)), size[flow], square[flow])]
    moments = {}
    for i in np.flatnonzero(sums[0]).tolist():
        node, up, router = (int(x) for x in np.unravel_index(i, bounds))
        moments[node, up, router] = Moments(*(float(s[i]) for s in sums))
    return moments


def _size_moments(setup: Setup, flows: dict[str, Int]) -> tuple[Floats, Floats]:
    """Return the mean size and the mean squared size of the packets of each flow."""
    size = flows["size"].astype(float)
    square = size**2
    for replay, rows in flows_by_replay(setup.network, flows["source"]):
        sizes = np.asarray(replay.sizes, float)
        size[rows], square[rows] = sizes.mean(), (sizes**2).mean()
    return size, square
