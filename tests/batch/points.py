"""Short points for the executors: one mobile node that walks past a few routers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from handoff.experiments.execution.task import TABLES, Task, TaskResult, canonical_json


def point(folder: Path, *, duration: str = "2s", packets_each: str = "10ms") -> str:
    """A scenario as a task carries it; the file of its movement is written into ``folder``."""
    (folder / "walk.csv").write_text(
        "mobile,router,up_s,down_s,predict_s,going_down_s\n"
        "mn,ar0,0,0.8,0.5,0.7\n"
        "mn,ar1,0.9,1.5,1.2,1.4\n"
        "mn,ar0,1.6,,,\n"
    )  # fmt: skip
    link = {"rate": "100Mbit/s", "delay": "5ms", "buffer_packets": 100}
    data: dict[str, Any] = {
        "name": "walk",
        "duration": duration,
        "correspondent": [{"name": "cn"}],
        "home_agent": {"name": "ha"},
        "link": [{"between": ["cn", "ha"], **link}],
        "routers": {"names": ["ar0", "ar1"], "wired_to": "ha", "wired": link, "neighbours": link, "cell": link},
        "traffic": [{"interval": packets_each, "size_bytes": 200, "phase": packets_each}],
        "movement": {"associations": "walk.csv"},
    }
    return canonical_json(data)


def tasks(folder: Path, number: int, **changes: Any) -> list[Task]:
    """Replications of one point."""
    scenario = point(folder, **changes)
    return [Task(scenario, str(folder), seed, ("mipv4", "sync-mipv4")) for seed in range(number)]


def told(outcomes: Iterable[tuple[Task, TaskResult]]) -> dict[int, str]:
    """What came back of each seed, every table in full; nan is equal to nan here."""
    found = {}
    for task, outcome in outcomes:
        assert outcome.problem == ""
        assert task.seed not in found, "done twice"
        assert [tuple(tables) for tables in outcome.tables] == [TABLES] * len(task.procedures)
        found[task.seed] = repr(outcome.tables)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs (and is not a dead one that nobody has asked about)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
