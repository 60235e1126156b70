"""Captures of every procedure in both profiles, as Wireshark decodes them."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from importlib.resources import files

import pytest

from tests.unit.output.pcap.recorded_runs import CASES, messages_of, record, setup_of

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

CHECKS = [
    "ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE",
    "esp.enable_null_encryption_decode_heuristic:TRUE", "esp.do_esp_sequence_analysis:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",  # one packet is on several links
]  # fmt: skip
FIELDS = (
    "frame.interface_name", "frame.len", "frame.protocols", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message",
    "ip.checksum.status", "udp.checksum.status", "tcp.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status",
    "mip.type", "mipro.type", "mip6.mhtype", "icmp.type", "icmpv6.type",
)  # fmt: skip
WARNING = 0x00600000
BAD = "0"
RECOGNISED = {
    "RQ": {("mip.type", 1), ("mipro.type", 18)},
    "RR": {("mip.type", 3), ("mipro.type", 19)},
    "DRR": {("mip.type", 3), ("mipro.type", 19)},
    "BU": {("mipro.type", 18), ("mipro.type", 242), ("mip6.mhtype", 5)},
    "DBU": {("mipro.type", 18), ("mip6.mhtype", 5)},
    "BA": {("mipro.type", 19), ("mipro.type", 243), ("mip6.mhtype", 6)},
    "DBA": {("mipro.type", 19), ("mip6.mhtype", 6)},
    "AS": {("icmp.type", 10), ("icmpv6.type", 133)},
    "AA": {("icmp.type", 9), ("icmpv6.type", 134)},
    "HADQ": {("icmpv6.type", 144)},
    "HADR": {("icmpv6.type", 145)},
    "HoTI": {("mip6.mhtype", 1)},
    "CoTI": {("mip6.mhtype", 2)},
    "HoT": {("mip6.mhtype", 3)},
    "CoT": {("mip6.mhtype", 4)},
}
"""Field of tshark and its value for each kind of message."""
ALWAYS = {("sync-mipv4-ro", "patent"), ("sync-mipv6-ro", "rfc")}
"""Cases of the plain test run; the others need ``--deep``."""
SIGNALS = {pair for pairs in RECOGNISED.values() for pair in pairs}


def dissected(path, fields=FIELDS):
    """Decode a capture with tshark and return one dictionary for each frame."""
    options = [word for check in CHECKS for word in ("-o", check)] + [word for field in fields for word in ("-e", field)]
    script = f"lua_script:{files('handoff.output.pcap') / 'mipv4_ro.lua'}"
    command = ["tshark", "-n", "-X", script, "-r", str(path), "-T", "fields", "-E", "occurrence=a", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [dict(zip(fields, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


def signal_of(frame):
    """Return field and type of the innermost control message, or None for data."""
    for field in ("mip.type", "mipro.type", "mip6.mhtype", "icmp.type", "icmpv6.type"):
        if frame[field] and (field, int(frame[field].split(",")[-1])) in SIGNALS:
            return field, int(frame[field].split(",")[-1])
    return None


@pytest.fixture(scope="module", params=[
    pytest.param(i, id="-".join(case), marks=() if case in ALWAYS else pytest.mark.deep) for i, case in enumerate(CASES)
])  # fmt: skip
def case(request, tmp_path_factory):
    procedure, profile = CASES[request.param]
    path = tmp_path_factory.mktemp("captures") / "run.pcapng"
    recorded = record(setup_of(request.param, profile), procedure, path)
    return recorded, dissected(path)


def test_no_packet_is_malformed_and_all_checksums_are_right(case):
    _, frames = case
    assert len(frames) > 1000
    statuses = Counter((name, value) for frame in frames for name in FIELDS[6:11] for value in frame[name].split(",") if value)
    assert not [name for name, value in statuses if value == BAD], statuses
    assert [frame for frame in frames if frame["_ws.malformed"]] == []
    severe = [f for f in frames if any(int(s) >= WARNING for s in f["_ws.expert.severity"].split(",") if s)]
    assert severe == [], severe[:3]


def test_every_message_is_decoded_on_the_link_of_the_trace(case):
    recorded, frames = case
    expected = list(messages_of(recorded))
    decoded = [(f["frame.interface_name"], signal_of(f)) for f in frames]
    decoded = [(link, signal) for link, signal in decoded if signal is not None]
    assert len(decoded) == len(expected) > 20
    for (link, kind), (interface, signal) in zip(expected, decoded, strict=True):  # both are in the order of time
        assert interface == link
        assert signal in RECOGNISED[kind]


def test_packet_counts_agree_with_the_tables_of_the_run(case):
    recorded, frames = case
    links, names = recorded.run.result.links, recorded.run.result.link_names
    packets = Counter(frame["frame.interface_name"] for frame in frames)
    control = Counter(frame["frame.interface_name"] for frame in frames if signal_of(frame) is not None)
    compared = 0
    for row, name in enumerate(names):
        at_most, waiting = links["packets"][row] - links["rescued"][row], links["queued"][row]
        assert at_most - waiting <= packets[name] <= at_most, name
        if waiting == 0:
            assert packets[name] == at_most, name
        if waiting == links["rescued"][row] == 0:
            assert control[name] == links["control_packets"][row], name
            compared += int(links["control_packets"][row])
    assert compared > 0


def test_packet_lengths_agree_with_the_model(case):
    recorded, frames = case
    rows = recorded.hops.rows
    assert [int(f["frame.len"]) for f in frames] == (rows["size_bytes"].astype(int) + rows["extra_bytes"]).tolist()
