"""Intervals of numbers and ratios of events: which method they take, and values to check by hand."""

import math

import pytest
from scipy.stats import chi2, t

from handoff.metrics.confidence import CLOPPER_PEARSON, STUDENT, ratio_interval
from handoff.metrics.event_interval import FAY_FEUER, EventCount, event_interval


def of_handoffs(events, trials=10_000, *, handoffs=100, clustered=None, squares=0.0, largest=20):
    return EventCount(events, trials, True, handoffs, events if clustered is None else clustered, squares, largest)


def test_no_event_is_bounded_by_one_largest_burst():
    """Garwood: no event of a Poisson process leaves chi2(0.975, 2) / 2 = 3.69 events, here bursts of 20 packets."""
    interval = event_interval([of_handoffs(0)] * 3)
    assert (interval.mean, interval.low, interval.method, interval.n) == (0, 0, FAY_FEUER, 3)
    assert interval.high == pytest.approx(20 * chi2.ppf(0.975, 2) / 2 / 30_000)


def test_equal_bursts_have_garwoods_interval_of_their_number():
    """Four bursts of 20 packets, the largest possible: 20 times the exact interval of a Poisson count of 4."""
    interval = event_interval([of_handoffs(40, squares=800), of_handoffs(0), of_handoffs(40, squares=800)])
    assert interval.low == pytest.approx(20 * chi2.ppf(0.025, 8) / 2 / 30_000)
    assert interval.high == pytest.approx(20 * chi2.ppf(0.975, 10) / 2 / 30_000)


def test_a_plain_number_of_single_events_has_garwoods_interval_of_a_replication():
    interval = event_interval([EventCount(n, 1, is_share=False) for n in (2, 0, 1)])
    assert interval.mean == 1
    assert (interval.low, interval.high) == pytest.approx((chi2.ppf(0.025, 6) / 6, chi2.ppf(0.975, 8) / 6))


def test_few_independent_trials_have_clopper_and_pearsons_interval():
    interval = event_interval([EventCount(2, 1000), EventCount(3, 1000)])
    assert interval == ratio_interval(5, 2000)
    assert interval.method == CLOPPER_PEARSON


def test_replications_that_differ_more_than_trials_explain_count_as_fewer_trials():
    """Ten events in one of three replications are worth one event: the variance between them is that of one burst of ten."""
    interval = event_interval([EventCount(10, 1000), EventCount(0, 1000), EventCount(0, 1000)])
    assert interval.high > 2 * ratio_interval(10, 3000).high
    bursts = event_interval([of_handoffs(10, squares=10), of_handoffs(0), of_handoffs(0)])
    steady = event_interval([of_handoffs(4, squares=4), of_handoffs(3, squares=3), of_handoffs(3, squares=3)])
    assert bursts.high > steady.high


def test_many_bursts_have_students_interval_of_the_ratio():
    """By hand: ratio 600 / 3,000; residuals 0, -10 and 10; standard error sqrt(200 / 2 / 3) / 1,000."""
    counts = [of_handoffs(n, 1000, squares=5 * n, largest=5) for n in (200, 190, 210)]
    interval = event_interval(counts)
    half = t.ppf(0.975, 2) * math.sqrt(100 / 3) / 1000
    assert interval.method == STUDENT
    assert (interval.low, interval.high) == pytest.approx((0.2 - half, 0.2 + half))


def test_the_ratio_weighs_replications_by_their_trials():
    assert event_interval([EventCount(1, 10), EventCount(1, 90)]).mean == pytest.approx(0.02)


def test_handoffs_that_all_lose_the_same_are_not_rare():
    """Each of 100 handoffs loses 4 packets in each run: the number of lost packets hardly varies."""
    interval = event_interval([of_handoffs(n, squares=1600) for n in (400, 398, 402)])
    assert interval.method == STUDENT
    assert interval.high < 1.02 * interval.mean


def test_a_single_replication_has_an_interval_of_few_bursts_only():
    assert event_interval([of_handoffs(5, squares=25)]).known
    assert not event_interval([of_handoffs(1000, squares=1000)]).known
    assert not event_interval([EventCount(3, 1000)]).known  # nothing shows whether its events are independent
    assert not event_interval([EventCount(0, 0)]).known


def test_dropped_copies_that_are_not_lost_packets_do_not_widen_the_interval_of_none_lost():
    """Bicasting drops many copies in a handoff; the burst of lost packets is at most their number."""
    assert event_interval([of_handoffs(0, clustered=900, squares=9e4)] * 3) == event_interval([of_handoffs(0)] * 3)


def test_an_interval_of_a_share_lies_between_0_and_1():
    interval = event_interval([of_handoffs(3, 10, squares=9, largest=8)] * 2)
    assert 0 <= interval.low < interval.high == 1


def test_a_confidence_out_of_range_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        event_interval([EventCount(1, 2)], 95)
