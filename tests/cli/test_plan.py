"""``handoff plan`` as a whole command: answers, exit codes, interruption and resumption."""

import json
import math
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from handoff.experiments.execution.task import SerialExecutor
from handoff.theory.queueing import md1k_loss
from tests.unit.experiments.planning.one_mobile_node import commuting, one_handoff

FLOOD = str(Path(__file__).parents[2] / "examples" / "flood.toml")
LOSS_LIMIT = ("--vary", "handoff_rate=900/h:2700/h", "--slo", "ha.registration_dropped_ratio<=5%", "--procedures", "mipv4")
COARSE = ("--precision", "0.2", "--most-runs", "5", "--warmup", "2s", "--set", "duration=5s")


def plan(*words, jobs="1"):
    return CliRunner().invoke(main, ["plan", *map(str, words), "--jobs", jobs])


def load_with_loss(ratio, places=5):
    """Return the load at which M/D/1/K loses this ratio, by bisection."""
    low, high = 0.1, 2.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if md1k_loss(middle, places) < ratio else (low, middle)
    return low


@pytest.fixture(scope="module")
def loss_plan():
    return plan(FLOOD, *LOSS_LIMIT, *COARSE, "--json")


def per_hour(text):
    number, _, unit = text.partition("/")
    return float(number) * {"h": 1, "min": 60}[unit]


@pytest.mark.deep
def test_the_answer_contains_the_value_of_theory_and_names_the_bottleneck(loss_plan):
    """At a load of 1, each node has 1800 handoffs an hour."""
    assert loss_plan.exit_code == 0, loss_plan.output
    document = json.loads(loss_plan.stdout)
    (answer,) = document["answers"]
    law = 1800 * load_with_loss(0.05)
    assert per_hour(answer["met"]) <= law <= per_hour(answer["missed"])
    assert per_hour(answer["met"]) <= per_hour(answer["estimate"]) <= per_hour(answer["missed"])
    assert (document["passed"], answer["sense"], answer["monotone"], answer["complete"]) == (True, "largest", True, True)
    assert answer["breaks_first"][0]["measure"] == "ha.registration_dropped_ratio"
    assert answer["busiest"][0]["name"] == "ha registration"
    assert "M/D/1/K" in answer["closed_form"]["said"]
    assert math.isclose(answer["theory"][0]["load"], per_hour(answer["at"]) / 1800, rel_tol=0.1)
    for evaluation in answer["evaluations"]:
        assert evaluation["targets"][0]["low"] <= evaluation["targets"][0]["mean"] <= evaluation["targets"][0]["high"]


@pytest.mark.deep
def test_the_answer_does_not_depend_on_the_number_of_workers(loss_plan):
    assert plan(FLOOD, *LOSS_LIMIT, *COARSE, "--json", jobs="3").stdout == loss_plan.stdout


def test_the_text_names_the_answer_and_what_breaks_first(tmp_path):
    file = one_handoff(tmp_path, predict=0, warn=1, down=11, up=31)
    done = plan(file, "--vary", "buffer=1:100", "--slo", "lost<=0", "--slo", "lost<=3", "--procedures", "sync-mipv4,mipv4")
    assert done.exit_code == 3  # mipv4 loses packets whatever the new router buffers
    text = done.stdout
    assert "sync-mipv4: smallest buffer that meets the targets: 21 (20 misses them)" in text
    assert "what breaks first: lost <= 0 packets: 1 packet at 20 (exact: no seed changes it)" in text
    assert "mipv4: the targets cannot be met by buffer from 1 to 100" in text
    assert "missed by least: lost <= 0 packets:" in text
    assert "side by side" in text
    assert "the end of the range" in plan(file, "--vary", "buffer=30:40", "--slo", "lost<=0").stdout


