"""Which node plays which role for a mobile node, and when routers advertise."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable
from operator import itemgetter

import numpy as np

from engine.rng import PURPOSE_USER, name_key, random_word
from engine.routing import delays_to
from handoff.protocol.constants import ADVERTISEMENTS_IN_LIFETIME, REGISTRATION_PROCESSING, SECOND
from handoff.protocol.messages import MessageFields, header_bytes
from handoff.protocol.program import Program
from handoff.protocol.setup import CorrespondentTable, Setup

PURPOSE_ADVERTISEMENT = PURPOSE_USER + 3
"""Draws of the gaps between a router's advertisements, by its key and their number."""
PURPOSE_DELAY = PURPOSE_USER + 4
"""Draws of random delays of a mobile node, by its key and their number."""
PURPOSE_SECRET = PURPOSE_USER + 5
"""Draws of the keys that mobile nodes share with their home agents, and correspondents with nobody."""


def _none(_: object) -> int:
    """Not a node of the network: the mobile node itself."""
    return -1


class RoleResolver:
    """Roles, resolved.

    Parameters
    ----------
    setup : Setup
    program : Program
    peers : Correspondents
    seed : int
        Of the advertisements.
    """

    def __init__(self, setup: Setup, program: Program, peers: CorrespondentTable, seed: int) -> None:
        self.home_agent, self.gateways, self.peers, self.seed = setup.home_agent, setup.gateways, peers, seed
        self.row, self.options, self.network = program.row, program.options, setup.network
        self.node_keys = [name_key(n.name) for n in setup.network.nodes]
        self.mobile_keys = setup.network.mobile_keys()
        move = setup.movement
        start = setup.first_attachments()
        start = start[move.up_ps[start] == 0]
        router = np.full(setup.network.mobile_count, -1, np.int32)
        router[move.mobile[start]] = move.router[start]
        self.first_router = array("i", router.tobytes())  # where each mobile node was registered before time 0
        self.node_of_role: dict[str, Callable[[tuple[int, ...]], int]] = {  # from what a message says
            "MN": _none, "nAR": itemgetter(MessageFields.NEW), "oAR": itemgetter(MessageFields.OLD), "CN": self._peer, "HA": self._home_agent,
            "GFA": self._new_gateway, "MAP": self._new_gateway, "oGFA": self._old_gateway, "oMAP": self._old_gateway,
        }  # fmt: skip
        self._above_gateways = program.row.hierarchical  # are home agent and correspondents
        self.simultaneous = 0  # how often an anchor made a binding beside another
        self._tunnels: dict[str, dict[str, int | str]] = {}
        self._round_trips: dict[int, int] = {}  # between routers and home agent, without the radio
        self._advertised: dict[int, list[int]] = {}

    def node(self, role: str, fields: MessageFields) -> int:
        """Node of a role on the path of a message; -1 for the mobile node."""
        return self.node_of_role[role](fields)

    def _home_agent(self, _: tuple[int, ...]) -> int:
        return self.home_agent

    def _peer(self, args: tuple[int, ...]) -> int:
        return MessageFields.unpack(args).peer

    def _new_gateway(self, args: tuple[int, ...]) -> int:
        return self.gateways[args[MessageFields.NEW]]

    def _old_gateway(self, args: tuple[int, ...]) -> int:
        return self.gateways[args[MessageFields.OLD]]

    def role(self, node: int) -> str:
        """Role of an anchor's node."""
        if node == self.home_agent:
            return "HA"
        if self.row.hierarchical and node in self.gateways.values():
            return "MAP" if self.row.ip == 6 else "GFA"
        return "CN"

    def is_anchor(self, node: int) -> bool:
        """Whether a node has a binding cache under this row."""
        if node == self.home_agent or (self.row.hierarchical and node in self.gateways.values()):
            return True
        return self.row.route_optimization and node in self.peers.nodes

    def care_of(self, role: str, router: int) -> int:
        """Node that an anchor in this role tunnels to, for a mobile node at a router."""
        return self.gateways[router] if self._above_gateways and role in ("HA", "CN") else router

    def tunnel(self, role: str) -> dict[str, int | str]:
        """Header and end of a tunnel from a node in this role, as ``bind`` wants them."""
        if role not in self._tunnels:
            self._tunnels[role] = self._tunnel(role)
        return self._tunnels[role]

    def _tunnel(self, role: str) -> dict[str, int | str]:
        header = header_bytes(role, self.row.ip, self.options.encapsulation)
        return {"header_bytes": header, "end": "router" if self.row.ip == 4 or self.row.network_based else "mobile"}

    def anchors(self, mobile: int, router: int) -> list[tuple[str, int]]:
        """Role and node of each that has a binding for a mobile node at a router."""
        found = [("HA", self.home_agent)]
        if self.row.hierarchical:
            found.append(("MAP" if self.row.ip == 6 else "GFA", self.gateways[router]))
        if self.row.route_optimization:
            found += [("CN", node) for node in self.peers[mobile]]
        return found

    def min_reply_wait_ps(self, router: int, size_bytes: int) -> int:
        """Shortest wait for a registration reply (RFC 5944 3.6.3): two round trips to the home agent, and processing."""
        if router not in self._round_trips:
            there, back = delays_to(self.network, self.home_agent)[router], delays_to(self.network, router)[self.home_agent]
            self._round_trips[router] = there + back
        cell = self.network.cells[self.network.cell_of_node[router]]
        air = sum(c.delay_ps + (-(-8 * size_bytes * SECOND // c.rate_bps) if c.rate_bps else 0) for c in (cell.up, cell.down))
        return 2 * (air + self._round_trips[router]) + REGISTRATION_PROCESSING

    # -- advertisements -----------------------------------------------------------------------------------------------
    def next_advertisement(self, router: int, after_ps: int) -> int:
        """When a router advertises next, later than ``after_ps``."""
        times = self._until(router, after_ps)
        return times[bisect_right(times, after_ps)]

    def last_advertisement(self, router: int, until_ps: int) -> int:
        """When a router advertised last, not later than ``until_ps``."""
        times = self._until(router, until_ps)
        return times[bisect_right(times, until_ps) - 1]

    @property
    def advertisement_lifetime_ps(self) -> int:
        """For how long a mobile node believes in a router that it does not hear."""
        return ADVERTISEMENTS_IN_LIFETIME * self.options.advertisement_max_ps

    def _until(self, router: int, t: int) -> list[int]:
        """Advertisements of a router from the last before 0 to the first after ``t``."""
        low, high = self.options.advertisement_min_ps, self.options.advertisement_max_ps
        where = self.node_keys[router]
        times = self._advertised.get(router)
        if times is None:
            times = self._advertised[router] = [-(random_word(self.seed, PURPOSE_ADVERTISEMENT, where, 0) * low >> 64) - 1]
        while times[-1] <= t:
            gap = low + (random_word(self.seed, PURPOSE_ADVERTISEMENT, where, len(times)) * (high - low + 1) >> 64)
            times.append(times[-1] + gap)
        return times

    def random_delay_ps(self, mobile: int, number: int, most_ps: int) -> int:
        """Random delay of a mobile node from 0 to ``most_ps``."""
        return random_word(self.seed, PURPOSE_DELAY, int(self.mobile_keys[mobile]), number) * most_ps >> 64
