"""A program laid out in a network: what a message is at each node of its path, and where it goes from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handoff.protocol.messages import CODES
from handoff.protocol.program import Program, ProgramStep
from handoff.protocol.roles import RoleResolver

REQUESTS = ("RQ", "BU", "DBU")
"""Kinds of messages that a mobile node registers and deregisters with."""


@dataclass(frozen=True, slots=True)
class MessageHop:
    """One node of a step's path.

    Attributes
    ----------
    numbered : Numbered
        The step.
    role : str
        Of this node.
    last : bool
        Whether the path ends here; then there is no way on.
    does : str
        What the message does here: ``"ends"``, or nothing but going on (``""``), or going on after a ``"request"``, ``"bind"``,
        ``"leave"`` (a region), ``"reply"``, ``"acknowledgement"`` or ``"marker"`` has been seen to.
    starts : tuple of int
        Steps that this node starts on handling the message.
    code, size_bytes : int
        Of the message on its way to the next node.
    to_mobile : bool
        Whether the next node is the mobile node, which it reaches through this node's own table, like data.
    find : callable
        The next node, from the arguments of the message.
    """

    numbered: ProgramStep
    role: str
    last: bool
    action: str
    starts: tuple[int, ...]
    code: int
    size_bytes: int
    to_mobile: bool
    next_node: Callable[[Any], int]


def build_message_hops(program: Program, places: RoleResolver) -> dict[int, MessageHop]:
    """All of a program by ``step | hop << 16``, as the first argument of a message has it (``messages.WHERE``)."""
    found = {}
    for number, numbered in enumerate(program.steps):
        path = numbered.step.path
        for hop, role in enumerate(path):
            last = hop == len(path) - 1
            does = "ends" if last else _does(numbered, role, program.row.marker)
            following, size = ("MN", 0) if last else (path[hop + 1], numbered.leg_bytes[hop])
            found[number | hop << 16] = MessageHop(
                numbered, role, last, does, numbered.starts[hop], CODES[numbered.kind], size, following == "MN",
                places.node_of_role[following],
            )  # fmt: skip
    return found


def _does(numbered: ProgramStep, role: str, marker: str) -> str:
    """What a message does at a node in a role that it only passes."""
    path, name = numbered.step.path, numbered.kind
    if role == "nAR" and path[0] == "MN" and name in REQUESTS:
        return "request"
    if role == "GFA" and name == "RQ":
        return "bind"
    if role in ("oGFA", "oMAP"):
        return "leave"
    if role == "nAR" and name == "RR":
        return "reply"
    if role == "nAR" and name == "BA" and path[0] == "oAR":
        return "acknowledgement"
    return "marker" if role == "oAR" and name == marker else ""
