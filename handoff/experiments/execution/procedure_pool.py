"""The procedures of a comparison in processes of this machine, with the results of one process."""

from __future__ import annotations

import os
import pickle
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from handoff.experiments.execution.factory import available_cpus
from handoff.experiments.execution.input_files import file_names
from handoff.experiments.execution.process_pool import (
    POLL_SECONDS,
    READY_MESSAGE,
    STOP_MESSAGE,
    Worker,
    end_workers,
    serve_requests,
    start_worker,
)
from handoff.protocol.mixture import Mixture
from handoff.protocol.program import Program
from handoff.protocol.setup import Setup
from handoff.scenario.scenario import Scenario
from handoff.simulation.baseline import ZERO_BYTES, baseline_key
from handoff.simulation.result import RunResult
from handoff.simulation.run import StudyProgress, run_procedure
from handoff.simulation.run_parts import procedure_name
from handoff.simulation.study import count_expected_packets, estimate_memory
from handoff.workload.build import build_setup
from handoff.workload.movement_memory import physical_bytes

MIN_PARALLEL_PACKETS = 1_000_000
"""Packets of all procedures from which on they run in processes by default: one second of work or more."""
REPORT_SECONDS = 0.2
"""Shortest time between two reports of the progress of a run."""


@dataclass(frozen=True)
class ProcedureTask:
    """The study of a comparison, as each process builds it.

    Attributes
    ----------
    scenario : Scenario
        Validated scenario.
    path : Path
        Scenario file.
    seed, threads, memory_limit_bytes, detail, series_ps, packets_around
        As for :func:`handoff.simulation.run.run_procedure`.
    inputs : tuple
        Files that the scenario names, as :func:`input_states` describes them. A worker refuses a file that has changed.
    """

    scenario: Scenario
    path: Path
    seed: int
    threads: int
    memory_limit_bytes: int | None
    detail: bool
    inputs: tuple[tuple[str, int, int, int], ...]
    series_ps: int | None = None
    packets_around: bool = False


def default_jobs(setup: Setup, procedures: int, threads: int, detail: bool) -> int:
    """Return how many procedures of a study run at the same time by default (:func:`choose_jobs`).

    Parameters
    ----------
    setup : Setup
        Setup of the study.
    procedures, threads : int
        Number of procedures, and of threads of each.
    detail : bool
        True if the runs record every packet.
    """
    packets = count_expected_packets(setup)
    return choose_jobs(procedures, threads, packets, estimate_memory(setup.network, setup.duration_ps, packets, detail))


