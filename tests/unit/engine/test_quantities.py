"""Quantities: parsing, exact text, shortest text and rounded text. Expected values follow from the SI and IEC prefixes."""

import re
from fractions import Fraction

import pytest

from engine.quantities import (
    DURATION,
    FOREVER,
    RATE,
    SIZE,
    Quantity,
    format_duration,
    format_quantity,
    loss_threshold,
    parse_byte_limit,
    parse_duration,
    parse_fraction,
    parse_rate,
    parse_size,
)

LEVEL = Quantity("level", "-95dBm", {"mdBm": 1, "dBm": 10**3}, signed=True)
FREQUENCY = Quantity("rate of events", "75/h", {"/h": 1, "/min": 60})


@pytest.mark.parametrize(
    ("quantity", "text", "number"),
    [
        (DURATION, "20ms", 20 * 10**9),
        (DURATION, " 1.5 min ", 90 * 10**12),
        (DURATION, ".5us", 500_000),
        (DURATION, "3µs", 3 * 10**6),
        (DURATION, "1e-3s", 10**9),
        (DURATION, "0h", 0),
        (DURATION, "9223372036854775806ps", FOREVER - 1),
        (RATE, "2.5Gbit/s", 2_500_000_000),
        (DURATION, "1h30min", 5400 * 10**12),
        (DURATION, "1min 30s 5ms", 90_005 * 10**9),
        (DURATION, "2d", 2 * 86_400 * 10**12),
        (RATE, "10Mbps", 10_000_000),
        (RATE, "1.5 Gbps", 1_500_000_000),
        (SIZE, "64kB", 64_000),
        (SIZE, "64KiB", 65_536),
        (LEVEL, "-95.5dBm", -95_500),
    ],
)
def test_text_with_a_unit_is_an_exact_number_of_steps(quantity, text, number):
    assert quantity.parse(text) == number


