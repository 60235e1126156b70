"""What an answer says of itself."""

from handoff.experiments.planning.answer import Answer
from handoff.experiments.planning.bisection import Bracket, SearchRange
from handoff.experiments.planning.field_scale import Values
from handoff.scenario.load import read_tables
from tests.plan.scenarios import commuting
from tests.plan.test_search import answer, exactly


def notes(folder, bracket):
    """Of an answer about mobile nodes between 500 and 1000."""
    found, order = answer(bracket, lambda x: exactly(5, "open" if x < 760 else "met"))
    values = Values.of(read_tables(commuting(folder))[0], "mobile_nodes")
    return Answer("mipv4", "mobile_nodes", values, found, dict.fromkeys(order, 2)).notes()


def test_an_undecided_low_end_that_makes_it_a_smallest_value_is_said(tmp_path):
    """Too few samples at the low end look like targets that are met from some value on only."""
    hint = "taken for the smallest, as 500 is undecided: else ask for --find largest"
    assert hint in notes(tmp_path, Bracket(SearchRange(500, 1000)))
    for sense in ("largest", "smallest"):  # somebody has said it
        assert not [note for note in notes(tmp_path, Bracket(SearchRange(500, 1000), sense=sense)) if "taken for" in note]
