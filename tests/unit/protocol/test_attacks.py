"""Schedules of attacks, and the nodes that overhear messages."""

from dataclasses import replace

import numpy as np

from engine import Network
from handoff.protocol.attacks import Attack, Taps

MS = 10**9


def chain():
    """Return the nodes a, b, c and d in a row, and three mobile nodes at home in d."""
    net = Network()
    for name in "abcd":
        net.node(name)
    for x, y in ("ab", "bc", "cd"):
        net.link(x, y, delay=MS, both=True)
    net.mobiles(3, home="d")
    return net


FORGERY = Attack("forged registration", 0, -1, 0, (0, 1, 2), 10 * MS, 1000 * MS)


def test_without_a_rate_there_is_one_message_about_each_mobile_node():
    times, mobiles = FORGERY.schedule(chain(), 1)
    assert (times.tolist(), mobiles.tolist()) == ([10 * MS] * 3, [0, 1, 2])


def test_the_messages_of_a_rate_are_about_the_mobile_nodes_in_turn():
    times, mobiles = replace(FORGERY, interval_ps=100 * MS).schedule(chain(), 1)
    assert times.tolist() == list(range(10 * MS, 1000 * MS, 100 * MS))
    assert len(times) == 10
    assert sorted(mobiles[:3]) == [0, 1, 2]
    assert all(mobiles[3:] == mobiles[:-3])


def test_random_intervals_have_their_mean_and_depend_on_the_seed():
    """10,000 expected messages: a standard deviation of 100, and of the intervals equal to their mean."""
    flood = replace(FORGERY, kind="registration flood", start_ps=0, interval_ps=MS // 10, poisson=True)
    times, _ = flood.schedule(chain(), 1)
    gaps = np.diff(times)
    assert abs(len(times) - 10_000) < 500
    assert times[-1] < 1000 * MS
    assert abs(gaps.std() / gaps.mean() - 1) < 0.05
    assert times.tolist() != flood.schedule(chain(), 2)[0].tolist()


def test_an_attacker_that_records_has_no_messages_of_its_own():
    assert len(replace(FORGERY, kind="replayed update", delay_ps=MS).schedule(chain(), 1)[0]) == 0


def test_a_message_stops_at_the_first_attacker_on_its_way():
    taps = Taps(chain(), [1, 2])
    assert [taps.next_stop(0, 3), taps.next_stop(1, 3), taps.next_stop(2, 3), taps.next_stop(3, 0)] == [1, 2, 3, 2]
    assert [taps.overhears(1, 0, 3), taps.overhears(3, 0, 3), taps.overhears(0, 0, 3), taps.overhears(1, 2, 3)] == [
        True, True, False, False,
    ]  # fmt: skip


def test_only_kinds_that_read_messages_are_taps():
    assert Taps.of(chain(), [FORGERY]) is None
    taps = Taps.of(chain(), [FORGERY, replace(FORGERY, kind="delayed update", node=2)])
    assert taps is not None
    assert taps.nodes == {2}
