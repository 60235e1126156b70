"""Simulated handoffs equal their closed forms within one packet over a sweep of each parameter.

Correspondents keep a binding until the new one is installed (``correspondent_race="hold"``), because the closed forms have an
anchor that switches once. tests/conformance covers correspondents that delete the binding at once.
"""

import math

import numpy as np
import pytest

from handoff.protocol.procedures import PROCEDURES
from handoff.theory import handoff_formulas as formulas
from tests.analytic.one_handoff import BN, BO, DISCOVERY, MS, WN, WO, A, C, P, lead_ms, run_handoff, sweep, switch_ms, update_ms

FORWARDING = ["mipv4-smooth", "mipv6-ro", "mipv6"]
BICASTING = [name for name, row in PROCEDURES.items() if row.family == "bicasting"]
SYNCHRONIZED = [name for name, row in PROCEDURES.items() if row.family == "synchronized"]
HOLD = {"correspondent_race": "hold"}
NO_OLD_BUFFER = {"old_buffer_packets": 0}
"""Packets that the old link cannot carry any longer are lost at once, and not kept until the forwarding lifetime is over."""
DELAYS = formulas.PathDelays(BO, BN, WO, WN, C, P)


def lost(run):
    return int(run.result.flows["lost"][0])


def floor_or_ceil(expected):
    return math.floor(expected), math.ceil(expected)


# -- conventional: no warning, no forwarding -------------------------------------------------------------------------
@pytest.mark.parametrize("phase_ps", range(50_000_000, 1_000_000_000, 100_000_000))
def test_conventional_loss_is_floor_or_ceil_of_332_over_the_phase(phase_ps):
    window = (700 + DISCOVERY - 500) + WN + update_ms("mipv4") + BO + WO
    assert window == 332
    assert lost(run_handoff("mipv4", old_down=500, new_up=700, phase_ps=phase_ps, **NO_OLD_BUFFER)) == 332


@pytest.mark.parametrize("procedure", PROCEDURES)
@pytest.mark.parametrize("gap_ms", sweep(np.linspace(1, 400, 20)))
def test_conventional_loss_and_disruption_follow_the_gap_between_links(procedure, gap_ms):
    """Without a warning every procedure registers like this. Forwarding, where there is any, ends at once."""
    run = run_handoff(procedure, interval_ms=0.7, old_down=500, new_up=500 + gap_ms, forwarding_lifetime_ps=0)
    expected = (gap_ms + DISCOVERY + WN + update_ms(procedure) + BO + WO) / 0.7
    assert lost(run) in floor_or_ceil(expected)
    disruption = run.handoffs["disruption_ps"][0] / MS
    shortest = gap_ms + DISCOVERY + 2 * WN + update_ms(procedure) + BN  # "plus less than T", less the gap T that the sender meant
    assert shortest - 0.7 <= disruption < shortest + 0.7


@pytest.mark.parametrize("procedure", ["mipv4", "mipv6"])
@pytest.mark.parametrize("overlap_ms", [1, 50, 99])
def test_conventional_loss_with_links_that_overlap_for_less_than_agent_discovery(procedure, overlap_ms):
    run = run_handoff(procedure, old_down=500, new_up=500 - overlap_ms, forwarding_lifetime_ps=0, profile="rfc", until_ms=5000)
    address = 1000 if PROCEDURES[procedure].ip == 6 else 0
    expected = DISCOVERY + address - overlap_ms + WN + update_ms(procedure) + BO + WO
    assert lost(run) in floor_or_ceil(expected)


def test_conventional_loss_of_poisson_traffic_has_mean_and_variance_of_the_law():
    """200 phases of Poisson traffic: mean and variance within 4 standard errors of 332 (false alarm 6e-5)."""
    counts = []
    for seed in range(200):
        run = run_handoff("mipv4", seed=seed, old_down=500, new_up=700, until_ms=1200, poisson=True, **NO_OLD_BUFFER)
        counts.append(lost(run))
    assert abs(np.mean(counts) - 332) < 4 * math.sqrt(332 / 200)
    assert abs(np.var(counts, ddof=1) / 332 - 1) < 4 * math.sqrt(2 / 199)


