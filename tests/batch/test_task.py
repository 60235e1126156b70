"""A task is data; what comes back is what the same run gives anywhere else."""

import json
import tomllib
from pathlib import Path

from handoff.experiments.execution.task import TABLES, SerialExecutor, Task, canonical_json, run_task
from handoff.output.parquet import BATCHES, SCHEMAS
from handoff.scenario import Scenario
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup

EXAMPLES = Path(__file__).parents[2] / "examples"


def commute(**changes):
    return tomllib.loads((EXAMPLES / "commute.toml").read_text()) | {"duration": "4s"} | changes


def test_a_task_gives_what_the_run_gives():
    data = commute()
    (done,) = SerialExecutor().run([Task(canonical_json(data), str(EXAMPLES), 3, ("mipv4", "sync-mipv4"))])
    setup = build_setup(Scenario.model_validate(data), EXAMPLES / "commute.toml", 3)
    schemas = {**SCHEMAS, "batches": BATCHES}
    outcome = done[1]
    assert outcome.problem == ""
    for name, tables in zip(("mipv4", "sync-mipv4"), outcome.tables, strict=True):
        run = run_procedure(setup, name, seed=3)
        assert tables["runs"]["fingerprint"] == [run.result.fingerprint]
        assert tables["runs"]["lost"] == [run.summary()["lost"]]
        assert {n: tuple(tables[n]) for n in TABLES} == {n: tuple(schemas[n].names) for n in TABLES}


def test_a_task_may_have_a_warm_up_and_batches():
    task = Task(canonical_json(commute()), str(EXAMPLES), 3, ("mipv4", "mipv6"), warmup_ps=10**12, batches=3)
    for tables in run_task(task).tables:
        assert (tables["runs"]["begin_ps"], tables["runs"]["until_ps"]) == ([10**12], [4 * 10**12])
        assert tables["batches"]["batch"] == [0, 1, 2]
        assert tables["batches"]["begin_ps"] == [10**12, 2 * 10**12, 3 * 10**12]
        assert sum(tables["batches"]["sent"]) == tables["runs"]["sent"][0]
    assert "leaves nothing" in run_task(Task(canonical_json(commute()), str(EXAMPLES), 3, ("mipv4",), warmup_ps=4 * 10**12)).problem


def test_equal_scenarios_are_the_same_text_whatever_the_order_of_their_keys():
    data = commute()
    assert canonical_json(data) == canonical_json(dict(reversed(data.items())))
    assert json.loads(canonical_json(data)) == data


def test_what_is_wrong_comes_back_as_words():
    assert "seed" in run_task(Task(canonical_json(commute(seed=-1)), str(EXAMPLES), 1, ("mipv4",))).problem
    assert "no procedure" in run_task(Task(canonical_json(commute()), str(EXAMPLES), 1, ("mipv9",))).problem
