"""Tests of handoff.protocol.mobile_node, with a context that records actions.

The mobile node is at ``old`` until 600 ms; the move to ``new`` is predicted at 500 ms, and the link there comes up at 520 ms.
"""

from types import SimpleNamespace

import pytest

from engine import EventKind
from handoff.protocol.constants import Status
from handoff.protocol.handoff_records import HandoffRecords
from handoff.protocol.message_routing import build_message_hops
from handoff.protocol.messages import CODES, MessageFields
from handoff.protocol.mobile_node import MobileNodeController
from handoff.protocol.program import DISCOVERED, DOWN, GOING_DOWN, PREDICT, REFRESH, RETRANSMIT, SETTLED, UP
from tests.conformance.two_router_scene import Stay
from tests.unit.protocol.parts import MS, SECOND, STAYS, RecordingContext, build_parts, step_number

SINGLE_ACCESS = (Stay("old", down=600, predict=500, warn=590), Stay("new", up=650))
NO_WARNING = (Stay("old", down=600, predict=500), Stay("new", up=650))
DUAL_UNANNOUNCED = (Stay("old", down=600), Stay("new", up=520))


class MobileNode:
    """A mobile node under test: its controller, its context, and the fields of the messages that it sends."""

    def __init__(self, procedure, **options):
        self.p = build_parts(procedure, **options)
        records = HandoffRecords(self.p.setup)
        hops = build_message_hops(self.p.program, self.p.roles)
        self.controller = MobileNodeController(self.p.program, self.p.roles, hops, self.p.setup.attachments, records)
        self.records, self.ctx = records.arrays, RecordingContext()
        self.state = self.controller.states[0]

    def happen(self, code, at_ms, argument=0):
        """Deliver an event or timer, and return the kinds of the messages sent."""
        self.ctx.time_ps = round(at_ms * MS)
        event = SimpleNamespace(kind=int(EventKind.SCHEDULED), code=code, args=(argument, 0, 0, 0, 0, 0), mobile=0, via=-1)
        return self._handle(event)

    def receive(self, message, at_ms, via, identification=1, **changes):
        """Deliver a message of the handoff, and return the kinds of the messages sent."""
        self.ctx.time_ps = round(at_ms * MS)
        fields = MessageFields(step_number(self.p.program, message), 2, self.p.old, self.p.new, -1, identification, 600)
        args = tuple(fields.replace(**changes))
        return self._handle(SimpleNamespace(kind=int(EventKind.MESSAGE), args=args, mobile=0, via=via))

    def _handle(self, event):
        self.ctx.calls = []
        self.controller.on_event(self.ctx, event)
        kinds = {code: kind for kind, code in CODES.items()}
        return [kinds[args[0]] for name, args, _ in self.ctx.calls if name == "send"]

    def record(self, name):
        return self.records[name][0]


def test_a_mobile_node_is_registered_where_it_is_at_time_0():
    node = MobileNode("sync-hmipv4")
    assert (node.state.router, node.state.gateway, node.state.links) == (node.p.old, node.p.gw, (0,))


def test_a_prediction_begins_the_handoff_and_registers_through_the_old_router():
    node = MobileNode("sync-mipv4")
    assert node.happen(PREDICT, 500) == ["RQ"]
    assert ("begin_measurement", (0,), {}) in node.ctx.calls
    assert (node.record("known_ps"), node.record("request_ps")) == (500 * MS, 500 * MS)


def test_a_reactive_procedure_only_begins_the_handoff_at_the_prediction():
    node = MobileNode("mipv4")
    assert node.happen(PREDICT, 500) == []
    assert node.record("known_ps") == 500 * MS


def test_a_reactive_procedure_registers_when_the_router_is_discovered():
    """Eager detection does not wait for the end of the old link (decision 31); lazy detection does."""
    node = MobileNode("mipv4")
    node.happen(UP, 520, 1)
    assert node.happen(DISCOVERED, 590, 1) == ["RQ"], "the old link still works"
    assert node.state.target_router == node.p.new
    node = MobileNode("mipv4", detection="lazy")
    node.happen(UP, 520, 1)
    assert node.happen(DISCOVERED, 590, 1) == [], "the old link still works"
    assert node.happen(DOWN, 600, 0) == ["RQ"], "and its router is known"


