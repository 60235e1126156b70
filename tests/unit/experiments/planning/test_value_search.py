"""The search on known responses, with verdicts without noise."""

import math

import pytest

from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.value_search import STRIDE, Bracket, SearchRange, non_monotone_measures, search
from handoff.experiments.planning.verdict import TargetResult
from handoff.metrics.confidence import Interval

TARGET = Target("delay_mean", "<=", 10.0, "ps")


def exact_result(value, decision=None):
    return [TargetResult(TARGET, decision or ("met" if TARGET.holds(value) else "missed"), Interval(value, value, value, 2))]


def run_search(values, response):
    """Return the bracket, and the values in the order in which the search requested them."""
    bracket, order = values if isinstance(values, Bracket) else Bracket(values), []
    values = bracket.range
    steps = search(bracket)
    requested = next(steps)
    try:
        while True:
            assert len(set(requested)) == len(requested)
            assert all(values.low <= x <= values.high for x in requested)
            order += requested
            requested = steps.send({x: response(x) for x in requested})
    except StopIteration:
        assert len(order) <= values.max_values
        return bracket, order


@pytest.mark.parametrize("limit", [1000, 1001, 3999, 4000, 40_404, 640_000, 999_999])
def test_the_answer_contains_the_largest_value_that_meets_the_target(limit):
    bracket, order = run_search(SearchRange(1000, 10**6), lambda x: exact_result(10 * x / limit))
    assert bracket.sense == "largest"
    assert bracket.last_met <= limit < bracket.first_missed
    assert bracket.first_missed - bracket.last_met <= 0.01 * bracket.first_missed
    assert bracket.is_monotone
    assert max(order) <= max(4000, STRIDE * limit)  # the search does not go far beyond the answer


@pytest.mark.parametrize("limit", [*range(1, 40), 63, 64, 65, 1000, 65_536])
def test_the_smallest_whole_number_is_exact(limit):
    bracket, _ = run_search(SearchRange(0, 65_536, precision=0), lambda x: exact_result(10 * limit / max(x, 0.001)))
    assert bracket.sense == "smallest"
    assert (bracket.first_missed, bracket.last_met) == (limit - 1, limit)


def test_the_search_stops_at_the_resolution_of_the_range():
    values = SearchRange(0, 10**13, precision=0, resolution=10**9)
    bracket, _ = run_search(values, lambda x: exact_result(10 if x >= 37 * 10**9 + 1 else 11))
    assert bracket.first_missed <= 37 * 10**9 < bracket.last_met
    assert bracket.last_met - bracket.first_missed <= 10**9


def test_targets_met_in_the_whole_range_have_no_missed_end():
    bracket, _ = run_search(SearchRange(10, 1000), lambda x: exact_result(1))
    assert (bracket.sense, bracket.last_met, bracket.first_missed) == ("largest", 1000, None)


def test_targets_missed_everywhere_end_the_search_where_it_gets_worse():
    bracket, order = run_search(SearchRange(1000, 10**6), lambda x: exact_result(x))
    assert (bracket.last_met, bracket.first_missed) == (None, 1000)
    assert order == [1000, 4000]


def test_targets_missed_everywhere_are_tried_to_the_end_where_it_may_get_better():
    bracket, order = run_search(SearchRange(1000, 10**6), lambda x: exact_result(1e9 / x))
    assert bracket.last_met is None
    assert max(order) == 10**6


def test_an_undecided_middle_is_narrowed_from_both_sides():
    def response(x):
        return exact_result(10, "open") if 38_000 < x < 42_000 else exact_result(10 * x / 40_000)

    bracket, _ = run_search(SearchRange(1000, 10**6), response)
    assert bracket.last_met <= 38_000
    assert bracket.first_missed >= 42_000
    assert (38_000 - bracket.last_met) / 38_000 < 0.011
    assert (bracket.first_missed - 42_000) / 42_000 < 0.011


def test_the_ends_are_not_narrowed_far_below_the_width_of_the_undecided_values():
    def decide(x):
        return exact_result(x, "met" if x <= 38_600 else "missed" if x >= 41_400 else "open")

    bracket, order = run_search(SearchRange(36_000, 44_000), decide)
    assert (bracket.last_met, bracket.first_missed) == (38_000, 42_000)
    assert order == [36_000, 44_000, 40_000, 38_000, 42_000, 39_000, 41_000, 37_000, 43_000]  # no 38,500


def test_only_wide_intervals_beside_the_answer_are_checked():
    results = {36_000: exact_result(1), 40_000: exact_result(2), 40_250: exact_result(20), 41_000: exact_result(30)}
    bracket = Bracket(SearchRange(36_000, 44_000), results)
    bracket.update_ends()
    assert bracket.find_checks() == [38_000]


def test_a_range_that_is_undecided_everywhere_has_no_answer():
    bracket, _ = run_search(SearchRange(10, 100), lambda x: exact_result(10, "open"))
    assert (bracket.sense, bracket.last_met, bracket.first_missed) == (None, None, None)


