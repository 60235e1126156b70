"""Sequences small enough to be worked out by hand, among them those of RFC 3357 and (by order of arrival) RFC 4737."""

import numpy as np
import pytest

from engine.results import Fate
from handoff.metrics import flow_metrics, group_metrics

from .build import arrivals, columns, packet
from .reference import IN_FLIGHT, Packet


def only(flow):
    """The metrics of one flow as numbers."""
    return {name: column[0].item() for name, column in flow_metrics(columns([flow])[0], 1).items()}


def pick(result, *names):
    return tuple(result[name] for name in names)


REORDERING = (
    "reordered", "reordering_extent_max_packets", "late_time_max_ps", "reordering_n_max_packets", "reordered_3",
    "free_runs", "free_run_mean_packets", "free_run_max_packets",
)  # fmt: skip


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        # One packet late, RFC 4737, 7.1: 4 comes after 8. The first larger one, 5, came 4 arrivals before; 5 to 8 are larger.
        ([1, 2, 3, 5, 6, 7, 8, 4, 9, 10], (1, 4, 4000, 4, 1, 1, 7.0, 7)),
        # A block late, 7.2: 4 5 6 come after 10, 4 to 6 arrivals after 7. Right before 5 is 4, right before 6 is 5: n = 0.
        # Runs: 1 2 3 7 8 9 10, then none before 5, none before 6.
        ([1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11], (3, 6, 6000, 4, 1, 3, 7 / 3, 7)),
        # Two neighbours exchanged twice: extent 1, n 1; runs 1 3 and 4 6.
        ([1, 3, 2, 4, 6, 5, 7], (2, 1, 1000, 1, 0, 2, 2.0, 2)),
        # 2 after 5 4 3: extent 3, n 3. Runs: 1 5, then none before 3, none before 2.
        ([1, 5, 4, 3, 2], (3, 3, 3000, 3, 1, 3, 2 / 3, 2)),
        # A missing packet reorders nothing.
        ([1, 2, 5, 6], (0, -1, -1, -1, 0, 0, None, -1)),
        # 3 after 2 has extent 3 and late time 3 arrivals, but follows a smaller number.
        ([1, 5, 6, 2, 3], (2, 3, 3000, 2, 0, 2, 1.5, 3)),
    ],
)
def test_reordering(order, expected):
    result = only(arrivals([s - 1 for s in order]))
    for name, value in zip(REORDERING, expected, strict=True):
        assert np.isnan(result[name]) if value is None else result[name] == pytest.approx(value), name
    assert result["reordered_ratio"] == expected[0] / len(order)


def test_loss_stream_of_rfc_3357():
    """0 1 0 0 1 0 1 0 1 1 (1: lost): distances 3 2 2 1, periods of 1 1 1 2 packets."""
    stream = [0, 1, 0, 0, 1, 0, 1, 0, 1, 1]
    flow = [packet(seq, None if gone else 7, 100 * seq, fate=5) for seq, gone in enumerate(stream)]
    result = only(flow)
    assert pick(result, "lost", "loss_ratio", "loss_periods") == (5, 0.5, 4)
    assert pick(result, "loss_period_max_packets", "loss_distance_min_packets") == (2, 1)


def test_loss_distance_between_single_losses():
    result = only([packet(seq, None if seq in (1, 5, 12) else 7, 100 * seq, fate=5) for seq in range(15)])
    assert pick(result, "loss_periods", "loss_period_max_packets", "loss_distance_min_packets") == (3, 1, 4)


def test_an_unfinished_packet_is_neither_lost_nor_delivered_and_divides_a_loss_period():
    flow = [packet(0, None, 0, fate=5), packet(1, None, 1, fate=IN_FLIGHT), packet(2, None, 2, fate=6)]
    result = only(flow)
    assert pick(result, "sent", "delivered", "lost", "unfinished", "loss_periods") == (3, 0, 2, 1, 2)
    assert result["loss_ratio"] == 1.0