def test_discovery_over_the_second_radio_begins_an_unannounced_handoff():
    """Decision 31: request over the old link, as at a prediction, since the old link still works."""
    node = MobileNode("sync-mipv6", stays=DUAL_UNANNOUNCED)
    node.happen(UP, 520, 1)
    assert node.happen(DISCOVERED, 590, 1) == ["BU", "DBU"]
    assert [arguments["via"] for name, _, arguments in node.ctx.calls if name == "send"] == [node.p.old, node.p.old]
    assert (node.record("known_ps"), node.record("request_ps")) == (590 * MS, 590 * MS)
    node = MobileNode("sync-mipv6", stays=DUAL_UNANNOUNCED, detection="lazy")
    node.happen(UP, 520, 1)
    assert node.happen(DISCOVERED, 590, 1) == []


# -- time of the request (decision 27) ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("procedure", "stays", "request_time", "at_prediction", "at_warning"),
    [
        ("sync-mipv4", SINGLE_ACCESS, "auto", [], ["RQ", "BU"]),
        ("sync-mipv6", SINGLE_ACCESS, "auto", [], ["BU", "DBU", "BU"]),
        ("sync-mipv4", STAYS, "auto", ["RQ"], ["BU"]),  # dual access
        ("mipv4-bicast", SINGLE_ACCESS, "auto", ["RQ"], []),  # no update at the warning
        ("sync-mipv4", NO_WARNING, "auto", ["RQ"], None),
        ("sync-mipv4", SINGLE_ACCESS, "predict", ["RQ"], ["BU"]),
        ("sync-mipv4", STAYS, "going-down", [], ["RQ", "BU"]),
        ("mipv4-bicast", SINGLE_ACCESS, "going-down", [], ["RQ"]),
        ("sync-mipv4", NO_WARNING, "going-down", ["RQ"], None),
        ("mipv4", SINGLE_ACCESS, "going-down", [], []),
    ],
)
def test_the_request_leaves_at_the_prediction_or_at_the_warning(procedure, stays, request_time, at_prediction, at_warning):
    node = MobileNode(procedure, stays=stays, request=request_time)
    assert node.happen(PREDICT, 500) == at_prediction
    if at_warning is not None:
        assert node.happen(GOING_DOWN, 590) == at_warning
    requested_ms = 500 if at_prediction else 590
    assert node.record("request_ps") == (requested_ms * MS if at_prediction or at_warning else -1)


# -- update over the new link (decision 30) --------------------------------------------------------------------------------------
@pytest.mark.parametrize("procedure", ["sync-mipv4", "sync-hmipv4", "sync-mipv6", "sync-hmipv6"])
def test_an_unannounced_move_asks_the_old_router_to_forward(procedure):
    node = MobileNode(procedure, stays=(Stay("old", down=600), Stay("new", up=650)))
    node.happen(DOWN, 600, 0)
    node.happen(UP, 650, 1)
    request = "RQ" if node.p.program.procedure.ip == 4 else "BU"
    assert node.happen(DISCOVERED, 750, 1) == [request, "BU"]
    assert [arguments["via"] for name, _, arguments in node.ctx.calls if name == "send"] == [node.p.new, node.p.new]


def test_a_move_without_marker_and_warning_asks_the_old_router_as_soon_as_the_new_link_is_up():
    node = MobileNode("sync-mipv4", stays=NO_WARNING)
    node.happen(PREDICT, 500)
    assert node.happen(DOWN, 600, 0) == []
    assert node.happen(UP, 650, 1) == ["BU"]
    node = MobileNode("sync-mipv4", stays=NO_WARNING)
    node.happen(PREDICT, 500)
    node.receive("DRR", 537, node.p.old, lifetime_s=0)
    node.happen(DOWN, 600, 0)
    assert node.happen(UP, 650, 1) == [], "the marker was there: nothing is left to forward"


