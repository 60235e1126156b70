"""Time series: their sums are the totals of the run, whatever the interval and the order of processing."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from engine import parse_duration
from engine.results import IntervalTables
from handoff.output.parquet import SERIES, build_table, build_tables
from handoff.simulation import time_series
from handoff.simulation.run import run_procedure
from handoff.simulation.time_series import SeriesRecorder, series_errors
from tests.unit.output.pcap.recorded_runs import setup_of

MS = 10**9
SEED = 3


@pytest.fixture(scope="module")
def setup():
    return setup_of(2, "patent")


@pytest.fixture(scope="module")
def plain(setup):
    return run_procedure(setup, "sync-mipv4", seed=SEED)


def rows_of(setup, **options):
    run = run_procedure(setup, "sync-mipv4", seed=SEED, **options)
    return run, build_table("series", [run], setup, SEED, {}).to_pylist()


@pytest.fixture(scope="module")
def rows(setup, plain):
    run, rows = rows_of(setup, series_ps=100 * MS)
    assert run.result.fingerprint == plain.result.fingerprint
    return rows


def sums(rows, kind, value):
    """Return the sum of a value over the intervals of each element, if it is not 0."""
    total = Counter()
    for row in rows:
        if row["kind"] == kind:
            total[row["element"]] += value(row) if callable(value) else row[value]
    return {name: n for name, n in total.items() if n}


def totals(names, values):
    return {name: value for name, value in zip(names, values.tolist(), strict=True) if value}


@pytest.mark.parametrize("column", ["packets", "bytes", "dropped", "lost", "detached"])
def test_sums_of_links_are_the_totals_of_the_run(rows, plain, column):
    assert sums(rows, "link", column) == totals(plain.result.link_names, plain.result.links[column])


def test_sums_of_nodes_and_runs_are_the_totals_of_the_run(rows, plain):
    assert sums(rows, "node", "registrations") == totals(plain.result.node_names, plain.result.nodes["registered"]) != {}
    for column in ("sent", "delivered", "lost"):
        assert sums(rows, "run", column).get(None, 0) == plain.result.flows[column].sum()


def test_utilisation_is_the_time_of_transmission(rows, plain):
    busy = totals(plain.result.link_names, plain.result.links["busy_ps"] / 1e12)
    end_s = max(row["end_s"] for row in rows)
    queues = {row["element"] for row in rows if row["end_s"] == end_s and row["kind"] == "link" and row["queue_packets"]}
    work = sums(rows, "link", lambda row: row["utilisation"] * (row["end_s"] - row["begin_s"]))
    assert len(busy) > len(queues), "some links have transmitted all that they accepted"
    for name, busy_s in busy.items():
        assert work[name] < busy_s if name in queues else work[name] == pytest.approx(busy_s, rel=1e-9)


@pytest.mark.parametrize("options", [{"threads": 2}, {"scheduling": "heap"}])
def test_series_do_not_depend_on_the_order_of_processing(setup, rows, options):
    assert rows_of(setup, series_ps=100 * MS, **options)[1] == rows


def test_a_longer_interval_has_the_sums_and_the_last_states_of_shorter_ones(setup, rows):
    duration_ps = 1700 * MS  # five intervals of 300 ms, and one of 200 ms
    short = replace(setup, duration_ps=duration_ps)
    _, longer = rows_of(short, series_ps=300 * MS)
    assert max((row["begin_s"], row["end_s"]) for row in longer) == (1.5, 1.7)
    expected = {}
    for row in rows_of(short, series_ps=100 * MS)[1]:
        key = row["kind"], row["element"], int(row["begin_s"] * 10 + 0.5) // 3
        whole = expected.setdefault(key, Counter())
        whole.update({name: row[name] or 0 for name in ("packets", "bytes", "registrations", "sent", "delivered", "lost")})
        if row["end_s"] in (0.3, 0.6, 0.9, 1.2, 1.5, 1.7):
            whole.update({name: row[name] or 0 for name in ("queue_packets", "bindings", "visitors", "held_bytes")})
    actual = {(row["kind"], row["element"], int(row["begin_s"] * 10 + 0.5) // 3): row for row in longer}
    for key, whole in expected.items():
        assert {name: actual[key][name] or 0 for name in whole} == dict(whole) if key in actual else not any(whole.values())


def test_rows_have_something_and_runs_without_series_none(rows, setup, plain):
    names = [field.name for field in SERIES if field.name not in ("procedure", "kind", "element", "begin_s", "end_s")]
    assert all(any(row[name] for name in names) for row in rows)
    assert build_table("series", [plain], setup, SEED, {}).num_rows == 0
    assert "series" not in build_tables([plain], setup, SEED, {})


class FakeEngine:
    """Engine whose rows come in two blocks: one link and no node; 6,000 queues rest in every second interval."""

    def take_intervals(self):
        """Return the rows."""
        busy_ps = 6000 * 10**16
        row = [0, 0, 0, 0, 0, 0, np.uint64(busy_ps % 2**64).astype(np.int64), busy_ps >> 64]
        blocks = [np.array([[10**16 * i, 10**16 * (i + 1), 0, *row] for i in times], np.int64) for times in ((0, 2), (4,))]
        return IntervalTables(blocks, [np.zeros((0, 11), np.int64)], [np.zeros((0, 6), np.int64)])


def test_busy_times_of_pooled_queues_may_pass_64_bits():
    recorder = SeriesRecorder(10**16)
    recorder.end(FakeEngine())
    series = recorder.series()
    assert series.links["utilisation"].tolist() == [6000.0] * 3
    assert series.links["begin_ps"].tolist() == [0, 2 * 10**16, 4 * 10**16]
    with pytest.raises(ValueError, match="the run has not ended"):
        recorder.series()


@pytest.mark.parametrize("above", [0, 1 << 16])
def test_rows_are_by_element_and_in_the_order_of_time(above):
    rows = np.array([5, 1, 5, 0, 1]) + above
    assert time_series._element_order(rows).tolist() == [3, 1, 4, 0, 2]


def test_intervals_are_refused_that_make_too_many_rows(setup):
    network = setup.network
    elements = len(network.links) + 2 * len(network.cells) + len(network.nodes) + 1
    until = 10**6 * 10**9  # 1,000 s
    assert series_errors("--series", None, network, until, 1) == []
    most = time_series.MAX_ROWS // elements
    assert series_errors("--series", -(-until // most), network, until, 1) == []
    (error,) = series_errors("--series", 10**6, network, until, 1)
    assert error.startswith(f"--series 1 us may make {10**9 * elements:,} rows: 1,000,000,000 intervals")
    assert series_errors("--series", 0, network, until, 1) == ["--series is 0: give an interval longer than 0, as in '100ms'"]


@pytest.mark.parametrize("runs", [1, 2, 7])
@pytest.mark.parametrize("until", [10**9 + 7, 10**15 - 1])
def test_the_interval_that_an_error_recommends_is_accepted(setup, until, runs, monkeypatch):
    monkeypatch.setattr(time_series, "MAX_ROWS", 1000)
    (error,) = series_errors("series", 1, setup.network, until, runs)
    shortest = error.split("give ")[1].removesuffix(" or more")
    assert series_errors("series", parse_duration(shortest), setup.network, until, runs) == []


SMALL_TABLE = """
import sys
from types import SimpleNamespace
import numpy as np
from engine.results import FLOW_SAMPLE, LINK_SAMPLE, NODE_SAMPLE
from handoff.output.parquet import SERIES, table_columns
from handoff.simulation.time_series import TimeSeries

def columns(names, rows):
    counts = {name: np.arange(len(rows)) for name in (*names, "begin_ps", "end_ps") if not name.startswith("busy_")}
    return counts | {"row": np.array(rows, np.int64)} | ({"utilisation": np.ones(len(rows))} if "busy_low" in names else {})

series = TimeSeries(columns(LINK_SAMPLE, [0, 0, 2, 2]), columns(NODE_SAMPLE, [1]), columns(FLOW_SAMPLE, []))
run = SimpleNamespace(
    procedure="p", series=series, result=SimpleNamespace(link_names=["a", "b", "c"], node_names=["d", "e"])
)
table = table_columns("series", run, None, 1)
print(*table["element"].to_pylist(), *table["packets"].to_pylist()[:4], "pyarrow.compute" in sys.modules)
"""


def test_rows_are_by_element_and_their_table_is_built_without_arrows_functions():
    """Links first, each in the order of its rows. The import takes longer than the table."""
    done = subprocess.run([sys.executable, "-c", SMALL_TABLE], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["a", "a", "c", "c", "e", "0", "1", "2", "3", "False"]
