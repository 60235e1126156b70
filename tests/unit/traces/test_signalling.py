"""Mobile IP signalling in real captures, compared with tshark."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import handoff_traces

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
REAL = sorted(DATA.glob("jv_*.pcap"))
pytestmark = [
    pytest.mark.skipif(not REAL, reason="../shared/data is missing"),
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing"),
]


def tshark(path, display_filter, *fields):
    """Return the values of the fields of each frame that matches a display filter."""
    options = [part for field in fields for part in ("-e", field)]
    command = ["tshark", "-r", str(path), "-Y", display_filter, "-T", "fields", "-E", "occurrence=l", "-E", "separator=;"]
    out = subprocess.run([*command, *options], check=True, capture_output=True, text=True).stdout
    return [line.split(";") for line in out.splitlines()]


def messages_of_kinds(path, *kinds):
    signalling = handoff_traces.summarise_signalling(handoff_traces.read_signalling(path))
    return [m for m in signalling["messages"] if m["kind"] in kinds]


def seconds(message):
    return f"{message['time_ns'] // 10**9}.{message['time_ns'] % 10**9:09d}"


@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_registrations(path):
    fields = ("mip.type", "ip.src", "ip.dst", "mip.homeaddr", "mip.haaddr", "mip.life", "mip.flags", "mip.code", "mip.coa")
    expected = [(r[0], *r[1:]) for r in tshark(path, "mip", "frame.time_epoch", *fields)]
    messages = [
        (
            seconds(m), "1" if m["kind"] == "registration request" else "3", m["source"], m["destination"], m["home"], m["agent"],
            str(m["lifetime_s"]), f"0x{m['flags']:02x}" if m["kind"] == "registration request" else "",
            "" if m["code"] is None else str(m["code"]), m["care_of"],
        )
        for m in messages_of_kinds(path, "registration request", "registration reply")
    ]  # fmt: skip
    assert messages == expected


@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_advertisements_and_solicitations(path):
    expected = tshark(path, "icmp.type==9", "frame.time_epoch", "ip.src", "icmp.mip.seq", "icmp.mip.life", "icmp.mip.coa")
    messages = messages_of_kinds(path, "agent advertisement")
    assert [[seconds(m), m["source"], str(m["identification"]), str(m["lifetime_s"]), m["care_of"]] for m in messages] == expected
    solicitations = messages_of_kinds(path, "agent solicitation")
    assert [[seconds(m)] for m in solicitations] == tshark(path, "icmp.type==10", "frame.time_epoch")


def test_every_request_of_the_real_runs_is_matched_with_its_reply():
    """Each reply arrived within 2 ms with code 0; the return run deregisters."""
    requests = 0
    for path in REAL:
        messages = handoff_traces.read_signalling(path).messages
        for request, reply in enumerate(messages.match_replies().tolist()):
            if messages.kind_name(request) == "registration request":
                requests += 1
                assert messages.code[reply] == 0
                assert 0 < messages.time_ns[reply] - messages.time_ns[request] < 2_000_000
    assert requests == sum(len(tshark(path, "mip.type==1", "frame.number")) for path in REAL) > 8
    returned = messages_of_kinds(DATA / "jv_returnScenario_home.pcap", "registration request", "registration reply")
    assert [m["lifetime_s"] for m in returned] == [0, 0]


def test_away_run_lost_pings_12_and_13():
    for side in ("home", "public"):
        (echo,) = handoff_traces.read_signalling(DATA / f"jv_awayScenario_{side}.pcap").echoes
        assert (echo.asking, echo.asked, echo.unanswered) == ("192.168.0.1", "192.168.2.1", [12, 13])
    (echo,) = handoff_traces.read_signalling(DATA / "jv_awayScenario_foreign.pcap").echoes
    assert echo.unanswered == []
    assert echo.requests == echo.replies > 70


def test_mobility_headers():
    path = DATA / "td_ipv6_mobility_1.pcap"
    expected = tshark(path, "mipv6", "frame.time_epoch", "mip6.mhtype")
    kinds = handoff_traces.read_signalling(path).messages.kind
    assert [int(kind) - 32 for kind in kinds] == [int(kind) for _, kind in expected]
    fields = ("mip6.bu.seqnr", "mip6.bu.lifetime", "mip6.acoa.acoa")
    updates = tshark(path, "mip6.mhtype==5", *fields)
    messages = messages_of_kinds(path, "binding update")
    assert [[str(m["identification"]), str(m["lifetime_s"] // 4)] for m in messages] == [row[:2] for row in updates]
    for message, (_, _, alternate) in zip(messages, updates, strict=True):
        assert message["care_of"] == (alternate or "2001:db8::1")
    acknowledgements = tshark(path, "mip6.mhtype==6", "mip6.ba.seqnr", "mip6.ba.lifetime", "mip6.ba.status")
    messages = messages_of_kinds(path, "binding acknowledgement")
    assert [[str(m["identification"]), str(m["lifetime_s"] // 4), str(m["code"])] for m in messages] == acknowledgements


@pytest.mark.parametrize("path", sorted(DATA.glob("*.pcap")), ids=lambda p: p.stem)
def test_every_capture_can_be_summarised(path):
    signalling = handoff_traces.read_signalling(path)
    json.dumps(handoff_traces.summarise(signalling.facts) | handoff_traces.summarise_signalling(signalling))
    assert signalling.facts.packets == len(handoff_traces.read_capture(path))