# -- smooth handoff, temporary home agent --------------------------------------------------------------------------------
def updated_ms(new_up):
    """Return the time at which the update reaches the old router (tB)."""
    return new_up + DISCOVERY + WN + C


@pytest.mark.parametrize("procedure", FORWARDING)
@pytest.mark.parametrize("new_up", [509, *sweep(np.linspace(500.2, 800.2, 20))])
def test_without_a_buffer_every_packet_is_lost_until_the_update_is_at_the_old_router(procedure, new_up):
    expected = formulas.smooth_loss(DELAYS, 500, updated_ms(new_up), 1)
    assert lost(run_handoff(procedure, old_down=500, new_up=new_up, **NO_OLD_BUFFER)) in floor_or_ceil(expected)
    assert new_up != 509 or expected == 124


@pytest.mark.parametrize("procedure", FORWARDING)
@pytest.mark.parametrize(
    ("new_up", "buffer_packets"),
    [(509, buffer_packets) for buffer_packets in (0, 50, 200, 124)]
    + sweep((509, buffer_packets) for buffer_packets in range(7, 197, 10))
    + sweep((up, buffer_packets) for up in np.linspace(500.2, 800.2, 20) for buffer_packets in (50, 200)),
)
def test_the_buffer_of_the_old_router_saves_its_packets(procedure, buffer_packets, new_up):
    run = run_handoff(procedure, old_down=500, new_up=new_up, old_buffer_packets=buffer_packets)
    expected = formulas.smooth_loss(DELAYS, 500, updated_ms(new_up), 1, buffer_packets)
    assert lost(run) in floor_or_ceil(expected)
    assert run.result.flows["duplicate"][0] == 0
    if new_up == 509:
        assert lost(run) == {0: 124, 50: 74, 200: 0}.get(buffer_packets, expected)


# -- simultaneous bindings ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("procedure", BICASTING)
def test_bicasting_loses_nothing_duplicates_63_and_copies_200(procedure):
    assert switch_ms(procedure) == 23
    run = run_handoff(procedure, predict=500, warn=590, old_down=600, new_up=530, bicast_ps=200 * MS)
    flows = run.result.flows
    assert lost(run) == 0
    assert flows["duplicate"][0] == (600 - BO - WO - 523) == 63
    assert flows["copies"][0] == 200


@pytest.mark.parametrize("procedure", BICASTING)
@pytest.mark.parametrize("old_down", sweep(np.linspace(545.3, 700.3, 20)))
def test_bicasting_duplicates_follow_the_life_of_the_old_link(procedure, old_down):
    run = run_handoff(procedure, predict=500, warn=540, old_down=old_down, new_up=530, bicast_ps=400 * MS)
    assert lost(run) == 0
    assert abs(run.result.flows["duplicate"][0] - formulas.bicast_duplicates(DELAYS, 523, old_down, 1)) <= 1


@pytest.mark.parametrize("procedure", BICASTING)
@pytest.mark.parametrize("bicast_ms", sweep(np.linspace(30.1, 410.1, 20)))
def test_bicasting_copies_follow_the_life_of_the_old_binding(procedure, bicast_ms):
    run = run_handoff(procedure, interval_ms=0.7, predict=500, old_down=600, new_up=530, bicast_ps=round(bicast_ms * MS))
    assert run.result.flows["copies"][0] in floor_or_ceil(formulas.bicast_copies(0, bicast_ms, 0.7))


@pytest.mark.parametrize("procedure", BICASTING)
@pytest.mark.parametrize(
    ("old_down", "linger_ms"),
    sweep((down, 200) for down in np.linspace(510.3, 700.3, 20)) + sweep((600, linger) for linger in np.linspace(0.2, 380.2, 20)),
)
def test_bicasting_copies_follow_old_link_and_linger_time(procedure, old_down, linger_ms):
    """Decision 29. Below 523 ms the old link ends before the anchor binds, and the copies last for the linger time alone."""
    options = {"bicast_linger_ps": round(linger_ms * MS), **NO_OLD_BUFFER}
    run = run_handoff(procedure, interval_ms=0.7, predict=500, old_down=old_down, new_up=505, **options)
    expected = formulas.bicast_copies(523, formulas.bicast_end(523, old_down, linger_ms), 0.7)
    assert run.result.flows["copies"][0] in floor_or_ceil(expected)


