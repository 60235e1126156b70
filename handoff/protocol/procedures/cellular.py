"""Handovers of LTE and 5G. The order of their steps is from secondary sources (docs/handovers.md)."""

from __future__ import annotations

from dataclasses import replace

from handoff.protocol.procedures.steps import Procedure, Step

LTE_TUNNELS, NR_TUNNELS = (36, 44), (44, 48)
"""Bytes of IPv4, UDP and GTP-U: from the anchor, and with PDCP numbers from the source (TS 29.281 5.2)."""
_X2_SOURCES = ("TS 36.300 10.1.2.1", "TS 23.401 5.5.1.1.2", "TS 36.423 8.2", "TS 29.281 7.3.2")
_XN_SOURCES = ("TS 38.300 9.2.3.2", "TS 23.502 4.9.1.2.2", "TS 38.423 8.2", "TS 29.244 7.5.4")


def _preparation(prefix: str) -> tuple[Step, ...]:
    """Return the preparation between two base stations over X2 or Xn, and the command, with which forwarding begins."""
    return (
        Step("predict", "MR", ("MN", "oAR"), format="RRC Measurement Report"),
        Step("MR", "HRQ", ("oAR", "nAR"), "expect", format=f"{prefix} Handover Request"),
        Step("HRQ", "HRA", ("nAR", "oAR"), format=f"{prefix} Handover Request Acknowledge"),
        Step("HRA", "HC", ("oAR", "MN"), "command", first="forward", format="RRC Reconfiguration"),
        Step("HRA", "SN", ("oAR", "nAR"), format=f"{prefix} SN Status Transfer"),
    )


_ARRIVAL = Step("attach", "HOC", ("MN", "nAR"), "open", format="RRC Reconfiguration Complete")


def _reestablishment(prefix: str, switch: Step) -> tuple[Step, ...]:
    """Return the steps of an arrival without a command: the target fetches the context, and the path switches.

    ``switch`` is the first step of the path switch. A mobile node without an old router starts it at once.
    """
    return (
        Step("move", "RRE", ("MN", "nAR"), "open", format="RRC Reestablishment Request"),
        Step("RRE", "RCQ", ("nAR", "oAR"), format=f"{prefix} Retrieve UE Context Request"),
        Step("RCQ", "RCR", ("oAR", "nAR"), first="forward", format=f"{prefix} Retrieve UE Context Response"),
        replace(switch, on="RCR"),
        replace(switch, on="RRE", without_old_router=True),
    )


_LTE_SWITCH = (
    Step("HOC", "PSR", ("nAR", "AMF"), format="S1AP Path Switch Request"),
    Step("PSR", "MBQ", ("AMF", "HA"), "bind", format="GTPv2-C Modify Bearer Request"),
    Step("MBQ", "EM", ("HA", "oAR", "nAR"), "release", format="GTP-U End Marker"),
    Step("MBQ", "MBR", ("HA", "AMF"), format="GTPv2-C Modify Bearer Response"),
    Step("MBR", "PSA", ("AMF", "nAR"), "complete", format="S1AP Path Switch Request Acknowledge"),
    Step("PSA", "UCR", ("nAR", "oAR"), "end", format="X2AP UE Context Release"),
)
_NR_SWITCH = (
    Step("HOC", "PSR", ("nAR", "AMF"), format="NGAP Path Switch Request"),
    Step("PSR", "SMQ", ("AMF", "SMF"), format="N11 Update SM Context Request"),
    Step("SMQ", "SRQ", ("SMF", "HA"), "bind", format="PFCP Session Modification Request"),
    Step("SRQ", "EM", ("HA", "oAR", "nAR"), "release", format="GTP-U End Marker (5G)"),
    Step("SRQ", "SRR", ("HA", "SMF"), format="PFCP Session Modification Response"),
    Step("SRR", "SMR", ("SMF", "AMF"), format="N11 Update SM Context Response"),
    Step("SMR", "PSA", ("AMF", "nAR"), "complete", format="NGAP Path Switch Request Acknowledge"),
    Step("PSA", "UCR", ("nAR", "oAR"), "end", format="XnAP UE Context Release"),
)

