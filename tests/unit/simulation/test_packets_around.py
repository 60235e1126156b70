"""Packets around handoffs, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine import FOREVER
from handoff.metrics._packet_loops import find_nearest
from handoff.simulation.handoff_metrics import FlowMobiles, PacketRecords
from handoff.simulation.packets_around import BIN_PS, PATHS, REACH_PS, count_packets_around, delay_bins, lower_delay

MS = 10**9
DELIVERED, DROPPED, IN_FLIGHT = 0, 5, 14
OLD, NEW, OTHER, NONE = 3, 4, 5, -1
HANDOFFS = {
    "mobile": np.array([7, 7, 8]), "down_ps": np.array([5000 * MS, 6500 * MS, FOREVER]),
    "up_ps": np.array([4900 * MS, 6600 * MS, 5100 * MS]), "old_router": np.array([OLD, NEW, OLD]),
    "new_router": np.array([NEW, OTHER, NEW]),
}  # fmt: skip
"""Mobile node 7 leaves router 3 at 5 s and router 4 at 6.5 s. Of mobile node 8 the old link never ends,
and the new one begins at 5.1 s."""


def count(*packets, mobiles=(7, 8, 9), up=(0, 0, 0)):
    """Count packets (flow, sent in ms, fate, router, tunnels) with a delay of 40 ms, as {(path, bin in ms): packets}."""
    rows = []
    for seq, (flow, sent, fate, via, tunnels) in enumerate(sorted(packets, key=lambda p: p[0])):
        ended, delay = -1 if fate == IN_FLIGHT else (sent + 40) * MS, 40 * MS if fate == DELIVERED else -1
        rows.append((flow, seq, 0, fate, sent * MS, ended, delay, via, tunnels))
    names = ("flow", "seq", "copy", "fate", "sent_ps", "time_ps", "delay_ps", "via", "tunnels")
    records = dict(zip(names, np.array(rows, np.int64).reshape(-1, len(names)).T, strict=True))
    flows = FlowMobiles(np.array(mobiles), None, np.zeros(len(mobiles), np.int64))
    packets = PacketRecords.from_result(SimpleNamespace(packets=records, until_ps=10**13), flows, 0)
    counts = count_packets_around(packets, HANDOFFS, np.ones(len(mobiles), np.int64), np.array(up))
    for low, high, path in zip(counts["delay_from_ps"], counts["delay_until_ps"], counts["path"], strict=True):
        assert (low, high) == (0, 0) if "lost" in PATHS[path] else low <= 40 * MS < high
    keys = zip((PATHS[p] for p in counts["path"]), (counts["since_ps"] // MS).tolist(), strict=True)
    return dict(zip(keys, counts["packets"].tolist(), strict=True))


def test_the_path_is_that_of_the_router_and_the_tunnels():
    """Anchors encapsulate each packet once: a second tunnel is that of the old router."""
    packets = [
        (0, 4999, DELIVERED, OLD, 1), (0, 4998, DELIVERED, OLD, 1), (0, 5001, DELIVERED, NEW, 2), (0, 5045, DELIVERED, NEW, 1),
        (0, 5010, DELIVERED, 9, 1), (0, 5020, DROPPED, NONE, 1),
    ]  # fmt: skip
    assert count(*packets) == {
        ("old link", -40): 2, ("forwarded", 0): 1, ("new link", 40): 1, ("other link", 0): 1, ("lost", 0): 1,
    }  # fmt: skip


def test_upstream_packets_have_no_path():
    packets = [(0, 5000, DELIVERED, NONE, 0), (0, 5000, DROPPED, NONE, 0)]
    assert count(*packets, up=(1, 0, 0)) == {("upstream", 0): 1, ("lost upstream", 0): 1}


def test_a_packet_belongs_to_the_nearest_handoff_of_its_mobile_node():
    """5,749 ms is 749 ms behind the first handoff and 751 ms before the second, which leaves the first one's new router."""
    packets = [(0, 5749, DELIVERED, NEW, 1), (0, 5751, DELIVERED, NEW, 1)]
    assert count(*packets) == {("new link", 720): 1, ("old link", -760): 1}
    assert count((2, 5000, DELIVERED, NEW, 1)) == {}, "mobile node 9 has no handoff"


def test_an_old_link_without_end_counts_from_the_new_link():
    assert count((1, 5140, DELIVERED, NEW, 1)) == {("new link", 40): 1}


def test_the_window_has_its_begin_and_not_its_end():
    before = [(0, 3999, DELIVERED, OLD, 1), (0, 4000, DELIVERED, OLD, 1)]
    after = [(0, 7499, DELIVERED, OTHER, 1), (0, 7500, DELIVERED, OTHER, 1)]
    assert count(*before, *after) == {("old link", -1000): 1, ("new link", 960): 1}
    assert (REACH_PS % BIN_PS, REACH_PS // MS) == (0, 1000)


def test_packets_in_flight_do_not_count():
    assert count((0, 5000, IN_FLIGHT, NONE, 1)) == {}


@pytest.mark.parametrize("delay", [4, 5, 7, 8, 15, 16, 10**9, 2**40 - 1, 2**40, 2**40 + 2**38, 2**50 - 1, 2**62 - 1])
def test_a_delay_is_within_its_bin(delay):
    (index,) = delay_bins(np.array([delay])).tolist()
    assert lower_delay(index) <= delay < lower_delay(index + 1)
    assert lower_delay(index + 1) <= 1.25 * lower_delay(index), "four bins an octave: at most a quarter wide"


@pytest.mark.parametrize("seed", range(3))
def test_nearest_instants_are_those_of_a_search_through_all(seed):
    """Few distinct times give many ties; half of the cases have times that fall within a flow."""
    rng = np.random.default_rng(seed)
    owner, owners, reach = rng.integers(0, 5, 8), 5, 6
    instants = [np.sort(rng.integers(0, 60, rng.integers(0, 5))) for _ in range(owners)]
    begin = np.cumsum([0, *map(len, instants)])
    flow = np.sort(rng.integers(0, 8, 400))
    time = rng.integers(0, 60, 400)
    if seed:
        time = time[np.lexsort((time, flow))]
    left_out = rng.random(400) < 0.2
    expected = []
    for i in range(400):
        nearest = min(((abs(int(time[i]) - at), k) for k, at in enumerate(instants[owner[flow[i]]].tolist())), default=None)
        if nearest is not None and not left_out[i]:
            since = int(time[i]) - int(instants[owner[flow[i]]][nearest[1]])
            if -reach <= since < reach:
                expected.append((i, since))
    packet, row, since = find_nearest(flow, time, left_out, owner, begin, np.concatenate(instants), reach)
    assert list(zip(packet.tolist(), since.tolist(), strict=True)) == expected
    assert (time[packet] - np.concatenate(instants)[row]).tolist() == since.tolist()
    assert np.array_equal(np.searchsorted(begin, row, side="right") - 1, owner[flow[packet]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flow": [0, 2]}, "no owner"),
        ({"owner": [0, 1]}, "no instants"),
        ({"begin": [0, 3]}, "out of range"),
        ({"time_ps": [1]}, "2 elements, not 1"),
    ],
)
def test_a_search_for_instants_refuses_what_does_not_fit(change, message):
    columns = {"flow": [0, 1], "time_ps": [5, 5], "owner": [0, 0], "begin": [0, 2], "instant_ps": [4, 6]} | change
    columns = {name: np.array(values, np.int64) for name, values in columns.items()}
    with pytest.raises(ValueError, match=message):
        find_nearest(**columns, left_out=np.zeros(2, bool), reach_ps=9)