def test_a_value_that_meets_the_targets_beyond_a_missed_one_is_not_the_answer():
    """Met below 10,000 and from 30,000 to 50,000: the first edge is the answer."""

    def response(x):
        return exact_result(1 if x < 10_000 or 30_000 < x < 50_000 else 20 + x / 1e6)

    bracket, _ = run_search(SearchRange(1000, 10**6), response)
    assert bracket.last_met < 10_000 <= bracket.first_missed
    bracket.verdicts[40_000] = exact_result(1)
    assert not bracket.is_monotone


def test_verdicts_out_of_order_give_the_conservative_end():
    bracket = Bracket(SearchRange(1, 100), {1: exact_result(1), 40: exact_result(20), 50: exact_result(2), 100: exact_result(30)})
    bracket.update_ends()
    assert (bracket.last_met, bracket.first_missed, bracket.is_monotone) == (1, 40, False)


def test_a_measure_that_reverses_its_direction_is_named():
    verdicts = {1: exact_result(1), 10: exact_result(5), 100: exact_result(3), 1000: exact_result(20)}
    bracket = Bracket(SearchRange(1, 1000), verdicts)
    assert non_monotone_measures(bracket) == [("delay_mean", 10, 100, "falls")]
    bracket.verdicts[100] = exact_result(7)
    assert non_monotone_measures(bracket) == []


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 10**13), (1, 2), (5, 7), (1000, 1010), (1, 10**12)])
@pytest.mark.parametrize("precision", [0, 1e-3, 0.2])
def test_the_number_of_values_stays_within_its_bound(low, high, precision):
    values = SearchRange(low, high, precision)
    for share in (0, 0.001, 0.3, 0.62, 0.9999):
        edge = low + share * (high - low)
        bracket, _ = run_search(values, lambda x, edge=edge: exact_result(1 if x <= edge else 20))
        assert bracket.last_met <= edge < bracket.first_missed
        assert values.is_near(bracket.last_met, bracket.first_missed)


def test_a_midpoint_has_few_digits():
    for a, b in ((40_000, 41_000), (1000, 4000), (7, 9), (10**12, 10**12 + 5)):
        x = SearchRange(1, 10**13).midpoint(a, b)
        assert a < x < b
        assert len(str(x).rstrip("0")) <= 2 or b - a < 2000
    assert math.isclose(SearchRange(1, 10**6).midpoint(1000, 10**6), math.sqrt(10**9), rel_tol=0.1)


def test_the_low_end_settles_a_search_with_a_chosen_sense():
    bracket, order = run_search(Bracket(SearchRange(0, 10**6), sense="smallest"), lambda x: exact_result(1))
    assert (bracket.last_met, bracket.first_missed, order) == (0, None, [0])
    bracket, order = run_search(Bracket(SearchRange(1, 10**6), sense="largest"), lambda x: exact_result(20))
    assert (bracket.last_met, bracket.first_missed, order) == (None, 1, [1])


def test_a_search_begins_around_a_guess():
    """38,000 to 42,000 enclose the limit, and the values beyond them are tried no more."""
    order = []
    bracket = Bracket(SearchRange(1000, 10**6, precision=0.05))
    steps = search(bracket, lambda low: 40_000)
    requested = next(steps)
    try:
        while True:
            order.append(requested)
            requested = steps.send({x: exact_result(10 * x / 39_500) for x in requested})
    except StopIteration:
        pass
    assert order[:2] == [[1000], [38_000, 42_000]]
    assert bracket.last_met <= 39_500 < bracket.first_missed
    assert max(bracket.values) == 42_000
    assert len(bracket.values) <= 5


@pytest.mark.parametrize("guess", [None, 1, 1000, 1001, 2000, 30_000, 45_000, 500_000, 10**6, 10**7])
@pytest.mark.parametrize("limit", [1000, 1500, 40_404, 999_999, 10**7])
def test_a_wrong_guess_leaves_the_answer_right(guess, limit):
    values = SearchRange(1000, 10**6)
    bracket = Bracket(values)
    steps = search(bracket, lambda low: guess)
    requested = next(steps)
    try:
        while True:
            assert all(values.low <= x <= values.high for x in requested)
            requested = steps.send({x: exact_result(10 * x / limit) for x in requested})
    except StopIteration:
        pass
    assert len(bracket.verdicts) <= values.max_values
    if limit > 10**6:
        assert (bracket.last_met, bracket.first_missed) == (10**6, None)
    else:
        assert bracket.last_met <= limit < bracket.first_missed
        assert values.is_near(bracket.last_met, bracket.first_missed)


def test_the_guess_waits_for_a_low_end_that_meets_the_targets():
    def guess(low):
        raise AssertionError(low)

    steps = search(Bracket(SearchRange(1000, 10**6)), guess)
    next(steps)
    assert steps.send({1000: exact_result(11)}) == [4000]
