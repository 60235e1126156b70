"""Paths of a program in a network: what each node of a path does with a message, and where the message goes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handoff.protocol.messages import CODES
from handoff.protocol.procedures import Procedure
from handoff.protocol.program import Program, ProgramStep
from handoff.protocol.roles import RoleResolver

REQUESTS = ("RQ", "BU", "DBU")
"""Kinds of messages by which a mobile node registers and deregisters."""

FORWARDERS = ("oAR", "tHA")
"""Roles that forward packets for the old care-of address."""


@dataclass(frozen=True, slots=True)
class MessageHop:
    """One node on the path of a step, with all facts that do not depend on the mobile node.

    Attributes
    ----------
    program_step : ProgramStep
        The step.
    role : str
        Role of the node.
    last : bool
        If true, the path ends here.
    starts : tuple of int
        Steps that the node starts when it handles the message.
    code, size_bytes : int
        Engine code of the message, and its size on the way to the next node.
    like_data : bool
        If true, the next node takes the message like the data before it, without its registration server (decision 32).
    to_mobile : bool
        If true, the next node is the mobile node. The message then goes through this node's own table, like data.
    next_node : callable
        Returns the next node for the arguments of the message.
    kind, effect : str
        Kind of the message, and its effect at the last node.
    handler : str
        Treatment of the message at the node. ``"process"``: it ends here. Otherwise it is relayed: at once (``"send"``, or
        ``"relay"`` if the node starts steps), or after the agent has handled a passing ``"request"``, ``"bind"`` (gateway of the
        new region), ``"leave"`` (gateway of the old region), ``"reply"``, ``"acknowledgement"`` or ``"marker"``.
    is_request : bool
        True if the kind is one of ``REQUESTS``.
    ends_lifetime : bool
        True if the message says that a lifetime is over.
    is_conditional : bool
        True if ``RoleResolver.applies`` decides whether the step is part of a registration. Other steps always are.
    over_old_link, needs_reply, per_peer : bool
        As of the step.
    fallback_step : int
        As of the step, for use when the old link is down; -1 if there is none or the message does not take the old link.
    first : str
        Action of the first node as it sends, as of the step.
    acts_first : bool
        True if the first node acts or notes something as it sends: it has such an action, or sends a command.
    by_radio : bool
        True if the message takes this node's own radio to the mobile node, whatever its table says: in a prepared procedure the
        table of the old router leads elsewhere, and a gate holds what has been in no tunnel.
    is_broadcast : bool
        True if the message takes the radio of the new router whatever its table says: a mobile node that has yet to register has
        no entry there.
    """

    program_step: ProgramStep
    role: str
    last: bool
    starts: tuple[int, ...]
    code: int
    size_bytes: int
    like_data: bool
    to_mobile: bool
    next_node: Callable[[Any], int]
    kind: str
    effect: str
    handler: str
    is_request: bool
    ends_lifetime: bool
    is_conditional: bool
    over_old_link: bool
    needs_reply: bool
    per_peer: bool
    fallback_step: int
    first: str
    acts_first: bool
    by_radio: bool
    is_broadcast: bool


def build_message_hops(program: Program, roles: RoleResolver) -> dict[int, MessageHop]:
    """Return all hops of a program by ``step | hop << 16``, the value under ``messages.STEP_HOP_MASK`` of a first argument."""
    hops, procedure = {}, program.procedure
    for number, program_step in enumerate(program.steps):
        path = program_step.step.path
        for hop, role in enumerate(path):
            last = hop == len(path) - 1
            action = "process" if last else _passing_action(program_step, role, procedure)
            next_role, size_bytes = ("MN", 0) if last else (path[hop + 1], program_step.leg_bytes[hop])
            hops[number | hop << 16] = MessageHop(
                program_step=program_step,
                role=role,
                last=last,
                starts=program_step.starts[hop],
                code=CODES[program_step.kind],
                size_bytes=size_bytes,
                like_data=program_step.kind == procedure.marker,
                to_mobile=next_role == "MN",
                next_node=roles.node_of_role[next_role],
                kind=program_step.kind,
                effect=program_step.step.effect,
                handler=action or ("relay" if program_step.starts[hop] else "send"),
                is_request=program_step.kind in REQUESTS,
                ends_lifetime=program_step.kind in ("DRR", "DBA"),
                is_conditional=roles.is_conditional(program_step),
                over_old_link=program_step.over_old_link,
                needs_reply=program_step.needs_reply,
                per_peer=program_step.per_peer,
                fallback_step=program_step.fallback_step if program_step.over_old_link else -1,
                first=program_step.step.first,
                acts_first=bool(program_step.step.first) or program_step.step.effect == "command",
                by_radio=next_role == "MN" and procedure.prepared and (role == "oAR" or procedure.gate),
                is_broadcast=program_step.kind == "AA",
            )
    return hops


def _passing_action(program_step: ProgramStep, role: str, procedure: Procedure) -> str:
    """Return the handler of a node in ``role`` that relays a message; empty if it relays at once."""
    path, kind = program_step.step.path, program_step.kind
    if role == "oAR" and kind == procedure.marker:
        return "marker"
    if role == "nAR" and path[0] == "MN" and kind in REQUESTS:
        return "request"
    if procedure.prepared:
        return ""
    if role == "GFA" and kind == "RQ":
        return "bind"
    if role in ("oGFA", "oMAP"):
        return "leave"
    if role == "nAR" and kind == "RR":
        return "reply"
    return "acknowledgement" if role == "nAR" and kind == "BA" and path[0] in FORWARDERS else ""


def arrival_action(program_step: ProgramStep, marker: str) -> str:
    """Return the action of the mobile node on a message that arrives.

    Returns
    -------
    str
        ``"marker"``, ``"command"``, ``"registered"``, ``"advertisement"``, ``"token"``, ``"forwarding acknowledged"`` (by the
        old router) or ``"acknowledgement"`` (by a gateway or correspondent).
    """
    if program_step.kind == marker:
        return "marker"
    if program_step.step.effect in ("command", "registered"):
        return program_step.step.effect
    if program_step.kind == "AA":
        return "advertisement"
    if program_step.kind in ("HoT", "CoT"):
        return "token"
    from_old_router = program_step.step.path[0] in FORWARDERS and program_step.kind == "BA"
    return "forwarding acknowledged" if from_old_router else "acknowledgement"
