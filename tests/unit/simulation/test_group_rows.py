"""Rows of the groups of a mixture: they add up to the row of the whole run."""

from dataclasses import replace

import numpy as np
import pytest

from handoff.protocol.procedures import MIXTURE
from handoff.protocol.setup import ProcedureGroups
from handoff.simulation.group_rows import SHARED_FIGURES
from handoff.simulation.run import run_procedure
from tests.conformance.random_towns import MS, Town

ADDITIVE = (
    "handoffs", "completed", "unfinished_handoffs", "scenario_1", "scenario_2", "scenario_3", "retransmissions", "sent",
    "delivered", "lost", "duplicate", "reordered", "after_marker", "in_flight", "disruption_samples",
    "latency_samples", "registration_delay_samples",
)  # fmt: skip
OF_PACKETS = ("loss_periods", "duplicate_copies", "forwarded")


def run_mixture(group=(0, 1, 1, 0, 0, 1), **options):
    setup = Town(mobiles=6, moving_ms=2_500, until_ms=3_000).setup(4)
    groups = ProcedureGroups(("mipv4-smooth", "sync-mipv6", "mipv6"), np.array(group))
    return run_procedure(replace(setup, groups=groups), MIXTURE, seed=4, **options)


@pytest.mark.parametrize("window", [{}, {"warmup_ps": 900 * MS}])
@pytest.mark.parametrize("detail", [False, True])
def test_the_rows_add_up_to_the_whole(detail, window):
    run = run_mixture(detail=detail, **window)
    whole = run.summary()
    members = [(row["procedure"], row["mobile_nodes"]) for row in run.groups]
    assert members == [("mipv4-smooth", 3), ("sync-mipv6", 3), ("mipv6", 0)]
    for name in ADDITIVE + OF_PACKETS * detail:
        assert sum(row[name] for row in run.groups) == whole[name], name
    assert sum(row["agent_messages"] for row in run.groups) == run.result.nodes["messages"].sum()
    assert all(row["agent_messages"] for row in run.groups[:2])
    assert all(row["lost"] for row in run.groups[:2])
    assert run.groups[2]["handoffs"] == run.groups[2]["sent"] == 0


def test_figures_of_shared_links_are_missing():
    for row in run_mixture().groups:
        assert [row[name] for name in (*SHARED_FIGURES, "delay_p50_ps")] == [None] * (len(SHARED_FIGURES) + 1)


def test_with_a_record_of_packets_a_group_has_its_own_delays_and_voice_quality():
    run = run_mixture(detail=True)
    low, high = sorted(row["delay_p50_ps"] for row in run.groups[:2])
    assert low <= run.summary()["delay_p50_ps"] <= high
    assert run.groups[0]["mos"] != run.groups[1]["mos"]
    assert run.groups[2]["mos"] is None


@pytest.mark.parametrize("group", [(0, 1, 1, 0, 0, 1), (1,) * 6])
def test_each_batch_has_its_groups(group):
    run = run_mixture(group, batches=3)
    assert [sum(row["sent"] for row in batch.groups) for batch in run.batches] == [b.summary()["sent"] for b in run.batches]
    messages = [[row["agent_messages"] for row in batch.groups] for batch in run.batches]
    assert [sum(of_batch) for of_batch in messages] == [batch.result.nodes["messages"].sum() for batch in run.batches]
    assert np.sum(messages, axis=0).tolist() == [row["agent_messages"] for row in run.groups]


def test_a_run_of_one_procedure_has_no_groups():
    setup = Town(mobiles=2, moving_ms=500, until_ms=600).setup(4)
    assert run_procedure(setup, "mipv4").groups == ()
