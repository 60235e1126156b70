"""Problems between tables are reported together with the mistakes of single values, each with its line."""

import tomllib

import pytest

from handoff.cli.examples import example_names, example_path
from handoff.scenario import Scenario, ScenarioError, load_scenario
from handoff.scenario.load import validate
from tests.unit.scenario.sample_scenarios import COMMUTERS, MINIMAL

LINK = 'between = ["cn", "ha"]'
WRONG_LINK = (LINK, 'between = ["cn", "gw9"]')
NO_GW9 = "12: link.0.between: no node 'gw9'; there are ha, cn, a, b"


def problems(tmp_path, text, *pairs):
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return [problem.removeprefix(f"{path}:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('delay = "20ms"', 'delay = "20"', "13: link.0.delay: '20' is not a duration"),
        ('delay = "20ms"', "", "11: link.0.delay: is missing"),
        ('registration = "1ms"', 'registration = "5m"', "9: home_agent.registration: '5m' is not a duration"),
        ('delay = "4ms"', 'delay = "4ms"\nshared = "yes"', "24: routers.cell.shared: 'yes' is neither true nor false"),
        ('delay = "4ms"', 'delay = "4ms"\nloss = 2', "24: routers.cell.loss: 2 is not a probability"),
        ('delay = "4ms"', 'delay = "4ms"\nbuffer_packets = -1', "24: routers.cell.buffer_packets: input should be greater"),
        ('delay = "4ms"', 'delay = "4ms"\nspeed = 3', "24: routers.cell.speed: unknown key"),
        ("[movement]", '[options]\nrace = "last"\n[movement]', "30: options.race: 'last' is not one of 'hold', 'patent'"),
        ("size_bytes = 200", "", "25: traffic.0: a flow needs an 'interval' above 0 and 'size_bytes'"),
        ("[movement]", '[options]\nlifetime = "1500ms"\n[movement]', "29: options: lifetime: give whole seconds"),
    ],
)
def test_a_wrong_value_does_not_hide_an_unknown_node(tmp_path, old, new, message):
    reported = problems(tmp_path, MINIMAL, WRONG_LINK, (old, new))
    assert len(reported) == 2
    assert any(problem.startswith(message) for problem in reported)
    assert any(problem.startswith(NO_GW9) for problem in reported)


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        (LINK, 'between = ["cn", 3]', 1),  # the name that is meant is not known
        (LINK, 'betwen = ["cn", "ha"]', 2),
        ('name = "cn"', "name = 3", 1),
        ('name = "cn"', 'nam = "cn"', 2),
        ('names = ["a", "b"]', "names = 3", 1),
        ('wired_to = "ha"', "wired_to = 3", 1),
        ('wired_to = "ha"', 'wired_too = "ha"', 1),
        ("[[link]]", "[[links]]", 2),
        ("[correspondent]", "[corespondent]", 2),
    ],
)
def test_a_wrong_name_makes_no_further_problems(tmp_path, old, new, count):
    """One line for the mistake itself, and one for a required key that is missing then; none in other tables."""
    assert len(problems(tmp_path, MINIMAL, (old, new))) == count


def test_every_kind_of_mistake_has_its_own_line(tmp_path):
    reported = problems(
        tmp_path, COMMUTERS, ('to = "cn"', 'to = "cx"'), ('wired_to = "ha"', 'wired_to = "hx"'), ('"5/min"', '"5/day"'),
        ("[regions]", '[[restart]]\nnode = "gw7"\nat = "1m"\n\n[sweep]\nbufer = [1]\n\n[regions]'),
    )  # fmt: skip
    nodes = "there are ha, cn, gw0, gw1, gw2, r0, r1, r2, r3, r4, r5, r6"
    assert reported == [
        "19: movement.commuters.handoff_rate: '5/day' is not a rate of events: write a number and one of /Mh, /h, /min, /s, "
        "as in '75/h'",
        f"25: restart.0.node: no node 'gw7'; {nodes}",
        "26: restart.0.at: '1m' is not a duration: 'm' is ambiguous: write 'min' for minutes or 'ms' for milliseconds",
        "29: sweep: bufer: no field of a scenario; did you mean 'buffer'?",
        f"34: regions.wired_to: no node 'hx'; {nodes}",
        f"39: regions.link.0.to: no node 'cx'; {nodes}",
    ]


def test_each_link_with_an_unknown_node_is_reported(tmp_path):
    again = '[[link]]\nbetween = ["ha", "gw9"]\ndelay = "1ms"\n\n[routers]'
    assert [problem.split(":")[0] for problem in problems(tmp_path, MINIMAL, WRONG_LINK, ("[routers]", again))] == ["12", "16"]


def test_a_key_of_the_file_is_not_taken_for_a_mistake_of_the_sweep(tmp_path):
    sweep = ("[movement]", "[sweep]\nbuffer = [1]\n[movement]")
    reported = problems(tmp_path, MINIMAL, ('name = "cn"', 'name = "cn"\nspeed = 3'), sweep)
    assert [problem.split(": ")[1] for problem in reported] == ["correspondent.0.speed"]


@pytest.mark.parametrize("name", example_names())
def test_a_broken_key_at_the_top_is_a_problem_of_the_scenario(name):
    data = tomllib.loads(example_path(name).read_text())
    broken = [(key, data | {key: value}) for key in data for value in ([], [{}])]
    broken += [(key, {other: data[other] for other in data if other != key}) for key in data]
    required = {key for key, field in Scenario.model_fields.items() if field.is_required()}
    for key, tables in broken:
        try:
            validate(tables, "s.toml")
        except ScenarioError:
            continue
        assert key in tables or key not in required


def test_a_scenario_of_regions_without_links_has_one_problem(tmp_path):
    """The gateways of [regions] are known although their links are not: no other table has a problem."""
    (problem,) = problems(tmp_path, COMMUTERS, ('link = [{ between = ["cn", "ha"], delay = "20ms" }]\n', ""))
    assert problem.startswith("1: link: is missing; every scenario needs it")
