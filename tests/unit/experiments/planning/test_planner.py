"""The planner on runs with a known mean: how often an answer is wrong, and which runs it does."""

import json
import math
from itertools import islice

import numpy as np
import pytest

from handoff.experiments.execution.task import Task, TaskResult, canonical_json
from handoff.experiments.planning.planner import ExecutorEnded, Planner
from handoff.experiments.planning.slo import Target
from handoff.experiments.planning.value_search import SearchRange
from handoff.experiments.planning.verdict import Reading, SloTest

WAIT = Target("ha.registration_wait_mean", "<=", 5e9, "ps")


class NoisyExecutor:
    """Executor whose runs have a known mean: the wait of M/D/1 at x of 50,000 nodes, with relative noise.

    The noise of a seed is the same for all values (common random numbers), except for the fraction ``own``.
    """

    def __init__(self, noise, own=0.3, fails=lambda x, seed, name: False):
        self.noise, self.own, self.fails, self.runs = noise, own, fails, 0

    def run(self, tasks):
        for task in tasks:
            self.runs += 1
            x = json.loads(task.scenario)["x"]
            common = np.random.default_rng(task.seed).standard_normal()
            separate = np.random.default_rng((task.seed, x)).standard_normal()
            value = mean_wait(x) * (1 + self.noise * (math.sqrt(1 - self.own**2) * common + self.own * separate))
            tables = {"runs": {"fingerprint": [hash((task.seed, x))], "wait": [value]}}
            count = len(task.procedures)
            failed = any(self.fails(x, task.seed, name) for name in task.procedures)
            yield task, TaskResult((tables,) * count, (0.0,) * count, "it broke" if failed else "")


def mean_wait(x):
    load = min(x / 50_000, 0.999)
    return 1e9 * load / (2 * (1 - load))


LIMIT = 50_000 / 1.1
"""Number of nodes with a mean wait of 5 ms, at a load of 10/11."""


def make_planner(executor, seed=0, *, confidence=0.95, values):
    confidence_of_verdict = 1 - (1 - confidence) / values.max_values
    return Planner(
        SloTest((WAIT,), confidence_of_verdict, 12), executor,
        lambda x, r, names: Task(canonical_json({"x": x}), ".", 1000 * seed + r, names),
        lambda tables: (Reading(tables["runs"]["wait"][0]),),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("noise", "plans", "max_wrong"),
    [(0.2, 40, 20), pytest.param(0.02, 400, 115, marks=pytest.mark.deep), pytest.param(0.2, 400, 115, marks=pytest.mark.deep)],
)
def test_the_answer_contains_the_limit_at_least_as_often_as_stated(noise, plans, max_wrong):
    """At 80 %, more wrong answers than ``max_wrong`` have a probability of about 1e-5 at most (binomial of 0.2)."""
    values = SearchRange(1000, 10**6)
    wrong, narrow = 0, 0
    for seed in range(plans):
        planner = make_planner(NoisyExecutor(noise), seed, confidence=0.8, values=values)
        brackets, complete = planner.search_values(["mipv4"], values)
        bracket = brackets["mipv4"]
        assert complete
        wrong += not (bracket.last_met <= LIMIT < bracket.first_missed)
        narrow += bracket.first_missed <= 1.2 * bracket.last_met
    assert wrong <= max_wrong
    assert narrow >= 0.95 * plans  # a wide interval would be right, but useless


def test_a_far_value_is_decided_with_few_replications():
    values = SearchRange(40_000, 1_000_000)
    planner = make_planner(NoisyExecutor(0.02), values=values)
    planner.search_values(["mipv4"], values)
    replications = {x: len(planner.tables("mipv4", x)) for x in {x for _, x, _ in planner.runs}}
    assert replications[40_000] <= 5
    assert replications[160_000] == 2  # each a hundred times the limit: the product of both shows it


def test_procedures_share_tasks_and_random_draws():
    values = SearchRange(1000, 10**6)
    executor = NoisyExecutor(0.02)
    planner = make_planner(executor, values=values)
    brackets, _ = planner.search_values(["mipv4", "mipv6"], values)
    assert brackets["mipv4"].verdicts == brackets["mipv6"].verdicts
    assert executor.runs * 2 == len(planner.runs)


def test_an_interrupted_search_returns_its_state():
    class InterruptedExecutor(NoisyExecutor):
        def run(self, tasks):
            for done in super().run(tasks):
                if self.runs > 12:
                    raise KeyboardInterrupt
                yield done

    values = SearchRange(1000, 10**6)
    brackets, complete = make_planner(InterruptedExecutor(0.02), values=values).search_values(["mipv4"], values)
    assert not complete
    assert (brackets["mipv4"].last_met, brackets["mipv4"].first_missed) == (16_000, 64_000)


class TwoWorkers(NoisyExecutor):
    """Executor that has up to two tasks in progress, and ends the oldest one first."""

    def __init__(self, noise, **options):
        super().__init__(noise, **options)
        self.tasks = []

    def run(self, drawn):
        running = []
        while True:
            while len(running) < 2 and (group := [*islice(drawn, 1)] or [*islice(drawn, 1)]):  # a group of urgent tasks ends
                running += group
                self.tasks.extend(group)
            if not running:
                return
            yield from super().run([running.pop(0)])


