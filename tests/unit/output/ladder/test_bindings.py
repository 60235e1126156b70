"""Tables of the nodes at an instant, with the times of the conformance tests' scenes."""

import pytest

from handoff.output.ladder.bindings import entries_at
from handoff.output.ladder.view import observe_handoff
from tests.conformance.cases import LATE, OVERLAP, SINGLE
from tests.conformance.two_router_scene import MS

OLD, NEW = "old router", "new router"


def entries(view, at):
    return {view.columns[node]: entry for node, entry in entries_at(view, round(at * MS)).items()}


def test_bindings_and_visitors_of_a_late_handoff():
    """Request at the new router 510, home agent binds 523; the update is at the old router at 524, the marker at 533."""
    view = observe_handoff(LATE.setup(down=[480]), "sync-mipv4", 0, 0, 1)
    assert entries(view, 499) == {"HA": (OLD,), OLD: ("visitor",)}
    assert entries(view, 522.999) == {"HA": (OLD,), OLD: ("visitor",), NEW: ("visitor",)}
    assert entries(view, 523) == {"HA": (NEW,), OLD: ("visitor",), NEW: ("visitor",)}
    assert entries(view, 524) == {"HA": (NEW,), OLD: (NEW,), NEW: ("visitor",)}
    assert entries(view, 533) == {"HA": (NEW,), NEW: ("visitor",)}


def test_a_mobile_node_without_its_new_link_has_its_packets_held():
    view = observe_handoff(SINGLE.setup(down=[480]), "sync-mipv4", 0, 0, 1)
    new_link_up = 513
    assert entries(view, new_link_up - 0.001)[NEW] == ("holds packets",)
    assert entries(view, new_link_up)[NEW] == ("visitor",)


def test_simultaneous_bindings_end():
    view = observe_handoff(OVERLAP.setup(down=[480]), "mipv4-bicast", 0, 0, 1)
    assert entries(view, 523)["HA"] == (OLD, NEW)
    assert entries(view, 1900)["HA"] == (NEW,)


@pytest.mark.parametrize(("procedure", "anchors"), [("sync-mipv6-ro", {"HA", "CN"}), ("sync-hmipv6", {"HA", "MAP"})])
def test_every_anchor_has_a_binding_at_time_0(procedure, anchors):
    view = observe_handoff(LATE.setup(down=[480]), procedure, 0, 0, 1)
    expected = {anchor: (OLD,) for anchor in anchors} | {OLD: ("visitor",)}
    if "MAP" in anchors:
        expected["HA"] = ("MAP",)
    assert entries(view, 0) == expected
