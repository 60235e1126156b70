"""What the metrics make of an engine's records against what the engine counted itself on the way."""

import numpy as np
import pytest

from engine import Engine
from handoff.metrics import flow_metrics
from tests.unit.engine import two_cell_network
from tests.differential.generate import generate

SAME = {"sent": "sent", "delivered": "delivered", "lost": "lost", "duplicate_copies": "duplicate"}


def ties(packets, flows):
    """By flow: whether two of its packets were delivered at one instant, the order of which the records do not hold."""
    seen = packets["fate"] == 0
    pairs, number = np.unique(np.stack([packets["flow"][seen], packets["time_ps"][seen]]), axis=1, return_counts=True)
    result = np.zeros(flows, bool)
    result[pairs[0][number > 1]] = True
    return result


def compare(result):
    flows = len(result.flows["sent"])
    got = flow_metrics(result.packets, flows)
    for ours, theirs in SAME.items():
        np.testing.assert_array_equal(got[ours], result.flows[theirs], ours)
    tied = ties(result.packets, flows)
    np.testing.assert_array_equal(got["reordered"][~tied], result.flows["reordered"][~tied])
    assert (got["reordered"] <= result.flows["reordered"]).all()  # a tie counts as in order
    delivered = got["delivered"]
    for ours, theirs in (("delay_max_ps", "delay_max_ps"), ("gap_max_ps", "gap_max_ps")):
        np.testing.assert_array_equal(np.maximum(got[ours], 0), np.maximum(result.flows[theirs], 0), ours)
    mean = np.where(delivered > 0, result.flows["delay_sum_ps"] // np.maximum(delivered, 1), -1)
    np.testing.assert_array_equal(got["delay_mean_ps"], mean)


def test_a_handoff_in_a_small_network():
    result = two_cell_network.run(two_cell_network.network())
    assert result.flows["lost"].sum() > 0
    compare(result)


@pytest.mark.parametrize("seed", range(150))
def test_random_networks_with_copies_and_rescue(seed):
    compare(generate(seed).run(Engine)[1])
