"""Figures and warnings of positions that may have been misread, each by hand."""

import numpy as np
import pytest

import handoff_traces
from handoff.mobility.plausibility import check_plausibility

S, M = 10**12, 1000


def tracks(*samples, format="fcd", projection=None, stated=None, breaks=()):
    """Build the tracks of one node from (seconds, x, y) in metres."""
    t, x, y = (np.array(column, np.int64) for column in zip(*samples, strict=True))
    return handoff_traces.Tracks(
        format, np.zeros(len(t), np.int64), t * S, x * M, y * M, ["a"], projection=projection, stated_distance_m=stated,
        breaks=np.array(breaks, np.int64),
    )  # fmt: skip


def test_a_drive_is_plausible():
    """400 m in 40 s, of which it stands for 10 s."""
    plausibility = check_plausibility(tracks((0, 0, 0), (10, 200, 0), (20, 200, 0), (40, 400, 0), stated=(400.0, 400.0)))
    assert plausibility.figures == {
        "extent_km": [0.4, 0.0], "longest_gap_s": 20.0, "median_gap_s": 10.0, "stationary_share": 0.25, "speed_ratio": 1.0,
        "breaks": 0,
    }  # fmt: skip
    assert plausibility.warnings == []


@pytest.mark.parametrize(
    ("found", "warning"),
    [
        (tracks((0, 0, 0), (10, 100, 0), (20, 5000, 0)), "1 of 2 legs are faster than 150 m/s, at most 490 m/s"),
        (
            tracks((0, 0, 0), (10, 500, 0), stated=(100.0, 500.0)),
            "the positions are 500 m apart, the speeds in the file make 100 m",
        ),
        (
            tracks((0, 0, 0), (10, 40, 0), stated=(100.0, 40.0)),
            "the positions are 40 m apart, the speeds in the file make 100 m",
        ),
        (
            tracks((0, 0, 0), (1, 10, 0), (2, 20, 0), (602, 6000, 0)),
            "the longest gap between two samples is 600 s, the median 1 s: coverage.longest_gap makes the node absent in it",
        ),
        (
            tracks((0, 0, 0), (20_000, 1_100_000, 0), format="setdest"),
            "the positions extend over 1,100 km by 0 km",
        ),
        (
            tracks((0, 0, 0), (20_000, 0, 300_000), format="bonnmotion", projection=handoff_traces.Projection(0, 0)),
            "the positions extend 300 km north to south, and the plane is exact near its origin only",
        ),
        (tracks((0, 0, 0), (97, 0, 0), (100, 30, 0)), "the nodes stand still for 97 % of their time, and move 30 m in all"),
    ],
)
def test_what_is_not_plausible_is_a_warning_with_numbers(found, warning):
    assert check_plausibility(found).warnings == [warning]


def test_legs_of_waypoints_may_be_long_and_breaks_are_no_gaps():
    samples = (0, 0, 0), (1, 10, 0), (2, 20, 0), (602, 6000, 0)
    assert check_plausibility(tracks(*samples, format="setdest")).warnings == []
    assert check_plausibility(tracks(*samples, breaks=[3])).warnings == []
    assert check_plausibility(tracks((0, 5, 5))).warnings == []
