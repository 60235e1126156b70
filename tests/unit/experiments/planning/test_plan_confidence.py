"""Plans on a queue whose mean wait is known: with guesses, early ends and forecasts they are right as often as they state."""

import json

import numpy as np
import pytest
from scipy import stats

from handoff.experiments.execution.task import Task, TaskResult, canonical_json
from handoff.experiments.planning.planner import Planner
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.value_search import SearchRange
from handoff.experiments.planning.verdict import Reading, SloTest
from handoff.simulation.early_end import lower_bound

PLANS = 100
CONFIDENCE = 0.95
FEWEST_RIGHT = int(stats.binom.ppf(0.0005, PLANS, CONFIDENCE))
CUSTOMERS = 20_000
CAPACITY = 1000
"""Value of the field with a load of 1."""
SERVICE = 1e9
LIMIT_WAIT = 4e9
LIMIT = 800
"""M/M/1 waits r S / (1 - r): 4 services at a load of 0.8."""
MEASURE = "registration_delay_mean"


def waits(load, rng):
    """Waits of successive customers of M/M/1 in whole ps, by Lindley's recursion; stationary from the first one if r < 1."""
    first = rng.exponential(1 / (1 - load)) if load < 1 and rng.random() < load else 0.0
    steps = rng.exponential(1.0, CUSTOMERS - 1) - rng.exponential(1 / load, CUSTOMERS - 1)
    walk = np.concatenate([[0.0], np.cumsum(steps)])
    return (SERVICE * np.maximum(first + walk, walk - np.minimum.accumulate(walk))).astype(np.int64)


class QueueExecutor:
    """Executor of M/M/1; a run ends early as soon as its customers so far are certain to make the mean large enough."""

    def __init__(self):
        self.customers = self.early = 0

    def run(self, tasks):
        for task in tasks:
            x = json.loads(task.scenario)["x"]
            values = waits(x / CAPACITY, np.random.default_rng(task.seed))  # common random numbers
            ended_by = ""
            for n in range(0, CUSTOMERS, CUSTOMERS // 10):
                so_far = np.where(np.arange(CUSTOMERS) < n, values, -1)
                if any(lower_bound(so_far, "mean") >= at_least for _, at_least in task.early_ends):
                    ended_by, values = MEASURE, values[:n]
                    break
            self.customers += len(values)
            self.early += bool(ended_by)
            row = {"fingerprint": [hash((task.seed, x))], "wait": [float(values.mean())]}
            yield task, TaskResult(({"runs": row},), (0.0,), ended_by=(ended_by,))


@pytest.mark.long
@pytest.mark.parametrize("guess", [None, 850])
def test_plans_on_a_queue_contain_the_limit_as_often_as_stated(guess):
    values = SearchRange(50, 50_000, precision=0.05)
    target = Target(MEASURE, "<=", LIMIT_WAIT, "ps")
    confidence = 1 - (1 - CONFIDENCE) / values.max_values
    right, narrow, early = 0, 0, 0
    for seed in range(PLANS):
        executor = QueueExecutor()
        planner = Planner(
            SloTest((target,), confidence, 12), executor,
            lambda x, r, names, seed=seed: Task(canonical_json({"x": x}), ".", 1000 * seed + r, names),
            lambda tables: (Reading(tables["runs"]["wait"][0]),), may_end_early=True,
        )  # fmt: skip
        (bracket,) = planner.search_values(["mipv4"], values, guesses={"mipv4": lambda low: guess})[0].values()
        right += bracket.last_met <= LIMIT < bracket.first_missed
        narrow += bracket.first_missed <= 1.25 * bracket.last_met
        early += executor.early > 0
    assert right >= FEWEST_RIGHT
    assert narrow >= 0.9 * PLANS  # a wide interval would be right, but useless
    assert early >= (0.9 * PLANS if guess is None else 0)


@pytest.mark.long
def test_a_verdict_at_the_limit_of_a_queue_is_wrong_no_more_often_than_stated():
    """At the limit itself every decision is wrong."""
    target, verdicts, wrong = Target(MEASURE, "<=", LIMIT_WAIT, "ps"), 300, 0
    for seed in range(verdicts):
        planner = Planner(
            SloTest((target,), CONFIDENCE, 12), QueueExecutor(),
            lambda x, r, names, seed=seed: Task(canonical_json({"x": x}), ".", 1000 * seed + r, names),
            lambda tables: (Reading(tables["runs"]["wait"][0]),), may_end_early=True,
        )  # fmt: skip
        ((result,),) = planner.evaluate([("mipv4", LIMIT)]).values()
        wrong += result.decision != "open"
    assert verdicts - wrong >= stats.binom.ppf(0.0005, verdicts, CONFIDENCE)
