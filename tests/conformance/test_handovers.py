"""The worked example of prepared handovers: one mobile node, constant delays, every value from arithmetic.

The anchor emits a packet each ms, half a ms after the full one. Delays in ms: anchor to old router 10, to new router 12, old to
new 6, radio 4 and 5. The command leaves at 500, the old link ends at 504, the new one begins at 554, so that the new router
hears the mobile node at 559 and the path switches 8 ms later, at 567.
"""

from __future__ import annotations

from typing import Any

import pytest

from handoff.output.ladder.collect import build_ladder
from handoff.protocol.messages import MessageFields
from handoff.simulation.baseline import ZERO_BYTES
from handoff.simulation.run import run_procedure
from tests.conformance.run_assertions import RunView
from tests.conformance.two_router_scene import MS, Scene, Stay

PREPARATION = {"s1": 45, "n2": 45}
"""Time in ms from the report to the command: 4, 10 and 1 at the anchor's node, which is the control node too, 12, 7 and 1, 10.
Between routers it is 4, 6 and 6."""
DOWN = [t + 0.5 - 20 for t in range(100, 1200)]
UNLIMITED = {"new_buffer_packets": None, "old_buffer_packets": None}


def scene(procedure: str, *, predict: float | None = None, old_down: float = 504) -> Scene:
    at = 500 - PREPARATION.get(procedure[:2], 16) if predict is None else predict
    return Scene([Stay("old", 0, old_down, predict=at), Stay("new", 554)], delays={"new>ha": 7})


def handoff(procedure: str, at: Scene | None = None, **options: Any) -> dict[str, Any]:
    setup = (at or scene(procedure)).setup(DOWN, options=UNLIMITED | options)
    run = run_procedure(setup, procedure, reference=ZERO_BYTES, detail=True)
    values = {name: column[0] for name, column in run.handoffs.items()}
    peaks = dict(zip((n.name for n in setup.network.nodes), run.result.nodes["held_peak_packets"].tolist(), strict=True))
    return values | {"peaks": peaks, "disruption": int(values["disruption_ps"]) / MS}


def test_nothing_is_lost_with_forwarding():
    """Forwarded: emitted from 490 to 567. Waiting at most: those emitted from 490 until 559 - 10 - 6 = 543."""
    for name in ("x2", "xn"):
        seen = handoff(name)
        assert (seen["lost"], seen["reordered"], seen["duplicate"]) == (0, 0, 0)
        assert (seen["forwarded"], seen["peaks"]["new"], seen["disruption"]) == (77, 53, 59.5)
        assert (seen["scenario"], seen["completed"], seen["reply_ps"], seen["marker_ps"]) == (1, 1, 504 * MS, 583 * MS)


def test_a_smaller_buffer_loses_the_rest():
    assert handoff("x2", new_buffer_packets=20)["lost"] == 53 - 20


@pytest.mark.parametrize("name", ["x2-um", "xn-um", "n2-unforwarded"])
def test_without_forwarding_77_packets_are_lost(name):
    """Emitted from 490 to 567. The interruption lasts from the last packet over the old radio to the first one after 567."""
    seen = handoff(name)
    assert (seen["lost"], seen["forwarded"], seen["disruption"]) == (77, 0, 80)


@pytest.mark.parametrize("name", ["s1-indirect", "n2-indirect"])
def test_forwarding_through_the_anchor(name):
    """The way back to the anchor and to the new router takes 10 + 12 ms: the gate holds the packets of 10 + 10 ms, not of 4."""
    seen = handoff(name)
    assert (seen["lost"], seen["reordered"], seen["forwarded"], seen["disruption"]) == (0, 0, 77, 59.5)
    assert seen["completed"] == 1


@pytest.mark.parametrize("name", ["x2-ungated", "xn-ungated"])
def test_without_the_gate_direct_packets_overtake(name):
    """The way through the old router takes 10 + 6 - 12 = 4 ms longer: the packets of 3 or 4 intervals come late."""
    assert handoff(name)["reordered"] == 3


def test_without_the_gate_the_way_back_through_the_anchor_reorders_more():
    """It takes 10 + 9.75 ms longer than the direct one. The first direct packet, of 567.5, arrives at 579.5; those of 548.5 to
    566.5 arrive 31.75 ms after they were emitted, and so after it."""
    at = Scene([Stay("old", 0, 504, predict=455), Stay("new", 554)], delays={"new>ha": 7, "old>ha": 9.75})
    assert handoff("n2-indirect-ungated", at)["reordered"] == 19
    assert handoff("n2-indirect", at)["reordered"] == 0


