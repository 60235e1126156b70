"""Tasks on a Dask cluster: one that runs already, or one that is begun for them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from handoff.experiments.execution.code_version import code_version
from handoff.experiments.execution.dask_launch import cluster_option_errors, launch_cluster, scheduler_address_errors
from handoff.experiments.execution.serialization import decode_reply, encode_tasks, run_encoded_tasks
from handoff.experiments.execution.sigint import block_sigint_in_children
from handoff.experiments.execution.task import Task, TaskResult
from handoff.experiments.execution.task_queue import Batch, Done, TaskQueue

if TYPE_CHECKING:
    from distributed import Client, Future

BATCHES_A_THREAD = 2
"""Sent ahead, so that no thread waits for the way."""
POLL_SECONDS = 0.2
"""How soon a stop or a lost connection is noticed."""
COUNT_SECONDS = 2.0
"""How often it is looked how many threads there are: workers come and go."""
CONNECT_SECONDS = 10
INSTALL = "Dask is not installed: pip install 'handoff[cluster]'"


class DaskExecutor:
    """Tasks as batches on Dask's workers; one that dies is replaced by Dask, and its batches are done again.

    What travels is JSON, and the name of the one function that reads it. Nothing travels in the clear but within this machine.

    Parameters
    ----------
    address : str or None
        A scheduler that runs: ``tls://HOST:PORT``, or ``tcp://127.0.0.1:PORT`` on this machine.
    kind : {"local", "ssh", "slurm"} or None
        A cluster to begin, and to end with this program.
    jobs : int
        Workers of that cluster.
    options : dict of str to str
        What it needs (``handoff.experiments.execution.dask_launch.OPTIONS``).

    Raises
    ------
    ValueError
        If there is not just one of address and kind, an option is unknown, or the address is neither this machine nor TLS.
    """

    def __init__(
        self, address: str | None = None, kind: str | None = None, jobs: int = 1, options: dict[str, str] | None = None
    ) -> None:
        if (address is None) == (kind is None):
            raise ValueError("give either --scheduler, for a cluster that runs, or --cluster, for one to begin")
        wrong = scheduler_address_errors(address) if address is not None else cluster_option_errors(kind or "", options or {})
        if address is not None and options:
            wrong.append("--cluster-option means nothing with --scheduler: leave it out")
        if wrong:
            raise ValueError("\n".join(wrong))
        self.address, self.kind, self.jobs, self.options = address or "", kind, jobs, options or {}
        self._client: Client
        self._under_way: dict[Future, Batch] = {}
        self._stopped = False
        self._threads, self._counted = 0, 0.0
        self._open = ExitStack()

    def __enter__(self) -> DaskExecutor:
        try:
            import distributed
        except ImportError:
            raise ValueError(INSTALL) from None
        for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters of all that Dask says is said here
        try:
            place: Any = self.address
            security = None
            if self.kind is not None:
                with block_sigint_in_children():
                    place, security = launch_cluster(self.kind, self.jobs, self.options, self._open)
                self.address = place.scheduler_address
            client = distributed.Client(place, security=security, timeout=CONNECT_SECONDS, set_as_default=False)
            self._client = self._open.enter_context(client)
        except (OSError, TimeoutError) as error:
            self._open.close()
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ConnectionError(f"no scheduler answers at {self.address or self.kind}: {reason}") from None
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        with suppress(OSError, TimeoutError, CancelledError):
            self._open.close()

    def stop(self) -> None:
        """What has been sent is done still."""
        self._stopped = True

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        """Outcomes as they come.

        Raises
        ------
        ConnectionError
            If the scheduler is gone, or its workers cannot do tasks at all.
        """
        batches = TaskQueue(tasks)
        under_way = self._under_way
        ended: SimpleQueue[Future] = SimpleQueue()
        try:
            while True:
                if self._stopped:
                    batches.stop()
                self._send(batches, ended)
                if not under_way:
                    return
                try:
                    future = ended.get(timeout=POLL_SECONDS)
                except Empty:
                    if self._client.status != "running":
                        raise self._lost() from None
                    continue
                yield from self._ended(future, under_way.pop(future), batches)
        finally:
            for future in under_way:
                with suppress(Exception):  # the scheduler may be gone
                    future.cancel()
            under_way.clear()

    def _send(self, batches: TaskQueue, ended: SimpleQueue[Future]) -> None:
        """As many batches as keep all threads busy; what workers may have died of goes alone, when all else is done."""
        under_way = self._under_way
        while len(under_way) < max(BATCHES_A_THREAD * self._thread_count(), 1):
            if any(batch[0].suspect for batch in under_way.values()):
                return
            batch = batches.take() or ([] if under_way else batches.take_isolated())
            if not batch:
                return
            text = encode_tasks(entry.task for entry in batch)
            future = self._client.submit(run_encoded_tasks, text, pure=False)
            under_way[future] = batch
            future.add_done_callback(ended.put)

    def _thread_count(self) -> int:
        if time.monotonic() - self._counted > COUNT_SECONDS:
            try:
                self._threads = sum(self._client.nthreads().values())
            except (OSError, TimeoutError, CancelledError):
                raise self._lost() from None
            self._counted = time.monotonic()
        return self._threads

    def _ended(self, future: Future, batch: Batch, batches: TaskQueue) -> Done:
        from distributed import KilledWorker

        try:
            reply = future.result()
        except KilledWorker as killed:
            # Dask blames all that a worker had, begun or not: a task is guilty of a death if nothing else was under way
            how, deaths = f"at {killed.last_worker.address}", killed.allowed_failures + 1
            return batches.died(batch, how, deaths=deaths, alone=batch[0].suspect)
        except (CancelledError, OSError, TimeoutError):
            raise self._lost() from None
        except Exception as error:
            wrong = f"the workers of {self.address} cannot do this: {type(error).__name__}: {error}"
            raise ConnectionError(f"{wrong}: install handoff {code_version()} there") from None
        return batches.done(batch, decode_reply(reply))

    def _lost(self) -> ConnectionError:
        return ConnectionError(
            f"the scheduler at {self.address} is gone: what was done is kept, the same command goes on with the rest"
        )