def test_delay_variation():
    """Delays 10 14 (lost) 11 20 10: pairs (0,1) (3,4) (4,5)."""
    delays = [10, 14, None, 11, 20, 10]
    result = only([packet(seq, delay, 1000 * seq, fate=2) for seq, delay in enumerate(delays)])
    assert pick(result, "ipdv_pairs", "ipdv_abs_mean_ps", "ipdv_abs_max_ps") == (3, 7, 10)  # (4 + 9 + 10) // 3
    assert pick(result, "delay_min_ps", "delay_mean_ps", "delay_p50_ps", "delay_max_ps") == (10, 13, 11, 20)
    assert pick(result, "pdv_p50_ps", "pdv_max_ps") == (1, 10)
    assert pick(result, "delay_p95_ps", "delay_p99_ps", "ipdv_abs_p99_ps", "pdv_p99_ps") == (-1,) * 4


@pytest.mark.parametrize(
    ("number", "p50", "p95", "p99"),
    [(1, -1, -1, -1), (2, 1, -1, -1), (19, 10, -1, -1), (20, 10, 19, -1), (100, 50, 95, 99), (101, 51, 96, 100)],
)
def test_quantiles_need_enough_samples(number, p50, p95, p99):
    result = only([packet(seq, 1 + seq, 1000 * seq) for seq in range(number)])
    assert pick(result, "delay_p50_ps", "delay_p95_ps", "delay_p99_ps") == (p50, p95, p99)


def test_jitter():
    """|D| = 16, 16: J = 1, then 1 + 15/16; back to constant delay: times 15/16."""
    result = only([packet(seq, delay, 1000 * seq) for seq, delay in enumerate([0, 16, 0, 0])])
    assert result["jitter_max_ps"] == 1 + 15 / 16
    assert result["jitter_last_ps"] == (1 + 15 / 16) * 15 / 16


def test_jitter_is_in_order_of_arrival():
    """1 overtakes 0: delays 0 (of 1), then 160 (of 0) -> |D| = 160."""
    result = only([packet(0, 160, 0), packet(1, 0, 100)])
    assert pick(result, "jitter_last_ps", "jitter_max_ps", "reordered") == (10, 10, 1)


def test_longest_gap_is_the_first_of_equal_ones():
    flow = [packet(seq, 0, sent) for seq, sent in enumerate([0, 10, 40, 50, 80])]
    assert pick(only(flow), "gap_max_ps", "gap_begin_ps", "gap_end_ps") == (30, 10, 40)


def test_duplicates_count_beside_the_packet():
    result = only([packet(seq, 5, 100 * seq, duplicates=seq) for seq in range(4)])
    assert pick(result, "sent", "delivered", "duplicate", "duplicate_copies", "lost") == (4, 4, 3, 6, 0)
    assert pick(result, "delay_max_ps", "reordered", "gap_max_ps", "jitter_max_ps") == (5, 0, 100, 0)


def test_a_copy_that_arrives_saves_the_packet():
    flow = [Packet(0, 0, [5, 0], [3, 9], [-1, 9]), Packet(1, 0, [0, IN_FLIGHT], [12, -1], [2, -1])]
    assert pick(only(flow), "delivered", "lost", "unfinished") == (2, 0, 0)


def test_a_group_sees_the_order_of_its_flow():
    """0 and 1 arrive after 2: reordered, though the group does not hold 2; the gap to 2 is the group's that ended it."""
    table, _ = columns([[packet(0, 50, 0), packet(1, 60, 10), packet(2, 5, 20)]])
    result = group_metrics(table, np.array([0, 0, -1]), 2)
    assert result["sent"].tolist() == [2, 0]
    assert result["reordered"].tolist() == [2, 0]
    assert result["reordering_extent_max_packets"].tolist() == [2, -1]
    assert result["pdv_max_ps"].tolist() == [55, -1]
    assert result["gap_begin_ps"].tolist() == [25, -1]


def test_loss_periods_end_with_the_group():
    table, _ = columns([[packet(seq, None, seq, fate=5) for seq in range(6)]])
    result = group_metrics(table, np.array([0, 0, 1, 1, 1, 0]), 2)
    assert result["loss_periods"].tolist() == [2, 1]
    assert result["loss_period_max_packets"].tolist() == [2, 3]
    assert result["loss_distance_min_packets"].tolist() == [1, 1]


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
    result = flow_metrics(columns([])[0], flows)
    assert {len(column) for column in result.values()} == {flows}
    for flow in range(flows):
        nothing(result, flow)
        assert pick({k: v[flow] for k, v in result.items()}, "sent", "lost", "loss_periods") == (0, 0, 0)


