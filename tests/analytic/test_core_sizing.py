"""Sizing of a mobile core: the capacities of the closed form, and the waits of simulations at these sizes."""

from pathlib import Path

import pytest

from handoff.metrics.confidence import mean_interval
from handoff.scenario import load_scenario
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure
from handoff.theory import estimate, max_mobile_nodes
from handoff.theory.queueing import md1_wait
from handoff.workload.build import build_setup

CORE = Path(__file__).parents[2] / "examples" / "core.toml"
MS, S = 10**9, 10**12
CONFIDENCE = 1 - 1e-4
ALONE = ("handoff_rate=75/h", *(f"background.{i}.rate=0/h" for i in range(4)))


def core(*changes, seed=1):
    return build_setup(load_scenario(CORE, changes)[0], CORE, seed)


def amf(setup, procedure, seed=1):
    """Return the mean wait, and the number of messages that the AMF has served."""
    nodes = run_procedure(setup, procedure, seed=seed, reference=ZERO_BYTES).result.nodes
    index = setup.network.node_index("amf")
    return nodes["registration_wait_ps"][index] / nodes["registered"][index], int(nodes["registered"][index])


def test_the_capacity_for_handovers_alone():
    """75 an hour, 2 or 8 messages of 1 ms each at the AMF, a mean wait of 5 ms: a load of 10 / 11 by M/D/1.

    909.09 messages a second are 43,636.4 an hour for each message of a handover and hour: 21,818 and 5,454 UEs. The movement
    of the run is random: the number of 75,000 handovers has a standard deviation of 0.4 %.
    """
    setup = core(*ALONE, "mobile_nodes=2000", "duration=30min")
    node = "amf"
    assert max_mobile_nodes(setup, "xn", 5 * MS, node) == pytest.approx(10 / 11 * 3600 * 1000 / (75 * 2), rel=0.015)
    assert max_mobile_nodes(setup, "n2-indirect", 5 * MS, node) == pytest.approx(10 / 11 * 3600 * 1000 / (75 * 8), rel=0.015)


def test_the_estimate_has_the_background():
    """At 20,000 UEs: 569 messages a second of the background, and 8 a handover, 1 ms each."""
    setup = core("duration=5s")
    handovers = setup.count_handoffs()
    load = next(e.load for e in estimate(setup, "n2-indirect") if e.what == "amf registration")
    assert load == pytest.approx((20_000 * 102.42 / 3600 + 8 * handovers / 5) / 1000, rel=1e-6)


def mean_waits(setups, procedure):
    """Return the interval (ms) of the mean wait at the AMF, over one run of each setup."""
    return mean_interval([amf(setup, procedure, seed)[0] / MS for seed, setup in enumerate(setups)], CONFIDENCE)


@pytest.mark.deep
@pytest.mark.parametrize(("messages", "ues"), [(2, 21_818), (8, 5_454)])
def test_independent_messages_wait_5_ms_at_the_capacity(messages, ues):
    """12 runs of a minute, each with 54,545 messages in a Poisson process: M/D/1."""
    rates = [f"background.{i}.rate={75 * (i == 1)}/h" for i in range(4)]
    changes = ["handoff_rate=0/h", f"mobile_nodes={ues}", f"background.1.messages.amf={messages}", *rates]
    interval = mean_waits([core(*changes, seed=seed) for seed in range(12)], "xn")
    assert interval.low <= 5 <= interval.high
    assert interval.high - interval.low < 3


@pytest.mark.deep
@pytest.mark.parametrize(("procedure", "messages", "ues"), [("xn", 2, 21_818), ("n2-indirect", 8, 5_454)])
def test_messages_of_a_handover_come_in_groups(procedure, messages, ues):
    """At the load of each run they wait longer than independent ones, and less than if all n came at one instant.

    A group of n adds (n - 1) S / (2 (1 - rho)) to S rho / (2 (1 - rho)): a factor of 1 + (n - 1) / rho. SMF and UPF take no time:
    a busy SMF would space its answers, so that they wait less at the AMF.
    """
    changes = [*ALONE, "node.1.registration=0", "home_agent.registration=0", f"mobile_nodes={ues}"]
    for seed in range(3):
        wait, served = amf(core(*changes, seed=seed), procedure, seed)
        load = served * MS / (60 * S)
        assert 1 < wait / md1_wait(load, MS) < 1 + (messages - 1) / load


@pytest.mark.deep
def test_the_published_example_by_simulation():
    """500,000 UEs for 10 s bring 197,806 messages, 55,556 of them by handovers of 8 messages: 4.5 standard deviations."""
    fast = [f"{node}.registration=20us" for node in ("node.0", "node.1", "home_agent")]
    setup = core("mobile_nodes=500000", "duration=10s", *fast)
    served = amf(setup, "n2-indirect")[1]
    deviation = (197_806 - 55_556 + 8**2 * 55_556 / 8) ** 0.5
    assert abs(served - 197_806) < 4.5 * deviation + 8 * 5 * 500_000 / 3600 * 0.3  # handovers that have not ended are left out
