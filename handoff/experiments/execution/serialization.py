"""Tasks and results as JSON, between processes and between hosts, and the function that runs tasks where they arrive."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.task import Task, TaskResult, run_task


class Reply(NamedTuple):
    """Results of the tasks of a group, in their order, and the time that they took.

    A group that was stopped has fewer results than tasks.
    """

    results: list[TaskResult]
    seconds: float


def encode_tasks(tasks: Iterable[Task]) -> bytes:
    """Return tasks as JSON, with the version of the code that has to run them."""
    return json.dumps({"version": code_version(), "tasks": [vars(task) for task in tasks]}).encode()


def run_encoded_tasks(request: bytes, stop_requested: Callable[[], bool] | None = None) -> bytes:
    """Run tasks where they have arrived, and return the encoded reply.

    Parameters
    ----------
    request : bytes
        Output of :func:`encode_tasks`. It names no code: the installed code runs the tasks. If that is another version, each
        result reports it.
    stop_requested : callable or None
        Asked before each task but the first; if it returns true, this task and all after it are left out.
    """
    start = time.perf_counter()
    message = json.loads(request)
    required, installed = message["version"], code_version()
    results: list[TaskResult] = []
    for fields in message["tasks"]:
        if results and stop_requested is not None and stop_requested():
            break
        if required == installed:
            results.append(run_task(Task(**{name: _to_tuples(value) for name, value in fields.items()})))
        else:
            mismatch = f"the worker on {platform.node()} has handoff {installed}, this command {required}"
            results.append(TaskResult(problem=f"{mismatch}: install the same on both"))
    return json.dumps({"results": [vars(r) for r in results], "seconds": time.perf_counter() - start}).encode()


def decode_reply(reply: bytes) -> Reply:
    """Decode the output of :func:`run_encoded_tasks`."""
    message = json.loads(reply)
    return Reply([_make_result(**fields) for fields in message["results"]], message["seconds"])


def _make_result(tables: Sequence[Any], wall_seconds: Sequence[float], problem: str, ended_by: Sequence[str]) -> TaskResult:
    return TaskResult(tuple(tables), tuple(wall_seconds), problem, tuple(ended_by))


def _to_tuples(value: Any) -> Any:
    # JSON has no tuples: the fields of a task that are tuples arrive as lists.
    return tuple(map(_to_tuples, value)) if isinstance(value, list) else value
