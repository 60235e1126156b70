"""A queue that hands out tasks in groups of about a second, and hands them out again if their worker died."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from handoff.experiments.execution.serialization import Reply
from handoff.experiments.execution.task import Task, TaskResult

GROUP_SECONDS = 1.0
"""Intended run time of a group: much longer than sending it (milliseconds), short enough to lose with a worker."""
MAX_GROUP_TASKS = 1000
MAX_DEATHS = 3
"""Worker deaths after which a task is given up."""
_MIN_TASK_SECONDS = 1e-6
"""Lower bound of the estimated time of a task, which is a divisor."""


@dataclass(eq=False)
class QueuedTask:
    """A task and the worker deaths that it may have caused.

    Attributes
    ----------
    task : Task
    deaths : int
        Workers that died while they ran this task and no other.
    suspect : bool
        If true, the task has to run while nothing else does, to find out if it kills its worker.
    """

    task: Task
    deaths: int = 0
    suspect: bool = False


TaskGroup = list[QueuedTask]
TaskResults = list[tuple[Task, TaskResult]]


class TaskQueue:
    """Queue of tasks, drawn from an iterable as they are needed.

    The first groups have one task. The size then follows the run time of the tasks, and at most doubles, so that a long task
    among short ones is not followed by a large group.

    Parameters
    ----------
    tasks : iterable of Task
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._new = iter(tasks)
        self._retries: deque[QueuedTask] = deque()
        self._suspects: deque[QueuedTask] = deque()
        self._largest_group = 0
        self._task_seconds = GROUP_SECONDS
        self._stopped = False

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped = True

    def take_group(self) -> TaskGroup:
        """Return the next group; empty if only suspects are left, or nothing."""
        if self._stopped:
            return []
        if self._retries:
            return [self._retries.popleft()]
        size = min(int(GROUP_SECONDS / self._task_seconds), 2 * self._largest_group, MAX_GROUP_TASKS)
        return [QueuedTask(task) for task in islice(self._new, max(size, 1))]

    def take_isolated(self) -> TaskGroup:
        """Return one suspect, which has to run while nothing else does; empty if there is none."""
        return [self._suspects.popleft()] if self._suspects and not self._stopped else []

    def complete(self, group: TaskGroup, reply: Reply) -> TaskResults:
        """Return the results of a group; tasks that a stop kept from running have none."""
        if reply.results:
            seconds = reply.seconds / len(reply.results)
            self._task_seconds = max((seconds + self._task_seconds) / 2 if self._largest_group else seconds, _MIN_TASK_SECONDS)
            self._largest_group = max(self._largest_group, len(reply.results))
        return [(entry.task, result) for entry, result in zip(group, reply.results, strict=False)]

    def record_death(self, group: TaskGroup, description: str, *, deaths: int = 1, alone: bool = True) -> TaskResults:
        """Queue the tasks of a dead worker again, one by one; return the result of a task that is given up.

        Parameters
        ----------
        group : list of QueuedTask
            Tasks that the worker had.
        description : str
            How the worker ended.
        deaths : int
            Number of workers that died with this group, one after the other.
        alone : bool
            If true, nothing but this group can have caused the death.
        """
        if len(group) > 1:
            self._retries.extend(group)
            return []
        (entry,) = group
        entry.suspect = True
        entry.deaths += deaths if alone else 0
        if entry.deaths < MAX_DEATHS:
            self._suspects.append(entry)
            return []
        problem = f"{entry.deaths} workers ended before the task was done, the last {description}"
        return [(entry.task, TaskResult(problem=problem))]
