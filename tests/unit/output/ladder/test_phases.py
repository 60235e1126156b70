"""Phases of a handoff from its record and its messages; times in ms."""

import pytest

from engine import FOREVER
from handoff.output.ladder.phases import Phases, handoff_phases, switch_times
from handoff.protocol.procedures import PROCEDURES
from handoff.simulation.observer import Action, SentMessage

MS = 10**9
MN, OLD, NEW, HA, CN = -1, 10, 11, 1, 2
SYNC = PROCEDURES["sync-mipv4"]
EVENTS = ("down", "up", "request", "reply", "marker", "rescue", "acknowledged", "bound")


def record(scenario, **events):
    facts = {f"{name}_ps": events[name] * MS if name in events else -1 for name in EVENTS}
    return facts | {"scenario": scenario, "old_router": OLD, "new_router": NEW}


def hop(message, source, to, sent, got=None):
    return SentMessage(message, source, to, sent * MS, None if got is None else got * MS)


def bind(time, node):
    return Action(time * MS, node, 0, "bind", {"coa": NEW})


def begins(facts, hops=(), actions=(), procedure=SYNC, drained=-1):
    phases = handoff_phases(facts, procedure, hops, actions, drained * MS if drained >= 0 else -1)
    return [(begin / MS, name) for begin, name in phases.begins]


def test_scenario_i_begins_phase_3_at_the_first_answer():
    facts = record(1, request=10, reply=40, marker=30, down=50, up=12)
    hops = [hop("RQ", MN, OLD, 10, 14), hop("RR", HA, NEW, 20, 36), hop("DRR", HA, OLD, 20, 26)]
    assert begins(facts, hops) == [(0, "I-1"), (10, "I-2"), (20, "I-3"), (30, "I-4"), (50, "I-5")]


def test_with_route_optimization_phase_3_begins_at_the_correspondent_that_sends_the_marker():
    facts = record(1, request=10, reply=45, marker=30, down=50, up=12)
    hops = [hop("DBA", CN, OLD, 18, 24), hop("RR", HA, NEW, 22, 41)]
    assert (18, "I-3") in begins(facts, hops, [bind(25, CN)], PROCEDURES["sync-mipv4-ro"])


def test_with_route_optimization_the_reply_of_the_home_agent_is_not_in_phase_2():
    facts = record(1, request=10, reply=45, marker=30, down=50, up=12)
    hops = [hop("BA1", HA, NEW, 17, 40), hop("DBA", CN, OLD, 18, 24)]
    phases = handoff_phases(facts, PROCEDURES["sync-mipv6-ro"], hops, (), -1)
    assert [phases.of(h) for h in hops] == ["I-3", "I-3"]


def test_a_relayed_request_is_no_answer():
    """Between regions the gateway relays the request to the home agent, which answers."""
    facts = record(1, request=10, reply=60, marker=50, down=70, up=12)
    hops = [hop("RQ", NEW, 5, 14, 20), hop("RQ", 5, HA, 20, 30), hop("RR", HA, 5, 31, 40), hop("RR", 5, NEW, 40, 50)]
    assert switch_times(facts, PROCEDURES["sync-hmipv4"], hops, ()) == (31 * MS, 31 * MS)


def test_the_last_switch_is_the_last_binding():
    facts = record(2, request=10, reply=45)
    hops = [hop("RR", HA, NEW, 20, 41)]
    assert switch_times(facts, PROCEDURES["sync-mipv4-ro"], hops, [bind(20, HA), bind(30, CN)]) == (20 * MS, 30 * MS)


def test_a_binding_of_another_handoff_is_no_switch():
    facts = record(2, request=10, reply=45)
    assert switch_times(facts, SYNC, [hop("RR", HA, NEW, 5, 9)], [bind(5, HA), bind(20, HA), bind(99, HA)]) == (20 * MS, 20 * MS)


LATE = {"request": 10, "reply": 40, "rescue": 22, "acknowledged": 35, "down": 50, "up": 12}


def test_scenario_ii_has_the_order_of_the_seed_if_the_anchor_switches_before_the_warning():
    hops = [hop("RR", HA, NEW, 20, 36)]
    assert begins(record(2, **LATE), hops) == [
        (0, "II-1"), (10, "II-2"), (20, "II-3"), (22, "II-4"), (35, "II-5"), (50, "II-6")
    ]  # fmt: skip


