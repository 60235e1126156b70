"""Mobile IP signalling in captures, judged by tshark on real ones."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import traces

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
REAL = sorted(DATA.glob("jv_*.pcap"))
pytestmark = [
    pytest.mark.skipif(not REAL, reason="../shared/data is absent"),
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is absent"),
]


def tshark(path, wanted, *fields):
    """Values of the fields of each frame that a filter wants, as tshark says them."""
    named = [part for field in fields for part in ("-e", field)]
    command = ["tshark", "-r", str(path), "-Y", wanted, "-T", "fields", "-E", "occurrence=l", "-E", "separator=;", *named]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split(";") for line in out.splitlines()]


def listed(path, *kinds):
    found = traces.summarise_signalling(traces.read_signalling(path))
    return [m for m in found["messages"] if m["kind"] in kinds]


def seconds(message):
    return f"{message['time_ns'] // 10**9}.{message['time_ns'] % 10**9:09d}"


@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_registrations(path):
    fields = ("mip.type", "ip.src", "ip.dst", "mip.homeaddr", "mip.haaddr", "mip.life", "mip.flags", "mip.code", "mip.coa")
    theirs = [(r[0], *r[1:]) for r in tshark(path, "mip", "frame.time_epoch", *fields)]
    ours = [
        (
            seconds(m), "1" if m["kind"] == "registration request" else "3", m["source"], m["destination"], m["home"], m["agent"],
            str(m["lifetime_s"]), f"0x{m['flags']:02x}" if m["kind"] == "registration request" else "",
            "" if m["code"] is None else str(m["code"]), m["care_of"],
        )
        for m in listed(path, "registration request", "registration reply")
    ]  # fmt: skip
    assert ours == theirs


@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_advertisements_and_solicitations(path):
    theirs = tshark(path, "icmp.type==9", "frame.time_epoch", "ip.src", "icmp.mip.seq", "icmp.mip.life", "icmp.mip.coa")
    ours = listed(path, "agent advertisement")
    assert [[seconds(m), m["source"], str(m["identification"]), str(m["lifetime_s"]), m["care_of"]] for m in ours] == theirs
    assert [[seconds(m)] for m in listed(path, "agent solicitation")] == tshark(path, "icmp.type==10", "frame.time_epoch")


def test_every_request_of_the_real_runs_has_its_reply():
    """Each was answered within a millisecond or two, with code 0; the return run deregisters."""
    requests = 0
    for path in REAL:
        messages = traces.read_signalling(path).messages
        for request, reply in enumerate(messages.answers().tolist()):
            if messages.kind_text(request) == "registration request":
                requests += 1
                assert messages.code[reply] == 0
                assert 0 < messages.time_ns[reply] - messages.time_ns[request] < 2_000_000
    assert requests == sum(len(tshark(path, "mip.type==1", "frame.number")) for path in REAL) > 8
    returned = listed(DATA / "jv_returnScenario_home.pcap", "registration request", "registration reply")
    assert [m["lifetime_s"] for m in returned] == [0, 0]


def test_the_away_run_lost_pings_12_and_13():
    for side in ("home", "public"):
        (echo,) = traces.read_signalling(DATA / f"jv_awayScenario_{side}.pcap").echoes
        assert (echo.asking, echo.asked, echo.unanswered) == ("192.168.0.1", "192.168.2.1", [12, 13])
    (echo,) = traces.read_signalling(DATA / "jv_awayScenario_foreign.pcap").echoes
    assert echo.unanswered == []
    assert echo.requests == echo.replies > 70


def test_mobility_headers():
    path = DATA / "td_ipv6_mobility_1.pcap"
    theirs = tshark(path, "mipv6", "frame.time_epoch", "mip6.mhtype")
    kinds = traces.read_signalling(path).messages.kind
    assert [int(kind) - 32 for kind in kinds] == [int(kind) for _, kind in theirs]
    fields = ("mip6.bu.seqnr", "mip6.bu.lifetime", "mip6.acoa.acoa")
    updates = tshark(path, "mip6.mhtype==5", *fields)
    ours = listed(path, "binding update")
    assert [[str(m["identification"]), str(m["lifetime_s"] // 4)] for m in ours] == [row[:2] for row in updates]
    for message, (_, _, alternate) in zip(ours, updates, strict=True):
        assert message["care_of"] == (alternate or "2001:db8::1")
    acknowledgements = tshark(path, "mip6.mhtype==6", "mip6.ba.seqnr", "mip6.ba.lifetime", "mip6.ba.status")
    assert [
        [str(m["identification"]), str(m["lifetime_s"] // 4), str(m["code"])] for m in listed(path, "binding acknowledgement")
    ] == acknowledgements


@pytest.mark.parametrize("path", sorted(DATA.glob("*.pcap")), ids=lambda p: p.stem)
def test_every_file_is_described(path):
    found = traces.read_signalling(path)
    json.dumps(traces.summarise(found.facts) | traces.summarise_signalling(found))
    assert found.facts.packets == len(traces.read_capture(path))
