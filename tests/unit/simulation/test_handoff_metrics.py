"""Metrics of handoffs: packets in spans, and the windows that share one packet table, by hand."""

from types import SimpleNamespace

import numpy as np

from engine import Network
from handoff.simulation.handoff_metrics import FlowMobiles, PacketRecords, compute_packet_metrics, first_open_span

DELIVERED, DROPPED, IN_FLIGHT = 0, 5, 14
SPANS = {"mobile": np.array([7, 3, 7]), "open_ps": np.array([50, 10, 20]), "end_ps": np.array([-1, 30, 40])}
"""Spans 20 to 40 and from 50 on of mobile node 7, 10 to 30 of mobile node 3."""


def test_an_instant_belongs_to_the_span_of_its_mobile_node_with_both_ends():
    mobile = np.array([7, 7, 7, 7, 7, 7, 3, 3, 5])
    time_ps = np.array([19, 20, 40, 41, 50, 90, 10, 31, 25])
    assert first_open_span(SPANS, mobile, time_ps, time_ps, 90).tolist() == [-1, 2, 2, -1, 0, 0, 1, -1, -1]


def test_an_open_span_ends_with_the_run():
    time_ps = np.array([80, 81])
    assert first_open_span(SPANS, np.array([7, 7]), time_ps, time_ps, 80).tolist() == [0, -1]


def test_without_spans_no_instant_belongs_to_one():
    nothing = {name: values[:0] for name, values in SPANS.items()}
    assert first_open_span(nothing, np.array([7]), np.array([20]), np.array([20]), 90).tolist() == [-1]


def test_a_lost_packet_belongs_to_the_first_span_between_sending_and_drop():
    """Mobile node 7: sent in a span; before one and dropped in it, after it, and before it; between both, dropped late, early."""
    from_ps, until_ps = (np.array(times) for times in ([25, 15, 15, 15, 41, 41], [99, 25, 60, 19, 99, 49]))
    assert first_open_span(SPANS, np.full(6, 7), from_ps, until_ps, reached_ps=90).tolist() == [2, 2, 2, -1, 0, -1]
    assert first_open_span(SPANS, np.array([3, 5]), np.array([5, 5]), np.array([12, 99]), 90).tolist() == [1, -1]


def records_of(rows):
    """Return records from rows of flow, seq, copy, fate, sent_ps, time_ps, via, tunnels."""
    names = ("flow", "seq", "copy", "fate", "sent_ps", "time_ps", "via", "tunnels")
    records = dict(zip(names, np.array(rows, np.int64).T, strict=True))
    return records | {"delay_ps": records["time_ps"] - records["sent_ps"], "node": 0 * records["flow"]}


PACKETS = records_of([
    (0, 0, 0, DELIVERED, 5, 9, 0, 1),     # before the span
    (0, 1, 0, DELIVERED, 15, 25, 0, 2),   # in the span, through the tunnel of an old router
    (0, 2, 0, DROPPED, 22, 30, 0, 1),     # lost in the span: its last copy is dropped at 38
    (0, 2, 1, DROPPED, 22, 38, 0, 1),
    (0, 3, 0, DELIVERED, 35, 45, 0, 1),   # after the span
    (0, 4, 0, IN_FLIGHT, 79, -1, 0, 1),
])  # fmt: skip


def metrics_of(begin_ps, until_ps, resequence_ps=0):
    result = SimpleNamespace(packets=PACKETS, until_ps=80)
    packets = PacketRecords.from_result(result, FlowMobiles(np.array([7]), None, np.array([0])), resequence_ps)
    handoffs = {"mobile": np.array([7]), "open_ps": np.array([20]), "end_ps": np.array([40]), "reordered": np.array([0])}
    window = SimpleNamespace(flows={"sent": np.zeros(1, np.int64), "reordered": np.array([-5])}, until_ps=until_ps)
    return compute_packet_metrics(np.array([1]), window, packets, handoffs, begin_ps), handoffs, window


def test_a_packet_belongs_to_the_handoff_in_which_it_was_delivered_or_finally_dropped():
    metrics, handoffs, _ = metrics_of(0, 80)
    assert (handoffs["sent"][0], handoffs["lost"][0], handoffs["forwarded"][0]) == (2, 1, 1)
    assert [metrics.study[name][0] for name in ("sent", "delivered", "lost", "unfinished", "forwarded")] == [5, 3, 1, 1, 1]
    assert metrics.flows["delay_max_ps"].tolist() == [10]


def test_a_window_has_the_packets_sent_in_it_and_the_handoffs_all_of_theirs():
    metrics, handoffs, _ = metrics_of(15, 35)
    assert metrics.study["sent"].tolist() == metrics.flows["sent"].tolist() == [2]
    assert handoffs["sent"].tolist() == [2]


def test_with_resequencing_the_engines_count_of_reordered_packets_is_replaced():
    assert metrics_of(0, 80)[2].flows["reordered"].tolist() == [-5]
    assert metrics_of(0, 80, resequence_ps=1000)[2].flows["reordered"].tolist() == [0]


def test_a_packet_between_mobile_nodes_belongs_to_the_sender_until_it_reaches_the_home_node():
    """Flow 1 goes from mobile node 7 to 3, whose home is node 5; flow 0 from a node to 7."""
    network = Network()
    nodes = [network.node(f"n{i}") for i in range(6)]
    mobiles = network.mobiles(8, home=nodes[5])
    network.cbr("n1", mobiles[7], interval="1ms", size_bytes=100)
    network.cbr(None, mobiles[7], peers=mobiles[3], interval="1ms", size_bytes=100, up=True, label="call")
    drops = {"flow": np.array([0, 1, 1, 1, 1]), "node": np.array([-1, -1, 2, 5, 2]), "tunnels": np.array([0, 0, 0, 0, 1])}
    of_dropped = FlowMobiles.of(network).of_dropped(drops, np.arange(5))
    assert of_dropped.tolist() == [7, 7, 7, 3, 3], "radio, link on the way, table of the home node, behind the tunnel"


def test_the_sender_loses_what_its_handoff_loses():
    """Sender 7 drops packet 0 at 25, in its own span 20 to 40; packet 1 is delivered to 3 at 25, in the span 10 to 30 of 3."""
    records = records_of([(0, 0, 0, DROPPED, 24, 25, -1, 0), (0, 1, 0, DELIVERED, 21, 25, 0, 1)])
    records["node"] -= 1
    mobiles = FlowMobiles(np.array([3]), np.array([7]), np.array([5]))
    packets = PacketRecords.from_result(SimpleNamespace(packets=records, until_ps=80), mobiles, 0)
    window = SimpleNamespace(flows={"sent": np.zeros(1, np.int64), "reordered": np.array([0])}, until_ps=80)
    compute_packet_metrics(np.array([1]), window, packets, handoffs := dict(SPANS), 0)
    assert handoffs["mobile"].tolist() == [7, 3, 7]
    assert (handoffs["lost"].tolist(), handoffs["delivered"].tolist()) == ([0, 0, 1], [0, 1, 0])
