"""Statistics of tracks and attachments, with expectations worked out by hand."""

import numpy as np
import pytest

import handoff_traces
from handoff.mobility.statistics import attachment_statistics, track_statistics

S = 10**12


def test_statistics_of_two_tracks():
    """One node goes 300 m in 30 s, stands still for 10 s and goes 400 m in 20 s; the other has a single sample."""
    tracks = handoff_traces.Tracks(
        "hand", np.array([0, 0, 0, 0, 1]), np.array([0, 30, 40, 60, 5]) * S, np.array([0, 300, 300, 300, -50]) * 1000,
        np.array([0, 0, 0, 400, 20]) * 1000, ["a", "b"],
    )  # fmt: skip
    assert track_statistics(tracks) == {
        "format": "hand", "nodes": 2, "samples": 5, "first_s": 0, "last_s": 60, "duration_s": 60,
        "node_hours": pytest.approx(60 / 3600), "x_m": [-50, 300], "y_m": [0, 400], "distance_km": pytest.approx(0.7),
        "mean_speed_m_s": pytest.approx(700 / 60), "greatest_speed_m_s": pytest.approx(20),
    }  # fmt: skip


def test_tracks_without_legs_have_no_speed():
    tracks = handoff_traces.Tracks("hand", np.array([0]), np.array([S]), np.array([5]), np.array([6]), ["a"])
    statistics = track_statistics(tracks)
    assert (statistics["mean_speed_m_s"], statistics["greatest_speed_m_s"]) == (None, None)
    assert statistics["node_hours"] == 0


def associations(*rows):
    """Build a log from (mobile, router, up s, down s, predict s); -1 is absent."""
    mobile, router, up, down, predict = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    times = [np.where(column < 0, -1, column * S) for column in (up, down, predict)]
    names = [f"m{i}" for i in range(int(mobile.max()) + 1)], [f"r{i}" for i in range(int(router.max()) + 1)]
    mobile, router = mobile.astype(np.uint32), router.astype(np.uint32)
    return handoff_traces.Associations(mobile, router, *times, np.full(len(mobile), -1), *names)


def test_statistics_of_attachments_in_any_order():
    """The second attachment of node 0 lasts 3 s between two at router 0: a ping-pong; the third begins before it ends: soft."""
    log = associations((0, 0, 14, 34, -1), (1, 0, 0, -1, -1), (0, 0, 0, 10, 9), (0, 1, 12, 15, -1))
    statistics = attachment_statistics(log, 40 * S)
    assert (statistics["nodes"], statistics["routers"], statistics["attachments"]) == (2, 2, 4)
    assert (statistics["handoffs"], statistics["announced"], statistics["soft"], statistics["ping_pong"]) == (2, 1, 1, 1)
    hours = (10 + (34 - 12) + 40) / 3600  # the overlap of node 0 counts once, the open link of node 1 until 40 s
    assert statistics["node_hours"] == pytest.approx(hours)
    assert statistics["handoffs_per_node_hour"] == pytest.approx(2 / hours)
    assert statistics["residence_s"]["mean"] == pytest.approx((10 + 3 + 20) / 3)
    assert statistics["residence_s"]["p50"] == 10


@pytest.mark.parametrize(("down", "ping_pongs"), [(4, 1), (5, 0)])
def test_a_ping_pong_takes_less_than_five_seconds(down, ping_pongs):
    log = associations((0, 0, 0, 0, -1), (0, 1, 0, down, -1), (0, 0, down, 20, -1))
    assert attachment_statistics(log)["ping_pong"] == ping_pongs


def test_open_links_count_until_the_last_time_of_the_log():
    log = associations((0, 0, 2, -1, -1), (1, 0, 0, 12, -1))
    statistics = attachment_statistics(log)
    assert statistics["node_hours"] == pytest.approx((10 + 12) / 3600)
    assert (statistics["handoffs"], statistics["residence_s"]["mean"]) == (0, 12)
