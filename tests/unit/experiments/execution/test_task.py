"""A task returns the tables of the same run made directly."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

from handoff.experiments.execution.serialization import decode_reply, encode_tasks, run_encoded_tasks
from handoff.experiments.execution.task import TABLES, SerialExecutor, Task, canonical_json, run_task
from handoff.output.parquet import BATCHES, GROUPS, SCHEMAS
from handoff.scenario import Scenario
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup
from tests.unit.experiments.execution.short_tasks import ROOT, make_tasks

EXAMPLES = ROOT / "examples"


def commute(**changes):
    return tomllib.loads((EXAMPLES / "commute.toml").read_text()) | {"duration": "4s"} | changes


def test_a_task_returns_the_tables_of_the_run():
    data = commute()
    (done,) = SerialExecutor().run([Task(canonical_json(data), str(EXAMPLES), 3, ("mipv4", "sync-mipv4"))])
    setup = build_setup(Scenario.model_validate(data), EXAMPLES / "commute.toml", 3)
    schemas = {**SCHEMAS, "batches": BATCHES, "groups": GROUPS}
    result = done[1]
    assert result.problem == ""
    for name, tables in zip(("mipv4", "sync-mipv4"), result.tables, strict=True):
        run = run_procedure(setup, name, seed=3)
        assert tables["runs"]["fingerprint"] == [run.result.fingerprint]
        assert tables["runs"]["lost"] == [run.summary()["lost"]]
        assert {n: tuple(tables[n]) for n in TABLES} == {n: tuple(schemas[n].names) for n in TABLES}


def test_a_task_may_have_a_warm_up_and_batches():
    task = Task(canonical_json(commute()), str(EXAMPLES), 3, ("mipv4", "mipv6"), warmup_ps=10**12, batches=3)
    for tables in run_task(task).tables:
        assert (tables["runs"]["begin_s"], tables["runs"]["until_s"]) == ([1], [4])
        assert tables["batches"]["batch"] == [0, 1, 2]
        assert tables["batches"]["begin_s"] == [1, 2, 3]
        assert sum(tables["batches"]["sent"]) == tables["runs"]["sent"][0]
    task = Task(canonical_json(commute()), str(EXAMPLES), 3, ("mipv4",), warmup_ps=4 * 10**12)
    assert "leaves nothing" in run_task(task).problem


def test_a_task_without_a_baseline_has_no_extra_bytes():
    whole, without = (
        run_task(Task(canonical_json(commute()), str(EXAMPLES), 3, ("mipv4",), baseline=baseline)).tables[0]["runs"]
        for baseline in (True, False)
    )
    assert whole["extra_bytes"][0] > 0
    assert without["extra_bytes"] == without["extra_air_bytes"] == without["extra_core_bytes"] == [None]
    assert without["fingerprint"] == whole["fingerprint"]


def test_a_task_may_end_its_runs_early():
    ends = (("registration_delay_mean", 1.0),)
    task = Task(canonical_json(commute()), str(EXAMPLES), 3, ("mipv4", "sync-mipv4"), early_ends=ends)
    (done,) = decode_reply(run_encoded_tasks(encode_tasks([task]))).results
    assert done.ended_by == ("registration_delay_mean",) * 2
    assert all(tables["runs"]["interrupted_s"][0] < 4 for tables in done.tables)
    assert run_task(replace(task, early_ends=(("registration_delay_mean", 1e15),))).ended_by == ("", "")


def test_canonical_json_does_not_depend_on_the_order_of_keys():
    data = commute()
    assert canonical_json(data) == canonical_json(dict(reversed(data.items())))
    assert json.loads(canonical_json(data)) == data


def test_mistakes_in_a_task_become_its_problem():
    assert "seed" in run_task(Task(canonical_json(commute(seed=-1)), str(EXAMPLES), 1, ("mipv4",))).problem
    assert "no procedure" in run_task(Task(canonical_json(commute()), str(EXAMPLES), 1, ("mipv9",))).problem


def test_a_defect_of_the_program_becomes_the_problem_of_its_task(tmp_path: Path, monkeypatch):
    def broken(*_: object) -> None:
        raise KeyError("nobody")

    monkeypatch.setattr("handoff.experiments.execution.task.build_setup", broken)
    (task,) = make_tasks(tmp_path, 1)
    assert re.fullmatch(r"KeyError: 'nobody' \(test_task\.py:\d+\)", run_task(task).problem)


def test_the_serial_executor_ends_after_the_task_in_progress(tmp_path: Path):
    executor = SerialExecutor()
    seeds = []
    for task, _ in executor.run(make_tasks(tmp_path, 3)):
        seeds.append(task.seed)
        executor.stop()
    assert seeds == [0]
