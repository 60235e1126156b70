"""Values of a field as positions of a search, and as text for a sentence."""

import pytest

from handoff.experiments.planning.field_scale import Values, parse_range
from handoff.scenario.load import read_tables
from tests.unit.experiments.planning.one_mobile_node import commuting


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("handoff_rate", "75/h", "75/h"),
        ("handoff_rate", "1200/h", "20/min"),
        ("lead_time", "35.1ms", "35.1 ms"),
        ("lead_time", "400us", "400 us"),
        ("lead_time", "1500ms", "1.5 s"),
        ("mobile_nodes", "10k", "10,000"),
        ("agent_service", "0s", "0 ps"),
    ],
)
def test_value_is_displayed_in_the_shortest_unit(tmp_path, name, text, shown):
    values = Values.of(read_tables(commuting(tmp_path))[0], name)
    assert values.display(values.scale.parse(text)) == shown


def test_field_that_changes_no_run_has_no_range(tmp_path):
    data = read_tables(commuting(tmp_path))[0]
    with pytest.raises(ValueError, match=r"sweep.runs: cannot vary: \[sweep\] lists the fields that vary"):
        parse_range(data, "sweep.runs", "1:4", 0.01)


@pytest.mark.parametrize("text", ["1k..1M", "1k:1M", "1k .. 1M"])
def test_both_forms_of_a_range_are_the_same(tmp_path, text):
    _, positions = parse_range(read_tables(commuting(tmp_path))[0], "mobile_nodes", text, 0.01)
    assert (positions.low, positions.high) == (1000, 10**6)


def test_ends_may_be_percentages(tmp_path):
    data = read_tables(commuting(tmp_path))[0]
    values, positions = parse_range(data, "cell_loss", "0.1%..2%", 0.01)
    assert [values.value(p) for p in (positions.low, positions.high)] == [0.001, 0.02]


def test_lifetime_steps_in_whole_seconds(tmp_path):
    """RFC 5944, 3.3: a lifetime is a number of seconds."""
    data = read_tables(commuting(tmp_path))[0]
    values, positions = parse_range(data, "lifetime", "10s:2min", 0.01)
    assert (positions.low, positions.high) == (10, 120)
    assert (values.text(90), values.display(90), values.value(90)) == ("90s", "90 s", "90s")


@pytest.mark.parametrize(
    ("name", "text", "middle", "next_middle"),
    [
        ("handoff_rate", "1/s..20/s", "4/s", "2/s"),
        ("handoff_rate", "0.5/min..4/min", "1.4/min", "0.84/min"),
        ("handoff_rate", "75/h..1200/h", "300/h", "150/h"),
        ("lead_time", "0..90ms", "1 ms", "0.09 ms"),
        ("lead_time", "1s..1000s", "30 s", "5 s"),
    ],
)
def test_a_search_tries_round_numbers_of_the_unit_of_its_range(tmp_path, name, text, middle, next_middle):
    values, positions = parse_range(read_tables(commuting(tmp_path))[0], name, text, 0.01)
    first = positions.midpoint(positions.low, positions.high)
    second = positions.midpoint(positions.low, first)
    assert [values.display(first), values.display(second)] == [middle, next_middle]
    assert values.scale.parse(values.text(first)) == values.step * first  # a scenario reads it as exactly this value


def test_ends_in_different_units_leave_each_value_the_unit_that_suits_it(tmp_path):
    values, positions = parse_range(read_tables(commuting(tmp_path))[0], "handoff_rate", "75/h..20/min", 0.01)
    assert [values.display(x) for x in (positions.low, positions.high)] == ["75/h", "20/min"]


def test_range_of_a_count_has_a_resolution_of_one_and_numbers_as_values(tmp_path):
    values, positions = parse_range(read_tables(commuting(tmp_path))[0], "mobile_nodes", "1k:1M", 0.01)
    assert (positions.low, positions.high, positions.precision, positions.resolution) == (1000, 10**6, 0.01, 1)
    assert values.value(1500) == 1500


def test_resolution_of_a_measured_field_is_a_hundredth_of_the_precision_at_its_high_end(tmp_path):
    _, positions = parse_range(read_tables(commuting(tmp_path))[0], "lead_time", "0s:1s", 0.01)
    assert positions.resolution == 10**12 * 0.01 / 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5ms", "lead_time: '5ms' is not a range: write LOW..HIGH, as in 1k..1M or 5ms..100ms"),
        ("5ms:1ms", "lead_time: '5ms:1ms' goes down: write the smaller value first"),
        ("5ms:5000us", "lead_time: '5ms:5000us' is a single value"),
        ("5:6ms", "lead_time: '5' is not a duration"),
    ],
)
def test_invalid_range_is_reported(tmp_path, text, message):
    with pytest.raises(ValueError, match="lead_time") as caught:
        parse_range(read_tables(commuting(tmp_path))[0], "lead_time", text, 0.01)
    assert str(caught.value).startswith(message)
