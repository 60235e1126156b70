"""Tasks and outcomes as bytes: JSON, between processes and between hosts; what is done with them where they arrive."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.task import Outcome, Task, perform


class Reply(NamedTuple):
    """Outcomes of a batch's tasks in their order, of fewer if it was stopped; and the time that they took."""

    outcomes: list[Outcome]
    seconds: float


def never() -> bool:
    """Nothing stops a batch."""
    return False


def batch_to_bytes(tasks: Iterable[Task]) -> bytes:
    """Tasks as they are sent, with the version of the code that is to do them."""
    return json.dumps({"version": code_version(), "tasks": [vars(task) for task in tasks]}).encode()


def perform_batch(batch: bytes, stopped: Callable[[], bool] = never) -> bytes:
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
    outcomes: list[Outcome] = []
    for fields in asked["tasks"]:
        if outcomes and stopped():
            break
        if wanted == here:
            outcomes.append(perform(Task(**{name: _fixed(value) for name, value in fields.items()})))
        else:
            there = f"the worker on {platform.node()} has handoff {here}, this command {wanted}"
            outcomes.append(Outcome(problem=f"{there}: install the same on both"))
    return json.dumps({"outcomes": [vars(o) for o in outcomes], "seconds": time.perf_counter() - begun}).encode()


def reply_from_bytes(reply: bytes) -> Reply:
    """What :func:`perform_batch` returned."""
    found = json.loads(reply)
    return Reply([_outcome(**fields) for fields in found["outcomes"]], found["seconds"])


def _outcome(tables: Sequence[Any], wall_seconds: Sequence[float], problem: str) -> Outcome:
    return Outcome(tuple(tables), tuple(wall_seconds), problem)


def _fixed(value: Any) -> Any:
    """Lists of JSON as the tuples that they were."""
    return tuple(map(_fixed, value)) if isinstance(value, list) else value