def test_the_second_radio_of_a_move_without_marker_carries_the_update_when_the_old_link_goes_down():
    node = MobileNode("sync-mipv4", stays=(Stay("old", down=600, predict=500), Stay("new", up=520)))
    node.happen(PREDICT, 500)
    assert node.happen(UP, 520, 1) == []
    assert node.happen(DOWN, 600, 0) == ["BU"]


def test_a_reply_registers_the_mobile_node_and_starts_the_refresh_timer():
    """Half of 600 s."""
    node = MobileNode("sync-mipv4")
    node.happen(PREDICT, 500)
    node.happen(UP, 520, 1)
    node.receive("RR", 540, node.p.new)
    assert node.state.router == node.p.new
    assert ("set_upstream_route", (node.p.new,), {}) in node.ctx.calls
    assert ("timer", (540 * MS + 300 * SECOND, REFRESH, 1), {}) in node.ctx.calls
    assert (node.record("reply_ps"), node.record("completed")) == (540 * MS, 1)


def test_a_reply_to_an_older_request_is_ignored():
    node = MobileNode("sync-mipv4")
    node.happen(PREDICT, 500)
    node.receive("RR", 540, node.p.new, identification=9)
    assert node.state.router == node.p.old
    assert node.record("reply_ps") == -1


def test_scenario_i_the_marker_arrives_before_the_warning():
    node = MobileNode("sync-mipv4")
    node.happen(PREDICT, 500)
    node.receive("DRR", 537, node.p.old, lifetime_s=0)
    assert ("count_after_marker", (node.p.old,), {}) in node.ctx.calls
    assert node.happen(GOING_DOWN, 590) == []
    assert (node.record("scenario"), node.record("marker_ps"), node.record("rescue_ps")) == (1, 537 * MS, -1)


def test_scenario_ii_the_warning_comes_first():
    node = MobileNode("sync-mipv4")
    node.happen(PREDICT, 500)
    assert node.happen(GOING_DOWN, 590) == ["BU"]
    assert (node.record("scenario"), node.record("rescue_ps")) == (2, 590 * MS)
    assert node.state.forwarding_router == node.p.old


def test_scenario_iii_with_single_access_sends_the_update_even_after_the_marker():
    node = MobileNode("sync-mipv4", stays=SINGLE_ACCESS, request="predict")
    node.happen(PREDICT, 500)
    node.receive("DRR", 537, node.p.old, lifetime_s=0)
    assert node.happen(GOING_DOWN, 590) == ["BU"]
    assert node.record("scenario") == 3


def test_a_warning_before_the_new_router_is_known_asks_nobody_to_forward():
    """The solicited advertisement has not arrived, so that the mobile node does not know where to."""
    node = MobileNode("sync-mipv4", prediction="solicitation")
    node.happen(PREDICT, 500)
    assert node.happen(GOING_DOWN, 590) == []
    assert node.record("rescue_ps") == -1


def test_a_marker_over_the_new_link_does_not_count_as_scenario_i():
    node = MobileNode("sync-mipv6")
    node.happen(PREDICT, 500)
    node.receive("DBA", 544, node.p.new, identification=2, lifetime_s=0)
    assert (node.record("marker_ps"), node.record("scenario")) == (544 * MS, 0)


def test_each_correspondent_has_a_marker():
    """Decision 4: all of them must arrive; here there is only ``cn``, and a marker about another one is not enough."""
    node = MobileNode("sync-mipv6-ro")
    assert node.happen(PREDICT, 500) == ["BU", "BU", "DBU"]
    node.receive("DBA", 537, node.p.old, identification=3, peer=node.p.cn, lifetime_s=0)
    assert (node.record("markers"), node.record("marker_ps")) == (1, 537 * MS)


