"""Captures of a scenario: the layer of tunnels, messages about addresses, and what is left out."""

import struct
from ipaddress import ip_address

import pytest

from handoff.scenario import ScenarioError, load_scenario
from handoff.workload.build import build_setup

SCENARIO = """\
name = "captures"
duration = "30s"
correspondent = { name = "cn" }
home_agent = { name = "ha" }
link = [{ between = ["cn", "ha"], delay = "20ms" }]
movement = { associations = "moves.csv" }

[routers]
names = ["a"]
wired_to = "ha"
wired = { delay = "10ms" }
cell = { delay = "4ms" }

[[traffic]]
capture = "a.pcap"
"""
UE, SERVER, TUNNEL = ("10.45.0.2", 5000), ("192.0.2.10", 7000), (("198.51.100.1", 2152), ("198.51.100.2", 2152))


def udp(source, destination, payload):
    """Build an IPv4 packet of UDP (RFC 791, RFC 768)."""
    addresses = ip_address(source[0]).packed + ip_address(destination[0]).packed
    head = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0) + addresses
    return head + struct.pack(">HHHH", source[1], destination[1], 8 + len(payload), 0) + payload


def gtp(inner, ends=TUNNEL):
    return udp(*ends, struct.pack(">BBHI", 0x30, 255, len(inner), 7) + inner)


def ipip(inner, source, destination):
    addresses = ip_address(source).packed + ip_address(destination).packed
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(inner), 0, 0, 64, 4, 0) + addresses + inner


def pcap(frames, times=None, lengths=None):
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    for number, frame in enumerate(frames):
        length = lengths[number] if lengths else len(frame)
        seconds = times[number] if times else number
        out.append(struct.pack("<IIII", 1000 + seconds, 0, len(frame), length) + frame)
    return b"".join(out)


INNER = udp(SERVER, UE, b"data")
ANOTHER = udp(SERVER, ("10.45.0.3", 5000), b"data")


@pytest.fixture
def setup(tmp_path):
    """Return a function that builds the setup of a scenario with a capture and keys of its table."""

    def build(content, *lines, mobiles=2):
        moves = "mobile,router,up_s,down_s,predict_s,going_down_s\n" + "".join(f"mn{i},a,0,,,\n" for i in range(mobiles))
        (tmp_path / "moves.csv").write_text(moves)
        (tmp_path / "a.pcap").write_bytes(content)
        path = tmp_path / "scenario.toml"
        path.write_text(SCENARIO + "\n".join(lines) + "\n")
        checked, _ = load_scenario(path)
        return build_setup(checked, path, 1)

    return build


def lines(built):
    """Return what ``handoff validate`` prints of the captures."""
    return *built.notes, *built.warnings


def problem_of(setup, *arguments):
    with pytest.raises(ScenarioError) as caught:
        setup(*arguments)
    (problem,) = caught.value.problems
    return problem.split("traffic.0: ")[1]


def labels(built):
    return sorted(label for label, _, _ in built.network.flow_labels)


def test_inner_addresses_select_users(setup):
    built = setup(pcap([gtp(INNER), gtp(ANOTHER)] * 2), 'mobile_address = "10.45.0.0/16"')
    assert labels(built) == ["udp 192.0.2.10:7000 10.45.0.2:5000", "udp 192.0.2.10:7000 10.45.0.3:5000"]
    assert lines(built) == ("traffic.0: 4 of 4 packets, in 2 flows are replayed; 4 of 4 within the run",)


@pytest.mark.parametrize("key", ["", 'tunnel = "outer"'])
def test_outer_addresses_select_tunnels(setup, key):
    """Without the key, the layer is the one that has the address."""
    built = setup(pcap([gtp(INNER), gtp(ANOTHER)]), 'mobile_address = "198.51.100.2"', key)
    assert labels(built) == ["udp 198.51.100.1:2152 198.51.100.2:2152"]


