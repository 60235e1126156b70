"""Plans run from Python, with and without a dataset."""

import pytest

from handoff.experiments.execution.task import SerialExecutor
from handoff.experiments.planning.request import PlanRequest, validate_request
from handoff.experiments.planning.run import analytic_answers, run_plan
from handoff.experiments.sweep.dataset import read_contents, read_points
from tests.unit.experiments.planning.one_mobile_node import one_handoff


def validated(folder, **changes):
    """Validate a plan for a handoff with a gap of 20 ms, in which 21 packets have to be buffered."""
    file = one_handoff(folder, predict=0, warn=1, down=11, up=31)
    return validate_request(PlanRequest(file, **{"vary": ("buffer=1:100",), "slo": ("lost<=0",), **changes}))


def test_a_plan_returns_an_answer_for_each_procedure(tmp_path):
    lines = []
    answers = run_plan(validated(tmp_path, procedures=("sync-mipv4", "mipv4")), SerialExecutor(), lines.append)
    assert [a.procedure for a in answers] == ["sync-mipv4", "mipv4"]
    sync, plain = answers
    assert (sync.bracket.last_met, sync.bracket.first_missed, sync.is_exact, sync.complete) == (21, 20, True, True)
    assert sync.notes() == []
    assert (plain.is_infeasible, plain.is_found) == (True, False)
    assert lines[0] == "2 runs at 1"


def test_the_runs_of_a_plan_are_kept_in_a_dataset_and_not_repeated(tmp_path):
    plan = validated(tmp_path, output=tmp_path / "out")
    first, second = SerialExecutor(), SerialExecutor()
    answers = run_plan(plan, first)
    assert run_plan(plan, second)[0].bracket == answers[0].bracket
    assert (first.done, second.done) == (sum(answers[0].replications.values()), 0)
    contents = read_contents(tmp_path / "out")
    assert len(contents.runs) == first.done
    points = read_points(tmp_path / "out")
    assert {dict(point["values"])["buffer"] for point in points} == {str(x) for x in answers[0].bracket.values}


def test_the_size_of_the_old_router_is_used_for_the_new_one(tmp_path):
    plan = validated(tmp_path, vary=(), size="buffer")
    old, new = run_plan(plan, SerialExecutor())
    assert old.bracket.last_met == 0
    assert (new.bracket.last_met, new.bracket.first_missed) == (21, 20)


def test_closed_forms_alone_estimate_the_scenario(tmp_path):
    (answer,) = analytic_answers(validated(tmp_path, vary=(), slo=(), analytic=True))
    assert (answer.procedure, answer.text, answer.is_infeasible) == ("sync-mipv4", "", False)
    assert "ha registration" in [estimate.what for estimate in answer.estimates]


def test_runs_end_early_and_have_no_baseline_unless_they_are_kept(tmp_path):
    def task(**changes):
        plan = validated(tmp_path, **changes)
        return plan.may_end_early, plan.make_task(plan.first_problem(), 1, 0, ("mipv4",)).baseline

    assert task() == (True, False)
    assert task(output=tmp_path / "out") == (False, True)
    assert task(warmup="1s") == (False, False)
    assert task(slo=("extra_bytes<=1MB",)) == (True, True)


@pytest.mark.parametrize(("limit", "is_met"), [("34ms", True), ("33.99ms", False)])
def test_a_percentile_of_the_delay_is_exact_in_a_small_plan(tmp_path, limit, is_met):
    """All but a few packets take 20 + 10 + 4 ms; a bucket of a histogram is 1/64 to 1/32 wide (34.09 ms in the middle)."""
    (answer,) = run_plan(validated(tmp_path, vary=("buffer=98:100",), slo=(f"delay_p99<={limit}",)), SerialExecutor())
    assert (answer.is_found, answer.is_infeasible) == (is_met, not is_met)


@pytest.mark.parametrize(("limit", "decision"), [("34.5ms", "open"), ("33.5ms", "open"), ("36ms", "met"), ("32ms", "missed")])
def test_a_percentile_of_a_large_plan_decides_only_beyond_the_resolution(tmp_path, monkeypatch, limit, decision):
    """From 34 x 31/32 to 34 x 33/32 ms, 32.9 to 35.1 ms, the limit may be on either side of the true percentile."""
    monkeypatch.setattr("handoff.experiments.planning.request.MAX_RECORDED_PACKETS", 11_000)
    plan = validated(tmp_path, vary=("buffer=99:100",), slo=(f"delay_p99<={limit}",), most_runs=2)
    assert not plan.detail
    (answer,) = run_plan(plan, SerialExecutor())
    (result,) = answer.bracket.verdicts[99]
    assert result.decision == decision
    assert ("resolves: 3.1%" in result.note) == (decision == "open")


def test_a_plan_records_packets_only_where_their_number_is_known_to_be_small(tmp_path):
    """12,000 packets in 12 s, one each ms; up to 1,200,000 in 1,200 s. A buffer does not change their number."""
    percentile = ("delay_p95<=40ms",)
    assert validated(tmp_path, slo=percentile).detail
    assert not validated(tmp_path).detail
    assert not validated(tmp_path, slo=percentile, vary=("duration=12s:1200s",)).detail
