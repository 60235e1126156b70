"""A pool of processes: the results of a single process whatever happens to the workers, and no process left behind."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from handoff.experiments.execution.process_pool import ProcessPool
from handoff.experiments.execution.task import SerialExecutor, Task
from tests.unit.experiments.execution.short_tasks import (
    PATIENCE_SECONDS,
    ROOT,
    all_end,
    is_alive,
    kill,
    make_tasks,
    tables_by_seed,
    walk_scenario,
)


def worker_pids(pool):
    return [worker.process.pid for worker in pool._workers]


def test_results_equal_those_of_one_process_though_workers_are_killed(tmp_path):
    tasks = make_tasks(tmp_path, 30)
    expected, results, killed = tables_by_seed(SerialExecutor().run(tasks)), [], set()
    with ProcessPool(2) as pool:
        for done in pool.run(tasks):
            results.append(done)
            if len(results) in (5, 15):
                killed.add(worker_pids(pool)[0])
                kill(worker_pids(pool)[0])
        pids = worker_pids(pool)
    assert tables_by_seed(results) == expected
    assert len(killed) == 2
    assert killed.isdisjoint(pids)
    assert all_end(pids)


def test_workers_take_huge_pages_unless_the_user_has_tuned_the_heap_and_no_idle_threads(tmp_path, monkeypatch):
    variable = "GLIBC_TUNABLES"
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    for users, expected in ((None, "glibc.malloc.hugetlb=1"), ("glibc.malloc.arena_max=2", "glibc.malloc.arena_max=2")):
        monkeypatch.delenv(variable, raising=False) if users is None else monkeypatch.setenv(variable, users)
        before = dict(os.environ)
        with ProcessPool(1) as pool:
            list(pool.run(make_tasks(tmp_path, 2)))
            (pid,) = worker_pids(pool)
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert {f"{variable}={expected}".encode(), b"OPENBLAS_NUM_THREADS=1"} <= set(variables)
        assert dict(os.environ) == before  # other programs that this process starts see nothing of it


@pytest.mark.deep
def test_a_task_that_kills_every_worker_is_reported_and_all_others_run(tmp_path):
    """A thread kills each worker that has the task, as the kernel does with a process that takes too much memory."""
    tasks = make_tasks(tmp_path, 10)
    deadly = Task(walk_scenario(tmp_path, duration="1000s", packet_interval="20us"), str(tmp_path), 99, ("mipv4",))
    over, deaths = threading.Event(), []
    with ProcessPool(2) as pool:

        def kill_workers():
            while not over.wait(0.01):
                for worker in list(pool._workers):
                    if worker.ready and any(entry.task is deadly for entry in worker.group) and worker.process.pid not in deaths:
                        deaths.append(worker.process.pid)
                        kill(worker.process.pid)

        thread = threading.Thread(target=kill_workers)
        thread.start()
        try:
            results = list(pool.run([*tasks[:2], deadly, *tasks[2:]]))
        finally:
            over.set()
            thread.join()
    problems = [result.problem for task, result in results if task is deadly]
    assert problems == ["3 workers ended before the task was done, the last by SIGKILL (is there too little memory?)"]
    assert len(deaths) in (3, 4)  # the first worker may have had it in a group with others
    assert tables_by_seed(done for done in results if done[0] is not deadly) == tables_by_seed(SerialExecutor().run(tasks))


@pytest.mark.deep
def test_tasks_are_drawn_as_workers_become_free(tmp_path):
    drawn = 0

    def endless():
        nonlocal drawn
        for drawn, task in enumerate(make_tasks(tmp_path, 10_000), 1):  # noqa: B007
            yield task

    with ProcessPool(2) as pool:
        running = pool.run(endless())
        for _ in range(3):
            next(running)
        limit = 2 * (1 + 2 + 4)  # groups double as results arrive, and each of the two workers may have had three
        assert 3 <= drawn <= limit
        pool.stop()
        rest = sum(1 for _ in running)
        assert 3 + rest <= drawn <= limit
        assert drawn - 3 - rest <= 2 * 4  # with a worker, but not started


SCRIPT = """
import sys
from pathlib import Path
from handoff.experiments.execution.factory import make_executor
from handoff.experiments.execution.task import Task
from handoff.cli.interrupt import InterruptHandler
from tests.unit.experiments.execution.short_tasks import walk_scenario

def main():
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    scenario = walk_scenario(folder, duration="400s", packet_interval="100us")
    with make_executor(2) as pool:
        interruption = InterruptHandler("letting the runs in progress end", pool.stop)
        for task, result in pool.run(Task(scenario, str(folder), seed, ("mipv4",)) for seed in range(number)):
            print(task.seed, result.problem, *(w.process.pid for w in pool._workers), flush=True)
    sys.exit(130 if interruption.requested else 0)

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def program(tmp_path):
    """Start a program that runs tasks, in a process group of its own as on a terminal; return it after three results."""
    script = tmp_path / "program.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), "1000"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        pids = sorted({int(pid) for line in lines for pid in line.split()[1:]})
        assert len(pids) == 2, (lines, process.stderr)
        yield process, pids
        if process.poll() is None:
            process.kill()


@pytest.mark.deep
def test_workers_end_when_their_program_is_killed(program):
    process, pids = program
    assert all(map(is_alive, pids))
    kill(process.pid)
    assert all_end(pids)


@pytest.mark.deep
def test_ctrl_c_lets_the_runs_in_progress_end(program):
    process, pids = program
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert err == "handoff: interrupted: letting the runs in progress end (once more to end at once)\n"
    assert 1 <= len(out.splitlines()) <= 6
    assert all_end(pids)


@pytest.mark.deep
def test_a_second_ctrl_c_ends_at_once(program):
    process, pids = program
    os.killpg(process.pid, signal.SIGSTOP)  # so that nothing happens between the two
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGCONT)
    assert "interrupted" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (err, process.returncode) == ("", 128 + signal.SIGINT)
    assert all_end(pids)


def test_workers_that_cannot_start_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("multiprocessing.spawn.get_executable", lambda: b"/bin/false")
    monkeypatch.setattr("multiprocessing.spawn._python_exe", b"/bin/false")
    message = "workers end before they are ready, the last with exit code 1"
    with ProcessPool(2) as pool, pytest.raises(ChildProcessError, match=message):
        list(pool.run(make_tasks(tmp_path, 10)))
