"""Answers of a plan as text and as JSON."""

import json

from handoff.cli.plan_output import answer_json, summary_lines
from handoff.experiments.planning.answer import Answer, Utilisation
from handoff.experiments.planning.field_scale import Values
from handoff.experiments.planning.value_search import Bracket, SearchRange
from handoff.scenario.load import read_tables
from tests.unit.experiments.planning.one_mobile_node import commuting
from tests.unit.experiments.planning.test_value_search import exact_result


def make_answer(folder, verdicts, **changes):
    """Return an answer about mobile nodes from 1000 to 64,000, whose measure ``delay_mean`` may be 10 ps."""
    values = Values.of(read_tables(commuting(folder))[0], "mobile_nodes")
    bracket = Bracket(SearchRange(1000, 64_000), {x: exact_result(value) for x, value in verdicts.items()})
    bracket.update_ends()
    return Answer("mipv4", "mobile_nodes", values, bracket, dict.fromkeys(verdicts, 2), **changes)


def test_an_answer_with_two_ends(tmp_path):
    """The straight line from 5 at 10,000 to 15 at 20,000 crosses 10 at 15,000."""
    answer = make_answer(tmp_path, {10_000: 5, 20_000: 15}, busiest=[Utilisation("ha registration", 0.9, 0.0)])
    assert summary_lines(answer) == [
        "mipv4: largest mobile_nodes that meets the targets: 15,000 [10,000, 20,000]",
        "  what breaks first: delay_mean <= 10 ps: 15 ps at 20,000",
        "  utilisation there: ha registration 0.90",
    ]
    document = answer_json(answer)
    assert (document["met"], document["missed"], document["estimate"], document["at"]) == (10_000, 20_000, 15_000, 20_000)
    assert (document["sense"], document["found"], document["monotone"]) == ("largest", True, True)
    assert [e["verdict"] for e in document["evaluations"]] == ["met", "missed"]
    json.dumps(document, allow_nan=False)


def test_answers_with_one_end_or_none(tmp_path):
    def headline(verdicts, **changes):
        return summary_lines(make_answer(tmp_path, verdicts, **changes))[0]

    assert headline({64_000: 5, 1000: 5}) == "mipv4: mobile_nodes at least 64,000: the end of the range meets the targets"
    assert headline({1000: 15, 4000: 20}).startswith("mipv4: the targets cannot be met by mobile_nodes from 1,000 to 64,000")
    assert headline({}) == "mipv4: undecided for mobile_nodes from 1,000 to 64,000"
    assert headline({10_000: 5, 10_001: 15}) == "mipv4: largest mobile_nodes that meets the targets: 10,000 (10,001 misses them)"
    interrupted = headline({10_000: 5, 20_000: 15}, complete=False)
    assert interrupted.endswith("15,000 [10,000, 20,000] (interrupted: as far as is known)")
