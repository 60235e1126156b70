"""The command from end to end: answers, exit codes, what does not change them."""

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from handoff.cli.main import main
from handoff.experiments.execution.task import SerialExecutor
from handoff.theory.queueing import md1k_loss
from tests.plan.scenarios import commuting, one_handoff

FLOOD = str(Path(__file__).parents[2] / "examples" / "flood.toml")
REFUSED = ("--vary", "handoff_rate=900/h:2700/h", "--slo", "ha.registration_dropped_ratio<=5%", "--procedures", "mipv4")
COARSE = ("--precision", "0.2", "--most-runs", "5", "--warmup", "2s", "--set", "duration=5s")


def plan(*words, jobs="1"):
    return CliRunner().invoke(main, ["plan", *map(str, words), "--jobs", jobs])


def load_that_refuses(ratio, places=5):
    low, high = 0.1, 2.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if md1k_loss(middle, places) < ratio else (low, middle)
    return low


@pytest.fixture(scope="module")
def refused():
    return plan(FLOOD, *REFUSED, *COARSE, "--json")


def per_hour(text):
    assert text.endswith("/h")
    return float(text.removesuffix("/h"))


def test_the_answer_holds_what_theory_says_and_names_what_gives_way(refused):
    """A load of 1 is 1800 handoffs an hour and node."""
    assert refused.exit_code == 0, refused.output
    document = json.loads(refused.stdout)
    (answer,) = document["answers"]
    law = 1800 * load_that_refuses(0.05)
    assert per_hour(answer["met"]) <= law <= per_hour(answer["missed"])
    assert per_hour(answer["met"]) <= per_hour(answer["estimate"]) <= per_hour(answer["missed"])
    assert (document["passed"], answer["sense"], answer["monotone"], answer["complete"]) == (True, "largest", True, True)
    assert answer["breaks_first"][0]["measure"] == "ha.registration_dropped_ratio"
    assert answer["busiest"][0]["name"] == "ha registration"
    assert "M/D/1/K" in answer["closed_form"]["said"]
    assert math.isclose(answer["theory"][0]["load"], per_hour(answer["at"]) / 1800, rel_tol=0.1)
    for evaluation in answer["evaluations"]:
        assert evaluation["targets"][0]["low"] <= evaluation["targets"][0]["mean"] <= evaluation["targets"][0]["high"]


def test_the_number_of_workers_changes_nothing(refused):
    assert plan(FLOOD, *REFUSED, *COARSE, "--json", jobs="3").stdout == refused.stdout


def test_words_say_what_the_document_does(tmp_path):
    file = one_handoff(tmp_path, predict=0, warn=1, down=11, up=31)
    done = plan(file, "--vary", "buffer=1:100", "--slo", "lost<=0", "--slo", "lost<=3", "--procedures", "sync-mipv4,mipv4")
    assert done.exit_code == 3  # mipv4 loses whatever the new router holds
    words = done.stdout
    assert "sync-mipv4: smallest buffer that meets the targets: 21 (20 misses them)" in words
    assert "what breaks first: lost <= 0 packets: 1 packet at 20 (exact: no seed changes it)" in words
    assert "mipv4: the targets cannot be met by buffer from 1 to 100" in words
    assert "missed by least: lost <= 0 packets:" in words
    assert "side by side" in words
    assert "the end of the range" in plan(file, "--vary", "buffer=30:40", "--slo", "lost<=0").stdout


def test_closed_forms_alone_run_nothing(monkeypatch):
    monkeypatch.setattr(SerialExecutor, "run", None)
    done = plan(FLOOD, *REFUSED, "--analytic", "--json")
    assert done.exit_code == 0
    (answer,) = json.loads(done.stdout)["answers"]
    assert math.isclose(answer["estimates"][0]["loss_ratio"], 0.05, rel_tol=0.1)
    as_it_is = plan(FLOOD, "--analytic", "--procedures", "mipv4")
    assert as_it_is.exit_code == 0
    assert "M/D/1/K" in as_it_is.stdout


