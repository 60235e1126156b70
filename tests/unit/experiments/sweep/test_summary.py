"""Estimates over replications and over the batches of one run."""

import math
import statistics

import pytest
from scipy.stats import t as student

from handoff.experiments.sweep.summary import NOTHING_MEASURED, TOO_FEW_SAMPLES, TOO_SHORT, estimate_measure
from handoff.metrics.batch_means import BATCH_MEANS, MIN_BATCHES
from handoff.metrics.bursts import BURST_COLUMNS
from handoff.metrics.confidence import EXACT, NO_SPREAD, STUDENT
from handoff.metrics.event_interval import FAY_FEUER


def run(fingerprint=0, *, batches=(), **columns):
    """Return the tables of a run, with these columns of ``runs`` and the same columns of each batch."""
    row = {"sent": 1000, "delivered": 1000, "lost": 0, "loss_ratio": 0.0, "handoffs": 20, **dict.fromkeys(BURST_COLUMNS, 0)}
    row |= {"handoff_packets_max": 5, "fingerprint": fingerprint, **columns}
    rows = [row | batch for batch in batches]
    cut = {"batch": list(range(len(rows))), **{name: [r[name] for r in rows] for name in row}}
    return {"runs": {name: [value] for name, value in row.items()}, "batches": cut}


def test_the_interval_is_students_over_the_replications():
    values = [10.0, 12.0, 17.0]
    interval = estimate_measure("delay_mean", [run(i, delay_mean_s=v / 1e12) for i, v in enumerate(values)]).interval
    half = student.ppf(0.975, 2) * statistics.stdev(values) / math.sqrt(3)
    assert (interval.mean, interval.method) == (pytest.approx(13), STUDENT)
    assert (interval.low, interval.high) == (pytest.approx(13 - half), pytest.approx(13 + half))


def test_an_interval_has_possible_values_only():
    """The half width of 0 and 1 is 12.7 x 0.707 / sqrt(2) = 6.4. Dropped packets may make extra bytes negative."""
    low, high = (run(i, delay_mean_s=v / 1e12, diverted=1000 * v, extra_bytes=v) for i, v in enumerate((0.0, 1.0)))
    ends = {name: estimate_measure(name, [low, high]).interval for name in ("delay_mean", "diverted_ratio", "extra_bytes")}
    half = pytest.approx(12.706 / 2, rel=1e-3)
    assert (ends["delay_mean"].low, ends["delay_mean"].high - 0.5) == (0, half)
    assert (ends["diverted_ratio"].low, ends["diverted_ratio"].high) == (0, 1)
    assert 0.5 - ends["extra_bytes"].low == half


@pytest.mark.parametrize("measure", ["lost", "loss_ratio", "duplicate", "reordered_ratio", "lost_per_handoff"])
def test_no_event_in_three_replications_does_not_mean_none_at_all(measure):
    """The upper end is that of one burst of five packets: 3.69 x 5 in all packets, runs or handoffs."""
    interval = estimate_measure(measure, [run(i, duplicate=0, reordered=0) for i in range(3)]).interval
    of = {"lost": 3, "duplicate": 3, "lost_per_handoff": 60}.get(measure, 3000)
    assert (interval.mean, interval.low, interval.method) == (0, 0, FAY_FEUER)
    assert interval.high == pytest.approx(5 * -math.log(0.025) / of)


def test_equal_runs_under_different_seeds_are_exact():
    interval = estimate_measure("lost", [run(7, lost=4)] * 3).interval
    assert (interval.low, interval.mean, interval.high, interval.method) == (4, 4, 4, EXACT)


def test_equal_values_of_different_runs_have_no_interval():
    interval = estimate_measure("delay_mean", [run(i, delay_mean_s=5e-12) for i in range(3)]).interval
    assert (interval.mean, interval.known, interval.method) == (5, False, NO_SPREAD)


def test_runs_of_a_version_without_columns_of_bursts_have_no_interval_of_zero_width():
    old = [run(i) for i in range(3)]
    for tables in old:
        for name in BURST_COLUMNS:
            del tables["runs"][name]
    interval = estimate_measure("loss_ratio", old).interval
    assert (interval.mean, interval.known, interval.method) == (0, False, NO_SPREAD)


def test_a_missing_value_has_a_reason():
    nothing = estimate_measure("delay_p99", [run(i, delay_p99_s=None, delivered=0) for i in range(2)])
    assert (nothing.interval, nothing.note, nothing.samples) == (None, NOTHING_MEASURED, 0)
    few = estimate_measure("delay_p99", [run(0, delay_p99_s=1e-3, delivered=10**6), run(1, delay_p99_s=1e-3, delivered=3)])
    assert (few.interval, few.note, few.samples) == (None, TOO_FEW_SAMPLES, 3)


def test_an_unknown_node_is_a_reason_too():
    tables = run() | {"nodes": {"node": ["ha"]}, "links": {"link": ["ha>ar"]}}
    assert "no node or link 'x'" in estimate_measure("x.registration_wait_mean", [tables]).note


def test_a_single_run_has_the_interval_of_its_batches():
    batches = [{"delay_mean_s": (10 + (i * 7) % 5) / 1e12} for i in range(2 * MIN_BATCHES)]
    estimate = estimate_measure("delay_mean", [run(batches=batches, delay_mean_s=12e-12)])
    assert (estimate.interval.method, estimate.note) == (BATCH_MEANS, "")
    short = estimate_measure("delay_mean", [run(batches=batches[: MIN_BATCHES - 1], delay_mean_s=12e-12)])
    assert (short.interval.known, short.note) == (False, TOO_SHORT)
    assert not estimate_measure("delay_mean", [run(delay_mean_s=12e-12)]).interval.known


def test_a_single_run_with_few_losses_does_not_take_the_interval_of_its_batches():
    """Its mean is that of the batches, as for other measures: one burst of 5 in 64 batches."""
    none = {"lost": 0, "loss_ratio": 0.0, "delivered": 1000, "handoff_dropped": 0, "handoff_dropped_squares": 0.0}
    some = {"lost": 5, "loss_ratio": 0.005, "delivered": 995, "handoff_dropped": 5, "handoff_dropped_squares": 25.0}
    tables = run(batches=[some] + [none] * (MIN_BATCHES - 1), **some)
    for measure, of in (("lost", MIN_BATCHES), ("loss_ratio", 1000 * MIN_BATCHES)):
        interval = estimate_measure(measure, [tables]).interval
        assert (interval.method, interval.mean) == (FAY_FEUER, pytest.approx(5 / of))
        assert interval.low == pytest.approx(5 * -math.log(0.975) / of)
