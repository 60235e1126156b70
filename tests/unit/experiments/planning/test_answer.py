"""The notes and figures of an answer."""

from dataclasses import replace

import pytest

from handoff.experiments.planning.answer import Answer, Utilisation, busiest_resources
from handoff.experiments.planning.field_scale import Values
from handoff.experiments.planning.value_search import Bracket, SearchRange
from handoff.metrics.bottlenecks import Bottleneck
from handoff.scenario.load import read_tables
from tests.unit.experiments.planning.one_mobile_node import commuting
from tests.unit.experiments.planning.test_value_search import exact_result, run_search


def make_answer(folder, bracket, response):
    """Return the answer about mobile nodes after a search."""
    bracket, order = run_search(bracket, response)
    values = Values.of(read_tables(commuting(folder))[0], "mobile_nodes")
    return Answer("mipv4", "mobile_nodes", values, bracket, dict.fromkeys(order, 2))


def notes_with_undecided_low_end(folder, bracket):
    return make_answer(folder, bracket, lambda x: exact_result(5, "open" if x < 760 else "met")).notes()


def test_an_assumed_sense_is_noted(tmp_path):
    """With too few samples at the low end, the targets look as if they were met from some value on only."""
    hint = "assumed to be the smallest value, because 500 is undecided: use --find largest otherwise"
    assert hint in notes_with_undecided_low_end(tmp_path, Bracket(SearchRange(500, 1000)))
    for sense in ("largest", "smallest"):  # chosen by the user
        notes = notes_with_undecided_low_end(tmp_path, Bracket(SearchRange(500, 1000), sense=sense))
        assert not [note for note in notes if "assumed" in note]


def test_a_range_whose_ends_both_meet_the_targets_has_an_assumed_sense(tmp_path):
    """The smallest value may be wanted as well, as of a buffer."""
    hint = "assumed to be the largest value, because 500 meets the targets: use --find smallest otherwise"
    assert hint in make_answer(tmp_path, Bracket(SearchRange(500, 1000)), lambda x: exact_result(5)).notes()
    chosen = make_answer(tmp_path, Bracket(SearchRange(500, 1000), sense="largest"), lambda x: exact_result(5))
    found = make_answer(tmp_path, Bracket(SearchRange(500, 2000)), lambda x: exact_result(x / 100))  # meets up to 1000
    assert not [note for answer in (chosen, found) for note in answer.notes() if "assumed" in note]


def test_the_estimate_is_where_the_line_between_the_ends_crosses_the_limit(tmp_path):
    """The measure is x / 100 and the limit 10: the line crosses it at 1000."""
    answer = make_answer(tmp_path, Bracket(SearchRange(500, 2000, precision=0.1)), lambda x: exact_result(x / 100))
    assert answer.bracket.last_met <= 1000 < answer.bracket.first_missed
    assert answer.estimate == pytest.approx(1000)
    assert answer.critical_value == answer.bracket.first_missed
    assert [r.decision for r in answer.violated_targets] == ["missed"]
    assert (answer.is_found, answer.is_infeasible, answer.is_exact) == (True, False, False)


def test_an_infeasible_answer_names_the_value_that_misses_by_least(tmp_path):
    answer = make_answer(tmp_path, Bracket(SearchRange(500, 2000)), lambda x: exact_result(20 + abs(x - 2000)))
    assert answer.is_infeasible
    assert not answer.is_found
    assert answer.critical_value == answer.best_value == 2000


def test_an_answer_is_certain_unless_the_limit_may_lie_at_a_value_with_a_problem(tmp_path):
    values = Values.of(read_tables(commuting(tmp_path))[0], "mobile_nodes")
    verdicts = {10_000: exact_result(5), 15_000: exact_result(5, "open"), 20_000: exact_result(15)}
    bracket = Bracket(SearchRange(1000, 64_000), verdicts)
    bracket.update_ends()
    answer = Answer("mipv4", "mobile_nodes", values, bracket, dict.fromkeys(verdicts, 2))
    assert answer.is_certain
    assert not replace(answer, problems={15_000: "no room"}).is_certain
    assert replace(answer, problems={30_000: "no room"}).is_certain  # beyond the limit
    assert not replace(answer, complete=False).is_certain


def test_digits_beyond_the_width_are_rounded_away(tmp_path):
    answer = make_answer(tmp_path, Bracket(SearchRange(1, 10**6)), lambda x: exact_result(10 * x / 123_456))
    step = 10 ** (len(str(answer.width // 10)) - 1)
    assert answer.width > 100
    assert answer.round_to_width(123_456.7) % step == 0
    assert abs(answer.round_to_width(123_456.7) - 123_456.7) <= step / 2


def test_the_busiest_resources_drop_most_and_then_have_the_highest_load(monkeypatch):
    runs = [[("a", 0.5, 0.0), ("b", 0.9, 0.0), ("c", 0.1, 0.2), ("d", 0.2, 0.0)], [("a", 0.7, 0.0), ("b", 0.7, 0.0)]]

    def fake(tables):
        return [Bottleneck(name, load, 0, ratio) for name, load, ratio in runs[tables]]

    monkeypatch.setattr("handoff.experiments.planning.answer.bottlenecks", fake)
    busiest = busiest_resources([0, 1])
    assert [u.name for u in busiest] == ["c", "b", "a"]
    assert (busiest[0].dropped_ratio, busiest[1].utilisation, busiest[2].utilisation) == (0.1, pytest.approx(0.8), 0.6)
    assert str(busiest[0]) == "c 0.05 (10.00% dropped)"
    assert str(Utilisation("b", 0.8, 0.0)) == "b 0.80"