def test_the_inner_layer_is_preferred_where_both_match(setup):
    both = 'mobile_address = ["10.45.0.2", "198.51.100.2"]'
    assert labels(setup(pcap([gtp(INNER)]), both)) == ["udp 192.0.2.10:7000 10.45.0.2:5000"]
    assert labels(setup(pcap([gtp(INNER)]), both, 'tunnel = "outer"')) == ["udp 198.51.100.1:2152 198.51.100.2:2152"]


def test_an_address_of_the_other_layer_is_not_called_absent(setup):
    content = pcap([gtp(INNER), gtp(ANOTHER)])
    outer = problem_of(setup, content, 'mobile_address = "10.45.0.0/16"', 'tunnel = "outer"')
    assert outer == "a.pcap has 10.45.0.0/16 only inside its tunnels, in 2 packets: give tunnel = 'inner', or leave it out"
    inner = problem_of(setup, content, 'mobile_address = "198.51.100.1"', 'tunnel = "inner"')
    assert inner == "a.pcap has 198.51.100.1 only outside its tunnels, in 2 packets: give tunnel = 'outer', or leave it out"


def test_an_end_of_a_tunnel_inside_another_is_not_called_absent(setup):
    content = pcap([gtp(ipip(INNER, "203.0.113.1", "203.0.113.2"))])
    problem = problem_of(setup, content, 'mobile_address = "203.0.113.2"')
    assert problem.startswith("203.0.113.2 is only an end of a tunnel inside another one in a.pcap (1 packets)")


def test_an_address_at_both_ends_is_not_called_absent(setup):
    content = pcap([udp(("10.45.0.2", 1), ("10.45.0.3", 2), b"data")])
    problem = problem_of(setup, content, 'mobile_address = "10.45.0.0/16"')
    assert problem == "1 packets of a.pcap have 10.45.0.0/16 at both ends and none at one: give 'mobile_address' of one side"


def test_packets_that_are_not_looked_into_are_named_with_an_absent_address(setup):
    esp = bytearray(udp(SERVER, UE, b"data"))
    esp[9] = 50
    problem = problem_of(setup, pcap([bytes(esp), INNER]), 'mobile_address = "10.9.9.9"')
    expected = "no packet of a.pcap has 10.9.9.9 as source or destination, but some are not looked into: 1 (ESP (RFC 4303))"
    assert problem == expected


def test_records_left_out_are_notes_and_facts_of_the_setup(setup):
    content = pcap([INNER] * 3, lengths=[len(INNER), 20, len(INNER)])
    mobile = 'mobile_address = "10.45.0.2"'
    with pytest.raises(ScenarioError, match="on_bad_record = 'skip'"):
        setup(content, mobile)
    built = setup(content, mobile, 'on_bad_record = "skip"')
    reason = "more bytes were captured than sent"
    assert lines(built)[1:] == (f"a.pcap: records left out: 1 ({reason})",)
    assert built.skipped == {"a.pcap": {reason: 1}}
    first = setup(content, mobile, 'on_bad_record = "keep-first"')
    assert lines(first)[0] == "traffic.0: 1 of 1 packets, in 1 flows are replayed; 1 of 1 within the run"
    assert lines(first)[1].startswith("a.pcap: reading ended at byte")
    assert setup(pcap([INNER]), mobile).skipped == {}


def test_fragments_are_replayed_by_one_mobile_node(setup):
    """Two datagrams in three fragments each are one flow (RFC 791), which the table gives to mn0 alone."""
    frames = []
    for identification in (1, 2):
        for offset, more in ((0, 0x2000), (185, 0x2000), (370, 0)):
            piece = bytearray(udp(SERVER, UE, bytes(1472 if more else 40)))
            piece[4:8] = struct.pack(">HH", identification, offset | more)
            frames.append(bytes(piece))
    built = setup(pcap(frames), 'mobile_address = "10.45.0.2"', 'assign = "hash"')
    assert [(label, count) for label, _, count in built.network.flow_labels] == [("udp 192.0.2.10:7000 10.45.0.2:5000", 1)]
    assert [len(replay) for replay in built.network.replays] == [6]


