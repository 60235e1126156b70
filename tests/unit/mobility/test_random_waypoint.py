"""Random waypoint: stationary distribution of speed, pauses and position; range of legs."""

import math

import pytest

import handoff_traces
from handoff.mobility import RandomWaypoint

from .trajectories import positions

S = 10**12


@pytest.mark.parametrize("nodes", [800, pytest.param(4000, marks=pytest.mark.deep)])
def test_mean_speed_and_share_of_pauses_are_stationary_from_the_start(nodes):
    """By Palm calculus, the share of pauses and the mean speed are ratios of mean durations and lengths of a leg and a pause."""
    model = RandomWaypoint(1_000_000, 1_000_000, 1_000, 20_000, 60 * S)
    tracks = model.tracks([f"m{i}" for i in range(nodes)], seed=9, until_ps=900 * S)
    leg_m = 521.405  # of two uniform points in a square of 1 km: (2 + sqrt 2 + 5 ln(1 + sqrt 2)) / 15
    leg_s, pause_s = leg_m * math.log(20) / 19, 30
    share = leg_s / (leg_s + pause_s)
    speed = leg_m / (leg_s + pause_s)
    for start in (0, 100, 800):
        _, _, way = positions(tracks, [start * S, start * S + S // 10])
        moved = (way[:, 1] - way[:, 0]) / 100  # metres per second
        assert moved.mean() == pytest.approx(speed, abs=4.5 * moved.std() / math.sqrt(nodes))
        assert (moved > 0.5).mean() == pytest.approx(share, abs=4.5 * math.sqrt(share * (1 - share) / nodes))
    # nodes gather in the middle, at the start as later: the variance of x is constant and below that of a uniform distribution
    x = [next(positions(tracks, [s * S]))[:, 0] / 1e6 for s in (0, 400, 900)]
    for values in x:
        assert values.var() < 0.95 / 12
        assert values.var() == pytest.approx(x[0].var(), rel=0.1 * math.sqrt(4000 / nodes))
        assert values.mean() == pytest.approx(0.5, abs=4.5 * 0.29 / math.sqrt(nodes))


def test_legs_of_more_than_53_days_are_an_error():
    with pytest.raises(ValueError, match="more than 53 days"):
        RandomWaypoint(2**31 - 1, 1, 1, 1).tracks(["m"], seed=1, until_ps=S)
    assert isinstance(RandomWaypoint(1, 1, 1, 1).tracks(["m"], seed=1, until_ps=S), handoff_traces.Tracks)
