"""Plans run from Python, with and without a dataset."""

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
