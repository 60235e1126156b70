"""A pool of processes on this machine.

Its own, for what the ready ones do not tell: ``concurrent.futures`` and ``loky`` give up all that is under way when a process
dies, without a word which task it was on, and wait for ever for the rest of a result that it was writing. Here each worker has a
pipe of its own and one batch at a time: the end of its pipe names the batch, whole or half answered.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue

from handoff.experiments.execution.serialization import decode_reply, encode_tasks, run_encoded_tasks
from handoff.experiments.execution.sigint import block_sigint_in_children
from handoff.experiments.execution.task import Task, TaskResult
from handoff.experiments.execution.task_queue import MOST_DEATHS, Batch, Done, TaskQueue

STOP = b""
READY = b"ready"
FAILED = 70
"""Exit code of a worker that could not send what it had."""
POLL_SECONDS = 0.2
"""How soon a stop is noticed."""
END_SECONDS = 2.0
"""How long workers may take to end by themselves."""


@dataclass(eq=False)
class Worker:
    """A process, this side of its pipe, and what it is doing."""

    process: SpawnProcess
    pipe: Connection
    ready: bool = False
    batch: Batch = field(default_factory=list)

    def send(self, message: bytes) -> None:
        """If it is dead, that shows as its pipe is read."""
        with suppress(OSError):
            self.pipe.send_bytes(message)

    def exit_description(self) -> str:
        """In words."""
        self.process.join()
        code = self.process.exitcode or 0
        if code >= 0:
            return f"with exit code {code}"
        return f"by {signal.Signals(-code).name}" + (" (is there too little memory?)" if -code == signal.SIGKILL else "")


class ProcessPool:
    """Tasks in processes, one batch each at a time; one that dies is replaced, and its batch done again.

    Parameters
    ----------
    jobs : int
        Most processes. They begin when there is something to do, end with this one whatever ends it, and take no notice of
        Ctrl-C: that is for the program that they work for.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._workers: list[Worker] = []
        self._stopped = self._told = False
        self._failed_starts = 0

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(self, *failure: object) -> None:
        for worker in self._workers:
            worker.pipe.close()  # it ends
        for worker in self._workers:
            worker.process.join(END_SECONDS)
            worker.process.kill()
            worker.process.join()
        self._workers.clear()

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, TaskResult]]:
        """Outcomes as they come.

        Raises
        ------
        ChildProcessError
            If no worker can be started.
        """
        batches, done = TaskQueue(tasks), deque[tuple[Task, TaskResult]]()
        while True:
            if self._stopped and not self._told:
                self._told = True
                batches.stop()
                for worker in self._workers:
                    worker.send(STOP)
            self._give(batches)
            busy = [worker for worker in self._workers if worker.batch]
            if not busy and not done:
                return
            for pipe in wait([worker.pipe for worker in busy], 0 if done else POLL_SECONDS):
                done.extend(self._hear(next(worker for worker in busy if worker.pipe is pipe), batches))
            if done:
                yield done.popleft()

    def stop(self) -> None:
        """Workers leave what they have not begun."""
        self._stopped = True

    def _give(self, batches: TaskQueue) -> None:
        """A batch for each worker that has none, and a worker for each batch up to the number of jobs."""
        idle = [worker for worker in self._workers if not worker.batch]
        while idle or len(self._workers) < self.jobs:
            batch = batches.take() or batches.take_isolated()
            if not batch:
                return
            worker = idle.pop() if idle else self._started()
            worker.batch = batch
            worker.send(encode_tasks(entry.task for entry in batch))

    def _started(self) -> Worker:
        context = multiprocessing.get_context("spawn")  # threads and open files of this process are not copied
        ours, theirs = context.Pipe()
        process = context.Process(target=worker_main, args=(theirs,), daemon=True, name="handoff worker")
        with block_sigint_in_children():
            process.start()
        theirs.close()
        self._workers.append(Worker(process, ours))
        return self._workers[-1]

    def _hear(self, worker: Worker, batches: TaskQueue) -> Done:
        try:
            message = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            return self._bury(worker, batches)
        if message == READY:
            worker.ready, self._failed_starts = True, 0
            return []
        batch, worker.batch = worker.batch, []
        return batches.done(batch, decode_reply(message))

    def _bury(self, worker: Worker, batches: TaskQueue) -> Done:
        self._workers.remove(worker)
        worker.pipe.close()
        how = worker.exit_description()
        if worker.ready:
            return batches.died(worker.batch, how)
        self._failed_starts += 1
        if self._failed_starts == MOST_DEATHS:
            raise ChildProcessError(f"workers end before they begin, the last {how}")
        return batches.died(worker.batch, how, deaths=0)


def worker_main(pipe: Connection) -> None:
    """What a worker does: batches one after the other, until the pipe ends.

    A thread reads the pipe, so that its end, by whatever has ended the program on the other side, ends the worker in the midst
    of a batch too.
    """
    batches: SimpleQueue[bytes] = SimpleQueue()
    stopped = threading.Event()

    def read() -> None:
        try:
            while True:
                if message := pipe.recv_bytes():
                    batches.put(message)
                else:
                    stopped.set()
        except (EOFError, OSError):
            os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    try:
        pipe.send_bytes(READY)
        while True:
            pipe.send_bytes(run_encoded_tasks(batches.get(), stopped.is_set))
    except Exception:  # nobody to tell, or no memory to tell it: the end of the pipe says enough
        os._exit(FAILED)
