"""Windows: a run with a warm-up counts what the whole run counts, less what a run that ends with the warm-up counts."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.results import FLOW_COLUMNS, LINK_COLUMNS, NODE_COLUMNS, NODE_INTEGRALS
from handoff.scenario import Scenario
from handoff.simulation.measurement_window import NON_ADDITIVE_COLUMNS
from handoff.simulation.result import STUDY_METRICS
from handoff.simulation.run import run_procedure
from handoff.workload.build import build_setup

COMMUTE = Path(__file__).parents[3] / "examples" / "commute.toml"
MS = 10**9
WARMUP, UNTIL, BATCHES = 6543 * MS + 567, 12000 * MS, 3
TABLES = {"flows": FLOW_COLUMNS, "links": LINK_COLUMNS, "nodes": NODE_COLUMNS + NODE_INTEGRALS}


@pytest.fixture(scope="module")
def setup():
    data = tomllib.loads(COMMUTE.read_text()) | {"duration": "12s"}
    return build_setup(Scenario.model_validate(data), COMMUTE, 3)


@pytest.fixture(scope="module", params=["sync-mipv4", "mipv6"])
def runs(request, setup):
    whole = run_procedure(setup, request.param, seed=3)
    until_warm = run_procedure(replace(setup, duration_ps=WARMUP), request.param, seed=3)
    cut = run_procedure(setup, request.param, seed=3, warmup_ps=WARMUP, batches=BATCHES)
    return whole, until_warm, cut


def test_the_columns_that_are_no_sums_exist():
    assert set().union(*TABLES.values()) >= NON_ADDITIVE_COLUMNS


def test_counters_of_the_window_are_the_runs_less_the_warm_ups(runs):
    whole, warm, cut = runs
    assert cut.result.fingerprint == whole.result.fingerprint
    assert (cut.begin_ps, cut.reached_ps) == (WARMUP, UNTIL)
    for table, columns in TABLES.items():
        for name in columns:
            window, total, before = (getattr(r.result, table)[name] for r in (cut, whole, warm))
            expected = total if name in NON_ADDITIVE_COLUMNS else total - before
            assert np.array_equal(window, expected), (table, name)
    histograms = [r.result.delay_histogram for r in (cut, whole, warm)]
    assert np.array_equal(histograms[0], histograms[1] - histograms[2])
    assert cut.result.events == whole.result.events - warm.result.events > 0
    assert cut.extra == whole.extra - warm.extra
    assert cut.simultaneous == whole.simultaneous - warm.simultaneous


def test_handoffs_of_the_window_began_in_it(runs):
    whole, warm, cut = runs
    later = whole.handoffs["open_ps"] >= WARMUP
    assert 0 < later.sum() < len(later)
    assert (~later).sum() == len(warm.handoffs["mobile"])
    for name, values in cut.handoffs.items():
        assert np.array_equal(values, whole.handoffs[name][later])


def test_batches_are_the_parts_of_the_window(runs):
    _, _, cut = runs
    step = (UNTIL - WARMUP) // BATCHES
    assert [b.begin_ps for b in cut.batches] == [WARMUP + i * step for i in range(BATCHES)]
    assert [b.reached_ps for b in cut.batches] == [WARMUP + step, WARMUP + 2 * step, UNTIL]
    for name in ("sent", "lost", "delivered", "handoffs", "completed", "signalling_bytes", "latency_samples"):
        assert sum(b.summary()[name] for b in cut.batches) == cut.summary()[name]
    busy = sum(b.utilisation()[0]["utilisation"] * (b.reached_ps - b.begin_ps) for b in cut.batches)
    assert busy == pytest.approx(cut.utilisation()[0]["utilisation"] * (UNTIL - WARMUP))


def test_metrics_of_a_window_are_of_the_packets_sent_in_it(setup):
    """The old routers have no buffer, so that packets are lost."""
    setup = replace(setup, options=replace(setup.options, old_buffer_packets=0))
    whole = run_procedure(setup, "mipv4", seed=3, detail=True)
    cut = run_procedure(setup, "mipv4", seed=3, detail=True, warmup_ps=WARMUP, batches=BATCHES)
    packets = whole.result.packets
    edges = [b.begin_ps for b in cut.batches] + [UNTIL]
    first = packets["copy"] == 0
    sent = np.histogram(packets["sent_ps"][first], edges)[0]
    assert [b.detail.study["sent"][0] for b in cut.batches] == sent.tolist()
    assert cut.detail.study["sent"][0] == sent.sum() < whole.detail.study["sent"][0]
    assert cut.detail.flows["sent"].sum() == sent.sum()
    assert sum(b.handoffs["lost"].sum() for b in cut.batches) == cut.handoffs["lost"].sum() > 0


def test_counters_stand_in_for_the_record_of_packets(setup):
    """Without detail, loss ratio and mean delay are equal, and quantiles as exact as the 32 buckets of an octave."""
    with_detail, without = (run_procedure(setup, "mipv4", seed=3, detail=d).summary() for d in (True, False))
    for name in ("loss_ratio", "delay_mean_ps"):
        assert with_detail[name] == without[name]
    for name in ("delay_p50_ps", "delay_p95_ps"):
        assert without[name] == pytest.approx(with_detail[name], rel=1 / 32)
    assert {without[m] for m in STUDY_METRICS if m.startswith(("reorder", "mos", "pdv", "loss_period"))} == {None}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"warmup_ps": UNTIL}, "leaves nothing of a run"),
        ({"warmup_ps": -1}, "leaves nothing of a run"),
        ({"batches": 0}, "there is at least one"),
        ({"warmup_ps": UNTIL - 2, "batches": 3}, "3 batches of 2 ps"),
        ({"warmup_ps": 1, "checkpoints": object()}, "no warm-up and no batches"),
    ],
)
def test_windows_without_time_are_refused(setup, options, message):
    with pytest.raises(ValueError, match=message):
        run_procedure(setup, "mipv4", **options)


def test_a_run_that_is_stopped_has_the_batches_that_are_complete(setup):
    stopped = run_procedure(setup, "mipv4", warmup_ps=WARMUP, batches=BATCHES, progress=lambda p: p.time_ps < 9000 * MS)
    assert stopped.interrupted_ps >= 9000 * MS
    assert len(stopped.batches) == 1
    early = run_procedure(setup, "mipv4", warmup_ps=WARMUP, batches=BATCHES, progress=lambda p: False)
    assert early.begin_ps == early.reached_ps
    assert early.summary()["sent"] == 0
    assert early.batches == ()
