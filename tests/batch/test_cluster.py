"""Runs on Dask: the same outcomes as here, whatever happens to its workers or its scheduler."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from handoff.experiments.execution.dask_executor import DaskExecutor
from handoff.experiments.execution.task import SerialExecutor, Task
from tests.batch.points import alive, kill, point, tasks, told
from tests.batch.test_pool import PATIENCE, ROOT, gone

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def local():
    """Two workers, each a process, on this machine."""
    with DaskExecutor(kind="local", jobs=2) as cluster:
        yield cluster


def workers(cluster):
    """Process of each worker by its address, from the nannies, which are in this one."""
    return {nanny.worker_address: nanny.pid for nanny in cluster._client.cluster.workers.values() if nanny.pid}


def test_the_same_as_in_process_though_a_worker_is_killed(tmp_path, local):
    asked, found = tasks(tmp_path, 60), []
    before = workers(local)
    for done in local.run(asked):
        found.append(done)
        if len(found) == 5:
            kill(min(before.values()))
    assert told(found) == told(SerialExecutor().run(asked))
    assert min(before.values()) not in workers(local).values()


def test_a_task_that_no_worker_survives_is_told_and_all_others_are_done(tmp_path, local):
    asked = tasks(tmp_path, 4)
    deadly = Task(point(tmp_path, duration="1000s", packets_each="20us"), str(tmp_path), 99, ("mipv4",))
    over, deaths = threading.Event(), set()
    scheduler = local._client.cluster.scheduler

    def reaper():
        while not over.wait(0.02):
            keys = {future.key for future, batch in list(local._under_way.items()) if deadly in [entry.task for entry in batch]}
            for address, pid in workers(local).items():
                known = scheduler.workers.get(address)
                if known and pid not in deaths and keys & {task.key for task in list(known.processing)}:
                    deaths.add(pid)
                    kill(pid)

    thread = threading.Thread(target=reaper)
    thread.start()
    try:
        found = list(local.run([*asked[:2], deadly, *asked[2:]]))
    finally:
        over.set()
        thread.join()
    (problem,) = [outcome.problem for task, outcome in found if task is deadly]
    assert problem.startswith("3 workers ended before it was done, the last at tcp://127.0.0.1:")
    assert len(deaths) >= 4  # the first had it beside others, which may have been guilty
    assert told(done for done in found if done[0] is not deadly) == told(SerialExecutor().run(asked))


def begun(folder, name, *arguments):
    """A part of a cluster as an administrator begins it."""
    with (folder / f"{name}.log").open("w") as log:
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *map(str, arguments), "--no-dashboard"]
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)


def address_in(file):
    """Of the scheduler that writes it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if file.exists() and (text := file.read_text()).endswith("}"):
            return json.loads(text)["address"]
        time.sleep(0.05)
    raise AssertionError("no scheduler")


def test_a_lost_scheduler_is_one_message_and_what_is_missing_can_be_done_elsewhere(tmp_path, capfd):
    asked, found, file = tasks(tmp_path, 20, duration="50s"), [], tmp_path / "scheduler.json"
    scheduler = begun(tmp_path, "scheduler", "--host", "127.0.0.1", "--port", 0, "--scheduler-file", file)
    worker = begun(tmp_path, "worker", "--scheduler-file", file, "--nthreads", 1, "--host", "127.0.0.1", "--no-nanny")
    try:
        address = address_in(file)
        with DaskExecutor(address) as cluster:
            running = cluster.run(asked)
            found += [next(running) for _ in range(3)]
            kill(scheduler.pid)
            with pytest.raises(ConnectionError) as lost:
                found += running
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
    assert str(lost.value) == (
        f"the scheduler at {address} is gone: what was done is kept, the same command goes on with the rest"
    )
    assert capfd.readouterr().err == "", "Dask says it in a hundred lines"
    missing = [task for task in asked if task not in [done for done, _ in found]]
    assert told([*found, *SerialExecutor().run(missing)]) == told(SerialExecutor().run(asked))


def test_no_scheduler_is_one_message(monkeypatch):
    monkeypatch.setattr("handoff.experiments.execution.dask_executor.CONNECT_SECONDS", 0.5)
    with pytest.raises(ConnectionError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9: "), DaskExecutor("tcp://127.0.0.1:9"):
        pass


SCRIPT = """
import os, sys
from pathlib import Path
from handoff.experiments.execution.factory import make_executor
from tests.batch.points import tasks

if __name__ == "__main__":
    with executor(1, cluster="local") as cluster:
        for task, outcome in cluster.run(tasks(Path(sys.argv[1]), 1000, duration="400s", packets_each="100us")):
            print(*cluster._client.run(os.getpid).values(), flush=True)
"""


def test_workers_end_when_their_program_is_killed(tmp_path):
    script = tmp_path / "batch.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script, tmp_path], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 1
        assert alive(pids[0])
        kill(process.pid)
        assert gone(pids)
