"""The loss of a small registration queue in overload, compared with M/D/1/K (examples/flood.toml)."""

from pathlib import Path

import pytest

from handoff.experiments.execution.task import Task, canonical_json, run_task
from handoff.metrics.catalogue import evaluate
from handoff.metrics.sequential_test import SequentialTest
from handoff.scenario.load import read_tables
from handoff.scenario.overrides import set_value
from handoff.theory.queueing import md1k_loss

FLOOD = Path(__file__).parents[2] / "examples" / "flood.toml"
LOADS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0)
PLAIN_LOADS = (0.5, 1.2)
"""Loads that are tested without ``--deep``."""
PLACES, RUNS, SECOND = 5, 5, 10**12
FALSE_ALARM = 1e-3
"""Probability of a false alarm of all loads together."""


def refused_share(load):
    """Return the share of messages that found the queue full and the counts behind it, of each replication after 2 s."""
    data = set_value(read_tables(FLOOD, ("duration=6s",))[0], "handoff_rate", f"{round(1800 * load)}/h")
    measured = []
    for seed in range(1, RUNS + 1):
        result = run_task(Task(canonical_json(data), str(FLOOD.parent), seed, ("mipv4",), warmup_ps=2 * SECOND))
        assert result.problem == ""
        (run,) = result.tables
        assert evaluate(run, "retransmissions").value == 0
        measured.append(evaluate(run, "ha.registration_dropped_ratio"))
    return [v.value for v in measured], [v.events for v in measured]


@pytest.mark.parametrize("load", [load if load in PLAIN_LOADS else pytest.param(load, marks=pytest.mark.deep) for load in LOADS])
def test_the_refused_share_is_the_loss_of_m_d_1_k(load):
    law = md1k_loss(load, PLACES)
    interval = SequentialTest(law, "<=", 1 - FALSE_ALARM / len(LOADS), RUNS).interval(*refused_share(load))
    assert interval.low <= law <= interval.high, (load, interval)
    assert interval.high - interval.low < 0.2  # a wide interval would be right, but useless
