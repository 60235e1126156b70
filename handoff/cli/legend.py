"""Legends below tables and diagrams: words that not everybody knows. docs/glossary.md explains them at length."""

from __future__ import annotations

from collections.abc import Iterable

from handoff.cli.terminal import output_width, show_wrapped

MAX_WIDTH = 130
"""Width of a legend where the output is no terminal."""
TERMS = {
    "seamless": "handoffs without loss, reordering or lateness",
    "MOS": "quality of the flows as calls, 1 to 4.5",
    "I/II/III": "handoffs whose marker, or command, came in time (I) or too late (II), or that had no time for it (III)",
    "after marker": "packets over the old link after the marker, its last message",
    "≈": "from a histogram, within 3.1 %",
    "anchor": "node whose binding changes: HA home agent, CN correspondent, GFA and MAP gateway of a region in IPv4 and IPv6",
    "marker": "last message on the old path: DRR deregistration reply, DBA binding acknowledgement, EM End Marker of GTP-U",
    "figures": "of the patent application (docs/figures.md)",
    "RQ": "registration request",
    "RR": "registration reply",
    "DRR": "deregistration reply",
    "BU": "binding update",
    "BA": "binding acknowledgement",
    "DBU": "binding update that deregisters",
    "DBA": "its acknowledgement",
    "AS": "agent or router solicitation",
    "AA": "agent or router advertisement",
    "HADQ": "home agent address discovery request",
    "HADR": "its reply",
    "HoTI": "home test init",
    "CoTI": "care-of test init",
    "HoT": "home test",
    "CoT": "care-of test",
    "NA": "neighbour advertisement",
    "MR": "measurement report",
    "HC": "handover command",
    "HOC": "arrival of the mobile node at the target",
    "RRE": "re-establishment request",
    "REL": "release of the old link",
    "CFG": "configuration of candidates",
    "LR": "layer-1 report of the mobile node",
    "FQ": "context setup request of the central unit",
    "FR": "context setup response",
    "FC": "order of the central unit to return what waits",
    "FA": "acknowledgement of the central unit",
    "CSN": "cell switch notification",
    "RCQ": "retrieve context request",
    "RCR": "retrieve context response",
    "HRD": "handover required",
    "HRQ": "handover request",
    "HRA": "handover request acknowledge",
    "HCD": "handover command of the core",
    "SN": "sequence number status transfer",
    "EST": "uplink status transfer",
    "MST": "downlink status transfer",
    "HN": "handover notify",
    "UCC": "context release command",
    "UCM": "context release complete",
    "UCR": "context release",
    "PSR": "path switch request",
    "PSA": "path switch request acknowledge",
    "HS": "handover success",
    "ES": "early status transfer",
    "MBQ": "modify bearer request",
    "MBR": "modify bearer response",
    "CFQ": "create forwarding tunnel request",
    "CFR": "create forwarding tunnel response",
    "DFQ": "delete forwarding tunnel request",
    "DFR": "delete forwarding tunnel response",
    "SRQ": "session modification request",
    "SRR": "session modification response",
    "SMQ": "update session context request",
    "SMR": "update session context response",
    "EM": "End Marker of GTP-U",
    "RSP": "router solicitation for proxy advertisement",
    "PRA": "proxy router advertisement",
    "FBU": "fast binding update",
    "HI": "handover initiate",
    "HAK": "handover acknowledge",
    "FBA": "fast binding acknowledgement",
    "FBN": "fast binding acknowledgement by the new link",
    "UNA": "unsolicited neighbour advertisement",
    "ATT": "attachment on layer 2",
    "HIE": "handover initiate, forwarding complete",
    "BUT": "transient proxy binding update",
    "BAT": "transient proxy binding acknowledgement",
    "BUS": "proxy binding update to the old router",
    "BAS": "proxy binding acknowledgement of the old router",
    "BAP": "proxy binding acknowledgement to the new router",
    "BUA": "proxy binding update to the anchor",
}  # fmt: skip
"""Words of tables and diagrams that not everybody knows."""


def print_legend(terms: Iterable[str]) -> None:
    """Print the meaning of words, in one paragraph."""
    if text := "; ".join(f"{term}: {TERMS[term]}" for term in dict.fromkeys(terms)):
        show_wrapped(text, output_width() or MAX_WIDTH)
