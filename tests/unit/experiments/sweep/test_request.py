"""Requests for sweeps as Python calls them: the plan, and all mistakes together."""

from __future__ import annotations

from pathlib import Path

import pytest

from handoff.experiments.sweep.request import SweepRequest, plan_sweep
from handoff.experiments.sweep.summary import DEFAULT_MEASURES
from handoff.scenario import ScenarioError
from tests.unit.experiments.sweep.small_sweep import write_scenario


def test_the_scenario_decides_what_the_request_leaves_open(tmp_path: Path) -> None:
    plan, measures = plan_sweep(SweepRequest(write_scenario(tmp_path)))
    assert (len(plan.points), plan.seeds, plan.run_count) == (12, (1, 2), 24)
    assert measures == DEFAULT_MEASURES
    assert plan.folder == tmp_path.resolve()
    assert plan.points[0].values == {"mobile_nodes": "2", "coverage.lead": "50ms"}


def test_the_request_overrides_the_scenario(tmp_path: Path) -> None:
    request = SweepRequest(
        write_scenario(tmp_path), vary=("mobile_nodes=3",), procedures="mipv6", runs=4, seed=7, warmup="1s", batches=3,
        detail=True, condition="\"coverage.lead\" = '50ms'", memory_limit="2GB", measures=("sent",),
    )  # fmt: skip
    plan, measures = plan_sweep(request)
    (point,) = plan.points
    assert (point.procedure, dict(point.values)) == ("mipv6", {"mobile_nodes": "3", "coverage.lead": "50ms"})
    assert (point.settings.warmup_ps, point.settings.batches, point.settings.detail) == (10**12, 3, True)
    assert (plan.seeds, plan.memory_limit_bytes, measures) == ((7, 8, 9, 10), 2 * 10**9, ("sent",))


def test_fields_may_vary_together(tmp_path: Path) -> None:
    request = SweepRequest(
        write_scenario(tmp_path), vary=("mobile_nodes=2,3",), side_by_side=("mobile_nodes, coverage.lead",), procedures="mipv4"
    )
    plan, _ = plan_sweep(request)
    assert [tuple(point.values.values()) for point in plan.points] == [("2", "50ms"), ("3", "200ms")]


def test_all_mistakes_are_reported_together(tmp_path: Path) -> None:
    request = SweepRequest(
        write_scenario(tmp_path), vary=("nonsense", "duration=1s", "duration=2s"), procedures="mipv9",
        measures=("los_ratio", "lost", "lost"),
    )  # fmt: skip
    with pytest.raises(ScenarioError) as caught:
        plan_sweep(request)
    problems = caught.value.problems
    assert len(problems) == 5
    assert problems[0].startswith("no procedure 'mipv9'")
    assert problems[1].startswith("--metric: no measure 'los_ratio'")
    assert problems[2] == "--metric lost: listed twice: give it once"
    assert problems[3:] == ["--vary 'nonsense': write NAME=VALUES, as in buffer=10..50 step 10", "--vary duration: listed twice"]
