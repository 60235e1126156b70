"""Time series of a report, from a table by hand."""

import pyarrow as pa
import pytest

from handoff.output.parquet import SERIES
from handoff.output.report import series_section as module
from handoff.output.report.series_section import Bins, make_bins, series_section
from handoff.output.report.study_data import StudyData
from tests.unit.output.report.small_study import small_tables, with_cells


def row(kind, element, interval, procedure="mipv4", step=0.5, **values):
    names = {field.name: None for field in SERIES}
    return names | {
        "procedure": procedure, "kind": kind, "element": element, "begin_s": interval * step, "end_s": (interval + 1) * step,
    } | values  # fmt: skip


ROWS = [
    row("link", "a>b", 0, packets=5, queue_packets=3, utilisation=0.5),
    row("link", "a>b", 1, packets=5, queue_packets=7, utilisation=1.0),
    row("link", "a>b", 3, packets=5, queue_packets=0, utilisation=0.25),
    row("link", "c>*", 0, packets=5, queue_packets=9, utilisation=1.75),
    row("node", "ha", 0, registrations=4, queue_packets=2, bindings=1, utilisation=0.9),
    row("node", "ma", 0, registrations=1, queue_packets=0, bindings=2, utilisation=0.0),
    row("node", "ha", 2, registrations=2, queue_packets=0, bindings=5, utilisation=0.1),
    row("run", None, 1, sent=10, delivered=8, lost=2),
    row("run", None, 2, sent=10, delivered=9, lost=1),
    row("run", None, 3, "sync-mipv4", sent=10, delivered=10, lost=0),
]
"""Intervals of 0.5 s of a run of 2 s; c>* has a queue for each mobile node."""


@pytest.fixture
def study():
    tables = small_tables(("mipv4", "sync-mipv4"))
    tables = with_cells(tables, "runs", until_s=[2.0, 2.0])
    links = tables["links"].slice(0, 2)
    tables |= {"links": links, "series": pa.Table.from_pylist(ROWS, SERIES)}
    return StudyData(with_cells(tables, "links", procedure=["mipv4"] * 2, link=["a>b", "c>*"], pooled=[False, True]))


def charts(study):
    return {chart.title: chart for chart in series_section(study).charts}


def lines(chart, procedure="mipv4"):
    """Return the beginnings of the bins with their values; the last row of a line only ends it."""
    rows = [row for row in chart.specs[0]["data"]["values"] if row["procedure"] == procedure]
    assert (rows[-1]["t"], rows[-1]["value"]) == (rows[-2]["u"], rows[-2]["value"])
    return [(row["t"], row["value"]) for row in rows[:-1]]


def test_counts_are_added_and_states_are_the_largest_of_the_elements(study):
    found = charts(study)
    assert lines(found["Lost packets"]) == [(0, 0), (0.5, 2), (1, 1), (1.5, 0)]
    assert lines(found["Lost packets"], "sync-mipv4") == [(0, 0), (0.5, 0), (1, 0), (1.5, 0)]
    assert lines(found["Longest queue"]) == [(0, 9), (0.5, 7), (1, 0), (1.5, 0)]
    assert lines(found["Messages at registration servers"]) == [(0, 5), (0.5, 0), (1, 2), (1.5, 0)]
    assert lines(found["Bindings"]) == [(0, 3), (0.5, 0), (1, 5), (1.5, 0)]
    assert "Bytes in hold buffers" not in found


def test_bins_join_intervals(study, monkeypatch):
    """Two bins of 1 s: 0 + 2 and 1 + 0 lost packets; the longest queues are 9 and 0; a>b works 0.75 and 0.125 of the time."""
    monkeypatch.setattr(module, "MAX_BINS", 2)
    found = charts(study)
    assert lines(found["Lost packets"]) == [(0, 2), (1, 1)]
    assert lines(found["Longest queue"]) == [(0, 9), (1, 0)]
    heat = found["Utilisation of links"].specs[0]["data"]["values"]
    assert heat == [{"link": "a>b", "t": 0, "u": 1, "v": 0.75}, {"link": "a>b", "t": 1, "u": 2, "v": 0.125}]


def test_sentences_and_tables_name_the_peaks(study):
    found = charts(study)
    assert found["Lost packets"].sentence == "The most under mipv4 is 2 packets in the interval from 0.5 to 1 s."
    assert found["Lost packets"].table.rows == (("mipv4", "2", "0.5 to 1 s", "3"), ("sync-mipv4", "0", "–", "0"))
    assert found["Longest queue"].sentence == (
        "The most under mipv4 is 9 packets at the end of the interval from 0 to 0.5 s, at c>*."
    )
    heat = found["Utilisation of links"]
    assert heat.sentence == "The busiest link under mipv4 is a>b: 100.0 % of the interval from 0.5 to 1 s."
    assert heat.table.rows == (("a>b", "100.0 %", "0.5 to 1 s", "100.0 %"),)


def test_the_last_interval_may_be_short():
    """A run of 2.3 s has five intervals of 0.5 s, of which the last one takes 0.3 s."""
    bins = Bins(0.5, 2.3, 5, 2)
    assert (bins.count, bins.edges.tolist(), bins.span(4)) == (3, [0, 1, 2, 2.3], "2 to 2.3 s")


def test_a_very_short_last_interval_counts():
    """A run of 1.0000001 s: the third interval of 0.5 s takes 0.1 µs."""
    table = pa.table({"begin_s": [0.0, 0.5, 1.0], "end_s": [0.5, 1.0, 1.0000001]})
    run = {"procedure": ["mipv4"], "until_s": [1.0000001], "interrupted_s": pa.nulls(1, pa.float64())}
    data = StudyData({"runs": pa.table(run)})
    assert make_bins(data, table).intervals == 3


def test_the_size_does_not_grow_with_the_intervals(study):
    values = {"packets": 1, "queue_packets": 1, "utilisation": 0.5}
    rows = [row("link", f"l{k}", i, step=0.001, **values) for k in range(25) for i in range(2000)]
    tables = dict(study.tables) | {"series": pa.Table.from_pylist(rows, SERIES)}
    found = charts(StudyData(tables))
    assert len(found["Utilisation of links"].specs[0]["data"]["values"]) <= 20 * module.MAX_BINS
    assert len(lines(found["Longest queue"])) <= module.MAX_BINS
    assert found["Utilisation of links"].sentence.endswith("5 less busy links are left out.")


def test_without_a_time_series_there_is_no_section():
    tables = small_tables(("mipv4",))
    assert series_section(StudyData(tables)) is None
    assert series_section(StudyData(tables | {"series": SERIES.empty_table()})) is None
