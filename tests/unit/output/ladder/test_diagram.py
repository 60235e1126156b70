"""Rows of a ladder diagram, in order of time."""

from handoff.output.ladder.diagram import Arrow, Header, Ladder, LadderEvent, Traffic, format_time
from tests.unit.output.ladder.diagrams import EMPTY, MS


def event(time, phase):
    return LadderEvent(time * MS, "MN", f"at {time}", phase)


def rows(events, arrows=(), traffic=(), phases=("a", "b", "c")):
    ladder = Ladder("t", ("MN", "HA"), tuple(arrows), tuple(events), tuple(traffic), phases)
    return list(ladder.rows())


def test_a_header_starts_each_phase():
    first, second = event(1, "a"), event(2, "b")
    assert rows([second, first]) == [Header("a", False), first, Header("b", False), second, Header("c", False)]


def test_a_phase_that_another_one_interrupts_is_continued():
    events = [event(1, "a"), event(2, "b"), event(3, "a")]
    assert [r for r in rows(events, phases=("a", "b")) if isinstance(r, Header)] == [
        Header("a", False), Header("b", False), Header("a", True)
    ]  # fmt: skip


def test_phases_at_one_time_are_in_their_order():
    """The request and the update to the old router can leave at one time; the request is of the phase before."""
    update = Arrow("BU", "MN", "HA", MS, 2 * MS, "b")
    request = Arrow("RQ", "MN", "HA", MS, 2 * MS, "a")
    warned = event(1, "b")
    in_order = [Header("a", False), request, Header("b", False), warned, update]
    assert rows([warned], [update, request], phases=("a", "b")) == in_order


def test_data_packets_follow_the_header_of_their_phase():
    data = Traffic("b", MS, MS, "up", ("MN", "HA"), 1, "delivered")
    assert rows([event(5, "a")], traffic=[data], phases=("a", "b"))[-2:] == [Header("b", False), data]


def test_an_empty_ladder_has_no_rows():
    assert list(EMPTY.rows()) == []


def test_times_are_in_milliseconds():
    assert format_time(1_234_567_890_123) == "1234.568"
