"""Numeric fields: text to a whole number of steps and back."""

import tomllib

import pytest

from handoff.scenario.field_types import MAX_MOBILE_NODES
from handoff.scenario.load import validate
from handoff.scenario.numeric_field import NumericField
from handoff.scenario.overrides import resolve_paths, set_value
from tests.unit.scenario.sample_scenarios import COMMUTERS


@pytest.fixture
def data():
    return tomllib.loads(COMMUTERS)


@pytest.mark.parametrize(
    ("name", "text", "number", "is_count"),
    [
        ("mobile_nodes", "10k", 10_000, True),
        ("buffer", "0", 0, True),
        ("seed", "1.5M", 1_500_000, True),
        ("traffic.0.size_bytes", "200", 200, True),
        ("lifetime", "600s", 600 * 10**12, False),
        ("lead_time", "1.5ms", 1_500_000_000, False),
        ("options.bicast", "0", 0, False),
        ("link_rate", "2.5Gbit/s", 2_500_000_000, False),
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
def test_text_is_parsed_and_formatted(data, name, text, number, is_count):
    field = NumericField.of(data, name)
    assert (field.parse(text), field.is_count) == (number, is_count)
    assert field.parse(field.text(number)) == number


def read_back(data, name, number):
    """Format a number, validate the scenario with that text, and return the number in the validated scenario."""
    field = NumericField.of(data, name)
    value = validate(set_value(data, name, field.text(number)), "s.toml")
    for part in resolve_paths(data, name)[0].split("."):
        value = value[int(part)] if part.isdecimal() else getattr(value, part)
    return value


@pytest.mark.parametrize("number", [1, 7, 999, 10**6 + 1, 60 * 10**12, 123_456_789_012_345])
def test_formatted_number_is_read_back_by_the_scenario(number):
    data = tomllib.loads(COMMUTERS)
    for name in ("agent_service", "cell_rate", "link_rate", "buffer", "routers.wired.buffer_bytes"):
        assert read_back(data, name, number) == number, name
    mobile_nodes = min(number, MAX_MOBILE_NODES)
    assert read_back(data, "mobile_nodes", mobile_nodes) == mobile_nodes
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
        ("buffer", "unlimited", "buffer: 'unlimited' is no number to search or step between: give one"),
        ("link_rate", " infinite", "link_rate: 'infinite' is no number to search or step between: give one"),
        ("lifetime", "600", "lifetime: '600' is not a duration: write a number and one of ps"),
        ("cell_loss", "one", "cell_loss: 'one' is not a number"),
        ("cell_loss", "1e999999999", "cell_loss: '1e999999999' is not a number"),
        ("moving", "1e-7", "moving: '1e-7' has more than 6 decimals"),
    ],
)
def test_invalid_number_is_reported(data, name, text, message):
    with pytest.raises(ValueError, match=name) as caught:
        NumericField.of(data, name).parse(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["name", "options.relay", "routers.names", "movement.commuters.path", "options.no", "options"])
def test_field_without_numbers_is_reported(data, name):
    with pytest.raises(ValueError, match="is not a number, a duration, a rate or a size that could vary"):
        NumericField.of(data, name)


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("mobile_nodes", 12_000, "12,000"),
        ("lead_time", 1_500_000_000, "1.5 ms"),
        ("handoff_rate", 75_000_000, "75/h"),
        ("cell_loss", 10**8, "0.0001"),
    ],
)
def test_display_uses_thousands_separators_and_the_shortest_unit(data, name, number, text):
    assert NumericField.of(data, name).display(number) == text
