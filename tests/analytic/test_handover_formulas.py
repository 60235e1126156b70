"""Simulated prepared handovers equal their closed forms over 20 random sets of delays, gaps, intervals and buffers each."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.analytic.one_handover import Handover

NUMBERS = pytest.mark.parametrize("number", [0, *(pytest.param(n, marks=pytest.mark.deep) for n in range(1, 20))])
DIRECT = ["x2", "xn"]
INDIRECT = ["s1-indirect", "n2-indirect"]
GATED = pytest.mark.parametrize(("procedure", "indirect"), [(p, p in INDIRECT) for p in DIRECT + INDIRECT])
US = 10**6


def value(run, name):
    return int(run.handoffs[name][0])


def disruption(run):
    return value(run, "disruption_ps") / US


def peak(run, node=3):
    return int(run.result.nodes["held_peak_packets"][node])


@NUMBERS
@GATED
def test_forwarding_behind_a_gate_loses_duplicates_and_reorders_nothing(procedure, indirect, number):
    handover = Handover.draw(number, indirect=indirect)
    run = handover.run(procedure)
    assert (value(run, "scenario"), value(run, "completed")) == (1, 1)
    assert (run.result.flows["lost"][0], value(run, "duplicate"), value(run, "reordered")) == (0, 0, 0)
    assert value(run, "forwarded") == handover.forward_count()
    assert disruption(run) == handover.forward_interruption()
    gap = handover.up - handover.command - handover.wo
    if handover.detour <= gap + handover.wo + handover.wn:
        assert -handover.interval < handover.forward_interruption() - (gap + 2 * handover.wn) <= 0


@NUMBERS
@GATED
def test_a_smaller_buffer_of_the_target_loses_what_exceeds_it(procedure, indirect, number):
    """The gate has the same buffer, which the packets of the detour fill later."""
    handover = Handover.draw(number, indirect=indirect, up=400_000)
    assert peak(handover.run(procedure)) == handover.target_peak()
    room = handover.target_peak() // 2
    lost = handover.target_peak() - room + max(0, handover.gate_peak() - room)
    assert handover.run(procedure, new_buffer_packets=room).result.flows["lost"][0] == lost


@NUMBERS
@GATED
def test_the_gate_holds_the_packets_of_the_detour(procedure, indirect, number):
    """The mobile node comes at once and nothing else waits. A gate makes no gap beyond the interval."""
    down = Handover.draw(number).command + 1_000
    handover = Handover.draw(number, indirect=indirect, wo=1_000, wn=2_000, down=down, up=down)
    assert handover.target_peak() == 0
    run = handover.run(procedure)
    assert abs(peak(run) - handover.gate_peak()) <= 1
    assert value(run, "reordered") == 0


@NUMBERS
@pytest.mark.parametrize("procedure", ["x2-ungated", "xn-ungated", "fmipv6-predictive", "pfmipv6-predictive"])
def test_without_a_gate_direct_packets_overtake(procedure, number):
    handover = Handover.draw(number)
    report = handover.command - handover.preparation() - (2 * handover.wo if procedure.startswith("fmip") else 0)
    run = handover.run(procedure, report)
    assert value(run, "reordered") == handover.ungated_reordered()
    assert 0 <= handover.ungated_reordered() - (math.ceil(handover.excess / handover.interval) - 1) <= 1
    assert run.result.flows["lost"][0] == 0
    assert disruption(run) == handover.forward_interruption()


@NUMBERS
@GATED
def test_unacknowledged_packets_arrive_twice(procedure, indirect, number):
    handover = Handover.draw(number, indirect=indirect)
    run = handover.run(procedure, forward_unacked=True)
    assert (value(run, "duplicate"), run.result.flows["lost"][0]) == (handover.unacked_duplicates(), 0)


@NUMBERS
@pytest.mark.parametrize("procedure", ["x2-um", "xn-um", "n2-unforwarded"])
def test_without_forwarding(procedure, number):
    handover = Handover.draw(number, indirect=procedure.startswith("n2"))
    run = handover.run(procedure)
    assert run.result.flows["lost"][0] == handover.unforwarded_lost()
    assert disruption(run) == handover.unforwarded_interruption()


@NUMBERS
def test_two_active_stacks(number):
    handover = Handover.draw(number, down=700_000)
    run = handover.run("daps")
    assert (run.result.flows["lost"][0], value(run, "duplicate")) == (0, 0)
    assert disruption(run) == handover.daps_interruption()
    assert value(run, "reordered") == 0 or handover.c + handover.wn < handover.wo


@NUMBERS
@pytest.mark.parametrize("procedure", ["cho-late", "fmipv6-reactive", "pfmipv6-reactive"])
def test_forwarding_after_the_arrival(procedure, number):
    handover = Handover.draw(number)
    report = None if procedure == "cho-late" else -1
    run = handover.run(procedure, report)
    assert run.result.flows["lost"][0] == 0
    assert disruption(run) == handover.late_interruption()
    way = handover.cb + handover.c
    assert -handover.interval < handover.late_interruption() - (handover.up - handover.down + 2 * handover.wn + way) <= 0
    for room in (0, handover.late_lost() // 3, handover.late_lost()):
        lost = handover.run(procedure, report, old_buffer_packets=room).result.flows["lost"][0]
        assert lost == handover.late_lost(room)


@NUMBERS
def test_copies_are_there_before(number):
    handover = Handover.draw(number, up=400_000)
    run = handover.run("cho-early")
    assert run.result.flows["lost"][0] == 0
    assert disruption(run) == handover.early_interruption()
    # copies of packets that the old router delivers itself count as duplicates
    begin = handover.down - handover.wo - handover.bo
    assert value(run, "forwarded") == handover.count(begin, handover.switched)
    assert value(run, "duplicate") == handover.count(handover.command - handover.bo, begin)


@NUMBERS
@pytest.mark.parametrize("after_link", [-30_000, -3_000, 1_000, 20_000])
def test_forwarding_that_begins_too_late(after_link, number):
    """FBack is not heard if it leaves later than the delay of the radio before the old link ends."""
    handover = Handover.draw(number, up=400_000)
    forwarding = handover.down + after_link
    report = forwarding - 3 * handover.wo - handover.c - handover.cb
    if report + 3 * handover.wo > handover.down:
        return  # the mobile node could not send FBU
    lost = handover.predictive_lost(forwarding, 0)
    for room in (0, lost // 2, lost):
        run = handover.run("fmipv6-predictive", report, old_buffer_packets=room)
        assert run.result.flows["lost"][0] == handover.predictive_lost(forwarding, room)


OVERLAP = pytest.mark.parametrize("overlap", [None, 5_000, 20_000, 45_000, 80_000])
"""Time for which both links are up; None: one link at a time."""


def draw_overlap(number: int, overlap: int | None) -> Handover:
    handover = Handover.draw(number)
    return handover if overlap is None else replace(handover, down=handover.up + overlap)


@NUMBERS
@OVERLAP
def test_a_late_path_switch_loses_what_the_old_link_does_not_carry(overlap, number):
    handover = draw_overlap(number, overlap)
    run = handover.run("pmipv6-transient", -1, old_buffer_packets=0)
    assert run.result.flows["lost"][0] == handover.transient_lost()
    assert handover.transient_lost() == 0 or overlap != 80_000


@NUMBERS
@pytest.mark.parametrize("values", [{}, {"bn": 8_000, "wn": 500}, {"bn": 8_000, "wn": 500, "bo": 15_990, "wo": 8_000}])
def test_a_late_path_switch_reorders_what_the_old_path_delays(values, number):
    handover = Handover.draw(number, **values, down=700_000)
    run = handover.run("pmipv6-transient", -1)
    assert run.result.flows["lost"][0] == 0
    assert value(run, "reordered") == handover.transient_reordered()
    difference = handover.bo + handover.wo - handover.bn - handover.wn
    assert 0 <= handover.transient_reordered() - max(0, math.ceil(difference / handover.interval) - 1) <= 1


@NUMBERS
@OVERLAP
@pytest.mark.parametrize("procedure", ["dmm-relay", "dmm-locator", "dmm-proxy"])
def test_distributed_mobility_loses_until_the_tunnel_is_known(procedure, overlap, number):
    """Packets that wait at the old router are lost too if they leave the tunnel before the new router knows it."""
    handover = draw_overlap(number, overlap)
    lost = handover.dmm_lost(procedure)
    assert handover.run(procedure, -1, old_buffer_packets=0).result.flows["lost"][0] == lost
    is_known = handover.tunnel_known(procedure) <= handover.tunnel_begins() + handover.c
    assert handover.run(procedure, -1).result.flows["lost"][0] == (0 if is_known else lost)
