"""The report of a study: charts, their tables and sentences."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from handoff.output.parquet import SERIES
from handoff.output.report.around_section import MAX_CHARTS
from handoff.output.report.distribution_section import MAX_POINTS, distribution_section, exceedance
from handoff.output.report.page import DIGITS, pack_spec, page_script, render_page
from handoff.output.report.study_data import StudyData
from handoff.output.report.study_report import study_report
from handoff.output.report.worst_section import worst_handoffs
from tests.unit.output.report.small_study import PROCEDURES, small_tables, with_cells

ORDER = ["summary", "loss", "around", "delays", "scenarios", "traffic", "signalling", "links", "agents", "worst", "origin"]


def report(**options):
    return study_report(small_tables(**options))


def charts(found):
    return [chart for section in found.sections for chart in section.charts]


def specs(found):
    return [spec for chart in charts(found) for spec in chart.specs]


def values(spec):
    return [row for layer in (spec, *spec.get("layer", ())) for row in layer.get("data", {}).get("values", ())]


def test_sections_come_in_order_and_each_has_something_to_show():
    keys = [section.key for section in report().sections]
    assert keys == [key for key in ORDER if key in keys]
    assert {"summary", "loss", "around", "delays", "scenarios", "traffic", "signalling", "links", "worst", "origin"} <= set(keys)
    assert all(section.charts for section in report().sections)


def test_each_chart_has_a_sentence_and_a_table_with_a_row_for_each_heading():
    for chart in charts(report()):
        assert chart.sentence.endswith("."), chart.title
        assert chart.table.rows, chart.title
        assert {len(row) for row in chart.table.rows} == {len(chart.table.columns)}, chart.title


def test_specifications_are_json_with_finite_numbers_and_no_address_but_their_schema():
    for spec in specs(report()):
        text = json.dumps(spec, allow_nan=False)
        assert text.count("http") == 1
        assert "url" not in spec["data"]
        assert values(spec)


def test_every_field_of_a_chart_is_in_its_data():
    def fields(part):
        if isinstance(part, dict):
            for key, value in part.items():
                if key == "field":
                    yield value
                yield from fields(value)
        elif isinstance(part, list):
            for value in part:
                yield from fields(value)

    for spec in specs(report()):
        names = {name for row in values(spec) for name in row} | {t["as"] for t in spec.get("transform", ())}
        assert set(fields(spec["encoding"] if "encoding" in spec else spec["layer"])) <= names, spec


def test_without_a_record_of_packets_there_are_no_charts_around_the_handoff():
    assert "around" not in [section.key for section in report(detail=False).sections]


def test_tables_of_an_older_version_give_a_report_without_the_missing_charts():
    tables = {name: table for name, table in small_tables().items() if name not in ("delays", "packets_around")}
    keys = [section.key for section in study_report(tables).sections]
    assert "around" not in keys
    assert "delays" in keys, "interruptions come from the table of handoffs"


def test_a_study_without_runs_is_refused():
    empty = {name: table.slice(0, 0) for name, table in small_tables().items()}
    with pytest.raises(ValueError, match="no run"):
        study_report(empty)


def test_loss_chart_has_the_counts_of_the_runs():
    tables = with_cells(small_tables(), "runs", lost=[70, 0, 5])
    (chart,) = (c for c in charts(study_report(tables)) if c.title == "Lost packets")
    assert [row["count"] for row in values(chart.specs[0])] == [70, 0, 5]
    assert [row[:2] for row in chart.table.rows] == [("mipv4", "70"), ("sync-mipv4", "0"), ("mipv4-bicast", "5")]
    assert chart.sentence == "From 0 (sync-mipv4) to 70 (mipv4): no copy of the packet arrived."


def test_charts_around_the_handoff_count_each_downstream_packet_once():
    tables = small_tables()
    (section,) = (s for s in study_report(tables).sections if s.key == "around")
    assert [chart.title for chart in section.charts] == list(PROCEDURES)
    for chart in section.charts:
        table = StudyData(tables).table_of("packets_around", chart.title)
        rows = [row for row in table.to_pylist() if not row["path"].endswith("upstream")]
        density, paths = chart.specs
        assert sum(row["n"] for row in values(paths)) == sum(row["packets"] for row in rows)
        assert sum(row["n"] for row in values(density)) == sum(row["packets"] for row in rows if row["path"] != "lost")
        assert all(0 <= row["low"] < row["high"] <= 1 + 1e-9 for row in values(paths))
    scales = {json.dumps(chart.specs[0]["encoding"]["y"]["scale"]) for chart in section.charts}
    assert len(scales) == 1, "procedures are compared on one axis"


def test_of_many_procedures_the_best_and_the_worst_have_charts_around_the_handoff(monkeypatch):
    """The procedures lose 70, 0 and 5 packets: a limit of two leaves out the third one, which is in the middle."""
    monkeypatch.setattr("handoff.output.report.around_section.MAX_CHARTS", 2)
    tables = with_cells(small_tables(), "runs", lost=[70, 0, 5])
    (section,) = (s for s in study_report(tables).sections if s.key == "around")
    assert [chart.title for chart in section.charts] == ["mipv4", "sync-mipv4"]
    assert "the 1 best and the 1 worst of 3 procedures" in section.text


def test_attacks_are_shown_if_there_were_any():
    assert "attacks" not in [section.key for section in report().sections]
    figures = {"attack_messages": 1500, "attack_accepted": 7, "attack_refused": 3, "diverted": 1}
    tables = with_cells(small_tables(), "runs", **{name: [0, value, 0] for name, value in figures.items()})
    (section,) = (s for s in study_report(tables).sections if s.key == "attacks")
    (chart,) = section.charts
    assert chart.sentence == (
        "1,500 messages of attackers under sync-mipv4: agents carried out 7, refused 3, and sent 1 data packet into bindings of "
        "attackers."
    )
    assert [row[:2] for row in chart.table.rows] == [("sync-mipv4", "1,500")]


def test_groups_of_a_mixture_are_below_their_run():
    tables = small_tables(("mipv4",))
    runs = tables["runs"]
    count = pa.array([12], pa.int64())
    groups = runs.append_column("mobile_procedure", pa.array(["sync-mipv6"])).append_column("mobile_nodes", count)
    (chart,) = study_report({**tables, "groups": groups}).sections[0].charts
    assert [row[0] for row in chart.table.rows] == ["mipv4", "› sync-mipv6 (12 MN)"]
    assert chart.table.rows[0][1:] == chart.table.rows[1][1:]


def test_worst_handoffs_are_those_with_the_most_lost_packets():
    tables = small_tables()
    count = tables["handoffs"].num_rows
    lost = [0] * count
    lost[3], lost[1] = 9, 12
    chosen = worst_handoffs(StudyData(with_cells(tables, "handoffs", lost=lost)))
    all_rows = tables["handoffs"].to_pylist()
    assert [(r["mobile"], r["index"], r["procedure"]) for r in chosen[:2]] == [
        (all_rows[i]["mobile"], all_rows[i]["index"], all_rows[i]["procedure"]) for i in (1, 3)
    ]


def test_exceedance_is_exact_for_few_values_and_bounded_for_many():
    assert exceedance(np.array([3.0, 1.0, 3.0, 2.0]), np.ones(4)) == [(1.0, 0.75), (2.0, 0.5), (3.0, 0.0)]
    x = np.random.default_rng(1).exponential(size=100_000)
    points = exceedance(x, np.ones(len(x)))
    assert len(points) <= MAX_POINTS + 1
    assert min(share for _, share in points if share > 0) <= 1e-4, "the tail is there"
    assert all(math.isclose(share, (x > t).mean(), abs_tol=1e-9) for t, share in points)


def test_the_size_does_not_grow_with_the_number_of_handoffs():
    tables = small_tables()
    many = {**tables, "handoffs": pa.concat_tables([tables["handoffs"]] * 50)}
    before, after = (len(render_page(study_report(t))) for t in (tables, many))
    assert after < before + 20_000


def test_packed_rows_name_each_field_once():
    spec = {"data": {"values": [{"a": 1, "b": None}, {"a": 2, "c": 3}]}, "layer": [{"data": {"values": []}}]}
    assert pack_spec(spec) == {
        "data": {"names": ["a", "b", "c"], "columns": [[1, 2], [None, None], [None, 3]]},
        "layer": [{"data": {"names": [], "columns": []}}],
    }  # fmt: skip


def test_packed_columns_have_repeated_values_once_and_numbers_of_seven_digits():
    column = ["sync-mipv4"] * 3 + ["mipv4"] * 2 + ["sync-mipv4"]
    rows = [{"p": name, "v": value} for name, value in zip(column, [0.1 + 0.2, 2.0, True, 1, 123456789, 1e-9 / 3], strict=True)]
    names, values = pack_spec({"data": {"values": rows}})["data"]["columns"]
    assert names == {"values": ["sync-mipv4", "mipv4"], "index": "000110"}
    assert json.dumps(values) == "[0.3, 2, true, 1, 123456789, 3.333333e-10]"


def test_packed_columns_of_more_than_64_values_have_indices_of_two_digits():
    """The base is 64: index 64 is 10, and index 65 is 11."""
    rows = [{"v": f"value {i}"} for i in [*range(66)] * 3]
    (column,) = pack_spec({"data": {"values": rows}})["data"]["columns"]
    assert column["values"] == [f"value {i}" for i in range(66)]
    assert column["index"] == ("".join(f"0{digit}" for digit in DIGITS) + "1011") * 3
    assert f'const DIGITS = "{DIGITS}";' in page_script()


def test_a_report_of_many_procedures_with_a_time_series_is_below_its_limit():
    """Forty procedures with 300 intervals, which a chart shows as 60 bins: more than ``--procedures all`` has."""
    names, intervals = [f"pfmipv6-predictive-{i}" for i in range(40)], 300
    tables = small_tables(PROCEDURES[:1])
    many = {name: pa.concat_tables([_rename(table, other) for other in names]) for name, table in tables.items()}
    times = np.arange(intervals) * 0.1
    rng = np.random.default_rng(1)
    parts = []
    for name in names:
        for kind, element in (("run", None), *(("link", f"link{i}") for i in range(20)), *(("node", f"ar{i}") for i in range(2))):
            values = {"procedure": [name] * intervals, "kind": [kind] * intervals, "element": [element] * intervals,
                      "begin_s": times, "end_s": times + 0.1}  # fmt: skip
            counts = rng.integers(0, 10**6, intervals)
            values |= {field.name: counts if field.type == pa.int64() else rng.random(intervals) for field in SERIES
                       if field.name not in values}  # fmt: skip
            parts.append(pa.Table.from_pydict(values, SERIES))
    page = render_page(study_report({**many, "series": pa.concat_tables(parts)}))
    assert page.count('class="spec"') >= 2 * MAX_CHARTS + 13
    assert len(page) < 1_500_000


def _rename(table, procedure):
    names = pa.array([procedure] * table.num_rows, pa.string())
    return table.set_column(table.column_names.index("procedure"), table.schema.field("procedure"), names)


def test_the_share_above_0_is_of_all_handoffs():
    """A handoff without a value, as one in which nothing arrives, is not above 0."""
    tables = small_tables(("mipv4",))
    values = tables["handoffs"]["disruption_s"].to_pylist()
    assert None in values
    above = sum(value is not None and value > 0 for value in values) / len(values)
    chart = next(c for c in distribution_section(StudyData(tables)).charts if c.table.columns[1] == "Handoffs above 0")
    assert chart.table.rows[0][1] == f"{above:.1%}".replace("%", " %")
