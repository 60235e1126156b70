"""Quantities of a scenario file: units and their sizes."""

import pytest

from engine.quantities import DURATION
from handoff.scenario.units import DECIBELS, FREQUENCY, LENGTH, MEGAHOUR_PS, POWER, QUANTITIES, SPEED, parse_count, parse_percent


@pytest.mark.parametrize(
    ("quantity", "text", "number"),
    [
        (LENGTH, "1.5km", 1_500_000),
        (SPEED, "1.5m/s", 1500),
        (SPEED, "36km/h", 10_000),  # 36 km / 3,600 s = 10 m/s
        (SPEED, "30km/h", 8333),  # 8,333.3 mm/s, rounded
        (FREQUENCY, "75/h", 75 * 10**6),
        (FREQUENCY, "1/s", 3600 * 10**6),
        (DECIBELS, "-3dB", -3000),
        (POWER, "-95.5dBm", -95_500),
    ],
)
def test_text_is_a_whole_number_of_the_smallest_unit(quantity, text, number):
    assert quantity.parse(text) == number


def test_frequency_of_one_has_a_period_of_a_megahour():
    assert 1_000_000 * DURATION.parse("1h") == MEGAHOUR_PS


def test_examples_in_messages_are_valid():
    assert all(quantity.parse(quantity.example) for quantity in QUANTITIES)


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: quantity.noun)
def test_first_unit_is_the_step(quantity):
    assert quantity.units[quantity.step] == 1 == min(quantity.units.values())


@pytest.mark.parametrize(("text", "count"), [("10000", 10_000), ("10k", 10_000), ("1.5M", 1_500_000), ("2G", 2 * 10**9)])
def test_count_may_have_a_suffix(text, count):
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["1.5", "-3", "ten", "10m", ""])
def test_invalid_count_is_reported(text):
    with pytest.raises(ValueError, match=f"'{text}' is not a count: give a whole number from 0"):
        parse_count(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1%", "0.01"), (" 0.1 % ", "0.001"), ("150%", "1.50"), ("1e-3%", "0.00001"), ("0.5", "0.5"), ("x%", "x%")],
)
def test_percentage_is_a_decimal_number(text, number):
    assert parse_percent(text) == number
