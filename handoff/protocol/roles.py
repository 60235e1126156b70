"""Nodes that play the roles of a procedure for a mobile node."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.columns import Int
from engine.rng import name_key
from engine.routing import delays_to
from handoff.protocol.advertisements import AdvertisementSchedule
from handoff.protocol.attacks import AttackCounts, Taps, no_attack_counts
from handoff.protocol.constants import REGISTRATION_PROCESSING
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.messages import NEW, OLD, MessageFields, header_bytes
from handoff.protocol.procedures.steps import CONTROL_ROLES
from handoff.protocol.program import Program, ProgramStep
from handoff.protocol.setup import CorrespondentTable, Setup


def _control_node(node: int, _: object) -> int:
    return node


def _mobile_node(_: object) -> int:
    return -1  # the mobile node is not a node of the network


class RoleResolver:
    """Nodes of the roles of a program in a network, and related facts that all controllers of a run share.

    Parameters
    ----------
    setup : Setup
        Network, attachments and gateways.
    program : Program
        Program whose roles are resolved.
    peers : CorrespondentTable
        Correspondents of each mobile node.
    seed : int
        Seed of the run.
    members : ndarray of bool or None
        Mobile nodes that execute the program, in a mixture; None if all do.

    Attributes
    ----------
    home_agent, gateways, temporary_home_agents, peers, network, seed, members
        As in the parameters.
    procedure : Procedure
        Procedure of the program.
    options : Options
        Options of the program.
    node_keys, mobile_keys
        Random keys of nodes and mobile nodes.
    first_router : array of int
        Router through which each mobile node was registered before time 0; -1 for none.
    node_of_role : dict of str to callable
        Maps a role to a function that returns its node for the arguments of a message; -1 stands for the mobile node.
    advertisements : AdvertisementSchedule
        Times at which routers advertise themselves.
    has_home_link : bool
        True if the home agent has a radio cell.
    link_down_ps : callable
        ``Attachments.link_down_ps`` of the setup.
    handoffs : HandoffRecords or None
        Records of the handoffs of a run, in which the routers of prepared procedures note what happens; None without a run.
    simultaneous_bindings : int
        Number of bindings that anchors have made in addition to another one.
    attack_counts : dict of str to int
        Counts of attacks, which all parts of a run share (``handoff.protocol.attacks.ATTACK_COUNTS``).
    taps : Taps or None
        Attackers on the way of messages; None if there are none.
    background : tuple of Background
        Further messages at registration servers.
    """

    def __init__(
        self, setup: Setup, program: Program, peers: CorrespondentTable, seed: int, members: npt.NDArray[np.bool_] | None = None
    ) -> None:
        self.members = members
        self.home_agent, self.gateways, self.peers, self.seed = setup.home_agent, setup.gateways, peers, seed
        self.procedure, self.options, self.network = program.procedure, program.options, setup.network
        self.node_keys = [name_key(n.name) for n in setup.network.nodes]
        self.mobile_keys = setup.network.mobile_keys()
        self.advertisements = AdvertisementSchedule(self.node_keys, program.options, seed)
        attachments = setup.attachments
        at_start = setup.first_attachments()
        at_start = at_start[attachments.up_ps[at_start] == 0]
        router = np.full(setup.network.mobile_count, -1, np.int32)
        router[attachments.mobile[at_start]] = attachments.router[at_start]
        self.first_router = array("i", router.tobytes())
        self.node_of_role: dict[str, Callable[[tuple[int, ...]], int]] = {
            "MN": _mobile_node, "nAR": itemgetter(NEW), "oAR": itemgetter(OLD), "CN": self._peer,
            "HA": self._home_agent, "GFA": self._gateway_of_new_router, "MAP": self._gateway_of_new_router,
            "oGFA": self._gateway_of_old_router, "oMAP": self._gateway_of_old_router, "tHA": self._temporary_home_agent,
        }  # fmt: skip
        for role in CONTROL_ROLES:
            self.node_of_role[role] = partial(_control_node, setup.control_nodes.get(role, setup.home_agent))
        self.handoffs: HandoffRecords | None = None
        self.temporary_home_agents = setup.temporary_home_agents
        self.simultaneous_bindings = 0
        self.attack_counts: AttackCounts = no_attack_counts()
        self.taps = Taps.of(setup.network, setup.attacks)
        self.background = setup.background
        self.link_down_ps = setup.attachments.link_down_ps
        self.has_home_link = setup.home_agent in setup.network.cell_of_node
        self._has_regions = program.procedure.hierarchical
        self._tunnel_ends: dict[str, tuple[int, Literal["router", "mobile"]]] = {}
        self._round_trips: dict[int, int] = {}  # between router and home agent, without the radio

    def select_members(self, mobiles: Int) -> npt.NDArray[np.bool_]:
        """Return a mask of the mobile nodes in ``mobiles`` that execute the program."""
        return np.ones(len(mobiles), bool) if self.members is None else self.members[mobiles]

    def node(self, role: str, fields: MessageFields) -> int:
        """Return the node of a role on the path of a message; -1 for the mobile node."""
        return self.node_of_role[role](fields)

    def _home_agent(self, _: tuple[int, ...]) -> int:
        return self.home_agent

    def _temporary_home_agent(self, args: tuple[int, ...]) -> int:
        return self.temporary_home_agents.get(args[OLD], args[OLD])

    def _peer(self, args: tuple[int, ...]) -> int:
        return MessageFields.unpack(args).peer

    def _gateway_of_new_router(self, args: tuple[int, ...]) -> int:
        return self.gateways.get(args[NEW], self.home_agent)  # the home link belongs to no region

    def _gateway_of_old_router(self, args: tuple[int, ...]) -> int:
        return self.gateways.get(args[OLD], self.home_agent)

    def role(self, node: int) -> str:
        """Return the role of an anchor's node."""
        if node == self.home_agent:
            return "HA"
        if self.procedure.hierarchical and node in self.gateways.values():
            return "MAP" if self.procedure.ip == 6 else "GFA"
        return "CN"

    def is_anchor(self, node: int) -> bool:
        """Return whether a node has a binding cache under this procedure."""
        if node == self.home_agent or (self.procedure.hierarchical and node in self.gateways.values()):
            return True
        return self.procedure.route_optimization and node in self.peers.nodes

    def care_of(self, role: str, router: int) -> int:
        """Return the node to which an anchor in ``role`` tunnels the packets of a mobile node at ``router``."""
        return self.gateways.get(router, router) if self._has_regions and role in ("HA", "CN") else router

    def share_gateway(self, old: int, new: int) -> bool:
        """Return whether two routers belong to one region. The home link belongs to none."""
        return old in self.gateways and self.gateways[old] == self.gateways.get(new)

    def is_conditional(self, step: ProgramStep) -> bool:
        """Return whether ``applies`` is false for a step and some pair of routers."""
        return (
            step.needs_old_router or step.forwards_after_move or step.step.without_old_router or step.step.path[-1] == "MAP"
        )

    def applies(self, step: ProgramStep, old: int, new: int) -> bool:
        """Return whether a step is part of a registration through ``new`` by a mobile node that comes from ``old``.

        Without an old router there is no old path. The home link has no care-of address that a router could forward, and
        belongs to no region, so that a mobile node at home has no binding at a gateway.
        """
        if step.needs_old_router and (old < 0 or old == new):
            return False
        if step.step.without_old_router and 0 <= old != new:
            return False
        if step.forwards_after_move and old == self.home_agent:
            return False
        return step.step.path[-1] != "MAP" or new != self.home_agent

    def tunnel_end(self, role: str) -> tuple[int, Literal["router", "mobile"]]:
        """Return header size and end of a tunnel from a node in ``role``."""
        if role not in self._tunnel_ends:
            if self.procedure.tunnel_bytes is not None:
                header = self.procedure.tunnel_bytes[role == "AR"]
            else:
                header = header_bytes(role, self.procedure.ip, self.options.encapsulation)
            to_gateway = self.procedure.ip == 4 and self._has_regions and role in ("HA", "CN")
            to_router = self.options.has_foreign_agents(self.procedure) or self.procedure.network_based or self.procedure.prepared
            self._tunnel_ends[role] = header, "router" if to_router or to_gateway else "mobile"
        return self._tunnel_ends[role]

    def min_reply_wait_ps(self, router: int, size_bytes: int) -> int:
        """Return the shortest wait for a registration reply (RFC 5944 3.6.3): two round trips to the home agent, and processing.

        Parameters
        ----------
        router : int
            Router through which the mobile node registers.
        size_bytes : int
            Size of the request, from which the transmission time on the radio follows.
        """
        if router not in self._round_trips:
            to_home, back = delays_to(self.network, self.home_agent)[router], delays_to(self.network, router)[self.home_agent]
            self._round_trips[router] = to_home + back
        cell = self.network.cells[self.network.cell_of_node[router]]
        radio = cell.up.crossing_ps(size_bytes) + cell.down.crossing_ps(size_bytes)
        return 2 * (radio + self._round_trips[router]) + REGISTRATION_PROCESSING
