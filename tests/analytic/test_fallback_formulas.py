"""Simulated handoffs equal their closed forms within one packet: requests at the warning, fallbacks, and equal buffers.

As in test_handoff_formulas.py, correspondents keep a binding until the new one is installed.
"""

import math

import numpy as np
import pytest

from handoff.protocol.procedures import PROCEDURES
from handoff.theory import handoff_formulas as formulas
from tests.analytic.one_handoff import BN, BO, DISCOVERY, MS, WN, WO, A, P, run_handoff, sweep, switch_ms, update_ms
from tests.analytic.test_handoff_formulas import DELAYS, FORWARDING, HOLD, SYNCHRONIZED, floor_or_ceil, held_messages, lost

T = 0.7
"""Interval between packets in ms, which no delay is a multiple of."""
WARN = 520
UPDATED = WARN + WO
"""Times in ms of the warning, and of the update over the old link at the old router (tB)."""
NEVER_FORWARD = [name for name, row in PROCEDURES.items() if not row.rescue and name not in FORWARDING]
PACKET_BYTES = 200


def held(run, node):
    """Return the largest content of a buffer at a router, in packets."""
    return int(run.result.nodes["held_peak_packets"][run.result.node_names.index(node)])


def forwarded(run):
    """Return the data packets that the old router sent to the new one."""
    link = run.result.link_names.index("old>new")
    return int(run.result.links["packets"][link] - run.result.links["control_packets"][link])


def disruption(run):
    return run.handoffs["disruption_ps"][0] / MS


# -- request at the warning (decision 27) -------------------------------------------------------------------------------------
def warned(procedure, guard, new_up, **options):
    """Run a handoff with single access whose request and update leave at the warning, ``guard`` ms before the old link ends."""
    options = {"interval_ms": T, "new_buffer_packets": None, **HOLD, **options}
    run = run_handoff(procedure, predict=500, warn=WARN, old_down=WARN + guard, new_up=new_up, **options)
    assert run.handoffs["request_ps"][0] == run.handoffs["rescue_ps"][0] == WARN * MS
    assert run.handoffs["scenario"][0] == 3
    return run


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize(("guard", "new_up"), sweep((g, WARN + 60) for g in np.linspace(0, 25, 20))
                         + sweep((20, up) for up in np.linspace(WARN + 21, WARN + 211, 20)))  # fmt: skip
def test_a_request_at_the_warning_interrupts_until_the_new_link_is_up(procedure, guard, new_up):
    run = warned(procedure, guard, new_up)
    expected = formulas.forwarding_disruption(DELAYS, WARN + guard, UPDATED, WARN + switch_ms(procedure), new_up)
    assert expected == new_up + WN - min(WARN + guard, UPDATED + WO)
    assert abs(disruption(run) - expected) <= T
    assert lost(run) == 0


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("new_up", sweep(np.linspace(WARN + 8, WARN + 198, 20)))
@pytest.mark.parametrize("guard", [2, 20])
def test_the_peak_at_the_new_router_of_a_request_at_the_warning(procedure, guard, new_up):
    """With a guard of 2 ms the packets of 6 ms wait at the old router for the update, and come to the new one with it."""
    if guard == 20:
        new_up += 13
    run = warned(procedure, guard, new_up)
    anchor = WARN + switch_ms(procedure)
    expected = formulas.new_buffer(DELAYS, anchor, UPDATED, new_up, T, WARN + guard)
    messages = held_messages(procedure, UPDATED, new_up, anchor, request=WARN)
    assert abs(held(run, "new") - messages - expected) <= 1


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("guard", sweep(np.linspace(0, 12, 20)))
def test_the_old_router_keeps_what_comes_between_its_last_frame_and_the_update(procedure, guard):
    """(2 wo - g) / T packets at most, all of which are forwarded, as is all that comes until the anchor has switched."""
    run = warned(procedure, guard, WARN + 60)
    stored = formulas.rescue_loss(DELAYS, guard, T)
    assert abs(held(run, "old") - stored) <= 1
    assert held(run, "old") <= formulas.old_buffer(DELAYS, WARN + guard, UPDATED, T)
    expected = formulas.forwarded_packets(DELAYS, WARN + guard, UPDATED, WARN + switch_ms(procedure), T)
    assert abs(forwarded(run) - expected) <= 1


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
def test_the_old_buffer_is_limited_in_bytes_too(procedure):
    """2 wo / T = 11.4 packets come in the time. A foreign agent keeps them without the tunnel: 7 in 1,500 bytes."""
    in_ipv6 = {"sync-mipv6": 40, "sync-mipv6-ro": 24, "sync-hmipv6": 2 * 40, "sync-hmipv6-ro": 24 + 40}
    headers = 0 if PROCEDURES[procedure].ip == 4 else in_ipv6[procedure]
    run = warned(procedure, 0, WARN + 60, old_buffer_packets=None, old_buffer_bytes=1500)
    kept = 1500 // (PACKET_BYTES + headers)
    assert held(run, "old") == kept
    assert lost(run) in [n - kept for n in floor_or_ceil(2 * WO / T)]


