"""Nesting beyond every scenario is refused, at any depth."""

import tomllib
import warnings

import pytest

from handoff.scenario.toml_text import MAX_NESTING, NestingError, parse_toml


@pytest.mark.parametrize("depth", [MAX_NESTING + 1, 400, 100_000])
@pytest.mark.parametrize("ends", [("[", "]"), ("{ x = ", "}")])
def test_deep_nesting_is_refused(depth, ends):
    inner = "[]" if ends[0] == "[" else "1"
    with pytest.raises(tomllib.TOMLDecodeError, match=f"nested deeper than {MAX_NESTING} levels"):
        parse_toml(f"x = {ends[0] * depth}{inner}{ends[1] * depth}")


def test_nesting_of_a_scenario_is_accepted():
    text = "x = " + "[" * MAX_NESTING + "1" + "]" * MAX_NESTING
    assert parse_toml(text) == tomllib.loads(text)


def test_the_error_of_nesting_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Python 3.14 deprecates the arguments that a TOMLDecodeError had
        assert str(NestingError()) == f"tables and lists are nested deeper than {MAX_NESTING} levels"