@pytest.mark.parametrize(
    ("procedure", "options", "action"),
    [
        ("mipv4", {}, ("buffer_upstream", (), {"packets": 50})),
        ("mipv4", {"upstream_hold": False}, ("clear_upstream_route", (), {})),
        ("sync-mipv4", {"upstream_packets": 7}, ("buffer_upstream", (), {"packets": 7})),
        ("sync-mipv4", {"upstream_hold": False}, ("clear_upstream_route", (), {})),
    ],
)
def test_upstream_data_are_held_or_dropped_without_a_link(procedure, options, action):
    """Decision 28: in every procedure alike."""
    node = MobileNode(procedure, **options)
    node.happen(DOWN, 600, 0)
    assert action in node.ctx.calls


def test_upstream_data_may_use_the_new_link_early():
    node = MobileNode("sync-mipv4", upstream_early=True)
    node.happen(PREDICT, 500)
    node.happen(UP, 520, 1)
    assert ("set_upstream_route", (node.p.new,), {}) in node.ctx.calls


@pytest.mark.parametrize(("regions", "variant", "between"), [(1, ["BU", "DBU"], 0), (2, ["BU", "BU", "DBU"], 1)])
def test_a_move_between_regions_registers_with_the_home_agent_too(regions, variant, between):
    node = MobileNode("sync-hmipv6", regions=regions)
    assert node.happen(PREDICT, 500) == variant
    assert node.record("between") == between


def test_retransmissions_of_the_registration_are_counted():
    node = MobileNode("sync-mipv4")
    node.happen(PREDICT, 500)
    assert node.happen(RETRANSMIT, 1500, 1) == ["RQ"]
    assert node.record("retransmissions") == 1
    assert node.happen(RETRANSMIT, 1500, 1) == [], "answered or replaced"


@pytest.mark.parametrize(("status", "kinds"), [(Status.IDENTIFICATION_MISMATCH, ["RQ"]), (Status.HA_INSUFFICIENT_RESOURCES, [])])
def test_a_refusal_is_counted_and_overcome_at_once_if_a_new_identification_helps(status, kinds):
    node = MobileNode("sync-mipv4")
    node.happen(PREDICT, 500)
    assert node.receive("RR", 540, node.p.new, status=status, lifetime_s=0) == kinds
    assert node.record("denied") == 1
    assert node.state.router == node.p.old


def test_an_outdated_refresh_timer_is_ignored():
    node = MobileNode("mipv4")
    assert node.happen(REFRESH, 100, 0) == ["RQ"], "the timer of time 0"
    node.state.refresh_timer, node.state.registration_request = 3, 0
    assert node.happen(REFRESH, 200, 2) == []
    assert node.ctx.calls == []


def test_a_refresh_without_a_link_is_tried_again_after_a_second():
    node = MobileNode("mipv4")
    node.happen(DOWN, 600, 0)
    assert node.happen(REFRESH, 700, 0) == []
    assert node.ctx.calls == [("timer", (1700 * MS, REFRESH, 0), {})]


def test_the_measurement_ends_after_the_old_link_and_the_settle_time():
    node = MobileNode("sync-mipv4", settle_ps=100 * MS)
    node.happen(PREDICT, 500)
    node.happen(UP, 520, 1)
    node.receive("RR", 540, node.p.new)
    node.happen(DOWN, 600, 0)
    assert ("timer", (700 * MS, SETTLED, 0), {}) in node.ctx.calls
    node.happen(SETTLED, 700, 0)
    assert node.ctx.calls == [("end_measurement", (), {})]


def test_a_return_to_a_router_that_forwards_registers_again():
    """The old router was asked to forward, so that its registration no longer counts.

    The request for ``new`` is unanswered: packets may be on their way there, so that ``new`` is asked to forward (decision 30).
    """
    node = MobileNode("sync-mipv4", stays=(*SINGLE_ACCESS[:1], Stay("new", up=650, down=700), Stay("old", up=710)))
    node.happen(PREDICT, 500)
    node.happen(GOING_DOWN, 590)
    node.happen(DOWN, 600, 0)
    node.happen(UP, 710, 2)
    assert node.happen(DISCOVERED, 810, 2) == ["RQ", "BU"]
    assert node.state.target_router == node.p.old
    update = MessageFields.unpack([arguments["args"] for name, _, arguments in node.ctx.calls if name == "send"][1])
    assert (update.old, update.new) == (node.p.new, node.p.old)