def test_all_lost():
    table, _ = columns([[packet(seq, None, seq, fate=5) for seq in range(7)]])
    result = flow_metrics(table, 1)
    nothing(result)
    assert (result["sent"][0], result["lost"][0], result["loss_ratio"][0]) == (7, 7, 1.0)
    assert (result["loss_periods"][0], result["loss_period_max_packets"][0], result["loss_distance_min_packets"][0]) == (1, 7, 1)


def test_a_single_packet():
    result = only([packet(0, 42, 100)])
    assert pick(result, "sent", "delivered", "delay_min_ps", "delay_mean_ps", "delay_max_ps") == (1, 1, 42, 42, 42)
    assert pick(result, "delay_p99_ps", "pdv_max_ps", "pdv_p50_ps") == (-1, 0, -1)
    assert pick(result, "delay_p50_ps", "ipdv_pairs", "ipdv_abs_max_ps", "gap_max_ps") == (-1, 0, -1, -1)
    assert pick(result, "jitter_last_ps", "reordered", "loss_distance_min_packets") == (0, 0, -1)


def test_sums_past_64_bits():
    """Five delays of 2**62 and one less by 1: the sum does not fit, the mean (rounded down) does; nor does one sort key."""
    big = 2**62
    flows = [[packet(seq, big - (seq == 3), 0) for seq in range(6)], [packet(0, 3, 0)], [packet(0, big, 0), packet(1, 9, 0)]]
    table, _ = columns(flows)
    result = flow_metrics(table, 3)
    assert result["delay_mean_ps"].tolist() == [big - 1, 3, (big + 9) // 2]
    assert result["delay_p50_ps"].tolist() == [big, -1, 9]
    assert result["pdv_max_ps"].tolist() == [1, 0, big - 9]


def test_numbers_missing_from_the_records_are_no_neighbours():
    """Records of 0 1 5 (delivered) and 3 6 8 9 (lost): one pair for IPDV, periods 3, 6 and 8 9."""
    flow = [packet(seq, None if seq in (3, 6, 8, 9) else 5 * seq, 100 * seq, fate=5) for seq in (0, 1, 3, 5, 6, 8, 9)]
    result = only(flow)
    assert pick(result, "sent", "ipdv_pairs", "ipdv_abs_max_ps") == (7, 1, 5)
    assert pick(result, "loss_periods", "loss_period_max_packets", "loss_distance_min_packets") == (3, 2, 1)
    first_two = only([p for p in flow if p.seq in (1, 5)])
    assert pick(first_two, "ipdv_pairs", "delay_max_ps") == (0, 25)


def test_every_drop_is_a_loss():
    drops = [fate for fate in Fate if fate not in (Fate.DELIVERED, Fate.DUPLICATE, Fate.IN_FLIGHT)]
    assert only([packet(seq, None, 0, fate=int(fate)) for seq, fate in enumerate(drops)])["lost"] == len(drops) == 12


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seq": [1, 0]}, "not sorted"),
        ({"flow": [1, 0]}, "not sorted"),
        ({"seq": [0, 0], "copy": [1, 0]}, "not sorted"),
        ({"seq": [0, 0]}, "not sorted"),
        ({"seq": [0, 0], "copy": [0, 1]}, "several first deliveries"),
        ({"fate": [0, 1]}, "duplicates without"),
    ],
)
def test_contradictions_are_refused(change, message):
    table, group = columns([[packet(0, 1, 0), packet(1, 1, 1)]])
    for name, value in change.items():
        table[name] = np.array(value)
    with pytest.raises(ValueError, match=message):
        group_metrics(table, group, 1)


@pytest.mark.parametrize(("group", "message"), [([0], "one"), ([0, 0, 2], "each below 2"), ([0, 1, 1], "different groups")])
def test_wrong_groups_are_refused(group, message):
    table, _ = columns([[packet(0, 1, 0, duplicates=1), packet(1, 1, 1)]])
    with pytest.raises(ValueError, match=message):
        group_metrics(table, np.array(group), 2)
