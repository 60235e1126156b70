"""Messages of mobile cores and of fast handovers as packets: lengths, checksums, and how tshark and scapy decode them."""

from __future__ import annotations

import ipaddress
import logging
import shutil
import subprocess
from typing import NamedTuple

import numpy as np
import pytest

from handoff.output.pcap.core_packets import Endpoint, Session, encode, encode_opaque
from handoff.output.pcap.mobility_packets import MobilityFields, encode_mobility
from handoff.protocol.message_formats import CONTAINERS, FORMATS
from handoff_traces import CaptureWriter, FlowHeaders, Packets, wire

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


class Decoded(NamedTuple):
    """Fields that identify a message, and others."""

    kind: str
    fields: dict[str, str]


KIND_FIELDS = (
    "s1ap.procedureCode", "ngap.procedureCode", "x2ap.procedureCode", "xnap.procedureCode", "gtp.message", "gtpv2.message_type", "pfcp.msg_type",
    "mip6.mhtype", "icmpv6.type",
)  # fmt: skip
VALUES = (
    "s1ap.MME_UE_S1AP_ID", "s1ap.ENB_UE_S1AP_ID", "ngap.AMF_UE_NGAP_ID", "ngap.RAN_UE_NGAP_ID", "x2ap.UE_X2AP_ID",
    "s1ap.gTP_TEID", "ngap.gTP_TEID", "x2ap.gTP_TEID", "s1ap.transportLayerAddressIPv4", "ngap.TransportLayerAddressIPv4",
    "gtp.teid", "gtp.ext_hdr.pdu_ses_con.qos_flow_id", "gtpv2.teid", "gtpv2.seq", "gtpv2.f_teid_gre_key", "gtpv2.f_teid_ipv4",
    "gtpv2.f_teid_interface_type", "gtpv2.cause", "pfcp.seid", "pfcp.seqno", "pfcp.outer_hdr_creation.teid",
    "pfcp.outer_hdr_creation.ipv4", "pfcp.f_teid.teid", "pfcp.cause", "pfcp.smreq_flags.sndem", "mip6.hi.code",
    "mip6.hi.u_flag", "mip6.hack.code", "mip6.acoa.acoa", "mip6.fbu.lifetime", "mip6.bu.p_flag",
    "icmpv6.fmip6.subtype", "icmpv6.nd.na.target_address", "sctp.data_payload_proto_id",
)  # fmt: skip
CHECKS = (
    "frame.protocols", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message", "sctp.checksum.status",
    "udp.checksum.status", "ip.checksum.status", "icmpv6.checksum.status",
)  # fmt: skip


def decode(path, fields, *preferences):
    """Decode a capture with tshark and return one dictionary for each frame, without the fields that it does not know."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a"]
    for preference in ("ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "sctp.checksum:CRC 32c", *preferences):
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
