"""Order of arrivals and interarrival jitter (RFC 3550) by hand."""

import numpy as np
import pytest

from handoff.metrics.arrivals import interarrival_jitter, sort_arrivals

from .packet_records import packet, pick, single_flow_metrics


def column(*values):
    return np.array(values, np.int64)


def test_arrivals_are_sorted_by_time_within_each_flow_and_equal_times_stay_in_sending_order():
    arrivals = sort_arrivals(column(3, 3, 3, 7, 7), column(0, 1, 2, 3, 4), column(9, 5, 5, 8, 1), column(90, 50, 51, 80, 10))
    assert arrivals.packet.tolist() == [1, 2, 0, 4, 3]
    assert arrivals.time_ps.tolist() == [5, 5, 9, 1, 8]
    assert arrivals.delay_ps.tolist() == [50, 51, 90, 10, 80]
    assert arrivals.first.tolist() == [True, False, False, True, False]
    assert arrivals.flow_start().tolist() == [0, 0, 0, 3, 3]


def test_the_jitter_of_each_flow_starts_at_0():
    """Delays 0, 32 in one flow and 100, 116 in the next: J = 32 / 16 and 16 / 16; nothing crosses from one flow to the other."""
    arrivals = sort_arrivals(column(0, 0, 1, 1), column(0, 1, 2, 3), column(0, 1, 2, 3), column(0, 32, 100, 116))
    assert interarrival_jitter(arrivals).tolist() == [0, 2, 0, 1]


def test_the_jitter_follows_the_recurrence_over_many_arrivals():
    delay = np.random.default_rng(1).integers(0, 1000, 3000)
    number = np.arange(3000)
    expected, j = [0.0], 0.0
    for difference in np.abs(np.diff(delay)).tolist():
        j += (difference - j) / 16
        expected.append(j)
    arrivals = sort_arrivals(0 * number, number, number, delay)
    assert interarrival_jitter(arrivals) == pytest.approx(np.array(expected), rel=1e-12)


def test_jitter():
    """|D| = 16, 16: J = 1, then 1 + 15/16; back to constant delay: times 15/16."""
    result = single_flow_metrics([packet(seq, delay, 1000 * seq) for seq, delay in enumerate([0, 16, 0, 0])])
    assert result["jitter_max_ps"] == 1 + 15 / 16
    assert result["jitter_last_ps"] == (1 + 15 / 16) * 15 / 16


def test_jitter_is_in_order_of_arrival():
    """1 overtakes 0: delays 0 (of 1), then 160 (of 0) -> |D| = 160."""
    result = single_flow_metrics([packet(0, 160, 0), packet(1, 0, 100)])
    assert pick(result, "jitter_last_ps", "jitter_max_ps", "reordered") == (10, 10, 1)


def test_longest_gap_is_the_first_of_equal_ones():
    flow = [packet(seq, 0, sent) for seq, sent in enumerate([0, 10, 40, 50, 80])]
    assert pick(single_flow_metrics(flow), "gap_max_ps", "gap_begin_ps", "gap_end_ps") == (30, 10, 40)
