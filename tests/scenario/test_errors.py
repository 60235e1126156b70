"""Every malformed scenario ends in one clear line: file, line, path, what is wrong, what would be right."""

import pytest

from handoff.scenario import ScenarioError, load_scenario

GOOD = """\
name = "study"
duration = "10s"

[correspondent]
name = "cn"

[home_agent]
name = "ha"
registration = "1ms"

[[link]]
between = ["cn", "ha"]
delay = "20ms"

[routers]
names = ["a", "b"]
wired_to = "ha"

[routers.wired]
delay = "10ms"

[routers.cell]
delay = "4ms"

[[traffic]]
interval = "20ms"
size_bytes = 200

[movement]
associations = "moves.csv"
"""

CASES = [
    ('name = "study"', "", ":1: name: is missing; it has to be given"),
    ('name = "study"', 'name = "a b"', ":1: name: 'a b' is not a name: write 1 to 64 characters, none of them a space"),
    ('duration = "10s"', 'duration = "10 sec"', ":2: duration: '10 sec' is not a duration: write a number and one of ps, ns"),
    ('duration = "10s"', "duration = 10", ":2: duration: 10 has no unit: write text with one, as in '20ms'"),
    ('duration = "10s"', 'duration = "-1s"', ":2: duration: '-1s' is out of range"),
    ('duration = "10s"', 'duration = "200 days"', ":2: duration: '200 days' is not a duration"),
    ('duration = "10s"', 'duration = "3000h"', ":2: duration: '3000h' is out of range: a duration is at least 0 and below 2**63 ps"),
    ('duration = "10s"', 'duration = "10s"\nsede = 3', ":3: sede: unknown key; did you mean 'seed'?"),
    ('duration = "10s"', 'duration = "10s"\nseed = "3"', ":3: seed: input should be a valid integer, not '3'"),
    ('duration = "10s"', 'duration = "10s"\nseed = -3', ":3: seed: input should be greater than or equal to 0, not -3"),
    ('registration = "1ms"', 'registraton = "1ms"', ":9: home_agent.registraton: unknown key; did you mean 'registration'?"),
    ('between = ["cn", "ha"]', 'between = ["cn", "hq"]', "no node 'hq'; there are ha, cn, a, b"),
    ('between = ["cn", "ha"]', 'between = ["cn"]', ":12: link.0.between: list should have at least 2 items"),
    ('delay = "20ms"', 'delay = "20ms"\nloss = 1.5', ":14: link.0.loss: 1.5 is not a probability: give a number from 0 to below 1"),
    ('delay = "20ms"', 'delay = "20ms"\nrate = "1Gbps"', ":14: link.0.rate: '1Gbps' is not a rate: write a number and one of bit/s"),
    ('delay = "20ms"', 'delay = "20ms"\nbuffer_packets = 1.5', ":14: link.0.buffer_packets: input should be a valid integer"),
    ('names = ["a", "b"]', 'names = ["a", "a"]', "node 'a' stands twice"),
    ('names = ["a", "b"]', "names = []", ":16: routers.names: list should have at least 1 item"),
    ('wired_to = "ha"', 'wired_to = "home"', "no node 'home'"),
    ('delay = "4ms"', 'delay = "4ms"\nshared = "yes please"', ":24: routers.cell.shared: input should be a valid boolean"),
    ("size_bytes = 200", "size_bytes = 70000", ":27: traffic.0.size_bytes: input should be less than or equal to 65000, not 70000"),
    ('interval = "20ms"', "", ":25: traffic.0: give either 'capture' (a file to replay) or 'interval' and 'size_bytes' (a flow)"),
    ('interval = "20ms"', 'interval = "20ms"\ndirection = "dwn"', ":27: traffic.0.direction: 'dwn' is not one of 'down' or 'up'; did you mean 'down'?"),
    ('interval = "20ms"\nsize_bytes = 200', 'capture = "x.pcap"', "a capture needs 'mobile_address'"),
    ("[movement]", '[options]\nrelay = "l3"\n\n[movement]', ":30: options.relay: 'l3' is not one of 'router' or 'l2'"),
    ("[movement]", '[options]\nretransmit = "10ms"\n\n[movement]', "the first retransmission comes after at least 1 s (RFC 5944, 3.6.3)"),
    ("[movement]", '[options]\nlifetime = "1500ms"\n\n[movement]', "a lifetime is whole seconds (RFC 5944, 3.3)"),
    ("[movement]", "[movement", ":29: not TOML:"),
]  # fmt: skip


def problems(tmp_path, text, changes=()):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, changes)
    return caught.value.problems