X2 = Procedure(
    name="x2",
    family="lte",
    summary="LTE X2 handover: the source forwards, the target waits for the End Marker",
    figures="",
    rfcs=_X2_SOURCES,
    ip=4,
    anchor="HA",
    marker="EM",
    prepared=True,
    gate=True,
    lasting=True,
    network_based=True,
    tunnel="gtp-u",
    tunnel_bytes=LTE_TUNNELS,
    signalling=(*_preparation("X2AP"), _ARRIVAL, *_reestablishment("X2AP", _LTE_SWITCH[0]), *_LTE_SWITCH),
)
XN = replace(
    X2,
    name="xn",
    family="5g",
    summary="5G Xn handover: the source forwards, the target waits for the End Marker",
    rfcs=_XN_SOURCES,
    tunnel_bytes=NR_TUNNELS,
    signalling=(*_preparation("XnAP"), _ARRIVAL, *_reestablishment("XnAP", _NR_SWITCH[0]), *_NR_SWITCH),
)


def _variants(base: Procedure) -> tuple[Procedure, Procedure]:
    """Return a handover whose target ignores the End Marker, and one without forwarding (RLC UM without it)."""
    ungated = replace(base, name=f"{base.name}-ungated", gate=False, summary=f"{base.name} with a target that ignores the marker")
    steps = tuple(replace(s, first="stop") if s.message == "HC" else s for s in base.signalling if s.message != "SN")
    unforwarded = replace(
        ungated, name=f"{base.name}-um", forwarding="none", signalling=steps, summary=f"{base.name} without data forwarding"
    )
    return ungated, unforwarded


def _service_request(prefix: str, update: Step) -> tuple[Step, ...]:
    """Return the steps of an arrival without a command where base stations have no link: nothing is forwarded.

    The messages have the sizes of a path switch. ``update`` is the first step by which the session moves.
    """
    return (
        Step("move", "RRE", ("MN", "nAR"), "open", format="RRC Reestablishment Request"),
        Step("RRE", "PSR", ("nAR", "AMF"), format=f"{prefix} Path Switch Request"),
        replace(update, on="PSR"),
        Step("PSR", "PSA", ("AMF", "nAR"), format=f"{prefix} Path Switch Request Acknowledge"),
    )


S1_INDIRECT = replace(
    X2,
    name="s1-indirect",
    summary="LTE S1 handover: the source forwards through the serving gateway",
    rfcs=("TS 23.401 5.5.1.2.2", "TS 36.413 8.4", "TS 29.274 7.2.18"),
    forwarding="anchor",
    signalling=(
        Step("predict", "MR", ("MN", "oAR"), format="RRC Measurement Report"),
        Step("MR", "HRD", ("oAR", "AMF"), format="S1AP Handover Required"),
        Step("HRD", "HRQ", ("AMF", "nAR"), "expect", format="S1AP Handover Request"),
        Step("HRQ", "HRA", ("nAR", "AMF"), format="S1AP Handover Request Acknowledge"),
        Step("HRA", "CFQ", ("AMF", "HA"), "relay", format="GTPv2-C Create Indirect Data Forwarding Tunnel Request"),
        Step("CFQ", "CFR", ("HA", "AMF"), format="GTPv2-C Create Indirect Data Forwarding Tunnel Response"),
        Step("CFR", "HCD", ("AMF", "oAR"), format="S1AP Handover Command"),
        Step("HCD", "HC", ("oAR", "MN"), "command", first="forward", format="RRC Reconfiguration"),
        Step("HCD", "EST", ("oAR", "AMF"), format="S1AP eNB Status Transfer"),
        Step("EST", "MST", ("AMF", "nAR"), format="S1AP MME Status Transfer"),
        _ARRIVAL,
        Step("HOC", "HN", ("nAR", "AMF"), format="S1AP Handover Notify"),
        Step("HN", "MBQ", ("AMF", "HA"), "bind", format="GTPv2-C Modify Bearer Request"),
        Step("MBQ", "EM", ("HA", "oAR", "HA", "nAR"), "release", format="GTP-U End Marker"),
        Step("MBQ", "MBR", ("HA", "AMF"), "complete", format="GTPv2-C Modify Bearer Response"),
        Step("HN", "UCC", ("AMF", "oAR"), "end", format="S1AP UE Context Release Command"),
        Step("UCC", "UCM", ("oAR", "AMF"), format="S1AP UE Context Release Complete"),
        Step("HN", "DFQ", ("AMF", "HA"), format="GTPv2-C Delete Indirect Data Forwarding Tunnel Request"),
        Step("DFQ", "DFR", ("HA", "AMF"), format="GTPv2-C Delete Indirect Data Forwarding Tunnel Response"),
        Step("PSR", "UCC", ("AMF", "oAR"), "end", format="S1AP UE Context Release Command"),
        *_service_request("S1AP", Step("", "MBQ", ("AMF", "HA"), "bind", format="GTPv2-C Modify Bearer Request")),
    ),
)


