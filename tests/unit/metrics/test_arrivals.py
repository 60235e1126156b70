"""Order of arrivals and interarrival jitter (RFC 3550) by hand."""

import numpy as np
import pytest

from handoff.metrics._packet_loops import find_late, find_sudden_delays, measure_arrivals
from handoff.metrics.arrivals import sort_arrivals

from .packet_records import packet, pick, single_flow_metrics


def column(*values):
    return np.array(values, np.int64)


def test_arrivals_are_sorted_by_time_within_each_flow_and_equal_times_stay_in_sending_order():
    arrivals = sort_arrivals(column(3, 3, 3, 7, 7), column(0, 1, 2, 3, 4), column(9, 5, 5, 8, 1), column(90, 50, 51, 80, 10))
    assert arrivals.packet.tolist() == [1, 2, 0, 4, 3]
    assert arrivals.time_ps.tolist() == [5, 5, 9, 1, 8]
    assert arrivals.delay_ps.tolist() == [50, 51, 90, 10, 80]
    assert arrivals.first.tolist() == [True, False, False, True, False]


def jitter_after_each(arrivals):
    """Return the jitter after each arrival: each packet is a group of its own."""
    count = len(arrivals.packet)
    last, high, *_ = measure_arrivals(
        arrivals.packet, arrivals.time_ps, arrivals.delay_ps, arrivals.first, np.arange(count), count
    )
    assert last.tolist() == high.tolist()
    return last[arrivals.packet]


def test_the_jitter_of_each_flow_starts_at_0():
    """Delays 0, 32 in one flow and 100, 116 in the next: J = 32 / 16 and 16 / 16; nothing crosses from one flow to the other."""
    arrivals = sort_arrivals(column(0, 0, 1, 1), column(0, 1, 2, 3), column(0, 1, 2, 3), column(0, 32, 100, 116))
    assert jitter_after_each(arrivals).tolist() == [0, 2, 0, 1]


def test_the_jitter_follows_the_recurrence_over_many_arrivals():
    delay = np.random.default_rng(1).integers(0, 1000, 3000)
    number = np.arange(3000)
    expected, j = [0.0], 0.0
    for difference in np.abs(np.diff(delay)).tolist():
        j += (difference - j) / 16
        expected.append(j)
    arrivals = sort_arrivals(0 * number, number, number, delay)
    assert jitter_after_each(arrivals).tolist() == expected


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


def test_late_arrivals_come_after_a_larger_packet():
    assert find_late(column(0, 2, 1, 5, 3, 4, 6)).tolist() == [2, 4, 5]
    assert find_late(column()).tolist() == []


def test_a_sudden_delay_exceeds_what_is_usual_in_the_flow():
    """Flow 0: +10 outside handoffs is usual, so +11 in handoff 3 is 1 beyond it, and +10 there is nothing.

    The step of 50 after a handoff and that of 70 of a reordered packet are not usual ones. Flow 1 begins in a handoff.
    """
    delay = column(0, 10, 21, 31, 81, 151, 152, 500)
    handoff = column(-1, -1, 3, 3, -1, -1, -1, 4)
    interrupted = np.array([1, 0, 1, 0, 0, 0, 0, 1], bool)
    reordered = np.array([0, 0, 0, 0, 0, 1, 0, 0], bool)
    flow = column(0, 0, 0, 0, 0, 0, 0, 1)
    rows, beyond = find_sudden_delays(np.arange(8), delay, interrupted, flow, handoff, reordered, 2)
    assert (rows.tolist(), beyond.tolist()) == ([2], [1])


@pytest.mark.parametrize(
    ("packet", "flow", "message"),
    [
        ([0, 2], [0, 0], "outside the table"),
        ([0, 1], [0, 5], "flow must be below 2"),
        ([0], [0, 0], "1 elements, not 2"),
    ],
)
def test_arrivals_that_do_not_fit_are_refused(packet, flow, message):
    none = np.zeros(2, bool)
    with pytest.raises(ValueError, match=message):
        find_sudden_delays(column(*packet), column(0, 0)[: len(packet)], none, column(*flow), column(-1, -1), none, 2)
