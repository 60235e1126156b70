"""Tests of handoff.protocol.advertisements."""

from itertools import pairwise

import pytest

from handoff.protocol.advertisements import AdvertisementSchedule
from handoff.protocol.options import Options

MS = 10**9


def schedule(low_ms, high_ms, seed=1):
    options = Options(advertisement_min_ps=low_ms * MS, advertisement_max_ps=high_ms * MS)
    return AdvertisementSchedule([11, 22], options, seed)


def times(advertisements, router, until_ms=10_000):
    found, time = [], 0
    while time < until_ms * MS:
        time = advertisements.next_after(router, time)
        found.append(time)
    return found


def test_intervals_are_within_their_limits():
    gaps = [b - a for a, b in pairwise(times(schedule(50, 150), 0))]
    assert min(gaps) >= 50 * MS
    assert max(gaps) <= 150 * MS
    assert len(set(gaps)) > 50


def test_equal_limits_give_a_fixed_interval():
    assert {b - a for a, b in pairwise(times(schedule(100, 100), 0))} == {100 * MS}


def test_routers_and_seeds_have_different_times():
    assert times(schedule(50, 150), 0)[0] != times(schedule(50, 150), 1)[0]
    assert times(schedule(50, 150), 0) != times(schedule(50, 150, seed=2), 0)


def test_the_times_do_not_depend_on_the_order_of_queries():
    later_first = schedule(50, 150)
    later_first.next_after(0, 5000 * MS)
    assert times(later_first, 0) == times(schedule(50, 150), 0)


@pytest.mark.parametrize("time_ms", [0, 1, 99, 100, 5555])
def test_the_last_advertisement_is_at_or_before_and_the_next_one_after(time_ms):
    advertisements = schedule(100, 100)
    last, following = advertisements.last_before(0, time_ms * MS), advertisements.next_after(0, time_ms * MS)
    assert last <= time_ms * MS < following == last + 100 * MS
    assert advertisements.last_before(0, following) == following
    assert advertisements.last_before(0, following - 1) == last


def test_every_router_has_advertised_once_within_the_interval_before_time_0():
    assert all(-100 * MS <= schedule(100, 100, seed).last_before(0, 0) <= 0 for seed in range(50))


def test_the_lifetime_is_three_longest_intervals():
    """RFC 5944 2.3.1."""
    assert schedule(50, 150).lifetime_ps == 450 * MS
