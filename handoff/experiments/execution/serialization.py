"""Tasks and outcomes as bytes: JSON, between processes and between hosts; what is done with them where they arrive."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.task import Task, TaskResult, run_task


class Reply(NamedTuple):
    """Outcomes of a batch's tasks in their order, of fewer if it was stopped; and the time that they took."""

    outcomes: list[TaskResult]
    seconds: float


def never() -> bool:
    """Nothing stops a batch."""
    return False


def encode_tasks(tasks: Iterable[Task]) -> bytes:
    """Tasks as they are sent, with the version of the code that is to do them."""
    return json.dumps({"version": code_version(), "tasks": [vars(task) for task in tasks]}).encode()


def run_encoded_tasks(batch: bytes, stopped: Callable[[], bool] = never) -> bytes:
    """Do tasks where they have arrived.

    Parameters
    ----------
    batch : bytes
        Of :func:`batch_to_bytes`. It names no code: what is run is what is installed here, and if that is another version,
        each outcome says so.
    stopped : callable
        Asked before each task but the first: whether to leave it and all after it.
    """
    begun = time.perf_counter()
    asked = json.loads(batch)
    wanted, here = asked["version"], code_version()
    outcomes: list[TaskResult] = []
    for fields in asked["tasks"]:
        if outcomes and stopped():
            break
        if wanted == here:
            outcomes.append(run_task(Task(**{name: _fixed(value) for name, value in fields.items()})))
        else:
            there = f"the worker on {platform.node()} has handoff {here}, this command {wanted}"
            outcomes.append(TaskResult(problem=f"{there}: install the same on both"))
    return json.dumps({"outcomes": [vars(o) for o in outcomes], "seconds": time.perf_counter() - begun}).encode()


def decode_reply(reply: bytes) -> Reply:
    """What :func:`perform_batch` returned."""
    found = json.loads(reply)
    return Reply([_outcome(**fields) for fields in found["outcomes"]], found["seconds"])


def _outcome(tables: Sequence[Any], wall_seconds: Sequence[float], problem: str) -> TaskResult:
    return TaskResult(tuple(tables), tuple(wall_seconds), problem)


def _fixed(value: Any) -> Any:
    """Lists of JSON as the tuples that they were."""
    return tuple(map(_fixed, value)) if isinstance(value, list) else value
