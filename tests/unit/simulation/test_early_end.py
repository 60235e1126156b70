"""Runs that end early because a measure of their handoffs is certain to reach a value."""

import math

import numpy as np
import pytest

from handoff.scenario.load import load_scenario
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.early_end import CHECKS, EarlyEnd, can_end_early, lower_bound
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup
from tests.unit.experiments.planning.one_mobile_node import commuting

SECOND = 10**12


def setup_of(folder, *, nodes):
    """Handoffs each 5 s of each node, at a home agent that serves ten requests a second."""
    file = commuting(folder, nodes=nodes)
    return build_setup(load_scenario(file, ("home_agent.registration=100ms",))[0], file, 1)


def test_the_values_so_far_bound_the_mean():
    assert lower_bound(np.array([10, -1, 30, -1]), "mean") == 10  # (10 + 30) / 4: the other two may be 0


def test_the_values_so_far_bound_a_quantile():
    """The p99 of 201 values is the third largest, rank 201 - 198; one more place allows for rounding."""
    values = np.full(201, -1)
    values[:3] = 7, 8, 9
    assert lower_bound(values, "p99") == -math.inf
    values[3] = 6
    assert lower_bound(values, "p99") == 6
    assert lower_bound(np.array([-1, 5]), "p50") == -math.inf


@pytest.mark.parametrize("statistic", ["mean", "p50", "p99"])
def test_no_continuation_falls_below_the_bound(statistic):
    rng = np.random.default_rng(1)
    for _ in range(300):
        whole = rng.integers(0, 1000, rng.integers(1, 300))
        whole[rng.random(len(whole)) < 0.1] = -1
        so_far = np.where(rng.random(len(whole)) < rng.random(), whole, -1)
        measured = whole[whole >= 0]
        if len(measured):
            value = measured.mean() if statistic == "mean" else np.quantile(measured, {"p50": 0.5, "p99": 0.99}[statistic])
            assert lower_bound(so_far, statistic) <= value


@pytest.mark.parametrize("measure", ["registration_delay_mean", "registration_delay_p99", "latency_mean", "latency_p99"])
def test_an_overloaded_run_ends_when_the_measure_is_certain(tmp_path, measure):
    setup = setup_of(tmp_path, nodes=60)
    whole = run_procedure(setup, "mipv4", reference=ZERO_BYTES).summary()[f"{measure}_ps"]
    early = run_procedure(setup, "mipv4", reference=ZERO_BYTES, early_ends=[EarlyEnd(measure, whole / 10)])
    assert early.ended_by == measure
    assert early.interrupted_ps < 12 * SECOND
    assert early.interrupted_ps % (12 * SECOND // CHECKS) == 0
    later = run_procedure(setup, "mipv4", reference=ZERO_BYTES, early_ends=[EarlyEnd(measure, whole * 1.01)])
    assert (later.ended_by, later.interrupted_ps) == ("", None)
    assert later.summary()[f"{measure}_ps"] == whole


def test_a_run_that_may_end_early_is_measured_from_its_start(tmp_path):
    with pytest.raises(ValueError, match="no warm-up"):
        run_procedure(setup_of(tmp_path, nodes=1), "mipv4", warmup_ps=SECOND, early_ends=[EarlyEnd("latency_mean", 1.0)])


def test_only_delays_of_handoffs_are_certain_early():
    assert can_end_early("registration_delay_p99")
    assert can_end_early("latency_mean")
    assert not any(map(can_end_early, ["loss_ratio", "delay_p99", "ha.registration_wait_mean", "registration_delay_p95"]))
