"""Formats of messages in their own protocols: GTP, PFCP and the application protocols of 3GPP, FMIPv6, Proxy Mobile IPv6.

A step of a procedure names its format (``Step.format``). The model takes the size from here, and the capture encodes the same
bytes (``handoff.output.pcap.core_packets``). Sizes hold for one bearer or PDU session with one QoS flow, IPv4 transport,
identifiers of three octets, and empty RRC containers; docs/export.md lists the contents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SCTP_BYTES = 48
"""IPv4 header, SCTP header and the header of a DATA chunk (RFC 9260 3). The payload behind them is padded to 4 bytes."""
CONTAINERS = ("request", "command")
"""Kinds of RRC containers: UE capabilities and configuration in a request; the handover command on its way to the source."""

MIN_CONTAINER_BYTES = 20
"""Smallest size of a container that an option can set, except for 0."""


@dataclass(frozen=True)
class MessageFormat:
    """Size and carrier of a message.

    Attributes
    ----------
    carrier : str
        ``sctp``: IPv4, SCTP and one DATA chunk. ``pfcp``, ``gtpv2`` and ``gtpu``: IPv4, UDP and the protocol. ``mobility``: IPv6
        and a Mobility Header. ``icmpv6``: IPv6 and ICMPv6. ``opaque``: UDP and zeros, for a message that has no IP form or whose
        encoding is not modelled.
    ip_bytes : int
        IP length in bytes, with empty containers.
    container : str
        One of ``CONTAINERS``, whose bytes are added to ``ip_bytes``; empty if the message has none.
    family : str
        ``lte``, ``nr`` or ``ipv6``; empty if the message belongs to LTE and 5G alike.
    estimate : bool
        If true, the size was not taken from an encoded message.
    """

    carrier: str
    ip_bytes: int
    container: str = ""
    family: str = ""
    estimate: bool = False


def _sctp(payload_bytes: int, container: str = "") -> MessageFormat:
    """Return the format of a message of an application protocol of 3GPP."""
    return MessageFormat("sctp", SCTP_BYTES + -(-payload_bytes // 4) * 4, container)


def _prefixed(prefix: str, family: str, formats: dict[str, MessageFormat]) -> dict[str, MessageFormat]:
    return {f"{prefix} {name}": replace(format_, family=family) for name, format_ in formats.items()}


_S1AP = {  # TS 36.413
    "Path Switch Request": _sctp(73),
    "Path Switch Request Acknowledge": _sctp(60),
    "Handover Required": _sctp(91, "request"),
    "Handover Request": _sctp(144, "request"),
    "Handover Request Acknowledge": _sctp(76, "command"),
    "Handover Command": _sctp(71, "command"),
    "eNB Status Transfer": _sctp(44),
    "MME Status Transfer": _sctp(44),
    "Handover Notify": _sctp(45),
    "UE Context Release Command": _sctp(25),
    "UE Context Release Complete": _sctp(23),
}
_NGAP = {  # TS 38.413
    "Path Switch Request": _sctp(75),
    "Path Switch Request Acknowledge": _sctp(75),
    "Handover Required": _sctp(104, "request"),
    "Handover Request": _sctp(187, "request"),
    "Handover Request Acknowledge": _sctp(66, "command"),
    "Handover Command": _sctp(60, "command"),
    "Uplink RAN Status Transfer": _sctp(37),
    "Downlink RAN Status Transfer": _sctp(37),
    "Handover Notify": _sctp(42),
    "UE Context Release Command": _sctp(25),
    "UE Context Release Complete": _sctp(23),
}
_X2AP = {  # TS 36.423
    "Handover Request": _sctp(136, "request"),
    "Handover Request Acknowledge": _sctp(60, "command"),
    "SN Status Transfer": _sctp(39),
    "UE Context Release": _sctp(19),
    "Retrieve UE Context Request": _sctp(37),
    "Retrieve UE Context Response": _sctp(98, "request"),
}
_XNAP = {  # TS 38.423
    "Handover Request": _sctp(155, "request"),
    "Handover Request Acknowledge": _sctp(53, "command"),
    "SN Status Transfer": _sctp(39),
    "UE Context Release": _sctp(23),
    "Handover Success": _sctp(36),
    "Early Status Transfer": _sctp(34),
    "Handover Cancel": _sctp(29),
    "Retrieve UE Context Request": _sctp(40),
    "Retrieve UE Context Response": _sctp(125, "request"),
}
_CORE = {
    # TS 29.274: header with TEID 12 bytes
    "GTPv2-C Modify Bearer Request": MessageFormat("gtpv2", 62, family="lte"),
    "GTPv2-C Modify Bearer Response": MessageFormat("gtpv2", 74, family="lte"),
    "GTPv2-C Create Indirect Data Forwarding Tunnel Request": MessageFormat("gtpv2", 62, family="lte"),
    "GTPv2-C Create Indirect Data Forwarding Tunnel Response": MessageFormat("gtpv2", 74, family="lte"),
    "GTPv2-C Delete Indirect Data Forwarding Tunnel Request": MessageFormat("gtpv2", 40, family="lte"),
    "GTPv2-C Delete Indirect Data Forwarding Tunnel Response": MessageFormat("gtpv2", 46, family="lte"),
    # TS 29.244: header with SEID 16 bytes
    "PFCP Session Modification Request": MessageFormat("pfcp", 89, family="nr"),
    "PFCP Session Modification Request (forwarding tunnel)": MessageFormat("pfcp", 137, family="nr"),
    "PFCP Session Modification Request (remove)": MessageFormat("pfcp", 66, family="nr"),
    "PFCP Session Modification Response": MessageFormat("pfcp", 49, family="nr"),
    # TS 29.281 7.3.2
    "GTP-U End Marker": MessageFormat("gtpu", 36, family="lte"),
    "GTP-U End Marker (5G)": MessageFormat("gtpu", 44, family="nr"),
    # HTTP/2 with JSON (TS 29.502)
    "N11 Update SM Context Request": MessageFormat("opaque", 1500, family="nr", estimate=True),
    "N11 Update SM Context Response": MessageFormat("opaque", 600, family="nr", estimate=True),
    "RRC Measurement Report": MessageFormat("opaque", 60, estimate=True),
    "RRC Reconfiguration": MessageFormat("opaque", 120, estimate=True),
    "RRC Reconfiguration (candidates)": MessageFormat("opaque", 200, family="nr", estimate=True),
    "RRC Reconfiguration (release)": MessageFormat("opaque", 40, family="nr", estimate=True),
    "RRC Reconfiguration Complete": MessageFormat("opaque", 30, estimate=True),
    "RRC Reestablishment Request": MessageFormat("opaque", 30, estimate=True),
    "MAC Cell Switch": MessageFormat("opaque", 28, family="nr", estimate=True),  # the shortest UDP packet; on the air about 10
    "F1AP UE Context Setup Request": MessageFormat("opaque", 200, family="nr", estimate=True),
    "F1AP UE Context Setup Response": MessageFormat("opaque", 150, family="nr", estimate=True),
    "F1AP Cell Switch Notification": MessageFormat("opaque", 60, family="nr", estimate=True),
    "L2 Attachment": MessageFormat("opaque", 56, estimate=True),
}
_MOBILITY = {
    # RFC 5568 6.2
    "FBU": 120,
    "FBU (new link)": 96,
    "FBack": 96,
    "FBack (new link)": 96,
    "HI": 104,
    "HI (code 1)": 80,
    "HAck": 56,
    # RFC 5949 6.1
    "HI (PFMIPv6)": 120,
    "HAck (PFMIPv6)": 72,
    "HI (PFMIPv6 reactive)": 72,
    "HAck (PFMIPv6 reactive)": 120,
    "HI (forwarding complete)": 72,
    # RFC 5213 8.1, 8.2; RFC 6058 4.1
    "PBU": 96,
    "PBA": 96,
    "PBU (transient)": 104,
    "PBA (transient)": 104,
    # RFC 8885 4.1
    "PBU (serving MAAR)": 120,
    "PBA (serving MAAR)": 120,
    "PBA (previous MAAR)": 136,
    # RFC 6275 6.1.7, 6.1.8
    "BU": 96,
    "BA": 80,
}
_ICMPV6 = {
    # RFC 5568 6.1, 6.3
    "RtSolPr": 80,
    "PrRtAdv": 104,
    "UNA": 72,
}
FORMATS: dict[str, MessageFormat] = {
    **_prefixed("S1AP", "lte", _S1AP),
    **_prefixed("NGAP", "nr", _NGAP),
    **_prefixed("X2AP", "lte", _X2AP),
    **_prefixed("XnAP", "nr", _XNAP),
    **_CORE,
    **{f"MH {name}": MessageFormat("mobility", size, family="ipv6") for name, size in _MOBILITY.items()},
    **{f"ICMPv6 {name}": MessageFormat("icmpv6", size, family="ipv6") for name, size in _ICMPV6.items()},
}
"""Format of each message, by its name."""


def format_bytes(name: str, request_container_bytes: int, command_container_bytes: int) -> int:
    """Return the IP length of a message.

    Parameters
    ----------
    name : str
        A name in ``FORMATS``.
    request_container_bytes, command_container_bytes : int
        Bytes of the RRC containers beyond the smallest ones: 0, or a multiple of 4 of at least ``MIN_CONTAINER_BYTES``.

    Raises
    ------
    ValueError
        If the size of the message's container is not possible.
    """
    format_ = FORMATS[name]
    return format_.ip_bytes + container_bytes(format_, request_container_bytes, command_container_bytes)


def container_bytes(format_: MessageFormat, request_container_bytes: int, command_container_bytes: int) -> int:
    """Return the bytes of the container of a message: those of its kind, or 0 (parameters and errors as in ``format_bytes``)."""
    if not format_.container:
        return 0
    size = request_container_bytes if format_.container == "request" else command_container_bytes
    if size and (size < MIN_CONTAINER_BYTES or size % 4):
        raise ValueError(
            f"a {format_.container} container of {size} bytes: expected 0, or a multiple of 4 of at least {MIN_CONTAINER_BYTES}"
        )
    return size