def test_a_dry_run_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(SerialExecutor, "run", None)
    file = commuting(tmp_path)
    done = plan(file, "--vary", "mobile_nodes=1:1k", "--slo", "lost<=0", "--dry-run", "--json")
    found = json.loads(done.stdout)
    assert found["values"] == [1, 4, 16, 64, 256, 1000]
    assert [p["value"] for p in found["packets"]] == [1, 4]
    assert [p["packets"] for p in found["packets"]] == pytest.approx([12_000, 48_000], rel=1e-3)
    assert "at most" in plan(file, "--size", "buffer", "--dry-run").stdout


def test_an_interruption_says_what_is_known(tmp_path, monkeypatch):
    tell = SerialExecutor.run

    def run(self, tasks):
        for task, outcome in tell(self, tasks):
            if self.done >= 4:
                raise KeyboardInterrupt
            yield task, outcome

    monkeypatch.setattr(SerialExecutor, "run", run)
    done = plan(one_handoff(tmp_path, predict=0, warn=1, down=11, up=31), "--vary", "buffer=1:100", "--slo", "lost<=0", "--json")
    assert done.exit_code == 130
    (answer,) = json.loads(done.stdout)["answers"]
    assert not answer["complete"]
    assert [e["value"] for e in answer["evaluations"]] == [1, 4]


def test_after_an_interruption_no_other_procedure_is_begun(tmp_path, monkeypatch):
    begun = []

    def run(self, tasks):
        begun.extend(task.procedures for task in tasks)
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(SerialExecutor, "run", run)
    file = one_handoff(tmp_path, predict=0, warn=1, down=11, up=31)
    done = plan(file, "--size", "buffer", "--procedures", "sync-mipv4,sync-mipv6", "--json")
    assert done.exit_code == 130
    assert set(begun) == {("sync-mipv4",)}
    assert [a["procedure"] for a in json.loads(done.stdout)["answers"]] == ["sync-mipv4"]


def test_what_is_being_done_is_said_in_the_words_of_the_scenario(tmp_path):
    file = one_handoff(tmp_path, predict=0, warn=1, down=11, up=31)
    said = plan(file, "--vary", "lifetime=10s:600s", "--slo", "lost>=0.5", "--progress", "--most-runs", "2").stderr.splitlines()
    assert said[:3] == ["2 runs at 10 s", "1 run done, 1 to go in this step", "2 runs done, 0 to go in this step"]


def test_a_run_that_fails_is_said_without_a_traceback(tmp_path, monkeypatch):
    from handoff.experiments.execution.task import TaskResult

    monkeypatch.setattr(SerialExecutor, "run", lambda self, tasks: ((task, TaskResult(problem="no memory")) for task in tasks))
    done = plan(one_handoff(tmp_path, down=0, up=5), "--vary", "buffer=1:100", "--slo", "lost<=0")
    assert (done.exit_code, done.stderr) == (1, "handoff: seed 1: no memory\n")


def test_an_interrupted_plan_goes_on_where_it_was(tmp_path, monkeypatch):
    file = one_handoff(tmp_path, predict=0, warn=1, down=11, up=31)
    asked = (file, "--vary", "buffer=1:100", "--slo", "lost<=0", "--json")
    whole = plan(*asked)
    tell, done = SerialExecutor.run, []

    def run(self, tasks):
        for task, outcome in tell(self, tasks):
            done.append(task)
            yield task, outcome
            if len(done) == 4:
                raise KeyboardInterrupt

    monkeypatch.setattr(SerialExecutor, "run", run)
    kept = tmp_path / "kept"
    assert plan(*asked, "-o", kept).exit_code == 130
    again = plan(*asked, "-o", kept)
    assert again.stdout == whole.stdout
    assert len(done) == len(set(done)) == sum(e["replications"] for e in json.loads(whole.stdout)["answers"][0]["evaluations"])
    assert plan(*asked, "-o", kept).stdout == whole.stdout
    assert len(done) == len(set(done))
    counted = CliRunner().invoke(main, ["query", "select count(*) as n from runs", str(kept), "--json"])
    assert json.loads(counted.stdout)[0]["n"] == len(done)
