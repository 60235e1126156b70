"""Where the tasks of a batch are done."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handoff.experiments.execution.task import Executor


def make_executor(
    jobs: int | None = None, scheduler: str | None = None, cluster: str | None = None, options: dict[str, str] | None = None
) -> Executor:
    """What does the tasks: this process if there is one job, a pool of processes, or a Dask cluster.

    Parameters
    ----------
    jobs : int or None
        Processes of the pool, or workers of a cluster that is begun; None: as many as this process may use cores.
    scheduler : str or None
        Address of a Dask scheduler that runs.
    cluster : {"local", "ssh", "slurm"} or None
        Kind of a Dask cluster to begin.
    options : dict of str to str
        Of that cluster.

    Raises
    ------
    ValueError
        With all that is wrong with them, one problem a line.
    """
    jobs = available_cpus() if jobs is None else jobs
    if scheduler is not None or cluster is not None:
        from handoff.experiments.execution.dask_executor import DaskExecutor

        return DaskExecutor(scheduler, cluster, jobs, options)
    if options:
        raise ValueError("--cluster-option means nothing without --cluster: leave it out")
    if jobs == 1:
        from handoff.experiments.execution.task import SerialExecutor

        return SerialExecutor()
    from handoff.experiments.execution.process_pool import ProcessPool

    return ProcessPool(jobs)


def available_cpus() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
