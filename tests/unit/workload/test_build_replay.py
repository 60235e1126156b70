"""Scenarios that replay a capture: the worked example of docs/replay.md through the engine, and every mistake at once."""

import struct
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pytest

from engine import Engine
from engine.rng import combine, name_key, random_word
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import CorrespondentTable
from handoff.scenario import ScenarioError, load_scenario
from handoff.scenario.traffic import Traffic
from handoff.simulation.initial_state import install_initial_state
from handoff.workload.build import build_setup
from handoff.workload.capture_stream import open_capture
from handoff.workload.conversation import load_conversations, scale_to_ps

ROOT = Path(__file__).parents[3]
CAPTURE = ROOT / "examples" / "captures" / "commute.pcap"

SCENARIO = """\
name = "example"
duration = "14s"
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
capture = "CAPTURE"
mobile_address = "10.0.2.2"
phase = "5s"
"""


@pytest.fixture
def scenario(tmp_path):
    moves = "mobile,router,up_s,down_s,predict_s,going_down_s\n" + "".join(f"mn{i},a,0,,,\n" for i in range(13))
    (tmp_path / "moves.csv").write_text(moves)
    path = tmp_path / "example.toml"
    path.write_text(SCENARIO.replace("CAPTURE", str(CAPTURE)))
    return path


def test_the_worked_example(scenario):
    """docs/replay.md works out the send times of packet 100 of flow 9 at mn9 in each direction."""
    checked, _ = load_scenario(scenario)
    setup = build_setup(checked, scenario, 1)
    network = setup.network.fork()
    install_initial_state(setup, network, [RoleResolver(setup, compile_program(setup, "mipv4"), CorrespondentTable(network), 1)])
    engine = Engine(network, seed=1, record="packets")
    packets = engine.run(setup.duration_ps).packets
    labels = [label for label, _, n in network.flow_labels for _ in range(n)]
    expected = {0: (13426715427407, 1500), 1: (13426434076407, 126)}
    for up, (sent_ps, size) in expected.items():
        flow = next(
            i for i, label in enumerate(labels)
            if label == "tcp 10.0.1.2:80 10.0.2.2:44614" and network.flows()["up"][i] == up
        )  # fmt: skip
        assert network.mobile_name(int(network.flows()["mobile"][flow])) == "mn9"
        row = np.flatnonzero((packets["flow"] == flow) & (packets["seq"] == 100))
        assert packets["time_ps"][row] - packets["delay_ps"][row] == sent_ps
        replay = network.replays[int(network.flows()["source"][flow]) - 2]
        assert replay.sizes[100 % len(replay)] == size
        assert len(replay) == (44, 49)[up]


def conversations(mobile_address):
    traffic = Traffic(capture=str(CAPTURE), mobile_address=mobile_address)
    return load_conversations([open_capture(CAPTURE)], traffic)[0]


def test_a_conversation_has_both_directions_with_a_common_origin():
    calls = conversations("10.0.2.2")
    assert len(calls) == 13
    call = next(c for c in calls if c.name == "udp 10.0.1.2:5004 10.0.2.2:5004")
    assert (len(call.down), len(call.up)) == (8401, 2801)
    assert call.origin_ns == min(call.down.first_ns, call.up.first_ns)
    length = scale_to_ps(max(call.down.last_ns, call.up.last_ns) - call.origin_ns, call.pace)
    assert call.period_ps == length + length // 11201


def test_exchanging_the_mobile_side_exchanges_the_directions():
    one, other = conversations("10.0.2.2"), conversations("10.0.1.2")
    assert [len(c.down) for c in one] == [len(c.up) for c in other]


def test_an_address_that_is_not_in_the_capture_is_an_error(scenario):
    text = scenario.read_text().replace("10.0.2.2", "10.9.9.9")
    scenario.write_text(text)
    checked, _ = load_scenario(scenario)
    with pytest.raises(ScenarioError, match=r"traffic\.0: no packet of .* has 10\.9\.9\.9 as source or destination"):
        build_setup(checked, scenario, 1)


def test_an_unknown_router_in_the_association_log_is_an_error(scenario):
    (scenario.parent / "moves.csv").write_text("mobile,router,up_s,down_s,predict_s,going_down_s\nmn0,z,0,,,\n")
    checked, _ = load_scenario(scenario)
    with pytest.raises(ScenarioError, match=r"unknown routers z; there are a"):
        build_setup(checked, scenario, 1)


