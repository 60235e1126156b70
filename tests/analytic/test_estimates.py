"""Estimates of a scenario: loads against counts, waits and losses against simulation, the capacity by hand.

The two statistical tests use Student's t over replications at 1 in 10,000.
"""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import FOREVER, Network
from handoff.experiments.execution.task import Task, canonical_json, run_task
from handoff.metrics.confidence import mean_interval
from handoff.output.parquet import table_columns
from handoff.protocol.constants import MAX_LIFETIME_S
from handoff.protocol.procedures import PROCEDURES
from handoff.protocol.program import compile_program
from handoff.protocol.roles import RoleResolver
from handoff.protocol.setup import Attachments, CorrespondentTable, Options, Setup
from handoff.scenario import Scenario
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure
from handoff.theory import Estimate, compare, estimate, max_mobile_nodes
from handoff.theory.signalling_load import signalling_load
from handoff.workload.build import build_setup
from tests.analytic.one_handoff import one_handoff_setup

EXAMPLES = Path(__file__).parents[2] / "examples"
MS, S = 10**9, 10**12
CONFIDENCE = 1 - 1e-4


def scenario(**changes):
    data = tomllib.loads((EXAMPLES / "commute.toml").read_text()) | {"duration": "30s"} | changes
    data["routers"]["cell"]["shared"] = True
    data["options"]["lifetime"] = f"{MAX_LIFETIME_S}s"
    return data


@pytest.fixture(scope="module")
def setup():
    return build_setup(Scenario.model_validate(scenario()), EXAMPLES / "commute.toml", 3)


