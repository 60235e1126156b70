"""Tasks in batches that take about a second each, and what becomes of those whose worker died."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from handoff.experiments.execution.serialization import Reply
from handoff.experiments.execution.task import Task, TaskResult

BATCH_SECONDS = 1.0
"""A batch is to take so long: much longer than sending it takes (ms), short enough to lose with a worker."""
MOST_TASKS = 1000
"""In a batch, however short they are."""
MOST_DEATHS = 3
"""Workers that one task may take with it."""


@dataclass(eq=False)
class QueuedTask:
    """A task, how many workers died of it, and whether it has to be done alone to see if they do."""

    task: Task
    deaths: int = 0
    suspect: bool = False


Batch = list[QueuedTask]
Done = list[tuple[Task, TaskResult]]


class TaskQueue:
    """Takes tasks as they are needed.

    The first batches have one task; the size then follows the time that tasks took, at most doubling, so that one long task
    among short ones is not followed by many.

    Parameters
    ----------
    tasks : iterable of Task
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._new = iter(tasks)
        self._again: deque[QueuedTask] = deque()
        self._suspects: deque[QueuedTask] = deque()
        self._largest = 0
        self._seconds_each = BATCH_SECONDS
        self._stopped = False

    def stop(self) -> None:
        """Nothing is taken any more."""
        self._stopped = True

    def take(self) -> Batch:
        """The next batch; empty if there is none but suspects."""
        if self._stopped:
            return []
        if self._again:
            return [self._again.popleft()]
        most = min(int(BATCH_SECONDS / self._seconds_each), 2 * self._largest, MOST_TASKS)
        return [QueuedTask(task) for task in islice(self._new, max(most, 1))]

    def take_isolated(self) -> Batch:
        """One task to be done while no other is, so that it is known what a worker dies of."""
        return [self._suspects.popleft()] if self._suspects and not self._stopped else []

    def done(self, batch: Batch, reply: Reply) -> Done:
        """Outcomes of a batch; those that it was stopped before are left out."""
        if reply.outcomes:
            each = reply.seconds / len(reply.outcomes)
            self._seconds_each = max((each + self._seconds_each) / 2 if self._largest else each, 1e-6)
            self._largest = max(self._largest, len(reply.outcomes))
        return [(entry.task, outcome) for entry, outcome in zip(batch, reply.outcomes, strict=False)]

    def died(self, batch: Batch, how: str, *, deaths: int = 1, alone: bool = True) -> Done:
        """The worker of a batch is gone: its tasks are done again one by one; returns the one that was done too often.

        Parameters
        ----------
        batch : list of Entry
            What it had.
        how : str
            How it ended.
        deaths : int
            How many had the batch, one after the other.
        alone : bool
            Whether nothing else can have been the cause than this batch.
        """
        if len(batch) > 1:
            self._again.extend(batch)
            return []
        (entry,) = batch
        entry.suspect = True
        entry.deaths += deaths if alone else 0
        if entry.deaths < MOST_DEATHS:
            self._suspects.append(entry)
            return []
        problem = f"{entry.deaths} workers ended before it was done, the last {how}"
        return [(entry.task, TaskResult(problem=problem))]

