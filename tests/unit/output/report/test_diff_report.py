"""The report of a comparison: the verdict, the order and the figures, by hand."""

import re

import pytest

from handoff.output.report.diff_report import DiffLine, DiffSide, diff_report, verdict
from handoff.output.report.page import render_page
from tests.unit.output.report.test_page import NASTY, assert_inert_and_short
from tests.unit.output.report.test_study_report import specs

LINES = [
    DiffLine("mipv4", "loss_ratio", "ratio", 0.01, 0.03, 0.02, 0.01, 0.03, "worse", "Student's t, n = 5"),
    DiffLine("mipv6", "delay_mean", "s", 0.02, 0.021, 0.001, 0.0005, 0.0015, "worse", "Student's t, n = 5"),
    DiffLine("mipv6", "loss_ratio", "ratio", 0.04, 0.01, -0.03, -0.035, -0.025, "better", "Student's t, n = 5"),
    DiffLine("mipv6", "packets", "packets", 100, 200, 100, 50, 150, "changed", "exact, n = 5"),
    DiffLine("mipv4", "delay_mean", "s", 0.02, 0.02, 0.00001, -0.001, 0.001, "unclear", "Student's t, n = 5"),
    DiffLine("mipv4", "extra_bytes", "bytes", 0.0, 500.0, 500.0, None, None, "no interval"),
    DiffLine("mipv4", "duplicate_ratio", "ratio", 0.0, 0.0, 0.0, 0.0, 0.0, "equal", "exact, n = 5"),
]
A, B = DiffSide("before", {"Seed": "1", "routers.cell.loss": "0"}), DiffSide("after", {"Seed": "1", "routers.cell.loss": "0.01"})


def make(lines=LINES, notes=(), sides=(A, B)):
    return diff_report(*sides, lines, 0.95, 0.0, notes)


def chart(report, title):
    (found,) = (c for section in report.sections for c in section.charts if c.title == title)
    return found


def test_the_verdict_names_what_got_worse_and_what_got_better():
    """0.01 to 0.03 is a rise by twice the value in A, and 0.04 to 0.01 a fall by three quarters."""
    assert make().verdict == (
        "B is worse in 2 of 7 comparisons, most of all in loss_ratio of mipv4 (1 % to 3 %, +200.0%).",
        "It is better in 1: loss_ratio of mipv6 (4 % to 1 %, -75.0%); 1 is changed, 1 is unclear, 1 is without an "
        "interval and 1 is equal (confidence of all intervals together: 0.95).",
    )


def test_the_verdict_without_a_certain_difference():
    assert verdict(LINES[4:], 0.99) == (
        "Nothing is certain to be worse in B, in 3 comparisons.",
        "Nothing is certain to be better; 1 is unclear, 1 is without an interval and 1 is equal (confidence of all intervals "
        "together: 0.99).",
    )


@pytest.mark.parametrize("lines", [LINES, LINES[2:], LINES[:2], LINES[4:]])
def test_the_verdict_agrees_with_the_table(lines):
    report = make(lines)
    rows = chart(report, "Differences").table.rows
    of = {name: [row for row in rows if row[7] == name] for name in ("worse", "better", "changed", "unclear", "equal")}
    first, second = report.verdict
    assert (f"worse in {len(of['worse'])} of {len(rows)} comparisons" in first) == bool(of["worse"])
    assert (re.search(rf"better in {len(of['better'])}[,:]", second) is not None) == bool(of["better"])
    for sentence, name in ((first, "worse"), (second, "better")):
        if of[name]:
            subject, measure, a, b, _, _, change, *_ = of[name][0]
            most = ", most of all in" if len(of[name]) > 1 else ":"
            assert f"{most} {measure} of {subject} ({a} to {b}, {change})" in sentence
    for name in ("changed", "unclear", "equal"):
        assert (re.search(rf"{len(of[name])} (is|are) {name}", second) is not None) == bool(of[name])


def test_the_table_has_every_difference_and_the_chart_those_with_a_share():
    """The second one: 1 ms of 20 ms is 5 %, from 2.5 % to 7.5 %."""
    found = chart(make(), "Differences")
    assert found.table.rows[1] == (
        "mipv6", "delay_mean", "20 ms", "21 ms", "+1 ms", "+0.5 ms to +1.5 ms", "+5.0%", "worse", "Student's t, n = 5",
    )
    assert found.table.rows[5][2:] == ("0 bytes", "500 bytes", "+500 bytes", "–", "–", "no interval", "–")
    (spec,) = specs(make())
    rows = spec["data"]["values"]
    assert [row["what"] for row in rows] == [
        "1. loss_ratio, mipv4", "2. delay_mean, mipv6", "3. loss_ratio, mipv6", "4. packets, mipv6", "5. delay_mean, mipv4",
    ]  # fmt: skip
    assert (rows[1]["change"], rows[1]["low"], rows[1]["high"]) == pytest.approx((0.05, 0.025, 0.075))
    assert found.sentence.startswith(
        "2 worse, 1 better, 1 changed, 1 unclear, 1 without an interval and 1 equal. 1 comparison is only in the "
    )


def test_values_that_were_0_in_a_are_named_beside_the_chart():
    """They have no share. A value that is 0 in both is none of them, also without an interval."""
    found = chart(make(), "Values that were 0 in A")
    assert found.sentence == (
        "One value was 0 in A, so that its change is no share of it: extra_bytes of mipv4 is 500 bytes in B (no interval)."
    )
    assert found.table.rows == (("mipv4", "extra_bytes", "500 bytes", "–", "no interval"),)
    known = [DiffLine(f"p{i}", "loss_ratio", "ratio", 0.0, 0.03, 0.03, 0.01, 0.05, "worse") for i in range(5)]
    found = chart(make(known), "Values that were 0 in A")
    assert found.sentence.startswith("5 values were 0 in A, so that their changes are no shares of them: loss_ratio of p0 ")
    assert found.sentence.endswith("loss_ratio of p2 is 3 % in B (worse) and 2 more differ.")
    assert found.table.rows[4] == ("p4", "loss_ratio", "3 %", "+1 % to +5 %", "worse")
    assert specs(make(known)) == []
    both = DiffLine("mipv4", "loss_ratio", "ratio", 0.0, 0.0, 0.0, None, None, "no interval")
    assert "Values that were 0 in A" not in [c.title for section in make([*LINES[:5], both]).sections for c in section.charts]


def test_both_sides_and_what_was_not_compared_are_named():
    report = make(notes=["mipv4: disruption_p99: too few samples (12)"])
    assert chart(report, "Remarks").table.rows == (("mipv4", "disruption_p99: too few samples (12)"),)
    assert chart(report, "Origin").sentence == "A and B differ in routers.cell.loss."
    assert chart(report, "Origin").table.rows[2] == ("routers.cell.loss", "0", "0.01", "differs")
    assert chart(report, "Verdicts").table.rows[0] == ("loss_ratio", "1", "1", "0", "0", "0", "0")


def test_foreign_text_is_inert_and_short():
    name = NASTY + "x" * 10_000
    lines = [DiffLine(name, name, name, a, 2.0, 2.0 - a, 0.5, 1.5, "worse", "t") for a in (1.0, 0.0)]
    side = DiffSide(name, {name: name})
    assert_inert_and_short(render_page(make(lines, [f"{name}: {name}"], (side, side))))


def test_nothing_compared_is_nothing_to_report():
    with pytest.raises(ValueError, match="nothing was compared"):
        make([])
