"""One handoff with constant delays: seamless, or disturbed by a known cause.

The new path is 3 ms longer than the old one: bn + wn - bo - wo.
"""

import pytest

from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure

from .one_handoff import BN, BO, MS, WN, WO, lead_ms, one_handoff_setup

SYNCHRONIZED = ["sync-mipv4", "sync-mipv6", "sync-hmipv4", "sync-hmipv6"]


def run(procedure, **handoff):
    return run_procedure(one_handoff_setup(procedure, **handoff), procedure, detail=True, reference=ZERO_BYTES)


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
def test_a_synchronized_handoff_with_enough_time_is_seamless(procedure):
    """Scenario I: the first packet over the new path comes 3 ms after its time, as long as the new path takes more."""
    assert BN + WN - BO - WO == 3
    result = run(procedure, predict=500, warn=500 + lead_ms(procedure) + 10, old_down=700, new_up=505)
    summary = result.summary()
    assert (summary["scenario_1"], summary["lost"], summary["reordered"]) == (1, 0, 0)
    assert (summary["seamless_ratio"], summary["seamless_samples"]) == (1, 1)
    assert (summary["seamless_1_ratio"], summary["seamless_2_ratio"]) == (1, None)
    assert result.handoffs["disruption_ps"].tolist() == [3 * MS]


@pytest.mark.parametrize(("new_up", "seamless"), [(600 - WN, 1), (700, 0)])
def test_packets_that_wait_are_late_although_none_is_lost(new_up, seamless):
    """Bicast copies wait at the new router until its link is up: without effect before the old link ends, else for 100 ms."""
    result = run("mipv4-bicast", predict=500, old_down=600, new_up=new_up, bicast_ps=300 * MS, new_buffer_packets=1000)
    summary = result.summary()
    assert (summary["lost"], summary["reordered"], summary["seamless_ratio"]) == (0, 0, seamless)


def test_forwarded_packets_change_places_with_direct_ones():
    """Scenario II: the old router forwards by bo + c + wn, which is 4 ms more than the direct way."""
    summary = run("sync-mipv4", predict=500, warn=510, old_down=560, new_up=505).summary()
    assert (summary["scenario_2"], summary["lost"], summary["seamless_2_ratio"]) == (1, 0, 0)
    assert summary["reordered"] > 0


def test_a_conventional_handoff_loses_packets():
    summary = run("mipv4", old_down=500, new_up=700).summary()
    assert summary["lost"] > 0
    assert (summary["seamless_ratio"], summary["seamless_1_samples"]) == (0, 0)


def test_without_a_record_of_packets_nothing_is_judged():
    setup = one_handoff_setup("mipv4", old_down=500, new_up=700)
    summary = run_procedure(setup, "mipv4", reference=ZERO_BYTES).summary()
    assert (summary["seamless_ratio"], summary["seamless_samples"]) == (None, 0)


@pytest.mark.parametrize("procedure", ["mipv4", "mipv4-bicast"])
def test_bindings_of_the_home_agent(procedure):
    """One mobile node in 2 s; bicasting binds both routers from 523 ms on, for 200 ms."""
    summary = run(procedure, predict=500, warn=590, old_down=600, new_up=530, bicast_ps=200 * MS).summary()
    bicasts = procedure == "mipv4-bicast"
    assert (summary["binding_seconds"], summary["bindings_peak"]) == (2 + 0.2 * bicasts, 1 + bicasts)
