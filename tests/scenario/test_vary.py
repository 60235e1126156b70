"""What varies: short names for paths, changes as --set makes them, and numbers that go through a scenario file unharmed."""

import tomllib
from pathlib import Path

import pytest

from handoff.scenario import ScenarioError, load_scenario
from handoff.scenario.load import read_tables, validate
from handoff.scenario.numeric_field import NumericField
from handoff.scenario.overrides import resolve_paths, set_value, variable_fields
from tests.scenario.test_commuters import SCENARIO
from tests.scenario.test_large import SHORT

COMMUTE = Path(__file__).parents[2] / "examples" / "commute.toml"


@pytest.fixture
def data():
    return tomllib.loads(SHORT)


def test_every_short_name_leads_to_a_number_that_the_model_knows(data):
    """A table put in its place is refused at each of its paths, as what no number is, not as an unknown key."""
    data["movement"]["commuters"]["gap"] = data["movement"]["commuters"].pop("overlap")
    every = variable_fields(data)
    assert len(every) >= 20
    for name, where in every.items():
        assert NumericField.of(data, name).text(1)
        with pytest.raises(ScenarioError) as caught:
            validate(set_value(data, name, "{}"), "s.toml", "", (f"{name}={{}}",))
        found = caught.value.problems
        assert [any(p.startswith(f"--set: {path}: ") for p in found) for path in where] == [True] * len(where), found
        assert not any("unknown key" in p for p in found)


def test_short_names_of_an_association_log():
    found = variable_fields(read_tables(COMMUTE)[0])
    assert found["gateway_service"] == ("node.0.registration", "node.1.registration")
    assert found["link_rate"] == tuple(f"link.{i}.rate" for i in range(5))
    assert not {"mobile_nodes", "agents", "lead_time", "packet_interval"} & set(found)


def test_change_leaves_the_original_alone_and_does_what_set_does(data):
    before = repr(data)
    after = set_value(data, "agent_service", "2ms")
    assert repr(data) == before
    assert after["home_agent"] == {"name": "ha", "registration": "2ms"}
    assert set_value(data, "home_agent.registration", "2ms") == after
    rates = set_value(data, "link_rate", "5Mbit/s")
    assert [link["rate"] for link in rates["link"]] == ["5Mbit/s"]
    assert rates["regions"]["wired"]["rate"] == rates["regions"]["link"][0]["rate"] == "5Mbit/s"
    assert set_value(data, "buffer", "3")["options"] == {"new_buffer_packets": 3}
    assert set_value(data, "mobile_nodes", "1.5k")["movement"]["commuters"]["mobile_nodes"] == 1500
    assert set_value(data, "traffic.0.size_bytes", "2k")["traffic"][0]["size_bytes"] == 2000
    assert set_value(data, "name", "1k")["name"] == "1k"


def test_set_takes_short_names(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(SHORT)
    scenario, text = load_scenario(path, ("agents=7", "mobile_nodes=2k", "lead_time=1s"))
    assert (len(scenario.region), scenario.movement.commuters.mobile_nodes, text) == (7, 2000, SHORT)
    assert scenario.movement.commuters.lead == (10**12, 10**12)
    changed, same = read_tables(path, ("agents=7",))
    assert (changed["regions"]["count"], same) == (7, SHORT)
    assert validate(changed, path) == load_scenario(path, ("agents=7",))[0]
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, ("mobile_nodes=0", "agent_service=3"))
    assert caught.value.problems == [
        "--set: home_agent.registration: 3 has no unit: write text with one, as in '20ms'",
        "--set: movement.commuters.mobile_nodes: input should be greater than or equal to 1, not 0",
    ]


def test_a_change_may_take_away_what_another_has_changed(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(SHORT)
    scenario, _ = load_scenario(path, ("mobile_nodes=3", "movement={ associations = 'log.csv' }"))
    assert scenario.movement.associations == "log.csv"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mobil_nodes", "mobil_nodes: nothing of a scenario; did you mean 'mobile_nodes'?"),
        ("durtion", "durtion: nothing of a scenario; did you mean 'duration'?"),
        ("xyzzy", "xyzzy: nothing of a scenario; give a path as in 'options.lifetime', or one of mobile_nodes, handoff_rate"),
        ("gap", "gap: this scenario has none; it would be movement.commuters.gap"),
        ("name.x", "name.x: 'name' is not a table; in a list, name the element by its number"),
        ("traffic.4.phase", "traffic.4.phase: '4' is not a table of the scenario"),
    ],
)
def test_what_is_not_there_is_said(data, name, message):
    with pytest.raises(ValueError, match=name) as caught:
        set_value(data, name, "1")
    assert str(caught.value).startswith(message)


