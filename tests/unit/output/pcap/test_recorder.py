"""Captures of runs, read back: columns, signalling, flows, Mobile IPv4 authenticators, link patterns, errors."""

from __future__ import annotations

import hashlib
import hmac
import struct

import numpy as np
import pytest

import handoff_traces
from engine.rng import name_key, random_word
from handoff.output.pcap.recorder import matching_links
from handoff.protocol.messages import MessageFields
from tests.conformance.cases import BREAK
from tests.conformance.two_router_scene import Scene, Stay
from tests.unit.output.pcap.recorded_runs import frames, messages_of, record, setup_of


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return record(setup_of(7, "rfc"), "sync-mipv4", tmp_path_factory.mktemp("capture") / "run.pcapng")


def test_the_capture_reader_returns_the_recorded_columns(recorded):
    outer, inner = (handoff_traces.read_capture(recorded.path, tunnels=which) for which in ("outer", "inner"))
    rows = recorded.hops.rows
    assert outer.truncated is None
    assert outer.time_ns.tolist() == (rows["start_ps"] // 1000).tolist()
    length = rows["size_bytes"].astype(np.int64) + rows["extra_bytes"]
    assert outer.wire_length.tolist() == outer.ip_length.tolist() == length.tolist()
    assert inner.ip_length.tolist() == rows["size_bytes"].tolist()
    assert [i.name for i in outer.interfaces] == recorded.links


READ_AS = {
    4: {"RQ": {2, 4}, "RR": {3, 5}, "DRR": {3, 5}, "BU": {8}, "BA": {8}, "AA": {0}, "AS": {1}},
    6: {"HoTI": {33}, "CoTI": {34}, "HoT": {35}, "CoT": {36}, "BU": {37}, "DBU": {37}, "BA": {38}, "DBA": {38}, "HADQ": {9},
        "HADR": {10}},
}  # fmt: skip
"""Keys of ``handoff_traces.KINDS`` for each kind of message. IPv6 router discovery does not belong to Mobile IP."""


@pytest.mark.parametrize("procedure", ["sync-hmipv4", "sync-mipv6", "mipv6-ro", "hmipv6-bicast"])
def test_the_capture_reader_finds_the_written_signalling(procedure, tmp_path):
    setup = setup_of(9, "patent", return_routability=True)
    run = record(setup, procedure, tmp_path / "run.pcapng")
    read_as = READ_AS[run.recorder.ip]
    rows = run.hops.rows[run.hops.rows["message"] >= 0]
    messages = [MessageFields.unpack(args) for args in run.hops.messages["args"].tolist()]
    expected = [
        (int(row["start_ps"]) // 1000, read_as[kind], messages[row["message"]].lifetime_s)
        for row, (_, kind) in zip(rows, messages_of(run), strict=True)
        if kind in read_as
    ]
    read = handoff_traces.read_signalling(run.path).messages
    assert len(read) == len(expected) > 20
    for i, (time_ns, kinds, lifetime_s) in enumerate(expected):
        assert read.time_ns[i] == time_ns
        assert int(read.kind[i]) in kinds
        if read.kind[i] in (2, 3, 4, 5):
            assert read.lifetime_s[i] == lifetime_s
        elif read.kind[i] in (37, 38):
            assert lifetime_s <= read.lifetime_s[i] < lifetime_s + 4


def test_the_capture_has_the_flows_of_the_network(tmp_path):
    setup = setup_of(7, "patent")
    run = record(setup, "mipv4", tmp_path / "cn.pcapng", links=["cn>ha", "cn>g0"])
    capture, rows = handoff_traces.read_capture(run.path), run.hops.rows
    data = rows["message"] < 0
    assert data.all()
    label_of = np.repeat(np.arange(len(setup.network.flow_labels)), [n for _, _, n in setup.network.flow_labels])
    expected = {}
    for row in rows:
        label, up = setup.network.flow_labels[label_of[row["flow"]]][0], row["kind"]
        expected.setdefault((label, int(row["mobile"]), up), 0)
        expected[label, int(row["mobile"]), up] += 1
    flows = capture.flows
    ends = {(flows.src_text(i), flows.dst_text(i), int(flows.protocol[i]), int(flows.sport[i]), int(flows.dport[i])): int(n)
            for i, n in enumerate(flows.packets)}  # fmt: skip
    cn = f"10.128.{setup.network.node_index('cn')}.1"
    for port, label in ((80, "tcp 10.0.1.2:80 10.0.2.2:40000"),):
        for mobile in range(4):
            assert ends[cn, f"10.0.0.{mobile + 1}", 6, port, 40000] == expected[label, mobile, 0]
    assert sum(ends.values()) == len(rows)
    # two recorded correspondents use the same ports: one conversation gets another port
    assert {dport for _, _, _, sport, dport in ends if sport == 5004} == {5004, 5005}


@pytest.mark.parametrize(("procedure", "home"), [("mipv4", "10.0.0.{0}"), ("sync-mipv6-ro", "2001:db8:3::1:{1:x}")])
def test_calls_between_mobile_nodes_have_their_home_addresses(procedure, home, tmp_path):
    """From home address to home address (docs/export.md), on every link and inside the tunnel to the receiver."""
    setup = setup_of(7, "patent")
    network, ends = setup.network, list(zip(*setup.network.flow_mobiles(), strict=True))
    assert network.node_index("ha") == 2
    run = record(setup, procedure, tmp_path / "run.pcapng")
    calls = {first: ends[first] for label, first, _ in network.flow_labels if label == "call"}
    expected, tunnelled = {}, 0
    for row in run.hops.rows:
        if int(row["flow"]) in calls:
            addresses = tuple(home.format(m + 1, m) for m in calls[int(row["flow"])])
            expected[addresses] = expected.get(addresses, 0) + 1
            tunnelled += row["depth"] > 0
            assert (row["kind"] == 1) <= (row["depth"] == 0), "on the way up there is no tunnel"
    flows = handoff_traces.read_capture(run.path, tunnels="inner").flows
    found = {(flows.src_text(i), flows.dst_text(i)): int(flows.packets[i])
             for i in range(len(flows.packets)) if flows.sport[i] == flows.dport[i] == 5000}  # fmt: skip
    assert found == expected
    assert tunnelled > 100


def test_registrations_carry_the_authenticator_of_the_derived_key(recorded):
    """RFC 5944 3.5.1: HMAC-MD5 over everything before the authenticator. docs/export.md describes the key."""
    checked = 0
    for frame in frames(recorded.path):
        packet = frame.bytes
        if packet[9] != 17 or packet[20:24] != struct.pack(">HH", 434, 434):
            continue
        message = packet[28:]
        kind, home = message[0], message[4:8]
        extension = {1: 24, 3: 20, 18: 20, 19: 16}[kind]
        assert message[extension : extension + 6] == bytes([32, 20]) + struct.pack(">I", 256)
        mobile = int.from_bytes(home, "big") - int.from_bytes(bytes([10, 0, 0, 1]), "big")
        secret = random_word(1, 1005, name_key(f"mn{mobile}"), 0).to_bytes(8, "big")
        mac = hmac.new(hashlib.sha256(b"Mobile-Home" + secret).digest()[:16], message[:-16], "md5")
        assert mac.digest() == message[-16:]
        checked += 1
    assert checked > 50


def test_identifications_are_the_time_of_sending(recorded):
    """RFC 5944 5.7.1: seconds since 1900 and their fraction."""
    interfaces = recorded.links
    on_air = [f for f in frames(recorded.path) if "<" in interfaces[f.interface] and f.bytes[9] == 17 and f.bytes[28] == 1]
    assert len(on_air) > 5
    for frame in on_air:
        seconds, fraction = struct.unpack(">II", frame.bytes[28 + 16 : 28 + 24])
        identification_ns = (seconds - 2_208_988_800) * 10**9 + fraction * 10**9 // 2**32
        assert 0 <= frame.time_ns - identification_ns < 10**9


def test_the_snap_length_cuts_bytes_but_not_the_recorded_length(tmp_path):
    setup = setup_of(7, "patent")
    full, cut = (record(setup, "mipv4", tmp_path / f"{snap}.pcapng", snap=snap) for snap in (None, 60))
    for original, short in zip(frames(full.path), frames(cut.path), strict=True):
        assert short.length == original.length == len(original.bytes)
        assert short.bytes == original.bytes[:60]


def test_only_chosen_links_are_interfaces(tmp_path):
    setup = setup_of(5, "rfc")
    everything = record(setup, "sync-mipv6-ro", tmp_path / "all.pcapng")
    some = record(setup, "sync-mipv6-ro", tmp_path / "some.pcapng", links=["r0>*", "ha>g0"])
    wanted = [f[1:] for f in frames(everything.path) if everything.links[f.interface] in some.links]
    assert [f[1:] for f in frames(some.path)] == wanted


def test_patterns_select_links():
    names = setup_of(1, "patent").network.link_names()
    assert matching_links([], names) == sorted(names)
    assert matching_links(["ha>g*", "r0[<>]?"], names) == ["ha>g0", "ha>g1", "r0<*", "r0>*"]
    with pytest.raises(ValueError, match=r"no link matches 'ha>x0'; did you mean 'ha>g0'\?"):
        matching_links(["ha>x0", "r0>*"], names)


def test_packets_shorter_than_a_header_are_refused_before_the_run(tmp_path):
    setup = setup_of(1, "patent")
    setup.network.cbr("cn", 0, interval="50ms", size_bytes=30, label="tiny")
    record(setup, "mipv4", tmp_path / "a.pcapng")
    with pytest.raises(ValueError, match="flow 'tiny' has packets of 30 bytes; an IPv6 packet has at least 40"):
        record(setup, "mipv6", tmp_path / "b.pcapng")
    assert [p.name for p in tmp_path.iterdir()] == ["a.pcapng"]


@pytest.mark.parametrize(
    ("procedure", "scene"),
    [
        ("mipv6", Scene(BREAK.stays, temporary_home_agent=True)),  # a hand-over adds no header between two tunnels
        ("sync-mipv4", Scene([Stay("old", down=600, predict=500, warn=590), Stay("ha", up=520)], home_link=True)),
        ("mipv6", Scene([Stay("ha", down=600), Stay("new", up=520)], home_link=True)),
    ],
)
def test_hand_overs_and_moves_to_and_from_the_home_link_are_recorded(procedure, scene, tmp_path):
    run = record(scene.setup(down=range(400, 1000, 10)), procedure, tmp_path / "run.pcapng")
    outer, inner = (handoff_traces.read_capture(run.path, tunnels=which) for which in ("outer", "inner"))
    rows = run.hops.rows
    assert outer.ip_length.tolist() == (rows["size_bytes"].astype(np.int64) + rows["extra_bytes"]).tolist()
    assert inner.ip_length.tolist() == rows["size_bytes"].tolist()