@pytest.mark.parametrize("procedure", BICASTING)
@pytest.mark.parametrize("old_down", [*sweep(np.linspace(527.2, 546.2, 20)), 537])
def test_bicasting_loses_when_the_old_link_ends_before_the_last_single_packet(procedure, old_down):
    run = run_handoff(procedure, predict=500, old_down=old_down, new_up=505, bicast_ps=200 * MS, **NO_OLD_BUFFER)
    expected = max(0, 523 + BO + WO - old_down)
    assert lost(run) in floor_or_ceil(expected)


@pytest.mark.parametrize("procedure", BICASTING)
@pytest.mark.parametrize("late_ms", sweep(np.linspace(-9.4, 9.6, 20)))
def test_bicasting_loses_when_the_new_link_is_up_after_the_first_copy(procedure, late_ms):
    """The old link ends with the last single packet, and the reply takes the only place in the buffer of the new router."""
    options = {"bicast_ps": 200 * MS, "new_buffer_packets": 1}
    run = run_handoff(procedure, predict=500, old_down=537, new_up=535 + late_ms, **options, **NO_OLD_BUFFER)
    assert lost(run) in floor_or_ceil(max(0, late_ms))


# -- synchronized -----------------------------------------------------------------------------------------------------------
def test_the_lead_that_scenario_i_needs():
    """In Mobile IPv4 with route optimization the home agent informs the correspondent, which adds to the lead."""
    leads = {name: lead_ms(name) for name in SYNCHRONIZED}
    assert leads.pop("sync-mipv4-ro") == 37 + A + A + P
    assert set(leads.values()) == {DELAYS.lead} == {37}


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("late_ms", [*sweep(np.linspace(-9.5, 9.5, 20)), -0.001, 0, 0.001])
def test_the_marker_is_in_time_with_more_than_the_lead(procedure, late_ms):
    lead = lead_ms(procedure) + late_ms
    run = run_handoff(procedure, predict=500, warn=500 + lead, old_down=700, new_up=505, **HOLD)
    assert run.handoffs["scenario"][0] == (1 if late_ms > 0 else 2)
    assert lost(run) == 0
    assert run.result.flows["duplicate"][0] == 0
    assert run.handoffs["after_marker"][0] == 0
    marker = 500 + lead_ms(procedure)
    if late_ms < -2 * WO:  # the update is at the old router before the marker is, which goes no further or the way of the data
        marker = -1 if PROCEDURES[procedure].ip == 4 else marker - WO + C + WN
    assert run.handoffs["marker_ps"][0] == (marker * MS if marker >= 0 else -1)


