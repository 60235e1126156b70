"""Registrations in captures as movement: by hand from docs/movement.md, and from the real runs."""

import ipaddress
import re
from pathlib import Path

import pytest
from scapy.layers.inet6 import HAO, MIP6MH_BA, MIP6MH_BU, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting
from scapy.utils import RawPcapWriter

import handoff_traces
from handoff.build import build
from handoff.scenario import ScenarioError, load_scenario
from handoff.signalling import AT_HOME, Registration, Stay, registrations, stays, stays_of
from handoff.study import run_procedure

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")
S, MS = 10**9, 10**9  # a second in ns, a millisecond in ps
HOME, X, Y, Z = "10.0.0.1", "10.1.0.1", "10.2.0.1", "10.2.0.9"


def registered(at, care_of, lifetime_s=100, beside=False):
    return Registration(at * S, HOME, care_of, lifetime_s, beside)


def told(*accepted):
    return [(s.place, s.up_ns // S, None if s.down_ns is None else s.down_ns // S) for s in stays(accepted, 0)]


BY_HAND = {
    "nothing": ([], [(AT_HOME, 0, None)]),
    "one": ([registered(5, X)], [(AT_HOME, 0, 5), (X, 5, 105)]),
    "refreshed": ([registered(5, X), registered(55, X)], [(AT_HOME, 0, 5), (X, 5, 155)]),
    "moved": ([registered(5, X), registered(25, Y)], [(AT_HOME, 0, 5), (X, 5, 25), (Y, 25, 125)]),
    "for ever": ([registered(5, X, None)], [(AT_HOME, 0, 5), (X, 5, None)]),
    "lapsed, and later elsewhere": ([registered(5, X, 10), registered(25, Y)], [(AT_HOME, 0, 5), (X, 5, 15), (Y, 25, 125)]),
    "lapsed, and later there": ([registered(5, X, 10), registered(25, X)], [(AT_HOME, 0, 5), (X, 5, 15), (X, 25, 125)]),
    "beside": ([registered(5, X), registered(25, Y, beside=True)], [(AT_HOME, 0, 5), (X, 5, 105), (Y, 25, 125)]),
    "beside, then one ended": (
        [registered(5, X), registered(25, Y, beside=True), registered(30, X, 0)], [(AT_HOME, 0, 5), (X, 5, 30), (Y, 25, 125)]
    ),
    "ended": ([registered(5, X), registered(25, X, 0)], [(AT_HOME, 0, 5), (X, 5, 25), (AT_HOME, 25, None)]),
    "all ended": (
        [registered(5, X), registered(6, Y, beside=True), registered(25, HOME, 0)],
        [(AT_HOME, 0, 5), (X, 5, 25), (Y, 6, 25), (AT_HOME, 25, None)],
    ),
    "ended what there was not": (
        [registered(5, X), registered(25, Y), registered(26, X, 0)], [(AT_HOME, 0, 5), (X, 5, 25), (Y, 25, 125)]
    ),
    "home and away": (
        [registered(5, X), registered(25, HOME, 0), registered(30, Y)],
        [(AT_HOME, 0, 5), (X, 5, 25), (AT_HOME, 25, 30), (Y, 30, 130)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_stays_by_hand(case):
    accepted, wanted = BY_HAND[case]
    assert sorted(told(*accepted), key=str) == sorted(wanted, key=str)


def test_places_of_one_router_are_one(monkeypatch):
    """From Y to Z no handoff; events only of the move to X; what ended before ``begin`` is left out."""
    accepted = [registered(5, Y), registered(25, Z), registered(40, X), registered(60, Y, 0), registered(61, HOME, 0)]
    monkeypatch.setattr("handoff.signalling.registrations", lambda captures: accepted)
    capture = type("Capture", (), {"facts": type("Facts", (), {"times_ns": (0, 70 * S)})})
    routers = {ipaddress.ip_network(p): r for p, r in (("10.1.0.0/16", "a"), ("10.2.0.0/16", "b"), ("10.0.0.0/8", "c"))}
    log = stays_of([capture], routers, None, lead_ps=500 * MS, guard_ps=20 * MS, begin_ps=30_000 * MS, until_ps=90_000 * MS)
    assert [log.router_names[r] for r in log.router] == ["b", "a"]
    assert log.mobile_names == [HOME]
    assert log.up_ps.tolist() == [0, 10_000 * MS]
    assert log.down_ps.tolist() == [10_000 * MS, 31_000 * MS]
    assert log.going_down_ps.tolist() == [9_980 * MS, -1]
    assert log.predict_ps.tolist() == [9_480 * MS, -1]


def read(*names):
    return [handoff_traces.read_signalling(DATA / f"jv_{name}.pcap") for name in names]


@real
@pytest.mark.parametrize("places", [["public"], ["foreign"], ["foreign", "public"]])
def test_the_away_run(places):
    """tshark lists three requests to 192.168.0.2 by 192.168.0.3, 28.0 and 27.0 s apart, each granted 30 s."""
    found = registrations(read(*(f"awayScenario_{place}" for place in places)))
    assert [(r.home, r.care_of, r.lifetime_s, r.beside) for r in found] == [("192.168.2.1", "192.168.0.3", 30, False)] * 3
    assert [round((r.time_ns - found[0].time_ns) / S, 2) for r in found] == [0, 28.01, 55.01]
    (at_home, away) = stays(found, 0)
    assert at_home == Stay(0, found[0].time_ns, AT_HOME)
    assert away == Stay(found[0].time_ns, found[2].time_ns + 30 * S, "192.168.0.3")


def binding_update(time_s, sequence, flags, status, lifetime=25, care_of="2001:db8:1::5", agent="2001:db8::a"):
    """An update from a care-of address with the home address option, and its acknowledgement 10 ms later."""
    home = "2001:db8::5"
    asks = IPv6(src=care_of, dst=agent) / IPv6ExtHdrDestOpt(options=[HAO(hoa=home)])
    asks /= MIP6MH_BU(seq=sequence, flags=flags, mhtime=lifetime)
    answers = IPv6(src=agent, dst=care_of) / IPv6ExtHdrRouting(type=2, addresses=[home])
    answers /= MIP6MH_BA(seq=sequence, status=status, mhtime=lifetime - 5 if lifetime else 0)
    return [(time_s, bytes(asks)), (time_s + 0.01, bytes(answers))][: 1 if status is None else 2]


def test_binding_updates(tmp_path):
    """Accepted ones to the home agent (flag H): not those to correspondents, refused ones, or ones nobody acknowledged."""
    packets = [
        *binding_update(1, 1, "HA", 0),
        *binding_update(2, 2, "A", 0, agent="2001:db8:9::9"),
        *binding_update(3, 3, "HA", 130, care_of="2001:db8:2::5"),
        *binding_update(4, 4, "HA", None, care_of="2001:db8:2::5"),
        *binding_update(5, 5, "HA", 1, care_of="2001:db8:3::5"),
        *binding_update(6, 6, "H", None, care_of="2001:db8:4::5"),
        *binding_update(7, 7, "HA", 0, care_of="2001:db8:4::5", lifetime=0),
    ]
    path = tmp_path / "updates.pcap"
    with RawPcapWriter(str(path), linktype=101, nano=True) as out:
        out.write_header(None)
        for time_s, raw in packets:
            out.write_packet(raw, sec=int(time_s), usec=round(time_s % 1 * S))
    found = [(r.time_ns // S, r.home, r.care_of, r.lifetime_s) for r in registrations([handoff_traces.read_signalling(path)])]
    home = "2001:db8::5"
    assert found == [  # units of 4 s; of lifetimes asked and granted the shorter
        (1, home, "2001:db8:1::5", 80), (5, home, "2001:db8:3::5", 80),
        (6, home, "2001:db8:4::5", 100), (7, home, "2001:db8:4::5", 0),
    ]  # fmt: skip


SCENARIO = """\
name = "return"
duration = "28s"
correspondent = { name = "cn" }
home_agent = { name = "ha" }
link = [{ between = ["cn", "ha"], delay = "20ms" }]

[routers]
names = ["house", "fa"]
wired_to = "ha"
wired = { delay = "10ms" }
neighbours = { delay = "10ms" }
cell = { delay = "4ms" }

[[traffic]]
interval = "20ms"
size_bytes = 200

[movement]
capture = [PUBLIC, HOME]
routers = { "192.168.0.0/24" = "fa" }
home = "house"
lead = "500ms"
guard = "20ms"
"""


@pytest.fixture
def returning(tmp_path):
    path = tmp_path / "return.toml"
    text = SCENARIO
    for name in ("public", "home"):
        text = text.replace(name.upper(), f"'{DATA.resolve()}/jv_returnScenario_{name}.pcap'")
    path.write_text(text)
    return path


@real
def test_the_return_run_under_another_procedure(returning):
    """Away 5.002019 s after the first packet of both captures, home again at 23.549157 s (tshark): two handoffs, both in time."""
    setup = build(load_scenario(returning)[0], returning, 1)
    assert setup.movement.up_ps.tolist() == [0, 5_002_019 * 10**6, 23_549_157 * 10**6]
    run = run_procedure(setup, "sync-mipv4", seed=1)
    assert run.handoffs["scenario"].tolist() == [1, 1]
    assert run.result.flows["lost"].sum() == 0
    unwarned = build(load_scenario(returning, ("movement.lead=0", "movement.guard=0"))[0], returning, 1)
    assert run_procedure(unwarned, "mipv4", seed=1).result.flows["lost"].sum() > 0


@real
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["movement.routers={'10.0.0.0/8'='fa'}"], "FILE: movement: care-of addresses of no router: 192.168.0.3; give each"),
        (["movement.routers={'10.0.0.1/8'='fa'}"], "--set: movement.routers: '10.0.0.1/8' is not an address or prefix; did you"),
        (["movement.home=hause"], "FILE:1: movement: no router 'hause'; there are house, fa"),
        (["movement.associations=x.csv"], "FILE:18: movement: give exactly one of 'associations', 'capture', 'trace'"),
        (["movement.capture=none.pcap"], "DIR/none.pcap: byte 0: cannot be opened"),
        (["movement.margin=1"], "--set: movement.margin: 1 has no unit"),
    ],
)  # fmt: skip
def test_a_mistake_is_said(returning, changes, message):
    with pytest.raises(ScenarioError) as caught:
        build(load_scenario(returning, changes)[0], returning, 1)
    found = [p.replace(f"{returning}", "FILE").replace(f"{returning.parent}", "DIR") for p in caught.value.problems]
    assert any(p.startswith(message) for p in found), found


@real
def test_a_capture_without_registrations_is_said(returning):
    text = re.sub(r"capture = .*", f"capture = '{DATA.resolve()}/jv_home.pcap'", returning.read_text())
    returning.write_text(text)
    with pytest.raises(ScenarioError, match="movement: no accepted registration or binding update in the capture"):
        build(load_scenario(returning)[0], returning, 1)
