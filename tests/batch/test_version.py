"""Which code made a result; and that a task is done by no other, on no other files."""

import hashlib
import json
import re
from importlib.metadata import version
from pathlib import Path

from handoff.batch.inputs import digest_of, inputs_of
from handoff.batch.task import Task, perform
from handoff.batch.version import code_version
from handoff.batch.wire import batch_to_bytes, perform_batch, reply_from_bytes

from engine._core import SOURCE_DIGEST
from tests.batch.points import point, tasks, told

ROOT = Path(__file__).parents[2]


def test_the_compiled_engine_knows_what_it_was_made_from():
    expected = hashlib.sha256()
    for path in sorted(p for p in (ROOT / "engine").rglob("*") if p.suffix in (".pyx", ".pxd")):
        name = path.relative_to(ROOT).as_posix()
        expected.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    assert expected.hexdigest() == SOURCE_DIGEST, "not built since a source has changed: uv sync"


def test_the_version_changes_with_any_source(tmp_path, monkeypatch):
    assert re.fullmatch(re.escape(version("handoff")) + r"\+[0-9a-f]{12}", code_version())
    package = tmp_path / "onepackage"
    package.mkdir()
    found = []
    monkeypatch.setattr("handoff.batch.version.PACKAGES", ("onepackage",))
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in (("__init__.py", ""), ("one.py", "x = 1\n"), ("one.py", "x = 2\n"), ("two.py", "x = 2\n")):
        (package / name).write_text(text)
        found.append(code_version.__wrapped__())
        assert code_version.__wrapped__() == found[-1]
    assert len(set(found)) == 4


def test_a_batch_survives_its_journey(tmp_path):
    asked = tasks(tmp_path, 3)
    reply = reply_from_bytes(perform_batch(batch_to_bytes(asked)))
    assert told(zip(asked, reply.outcomes, strict=True)) == told((task, perform(task)) for task in asked)
    assert 0 < reply.seconds < 60


def test_a_batch_that_is_stopped_has_done_what_it_had_begun(tmp_path):
    reply = reply_from_bytes(perform_batch(batch_to_bytes(tasks(tmp_path, 3)), lambda: True))
    assert len(reply.outcomes) == 1


def test_a_worker_with_other_code_does_nothing(tmp_path):
    asked = json.loads(batch_to_bytes(tasks(tmp_path, 2)))
    asked["version"] = "0.0.9+000000000000"
    (one, other) = reply_from_bytes(perform_batch(json.dumps(asked).encode())).outcomes
    assert one == other
    assert re.fullmatch(
        rf"the worker on .* has handoff {re.escape(code_version())}, this command 0\.0\.9\+0{{12}}: install the same on both",
        one.problem,
    )
    assert one.tables == ()


def test_inputs_are_those_that_the_task_was_made_with(tmp_path):
    scenario = point(tmp_path)
    inputs = inputs_of(json.loads(scenario), tmp_path)
    assert inputs == (("walk.csv", hashlib.sha256((tmp_path / "walk.csv").read_bytes()).hexdigest()),)
    task = Task(scenario, str(tmp_path), 1, ("mipv4",), inputs=inputs)
    assert perform(task).problem == ""
    with (tmp_path / "walk.csv").open("a") as file:
        file.write("other,ar0,0,,,\n")
    assert "walk.csv: on " in perform(task).problem
    assert "holds something else than where the batch was begun" in perform(task).problem
    (tmp_path / "walk.csv").unlink()
    assert "cannot be read: No such file or directory" in perform(task).problem


def test_every_file_that_a_scenario_names_is_an_input(tmp_path):
    for name in ("a.pcap", "b.pcap", "c.pcap", "walk.csv"):
        (tmp_path / name).write_text(name)
    data = {"traffic": [{"capture": "a.pcap"}, {"capture": ["b.pcap", "c.pcap"]}], "movement": {"trace": "walk.csv"}}
    assert inputs_of(data, tmp_path) == tuple((n, digest_of(tmp_path / n)) for n in ("a.pcap", "b.pcap", "c.pcap", "walk.csv"))
    assert inputs_of({"traffic": 3, "movement": {"capture": "gone.pcap"}}, tmp_path) == ()


def test_a_fault_of_the_program_is_told_and_stops_nothing_else(tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise KeyError("nobody")

    monkeypatch.setattr("handoff.batch.task.build", broken)
    (task,) = tasks(tmp_path, 1)
    assert re.fullmatch(r"KeyError: 'nobody' \(test_version\.py:\d+\)", perform(task).problem)
