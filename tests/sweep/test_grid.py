"""The points of a sweep: how many, in which order, which are left out, and what makes one another point."""

import json
from pathlib import Path

import pytest

from handoff.experiments.execution.input_files import input_digests
from handoff.experiments.sweep.field_columns import field_columns
from handoff.experiments.sweep.grid import Combination, combinations, filter_combinations
from handoff.experiments.sweep.points import RunSettings, make_points
from tests.sweep.small import SCENARIO


def told(found):
    return [" ".join([*one.values.values(), one.procedure]) for one in found]


def test_the_product_has_every_combination_and_the_last_varies_fastest():
    found = combinations({"a": ["1", "2"], "b": ["x", "y", "z"]}, [], ["p", "q"])
    assert told(found) == [f"{a} {b} {p}" for a in "12" for b in "xyz" for p in "pq"]


def test_fields_of_a_group_go_side_by_side_in_the_place_of_its_first():
    found = combinations({"a": ["1", "2"], "b": ["x", "y"], "c": ["8", "9"]}, [["a", "c"]], ["p"])
    assert told(found) == ["1 x 8 p", "1 y 8 p", "2 x 9 p", "2 y 9 p"]


def test_groups_that_do_not_fit_are_all_said():
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is looked at
        combinations({"a": ["1", "2"], "b": ["x"]}, [["a", "b"], ["a", "z"]], ["p"])
    assert str(caught.value).splitlines() == [
        "zip: no field 'z' varies; there are 'a', 'b'",
        "zip: 'a' is listed twice: name each once",
        "zip: fields of a group need equally many values: 'a' has 2, 'b' has 1",
    ]


def test_values_are_columns_of_what_they_are():
    rows = [{"n": "10", "x": "0.5", "t": "1ms", "r": "1Mbit/s", "s": "2kB", "w": "fast", "on": "true"}, {"n": "9", "t": "0"}]
    table = field_columns(rows)
    assert table.to_pydict() == {
        "n": [10, 9], "x": [0.5, None], "t": ["1ms", "0"], "t_ps": [10**9, 0], "r": ["1Mbit/s", None], "r_bit_s": [10**6, None],
        "s": ["2kB", None], "s_bytes": [2000, None], "w": ["fast", None], "on": [True, None],
    }  # fmt: skip


GRID = combinations({"n": ["5", "10", "50"], "lead": ["1ms", "20ms"], "options.x": ["0.5"]}, [], ["mipv4", "sync-mipv4"])


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("n <= 10", 8),  # as numbers: as texts '10' < '5'
        ("n between 6 and 20 and lead_ps > 10e9", 2),
        ("procedure like 'sync-%'", 6),
        ("lead = '1ms' or n = 50", 8),
        ('"options.x" * 2 = 1', 12),
        ("n > 50", 0),
        ("true", 12),
    ],
)
def test_a_condition_leaves_points_out(condition, kept):
    found = filter_combinations(GRID, condition)
    assert len(found) == kept
    assert told(found) == [text for text in told(GRID) if text in told(found)]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("m < 3", "no field 'm' varies; there are n, lead, lead_ps, \"options.x\", procedure"),
        ("n <", "syntax error"),
        ("n < 3; drop table x", "single SELECT statement"),
        ("__import__('os').system('x')", "does not exist"),
        ("exists (select * from read_csv('/etc/passwd'))", "file system operations are disabled"),
        ("exists (select * from '/etc/passwd')", "does not exist"),
        ("exists (select * from GRID)", "does not exist"),
    ],
)
def test_a_condition_can_do_nothing_else(condition, message):
    with pytest.raises(ValueError, match="where") as caught:
        filter_combinations(GRID, condition)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def tables():
    import tomllib

    return tomllib.loads(SCENARIO)


def key_of(data, folder=Path(), settings=None, procedure="mipv4", **values):
    (point,), failures = make_points(data, folder, [Combination(values, procedure)], settings or RunSettings())
    assert failures == []
    return point.key


def test_what_makes_another_point():
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
    assert other[0] == other[2]  # how a value came in does not matter
    assert len(set(other)) == len(other) - 1


def test_a_changed_file_is_another_point(tmp_path):
    data = {name: value for name, value in tables().items() if name != "coverage"} | {"movement": {"associations": "moves.csv"}}
    keys = []
    for text in ("one", "two", "one"):
        (tmp_path / "moves.csv").write_text(text)
        keys.append(key_of(data, tmp_path))
    assert keys[0] == keys[2] != keys[1]
    assert [name for name, _ in input_digests(data, tmp_path)] == ["moves.csv"]


def test_duplicates_are_one_point_and_wrong_scenarios_are_said():
    found = [Combination({"duration": d}, "mipv4") for d in ("10s", "0s", "10s", "10 sec")]
    points, failures = make_points(tables(), Path(), found, RunSettings())
    assert [json.loads(p.scenario)["duration"] for p in points] == ["10s"]
    assert [f.told for f in failures] == [
        "duration=0s mipv4: duration: 0 is too short; give a duration above 0",
        "duration=10 sec mipv4: duration: '10 sec' is not a duration: write a number and one of ps, ns, us, µs, ms, s, min, h, "
        "as in '20ms'",
    ]
