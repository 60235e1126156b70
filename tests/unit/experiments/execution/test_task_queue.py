"""The size of task groups, and the tasks of workers that died."""

from handoff.experiments.execution.serialization import Reply
from handoff.experiments.execution.task import Task, TaskResult
from handoff.experiments.execution.task_queue import GROUP_SECONDS, MAX_DEATHS, MAX_GROUP_TASKS, TaskQueue


def make_queue(number):
    return TaskQueue(Task("{}", ".", seed, ()) for seed in range(number))


def seeds(group):
    return [entry.task.seed for entry in group]


def complete_groups(queue, task_seconds, rounds):
    """Take and complete groups, one after the other, and return their sizes."""
    sizes = []
    for _ in range(rounds):
        group = queue.take_group()
        sizes.append(len(group))
        queue.complete(group, Reply([TaskResult()] * len(group), task_seconds * len(group)))
    return sizes


def test_groups_double_until_they_take_their_intended_time():
    assert complete_groups(make_queue(10**6), GROUP_SECONDS / 100.5, 10) == [1, 2, 4, 8, 16, 32, 64, 100, 100, 100]
    assert complete_groups(make_queue(10**6), 1e-9, 12)[-1] == MAX_GROUP_TASKS


def test_long_tasks_run_one_by_one_and_a_long_task_makes_the_next_group_small():
    assert complete_groups(make_queue(100), 2 * GROUP_SECONDS, 5) == [1] * 5
    queue = make_queue(10**6)
    complete_groups(queue, GROUP_SECONDS / 1000, 12)
    queue.complete(queue.take_group(), Reply([TaskResult()], 60 * GROUP_SECONDS))
    assert len(queue.take_group()) == 1


def test_every_task_is_taken_once_in_order():
    queue, taken = make_queue(1000), []
    while group := queue.take_group():
        taken += seeds(group)
        queue.complete(group, Reply([TaskResult()] * len(group), 1e-3 * len(group)))
    assert taken == list(range(1000))


def test_results_are_paired_with_their_tasks_and_a_stopped_group_has_fewer():
    queue = make_queue(10)
    complete_groups(queue, 1e-3, 2)
    group = queue.take_group()
    results = queue.complete(group, Reply([TaskResult(problem="a"), TaskResult(problem="b")], 1e-3))
    assert [(task.seed, result.problem) for task, result in results] == [(3, "a"), (4, "b")]


def test_tasks_of_a_dead_worker_are_taken_again_one_by_one():
    queue = make_queue(100)
    complete_groups(queue, 1e-3, 2)
    group = queue.take_group()
    assert seeds(group) == [3, 4, 5, 6]
    assert queue.record_death(group, "somehow") == []
    assert [seeds(queue.take_group()) for _ in range(5)] == [[3], [4], [5], [6], [7, 8, 9, 10]]


def test_a_task_is_given_up_after_deaths_that_only_it_can_have_caused():
    queue = make_queue(1)
    group = queue.take_group()
    assert queue.record_death(group, "beside others", alone=False) == []
    for _ in range(MAX_DEATHS - 1):
        group = queue.take_isolated()
        assert queue.record_death(group, "somehow") == []
    ((task, result),) = queue.record_death(queue.take_isolated(), "by SIGKILL")
    assert (task.seed, result.problem) == (0, f"{MAX_DEATHS} workers ended before the task was done, the last by SIGKILL")
    assert queue.take_group() == queue.take_isolated() == []


def test_nothing_is_taken_after_a_stop():
    queue = make_queue(10)
    group = queue.take_group()
    queue.record_death(group, "somehow")
    queue.stop()
    assert queue.take_group() == queue.take_isolated() == []