# -- upstream data (decision 28) ------------------------------------------------------------------------------------------------
def home_agent_detour_ms(procedure):
    """Return the time between the anchor and the home agent, if it is the home agent that replies."""
    return A if PROCEDURES[procedure].anchor == "CN" else 0


def reply_ms(procedure, registers):
    """Return the time of the reply to a request over the new link."""
    return formulas.reply_time_after_move(DELAYS, registers) + 2 * home_agent_detour_ms(procedure)


def upstream_delay_ms(procedure):
    """Return the delay of a packet from the mobile node over the new link."""
    return WN + BN + {"CN": 0, "HA": A}.get(PROCEDURES[procedure].anchor, 2 * A)


@pytest.mark.parametrize("procedure", PROCEDURES)
@pytest.mark.parametrize("gap_ms", sweep(np.linspace(1, 400, 20)))
def test_upstream_packets_wait_for_the_reply_in_every_procedure(procedure, gap_ms):
    """All of an unannounced move's are delivered, and the first one waits longest; without room all of them are lost."""
    move = {"interval_ms": T, "old_down": 500, "new_up": 500 + gap_ms, "upstream": True}
    reply = reply_ms(procedure, 500 + gap_ms + DISCOVERY)
    expected = formulas.upstream_held(500, reply, T)
    run = run_handoff(procedure, upstream_packets=None, **move)
    assert lost(run) == 0
    longest = run.result.flows["delay_max_ps"][0] / MS - upstream_delay_ms(procedure)
    assert reply - 500 - T <= longest <= reply - 500
    for options, kept in (({}, 50), ({"upstream_packets": 0}, 0), ({"upstream_hold": False}, 0)):
        run = run_handoff(procedure, **options, **move)
        assert lost(run) in floor_or_ceil(formulas.upstream_loss(500, reply, T, kept))
        assert abs(lost(run) + kept - expected) <= 1


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("new_up", sweep(np.linspace(WARN + 21, WARN + 211, 20)))
def test_upstream_packets_wait_for_the_reply_that_waits_for_the_new_link(procedure, new_up):
    """The home agent replies when it has the request, also in sync-mipv4-ro, where the anchor switches later."""
    answered = DELAYS.switch(WARN) + 2 * home_agent_detour_ms(procedure)
    reply = formulas.reply_time_before_move(DELAYS, answered, new_up)
    run = warned(procedure, 20, new_up, upstream=True, upstream_packets=0)
    assert lost(run) in floor_or_ceil(formulas.upstream_held(WARN + 20, reply, T))
    run = warned(procedure, 20, new_up, upstream=True, upstream_packets=None)
    assert lost(run) == 0
    longest = run.result.flows["delay_max_ps"][0] / MS - upstream_delay_ms(procedure)
    assert reply - WARN - 20 - T <= longest <= reply - WARN - 20


