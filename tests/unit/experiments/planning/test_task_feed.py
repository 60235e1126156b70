"""The order in which an executor receives the tasks of a plan."""

from handoff.experiments.execution.process_pool import ProcessPool
from handoff.experiments.execution.task import SerialExecutor, Task, TaskResult
from handoff.experiments.planning.task_feed import TaskFeed


def task(name):
    return Task("{}", ".", name, ("mipv4",))


class TwoWorkers:
    """Executor that has up to two tasks in progress and ends the oldest one first."""

    def __init__(self):
        self.drawn = []

    def run(self, tasks):
        running = []
        while True:
            while len(running) < 2 and (drawn := next(tasks, None)) is not None:
                running.append(drawn)
                self.drawn.append(drawn.seed)
            if not running:
                return
            yield running.pop(0), TaskResult()


def test_idle_workers_get_tasks_ahead_of_need_after_the_urgent_ones():
    executor = TwoWorkers()
    feed = TaskFeed(executor, 2)
    feed.put([task(1), task(2), task(3)], [task(8), task(9)])
    assert [feed.next_result()[0].seed for _ in range(3)] == [1, 2, 3]
    assert executor.drawn == [1, 2, 3, 8][: len(executor.drawn)]


def test_the_next_step_does_not_wait_for_tasks_ahead_of_need():
    """Task 8, ahead of need, is in progress when the next step begins; it is not drawn twice, and its result still arrives."""
    executor = TwoWorkers()
    feed = TaskFeed(executor, 2)
    feed.put([task(1), task(2)], [task(8)])
    assert [feed.next_result()[0].seed for _ in range(2)] == [1, 2]
    feed.put([task(8), task(4)], [])
    assert sorted(feed.next_result()[0].seed for _ in range(2)) == [4, 8]
    assert sorted(executor.drawn) == [1, 2, 4, 8]


def test_a_group_of_tasks_has_no_urgent_ones_and_others():
    feed = TaskFeed(TwoWorkers(), 2)
    feed.put([task(1)], [task(8)])
    assert [next(feed).seed, next(feed, None), next(feed).seed] == [1, None, 8]


def test_a_single_worker_does_nothing_ahead_of_need():
    class CountingExecutor(SerialExecutor):
        def run(self, tasks):
            for drawn in tasks:
                self.done += 1
                yield drawn, TaskResult()

    executor = CountingExecutor()
    feed = TaskFeed(executor, 1)
    feed.put([task(1)], [task(8)])
    assert feed.next_result()[0].seed == 1
    feed.put([task(2)], [task(8)])
    assert feed.next_result()[0].seed == 2
    assert executor.done == 2


def test_a_stopped_executor_has_no_result():
    executor = ProcessPool(2)
    executor.stop()
    feed = TaskFeed(executor, 2)
    feed.put([task(1)], [])
    assert feed.next_result() is None