def test_an_analytic_plan_runs_nothing(monkeypatch):
    monkeypatch.setattr(SerialExecutor, "run", None)
    done = plan(FLOOD, *LOSS_LIMIT, "--analytic", "--json")
    assert done.exit_code == 0
    (answer,) = json.loads(done.stdout)["answers"]
    assert math.isclose(answer["estimates"][0]["loss_ratio"], 0.05, rel_tol=0.1)
    unchanged = plan(FLOOD, "--analytic", "--procedures", "mipv4")
    assert unchanged.exit_code == 0
    assert "M/D/1/K" in unchanged.stdout


def test_a_dry_run_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(SerialExecutor, "run", None)
    file = commuting(tmp_path)
    done = plan(file, "--vary", "mobile_nodes=1:1k", "--slo", "lost<=0", "--dry-run", "--json")
    preview = json.loads(done.stdout)
    assert preview["values"] == [1, 4, 16, 64, 256, 1000]
    assert [p["value"] for p in preview["packets"]] == [1, 4]
    assert [p["packets"] for p in preview["packets"]] == pytest.approx([12_000, 48_000], rel=1e-3)
    assert "at most" in plan(file, "--size", "buffer", "--dry-run").stdout


def test_an_interrupted_plan_prints_what_is_known(tmp_path, monkeypatch):
    original = SerialExecutor.run

    def run(self, tasks):
        for task, result in original(self, tasks):
            if self.done >= 4:
                raise KeyboardInterrupt
            yield task, result

    monkeypatch.setattr(SerialExecutor, "run", run)
    done = plan(one_handoff(tmp_path, predict=0, warn=1, down=11, up=31), "--vary", "buffer=1:100", "--slo", "lost<=0", "--json")
    assert done.exit_code == 130
    (answer,) = json.loads(done.stdout)["answers"]
    assert not answer["complete"]
    assert [e["value"] for e in answer["evaluations"]] == [1, 4]


def test_no_other_procedure_starts_after_an_interruption(tmp_path, monkeypatch):
    started = []

    def run(self, tasks):
        started.extend(task.procedures for task in tasks)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(SerialExecutor, "run", run)
    file = one_handoff(tmp_path, predict=0, warn=1, down=11, up=31)
    done = plan(file, "--size", "buffer", "--procedures", "sync-mipv4,sync-mipv6", "--json")
    assert done.exit_code == 130
    assert set(started) == {("sync-mipv4",)}
    assert [a["procedure"] for a in json.loads(done.stdout)["answers"]] == ["sync-mipv4"]


def test_progress_shows_values_in_the_units_of_the_scenario(tmp_path):
    file = one_handoff(tmp_path, predict=0, warn=1, down=11, up=31)
    lines = plan(file, "--vary", "lifetime=10s:600s", "--slo", "lost>=0.5", "--progress", "--most-runs", "2").stderr.splitlines()
    assert lines[:3] == ["2 runs at 10 s", "1 run done, 1 to go in this step", "2 runs done, 0 to go in this step"]


def test_a_failed_run_is_reported_without_a_traceback(tmp_path, monkeypatch):
    from handoff.experiments.execution.task import TaskResult

    monkeypatch.setattr(SerialExecutor, "run", lambda self, tasks: ((task, TaskResult(problem="no memory")) for task in tasks))
    done = plan(one_handoff(tmp_path, down=0, up=5), "--vary", "buffer=1:100", "--slo", "lost<=0")
    assert (done.exit_code, done.stderr) == (1, "")
    left_out = "left out 1, 4, 16, 64, 100: the run with seed 1 failed: no memory"
    assert f"sync-mipv4: undecided for buffer from 1 to 100\n  {left_out}\n" in done.stdout


