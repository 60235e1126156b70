"""Results of a study as they are printed."""

import json
import math
from types import SimpleNamespace

import pytest

from handoff.cli.run import _default_jobs, _print_results, _provenance_command


def test_printing_does_not_change_the_results(capsys):
    """JSON has null for an undefined figure of a group, which stays NaN in the result."""
    result = SimpleNamespace(fingerprint=1, fate_counts=dict)
    run = SimpleNamespace(summary=dict, wall_seconds=1.0, controller_seconds=1.0, groups=[{"mos": math.nan}], result=result)
    _print_results([run], "study", 1, True, False)
    assert json.loads(capsys.readouterr().out)["runs"][0]["groups"] == [{"mos": None}]
    assert math.isnan(run.groups[0]["mos"])


@pytest.mark.parametrize(
    ("procedures", "threads", "packets", "detail", "jobs"),
    [
        (16, 1, 62_499, True, 1),  # 999,984 packets: a process takes longer to start than it saves
        (16, 1, 62_500, True, 8),
        (3, 1, 10**6, True, 3),
        (16, 3, 10**6, True, 2),
        (16, 16, 10**6, True, 1),
        (16, 1, 10**7, True, 2),  # the records of two runs and of their tables take 8 GB
        (16, 1, 10**7, False, 8),
    ],
)
def test_the_number_of_processes_follows_cores_work_and_memory(monkeypatch, procedures, threads, packets, detail, jobs):
    monkeypatch.setattr("handoff.experiments.execution.factory.available_cpus", lambda: 8)
    monkeypatch.setattr("handoff.workload.movement_memory.physical_bytes", lambda: 8 * 10**9)
    assert _default_jobs(procedures, threads, packets, detail) == jobs


def test_the_provenance_leaves_out_what_changes_no_result():
    words = ["compare", "a.toml", "--jobs", "2", "--jobs=3", "--checkpoint-every", "1s", "--resume", "--progress", "--seed", "7"]
    assert _provenance_command(words) == ["compare", "a.toml", "--seed", "7"]
