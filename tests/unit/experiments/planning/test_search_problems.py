"""Search problems of --vary and --size, and the scenarios that they make."""

import pytest

from handoff.experiments.planning.search_problems import NEW_BUFFER, OLD_BUFFER, scenario_errors, sizing_steps, vary_problem
from handoff.scenario.load import read_tables
from tests.unit.experiments.planning.one_mobile_node import commuting, one_handoff


def read(path):
    return read_tables(path)[0]


def test_a_problem_sets_its_field_in_the_scenario(tmp_path):
    data = read(commuting(tmp_path))
    problem = vary_problem("mobile_nodes = 2:9", data, 0.1, "largest")
    assert (problem.range.low, problem.range.high, problem.range.precision, problem.sense) == (2, 9, 0.1, "largest")
    assert problem.tables(data, 5)["movement"]["commuters"]["mobile_nodes"] == 5
    assert data["movement"]["commuters"]["mobile_nodes"] == 1
    assert problem.range_errors(data) == []


def test_mistakes_at_the_ends_of_a_range_name_the_value(tmp_path):
    data = read(commuting(tmp_path))
    (error,) = vary_problem("mobile_nodes=0:9", data, 0.1, None).range_errors(data)
    assert error.startswith("mobile_nodes=0: movement.commuters.mobile_nodes")
    assert scenario_errors(data) == []


@pytest.mark.parametrize("text", ["mobile_nodes", "=1:2"])
def test_a_range_needs_a_name(tmp_path, text):
    with pytest.raises(ValueError, match=r"write NAME=LOW\.\.HIGH"):
        vary_problem(text, read(commuting(tmp_path)), 0.1, None)


def test_buffers_are_sized_one_after_the_other(tmp_path):
    """The old router's buffer is sized with an unlimited new one; the new one with the old router's answer. Both start at 0."""
    data = read(one_handoff(tmp_path, down=0, up=5))
    first, second = sizing_steps("buffer", data)
    options = first({}).tables(data, 7)["options"]
    assert (options["old_buffer_packets"], options["new_buffer_packets"]) == (7, "unlimited")
    assert scenario_errors(first({}).tables(data, 0)) == []
    options = second({OLD_BUFFER: 3}).tables(data, 9)["options"]
    assert (options["old_buffer_packets"], options["new_buffer_packets"]) == (3, 9)
    assert [first({}).path, second({OLD_BUFFER: 3}).path] == [OLD_BUFFER, NEW_BUFFER]
    assert [problem.range.low for problem in (first({}), second({OLD_BUFFER: 3}))] == [0, 0]


def test_the_lead_is_resolved_to_a_tenth_of_the_packet_interval(tmp_path):
    """A packet each millisecond: 0.1 ms. The lowest lead is the overlap, 20 ms, minus the guard, 20 ms."""
    data = read(commuting(tmp_path))
    (step,) = sizing_steps("lead", data)
    problem = step({})
    assert (problem.range.low, problem.range.resolution, problem.sense) == (0, 10**8, "smallest")
    assert scenario_errors(problem.tables(data, problem.range.high)) == []


@pytest.mark.parametrize(("size", "message"), [("lead", "movement gives no lead"), ("agents", "has no .regions.")])
def test_a_scenario_may_have_nothing_to_size(tmp_path, size, message):
    with pytest.raises(ValueError, match=message):
        sizing_steps(size, read(one_handoff(tmp_path, down=0, up=5)))
