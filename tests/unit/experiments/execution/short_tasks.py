"""Short tasks for the executors: one mobile node that walks past two routers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from handoff.experiments.execution.task import TABLES, Task, TaskResult, canonical_json

ROOT = Path(__file__).parents[4]
PATIENCE_SECONDS = 60.0
"""Time that processes may take to start or to end on a busy machine."""


def walk_scenario(folder: Path, *, duration: str = "2s", packet_interval: str = "10ms") -> str:
    """Return a scenario as a task carries it, and write the file of its movement into ``folder``."""
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
        "traffic": [{"interval": packet_interval, "size_bytes": 200, "phase": packet_interval}],
        "movement": {"associations": "walk.csv"},
    }
    return canonical_json(data)


def make_tasks(folder: Path, number: int, **changes: Any) -> list[Task]:
    """Return replications of one scenario."""
    scenario = walk_scenario(folder, **changes)
    return [Task(scenario, str(folder), seed, ("mipv4", "sync-mipv4")) for seed in range(number)]


def tables_by_seed(results: Iterable[tuple[Task, TaskResult]]) -> dict[int, str]:
    """Return all tables of each seed as text, in which nan is equal to nan; fail on a problem or a repeated seed."""
    tables = {}
    for task, result in results:
        assert result.problem == ""
        assert task.seed not in tables, "run twice"
        assert [tuple(names) for names in result.tables] == [TABLES] * len(task.procedures)
        tables[task.seed] = repr(result.tables)
    return tables


def is_alive(pid: int) -> bool:
    """Return whether a process runs, and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_end(pids: Iterable[int]) -> bool:
    """Wait until all processes have ended; return false if some still run after ``PATIENCE_SECONDS``."""
    pids = list(pids)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_alive, pids))


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
