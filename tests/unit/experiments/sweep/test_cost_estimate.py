"""The estimated cost of a sweep."""

import pytest

from handoff.experiments.sweep.cost_estimate import RunCost, forecast, preview_sweep
from handoff.experiments.sweep.request import SweepRequest, plan_sweep
from handoff.simulation.study import RECORD_BYTES
from tests.unit.experiments.sweep.small_sweep import write_scenario


class Stored:
    """A run that took two seconds."""

    wall_seconds = 2.0


def make_plan(folder, **changes):
    plan, _ = plan_sweep(SweepRequest(write_scenario(folder), procedures="mipv4", vary=("coverage.lead=50ms",), **changes))
    return plan


def test_packets_are_those_that_the_flows_send(tmp_path):
    """Each of 2, 3 or 4 nodes receives a packet each 50 ms for 10 s."""
    plan = make_plan(tmp_path)
    costs = preview_sweep(plan, None).forecast
    assert sorted(cost.packets for cost in costs.sizes.values()) == [400, 600, 800]
    assert costs.basis == "1 s of the smallest point"
    assert costs.seconds > 0


def test_the_record_of_every_packet_adds_to_the_memory(tmp_path):
    plain, detailed = (preview_sweep(make_plan(tmp_path, detail=detail), None).forecast.sizes for detail in (False, True))
    for text, cost in plain.items():
        assert detailed[text].memory_bytes - cost.memory_bytes == RECORD_BYTES * cost.packets


def test_time_is_estimated_from_stored_runs(tmp_path):
    """A stored run with 400 packets took 2 s: 5 ms a packet, and 2 s for another run of the same point."""
    plan = make_plan(tmp_path)
    stored = {(plan.points[0].key, 1): Stored()}
    missing = plan.missing(stored)
    costs = forecast(plan, stored, missing)
    building = sum(cost.building_seconds for cost in costs.sizes.values()) / 3
    assert costs.basis == "1 runs that are there"
    assert costs.seconds == pytest.approx(2 + 2 * (3 + 4) + 5 * building)  # one task for each missing run
    assert all(isinstance(cost, RunCost) for cost in costs.sizes.values())


def test_a_complete_sweep_costs_nothing(tmp_path):
    assert forecast(make_plan(tmp_path), {}, set()).seconds == 0
