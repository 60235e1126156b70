"""Overhead of a point in this process, in the local pool and on Dask, and the speed-up by a second process.

    uv run bench/points.py [--points 10000] [--sweep 200] [--jobs 2] [--output FILE]

A short point is one mobile node, two handoffs and 200 packets; a point of the sweep is the example ``commute`` for 20 s. The
results of all executors have to agree before a time is reported. Times are wall-clock times from the first task to the last
result; the processes have started and completed a point before.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # for a run by path

from bench.rows import COLUMNS, ROOT, Row, described, machine, markdown
from handoff.experiments.execution.factory import make_executor
from handoff.experiments.execution.task import Executor, Task, canonical_json

WALK = """\
mobile,router,up_s,down_s,predict_s,going_down_s
mn,ar0,0,0.8,0.5,0.7
mn,ar1,0.9,1.5,1.2,1.4
mn,ar0,1.6,,,
"""


def short(folder: Path, number: int) -> list[Task]:
    """Build replications of a point that takes some milliseconds."""
    (folder / "walk.csv").write_text(WALK)
    link = {"rate": "100Mbit/s", "delay": "5ms", "buffer_packets": 100}
    scenario = {
        "name": "walk", "duration": "2s", "correspondent": [{"name": "cn"}], "home_agent": {"name": "ha"},
        "link": [{"between": ["cn", "ha"], **link}],
        "routers": {"names": ["ar0", "ar1"], "wired_to": "ha", "wired": link, "neighbours": link, "cell": link},
        "traffic": [{"interval": "10ms", "size_bytes": 200}],
        "movement": {"associations": "walk.csv"},
    }  # fmt: skip
    return [Task(canonical_json(scenario), str(folder), seed, ("mipv4",)) for seed in range(number)]


def sweep(number: int) -> list[Task]:
    """Build points of a typical sweep, some tenths of a second each."""
    examples = ROOT / "examples"
    data = tomllib.loads((examples / "commute.toml").read_text()) | {"duration": "20s"}
    return [Task(canonical_json(data), str(examples), seed, ("mipv4", "sync-mipv4")) for seed in range(number)]


def time_tasks(executor: Executor, tasks: list[Task], processes: int) -> tuple[float, str]:
    """Return the seconds that the tasks take, and a digest of their results."""
    with executor:
        for _ in executor.run(iter(tasks[: 8 * processes])):  # a first point for each process
            pass
        begin = time.perf_counter()
        results = {task.seed: result for task, result in executor.run(iter(tasks))}
        seconds = time.perf_counter() - begin
    if len(results) != len(tasks) or any(result.problem for result in results.values()):
        raise SystemExit("a point is missing or has failed")
    tables = "".join(repr(results[seed].tables) for seed in sorted(results))
    return seconds, hashlib.sha256(tables.encode()).hexdigest()


def overhead(points: int, jobs: int) -> Iterator[Row]:
    """Yield the worker time of a short point beyond its time in this process."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = short(Path(folder), points)
        plain, expected = time_tasks(make_executor(1), tasks, 1)
        executors = {"local pool": make_executor(jobs), "Dask, local cluster": make_executor(jobs, cluster="local")}
        for name, executor in executors.items():
            seconds, digest = time_tasks(executor, tasks, jobs)
            if digest != expected:
                raise SystemExit(f"{name}: other results than in process")
            each, base = 1e3 * seconds / points, 1e3 * plain / points
            overhead_ms = jobs * each - base
            yield Row(
                f"{points:,} short points, {jobs} processes", name, f"{each:.2f} ms/point", f"{base:.2f} ms/point",
                f"{overhead_ms:+.2f} ms overhead",
                figures={"seconds": seconds, "in_process_seconds": plain, "overhead_ms": overhead_ms},
            )  # fmt: skip


def speed_up(points: int) -> Iterator[Row]:
    """Compare two processes with one."""
    tasks = sweep(points)
    one, expected = time_tasks(make_executor(1), tasks, 1)
    two, digest = time_tasks(make_executor(2), tasks, 2)
    if digest != expected:
        raise SystemExit("two processes: other results than one")
    texts = (f"{points / two:.3g} points/s", f"{points / one:.3g} points/s", f"{one / two:.2f} ×")
    yield Row(f"sweep of {points} points", "1 process", *texts, "≥ 1.8 ×", one / two >= 1.8, {"one_s": one, "two_s": two})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=10_000, help="short points (10000)")
    parser.add_argument("--sweep", type=int, default=200, help="points of the sweep (200)")
    parser.add_argument("--jobs", type=int, default=2, help="processes for the short points (2)")
    parser.add_argument("--output", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    facts = machine()
    rows = [*overhead(options.points, options.jobs), *speed_up(options.sweep)]
    print(markdown(COLUMNS, (row.cells() for row in rows)) + "\n" + described(facts))
    if options.output is not None:
        options.output.write_text(json.dumps({"machine": facts, "rows": [asdict(row) for row in rows]}, indent=2))


if __name__ == "__main__":
    main()
