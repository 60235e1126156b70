"""The report of a plan: answers, the search in its order, theory."""

from dataclasses import replace

import pytest

from handoff.output.report.page import render_page
from handoff.output.report.plan_report import PlanAnswer, TargetValue, Trial, plan_report
from tests.unit.output.report.test_page import NASTY, assert_inert_and_short
from tests.unit.output.report.test_study_report import specs

TARGET = "loss_ratio <= 0.01"


def trial(step, value, mean, decision):
    result = TargetValue(TARGET, "ratio", 0.01, decision, f"{mean:.4f}", mean, 0.9 * mean, float("inf"))
    return Trial(step, str(value), float(value), 4, decision, (result,))


ANSWER = PlanAnswer(
    "mipv6", "mobile_nodes", "largest mobile_nodes that meets the targets: 60 [50, 100]",
    "meets the targets up to mobile_nodes 60: 50 certainly meets them, and 100 misses them", ("what breaks first: loss",), True,
    (trial(1, 10, 0.001, "met"), trial(3, 50, 0.009, "met"), trial(2, 100, 0.03, "missed")),
    (("ha registration", "M/D/1", "0.5", "0.49", "1 ms", "1.1 ms"),), (("ha registration", 0.49, 0.0),),
)  # fmt: skip


def test_the_verdict_has_the_answer_and_what_it_took():
    report = plan_report("town", [TARGET], [ANSWER], 0.95, {"seed": 1})
    assert report.verdict == (
        "mipv6 meets the targets up to mobile_nodes 60: 50 certainly meets them, and 100 misses them.",
        f"The search found a value that meets {TARGET}, in 12 runs at 3 values (confidence of each answer: 0.95).",
    )


@pytest.mark.parametrize(("found", "first", "second"), [
    ((True, True), "mipv6 meets", "Both searches found a value that meets "),
    ((False, False), "mipv6 meets", "Neither search found a value that meets "),
    ((True, False, True), "; 1 more answer below.", "2 of 3 searches found a value that meets "),
    ((True,) * 4, "; 2 more answers below.", "All 4 searches found a value that meets "),
])  # fmt: skip
def test_the_verdict_counts_the_answers(found, first, second):
    sentences = plan_report("town", [TARGET], [replace(ANSWER, found=one) for one in found], 0.95, {}).verdict
    assert first in sentences[0]
    assert sentences[1].startswith(second)


def test_the_search_is_shown_in_its_order_with_the_limit():
    report = plan_report("town", [TARGET], [ANSWER], 0.95, {"seed": 1})
    (spec,) = specs(report)
    shown = [(row["x"], row["step"], row["verdict"]) for row in spec["data"]["values"]]
    assert shown == [(10, 1, "met"), (50, 3, "met"), (100, 2, "missed")]
    assert spec["data"]["values"][0]["high"] is None, "an unbounded interval has no end"
    assert spec["layer"][0]["data"]["values"] == [{"limit": 0.01}]
    (section,) = (s for s in report.sections if s.key == "search1")
    assert [row[0] for row in section.charts[0].table.rows] == ["1", "2", "3"]
    assert section.charts[0].sentence == "The search tried 3 values: 2 met and 1 missed. The numbers give its order."
    assert [chart.title for chart in section.charts[1:]] == ["Servers and links at the limit", "Closed forms"]


def test_a_plan_without_answers_is_refused():
    with pytest.raises(ValueError, match="no answer"):
        plan_report("town", [TARGET], [], 0.95, {})


def test_foreign_text_is_inert_and_short():
    name = NASTY + "x" * 10_000
    result = TargetValue(name, "ratio", 0.01, "met", name, 0.001, 0.0, 0.002)
    tried = Trial(1, name, 1.0, 4, "met", (result,))
    answer = PlanAnswer(name, name, name, name, (name,), True, (tried,), ((name,) * 6,), ((name, 0.49, 0.0),))
    assert_inert_and_short(render_page(plan_report(name, [name], [answer], 0.95, {"seed": 1, "scenario_file": name})))
