"""The search alone: responses that are known, verdicts without noise."""

import math

import pytest

from handoff.experiments.planning.bisection import STRIDE, Bracket, SearchRange, non_monotone_measures, search
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.verdict import TargetResult
from handoff.metrics.confidence import Interval

LIMIT = Target("delay_mean", "<=", 10.0, "ps")


def exactly(value, decision=None):
    return [TargetResult(LIMIT, decision or ("met" if LIMIT.holds(value) else "missed"), Interval(value, value, value, 2))]


def answer(values, response):
    """The bracket, and the values in the order in which they were wanted."""
    found, order = values if isinstance(values, Bracket) else Bracket(values), []
    values = found.range
    going = search(found)
    wanted = next(going)
    try:
        while True:
            assert len(set(wanted)) == len(wanted)
            assert all(values.low <= x <= values.high for x in wanted)
            order += wanted
            wanted = going.send({x: response(x) for x in wanted})
    except StopIteration:
        assert len(order) <= values.most_values
        return found, order


@pytest.mark.parametrize("limit", [1000, 1001, 3999, 4000, 40_404, 640_000, 999_999])
def test_the_largest_value_that_meets_a_target_lies_in_the_answer(limit):
    found, order = answer(SearchRange(1000, 10**6), lambda x: exactly(10 * x / limit))
    assert found.sense == "largest"
    assert found.met <= limit < found.missed
    assert found.missed - found.met <= 0.01 * found.missed
    assert found.monotone
    assert max(order) <= max(4000, STRIDE * limit)  # nothing is tried far beyond the answer


@pytest.mark.parametrize("limit", [*range(1, 40), 63, 64, 65, 1000, 65_536])
def test_the_smallest_whole_number_is_exact(limit):
    found, _ = answer(SearchRange(0, 65_536, precision=0), lambda x: exactly(10 * limit / max(x, 0.001)))
    assert found.sense == "smallest"
    assert (found.missed, found.met) == (limit - 1, limit)


def test_the_grain_is_how_near_is_near_enough():
    found, _ = answer(SearchRange(0, 10**13, precision=0, grain=10**9), lambda x: exactly(10 if x >= 37 * 10**9 + 1 else 11))
    assert found.missed <= 37 * 10**9 < found.met
    assert found.met - found.missed <= 10**9


def test_targets_met_over_the_whole_range_have_no_other_end():
    found, _ = answer(SearchRange(10, 1000), lambda x: exactly(1))
    assert (found.sense, found.met, found.missed) == ("largest", 1000, None)


def test_targets_missed_everywhere_end_the_search_where_it_gets_worse():
    found, order = answer(SearchRange(1000, 10**6), lambda x: exactly(x))
    assert (found.met, found.missed) == (None, 1000)
    assert order == [1000, 4000]


def test_targets_missed_everywhere_are_tried_to_the_end_where_it_may_get_better():
    found, order = answer(SearchRange(1000, 10**6), lambda x: exactly(1e9 / x))
    assert found.met is None
    assert max(order) == 10**6


def test_an_undecided_middle_is_narrowed_from_both_sides():
    def response(x):
        return exactly(10, "open") if 38_000 < x < 42_000 else exactly(10 * x / 40_000)

    found, _ = answer(SearchRange(1000, 10**6), response)
    assert found.met <= 38_000
    assert found.missed >= 42_000
    assert (38_000 - found.met) / 38_000 < 0.011
    assert (found.missed - 42_000) / 42_000 < 0.011


def test_undecided_everywhere_says_nothing():
    found, _ = answer(SearchRange(10, 100), lambda x: exactly(10, "open"))
    assert (found.sense, found.met, found.missed) == (None, None, None)


def test_a_value_that_meets_the_targets_beyond_one_that_misses_them_is_noticed_and_not_believed():
    """Met below 10,000 and from 30,000 to 50,000: the first edge is the answer."""
    found, _ = answer(SearchRange(1000, 10**6), lambda x: exactly(1 if x < 10_000 or 30_000 < x < 50_000 else 20 + x / 1e6))
    assert found.met < 10_000 <= found.missed
    found.verdicts[40_000] = exactly(1)
    assert not found.monotone


def test_verdicts_out_of_order_give_the_conservative_end():
    found = Bracket(SearchRange(1, 100), {1: exactly(1), 40: exactly(20), 50: exactly(2), 100: exactly(30)})
    found.close()
    assert (found.met, found.missed, found.monotone) == (1, 40, False)


def test_a_measure_that_turns_back_is_named():
    found = Bracket(SearchRange(1, 1000), {1: exactly(1), 10: exactly(5), 100: exactly(3), 1000: exactly(20)})
    assert non_monotone_measures(found) == [("delay_mean", 10, 100, "falls")]
    found.verdicts[100] = exactly(7)
    assert non_monotone_measures(found) == []


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 10**13), (1, 2), (5, 7), (1000, 1010), (1, 10**12)])
@pytest.mark.parametrize("precision", [0, 1e-3, 0.2])
def test_the_number_of_values_is_within_its_bound_wherever_the_edge_is(low, high, precision):
    values = SearchRange(low, high, precision)
    for share in (0, 0.001, 0.3, 0.62, 0.9999):
        edge = low + share * (high - low)
        found, _ = answer(values, lambda x, edge=edge: exactly(1 if x <= edge else 20))
        assert found.met <= edge < found.missed
        assert values.near(found.met, found.missed)


def test_a_middle_has_few_digits():
    for a, b in ((40_000, 41_000), (1000, 4000), (7, 9), (10**12, 10**12 + 5)):
        x = SearchRange(1, 10**13).between(a, b)
        assert a < x < b
        assert len(str(x).rstrip("0")) <= 2 or b - a < 2000
    assert math.isclose(SearchRange(1, 10**6).between(1000, 10**6), math.sqrt(10**9), rel_tol=0.1)


def test_where_the_smallest_is_asked_for_a_low_end_that_meets_the_targets_is_the_answer():
    found, order = answer(Bracket(SearchRange(0, 10**6), sense="smallest"), lambda x: exactly(1))
    assert (found.met, found.missed, order) == (0, None, [0])
    found, order = answer(Bracket(SearchRange(1, 10**6), sense="largest"), lambda x: exactly(20))
    assert (found.met, found.missed, order) == (None, 1, [1])
