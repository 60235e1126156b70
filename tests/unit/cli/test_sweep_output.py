"""Estimates of a sweep as text, and its progress."""

import pytest

from handoff.cli.sweep_output import ONE_RUN, format_estimate, format_methods
from handoff.cli.sweep_progress import Progress
from handoff.experiments.sweep.dataset_writer import FinishedRun
from handoff.experiments.sweep.points import Point, RunSettings
from handoff.experiments.sweep.summary import TOO_SHORT, Estimate, PointSummary
from handoff.metrics.confidence import EXACT, NO_SPREAD, STUDENT, Interval
from handoff.metrics.event_interval import FAY_FEUER


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate("ps", Interval(20e9, 18e9, 22e9, 3, STUDENT)), "20 ± 2 ms"),
        (Estimate("ps", Interval(2e9, 0.0, 5e9, 3, STUDENT)), "2 [0, 5] ms"),  # Student's t would begin at -1 ms
        (Estimate("packets", Interval(12345.0, 12300.5, 12389.5, 3, STUDENT)), "12,345 ± 44.5"),
        (Estimate("ratio", Interval(0.12345, -float("inf"), float("inf"), 1)), "0.123"),
        (Estimate("ratio", Interval(0.0, 0.0, 0.0012345, 3, FAY_FEUER)), "0 [0, 0.00123]"),
        (Estimate("packets", Interval(7.0, 7.0, 7.0, 3, EXACT)), "7 ± 0"),
        (Estimate("packets", Interval(7.0, -float("inf"), float("inf"), 3, NO_SPREAD)), "7"),
        (Estimate("ps", None, "too few samples"), "too few samples"),
    ],
)
def test_an_estimate_is_a_mean_with_its_interval_or_a_reason(estimate, text):
    assert format_estimate(estimate) == text


def test_the_methods_of_the_intervals_are_listed_below_the_table():
    point, unbounded = Point("s", "p", RunSettings(), (), {}), Interval(1.0, -float("inf"), float("inf"), 1)
    loss = [Interval(0.0, 0.0, 0.1, 3, FAY_FEUER), Interval(0.5, 0.4, 0.6, 3, STUDENT), Interval(0.5, 0.4, 0.6, 3, STUDENT)]
    delay = [Estimate("ps", unbounded, TOO_SHORT), Estimate("ps", unbounded), Estimate("ps", None, "nothing measured")]
    rows = [PointSummary(point, 3, 0, {"loss": Estimate("", i), "delay": d}) for i, d in zip(loss, delay, strict=True)]
    assert format_methods(["loss", "delay"], rows) == [
        f"loss: {FAY_FEUER} (1 point), {STUDENT} (2 points)", f"delay: {TOO_SHORT} (1 point), {ONE_RUN} (1 point)",
    ]  # fmt: skip


def test_the_resolution_of_a_percentile_is_said_below_the_table():
    point, interval = Point("s", "p", RunSettings(), (), {}), Interval(20e9, 18e9, 22e9, 3, STUDENT)
    rows = [PointSummary(point, 3, 0, {"delay_p99": Estimate("ps", interval, resolution=r)}) for r in (0.0, 1 / 32)]
    assert format_methods(["delay_p99"], rows) == [
        f"delay_p99: {STUDENT}, each value within 3.1%, from a histogram (--detail: from the packets)"
    ]
    assert format_methods(["delay_p99"], rows[:1]) == [f"delay_p99: {STUDENT}"]


def test_the_remaining_time_follows_the_runs_of_the_same_point(monkeypatch, capsys):
    """After 10 s one short run (1 s) is done on one worker; a long one of 5 s and a short one of 1 s are missing: 60 s."""
    short, long = (Point(name, "p", RunSettings(), (), {}) for name in ("short", "long"))

    class Stored:
        wall_seconds = 5.0

    clock = iter([0.0, 10.0])
    monkeypatch.setattr("handoff.cli.sweep_progress.time.perf_counter", lambda: next(clock))
    progress = Progress([(short.key, 1), (short.key, 2), (long.key, 1)], {(long.key, 2): Stored()}, True)
    progress(FinishedRun(short, 1, {}, 1.0))
    assert capsys.readouterr().err == "1 of 3 runs, 1 min 0 s to go\n"
