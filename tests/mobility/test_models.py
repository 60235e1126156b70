"""Generated movement: nobody's way depends on others, and means are those of the formulas."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import handoff_traces
from handoff.coverage import Coverage, Radio, attachments
from handoff.coverage.path import Path
from handoff.mobility import GaussMarkov, RandomWaypoint

S = 10**12
MODELS = [
    RandomWaypoint(1_000_000, 500_000, 1_000, 20_000, 30 * S),
    GaussMarkov(1_000_000, 500_000, 10_000, memory=Fraction(3, 4) * 2**20 // 1, step_ps=S // 2),
]
NAMES = [f"mn{i}" for i in range(300)]


def paths(tracks):
    bounds = tracks.bounds()
    for a, b in pairwise(bounds):
        yield Path(tracks.time_ps[a:b], tracks.x_mm[a:b], tracks.y_mm[a:b])


def at(tracks, times):
    """Position and way of each mobile node: three arrays of shape (mobiles, times)."""
    return (np.array(column) for column in zip(*(path.at(np.asarray(times)) for path in paths(tracks)), strict=True))


@pytest.mark.parametrize("model", MODELS)
def test_tracks_are_sorted_inside_the_area_and_long_enough(model):
    tracks = model.tracks(NAMES, seed=1, until_ps=100 * S)
    assert tracks.mobile_names == NAMES
    for path in paths(tracks):
        assert path.time_ps[0] == 0
        assert path.time_ps[-1] >= 100 * S
        assert (np.diff(path.time_ps) > 0).all()
    assert 0 <= tracks.x_mm.min() <= tracks.x_mm.max() <= 1_000_000
    assert 0 <= tracks.y_mm.min() <= tracks.y_mm.max() <= 500_000


@pytest.mark.parametrize("model", MODELS)
def test_a_mobile_more_and_another_order_change_no_other_way(model):
    all_of_them = dict(zip(NAMES, paths(model.tracks(NAMES, seed=1, until_ps=50 * S)), strict=True))
    some = ["mn7", "other", "mn3"]
    for name, path in zip(some, paths(model.tracks(some, seed=1, until_ps=50 * S)), strict=True):
        if name in all_of_them:
            for column in ("time_ps", "x_mm", "y_mm"):
                assert np.array_equal(getattr(path, column), getattr(all_of_them[name], column))
    (longer,) = paths(model.tracks(["mn7"], seed=1, until_ps=500 * S))
    n = len(all_of_them["mn7"].time_ps)
    assert np.array_equal(longer.x_mm[:n], all_of_them["mn7"].x_mm)
    (other_seed,) = paths(model.tracks(["mn7"], seed=2, until_ps=50 * S))
    assert not np.array_equal(other_seed.x_mm[:5], longer.x_mm[:5])


def test_random_waypoint_is_stationary_from_the_start():
    """Mean speed and share of pauses by Palm calculus: a cycle is a leg and a pause, seen in proportion to how long it lasts."""
    model = RandomWaypoint(1_000_000, 1_000_000, 1_000, 20_000, 60 * S)
    tracks = model.tracks([f"m{i}" for i in range(4000)], seed=9, until_ps=900 * S)
    leg_m = 521.405  # of two uniform points in a square of 1 km: (2 + sqrt 2 + 5 ln(1 + sqrt 2)) / 15
    leg_s, pause_s = leg_m * math.log(20) / 19, 30
    share = leg_s / (leg_s + pause_s)
    speed = leg_m / (leg_s + pause_s)
    for start in (0, 100, 800):
        _, _, way = at(tracks, [start * S, start * S + S // 10])
        moved = (way[:, 1] - way[:, 0]) / 100  # metres per second
        assert moved.mean() == pytest.approx(speed, abs=4.5 * moved.std() / math.sqrt(4000))
        assert (moved > 0.5).mean() == pytest.approx(share, abs=4.5 * math.sqrt(share * (1 - share) / 4000))
    # nodes gather in the middle, at the start as later: the variance of x stays the same, below that of a uniform law
    x = [next(at(tracks, [s * S]))[:, 0] / 1e6 for s in (0, 400, 900)]
    for found in x:
        assert found.var() < 0.95 / 12
        assert found.var() == pytest.approx(x[0].var(), rel=0.1)
        assert found.mean() == pytest.approx(0.5, abs=4.5 * 0.29 / math.sqrt(4000))


def test_gauss_markov_has_its_speed_memory_and_even_spread():
    model = GaussMarkov(100_000_000, 100_000_000, 10_000, memory=2**20 * 3 // 4)
    tracks = model.tracks([f"m{i}" for i in range(1000)], seed=4, until_ps=50 * S)
    x, y, _ = at(tracks, np.arange(0, 51) * S)
    vx, vy = np.diff(x) / 1000, np.diff(y) / 1000  # the area is large: few are reflected
    sigma = 10 * math.sqrt(2 / math.pi)
    effective = vx.size * (1 - 0.75) / (1 + 0.75)
    for v in (vx, vy):
        assert v.mean() == pytest.approx(0, abs=4.5 * sigma / math.sqrt(effective))
        assert v.std() == pytest.approx(sigma, rel=0.03)
        assert np.corrcoef(v[:, :-1].ravel(), v[:, 1:].ravel())[0, 1] == pytest.approx(0.75, abs=0.02)
    assert np.hypot(vx, vy).mean() == pytest.approx(10, rel=0.03)
    small = GaussMarkov(100_000, 100_000, 10_000)
    x, y, _ = at(small.tracks([f"m{i}" for i in range(3000)], seed=4, until_ps=60 * S), [0, 30 * S, 60 * S])
    for axis in (*x.T, *y.T):  # uniform at any time: chi square of ten fields, 0.999 point of nine degrees 27.9
        counts = np.bincount(np.minimum(axis // 10_000, 9), minlength=10)
        assert ((counts - 300) ** 2 / 300).sum() < 27.9


def test_the_rate_of_boundary_crossings():
    """density × speed × perimeter / pi out of each of two halves of a square; here perimeter is the side they share."""
    side_m, nodes, seconds = 1_000, 400, 600
    model = GaussMarkov(side_m * 1000, side_m * 1000, 10_000, memory=0, step_ps=5 * S)
    tracks = model.tracks([f"m{i}" for i in range(nodes)], seed=2, until_ps=seconds * S)
    # equally strong in the middle, no hysteresis and nearly no time to trigger: whoever crosses the line is handed over
    coverage = Coverage(
        ("w", "e"), (250_000, 750_000), (500_000, 500_000), Radio(), hysteresis=0, minimum=-200_000, trigger_ps=10**9,
        interval_ps=S // 2, lead_ps=0, guard_ps=0,
    )  # fmt: skip
    log = attachments(coverage, tracks, seed=2, until_ps=seconds * S)
    handoffs = int((log.mobile[1:] == log.mobile[:-1]).sum())
    _, _, way = at(tracks, [seconds * S])
    speed = way.mean() / 1000 / seconds
    density = nodes / side_m**2
    expected = 2 * density * speed * side_m / math.pi * seconds
    assert speed == pytest.approx(10, rel=0.05)
    # crossings of one node come in clusters: their variance is found from the nodes
    counts = np.bincount(log.mobile, minlength=nodes) - 1
    assert abs(handoffs - expected) < 4 * counts.std() * math.sqrt(nodes)


def test_speeds_that_take_too_long_are_refused():
    with pytest.raises(ValueError, match="more than 53 days"):
        RandomWaypoint(2**31 - 1, 1, 1, 1).tracks(["m"], seed=1, until_ps=S)
    assert isinstance(RandomWaypoint(1, 1, 1, 1).tracks(["m"], seed=1, until_ps=S), handoff_traces.Tracks)
