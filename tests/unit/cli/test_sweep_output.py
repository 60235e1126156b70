"""Estimates of a sweep as text, and its progress."""

import pytest

from handoff.cli.sweep_output import format_estimate
from handoff.cli.sweep_progress import Progress
from handoff.experiments.sweep.dataset_writer import FinishedRun
from handoff.experiments.sweep.points import Point, RunSettings
from handoff.experiments.sweep.summary import Estimate
from handoff.metrics.confidence import Interval


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate("ps", Interval(20e9, 18e9, 22e9, 3)), "20 ± 2 ms"),
        (Estimate("packets", Interval(12345.0, 12300.5, 12389.5, 3)), "12,345 ± 44.5"),
        (Estimate("ratio", Interval(0.12345, -float("inf"), float("inf"), 1)), "0.123"),
        (Estimate("ps", None, "too few samples"), "too few samples"),
    ],
)
def test_an_estimate_is_a_mean_with_half_its_interval_or_a_reason(estimate, text):
    assert format_estimate(estimate) == text


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
