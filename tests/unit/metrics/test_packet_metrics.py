"""Metrics of packets that are small enough to be computed by hand."""

import numpy as np
import pytest

from handoff.metrics import group_metrics
from handoff.metrics.packet_metrics import FLOAT_METRICS, GROUP_METRICS

from .packet_records import build_records, flow_metrics, packet, pick, single_flow_metrics


def test_the_names_and_types_of_the_metrics_are_those_that_are_computed():
    result = single_flow_columns([packet(0, 5, 0), packet(1, 6, 10)])
    assert tuple(result) == GROUP_METRICS
    assert {name for name, column in result.items() if column.dtype.kind == "f"} == FLOAT_METRICS
    assert {column.dtype for name, column in result.items() if name not in FLOAT_METRICS} == {np.dtype(np.int64)}


def single_flow_columns(flow):
    return flow_metrics(build_records([flow])[0], 1)


def test_delay_variation():
    """Delays 10 14 (lost) 11 20 10: pairs (0,1) (3,4) (4,5)."""
    delays = [10, 14, None, 11, 20, 10]
    result = single_flow_metrics([packet(seq, delay, 1000 * seq, fate=2) for seq, delay in enumerate(delays)])
    assert pick(result, "ipdv_pairs", "ipdv_abs_mean_ps", "ipdv_abs_max_ps") == (3, 7, 10)  # (4 + 9 + 10) // 3
    assert pick(result, "delay_min_ps", "delay_mean_ps", "delay_p50_ps", "delay_max_ps") == (10, 13, 11, 20)
    assert pick(result, "pdv_p50_ps", "pdv_max_ps") == (1, 10)
    assert pick(result, "delay_p95_ps", "delay_p99_ps", "ipdv_abs_p99_ps", "pdv_p99_ps") == (-1,) * 4


def test_duplicates_count_beside_the_packet():
    result = single_flow_metrics([packet(seq, 5, 100 * seq, duplicates=seq) for seq in range(4)])
    assert pick(result, "sent", "delivered", "duplicate", "duplicate_copies", "lost") == (4, 4, 3, 6, 0)
    assert pick(result, "delay_max_ps", "reordered", "gap_max_ps", "jitter_max_ps") == (5, 0, 100, 0)


def test_a_group_sees_the_order_of_its_flow():
    """0 and 1 arrive after 2: reordered, though the group does not hold 2; the gap to 2 is the group's that ended it."""
    table, _ = build_records([[packet(0, 50, 0), packet(1, 60, 10), packet(2, 5, 20)]])
    result = group_metrics(table, np.array([0, 0, -1]), 2)
    assert result["sent"].tolist() == [2, 0]
    assert result["reordered"].tolist() == [2, 0]
    assert result["reordering_extent_max_packets"].tolist() == [2, -1]
    assert result["pdv_max_ps"].tolist() == [55, -1]
    assert result["gap_begin_ps"].tolist() == [25, -1]


def nothing(result, where=0):
    """Every column says "no samples": counts 0, others -1 or NaN."""
    counts = {
        "delivered", "duplicate", "duplicate_copies", "ipdv_pairs", "reordered", "reordered_3", "free_runs", "unfinished",
    }  # fmt: skip
    for name, column in result.items():
        if name.startswith(("sent", "lost", "loss")):
            continue
        value = column[where]
        assert value == 0 if name in counts else value == -1 or np.isnan(value), name


@pytest.mark.parametrize("flows", [0, 3])
def test_no_records(flows):
    result = flow_metrics(build_records([])[0], flows)
    assert {len(column) for column in result.values()} == {flows}
    for flow in range(flows):
        nothing(result, flow)
        assert pick({k: v[flow] for k, v in result.items()}, "sent", "lost", "loss_periods") == (0, 0, 0)


def test_all_lost():
    table, _ = build_records([[packet(seq, None, seq, fate=5) for seq in range(7)]])
    result = flow_metrics(table, 1)
    nothing(result)
    assert (result["sent"][0], result["lost"][0], result["loss_ratio"][0]) == (7, 7, 1.0)
    assert (result["loss_periods"][0], result["loss_period_max_packets"][0], result["loss_distance_min_packets"][0]) == (1, 7, 1)


def test_a_single_packet():
    result = single_flow_metrics([packet(0, 42, 100)])
    assert pick(result, "sent", "delivered", "delay_min_ps", "delay_mean_ps", "delay_max_ps") == (1, 1, 42, 42, 42)
    assert pick(result, "delay_p99_ps", "pdv_max_ps", "pdv_p50_ps") == (-1, 0, -1)
    assert pick(result, "delay_p50_ps", "ipdv_pairs", "ipdv_abs_max_ps", "gap_max_ps") == (-1, 0, -1, -1)
    assert pick(result, "jitter_last_ps", "reordered", "loss_distance_min_packets") == (0, 0, -1)


def test_numbers_missing_from_the_records_are_no_neighbours():
    """Records of 0 1 5 (delivered) and 3 6 8 9 (lost): one pair for IPDV, periods 3, 6 and 8 9."""
    flow = [packet(seq, None if seq in (3, 6, 8, 9) else 5 * seq, 100 * seq, fate=5) for seq in (0, 1, 3, 5, 6, 8, 9)]
    result = single_flow_metrics(flow)
    assert pick(result, "sent", "ipdv_pairs", "ipdv_abs_max_ps") == (7, 1, 5)
    assert pick(result, "loss_periods", "loss_period_max_packets", "loss_distance_min_packets") == (3, 2, 1)
    first_two = single_flow_metrics([p for p in flow if p.seq in (1, 5)])
    assert pick(first_two, "ipdv_pairs", "delay_max_ps") == (0, 25)
