"""Fast handovers of Mobile IPv6 (RFC 5568) and Proxy Mobile IPv6 (RFC 5949)."""

from __future__ import annotations

from dataclasses import replace

from handoff.protocol.procedures.steps import Procedure, Step

_HOME_REGISTRATION = (
    Step("attach", "BU1", ("MN", "nAR", "HA"), "bind", format="MH BU"),
    Step("BU1", "BA1", ("HA", "nAR", "MN"), "registered", format="MH BA"),
    Step("refresh", "BU1", ("MN", "nAR", "HA"), "bind", format="MH BU"),
)
_UNEXPECTED_ARRIVAL = (
    Step("move", "UNA", ("MN", "nAR"), "open", format="ICMPv6 UNA"),
    Step("move", "FBU2", ("MN", "nAR", "oAR"), "forward", format="MH FBU (new link)"),
    Step("FBU2", "FBA2", ("oAR", "nAR", "MN"), format="MH FBack"),
    Step("FBU2", "HI2", ("oAR", "nAR"), format="MH HI (code 1)"),
    Step("HI2", "HAK2", ("nAR", "oAR"), format="MH HAck"),
    Step("FBA2", "BU1", ("MN", "nAR", "HA"), "bind", format="MH BU"),
    Step("move", "BU1", ("MN", "nAR", "HA"), "bind", format="MH BU", without_old_router=True),
)
"""Steps after a move on which no FBack was heard (RFC 5568 3.2, figure 3)."""

FMIPV6_PREDICTIVE = Procedure(
    name="fmipv6-predictive",
    family="fast",
    summary="fast handover: the old router forwards to the new one from its HAck on",
    figures="",
    rfcs=("RFC 5568",),
    ip=6,
    anchor="HA",
    prepared=True,
    signalling=(
        Step("predict", "RSP", ("MN", "oAR"), format="ICMPv6 RtSolPr"),
        Step("RSP", "PRA", ("oAR", "MN"), format="ICMPv6 PrRtAdv"),
        Step("PRA", "FBU", ("MN", "oAR"), format="MH FBU"),
        Step("FBU", "HI", ("oAR", "nAR"), "expect", format="MH HI"),
        Step("HI", "HAK", ("nAR", "oAR"), "forward", format="MH HAck"),
        Step("HAK", "FBA", ("oAR", "MN"), "command", format="MH FBack"),
        Step("HAK", "FBN", ("oAR", "nAR", "MN"), format="MH FBack"),
        Step("attach", "UNA", ("MN", "nAR"), "open", format="ICMPv6 UNA"),
        *_HOME_REGISTRATION,
        *_UNEXPECTED_ARRIVAL,
    ),
)
FMIPV6_REACTIVE = replace(
    FMIPV6_PREDICTIVE,
    name="fmipv6-reactive",
    summary="fast handover without a prediction: the new router's link carries the update to the old router",
    signalling=(*_UNEXPECTED_ARRIVAL, *_HOME_REGISTRATION[1:]),
)
_PROXY_REGISTRATION = (
    Step("BU", "BA", ("HA", "nAR"), "complete", format="MH PBA"),
    Step("move", "ATT", ("MN", "nAR"), "open", format="L2 Attachment"),
)
PFMIPV6_PREDICTIVE = replace(
    FMIPV6_PREDICTIVE,
    name="pfmipv6-predictive",
    summary="fast handover of Proxy Mobile IPv6, which the old gateway initiates",
    rfcs=("RFC 5949",),
    network_based=True,
    lasting=True,
    signalling=(
        Step("predict", "MR", ("MN", "oAR"), format="RRC Measurement Report"),
        Step("MR", "HI", ("oAR", "nAR"), "expect", format="MH HI (PFMIPv6)"),
        Step("HI", "HAK", ("nAR", "oAR"), "forward", format="MH HAck (PFMIPv6)"),
        Step("HAK", "HC", ("oAR", "MN"), "command", format="L2 Attachment"),
        Step("attach", "ATT1", ("MN", "nAR"), "open", format="L2 Attachment"),
        Step("ATT1", "BU", ("nAR", "HA"), "bind", format="MH PBU"),
        Step("ATT", "HI2", ("nAR", "oAR"), "forward", format="MH HI (PFMIPv6 reactive)"),
        Step("HI2", "HAK2", ("oAR", "nAR"), format="MH HAck (PFMIPv6 reactive)"),
        Step("HAK2", "BU", ("nAR", "HA"), "bind", format="MH PBU"),
        Step("ATT", "BU", ("nAR", "HA"), "bind", format="MH PBU", without_old_router=True),
        *_PROXY_REGISTRATION,
    ),
)
PFMIPV6_REACTIVE = replace(
    PFMIPV6_PREDICTIVE,
    name="pfmipv6-reactive",
    summary="fast handover of Proxy Mobile IPv6, which the new gateway initiates after the move",
    signalling=tuple(s for s in PFMIPV6_PREDICTIVE.signalling if s.on not in ("predict", "MR", "HI", "HAK", "attach", "ATT1")),
)

