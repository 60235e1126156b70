"""Loss periods and distances by hand, among them the loss stream of RFC 3357."""

import numpy as np

from engine.results import Fate
from handoff.metrics import group_metrics

from .naive_metrics import IN_FLIGHT
from .packet_records import build_records, packet, pick, single_flow_metrics


def test_loss_stream_of_rfc_3357():
    """0 1 0 0 1 0 1 0 1 1 (1: lost): distances 3 2 2 1, periods of 1 1 1 2 packets."""
    stream = [0, 1, 0, 0, 1, 0, 1, 0, 1, 1]
    flow = [packet(seq, None if gone else 7, 100 * seq, fate=5) for seq, gone in enumerate(stream)]
    result = single_flow_metrics(flow)
    assert pick(result, "lost", "loss_ratio", "loss_periods") == (5, 0.5, 4)
    assert pick(result, "loss_period_max_packets", "loss_distance_min_packets") == (2, 1)


def test_loss_distance_between_single_losses():
    result = single_flow_metrics([packet(seq, None if seq in (1, 5, 12) else 7, 100 * seq, fate=5) for seq in range(15)])
    assert pick(result, "loss_periods", "loss_period_max_packets", "loss_distance_min_packets") == (3, 1, 4)


def test_an_unfinished_packet_is_neither_lost_nor_delivered_and_divides_a_loss_period():
    flow = [packet(0, None, 0, fate=5), packet(1, None, 1, fate=IN_FLIGHT), packet(2, None, 2, fate=6)]
    result = single_flow_metrics(flow)
    assert pick(result, "sent", "delivered", "lost", "unfinished", "loss_periods") == (3, 0, 2, 1, 2)
    assert result["loss_ratio"] == 1.0


def test_loss_periods_end_with_the_group():
    table, _ = build_records([[packet(seq, None, seq, fate=5) for seq in range(6)]])
    result = group_metrics(table, np.array([0, 0, 1, 1, 1, 0]), 2)
    assert result["loss_periods"].tolist() == [2, 1]
    assert result["loss_period_max_packets"].tolist() == [2, 3]
    assert result["loss_distance_min_packets"].tolist() == [1, 1]


def test_every_drop_is_a_loss():
    drops = [fate for fate in Fate if fate not in (Fate.DELIVERED, Fate.DUPLICATE, Fate.IN_FLIGHT)]
    flow = [packet(seq, None, 0, fate=int(fate)) for seq, fate in enumerate(drops)]
    assert single_flow_metrics(flow)["lost"] == len(drops) == 12
