"""Scenarios of the Python interface."""

import json
from pathlib import Path

import numpy as np
import pytest

import handoff


def test_the_package_lists_its_interface():
    assert set(handoff.__all__) <= set(dir(handoff))
    for name in handoff.__all__:
        assert getattr(handoff, name).__doc__
    with pytest.raises(AttributeError, match=r"no attribute 'compair'; it has .*compare"):
        handoff.compair  # noqa: B018


def test_tables_need_no_file(walk):
    scenario = handoff.load(walk).validate()
    assert (scenario.name, scenario.tables) == ("walk", walk)
    assert json.loads(scenario.text) == walk
    assert repr(scenario).startswith("<handoff.Scenario 'walk': 3 s, seed 1")


def test_tables_may_have_paths_and_numpy_numbers(walk):
    walk["movement"]["associations"] = Path("walk.csv")
    walk["traffic"][0]["size_bytes"] = np.int64(300)
    assert handoff.load(walk).validate().tables["traffic"][0]["size_bytes"] == 300
    walk["seed"] = {1, 2}
    with pytest.raises(handoff.ScenarioError, match="a set is no value of a scenario"):
        handoff.load(walk)


def test_overrides_change_a_copy(walk):
    scenario = handoff.load(walk)
    longer = scenario.override(duration="4s", buffer=7, **{"traffic.0.size_bytes": 150})
    assert (scenario.tables["duration"], longer.tables["duration"]) == ("3s", "4s")
    assert longer.tables["options"] == {"new_buffer_packets": 7, "old_buffer_packets": 7}
    assert longer.tables["traffic"][0]["size_bytes"] == 150


def test_a_file_keeps_its_text_and_folder(tmp_path, walk):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "walk.csv").rename(folder / "walk.csv")
    text = 'name = "file"\nduration = "1s"\n'
    (folder / "s.toml").write_text(text)
    with pytest.raises(handoff.ScenarioError, match=r"s.toml:1: home_agent: is missing"):
        handoff.load(folder / "s.toml")
    scenario = handoff.load({**walk, "movement": {"associations": "folder/walk.csv"}}).validate()
    assert scenario.path == Path("walk.toml")


def test_all_mistakes_come_at_once(walk):
    del walk["home_agent"]
    with pytest.raises(handoff.HandoffError) as failure:
        handoff.load(walk, duration="4")
    assert [line.partition(":")[0] for line in failure.value.problems] == ["override", "scenario"]
    with pytest.raises(handoff.HandoffError, match="override durration: no field of a scenario; did you mean 'duration'"):
        handoff.load(walk, durration="4s")