PMIPV6_TRANSIENT = replace(
    PFMIPV6_PREDICTIVE,
    name="pmipv6-transient",
    summary="late path switch: a transient binding accepts upstream packets until the new gateway is ready",
    rfcs=("RFC 6058",),
    signalling=(
        Step("move", "ATT", ("MN", "nAR"), "open", format="L2 Attachment"),
        Step("ATT", "BUT", ("nAR", "HA"), format="MH PBU (transient)"),
        Step("BUT", "BAT", ("HA", "nAR"), format="MH PBA (transient)"),
        Step("BAT", "BU", ("nAR", "HA"), "bind", format="MH PBU"),
        Step("BU", "BA", ("HA", "nAR"), "complete", format="MH PBA"),
    ),
)


def _distributed(name: str, summary: str, tunnel_known: Step) -> Procedure:
    """Return a procedure of distributed mobility: the first router of a mobile node remains the anchor of its prefix.

    ``tunnel_known`` is the message by which the new router learns of the tunnel. Without it, or back at the first router, the
    database answers at once.
    """
    return replace(
        PFMIPV6_PREDICTIVE,
        name=name,
        summary=summary,
        rfcs=("RFC 8885",),
        anchor="oAR",
        tunnel_bytes=(0, 40),
        signalling=(
            Step("move", "ATT", ("MN", "nAR"), format="L2 Attachment"),
            Step("ATT", "BU", ("nAR", "CMD"), format="MH PBU"),
            Step("BU", "BUS", ("CMD", "oAR"), "forward", format="MH PBU (serving MAAR)"),
            Step("BUS", "BAS", ("oAR", "CMD"), format="MH PBA (serving MAAR)"),
            tunnel_known,
            Step("BU", "BAP1", ("CMD", "nAR"), "open complete", format="MH PBA", without_old_router=True),
            Step("BU", "BUA", ("CMD", "HA"), "bind", format="MH PBU", without_old_router=True),
        ),
    )


DISTRIBUTED = (
    _distributed(
        "dmm-relay", "distributed mobility: the database relays between the routers",
        Step("BAS", "BAP", ("CMD", "nAR"), "open complete", format="MH PBA (previous MAAR)"),
    ),
    _distributed(
        "dmm-locator", "distributed mobility: the first router answers the new one itself",
        Step("BUS", "BAP", ("oAR", "nAR"), "open complete", format="MH PBA"),
    ),
    _distributed(
        "dmm-proxy", "distributed mobility: the database answers the new router at once",
        Step("BU", "BAP", ("CMD", "nAR"), "open complete", format="MH PBA (previous MAAR)"),
    ),
)  # fmt: skip

FAST = (FMIPV6_PREDICTIVE, FMIPV6_REACTIVE, PFMIPV6_PREDICTIVE, PFMIPV6_REACTIVE, PMIPV6_TRANSIENT, *DISTRIBUTED)
"""Fast handovers of the IETF, late path switch, and distributed mobility."""
