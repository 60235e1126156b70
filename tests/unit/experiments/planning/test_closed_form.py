"""The answer of theory to the question of a plan."""

import math

import pytest

from handoff.experiments.planning import closed_form as module
from handoff.experiments.planning.closed_form import closed_form, has_closed_form
from handoff.experiments.planning.field_scale import Values
from handoff.experiments.planning.search_problems import SearchProblem
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.value_search import SearchRange
from handoff.scenario.load import read_tables
from handoff.theory.estimate import Estimate
from tests.unit.experiments.planning.one_mobile_node import commuting

LOAD = Target("ha.registration_utilisation", "<=", 0.5, "ratio")


@pytest.fixture
def problem(tmp_path):
    values = Values.of(read_tables(commuting(tmp_path))[0], "lead_time")
    return SearchProblem("lead_time", "lead_time", values, SearchRange(1, 1000, precision=0))


def linear_estimates(position, procedure):
    """A load that is 1 at position 100, at the home agent and, ten times lower, at another one."""
    return [
        Estimate("ha registration", 1.0, 1.0, position / 100, "M/D/1", 0.0, 0.0),
        Estimate("map registration", 1.0, 1.0, position / 1000, "M/D/1", 0.0, 0.0),
    ]


def test_the_search_on_closed_forms_finds_the_limit(problem, monkeypatch):
    monkeypatch.setattr(module, "estimate", linear_estimates)
    form = closed_form(problem, [LOAD, Target("lost", "<=", 0.0, "packets")], "mipv4", lambda x: x)
    assert form.position == 50
    assert form.text.startswith("M/D/1 at ha registration: ")


def test_a_limit_outside_the_range_is_infeasible(problem, monkeypatch):
    monkeypatch.setattr(module, "estimate", linear_estimates)
    form = closed_form(problem, [Target("registration_utilisation_max", "<=", 1e-6, "ratio")], "mipv4", lambda x: x)
    assert form.position is None
    assert form.text == "M/D/1 at ha registration: the targets cannot be met in the range"


def test_targets_without_a_closed_form_have_no_answer(problem):
    assert closed_form(problem, [Target("lost", "<=", 0.0, "packets")], "mipv4", lambda x: x) is None


def test_waits_at_an_agent_use_the_formula_for_mobile_nodes(problem, monkeypatch):
    nodes = SearchProblem("mobile_nodes", "mobile_nodes", problem.values, SearchRange(1, 10**6))
    wait = Target("ha.registration_wait_mean", "<=", 5e9, "ps")
    calls = []

    def capacity(setup, procedure, wait_ps, node):
        calls.append((setup, procedure, wait_ps, node))
        return 1234.5

    monkeypatch.setattr(module, "max_mobile_nodes", capacity)
    assert closed_form(nodes, [wait], "mipv4", lambda x: x).position == 1234.5
    assert calls == [(1, "mipv4", 5e9, "ha"), (1234, "mipv4", 5e9, "ha")]  # with the rate at the first answer
    monkeypatch.setattr(module, "max_mobile_nodes", lambda *_: math.inf)
    assert closed_form(nodes, [wait], "mipv4", lambda x: x).position is None


@pytest.mark.parametrize(
    ("measure", "known"),
    [
        ("ha.registration_wait_mean", True), ("registration_wait_mean_max", True), ("ha>gw0.utilisation", True),
        ("registration_wait_p99", False), ("loss_ratio", False),
    ],
)  # fmt: skip
def test_some_measures_have_a_closed_form(measure, known):
    assert has_closed_form(measure) is known