def make_two_workers_planner(executor, values):
    planner = make_planner(executor, values=values)
    planner.workers = planner._feed._workers = 2
    return planner


def test_a_failed_run_leaves_its_value_out_and_the_search_goes_on():
    values = SearchRange(1000, 10**6)
    planner = make_planner(NoisyExecutor(0.02, fails=lambda x, seed, name: x == 16_000 and seed == 1), values=values)
    bracket = planner.search_values(["mipv4"], values)[0]["mipv4"]
    assert bracket.last_met <= LIMIT < bracket.first_missed
    assert [r.decision for r in bracket.verdicts[16_000]] == ["open"]
    assert planner.find_problem(("mipv4", 16_000)) == "the run with seed 1 failed: it broke"
    assert [planner.count_runs(("mipv4", x)) for x in (4000, 16_000)] == [3, 1]


def test_an_answer_ends_below_the_values_whose_runs_fail():
    values = SearchRange(1000, 10**6)
    planner = make_planner(NoisyExecutor(0.02, fails=lambda x, seed, name: x > 30_000), values=values)
    bracket = planner.search_values(["mipv4"], values)[0]["mipv4"]
    assert 0.99 * 30_000 <= bracket.last_met <= 30_000
    assert bracket.first_missed is None


def test_a_run_that_failed_ahead_of_need_decides_nothing():
    """Seed 3 is beyond the first look, which decides here: whether it fails ahead of need depends on the number of workers."""
    values, answers = SearchRange(1000, 10**6), []
    for executor, make in ((NoisyExecutor(0.02), make_planner), (TwoWorkers(0.02), make_two_workers_planner)):
        executor.fails = lambda x, seed, name: seed == 3 and not 40_000 < x < 50_000
        planner = make(executor, values=values)
        answers.append(planner.search_values(["mipv4"], values)[0]["mipv4"])
        assert not any(planner.find_problem(("mipv4", x)) for x in answers[-1].values)
    assert planner.failures
    assert answers[0] == answers[1]


def test_the_failure_of_one_procedure_does_not_cost_the_others_their_runs():
    values = SearchRange(1000, 10**6)
    executor = NoisyExecutor(0.02, fails=lambda x, seed, name: x == 4000 and name == "mipv6")
    planner = make_planner(executor, values=values)
    brackets, _ = planner.search_values(["mipv4", "mipv6"], values)
    assert [[r.decision for r in brackets[name].verdicts[4000]] for name in brackets] == [["met"], ["open"]]
    assert brackets["mipv4"].first_missed == brackets["mipv6"].first_missed


def test_a_value_with_mistakes_has_no_runs():
    values = SearchRange(1000, 10**6)
    planner = make_two_workers_planner(TwoWorkers(0.02), values)
    planner.find_errors = lambda x: ["too many", "too old"] if x in (16_000, 64_000) else []
    bracket = planner.search_values(["mipv4"], values)[0]["mipv4"]
    assert bracket.last_met <= LIMIT < bracket.first_missed
    assert planner.find_problem(("mipv4", 64_000)) == "too many; too old"
    assert not {16_000, 64_000} & {x for _, x, _ in planner.runs}


def test_an_executor_that_ends_is_reported():
    class Ended(NoisyExecutor):
        def run(self, tasks):
            return iter(())

    values = SearchRange(1000, 10**6)
    with pytest.raises(ExecutorEnded, match="the executor ended before 2 runs of this step"):
        make_planner(Ended(0.02), values=values).search_values(["mipv4"], values)


def test_the_executor_has_nothing_in_progress_after_a_search():
    """Its iterator ends with the search, whatever is in progress ahead of need, and not at a later garbage collection."""
    ends = []

    class Closed(TwoWorkers):
        def run(self, drawn):
            ends.append(False)
            try:
                yield from super().run(drawn)
            finally:
                ends[-1] = True

    values = SearchRange(1000, 10**6)
    planner = make_two_workers_planner(Closed(0.02), values)
    planner.search_values(["mipv4"], values)
    assert ends
    assert all(ends)
    assert not planner._feed.in_progress


class DictStore:
    """Store of runs in memory."""

    def __init__(self):
        self.runs = {}

    def read(self, run):
        return self.runs.get(run)

    def write(self, run, tables, wall_seconds):
        self.runs[run] = tables


def test_stored_runs_are_not_repeated_ahead_of_need():
    """A dataset without the last run: the plan that resumes does this run, and no stored one beside it."""
    values, store = SearchRange(1000, 10**6), DictStore()
    for _ in range(2):
        executor = TwoWorkers(0.02)
        planner = make_two_workers_planner(executor, values)
        planner.store = store
        planner.search_values(["mipv4"], values)
        del store.runs["mipv4", 1000, 0]
    assert len(executor.tasks) == 1


