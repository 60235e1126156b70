"""Names of the package: each is loaded with the module that defines it."""

import pytest

import handoff_traces


def test_every_public_name_has_a_module():
    assert sorted(handoff_traces._MODULE_OF_NAME) == sorted(handoff_traces.__all__)


@pytest.mark.parametrize("name", handoff_traces.__all__)
def test_a_name_is_the_object_of_its_module(name):
    value = getattr(handoff_traces, name)
    if isinstance(value, type):
        assert value.__name__ == name
        assert value.__module__ in (f"handoff_traces.{handoff_traces._MODULE_OF_NAME[name]}", "handoff_traces._native")
    assert name in vars(handoff_traces)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'handoff_traces' has no attribute 'read_captures'$"):
        _ = handoff_traces.read_captures