# -- unannounced moves (decision 30) ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("procedure", SYNCHRONIZED + FORWARDING)
@pytest.mark.parametrize("buffer_packets", [0, 50, None])
@pytest.mark.parametrize("gap_ms", sweep(np.linspace(1, 400, 20)))
def test_an_unannounced_move_is_as_good_as_a_smooth_handoff(procedure, buffer_packets, gap_ms):
    """Request and update leave together when the new router has been found, and the old router forwards what it kept."""
    registers = 500 + gap_ms + DISCOVERY
    updated, anchor = DELAYS.updated_after_move(registers), registers + WN + update_ms(procedure)
    options = {"old_buffer_packets": buffer_packets, **HOLD}
    run = run_handoff(procedure, interval_ms=T, old_down=500, new_up=500 + gap_ms, **options)
    kept = math.inf if buffer_packets is None else buffer_packets
    assert lost(run) in floor_or_ceil(formulas.smooth_loss(DELAYS, 500, updated, T, kept, anchor))
    expected = formulas.forwarded_packets(DELAYS, 500, updated, anchor, T, kept)
    assert abs(forwarded(run) - expected) <= 1
    expected = formulas.forwarding_disruption(DELAYS, 500, updated, anchor, registers)
    assert abs(disruption(run) - expected) <= T
    assert run.result.flows["duplicate"][0] == 0


@pytest.mark.parametrize("procedure", SYNCHRONIZED)
@pytest.mark.parametrize("buffer_packets", [0, 50])
@pytest.mark.parametrize(
    ("old_down", "new_up"),
    sweep((down, 540) for down in np.linspace(504.2, 536.2, 20)) + sweep((510, up) for up in np.linspace(510.3, 700.3, 20)),
)
def test_a_handoff_given_up_asks_the_old_router_over_the_new_link(procedure, buffer_packets, old_down, new_up):
    """The request left at 500 ms. No warning and no marker: the update leaves as soon as the new link is up."""
    updated, anchor = DELAYS.updated_after_move(new_up), 500 + switch_ms(procedure)
    options = {"old_buffer_packets": buffer_packets, "new_buffer_packets": None, **HOLD}
    run = run_handoff(procedure, interval_ms=T, predict=500, old_down=old_down, new_up=new_up, **options)
    assert lost(run) in floor_or_ceil(formulas.smooth_loss(DELAYS, old_down, updated, T, buffer_packets, anchor))
    expected = formulas.forwarded_packets(DELAYS, old_down, updated, anchor, T, buffer_packets)
    assert abs(forwarded(run) - expected) <= 1
    if buffer_packets:  # else packets lost before the first one over the new link add to the interruption
        expected = formulas.forwarding_disruption(DELAYS, old_down, updated, anchor, new_up)
        assert abs(disruption(run) - expected) <= T


# -- equal buffers (decision 28) ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("procedure", NEVER_FORWARD)
@pytest.mark.parametrize(("gap_ms", "buffer_packets"), sweep((gap, None) for gap in np.linspace(1, 400, 20)))
def test_a_buffer_does_not_help_a_procedure_that_never_asks_for_its_packets(procedure, gap_ms, buffer_packets):
    """Packets wait at the old router until their time is over: the loss is 1 / T times the time from old down to the binding."""
    options = {"old_buffer_packets": buffer_packets, "forwarding_lifetime_ps": 600 * MS}
    run = run_handoff(procedure, interval_ms=T, old_down=500, new_up=500 + gap_ms, **options)
    expected = formulas.conventional_loss(DELAYS, 500, 500 + gap_ms + DISCOVERY, T)
    assert expected == pytest.approx((gap_ms + DISCOVERY + WN + BN + P + BO + WO) / T)
    assert lost(run) in floor_or_ceil(expected)
    assert abs(held(run, "old") - expected) <= 1
    assert forwarded(run) == 0
