"""Closed forms of handoffs against the example of docs/procedures.md, computed by hand."""

import math

import pytest

from handoff.theory import handoff_formulas as handoffs

EXAMPLE = handoffs.PathDelays(anchor_old=10, anchor_new=12, radio_old=4, radio_new=5, between=6, processing=1)
"""Delays in ms; one packet per ms."""


def test_handoffs_of_the_example():
    assert handoffs.conventional_loss(EXAMPLE, 500, 800, 1) == 332
    assert handoffs.conventional_disruption(EXAMPLE, 500, 800) == 335
    assert [handoffs.smooth_loss(EXAMPLE, 500, 620, 1, b) for b in (0, 50, 200)] == [124, 74, 0]
    assert handoffs.old_buffer(EXAMPLE, 500, 620, 1) == 124
    assert EXAMPLE.lead == 37
    assert EXAMPLE.switch(500) == 523
    assert handoffs.bicast_duplicates(EXAMPLE, 523, 600, 1) == 63
    assert handoffs.bicast_copies(523, 723, 1) == 200
    assert handoffs.bicast_loses_nothing(EXAMPLE, 523, 600, 530)
    assert not handoffs.bicast_loses_nothing(EXAMPLE, 523, 536, 530)
    assert not handoffs.bicast_loses_nothing(EXAMPLE, 523, 600, 536)
    assert handoffs.rescue_loss(EXAMPLE, 4.1, 1) == pytest.approx(3.9)
    assert handoffs.rescue_loss(EXAMPLE, 8, 1) == 0
    assert handoffs.reordered(EXAMPLE, 1) == 3


@pytest.mark.parametrize(("switch", "peak"), [(20, 20), (100, 104)])
def test_peak_at_the_new_router_of_the_example(switch, peak):
    """The warning comes 20 ms before the anchor switches (523 ms); the old link ends 10 ms after the warning."""
    assert handoffs.new_buffer(EXAMPLE, 523, 503 + 4, 513 + switch, 1) == peak


def test_boundary_crossings():
    assert handoffs.crossings_per_s(0.01, math.pi, 100) == pytest.approx(1)