def test_scenario_ii_has_the_order_of_the_run_if_the_warning_comes_first():
    phases = handoff_phases(record(2, **LATE), SYNC, [hop("RR", HA, NEW, 25, 36)], [bind(25, HA)], -1)
    assert phases.names == ("II-1", "II-2", "II-4", "II-3", "II-5", "II-6")
    assert [phases.at(round(t * MS)) for t in (21, 22, 25, 25.1, 35)] == ["II-2", "II-4", "II-3", "II-4", "II-5"]
    assert phases.intervals("II-4") == [(22 * MS, 25 * MS), (25 * MS + 1, 35 * MS)]


def test_the_rescue_and_its_acknowledgement_are_in_phase_ii_4():
    hops = [hop("RR", HA, NEW, 20, 36), hop("BU", MN, OLD, 22, 26), hop("BA", OLD, NEW, 26, 32), hop("BA", NEW, MN, 32, 35)]
    late_switch = [hop("BU", MN, OLD, 22, 26), hop("BA", OLD, NEW, 26, 32), hop("RR", HA, NEW, 26, 36)]
    for sent in (hops, late_switch):
        phases = handoff_phases(record(2, **LATE), SYNC, sent, (), -1)
        assert {phases.of(h) for h in sent if h.message in ("BU", "BA")} == {"II-4"}


SINGLE = {"request": 10, "reply": 60, "rescue": 12, "acknowledged": 30, "down": 20, "up": 25}


def test_scenario_iii_has_the_order_of_the_seed_if_the_anchor_answers_last():
    assert begins(record(3, **SINGLE), [hop("RR", HA, NEW, 40, 56)]) == [
        (0, "III-1"), (10, "III-2"), (12, "III-3"), (25, "III-4"), (40, "III-5"), (60, "III-6")
    ]  # fmt: skip


def test_scenario_iii_has_the_order_of_the_run_if_the_anchor_answers_before_the_switch():
    names = [name for _, name in begins(record(3, **SINGLE), [hop("RR", HA, NEW, 15, 56)])]
    assert names == ["III-1", "III-2", "III-3", "III-5", "III-4", "III-6"]


def test_in_scenario_iii_the_new_router_passes_the_acknowledgement_on_in_phase_4():
    hops = [hop("BU", MN, OLD, 12, 16), hop("BA", OLD, NEW, 16, 22), hop("BA", NEW, MN, 25, 30)]
    phases = handoff_phases(record(3, **SINGLE), SYNC, hops, (), -1)
    assert [phases.of(h) for h in hops] == ["III-3", "III-3", "III-4"]


def test_a_request_at_the_time_of_the_rescue_is_in_phase_iii_2():
    facts = record(3, **SINGLE | {"request": 12})
    hops = [hop("RQ", MN, OLD, 12, 16), hop("BU", MN, OLD, 12, 16), hop("RQ", OLD, NEW, 16, 22)]
    phases = handoff_phases(facts, SYNC, hops, (), -1)
    assert [phases.of(h) for h in hops] == ["III-2", "III-3", "III-3"]
    assert phases.names[:3] == ("III-1", "III-2", "III-3")


def test_the_last_phase_begins_when_the_last_packet_has_been_forwarded():
    facts = record(3, **SINGLE)
    assert begins(facts, [hop("RR", HA, NEW, 40, 56)], drained=75)[-1] == (75, "III-6")


def test_a_handoff_without_a_reply_does_not_end():
    facts = record(2, **LATE)
    facts["reply_ps"] = -1
    assert begins(facts) == [(0, "II-1"), (10, "II-2"), (22, "II-4"), (35, "II-5")]


@pytest.mark.parametrize(("events", "begin"), [({"request": 10, "down": 20}, 10), ({"request": 30, "down": 20}, 20)])
def test_a_conventional_handoff_has_two_phases(events, begin):
    assert begins(record(0, **events), procedure=PROCEDURES["mipv4"]) == [(0, "1"), (begin, "2")]


def test_a_link_that_never_goes_down_begins_no_phase():
    facts = record(0, request=30) | {"down_ps": FOREVER}
    assert begins(facts, procedure=PROCEDURES["mipv4"]) == [(0, "1"), (30, "2")]


def test_the_time_before_the_first_phase_is_that_of_the_first():
    assert Phases(((5, "a"), (9, "b")), {}).at(0) == "a"
