"""Messages that ``handoff explain`` knows: their words, and who sends them to whom, from the rows of the procedures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from handoff.protocol.procedures import Step

MAX_WAYS = 6
"""Number of ways of a message that its explanation lists."""
MAX_PROCEDURES = 4
"""Number of procedures that are named for a way."""
MESSAGE_WORDS = {
    "RQ": "registration request (RFC 5944)",
    "RR": "registration reply (RFC 5944)",
    "DRR": "deregistration reply: a registration reply with lifetime 0 (RFC 5944); marker of the synchronized procedures",
    "BU": "binding update (RFC 6275), or proxy binding update of a router (RFC 5213)",
    "BA": "binding acknowledgement (RFC 6275, RFC 5213)",
    "DBU": "deregistration: a binding update with lifetime 0 (RFC 6275)",
    "DBA": "acknowledgement of a deregistration (RFC 6275); marker of the synchronized procedures",
    "AS": "solicitation of an agent or router (RFC 5944, RFC 4861)",
    "AA": "advertisement of an agent or router (RFC 5944, RFC 4861)",
    "HADQ": "home agent address discovery request (RFC 6275, 10.5)",
    "HADR": "home agent address discovery reply (RFC 6275, 10.5)",
    "HoTI": "home test init of return routability (RFC 6275, 5.2)",
    "CoTI": "care-of test init of return routability (RFC 6275, 5.2)",
    "HoT": "home test of return routability (RFC 6275, 5.2)",
    "CoT": "care-of test of return routability (RFC 6275, 5.2)",
    "NA": "neighbour advertisement for a care-of address (RFC 4861, 4.4; RFC 6275, 10.4.1)",
    "MR": "measurement report of RRC, by which the mobile node reports the cell to move to",
    "HC": "handover command, by which the source sends the mobile node to the target",
    "HOC": "handover complete: the mobile node has arrived at the target",
    "RRE": "re-establishment request of RRC, after an arrival without a command",
    "REL": "release of the source's link, in a handover with two active protocol stacks",
    "CFG": "configuration of the candidate cells, before a cell switch of layer 1 or 2",
    "LR": "report of layer 1, which triggers a cell switch",
    "FQ": "setup of the context at the target's distributed unit",
    "FR": "response to the setup of the context",
    "FC": "request to the old distributed unit to pass on its packets, after an arrival without a command",
    "FA": "confirmation of the arrival by the central unit",
    "CSN": "notification of a cell switch",
    "RCQ": "request for the context of a mobile node that has arrived without a command",
    "RCR": "response with the context",
    "HRD": "handover required: the source asks a control node to prepare the target",
    "HRQ": "handover request: the target is asked to admit the mobile node",
    "HRA": "acknowledgement of a handover request",
    "HCD": "handover command of a control node to the source, which passes it on (HC)",
    "SN": "transfer of the sequence numbers from the source to the target, as forwarding begins",
    "EST": "transfer of the sequence numbers from the source to a control node",
    "MST": "transfer of the sequence numbers from a control node to the target",
    "HN": "handover notify: the target tells a control node that the mobile node has arrived",
    "UCC": "release command for the context at the source",
    "UCM": "confirmation that the context is released",
    "UCR": "release of the context at the source",
    "PSR": "path switch request: the target asks for the downstream path",
    "PSA": "acknowledgement of a path switch request",
    "HS": "handover success: the mobile node has arrived, so that the source stops",
    "ES": "early transfer of sequence numbers, before the source stops",
    "MBQ": "modify bearer request, which switches the path at the serving gateway",
    "MBR": "response to a modify bearer request",
    "CFQ": "request for a tunnel of indirect data forwarding",
    "CFR": "response to the request for a forwarding tunnel",
    "DFQ": "request to remove a forwarding tunnel",
    "DFR": "response to the removal of a forwarding tunnel",
    "SRQ": "session modification request, which switches the path or opens a forwarding tunnel at the UPF",
    "SRR": "response to a session modification request",
    "SMQ": "update of the session, from the AMF to the SMF",
    "SMR": "response to an update of the session",
    "EM": "End Marker: the last packet on the old path (TS 29.281, 7.3.2)",
    "RSP": "router solicitation for proxy advertisement (RFC 5568)",
    "PRA": "proxy router advertisement (RFC 5568)",
    "FBU": "fast binding update (RFC 5568)",
    "HI": "handover initiate (RFC 5568, RFC 5949)",
    "HAK": "handover acknowledge (RFC 5568, RFC 5949)",
    "FBA": "fast binding acknowledgement to the mobile node (RFC 5568)",
    "FBN": "fast binding acknowledgement by way of the new router (RFC 5568)",
    "UNA": "unsolicited neighbour advertisement, by which the mobile node announces itself (RFC 5568)",
    "ATT": "attachment of layer 2, which the new gateway notices (RFC 5949)",
    "HIE": "handover initiate with the code for the end of forwarding (RFC 5949)",
    "BUT": "proxy binding update for a transient binding (RFC 6058)",
    "BAT": "proxy binding acknowledgement of a transient binding (RFC 6058)",
    "BUS": "proxy binding update of the database to the first router (RFC 8885)",
    "BAS": "proxy binding acknowledgement of the first router (RFC 8885)",
    "BAP": "proxy binding acknowledgement to the new router, with the first router's address (RFC 8885)",
    "BUA": "proxy binding update of the database to the home agent, for a new mobile node (RFC 8885)",
}
"""Words for each kind of message."""
_MORE_NAMES = {"HC": ("handover command", "rrcReconfiguration"), "HOC": ("handover complete",), "EM": ("End Marker",)}
"""Usual names of messages that are no names of their formats."""
ROLE_WORDS: dict[str, tuple[str, ...]] = {
    "MN": ("mobile node", ""),
    "oAR": ("old router", "The access router that the mobile node leaves; in LTE and 5G the source base station."),
    "nAR": ("new router", "The access router that the mobile node moves to; in LTE and 5G the target base station."),
    "HA": ("home agent", "In LTE and 5G the anchor, which is the serving gateway or the UPF.", "UPF", "serving gateway"),
    "CN": ("correspondent", "Each host that exchanges data with the mobile node."),
    "GFA": ("gateway foreign agent", "The gateway of the new router's region in hierarchical Mobile IPv4."),
    "MAP": ("mobility anchor point", "The gateway of the new router's region in hierarchical Mobile IPv6."),
    "oGFA": ("old gateway foreign agent", "The gateway of the old router's region in hierarchical Mobile IPv4."),
    "oMAP": ("old mobility anchor point", "The gateway of the old router's region in hierarchical Mobile IPv6."),
    "tHA": ("temporary home agent", "A node that forwards for the old router: itself, unless the scenario names one."),
    "AMF": ("AMF or MME", "Access and mobility management: the key control.amf, or the home agent's node.", "MME"),
    "SMF": ("SMF", "Session management of 5G: the key control.smf, or the home agent's node."),
    "CMD": ("database (CMD)", "Database of RFC 8885: the key control.cmd, or the home agent's node."),
}
"""Words for each role in the rows of procedures, what its node is, and its other names."""
EVENT_WORDS = {
    "predict": "when the move is announced", "move": "after the move", "going-down": "when the old link will soon be lost",
    "attach": "on arrival on the new link", "refresh": "after half of the lifetime",
}  # fmt: skip
EFFECT_WORDS = {
    "bind": "binds the new address", "simultaneous": "binds the new address beside the old one",
    "delete": "removes the old binding", "forward": "forwards to the new router",
    "hand-over": "passes packets to the temporary home agent", "registered": "sends through the new router",
    "expect": "buffers for the mobile node", "command": "leaves for the new link", "open": "delivers to the mobile node",
    "release": "lets waiting packets pass", "relay": "passes forwarded packets on", "complete": "completes the handoff",
    "end": "removes the context",
}  # fmt: skip
FIRST_WORDS = {
    "forward": "forwards to the new router", "copy": "forwards copies, and goes on delivering",
    "stop": "neither delivers nor forwards",
}  # fmt: skip


class MessageEntry(NamedTuple):
    """A kind of message.

    Attributes
    ----------
    kind : str
        Name in ladders and rows of procedures.
    names : tuple of str
        Names in the protocols, with and without that of the protocol.
    text : str
        Words for it, its names, and who sends it to whom in which procedures.
    """

    kind: str
    names: tuple[str, ...]
    text: str


def message_entries() -> Iterator[MessageEntry]:
    """Yield all kinds of messages."""
    from handoff.protocol.messages import KINDS, message_kind
    from handoff.protocol.procedures import ALL_PROCEDURES

    ways: dict[str, dict[str, list[str]]] = {kind: {} for kind in KINDS}
    formats: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for procedure in ALL_PROCEDURES.values():
        for step in (*procedure.signalling, *procedure.between, *procedure.rescue):
            kind = message_kind(step.message)
            procedures = ways[kind].setdefault(_describe_step(step, procedure.family), [])
            if procedure.name not in procedures:
                procedures.append(procedure.name)
            if step.format and step.format not in formats[kind]:
                formats[kind].append(step.format)
    for kind in KINDS:
        names = dict.fromkeys((*formats[kind], *(name.partition(" ")[2] for name in formats[kind]), *_MORE_NAMES.get(kind, ())))
        yield MessageEntry(kind, tuple(names), _explain(kind, formats[kind], ways[kind]))


def _describe_step(step: Step, family: str) -> str:
    """Return who sends the message of a step to whom, when, and what sender and receiver do then."""
    roles = {role: words for role, (words, *_) in ROLE_WORDS.items()} | ({"HA": "anchor"} if family in ("lte", "5g") else {})
    sender, *relays, receiver = (roles[role] for role in step.path)
    by_way = f" by way of {', '.join(relays)}" if relays else ""
    effects = " and ".join(EFFECT_WORDS[effect] for effect in step.effect.split())
    acts = [f"the {sender} then {FIRST_WORDS[step.first]}"] if step.first else []
    acts += [f"the {receiver} then {effects}"] if effects else []
    return "; ".join([f"{sender} to {receiver}{by_way}, {EVENT_WORDS.get(step.on, f'on {step.on}')}", *acts])


def _explain(kind: str, formats: list[str], ways: dict[str, list[str]]) -> str:
    words = MESSAGE_WORDS[kind]
    lines = [f"{words[0].upper()}{words[1:]}.", *([f"In its protocol: {', '.join(formats)}."] if formats else [])]
    for way, procedures in list(ways.items())[:MAX_WAYS]:
        rest = len(procedures) - MAX_PROCEDURES
        names = ", ".join(procedures[:MAX_PROCEDURES])
        lines.append(f"- {way} ({names}{f' and {rest} more' if rest > 0 else ''})")
    if len(ways) > MAX_WAYS:
        lines.append(f"- and {len(ways) - MAX_WAYS} more; handoff ladder draws the messages of a handoff")
    return "\n".join(lines)
