"""Sizes of the messages of GTP, PFCP and 3GPP's application protocols, from the fields of their standards."""

import pytest

from handoff.protocol.message_formats import CONTAINERS, FORMATS, format_bytes

IPV4, UDP, SCTP, DATA = 20, 8, 12, 16
PAYLOADS = {  # octets of each message in aligned PER, one bearer or PDU session, identifiers of three octets, empty containers
    "S1AP Path Switch Request": 73, "S1AP Path Switch Request Acknowledge": 60, "S1AP Handover Required": 91,
    "S1AP Handover Request": 144, "S1AP Handover Request Acknowledge": 76, "S1AP Handover Command": 71,
    "S1AP eNB Status Transfer": 44, "S1AP MME Status Transfer": 44, "S1AP Handover Notify": 45,
    "S1AP UE Context Release Command": 25, "S1AP UE Context Release Complete": 23,
    "NGAP Path Switch Request": 75, "NGAP Path Switch Request Acknowledge": 75, "NGAP Handover Required": 104,
    "NGAP Handover Request": 187, "NGAP Handover Request Acknowledge": 66, "NGAP Handover Command": 60,
    "NGAP Uplink RAN Status Transfer": 37, "NGAP Downlink RAN Status Transfer": 37, "NGAP Handover Notify": 42,
    "NGAP UE Context Release Command": 25, "NGAP UE Context Release Complete": 23,
    "X2AP Handover Request": 136, "X2AP Handover Request Acknowledge": 60, "X2AP SN Status Transfer": 39,
    "X2AP UE Context Release": 19, "X2AP Retrieve UE Context Request": 37, "X2AP Retrieve UE Context Response": 98,
    "XnAP Handover Request": 155, "XnAP Handover Request Acknowledge": 53, "XnAP SN Status Transfer": 39,
    "XnAP UE Context Release": 23, "XnAP Handover Success": 36, "XnAP Early Status Transfer": 34, "XnAP Handover Cancel": 29,
    "XnAP Retrieve UE Context Request": 40, "XnAP Retrieve UE Context Response": 125,
}  # fmt: skip
BYTES = {
    # header with TEID 12; bearer context 4 { EPS bearer identity 5, cause 6, F-TEID with an IPv4 address 13 }, cause 6
    "GTPv2-C Modify Bearer Request": IPV4 + UDP + 12 + 4 + 5 + 13,
    "GTPv2-C Modify Bearer Response": IPV4 + UDP + 12 + 6 + 4 + 5 + 6 + 13,
    "GTPv2-C Create Indirect Data Forwarding Tunnel Request": IPV4 + UDP + 12 + 4 + 5 + 13,
    "GTPv2-C Create Indirect Data Forwarding Tunnel Response": IPV4 + UDP + 12 + 6 + 4 + 5 + 6 + 13,
    "GTPv2-C Delete Indirect Data Forwarding Tunnel Request": IPV4 + UDP + 12,
    "GTPv2-C Delete Indirect Data Forwarding Tunnel Response": IPV4 + UDP + 12 + 6,
    # 16 bytes of header with SEID; Update FAR { FAR ID 8, Apply Action 5, Update Forwarding Parameters { 5, 14, 5 } }
    "PFCP Session Modification Request": IPV4 + UDP + 16 + 4 + 8 + 5 + 4 + 5 + 14 + 5,
    # Create PDR { PDR ID 6, Precedence 8, PDI { Source Interface 5, F-TEID 13 }, Outer Header Removal 5, FAR ID 8 }
    # and Create FAR { FAR ID 8, Apply Action 5, Forwarding Parameters { Destination Interface 5, Outer Header Creation 14 } }
    "PFCP Session Modification Request (forwarding tunnel)":
        IPV4 + UDP + 16 + 4 + 6 + 8 + 4 + 5 + 13 + 5 + 8 + 4 + 8 + 5 + 4 + 5 + 14,
    "PFCP Session Modification Request (remove)": IPV4 + UDP + 16 + 4 + 6 + 4 + 8,  # Remove PDR { 6 }, Remove FAR { 8 }
    "PFCP Session Modification Response": IPV4 + UDP + 16 + 5,  # Cause
    "GTP-U End Marker": IPV4 + UDP + 8,
    "GTP-U End Marker (5G)": IPV4 + UDP + 8 + 4 + 4,  # optional fields, PDU Session Container
}  # fmt: skip


@pytest.mark.parametrize("name", PAYLOADS)
def test_messages_over_sctp_are_padded_to_four_bytes(name):
    assert format_bytes(name, 0, 0) == IPV4 + SCTP + DATA + -(-PAYLOADS[name] // 4) * 4


def test_messages_over_udp():
    assert {name: format_bytes(name, 0, 0) for name in BYTES} == BYTES


def test_containers_pad_the_messages_that_carry_them():
    """TS 36.413, 38.413, 36.423: the source-to-target container in a request, the target-to-source one on the way back."""
    padded = {container: {name for name, f in FORMATS.items() if f.container == container} for container in CONTAINERS}
    handover = {f"{p} Handover Request" for p in ("S1AP", "NGAP", "X2AP", "XnAP")}
    contexts = {f"{p} Retrieve UE Context Response" for p in ("X2AP", "XnAP")}
    assert padded["request"] == handover | contexts | {"S1AP Handover Required", "NGAP Handover Required"}
    assert padded["command"] == {f"{n} Acknowledge" for n in handover} | {"S1AP Handover Command", "NGAP Handover Command"}
    assert format_bytes("S1AP Handover Request", 300, 120) == 192 + 300
    assert format_bytes("S1AP Handover Command", 300, 120) == 120 + 120
    assert format_bytes("S1AP Handover Notify", 300, 120) == 96


@pytest.mark.parametrize("size", [-4, 16, 21, 1199])
def test_a_container_fills_whole_words(size):
    """A chunk has a length that is a multiple of 4 (RFC 9260 3.2)."""
    assert format_bytes("NGAP Handover Request", 20, 0) == 256
    with pytest.raises(ValueError, match=f"request container of {size} bytes: expected 0, or a multiple of 4 of at least 20"):
        format_bytes("NGAP Handover Request", size, 0)
    assert format_bytes("NGAP Handover Command", size, 0) == 108