def _session_steps(on: str, number: str, to_anchor: str, effects: tuple[str, str], then: Step) -> tuple[Step, ...]:
    """Return an update of the session at SMF and anchor, which starts the step ``then`` at the AMF.

    ``effects`` are those at the anchor, and at the AMF when the session is updated.
    """
    return (
        Step(on, f"SMQ{number}", ("AMF", "SMF"), format="N11 Update SM Context Request"),
        Step(f"SMQ{number}", f"SRQ{number}", ("SMF", "HA"), effects[0], format=to_anchor),
        Step(f"SRQ{number}", f"SRR{number}", ("HA", "SMF"), format="PFCP Session Modification Response"),
        Step(f"SRR{number}", f"SMR{number}", ("SMF", "AMF"), effects[1], format="N11 Update SM Context Response"),
        replace(then, on=f"SMR{number}"),
    )


N2_INDIRECT = replace(
    S1_INDIRECT,
    name="n2-indirect",
    family="5g",
    summary="5G N2 handover: the source forwards through the UPF",
    rfcs=("TS 23.502 4.9.1.3.2", "TS 23.502 4.9.1.3.3", "TS 38.413 8.4", "TS 29.244 7.5.4"),
    tunnel_bytes=NR_TUNNELS,
    signalling=(
        Step("predict", "MR", ("MN", "oAR"), format="RRC Measurement Report"),
        Step("MR", "HRD", ("oAR", "AMF"), format="NGAP Handover Required"),
        Step("HRD", "SMQ1", ("AMF", "SMF"), format="N11 Update SM Context Request"),
        Step("SMQ1", "SMR1", ("SMF", "AMF"), format="N11 Update SM Context Response"),
        Step("SMR1", "HRQ", ("AMF", "nAR"), "expect", format="NGAP Handover Request"),
        Step("HRQ", "HRA", ("nAR", "AMF"), format="NGAP Handover Request Acknowledge"),
        *_session_steps(
            "HRA", "2", "PFCP Session Modification Request (forwarding tunnel)", ("relay", ""),
            Step("", "HCD", ("AMF", "oAR"), format="NGAP Handover Command"),
        ),
        Step("HCD", "HC", ("oAR", "MN"), "command", first="forward", format="RRC Reconfiguration"),
        Step("HCD", "EST", ("oAR", "AMF"), format="NGAP Uplink RAN Status Transfer"),
        Step("EST", "MST", ("AMF", "nAR"), format="NGAP Downlink RAN Status Transfer"),
        _ARRIVAL,
        Step("HOC", "HN", ("nAR", "AMF"), format="NGAP Handover Notify"),
        *_session_steps(
            "HN", "3", "PFCP Session Modification Request", ("bind", "complete"),
            Step("", "UCC", ("AMF", "oAR"), "end", format="NGAP UE Context Release Command"),
        ),
        Step("SRQ3", "EM", ("HA", "oAR", "HA", "nAR"), "release", format="GTP-U End Marker (5G)"),
        Step("UCC", "UCM", ("oAR", "AMF"), format="NGAP UE Context Release Complete"),
        Step("SRR3", "DFQ", ("SMF", "HA"), format="PFCP Session Modification Request (remove)"),
        Step("DFQ", "DFR", ("HA", "SMF"), format="PFCP Session Modification Response"),
        *_service_request("NGAP", Step("", "SMQ3", ("AMF", "SMF"), format="N11 Update SM Context Request")),
    ),
)  # fmt: skip
N2_UNGATED = _variants(N2_INDIRECT)[0]
N2_UNFORWARDED = replace(
    N2_INDIRECT,
    name="n2-unforwarded",
    summary="5G N2 handover without data forwarding, as some open cores do it",
    forwarding="none",
    gate=False,
)


