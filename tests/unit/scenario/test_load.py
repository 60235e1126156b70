"""Reading and validation of scenario files: each mistake is reported in one line with file, line, path and correction."""

import pytest

from handoff.scenario import ScenarioError, load_scenario
from handoff.scenario.load import format_error, line_numbers, read_tables, unknown_fields, validate
from tests.unit.scenario.sample_scenarios import MINIMAL

CASES = [
    ('name = "study"', "", ":1: name: is missing; every scenario needs it"),
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
    ('between = ["cn", "ha"]', 'between = ["cn", "hq"]', ":12: link.0.between: no node 'hq'; there are ha, cn, a, b"),
    ('between = ["cn", "ha"]', 'between = ["cn", "cn"]', ":12: link.0.between: both ends are 'cn': name two nodes"),
    ("[routers]", '[[link]]\nbetween = ["ha", "cn"]\ndelay = "1ms"\n[routers]', ":16: link.1.between: 'ha' and 'cn' are linked by link.0 already"),
    ("[routers]", '[[link]]\nbetween = ["ha", "b"]\ndelay = "1ms"\n[routers]', ":16: link.1.between: 'ha' and 'b' are linked by [routers.wired] already"),
    ("[routers]", '[[router]]\nname = "c"\nservice = "1ms"\n[routers]', ":16: router.0.name: no router 'c'; there are a, b"),
    ("[routers]", '[[router]]\nname = "a"\nservice = "1ms"\n[[router]]\nname = ["b", "a"]\nservice = "2ms"\n[routers]', ":19: router.1.name: router 'a' is listed twice: give it one table"),
    ("[routers]", '[[router]]\nname = "a"\n[routers]', ":15: router.0: changes nothing: give 'wired', 'cell' or the keys of a server"),
    ("[routers]", '[[router]]\nname = "a"\ncell = { rat = "1Mbit/s" }\n[routers]', ":17: router.0.cell.rat: unknown key; did you mean 'rate'?"),
    ("[routers]", '[[router]]\nname = "a"\n[router.wired]\nrate = 0\n[routers]', ":18: router.0.wired.rate: 0 means that nothing is sent"),
    ('between = ["cn", "ha"]', 'between = ["cn"]', ":12: link.0.between: list should have at least 2 items"),
    ('delay = "20ms"', 'delay = "20ms"\nloss = 1.5', ":14: link.0.loss: 1.5 is not a probability: give a number from 0 to below 1"),
    ('delay = "20ms"', 'delay = "20ms"\nrate = "1Gbaud"', ":14: link.0.rate: '1Gbaud' is not a rate: write a number and one of bit/s"),
    ('delay = "20ms"', 'delay = "20ms"\nbuffer_packets = 0', ":14: link.0.buffer_packets: 0 means no packet, not even the one in service: write 'unlimited' for no limit, or 1 for no waiting place"),
    ('delay = "20ms"', 'delay = "20ms"\nbuffer_bytes = 0', ":14: link.0.buffer_bytes: 0 means no packet: write 'unlimited' for no limit, or a size above 0"),
    ('delay = "20ms"', 'delay = "20ms"\nrate = "0kbit/s"', ":14: link.0.rate: 0 means that nothing is sent: write 'unlimited' for no transmission time, or a rate above 0"),
    ('registration = "1ms"', 'registration_queue = 0', ":9: home_agent.registration_queue: 0 means no packet"),
    ('delay = "4ms"', 'delay = "4ms"\nup_rate = 0', ":24: routers.cell.up_rate: 0 means that nothing is sent"),
    ('delay = "20ms"', 'delay = "20ms"\nbuffer_packets = "Infinite"', ":14: link.0.buffer_packets: 'Infinite' is neither an integer nor"),
    ('delay = "20ms"', 'delay = "20ms"\nbuffer_packets = inf', ":14: link.0.buffer_packets: inf is neither an integer nor 'unlimited'"),
    ('delay = "20ms"', 'delay = "20ms"\nbuffer_packets = 1.5', ":14: link.0.buffer_packets: input should be a valid integer"),
    ('names = ["a", "b"]', 'names = ["a", "a"]', "node 'a' is listed twice: give every node a name of its own"),
    ('names = ["a", "b"]', "names = []", ":16: routers.names: list should have at least 1 item"),
    ('wired_to = "ha"', 'wired_to = "home"', ":17: routers.wired_to: no node 'home'"),
    ('delay = "4ms"', 'delay = "4ms"\nshared = "yes"', ":24: routers.cell.shared: 'yes' is neither true nor false: write one of them, without quotes"),
    ("size_bytes = 200", "size_bytes = 200\npoisson = 1", ":28: traffic.0.poisson: 1 is neither true nor false: write one of them, without"),
    ("size_bytes = 200", "size_bytes = 70000", ":27: traffic.0.size_bytes: input should be less than or equal to 65000, not 70000"),
    ('interval = "20ms"', "", ":25: traffic.0: give either 'capture' (a file to replay) or 'interval' and 'size_bytes' (a flow)"),
    ('interval = "20ms"', 'interval = "20ms"\ndirection = "dwn"', ":27: traffic.0.direction: 'dwn' is not one of 'down' or 'up'; did you mean 'down'?"),
    ('interval = "20ms"\nsize_bytes = 200', 'capture = "x.pcap"', "give 'mobile_address' with the 'capture'"),
    ("[movement]", '[options]\nrelay = "l3"\n\n[movement]', ":30: options.relay: 'l3' is not one of 'router' or 'l2'"),
    ("[movement]", '[options]\nretransmit = "10ms"\n\n[movement]', "the first retransmission comes after at least 1 s (RFC 5944, 3.6.3)"),
    ("[movement]", '[options]\nlifetime = "1500ms"\n\n[movement]', "lifetime: give whole seconds (RFC 5944, 3.3)"),
    ("[movement]", "[movement", ":29: not TOML:"),
    ("[movement]", "[[movement]]", ": movement: a list is not a table: write [movement], with single brackets"),
    ("[routers]", "[router]\nname = 'a'\n[routers]", ": router: a table is not a list: write [[router]], with double brackets"),
    ('name = "study"', 'name = "study', ":1: not TOML: Illegal character '\\n'; is a quote missing at the end of the text?"),
]  # fmt: skip


