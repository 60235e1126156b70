"""The report of a sweep: axes, curves, targets and the verdict, by hand."""

import pytest

from handoff.experiments.planning.slo import Target
from handoff.output.report.page import render_page
from handoff.output.report.sweep_report import MAX_LINES, PointValue, SweepMeasure, SweepPoint, SweepTarget, sweep_report
from tests.unit.output.report.test_page import NASTY, assert_inert_and_short
from tests.unit.output.report.test_study_report import specs, values

LOSS = SweepMeasure("loss_ratio", "ratio", "lost / (lost + delivered)")
DELAY = SweepMeasure("delay_p99", "ps", "99th percentile of the delay")


def point(procedure, buffer, loss, delay_ms=20.0, **more):
    measures = {"loss_ratio": PointValue(loss, 0.0, 2 * loss), "delay_p99": PointValue(delay_ms * 1e9)}
    return SweepPoint(procedure, {"buffer": str(buffer), **more}, {"buffer": float(buffer)}, 3, measures)


POINTS = [point("mipv6", 0, 0.04), point("mipv6", 10, 0.01), point("sync-mipv6", 0, 0.02), point("sync-mipv6", 10, 0.0)]


def test_the_verdict_names_the_best_and_the_worst_point():
    first, second = sweep_report("town", POINTS, [LOSS, DELAY]).verdict
    assert first == (
        "Of 4 points, the mean loss_ratio is smallest, 0 %, for sync-mipv6, buffer 10, and largest, 4 %, for mipv6, buffer 0."
    )
    assert second == "At its best point: delay_p99 20 ms."


def test_the_verdict_counts_the_points_with_the_same_value():
    """Two points lose nothing and two lose 4 %: the sentence names one of them as an example, and not as the only one."""
    points = [point("mipv6", 0, 0.04), point("mipv6", 10, 0.0), point("sync-mipv6", 0, 0.04), point("sync-mipv6", 10, 0.0)]
    assert sweep_report("town", points, [LOSS]).verdict[0] == (
        "Of 4 points, the mean loss_ratio is smallest, 0 %, for mipv6, buffer 10 and 1 other point, and largest, 4 %, for mipv6, "
        "buffer 0 and 1 other point."
    )
    assert sweep_report("town", points[1::2], [LOSS]).verdict[0] == (
        "Of 2 points, the mean loss_ratio is 0 % for mipv6, buffer 10 and 1 other point."
    )


def with_target(name, relation, limit, unit):
    target = Target(name, relation, limit, unit)
    return SweepMeasure(name, unit, "about", (SweepTarget(str(target), limit, target.holds),))


@pytest.mark.parametrize(
    ("relation", "limit", "second"),
    [
        ("<=", 0.015, "2 of 4 points meet loss_ratio <= 0.015 in the mean, the first of them mipv6, buffer 10."),
        (">=", 0.05, "No point meets loss_ratio >= 0.05 in the mean."),
        ("<=", 0.01, "2 of 4 points meet loss_ratio <= 0.01 in the mean, the first of them mipv6, buffer 10."),
        ("<", 0.01, "1 of 4 points meet loss_ratio < 0.01 in the mean, the first of them sync-mipv6, buffer 10."),
    ],
)
def test_the_verdict_and_the_curve_say_where_the_targets_are_met(relation, limit, second):
    report = sweep_report("town", POINTS, [with_target("loss_ratio", relation, limit, "ratio"), DELAY])
    assert report.verdict[1] == second
    (chart,) = (c for s in report.sections for c in s.charts if c.specs and c.title == "loss_ratio")
    good = second.split()[0].replace("No", "0")
    assert chart.sentence.endswith(f" {good} of 4 points meet loss_ratio {relation} {limit:g}.")


def test_a_target_for_an_uplink_has_the_relation_behind_its_name():
    name = "ar0<*.utilisation"
    points = [SweepPoint("mipv6", {"rate": str(i)}, {"rate": i}, 1, {name: PointValue(u)}) for i, u in enumerate([0.2, 0.6, 0.8])]
    report = sweep_report("town", points, [with_target(name, ">=", 0.5, "ratio")])
    assert report.verdict[1] == f"2 of 3 points meet {name} >= 0.5 in the mean, the first of them mipv6, rate 1."


def test_curves_have_a_line_for_each_procedure_and_the_limit():
    measure = with_target("delay_p99", "<=", 30e9, "ps")
    (chart,) = (c for s in sweep_report("town", POINTS, [measure]).sections for c in s.charts if c.specs)
    (spec,) = chart.specs
    assert [(row["procedure"], row["x"], row["mean"]) for row in spec["data"]["values"]] == [
        ("mipv6", 0, 20), ("mipv6", 10, 20), ("sync-mipv6", 0, 20), ("sync-mipv6", 10, 20),
    ]  # fmt: skip
    assert spec["layer"][-1]["data"]["values"][0]["limit"] == 30, "in ms, as the means"
    assert [row[-2:] for row in chart.table.rows] == [("20 ms", "–")] * 4


def test_the_field_with_more_numbers_is_the_axis_and_others_name_lines():
    points = [
        SweepPoint("mipv6", {"lead": f"{lead}ms", "mode": mode}, {"lead": float(lead)}, 1, {"loss_ratio": PointValue(0.1)})
        for lead in (10, 20, 30)
        for mode in ("auto", "predict")
    ]
    (spec,) = specs(sweep_report("town", points, [LOSS]))
    assert {row["procedure"] for row in spec["data"]["values"]} == {"mipv6, mode auto", "mipv6, mode predict"}
    assert spec["layer"][1]["encoding"]["x"]["title"] == "lead"


def test_further_lines_are_only_in_the_table():
    points = [point("mipv6", b, 0.1, variant=f"v{i}") for i in range(MAX_LINES + 5) for b in (0, 1)]
    report = sweep_report("town", points, [LOSS])
    (chart,) = (c for s in report.sections for c in s.charts if c.specs)
    assert len({row["procedure"] for row in values(chart.specs[0]) if "procedure" in row}) == MAX_LINES
    assert "5 more lines are only in the table" in chart.sentence
    assert len(chart.table.rows) == len(points)


def test_a_measure_without_values_has_no_curve():
    points = [SweepPoint("mipv6", {"buffer": "1"}, {"buffer": 1.0}, 1, {"loss_ratio": PointValue(None, note="nothing measured")})]
    report = sweep_report("town", points, [LOSS])
    assert report.verdict == ("No measure of the sweep has a value.",)
    assert specs(report) == []
    render_page(report)


def test_a_sweep_without_points_is_refused():
    with pytest.raises(ValueError, match="no complete run"):
        sweep_report("town", [], [LOSS])


def test_foreign_text_is_inert_and_short():
    name = NASTY + "x" * 10_000
    measures = {name: PointValue(0.1)}
    points = [SweepPoint(name, {name: f"{name}{i}", "lead": str(i)}, {"lead": float(i)}, 1, measures) for i in (1, 2)]
    target = SweepTarget(name, 0.01, lambda mean: mean <= 0.01)
    measure = SweepMeasure(name, "ratio", "about", (target,))
    assert_inert_and_short(render_page(sweep_report(name, points, [measure], {"scenario_file": name})))