def _conditional(base: Procedure, name: str, summary: str, first: str) -> Procedure:
    """Return a conditional handover: the command carries conditions, and the source forwards after HANDOVER SUCCESS."""
    steps = [
        replace(step, first=first) if step.message == "HC" else step for step in base.signalling if step.message != "SN"
    ]
    success = (
        Step("HOC", "HS", ("nAR", "oAR"), "forward", format="XnAP Handover Success"),
        Step("HS", "SN", ("oAR", "nAR"), format="XnAP SN Status Transfer"),
    )
    early = (Step("HRA", "ES", ("oAR", "nAR"), format="XnAP Early Status Transfer"),) if first == "copy" else ()
    rfcs = ("TS 38.300 9.2.3.4", "TS 38.423 8.2")
    return replace(base, name=name, summary=summary, rfcs=rfcs, conditional=True, signalling=(*steps, *early, *success))


CHO_LATE = _conditional(XN, "cho-late", "conditional handover: the source forwards after HANDOVER SUCCESS", "")
CHO_EARLY = _conditional(XN, "cho-early", "conditional handover: the source copies to the target from the command on", "copy")


def _dual_stack(base: Procedure) -> Procedure:
    """Return the handover with two active protocol stacks: the target delivers after the source has stopped.

    The target would drop all early copies, which the source has sent itself, so that the source makes none.
    """
    steps = [
        replace(step, effect="open") if step.message == "SN" else replace(step, effect="") if step.message == "HOC" else step
        for step in base.signalling
    ]
    early = Step("HRA", "ES", ("oAR", "nAR"), format="XnAP Early Status Transfer")
    release = Step("PSA", "REL", ("nAR", "MN"), format="RRC Reconfiguration (release)")
    return replace(
        base, name="daps", summary="dual active protocol stack: the source delivers until HANDOVER SUCCESS",
        rfcs=("TS 38.300 9.2.3.2", "TS 38.133 6.1.3"), signalling=(*steps, early, release),
    )  # fmt: skip


DAPS = _dual_stack(CHO_LATE)

LTM = replace(
    XN,
    name="ltm-intra-cu",
    summary="layer 1/2 triggered mobility among the cells of one central unit, which is the anchor",
    rfcs=("TS 38.300 9.2.3.5", "TS 38.133 6.3.1"),
    marker="",
    gate=False,
    forwarding="anchor",
    conditional=True,
    signalling=(
        Step("predict", "MR", ("MN", "oAR", "HA"), format="RRC Measurement Report"),
        Step("MR", "FQ", ("HA", "nAR"), "expect", format="F1AP UE Context Setup Request"),
        Step("FQ", "FR", ("nAR", "HA"), "relay", format="F1AP UE Context Setup Response"),
        Step("FR", "CFG", ("HA", "oAR", "MN"), format="RRC Reconfiguration (candidates)"),
        Step("going-down", "LR", ("MN", "oAR"), format="MAC Cell Switch"),
        Step("LR", "HC", ("oAR", "MN"), "command", first="forward", format="MAC Cell Switch"),
        Step("LR", "CSN", ("oAR", "HA"), "bind", format="F1AP Cell Switch Notification"),
        Step("attach", "HOC", ("MN", "nAR"), "open", format="RRC Reconfiguration Complete"),
        Step("HOC", "HOC1", ("nAR", "HA"), "bind", format="RRC Reconfiguration Complete"),
        Step("HOC1", "FA", ("HA", "nAR"), "complete", format="F1AP UE Context Setup Response"),
        Step("move", "RRE", ("MN", "nAR"), "open", format="RRC Reestablishment Request"),
        Step("RRE", "CSN1", ("nAR", "HA"), "bind", format="F1AP Cell Switch Notification"),
        Step("CSN1", "FA", ("HA", "nAR"), "complete", format="F1AP UE Context Setup Response"),
        Step("CSN1", "FC", ("HA", "oAR"), "forward", format="F1AP UE Context Setup Request"),
    ),
)

CELLULAR = (
    X2, *_variants(X2), S1_INDIRECT, XN, *_variants(XN), N2_INDIRECT, N2_UNGATED, N2_UNFORWARDED, CHO_LATE, CHO_EARLY, DAPS,
    LTM,
)  # fmt: skip
"""Handovers of LTE and 5G."""
