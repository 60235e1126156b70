"""Attachments from registrations in captures: cases worked out by hand (docs/movement.md), and recorded captures."""

import ipaddress
from pathlib import Path

import pytest
from scapy.layers.inet6 import HAO, MIP6MH_BA, MIP6MH_BU, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting
from scapy.utils import RawPcapWriter

import handoff_traces
from handoff.mobility.registrations import (
    AT_HOME,
    Registration,
    Residence,
    accepted_registrations,
    attachments_from_registrations,
    residences,
)

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent")
S, MS = 10**9, 10**9  # a second in ns, a millisecond in ps
HOME, X, Y, Z = "10.0.0.1", "10.1.0.1", "10.2.0.1", "10.2.0.9"


def registered(at, care_of, lifetime_s=100, simultaneous=False):
    return Registration(at * S, HOME, care_of, lifetime_s, simultaneous)


def residence_rows(*accepted):
    return [(s.place, s.up_ns // S, None if s.down_ns is None else s.down_ns // S) for s in residences(accepted, 0)]


BY_HAND = {
    "nothing": ([], [(AT_HOME, 0, None)]),
    "one": ([registered(5, X)], [(AT_HOME, 0, 5), (X, 5, 105)]),
    "refreshed": ([registered(5, X), registered(55, X)], [(AT_HOME, 0, 5), (X, 5, 155)]),
    "moved": ([registered(5, X), registered(25, Y)], [(AT_HOME, 0, 5), (X, 5, 25), (Y, 25, 125)]),
    "without end": ([registered(5, X, None)], [(AT_HOME, 0, 5), (X, 5, None)]),
    "lapsed, and later elsewhere": ([registered(5, X, 10), registered(25, Y)], [(AT_HOME, 0, 5), (X, 5, 15), (Y, 25, 125)]),
    "lapsed, and later there": ([registered(5, X, 10), registered(25, X)], [(AT_HOME, 0, 5), (X, 5, 15), (X, 25, 125)]),
    "beside": ([registered(5, X), registered(25, Y, simultaneous=True)], [(AT_HOME, 0, 5), (X, 5, 105), (Y, 25, 125)]),
    "beside, then one ended": (
        [registered(5, X), registered(25, Y, simultaneous=True), registered(30, X, 0)],
        [(AT_HOME, 0, 5), (X, 5, 30), (Y, 25, 125)],
    ),
    "ended": ([registered(5, X), registered(25, X, 0)], [(AT_HOME, 0, 5), (X, 5, 25), (AT_HOME, 25, None)]),
    "all ended": (
        [registered(5, X), registered(6, Y, simultaneous=True), registered(25, HOME, 0)],
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
def test_residences_by_hand(case):
    accepted, expected = BY_HAND[case]
    assert sorted(residence_rows(*accepted), key=str) == sorted(expected, key=str)


def test_addresses_of_one_router_are_one_attachment(monkeypatch):
    """Y and Z belong to one router; only the move to X has events; what ended before ``begin`` is left out."""
    accepted = [registered(5, Y), registered(25, Z), registered(40, X), registered(60, Y, 0), registered(61, HOME, 0)]
    monkeypatch.setattr("handoff.mobility.registrations.accepted_registrations", lambda captures: accepted)
    capture = type("Capture", (), {"facts": type("Facts", (), {"times_ns": (0, 70 * S)})})
    routers = {ipaddress.ip_network(p): r for p, r in (("10.1.0.0/16", "a"), ("10.2.0.0/16", "b"), ("10.0.0.0/8", "c"))}
    log = attachments_from_registrations(
        [capture], routers, None, lead_ps=500 * MS, guard_ps=20 * MS, begin_ps=30_000 * MS, until_ps=90_000 * MS
    )
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
def test_registrations_of_the_away_run(places):
    """tshark lists three requests from 192.168.0.3 to 192.168.0.2, 28.0 and 27.0 s apart, each accepted for 30 s."""
    registrations = accepted_registrations(read(*(f"awayScenario_{place}" for place in places)))
    rows = [(r.home, r.care_of, r.lifetime_s, r.simultaneous) for r in registrations]
    assert rows == [("192.168.2.1", "192.168.0.3", 30, False)] * 3
    assert [round((r.time_ns - registrations[0].time_ns) / S, 2) for r in registrations] == [0, 28.01, 55.01]
    (at_home, away) = residences(registrations, 0)
    assert at_home == Residence(0, registrations[0].time_ns, AT_HOME)
    assert away == Residence(registrations[0].time_ns, registrations[2].time_ns + 30 * S, "192.168.0.3")


def binding_update(time_s, sequence, flags, status, lifetime=25, care_of="2001:db8:1::5", agent="2001:db8::a"):
    """Build an update from a care-of address with the home address option, and its acknowledgement 10 ms later."""
    home = "2001:db8::5"
    update = IPv6(src=care_of, dst=agent) / IPv6ExtHdrDestOpt(options=[HAO(hoa=home)])
    update /= MIP6MH_BU(seq=sequence, flags=flags, mhtime=lifetime)
    acknowledgement = IPv6(src=agent, dst=care_of) / IPv6ExtHdrRouting(type=2, addresses=[home])
    acknowledgement /= MIP6MH_BA(seq=sequence, status=status, mhtime=lifetime - 5 if lifetime else 0)
    return [(time_s, bytes(update)), (time_s + 0.01, bytes(acknowledgement))][: 1 if status is None else 2]


def test_accepted_binding_updates(tmp_path):
    """Updates to correspondents (no flag H), rejected ones, and unacknowledged ones with flag A do not count."""
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
    registrations = accepted_registrations([handoff_traces.read_signalling(path)])
    home = "2001:db8::5"
    # Lifetimes are in units of 4 s; the shorter of the requested and the accepted one counts.
    assert [(r.time_ns // S, r.home, r.care_of, r.lifetime_s) for r in registrations] == [
        (1, home, "2001:db8:1::5", 80), (5, home, "2001:db8:3::5", 80),
        (6, home, "2001:db8:4::5", 100), (7, home, "2001:db8:4::5", 0),
    ]  # fmt: skip


def test_a_care_of_address_of_no_router_is_an_error(monkeypatch):
    monkeypatch.setattr("handoff.mobility.registrations.accepted_registrations", lambda captures: [registered(5, X)])
    capture = type("Capture", (), {"facts": type("Facts", (), {"times_ns": (0, 70 * S)})})
    routers = {ipaddress.ip_network("10.2.0.0/16"): "b"}
    with pytest.raises(ValueError, match=r"care-of addresses of no router: 10\.1\.0\.1; give each a place in 'routers'"):
        attachments_from_registrations([capture], routers, None, until_ps=S)


def test_the_home_link_is_a_router_if_it_has_one(monkeypatch):
    """At home until 5 s, then away without an end; without lead and guard there are no layer-2 events."""
    monkeypatch.setattr("handoff.mobility.registrations.accepted_registrations", lambda captures: [registered(5, X, None)])
    capture = type("Capture", (), {"facts": type("Facts", (), {"times_ns": (0, 70 * S)})})
    routers = {ipaddress.ip_network("10.1.0.0/16"): "a"}
    log = attachments_from_registrations([capture], routers, "house", until_ps=9_000 * MS)
    assert [log.router_names[r] for r in log.router] == ["house", "a"]
    assert (log.up_ps.tolist(), log.down_ps.tolist()) == ([0, 5_000 * MS], [5_000 * MS, -1])
    assert (log.predict_ps.tolist(), log.going_down_ps.tolist()) == ([-1, -1], [-1, -1])
