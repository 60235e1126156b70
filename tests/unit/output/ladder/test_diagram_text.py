"""Ladder diagrams as text."""

import re

from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic
from handoff.output.ladder.diagram_text import render_text
from tests.unit.output.ladder.diagrams import CROWDED, EMPTY, MS


def test_arrows_of_the_text_point_at_their_targets():
    lines = render_text(CROWDED, 100).splitlines()
    heads = {m[1]: line for line in lines if (m := re.search(r" (M\d+) ", line))}
    assert len(heads) == 60
    assert "X" in heads["M5"]
    assert heads["M7"].rstrip().endswith("at 10.000")
    assert heads["M7"].index(">") > heads["M6"].index(">"), "M7 goes to the last column, M6 to the second one"
    assert all(len(line) <= 130 for line in lines)


def test_an_empty_ladder_is_drawn():
    assert render_text(EMPTY).splitlines()[0] == "nothing"


def test_phases_are_drawn_to_scale():
    """20 characters for 40 ms: phase 1 of 0 to 10 ms and 30 to 40 ms, phase 2 of 10 to 30 ms, phase 3 of an instant at 40."""
    intervals = ((0, 10 * MS, "1"), (10 * MS, 30 * MS, "2"), (30 * MS, 38 * MS, "1"), (38 * MS, 40 * MS, "3"))
    ladder = Ladder("title", ("MN", "HA"), (), (), (), ("1", "2", "3"), intervals, 40 * MS)
    assert render_text(ladder, width=32).splitlines()[-4:] == [
        "to scale, one character for 2.000 ms, from 0.000 to 40.000",
        "1           =====          ====",
        "2                ==========",
        "3                              =",
    ]


def test_the_time_of_a_phase_that_is_not_shown_is_empty():
    intervals = ((0, 10 * MS, "1"), (30 * MS, 40 * MS, "3"))
    ladder = Ladder("title", ("MN", "HA"), (), (), (), ("1", "3"), intervals, 40 * MS)
    assert render_text(ladder, width=32).splitlines()[-2:] == ["1" + 11 * " " + 5 * "=", "3" + 26 * " " + 5 * "="]


def test_an_interrupted_phase_is_continued():
    events = tuple(LadderEvent(t * MS, "HA", "binds", phase) for t, phase in ((1, "1"), (2, "2"), (3, "1")))
    lines = render_text(Ladder("title", ("MN", "HA"), (), events, (), ("1", "2"))).splitlines()
    assert [line.strip("- ") for line in lines if line.startswith("--")] == ["1", "2", "1 (continued)"]


def test_a_small_ladder_character_by_character():
    """Columns of 12 characters behind the 12 of the times: lifelines at 18 and 30."""
    ladder = Ladder(
        "title",
        ("MN", "HA"),
        (Arrow("RQ", "MN", "HA", 5 * MS, 8 * MS, "1"), Arrow("RR", "HA", "MN", 9 * MS, None, "2", "lost")),
        (LadderEvent(8 * MS, "HA", "binds", "1"),),
        (Traffic("1", 1 * MS, 2 * MS, "down", ("HA", "MN"), 1, "delivered"),),
        ("1", "2"),
    )
    assert render_text(ladder, width=0).splitlines() == [
        "title",
        "",
        "        ms       MN          HA",
        "-- 1 -------------------------------",
        "            down: HA > MN: 1 packet delivered, sent 1.000 to 2.000",
        "     5.000        |--- RQ --->|  at 8.000",
        "     8.000        |     binds *",
        "-- 2 -------------------------------",
        "     9.000        |X-- RR ----|  lost",
    ]


def test_a_long_name_of_a_phase_is_apart_from_its_bar():
    ladder = Ladder("title", ("MN", "HA"), (), (), (), ("a registration",), ((0, 20 * MS, "a registration"),), 20 * MS)
    assert render_text(ladder, width=36).splitlines()[-1] == "a registration  " + 20 * "="