@pytest.mark.parametrize("procedure", [name for name in SYNCHRONIZED if PROCEDURES[name].anchor == "CN"])
@pytest.mark.parametrize("late_ms", [*sweep(np.linspace(-7.5, 11.5, 20)), -0.001, 0, 0.001])
def test_the_marker_of_a_correspondent_that_deletes_at_once_goes_straight_to_and_fro(procedure, late_ms):
    """The marker takes wo + bo + p + bo + wo = 29 ms without waiting for the update. Packets by the home agent may follow it."""
    lead = 2 * (WO + BO) + P
    run = run_handoff(procedure, predict=500, warn=500 + lead + late_ms, old_down=700, new_up=505, correspondent_race="patent")
    assert run.handoffs["scenario"][0] == (1 if late_ms > 0 else 2)
    assert run.handoffs["marker_ps"][0] == (500 + lead) * MS


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize(("new_up", "scenario"), [(505, 2), (600, 3)])
@pytest.mark.parametrize("guard", [*sweep(np.linspace(0, 12, 20)), 4.1])
def test_with_rescue_only_packets_in_flight_during_the_update_are_lost(procedure, guard, new_up, scenario):
    options = {"new_buffer_packets": None, **HOLD, **NO_OLD_BUFFER}
    run = run_handoff(procedure, predict=500, warn=520, old_down=520 + guard, new_up=new_up, **options)
    assert run.handoffs["scenario"][0] == scenario
    assert lost(run) in floor_or_ceil(formulas.rescue_loss(DELAYS, guard, 1))
    assert run.result.flows["duplicate"][0] == 0


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("new_up", [505, 600])
@pytest.mark.parametrize(
    ("guard", "buffer_packets"), sweep((0, k) for k in range(1, 21)) + sweep((g, 5) for g in np.linspace(0, 12, 20))
)
def test_with_rescue_the_buffer_of_the_old_router_saves_its_packets_too(procedure, guard, buffer_packets, new_up):
    """The formula is that of the smooth handoff: the update is at the old router (tB) wo after the warning."""
    run = run_handoff(
        procedure, interval_ms=0.45, predict=500, warn=520, old_down=520 + guard, new_up=new_up, new_buffer_packets=None,
        old_buffer_packets=buffer_packets, **HOLD,
    )  # fmt: skip
    assert lost(run) in floor_or_ceil(max(0.0, (2 * WO - guard) / 0.45 - buffer_packets))
    assert run.result.flows["duplicate"][0] == 0


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("interval_ms", [1, 1.000001, 0.999999, *sweep(np.linspace(0.21, 3.06, 20))])
def test_scenario_ii_reorders_the_packets_of_the_longer_route(procedure, interval_ms):
    """With T = 1 ms a forwarded packet and the first direct one reach the new router together; the keys of the links decide."""
    warn = 500 + switch_ms(procedure) - 3  # the update is at the old router 1 ms after the anchor has switched
    run = run_handoff(procedure, interval_ms=interval_ms, predict=500, warn=warn, old_down=warn + 20, new_up=505, **HOLD)
    assert run.handoffs["scenario"][0] == 2
    exactly = formulas.reordered(DELAYS, interval_ms)
    assert run.handoffs["reordered"][0] in ((exactly, exactly + 1) if interval_ms == 1 else (exactly,))
    assert interval_ms not in (1, 1.000001) or exactly == 3


@pytest.mark.deep
def test_scenario_ii_reorders_poisson_traffic_by_its_mean():
    """The packets sent in R = max(0, D - X) are late, with D = 4 ms and X exponential: E[R] = D - 1 + exp(-D) packets on average.

    Their variance is E[R] + Var R. The mean of 400 phases is within 4 standard errors.
    """
    late = BO + C - BN
    counts = []
    for seed in range(400):
        run = run_handoff("sync-mipv4", seed=seed, predict=500, warn=520, old_down=540, new_up=505, until_ms=700, poisson=True)
        counts.append(int(run.handoffs["reordered"][0]))
    mean = late - 1 + math.exp(-late)
    variance = mean + late**2 - 2 * late + 2 - 2 * math.exp(-late) - mean**2
    assert abs(np.mean(counts) - mean) < 4 * math.sqrt(variance / 400)


def held_messages(procedure, old, new, anchor, request=500):
    """Count the messages in the buffer of the new router: acknowledgements, and in IPv6 the forwarded marker."""
    row = PROCEDURES[procedure]
    by_home_agent = request + WO + C + 2 * P + 2 * (BN + A) if row.anchor == "CN" else anchor + BN
    arrivals = [old + C, by_home_agent]
    if row.ip == 6:
        arrivals += [anchor + BO + C, *([anchor + BN] if row.anchor == "CN" else [])]
    return sum(t <= new for t in arrivals)


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize(("switch", "peak"), [(20, 20), (100, 104), *sweep((s, None) for s in np.linspace(5.2, 200.2, 20))])
def test_scenario_iii_peak_at_the_new_router(procedure, switch, peak):
    """The request leaves at the prediction; the warning is 20 ms before the anchor switches, 10 ms before the old link ends."""
    anchor = 500 + switch_ms(procedure)
    warn = anchor - 20
    down = warn + 10
    up = down + switch
    options = {"request": "predict", "new_buffer_packets": None, **HOLD}
    run = run_handoff(procedure, predict=500, warn=warn, old_down=down, new_up=up, **options)
    at_old = warn + WO
    expected = formulas.new_buffer(DELAYS, anchor, at_old, up, 1)
    assert peak is None or expected == peak
    held = run.result.nodes["held_peak_packets"][run.result.node_names.index("new")]
    assert run.handoffs["scenario"][0] == 3
    assert lost(run) == 0
    assert abs(held - held_messages(procedure, at_old, up, anchor) - expected) <= 1
