"""Captures as they come from the field, through the command line: the inputs in ../shared/field, and the right values."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from handoff.cli.root import root

FIELD = Path(__file__).parents[2] / ".." / "shared" / "field"
pytestmark = pytest.mark.skipif(not FIELD.is_dir(), reason="../shared/field is missing")


def run(*words, code=0):
    result = CliRunner().invoke(root, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def info(name, *words):
    return json.loads(run("trace", "info", FIELD / name, "--json", *words))


def validate(capture, *changes, code=0):
    words = [word for change in (f"traffic.0.capture={capture}", *changes) for word in ("--set", change)]
    return run("validate", FIELD / "rep.toml", *words, code=code)


def test_a_record_with_more_captured_than_sent():
    """The second of three records states 142 bytes captured of 60."""
    assert "byte 190: 142 bytes captured of a packet of 60" in run("trace", "info", FIELD / "capgtlen.pcap", code=2)
    reason = {"more bytes were captured than sent": 1}
    skip = info("capgtlen.pcap", "--on-bad-record", "skip")
    assert (skip["packets"], skip["ip_packets"], skip["skipped"]) == (2, 2, reason)
    first = info("capgtlen.pcap", "--on-bad-record", "keep-first")
    assert (first["packets"], first["skipped"]) == (1, reason)
    assert "records left out: 1 (more bytes were captured than sent)" in validate(
        "capgtlen.pcap", "traffic.0.on_bad_record=skip"
    )


def test_an_interface_of_another_type():
    """Two packets of raw IP, and one of IEEE 802.11 whose radiotap header has no length."""
    facts = info("mixed2.pcapng")
    assert (facts["packets"], facts["ip_packets"], facts["skipped"]) == (3, 2, {})
    assert list(facts["opaque"].values()) == [1]


def test_users_inside_gtp():
    facts = info("gtpu_two_ues.pcap")
    assert (facts["tunnelled"], facts["flow_count"]) == (4, 2)
    assert [(t["port"], t["packets"]) for t in facts["tunnels"]] == [(2152, 4)]
    assert sorted(flow["dst"] for flow in facts["flows"]) == ["10.45.0.2", "10.45.0.3"]
    output = validate("gtpu_two_ues.pcap", "traffic.0.mobile_address=10.45.0.0/16", 'traffic.0.flows_per_mobile="all"')
    assert "4 of 4 packets, in 2 flows are replayed; 4 of 4 within the run" in output
    outer = validate("gtpu_two_ues.pcap", "traffic.0.mobile_address=10.45.0.0/16", 'traffic.0.tunnel="outer"', code=2)
    assert "only inside its tunnels, in 4 packets" in outer


def test_fragments_are_one_flow():
    """Two datagrams in three fragments each, from port 7000 to 5000."""
    (flow,) = info("udp_fragments.pcap")["flows"]
    assert (flow["packets"], flow["sport"], flow["dport"]) == (6, 7000, 5000)


def test_snap_is_read():
    facts = info("snapllc.pcap")
    assert (facts["ip_packets"], facts["flow_count"]) == (1, 1)


def test_router_discovery_is_not_mobile_ip():
    """Frame 1 has TTL 128, frame 3 no extension, and frame 4 is a query from port 434; frames 2 and 5 are as the RFC has them."""
    signalling = info("router_solicitation.pcap")["signalling"]
    assert [(m["frame"], m["kind"]) for m in signalling["messages"]] == [(2, "agent solicitation"), (5, "registration request")]
    assert signalling["damaged"] == 0


def test_a_stray_stamp():
    """65,536.000028 s - 0.000104 s are 18 h, 12 min and 15 s."""
    output = validate("tr549.pcap")
    assert "4 of 5 within the run" in output
    assert "with loop, the flow udp 10.0.1.2:5000 10.0.2.2:6000 would be silent for 18 h 12 min" in output


def test_tables_and_stderr_say_what_was_left_out(tmp_path):
    for name in ("rep.toml", "still.csv", "capgtlen.pcap"):
        shutil.copy(FIELD / name, tmp_path / name)
    changes = ["--set", "traffic.0.capture=capgtlen.pcap", "--set", "traffic.0.on_bad_record=skip"]
    output = run("run", tmp_path / "rep.toml", "--procedure", "mipv4", *changes, "-o", tmp_path / "out")
    assert "handoff: capgtlen.pcap: records left out: 1 (more bytes were captured than sent)" in output
    metadata = json.loads(pq.read_schema(tmp_path / "out" / "runs.parquet").metadata[b"skipped_records"])
    assert metadata == {"capgtlen.pcap": {"more bytes were captured than sent": 1}}