STRAY = [0, 65_536, 1, 2, 3]  # seconds


@pytest.mark.parametrize(("loop", "verb"), [("false", "would be"), ("true", "is")])
def test_a_stray_time_is_counted_and_warned_of(setup, loop, verb):
    """65,536 s - 3 s = 65,533 s = 18 h 12 min 13 s."""
    built = setup(pcap([INNER] * 5, STRAY), 'mobile_address = "10.45.0.2"', f"loop = {loop}")
    amount, warning = lines(built)
    assert amount == "traffic.0: 5 of 5 packets, in 1 flows are replayed; 4 of 5 within the run"
    assert warning == (
        f"traffic.0: with loop, the flow udp 192.0.2.10:7000 10.45.0.2:5000 {verb} silent for 18 h 12 min: if a time "
        "stamp of the capture is wrong, leave it out with 'clip'"
    )


def test_a_time_beyond_any_run_is_named_with_its_distance(setup):
    """Times are below 2**63 ps, which are 106 days and 18 hours."""
    content, mobile = pcap([INNER] * 2, [0, 107 * 86_400]), 'mobile_address = "10.45.0.2"'
    assert problem_of(setup, content, mobile) == (
        "the flow udp 192.0.2.10:7000 10.45.0.2:5000 has a packet 107 days after its beginning, and a replay takes at most "
        "106 days: if a time stamp of the capture is wrong, leave its packet out with 'clip', or with editcap"
    )
    assert "; 1 of 1 within the run" in lines(setup(content, mobile, 'clip = ["0s", "1s"]'))[0]
    assert "; 1 of 2 within the run" in lines(setup(content, mobile, 'pace = "0.5"'))[0]


@pytest.mark.parametrize(
    ("times", "key", "within"),
    [
        ([0, 10, 20, 29, 30], "", 4),  # a packet at the end of the run is not in it
        ([0, 10, 20, 29, 30], 'pace = "0.5"', 5),
        ([0, 10, 20, 29, 30], 'pace = "3"', 1),
        ([0, 10, 20, 29, 30], 'shift = "11s"', 2),
        ([5, 10, 20, 29, 30], 'clip = ["10s", "25s"]', 2),  # 0, 5, 15, 24 and 25 s after the first packet
        ([-900, 0, 10, 20, 29], "", 1),
        ([0, 10, 20, 29, 40], 'clip_flows = ["0s", "15s"]', 2),
    ],
)
def test_packets_within_a_run_of_30_s(setup, times, key, within):
    built = setup(pcap([INNER] * 5, times), 'mobile_address = "10.45.0.2"', key)
    assert f"; {within} of " in lines(built)[0]


def test_a_flow_that_no_mobile_node_replays_is_not_within_the_run(setup):
    built = setup(pcap([gtp(INNER), gtp(ANOTHER)] * 2), 'mobile_address = "10.45.0.0/16"', mobiles=1)
    assert lines(built) == ("traffic.0: 4 of 4 packets, in 2 flows are replayed; 2 of 4 within the run",)


def test_a_first_packet_long_before_the_others_is_warned_of(setup):
    """A clock that was set after the first packet: 900 s = 15 min."""
    built = setup(pcap([INNER] * 5, [-900, 0, 1, 2, 3]), 'mobile_address = "10.45.0.2"')
    assert "1 of 5 within the run" in lines(built)[0]
    assert "silent for 15 min 0 s" in lines(built)[1]


def test_pauses_shorter_than_the_run_are_no_warning(setup):
    assert len(lines(setup(pcap([INNER] * 3, [0, 25, 54]), 'mobile_address = "10.45.0.2"'))) == 1
