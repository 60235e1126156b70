"""Properties that all mobility models share: sorted tracks in the area, independence of other mobile nodes, crossing rate."""

import math
from fractions import Fraction

import numpy as np
import pytest

from handoff.mobility import GaussMarkov, RandomWaypoint
from handoff.mobility.coverage import Coverage, Radio
from handoff.mobility.coverage.attachment import compute_attachments

from .trajectories import positions, trajectories

S = 10**12
MODELS = [
    RandomWaypoint(1_000_000, 500_000, 1_000, 20_000, 30 * S),
    GaussMarkov(1_000_000, 500_000, 10_000, memory=Fraction(3, 4) * 2**20 // 1, step_ps=S // 2),
]
NAMES = [f"mn{i}" for i in range(300)]


@pytest.mark.parametrize("model", MODELS)
def test_tracks_are_sorted_inside_the_area_and_long_enough(model):
    tracks = model.tracks(NAMES, seed=1, until_ps=100 * S)
    assert tracks.mobile_names == NAMES
    for path in trajectories(tracks):
        assert path.time_ps[0] == 0
        assert path.time_ps[-1] >= 100 * S
        assert (np.diff(path.time_ps) > 0).all()
    assert 0 <= tracks.x_mm.min() <= tracks.x_mm.max() <= 1_000_000
    assert 0 <= tracks.y_mm.min() <= tracks.y_mm.max() <= 500_000


@pytest.mark.parametrize("model", MODELS)
def test_neither_another_mobile_node_nor_the_order_of_names_changes_a_track(model):
    all_tracks = dict(zip(NAMES, trajectories(model.tracks(NAMES, seed=1, until_ps=50 * S)), strict=True))
    some = ["mn7", "other", "mn3"]
    for name, path in zip(some, trajectories(model.tracks(some, seed=1, until_ps=50 * S)), strict=True):
        if name in all_tracks:
            for column in ("time_ps", "x_mm", "y_mm"):
                assert np.array_equal(getattr(path, column), getattr(all_tracks[name], column))
    (longer,) = trajectories(model.tracks(["mn7"], seed=1, until_ps=500 * S))
    n = len(all_tracks["mn7"].time_ps)
    assert np.array_equal(longer.x_mm[:n], all_tracks["mn7"].x_mm)
    (other_seed,) = trajectories(model.tracks(["mn7"], seed=2, until_ps=50 * S))
    assert not np.array_equal(other_seed.x_mm[:5], longer.x_mm[:5])


def test_boundaries_are_crossed_at_the_rate_of_the_fluid_flow_model():
    """Nodes leave each half of a square at the rate density × speed × length / pi, where length is that of the common side."""
    side_m, nodes, seconds = 1_000, 400, 600
    model = GaussMarkov(side_m * 1000, side_m * 1000, 10_000, memory=0, step_ps=5 * S)
    tracks = model.tracks([f"m{i}" for i in range(nodes)], seed=2, until_ps=seconds * S)
    # equally strong in the middle, no hysteresis and nearly no time to trigger: a node that crosses the line hands off
    coverage = Coverage(
        ("w", "e"), (250_000, 750_000), (500_000, 500_000), Radio(), hysteresis=0, minimum=-200_000, trigger_ps=10**9,
        interval_ps=S // 2, lead_ps=0, guard_ps=0,
    )  # fmt: skip
    log = compute_attachments(coverage, tracks, seed=2, until_ps=seconds * S)
    handoffs = int((log.mobile[1:] == log.mobile[:-1]).sum())
    _, _, way = positions(tracks, [seconds * S])
    speed = way.mean() / 1000 / seconds
    density = nodes / side_m**2
    expected = 2 * density * speed * side_m / math.pi * seconds
    assert speed == pytest.approx(10, rel=0.05)
    # crossings of one node come in clusters: their variance is estimated from the nodes
    counts = np.bincount(log.mobile, minlength=nodes) - 1
    assert abs(handoffs - expected) < 4 * counts.std() * math.sqrt(nodes)
