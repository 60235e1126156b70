"""Seamless handoffs, by hand: no packet lost, out of order or late."""

from types import SimpleNamespace

import numpy as np
import pytest

from handoff.simulation.handoff_metrics import FlowMobiles, PacketRecords, handoff_of_packets
from handoff.simulation.seamless import judge_handoffs, path_differences

DELIVERED, DROPPED = 0, 5
HANDOFFS = {
    "mobile": np.array([7, 7]), "open_ps": np.array([100, 300]), "end_ps": np.array([200, 400]),
    "old_router": np.array([3, 4]), "new_router": np.array([4, 5]),
}  # fmt: skip
"""Two handoffs of mobile node 7: from 100 to 200 by way of routers 3 and 4, from 300 to 400 by way of 4 and 5."""
SENT = [20 * seq for seq in range(25)]
DIFFERENCES = {(3, 4): 3, (4, 5): 0}


def judge(*flows, differences=DIFFERENCES):
    """Judge flows of mobile node 7, each with the delays of its packets; None is a packet that is dropped 10 after its start."""
    rows = []
    for flow, delays in enumerate(flows):
        for seq, delay in enumerate(delays):
            lost = delay is None
            time = SENT[seq] + (10 if lost else delay)
            rows.append((flow, seq, 0, DROPPED if lost else DELIVERED, SENT[seq], time, -1 if lost else delay))
    names = ("flow", "seq", "copy", "fate", "sent_ps", "time_ps", "delay_ps")
    records = dict(zip(names, np.array(rows, np.int64).T, strict=True))
    result = SimpleNamespace(packets=records, until_ps=600)
    mobiles = FlowMobiles(np.full(len(flows), 7), None, np.zeros(len(flows), np.int64))
    packets = PacketRecords.from_result(result, mobiles, 0)
    handoff = handoff_of_packets(packets, HANDOFFS)
    return judge_handoffs(packets, HANDOFFS, handoff, lambda flow, seq, old, new: differences[old, new]).tolist()


def delays(changes, count=25):
    """Return delays of 10, with changes: sequence number -> delay. Packets 5 to 9 and 15 to 19 arrive in the handoffs."""
    return [changes.get(seq, 10) for seq in range(count)]


def test_without_disturbance_both_handoffs_are_seamless():
    assert judge(delays({})) == [1, 1]


def test_a_lost_packet_belongs_to_the_handoff_in_which_it_was_dropped():
    assert judge(delays({6: None})) == [0, 1]
    assert judge(delays({2: None})) == [1, 1]


def test_a_packet_out_of_order():
    """Packet 16 arrives at 345, after packet 17 (at 341). It is not late: outside all handoffs, a delay rises by 24 as well."""
    usual = {0: 1, 1: 25}
    assert judge(delays(usual | {16: 25, 17: 1})) == [1, 0]
    assert judge(delays(usual | {16: 20, 17: 1})) == [1, 1]


@pytest.mark.parametrize(("later", "seamless"), [(3, 1), (4, 0)])
def test_a_packet_may_be_later_by_the_difference_of_the_paths(later, seamless):
    """From packet 7 on the way is longer; the second handoff is between equal paths."""
    assert judge([10] * 7 + [10 + later] * 18) == [seamless, 1]


@pytest.mark.parametrize(("later", "seamless"), [(5, 1), (6, 0)])
def test_and_by_what_is_usual_outside_the_handoffs(later, seamless):
    """Between packets 12 and 13, after the first handoff, the delay rises by 2."""
    assert judge([10] * 7 + [10 + later] * 6 + [12 + later] * 12) == [seamless, 1]


def test_what_is_usual_is_known_for_each_flow():
    unsteady = [10 + 9 * (seq % 2) for seq in range(25)]
    assert judge(unsteady, delays({7: 14})) == [0, 1]
    assert judge(delays({}), unsteady) == [1, 1]


def test_a_handoff_without_packets_is_not_judged():
    """Packets 0 to 4, then none: the second flow, whose packets 15 and more are not sent, has none in the second handoff."""
    assert judge([10] * 5) == [-1, -1]
    assert judge([10] * 5, delays({8: None}, count=12)) == [0, -1]


def test_a_rise_over_a_handoff_is_not_usual():
    """No packet arrives in the first handoff: what was sent from 80 on arrives after it. That rise excuses nothing later."""
    rise = {4: 130, 5: 111, 6: 92, 7: 73, 8: 54, 9: 35}
    assert judge(delays(rise | {16: 11})) == [-1, 0]


@pytest.mark.parametrize(("seq", "size"), [(0, 40), (1, 1500), (3, 1500)])
def test_the_paths_differ_for_the_size_of_the_packet(seq, size):
    """Flow 0 is CBR; flow 1 replays packets of 40 and 1,500 bytes. Flow 2, to a mobile node, leads down to it."""
    asked = []
    flows = {name: np.array(values) for name, values in {
        "node": [0, 2, 1], "up": [0, 1, 1], "source": [0, 2, 0], "size": [200, 0, 60], "peer": [-1, -1, 5],
    }.items()}  # fmt: skip
    replays = [SimpleNamespace(sizes=np.array([40, 1500], np.uint32))]
    network = SimpleNamespace(flows=lambda: flows, flow_column=lambda name, dtype: flows[name], replays=replays)
    delays_of_paths = SimpleNamespace(difference=lambda *args: asked.append(args))
    difference = path_differences(network, delays_of_paths)
    difference(0, seq, 3, 4), difference(1, seq, 3, 4), difference(2, seq, 3, 4)
    assert asked == [(0, False, 3, 4, 200), (2, True, 3, 4, size), (1, False, 3, 4, 60)]