DELAY = Target("registration_delay_mean", "<=", 5e9, "ps")


class EarlyExecutor(NoisyExecutor):
    """Executor whose runs end early if the task asks for it and their mean is beyond the value."""

    def __init__(self, noise, **options):
        super().__init__(noise, **options)
        self.tasks = []

    def run(self, tasks):
        for task, result in super().run(tasks):
            self.tasks.append(task)
            value = result.tables[0]["runs"]["wait"][0]
            ended_by = next((measure for measure, at_least in task.early_ends if value >= at_least), "")
            yield task, TaskResult(result.tables, result.wall_seconds, ended_by=(ended_by,) * len(task.procedures))


def make_early_planner(executor, values):
    planner = make_planner(executor, values=values)
    planner.slo_test, planner.may_end_early = SloTest((DELAY,), planner.slo_test.confidence, 12), True
    return planner


def test_runs_beyond_the_low_end_may_end_early_and_the_missed_end_has_one_complete_run():
    values = SearchRange(1000, 10**6)
    executor = EarlyExecutor(0.02)
    planner = make_early_planner(executor, values)
    bracket = planner.search_values(["mipv4"], values)[0]["mipv4"]
    assert bracket.last_met <= LIMIT < bracket.first_missed
    assert all(bool(task.early_ends) == (json.loads(task.scenario)["x"] != 1000) for task in executor.tasks[:-1])
    assert [x for (_, x, _), done in planner.runs.items() if done.ended_by] == [64_000] * 3 + [56_000] * 3  # 100 limits


def test_the_missed_end_of_an_answer_is_described_by_a_complete_run():
    """At 64,000 all runs end early, and a precision of 1 makes it the end of the answer."""
    values = SearchRange(1000, 10**6, precision=1.0)
    executor = EarlyExecutor(0.02)
    planner = make_early_planner(executor, values)
    bracket = planner.search_values(["mipv4"], values)[0]["mipv4"]
    assert bracket.first_missed == 64_000
    assert not executor.tasks[-1].early_ends
    assert [planner.runs["mipv4", 64_000, r].ended_by for r in range(3)] == ["", DELAY.measure, DELAY.measure]
    assert len(planner.tables("mipv4", 64_000)) == 1
    (result,) = bracket.verdicts[64_000]
    assert result.decision == "missed"
    assert result.interval.mean > 100e9  # a third of 500 ms, and two bounds


def test_ctrl_c_in_the_complete_run_of_the_missed_end_keeps_the_answer():
    class Interrupted(EarlyExecutor):
        def run(self, tasks):
            for task, result in super().run(tasks):
                if json.loads(task.scenario)["x"] == 64_000 and not task.early_ends:
                    raise KeyboardInterrupt
                yield task, result

    values = SearchRange(1000, 10**6, precision=1.0)
    brackets, complete = make_early_planner(Interrupted(0.02), values).search_values(["mipv4"], values)
    assert complete
    assert brackets["mipv4"].first_missed == 64_000


def test_no_run_ends_early_if_the_low_end_misses_the_targets():
    """Intervals of complete runs show that it gets worse, so that the search does not climb to the high end."""
    values = SearchRange(50_000, 10**7)
    executor = EarlyExecutor(0.02)
    planner = make_early_planner(executor, values)
    planner.workers = 2
    planner.search_values(["mipv4"], values)
    needed = {run[1] for run in planner.replications_used}
    assert {x for (_, x, _), done in planner.runs.items() if done.ended_by and x in needed} == set()


def test_a_run_that_ended_early_does_not_replace_the_complete_one():
    planner = make_early_planner(EarlyExecutor(0.02), SearchRange(1000, 10**6))
    run, tables = ("mipv4", 64_000, 0), {"runs": {"fingerprint": [1], "wait": [7e12]}}
    planner._add_run(run, tables)
    planner._add_run(run, tables, DELAY.measure)
    assert (planner.runs[run].ended_by, planner.runs[run].readings[0].value) == ("", 7e12)


def test_no_run_takes_place_twice():
    """Run 3 of one procedure, ahead of need, is in progress when both procedures need it: a task with the other one follows."""
    values = SearchRange(1000, 10**6)
    executor = TwoWorkers(0.1)
    planner = make_two_workers_planner(executor, values)
    planner.search_values(["mipv4", "mipv6"], values)
    runs = [(json.loads(task.scenario)["x"], task.seed, name) for task in executor.tasks for name in task.procedures]
    assert len(runs) == len(set(runs))
    assert len(runs) > sum(planner.replications_used.values())  # some ahead of need


def test_a_value_that_would_stay_open_takes_no_more_runs():
    """At the limit itself the distance to it is a fraction of the deviation of a run."""
    values = SearchRange(1000, 10**6)
    executor = NoisyExecutor(0.2)
    planner = make_planner(executor, 3, values=values)
    results = planner.evaluate([("mipv4", round(LIMIT))])
    assert [r.decision for r in results["mipv4", round(LIMIT)]] == ["open"]
    assert planner.replications_used["mipv4", round(LIMIT)] == 5
