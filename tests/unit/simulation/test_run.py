"""One run: its slices, its controllers, its program and its baseline."""

import pytest

from handoff.protocol.program import compile_program
from handoff.simulation import run as run_module
from handoff.simulation.baseline import ZERO_BYTES, ByteCounts
from handoff.simulation.run import MIN_SLICES, run_procedure, run_with_shared_baseline
from tests.analytic.one_handoff import MS, one_handoff_setup

UNTIL_MS = 200


@pytest.fixture(scope="module")
def setup():
    return one_handoff_setup("mipv4", old_down=50, new_up=60, until_ms=UNTIL_MS)


def test_progress_is_reported_after_each_slice_and_ends_with_the_run(setup):
    reports = []
    run_procedure(setup, "mipv4", reference=ZERO_BYTES, progress=lambda at: reports.append(at) or True)
    times = [at.time_ps for at in reports]
    assert len(times) >= MIN_SLICES
    assert times == sorted(set(times))
    assert times[-1] == UNTIL_MS * MS
    assert {at.until_ps for at in reports} == {UNTIL_MS * MS}
    assert reports[-1].events > 0


def test_a_run_stops_when_progress_returns_false(setup):
    stopped = run_procedure(setup, "mipv4", progress=lambda at: at.time_ps < 100 * MS)
    assert 100 * MS <= stopped.interrupted_ps < UNTIL_MS * MS
    assert stopped.reached_ps == stopped.interrupted_ps
    assert stopped.extra is None


def test_a_program_gives_the_result_of_its_name(setup):
    program = compile_program(setup, "mipv4")
    by_program, by_name = run_procedure(setup, program), run_procedure(setup, "mipv4")
    assert by_program.procedure == "mipv4"
    assert by_program.result.fingerprint == by_name.result.fingerprint
    assert by_program.summary() == by_name.summary()


def test_wrap_replaces_every_controller(setup):
    nodes = []
    run_procedure(setup, "mipv4", reference=ZERO_BYTES, wrap=lambda node, controller: nodes.append(node) or controller)
    assert nodes == [-1, *sorted(setup.network.node_index(name) for name in ("ha", "old", "new"))]


def test_extra_bytes_are_those_beyond_the_reference(setup):
    counts = ByteCounts.of(run_procedure(setup, "mipv4", reference=ZERO_BYTES).result)
    assert run_procedure(setup, "mipv4", reference=ByteCounts(1, 2)).extra == counts - ByteCounts(1, 2)


def test_procedures_with_equal_anchors_share_one_baseline_run(setup, monkeypatch):
    baselines, references = [], {}
    original = run_module.baseline_bytes
    monkeypatch.setattr(run_module, "baseline_bytes", lambda *args: baselines.append(args) or original(*args))
    first = run_with_shared_baseline(setup, "mipv4", references)
    second = run_with_shared_baseline(setup, "mipv4-bicast", references)
    assert len(baselines) == len(references) == 1
    assert ByteCounts.of(first.result) - first.extra == ByteCounts.of(second.result) - second.extra
    assert second.extra == run_procedure(setup, "mipv4-bicast").extra


def test_the_result_depends_neither_on_slices_nor_on_scheduling(setup, monkeypatch):
    expected = run_procedure(setup, "mipv4", reference=ZERO_BYTES).result.fingerprint
    monkeypatch.setattr(run_module, "MIN_SLICES", 3)
    for scheduling in ("window", "level", "heap"):
        assert run_procedure(setup, "mipv4", reference=ZERO_BYTES, scheduling=scheduling).result.fingerprint == expected


def test_the_record_of_packets_is_kept_with_detail_only(setup):
    brief = run_procedure(setup, "mipv4", reference=ZERO_BYTES)
    full = run_procedure(setup, "mipv4", reference=ZERO_BYTES, detail=True)
    assert brief.detail is None
    assert full.detail.study["sent"].tolist() == full.result.flows["sent"].tolist() == brief.result.flows["sent"].tolist()


def test_an_unknown_procedure_is_refused(setup):
    with pytest.raises(ValueError, match="no procedure 'mipv5'"):
        run_procedure(setup, "mipv5")
