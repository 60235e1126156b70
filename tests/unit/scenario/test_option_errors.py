"""Problems of command-line values, reported together with the problems of the scenario."""

import pytest

from engine.quantities import parse_duration
from handoff.scenario import ScenarioError
from handoff.scenario.option_errors import load_with_problems, parse_option, seed_range_errors


def fail():
    raise ScenarioError(["from the file"])


def test_option_is_parsed():
    problems = []
    assert parse_option("--warmup", parse_duration, "2s", problems) == 2 * 10**12
    assert parse_option("--warmup", parse_duration, None, problems) is None
    assert problems == []


def test_invalid_option_is_collected():
    problems = ["before"]
    assert parse_option("--warmup", parse_duration, "-2s", problems) is None
    assert problems == ["before", "--warmup: '-2s' is out of range: a duration is at least 0 and below 2**63 ps"]


@pytest.mark.parametrize(("seed", "runs", "errors"), [(0, 2**63, 0), (2**63 - 1, 1, 0), (2**63 - 1, 2, 1), (2**63 - 4, 5, 1)])
def test_last_seed_fits_int64(seed, runs, errors):
    assert len(seed_range_errors(seed, runs)) == errors


def test_message_names_the_largest_possible_seed():
    (message,) = seed_range_errors(2**63 - 1, 3)
    assert message.endswith(f"give a seed of at most {2**63 - 3}")


def test_result_is_returned_if_there_are_no_problems():
    assert load_with_problems([], lambda: 7) == 7


def test_problems_are_raised_before_those_of_the_load():
    with pytest.raises(ScenarioError) as caught:
        load_with_problems(["before"], fail)
    assert caught.value.problems == ["before", "from the file"]


def test_problems_alone_are_raised_by_the_last_load_only():
    assert load_with_problems(["before"], lambda: 7, last=False) == 7
    with pytest.raises(ScenarioError, match="before"):
        load_with_problems(["before"], lambda: 7)
