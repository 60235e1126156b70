"""Choice of the executor that the options of a command ask for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handoff.experiments.execution.task import Executor


def make_executor(
    jobs: int | None = None, scheduler: str | None = None, cluster: str | None = None, options: dict[str, str] | None = None
) -> Executor:
    """Return an executor: this process if there is one job, else a process pool; or Dask.

    Parameters
    ----------
    jobs : int or None
        Processes of the pool, or workers of a local cluster. None: as many as this process may use cores.
    scheduler : str or None
        Address of a running Dask scheduler.
    cluster : {"local"} or None
        Kind of Dask cluster to start.
    options : dict of str to str
        Options of the cluster.

    Raises
    ------
    ValueError
        With one line for each wrong argument.
    """
    jobs = available_cpus() if jobs is None else jobs
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}: give 1 or more")
    if scheduler is not None or cluster is not None:
        from handoff.experiments.execution.dask_executor import DaskExecutor

        return DaskExecutor(scheduler, cluster, jobs, options)
    if options:
        raise ValueError("--cluster-option has no effect without --cluster: leave it out")
    if jobs == 1:
        from handoff.experiments.execution.task import SerialExecutor

        return SerialExecutor()
    from handoff.experiments.execution.process_pool import ProcessPool

    return ProcessPool(jobs)


def available_cpus() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
