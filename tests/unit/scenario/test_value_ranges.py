"""Lists and ranges of values of a field."""

import pytest

from engine.quantities import DURATION
from handoff.scenario.value_ranges import expand_values, toml_literal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10..50 step 10", "10 20 30 40 50"),
        ("10..55 step 10", "10 20 30 40 50"),
        ("1..4", "1 2 3 4"),
        ("7..7", "7"),
        ("1k..1M log 4", "1000 10000 100000 1000000"),
        ("1k..1M log 7", "1000 3162 10000 31623 100000 316228 1000000"),  # 10^3.5 = 3162.28, 10^4.5 = 31622.8, 10^5.5 = 316227.8
        ("1..3 log 7", "1 2 3"),
        ("1ms..1s log 4", "1ms 10ms 100ms 1000ms"),
        ("1ms..10ms log 3", "1ms 3.162ms 10ms"),
        ("0..60ms step 20ms", "0ms 20ms 40ms 60ms"),
        ("500us..2ms step 500us", "500us 1000us 1500us 2000us"),
        ("10Mbit/s..1Gbit/s log 3", "10Mbit/s 100Mbit/s 1000Mbit/s"),
        ("1min..2min step 20s", "60s 80s 100s 120s"),
        ("1/min..150/h step 45/h", "60/h 105/h 150/h"),
        ("0..0.3 step 0.1", "0 0.1 0.2 0.3"),
        ("0.001..0.1 log 3", "0.001 0.01 0.1"),
        ("10:50 step 10", "10 20 30 40 50"),
        ("1k:1M log 4", "1000 10000 100000 1000000"),
        ("0.1%..0.3% step 0.1%", "0.1% 0.2% 0.3%"),
        ("1Mbps..3Mbps step 1Mbps", "1Mbps 2Mbps 3Mbps"),
        ("30km/h..50km/h step 10km/h", "30km/h 40km/h 50km/h"),
        ("a:b", "a:b"),
        ("2001:db8::1", "2001:db8::1"),
        ("1k, 10k,20ms , word", "1000 10000 20ms word"),
        ("1, 1..3, 2", "1 2 3"),
        ("1.5k", "1500"),
        ("true", "true"),
    ],
)
def test_text_expands_to_values(text, expected):
    assert expand_values(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10..", "'10..' is not a range: write '10..50 step 10'"),
        ("10..50 steps 5", "is not a range"),
        ("50..10 step 10", "goes down: write the smaller end first"),
        ("10..50 step 0", "has a step of 0 or below: give one above 0"),
        ("1..1M", "has more than 100,000 values"),
        ("10ms..50ms", "has no step"),
        ("10ms..50Mbit/s step 1ms", "mixes units, or has an unknown one"),
        ("10ms..50ms step 5", "mixes units"),
        ("0..100 log 5", "begins above 0 and has 2 to 100,000 values"),
        ("1..100 log 1", "begins above 0 and has 2 to"),
        ("1,,2", "a value is missing"),
        ("", "a value is missing"),
    ],
)
def test_invalid_range_is_reported(text, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is compared below
        expand_values(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (3, "3"), (0.5, "0.5"), ("20ms", "20ms")])
def test_literal_has_the_form_of_a_change(value, text):
    assert toml_literal(value) == text


@pytest.mark.parametrize("value", [[1], {"a": 1}, None])
def test_tables_and_arrays_cannot_vary(value):
    with pytest.raises(ValueError, match="is not a value that can vary: give text, a number, true or false"):
        toml_literal(value)


def test_values_are_read_by_the_field_they_vary():
    assert [DURATION.parse(value) for value in expand_values("1min..2min step 20s")] == [s * 10**12 for s in (60, 80, 100, 120)]
