"""A flood of forged registrations at the queue of a home agent: the acceptance of honest ones follows M/D/1/K."""

import math

import numpy as np
import pytest

from engine import FOREVER, Network
from handoff.protocol.messages import MessageFields
from handoff.protocol.program import compile_program
from handoff.protocol.setup import Attachments, Options, Setup
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure
from tests.conformance.attacker import ForgedMessage, find_request_step, run_with_attacker

MS = 10**9
NODES, SECONDS, PLACES, LOAD = 2000, 100, 5, 0.9
LOSS = 0.064361897186
"""M/D/1/K with K = 5 at a load of 0.9; S is 1 ms."""
FALSE_ALARM_Z = 3.89
"""Two-sided, one in 10,000."""


def build_honest_nodes(rng: np.random.Generator) -> Setup:
    """Build mobile nodes that register once, each at a random time."""
    net = Network()
    net.node("ha", registration=MS, registration_queue=PLACES)
    for name, delay in (("cn", 20), ("old", 10), ("new", 12), ("peer", 18)):
        net.node(name)
        net.link("ha", name, delay=delay * MS, both=True)
    net.link("old", "new", delay=6 * MS, both=True)
    net.cell("old", delay=4 * MS), net.cell("new", delay=5 * MS)
    mobiles = net.mobiles(NODES, home="ha")
    request_ps = rng.integers(MS, SECONDS * 1000 * MS, NODES)
    up = np.stack([np.zeros(NODES, np.int64), request_ps], 1).ravel()
    down = np.stack([request_ps + 10**13, np.full(NODES, FOREVER)], 1).ravel()
    predict = np.stack([request_ps, np.full(NODES, -1)], 1).ravel()
    routers = np.tile([net.node_index("old"), net.node_index("new")], NODES)
    movement = Attachments(np.repeat(mobiles, 2), routers, up, down, predict, np.full(2 * NODES, -1))
    return Setup(net, net.node_index("ha"), movement, (SECONDS + 2) * 1000 * MS, Options(profile="rfc"))


@pytest.mark.parametrize("flood", [True, False])
def test_acceptance_under_a_flood_is_that_of_m_d_1_k(flood):
    """Forged and honest requests together are a Poisson stream, except for the few retransmissions; each takes its service."""
    rng = np.random.default_rng(1)
    setup = build_honest_nodes(rng)
    program = compile_program(setup, "sync-mipv4")
    number, numbered = find_request_step(program, "RQ", "HA")
    rate = LOAD * 1000 - NODES / SECONDS * (1 + LOSS)  # forged ones a second
    times = np.cumsum(rng.exponential(1000 / rate, round(SECONDS * rate))) if flood else []
    forged = MessageFields(number, len(numbered.step.path) - 1, -1, setup.network.node_index("new"), -1, 0, 600)
    messages = [ForgedMessage(at, "ha", forged) for at in times]
    run = run_with_attacker(setup, "sync-mipv4", messages, run=lambda s, p: run_procedure(s, p, reference=ZERO_BYTES))
    accepted = float(np.mean(run.handoffs["retransmissions"] == 0))
    if not flood:
        assert accepted > 0.999
        return
    assert abs(accepted - (1 - LOSS)) < FALSE_ALARM_Z * math.sqrt(LOSS * (1 - LOSS) / NODES)
    fates = run.result.fate_counts(control=True)
    assert fates["authentication failed"] + fates["registration overload"] > 0.99 * len(times)
    assert abs(fates["registration overload"] / (len(times) + NODES) - LOSS) < 0.01
