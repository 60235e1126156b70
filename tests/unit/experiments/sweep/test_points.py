"""The identity of points, and combinations whose scenario is wrong."""

import json
import tomllib
from pathlib import Path

from handoff.experiments.execution.input_files import input_digests
from handoff.experiments.sweep.grid import Combination
from handoff.experiments.sweep.points import Failure, RunSettings, group_failures, make_points
from tests.unit.experiments.sweep.small_sweep import SCENARIO


def tables():
    return tomllib.loads(SCENARIO)


def key_of(data, folder=Path(), settings=None, procedure="mipv4", **values):
    (point,), failures = make_points(data, folder, [Combination(values, procedure)], settings or RunSettings())
    assert failures == []
    return point.key


def test_the_key_depends_on_scenario_procedure_and_settings_only():
    key = key_of(tables())
    same = [
        key_of(dict(reversed(tables().items()))), key_of(tables() | {"seed": 9}),
        key_of(tables() | {"sweep": {"seed": [1]}}), key_of(tables() | {"slo": {"targets": ["loss_ratio<=1"]}}),
    ]  # fmt: skip
    other = [
        key_of(tables() | {"duration": "11s"}), key_of(tables(), procedure="mipv6"), key_of(tables(), duration="11s"),
        key_of(tables(), settings=RunSettings(detail=True)), key_of(tables(), settings=RunSettings(warmup_ps=1)),
        key_of(tables(), settings=RunSettings(batches=2)),
    ]  # fmt: skip
    assert set(same) == {key}
    assert key not in other
    assert other[0] == other[2]  # a value may come from the file or from the combination
    assert len(set(other)) == len(other) - 1


def test_another_content_of_an_input_file_makes_another_point(tmp_path):
    data = {name: value for name, value in tables().items() if name != "coverage"} | {"movement": {"associations": "moves.csv"}}
    keys = []
    for text in ("one", "two", "one"):
        (tmp_path / "moves.csv").write_text(text)
        keys.append(key_of(data, tmp_path))
    assert keys[0] == keys[2] != keys[1]
    assert [name for name, _ in input_digests(data, tmp_path)] == ["moves.csv"]


def test_duplicates_are_one_point_and_wrong_scenarios_are_failures():
    selection = [Combination({"duration": d}, "mipv4") for d in ("10s", "0s", "10s", "10 sec")]
    points, failures = make_points(tables(), Path(), selection, RunSettings())
    assert [json.loads(p.scenario)["duration"] for p in points] == ["10s"]
    assert [f.describe() for f in failures] == [
        "duration=0s mipv4: duration: 0 is too short; give a duration above 0",
        "duration=10 sec mipv4: duration: '10 sec' is not a duration: write a number and one of ps, ns, us, µs, ms, s, min, h, "
        "as in '20ms'",
    ]


def test_failures_with_the_same_problem_are_one_line():
    failures = [Failure({"x": str(i)}, "mipv4", "too small\nand red") for i in range(3)] + [Failure({}, "mipv6", "other")]
    assert group_failures(failures) == ["x=0 mipv4: too small; and red (and 2 more points)", "mipv6: other"]
