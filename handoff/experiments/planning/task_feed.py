"""Tasks for an executor, in the order of their urgency, and their results."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence

from handoff.experiments.execution.task import Executor, Task, TaskResult


class TaskFeed:
    """Iterator over the tasks that an executor draws as its workers become free: urgent ones, then some ahead of need.

    After its end it may yield again, so that an executor with a task in progress draws what the next step of a plan needs. Idle
    workers get tasks ahead of need. These do not hold up a step, which ends with its own tasks.

    Parameters
    ----------
    executor : Executor
        Executor that has been entered.
    workers : int
        Number of tasks that it runs at a time. A single one does nothing ahead of need.

    Attributes
    ----------
    in_progress : set of Task
        Tasks that the executor has drawn and not returned.
    """

    def __init__(self, executor: Executor, workers: int) -> None:
        self._executor, self._workers = executor, workers
        self._urgent: deque[Task] = deque()
        self._ahead: deque[Task] = deque()
        self.in_progress: set[Task] = set()
        self._urgent_drawn = False
        self._results: Iterator[tuple[Task, TaskResult]] = iter(())

    def __iter__(self) -> TaskFeed:
        return self

    def __next__(self) -> Task:
        if self._urgent:
            task = self._urgent.popleft()
            self._urgent_drawn = True
        elif self._urgent_drawn:
            self._urgent_drawn = False
            raise StopIteration  # a group of tasks is done as a whole: none has urgent tasks and others
        elif self._ahead and 1 <= len(self.in_progress) < self._workers:
            task = self._ahead.popleft()
        else:
            raise StopIteration
        self.in_progress.add(task)
        return task

    def put(self, urgent: Sequence[Task], ahead: Sequence[Task]) -> None:
        """Replace the tasks that have not been drawn. None of them may be in progress."""
        self._urgent, self._ahead = deque(urgent), deque(ahead)

    def next_result(self) -> tuple[Task, TaskResult] | None:
        """Return the next task that is done, with its result; None if the executor was stopped."""
        while (done := self._take()) is not None:
            if done[0] in self.in_progress:  # not a task that an earlier search left behind
                self.in_progress.remove(done[0])
                return done
        return None

    def end_step(self) -> None:
        """Drop the tasks that are not in progress. A single worker has none, and its executor can end its iterator."""
        self.put((), ())
        if self._workers == 1:
            next(self._results, None)

    def close(self) -> None:
        """Drop all tasks, and end the executor's iterator, so that it does not wait for a garbage collection."""
        self.put((), ())
        self.in_progress.clear()
        if isinstance(self._results, Generator):
            self._results.close()
        self._results = iter(())

    def _take(self) -> tuple[Task, TaskResult] | None:
        if (done := next(self._results, None)) is None:
            self.in_progress.clear()
            self._results = self._executor.run(self)
            done = next(self._results, None)
        return done
