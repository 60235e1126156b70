"""The combinations of a sweep: their number, their order, and conditions on them."""

import pytest

from handoff.experiments.sweep.field_columns import field_columns
from handoff.experiments.sweep.grid import combinations, filter_combinations


def as_texts(selection):
    return [" ".join([*combination.values.values(), combination.procedure]) for combination in selection]


def test_the_product_has_every_combination_and_the_last_field_varies_fastest():
    found = combinations({"a": ["1", "2"], "b": ["x", "y", "z"]}, [], ["p", "q"])
    assert as_texts(found) == [f"{a} {b} {p}" for a in "12" for b in "xyz" for p in "pq"]


def test_fields_of_a_group_vary_together_at_the_position_of_the_first():
    found = combinations({"a": ["1", "2"], "b": ["x", "y"], "c": ["8", "9"]}, [["a", "c"]], ["p"])
    assert as_texts(found) == ["1 x 8 p", "1 y 8 p", "2 x 9 p", "2 y 9 p"]


def test_all_mistakes_in_groups_are_reported():
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is looked at
        combinations({"a": ["1", "2"], "b": ["x"]}, [["a", "b"], ["a", "z"]], ["p"])
    assert str(caught.value).splitlines() == [
        "zip: no field 'z' varies; there are 'a', 'b'",
        "zip: 'a' is listed twice: name each once",
        "zip: fields of a group need equally many values: 'a' has 2, 'b' has 1",
    ]


def test_values_become_columns_of_numbers_or_text():
    rows = [{"n": "10", "x": "0.5", "t": "1ms", "r": "1Mbit/s", "s": "2kB", "w": "fast", "on": "true"}, {"n": "9", "t": "0"}]
    table = field_columns(rows)
    assert table.to_pydict() == {
        "n": [10, 9], "x": [0.5, None], "t": ["1ms", "0"], "t_s": [0.001, 0], "r": ["1Mbit/s", None], "r_bit_s": [10**6, None],
        "s": ["2kB", None], "s_bytes": [2000, None], "w": ["fast", None], "on": [True, None],
    }  # fmt: skip


GRID = combinations({"n": ["5", "10", "50"], "lead": ["1ms", "20ms"], "options.x": ["0.5"]}, [], ["mipv4", "sync-mipv4"])


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("n <= 10", 8),  # compared as numbers: as text '10' < '5'
        ("n between 6 and 20 and lead_s > 0.01", 2),
        ("procedure like 'sync-%'", 6),
        ("lead = '1ms' or n = 50", 8),
        ('"options.x" * 2 = 1', 12),
        ("n > 50", 0),
        ("true", 12),
    ],
)
def test_a_condition_selects_combinations_in_their_order(condition, count):
    selection = filter_combinations(GRID, condition)
    assert len(selection) == count
    assert as_texts(selection) == [text for text in as_texts(GRID) if text in as_texts(selection)]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("m < 3", "no field 'm' varies; there are n, lead, lead_s, \"options.x\", procedure"),
        ("n <", "syntax error"),
        ("n < 3; drop table x", "single SELECT statement"),
        ("__import__('os').system('x')", "does not exist"),
        ("exists (select * from read_csv('/etc/passwd'))", "no table function 'read_csv'"),
        ("exists (select * from pandas_scan(NULL))", "no table function 'pandas_scan'; there are generate_series, json_each"),
        ("n < (select count(*) from range(3), lateral (from pandas_scan(NULL)))", "no table function 'pandas_scan'"),
        ("exists (select * from '/etc/passwd')", "does not exist"),
        ("exists (select * from GRID)", "does not exist"),
    ],
)
def test_a_condition_has_no_access_to_files_or_code(condition, message):
    with pytest.raises(ValueError, match="where") as caught:
        filter_combinations(GRID, condition)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
