"""Parts of a run: each program with its roles and the mobile nodes that execute it. A run of one procedure has one part."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.columns import Int
from handoff.protocol.message_routing import MessageHop, build_message_hops
from handoff.protocol.mixture import GroupDispatcher, Mixture
from handoff.protocol.procedures import MIXTURE
from handoff.protocol.program import Program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable, Setup


@dataclass(frozen=True)
class RunPart:
    """Program of a run, and the roles of the network's nodes for the mobile nodes that execute it.

    Attributes
    ----------
    program : Program
    roles : RoleResolver
    message_hops : dict of int to MessageHop
    group : int
        Number of the group in a mixture; 0 in a run of one procedure.
    """

    program: Program
    roles: RoleResolver
    message_hops: dict[int, MessageHop]
    group: int = 0


def make_parts(setup: Setup, program: Program | Mixture, seed: int) -> list[RunPart]:
    """Return the parts of a run, without the empty groups of a mixture."""
    peers = CorrespondentTable(setup.network)
    if isinstance(program, Program):
        roles = RoleResolver(setup, program, peers, seed)
        return [RunPart(program, roles, build_message_hops(program, roles))]
    parts = []
    for group, group_program in enumerate(program.programs):
        members = program.groups.group == group
        if members.any():
            roles = RoleResolver(setup, group_program, peers, seed, members)
            parts.append(RunPart(group_program, roles, build_message_hops(group_program, roles), group))
    return parts


def procedure_name(program: Program | Mixture) -> str:
    """Return the name by which results refer to the procedure of a run."""
    return MIXTURE if isinstance(program, Mixture) else program.procedure.name


def group_array(program: Program | Mixture) -> array[int]:
    """Return the group of each mobile node of a mixture in the form that dispatchers read; empty for one procedure."""
    groups = program.groups.group if isinstance(program, Mixture) else np.zeros(0, np.int64)
    return array("i", groups.astype(np.int32).tobytes())


def anchor_tunnels(program: Program | Mixture, mobile_of_flow: Int) -> Int:
    """Return the number of tunnels through which anchors send a packet of each flow."""
    if isinstance(program, Program):
        return np.full(len(mobile_of_flow), 1 + program.procedure.hierarchical)
    tunnels = np.array([1 + p.procedure.hierarchical for p in program.programs])
    return np.asarray(tunnels[program.groups.group[mobile_of_flow]], np.int64)


def merge_controllers(
    parts: Sequence[tuple[int, Iterator[tuple[int, Any]]]], group: array[int], messages: list[int]
) -> Iterator[tuple[int, Any]]:
    """Yield each node with its controller. Where several parts have a controller for a node, a dispatcher stands before them.

    Parameters
    ----------
    parts : sequence of (int, iterator of (int, controller))
        Group of each part, and its controllers by node.
    group : array of int
        Group of each mobile node.
    messages : list of int
        One counter for each group: the dispatchers count the messages that agents receive.
    """
    if len(parts) == 1:
        yield from parts[0][1]
        return
    controllers: dict[int, list[Any]] = {}
    for number, of_part in parts:
        for node, controller in of_part:
            controllers.setdefault(node, [None] * len(messages))[number] = controller
    for node in sorted(controllers):
        yield node, GroupDispatcher(group, controllers[node], messages)
