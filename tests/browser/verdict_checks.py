"""The two sentences of a report, read back and compared with the results of its commands: tables, or JSON output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

NUMBER = r"[\d,.]+"
_BYTES = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
_LOSES = re.compile(
    rf"(?:Of (?P<runs>\d+) procedures, )?(?P<best>\S+) loses (?:the fewest packets: )?(?P<lost>{NUMBER}) of (?P<sent>{NUMBER}) "
    rf"packets?(?: \(95 % interval (?P<low>{NUMBER}) to (?P<high>{NUMBER})\))? in (?P<handoffs>{NUMBER}) "
    rf"handoffs?(?:, and 99 % of its (?:interruptions last no longer than (?P<p99>{NUMBER}) ms|handoffs "
    r"(?P<none>interrupt nothing)))?"
    rf"(?:; (?P<worst>\S+) loses the most, (?P<most>{NUMBER}))?\."
)
_EQUAL = re.compile(
    rf"Both procedures lose equally many packets, (?P<lost>{NUMBER}) of (?P<sent>{NUMBER})(?: \(95 % interval under \S+ "
    rf"(?P<low>{NUMBER}) to (?P<high>{NUMBER})\))? in (?P<handoffs>{NUMBER}) handoffs?; "
    rf"(?:no figure decides between all of them|(?P<best>\S+) comes first by its (?:extra bytes|interruptions(?:, 99 % of which "
    rf"last no longer than (?P<p99>{NUMBER}) ms|: 99 % of its handoffs (?P<none>have none))))\."
)
_COSTS = re.compile(
    rf"(?P<best>\S+) costs (?P<messages>{NUMBER}) signalling messages(?:, (?P<each>{NUMBER}) a handoff)?, and "
    rf"(?P<extra>{NUMBER}) (?P<unit>\w+) (?P<more>more|less) traffic than handoffs without any cost"
    r"(?:; no other procedure needs fewer messages|"
    rf"; (?P<cheapest>\S+) needs the fewest messages, (?P<fewest>{NUMBER}), and loses (?P<its>{NUMBER}) packets?)?"
    r"(?:; \S+ (?:meets (?P<met>the target|both targets|all 3 targets)|misses (?P<missed>.*)))?\."
)


def read_number(text: str) -> float:
    """Return a number as a report shows it."""
    return float(text.replace(",", ""))


def check_study(first: str, second: str, folder: Path) -> None:
    """Compare the sentences of a run or comparison with its table of runs."""
    rows = pq.read_table(folder / "runs.parquet").to_pylist()
    said, cost = _LOSES.fullmatch(first) or _EQUAL.fullmatch(first), _COSTS.fullmatch(second)
    assert said, first
    assert cost, second
    fewest, most = (pick(row["lost"] for row in rows) for pick in (min, max))
    name = said["best"] or cost["best"]
    best = next(row for row in rows if row["procedure"] == name)
    assert [read_number(said[name]) for name in ("lost", "sent", "handoffs")] == [fewest, best["sent"], best["handoffs"]]
    assert best["lost"] == fewest
    if said["low"]:
        assert read_number(said["low"]) <= fewest <= read_number(said["high"]) <= best["sent"]
    if said["p99"]:
        assert read_number(said["p99"]) == pytest.approx(1000 * best["disruption_p99_s"], rel=0.006)
    if said["none"]:
        assert best["disruption_p99_s"] == 0
    assert (said.re is _EQUAL) == (len(rows) > 1 and fewest == most)
    if said.re is _LOSES and len(rows) > 1:
        assert (int(said["runs"]), read_number(said["most"])) == (len(rows), most)
        assert next(row["lost"] for row in rows if row["procedure"] == said["worst"]) == most
    _check_cost(cost, best, rows)


def _check_cost(cost: re.Match[str], best: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    assert cost["best"] == (best["procedure"] if len(rows) > 1 else "It")
    assert read_number(cost["messages"]) == best["signalling_messages"]
    if cost["each"]:
        assert read_number(cost["each"]) == pytest.approx(best["signalling_messages"] / best["handoffs"], rel=0.006)
    extra = read_number(cost["extra"]) * _BYTES[cost["unit"]] * (1 if cost["more"] == "more" else -1)
    assert extra == pytest.approx(best["extra_bytes"], rel=0.05)
    messages = [row["signalling_messages"] for row in rows]
    if cost["cheapest"]:
        (cheapest,) = [row for row in rows if row["procedure"] == cost["cheapest"]]
        assert read_number(cost["fewest"]) == cheapest["signalling_messages"] == min(messages)
        assert read_number(cost["its"]) == cheapest["lost"]
    else:
        assert best["signalling_messages"] == min(messages)
    ratio = best["lost"] / best["sent"]
    if cost["met"] or cost["missed"]:  # the only target that is missed in these studies is that of losses
        assert ("loss_ratio <= 0.01" in (cost["missed"] or "")) == (len(rows) > 1 and ratio > 0.01)


def check_sweep(first: str, second: str, output: Mapping[str, Any]) -> None:
    """Compare the sentences of a sweep with its points."""
    points = output["points"]
    name = re.search(r"the mean (\S+) is", first)[1]
    means = {_place(p): mean for p in points if (mean := p["measures"][name].get("mean")) is not None}
    assert first.startswith(f"Of {len(points)} points, the mean {name} is ")
    said = re.findall(rf"(?:smallest, |largest, |is )({NUMBER}) (%|ms), ?(?:for )?|({NUMBER}) (%|ms) for", first)
    shown = [(read_number(a or c), b or d) for a, b, c, d in said]
    ends = sorted({min(means.values()), max(means.values())})
    assert len(shown) == len(ends)
    for (value, unit), end in zip(shown, ends, strict=True):
        assert value == pytest.approx(end * {"%": 100, "ms": 1000}[unit], rel=0.05)
    places = re.findall(r"(?:%,|ms,|%|ms) for (.*?)(?: and \d+ other points?)?(?=, and largest|\.$)", first)
    assert [means[place] for place in places] == ends
    good = [p for p in points if (mean := p["measures"]["loss_ratio"].get("mean")) is not None and mean <= 0.01]
    if name != "loss_ratio":
        assert second == "No point has a value of loss_ratio, so that none meets loss_ratio <= 0.01."
    elif not good:
        assert second == "No point meets loss_ratio <= 0.01 in the mean."
    elif len(good) == len(points):
        assert second == f"All {len(points)} points meet loss_ratio <= 0.01 in the mean."
    else:
        assert second == (
            f"{len(good)} of {len(points)} points meet loss_ratio <= 0.01 in the mean, the first of them {_place(good[0])}."
        )


def _place(point: Mapping[str, Any]) -> str:
    return ", ".join([point["procedure"], *(f"{field} {value}" for field, value in point["values"].items())])


def check_plan(first: str, second: str, output: Mapping[str, Any]) -> None:
    """Compare the sentences of a plan with its answers."""
    answers = output["answers"]
    for sentence, answer in zip(first.removesuffix(".").split("; "), answers, strict=True):
        assert sentence.startswith(f"{answer['procedure']} ")
        met, missed = answer["met"], answer["missed"]
        assert ("certainly meets" in sentence) == (None not in (met, missed))
        assert ("meets the targets" in sentence) == (met is not None) == answer["found"]
        numbers = [float(n) for n in re.findall(r"(?<!\S)\d[\d.]*(?=[:\s]|$)", sentence.replace(",", ""))]
        if met is not None:
            assert met in numbers
        if missed is not None and met is not None:
            assert {met, missed, answer["estimate"]} <= set(numbers)
    runs = sum(e["replications"] for answer in answers for e in answer["evaluations"])
    values = sum(len(answer["evaluations"]) for answer in answers)
    found = sum(answer["found"] for answer in answers)
    assert second.startswith({0: "Neither search found", 1: "1 of 2 searches found", 2: "Both searches found"}[found])
    assert second.endswith(f", in {runs} runs at {values} values (confidence of each answer: 0.95).")
    assert all(target in second for target in output["targets"])


def check_diff(first: str, second: str, output: Mapping[str, Any]) -> None:
    """Compare the sentences of a diff with its differences."""
    differences = output["differences"]
    counts = {name: sum(d["verdict"] == name for d in differences) for name in ("worse", "better", "unclear", "equal")}
    if counts["worse"]:
        (line, *_) = [d for d in differences if d["verdict"] == "worse"]
        assert first.startswith(f"B is worse in {counts['worse']} of {len(differences)} comparisons")
        assert f"{line['measure']} of {line['subject']} (" in first
    else:
        assert first == f"Nothing is certain to be worse in B, in {len(differences)} comparisons."
    assert second.startswith(f"It is better in {counts['better']}" if counts["better"] else "Nothing is certain to be better")
    for name in ("unclear", "equal"):
        assert (re.search(rf"\b{counts[name]} (?:is|are) {name}\b", second) is not None) == bool(counts[name])


CHECKS = {"run": check_study, "compare": check_study, "sweep": check_sweep, "plan": check_plan, "diff": check_diff}
"""Check of each kind of report: first sentence, second sentence, results."""
