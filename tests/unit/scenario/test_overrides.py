"""Overrides: short names of fields, and changes as ``--set`` makes them."""

import tomllib
from pathlib import Path

import pytest

from handoff.scenario import ScenarioError, load_scenario
from handoff.scenario.load import read_tables, validate
from handoff.scenario.numeric_field import NumericField
from handoff.scenario.overrides import resolve_paths, set_value, variable_fields
from tests.unit.scenario.sample_scenarios import COMMUTERS

COMMUTE = Path(__file__).parents[3] / "examples" / "commute.toml"


@pytest.fixture
def data():
    return tomllib.loads(COMMUTERS)


def test_every_short_name_resolves_to_numeric_fields_of_the_model(data):
    """A table as the value is refused at each path for its type, and not as an unknown key."""
    data["movement"]["commuters"]["gap"] = data["movement"]["commuters"].pop("overlap")
    short_names = variable_fields(data)
    assert len(short_names) >= 20
    for name, paths in short_names.items():
        assert NumericField.of(data, name).text(1)
        with pytest.raises(ScenarioError) as caught:
            validate(set_value(data, name, "{}"), "s.toml", "", (f"{name}={{}}",))
        problems = caught.value.problems
        assert [any(p.startswith(f"--set: {path}: ") for p in problems) for path in paths] == [True] * len(paths), problems
        assert not any("unknown key" in p for p in problems)


def test_short_names_depend_on_the_tables_of_the_scenario():
    short_names = variable_fields(read_tables(COMMUTE)[0])
    assert short_names["gateway_service"] == ("node.0.registration", "node.1.registration")
    assert short_names["link_rate"] == tuple(f"link.{i}.rate" for i in range(5))
    assert not {"mobile_nodes", "agents", "lead_time", "packet_interval"} & set(short_names)


def test_change_copies_the_tables_and_sets_every_path(data):
    before = repr(data)
    after = set_value(data, "agent_service", "2ms")
    assert repr(data) == before
    assert after["home_agent"] == {"name": "ha", "registration": "2ms"}
    assert set_value(data, "home_agent.registration", "2ms") == after
    rates = set_value(data, "link_rate", "5Mbit/s")
    assert [link["rate"] for link in rates["link"]] == ["5Mbit/s"]
    assert rates["regions"]["wired"]["rate"] == rates["regions"]["link"][0]["rate"] == "5Mbit/s"
    assert set_value(data, "buffer", "3")["options"] == {"new_buffer_packets": 3, "old_buffer_packets": 3}
    assert set_value(data, "new_buffer", "3")["options"] == {"new_buffer_packets": 3}
    assert set_value(data, "old_buffer", "unlimited")["options"] == {"old_buffer_packets": "unlimited"}
    assert set_value(data, "mobile_nodes", "1.5k")["movement"]["commuters"]["mobile_nodes"] == 1500
    assert set_value(data, "traffic.0.size_bytes", "2k")["traffic"][0]["size_bytes"] == 2000
    assert set_value(data, "name", "1k")["name"] == "1k"


def test_changes_may_use_short_names(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(COMMUTERS)
    scenario, text = load_scenario(path, ("agents=7", "mobile_nodes=2k", "lead_time=1s"))
    assert (len(scenario.region), scenario.movement.commuters.mobile_nodes, text) == (7, 2000, COMMUTERS)
    assert scenario.movement.commuters.lead == (10**12, 10**12)
    changed, same = read_tables(path, ("agents=7",))
    assert (changed["regions"]["count"], same) == (7, COMMUTERS)
    assert validate(changed, path) == load_scenario(path, ("agents=7",))[0]
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, ("mobile_nodes=0", "agent_service=3"))
    assert caught.value.problems == [
        "--set: home_agent.registration: 3 has no unit: write text with one, as in '20ms'",
        "--set: movement.commuters.mobile_nodes: input should be greater than or equal to 1, not 0",
    ]


def test_change_may_remove_a_field_that_another_has_changed(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(COMMUTERS)
    scenario, _ = load_scenario(path, ("mobile_nodes=3", "movement={ associations = 'log.csv' }"))
    assert scenario.movement.associations == "log.csv"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mobil_nodes", "mobil_nodes: no field of a scenario; did you mean 'mobile_nodes'?"),
        ("nodes", "nodes: no field of a scenario; did you mean 'mobile_nodes'?"),
        ("agent_service_time", "agent_service_time: no field of a scenario; did you mean 'agent_service'?"),
        ("bicst", "bicst: no field of a scenario; did you mean 'options.bicast' or 'options.bicast_linger'?"),
        ("loss", "loss: no field of a scenario; did you mean 'cell_loss'"),
        ("durtion", "durtion: no field of a scenario; did you mean 'duration'?"),
        ("xyzzy", "xyzzy: no field of a scenario; give a path as in 'options.lifetime', or one of mobile_nodes, handoff_rate"),
        ("gap", "gap: this scenario has no such field; it would be movement.commuters.gap"),
        ("name.x", "name.x: 'name' is not a table; in a list, name the element by its number"),
        (
            "traffic.phase",
            "traffic.phase: 'traffic' is not a table; in a list, name the element by its number, as in traffic.0.phase",
        ),
        ("traffic.4.phase", "traffic.4.phase: '4' is not a table of the scenario"),
    ],
)
def test_unknown_field_is_reported(data, name, message):
    with pytest.raises(ValueError, match=name) as caught:
        set_value(data, name, "1")
    assert str(caught.value).startswith(message)


def test_path_resolves_to_itself(data):
    assert resolve_paths(data, "options.lifetime") == ("options.lifetime",)
    assert resolve_paths(data, "seed") == ("seed",)