def test_a_gate_that_opens_by_its_timer_is_no_gate():
    assert handoff("x2", gate_timer_ps=MS)["reordered"] == 3


def test_conditional_handovers():
    """Late forwarding waits for HANDOVER SUCCESS and comes after 12 ms more; copies are there before. The copies number
    those emitted from 490 to 565 = 559 + 6; the old router gets 65 of them in vain, after 494."""
    late, early = handoff("cho-late"), handoff("cho-early")
    assert (late["lost"], late["disruption"], late["peaks"]["old"]) == (0, 71.5, 65)
    assert (early["lost"], early["disruption"], early["forwarded"]) == (0, 59.5, 77)
    assert handoff("cho-late", old_buffer_packets=0)["lost"] == 65


def test_two_active_stacks_interrupt_for_the_difference_of_the_ways():
    """The old router delivers until HANDOVER SUCCESS at 565; the first packet through the new one comes 6 + 5 - 4 ms late."""
    seen = handoff("daps", scene("daps", old_down=700))
    assert (seen["lost"], seen["disruption"], seen["duplicate"]) == (0, 7, 0)


@pytest.mark.parametrize(("name", "disruption"), [("fmipv6-reactive", 71.5), ("pfmipv6-predictive", 59.5)])
def test_fast_handovers_have_no_marker(name, disruption):
    seen = handoff(name)
    assert (seen["lost"], seen["disruption"], seen["reordered"]) == (0, disruption, 3)


def test_a_reactive_handover_loses_what_the_old_router_does_not_buffer():
    """Emitted from 490 until 565 - 10, when the update reaches the old router: 65, less its buffer."""
    assert [handoff("fmipv6-reactive", old_buffer_packets=n)["lost"] for n in (0, 20, 100)] == [65, 45, 0]


def test_a_command_that_is_not_heard_is_scenario_ii():
    """The link ends 1 ms before the command arrives: what was in the air then is lost, and the rest is forwarded."""
    seen = handoff("x2", scene("x2", old_down=503))
    assert (seen["scenario"], seen["completed"]) == (2, 1)


def test_a_move_without_a_command_is_scenario_iii():
    """The new router fetches the context; the old one forwards what it has buffered since its link could not carry it."""
    seen = handoff("x2", Scene([Stay("old", 0, 504), Stay("new", 554)], delays={"new>ha": 7}))
    assert (seen["scenario"], seen["completed"], seen["lost"]) == (3, 1, 0)


def test_containers_make_messages_longer():
    sizes = {}
    for size in (0, 400):
        view = RunView(scene("x2").setup(options={"request_container_bytes": size, "command_container_bytes": size}), "x2")
        sent = [a.arguments for a in view.actions if a.verb == "send"]
        sizes[size] = {view.message(MessageFields.unpack(a["args"])): a["size_bytes"] for a in sent}
    longer = {m for m, size in sizes[400].items() if size == sizes[0][m] + 400}
    assert longer == {"HRQ", "HRA"}


def test_a_report_waits_until_the_mobile_node_can_leave():
    """Single access: at the warning. Dual access: when the new link is up. A conditional handover reports at the prediction."""
    single = [Stay("old", 0, 504, predict=300, warn=480), Stay("new", 554)]
    dual = [Stay("old", 0, 700, predict=300, warn=680), Stay("new", 554)]
    for stays, reported in ((single, 480), (dual, 554)):
        assert handoff("xn", Scene(stays))["request_ps"] == reported * MS
        assert handoff("cho-late", Scene(stays))["request_ps"] == 300 * MS
        assert handoff("xn", Scene(stays), request="predict")["request_ps"] == 300 * MS
    assert handoff("cho-late", Scene(single), request="going-down")["request_ps"] == 480 * MS


def test_a_cell_switch_inside_a_central_unit():
    """The report for the switch leaves at the warning, and the command at 500; what waits comes back by the anchor, 22.25 ms away
    and so behind direct packets: the first one is emitted at 511.5 and arrives at 523.5, and 20 from 491.5 on arrive after it."""
    at = Scene([Stay("old", 0, 504, predict=400, warn=496), Stay("new", 554)], delays={"new>ha": 7, "old>ha": 10.25})
    seen = handoff("ltm-intra-cu", at)
    assert (seen["scenario"], seen["lost"], seen["disruption"], seen["reordered"]) == (1, 0, 59.5, 20)


