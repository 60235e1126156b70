"""Trajectory: position and distance travelled between the samples of a mobile node."""

import numpy as np
import pytest

from handoff.mobility.coverage.trajectory import MAX_LEG_MM, Trajectory


def test_positions_are_on_the_straight_line_between_samples():
    x_mm, y_mm = np.array([0, 3_000_000, 3_000_000]), np.array([0, -4_000_000, -1_000_000])
    path = Trajectory(np.array([0, 10**12, 4 * 10**12]), x_mm, y_mm)
    x, y, way = path.at(np.array([-5, 0, 10**12 // 4, 10**12, 2 * 10**12, 4 * 10**12, 5 * 10**12]))
    assert x.tolist() == [0, 0, 750_000, 3_000_000, 3_000_000, 3_000_000, 3_000_000]
    assert y.tolist() == [0, 0, -1_000_000, -4_000_000, -3_000_000, -1_000_000, -1_000_000]
    assert way.tolist() == [0, 0, 1_250_000, 5_000_000, 6_000_000, 8_000_000, 8_000_000]
    with pytest.raises(ValueError, match="more than 2,147 km apart"):
        Trajectory(np.array([0, 1]), np.array([0, 2**31]), np.array([0, 0])).at(np.array([0]))


def test_a_leg_of_many_days_is_exact_to_a_millimetre():
    path = Trajectory(np.array([0, 9 * 10**18]), np.array([0, 2**31 - 1]), np.array([0, 1]))
    times = np.linspace(0, 9e18, 1001).astype(np.int64)
    exact = [int(t) * (2**31 - 1) // (9 * 10**18) for t in times]
    assert np.abs(path.at(times)[0] - exact).max() <= 1


def test_a_single_sample_stands_still():
    x, y, travelled = Trajectory(np.array([7]), np.array([3]), np.array([-4])).at(np.array([0, 7, 100]))
    assert (x.tolist(), y.tolist(), travelled.tolist()) == ([3, 3, 3], [-4, -4, -4], [0, 0, 0])


def test_the_longest_leg_is_accepted():
    x, _, travelled = Trajectory(np.array([0, 1]), np.array([0, MAX_LEG_MM]), np.array([0, 0])).at(np.array([1]))
    assert (x.tolist(), travelled.tolist()) == ([MAX_LEG_MM], [MAX_LEG_MM])