def test_paths_are_their_own_names(data):
    assert resolve_paths(data, "options.lifetime") == ("options.lifetime",)
    assert resolve_paths(data, "seed") == ("seed",)


@pytest.mark.parametrize(
    ("name", "text", "number", "whole"),
    [
        ("mobile_nodes", "10k", 10_000, True),
        ("buffer", "0", 0, True),
        ("seed", "1.5M", 1_500_000, True),
        ("traffic.0.size_bytes", "200", 200, True),
        ("lifetime", "600s", 600 * 10**12, False),
        ("lead_time", "1.5ms", 1_500_000_000, False),
        ("options.bicast", "0", 0, False),
        ("link_rate", "2.5Gbit/s", 2_500_000_000, False),
        ("link_rate", "infinite", 0, False),
        ("routers.cell.up_buffer_bytes", "64KiB", 65_536, False),
        ("handoff_rate", "75/h", 75_000_000, False),
        ("handoff_rate", "0.5/min", 30_000_000, False),
        ("cell_loss", "1e-4", 10**8, False),
        ("moving", "0.25", 250_000, False),
        ("coverage.minimum", "-95dBm", -95_000, False),
        ("coverage.exponent", "3.5", 3_500, False),
        ("coverage.shadowing", "6dB", 6_000, False),
    ],
)
def test_numbers_are_those_of_the_file(data, name, text, number, whole):
    scale = NumericField.of(data, name)
    assert (scale.parse(text), scale.is_count) == (number, whole)
    assert scale.parse(scale.text(number)) == number


def read_back(data, name, number):
    """The number that a scenario has at a path after its text went through the file's own parsers."""
    scale = NumericField.of(data, name)
    here = validate(set_value(data, name, scale.text(number)), "s.toml")
    for part in resolve_paths(data, name)[0].split("."):
        here = here[int(part)] if part.isdecimal() else getattr(here, part)
    return here


@pytest.mark.parametrize("number", [1, 7, 999, 10**6 + 1, 60 * 10**12, 123_456_789_012_345])
def test_text_goes_through_the_file_unharmed(number):
    data = tomllib.loads(SCENARIO)
    for name in ("agent_service", "cell_rate", "link_rate", "mobile_nodes", "buffer", "routers.wired.buffer_bytes"):
        assert read_back(data, name, number) == number, name
    assert read_back(data, "movement.commuters.guard", number % 10**9) == (number % 10**9,) * 2
    share = 500_000 + number % 500_000
    assert read_back(data, "moving", share) == share
    assert read_back(data, "handoff_rate", 10**6 + number % 10**8) == 10**6 + number % 10**8
    loss = read_back(data, "cell_loss", number % 10**12)
    assert NumericField.of(data, "cell_loss").parse(loss) == number % 10**12


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("mobile_nodes", "1.5", "mobile_nodes: '1.5' is not a count: give a whole number from 0, as in 10000, '10k' or '1.5M'"),
        ("mobile_nodes", "-3", "mobile_nodes: '-3' is not a count"),
        ("lifetime", "600", "lifetime: '600' is not a duration: write a number and one of ps"),
        ("cell_loss", "one", "cell_loss: 'one' is not a number"),
        ("moving", "1e-7", "moving: '1e-7' has more than 6 decimals"),
    ],
)
def test_text_that_is_no_number_is_said(data, name, text, message):
    with pytest.raises(ValueError, match=name) as caught:
        NumericField.of(data, name).parse(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["name", "options.relay", "routers.names", "movement.commuters.path", "options.no", "options"])
def test_what_cannot_be_stepped_is_said(data, name):
    with pytest.raises(ValueError, match="is not a number, a duration, a rate or a size that could vary"):
        NumericField.of(data, name)