def test_a_late_path_switch_loses_nothing_while_both_links_are_up():
    """The switch comes at 587, two round trips to the anchor after 559: with a link that ends at 504, 97 packets are lost."""
    assert handoff("pmipv6-transient", old_buffer_packets=0)["lost"] == 97
    assert handoff("pmipv6-transient", scene("pmipv6-transient", old_down=700))["lost"] == 0


@pytest.mark.parametrize(("name", "lost"), [("dmm-relay", 94), ("dmm-locator", 77), ("dmm-proxy", 77)])
def test_distributed_mobility_loses_until_both_ends_of_the_tunnel_know_it(name, lost):
    """The old router knows the tunnel at 577. The new one knows it at 600 (relay), 583 or 579: before 600 - 6 it drops."""
    assert handoff(name, old_buffer_packets=0)["lost"] == lost


def test_the_first_router_remains_the_anchor_of_distributed_mobility():
    """From old to new and back, and to new again: the home agent sends to old throughout."""
    stays = [Stay("old", 0, 504), Stay("new", 554, 900), Stay("old", 920, 1200), Stay("new", 1220)]
    view = RunView(Scene(stays).setup(DOWN), "dmm-locator")
    assert [view.table("ha", at) for at in (400, 800, 1100, 1500)] == [["old"]] * 4
    assert [view.table("old", at) for at in (400, 800, 1100, 1500)] == ["local", ["new"], "local", ["new"]]


def test_the_measurement_ends_after_the_last_message():
    """x2: the marker comes to the new router at 583. With a settling time of 100 the first packet from 683 on ends it, unless the
    old link lasts longer; without one the mobile node looks each 4 ms, the delay of the longer direction of the shorter radio."""
    assert handoff("x2")["end_ps"] == 683.5 * MS
    assert 583 * MS <= handoff("x2", settle_ps=0)["end_ps"] <= 592 * MS
    late = Scene([Stay("old", 0, 900), Stay("new", 554)], delays={"new>ha": 7}, until=4000)
    seen = handoff("x2", late)  # no prediction: it arrives at 900, and the acknowledgement comes to the old router's peer at 937
    assert (seen["completed"], 1000 * MS < seen["end_ps"] < 1100 * MS) == (1, True)


@pytest.mark.parametrize(("name", "stay", "last"), [
    ("ltm-intra-cu", Stay("old", 0, 504, predict=400, warn=496), 579),
    ("fmipv6-predictive", Stay("old", 0, 504, predict=476), 584),
])  # fmt: skip
def test_answers_of_the_preparation_do_not_end_the_measurement(name, stay, last):
    """The anchor hears of the arrival at 567, the new router of that at 579, and the mobile node at 584; 100 ms later it ends."""
    at = Scene([stay, Stay("new", 554)], delays={"new>ha": 7})
    assert handoff(name, at)["end_ps"] == (last + 100.5) * MS


def test_a_fast_handover_without_a_registration_is_not_complete():
    """The old router acknowledges the update at 576, and the registration is lost."""
    at = Scene([Stay("old", 0, 504), Stay("new", 554)], loss=("new>ha",))
    assert handoff("fmipv6-reactive", at)["completed"] == 0


def test_only_a_command_is_recorded_as_one():
    unannounced = Scene([Stay("old", 0, 504), Stay("new", 554)], delays={"new>ha": 7})
    assert handoff("x2", unannounced)["rescue_ps"] == -1
    assert handoff("x2")["rescue_ps"] == 500 * MS
    view = build_ladder(unannounced.setup(DOWN), "x2", 0, 0, 1)
    assert [name for name in view.phases if name in ("execution", "completion")] == ["completion"]


def test_the_context_release_ends_forwarding_unless_its_lifetime_shall():
    """The old router hears the release at 585 and the marker at 577."""
    for end, entry in (("marker", None), ("lifetime", ["new"])):
        view = RunView(scene("x2").setup(DOWN, options=UNLIMITED | {"forwarding_end": end}), "x2")
        assert (view.table("old", 580), view.table("old", 600)) == (["new"], entry)