def choose_jobs(procedures: int, threads: int, packets: int, run_bytes: int) -> int:
    """Return how many procedures run at the same time by default.

    With little to do, a process takes longer to start than it saves. Half the memory of the machine is left for the metrics.

    Parameters
    ----------
    procedures, threads : int
        Number of procedures, and of threads of each.
    packets : int
        Expected packets of a run.
    run_bytes : int
        Upper bound of the memory of a run.
    """
    if procedures * packets < MIN_PARALLEL_PACKETS:
        return 1
    jobs = min(max(available_cpus() // threads, 1), procedures)
    memory = physical_bytes()
    return jobs if memory is None else min(jobs, max(memory // (2 * max(run_bytes, 1)), 1))


def input_states(scenario: Scenario, path: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return the path, number, size and time of modification of each file that a scenario names."""
    files = sorted({str(path.parent / name) for name in file_names(scenario.model_dump())})
    return tuple((name, s.st_ino, s.st_size, s.st_mtime_ns) for name in files for s in [os.stat(name)])


def run_in_processes(
    task: ProcedureTask,
    programs: Sequence[Program | Mixture],
    jobs: int,
    *,
    progress: Callable[[str, StudyProgress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[RunResult]:
    """Run procedures at the same time. Procedures with the same anchors and tunnels share one baseline run.

    The results are those of :func:`handoff.simulation.study.run_study`. The first procedure of each baseline does its run; the
    bytes of the others are compared here.

    Parameters
    ----------
    task : ProcedureTask
        Study that each process builds.
    programs : sequence of Program or Mixture
        Procedures of the comparison, each once.
    jobs : int
        Maximum number of processes.
    progress : callable or None
        Called with the name of a procedure and the progress of its run.
    stop : callable
        Called several times a second; returns True if the runs should stop after their slices and no further ones should start.

    Returns
    -------
    list of RunResult
        In the order of the procedures. If the study was stopped, runs may be missing or incomplete
        (``RunResult.interrupted_ps``).

    Raises
    ------
    ChildProcessError
        If a process dies.
    Exception
        Of the first procedure whose run failed.
    """
    names = [procedure_name(program) for program in programs]
    keys = [baseline_key(program) for program in programs]
    with_baseline = [keys.index(key) == i for i, key in enumerate(keys)]
    queue = deque(enumerate(zip(names, with_baseline, strict=True)))
    runs: dict[int, RunResult] = {}
    failures: dict[int, Exception] = {}
    workers: list[Worker] = []
    index_of_worker: dict[Worker, int] = {}
    stopped = False
    try:
        while True:
            if failures:  # the failure of the first procedure is the one to raise: later runs cannot change it
                queue.clear()
                if not any(index < min(failures) for index in index_of_worker.values()):
                    break
            if not stopped and stop():
                stopped = True
                queue.clear()
                for worker in workers:
                    worker.send(STOP_MESSAGE)
            idle = [worker for worker in workers if worker not in index_of_worker]
            while queue and (idle or len(workers) < jobs):
                if not idle:
                    idle.append(start_worker(_worker_main, task))
                    workers.append(idle[0])
                index, request = queue.popleft()
                index_of_worker[idle[-1]] = index
                idle.pop().send(pickle.dumps(request))
            if not index_of_worker:
                break
            for pipe in wait([worker.pipe for worker in index_of_worker], POLL_SECONDS):
                worker = next(worker for worker in index_of_worker if worker.pipe is pipe)
                message = _receive(worker, names[index_of_worker[worker]])
                if isinstance(message, StudyProgress):
                    if progress is not None:
                        progress(names[index_of_worker[worker]], message)
                elif isinstance(message, RunResult):
                    runs[index_of_worker.pop(worker)] = message
                elif isinstance(message, Exception):
                    failures[index_of_worker.pop(worker)] = message
    finally:
        end_workers(workers)
    if failures:
        raise failures[min(failures)]
    _compare_with_baselines(runs, keys, with_baseline)
    return [runs[i] for i in sorted(runs)]


def _receive(worker: Worker, name: str) -> Any:
    """Return the next message of a worker; None if it is ready."""
    try:
        message = worker.pipe.recv_bytes()
    except (EOFError, OSError):
        raise ChildProcessError(f"{name}: the process of this procedure ended {worker.exit_description()}") from None
    return None if message == READY_MESSAGE else pickle.loads(message)


def _compare_with_baselines(runs: dict[int, RunResult], keys: list[tuple[object, ...]], with_baseline: list[bool]) -> None:
    """Subtract the bytes of each baseline from those of the runs that share it; None without a complete baseline."""
    references = {keys[i]: run.baseline for i, run in runs.items() if with_baseline[i]}
    for i, run in runs.items():
        if not with_baseline[i] and run.extra is not None:
            reference = references.get(keys[i])
            run.extra = None if reference is None else run.extra - reference


def _worker_main(pipe: Connection, task: ProcedureTask) -> None:
    """Run the procedures that the pipe names."""
    setups: list[Setup] = []

    def answer(request: bytes, stop_requested: Callable[[], bool]) -> bytes:
        name, with_baseline = pickle.loads(request)
        reported_s = 0.0

        def report(state: StudyProgress) -> bool:
            nonlocal reported_s
            if time.monotonic() - reported_s >= REPORT_SECONDS:
                reported_s = time.monotonic()
                pipe.send_bytes(pickle.dumps(state))
            return not stop_requested()

        try:
            if not setups:
                setups.append(_build(task))
            run = run_procedure(
                setups[0], name, seed=task.seed, threads=task.threads, memory_limit_bytes=task.memory_limit_bytes,
                detail=task.detail, progress=report, reference=None if with_baseline else ZERO_BYTES,
                series_ps=task.series_ps, packets_around=task.packets_around,
            )  # fmt: skip
        except Exception as error:
            return _encode_failure(error)
        run.result.packets = None  # they take much memory, and the metrics have been computed
        return pickle.dumps(run, protocol=5)

    serve_requests(pipe, answer)


def _build(task: ProcedureTask) -> Setup:
    setup = build_setup(task.scenario, task.path, task.seed, task.memory_limit_bytes)
    before, now = {state[0]: state for state in task.inputs}, input_states(task.scenario, task.path)
    if changed := [state[0] for state in now if state != before.get(state[0])]:
        raise OSError(f"{changed[0]}: the file has changed since this command read it: repeat the command")
    return setup


def _encode_failure(error: Exception) -> bytes:
    try:
        message = pickle.dumps(error)
        pickle.loads(message)
    except Exception:  # an exception whose constructor takes other arguments than its message
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return message
