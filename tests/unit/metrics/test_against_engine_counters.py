"""Metrics of the records of an engine equal the counters of the engine."""

import numpy as np
import pytest

from engine import Engine
from tests.differential.generate import generate
from tests.unit.engine import two_cell_network
from tests.unit.metrics.packet_records import flow_metrics

COUNTERS = {"sent": "sent", "delivered": "delivered", "lost": "lost", "duplicate_copies": "duplicate"}


def has_ties(packets, flows):
    """Return True for each flow with two deliveries at one instant: the records do not contain their order."""
    delivered = packets["fate"] == 0
    pairs, number = np.unique(np.stack([packets["flow"][delivered], packets["time_ps"][delivered]]), axis=1, return_counts=True)
    result = np.zeros(flows, bool)
    result[pairs[0][number > 1]] = True
    return result


def assert_equal_to_counters(result):
    flows = len(result.flows["sent"])
    metrics = flow_metrics(result.packets, flows)
    for ours, theirs in COUNTERS.items():
        np.testing.assert_array_equal(metrics[ours], result.flows[theirs], ours)
    tied = has_ties(result.packets, flows)
    np.testing.assert_array_equal(metrics["reordered"][~tied], result.flows["reordered"][~tied])
    assert (metrics["reordered"] <= result.flows["reordered"]).all()  # a tie counts as in order
    delivered = metrics["delivered"]
    for ours, theirs in (("delay_max_ps", "delay_max_ps"), ("gap_max_ps", "gap_max_ps")):
        np.testing.assert_array_equal(np.maximum(metrics[ours], 0), np.maximum(result.flows[theirs], 0), ours)
    mean = np.where(delivered > 0, result.flows["delay_sum_ps"] // np.maximum(delivered, 1), -1)
    np.testing.assert_array_equal(metrics["delay_mean_ps"], mean)


def test_a_handoff_in_a_small_network():
    result = two_cell_network.run(two_cell_network.network())
    assert result.flows["lost"].sum() > 0
    assert_equal_to_counters(result)


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(3, 150))])
def test_random_networks_with_copies_and_rescue(seed):
    assert_equal_to_counters(generate(seed).run(Engine)[1])