def moving(nodes, moves_ps, *, until_ps, registration_ps=MS, queue=None, lifetime_s=MAX_LIFETIME_S):
    """Build mobile nodes that move back and forth between two routers; ``moves_ps`` has shape (nodes, moves).

    With the longest lifetime the runs are too short for refreshes to matter, which would come at random times.
    """
    net = Network()
    net.node("ha", registration=registration_ps, registration_queue=queue)
    net.node("a"), net.node("b")
    net.link("ha", "a", delay=MS, both=True)
    net.link("ha", "b", delay=MS, both=True)
    net.link("a", "b", delay=MS, both=True)
    net.cell("a", delay=MS), net.cell("b", delay=MS)
    mobiles = net.mobiles(nodes, home="ha")
    moves = moves_ps.shape[1]
    up = np.concatenate([np.zeros((nodes, 1), np.int64), moves_ps], 1)
    down = np.concatenate([moves_ps + 100 * MS, np.full((nodes, 1), FOREVER)], 1)
    predict = np.concatenate([moves_ps, np.full((nodes, 1), -1)], 1)
    routers = np.tile([net.node_index("a"), net.node_index("b")], nodes * (moves // 2 + 1))[: nodes * (moves + 1)]
    if moves % 2 == 0:
        routers = np.tile(np.resize([net.node_index("a"), net.node_index("b")], moves + 1), nodes)
    mobile, no_warning = np.repeat(mobiles, moves + 1), np.full(up.size, -1)
    movement = Attachments(mobile, routers, up.ravel(), down.ravel(), predict.ravel(), no_warning)
    return Setup(net, 0, movement, until_ps, Options(lifetime_s=lifetime_s))


def estimate_of(estimates, what) -> Estimate:
    return next(e for e in estimates if e.what == what)


def mean_wait(setup, procedure, seed=1):
    nodes = run_procedure(setup, procedure, seed=seed, reference=ZERO_BYTES).result.nodes
    return nodes["registration_wait_ps"][0] / nodes["registered"][0], nodes


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_the_estimated_messages_equal_those_of_a_run(setup, procedure):
    """Anchors get the estimated messages, except for retransmissions and messages in flight at the end of the run."""
    program = compile_program(setup, procedure)
    signalling = signalling_load(setup, program, RoleResolver(setup, program, CorrespondentTable(setup.network), 1))
    run = run_procedure(setup, procedure, seed=3, reference=ZERO_BYTES)
    retransmitted = 3 * int(run.handoffs["retransmissions"].sum())
    row = program.procedure
    for node in ("ha", *(("gw0", "gw1") if row.hierarchical else ()), *(("cn",) if row.route_optimization else ())):
        i = setup.network.node_index(node)
        assert signalling.messages(i) > 50 or row.hierarchical
        assert signalling.messages(i) == pytest.approx(run.result.nodes["registered"][i], abs=3 + retransmitted, rel=0.02), node


MOVES = {
    "dual": {"predict": 500, "warn": 590, "old_down": 600, "new_up": 505},
    "single": {"predict": 500, "warn": 590, "old_down": 600, "new_up": 650},
    "single, requested at the prediction": {"predict": 500, "warn": 590, "old_down": 600, "new_up": 650, "request": "predict"},
    "dual, requested at the warning": {"predict": 500, "warn": 540, "old_down": 600, "new_up": 505, "request": "going-down"},
    "unannounced": {"old_down": 500, "new_up": 600},
    "unannounced, without a warning": {"old_down": 500, "new_up": 600, "discovery": "solicitation"},
    "found on the second radio": {"old_down": 700, "new_up": 505},
    "found on the second radio, lazy": {"old_down": 700, "new_up": 505, "detection": "lazy"},
    "announced by the old router": {"predict": 500, "old_down": 700, "new_up": 505, "prediction": "solicitation"},
}


@pytest.mark.parametrize("procedure", PROCEDURES)
@pytest.mark.parametrize("move", MOVES)
def test_every_node_gets_the_estimated_messages_of_one_handoff(procedure, move):
    """Markers pass registration servers, and an unannounced synchronized handoff updates the old router over the new link."""
    one = one_handoff_setup(procedure, interval_ms=10, lifetime_s=MAX_LIFETIME_S, **MOVES[move])
    program = compile_program(one, procedure)
    signalling = signalling_load(one, program, RoleResolver(one, program, CorrespondentTable(one.network), 1))
    result = run_procedure(one, procedure, reference=ZERO_BYTES).result
    estimated = {name: round(signalling.messages(i), 3) for i, name in enumerate(result.node_names)}
    assert estimated == dict(zip(result.node_names, result.nodes["registered"].tolist(), strict=True))


@pytest.mark.parametrize("procedure", ["mipv4", "mipv6-ro", "sync-hmipv4", "sync-hmipv6"])
def test_the_estimated_loads_of_links_and_cells_equal_those_of_a_run(procedure):
    """Data in both directions and between mobile nodes, tunnels and messages: each link within 5 %, the sum within 2 %."""
    traffic = [{"interval": "50ms", "phase": "50ms", "size_bytes": n, "direction": d} for n, d in ((400, "down"), (100, "up"))]
    traffic.append(traffic[0] | {"size_bytes": 300, "mobile_correspondent": "ring", "label": "call"})
    setup = build_setup(Scenario.model_validate(scenario(traffic=traffic)), EXAMPLES / "commute.toml", 3)
    estimates = estimate(setup, procedure)
    run = run_procedure(setup, procedure, seed=3, reference=ZERO_BYTES)
    busy = dict(zip(run.result.link_names, run.utilisation()[0]["utilisation"], strict=True))
    links = [e for e in estimates if e.what in busy and e.load > 0.005]
    assert len(links) > 15
    for e in links:
        assert e.load == pytest.approx(busy[e.what], rel=0.05), e.what
    assert sum(e.load for e in links) == pytest.approx(sum(busy[e.what] for e in links), rel=0.02)


def test_each_handoff_restarts_the_refreshes():
    """One node refreshes every 50 s: after the handoff at 170 s at 220, 270 ... s, before it at random times."""
    one = moving(1, np.array([[170 * S]]), until_ps=400 * S, lifetime_s=100)
    program = compile_program(one, "mipv4-bicast")
    signalling = signalling_load(one, program, RoleResolver(one, program, CorrespondentTable(one.network), 1))
    assert signalling.messages(0) == pytest.approx(170 / 50 + 1 + 4)
    counts = [mean_wait(one, "mipv4-bicast", seed)[1]["registered"][0] for seed in range(20)]
    assert set(counts) <= {3 + 1 + 4, 4 + 1 + 4}


def test_capacity_of_a_home_agent():
    """75 handoffs and 6 refreshes an hour (600 s lifetime), 1 ms each, 5 ms mean wait: 40,404 mobile nodes (M/D/1 by hand)."""
    moves = np.broadcast_to(MS + 22 * S * np.arange(75), (10, 75)).copy()
    hour = moving(10, moves, until_ps=3600 * S, lifetime_s=600)
    assert max_mobile_nodes(hour, "mipv4-bicast", 5 * MS) == pytest.approx(40404, abs=2)
    assert max_mobile_nodes(hour, "mipv4-bicast", 5 * MS, "a") == np.inf


@pytest.mark.parametrize("procedure", [pytest.param("mipv4-bicast", marks=pytest.mark.deep), "sync-mipv4"])
def test_the_wait_at_a_home_agent_follows_m_d_1(procedure):
    """2,000 nodes move at random times in 100 s; a service of 25 ms gives a load of one half."""
    waits = []
    for seed in range(12):
        times = np.random.default_rng(seed).integers(MS, 100 * S, (2000, 1))
        crowd = moving(2000, times, until_ps=101 * S, registration_ps=25 * MS)
        expected = estimate_of(estimate(crowd, procedure), "ha registration")
        wait, nodes = mean_wait(crowd, procedure)
        assert 2000 <= nodes["registered"][0] <= 2020  # a few refreshes among them
        waits.append(wait)
    assert expected.law == "M/D/1"
    assert expected.load == pytest.approx(2000 * 0.025 / 101, rel=0.005)
    interval = mean_interval(waits, CONFIDENCE)
    at_half = 25 * MS * 0.5 / (2 * (1 - 0.5))
    assert interval.low <= at_half <= interval.high
    assert expected.wait_ps == pytest.approx(at_half, rel=0.03)


@pytest.mark.parametrize("queue", [None, 20])
def test_handoffs_that_begin_together_wait_as_a_batch(queue):
    """50 nodes of one train register at once: the k-th waits (k - 1) S, and a queue of 20 accepts 20 of them."""
    train = moving(50, np.full((50, 1), S), until_ps=2 * S, queue=queue)
    expected = estimate_of(estimate(train, "mipv4-bicast"), "ha registration")
    wait, nodes = mean_wait(train, "mipv4-bicast")
    assert expected.law == "D/D/1 batch"
    assert expected.wait_ps == wait == (24.5 if not queue else 9.5) * MS
    arrivals = nodes["registered"][0] + nodes["registration_dropped"][0]
    assert expected.loss_ratio == nodes["registration_dropped"][0] / arrivals == (0 if not queue else 0.6)
    assert nodes["registration_wait_max_ps"][0] == (49 if not queue else 19) * MS


def test_the_service_of_an_anchor_includes_authentication():
    plain = moving(5, np.full((5, 1), S) + np.arange(5)[:, None] * S, until_ps=10 * S)
    dear = replace(plain, options=Options(authentication=True, authentication_service_ps=3 * MS))
    assert estimate_of(estimate(plain, "mipv4"), "ha registration").service_ps == MS
    assert estimate_of(estimate(dear, "mipv4"), "ha registration").service_ps == 4 * MS


def test_theory_and_simulation_side_by_side(setup):
    outcome = run_task(Task(canonical_json(scenario()), str(EXAMPLES), 3, ("mipv4",)))
    rows = compare(estimate(setup, "mipv4"), outcome.tables[0])
    ha = next(r for r in rows if r.estimate.what == "ha registration")
    assert ha.utilisation == pytest.approx(ha.estimate.load, rel=0.02)
    assert ha.wait_ps is not None
    assert ha.apart == ""
    cn = next(r for r in rows if r.estimate.what == "cn>ha")
    assert abs(cn.difference) < 0.02
    assert cn.wait_ps is None


def test_bursts_are_the_cause_of_a_longer_wait():
    """Three nodes at a time, every 40 ms: the load is 0.075 (S = 1 ms), but two of three wait; single nodes would not."""
    rng = np.random.default_rng(1)
    times = np.repeat(40 * MS * np.arange(1, 1001), 3) + rng.integers(0, 1000, 3000)
    crowd = moving(3000, times[:, None], until_ps=41 * S)
    run = run_procedure(crowd, "mipv4-bicast", reference=ZERO_BYTES)
    tables = {name: table_columns(name, run, crowd, 1) for name in ("runs", "nodes", "links")}
    rows = {r.estimate.what: r for r in compare(estimate(crowd, "mipv4-bicast"), tables)}
    assert rows["ha registration"].apart == "bursts"
    assert rows["ha registration"].wait_ps == pytest.approx(1 * MS, rel=0.01)  # (0 + 1 + 2) / 3 services


def test_messages_of_an_attacker_are_the_cause_of_more_load():
    data = tomllib.loads((EXAMPLES / "attack.toml").read_text())
    tables = run_task(Task(canonical_json(data), str(EXAMPLES), 1, ("mipv4",), baseline=False)).tables[0]
    setup = build_setup(Scenario.model_validate(data), EXAMPLES / "attack.toml", 1)
    rows = {r.estimate.what: r for r in compare(estimate(setup, "mipv4"), tables)}
    assert rows["ha registration"].apart == "attacks"
