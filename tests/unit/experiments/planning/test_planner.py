"""Verdicts on targets, and how often an answer is wrong."""

import json
import math

import numpy as np
import pytest

from handoff.experiments.execution.task import Task, TaskResult, canonical_json
from handoff.experiments.planning.bisection import SearchRange
from handoff.experiments.planning.planner import Planner, RunFailed
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.verdict import Reading, SloTest, significantly_worse, verdict

WAIT = Target("ha.registration_wait_mean", "<=", 5e9, "ps")
LOSS = Target("loss_ratio", "<=", 1e-4, "ratio")
NONE_LOST = Target("lost", "<=", 0.0, "packets")
ALL_IN_TIME = Target("scenario_1_ratio", ">=", 1.0, "ratio")


def found(target, values, trials=None, *, fingerprints=None, most=12, confidence=0.95, enough=True):
    readings = [Reading(v, trials, enough) for v in values]
    (finding,) = SloTest((target,), confidence, most).findings([readings], fingerprints or range(len(values)))
    return finding


def test_equal_runs_under_two_seeds_are_exact():
    at_limit = found(WAIT, [5e9, 5e9], fingerprints=[7, 7])
    assert at_limit.decision == "met"
    assert "no seed changes it" in at_limit.note
    assert found(WAIT, [5e9 + 1] * 2, fingerprints=[7, 7]).decision == "missed"
    assert found(WAIT, [5e9 + 1], fingerprints=[7]).decision == "open"  # one says nothing of the other


def test_no_loss_seen_is_no_proof_of_none():
    """At 95 % and five looks an upper end of about ln(200) / n: 53,000 packets for 1e-4."""
    assert found(LOSS, [0.0] * 3, 5000).decision == "open"
    assert found(LOSS, [0.0] * 12, 2000).decision == "open"
    assert found(LOSS, [0.0] * 12, 10_000).decision == "met"
    assert found(LOSS, [1e-3] * 3, 100_000).decision == "missed"


def test_a_target_at_the_edge_falls_with_the_first_replication_that_breaks_it():
    assert found(NONE_LOST, [0.0] * 11).decision == "open"
    kept = found(NONE_LOST, [0.0] * 12)
    assert kept.decision == "met"
    assert f"{1 - 0.05 ** (1 / 12):.0%}" in kept.note
    assert found(NONE_LOST, [0.0, 0.0, 1.0]).decision == "missed"
    assert found(ALL_IN_TIME, [1.0] * 12, 50).decision == "met"
    assert found(ALL_IN_TIME, [1.0, 0.98], 50).decision == "missed"


def test_what_was_not_measured_decides_nothing_and_says_so():
    nothing = found(WAIT, [1e9, None, 1e9], fingerprints=[7, 7, 7])
    assert nothing.decision == "open"
    assert "nothing was measured in 1 replications" in nothing.note
    few = found(WAIT, [1e9] * 12, enough=False)
    assert few.decision == "open"
    assert "too few samples" in few.note


def test_one_target_missed_is_enough_and_all_have_to_be_met():
    judge = SloTest((WAIT, NONE_LOST), 0.95, 3)
    readings = [[Reading(1e9), Reading(1.1e9), Reading(1.2e9)], [Reading(0.0), Reading(0.0), Reading(1.0)]]
    decisions = judge.findings(readings, [1, 2, 3])
    assert [f.decision for f in decisions] == ["met", "missed"]
    assert verdict(decisions) == "missed"
    assert verdict(decisions[:1]) == "met"


def test_worse_is_beyond_what_chance_explains():
    near, far = [found(WAIT, [v * 1e9 for v in vs]) for vs in ((6, 6.1, 6.2), (9, 9.1, 9.2))]
    noisy = found(WAIT, [v * 1e9 for v in (5, 9.3, 14)])
    assert significantly_worse([far], [near])
    assert not significantly_worse([near], [far])
    assert not significantly_worse([noisy], [near])


class Response:
    """An executor whose runs have a known mean: the wait of M/D/1 at x of 50,000 nodes, with noise of some size.

    The noise is the same for all values of a seed but for a share of its own (common random numbers).
    """

    def __init__(self, noise, own=0.3, problem_at=None):
        self.noise, self.own, self.problem_at, self.runs = noise, own, problem_at, 0

    def run(self, tasks):
        for task in tasks:
            self.runs += 1
            x = json.loads(task.scenario)["x"]
            common = np.random.default_rng(task.seed).standard_normal()
            alone = np.random.default_rng((task.seed, x)).standard_normal()
            value = mean_wait(x) * (1 + self.noise * (math.sqrt(1 - self.own**2) * common + self.own * alone))
            rows = {"runs": {"fingerprint": [hash((task.seed, x))], "wait": [value]}}
            each = len(task.procedures)
            yield task, TaskResult((rows,) * each, (0.0,) * each, "it broke" if x == self.problem_at else "")


def mean_wait(x):
    load = min(x / 50_000, 0.999)
    return 1e9 * load / (2 * (1 - load))


EDGE = 50_000 / 1.1
"""The mean wait is 5 ms at a load of 10/11."""


def planner(executor, seed=0, *, confidence=0.95, most=12, values):
    each = 1 - (1 - confidence) / values.most_values
    return Planner(
        SloTest((WAIT,), each, most), executor,
        lambda x, r, names: Task(canonical_json({"x": x}), ".", 1000 * seed + r, names),
        lambda tables: (Reading(tables["runs"]["wait"][0]),),
    )  # fmt: skip


@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_the_answer_holds_the_edge_at_least_as_often_as_it_says(noise):
    """400 plans at 80 %: more than 115 wrong ones would be a false alarm of 1e-5 (binomial, 400 trials of 0.2)."""
    values = SearchRange(1000, 10**6)
    wrong, narrow = 0, 0
    for seed in range(400):
        brackets, complete = planner(Response(noise), seed, confidence=0.8, values=values).plan(["mipv4"], values)
        at = brackets["mipv4"]
        assert complete
        wrong += not (at.met <= EDGE < at.missed)
        narrow += at.missed <= 1.2 * at.met
    assert wrong <= 115
    assert narrow >= 380  # it is not right by saying nothing


def test_a_far_value_is_decided_with_few_replications():
    values = SearchRange(40_000, 1_000_000)
    one = planner(Response(0.02), values=values)
    one.plan(["mipv4"], values)
    each = {x: len(one.tables("mipv4", x)) for x in {x for _, x, _ in one.runs}}
    assert each[40_000] <= 5
    assert each[160_000] == 3


def test_procedures_side_by_side_share_their_tasks_and_see_the_same_draws():
    values = SearchRange(1000, 10**6)
    executor = Response(0.02)
    one = planner(executor, values=values)
    brackets, _ = one.plan(["mipv4", "mipv6"], values)
    assert brackets["mipv4"].verdicts == brackets["mipv6"].verdicts
    assert executor.runs * 2 == len(one.runs)


def test_an_interrupted_plan_says_what_it_knows():
    class Stopped(Response):
        def run(self, tasks):
            for done in super().run(tasks):
                if self.runs > 12:
                    raise KeyboardInterrupt
                yield done

    values = SearchRange(1000, 10**6)
    brackets, complete = planner(Stopped(0.02), values=values).plan(["mipv4"], values)
    assert not complete
    assert (brackets["mipv4"].met, brackets["mipv4"].missed) == (16_000, 64_000)


def test_a_run_that_fails_ends_the_plan_with_its_reason():
    values = SearchRange(1000, 10**6)
    with pytest.raises(RunFailed, match="it broke"):
        planner(Response(0.02, problem_at=16_000), values=values).plan(["mipv4"], values)
