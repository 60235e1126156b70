"""A pool of processes: the same outcomes as here, whatever happens to its workers; nothing is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from handoff.experiments.execution.process_pool import ProcessPool
from handoff.experiments.execution.task import SerialExecutor, Task
from tests.batch.points import alive, kill, point, tasks, told

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0


def gone(pids):
    """Whether all of them end, sooner or later."""
    end = time.monotonic() + PATIENCE
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, pids))


def workers(pool):
    return [worker.process.pid for worker in pool._workers]


def test_the_same_as_in_process_whatever_is_killed(tmp_path):
    asked = tasks(tmp_path, 60)
    expected, found, killed = told(SerialExecutor().run(asked)), [], set()
    with ProcessPool(2) as pool:
        for done in pool.run(asked):
            found.append(done)
            if len(found) in (5, 25):
                killed.add(workers(pool)[0])
                kill(workers(pool)[0])
        pids = workers(pool)
    assert told(found) == expected
    assert len(killed) == 2
    assert killed.isdisjoint(pids)
    assert gone(pids)


def test_a_task_that_no_worker_survives_is_told_and_all_others_are_done(tmp_path):
    """Killed by hand wherever it runs, as the kernel does with one that takes too much memory."""
    asked = tasks(tmp_path, 10)
    deadly = Task(point(tmp_path, duration="1000s", packets_each="20us"), str(tmp_path), 99, ("mipv4",))
    over, deaths = threading.Event(), []
    with ProcessPool(2) as pool:

        def reaper():
            while not over.wait(0.01):
                for worker in list(pool._workers):
                    if worker.ready and any(entry.task is deadly for entry in worker.batch) and worker.process.pid not in deaths:
                        deaths.append(worker.process.pid)
                        kill(worker.process.pid)

        thread = threading.Thread(target=reaper)
        thread.start()
        try:
            found = list(pool.run([*asked[:2], deadly, *asked[2:]]))
        finally:
            over.set()
            thread.join()
    problems = [outcome.problem for task, outcome in found if task is deadly]
    assert problems == ["3 workers ended before it was done, the last by SIGKILL (is there too little memory?)"]
    assert len(deaths) in (3, 4)  # the first may have had it in a batch with others
    assert told(done for done in found if done[0] is not deadly) == told(SerialExecutor().run(asked))


def test_tasks_are_taken_as_there_is_room_for_them(tmp_path):
    taken = 0

    def endless():
        nonlocal taken
        for taken, task in enumerate(tasks(tmp_path, 10_000), 1):  # noqa: B007
            yield task

    with ProcessPool(2) as pool:
        running = pool.run(endless())
        for _ in range(3):
            next(running)
        most = 2 * (1 + 2 + 4)  # batches double as outcomes come, and each of the two may be asked for one three times
        assert 3 <= taken <= most
        pool.stop()
        left = sum(1 for _ in running)
        assert 3 + left <= taken <= most
        assert taken - 3 - left <= 2 * 4  # in hand, not begun


SCRIPT = """
import sys
from pathlib import Path
from handoff.experiments.execution.factory import make_executor
from handoff.experiments.execution.task import Task
from handoff.cli.interrupt import InterruptHandler
from tests.batch.points import point

def main():
    folder, many = Path(sys.argv[1]), int(sys.argv[2])
    scenario = point(folder, duration="400s", packets_each="100us")
    with make_executor(2) as pool:
        interruption = InterruptHandler("letting the runs under way end", pool.stop)
        for task, outcome in pool.run(Task(scenario, str(folder), seed, ("mipv4",)) for seed in range(many)):
            print(task.seed, outcome.problem, *(w.process.pid for w in pool._workers), flush=True)
    sys.exit(130 if interruption.requested else 0)

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def batch(tmp_path):
    """A program that runs a batch, in a process group of its own as a terminal gives it, when its first outcome is there."""
    script = tmp_path / "batch.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
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


def test_workers_end_when_their_program_is_killed(batch):
    process, pids = batch
    assert all(map(alive, pids))
    kill(process.pid)
    assert gone(pids)


def test_ctrl_c_lets_what_is_under_way_end(batch):
    process, pids = batch
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err == "handoff: interrupted: letting the runs under way end (once more to end at once)\n"
    assert 1 <= len(out.splitlines()) <= 6
    assert gone(pids)


def test_a_second_ctrl_c_ends_at_once(batch):
    process, pids = batch
    os.killpg(process.pid, signal.SIGSTOP)  # so that nothing is done between the two
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGCONT)
    assert "interrupted" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert err.count("Traceback") == 1, "only the program's own"
    assert err.rstrip().endswith("KeyboardInterrupt")
    assert gone(pids)


def test_workers_that_cannot_begin_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("multiprocessing.spawn.get_executable", lambda: b"/bin/false")
    monkeypatch.setattr("multiprocessing.spawn._python_exe", b"/bin/false")
    with ProcessPool(2) as pool, pytest.raises(ChildProcessError, match="workers end before they begin, the last with exit code 1"):
        list(pool.run(tasks(tmp_path, 10)))
