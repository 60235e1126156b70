"""Fields of the scenario model by path."""

import pytest

from engine.quantities import DURATION, RATE
from handoff.scenario.field_paths import is_count, keys_at, leaf_paths, validators_at
from handoff.scenario.field_types import QuantityReader
from handoff.scenario.movement import CommutersModel
from handoff.scenario.network import Link
from handoff.scenario.scenario import Scenario


def test_keys_of_tables():
    assert keys_at(()) == list(Scenario.model_fields)
    assert keys_at(("link",)) == keys_at(("link", 0)) == keys_at(("link", "0")) == list(Link.model_fields)
    assert keys_at(("movement", "commuters")) == list(CommutersModel.model_fields)  # an optional table
    assert keys_at(("nothing",)) == keys_at(("duration",)) == keys_at(("duration", "seconds")) == []


def test_leaf_paths_are_the_keys_that_are_no_tables():
    paths = list(leaf_paths({"link": [{}]}))
    assert {"duration", "link.0.rate", "routers.cell.loss", "movement.commuters.gap", "options.bicast"} <= set(paths)
    assert not {"link", "routers", "routers.cell", "movement.commuters"} & set(paths)


def test_leaf_paths_of_a_file_count_its_arrays():
    paths = list(leaf_paths({"link": [{}, {}], "correspondent": {"name": "cn"}, "traffic": "wrong"}))
    assert [path for path in paths if path.endswith(".between")] == ["link.0.between", "link.1.between"]
    assert "correspondent.0.name" in paths


@pytest.mark.parametrize(
    ("path", "quantity"),
    [("duration", DURATION), ("link.0.rate", RATE), ("routers.cell.up_rate", RATE), ("options.lifetime", DURATION)],
)
def test_validator_of_a_quantity(path, quantity):
    (reader,) = validators_at(path.split("."))
    assert isinstance(reader, QuantityReader)
    assert reader.quantity is quantity


def test_plain_fields_have_no_validator():
    assert [list(validators_at(path)) for path in (("seed",), ("routers", "cell", "shared"), ("nothing",))] == [[], [], []]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("seed", True), ("regions.count", True), ("routers.cell.up_buffer_packets", True), ("options.new_buffer_packets", True),
        ("duration", False), ("name", False), ("movement.commuters.moving", False), ("nothing.at.all", False),
    ],
)  # fmt: skip
def test_count_is_a_plain_whole_number(path, expected):
    assert is_count(path.split(".")) is expected
