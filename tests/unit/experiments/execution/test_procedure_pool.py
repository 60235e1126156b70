"""Procedures of a comparison in processes: the results of one process, stops, failures, and no process left behind."""

import json
import multiprocessing
import time
from dataclasses import replace

import numpy as np
import pytest

from engine import MemoryLimitError
from handoff.experiments.execution.procedure_pool import ProcedureTask, choose_jobs, input_states, run_in_processes
from handoff.protocol.mixture import Mixture
from handoff.protocol.setup import ProcedureGroups
from handoff.scenario.scenario import Scenario
from handoff.simulation.study import compile_programs, run_study
from handoff.workload.build import build_setup
from tests.unit.experiments.execution.short_tasks import walk_scenario

NAMES = ["mipv4", "mipv4-bicast", "sync-mipv6", "sync-mipv4"]
"""Three procedures share the baseline of Mobile IPv4."""


@pytest.fixture
def study(tmp_path):
    """Return a function that makes the task of a study with its setup and programs."""

    def make(**changes):
        scenario = Scenario.model_validate(json.loads(walk_scenario(tmp_path, **changes)))
        path = tmp_path / "walk.toml"
        setup = build_setup(scenario, path, 3)
        task = ProcedureTask(scenario, path, 3, 1, None, True, input_states(scenario, path), packets_around=True)
        return task, setup, compile_programs(setup, NAMES)

    return make


def figures(runs):
    """Return all figures of runs as text, in which nan is equal to nan; wall times differ."""
    return [
        repr((run.procedure, run.result.fingerprint, run.extra, run.summary(), [
            {name: values.tolist() for name, values in columns.items()}
            for columns in (
                run.handoffs, run.detail.flows, run.detail.study, run.result.links, run.result.flows, run.packets_around,
            )
        ]))
        for run in runs
    ]  # fmt: skip


def test_results_equal_those_of_one_process(study):
    task, setup, programs = study()
    expected = run_study(setup, programs, seed=3, detail=True, packets_around=True)
    assert figures(run_in_processes(task, programs, 2)) == figures(expected)
    assert [run.extra is None for run in expected] == [False] * 4
    assert multiprocessing.active_children() == []


def test_a_stop_ends_the_runs_in_progress_and_starts_no_more(study):
    task, _, programs = study(duration="100h", packet_interval="1ms")
    task, started = replace(task, detail=False), {}
    runs = run_in_processes(task, programs, 2, progress=started.__setitem__, stop=lambda: len(started) == 2)
    assert [run.procedure for run in runs] == NAMES[:2]
    assert all(0 < run.interrupted_ps < task.scenario.duration and run.extra is None for run in runs)
    assert multiprocessing.active_children() == []


def test_a_stop_before_the_first_run_leaves_no_result(study):
    task, _, programs = study()
    assert run_in_processes(task, programs, 2, stop=lambda: True) == []


def test_the_failure_of_a_run_is_raised_here(study):
    task, setup, programs = study()
    with pytest.raises(MemoryLimitError) as expected:
        run_study(setup, programs, seed=3, memory_limit_bytes=10_000, detail=True)
    with pytest.raises(MemoryLimitError) as failure:
        run_in_processes(replace(task, memory_limit_bytes=10_000), programs, 2)
    assert str(failure.value) == str(expected.value)
    assert multiprocessing.active_children() == []


def test_a_failure_does_not_wait_for_later_procedures(study):
    """The scenario has no mixture, so that the first run fails, while the second one has 360 million packets to send."""
    task, _, programs = study(duration="100h", packet_interval="1ms")
    stops, deadline = [], time.monotonic() + 20
    with pytest.raises(ValueError, match="mixture"):
        run_in_processes(
            replace(task, detail=False), [Mixture((), ProcedureGroups((), np.zeros(0, np.int64))), programs[0]], 2,
            stop=lambda: time.monotonic() > deadline and not stops.append(True),
        )  # fmt: skip
    assert not stops
    assert multiprocessing.active_children() == []


def test_the_death_of_a_process_names_the_procedure(study):
    task, _, programs = study(duration="100h", packet_interval="1ms")

    def kill(*_):
        for process in multiprocessing.active_children():
            process.kill()

    with pytest.raises(ChildProcessError, match=r"^mipv4: the process of this procedure ended by SIGKILL \(is there too little"):
        run_in_processes(replace(task, detail=False), programs[:1], 2, progress=kill)


def test_a_file_that_has_changed_is_refused(study, tmp_path):
    task, _, programs = study()
    with (tmp_path / "walk.csv").open("a") as file:
        file.write("mn2,ar0,0,,,\n")
    with pytest.raises(OSError, match=r"walk\.csv: the file has changed since this command read it: repeat the command$"):
        run_in_processes(task, programs, 2)


@pytest.mark.parametrize(
    ("procedures", "threads", "packets", "run_bytes", "jobs"),
    [
        (16, 1, 62_499, 10**7, 1),  # 999,984 packets: a process takes longer to start than it saves
        (16, 1, 62_500, 10**7, 8),
        (3, 1, 10**6, 10**7, 3),
        (16, 3, 10**6, 10**7, 2),
        (16, 16, 10**6, 10**7, 1),
        (16, 1, 10**7, 2 * 10**9, 2),  # two runs and their metrics take 8 GB
        (16, 1, 10**7, 9 * 10**9, 1),
    ],
)
def test_the_number_of_processes_follows_cores_work_and_memory(monkeypatch, procedures, threads, packets, run_bytes, jobs):
    pool = "handoff.experiments.execution.procedure_pool"
    monkeypatch.setattr(f"{pool}.available_cpus", lambda: 8)
    monkeypatch.setattr(f"{pool}.physical_bytes", lambda: 8 * 10**9)
    assert choose_jobs(procedures, threads, packets, run_bytes) == jobs