def test_a_flow_without_a_route_is_an_error(scenario):
    text = scenario.read_text().replace('between = ["cn", "ha"]', 'between = ["cn", "x"]')
    scenario.write_text(text + '\n[[node]]\nname = "x"\n')
    checked, _ = load_scenario(scenario)
    with pytest.raises(ScenarioError, match=r"no way from 'cn' to 'ha', which a flow needs: add a link"):
        build_setup(checked, scenario, 1)


@pytest.mark.parametrize(
    ("added", "messages"),
    [
        ('clip = ["1h"]', ["traffic.0: 'clip' leaves nothing of ", "which lasts 170.926728122 s"]),
        ("select = { port = 7 }", ["traffic.0: 'select' and 'exclude' leave none of the 13 flows of "]),
        ('clip_flows = ["1h"]', ["traffic.0: 'clip_flows' leaves nothing of any flow of "]),
        ("flows_per_mobile = 14", ["traffic.0: flows_per_mobile is 14, but there are 13 flows"]),
        (
            'table = { mn44 = ["udp 10.0.1.2:5004 10.0.2.2:5005"], mn3 = ["x"] }',
            [
                "table: no mobile node 'mn44'; did you mean 'mn4'?", "; no flow 'udp 10.0.1.2:5004 10.0.2.2:5005'; "
                "did you mean 'udp 10.0.1.2:5005 10.0.2.2:5005'?", "; no flow 'x'; there are 'tcp 10.0.1.2:80 ",
            ],
        ),
    ],
)  # fmt: skip
def test_keys_that_do_not_fit_the_capture_are_an_error(scenario, added, messages):
    scenario.write_text(scenario.read_text() + added + "\n")
    checked, _ = load_scenario(scenario)
    with pytest.raises(ScenarioError) as caught:
        build_setup(checked, scenario, 1)
    (problem,) = caught.value.problems
    assert all(message in problem for message in messages), problem


def test_all_problems_of_captures_are_reported_together(scenario):
    more = '[[traffic]]\ncapture = ["none.pcap", "text.pcap"]\nmobile_address = "1.2.3.4"\n'
    scenario.write_text(scenario.read_text() + 'clip = ["1h"]\n' + more)
    (scenario.parent / "text.pcap").write_text("no capture, but long enough to be one\n")
    checked, _ = load_scenario(scenario)
    with pytest.raises(ScenarioError) as caught:
        build_setup(checked, scenario, 1)
    problems = caught.value.problems
    assert len(problems) == 3
    assert "none.pcap: byte 0: cannot be opened" in problems[0]
    assert "text.pcap: byte 0" in problems[1]
    assert "traffic.0: 'clip' leaves nothing" in problems[2]


def udp_conversations():
    """Return name and times in ns since the first packet of each UDP conversation of the capture, by its first packet."""
    content, at, times = CAPTURE.read_bytes(), 24, {}
    while at < len(content):
        seconds, ns, captured, _ = struct.unpack_from("<4I", content, at)
        frame = content[at + 16 : at + 16 + captured]
        at += 16 + captured
        if frame[12:14] == b"\x08\x00" and frame[23] == 17:
            ends = [f"{ip_address(frame[a : a + 4])}:{int.from_bytes(frame[p : p + 2])}" for a, p in ((26, 34), (30, 36))]
            name = " ".join(["udp", *sorted(ends, key=lambda end: end.startswith("10.0.2.2"))])
            times.setdefault(name, []).append(seconds * 10**9 + ns)
    return sorted(((name, [t - min(all_) for t in all_], min(all_)) for name, all_ in times.items()), key=lambda row: row[2])


def test_a_note_says_how_much_is_replayed(scenario):
    """tshark counts 14,346 packets of UDP, in four conversations. docs/replay.md says which of them 14 s hold."""
    scenario.write_text(scenario.read_text() + 'select = { protocol = "udp" }\n')
    checked, _ = load_scenario(scenario)
    within = 0
    for number, (name, times, _) in enumerate(udp_conversations()):
        sent = []
        for mobile in range(number, 13, 4):
            entity = combine(combine(name_key(name), name_key("cn")), name_key(f"mn{mobile}"))
            phase = random_word(1, 1000, entity, 0) * 5 * 10**12 >> 64
            sent.append(sum(phase + 1000 * time < 14 * 10**12 for time in times))
        within += max(sent)
    assert within > 1000
    (note,) = build_setup(checked, scenario, 1).notes
    assert note == f"traffic.0: 14,346 of 17,641 packets, in 4 flows are replayed; {within:,} of 14,346 within the run"
