"""Captures of handovers of LTE and 5G and of fast handovers, as tshark and the reader of this project decode them."""

from __future__ import annotations

import shutil
from collections import Counter

import numpy as np
import pytest

import handoff_traces
from handoff.protocol.message_formats import FORMATS
from handoff.protocol.procedures import HANDOVERS
from handoff.protocol.program import compile_program
from handoff_traces import wire
from tests.conformance.test_handovers import UNLIMITED, scene
from tests.unit.output.pcap.recorded_runs import record, setup_of
from tests.unit.output.pcap.test_core_packets import (
    CHECKS,
    KIND_FIELDS,
    NOT_DISSECTED,
    decode,
    expected_kind,
    severe,
    shown_kind,
)

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

ALWAYS = {"x2", "n2-indirect", "pfmipv6-predictive"}
"""Procedures of the plain test run; the others need ``--deep``."""
TUNNEL_FIELDS = (
    "frame.interface_name", "frame.len", "ip.src", "ip.dst", "gtp.teid", "gtp.ext_hdr.pdu_ses_con.qos_flow_id",
    "gtp.ext_hdr.pdcp_sn",
)  # fmt: skip
DATA, END_MARKER = "0xff", "0xfe"


IN_A_TOWN = ("xn", "s1-indirect", "fmipv6-predictive")
"""Procedures that also run in a random town with several links between two nodes, and with recorded conversations."""


@pytest.fixture(scope="module", params=[
    *(pytest.param((name, False), id=name, marks=() if name in ALWAYS else pytest.mark.deep) for name in HANDOVERS),
    *(pytest.param((name, True), id=f"{name}-town", marks=pytest.mark.deep) for name in IN_A_TOWN),
])  # fmt: skip
def case(request, tmp_path_factory):
    """A run with a packet each ms around the handover, or a town, with its trace and its capture."""
    name, in_town = request.param
    setup = setup_of(7, "patent") if in_town else scene(name).setup([t + 0.5 for t in range(460, 600)], options=UNLIMITED)
    recorded = record(setup, name, tmp_path_factory.mktemp("captures") / "run.pcapng")
    return recorded, decode(recorded.path, CHECKS + KIND_FIELDS + TUNNEL_FIELDS)


def formats_of(recorded):
    """Return link and format of each control packet in the trace."""
    program = compile_program(recorded.setup, recorded.run.procedure)
    rows, names = recorded.hops.rows, recorded.run.result.link_names
    steps = recorded.hops.messages["args"][:, 0] & 0xFFFF
    return [(names[row["link"]], program.steps[steps[row["message"]]].step.format) for row in rows[rows["message"] >= 0]]


def test_every_message_is_decoded_on_the_link_of_the_trace(case):
    recorded, frames = case
    control = [frame for frame, row in zip(frames, recorded.hops.rows, strict=True) if row["message"] >= 0]
    expected = formats_of(recorded)
    assert len(expected) >= 5
    assert [(f["frame.interface_name"], shown_kind(f)) for f in control] == [
        (link, expected_kind(name)) for link, name in expected
    ]


def test_no_packet_is_malformed_and_lengths_are_those_of_the_model(case):
    recorded, frames = case
    rows = recorded.hops.rows
    assert [int(frame["frame.len"]) for frame in frames] == (rows["size_bytes"].astype(int) + rows["extra_bytes"]).tolist()
    assert [frame for frame in frames if severe(frame)] == []
    noted = sum(bool(frame["_ws.expert.message"]) for frame in frames)
    assert noted == sum(name in NOT_DISSECTED for _, name in formats_of(recorded))
    statuses = {s for frame in frames for field in CHECKS if "checksum" in field for s in frame[field].split(",")}
    assert statuses <= {"", "1", "3"}, "1: right; 3: none, in the UDP of a tunnel"


def test_the_capture_reader_finds_the_packets_in_the_tunnels(case):
    recorded, _ = case
    rows = recorded.hops.rows
    inner = handoff_traces.read_capture(recorded.path, tunnels="inner")
    assert inner.ip_length.tolist() == rows["size_bytes"].tolist()


def test_the_form_of_a_tunnel_follows_its_header_bytes(case):
    """TS 29.281 5.2: IPv4, UDP and GTP-U have 36 bytes; 8 more for the first extension header, and 4 for another."""
    recorded, frames = case
    if HANDOVERS[recorded.run.procedure].tunnel != "gtp-u":
        assert {frame["gtp.message"] for frame in frames} == {""}
        return
    is_nr = any(FORMATS[name].family == "nr" for _, name in formats_of(recorded))
    one = (DATA, "9", "") if is_nr else (DATA, "", "number")
    expected = {0: ("", "", ""), 36: (DATA, "", ""), 44: one, 48: (DATA, "9", "number")}
    seen = Counter()
    for frame, row in zip(frames, recorded.hops.rows, strict=True):
        if row["message"] < 0:
            number = frame["gtp.ext_hdr.pdcp_sn"]
            shown = (frame["gtp.message"], frame["gtp.ext_hdr.pdu_ses_con.qos_flow_id"], "number" if number else "")
            assert shown == expected[int(row["extra_bytes"])]
            assert not number or int(number) == row["seq"] % 2**12
            seen[int(row["extra_bytes"])] += 1
    assert seen[44 if is_nr else 36] > 100


def test_nothing_follows_an_end_marker_in_its_tunnel(case):
    """TS 29.281 7.3.2: it is the last packet of the tunnel. Each tunnel with a marker carried packets before it.

    In a town mobile nodes return, and use the same identifier again.
    """
    recorded, frames = case
    if len(recorded.run.handoffs["mobile"]) > 1:
        return
    ended, carried = set(), set()
    for frame in frames:
        tunnel = (frame["frame.interface_name"], frame["ip.dst"].split(",")[0], frame["gtp.teid"])
        if frame["gtp.message"] == END_MARKER:
            ended.add(tunnel)
        elif frame["gtp.message"] == DATA:
            assert tunnel not in ended
            carried.add(tunnel)
    procedure = HANDOVERS[recorded.run.procedure]
    legs = [len(step.path) - 1 for step in procedure.signalling if step.message == procedure.marker]
    assert len(ended) == max(legs, default=0)
    assert ended <= carried or procedure.forwarding == "none"


def test_uplink_packets_have_an_uplink_container(tmp_path):
    """TS 38.415 5.5.2.2: PDU type 1. No procedure tunnels uplink packets yet, so these are downlink packets, marked as uplink."""
    recorded = record(scene("xn").setup([480.5], options=UNLIMITED), "xn", tmp_path / "run.pcapng")
    rows = recorded.hops.rows[recorded.hops.rows["extra_bytes"] == 44].copy()
    rows["kind"] = 1
    assert np.unique(recorded.recorder._tunnels(rows)[:, 0, 0]).tolist() == [wire.GTP_U + wire.SESSION_CONTAINER + wire.UPLINK]
