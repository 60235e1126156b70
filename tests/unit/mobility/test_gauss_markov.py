"""Gauss-Markov mobility: speed, correlation of velocities, uniform positions."""

import math

import numpy as np
import pytest

from handoff.mobility import GaussMarkov

from .trajectories import positions

S = 10**12


def test_speed_memory_and_position_have_their_distributions():
    model = GaussMarkov(100_000_000, 100_000_000, 10_000, memory=2**20 * 3 // 4)
    tracks = model.tracks([f"m{i}" for i in range(1000)], seed=4, until_ps=50 * S)
    x, y, _ = positions(tracks, np.arange(0, 51) * S)
    vx, vy = np.diff(x) / 1000, np.diff(y) / 1000  # the area is large: few are reflected
    sigma = 10 * math.sqrt(2 / math.pi)
    effective = vx.size * (1 - 0.75) / (1 + 0.75)
    for v in (vx, vy):
        assert v.mean() == pytest.approx(0, abs=4.5 * sigma / math.sqrt(effective))
        assert v.std() == pytest.approx(sigma, rel=0.03)
        assert np.corrcoef(v[:, :-1].ravel(), v[:, 1:].ravel())[0, 1] == pytest.approx(0.75, abs=0.02)
    assert np.hypot(vx, vy).mean() == pytest.approx(10, rel=0.03)
    small = GaussMarkov(100_000, 100_000, 10_000)
    x, y, _ = positions(small.tracks([f"m{i}" for i in range(3000)], seed=4, until_ps=60 * S), [0, 30 * S, 60 * S])
    # Positions are uniform at any time: chi-squared of ten strips; the 0.999 quantile for nine degrees of freedom is 27.9.
    for axis in (*x.T, *y.T):
        counts = np.bincount(np.minimum(axis // 10_000, 9), minlength=10)
        assert ((counts - 300) ** 2 / 300).sum() < 27.9


@pytest.mark.parametrize(("memory", "changes"), [(2**20, False), (0, True)])
def test_full_memory_keeps_the_velocity_and_no_memory_redraws_it(memory, changes):
    model = GaussMarkov(10**9, 10**9, 10_000, memory=memory)
    x, y, _ = positions(model.tracks(["a", "b"], seed=1, until_ps=5 * S), np.arange(6) * S)
    steps = np.stack([np.diff(x), np.diff(y)])
    same = np.abs(np.diff(steps)) <= 1  # positions are rounded to millimetres
    assert same.all() != changes
