"""Tests of handoff.protocol.context_table, with a context that records actions."""

from __future__ import annotations

import pytest

from handoff.protocol.context_table import ContextTable
from handoff.protocol.messages import MessageFields
from tests.unit.protocol.parts import MS, SECOND, RecordingContext, build_parts

BUFFERS = {"new_buffer_packets": 7, "new_buffer_bytes": 900, "old_buffer_packets": 5, "old_buffer_bytes": 800}
LIFETIME = 10 * SECOND


class Router:
    """The context table of one router, and what it does at each call."""

    def __init__(self, name="new", procedure="x2", **options):
        self.p = p = build_parts(procedure, **BUFFERS | options)
        self.table, self.ctx = ContextTable(p.program, p.roles, getattr(p, name)), RecordingContext(time_ps=SECOND)

    def args(self, identification=1, old=None, new=None):
        p = self.p
        return MessageFields(0, 0, p.old if old is None else old, p.new if new is None else new, -1, identification, 0)

    def apply(self, effect, *args, **fields):
        self.table.apply(self.ctx, effect, self.args(*args, **fields))
        return self.ctx.take()

    def send(self, action, *args, **fields):
        self.table.before_sending(self.ctx, action, True, self.args(*args, **fields))
        return self.ctx.take()

    def link(self, event):
        getattr(self.table, f"on_link_{event}")(self.ctx)
        return self.ctx.take()

    def marker(self, *args, **fields):
        return self.table.on_marker(self.ctx, self.args(*args, **fields))


HOLD_FOR_A_VISITOR = ("buffer", (), {"packets": 7, "bytes": 900, "until_ps": SECOND + LIFETIME})
GATE = ("buffer", (), {"packets": 7, "bytes": 900, "gate": 1})
LOCAL = ("deliver_locally", (), {})
HOLD = ("buffer", (), {"packets": 5, "bytes": 800, "until_ps": SECOND + LIFETIME})


def names(calls):
    return [name for name, _, _ in calls]


# -- the new router -------------------------------------------------------------------------------------------------------
def test_the_new_router_buffers_until_the_mobile_node_comes_and_then_behind_a_gate_until_the_marker():
    new = Router()
    assert new.apply("expect", 1) == [HOLD_FOR_A_VISITOR]
    assert new.link("up") == []
    assert new.apply("open", 2)[0] == GATE
    assert new.apply("release", 2) == [LOCAL]


def test_the_gate_opens_after_its_timer_but_not_by_that_of_an_earlier_handoff():
    new = Router(gate_timer_ps=30 * MS)
    new.link("up")
    gate, (name, (at_ps, _, identification), _) = new.apply("open", 2)
    assert (gate, name, at_ps, identification) == (GATE, "timer", SECOND + 30 * MS, 2)
    new.table.on_gate_timer(new.ctx, 1)
    assert new.ctx.take() == []
    new.table.on_gate_timer(new.ctx, 2)
    assert new.ctx.take() == [LOCAL]


def test_a_marker_that_comes_first_leaves_no_gate():
    new = Router()
    new.link("up")
    new.apply("expect", 1)
    assert new.apply("release", 2) == []
    assert new.apply("open", 2) == [LOCAL]


def test_the_marker_of_an_earlier_handoff_opens_no_gate():
    new = Router()
    new.link("up")
    new.apply("open", 5)
    assert new.apply("release", 3) == []
    assert new.apply("release", 5, old=new.p.new, new=new.p.old) == []
    assert new.apply("release", 5) == [LOCAL]


@pytest.mark.parametrize("old", ["none", "own"])
def test_there_is_no_gate_without_another_old_router(old):
    new = Router()
    new.link("up")
    assert new.apply("open", 2, old=-1 if old == "none" else new.p.new) == [LOCAL]


def test_a_request_for_a_mobile_node_that_has_come_or_of_an_earlier_handoff_changes_nothing():
    new = Router()
    new.link("up")
    new.apply("open", 4)
    assert new.apply("expect", 5) == []
    new = Router()
    new.apply("expect", 4)
    assert new.apply("expect", 3) == []


def test_the_message_of_an_earlier_arrival_opens_nothing():
    new = Router()
    new.link("up")
    new.apply("expect", 4)
    assert new.apply("open", 3) == []


def test_a_mobile_node_that_has_left_before_its_message_arrives_gets_nothing_over_the_dead_link():
    new = Router()
    new.link("up"), new.link("draining")
    assert new.apply("open", 2) == [HOLD]
    assert new.link("up") == [LOCAL]


