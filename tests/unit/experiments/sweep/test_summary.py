"""Estimates over replications and over the batches of one run."""

import math
import statistics

import pytest
from scipy.stats import t as student

from handoff.experiments.sweep.summary import NOTHING_MEASURED, TOO_FEW_SAMPLES, estimate_measure
from handoff.metrics.catalogue import Value


@pytest.fixture
def measure(monkeypatch):
    """Replace the evaluation of measures: the tables of a run are its value."""
    monkeypatch.setattr("handoff.experiments.sweep.summary._evaluate", lambda name, run: run)
    monkeypatch.setattr("handoff.experiments.sweep.summary._evaluate_batches", lambda name, run: [])


def test_the_interval_is_students_over_the_replications(measure):
    values = [10.0, 12.0, 17.0]
    interval = estimate_measure("sent", [Value(v, 100) for v in values]).interval
    half = student.ppf(0.975, 2) * statistics.stdev(values) / math.sqrt(3)
    assert interval.mean == pytest.approx(13)
    assert (interval.low, interval.high) == (pytest.approx(13 - half), pytest.approx(13 + half))


def test_a_missing_value_has_a_reason(measure):
    nothing = estimate_measure("delay_p99", [Value(None, 0), Value(None, 0)])
    assert (nothing.interval, nothing.note, nothing.samples) == (None, NOTHING_MEASURED, 0)
    few = estimate_measure("delay_p99", [Value(1e9, 10**6), Value(1e9, 3)])
    assert (few.interval, few.note, few.samples) == (None, TOO_FEW_SAMPLES, 3)


def test_an_unknown_node_is_a_reason_too(monkeypatch):
    def unknown(name, run):
        raise ValueError("no node or link 'x'")

    monkeypatch.setattr("handoff.experiments.sweep.summary._evaluate", unknown)
    assert estimate_measure("x.registration_wait_mean", [None]).note == "no node or link 'x'"
