"""How tasks are grouped, and what becomes of those whose worker died."""

from handoff.experiments.execution.serialization import Reply
from handoff.experiments.execution.task import Task, TaskResult
from handoff.experiments.execution.task_queue import BATCH_SECONDS, MOST_DEATHS, MOST_TASKS, TaskQueue


def batches(number):
    return TaskQueue(Task("{}", ".", seed, ()) for seed in range(number))


def seeds(batch):
    return [entry.task.seed for entry in batch]


def sizes(of, seconds_each, rounds):
    """Of so many batches, each done before the next is taken."""
    found = []
    for _ in range(rounds):
        batch = of.take()
        found.append(len(batch))
        of.done(batch, Reply([TaskResult()] * len(batch), seconds_each * len(batch)))
    return found


def test_batches_double_until_they_take_their_time():
    assert sizes(batches(10**6), BATCH_SECONDS / 100.5, 10) == [1, 2, 4, 8, 16, 32, 64, 100, 100, 100]
    assert sizes(batches(10**6), 1e-9, 12)[-1] == MOST_TASKS


def test_long_tasks_go_one_by_one_and_after_a_long_one_batches_are_small():
    assert sizes(batches(100), 2 * BATCH_SECONDS, 5) == [1] * 5
    mixed = batches(10**6)
    sizes(mixed, BATCH_SECONDS / 1000, 12)
    (long, *_) = [mixed.take()]
    mixed.done(long, Reply([TaskResult()], 60 * BATCH_SECONDS))
    assert len(mixed.take()) == 1


def test_every_task_is_taken_once_in_order():
    of, found = batches(1000), []
    while batch := of.take():
        found += seeds(batch)
        of.done(batch, Reply([TaskResult()] * len(batch), 1e-3 * len(batch)))
    assert found == list(range(1000))


def test_of_a_dead_worker_tasks_come_again_one_by_one():
    of = batches(100)
    sizes(of, 1e-3, 2)
    batch = of.take()
    assert seeds(batch) == [3, 4, 5, 6]
    assert of.died(batch, "somehow") == []
    assert [seeds(of.take()) for _ in range(5)] == [[3], [4], [5], [6], [7, 8, 9, 10]]


def test_a_task_is_given_up_after_so_many_deaths_that_are_its_own():
    of = batches(1)
    batch = of.take()
    assert of.died(batch, "beside others", alone=False) == []
    for _ in range(MOST_DEATHS - 1):
        batch = of.take_isolated()
        assert of.died(batch, "somehow") == []
    ((task, outcome),) = of.died(of.take_isolated(), "by SIGKILL")
    assert (task.seed, outcome.problem) == (0, f"{MOST_DEATHS} workers ended before it was done, the last by SIGKILL")
    assert of.take() == of.take_isolated() == []


def test_after_a_stop_nothing_is_taken():
    of = batches(10)
    batch = of.take()
    of.died(batch, "somehow")
    of.stop()
    assert of.take() == of.take_isolated() == []
