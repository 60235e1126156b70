"""A study: several procedures on one setup."""

import pytest

from handoff.protocol.program import Program
from handoff.simulation import study
from handoff.simulation.run import run_procedure
from handoff.simulation.study import compile_programs, count_expected_packets, run_study
from tests.analytic.one_handoff import one_handoff_setup

NAMES = ["mipv4", "mipv4-bicast"]


@pytest.fixture(scope="module")
def setup():
    return one_handoff_setup("mipv4", old_down=50, new_up=60, until_ms=200)


def test_each_run_equals_one_of_its_own(setup):
    runs = run_study(setup, NAMES, seed=4)
    alone = [run_procedure(setup, name, seed=4, detail=True) for name in NAMES]
    assert [run.procedure for run in runs] == NAMES
    assert [run.result.fingerprint for run in runs] == [run.result.fingerprint for run in alone]
    assert [run.summary() for run in runs] == [run.summary() for run in alone]
    assert {run.result.packets is None for run in runs} == {True}


def test_programs_are_compiled_once(setup, monkeypatch):
    compiled, original = [], Program.compile

    def count(*args):
        compiled.append(args)
        return original(*args)

    monkeypatch.setattr(Program, "compile", count)
    run_study(setup, NAMES)
    assert len(compiled) == len(NAMES)
    run_study(setup, compile_programs(setup, NAMES))
    assert len(compiled) == 2 * len(NAMES)


def test_all_reasons_are_reported_before_anything_runs(setup):
    with pytest.raises(ValueError, match="no procedure 'mipv5'") as error:
        run_study(setup, ["mipv5", "mipv4", "sync-hmipv4"], progress=lambda name: pytest.fail("it runs"))
    assert len(str(error.value).splitlines()) == 2
    assert "sync-hmipv4 is hierarchical" in str(error.value)


def test_a_procedure_is_named_once(setup):
    with pytest.raises(ValueError, match="procedure 'mipv4'"):
        run_study(setup, ["mipv4", "mipv4"])


def test_a_stopped_run_is_the_last(setup):
    runs = run_study(setup, NAMES, progress=lambda name: lambda at: 2 * at.time_ps < at.until_ps)
    assert [run.procedure for run in runs] == ["mipv4"]
    assert runs[0].interrupted_ps is not None


def test_a_study_can_stop_between_runs(setup):
    started = []

    def progress(name):
        started.append(name)

    runs = run_study(setup, NAMES, progress=progress, stop=lambda: bool(started))
    assert started == [run.procedure for run in runs] == ["mipv4"]
    assert runs[0].interrupted_ps is None


@pytest.mark.parametrize(
    ("detail", "excess", "recorded"), [(None, 0, True), (None, -1, False), (True, -1, True), (False, 0, False)]
)
def test_packets_are_recorded_up_to_a_limit_unless_the_caller_decides(setup, monkeypatch, detail, excess, recorded):
    """The source sends 200 packets in 200 ms."""
    assert count_expected_packets(setup) == 200
    monkeypatch.setattr(study, "MAX_RECORDED_PACKETS", 200 + excess)
    (run,) = run_study(setup, ["mipv4"], detail=detail)
    assert (run.detail is not None) == recorded