def test_a_procedure_whose_runs_fail_does_not_cost_the_others_their_answers(tmp_path, monkeypatch):
    from handoff.experiments.execution import task

    def run_or_fail(setup, procedure, **options):
        if procedure == "mipv4":
            raise ValueError("no room")
        return run_procedure(setup, procedure, **options)

    run_procedure = task.run_procedure
    monkeypatch.setattr(task, "run_procedure", run_or_fail)
    file = one_handoff(tmp_path, predict=0, warn=1, down=11, up=31)
    words = ("--slo", "lost<=0", "--procedures", "sync-mipv4,mipv4", "--most-runs", "2", "--json")
    done = plan(file, "--vary", "buffer=1:60", *words)
    assert done.exit_code == 1
    sync, plain = json.loads(done.stdout)["answers"]
    assert (sync["met"], sync["missed"], sync["notes"]) == (21, 20, [])
    assert (plain["found"], plain["met"], plain["missed"]) == (False, None, None)
    assert [e["replications"] for e in plain["evaluations"]] == [0] * 4
    assert plain["notes"] == [
        "left out 1, 4, 16, 60: the run with seed 1 failed: no room", "the limit may lie at a value that was left out",
    ]  # fmt: skip


def test_a_value_that_the_search_makes_invalid_is_left_out(tmp_path):
    """A handoff each 20 h is the rarest one: 0.05/h. The search tries 0.04/h between 0/h and 100/h."""
    file = commuting(tmp_path)
    words = (file, "--vary", "handoff_rate=0/h:100/h", "--procedures", "mipv4", "--most-runs", "2", "--set", "duration=1s")
    done = plan(*words, "--slo", "lost<=0", "--set", "movement.commuters.start=first")
    assert done.exit_code == 0, done.output
    assert "mipv4: handoff_rate at least 100/h: the end of the range meets the targets" in done.stdout
    assert re.search(r"left out 0\.04/h: movement.commuters: a handoff each 25 h is rarer than one each 20 h\n", done.stdout)
    analytic = plan(*words, "--slo", "ha.registration_utilisation<=50%", "--analytic")
    assert analytic.exit_code == 0
    assert "; left out 0.04/h: movement.commuters: a handoff each 25 h is rarer than one each 20 h" in analytic.stdout


def test_an_interrupted_plan_resumes_without_repeating_a_run(tmp_path, monkeypatch):
    file = one_handoff(tmp_path, predict=0, warn=1, down=11, up=31)
    arguments = (file, "--vary", "buffer=1:100", "--slo", "lost<=0", "--json")
    uninterrupted = plan(*arguments)
    original, done = SerialExecutor.run, []

    def run(self, tasks):
        for task, result in original(self, tasks):
            done.append(task)
            yield task, result
            if len(done) == 4:
                raise KeyboardInterrupt

    monkeypatch.setattr(SerialExecutor, "run", run)
    dataset = tmp_path / "dataset"
    assert plan(*arguments, "-o", dataset).exit_code == 130
    again = plan(*arguments, "-o", dataset)
    assert again.stdout == uninterrupted.stdout
    (answer,) = json.loads(uninterrupted.stdout)["answers"]
    assert len(done) == len(set(done)) == sum(e["replications"] for e in answer["evaluations"])
    assert plan(*arguments, "-o", dataset).stdout == uninterrupted.stdout
    assert len(done) == len(set(done))
    count = CliRunner().invoke(main, ["query", "select count(*) as n from runs", str(dataset), "--json"])
    assert json.loads(count.stdout)["rows"][0]["n"] == len(done)


@pytest.mark.parametrize("target", ["lost<=0", "delay_mean<=1s", "disruption_p99<=50ms", "ha.registration_utilisation<=50%"])
def test_a_scenario_without_handoffs_has_an_answer(target, tmp_path):
    """A measure of handoffs has no value there, and the plan says why."""
    words = (commuting(tmp_path), "--set", "handoff_rate=0/h", "--vary", "mobile_nodes=1:2", "--slo", target, "--most-runs", "2")
    done = plan(*words, "--set", "duration=1s", "--set", "lifetime=18h")
    if target.startswith("disruption"):
        assert done.exit_code == 1
        assert "nothing was measured in 2 replications" in done.stdout
        assert "no value" in done.stdout
    else:
        assert done.exit_code == 0, done.output
        assert "mobile_nodes at least 2: the end of the range meets the targets" in done.stdout
    analytic = plan(*words, "--analytic")
    assert analytic.exit_code == 0, analytic.output
    assert "closed forms" in analytic.stdout
