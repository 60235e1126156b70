"""Ladder diagrams as text."""

import re

from handoff.output.ladder.diagram import Arrow, Ladder, LadderEvent, Traffic
from handoff.output.ladder.text import render_text
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
