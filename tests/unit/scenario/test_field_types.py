"""Types of the values in a scenario file."""

import pytest
from pydantic import TypeAdapter, ValidationError

from engine.quantities import DURATION
from handoff.scenario.field_types import (
    MAX_NAMES,
    CountLimit,
    DecimalReader,
    Gap,
    Names,
    Pace,
    Places,
    QuantityReader,
    QueueBytes,
    Rate,
    SizeLimit,
    as_list,
    join_names,
    parse_prefix,
    read_probability,
)


def test_quantity_needs_a_unit_unless_it_is_0():
    read = QuantityReader(DURATION)
    assert [read(value) for value in ("20ms", 0, "0s")] == [20 * 10**9, 0, 0]
    for value in (20, 1.5, True, False, None, ["1s"]):
        with pytest.raises(ValueError, match="has no unit: write text with one, as in '20ms'"):
            read(value)


@pytest.mark.parametrize(
    ("kind", "value", "number"),
    [(Rate, "10kbit/s", 10_000), (Places, 1, 1), (QueueBytes, "64kB", 64_000), (Gap, "20s", 20 * 10**12)],
)
def test_no_limit_is_a_word_and_0_is_refused(kind, value, number):
    read = TypeAdapter(kind).validate_python
    assert [read(v) for v in (value, "unlimited", "infinite")] == [number, None, None]
    for zero in [0] if kind is Places else [0, "0ms", "0B", "0bit/s"]:
        with pytest.raises(ValidationError, match=r"0 means .*: write 'unlimited' for|is not a"):
            read(zero)


@pytest.mark.parametrize("kind", [CountLimit, SizeLimit])
def test_a_buffer_of_0_holds_nothing(kind):
    assert [TypeAdapter(kind).validate_python(v) for v in (0, "unlimited", "infinite")] == [0, None, None]


def test_decimal_is_rounded_to_its_digits():
    read = DecimalReader("a share", 0, 1, 6)
    assert [read(value) for value in (0, 1, 0.25, 0.1234567)] == [0, 10**6, 250_000, 123_457]


def test_share_may_be_a_percentage():
    share, metres = DecimalReader("a share", 0, 1, 6, is_share=True), DecimalReader("a coordinate", 0, 100, 3)
    assert [share(value) for value in ("5%", "0.1 %", "100%", 0.05)] == [50_000, 1000, 10**6, 50_000]
    for read, value in ((share, "101%"), (share, "0.5"), (metres, "5%")):
        with pytest.raises(ValueError, match="give a number from 0 to 1"):
            read(value)


@pytest.mark.parametrize("value", [-0.1, 1.1, True, "0.5", None, float("nan"), float("inf")])
def test_decimal_out_of_range_is_reported(value):
    with pytest.raises(ValueError, match="is not a share: give a number from 0 to 1"):
        DecimalReader("a share", 0, 1, 6)(value)


def test_probability_keeps_its_text():
    assert [read_probability(value) for value in (0, 0.1, "1e-30", "1/3", "1%")] == ["0", "0.1", "1e-30", "1/3", "0.01"]


@pytest.mark.parametrize("value", [1, -0.1, True, None, "half", "1/0", "100%", "x%", "1e-999999999"])
def test_invalid_probability_is_reported(value):
    with pytest.raises(ValueError, match="is not a probability: give a number from 0 to below 1"):
        read_probability(value)


@pytest.mark.parametrize("value", [2, "1/3", 0.001, 1000])
def test_pace_keeps_its_text(value):
    assert TypeAdapter(Pace).validate_python(value) == str(value)


@pytest.mark.parametrize("value", [0, 1001, "0.0009", True, "fast", "1/0", "1e-999999999"])
def test_pace_out_of_range_is_reported(value):
    with pytest.raises(ValidationError, match=r"is not a pace: give a factor of time from 0\.001 to 1000"):
        TypeAdapter(Pace).validate_python(value)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("ar", ["ar"]),
        (["a", "b"], ["a", "b"]),
        ("ar{8..10}", ["ar8", "ar9", "ar10"]),
        ("ar{08..10}", ["ar08", "ar09", "ar10"]),
        ("r{0..1}c{0..1}", ["r0c0", "r0c1", "r1c0", "r1c1"]),
    ],
)
def test_patterns_expand_to_names(value, names):
    assert TypeAdapter(Names).validate_python(value) == names


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a b", "'a b' is not a name"),
        ("a>b", "'a>b' is not a name"),
        ("x" * 65, "is not a name: write 1 to 64 characters"),
        ([7], "7 is not a name"),
        ("ar{3..1}", "counts down: write the smaller number first"),
        (f"ar{{0..{MAX_NAMES}}}", "makes more than 65536 names: write a smaller range"),
        ([f"a{{1..{MAX_NAMES}}}", "b{0..1}"], "makes more than 65536 names"),
        ([], "at least 1 item"),
    ],
)
def test_invalid_names_are_reported(value, message):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Names).validate_python(value)
    assert message in str(caught.value)


def test_pattern_of_bad_names_is_reported_once():
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Names).validate_python("a b{0..9}")
    assert caught.value.error_count() == 1


def test_address_is_a_prefix_of_full_length():
    assert [str(parse_prefix(text)) for text in ("10.0.0.7", "10.0.0.0/8", "2001:db8::/32")] == [
        "10.0.0.7/32", "10.0.0.0/8", "2001:db8::/32",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("10.0.0.1/8", "'10.0.0.1/8' is not an address or prefix; did you mean '10.0.0.0/8'?"),
        ("10.0.0", "'10.0.0' is not an address or prefix, as in '10.0.0.7'"),
        (10, "10 is not an address or prefix"),
    ],
)
def test_invalid_prefix_is_reported(value, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is compared below
        parse_prefix(value)
    assert str(caught.value).startswith(message)


def test_single_value_becomes_a_list():
    assert (as_list("a"), as_list(["a", "b"]), as_list([])) == (["a"], ["a", "b"], [])


def test_long_list_of_names_is_shortened():
    names = [f"n{i}" for i in range(21)]
    assert join_names(names[:20]) == ", ".join(names[:20])
    assert join_names(names) == "n0, n1, n2, n3, n4, n5, n6, n7, n8, … (21 in all), n20"
