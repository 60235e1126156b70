"""Messages of mobile cores and of fast handovers as packets: lengths, checksums, and how tshark and scapy decode them."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from handoff.output.pcap.core_packets import Endpoint, Session, encode, encode_opaque
from handoff.output.pcap.mobility_packets import MobilityFields, encode_mobility
from handoff.protocol.message_formats import CONTAINERS, FORMATS
from handoff_traces import CaptureWriter, FlowHeaders, Packets

logging.getLogger("scapy").setLevel(logging.ERROR)

A, B = bytes([10, 128, 2, 1]), bytes([10, 128, 7, 1])
A6, B6 = (ipaddress.IPv6Address(f"2001:db8:{i}::1").packed for i in (2, 7))
SESSION = Session(
    mobile=5, number=77, anchor=Endpoint(bytes([10, 128, 1, 1]), 0x12345601), target=Endpoint(bytes([10, 128, 4, 1]), 0x12345602),
    relay=Endpoint(bytes([10, 128, 1, 1]), 0x12345603), forwarding=Endpoint(bytes([10, 128, 4, 1]), 0x12345604),
    marker=Endpoint(bytes([10, 128, 3, 1]), 0x12345605),
)  # fmt: skip
HOME, OLD, NEW = (ipaddress.IPv6Address(f"2001:db8:{i}::1:5").packed for i in (1, 4, 5))
FIELDS = MobilityFields(
    HOME, OLD, NEW, *(ipaddress.IPv6Address(f"2001:db8:{i}::1").packed for i in (4, 5, 1)), link=b"\2\0\0\0\0\5",
    name="00000005@home", sequence=77, lifetime_s=600, key=bytes(20),
)  # fmt: skip
IPV6_NAMES = {name for name, f in FORMATS.items() if f.carrier in ("mobility", "icmpv6")}


def packet(name, container=0):
    carrier = FORMATS[name].carrier
    if name in IPV6_NAMES:
        return encode_mobility(name, A6, B6, FIELDS)
    return encode_opaque(name, A, B) if carrier == "opaque" else encode(name, A, B, SESSION, container)


@pytest.mark.parametrize("name", FORMATS)
def test_a_packet_has_the_length_of_its_format(name):
    assert len(packet(name)) == FORMATS[name].ip_bytes
    if FORMATS[name].container in CONTAINERS:
        for container in (20, 120, 1200):
            assert len(packet(name, container)) == FORMATS[name].ip_bytes + container


def test_opaque_messages_exist_in_ipv6():
    assert len(encode_opaque("RRC Measurement Report", A6, B6)) == 60
    assert encode_opaque("L2 Attachment", A6, B6)[48:] == b"L2 Attac"


# What tshark decodes


KIND_FIELDS = (
    "s1ap.procedureCode", "ngap.procedureCode", "x2ap.procedureCode", "xnap.procedureCode", "gtp.message",
    "gtpv2.message_type", "pfcp.msg_type", "mip6.mhtype", "icmpv6.type",
)  # fmt: skip
CHECKS = (
    "frame.protocols", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "sctp.checksum.status",
    "udp.checksum.status", "ip.checksum.status", "icmpv6.checksum.status",
)  # fmt: skip


def decode(path, fields):
    """Decode a capture with tshark and return one dictionary for each frame."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a"]
    # the same packet is on several links, which is no retransmission
    analysis = ("sctp.tsn_analysis:FALSE", "tcp.analyze_sequence_numbers:FALSE")
    for preference in ("ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "sctp.checksum:CRC 32c", *analysis):
        command += ["-o", preference]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


def write_capture(path, packets, ip=4):
    """Write whole packets as a capture."""
    n, empty = len(packets), np.zeros(0, np.uint32)
    flows = FlowHeaders(empty, empty, np.zeros(0, np.uint8), np.zeros(0, np.uint16), np.zeros(0, np.uint16))
    sizes, zeros = np.array([len(p) for p in packets], np.uint32), np.zeros(n, np.uint32)
    with path.open("wb") as file, CaptureWriter(
        file, ip=ip, interfaces=["a"], addresses=np.zeros((0, 16), np.uint8), flows=flows, snap_length=None
    ) as writer:
        writer.write(Packets(np.arange(n) * 10**6, zeros, -1 - np.arange(n), sizes, zeros, zeros, zeros,
                             np.zeros((n, 4, 4), np.int32), packets))  # fmt: skip
    return path


CODES = {  # TS 36.413 9.3.7, 38.413 9.4.7, 36.423 9.3.6, 38.423 9.3.7
    "s1ap": {"Path Switch": 3, "Handover Required": 0, "Handover Command": 0, "Handover Request": 1, "eNB Status": 24,
             "MME Status": 25, "Handover Notify": 2, "UE Context Release": 23},
    "ngap": {"Path Switch": 25, "Handover Required": 12, "Handover Command": 12, "Handover Request": 13, "Uplink RAN": 49,
             "Downlink RAN": 7, "Handover Notify": 11, "UE Context Release": 41},
    "x2ap": {"Handover Request": 0, "SN Status": 4, "UE Context Release": 5, "Retrieve UE Context": 26},
    "xnap": {"Handover Request": 0, "SN Status": 1, "UE Context Release": 6, "Handover Success": 29, "Early Status": 31,
             "Handover Cancel": 2, "Retrieve UE Context": 3},
}  # fmt: skip
TYPES = {  # TS 29.274 6.1, 29.244 7.3, 29.281 6.1; RFC 6275, 5568 6.2; RFC 5568 6.1, 4861 4.4
    "GTPv2-C Modify Bearer Request": 34, "GTPv2-C Modify Bearer Response": 35,
    "GTPv2-C Create Indirect Data Forwarding Tunnel Request": 166,
    "GTPv2-C Create Indirect Data Forwarding Tunnel Response": 167,
    "GTPv2-C Delete Indirect Data Forwarding Tunnel Request": 168,
    "GTPv2-C Delete Indirect Data Forwarding Tunnel Response": 169,
    "PFCP Session Modification Response": 53, "PFCP Session Modification Request": 52, "GTP-U End Marker": 254,
    "MH BU": 5, "MH PBU": 5, "MH BA": 6, "MH PBA": 6, "MH FBU": 8, "MH FBack": 9, "MH HI": 14, "MH HAck": 15,
    "ICMPv6 RtSolPr": 154, "ICMPv6 PrRtAdv": 154, "ICMPv6 UNA": 136,
}  # fmt: skip
TYPE_FIELDS = {
    "gtpv2": "gtpv2.message_type", "pfcp": "pfcp.msg_type", "gtpu": "gtp.message", "mobility": "mip6.mhtype",
    "icmpv6": "icmpv6.type",
}  # fmt: skip
IDENTIFIERS = [  # mobile node 5 is 65,536 + 5 to all core nodes and base stations, and 5 in X2AP
    ("S1AP Path Switch Request", "s1ap.ENB_UE_S1AP_ID", "65541"),
    ("S1AP Handover Request", "s1ap.MME_UE_S1AP_ID", "65541"),
    ("NGAP Handover Notify", "ngap.RAN_UE_NGAP_ID", "65541"),
    ("NGAP Path Switch Request", "ngap.AMF_UE_NGAP_ID", "65541"),
    ("X2AP Handover Request", "x2ap.UE_X2AP_ID", "5"),
    ("X2AP SN Status Transfer", "x2ap.UE_X2AP_ID", "5,5"),
    ("XnAP Retrieve UE Context Response", "xnap.NG_RANnodeUEXnAPID", "65541,65541"),
    ("XnAP Handover Request", "xnap.ng_c_UE_reference", "65541"),
    ("XnAP Handover Request", "xnap.gtp_teid", "12345601"),  # uplink: the anchor's
    ("XnAP Handover Request Acknowledge", "xnap.gtp_teid", "12345604"),  # forwarding: the target's
    ("S1AP Path Switch Request", "s1ap.gTP_TEID", "12345602"),  # downlink: the target's
    ("S1AP Path Switch Request", "s1ap.transportLayerAddressIPv4", "10.128.4.1"),
    ("S1AP Handover Request Acknowledge", "s1ap.gTP_TEID", "12345602"),
    ("S1AP Handover Request Acknowledge", "s1ap.dL_gTP_TEID", "12345604"),
    ("NGAP Handover Request Acknowledge", "ngap.gTP_TEID", "12345602,12345604"),
    ("NGAP Handover Command", "ngap.gTP_TEID", "12345604"),
    ("X2AP Handover Request Acknowledge", "x2ap.gTP_TEID", "12345604"),
    ("GTPv2-C Modify Bearer Request", "gtpv2.f_teid_gre_key", "0x12345602"),
    ("GTPv2-C Create Indirect Data Forwarding Tunnel Response", "gtpv2.f_teid_gre_key", "0x12345603"),
    ("GTPv2-C Modify Bearer Response", "gtpv2.cause", "16,16"),
    ("GTPv2-C Modify Bearer Request", "gtpv2.seq", "0x00004d"),
    ("PFCP Session Modification Request", "pfcp.outer_hdr_creation.teid", "0x12345602"),
    ("PFCP Session Modification Request", "pfcp.smreq_flags.sndem", "1"),
    ("PFCP Session Modification Request (forwarding tunnel)", "pfcp.f_teid.teid", "0x12345603"),
    ("PFCP Session Modification Request (forwarding tunnel)", "pfcp.outer_hdr_creation.teid", "0x12345604"),
    ("PFCP Session Modification Response", "pfcp.cause", "1"),
    ("PFCP Session Modification Response", "pfcp.seid", "0x0000000000010005"),
    ("GTP-U End Marker", "gtp.teid", "0x12345605"),
    ("GTP-U End Marker (5G)", "gtp.ext_hdr.pdu_ses_con.qos_flow_id", "9"),
    ("MH FBU", "mip6.acoa.acoa", "2001:db8:5::1:5"),
    ("MH HI", "mip6.hi.u_flag", "1"),
    ("MH HI (code 1)", "mip6.hi.code", "1"),
    ("MH HI (forwarding complete)", "mip6.hi.code", "2"),
    ("MH PBU", "mip6.bu.p_flag", "1"),
    ("ICMPv6 RtSolPr", "icmpv6.fmip6.subtype", "2"),
    ("ICMPv6 PrRtAdv", "icmpv6.fmip6.subtype", "3"),
    ("ICMPv6 UNA", "icmpv6.nd.na.target_address", "2001:db8:5::1:5"),
]
WARNING = 0x00600000
NOT_DISSECTED = {
    "MH PBU (transient)", "MH PBA (transient)", "MH PBU (serving MAAR)", "MH PBA (serving MAAR)", "MH PBA (previous MAAR)",
}  # fmt: skip
"""Messages with an option that tshark 4.0 does not know (RFC 6058, RFC 8885)."""
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def expected_kind(name):
    """Return the field by which tshark shows the kind of a message, and its value; None for an opaque message."""
    carrier, protocol = FORMATS[name].carrier, name.partition(" ")[0].lower()
    if carrier == "opaque":
        return None
    if carrier == "sctp":
        return f"{protocol}.procedureCode", next(v for k, v in CODES[protocol].items() if f" {k}" in name)
    return TYPE_FIELDS[carrier], TYPES[name.partition(" (")[0]]


def shown_kind(frame):
    """Return the field of the innermost control message and its value."""
    shown = [(field, frame[field]) for field in KIND_FIELDS if frame[field]]
    return (shown[0][0], int(shown[0][1].split(",")[-1], 0)) if shown else None


def severe(frame):
    return frame["_ws.malformed"] or any(int(s) >= WARNING for s in frame["_ws.expert.severity"].split(",") if s)


@pytest.fixture(scope="module")
def decoded(tmp_path_factory):
    """Every message as tshark decodes it, and again with a container of 300 bytes."""
    messages = {name: packet(name) for name in FORMATS}
    session = replace(SESSION, number=78)
    messages |= {f"{n} + 300": encode(n, A, B, session, 300) for n, f in FORMATS.items() if f.container}
    path = write_capture(tmp_path_factory.mktemp("core") / "messages.pcapng", list(messages.values()))
    return dict(zip(messages, decode(path, CHECKS + KIND_FIELDS + tuple({field for _, field, _ in IDENTIFIERS})), strict=True))


@needs_tshark
def test_tshark_recognises_every_message_and_finds_no_fault(decoded):
    assert len(decoded) == len(FORMATS) + sum(bool(f.container) for f in FORMATS.values())
    assert {name for name, frame in decoded.items() if severe(frame)} == set()
    assert {name for name, frame in decoded.items() if frame["_ws.expert.message"]} == NOT_DISSECTED
    assert {name: shown_kind(frame) for name, frame in decoded.items()} == {
        name: expected_kind(name.removesuffix(" + 300")) for name in decoded
    }
    statuses = {frame[field] for frame in decoded.values() for field in CHECKS if field.endswith("checksum.status")}
    assert statuses == {"", "1"}, "1: right"


@needs_tshark
@pytest.mark.parametrize(("name", "field", "value"), IDENTIFIERS)
def test_tshark_shows_the_identifiers(decoded, name, field, value):
    assert decoded[name][field] == value


def test_an_end_marker_is_a_header_without_a_packet():
    """TS 29.281 5.1: version 1, type 254, length of what follows the first 8 bytes; TS 38.415 5.5.2.1: PDU type 0, QoS flow 9."""
    assert packet("GTP-U End Marker")[28:].hex() == "30fe0000" + "12345605"
    assert packet("GTP-U End Marker (5G)")[28:].hex() == "34fe0008" + "12345605" + "00000085" + "01000900"


# What scapy computes


@pytest.mark.parametrize("name", [n for n, f in FORMATS.items() if f.carrier == "sctp"])
def test_scapy_rebuilds_the_same_sctp_packet(name):
    """The checksum is CRC32c, and a container is a PAD chunk (RFC 4820) behind the DATA chunk."""
    sctp, inet = pytest.importorskip("scapy.layers.sctp"), pytest.importorskip("scapy.layers.inet")
    read = inet.IP(packet(name, 300 if FORMATS[name].container else 0))
    checksum = read[sctp.SCTP].chksum
    del read[sctp.SCTP].chksum
    assert inet.IP(bytes(read))[sctp.SCTP].chksum == checksum
    chunk = read[sctp.SCTPChunkData]
    assert (chunk.beginning, chunk.ending, chunk.proto_id) == (1, 1, {"S1": 18, "X2": 27, "NG": 60, "Xn": 61}[name[:2]])
    assert bool(FORMATS[name].container) == (bytes(read)[-300:-296] == bytes([0x84, 0, 1, 44]))


def elements(layer):
    """Yield the elements of a message as scapy reads them, and the elements in them."""
    for element in layer.IE_list:
        yield element
        if hasattr(element, "IE_list"):
            yield from elements(element)


def test_scapy_reads_the_elements_of_gtp_and_pfcp():
    pfcp, gtp = pytest.importorskip("scapy.contrib.pfcp"), pytest.importorskip("scapy.contrib.gtp")
    gtp_v2 = pytest.importorskip("scapy.contrib.gtp_v2")

    def names(read):
        return [element.name for element in elements(read.payload)]

    switch = pfcp.PFCP(packet("PFCP Session Modification Request")[28:])
    header = next(e for e in elements(switch.payload) if e.name == "IE Outer Header Creation")
    assert (header.GTPUUDPIPV4, header.TEID, header.ipv4) == (1, 0x12345602, "10.128.4.1")
    assert names(switch) == ["IE Update FAR", "IE FAR ID", "IE Apply Action", "IE Update Forwarding Parameters",
                             "IE Destination Interface", "IE Outer Header Creation", "IE PFCPSMReq-Flags"]  # fmt: skip
    tunnel = pfcp.PFCP(packet("PFCP Session Modification Request (forwarding tunnel)")[28:])
    assert [element.name for element in tunnel.payload.IE_list] == ["IE Create PDR", "IE Create FAR"]
    remove = pfcp.PFCP(packet("PFCP Session Modification Request (remove)")[28:])
    assert names(remove) == ["IE Remove PDR", "IE PDR ID", "IE Remove FAR", "IE FAR ID"]
    bearer = gtp_v2.GTPHeader(packet("GTPv2-C Modify Bearer Request")[28:])
    endpoint = next(e for e in elements(bearer.payload) if e.name == "IE F-TEID")
    assert (endpoint.InterfaceType, endpoint.GRE_Key, endpoint.ipv4) == (0, 0x12345602, "10.128.4.1")
    marker = gtp.GTPHeader(packet("GTP-U End Marker (5G)")[28:])
    assert (marker.gtp_type, marker.teid, marker[gtp.GTPPDUSessionContainer].QFI) == (254, 0x12345605, 9)


@pytest.mark.parametrize("name", sorted(IPV6_NAMES))
def test_scapy_computes_the_same_checksums_in_ipv6(name):
    """The pseudo-header has the address of a home address option or routing header (RFC 6275 6.1.1, 6.4.3)."""
    inet6 = pytest.importorskip("scapy.layers.inet6")
    octets = packet(name)
    read = inet6.IPv6(octets)
    at, protocol = 40, octets[6]
    source, destination = read.src, read.dst
    if protocol in (43, 60):
        address = inet6.inet_ntop(inet6.socket.AF_INET6, octets[48:64])
        source, destination = (address, destination) if protocol == 60 else (source, address)
        at, protocol = 64, octets[40]
    assert protocol == (58 if name.startswith("ICMPv6") else 135)
    place = at + (2 if protocol == 58 else 4)
    pseudo = inet6.PseudoIPv6(src=source, dst=destination, uplen=len(octets) - at, nh=protocol)
    body = octets[at:place] + b"\0\0" + octets[place + 2 :]
    assert inet6.checksum(bytes(pseudo) + body) == int.from_bytes(octets[place : place + 2], "big")
    assert protocol == 58 or len(octets) - at == 8 * (octets[at + 1] + 1)


def test_an_authenticator_can_be_computed_again():
    """HMAC-SHA1-96 over care-of address, old router and message with checksum 0 (docs/export.md)."""
    message = bytearray(packet("MH FBU")[64:])
    message[4:6] = b"\0\0"
    assert message[-18:-12].hex() == "1510" + "00000100"
    assert hmac.digest(bytes(20), NEW + FIELDS.old_router + message[:-12], "sha1")[:12] == message[-12:]


def test_a_long_lifetime_is_the_largest_number():
    fields = replace(FIELDS, lifetime_s=2**30)
    assert encode_mobility("MH PBU", A6, B6, fields)[50:52] == encode_mobility("MH FBU", A6, B6, fields)[74:76] == b"\xff\xff"
    assert packet("MH PBU")[50:52] == (150).to_bytes(2, "big"), "600 s in units of 4 s (RFC 6275 6.1.7)"
    assert packet("MH FBU")[74:76] == (600).to_bytes(2, "big"), "in seconds (RFC 5568 6.2.2)"