@pytest.mark.parametrize(
    ("quantity", "text", "message"),
    [
        (DURATION, "10 sec", "'10 sec' is not a duration: write a number and one of ps, ns, us, µs, ms, s, min, h, as in '20ms'"),
        (DURATION, "10", "'10' is not a duration"),
        (DURATION, "5m", "'5m' is not a duration: 'm' is ambiguous: write 'min' for minutes or 'ms' for milliseconds"),
        (DURATION, "5MS", "'5MS' is not a duration: did you mean 'ms' instead of 'MS'?"),
        (DURATION, "30min1h", "'30min1h' is not a duration"),
        (DURATION, "1h1h", "'1h1h' is not a duration"),
        (DURATION, "1h30", "'1h30' is not a duration"),
        (DURATION, "1h30m", "'1h30m' is not a duration"),
        (RATE, "1G", "'1G' is not a rate: 'G' is ambiguous: write 'Gbit/s', a rate in bits"),
        (RATE, "10MB/s", "'10MB/s' is not a rate: 'MB/s' is ambiguous: write 'Mbit/s', a rate in bits"),
        (RATE, "10mbps", "'10mbps' is not a rate: did you mean 'Mbps' instead of 'mbps'?"),
        (RATE, "1h30min", "'1h30min' is not a rate"),
        (SIZE, "64K", "'64K' is not a size: 'K' is ambiguous: write 'kB' for 1,000 or 'KiB' for 1,024 bytes"),
        (DURATION, "ms", "'ms' is not a duration"),
        (DURATION, "1e999s", "'1e999s' is not a duration"),
        (DURATION, "1" * 65 + "s", "is not a duration"),
        (DURATION, "0.5ps", "'0.5ps' is finer than 1 ps, the smallest duration"),
        (DURATION, "-1ms", "'-1ms' is out of range: a duration is at least 0 and below 2**63 ps"),
        (DURATION, "9223372036854775807ps", "is out of range"),
        (LEVEL, "-1e17dBm", "'-1e17dBm' is out of range: a level is above -2**63 and below 2**63 mdBm"),
        (RATE, "infinite", "'infinite' is not a rate"),
    ],
)
def test_invalid_text_is_refused_with_the_correction(quantity, text, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is compared below
        quantity.parse(text)
    assert message in str(caught.value)


def test_read_takes_an_int_as_a_number_of_steps():
    assert [DURATION.read(value) for value in (0, 7, FOREVER, "7ns")] == [0, 7, FOREVER, 7000]


@pytest.mark.parametrize("value", [True, 1.5, None, -1, FOREVER + 1])
def test_read_refuses_other_values(value):
    with pytest.raises(ValueError, match="duration"):
        DURATION.read(value)


def test_functions_read_the_quantity_of_their_name():
    assert (parse_duration("1ms"), parse_rate("1kbit/s"), parse_size("1kB")) == (10**9, 1000, 1000)


@pytest.mark.parametrize("parse", [parse_rate, parse_byte_limit])
def test_no_limit_is_a_word_and_0_is_refused(parse):
    assert [parse(value) for value in (None, "unlimited", "infinite")] == [None] * 3
    for zero in (0, "0B", "0 bit/s"):
        with pytest.raises(ValueError, match=r"0 means [a-z ]+: write 'unlimited'|is not a"):
            parse(zero)


@pytest.mark.parametrize(
    ("quantity", "number", "text"),
    [
        (DURATION, 0, "0ps"),
        (DURATION, 1_500_000_000, "1500us"),
        (DURATION, 120 * 10**12, "2min"),
        (DURATION, 3600 * 10**12, "1h"),
        (DURATION, 7, "7ps"),
        (SIZE, 65_536, "64KiB"),
        (LEVEL, -95_000, "-95dBm"),
        (LEVEL, -95_500, "-95500mdBm"),
    ],
)
def test_exact_text_has_a_whole_number_of_the_largest_unit(quantity, number, text):
    assert quantity.format_exact(number) == text
    assert quantity.parse(text) == number


@pytest.mark.parametrize(
    ("quantity", "number", "text"),
    [
        (DURATION, 0, "0 ps"),
        (DURATION, 1_500_000_000_000, "1.5 s"),
        (DURATION, 400_000_000, "400 us"),
        (DURATION, 60 * 10**12, "1 min"),
        (DURATION, 10_001 * 10**12, "10,001 s"),
        (FREQUENCY, 1200, "20/min"),
        (FREQUENCY, 75, "75/h"),
        (LEVEL, -95_500, "-95.5 dBm"),
    ],
)
def test_shortest_text_has_the_fewest_digits(quantity, number, text):
    assert quantity.format_shortest(number) == text


@pytest.mark.parametrize(
    ("ps", "text"),
    [(0, "0 ps"), (999, "999 ps"), (1000, "1 ns"), (37 * 10**9, "37 ms"), (-37 * 10**9, "-37 ms"), (1_234_567_890, "1.23457 ms"),
     (7200 * 10**12, "7200 s")],
)  # fmt: skip
def test_duration_has_six_digits_and_at_most_seconds(ps, text):
    assert format_duration(ps) == text


def test_rounded_text_in_a_unit():
    assert format_quantity(1_234_000_000, DURATION, "ms", decimals=1) == "1.2 ms"
    assert format_quantity(1_234_000_000, DURATION, "us") == "1234 us"


@pytest.mark.parametrize("text", ["1e-999999999", "1e9999", "1e9_9_9_9", "one", ""])
def test_fraction_is_bounded(text):
    with pytest.raises(ValueError, match=r"number|Fraction"):
        parse_fraction(text)


def test_fraction_is_exact():
    assert [parse_fraction(text) for text in ("0.1", "1/3", "1e-3")] == [Fraction(1, 10), Fraction(1, 3), Fraction(1, 1000)]


def test_loss_threshold_is_the_floor_of_the_exact_product():
    assert loss_threshold("0.5") == 2**63
    assert loss_threshold(0.1) == 2**64 // 10  # the decimal 0.1, not the nearest double
    assert loss_threshold("1/3") == 2**64 // 3
    for value in (1, -0.1, "1.5"):
        with pytest.raises(ValueError, match="at least 0 and below 1"):
            loss_threshold(value)


@pytest.mark.parametrize("quantity", [DURATION, RATE, SIZE, LEVEL], ids=lambda quantity: quantity.noun)
def test_the_pattern_matches_what_parse_accepts(quantity):
    units = [*quantity.units, *quantity.aliases]
    texts = [f"{number}{space}{unit}" for number in ("1", "1.5", ".5", "1e3", "+2") for space in ("", " ") for unit in units]
    assert all(re.fullmatch(quantity.pattern(), text) for text in texts)
    assert not any(re.fullmatch(quantity.pattern(), text) for text in ("", "1", "ms", "1x", "1 ms x"))


def test_the_pattern_matches_compounds_of_durations_only():
    assert re.fullmatch(DURATION.pattern(), "1h30min")
    assert not re.fullmatch(RATE.pattern(), "1Mbit/s1kbit/s")
    assert re.fullmatch(LEVEL.pattern(), "-1dBm")
    assert not re.fullmatch(DURATION.pattern(), "-1ms")
