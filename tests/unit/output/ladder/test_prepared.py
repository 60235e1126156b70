"""Diagrams of prepared handovers: phases, and the words for gates, copies and relays."""

import pytest

from handoff.output.ladder.collect import build_ladder
from tests.conformance.test_handovers import scene


@pytest.mark.parametrize(
    ("procedure", "texts"),
    [
        ("xn", {("old router", "binds to new router"), ("new router", "gate closed"), ("HA", "binds to new router")}),
        ("cho-early", {("old router", "copies to new router")}),
        ("n2-indirect", {("HA", "relays to new router"), ("old router", "binds to HA")}),
    ],
)
def test_what_happens_has_words(procedure, texts):
    ladder = build_ladder(scene(procedure).setup(), procedure, 0, 0, 1)
    assert texts <= {(event.column, event.text) for event in ladder.events}


def test_the_phases_are_preparation_execution_and_completion():
    """Report at 484, command at 500, arrival at 554; the acknowledgement comes at 579 and the marker at 583."""
    ladder = build_ladder(scene("xn").setup(), "xn", 0, 0, 1)
    assert ladder.phases == ("preparation", "execution", "completion", "after")
    of_message = {arrow.message: arrow.phase for arrow in ladder.arrows}
    assert of_message["MR"] == of_message["HRA"] == "preparation"
    assert of_message["HC"] == of_message["SN"] == "execution"
    assert of_message["HOC"] == of_message["EM"] == of_message["PSA"] == "completion"