def load_problems(tmp_path, text, changes=()):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, changes)
    return caught.value.problems


def test_valid_scenario_is_returned_with_its_text(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(MINIMAL)
    scenario, text = load_scenario(path)
    assert text == MINIMAL
    assert scenario.duration == 10 * 10**12
    assert scenario.routers.cell.delay == 4 * 10**9


@pytest.mark.parametrize(("old", "new", "message"), CASES)
def test_mistake_is_reported_in_one_line(tmp_path, old, new, message):
    assert old in MINIMAL
    found = load_problems(tmp_path, MINIMAL.replace(old, new, 1))
    assert len(found) == 1
    assert found[0].startswith(str(tmp_path / "s.toml"))
    assert message in found[0]


def test_each_mistake_between_tables_has_a_line_of_its_own(tmp_path):
    attack = '[[attack]]\nkind = "forged registration"\nnode = "ha"\n\n'
    text = MINIMAL + attack + attack.replace('"ha"', '"x"') + attack.replace('"ha"', '"y\\u00e9"')
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line in ('node = "x"', r'node = "y\u00e9"')]
    assert [problem.split(" no node")[0] for problem in load_problems(tmp_path, text)] == [
        f"{tmp_path / 's.toml'}:{lines[0]}: attack.1.node:",
        f"{tmp_path / 's.toml'}:{lines[1]}: attack.2.node:",
    ]


def test_all_mistakes_are_reported_in_the_order_of_the_file(tmp_path):
    text = MINIMAL
    mistakes = [
        ('"10s"', '"10"'),
        ('registration = "1ms"', "registration = 5"),
        ('"4ms"', '"4"'),
        ("200", "0"),
        ('"moves.csv"', "3"),
    ]
    for old, new in mistakes:
        text = text.replace(old, new, 1)
    found = load_problems(tmp_path, text)
    assert [int(line.split("s.toml:")[1].split(":")[0]) for line in found] == [2, 9, 23, 27, 30]


