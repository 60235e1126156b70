"""Values of a sweep's points as numbers on the axis of its curves."""

import pytest

from handoff.api.sweep_points import point_numbers


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_field_whose_name_begins_another_has_its_own_numbers(is_reversed):
    values = [("home_agent.registration_queue", "40"), ("home_agent.registration", "2ms")]
    rows = [{"values": values[::-1] if is_reversed else values}, {"values": [("home_agent.registration", "1s")]}]
    assert point_numbers(rows)[0] == [
        {"home_agent.registration_queue": 40, "home_agent.registration": 2.0}, {"home_agent.registration": 1000.0},
    ]  # fmt: skip


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_field_may_have_the_name_of_the_numbers_of_another(is_reversed):
    values = [("lead_s", "5"), ("lead", "2ms")]
    assert point_numbers([{"values": values[::-1] if is_reversed else values}])[0] == [{"lead_s": 5, "lead": 2.0}]


def test_texts_and_booleans_are_no_numbers():
    assert point_numbers([{"values": [("mode", "auto"), ("shared", "true"), ("rate", "1Mbit/s")]}])[0] == [{"rate": 10**6}]


def test_fields_have_the_units_of_their_numbers():
    rows = [{"values": [("lead", "2ms"), ("rate", "1Mbit/s"), ("loss", "0.1"), ("mode", "auto")]}]
    assert point_numbers(rows)[1] == {"lead": "ms", "rate": "bit/s"}
