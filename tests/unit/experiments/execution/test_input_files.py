"""The files that a scenario names, and tasks that refuse other files."""

import hashlib
import json

from handoff.experiments.execution.input_files import file_digest, input_digests, unreadable_inputs
from handoff.experiments.execution.task import Task, run_task
from tests.unit.experiments.execution.short_tasks import walk_scenario


def test_a_task_fails_if_an_input_has_changed_or_is_gone(tmp_path):
    scenario = walk_scenario(tmp_path)
    inputs = input_digests(json.loads(scenario), tmp_path)
    assert inputs == (("walk.csv", hashlib.sha256((tmp_path / "walk.csv").read_bytes()).hexdigest()),)
    task = Task(scenario, str(tmp_path), 1, ("mipv4",), inputs=inputs)
    assert run_task(task).problem == ""
    with (tmp_path / "walk.csv").open("a") as file:
        file.write("other,ar0,0,,,\n")
    assert "walk.csv: the file on " in run_task(task).problem
    assert " differs from the one on the submitting host: copy it there" in run_task(task).problem
    (tmp_path / "walk.csv").unlink()
    assert "cannot be read: No such file or directory" in run_task(task).problem


def test_every_file_that_a_scenario_names_is_an_input(tmp_path):
    names = ("a.pcap", "b.pcap", "c.pcap", "walk.csv")
    for name in names:
        (tmp_path / name).write_text(name)
    data = {"traffic": [{"capture": "a.pcap"}, {"capture": ["b.pcap", "c.pcap"]}], "movement": {"trace": "walk.csv"}}
    assert input_digests(data, tmp_path) == tuple((n, file_digest(tmp_path / n)) for n in names)
    assert unreadable_inputs(data, tmp_path) == []


def test_files_that_cannot_be_read_are_reported_and_have_no_digest(tmp_path):
    data = {"traffic": 3, "movement": {"capture": "gone.pcap"}}
    assert input_digests(data, tmp_path) == ()
    assert unreadable_inputs(data, tmp_path) == [f"{tmp_path / 'gone.pcap'}: cannot be read: No such file or directory"]
