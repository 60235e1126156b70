"""``handoff trace info`` of a capture: the description as a table."""

from pathlib import Path

import pytest

from handoff.cli import capture_info
from handoff.cli.capture_info import describe_capture, print_capture

ROOT = Path(__file__).parents[3]
CAPTURE = ROOT / "examples" / "captures" / "commute.pcap"


def message(frame, **changes):
    return {
        "frame": frame, "time_ns": 1_500_000_000, "kind": "registration request", "source": "10.0.0.9", "destination": "10.0.0.1",
        "home": "10.0.0.9", "agent": "10.0.0.1", "care_of": "10.2.0.1", "lifetime_s": 600, "code": None, "identification": 255,
        "flag_letters": "D", "answer": None,
    } | changes  # fmt: skip


def description(**signalling):
    return {
        "format": "pcap", "truncated": None, "compression": "", "first_time_ns": 1_000_000_000, "rate_bps": 1234.5678,
        "packets": 1234567, "interfaces": [], "top_addresses": [], "tunnels": [],
        "flows": [
            {"protocol": 17, "src": "a", "sport": 1, "dst": "b", "dport": 2, "packets": 3, "bytes": 4},
            {"protocol": 99, "src": "a", "sport": None, "dst": "b", "dport": None, "packets": 5, "bytes": 6},
        ],
        "signalling": {"kinds": {}, "messages": [], "unlisted": 0, "damaged": 0, "echoes": []} | signalling,
    }  # fmt: skip


def printed(capsys, **signalling):
    print_capture(description(**signalling))
    return capsys.readouterr().out.splitlines()


def test_facts_flows_and_protocol_names_are_printed(capsys):
    assert printed(capsys) == [
        "format       pcap",
        "truncated    -",
        "compression  -",
        "first        1970-01-01 00:00:01.000000000 UTC",
        "rate bps     1,234.57",
        "packets      1,234,567",
        "flows, most bytes first",
        "  protocol  src  sport  dst  dport  packets  bytes",
        "  udp       a    1      b    2      3        4",
        "  99        a           b           5        6",
    ]


def test_messages_show_time_lifetime_and_answer(capsys):
    messages = [message(3, lifetime_s=65_535, answer=1), message(4, kind="registration reply", code=0, identification=16)]
    title, _, request, reply = printed(capsys, kinds={"registration request": 1, "registration reply": 1}, messages=messages)[-4:]
    assert title == "Mobile IP signalling: 1 registration request, 1 registration reply"
    assert request.split() == [
        "3", "0.500000", "registration", "request", "10.0.0.9", "10.0.0.1", "10.0.0.9", "10.0.0.1", "10.2.0.1", "infinite", "ff",
        "D", "frame", "4",
    ]  # fmt: skip
    assert reply.split()[-4:] == ["600", "0", "10", "D"]


def test_messages_beyond_the_limit_are_counted(capsys, monkeypatch):
    monkeypatch.setattr(capture_info, "MAX_PRINTED_MESSAGES", 2)
    lines = printed(capsys, kinds={"registration request": 9}, messages=[message(n) for n in range(5)], unlisted=4)
    assert lines[-2:] == ["  … 3 more with --json", "  … 4 more that are only counted"]
    assert [line.split()[0] for line in lines[-4:-2]] == ["0", "1"]


def test_damaged_messages_and_echoes_are_reported(capsys):
    echoes = [
        {"asking": "a", "asked": "b", "requests": 3000, "replies": 2998, "unanswered": [7, 9]},
        {"asking": "c", "asked": "d", "requests": 1, "replies": 1, "unanswered": []},
    ]
    assert printed(capsys, damaged=1000, echoes=echoes)[-3:] == [
        "Mobile IP messages that are truncated or malformed: 1,000",
        "echo a > b: 3,000 requests, 2,998 replies; unanswered: 7, 9",
        "echo c > d: 1 requests, 1 replies; unanswered: none",
    ]


def test_a_full_table_is_marked_as_the_first_rows(capsys):
    full = description() | {"top_addresses": [{"address": str(n), "packets": 1, "bytes": 1} for n in range(20)]}
    print_capture(full)
    assert "addresses, most bytes first (the first 20)" in capsys.readouterr().out.splitlines()


def test_a_capture_file_is_described_and_printed(capsys):
    found = describe_capture(CAPTURE)
    assert found["packets"] == 17_641
    print_capture(found)
    assert "packets       17,641" in capsys.readouterr().out.splitlines()


def test_a_file_that_is_no_capture_is_refused(tmp_path):
    (tmp_path / "x.pcap").write_text("nothing of a capture is in here")
    with pytest.raises(ValueError, match=r"x\.pcap"):
        describe_capture(tmp_path / "x.pcap")
