"""Statistics by group, by hand."""

import numpy as np
import pytest

from handoff.metrics._group_loops import count_elements, sort_values, summarise_values
from handoff.metrics.grouped import quantiles, ratio, select_ranks, summarise

from .packet_records import build_records, flow_metrics, packet, pick, single_flow_metrics

VALUES, GROUP = np.array([5, 1, 9, 4]), np.array([2, 0, 2, 0])
"""Group 0 has 1 and 4, group 1 has nothing, group 2 has 5 and 9."""


def all_present(values):
    return np.ones(len(values), bool)


def test_counts_extremes_and_means():
    summary = summarise(GROUP, VALUES, all_present(VALUES), 3)
    assert summary.number.tolist() == [2, 0, 2]
    assert (summary.low.tolist(), summary.high.tolist()) == ([1, -1, 5], [4, -1, 9])
    assert summary.mean.tolist() == [2, -1, 7]
    assert count_elements(GROUP, 3).tolist() == [2, 0, 2]


def test_elements_of_no_group_and_absent_values_have_no_part():
    group, value = np.array([2, -1, 0, -5, 2, 0, 0, 1]), np.array([5, 100, 1, 100, 9, 4, -1, -7])
    present = np.array([1, 1, 1, 1, 1, 1, 0, 0], bool)
    summary = summarise(group, value, present, 3)
    assert summary.number.tolist() == [2, 0, 2]
    assert (summary.low.tolist(), summary.high.tolist()) == ([1, -1, 5], [4, -1, 9])
    assert sort_values(group, value, present, summary.number, 9).tolist() == [1, 4, 5, 9]
    assert count_elements(group, 3).tolist() == [3, 1, 2]


def test_values_below_0_are_values():
    """-7 and 4: the mean -1.5 is rounded down."""
    summary = summarise(np.array([0, 0]), np.array([4, -7]), np.ones(2, bool), 1)
    assert (summary.number[0], summary.low[0], summary.mean[0], summary.high[0]) == (2, -7, -2, 4)


def test_the_ratio_to_nothing_is_not_a_number():
    quarter, nothing = ratio(np.array([1, 0]), np.array([4, 0]))
    assert quarter == 0.25
    assert np.isnan(nothing)


def test_only_groups_up_to_the_length_are_sorted():
    group, value, number = np.array([2, 0, 2, 0, 2]), np.array([5, 4, 3, 1, 2]), np.array([2, 0, 3])
    assert sort_values(group, value, all_present(value), number, 2).tolist() == [1, 4, 5, 3, 2]


@pytest.mark.parametrize(
    ("group", "value", "number", "message"),
    [
        ([0, 3], [1, 1], [1, 1, 0], "below 3, not 3"),
        ([0, 1], [1], [1, 1, 0], "2 elements, not 1"),
        ([0, 0], [1, 1], [1, 1, 0], "number of a group's values"),
        ([2, 2], [1, 1], [1, 0, 1], "more values than its number"),
        ([0, 1], [1, 1], [3, -1, 0], "below 0"),
    ],
)
def test_loops_refuse_what_does_not_fit(group, value, number, message):
    with pytest.raises(ValueError, match=message):
        sort_values(np.array(group), np.array(value), np.ones(2, bool), np.array(number), 9)


def test_sums_refuse_a_group_that_is_too_large():
    for sums in (lambda: summarise_values(GROUP, VALUES, all_present(VALUES), 2), lambda: count_elements(GROUP, 2)):
        with pytest.raises(ValueError, match="below 2, not 2"):
            sums()


def test_quantiles_of_large_and_small_groups():
    """Groups of 1,000 and 2,000 falling values and of 30, mixed: quantiles by nearest rank are those of sorted values."""
    rng = np.random.default_rng(1)
    group = rng.permutation(np.repeat([0, 2, 3], [1000, 2000, 30]))
    value = rng.integers(0, 500, len(group))
    number = count_elements(group, 5)
    before = value.copy()
    for percent, result in quantiles(group, value, all_present(value), number, (99, 50, 95)).items():
        for g in range(5):
            ordered = sorted(value[group == g].tolist())
            enough = len(ordered) >= 100 / (100 - percent)
            assert result[g] == (ordered[-(-percent * len(ordered) // 100) - 1] if enough else -1)
    assert value.tolist() == before.tolist(), "the values themselves stay as they are"


def test_selection_puts_ranks_where_sorting_does():
    values = np.random.default_rng(2).permutation(1000)
    select_ranks(values, [1, 1, 500, 990, 1000])
    assert values[[0, 499, 989, 999]].tolist() == [0, 499, 989, 999]


@pytest.mark.parametrize(
    ("number", "p50", "p95", "p99"),
    [(1, -1, -1, -1), (2, 1, -1, -1), (19, 10, -1, -1), (20, 10, 19, -1), (100, 50, 95, 99), (101, 51, 96, 100)],
)
def test_quantiles_need_enough_samples(number, p50, p95, p99):
    result = single_flow_metrics([packet(seq, 1 + seq, 1000 * seq) for seq in range(number)])
    assert pick(result, "delay_p50_ps", "delay_p95_ps", "delay_p99_ps") == (p50, p95, p99)


def test_sums_past_64_bits():
    """Five delays of 2**62 and one less by 1: the sum does not fit, the mean (rounded down) does."""
    big = 2**62
    flows = [[packet(seq, big - (seq == 3), 0) for seq in range(6)], [packet(0, 3, 0)], [packet(0, big, 0), packet(1, 9, 0)]]
    table, _ = build_records(flows)
    result = flow_metrics(table, 3)
    assert result["delay_mean_ps"].tolist() == [big - 1, 3, (big + 9) // 2]
    assert result["delay_p50_ps"].tolist() == [big, -1, 9]
    assert result["pdv_max_ps"].tolist() == [1, 0, big - 9]
