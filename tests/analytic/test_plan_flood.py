"""A flood of registrations on a small queue: what the simulation refuses beside M/D/1/K (examples/flood.toml)."""

from pathlib import Path

import pytest

from handoff.experiments.execution.task import Task, canonical_json, run_task
from handoff.metrics.catalogue import evaluate
from handoff.metrics.confidence import SequentialTest
from handoff.scenario.load import read_tables
from handoff.scenario.overrides import set_value
from handoff.theory.queueing import md1k_loss

FLOOD = Path(__file__).parents[2] / "examples" / "flood.toml"
LOADS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0)
PLACES, RUNS, SECOND = 5, 5, 10**12
FALSE_ALARM = 1e-3
"""Of the whole test: its share of each load is a tenth."""


def refused(load):
    """Share of messages that found the queue full, and how many came, in each replication, from the third second on."""
    data = set_value(read_tables(FLOOD, ("duration=6s",))[0], "handoff_rate", f"{round(1800 * load)}/h")
    found = []
    for seed in range(1, RUNS + 1):
        outcome = run_task(Task(canonical_json(data), str(FLOOD.parent), seed, ("mipv4",), warmup_ps=2 * SECOND))
        assert outcome.problem == ""
        (run,) = outcome.tables
        assert evaluate(run, "retransmissions").value == 0
        found.append(evaluate(run, "ha.registration_dropped_ratio"))
    return [v.value for v in found], [v.samples for v in found]


@pytest.mark.parametrize("load", LOADS)
def test_what_is_refused_is_that_of_m_d_1_k(load):
    law = md1k_loss(load, PLACES)
    at = SequentialTest(law, "<=", 1 - FALSE_ALARM / len(LOADS), RUNS).interval(*refused(load))
    assert at.low <= law <= at.high, (load, at)
    assert at.high - at.low < 0.2  # it is not right by saying nothing
