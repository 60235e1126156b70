"""Delays of the paths between correspondents and mobile nodes that no other packet, and no handoff, disturbs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from engine import Network
from engine.routing import next_links
from handoff.protocol.roles import RoleResolver


class PathDelays:
    """Propagation, transmission and forwarding service on the paths of a procedure's data packets, without queueing.

    Parameters
    ----------
    network : Network
        Network of the run.
    roles : RoleResolver
        Roles of the procedure in it: they name the anchors on the path and their tunnels.
    """

    def __init__(self, network: Network, roles: RoleResolver) -> None:
        self._network, self._roles = network, roles
        self.downstream = cache(self._downstream)
        self.upstream = cache(self._upstream)
        self._next_links = cache(lambda target: next(next_links(network, [target])))

    def difference(self, correspondent: int, up: bool, old_router: int, new_router: int, size_bytes: int) -> int:
        """Return the difference (ps) of the delays of a packet by the old and by the new router, 0 or more."""
        delay = self.upstream if up else self.downstream
        return abs(delay(correspondent, new_router, size_bytes) - delay(correspondent, old_router, size_bytes))

    def _downstream(self, correspondent: int, router: int, size_bytes: int) -> int:
        """Return the delay from a correspondent by the anchors to a mobile node at a router."""
        node, extra, total = correspondent, 0, 0
        for anchor, target, header, to_router in self._tunnels(correspondent, router):
            total += self._travel(node, anchor, size_bytes + extra)
            if target != anchor:
                extra = header if to_router else extra + header
                total += self._travel(anchor, target, size_bytes + extra)
                extra = 0 if to_router else extra
            node = target
        down = self._network.cells[self._network.cell_of_node[router]].down
        return total + down.crossing_ps(size_bytes + extra)

    def _upstream(self, correspondent: int, router: int, size_bytes: int) -> int:
        """Return the delay from a mobile node at a router to a correspondent."""
        up = self._network.cells[self._network.cell_of_node[router]].up
        service = self._network.nodes[router].service_ps
        return up.crossing_ps(size_bytes) + service + self._travel(router, correspondent, size_bytes)

    def _tunnels(self, correspondent: int, router: int) -> Iterator[tuple[int, int, int, bool]]:
        """Yield anchor, target, header and whether it ends at a router, for each tunnel on the way to a mobile node."""
        roles = self._roles
        if router == roles.home_agent:  # at home there is no binding: packets reach the home agent as they were sent
            yield router, router, 0, True
            return
        optimized = roles.procedure.route_optimization and correspondent != roles.home_agent
        first = (correspondent, "CN") if optimized else (roles.home_agent, "HA")
        chain = [(*first, roles.care_of(first[1], router))]
        if roles.procedure.hierarchical:
            chain.append((roles.gateways[router], "MAP" if roles.procedure.ip == 6 else "GFA", router))
        for anchor, role, target in chain:
            header, end = roles.tunnel_end(role)
            yield anchor, target, header, end == "router"

    def _travel(self, source: int, target: int, size_bytes: int) -> int:
        """Return the delay of the shortest path between two nodes, with the forwarding servers of the nodes that it enters."""
        total, node = 0, source
        while node != target:
            link = self._network.links[self._next_links(target)[node]]
            node = link.dst
            total += link.channel.crossing_ps(size_bytes) + self._network.nodes[node].service_ps
        return total
