"""Table ``[[traffic]]`` of a scenario file: captures to replay and flows."""

from fractions import Fraction

import pytest

from handoff.scenario.traffic import Filter, TimeWindow, Traffic
from tests.unit.scenario.sample_scenarios import MINIMAL
from tests.unit.scenario.test_load import load_problems

FLOW = 'interval = "20ms"\nsize_bytes = 200'
CAPTURE = 'capture = "x.pcap"\nmobile_address = "10.0.0.1"\n'
REPLAY_MISTAKES = [
    ('pace = "1.0000000000000001"', "traffic.0.pace: '1.0000000000000001' has too many digits for a pace: give 15 at most"),
    ('mobile_adress = "1.2.3.4"', "traffic.0.mobile_adress: unknown key; did you mean 'mobile_address'?"),
    ("select = { prot = 6 }", "traffic.0.select.0.prot: unknown key; did you mean 'port'?"),
    ('select = { protocol = "tpc" }', "traffic.0.select.0.protocol: 'tpc' is not a protocol; did you mean 'tcp'?"),
    ("select = { protocol = 256 }", "256 is not a protocol; give a number from 0 to 255 or one of icmp, tcp"),
    ('select = { port = "80-70" }', "'80-70' is not a port: give a number from 1 to 65535, or a range as in '5000-5010'"),
    ("exclude = { port = [1, true] }", "traffic.0.exclude.0.port: True is not a port"),
    ("select = { port = [] }", "at least 1 item"),
    ('exclude = [{ address = "10.0.0.1/8" }]', "'10.0.0.1/8' is not an address or prefix; did you mean '10.0.0.0/8'?"),
    ('exclude = { source = "10.0.0" }', "'10.0.0' is not an address or prefix, as in '10.0.0.7', '10.0.0.0/8'"),
    ("exclude = { source = 10 }", "10 is not an address or prefix"),
    ("select = {}", "traffic.0.select.0: is empty; give at least one of source, destination"),
    ('select = { direction = "dwn" }', "'dwn' is not one of 'down' or 'up'; did you mean 'down'?"),
    ("select = { min_duration = 3 }", "3 has no unit: write text with one, as in '20ms'"),
    ('clip = "10s"', "'10s' is not a window: give its begin and, if it has one, its end, as in ['10s', '1min']"),
    ('clip = ["10s", "10s"]', "traffic.0.clip: ['10s', '10s'] ends before it begins"),
    ('clip_flows = ["1ps"]', "['1ps'] is finer than the times of a capture: give whole nanoseconds"),
    ('select = { begins = ["1s", "2"] }', "traffic.0.select.0.begins: '2' is not a duration"),
    ('assign = "hsh"', "traffic.0.assign: 'hsh' is not one of 'round-robin' or 'hash'; did you mean 'hash'?"),
    ("flows_per_mobile = 0", "traffic.0.flows_per_mobile: input should be greater than or equal to 1, not 0"),
    ('flows_per_mobile = "every"', "traffic.0.flows_per_mobile: input should be a valid integer, not 'every'"),
    ('assign = "hash"\nflows_per_mobile = 2', "'flows_per_mobile' does not apply to assignment by hash"),
    ('assign = "hash"\ntable = { mn0 = ["x"] }', "'table' replaces 'assign': leave one or the other out"),
    ('clocks = "each"', "'clocks' does not apply to a single capture: leave it out"),
    ('origin = "capture"', "traffic.0.origin: 'capture' is not one of 'flow' or 'stream'"),
    ('loop = "yes"', "traffic.0.loop: 'yes' is neither true nor false"),
]


@pytest.mark.parametrize(("added", "message"), REPLAY_MISTAKES)
def test_mistake_of_a_replay_is_reported_in_one_line(tmp_path, added, message):
    (problem,) = load_problems(tmp_path, MINIMAL.replace(FLOW, CAPTURE + added, 1))
    assert message in problem
    assert ":25: " in problem or ":28: " in problem or ":29: " in problem


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("size_bytes = 200", "size_bytes = 200\npace = 2", "leave out 'pace': not used for a flow"),
        (FLOW, CAPTURE + "size_bytes = 200", "leave out 'size_bytes': not used for the replay of a capture"),
        (FLOW, CAPTURE + 'pace = "1/0"', "'1/0' is not a pace"),
        (FLOW, CAPTURE + "pace = 1e30", "1e+30 is not a pace"),
        (FLOW, CAPTURE + "table = {}", "'table' is empty: name at least one mobile node"),
        (FLOW, 'capture = "x.pcap"', "give 'mobile_address' with the 'capture'"),
        (FLOW, 'interval = "0s"\nsize_bytes = 200', "a flow needs an 'interval' above 0 and 'size_bytes': give both"),
        (FLOW, FLOW + '\nmobile_correspondent = { mn1 = "mn1" }', "'mn1' is its own correspondent: name another mobile node"),
        (FLOW, FLOW + "\nmobile_correspondent = {}", "{} names no mobile nodes: give 'ring', 'random', the name of one, or a"),
        (FLOW, FLOW + "\nmobile_correspondent = { mn1 = 2 }", "{'mn1': 2} names no mobile nodes"),
        (FLOW, FLOW + '\ncorrespondent = "cn"\nmobile_correspondent = "ring"',
         "'correspondent' is a node, 'mobile_correspondent' a mobile node: leave one out"),
        ('duration = "10s"', 'duration = "1e99999999s"', "'1e99999999s' is not a duration"),
    ],
)
def test_unused_or_invalid_key_is_reported(tmp_path, old, new, message):
    (problem,) = load_problems(tmp_path, MINIMAL.replace(old, new, 1))
    assert message in problem


def test_filter_reads_prefixes_ports_protocols_and_times():
    conditions = Filter.model_validate(
        {"source": "10.0.0.0/8", "port": [53, "5000-5010"], "protocol": ["UDP", 6], "begins": ["1us", "2ms"]}
    )
    assert [str(prefix) for prefix in conditions.source] == ["10.0.0.0/8"]
    assert conditions.port == ((53, 53), (5000, 5010))
    assert conditions.protocol == (17, 6)  # IANA numbers of UDP and TCP
    assert conditions.begins == TimeWindow(1000, 2_000_000)


@pytest.mark.parametrize(("time_ns", "inside"), [(9, False), (10, True), (19, True), (20, False)])
def test_time_window_excludes_its_end(time_ns, inside):
    assert TimeWindow(10, 20).holds(time_ns) is inside
    assert TimeWindow(10, None).holds(time_ns) is (time_ns >= 10)


def test_pace_is_exact():
    replay = {"capture": "x.pcap", "mobile_address": "10.0.0.1", "pace": "1/3"}
    assert Traffic.model_validate(replay).factor == Fraction(1, 3)
