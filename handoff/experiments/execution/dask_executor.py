"""An executor on a Dask cluster: a running one, or a local one that starts and ends with it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.dask_launch import cluster_option_errors, scheduler_address_errors, start_local_cluster
from handoff.experiments.execution.serialization import decode_reply, encode_tasks, run_encoded_tasks
from handoff.experiments.execution.stop_signals import block_stop_signals
from handoff.experiments.execution.task import Task, TaskResult
from handoff.experiments.execution.task_queue import TaskGroup, TaskQueue, TaskResults

if TYPE_CHECKING:
    from distributed import Client, Future

GROUPS_PER_THREAD = 2
"""Task groups sent ahead, so that no thread waits for the network."""
POLL_SECONDS = 0.2
"""Interval at which a stop or a lost connection is noticed."""
THREAD_COUNT_SECONDS = 2.0
"""Interval at which the threads of the cluster are counted again: workers come and go."""
CONNECT_SECONDS = 10
NOT_INSTALLED = "Dask is not installed: pip install 'handoff-sim[cluster]'"


class DaskExecutor:
    """Executor that sends task groups to the workers of a Dask cluster.

    Dask replaces a worker that dies, and its task group runs again. What travels is JSON and the name of the function that reads
    it, under TLS.

    Parameters
    ----------
    address : str or None
        Address of a running scheduler, ``tls://HOST:PORT``.
    cluster : {"local"} or None
        Kind of cluster to start; it ends with this executor.
    jobs : int
        Workers of that cluster.
    options : dict of str to str
        Options of that cluster (``handoff.experiments.execution.dask_launch.CLUSTER_OPTIONS``).

    Raises
    ------
    ValueError
        Unless exactly one of address and cluster is set, the options are known, and the address uses TLS.
    """

    def __init__(
        self, address: str | None = None, cluster: str | None = None, jobs: int = 1, options: dict[str, str] | None = None
    ) -> None:
        if (address is None) == (cluster is None):
            raise ValueError("give either --scheduler, for a running cluster, or --cluster, to start one")
        if address is not None:
            errors = scheduler_address_errors(address)
            if options:
                errors.append("--cluster-option has no effect with --scheduler: leave it out")
        else:
            errors = cluster_option_errors(cluster or "", options or {})
        if errors:
            raise ValueError("\n".join(errors))
        self.address, self.cluster, self.jobs, self.options = address or "", cluster, jobs, options or {}
        self._client: Client
        self._stopped = False
        self._threads, self._threads_counted_at = 0, 0.0
        self._resources = ExitStack()

    def __enter__(self) -> DaskExecutor:
        try:
            import distributed
        except ImportError:
            raise ValueError(NOT_INSTALLED) from None
        for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # this class reports the failures that matter, in one line
        try:
            target: Any = self.address
            if self.cluster is not None:
                with block_stop_signals():
                    target = start_local_cluster(self.jobs, self.options, self._resources)
                self.address = target.scheduler_address
            client = distributed.Client(target, timeout=CONNECT_SECONDS, set_as_default=False)
            self._client = self._resources.enter_context(client)
        except (OSError, TimeoutError) as error:
            self._resources.close()
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConnectionError(f"no scheduler answers at {self.address or self.cluster}: {reason}") from None
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        with suppress(OSError, TimeoutError, CancelledError):
            self._resources.close()

    def stop(self) -> None:
        """Send nothing more; task groups that have been sent still run."""
        self._stopped = True

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        """Yield results as they arrive.

        Raises
        ------
        ConnectionError
            If the scheduler is lost, or its workers cannot run tasks at all.
        """
        queue = TaskQueue(tasks)
        in_progress: dict[Future, TaskGroup] = {}
        finished: SimpleQueue[Future] = SimpleQueue()
        try:
            while True:
                if self._stopped:
                    queue.stop()
                self._send_groups(queue, in_progress, finished)
                if not in_progress:
                    return
                try:
                    future = finished.get(timeout=POLL_SECONDS)
                except Empty:
                    if self._client.status != "running":
                        raise self._connection_lost() from None
                    continue
                yield from self._collect(future, in_progress.pop(future), queue)
        finally:
            for future in in_progress:
                with suppress(Exception):  # the scheduler may be gone
                    future.cancel()

    def _send_groups(self, queue: TaskQueue, in_progress: dict[Future, TaskGroup], finished: SimpleQueue[Future]) -> None:
        # A suspect, which may have killed its worker, runs alone, after everything else is done.
        while len(in_progress) < max(GROUPS_PER_THREAD * self._thread_count(), 1):
            if any(group[0].suspect for group in in_progress.values()):
                return
            group = queue.take_group() or ([] if in_progress else queue.take_isolated())
            if not group:
                return
            request = encode_tasks(entry.task for entry in group)
            future = self._client.submit(run_encoded_tasks, request, pure=False)
            in_progress[future] = group
            future.add_done_callback(finished.put)

    def _thread_count(self) -> int:
        if time.monotonic() - self._threads_counted_at > THREAD_COUNT_SECONDS:
            try:
                self._threads = sum(self._client.nthreads().values())
            except (OSError, TimeoutError, CancelledError):
                raise self._connection_lost() from None
            self._threads_counted_at = time.monotonic()
        return self._threads

    def _collect(self, future: Future, group: TaskGroup, queue: TaskQueue) -> TaskResults:
        from distributed import KilledWorker

        try:
            reply = future.result()
        except KilledWorker as killed:
            # Dask blames every task group that a dead worker had, started or not. Only a group that was the only one in
            # progress is known to be the cause.
            description, deaths = f"at {killed.last_worker.address}", killed.allowed_failures + 1
            return queue.record_death(group, description, deaths=deaths, alone=group[0].suspect)
        except (CancelledError, OSError, TimeoutError):
            raise self._connection_lost() from None
        except Exception as error:
            problem = f"the workers of {self.address} cannot run tasks: {type(error).__name__}: {error}"
            raise ConnectionError(f"{problem}: install handoff {code_version()} there") from None
        return queue.complete(group, decode_reply(reply))

    def _connection_lost(self) -> ConnectionError:
        return ConnectionError(
            f"the scheduler at {self.address} is lost: completed runs are kept, the same command continues with the rest"
        )