def test_a_mobile_node_that_comes_without_its_message_and_registers_is_served():
    new = Router(procedure="fmipv6-predictive")
    new.link("up")
    new.apply("expect", 1)
    new.table.on_request(new.ctx, new.args(2))
    assert new.ctx.take() == [LOCAL]
    new.table.on_request(new.ctx, new.args(3))
    assert new.ctx.take() == []


# -- the old router -------------------------------------------------------------------------------------------------------
def forwarding(p, **values):
    return ("bind", (p.new,), {
        "header_bytes": 44, "end": "router", "until_ps": SECOND + LIFETIME, "beside_cell": False, "copy_in_flight": False,
    } | values)  # fmt: skip


def test_the_old_router_forwards_from_its_command_on():
    old = Router("old")
    assert old.send("forward", 1) == [forwarding(old.p)]
    assert old.link("draining") == []
    assert old.link("up") == []


def test_it_forwards_copies_of_what_is_on_the_air_on_request():
    old = Router("old", forward_unacked=True)
    assert old.send("forward", 1) == [forwarding(old.p, copy_in_flight=True)]


def test_it_goes_on_delivering_beside_copies():
    old = Router("old", "cho-early")
    assert old.send("copy", 1) == [forwarding(old.p, header_bytes=48, beside_cell=True)]
    assert old.marker(2) == (False, False), "the marker waits until copying ends"
    assert old.table.pop_waiting_marker(0) is None
    old.table.start_forwarding(old.ctx, old.args(2))
    assert old.ctx.take() == [forwarding(old.p, header_bytes=48)]
    assert old.table.pop_waiting_marker(0) == old.args(2)
    assert old.table.pop_waiting_marker(0) is None


def test_it_buffers_what_a_dying_link_cannot_carry():
    old = Router("old")
    assert old.link("draining") == [HOLD]
    assert old.send("forward", 1) == [forwarding(old.p)]


def test_it_stops_and_keeps_nothing_without_forwarding():
    old = Router("old", "x2-um")
    assert old.send("stop", 1) == [("unbind", (), {})]
    assert old.link("draining") == []
    old = Router("old", "n2-unforwarded")
    assert old.send("forward", 1) == [("unbind", (), {})]


def test_the_end_waits_for_the_marker_and_the_marker_for_the_end():
    old = Router("old")
    old.send("forward", 1)
    assert old.apply("end", 2) == []
    assert old.marker(2) == (True, True)
    old = Router("old")
    old.send("forward", 1)
    assert old.marker(2) == (True, False)
    assert old.apply("end", 2) == [("unbind", (), {})]
    old = Router("old", forwarding_end="lifetime")
    old.send("forward", 1), old.apply("end", 2)
    assert old.marker(2) == (True, False)


def test_the_marker_of_the_move_to_this_router_ends_no_forwarding_from_it():
    router, other = Router("new"), Router("new").p.old
    router.link("up"), router.apply("open", 2), router.apply("release", 2)
    assert names(router.send("forward", 3, old=router.p.new, new=other)) == ["bind"]
    assert router.apply("end", 4, old=router.p.new, new=other) == []
    assert router.marker(4, old=router.p.new, new=other) == (True, True)


def test_the_end_without_forwarding_drops_what_waits():
    old = Router("old", "s1-indirect")
    old.link("draining")
    assert old.apply("end", 2) == [("unbind", (), {})]
    assert old.link("up") == []


def test_a_procedure_without_a_marker_needs_none():
    old = Router("old", "pfmipv6-predictive")
    old.send("forward", 1)
    assert names(old.apply("end", 2)) == ["unbind"]


def test_messages_of_an_earlier_stay_change_nothing():
    old = Router("old")
    old.send("forward", 1)
    assert old.apply("expect", 5, old=old.p.new, new=old.p.old) == [HOLD_FOR_A_VISITOR]
    assert old.send("forward", 4) == []
    assert old.send("stop", 4) == []
    assert old.apply("end", 4) == []
    assert old.marker(4) == (True, False), "it goes on: this router forwards nothing any longer"


def test_forwarding_through_the_anchor():
    old = Router("old", "s1-indirect")
    (_, target, _), = old.send("forward", 1)
    assert target == (old.p.ha,)


def test_a_restart_forgets_all_but_the_link():
    old = Router("old")
    old.table.restart(old.ctx)
    assert names(old.ctx.take()) == ["unbind"]
    assert old.apply("open", 2, old=-1, new=old.p.old) == [LOCAL]
