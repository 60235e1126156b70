"""Statistics by group, by hand."""

import numpy as np
import pytest

from handoff.metrics.grouped import Grouping, ratio

from .packet_records import build_records, flow_metrics, packet, pick, single_flow_metrics

VALUES, GROUP = np.array([5, 1, 9, 4]), np.array([2, 0, 2, 0])
"""Group 0 has 1 and 4, group 1 has nothing, group 2 has 5 and 9."""


def test_counts_extremes_and_means():
    grouping = Grouping(GROUP, 3)
    assert grouping.number.tolist() == [2, 0, 2]
    low, high = grouping.extremes(VALUES)
    assert (low.tolist(), high.tolist()) == ([1, -1, 5], [4, -1, 9])
    assert grouping.maximum(VALUES).tolist() == [4, -1, 9]
    assert grouping.mean(VALUES).tolist() == [2, -1, 7]


def test_elements_of_no_group_have_no_part():
    grouping = Grouping(np.array([2, -1, 0, -5, 2, 0]), 3)
    assert grouping.group.tolist() == GROUP.tolist()
    assert grouping.select(np.array([5, 100, 1, 100, 9, 4])).tolist() == VALUES.tolist()


def test_the_ratio_to_nothing_is_not_a_number():
    quarter, nothing = ratio(np.array([1, 0]), np.array([4, 0]))
    assert quarter == 0.25
    assert np.isnan(nothing)


@pytest.mark.parametrize("factor", [1, 2**60])
def test_values_are_sorted_within_their_group(factor):
    """With the larger values no common key fits in 64 bits."""
    assert (Grouping(GROUP[:2], 3).sort(VALUES[:2] * factor) // factor).tolist() == [1, 5]
    if factor == 1:
        assert Grouping(GROUP, 3).sort(VALUES).tolist() == [1, 4, 5, 9]


def test_large_groups_in_order_are_sorted_one_by_one():
    """Group 0 has 600 falling values, group 1 nothing, group 2 600 even values from 0: the mean size is 400."""
    values = np.concatenate([np.arange(600)[::-1], 2 * np.arange(600)])
    ordered = Grouping(np.repeat([0, 2], 600), 3).sort(values)
    assert ordered.tolist() == [*range(600), *range(0, 1200, 2)]
    assert values[0] == 599, "the values themselves stay as they are"
    mixed = np.array([2, 0] * 600)
    assert Grouping(mixed, 3).sort(values).tolist() == sorted(values[mixed == 0].tolist()) + sorted(values[mixed == 2].tolist())


@pytest.mark.parametrize(
    ("number", "p50", "p95", "p99"),
    [(1, -1, -1, -1), (2, 1, -1, -1), (19, 10, -1, -1), (20, 10, 19, -1), (100, 50, 95, 99), (101, 51, 96, 100)],
)
def test_quantiles_need_enough_samples(number, p50, p95, p99):
    result = single_flow_metrics([packet(seq, 1 + seq, 1000 * seq) for seq in range(number)])
    assert pick(result, "delay_p50_ps", "delay_p95_ps", "delay_p99_ps") == (p50, p95, p99)


def test_sums_past_64_bits():
    """Five delays of 2**62 and one less by 1: the sum does not fit, the mean (rounded down) does; nor does one sort key."""
    big = 2**62
    flows = [[packet(seq, big - (seq == 3), 0) for seq in range(6)], [packet(0, 3, 0)], [packet(0, big, 0), packet(1, 9, 0)]]
    table, _ = build_records(flows)
    result = flow_metrics(table, 3)
    assert result["delay_mean_ps"].tolist() == [big - 1, 3, (big + 9) // 2]
    assert result["delay_p50_ps"].tolist() == [big, -1, 9]
    assert result["pdv_max_ps"].tolist() == [1, 0, big - 9]


@pytest.mark.parametrize(
    ("group", "value", "result"),
    [
        ([], [], [9, 9, 9]),
        ([0, 0, 0, 0, 2, 2, 2, 2], [5, 3, 4, 8, 7, 12, 11, 10], [3, 9, 7]),  # runs of four are reduced together
        ([2, 2, 2, 2, 0, 0, 0, 0, 2], [7, 12, 11, 10, 5, 3, 4, 8, 1], [3, 9, 1]),  # a group in two runs
        ([0, 2, 0, 2], [5, 7, 3, 12], [3, 9, 7]),
    ],
)
def test_values_are_reduced_into_the_result_of_their_group(group, value, result):
    smallest = np.full(3, 9)
    Grouping(np.array(group, np.int64), 3).reduce_into(np.minimum, smallest, np.array(value, np.int64))
    assert smallest.tolist() == result


@pytest.mark.parametrize(("value", "result"), [([], 9), ([12, 10], 9), ([12, 4, 10], 4)])
def test_one_group_is_reduced_at_once(value, result):
    smallest = np.full(1, 9)
    grouping = Grouping(np.zeros(len(value), np.int64), 1)
    grouping.reduce_into(np.minimum, smallest, np.array(value, np.int64))
    assert smallest.tolist() == [result]
    assert grouping.number.tolist() == [len(value)]
