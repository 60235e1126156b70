"""Tasks and results survive JSON, and only the code that a task was made with runs it."""

import json
import re

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.serialization import decode_reply, encode_tasks, run_encoded_tasks
from handoff.experiments.execution.task import run_task
from tests.unit.experiments.execution.short_tasks import make_tasks, tables_by_seed


def test_encoded_tasks_return_the_results_of_the_tasks(tmp_path):
    tasks = make_tasks(tmp_path, 3)
    reply = decode_reply(run_encoded_tasks(encode_tasks(tasks)))
    assert tables_by_seed(zip(tasks, reply.results, strict=True)) == tables_by_seed((task, run_task(task)) for task in tasks)
    assert 0 < reply.seconds < 60


def test_a_stopped_group_returns_the_results_of_its_finished_tasks(tmp_path):
    reply = decode_reply(run_encoded_tasks(encode_tasks(make_tasks(tmp_path, 3)), lambda: True))
    assert len(reply.results) == 1


def test_a_worker_with_other_code_runs_nothing(tmp_path):
    message = json.loads(encode_tasks(make_tasks(tmp_path, 2)))
    message["version"] = "0.0.9+000000000000"
    (first, second) = decode_reply(run_encoded_tasks(json.dumps(message).encode())).results
    assert first == second
    assert re.fullmatch(
        rf"the worker on .* has handoff {re.escape(code_version())}, this command 0\.0\.9\+0{{12}}: install the same on both",
        first.problem,
    )
    assert first.tables == ()