def test_the_good_scenario_is_good(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(GOOD)
    scenario, text = load_scenario(path)
    assert text == GOOD
    assert scenario.duration == 10 * 10**12
    assert scenario.routers.cell.delay == 4 * 10**9


@pytest.mark.parametrize(("old", "new", "message"), CASES)
def test_each_mistake_has_its_one_line(tmp_path, old, new, message):
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    assert len(found) == 1
    assert found[0].startswith(str(tmp_path / "s.toml"))
    assert message in found[0]


def test_all_mistakes_are_said_at_once_in_the_order_of_the_file(tmp_path):
    text = GOOD
    mistakes = [('"10s"', '"10"'), ('registration = "1ms"', "registration = 5"), ('"4ms"', '"4"'), ("200", "0"), ('"moves.csv"', "3")]
    for old, new in mistakes:
        text = text.replace(old, new, 1)
    found = problems(tmp_path, text)
    assert [int(line.split("s.toml:")[1].split(":")[0]) for line in found] == [2, 9, 23, 27, 30]


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ScenarioError, match=r"nothing\.toml: cannot be read: No such file"):
        load_scenario(tmp_path / "nothing.toml")


def test_changes_are_checked_like_the_file(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(GOOD)
    scenario, _ = load_scenario(path, ("routers.cell.delay=7ms", "seed=9", "traffic.0.size_bytes=99"))
    assert (scenario.routers.cell.delay, scenario.seed, scenario.traffic[0].size_bytes) == (7 * 10**9, 9, 99)
    assert problems(tmp_path, GOOD, ("routers.cel.delay=7ms",)) == ["--set: routers.cel: unknown key; did you mean 'cell'?"]
    assert problems(tmp_path, GOOD, ("nonsense",)) == ["--set 'nonsense': write path.to.key=value"]
    assert problems(tmp_path, GOOD, ("name.x=1",)) == [
        "--set name.x: 'name' is not a table; in a list, name the element by its number"
    ]


FLOW = 'interval = "20ms"\nsize_bytes = 200'
CAPTURE = 'capture = "x.pcap"\nmobile_address = "10.0.0.1"\n'
SAID_OF_A_REPLAY = [
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
    ('clip = "10s"', "'10s' is not a window: give when it begins and, if it does, ends, as in ['10s', '1min']"),
    ('clip = ["10s", "10s"]', "traffic.0.clip: ['10s', '10s'] ends before it begins"),
    ('clip_flows = ["1ps"]', "['1ps'] is finer than captures are: give whole nanoseconds"),
    ('select = { begins = ["1s", "2"] }', "traffic.0.select.0.begins: '2' is not a duration"),
    ('assign = "hsh"', "traffic.0.assign: 'hsh' is not one of 'round-robin' or 'hash'; did you mean 'hash'?"),
    ('assign = "hash"\nflows_per_mobile = 2', "'flows_per_mobile' means nothing where flows are assigned by hash"),
    ('assign = "hash"\ntable = { mn0 = ["x"] }', "stands instead of 'flows_per_mobile' and 'assign'"),
    ('clocks = "each"', "'clocks' means nothing where there is one capture: leave it out"),
    ('origin = "capture"', "traffic.0.origin: 'capture' is not one of 'flow' or 'stream'"),
    ('loop = "yes"', "traffic.0.loop: input should be a valid boolean"),
]


@pytest.mark.parametrize(("added", "message"), SAID_OF_A_REPLAY)
def test_each_mistake_of_a_replay_has_its_one_line(tmp_path, added, message):
    (problem,) = problems(tmp_path, GOOD.replace(FLOW, CAPTURE + added, 1))
    assert message in problem
    assert ":25: " in problem or ":28: " in problem or ":29: " in problem


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("size_bytes = 200", "size_bytes = 200\npace = 2", "'pace' means nothing where nothing is replayed: leave it out"),
        ('interval = "20ms"', 'capture = "x.pcap"\nmobile_address = "10.0.0.1"', "'size_bytes' means nothing where a capture is replayed"),
        ('interval = "20ms"\nsize_bytes = 200', 'capture = "x"\nmobile_address = "1.2.3.4"\npace = "1/0"', "'1/0' is not a pace"),
        ('interval = "20ms"\nsize_bytes = 200', 'capture = "x"\nmobile_address = "1.2.3.4"\npace = 1e30', "1e+30 is not a pace"),
        ('interval = "20ms"\nsize_bytes = 200', 'capture = "x"\nmobile_address = "1.2.3.4"\ntable = {}', "names at least one mobile node"),
        ('duration = "10s"', 'duration = "1e99999999s"', "'1e99999999s' is not a duration"),
    ],
)
def test_nothing_is_ignored_in_silence(tmp_path, old, new, message):
    (problem,) = problems(tmp_path, GOOD.replace(old, new, 1))
    assert message in problem
