"""Trials of a plan have the values of their field as numbers, and not the positions of the search."""

from types import SimpleNamespace

import pytest

from handoff.api.plan_trials import plan_trials
from handoff.experiments.planning.field_scale import parse_range

DATA = {"routers": {"cell": {"loss": 0.0, "delay": "4ms"}}, "options": {}}


@pytest.mark.parametrize(("field", "span", "numbers", "unit"), [
    ("routers.cell.loss", "0..0.04", [0, 0.04], ""),
    ("routers.cell.delay", "1ms..20ms", [1, 20], "ms"),
    ("buffer", "1..8", [1, 8], ""),
])  # fmt: skip
def test_values_are_numbers_in_the_unit_of_the_field(field, span, numbers, unit):
    values, found = parse_range(DATA, field, span, 0.01)
    bracket = SimpleNamespace(verdicts={found.high: [], found.low: []})
    trials = plan_trials(SimpleNamespace(values=values, bracket=bracket, replications={found.low: 2, found.high: 2}))
    assert [trial.position for trial in trials] == pytest.approx(numbers)
    assert [trial.step for trial in trials] == [2, 1]
    assert {trial.field_unit for trial in trials} == {unit}
