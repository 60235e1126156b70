"""Runs on Dask: the results of a single process whatever happens to the workers or the scheduler."""

import os
import subprocess
import sys
import threading

import dask
import pytest

from handoff.experiments.execution.dask_executor import DaskExecutor
from handoff.experiments.execution.task import SerialExecutor, Task
from tests.unit.experiments.execution.dask_processes import (
    documented_command,
    listeners,
    make_certificates,
    read_address,
    start_process,
    stop_processes,
)
from tests.unit.experiments.execution.short_tasks import ROOT, all_end, is_alive, kill, make_tasks, tables_by_seed, walk_scenario

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def local():
    """A cluster on this machine with two workers, each a process."""
    with DaskExecutor(cluster="local", jobs=2) as cluster:
        yield cluster


def worker_pids(cluster):
    """Return the process of each worker by its address, as known to the nannies in this process."""
    return {nanny.worker_address: nanny.pid for nanny in cluster._client.cluster.workers.values() if nanny.pid}


def test_results_equal_those_of_one_process_though_a_worker_is_killed(tmp_path, local):
    tasks, results = make_tasks(tmp_path, 30), []
    before = worker_pids(local)
    for done in local.run(tasks):
        results.append(done)
        if len(results) == 5:
            kill(min(before.values()))
    assert tables_by_seed(results) == tables_by_seed(SerialExecutor().run(tasks))
    assert min(before.values()) not in worker_pids(local).values()


@pytest.mark.deep
def test_a_task_that_kills_every_worker_is_reported_and_all_others_run(tmp_path, local, monkeypatch):
    tasks = make_tasks(tmp_path, 4)
    deadly = Task(walk_scenario(tmp_path, duration="1000s", packet_interval="20us"), str(tmp_path), 99, ("mipv4",))
    over, deaths = threading.Event(), set()
    scheduler = local._client.cluster.scheduler
    send_groups, groups = local._send_groups, {}

    def send_and_record(queue, in_progress, finished):
        send_groups(queue, in_progress, finished)
        groups.update(in_progress)

    monkeypatch.setattr(local, "_send_groups", send_and_record)

    def kill_workers():
        while not over.wait(0.02):
            keys = {future.key for future, group in list(groups.items()) if deadly in [entry.task for entry in group]}
            for address, pid in worker_pids(local).items():
                state = scheduler.workers.get(address)
                if state and pid not in deaths and keys & {task.key for task in list(state.processing)}:
                    deaths.add(pid)
                    kill(pid)

    thread = threading.Thread(target=kill_workers)
    thread.start()
    try:
        results = list(local.run([*tasks[:2], deadly, *tasks[2:]]))
    finally:
        over.set()
        thread.join()
    (problem,) = [result.problem for task, result in results if task is deadly]
    assert problem.startswith("3 workers ended before the task was done, the last at tls://127.0.0.1:")
    assert len(deaths) >= 4  # the first worker had it beside other groups, which may have been the cause
    assert tables_by_seed(done for done in results if done[0] is not deadly) == tables_by_seed(SerialExecutor().run(tasks))


def test_a_run_that_is_closed_leaves_nothing_to_the_next_one(tmp_path, local):
    """A plan closes the iterator of a search while tasks ahead of need are in progress."""
    tasks = make_tasks(tmp_path, 12)
    first, second = local.run(tasks[:2]), local.run(tasks[2:])
    next(first)
    results = [next(second)]
    first.close()
    results += second
    assert tables_by_seed(results) == tables_by_seed(SerialExecutor().run(tasks[2:]))


@pytest.mark.deep
def test_a_lost_scheduler_is_one_message_and_the_rest_can_run_elsewhere(tmp_path, capfd):
    tasks, results, file = make_tasks(tmp_path, 20, duration="50s"), [], tmp_path / "scheduler.json"
    settings = make_certificates(tmp_path)
    words = [word.replace("8786", "0") for word in documented_command("scheduler", "127.0.0.1")]
    scheduler = start_process(tmp_path, "scheduler", *words, "--scheduler-file", file, config=tmp_path)
    worker = None
    try:
        address = read_address(file)
        words = ["--nthreads", 1, "--host", "127.0.0.1", "--no-nanny", "--no-dashboard"]
        worker = start_process(tmp_path, "worker", address, *words, config=tmp_path)
        with dask.config.set(settings), DaskExecutor(address) as cluster:
            running = cluster.run(tasks)
            results += [next(running) for _ in range(3)]
            kill(scheduler.pid)
            with pytest.raises(ConnectionError) as lost:
                results += running
    finally:
        stop_processes(*filter(None, (worker, scheduler)))
    assert str(lost.value) == (
        f"the scheduler at {address} is lost: completed runs are kept, the same command continues with the rest"
    )
    assert capfd.readouterr().err == "", "Dask itself would print a hundred lines"
    missing = [task for task in tasks if task not in [done for done, _ in results]]
    assert tables_by_seed([*results, *SerialExecutor().run(missing)]) == tables_by_seed(SerialExecutor().run(tasks))


def test_the_parts_of_a_local_cluster_listen_on_the_loopback_interface_with_tls(local):
    assert local.address.startswith("tls://127.0.0.1:")
    assert [address for address in worker_pids(local) if not address.startswith("tls://127.0.0.1:")] == []
    places = listeners(os.getpid())
    assert len(places) >= 1 + 2 * 2  # of the scheduler, and of two workers with their nannies
    assert [place for place in places if not place.startswith("127.0.0.1:")] == []


def test_an_unreachable_scheduler_is_one_message(tmp_path, monkeypatch):
    monkeypatch.setattr("handoff.experiments.execution.dask_executor.CONNECT_SECONDS", 0.5)
    with (
        dask.config.set(make_certificates(tmp_path)),
        pytest.raises(ConnectionError, match=r"no scheduler answers at tls://127\.0\.0\.1:9: "),
        DaskExecutor("tls://127.0.0.1:9"),
    ):
        pass


SCRIPT = """
import os, sys
from pathlib import Path
from handoff.experiments.execution.factory import make_executor
from tests.unit.experiments.execution.short_tasks import make_tasks

if __name__ == "__main__":
    with make_executor(1, cluster="local") as cluster:
        for task, result in cluster.run(make_tasks(Path(sys.argv[1]), 1000, duration="400s", packet_interval="100us")):
            print(*cluster._client.run(os.getpid).values(), flush=True)
"""


@pytest.mark.deep
def test_workers_end_when_their_program_is_killed(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen([sys.executable, script, tmp_path], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 1
        assert is_alive(pids[0])
        kill(process.pid)
        assert all_end(pids)
