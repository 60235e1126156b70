"""A pool of processes on this machine.

``concurrent.futures`` and ``loky`` do not serve here: when a process dies, they give up all work in progress without naming the
task that the process had, and they wait without end for the rest of a result that it was writing. In this pool each worker has a
pipe of its own and one task group at a time, so that the end of a pipe tells which group has no complete reply.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue
from typing import Any

from engine.memory import keep_freed_memory
from handoff.experiments.execution.serialization import decode_reply, encode_tasks, run_encoded_tasks
from handoff.experiments.execution.stop_signals import block_stop_signals
from handoff.experiments.execution.task import Task, TaskResult
from handoff.experiments.execution.task_queue import MAX_DEATHS, TaskGroup, TaskQueue, TaskResults

STOP_MESSAGE = b""
READY_MESSAGE = b"ready"
EXIT_NO_REPLY = 70
"""Exit code of a worker that could not send its reply."""
POLL_SECONDS = 0.2
"""Interval at which a stop is noticed."""
EXIT_SECONDS = 2.0
"""Time that a worker has to end by itself before it is killed."""
WORKER_ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # huge pages for the heap, where the system gives them on request
    "OPENBLAS_NUM_THREADS": "1",  # NumPy's idle threads take processor time from each process
}
"""Variables that a worker reads at its start, unless this process has values of its own for them."""


@dataclass(eq=False)
class Worker:
    """A process, this side of its pipe, and the task group that it runs."""

    process: SpawnProcess
    pipe: Connection
    ready: bool = False
    group: TaskGroup = field(default_factory=list)

    def send(self, message: bytes) -> None:
        """Send a message; a dead worker shows when its pipe is read."""
        with suppress(OSError):
            self.pipe.send_bytes(message)

    def exit_description(self) -> str:
        """Wait for the end of the process and describe it."""
        self.process.join()
        code = self.process.exitcode or 0
        if code >= 0:
            return f"with exit code {code}"
        return f"by {signal.Signals(-code).name}" + (" (is there too little memory?)" if -code == signal.SIGKILL else "")


class ProcessPool:
    """Executor on processes of this machine, each with one task group at a time.

    A process that dies is replaced, and its task group runs again.

    Parameters
    ----------
    jobs : int
        Maximum number of processes. They start when there is work, end with this process however it ends, and ignore Ctrl-C,
        SIGTERM and SIGHUP, which are meant for this process.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._workers: list[Worker] = []
        self._stopped = self._stop_sent = False
        self._failed_starts = 0

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(self, *failure: object) -> None:
        end_workers(self._workers)

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        """Yield results as they arrive.

        Raises
        ------
        ChildProcessError
            If no worker can be started.
        """
        queue, results = TaskQueue(tasks), deque[tuple[Task, TaskResult]]()
        while True:
            if self._stopped and not self._stop_sent:
                self._stop_sent = True
                queue.stop()
                for worker in self._workers:
                    worker.send(STOP_MESSAGE)
            self._assign_groups(queue)
            busy = [worker for worker in self._workers if worker.group]
            if not busy and not results:
                return
            for pipe in wait([worker.pipe for worker in busy], 0 if results else POLL_SECONDS):
                results.extend(self._receive(next(worker for worker in busy if worker.pipe is pipe), queue))
            if results:
                yield results.popleft()

    def stop(self) -> None:
        """Let workers end the tasks in progress and start no others."""
        self._stopped = True

    def _assign_groups(self, queue: TaskQueue) -> None:
        idle = [worker for worker in self._workers if not worker.group]
        while idle or len(self._workers) < self.jobs:
            group = queue.take_group() or queue.take_isolated()
            if not group:
                return
            if not idle:
                idle.append(start_worker(worker_main))
                self._workers.append(idle[-1])
            worker = idle.pop()
            worker.group = group
            worker.send(encode_tasks(entry.task for entry in group))

    def _receive(self, worker: Worker, queue: TaskQueue) -> TaskResults:
        try:
            message = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            return self._remove_dead_worker(worker, queue)
        if message == READY_MESSAGE:
            worker.ready, self._failed_starts = True, 0
            return []
        group, worker.group = worker.group, []
        return queue.complete(group, decode_reply(message))

    def _remove_dead_worker(self, worker: Worker, queue: TaskQueue) -> TaskResults:
        self._workers.remove(worker)
        worker.pipe.close()
        description = worker.exit_description()
        if worker.ready:
            return queue.record_death(worker.group, description)
        self._failed_starts += 1
        if self._failed_starts == MAX_DEATHS:
            raise ChildProcessError(f"workers end before they are ready, the last {description}")
        return queue.record_death(worker.group, description, deaths=0)


def start_worker(main: Callable[..., None], *arguments: Any) -> Worker:
    """Start a process that calls ``main`` with its end of a pipe and the arguments, and that ignores stop signals."""
    context = multiprocessing.get_context("spawn")  # a fork would copy threads and open files of this process
    our_end, worker_end = context.Pipe()
    process = context.Process(target=main, args=(worker_end, *arguments), daemon=True, name="handoff worker")
    with block_stop_signals(), _hidden_main_module(), _worker_environment():
        process.start()
    worker_end.close()
    return Worker(process, our_end)


@contextmanager
def _hidden_main_module() -> Iterator[None]:
    """Keep new processes from importing the main module: a worker needs nothing of it.

    A script would start its study again in each worker unless it has a guard, and no notebook or ``python -c`` has a file.
    """
    names: dict[str, Any] = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {name: names.pop(name) for name in ("__file__", "__spec__") if name in names}
    names["__spec__"] = None
    try:
        yield
    finally:
        names.update(hidden)


@contextmanager
def _worker_environment() -> Iterator[None]:
    added = {name: value for name, value in WORKER_ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def end_workers(workers: list[Worker]) -> None:
    """End the processes of workers, and clear the list."""
    for worker in workers:
        worker.pipe.close()  # the worker ends
    for worker in workers:
        worker.process.join(EXIT_SECONDS)
        worker.process.kill()
        worker.process.join()
    workers.clear()


def worker_main(pipe: Connection) -> None:
    """Run task groups, one after the other, until the pipe ends."""
    serve_requests(pipe, run_encoded_tasks)


def serve_requests(pipe: Connection, answer: Callable[[bytes, Callable[[], bool]], bytes]) -> None:
    """Answer the requests of a pipe, one after the other, until the pipe ends.

    A thread reads the pipe, so that its end stops the worker in the middle of a request too. The pipe ends with the process on
    its other side, however that process ends.

    Parameters
    ----------
    pipe : Connection
        The worker's end of the pipe.
    answer : callable
        Called with a request, and with a function that returns true after ``STOP_MESSAGE``; returns the reply.
    """
    keep_freed_memory()
    requests: SimpleQueue[bytes] = SimpleQueue()
    stopped = threading.Event()

    def receive_requests() -> None:
        try:
            while True:
                if message := pipe.recv_bytes():
                    requests.put(message)
                else:
                    stopped.set()
        except (EOFError, OSError):
            os._exit(0)

    threading.Thread(target=receive_requests, daemon=True).start()
    try:
        pipe.send_bytes(READY_MESSAGE)
        while True:
            pipe.send_bytes(answer(requests.get(), stopped.is_set))
    except Exception:  # the reader is gone, or there is no memory for a reply: the end of the pipe is the message
        os._exit(EXIT_NO_REPLY)