def test_missing_file_is_reported(tmp_path):
    with pytest.raises(ScenarioError, match=r"nothing\.toml: cannot be read: No such file"):
        load_scenario(tmp_path / "nothing.toml")


def test_changes_are_validated_like_the_file(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(MINIMAL)
    scenario, _ = load_scenario(path, ("routers.cell.delay=7ms", "seed=9", "traffic.0.size_bytes=99"))
    assert (scenario.routers.cell.delay, scenario.seed, scenario.traffic[0].size_bytes) == (7 * 10**9, 9, 99)
    assert load_problems(tmp_path, MINIMAL, ("routers.cel.delay=7ms",)) == [
        "--set: routers.cel: unknown key; did you mean 'cell'?"
    ]
    assert load_problems(tmp_path, MINIMAL, ("nonsense",)) == ["--set 'nonsense': write path.to.key=value"]
    assert load_problems(tmp_path, MINIMAL, ("name.x=1",)) == [
        "--set name.x: 'name' is not a table; in a list, name the element by its number"
    ]


def test_unreadable_text_is_reported(tmp_path):
    path = tmp_path / "s.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(ScenarioError, match=r"s\.toml: is not UTF-8 text: wrong byte at offset 8"):
        read_tables(path)


def test_error_message_has_one_line_for_each_problem():
    error = ScenarioError(["a", "b"])
    assert (str(error), error.problems) == ("a\nb", ["a", "b"])


def test_line_numbers_count_tables_of_an_array():
    text = 'name = "x"\n\n[[link]]\nrate = 1\n[[link]]\n"rate" = 2\n[a.b]  # comment\nc.d = 3\n'
    assert line_numbers(text) == {
        ("name",): 1, ("link", 0): 3, ("link", 0, "rate"): 4, ("link", 1): 5, ("link", 1, "rate"): 6,
        ("a", "b"): 7, ("a", "b", "c", "d"): 8,
    }  # fmt: skip


def test_line_numbers_count_arrays_in_tables_and_in_arrays():
    text = "[[a.b]]\nc = 1\n[[a.b]]\nc = 2\n[[a.b.d]]\n[[a.b.d]]\ne = 3\n[[a.b]]\n[[a.b.d]]\n"
    assert line_numbers(text) == {
        ("a", "b", 0): 1, ("a", "b", 0, "c"): 2, ("a", "b", 1): 3, ("a", "b", 1, "c"): 4, ("a", "b", 1, "d", 0): 5,
        ("a", "b", 1, "d", 1): 6, ("a", "b", 1, "d", 1, "e"): 7, ("a", "b", 2): 8, ("a", "b", 2, "d", 0): 9,
    }  # fmt: skip


def test_problem_of_a_changed_field_names_the_option_instead_of_a_line(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(MINIMAL)
    data, text = read_tables(path, ("duration=10",))
    for changes, where in (((), f"{path}:2"), (("duration=10",), "--set")):
        with pytest.raises(ScenarioError) as caught:
            validate(data, path, text, changes)
        assert caught.value.problems == [f"{where}: duration: 10 has no unit: write text with one, as in '20ms'"]


def test_unknown_fields_reports_names_and_not_values(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(MINIMAL)
    data, _ = read_tables(path)
    varied = {"buffer": ["many"], "options.bufer": ["1"], "seed": ["2"], "batchs": ["3"]}
    assert unknown_fields(data, varied) == {
        "options.bufer": "options.bufer: unknown key; did you mean 'new_buffer_bytes'?",
        "seed": "seed: cannot vary: replications take consecutive seeds from 'seed' on",
        "batchs": "batchs: no field of a scenario; did you mean 'batches'?",
    }


def test_format_error_names_path_mistake_and_correction():
    assert format_error({"type": "missing", "loc": ("link", 0, "delay"), "msg": "", "input": {}}) == (
        "link.0.delay: is missing; its table needs it (propagation delay)"
    )
    assert format_error({"type": "value_error", "loc": (), "msg": "Value error, both are wrong"}) == "both are wrong"
    assert format_error({"type": "int_type", "loc": ("seed",), "msg": "Input should be a valid integer", "input": "3"}) == (
        "seed: input should be a valid integer, not '3'"
    )
