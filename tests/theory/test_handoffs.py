"""Handoffs against their closed forms, each swept; equal within one packet, and exactly where the example says so."""

import math

import numpy as np
import pytest

from handoff.ideal import NOTHING
from handoff.study import run_procedure
from tests.theory.chain import BN, BO, MS, WN, WO, C, P, chain

LEAD = WO + C + BN + P + BO + WO


def lost(run):
    return int(run.result.flows["lost"][0])


@pytest.mark.parametrize("phase_ps", range(50_000_000, 1_000_000_000, 100_000_000))
def test_conventional_loss_is_floor_or_ceil_of_332_over_the_phase(phase_ps):
    run = run_procedure(chain(old_down=500, new_up=700, phase_ps=phase_ps), "mipv4")
    window = (700 + 100 - 500) + WN + BN + P + BO + WO
    assert window == 332
    assert lost(run) == 332


@pytest.mark.parametrize("gap_ms", np.linspace(1, 400, 20))
def test_conventional_loss_and_disruption_follow_the_gap_between_links(gap_ms):
    run = run_procedure(chain(interval_ms=0.7, old_down=500, new_up=500 + gap_ms), "mipv4")
    expected = (gap_ms + 100 + WN + BN + P + BO + WO) / 0.7
    assert lost(run) in (math.floor(expected), math.ceil(expected))
    disruption = run.handoffs["disruption_ps"][0] / MS
    least = gap_ms + 100 + 2 * (WN + BN) + P  # "plus less than T", less the gap T that the sender meant
    assert least - 0.7 <= disruption < least + 0.7


def test_conventional_loss_of_poisson_traffic_has_mean_and_variance_of_the_law():
    """200 phases of Poisson traffic: mean within 4 standard errors of 332 (false alarm 6e-5), variance within 4 of its own."""
    counts = []
    for seed in range(200):
        setup = chain(old_down=500, new_up=700, until_ms=1200, poisson=True)
        counts.append(lost(run_procedure(setup, "mipv4", seed=seed, reference=NOTHING)))
    assert abs(np.mean(counts) - 332) < 4 * math.sqrt(332 / 200)
    assert abs(np.var(counts, ddof=1) / 332 - 1) < 4 * math.sqrt(2 / 199)


def test_bicasting_loses_nothing_duplicates_63_and_copies_200():
    run = run_procedure(chain(predict=500, warn=590, old_down=600, new_up=530, bicast_ps=200 * MS), "mipv4-bicast")
    flows = run.result.flows
    assert lost(run) == 0
    assert flows["duplicate"][0] == (600 - BO - WO - 523) == 63
    assert flows["copies"][0] == 200


@pytest.mark.parametrize("old_down", np.linspace(545.3, 700.3, 20))
def test_bicasting_duplicates_follow_the_life_of_the_old_link(old_down):
    run = run_procedure(chain(predict=500, warn=540, old_down=old_down, new_up=530, bicast_ps=400 * MS), "mipv4-bicast")
    assert lost(run) == 0
    assert abs(run.result.flows["duplicate"][0] - (old_down - BO - WO - 523)) <= 1


@pytest.mark.parametrize("old_down", [530.2, 533.2, 536.2])
def test_bicasting_loses_when_the_old_link_ends_before_the_last_single_packet(old_down):
    run = run_procedure(chain(predict=500, old_down=old_down, new_up=505, bicast_ps=200 * MS), "mipv4-bicast")
    expected = 523 + BO + WO - old_down
    assert expected > 0
    assert lost(run) in (math.floor(expected), math.ceil(expected))


@pytest.mark.parametrize("lead", [LEAD + d for d in (-5, -1, -0.001, 0, 0.001, 1, 5)])
def test_the_marker_is_in_time_with_a_lead_of_more_than_37_ms(lead):
    assert LEAD == 37
    run = run_procedure(chain(predict=500, warn=500 + lead, old_down=700, new_up=505), "sync-mipv4")
    assert run.handoffs["scenario"][0] == (1 if lead > LEAD else 2)
    assert lost(run) == 0
    assert run.result.flows["duplicate"][0] == 0
    assert run.handoffs["after_marker"][0] == 0


@pytest.mark.parametrize(("new_up", "scenario"), [(505, 2), (600, 3)])
@pytest.mark.parametrize("guard", [*np.linspace(0, 12, 20), 4.1])
def test_with_rescue_only_what_flies_while_the_update_flies_is_lost(guard, new_up, scenario):
    setup = chain(predict=500, warn=520, old_down=520 + guard, new_up=new_up, new_buffer_packets=0)
    run = run_procedure(setup, "sync-mipv4")
    assert run.handoffs["scenario"][0] == scenario
    expected = max(0.0, 2 * WO - guard)
    assert lost(run) in (math.floor(expected), math.ceil(expected))
    assert run.result.flows["duplicate"][0] == 0


@pytest.mark.parametrize("interval_ms", [1, 0.5, 0.3, 0.7, 2.5])
def test_scenario_ii_reorders_what_the_longer_way_brings_late(interval_ms):
    run = run_procedure(chain(interval_ms=interval_ms, predict=500, warn=520, old_down=540, new_up=505), "sync-mipv4")
    late = BO + C - BN
    assert run.handoffs["scenario"][0] == 2
    assert abs(run.handoffs["reordered"][0] - (math.ceil(late / interval_ms) - 1)) <= (interval_ms != 1)
    if interval_ms == 1:
        assert run.handoffs["reordered"][0] == 3


@pytest.mark.parametrize(("switch_ms", "peak"), [(20, 20), (100, 104), *[(s, None) for s in np.linspace(5.2, 200.2, 18)]])
def test_scenario_iii_peak_at_the_new_router(switch_ms, peak):
    """Request at 500, going down at 510: the anchor switches at 523, the update reaches the old router at 514."""
    warn, anchor = 510, 523
    down = warn + 8
    up = down + switch_ms
    setup = chain(predict=500, warn=warn, old_down=down, new_up=up, new_buffer_packets=0)
    run = run_procedure(setup, "sync-mipv4")
    at_old = warn + WO
    expected = max(0, min(up, anchor + BO + C) - (at_old + C)) + max(0, up - (anchor + BN))
    held = run.result.nodes["held_peak_packets"][run.result.node_names.index("new")]
    acknowledgements = 2 if up > anchor + P + BN else 1  # BA, and RR if it comes before the mobile node does
    assert lost(run) == 0
    assert abs(held - acknowledgements - expected) <= 1
